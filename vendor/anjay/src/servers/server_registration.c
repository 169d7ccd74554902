/* SPDX-License-Identifier: Apache-2.0 */
/** Register, Update and De-register (LwM2M Core 1.1, section 6.2). */
#include "servers_internal.h"

#include <avsystem/coap/code.h>

#include <stdio.h>
#include <string.h>

#define LWM2M_VERSION "1.1"
/** Pause before another attempt to put an Update together, when memory ran out. */
#define UPDATE_AGAIN_S 5

static uint64_t hash_links(const coap_buf_t *links) {
    uint64_t hash = 14695981039346656037ull;
    for (size_t i = 0; i < links->size; ++i) {
        hash = (hash ^ links->data[i]) * 1099511628211ull;
    }
    return hash;
}

bool server_registration_valid(const anjay_server_t *server) {
    if (!server->location_size) {
        return false;
    }
    return !avs_time_monotonic_valid(server->expires)
           || avs_time_monotonic_before(avs_time_monotonic_now(), server->expires);
}

/* ------------------------------------------------------------------ after an answer */

/**
 * When the next Update is due: MAX_TRANSMIT_WAIT before the lifetime ends, so that all retransmissions of it fit; but after
 * half of a lifetime that is short. Counted from the request: the server may have had it long before its answer got through.
 */
static void plan_update(anjay_server_t *server, int32_t lifetime) {
    server->expires = AVS_TIME_MONOTONIC_INVALID;
    if (lifetime <= 0) { /* 0 is "for ever" */
        server_unschedule(server);
        return;
    }
    const avs_time_duration_t whole = avs_time_duration_from_scalar(lifetime, AVS_TIME_S);
    const avs_time_duration_t half = avs_time_duration_div(whole, 2);
    avs_time_duration_t delay =
            avs_time_duration_diff(whole, avs_coap_udp_max_transmit_wait(&server->anjay->udp_tx_params));
    if (avs_time_duration_less(delay, half)) {
        delay = half;
    }
    const avs_time_monotonic_t now = avs_time_monotonic_now();
    server->expires = avs_time_monotonic_add(now, whole);
    delay = avs_time_duration_diff(delay, avs_time_monotonic_diff(now, server->asked));
    server_schedule(server, avs_time_duration_less(delay, AVS_TIME_DURATION_ZERO) ? AVS_TIME_DURATION_ZERO : delay);
}

/** What came while an exchange was under way. */
static void continue_with_update(anjay_server_t *server) {
    if (server->update_wanted) {
        server_update(server, server->update_forced);
    }
}

/** Keeps the Location-Path; location_size is 0 if there is none, or none that could be said again. */
static void take_location(anjay_server_t *server, const coap_msg_t *response) {
    coap_option_iter_t iter = { 0 };
    coap_option_t option;
    size_t segments = 0;
    server->location_size = 0;
    while (coap_option_next(response, &iter, &option)) {
        if (option.number != COAP_OPT_LOCATION_PATH) {
            continue;
        }
        if (++segments > LOCATION_SEGMENTS_MAX || server->location_size + option.size + 1 > LOCATION_MAX
                || memchr(option.value, '\0', option.size)) {
            server->location_size = 0;
            return;
        }
        memcpy(server->location + server->location_size, option.value, option.size);
        server->location[server->location_size + option.size] = '\0';
        server->location_size += option.size + 1;
    }
}

static void report_error_code(anjay_server_t *server, uint8_t code) {
    anjay_t *anjay = server->anjay;
    server_log(WARNING, "%s: the server answered %u.%02u", server->log_name, code >> 5, code & 31);
    if (anjay->config.server_communication_error_cb) {
        const anjay_ssid_t ssid = server->ssid;
        ANJAY_UNLOCKED(anjay, anjay->config.server_communication_error_cb(
                                      anjay->config.server_communication_error_cb_arg, anjay, ssid, code));
    }
}

static void registered(void *server_ptr, coap_result_t result, const coap_msg_t *response) {
    anjay_server_t *server = (anjay_server_t *) server_ptr;
    server->exchange = NULL;
    if (result == COAP_RESULT_CANCELLED) {
        return;
    }
    if (result != COAP_RESULT_OK || response->code != AVS_COAP_CODE_CREATED) {
        if (result == COAP_RESULT_OK) {
            report_error_code(server, response->code);
        }
        server_set_status(server, ANJAY_SERV_CONN_STATUS_REG_FAILURE);
        server_failed(server, result == COAP_RESULT_OK ? "Register was refused" : "no answer to Register");
        return;
    }
    take_location(server, response);
    if (!server->location_size) {
        server_failed(server, "the answer to Register has no usable Location-Path");
        return;
    }
    server->failures = 0;
    server->state = SERVER_REGISTERED;
    server->registered_links = server->pending_links;
    server->anjay->servers.sockets_dirty = true; /* the socket's entry says whether the server knows of queue mode */
    anjay_observe_forget_server(server->anjay, server->ssid); /* observations belong to the old registration */
    plan_update(server, server->registered_lifetime);
    server_log(INFO, "%s: registered, lifetime %d s", server->log_name, (int) server->registered_lifetime);
    server_set_status(server, ANJAY_SERV_CONN_STATUS_REGISTERED);
    continue_with_update(server);
    anjay_send_review(server->anjay);
}

static void updated(void *server_ptr, coap_result_t result, const coap_msg_t *response) {
    anjay_server_t *server = (anjay_server_t *) server_ptr;
    server->exchange = NULL;
    if (result == COAP_RESULT_CANCELLED) {
        return;
    }
    if (result == COAP_RESULT_OK && response->code == AVS_COAP_CODE_CHANGED) {
        server->failures = 0;
        server->registered_links = server->pending_links;
        plan_update(server, server->registered_lifetime);
        server_set_status(server, ANJAY_SERV_CONN_STATUS_REGISTERED);
        anjay_observe_server_ready(server->anjay, server->ssid);
        continue_with_update(server);
        anjay_send_review(server->anjay);
        return;
    }
    server->location_size = 0; /* whatever the server still knows: begin anew */
    if (result == COAP_RESULT_OK) {
        coap_endpoint_forget_ids(server->ep); /* a server that knows us no more was probably started anew */
        report_error_code(server, response->code);
        server_set_status(server, ANJAY_SERV_CONN_STATUS_REREGISTERING);
        server_register(server);
        return;
    }
    server_log(WARNING, "%s: no answer to Update", server->log_name);
    server_set_status(server, ANJAY_SERV_CONN_STATUS_REREGISTERING);
    if (!server->secure && result == COAP_RESULT_RESET) {
        server_register(server);
        return;
    }
    /* the server may have lost the DTLS session, or have another address by now */
    server->state = SERVER_IDLE;
    server_schedule(server, AVS_TIME_DURATION_ZERO);
}

static void deregistered(void *server_ptr, coap_result_t result, const coap_msg_t *response) {
    (void) response;
    anjay_server_t *server = (anjay_server_t *) server_ptr;
    server->exchange = NULL;
    if (result != COAP_RESULT_CANCELLED) {
        server_deregistered(server);
    }
}

/* ------------------------------------------------------------------ requests */

/** Options of a request under construction; texts must outlive the request call. */
typedef struct {
    coap_option_t options[20];
    size_t count;
    uint8_t format;
} request_t;

static void add(request_t *request, uint32_t number, const void *value, size_t size) {
    if (request->count < AVS_ARRAY_SIZE(request->options)) {
        request->options[request->count++] = (coap_option_t) { number, (const uint8_t *) value, size };
    }
}

static void add_query(request_t *request, const char *text) {
    add(request, COAP_OPT_URI_QUERY, text, strlen(text));
}

static void add_location(request_t *request, const anjay_server_t *server) {
    for (size_t at = 0; at < server->location_size; at += strlen(server->location + at) + 1) {
        add(request, COAP_OPT_URI_PATH, server->location + at, strlen(server->location + at));
    }
}

static void add_link_format(request_t *request) {
    request->format = ANJAY_FORMAT_LINK;
    add(request, COAP_OPT_CONTENT_FORMAT, &request->format, 1);
}

bool server_queue_mode(const anjay_t *anjay, const anjay_server_view_t *view) {
    switch (anjay->queue_mode) {
    case ANJAY_FORCE_QUEUE_MODE:
    case ANJAY_PREFER_QUEUE_MODE: return true;
    case ANJAY_FORCE_ONLINE_MODE: return false;
    default: return strchr(view->binding, 'Q');
    }
}

/** The binding without Q, which is a parameter of its own since LwM2M 1.1. */
static void transports_of(const anjay_server_view_t *view, char out[9]) {
    size_t size = 0;
    for (const char *c = view->binding; *c && size < 8; ++c) {
        if (*c != 'Q') {
            out[size++] = *c;
        }
    }
    out[size] = '\0';
}

/** @returns 0, or -1 when memory ran out. */
static int send_request(anjay_server_t *server, uint8_t code, const request_t *request, const coap_buf_t *payload,
                coap_response_handler_t *handler) {
    const coap_outgoing_t outgoing = { .code = code,
                                       .options = request->options,
                                       .options_count = request->count,
                                       .payload = payload ? payload->data : NULL,
                                       .payload_size = payload ? payload->size : 0 };
    server->exchange = coap_endpoint_request(server->ep, &outgoing, handler, server);
    if (!server->exchange) {
        return -1;
    }
    server->asked = avs_time_monotonic_now();
    server_rearm(server);
    return 0;
}

void server_register(anjay_server_t *server) {
    anjay_server_view_t view;
    coap_buf_t links = { 0 };
    request_t request = { .count = 0 };
    char endpoint[300], lifetime[24], transports[9], binding[16];
    if (!anjay_server_by_ssid(server->anjay, server->ssid, &view)
            || anjay_dm_register_payload(server->anjay, &links)) {
        coap_buf_cleanup(&links);
        server_failed(server, "the data model can't be described");
        return;
    }
    server->state = SERVER_REGISTERING;
    server->update_wanted = server->update_forced = false;
    server->pending_links = hash_links(&links);
    server->registered_lifetime = view.lifetime;
    snprintf(server->registered_binding, sizeof(server->registered_binding), "%s", view.binding);
    snprintf(endpoint, sizeof(endpoint), "ep=%s", server->anjay->endpoint_name);
    snprintf(lifetime, sizeof(lifetime), "lt=%d", (int) view.lifetime);
    transports_of(&view, transports);
    snprintf(binding, sizeof(binding), "b=%s", transports);
    add(&request, COAP_OPT_URI_PATH, "rd", 2);
    add_link_format(&request);
    add_query(&request, "lwm2m=" LWM2M_VERSION);
    add_query(&request, endpoint);
    add_query(&request, lifetime);
    if (strcmp(transports, "U")) { /* the default is not said */
        add_query(&request, binding);
    }
    if (server_queue_mode(server->anjay, &view)) {
        add_query(&request, "Q");
    }
    server_set_status(server, ANJAY_SERV_CONN_STATUS_REGISTERING);
    if (server->state == SERVER_REGISTERING && server->connected
            && send_request(server, AVS_COAP_CODE_POST, &request, &links, registered)) {
        server_failed(server, "out of memory");
    }
    coap_buf_cleanup(&links);
}

void server_update(anjay_server_t *server, bool forced) {
    anjay_server_view_t view;
    coap_buf_t links = { 0 };
    request_t request = { .count = 0 };
    char lifetime[24];
    server->update_wanted = true;
    server->update_forced |= forced;
    if (server->exchange || server->state != SERVER_REGISTERED || !server->connected) {
        return;
    }
    if (!anjay_server_by_ssid(server->anjay, server->ssid, &view)
            || anjay_dm_register_payload(server->anjay, &links)) {
        coap_buf_cleanup(&links);
        server_schedule(server, avs_time_duration_from_scalar(UPDATE_AGAIN_S, AVS_TIME_S));
        return;
    }
    server->update_wanted = server->update_forced = false;
    if (strcmp(server->registered_binding, view.binding)) { /* an Update cannot change the binding */
        coap_buf_cleanup(&links);
        server_register(server);
        return;
    }
    server->pending_links = hash_links(&links);
    const bool new_links = server->pending_links != server->registered_links;
    const int32_t former_lifetime = server->registered_lifetime;
    add_location(&request, server);
    if (new_links) {
        add_link_format(&request);
    }
    if (server->registered_lifetime != view.lifetime) {
        server->registered_lifetime = view.lifetime;
        snprintf(lifetime, sizeof(lifetime), "lt=%d", (int) view.lifetime);
        add_query(&request, lifetime);
    }
    server_set_status(server, ANJAY_SERV_CONN_STATUS_UPDATING);
    if (server->state == SERVER_REGISTERED && server->connected
            && send_request(server, AVS_COAP_CODE_POST, &request, new_links ? &links : NULL, updated)) {
        server->registered_lifetime = former_lifetime;
        server->update_wanted = true;
        server->update_forced = forced;
        server_schedule(server, avs_time_duration_from_scalar(UPDATE_AGAIN_S, AVS_TIME_S));
    }
    coap_buf_cleanup(&links);
}

void server_deregister(anjay_server_t *server) {
    request_t request = { .count = 0 };
    if (server->exchange) {
        coap_endpoint_cancel(server->ep, server->exchange);
        server->exchange = NULL;
    }
    server_unschedule(server);
    if (!server->connected || !server_registration_valid(server)) {
        server_deregistered(server);
        return;
    }
    server->state = SERVER_DEREGISTERING;
    add_location(&request, server);
    server_set_status(server, ANJAY_SERV_CONN_STATUS_DEREGISTERING);
    if (send_request(server, AVS_COAP_CODE_DELETE, &request, NULL, deregistered)) {
        server_deregistered(server);
    }
}

void server_connected(anjay_server_t *server) {
    if (server_registration_valid(server)) {
        server->state = SERVER_REGISTERED;
        server_update(server, true);
    } else {
        server_register(server);
    }
}
