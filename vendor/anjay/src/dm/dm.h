/* SPDX-License-Identifier: Apache-2.0 */
/** The data model: registered objects, and the operations of a server on them. */
#ifndef ANJAY_DM_INTERNAL_H
#define ANJAY_DM_INTERNAL_H

#include "../../../avs_coap/src/coap_endpoint.h"
#include "../io/io.h"

#include <anjay/dm.h>

/** A registered object. */
typedef struct anjay_dm_object {
    const anjay_dm_object_def_t *const *def_ptr;
    bool internal;       /**< an object of the library's own: its handlers run with the client's lock held */
    unsigned pins;       /**< handlers of it that are running */
    bool in_transaction; /**< transaction_begin was called and neither commit nor rollback yet */
    struct anjay_dm_object *next_in_transaction;
} anjay_dm_object_t;

/** Attributes that a server wrote to a path (attrs.c). */
typedef struct anjay_attrs_entry anjay_attrs_entry_t;

/** What a finished operation changed; handed to observe and servers after commit. */
typedef struct {
    anjay_uri_path_t path; /**< a Resource (or Resource Instance) that was written; an Object whose set of Instances changed */
    bool instances;        /**< the latter */
    bool own;              /**< a change of our own: the server whose request caused it is told, too */
} anjay_dm_change_t;

/**
 * An object of the library's own whose Resource takes its value in pieces (objects/fw_update.c). One at a time.
 * Each returns 0 or a negative ANJAY_ERR_*; after an error of begin or write, abort is not called.
 */
typedef struct {
    anjay_uri_path_t path;
    int (*begin)(anjay_t *anjay, anjay_ssid_t ssid);
    int (*write)(anjay_t *anjay, const uint8_t *data, size_t size);
    int (*finish)(anjay_t *anjay);
    void (*abort)(anjay_t *anjay);
} anjay_dm_stream_target_t;

typedef struct {
    anjay_dm_object_t **objects; /**< ascending by Object ID */
    size_t objects_count;
    anjay_dm_object_t *in_transaction; /**< objects of the operation that is running; such are not unregistered */
    AVS_LIST(anjay_attrs_entry_t) attrs;
    anjay_dm_change_t *changes;
    size_t changes_count, changes_capacity;
    bool changes_lost; /**< there was no memory for one: anything may have changed */
    avs_sched_handle_t changes_job;
    anjay_dm_stream_target_t stream_target;
    bool has_stream_target;
    anjay_ssid_t stream_ssid; /**< server whose payload is being streamed, or ANJAY_SSID_ANY */
    anjay_opaque_stream_t stream;
} anjay_dm_t;

void anjay_dm_init(anjay_dm_t *dm);
void anjay_dm_cleanup(anjay_t *anjay);

/** As anjay_register_object(), for the library's own objects (`internal`). @returns 0 or negative. */
int anjay_dm_register_internal(anjay_t *anjay, const anjay_dm_object_def_t *const *def_ptr);
anjay_dm_object_t *anjay_dm_find(anjay_t *anjay, anjay_oid_t oid);
/** The object of that id or the next one; NULL behind the last. */
anjay_dm_object_t *anjay_dm_find_from(anjay_t *anjay, anjay_oid_t oid);

/**
 * Handles a request of server @p ssid whose endpoint called ops->request: parses path, options and format, does the operation, fills @p response.
 * Knows Read, Discover, Write, Write-Attributes, Execute, Create, Delete, Observe and Cancel; every error ends in its response code.
 * Streamed pieces (request->streamed) go to the object that anjay_dm_accept_stream() named.
 */
void anjay_dm_handle_request(anjay_t *anjay, anjay_ssid_t ssid, const coap_request_t *request, coap_response_t *response);

/** Whether the payload is to be streamed: a Write of /5/0/0 in a format that anjay_opaque_stream_supported(), while /5 takes packages. */
bool anjay_dm_accept_stream(anjay_t *anjay, anjay_ssid_t ssid, const coap_request_t *first);
void anjay_dm_stream_aborted(anjay_t *anjay, anjay_ssid_t ssid);

/** Installs the target (copied); also used for a package that arrives in one datagram. */
void anjay_dm_set_stream_target(anjay_t *anjay, const anjay_dm_stream_target_t *target);

/**
 * Reads what is at @p path into a payload of @p format (ANJAY_FORMAT_NONE: the default; *format gets the one used). @p ssid: for access and attributes.
 * @p timestamp: SenML time of the values in seconds since 1970, NaN for none.
 * @returns 0 or a negative ANJAY_ERR_*.
 */
int anjay_dm_read(anjay_t *anjay, anjay_ssid_t ssid, const anjay_uri_path_t *path, uint16_t *format, double timestamp,
                  coap_buf_t *out);
/** As a number, for attribute conditions. @returns 0, or -1 if it is none or can't be read. */
int anjay_dm_read_number(anjay_t *anjay, const anjay_uri_path_t *path, double *out);
/** Reads a Resource of one of the library's objects (Security, Server) as the type asked for. @returns 0 or negative. */
int anjay_dm_read_i64(anjay_t *anjay, const anjay_uri_path_t *path, int64_t *out);

/** Calls @p clb for every Instance of an object, ascending. @returns 0, or the first non-zero result. */
typedef int anjay_dm_instance_clb_t(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid, void *arg);
int anjay_dm_foreach_instance(anjay_t *anjay, anjay_dm_object_t *obj, anjay_dm_instance_clb_t *clb, void *arg);

/** Appends the object links of a Register or Update (`</1/0>,</3333>;ver=2.1,...`; Security is left out). @returns 0 or -1. */
int anjay_dm_register_payload(anjay_t *anjay, coap_buf_t *out);

/** Notes a change made by the library's own objects outside a server operation, and acts on it (observe, servers) from a scheduler job. @returns 0, -1 when memory ran out. */
int anjay_dm_changed(anjay_t *anjay, const anjay_uri_path_t *path, bool instances);
/** Acts on what there was no memory to note, as if everything had changed. */
void anjay_dm_repair(anjay_t *anjay);

/* ---- attributes (attrs.c) ---- */

/** Attributes in force for server @p ssid at @p path: own, inherited, then the Server object's defaults. Never fails. */
void anjay_attrs_effective(anjay_t *anjay, anjay_ssid_t ssid, const anjay_uri_path_t *path, anjay_dm_r_attributes_t *out);
/** The same without the Server object's defaults. */
void anjay_attrs_inherited(anjay_t *anjay, anjay_ssid_t ssid, const anjay_uri_path_t *path, anjay_dm_r_attributes_t *out);
/** Attributes written to exactly this path. @returns whether there are any. */
bool anjay_attrs_own(anjay_t *anjay, anjay_ssid_t ssid, const anjay_uri_path_t *path, anjay_dm_r_attributes_t *out);
/** Forgets those below @p path (a deleted Instance), or all of a server (`path` NULL). */
void anjay_attrs_remove(anjay_t *anjay, anjay_ssid_t ssid, const anjay_uri_path_t *path);

#endif /* ANJAY_DM_INTERNAL_H */
