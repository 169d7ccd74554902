/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Send requests: a queue for the client, from which a job starts as many exchanges with each server as NSTART allows. The job also calls
 * the finished handlers, so that they never run inside of an endpoint or of what closes a connection.
 */
#include "send.h"
#include "../../../avs_commons/src/sched/sched_internal.h"
#include "../core/core.h"
#include "../objects/objects.h"

#include <avsystem/coap/code.h>
#include <avsystem/commons/avs_memory.h>

/** SenML CBOR, unless the configuration says otherwise. */
#define FORMAT                                                                            \
    (ANJAY_DEFAULT_SEND_FORMAT == ANJAY_FORMAT_SENML_JSON ? ANJAY_FORMAT_SENML_JSON       \
                                                          : ANJAY_FORMAT_SENML_CBOR)

struct send_request {
    send_request_t *next;
    anjay_t *anjay;
    anjay_ssid_t ssid;
    anjay_send_batch_t *batch; /**< a reference of our own */
    bool deferrable;           /**< waits for a server that is offline */
    enum { SEND_WAITS, SEND_IS_OUT, SEND_IS_OVER } state;
    coap_exchange_t *exchange; /**< while it is out */
    int result;                /**< once it is over: ANJAY_SEND_* or ANJAY_ERR_* */
    anjay_send_finished_handler_t *handler; /**< may be NULL */
    void *handler_data;
};

/* ------------------------------------------------------------------ the queue */

static void append(anjay_send_state_t *send, send_request_t *request) {
    if (send->last) {
        send->last->next = request;
    } else {
        send->first = request;
    }
    send->last = request;
}

static void detach(anjay_send_state_t *send, send_request_t *request) {
    send_request_t **link = &send->first, *previous = NULL;
    while (*link != request) {
        previous = *link;
        link = &previous->next;
    }
    *link = request->next;
    if (send->last == request) {
        send->last = previous;
    }
}

static void over(send_request_t *request, int result) {
    request->state = SEND_IS_OVER;
    request->exchange = NULL;
    request->result = result;
}

/* ------------------------------------------------------------------ starting */

static int result_of(coap_result_t result, const coap_msg_t *response) {
    switch (result) {
    case COAP_RESULT_OK: return response->code == AVS_COAP_CODE_CHANGED ? ANJAY_SEND_SUCCESS : -(int) response->code;
    case COAP_RESULT_CANCELLED: return ANJAY_SEND_ABORT;
    default: return ANJAY_SEND_TIMEOUT;
    }
}

static void answered(void *request_ptr, coap_result_t result, const coap_msg_t *response) {
    send_request_t *request = (send_request_t *) request_ptr;
    over(request, result_of(result, response));
    anjay_send_review(request->anjay);
}

/** @returns 0, -1 when memory ran out. */
static int start(anjay_t *anjay, send_request_t *request, coap_endpoint_t *ep) {
    const uint8_t format = FORMAT;
    const coap_option_t options[] = { { COAP_OPT_URI_PATH, (const uint8_t *) "dp", 2 },
                                      { COAP_OPT_CONTENT_FORMAT, &format, 1 } };
    coap_buf_t payload = { 0 };
    if (!send_encode(request->batch, format, avs_time_real_now(), &payload)) {
        const coap_outgoing_t outgoing = { .code = AVS_COAP_CODE_POST,
                                           .options = options,
                                           .options_count = AVS_ARRAY_SIZE(options),
                                           .payload = payload.data,
                                           .payload_size = payload.size,
                                           .background = true };
        request->exchange = coap_endpoint_request(ep, &outgoing, answered, request);
    }
    coap_buf_cleanup(&payload);
    if (!request->exchange) {
        send_log(ERROR, "SSID %u: out of memory", request->ssid);
        return -1;
    }
    request->state = SEND_IS_OUT;
    anjay_servers_endpoint_touched(anjay, request->ssid);
    return 0;
}

/** Whether it is the request's turn: after those to the same server that came before, and with as many at a time as NSTART says. */
static bool is_next(const anjay_t *anjay, const send_request_t *request) {
    size_t out = 0;
    for (const send_request_t *other = anjay->send.first; other != request; other = other->next) {
        if (other->ssid == request->ssid) {
            if (other->state == SEND_WAITS) {
                return false;
            }
            out += other->state == SEND_IS_OUT;
        }
    }
    return out < anjay->udp_tx_params.nstart;
}

/** Starts a request that waits, ends it, or leaves it. */
static void look_at(anjay_t *anjay, send_request_t *request) {
    anjay_server_view_t view;
    if (!anjay_server_by_ssid(anjay, request->ssid, &view) || view.mute_send) {
        over(request, ANJAY_SEND_DEFERRED_ERROR);
        return;
    }
    coap_endpoint_t *ep = anjay_server_endpoint_ready(anjay, request->ssid);
    if (!ep) {
        if (!request->deferrable && !anjay_server_connected(anjay, request->ssid)) {
            over(request, ANJAY_SEND_ABORT);
        }
    } else if (is_next(anjay, request) && start(anjay, request, ep)) {
        over(request, request->deferrable ? ANJAY_SEND_DEFERRED_ERROR : ANJAY_SEND_TIMEOUT);
    }
}

/* ------------------------------------------------------------------ the job */

static send_request_t *find_over(anjay_t *anjay) {
    send_request_t *request = anjay->send.first;
    while (request && request->state != SEND_IS_OVER) {
        request = request->next;
    }
    return request;
}

/** Tells the programs of what is over. The queue may grow meanwhile; nobody else takes anything from it. */
static void tell(anjay_t *anjay) {
    send_request_t *request;
    while ((request = find_over(anjay))) {
        detach(&anjay->send, request);
        send_log(DEBUG, "SSID %u: Send ended with %d", request->ssid, request->result);
        if (request->handler) {
            ANJAY_UNLOCKED(anjay, request->handler(anjay, request->ssid, request->batch, request->result,
                                                   request->handler_data));
        }
        anjay_send_batch_release(&request->batch);
        avs_free(request);
    }
}

static void look_at_all(anjay_t *anjay) {
    for (send_request_t *request = anjay->send.first; request; request = request->next) {
        if (request->state == SEND_WAITS) {
            look_at(anjay, request);
        }
    }
}

static void send_job(avs_sched_t *sched, const void *anjay_ptr) {
    (void) sched;
    anjay_t *anjay = *(anjay_t *const *) anjay_ptr;
    anjay_lock(anjay);
    look_at_all(anjay);
    tell(anjay);
    anjay_unlock(anjay);
}

void anjay_send_review(anjay_t *anjay) {
    anjay_send_state_t *send = &anjay->send;
    send->lost = send->first && !send->closing && !sched_pending(&send->job)
                 && AVS_SCHED_NOW(anjay->sched, &send->job, send_job, &anjay, sizeof(anjay));
    if (send->lost) {
        atomic_store(&anjay->jobs_lost, true);
    }
}

void anjay_send_abort(anjay_t *anjay, anjay_ssid_t ssid) {
    coap_endpoint_t *ep = anjay_server_endpoint_always(anjay, ssid);
    for (send_request_t *request = anjay->send.first; request; request = request->next) {
        if (request->ssid == ssid && request->state == SEND_IS_OUT && ep) {
            coap_endpoint_cancel(ep, request->exchange); /* answered() does the rest */
        }
    }
}

void anjay_send_cleanup(anjay_t *anjay) {
    anjay_send_state_t *send = &anjay->send;
    send->closing = true;
    avs_sched_del(&send->job);
    for (send_request_t *request = send->first; request; request = request->next) {
        if (request->state == SEND_WAITS) {
            over(request, ANJAY_SEND_ABORT);
        }
        anjay_send_abort(anjay, request->ssid);
    }
    send->lost = false;
    tell(anjay);
}

/* ------------------------------------------------------------------ public */

/** Why a request can't be taken, or ANJAY_SEND_OK. */
static anjay_send_result_t check(anjay_t *anjay, anjay_ssid_t ssid, bool deferrable) {
    anjay_server_view_t view;
    if (ssid == ANJAY_SSID_ANY || ssid == ANJAY_SSID_BOOTSTRAP || !anjay_server_by_ssid(anjay, ssid, &view)) {
        return ANJAY_SEND_ERR_SSID;
    }
    if (view.mute_send) {
        return ANJAY_SEND_ERR_MUTED;
    }
    if (anjay->send.closing || (!deferrable && !anjay_server_endpoint(anjay, ssid))) {
        return ANJAY_SEND_ERR_OFFLINE;
    }
    return ANJAY_SEND_OK;
}

/** Queues a request and schedules the job. */
static anjay_send_result_t enqueue(anjay_t *anjay, const send_request_t *wanted) {
    send_request_t *request = (send_request_t *) avs_calloc(1, sizeof(*request));
    if (!request) {
        return ANJAY_SEND_ERR_INTERNAL;
    }
    *request = *wanted;
    append(&anjay->send, request);
    anjay_send_review(anjay);
    if (anjay->send.lost) {
        detach(&anjay->send, request);
        avs_free(request);
        return ANJAY_SEND_ERR_INTERNAL;
    }
    anjay_send_batch_acquire(request->batch);
    return ANJAY_SEND_OK;
}

static anjay_send_result_t send_batch(anjay_t *anjay, anjay_ssid_t ssid, const anjay_send_batch_t *data,
                                      anjay_send_finished_handler_t *handler, void *handler_data, bool deferrable) {
    if (!anjay || !data) {
        return ANJAY_SEND_ERR_INTERNAL;
    }
    const send_request_t request = { .anjay = anjay,
                                     .ssid = ssid,
                                     .batch = (anjay_send_batch_t *) (intptr_t) data,
                                     .deferrable = deferrable,
                                     .handler = handler,
                                     .handler_data = handler_data };
    anjay_lock(anjay);
    anjay_send_result_t result = check(anjay, ssid, deferrable);
    if (result == ANJAY_SEND_OK && (result = enqueue(anjay, &request)) != ANJAY_SEND_OK) {
        send_log(ERROR, "SSID %u: out of memory", ssid);
    }
    anjay_unlock(anjay);
    return result;
}

anjay_send_result_t anjay_send(anjay_t *anjay, anjay_ssid_t ssid, const anjay_send_batch_t *data,
                               anjay_send_finished_handler_t *finished_handler, void *finished_handler_data) {
    return send_batch(anjay, ssid, data, finished_handler, finished_handler_data, false);
}

anjay_send_result_t anjay_send_deferrable(anjay_t *anjay, anjay_ssid_t ssid, const anjay_send_batch_t *data,
                                          anjay_send_finished_handler_t *finished_handler,
                                          void *finished_handler_data) {
    return send_batch(anjay, ssid, data, finished_handler, finished_handler_data, true);
}

/* ------------------------------------------------------------------ of the library itself */

void anjay_send_report(anjay_t *anjay, const anjay_send_resource_path_t *paths, size_t count) {
    anjay_send_batch_builder_t *builder = anjay_send_batch_builder_new();
    anjay_send_batch_t *batch = NULL;
    if (builder && !send_entries_add_current(anjay, &builder->list, paths, count, true)) {
        batch = anjay_send_batch_builder_compile(&builder);
    }
    anjay_send_batch_builder_cleanup(&builder);
    anjay_server_view_t server;
    for (size_t i = 0; batch && anjay_server_nth(anjay, i, &server); ++i) {
        const send_request_t request = { .anjay = anjay, .ssid = server.ssid, .batch = batch, .deferrable = true };
        if (check(anjay, server.ssid, true) == ANJAY_SEND_OK) {
            enqueue(anjay, &request);
        }
    }
    anjay_send_batch_release(&batch);
    look_at_all(anjay);
}
