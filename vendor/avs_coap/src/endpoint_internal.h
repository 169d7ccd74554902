/* SPDX-License-Identifier: Apache-2.0 */
/** The parts of an endpoint: cache of answers (endpoint_cache.c), requests in (endpoint_server.c), requests and notifications out (endpoint_client.c). */
#ifndef ENDPOINT_INTERNAL_H
#define ENDPOINT_INTERNAL_H

#include "coap_endpoint.h"
#include "endpoint_cache.h"

#include <avsystem/commons/avs_log.h>

#define coap_log(Level, ...) avs_log(coap, Level, __VA_ARGS__)

/** Largest datagram that is put together: a block of 1024 bytes and generous options. */
#define COAP_DATAGRAM_MAX 2048
#define COAP_MAX_SZX 6
#define COAP_SZX_SIZE(Szx) ((size_t) 16 << (Szx))

/* ---- block-wise requests of the server ---- */

#define COAP_TRANSFERS 4
#define COAP_RENDERINGS 2

/** A Block1 request under way. */
typedef struct {
    bool used;
    bool streamed;
    uint64_t key; /**< code and options, without those of block-wise transfer */
    coap_token_t token;
    size_t offset; /**< bytes received */
    coap_buf_t payload;
    avs_time_monotonic_t expires;
} coap_transfer_t;

/** An answer larger than a block, kept to be fetched. */
typedef struct {
    bool used;
    uint64_t key;
    uint8_t code;
    uint16_t content_format;
    coap_buf_t payload;
    avs_time_monotonic_t expires;
} coap_rendering_t;

/* ---- what goes out ---- */

#define COAP_NOTIFIED_COUNT 16

struct coap_exchange {
    coap_exchange_t *next;
    /** ACKED: the answer is still to come; PAUSED: makes room for one of a lower rank */
    enum { EXCHANGE_QUEUED, EXCHANGE_SENT, EXCHANGE_ACKED, EXCHANGE_PAUSED } state;
    enum { RANK_REQUEST, RANK_NOTIFICATION, RANK_BACKGROUND } rank; /**< who goes first */
    coap_response_handler_t *handler;
    coap_notify_handler_t *notify_handler;
    void *arg;
    uint8_t code;
    coap_token_t token;
    uint16_t mid;
    unsigned retransmissions;
    avs_time_duration_t timeout;
    avs_time_monotonic_t deadline;
    coap_buf_t datagram; /**< as sent, for retransmission */
    coap_buf_t options;  /**< of a request: number, size, value each */
    coap_buf_t payload;  /**< of a request */
    size_t payload_offset;
    uint8_t block1_szx;
    coap_buf_t response; /**< blocks received so far */
    uint32_t next_block2;
    uint8_t block2_szx;
    bool fetching; /**< asks for further blocks of the answer */
};

struct coap_endpoint {
    coap_endpoint_config_t config;
    coap_cache_t cache;
    uint16_t next_mid;
    uint32_t next_observe;
    avs_time_duration_t exchange_timeout; /**< zero: EXCHANGE_LIFETIME */
    coap_buf_t response; /**< payload of the answer that is being made */
    coap_transfer_t transfers[COAP_TRANSFERS];
    coap_rendering_t renderings[COAP_RENDERINGS];
    coap_exchange_t *exchanges; /**< in order of arrival */
    struct {
        uint16_t mid;
        coap_token_t token;
        bool used;
    } notified[COAP_NOTIFIED_COUNT]; /**< non-confirmable notifications that a Reset may name */
    size_t notified_next;
    coap_endpoint_stats_t stats;
};

static inline avs_time_monotonic_t endpoint_now(const coap_endpoint_t *ep) {
    return ep->config.ops->now(ep->config.arg);
}

static inline int endpoint_send(coap_endpoint_t *ep, const uint8_t *data, size_t size) {
    return ep->config.ops->send(ep->config.arg, data, size);
}

uint16_t endpoint_new_mid(coap_endpoint_t *ep);
uint32_t endpoint_new_observe(coap_endpoint_t *ep);
avs_time_monotonic_t endpoint_expiry(const coap_endpoint_t *ep, avs_time_monotonic_t now);
avs_time_monotonic_t endpoint_transfer_expiry(const coap_endpoint_t *ep, avs_time_monotonic_t now);
/** Sends an empty ACK or RST. */
void endpoint_send_empty(coap_endpoint_t *ep, uint8_t type, uint16_t mid);

/** Requests in. @p datagram_ok is false for a request whose options are malformed. */
void endpoint_handle_request(coap_endpoint_t *ep, const coap_msg_t *msg, bool options_ok);
void endpoint_server_tick(coap_endpoint_t *ep, avs_time_monotonic_t now);
avs_time_monotonic_t endpoint_server_deadline(const coap_endpoint_t *ep);
/** Ends every transfer and forgets kept answers. */
void endpoint_server_reset(coap_endpoint_t *ep);
/** Identity of a request for block-wise transfer: its code and options but those of block-wise transfer and Observe. */
uint64_t endpoint_request_key(const coap_msg_t *msg);
/** Keeps a payload to be fetched block by block; swaps it out of @p payload. */
coap_rendering_t *endpoint_keep(coap_endpoint_t *ep, uint64_t key, uint8_t code, uint16_t format, coap_buf_t *payload);

/** ACK, RST or response in. */
void endpoint_handle_ack(coap_endpoint_t *ep, const coap_msg_t *msg, bool options_ok);
void endpoint_handle_reset(coap_endpoint_t *ep, const coap_msg_t *msg);
void endpoint_handle_response(coap_endpoint_t *ep, const coap_msg_t *msg, bool options_ok);
void endpoint_client_tick(coap_endpoint_t *ep, avs_time_monotonic_t now);
avs_time_monotonic_t endpoint_client_deadline(const coap_endpoint_t *ep);
void endpoint_client_reset(coap_endpoint_t *ep);

/** The earlier of two instants, of which each may be invalid ("never"). */
static inline avs_time_monotonic_t earlier_of(avs_time_monotonic_t a, avs_time_monotonic_t b) {
    if (!avs_time_monotonic_valid(a)) {
        return b;
    }
    return avs_time_monotonic_before(b, a) ? b : a;
}

#endif /* ENDPOINT_INTERNAL_H */
