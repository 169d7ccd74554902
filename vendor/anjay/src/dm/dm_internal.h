/* SPDX-License-Identifier: Apache-2.0 */
/** Between the files of dm/: calling handlers, lists of ids, transactions. */
#ifndef ANJAY_DM_PARTS_H
#define ANJAY_DM_PARTS_H

#include "../core/core.h"
#include "../objects/objects.h"

#include <avsystem/commons/avs_log.h>

#define dm_log(Level, ...) avs_log(dm, Level, __VA_ARGS__)

enum { OID_SECURITY = 0, OID_SERVER = 1 };

/* ---- lists that handlers emit ---- */

/** Ids, ascending; the first few without allocation. */
typedef struct {
    uint16_t *ids;
    size_t count, capacity;
    uint16_t first[24];
} dm_ids_t;

typedef struct {
    anjay_rid_t rid;
    anjay_dm_resource_kind_t kind;
    bool present;
    bool emptied; /**< its Resource Instances were removed by the Write under way */
} dm_resource_t;

typedef struct {
    dm_resource_t *resources;
    size_t count, capacity;
    dm_resource_t first[24];
} dm_resources_t;

/** What anjay_dm_emit() fills: a list, or the answer whether `wanted` is among the ids. */
struct anjay_dm_list_ctx_struct {
    dm_ids_t *ids; /**< NULL: only look for `wanted` */
    uint16_t wanted;
    bool found;
    bool any;
    uint16_t last;
    int error;
};

struct anjay_dm_resource_list_ctx_struct {
    dm_resources_t *resources; /**< NULL: only look for `wanted` */
    anjay_rid_t wanted;
    bool found;
    dm_resource_t resource;
    bool any;
    anjay_rid_t last;
    int error;
};

void dm_ids_cleanup(dm_ids_t *ids);
void dm_resources_cleanup(dm_resources_t *resources);

/* ---- calls of handlers: with the lock released for the user's objects; results are 0 or a valid negative ANJAY_ERR_* ---- */

/** A result of the user's code as an error code: what is no CoAP error becomes 5.00. */
int dm_error(int result);

/** @p ids must be zeroed; clean up in any case. */
int dm_list_instances(anjay_t *anjay, anjay_dm_object_t *obj, dm_ids_t *ids);
/** @returns 0, ANJAY_ERR_NOT_FOUND if there is no such Instance. */
int dm_require_instance(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid);
int dm_list_resources(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid, dm_resources_t *resources);
/** @returns 0 with *out (which may say that it is absent), ANJAY_ERR_NOT_FOUND if the Instance has no such Resource at all. */
int dm_find_resource(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid, anjay_rid_t rid, dm_resource_t *out);
int dm_list_riids(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid, anjay_rid_t rid, dm_ids_t *ids);
int dm_require_riid(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid);

int dm_call_read(anjay_t *anjay, anjay_dm_object_t *obj, const anjay_uri_path_t *path, anjay_output_ctx_t *ctx);
int dm_call_write(anjay_t *anjay, anjay_dm_object_t *obj, const anjay_uri_path_t *path, anjay_input_ctx_t *ctx);
int dm_call_execute(anjay_t *anjay, anjay_dm_object_t *obj, const anjay_uri_path_t *path, anjay_execute_ctx_t *ctx);
/** instance_create, instance_remove, instance_reset; ANJAY_ERR_METHOD_NOT_ALLOWED where there is no handler. */
int dm_call_create(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid);
int dm_call_remove(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid);
int dm_call_instance_reset(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid);
int dm_call_resource_reset(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid, anjay_rid_t rid);
int dm_call_riid_remove(anjay_t *anjay, anjay_dm_object_t *obj, const anjay_uri_path_t *path);

/** Runs the expression with the object pinned, and unlocked if it is the user's. */
#define DM_CALL(Anjay, Obj, Result, ...)                  \
    do {                                                  \
        ++(Obj)->pins;                                    \
        if ((Obj)->internal) {                            \
            (Result) = (__VA_ARGS__);                     \
        } else {                                          \
            ANJAY_UNLOCKED(Anjay, (Result) = (__VA_ARGS__)); \
        }                                                 \
        --(Obj)->pins;                                    \
    } while (0)

static inline bool dm_readable(anjay_dm_resource_kind_t kind) {
    return kind == ANJAY_DM_RES_R || kind == ANJAY_DM_RES_RW || kind == ANJAY_DM_RES_RM || kind == ANJAY_DM_RES_RWM;
}

static inline bool dm_writable(anjay_dm_resource_kind_t kind) {
    return kind == ANJAY_DM_RES_W || kind == ANJAY_DM_RES_RW || kind == ANJAY_DM_RES_WM || kind == ANJAY_DM_RES_RWM;
}

static inline bool dm_multiple(anjay_dm_resource_kind_t kind) {
    return kind == ANJAY_DM_RES_RM || kind == ANJAY_DM_RES_WM || kind == ANJAY_DM_RES_RWM;
}

/* ---- transactions: one operation at a time, over one or more objects ---- */

int dm_transaction_begin(anjay_t *anjay, anjay_dm_object_t *obj);
/** Validates and commits every object that took part, or rolls all back if @p result is an error. @returns the result of it all. */
int dm_transaction_end(anjay_t *anjay, int result);

/* ---- operations; results are 0 or a negative ANJAY_ERR_* ---- */

/** A parsed request. */
typedef struct {
    anjay_ssid_t ssid;
    const coap_request_t *coap;
    anjay_uri_path_t path;
    size_t length; /**< ids in path */
} dm_request_t;

/** Puts what is at the path into a payload; the response's format is that of Accept, or the default. */
int dm_read(anjay_t *anjay, const dm_request_t *request, coap_response_t *response);
/** Puts values below @p path out; @p obj is its object. A Resource that fails is left out unless it was asked for itself. */
int dm_read_into(anjay_t *anjay, anjay_dm_object_t *obj, const anjay_uri_path_t *path, anjay_output_ctx_t *ctx);
/** Whether something at path can be read; *multiple: a Resource with instances. */
int dm_check_readable(anjay_t *anjay, anjay_dm_object_t *obj, const anjay_uri_path_t *path, bool *multiple);
int dm_discover(anjay_t *anjay, const dm_request_t *request, coap_response_t *response);
int dm_write(anjay_t *anjay, const dm_request_t *request, bool replace);
/** Writes the entry that the input context stands at, which is inside the transaction of @p obj. ANJAY_ERR_NOT_FOUND: no such Resource. */
int dm_write_entry(anjay_t *anjay, anjay_dm_object_t *obj, const anjay_input_entry_t *entry, anjay_input_ctx_t *ctx);
int dm_create(anjay_t *anjay, const dm_request_t *request, coap_response_t *response);
int dm_delete(anjay_t *anjay, const dm_request_t *request);
/** Removes a Resource Instance, inside the transaction of @p obj, whose Instance exists. */
int dm_delete_riid(anjay_t *anjay, anjay_dm_object_t *obj, const anjay_uri_path_t *path);
int dm_execute(anjay_t *anjay, const dm_request_t *request);
int dm_write_attributes(anjay_t *anjay, const dm_request_t *request);
int dm_read_composite(anjay_t *anjay, const dm_request_t *request, coap_response_t *response);
int dm_write_composite(anjay_t *anjay, const dm_request_t *request);

/** The object of a path, unless it is Security. */
int dm_require_object(anjay_t *anjay, const anjay_uri_path_t *path, anjay_dm_object_t **out);

/** Forgets the attributes of Instances of an object that are no longer there. */
void dm_prune_attrs(anjay_t *anjay, anjay_oid_t oid);

/** Notes a change made by the operation that is running, for after its commit. */
void dm_note_change(anjay_t *anjay, const anjay_uri_path_t *path, bool instances);
/** The operation that is running was refused: what it noted did not happen. Changes of our own and the program's stay. */
void dm_forget_changes(anjay_t *anjay);
/** Acts on noted changes: observations, registrations, connections. @p writer: server that made them, or ANJAY_SSID_ANY. */
void dm_flush_changes(anjay_t *anjay, anjay_ssid_t writer);

#endif /* ANJAY_DM_PARTS_H */
