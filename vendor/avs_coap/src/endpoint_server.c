/* SPDX-License-Identifier: Apache-2.0 */
/** Requests of the server: duplicates, options, Block1 put together or streamed, answers cut into Block2 (RFC 7959). */
#include "endpoint_internal.h"

#include <avsystem/coap/code.h>

/** A request and what its options say about block-wise transfer. */
typedef struct {
    coap_request_t request;
    bool has_block1, has_block2;
    coap_block_t block1, block2;
    uint64_t key;
} incoming_t;

/* ------------------------------------------------------------------ options */

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t size) {
    const uint8_t *bytes = (const uint8_t *) data;
    for (size_t i = 0; i < size; ++i) {
        hash = (hash ^ bytes[i]) * 1099511628211ull; /* FNV-1a */
    }
    return hash;
}

uint64_t endpoint_request_key(const coap_msg_t *msg) {
    uint64_t hash = hash_bytes(14695981039346656037ull, &msg->code, 1);
    coap_option_iter_t iter = { 0 };
    coap_option_t option;
    while (coap_option_next(msg, &iter, &option)) {
        switch (option.number) {
        case COAP_OPT_BLOCK1:
        case COAP_OPT_BLOCK2:
        case COAP_OPT_SIZE1:
        case COAP_OPT_SIZE2:
        case COAP_OPT_OBSERVE:
            break;
        default:
            hash = hash_bytes(hash, &option.number, sizeof(option.number));
            hash = hash_bytes(hash, &option.size, sizeof(option.size));
            hash = hash_bytes(hash, option.value, option.size);
        }
    }
    return hash;
}

/**
 * Reads the options that this layer knows. @returns 0, or the code to refuse the request with: unknown critical options, those that
 * must not be repeated, and blocks that cannot be (RFC 7252, section 5.4; RFC 7959, section 2.2).
 */
static uint8_t read_options(incoming_t *in) {
    coap_option_iter_t iter = { 0 };
    coap_option_t option;
    uint32_t previous = 0, value;
    while (coap_option_next(in->request.msg, &iter, &option)) {
        const bool repeated = option.number == previous;
        previous = option.number;
        switch (option.number) {
        case COAP_OPT_URI_PATH:
        case COAP_OPT_URI_QUERY:
            break;
        case COAP_OPT_CONTENT_FORMAT:
            if (!repeated && !coap_option_uint(&option, 2, &value)) {
                in->request.content_format = (uint16_t) value;
            }
            break;
        case COAP_OPT_ACCEPT:
            if (repeated) {
                return AVS_COAP_CODE_BAD_OPTION;
            }
            if (!coap_option_uint(&option, 2, &value)) {
                in->request.accept = (uint16_t) value;
            }
            break;
        case COAP_OPT_OBSERVE:
            if (!repeated && !coap_option_uint(&option, 3, &value)) {
                in->request.has_observe = true;
                in->request.observe = value;
            }
            break;
        case COAP_OPT_BLOCK1:
            if (repeated || coap_option_block(&option, &in->block1)
                    || (in->block1.more && in->request.payload_size != COAP_SZX_SIZE(in->block1.szx))) {
                return AVS_COAP_CODE_BAD_OPTION;
            }
            in->has_block1 = true;
            break;
        case COAP_OPT_BLOCK2:
            if (repeated || coap_option_block(&option, &in->block2)) {
                return AVS_COAP_CODE_BAD_OPTION;
            }
            in->has_block2 = true;
            break;
        default:
            if (option.number & 1) {
                return AVS_COAP_CODE_BAD_OPTION;
            }
        }
    }
    return 0;
}

/* ------------------------------------------------------------------ answers */

static void send_and_cache(coap_endpoint_t *ep, const coap_msg_t *msg, const coap_writer_t *w) {
    const int64_t expires = endpoint_expiry(ep, endpoint_now(ep)).since_monotonic_epoch.seconds;
    coap_cache_put(&ep->cache, coap_cache_id(msg), w->data, w->size, expires);
    endpoint_send(ep, w->data, w->size);
}

/** The answer's options in order; @p block2 and @p block1 may be NULL. */
static void send_response(coap_endpoint_t *ep, const coap_msg_t *msg, const coap_response_t *response,
                          const coap_block_t *block2, const coap_block_t *block1, const uint8_t *payload,
                          size_t payload_size) {
    uint8_t datagram[COAP_DATAGRAM_MAX];
    coap_writer_t w;
    /* a non-confirmable request is answered so, too, as the real library does; peers match the token */
    coap_writer_start(&w, datagram, sizeof(datagram), COAP_ACK, response->code, msg->mid, &msg->token);
    if (response->has_observe) {
        coap_writer_option_uint(&w, COAP_OPT_OBSERVE, endpoint_new_observe(ep));
    }
    for (size_t i = 0; i < response->location_count; ++i) {
        size_t length = 0;
        while (length < sizeof(response->location[i]) && response->location[i][length]) {
            ++length;
        }
        coap_writer_option(&w, COAP_OPT_LOCATION_PATH, response->location[i], length);
    }
    if (response->content_format != COAP_FORMAT_NONE) {
        coap_writer_option_uint(&w, COAP_OPT_CONTENT_FORMAT, response->content_format);
    }
    if (block2) {
        coap_writer_option_block(&w, COAP_OPT_BLOCK2, block2);
    }
    if (block1) {
        coap_writer_option_block(&w, COAP_OPT_BLOCK1, block1);
        if (response->code == AVS_COAP_CODE_REQUEST_ENTITY_TOO_LARGE) {
            coap_writer_option_uint(&w, COAP_OPT_SIZE1, (uint32_t) ep->config.max_request_payload);
        }
    }
    coap_writer_payload(&w, payload, payload_size);
    if (!w.overflow) {
        send_and_cache(ep, msg, &w);
    }
}

static void send_code(coap_endpoint_t *ep, const incoming_t *in, uint8_t code) {
    const coap_response_t response = { .code = code, .content_format = COAP_FORMAT_NONE };
    const coap_block_t block1 = { in->block1.num, code == AVS_COAP_CODE_CONTINUE, in->block1.szx };
    send_response(ep, in->request.msg, &response, NULL, in->has_block1 ? &block1 : NULL, NULL, 0);
}

coap_rendering_t *endpoint_keep(coap_endpoint_t *ep, uint64_t key, uint8_t code, uint16_t format, coap_buf_t *payload) {
    coap_rendering_t *slot = NULL;
    for (size_t i = 0; i < COAP_RENDERINGS; ++i) {
        coap_rendering_t *candidate = &ep->renderings[i];
        if (candidate->used && candidate->key == key) {
            slot = candidate;
            break;
        }
        if (!slot || !candidate->used || (slot->used && avs_time_monotonic_before(candidate->expires, slot->expires))) {
            slot = candidate;
        }
    }
    const coap_buf_t spare = slot->payload;
    slot->payload = *payload;
    *payload = spare;
    coap_buf_clear(payload);
    slot->used = true;
    slot->key = key;
    slot->code = code;
    slot->content_format = format;
    slot->expires = endpoint_transfer_expiry(ep, endpoint_now(ep));
    return slot;
}

static coap_rendering_t *find_rendering(coap_endpoint_t *ep, uint64_t key) {
    for (size_t i = 0; i < COAP_RENDERINGS; ++i) {
        if (ep->renderings[i].used && ep->renderings[i].key == key) {
            return &ep->renderings[i];
        }
    }
    return NULL;
}

/** Sends the block of @p payload that the request asked for, or the first. */
static void send_block(coap_endpoint_t *ep, const incoming_t *in, const coap_response_t *response,
                       const coap_buf_t *payload, const coap_block_t *block1) {
    coap_block_t block2 = in->has_block2 ? in->block2 : (coap_block_t) { .szx = COAP_MAX_SZX };
    const size_t size = COAP_SZX_SIZE(block2.szx), offset = block2.num * size;
    if (offset && offset >= payload->size) {
        send_code(ep, in, AVS_COAP_CODE_BAD_REQUEST);
        return;
    }
    block2.more = payload->size - offset > size;
    send_response(ep, in->request.msg, response, &block2, block1, payload->size ? payload->data + offset : NULL,
                  AVS_MIN(size, payload->size - offset));
}

/** Sends what ops->request answered, in blocks where it must be. */
static void send_answer(coap_endpoint_t *ep, const incoming_t *in, coap_response_t *response) {
    const coap_block_t block1 = { in->block1.num, false, in->block1.szx };
    const coap_block_t *block1_ptr = in->has_block1 ? &block1 : NULL;
    const size_t limit = COAP_SZX_SIZE(in->has_block2 ? in->block2.szx : COAP_MAX_SZX);
    const bool error = response->code >> 5 != 2;
    if (error || (!in->has_block2 && response->payload->size <= limit)) {
        send_response(ep, in->request.msg, response, NULL, block1_ptr, response->payload->data,
                      response->payload->size);
        return;
    }
    if (response->payload->size <= limit) {
        send_block(ep, in, response, response->payload, block1_ptr);
        return;
    }
    const coap_rendering_t *kept =
            endpoint_keep(ep, in->key, response->code, response->content_format, response->payload);
    send_block(ep, in, response, &kept->payload, block1_ptr);
}

static void handle(coap_endpoint_t *ep, const incoming_t *in, coap_response_t *response) {
    coap_buf_clear(&ep->response);
    *response = (coap_response_t) { .content_format = COAP_FORMAT_NONE, .payload = &ep->response };
    ep->config.ops->request(ep->config.arg, &in->request, response);
}

static void handle_and_answer(coap_endpoint_t *ep, const incoming_t *in) {
    coap_response_t response;
    handle(ep, in, &response);
    if (!response.code) {
        response.code = AVS_COAP_CODE_INTERNAL_SERVER_ERROR;
    }
    send_answer(ep, in, &response);
}

/* ------------------------------------------------------------------ Block1 */

static void end_transfer(coap_endpoint_t *ep, coap_transfer_t *transfer, bool completed) {
    const bool aborted = transfer->streamed && !completed;
    transfer->used = transfer->streamed = false;
    coap_buf_clear(&transfer->payload);
    if (aborted && ep->config.ops->stream_aborted) {
        ep->config.ops->stream_aborted(ep->config.arg);
    }
}

/**
 * The transfer that a block other than the first continues: with the same token, or else the one that went on last. An older one may have been
 * abandoned, and what is missing in the younger must not be taken from it.
 */
static coap_transfer_t *find_transfer(coap_endpoint_t *ep, const incoming_t *in) {
    coap_transfer_t *found = NULL;
    for (size_t i = 0; i < COAP_TRANSFERS; ++i) {
        coap_transfer_t *transfer = &ep->transfers[i];
        if (!transfer->used || transfer->key != in->key) {
            continue;
        }
        if (coap_token_equal(&transfer->token, &in->request.msg->token)) {
            return transfer;
        }
        if (!found || avs_time_monotonic_before(found->expires, transfer->expires)) {
            found = transfer;
        }
    }
    return found;
}

/** A place for a new transfer; one of the same request and token, or the streamed one, or the oldest, makes room. */
static coap_transfer_t *new_transfer(coap_endpoint_t *ep, const incoming_t *in, bool streamed) {
    coap_transfer_t *slot = NULL;
    for (size_t i = 0; i < COAP_TRANSFERS; ++i) {
        coap_transfer_t *transfer = &ep->transfers[i];
        const bool same = transfer->key == in->key && coap_token_equal(&transfer->token, &in->request.msg->token);
        if (transfer->used && (same || (streamed && transfer->streamed))) {
            end_transfer(ep, transfer, false);
        }
        if (!slot || !transfer->used
                || (slot->used && avs_time_monotonic_before(transfer->expires, slot->expires))) {
            slot = transfer;
        }
    }
    if (slot->used) {
        end_transfer(ep, slot, false);
    }
    slot->used = true;
    slot->streamed = streamed;
    slot->key = in->key;
    slot->token = in->request.msg->token;
    slot->offset = 0;
    return slot;
}

static bool wants_stream(coap_endpoint_t *ep, const incoming_t *in) {
    return ep->config.ops->accept_stream && ep->config.ops->accept_stream(ep->config.arg, &in->request);
}

/** A piece goes to ops->request at once, out of the datagram. */
static void stream_piece(coap_endpoint_t *ep, incoming_t *in, coap_transfer_t *transfer) {
    coap_response_t response;
    in->request.streamed = true;
    in->request.offset = transfer->offset;
    in->request.last = !in->block1.more;
    transfer->offset += in->request.payload_size;
    transfer->expires = endpoint_transfer_expiry(ep, endpoint_now(ep));
    if (in->request.last) {
        transfer->used = transfer->streamed = false;
    }
    handle(ep, in, &response);
    if (!response.code && !in->request.last) {
        send_code(ep, in, AVS_COAP_CODE_CONTINUE);
        return;
    }
    if (transfer->used && transfer->streamed) { /* refused: whoever refused it has ended it */
        transfer->used = transfer->streamed = false;
    }
    if (!response.code) {
        response.code = AVS_COAP_CODE_INTERNAL_SERVER_ERROR;
    }
    send_answer(ep, in, &response);
}

static void gather_piece(coap_endpoint_t *ep, incoming_t *in, coap_transfer_t *transfer) {
    if (in->request.payload_size > ep->config.max_request_payload - transfer->payload.size) {
        end_transfer(ep, transfer, false);
        send_code(ep, in, AVS_COAP_CODE_REQUEST_ENTITY_TOO_LARGE);
        return;
    }
    if (coap_buf_append(&transfer->payload, in->request.payload, in->request.payload_size)) {
        end_transfer(ep, transfer, false);
        send_code(ep, in, AVS_COAP_CODE_INTERNAL_SERVER_ERROR);
        return;
    }
    transfer->offset += in->request.payload_size;
    transfer->expires = endpoint_transfer_expiry(ep, endpoint_now(ep));
    if (in->block1.more) {
        send_code(ep, in, AVS_COAP_CODE_CONTINUE);
        return;
    }
    /* a handler may start further transfers: the payload must not lie in the table */
    coap_buf_t whole = transfer->payload;
    transfer->payload = (coap_buf_t) { 0 };
    end_transfer(ep, transfer, true);
    in->request.payload = whole.data;
    in->request.payload_size = whole.size;
    handle_and_answer(ep, in);
    coap_buf_cleanup(&whole);
}

static void handle_block1(coap_endpoint_t *ep, incoming_t *in) {
    coap_transfer_t *transfer;
    if (in->block1.num == 0) {
        const bool streamed = wants_stream(ep, in);
        if (!in->block1.more && !streamed) {
            handle_and_answer(ep, in);
            return;
        }
        transfer = new_transfer(ep, in, streamed);
    } else {
        transfer = find_transfer(ep, in);
        if (!transfer || transfer->offset != in->block1.num * COAP_SZX_SIZE(in->block1.szx)) {
            if (transfer) {
                end_transfer(ep, transfer, false);
            }
            send_code(ep, in, AVS_COAP_CODE_REQUEST_ENTITY_INCOMPLETE);
            return;
        }
    }
    if (transfer->streamed) {
        stream_piece(ep, in, transfer);
    } else {
        gather_piece(ep, in, transfer);
    }
}

/* ------------------------------------------------------------------ requests */

/** @returns whether @p msg was handled before, and is answered again if the answer is kept. */
static bool is_duplicate(coap_endpoint_t *ep, const coap_msg_t *msg, coap_msg_id_t id, avs_time_monotonic_t now) {
    const uint8_t *datagram;
    size_t size;
    if (!coap_cache_find(&ep->cache, id, now.since_monotonic_epoch.seconds, &datagram, &size)) {
        return false;
    }
    ++ep->stats.incoming_retransmissions;
    if (datagram && msg->type == COAP_CON) {
        endpoint_send(ep, datagram, size);
    }
    return true;
}

void endpoint_handle_request(coap_endpoint_t *ep, const coap_msg_t *msg, bool options_ok) {
    const avs_time_monotonic_t now = endpoint_now(ep);
    const coap_msg_id_t id = coap_cache_id(msg);
    if (is_duplicate(ep, msg, id, now)) {
        return;
    }
    coap_cache_see(&ep->cache, id, endpoint_expiry(ep, now).since_monotonic_epoch.seconds);
    incoming_t in = {
        .request = {
            .msg = msg,
            .content_format = COAP_FORMAT_NONE,
            .accept = COAP_FORMAT_NONE,
            .payload = msg->payload,
            .payload_size = msg->payload_size,
            .last = true
        }
    };
    const uint8_t refusal = options_ok ? read_options(&in) : AVS_COAP_CODE_BAD_OPTION;
    if (refusal) {
        in.has_block1 = false;
        send_code(ep, &in, refusal);
        return;
    }
    if (in.has_block1 || in.has_block2) {
        in.key = endpoint_request_key(msg);
    }
    if (in.has_block2 && in.block2.num > 0) {
        const coap_rendering_t *kept = find_rendering(ep, in.key);
        if (kept) {
            const coap_response_t response = { .code = kept->code, .content_format = kept->content_format };
            send_block(ep, &in, &response, &kept->payload, NULL);
            return;
        }
        if (msg->code != AVS_COAP_CODE_GET && msg->code != AVS_COAP_CODE_FETCH) {
            /* a later block of an answer that there is not: nothing may be done for its sake */
            in.has_block1 = false;
            send_code(ep, &in, AVS_COAP_CODE_BAD_REQUEST);
            return;
        }
    }
    if (in.has_block1) {
        handle_block1(ep, &in);
        return;
    }
    if (!in.has_block2) {
        /* only an answer that turns out large needs its key: it is found then */
        coap_response_t response;
        handle(ep, &in, &response);
        if (!response.code) {
            response.code = AVS_COAP_CODE_INTERNAL_SERVER_ERROR;
        }
        if (response.payload->size > COAP_SZX_SIZE(COAP_MAX_SZX)) {
            in.key = endpoint_request_key(msg);
        }
        send_answer(ep, &in, &response);
        return;
    }
    handle_and_answer(ep, &in);
}

/* ------------------------------------------------------------------ time */

void endpoint_server_tick(coap_endpoint_t *ep, avs_time_monotonic_t now) {
    for (size_t i = 0; i < COAP_TRANSFERS; ++i) {
        if (ep->transfers[i].used && !avs_time_monotonic_before(now, ep->transfers[i].expires)) {
            end_transfer(ep, &ep->transfers[i], false);
            coap_buf_cleanup(&ep->transfers[i].payload);
        }
    }
    for (size_t i = 0; i < COAP_RENDERINGS; ++i) {
        if (ep->renderings[i].used && !avs_time_monotonic_before(now, ep->renderings[i].expires)) {
            ep->renderings[i].used = false;
            coap_buf_cleanup(&ep->renderings[i].payload);
        }
    }
}

avs_time_monotonic_t endpoint_server_deadline(const coap_endpoint_t *ep) {
    avs_time_monotonic_t deadline = AVS_TIME_MONOTONIC_INVALID;
    for (size_t i = 0; i < COAP_TRANSFERS; ++i) {
        if (ep->transfers[i].used) {
            deadline = earlier_of(deadline, ep->transfers[i].expires);
        }
    }
    for (size_t i = 0; i < COAP_RENDERINGS; ++i) {
        if (ep->renderings[i].used) {
            deadline = earlier_of(deadline, ep->renderings[i].expires);
        }
    }
    return deadline;
}

void endpoint_server_reset(coap_endpoint_t *ep) {
    for (size_t i = 0; i < COAP_TRANSFERS; ++i) {
        if (ep->transfers[i].used) {
            end_transfer(ep, &ep->transfers[i], false);
        }
        coap_buf_cleanup(&ep->transfers[i].payload);
    }
    for (size_t i = 0; i < COAP_RENDERINGS; ++i) {
        ep->renderings[i].used = false;
        coap_buf_cleanup(&ep->renderings[i].payload);
    }
}
