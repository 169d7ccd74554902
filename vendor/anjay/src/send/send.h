/* SPDX-License-Identifier: Apache-2.0 */
/** Send (LwM2M Core 1.1, section 6.4.6): batches of values, and the requests that carry them to servers. */
#ifndef ANJAY_SEND_INTERNAL_H
#define ANJAY_SEND_INTERNAL_H

#include "../io/io.h"

#include <anjay/lwm2m_send.h>

#include <avsystem/commons/avs_log.h>

#define send_log(Level, ...) avs_log(send, Level, __VA_ARGS__)

/* ---- batches (batch.c) ---- */

/** A value and where and when it was. */
typedef struct {
    anjay_uri_path_t path; /**< a Resource or Resource Instance */
    avs_time_real_t at;
    enum { SEND_INT, SEND_UINT, SEND_DOUBLE, SEND_BOOL, SEND_STRING, SEND_BYTES, SEND_OBJLNK } type;
    union {
        int64_t integer;
        uint64_t uinteger;
        double number;
        bool boolean;
        struct {
            anjay_oid_t oid;
            anjay_iid_t iid;
        } link;
        struct {
            uint8_t *data; /**< owned; NULL where the size is 0; a string has a NUL behind its bytes */
            size_t size;
        } bytes;
    } value;
} send_entry_t;

typedef struct {
    send_entry_t *entries;
    size_t count, capacity;
} send_entries_t;

struct anjay_send_batch_builder_struct {
    send_entries_t list;
};

/** Appends an entry without value. @returns NULL when memory ran out. */
send_entry_t *send_entries_add(send_entries_t *list, const anjay_uri_path_t *path, avs_time_real_t at);
/** Frees the entries from number @p count on. */
void send_entries_truncate(send_entries_t *list, size_t count);
/** Gives an entry a string (with the NUL behind it) or bytes, copied; @p data NULL: zeros. @returns 0, -1 when memory ran out. */
int send_entry_set_bytes(send_entry_t *entry, const void *data, size_t size, bool string);

/**
 * Puts a batch into a payload of @p format (SenML JSON or SenML CBOR) for a server. The Security object is left out: no server may read it.
 * @p now: what moments before 2^28 s since 1970 are counted from (RFC 8428, section 4.5.3), and what later ones are cut to.
 * @returns 0 or -1 (no memory).
 */
int send_encode(const anjay_send_batch_t *batch, uint16_t format, avs_time_real_t now, coap_buf_t *out);

/* ---- values of the data model (current.c) ---- */

/** As anjay_send_batch_data_add_current_multiple(), with the lock held; the list stays as it is after an error. */
int send_entries_add_current(anjay_t *anjay, send_entries_t *list, const anjay_send_resource_path_t *paths, size_t count,
                             bool ignore_not_found);

/* ---- requests (send.c) ---- */

typedef struct send_request send_request_t;

/** What a client has to send. Zeroed at first. */
typedef struct {
    send_request_t *first, *last; /**< in order of arrival */
    avs_sched_handle_t job;
    bool lost;         /**< there was no memory for that job: anjay_sched_run() tries again */
    bool closing;      /**< the client is being deleted */
} anjay_send_state_t;

/** Servers came, went, or may be sent to now: requests that wait are looked at soon. */
void anjay_send_review(anjay_t *anjay);
/** Sends current values, those that are there, to every server that lets us, at once where that is possible. What fails is logged. */
void anjay_send_report(anjay_t *anjay, const anjay_send_resource_path_t *paths, size_t count);
/** Ends the requests that are on their way to a server, with ANJAY_SEND_ABORT. */
void anjay_send_abort(anjay_t *anjay, anjay_ssid_t ssid);
/** Ends all requests, with ANJAY_SEND_ABORT; nothing is accepted from now on. */
void anjay_send_cleanup(anjay_t *anjay);

#endif /* ANJAY_SEND_INTERNAL_H */
