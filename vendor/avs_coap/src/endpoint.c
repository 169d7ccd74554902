/* SPDX-License-Identifier: Apache-2.0 */
/** Life of an endpoint, and the sorting of what comes in. */
#include "endpoint_internal.h"

#include <avsystem/coap/code.h>
#include <avsystem/commons/avs_memory.h>

coap_endpoint_t *coap_endpoint_new(const coap_endpoint_config_t *config) {
    coap_endpoint_t *ep = (coap_endpoint_t *) avs_calloc(1, sizeof(*ep));
    if (!ep) {
        return NULL;
    }
    ep->config = *config;
    coap_cache_init(&ep->cache, config->cache_size);
    config->ops->random(config->arg, &ep->next_mid, sizeof(ep->next_mid));
    return ep;
}

void coap_endpoint_delete(coap_endpoint_t **ep_ptr) {
    coap_endpoint_t *ep = *ep_ptr;
    if (!ep) {
        return;
    }
    endpoint_client_reset(ep);
    endpoint_server_reset(ep);
    coap_cache_cleanup(&ep->cache);
    coap_buf_cleanup(&ep->response);
    avs_free(ep);
    *ep_ptr = NULL;
}

void coap_endpoint_reset(coap_endpoint_t *ep) {
    endpoint_client_reset(ep);
    endpoint_server_reset(ep);
    coap_cache_clear(&ep->cache);
    for (size_t i = 0; i < COAP_NOTIFIED_COUNT; ++i) {
        ep->notified[i].used = false;
    }
}

void coap_endpoint_forget_ids(coap_endpoint_t *ep) {
    coap_cache_clear(&ep->cache);
}

uint16_t endpoint_new_mid(coap_endpoint_t *ep) {
    return ep->next_mid++;
}

uint32_t endpoint_new_observe(coap_endpoint_t *ep) {
    return ep->next_observe++ & 0xFFFFFF;
}

avs_time_monotonic_t endpoint_expiry(const coap_endpoint_t *ep, avs_time_monotonic_t now) {
    return avs_time_monotonic_add(now, avs_coap_udp_exchange_lifetime(&ep->config.tx_params));
}

avs_time_monotonic_t endpoint_transfer_expiry(const coap_endpoint_t *ep, avs_time_monotonic_t now) {
    return avs_time_duration_less(AVS_TIME_DURATION_ZERO, ep->exchange_timeout)
                   ? avs_time_monotonic_add(now, ep->exchange_timeout)
                   : endpoint_expiry(ep, now);
}

void coap_endpoint_set_exchange_timeout(coap_endpoint_t *ep, avs_time_duration_t timeout) {
    ep->exchange_timeout = timeout;
}

void endpoint_send_empty(coap_endpoint_t *ep, uint8_t type, uint16_t mid) {
    uint8_t data[4];
    coap_writer_t w;
    coap_writer_start(&w, data, sizeof(data), type, 0, mid, NULL);
    endpoint_send(ep, w.data, w.size);
}

static bool is_request(const coap_msg_t *msg) {
    return msg->code >> 5 == 0 && msg->code;
}

static bool is_response(const coap_msg_t *msg) {
    return msg->code >> 5 == 2 || msg->code >> 5 == 4 || msg->code >> 5 == 5;
}

void coap_endpoint_receive(coap_endpoint_t *ep, const uint8_t *data, size_t size) {
    coap_msg_t msg;
    const coap_parse_result_t parsed = coap_msg_parse(data, size, &msg);
    if (parsed == COAP_PARSE_IGNORE || (parsed != COAP_PARSE_OK && !msg.code)) {
        coap_log(DEBUG, "%s: malformed datagram of %zu bytes dropped", ep->config.log_name, size);
        return;
    }
    const bool options_ok = parsed == COAP_PARSE_OK;
    if (msg.type == COAP_RST) { /* never carries anything (RFC 7252, section 4.3) */
        if (!msg.code) {
            endpoint_handle_reset(ep, &msg);
        }
    } else if (msg.type == COAP_ACK) {
        if (!msg.code || is_response(&msg)) { /* anything else is ignored (RFC 7252, section 4.2) */
            endpoint_handle_ack(ep, &msg, options_ok);
        }
    } else if (is_request(&msg)) {
        endpoint_handle_request(ep, &msg, options_ok);
    } else if (is_response(&msg)) {
        endpoint_handle_response(ep, &msg, options_ok);
    } else if (!msg.code && msg.type == COAP_CON) { /* a ping (RFC 7252, section 4.3) */
        endpoint_send_empty(ep, COAP_RST, msg.mid);
    }
}

void coap_endpoint_receive_truncated(coap_endpoint_t *ep, const uint8_t *data, size_t size) {
    uint8_t answer[16];
    coap_msg_t msg;
    coap_writer_t w;
    coap_log(WARNING, "%s: a datagram of more than %zu bytes, the size of the buffer, is refused", ep->config.log_name, size);
    if (coap_msg_parse(data, size, &msg) != COAP_PARSE_OK || !is_request(&msg)
            || (msg.type != COAP_CON && msg.type != COAP_NON)) {
        return;
    }
    const bool con = msg.type == COAP_CON;
    coap_writer_start(&w, answer, sizeof(answer), con ? COAP_ACK : COAP_NON, AVS_COAP_CODE_REQUEST_ENTITY_TOO_LARGE,
                      con ? msg.mid : endpoint_new_mid(ep), &msg.token);
    endpoint_send(ep, w.data, w.size);
}

avs_time_monotonic_t coap_endpoint_deadline(const coap_endpoint_t *ep) {
    return earlier_of(endpoint_client_deadline(ep), endpoint_server_deadline(ep));
}

void coap_endpoint_tick(coap_endpoint_t *ep) {
    const avs_time_monotonic_t now = endpoint_now(ep);
    endpoint_server_tick(ep, now);
    endpoint_client_tick(ep, now);
}

void coap_endpoint_set_tx_params(coap_endpoint_t *ep, const avs_coap_udp_tx_params_t *tx_params) {
    ep->config.tx_params = *tx_params;
}

coap_endpoint_stats_t coap_endpoint_stats(const coap_endpoint_t *ep) {
    return ep->stats;
}
