/* SPDX-License-Identifier: Apache-2.0 */
/** Requests and notifications of ours: NSTART, retransmission, Block1 out, Block2 followed (RFC 7252, 7959, 7641). */
#include "endpoint_internal.h"

#include <avsystem/coap/code.h>
#include <avsystem/commons/avs_memory.h>

#include <string.h>

/** Blocks of an answer that are followed: more than any answer to a LwM2M client's request needs. */
#define MAX_RESPONSE_SIZE (256 * 1024)

static bool is_notification(const coap_exchange_t *exchange) {
    return exchange->rank == RANK_NOTIFICATION;
}

static void free_exchange(coap_exchange_t *exchange) {
    coap_buf_cleanup(&exchange->datagram);
    coap_buf_cleanup(&exchange->options);
    coap_buf_cleanup(&exchange->payload);
    coap_buf_cleanup(&exchange->response);
    avs_free(exchange);
}

static coap_exchange_t **find_link(coap_endpoint_t *ep, const coap_exchange_t *exchange) {
    coap_exchange_t **link = &ep->exchanges;
    while (*link && *link != exchange) {
        link = &(*link)->next;
    }
    return link;
}

static void start_queued(coap_endpoint_t *ep);

/** Takes the exchange out, then tells its handler, which may start others. */
static void finish(coap_endpoint_t *ep, coap_exchange_t *exchange, coap_result_t result, const coap_msg_t *response) {
    coap_exchange_t **link = find_link(ep, exchange);
    *link = exchange->next;
    if (is_notification(exchange)) {
        if (exchange->notify_handler) {
            exchange->notify_handler(exchange->arg, result);
        }
    } else {
        exchange->handler(exchange->arg, result, response);
    }
    free_exchange(exchange);
    if (result != COAP_RESULT_CANCELLED) {
        start_queued(ep);
    }
}

/* ------------------------------------------------------------------ sending */

/** First timeout: ACK_TIMEOUT times a random factor between 1 and ACK_RANDOM_FACTOR. */
static avs_time_duration_t first_timeout(coap_endpoint_t *ep) {
    uint32_t random;
    ep->config.ops->random(ep->config.arg, &random, sizeof(random));
    const double factor = 1.0 + (ep->config.tx_params.ack_random_factor - 1.0) * (random / (double) UINT32_MAX);
    return avs_time_duration_fmul(ep->config.tx_params.ack_timeout, factor);
}

static void transmit(coap_endpoint_t *ep, coap_exchange_t *exchange) {
    exchange->state = EXCHANGE_SENT;
    exchange->retransmissions = 0;
    exchange->timeout = first_timeout(ep);
    exchange->deadline = avs_time_monotonic_add(endpoint_now(ep), exchange->timeout);
    endpoint_send(ep, exchange->datagram.data, exchange->datagram.size);
}

/** Writes the stored options with numbers in [@p from, @p to), which start at @p *at. */
static void write_options(coap_writer_t *w, const coap_buf_t *options, size_t *at, uint32_t to) {
    while (*at < options->size) {
        uint32_t head[2];
        memcpy(head, options->data + *at, sizeof(head));
        if (head[0] >= to) {
            return;
        }
        coap_writer_option(w, head[0], options->data + *at + sizeof(head), head[1]);
        *at += sizeof(head) + head[1];
    }
}

/** Puts the next datagram of a request together: its next block of payload, or the fetch of a further block of the answer. */
static int encode_request(coap_endpoint_t *ep, coap_exchange_t *exchange) {
    uint8_t datagram[COAP_DATAGRAM_MAX];
    coap_writer_t w;
    size_t at = 0;
    exchange->mid = endpoint_new_mid(ep);
    coap_writer_start(&w, datagram, sizeof(datagram), COAP_CON, exchange->code, exchange->mid, &exchange->token);
    write_options(&w, &exchange->options, &at, COAP_OPT_BLOCK2);
    if (exchange->fetching) {
        const coap_block_t block2 = { exchange->next_block2, false, exchange->block2_szx };
        coap_writer_option_block(&w, COAP_OPT_BLOCK2, &block2);
    }
    write_options(&w, &exchange->options, &at, COAP_OPT_BLOCK1);
    const size_t block = COAP_SZX_SIZE(exchange->block1_szx), left = exchange->payload.size - exchange->payload_offset;
    if (exchange->payload.size > block && !exchange->fetching) {
        const coap_block_t block1 = { (uint32_t) (exchange->payload_offset / block), left > block, exchange->block1_szx };
        coap_writer_option_block(&w, COAP_OPT_BLOCK1, &block1);
        if (!exchange->payload_offset) {
            write_options(&w, &exchange->options, &at, COAP_OPT_SIZE1);
            coap_writer_option_uint(&w, COAP_OPT_SIZE1, (uint32_t) exchange->payload.size);
        }
    }
    write_options(&w, &exchange->options, &at, UINT32_MAX);
    if (!exchange->fetching && left) {
        coap_writer_payload(&w, exchange->payload.data + exchange->payload_offset, AVS_MIN(left, block));
    }
    coap_buf_clear(&exchange->datagram);
    return w.overflow || coap_buf_append(&exchange->datagram, w.data, w.size) ? -1 : 0;
}

/** Sends the next datagram of a request that goes on, unless something of a lower rank comes first; or ends it. */
static void go_on(coap_endpoint_t *ep, coap_exchange_t *exchange) {
    if (encode_request(ep, exchange)) {
        finish(ep, exchange, COAP_RESULT_NO_MEMORY, NULL);
        return;
    }
    exchange->state = EXCHANGE_QUEUED;
    start_queued(ep);
}

/** Whether it waits for its turn. */
static bool is_waiting(const coap_exchange_t *exchange) {
    return exchange->state == EXCHANGE_QUEUED || exchange->state == EXCHANGE_PAUSED;
}

/** Whether its timer runs. */
static bool is_timed(const coap_exchange_t *exchange) {
    return !is_waiting(exchange);
}

/** Who is next: the lowest rank, and there whoever came first. */
static coap_exchange_t *next_waiting(coap_endpoint_t *ep) {
    coap_exchange_t *next = NULL;
    for (coap_exchange_t *e = ep->exchanges; e; e = e->next) {
        if (is_waiting(e) && (!next || e->rank < next->rank)) {
            next = e;
        }
    }
    return next;
}

/** Makes an exchange of a higher rank wait whose ACK did not come in its first timeout. @returns whether there is one. */
static bool make_room(coap_endpoint_t *ep, const coap_exchange_t *exchange) {
    for (coap_exchange_t *e = ep->exchanges; e; e = e->next) {
        if (e->rank > exchange->rank && e->state == EXCHANGE_SENT && e->retransmissions) {
            e->state = EXCHANGE_PAUSED;
            return true;
        }
    }
    return false;
}

/**
 * Starts what may be started: NSTART is about messages whose ACK is still to come (RFC 7252, section 4.7). What is not acknowledged makes
 * room for a lower rank, for it may take MAX_TRANSMIT_WAIT to fail, which is longer than the lifetime that an Update is to prolong; it
 * goes on afterwards.
 */
static void start_queued(coap_endpoint_t *ep) {
    const size_t nstart = ep->config.tx_params.nstart;
    coap_exchange_t *next;
    size_t outstanding = 0;
    for (const coap_exchange_t *e = ep->exchanges; e; e = e->next) {
        outstanding += e->state == EXCHANGE_SENT; /* with its ACK, it is no longer outstanding (RFC 7252, section 4.7) */
    }
    while ((next = next_waiting(ep)) && (outstanding < nstart || make_room(ep, next))) {
        outstanding += outstanding < nstart;
        if (next->state == EXCHANGE_PAUSED) {
            next->state = EXCHANGE_SENT;
        } else {
            transmit(ep, next);
        }
    }
}

static void enqueue(coap_endpoint_t *ep, coap_exchange_t *exchange) {
    coap_exchange_t **link = &ep->exchanges;
    while (*link) {
        link = &(*link)->next;
    }
    *link = exchange;
    start_queued(ep);
}

static int store_options(coap_exchange_t *exchange, const coap_outgoing_t *request) {
    for (size_t i = 0; i < request->options_count; ++i) {
        const coap_option_t *option = &request->options[i];
        const uint32_t head[] = { option->number, (uint32_t) option->size };
        if (option->size > UINT16_MAX || coap_buf_append(&exchange->options, head, sizeof(head))
                || coap_buf_append(&exchange->options, option->value, option->size)) {
            return -1;
        }
    }
    return 0;
}

coap_exchange_t *coap_endpoint_request(coap_endpoint_t *ep, const coap_outgoing_t *request,
                                       coap_response_handler_t *handler, void *arg) {
    coap_exchange_t *exchange = (coap_exchange_t *) avs_calloc(1, sizeof(*exchange));
    if (!exchange) {
        return NULL;
    }
    exchange->handler = handler;
    exchange->arg = arg;
    exchange->rank = request->background ? RANK_BACKGROUND : RANK_REQUEST;
    exchange->code = request->code;
    exchange->block1_szx = COAP_MAX_SZX;
    exchange->token.size = COAP_TOKEN_MAX;
    ep->config.ops->random(ep->config.arg, exchange->token.bytes, COAP_TOKEN_MAX);
    if (store_options(exchange, request)
            || coap_buf_append(&exchange->payload, request->payload, request->payload_size)
            || encode_request(ep, exchange)) {
        free_exchange(exchange);
        return NULL;
    }
    enqueue(ep, exchange);
    return exchange;
}

void coap_endpoint_cancel(coap_endpoint_t *ep, coap_exchange_t *exchange) {
    if (*find_link(ep, exchange)) {
        finish(ep, exchange, COAP_RESULT_CANCELLED, NULL);
        start_queued(ep);
    }
}

bool coap_endpoint_busy(const coap_endpoint_t *ep) {
    return ep->exchanges;
}

/* ------------------------------------------------------------------ notifications */

static void remember_notified(coap_endpoint_t *ep, uint16_t mid, const coap_token_t *token) {
    ep->notified[ep->notified_next].mid = mid;
    ep->notified[ep->notified_next].token = *token;
    ep->notified[ep->notified_next].used = true;
    ep->notified_next = (ep->notified_next + 1) % COAP_NOTIFIED_COUNT;
}

/** Keeps a payload that is larger than a block, to be fetched. @returns 0 or -1 (no memory). */
static int keep_rest(coap_endpoint_t *ep, const coap_notification_t *n) {
    coap_buf_t copy = { 0 };
    if (!n->request || coap_buf_append(&copy, n->payload, n->payload_size)) {
        return -1;
    }
    endpoint_keep(ep, endpoint_request_key(n->request), n->code, n->content_format, &copy);
    coap_buf_cleanup(&copy);
    return 0;
}

/** The size of block that the observing request asked for (RFC 7959, section 2.4). */
static uint8_t wanted_szx(const coap_notification_t *n) {
    coap_option_t option;
    coap_block_t block;
    if (n->request && coap_option_find(n->request, COAP_OPT_BLOCK2, &option) && !coap_option_block(&option, &block)) {
        return block.szx;
    }
    return COAP_MAX_SZX;
}

static int encode_notification(coap_endpoint_t *ep, const coap_notification_t *n, uint16_t mid, coap_writer_t *w,
                               uint8_t *datagram, size_t capacity) {
    const bool error = n->code >> 5 != 2;
    const uint8_t szx = wanted_szx(n);
    const bool cut = n->payload_size > COAP_SZX_SIZE(szx);
    if (cut && keep_rest(ep, n)) {
        return -1;
    }
    coap_writer_start(w, datagram, capacity, n->confirmable ? COAP_CON : COAP_NON, n->code, mid, &n->token);
    if (!error) {
        coap_writer_option_uint(w, COAP_OPT_OBSERVE, endpoint_new_observe(ep));
    }
    if (n->content_format != COAP_FORMAT_NONE) {
        coap_writer_option_uint(w, COAP_OPT_CONTENT_FORMAT, n->content_format);
    }
    if (cut) {
        coap_writer_option_block(w, COAP_OPT_BLOCK2, &(const coap_block_t) { 0, true, szx });
    }
    coap_writer_payload(w, n->payload, cut ? COAP_SZX_SIZE(szx) : n->payload_size);
    return w->overflow ? -1 : 0;
}

coap_exchange_t *coap_endpoint_notify(coap_endpoint_t *ep, const coap_notification_t *notification,
                                      coap_notify_handler_t *handler, void *arg) {
    uint8_t datagram[COAP_DATAGRAM_MAX];
    coap_writer_t w;
    const uint16_t mid = endpoint_new_mid(ep);
    coap_exchange_t *exchange = NULL;
    coap_result_t result = COAP_RESULT_OK;
    if (encode_notification(ep, notification, mid, &w, datagram, sizeof(datagram))) {
        result = COAP_RESULT_NO_MEMORY;
    } else if (!notification->confirmable) {
        remember_notified(ep, mid, &notification->token);
        endpoint_send(ep, w.data, w.size);
    } else if (!(exchange = (coap_exchange_t *) avs_calloc(1, sizeof(*exchange)))
               || coap_buf_append(&exchange->datagram, w.data, w.size)) {
        if (exchange) {
            free_exchange(exchange);
        }
        exchange = NULL;
        result = COAP_RESULT_NO_MEMORY;
    } else {
        exchange->rank = RANK_NOTIFICATION;
        exchange->notify_handler = handler;
        exchange->arg = arg;
        exchange->mid = mid;
        exchange->token = notification->token;
        enqueue(ep, exchange);
        return exchange;
    }
    if (handler) {
        handler(arg, result);
    }
    return NULL;
}

/* ------------------------------------------------------------------ what comes back */

static coap_exchange_t *find_by_mid(coap_endpoint_t *ep, uint16_t mid) {
    for (coap_exchange_t *e = ep->exchanges; e; e = e->next) {
        if ((e->state == EXCHANGE_SENT || e->state == EXCHANGE_PAUSED) && e->mid == mid) {
            return e;
        }
    }
    return NULL;
}

static coap_exchange_t *find_by_token(coap_endpoint_t *ep, const coap_token_t *token) {
    for (coap_exchange_t *e = ep->exchanges; e; e = e->next) {
        if (!is_notification(e) && e->state != EXCHANGE_QUEUED && coap_token_equal(&e->token, token)) {
            return e;
        }
    }
    return NULL;
}

/** Our next block of payload, if the answer asks for it. @returns whether the exchange goes on. */
static bool continue_block1(coap_endpoint_t *ep, coap_exchange_t *exchange, const coap_msg_t *msg) {
    coap_option_t option;
    coap_block_t block;
    if (exchange->payload.size <= COAP_SZX_SIZE(exchange->block1_szx) || exchange->fetching) {
        return false;
    }
    const bool has_block = coap_option_find(msg, COAP_OPT_BLOCK1, &option) && !coap_option_block(&option, &block);
    if (msg->code == AVS_COAP_CODE_REQUEST_ENTITY_TOO_LARGE && has_block && block.szx < exchange->block1_szx) {
        exchange->payload_offset = 0; /* from the beginning, in smaller blocks */
        exchange->block1_szx = block.szx;
        go_on(ep, exchange);
        return true;
    }
    if (msg->code != AVS_COAP_CODE_CONTINUE) {
        return false;
    }
    const size_t sent = COAP_SZX_SIZE(exchange->block1_szx);
    if (!has_block || exchange->payload.size - exchange->payload_offset <= sent) {
        finish(ep, exchange, COAP_RESULT_INVALID, NULL);
        return true;
    }
    exchange->payload_offset += sent;
    exchange->block1_szx = AVS_MIN(exchange->block1_szx, block.szx);
    go_on(ep, exchange);
    return true;
}

/** Gathers an answer in blocks. @returns whether the exchange goes on or has ended; false: @p msg is the whole answer, or its last block. */
static bool continue_block2(coap_endpoint_t *ep, coap_exchange_t *exchange, const coap_msg_t *msg) {
    coap_option_t option;
    coap_block_t block;
    if (!coap_option_find(msg, COAP_OPT_BLOCK2, &option)) {
        return false;
    }
    if (coap_option_block(&option, &block) || block.num * COAP_SZX_SIZE(block.szx) != exchange->response.size
            || (block.more && msg->payload_size != COAP_SZX_SIZE(block.szx))
            || exchange->response.size + msg->payload_size > MAX_RESPONSE_SIZE) {
        finish(ep, exchange, COAP_RESULT_INVALID, NULL);
        return true;
    }
    if (!block.more && !block.num) {
        return false;
    }
    if (coap_buf_append(&exchange->response, msg->payload, msg->payload_size)) {
        finish(ep, exchange, COAP_RESULT_NO_MEMORY, NULL);
        return true;
    }
    if (!block.more) {
        return false;
    }
    exchange->fetching = true;
    exchange->block2_szx = block.szx;
    exchange->next_block2 = block.num + 1;
    go_on(ep, exchange);
    return true;
}

static void handle_answer(coap_endpoint_t *ep, coap_exchange_t *exchange, const coap_msg_t *msg, bool options_ok) {
    if (!options_ok) {
        finish(ep, exchange, COAP_RESULT_INVALID, NULL);
        return;
    }
    if (continue_block1(ep, exchange, msg) || continue_block2(ep, exchange, msg)) {
        return;
    }
    coap_msg_t whole = *msg;
    if (exchange->response.size) {
        whole.payload = exchange->response.data;
        whole.payload_size = exchange->response.size;
    }
    finish(ep, exchange, COAP_RESULT_OK, &whole);
}

void endpoint_handle_ack(coap_endpoint_t *ep, const coap_msg_t *msg, bool options_ok) {
    coap_exchange_t *exchange = find_by_mid(ep, msg->mid);
    if (!exchange) {
        return;
    }
    if (is_notification(exchange)) {
        finish(ep, exchange, COAP_RESULT_OK, NULL);
    } else if (!msg->code) {
        exchange->state = EXCHANGE_ACKED;
        exchange->deadline = avs_time_monotonic_add(endpoint_now(ep),
                                                    avs_coap_udp_max_transmit_wait(&ep->config.tx_params));
        start_queued(ep);
    } else if (coap_token_equal(&exchange->token, &msg->token)) {
        handle_answer(ep, exchange, msg, options_ok);
    }
}

void endpoint_handle_reset(coap_endpoint_t *ep, const coap_msg_t *msg) {
    coap_exchange_t *exchange = find_by_mid(ep, msg->mid);
    if (exchange) {
        const bool notification = is_notification(exchange);
        const coap_token_t token = exchange->token;
        finish(ep, exchange, COAP_RESULT_RESET, NULL);
        if (notification && ep->config.ops->notification_reset) {
            ep->config.ops->notification_reset(ep->config.arg, &token);
        }
        return;
    }
    for (size_t i = 0; i < COAP_NOTIFIED_COUNT; ++i) {
        if (ep->notified[i].used && ep->notified[i].mid == msg->mid) {
            ep->notified[i].used = false;
            if (ep->config.ops->notification_reset) {
                const coap_token_t token = ep->notified[i].token;
                ep->config.ops->notification_reset(ep->config.arg, &token);
            }
            return;
        }
    }
}

void endpoint_handle_response(coap_endpoint_t *ep, const coap_msg_t *msg, bool options_ok) {
    const avs_time_monotonic_t now = endpoint_now(ep);
    const coap_msg_id_t id = coap_cache_id(msg);
    const uint8_t *datagram;
    size_t size;
    if (coap_cache_find(&ep->cache, id, now.since_monotonic_epoch.seconds, &datagram, &size)) {
        if (msg->type == COAP_CON) { /* its ACK was lost */
            endpoint_send_empty(ep, COAP_ACK, msg->mid);
        }
        return;
    }
    coap_exchange_t *exchange = find_by_token(ep, &msg->token);
    if (exchange) {
        coap_cache_see(&ep->cache, id, endpoint_expiry(ep, now).since_monotonic_epoch.seconds);
    }
    if (msg->type == COAP_CON) {
        endpoint_send_empty(ep, exchange ? COAP_ACK : COAP_RST, msg->mid);
    }
    if (exchange) {
        handle_answer(ep, exchange, msg, options_ok);
    }
}

/* ------------------------------------------------------------------ time */

/** An exchange whose deadline has come; the list may change when one ends, so that it is searched anew each time. */
static coap_exchange_t *find_due(coap_endpoint_t *ep, avs_time_monotonic_t now) {
    for (coap_exchange_t *e = ep->exchanges; e; e = e->next) {
        if (is_timed(e) && !avs_time_monotonic_before(now, e->deadline)) {
            return e;
        }
    }
    return NULL;
}

void endpoint_client_tick(coap_endpoint_t *ep, avs_time_monotonic_t now) {
    coap_exchange_t *exchange;
    while ((exchange = find_due(ep, now))) {
        if (exchange->state == EXCHANGE_ACKED || exchange->retransmissions >= ep->config.tx_params.max_retransmit) {
            finish(ep, exchange, COAP_RESULT_TIMEOUT, NULL);
            continue;
        }
        const coap_exchange_t *next = next_waiting(ep);
        if (next && next->rank < exchange->rank) {
            exchange->state = EXCHANGE_PAUSED;
            start_queued(ep);
            continue;
        }
        ++exchange->retransmissions;
        ++ep->stats.outgoing_retransmissions;
        exchange->timeout = avs_time_duration_mul(exchange->timeout, 2);
        exchange->deadline = avs_time_monotonic_add(now, exchange->timeout);
        endpoint_send(ep, exchange->datagram.data, exchange->datagram.size);
    }
}

avs_time_monotonic_t endpoint_client_deadline(const coap_endpoint_t *ep) {
    avs_time_monotonic_t deadline = AVS_TIME_MONOTONIC_INVALID;
    for (const coap_exchange_t *e = ep->exchanges; e; e = e->next) {
        if (is_timed(e)) {
            deadline = earlier_of(deadline, e->deadline);
        }
    }
    return deadline;
}

void endpoint_client_reset(coap_endpoint_t *ep) {
    /* handlers may queue anew: what was there before ends, no more */
    coap_exchange_t *exchanges = ep->exchanges;
    ep->exchanges = NULL;
    while (exchanges) {
        coap_exchange_t *exchange = exchanges;
        exchanges = exchange->next;
        if (is_notification(exchange)) {
            if (exchange->notify_handler) {
                exchange->notify_handler(exchange->arg, COAP_RESULT_CANCELLED);
            }
        } else {
            exchange->handler(exchange->arg, COAP_RESULT_CANCELLED, NULL);
        }
        free_exchange(exchange);
    }
}
