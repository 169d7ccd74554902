/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Send (LwM2M Core 1.1, section 6.4.6): values that a server gets without having asked for them.
 *
 * A batch is built value by value, compiled, and given to anjay_send() as often as wanted. Its values go out as one confirmable POST /dp in
 * SenML CBOR (SenML JSON where ANJAY_DEFAULT_SEND_FORMAT is 110), in blocks where they are larger than one, in the order in which they were
 * added; Resources of the Security object are left out, since no server may read them.
 *
 * Requests to a server are answered one after the other (NSTART at a time). One that is not acknowledged at once makes room for Updates and
 * for notifications. They are sent by the thread that runs jobs, from anjay_sched_run() on.
 *
 * A builder is used by one thread at a time. A batch does not change, and may be sent, acquired and released by any number of threads.
 */
#ifndef VENDOR_ANJAY_LWM2M_SEND_H
#define VENDOR_ANJAY_LWM2M_SEND_H

#include <anjay/anjay.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(ANJAY_WITH_SEND)

/** Values that are being gathered. */
typedef struct anjay_send_batch_builder_struct anjay_send_batch_builder_t;

/** Values to be sent; counted by references. */
typedef struct anjay_send_batch_struct anjay_send_batch_t;

/** A Resource; no id may be 65535. */
typedef struct {
    anjay_oid_t oid;
    anjay_iid_t iid;
    anjay_rid_t rid;
} anjay_send_resource_path_t;

/** Result: a request that waited could not be started: its server is gone or wants no Send any more, or memory ran out. */
#define ANJAY_SEND_DEFERRED_ERROR (-3)

/** Result: the client is being deleted, or the connection was closed before the server answered. */
#define ANJAY_SEND_ABORT (-2)

/** Result: no answer within MAX_TRANSMIT_WAIT, a Reset, or an answer that broke the protocol. The registration stays. */
#define ANJAY_SEND_TIMEOUT (-1)

/** Result: the server has taken the values (2.04). */
#define ANJAY_SEND_SUCCESS 0

/**
 * A request is over. @p result: ANJAY_SEND_*, or minus the code of an answer other than 2.04, such as ANJAY_ERR_NOT_FOUND.
 * Called once for each request, by the thread that runs jobs or within anjay_delete(), with no lock held: it may call this API, send
 * @p batch again, or keep it by anjay_send_batch_acquire(). @p data: as given to anjay_send().
 */
typedef void anjay_send_finished_handler_t(anjay_t *anjay, anjay_ssid_t ssid, const anjay_send_batch_t *batch, int result, void *data);

/** Makes an empty builder. @returns NULL when memory ran out; otherwise it is freed by _cleanup() or _compile(). */
anjay_send_batch_builder_t *anjay_send_batch_builder_new(void);

/** Frees a builder with its values and sets *builder to NULL. It may be NULL already. */
void anjay_send_batch_builder_cleanup(anjay_send_batch_builder_t **builder);

/**
 * Add a value, without a look at the data model. Strings and bytes are copied.
 * @p riid: 65535 for a Resource that has no Instances. Other ids are below 65535.
 * @p timestamp: when the value was. It is sent as time since 1970; one before 2^28 s (a clock that was not set) as time before the moment of
 * sending (RFC 8428, section 4.5.3). An invalid one, and one in the future, is the moment of sending.
 * @returns 0, or negative with the builder unchanged: no builder, an id of 65535, no @p str, no @p data though @p length is not 0, no memory.
 */
int anjay_send_batch_add_int(anjay_send_batch_builder_t *builder, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid, avs_time_real_t timestamp, int64_t value);
int anjay_send_batch_add_uint(anjay_send_batch_builder_t *builder, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid, avs_time_real_t timestamp, uint64_t value);
int anjay_send_batch_add_double(anjay_send_batch_builder_t *builder, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid, avs_time_real_t timestamp, double value);
int anjay_send_batch_add_bool(anjay_send_batch_builder_t *builder, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid, avs_time_real_t timestamp, bool value);
int anjay_send_batch_add_string(anjay_send_batch_builder_t *builder, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid, avs_time_real_t timestamp, const char *str);
int anjay_send_batch_add_bytes(anjay_send_batch_builder_t *builder, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid, avs_time_real_t timestamp, const void *data, size_t length);
int anjay_send_batch_add_objlnk(anjay_send_batch_builder_t *builder, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid, avs_time_real_t timestamp, anjay_oid_t objlnk_oid, anjay_iid_t objlnk_iid);

/**
 * Reads a Resource and adds its value, or those of all its Instances, with the time of now. Handlers of the object run on this thread.
 * @returns 0, or negative with the builder unchanged: an argument is NULL or no path; ANJAY_ERR_NOT_FOUND: there is no such Resource, or it
 *          has no value; ANJAY_ERR_METHOD_NOT_ALLOWED: it cannot be read; ANJAY_ERR_UNAUTHORIZED: it is of the Security object; what a
 *          handler returned; ANJAY_ERR_INTERNAL: no memory.
 */
int anjay_send_batch_data_add_current(anjay_send_batch_builder_t *builder, anjay_t *anjay, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid);

/** The same for several Resources, which all get the same time. @returns as above; the first error counts and nothing is added then. */
int anjay_send_batch_data_add_current_multiple(anjay_send_batch_builder_t *builder, anjay_t *anjay, const anjay_send_resource_path_t *paths, size_t paths_length);

/** The same, but Resources of which ANJAY_ERR_NOT_FOUND is true are left out. */
int anjay_send_batch_data_add_current_multiple_ignore_not_found(anjay_send_batch_builder_t *builder, anjay_t *anjay, const anjay_send_resource_path_t *paths, size_t paths_length);

/** Makes a batch of all values (there may be none) and frees the builder, or returns NULL (no memory) and leaves it. Release the batch. */
anjay_send_batch_t *anjay_send_batch_builder_compile(anjay_send_batch_builder_t **builder);

/** One reference more, to be released as well. @returns @p batch. */
anjay_send_batch_t *anjay_send_batch_acquire(const anjay_send_batch_t *batch);

/** Gives a reference back and sets *batch to NULL; the last one frees the batch. *batch may be NULL already. */
void anjay_send_batch_release(anjay_send_batch_t **batch);

/** What anjay_send() says at once. */
typedef enum {
    ANJAY_SEND_OK = 0,
    ANJAY_SEND_ERR_UNSUPPORTED = 1, /**< never: this build has Send */
    ANJAY_SEND_ERR_MUTED = 2,       /**< Mute Send, /1/x/23, is true: the server wants none */
    ANJAY_SEND_ERR_OFFLINE = 3,     /**< there is no registration with the server now */
    ANJAY_SEND_ERR_BOOTSTRAP = 4,   /**< a bootstrap is under way; never while this build has none */
    ANJAY_SEND_ERR_SSID = 5,        /**< there is no such server, or the id is none of a server */
    ANJAY_SEND_ERR_PROTOCOL = 6,    /**< registered as LwM2M 1.0, which has no Send; never in this build */
    ANJAY_SEND_ERR_INTERNAL = 7     /**< an argument is NULL, or memory ran out */
} anjay_send_result_t;

/**
 * Sends a batch to server @p ssid, and keeps a reference of its own as long as needed. Callable from any thread and inside handlers.
 * @p finished_handler may be NULL; it is called if, and only if, this returns ANJAY_SEND_OK. Where another thread runs the jobs, that may be
 * before this has returned.
 * @returns ANJAY_SEND_OK: the request is in the queue; anything else: it is not.
 */
anjay_send_result_t anjay_send(anjay_t *anjay, anjay_ssid_t ssid, const anjay_send_batch_t *data, anjay_send_finished_handler_t *finished_handler, void *finished_handler_data);

/**
 * The same, but a server that cannot be reached now is waited for, as long as it takes: what would be ANJAY_SEND_ERR_OFFLINE is
 * ANJAY_SEND_OK. Times before 2^28 s count from the moment of sending. One that is on its way when the connection ends is not repeated.
 */
anjay_send_result_t anjay_send_deferrable(anjay_t *anjay, anjay_ssid_t ssid, const anjay_send_batch_t *data, anjay_send_finished_handler_t *finished_handler, void *finished_handler_data);

#endif /* ANJAY_WITH_SEND */

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_ANJAY_LWM2M_SEND_H */
