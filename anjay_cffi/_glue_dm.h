/* SPDX-License-Identifier: Apache-2.0 */
/* A data-model object of Python's. What exists (instances, resources, which of them have a value) is kept here, so that
 * the lists which every operation asks for need no call into Python. */
#ifndef ANJAY_CFFI_GLUE_DM_H
#define ANJAY_CFFI_GLUE_DM_H

#include "_glue.h"

typedef struct anjay_cffi_object_struct anjay_cffi_object_t;

/* What the class defines: a handler is installed for nothing else. */
#define ANJAY_CFFI_READS 1
#define ANJAY_CFFI_WRITES 2
#define ANJAY_CFFI_EXECUTES 4
#define ANJAY_CFFI_CREATES 8
#define ANJAY_CFFI_DELETES 16
#define ANJAY_CFFI_MULTIPLE 32
#define ANJAY_CFFI_REMOVES 64

/* `rids` ascend; both arrays are copied. `version` may be NULL; it and `handle` must live as long as the object.
 * NULL when out of memory. */
anjay_cffi_object_t *anjay_cffi_object_new(void *handle, anjay_oid_t oid, const char *version, int flags,
                                           const uint16_t *rids, const uint8_t *kinds, size_t count);

/* Only after anjay_unregister_object() or anjay_delete(). NULL is allowed. */
void anjay_cffi_object_delete(anjay_cffi_object_t *object);

/* What anjay_register_object() takes. */
const anjay_dm_object_def_t *const *anjay_cffi_object_def(anjay_cffi_object_t *object);

/* Replaces the set of instances: ascending ids, and for each of them one byte a resource that says whether it is present.
 * Any thread. 0, or -1 when out of memory (nothing is changed then). */
int anjay_cffi_object_set(anjay_cffi_object_t *object, const uint16_t *iids, const uint8_t *present, size_t count);

/* Says whether one resource (by its index in `rids`) of one instance has a value. Any thread. */
void anjay_cffi_object_set_present(anjay_cffi_object_t *object, uint16_t iid, size_t index, int present);

/* Resources of one or all instances (iid ANJAY_ID_INVALID) of an object: made once, so that a program which notifies every
 * second passes one argument, or a job needs no Python at all. Only while the client is open; `object` must live as long as
 * this, and is set to NULL when it, or the instance, is gone. */
struct anjay_cffi_notice_struct {
    anjay_cffi_loop_t *loop;
    anjay_t *anjay;
    anjay_cffi_object_t *object;
    uint16_t iid;
    uint16_t count;
    uint16_t rids[];
};

/* anjay_cffi_notify() for each of them; the first result that is not 0 ends it. Any thread. -1 where there is no object. */
int anjay_cffi_notify_all(const anjay_cffi_notice_t *notice);

/* 1 while the calling thread is within a handler of a data-model object, else 0. */
int anjay_cffi_in_handler(void);

#endif /* ANJAY_CFFI_GLUE_DM_H */
