/* SPDX-License-Identifier: Apache-2.0 */
/** When notifications are due, and sending them. */
#include "../core/core.h"
#include "../objects/objects.h"

#include <avsystem/coap/code.h>
#include <avsystem/coap/ctx.h>
#include <avsystem/commons/avs_log.h>
#include <avsystem/commons/avs_memory.h>

#include <math.h>
#include <string.h>

#define observe_log(Level, ...) avs_log(observe, Level, __VA_ARGS__)

/** A confirmable notification at least once in 24 hours (RFC 7641, section 4.5). */
#define CONFIRMABLE_AFTER_S (24 * 3600)

/** A notification that could not be sent yet. */
typedef struct {
    uint64_t number; /**< ascending over all that were stored: the lowest is the oldest */
    size_t size;
    uint8_t payload[];
} stored_t;

struct anjay_observation {
    anjay_t *anjay;
    anjay_ssid_t ssid;
    coap_token_t token;
    anjay_uri_path_t path;
    uint16_t format;
    uint64_t sent_hash;  /**< of the payload sent last, without its time */
    double sent_number;  /**< value sent last; NaN if it is no number, or no attribute makes it matter */
    avs_time_monotonic_t sent_at;
    avs_time_monotonic_t evaluated_at;
    avs_time_monotonic_t confirmed_at;
    bool changed;        /**< something below the path was said to have changed since */
    bool in_flight;      /**< a confirmable notification waits for its ACK */
    bool stored_in_flight; /**< and it is the first of `stored` */
    bool waiting;        /**< nothing can be done before the server is ready again */
    avs_sched_handle_t job;
    coap_exchange_t *exchange;
    AVS_LIST(stored_t) stored; /**< oldest first */
    coap_msg_t request;  /**< of the Observe, for fetches of further blocks; its options follow this structure */
    uint8_t options[];
};

void anjay_observe_init(anjay_observe_t *observe) {
    *observe = (anjay_observe_t) { 0 };
}

/* ------------------------------------------------------------------ life */

static anjay_observation_t **find(anjay_t *anjay, anjay_ssid_t ssid, const coap_token_t *token) {
    anjay_observation_t **entry;
    AVS_LIST_FOREACH_PTR(entry, &anjay->observe.observations) {
        if ((*entry)->ssid == ssid && coap_token_equal(&(*entry)->token, token)) {
            return entry;
        }
    }
    return NULL;
}

static void notify_finished(void *observation_ptr, coap_result_t result);

static void unstore_first(anjay_observation_t *o) {
    AVS_LIST_DELETE(&o->stored);
    --o->anjay->observe.stored_count;
}

static void drop(anjay_observation_t **entry) {
    anjay_observation_t *observation = *entry;
    AVS_LIST_DETACH(entry);
    avs_sched_del(&observation->job);
    if (observation->in_flight) {
        /* the end of the exchange must not come back to what is freed here */
        coap_endpoint_t *ep = anjay_server_endpoint_always(observation->anjay, observation->ssid);
        observation->in_flight = false;
        if (ep && observation->exchange) {
            coap_endpoint_cancel(ep, observation->exchange);
        }
    }
    while (observation->stored) {
        unstore_first(observation);
    }
    AVS_LIST_DELETE(&observation);
}

void anjay_observe_cleanup(anjay_t *anjay) {
    while (anjay->observe.observations) {
        drop(&anjay->observe.observations);
    }
    coap_buf_cleanup(&anjay->observe.scratch);
}

void anjay_observe_cancel(anjay_t *anjay, anjay_ssid_t ssid, const coap_token_t *token) {
    anjay_observation_t **entry = find(anjay, ssid, token);
    if (entry) {
        drop(entry);
    }
}

void anjay_observe_forget_server(anjay_t *anjay, anjay_ssid_t ssid) {
    anjay_observation_t **entry = &anjay->observe.observations;
    while (*entry) {
        if ((*entry)->ssid == ssid) {
            drop(entry);
        } else {
            entry = AVS_LIST_NEXT_PTR(entry);
        }
    }
}

static uint64_t hash_of(const uint8_t *data, size_t size) {
    uint64_t hash = 14695981039346656037ull ^ size;
    for (size_t i = 0; i < size; ++i) {
        hash = (hash ^ data[i]) * 1099511628211ull;
    }
    return hash;
}

static bool timed_format(uint16_t format) {
    return format == ANJAY_FORMAT_SENML_JSON || format == ANJAY_FORMAT_SENML_CBOR;
}

/** Reads the value without its time: that is what is compared. */
static int read_value(const anjay_observation_t *o, coap_buf_t *out) {
    uint16_t format = o->format;
    return anjay_dm_read(o->anjay, o->ssid, &o->path, &format, NAN, out);
}

/** Reads it again as it is to be sent, where the format carries the time. */
static int read_timed(const anjay_observation_t *o, coap_buf_t *out) {
    uint16_t format = o->format;
    if (!timed_format(format)) {
        return 0;
    }
    out->size = 0;
    return anjay_dm_read(o->anjay, o->ssid, &o->path, &format, avs_time_real_to_fscalar(avs_time_real_now(), AVS_TIME_S),
                         out);
}

static bool conditional(const anjay_dm_r_attributes_t *attrs) {
    return !isnan(attrs->greater_than) || !isnan(attrs->less_than) || !isnan(attrs->step);
}

/** The value as a number, NaN if it is none; read only where an attribute compares it. */
static double number_of(const anjay_observation_t *o, const anjay_dm_r_attributes_t *attrs) {
    double number;
    return !conditional(attrs) || anjay_path_length(&o->path) < 3 || anjay_dm_read_number(o->anjay, &o->path, &number) ? (double) NAN : number;
}

/* ------------------------------------------------------------------ timing */

static avs_time_monotonic_t after(avs_time_monotonic_t instant, int32_t seconds) {
    return avs_time_monotonic_add(instant, avs_time_duration_from_scalar(seconds, AVS_TIME_S));
}

static void observe_job(avs_sched_t *sched, const void *observation_ptr);

/** What is due already is sent before anything else is done, in the order in which it was planned. */
static const avs_time_monotonic_t OVERDUE = { { 0, 0 } };

static void make_earlier(avs_time_monotonic_t *inout, avs_time_monotonic_t instant) {
    if (!avs_time_monotonic_valid(*inout) || avs_time_monotonic_before(instant, *inout)) {
        *inout = instant;
    }
}

static bool has_pmax(const anjay_dm_r_attributes_t *attrs) {
    return attrs->common.max_period > 0 && attrs->common.max_period >= attrs->common.min_period;
}

/**
 * Sets the job to when the observation must be looked at: if it changed, after pmin and epmin; in any case at pmax, to send,
 * and after epmax, to see whether it changed unsaid.
 */
static void plan(anjay_observation_t *o) {
    anjay_dm_r_attributes_t attrs;
    avs_time_monotonic_t due = AVS_TIME_MONOTONIC_INVALID;
    if (o->in_flight || o->waiting) {
        avs_sched_del(&o->job);
        return;
    }
    anjay_attrs_effective(o->anjay, o->ssid, &o->path, &attrs);
    const avs_time_monotonic_t pmin_ends = after(o->sent_at, AVS_MAX(attrs.common.min_period, 0));
    avs_time_monotonic_t earliest = after(o->evaluated_at, AVS_MAX(attrs.common.min_eval_period, 0));
    if (avs_time_monotonic_before(earliest, pmin_ends)) {
        earliest = pmin_ends;
    }
    if (has_pmax(&attrs)) {
        due = after(o->sent_at, attrs.common.max_period);
    }
    if (o->changed) {
        make_earlier(&due, earliest);
    }
    if (attrs.common.max_eval_period > 0) {
        const avs_time_monotonic_t unsaid = after(o->evaluated_at, attrs.common.max_eval_period);
        make_earlier(&due, avs_time_monotonic_before(unsaid, earliest) ? earliest : unsaid);
    }
    if (!avs_time_monotonic_valid(due)) {
        avs_sched_del(&o->job);
        return;
    }
    if (!avs_time_monotonic_before(avs_time_monotonic_now(), due)) {
        due = OVERDUE;
    }
    if (o->job) {
        AVS_RESCHED_AT(&o->job, due);
    } else if (AVS_SCHED_AT(o->anjay->sched, &o->job, due, observe_job, &o, sizeof(o))) {
        atomic_store(&o->anjay->jobs_lost, true);
    }
}

void anjay_observe_repair(anjay_t *anjay) {
    anjay_observation_t *o;
    AVS_LIST_FOREACH(o, anjay->observe.observations) {
        plan(o);
    }
}

/** Whether gt, lt and st let a change of value through (LwM2M Core 1.1, section 5.1.2). */
static bool conditions_met(const anjay_observation_t *o, const anjay_dm_r_attributes_t *attrs, double number) {
    if (!conditional(attrs) || isnan(number) || isnan(o->sent_number)) {
        return true;
    }
    const double before = o->sent_number;
    if (!isnan(attrs->step) && fabs(number - before) >= attrs->step) {
        return true;
    }
    if (!isnan(attrs->greater_than) && (number > attrs->greater_than) != (before > attrs->greater_than)) {
        return true;
    }
    return !isnan(attrs->less_than) && (number < attrs->less_than) != (before < attrs->less_than);
}

/* ------------------------------------------------------------------ sending */

static bool confirmable(const anjay_observation_t *o, const anjay_dm_r_attributes_t *attrs, avs_time_monotonic_t now) {
    if (!avs_time_monotonic_before(now, after(o->confirmed_at, CONFIRMABLE_AFTER_S))) {
        return true; /* whatever the attribute says: else nobody would find out that the server has lost interest */
    }
    return attrs->common.con == ANJAY_DM_CON_ATTR_NONE ? o->anjay->config.confirmable_notifications
                                                       : attrs->common.con == ANJAY_DM_CON_ATTR_CON;
}

/** Drops the oldest stored notification of all servers, but none that is being sent. @returns whether there was one. */
static bool unstore_oldest(anjay_t *anjay) {
    anjay_observation_t *o, *oldest = NULL;
    AVS_LIST_FOREACH(o, anjay->observe.observations) {
        if (o->stored && !o->stored_in_flight && (!oldest || o->stored->number < oldest->stored->number)) {
            oldest = o;
        }
    }
    if (oldest) {
        unstore_first(oldest);
    }
    return oldest;
}

static void store(anjay_observation_t *o, const coap_buf_t *payload) {
    anjay_observe_t *observe = &o->anjay->observe;
    const size_t limit = o->anjay->config.stored_notification_limit;
    anjay_server_view_t server;
    if (!anjay_server_by_ssid(o->anjay, o->ssid, &server) || !server.notification_storing) {
        return;
    }
    while (limit && observe->stored_count >= limit && unstore_oldest(o->anjay)) {
    }
    stored_t *stored = (stored_t *) AVS_LIST_NEW_BUFFER(sizeof(stored_t) + payload->size);
    if (!stored) {
        observe_log(ERROR, "out of memory: a notification is lost");
        return;
    }
    stored->number = observe->stored_number++;
    stored->size = payload->size;
    if (payload->size) {
        memcpy(stored->payload, payload->data, payload->size);
    }
    AVS_LIST_APPEND(&o->stored, stored);
    ++observe->stored_count;
}

static void send_payload(anjay_observation_t *o, coap_endpoint_t *ep, const uint8_t *payload, size_t size, bool con) {
    const coap_notification_t notification = {
        .token = o->token,
        .confirmable = con,
        .code = AVS_COAP_CODE_CONTENT,
        .content_format = o->format,
        .payload = payload,
        .payload_size = size,
        .request = &o->request
    };
    const anjay_ssid_t ssid = o->ssid;
    anjay_t *anjay = o->anjay;
    if (con) {
        o->in_flight = true;
        o->exchange = coap_endpoint_notify(ep, &notification, notify_finished, o);
    } else {
        coap_endpoint_notify(ep, &notification, NULL, NULL);
    }
    anjay_servers_endpoint_touched(anjay, ssid);
}

/**
 * A value that can no longer be read ends the observation with its error (RFC 7641, section 4.2): now, or when the server is ready
 * again and has got what is stored for it.
 */
static void send_error(anjay_observation_t *o, int error) {
    coap_endpoint_t *ep = anjay_server_endpoint(o->anjay, o->ssid);
    if (!ep || o->stored) {
        o->changed = o->waiting = true;
        plan(o);
        return;
    }
    const coap_notification_t notification = { .token = o->token,
                                               .code = (uint8_t) -error,
                                               .content_format = COAP_FORMAT_NONE };
    anjay_t *anjay = o->anjay;
    const anjay_ssid_t ssid = o->ssid;
    coap_endpoint_notify(ep, &notification, NULL, NULL);
    anjay_observation_t **entry = AVS_LIST_FIND_PTR(&anjay->observe.observations, o);
    if (entry) {
        drop(entry);
    }
    anjay_servers_endpoint_touched(anjay, ssid);
}

/** The first of what is stored; the next follows when it is acknowledged. */
static void send_stored(anjay_observation_t *o) {
    coap_endpoint_t *ep = o->stored && !o->in_flight ? anjay_server_endpoint(o->anjay, o->ssid) : NULL;
    if (ep) {
        o->stored_in_flight = true;
        send_payload(o, ep, o->stored->payload, o->stored->size, true);
    }
}

/** What was sent did not arrive: a stored one stays so until the server is ready, any other is looked at again. */
static void not_delivered(anjay_observation_t *o, bool was_stored, coap_result_t result) {
    if (was_stored) {
        o->waiting = true;
    } else {
        o->changed = true;
        o->sent_hash = ~o->sent_hash;
    }
    if (result == COAP_RESULT_TIMEOUT) {
        anjay_servers_update_needed(o->anjay, o->ssid);
    }
}

static void tell_program(anjay_t *anjay, anjay_ssid_t ssid, const anjay_uri_path_t *path, coap_result_t result) {
    const anjay_uri_path_t copy = *path;
    avs_error_t err = { .category = AVS_COAP_ERR_CATEGORY };
    switch (result) {
    case COAP_RESULT_OK: err = AVS_OK; break;
    case COAP_RESULT_TIMEOUT: err.code = AVS_COAP_ERR_TIMEOUT; break;
    case COAP_RESULT_RESET: err.code = AVS_COAP_ERR_UDP_RESET_RECEIVED; break;
    case COAP_RESULT_NO_MEMORY: err = avs_errno(AVS_ENOMEM); break;
    default: err.code = AVS_COAP_ERR_EXCHANGE_CANCELED; break;
    }
    if (anjay->config.confirmable_notification_status_cb) {
        ANJAY_UNLOCKED(anjay, anjay->config.confirmable_notification_status_cb(anjay, ssid, &copy, 1, err));
    }
}

static void notify_finished(void *observation_ptr, coap_result_t result) {
    anjay_observation_t *o = (anjay_observation_t *) observation_ptr;
    if (!o->in_flight) {
        return; /* dropped meanwhile */
    }
    tell_program(o->anjay, o->ssid, &o->path, result);
    const bool was_stored = o->stored_in_flight;
    o->in_flight = o->stored_in_flight = false;
    o->exchange = NULL;
    if (result == COAP_RESULT_OK) {
        o->confirmed_at = avs_time_monotonic_now();
        if (was_stored) {
            unstore_first(o);
            o->waiting = false;
        }
        send_stored(o);
    } else if (result != COAP_RESULT_RESET) {
        not_delivered(o, was_stored, result);
    }
    plan(o);
}

/** Sends or stores the value if it is due. @returns 0, or the error that the value could not be read for. */
static int evaluate(anjay_observation_t *o, coap_buf_t *payload) {
    anjay_dm_r_attributes_t attrs;
    const avs_time_monotonic_t now = avs_time_monotonic_now();
    send_stored(o);
    if (o->in_flight) {
        return 0; /* looked at when that has arrived */
    }
    int result = read_value(o, payload);
    if (result) {
        return result;
    }
    anjay_attrs_effective(o->anjay, o->ssid, &o->path, &attrs);
    const uint64_t hash = hash_of(payload->data, payload->size);
    const bool forced = has_pmax(&attrs) && !avs_time_monotonic_before(now, after(o->sent_at, attrs.common.max_period));
    const double number = forced || hash != o->sent_hash ? number_of(o, &attrs) : (double) NAN;
    o->changed = false;
    o->evaluated_at = now;
    if (!forced && (hash == o->sent_hash || !conditions_met(o, &attrs, number))) {
        return 0;
    }
    if ((result = read_timed(o, payload))) {
        return result;
    }
    coap_endpoint_t *ep = anjay_server_endpoint(o->anjay, o->ssid);
    o->sent_hash = hash;
    o->sent_at = now;
    o->sent_number = number;
    if (ep) {
        send_payload(o, ep, payload->data, payload->size, confirmable(o, &attrs, now));
    } else {
        store(o, payload);
    }
    return 0;
}

static void observe_job(avs_sched_t *sched, const void *observation_ptr) {
    (void) sched;
    anjay_observation_t *o = *(anjay_observation_t *const *) observation_ptr;
    anjay_t *anjay = o->anjay;
    anjay_lock(anjay);
    const coap_token_t token = o->token;
    const anjay_ssid_t ssid = o->ssid;
    coap_buf_t payload = anjay->observe.scratch; /* borrowed: the lock is released while handlers run */
    anjay->observe.scratch = (coap_buf_t) { 0 };
    int result = evaluate(o, &payload);
    coap_buf_cleanup(&anjay->observe.scratch);
    coap_buf_clear(&payload);
    anjay->observe.scratch = payload;
    anjay_observation_t **entry = find(anjay, ssid, &token); /* handlers ran: it may be gone */
    if (entry && *entry == o) {
        if (result) {
            send_error(o, result);
        } else {
            plan(o);
        }
    }
    anjay_unlock(anjay);
}

/* ------------------------------------------------------------------ what others tell */

static bool path_before(const anjay_uri_path_t *a, const anjay_uri_path_t *b) {
    for (size_t i = 0; i < sizeof(a->ids) / sizeof(a->ids[0]); ++i) {
        if (a->ids[i] != b->ids[i]) {
            return b->ids[i] != ANJAY_ID_INVALID && (a->ids[i] == ANJAY_ID_INVALID || a->ids[i] < b->ids[i]);
        }
    }
    return false;
}

/** What is due at once goes out in the order of paths, an Instance before its Resources. */
static void insert_by_path(anjay_t *anjay, anjay_observation_t *o) {
    anjay_observation_t **place;
    AVS_LIST_FOREACH_PTR(place, &anjay->observe.observations) {
        if (path_before(&o->path, &(*place)->path)) {
            break;
        }
    }
    AVS_LIST_INSERT(place, o);
}

int anjay_observe_add(anjay_t *anjay, anjay_ssid_t ssid, const coap_request_t *request, const anjay_uri_path_t *path,
                      uint16_t format, const coap_buf_t *payload) {
    anjay_observe_cancel(anjay, ssid, &request->msg->token);
    anjay_observation_t *o = (anjay_observation_t *) AVS_LIST_NEW_BUFFER(sizeof(*o) + request->msg->options_size);
    if (!o) {
        return ANJAY_ERR_INTERNAL;
    }
    o->anjay = anjay;
    o->ssid = ssid;
    o->token = request->msg->token;
    o->path = *path;
    o->format = format;
    o->sent_at = o->evaluated_at = o->confirmed_at = avs_time_monotonic_now();
    memcpy(o->options, request->msg->options, request->msg->options_size);
    o->request = (coap_msg_t) { .code = request->msg->code,
                                .options = o->options,
                                .options_size = request->msg->options_size };
    insert_by_path(anjay, o);
    if (timed_format(format)) { /* what was answered carries a time: the value is read again, without */
        coap_buf_t plain = { 0 };
        if (!read_value(o, &plain)) {
            o->sent_hash = hash_of(plain.data, plain.size);
        }
        coap_buf_cleanup(&plain);
    } else {
        o->sent_hash = hash_of(payload->data, payload->size);
    }
    anjay_dm_r_attributes_t attrs;
    anjay_attrs_effective(anjay, ssid, path, &attrs);
    o->sent_number = number_of(o, &attrs);
    plan(o);
    return 0;
}

static bool concerns(const anjay_observation_t *o, const anjay_uri_path_t *path) {
    return anjay_path_inside(&o->path, path) || anjay_path_inside(path, &o->path);
}

bool anjay_observe_concerned(anjay_t *anjay, const anjay_uri_path_t *path) {
    anjay_observation_t *o;
    AVS_LIST_FOREACH(o, anjay->observe.observations) {
        if (concerns(o, path)) {
            return true;
        }
    }
    return false;
}

void anjay_observe_changed(anjay_t *anjay, const anjay_uri_path_t *path, anjay_ssid_t except) {
    anjay_observation_t *o;
    AVS_LIST_FOREACH(o, anjay->observe.observations) {
        if ((except == ANJAY_SSID_ANY || o->ssid != except) && concerns(o, path) && !o->changed) {
            o->changed = true;
            plan(o);
        }
    }
}

void anjay_observe_attrs_changed(anjay_t *anjay, anjay_ssid_t ssid, const anjay_uri_path_t *path) {
    anjay_observation_t *o;
    AVS_LIST_FOREACH(o, anjay->observe.observations) {
        if (o->ssid == ssid && anjay_path_inside(&o->path, path)) {
            anjay_dm_r_attributes_t attrs;
            anjay_attrs_effective(anjay, ssid, &o->path, &attrs);
            if (isnan(o->sent_number) && !o->changed) { /* conditions compare with what the server has */
                o->sent_number = number_of(o, &attrs);
            }
            plan(o);
        }
    }
}

void anjay_observe_server_ready(anjay_t *anjay, anjay_ssid_t ssid) {
    anjay_observation_t *o;
    AVS_LIST_FOREACH(o, anjay->observe.observations) {
        if (o->ssid == ssid && anjay_server_endpoint(anjay, ssid)) {
            o->waiting = false;
            send_stored(o);
            plan(o);
        }
    }
}

bool anjay_observe_unsent(anjay_t *anjay, anjay_ssid_t ssid) {
    anjay_observation_t *o;
    AVS_LIST_FOREACH(o, anjay->observe.observations) {
        if ((ssid == ANJAY_SSID_ANY || o->ssid == ssid) && (o->stored || o->in_flight)) {
            return true;
        }
    }
    return false;
}

avs_time_monotonic_t anjay_observe_next(anjay_t *anjay, anjay_ssid_t ssid, bool pmax) {
    avs_time_monotonic_t next = AVS_TIME_MONOTONIC_INVALID;
    anjay_observation_t *o;
    AVS_LIST_FOREACH(o, anjay->observe.observations) {
        anjay_dm_r_attributes_t attrs;
        if (ssid != ANJAY_SSID_ANY && o->ssid != ssid) {
            continue;
        }
        avs_time_monotonic_t instant = avs_sched_time(&o->job);
        if (pmax) {
            anjay_attrs_effective(anjay, o->ssid, &o->path, &attrs);
            instant = attrs.common.max_period > 0 ? after(o->sent_at, attrs.common.max_period)
                                                  : AVS_TIME_MONOTONIC_INVALID;
        }
        if (avs_time_monotonic_valid(instant)
                && (!avs_time_monotonic_valid(next) || avs_time_monotonic_before(instant, next))) {
            next = instant;
        }
    }
    return next;
}
