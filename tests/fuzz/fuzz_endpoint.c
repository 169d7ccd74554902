/* SPDX-License-Identifier: Apache-2.0 */
/**
 * One CoAP association: requests in and out in blocks, notifications, time. The input is a sequence of records, each an operation, a length and so
 * many bytes. Ends the run besides the sanitizers: a handler called twice or never, pieces that do not follow one another, a datagram sent that is
 * no message or too large, a deadline that is never reached.
 */
#include "../../vendor/avs_coap/src/coap_endpoint.h"
#include "mock_system.h"

#include <avsystem/coap/code.h>
#include <avsystem/commons/avs_log.h>

enum { OP_RAW, OP_BLOCK, OP_ANSWER, OP_TIME, OP_ASK, OP_NOTIFY, OP_CANCEL, OP_RESET, OP_TRUNCATED, OP_REPLY, OP_SHORT, OP_COUNT };
enum { EXCHANGES = 32, MAX_PAYLOAD = 6000, MAX_DATAGRAM = 1280 };

static coap_endpoint_t *ep;
static coap_exchange_t *exchanges[EXCHANGES];
static unsigned started, ended, answers_expected[EXCHANGES];
static struct {
    bool streaming, again;
    size_t offset;
    uint8_t code;
    size_t size;
} server;

static int send_datagram(void *arg, const uint8_t *data, size_t size) {
    (void) arg;
    coap_msg_t msg;
    REQUIRE(size <= MAX_DATAGRAM && coap_msg_parse(data, size, &msg) == COAP_PARSE_OK);
    return (int) !(send(FIRST_FD, data, size, 0) == (ssize_t) size);
}

static avs_time_monotonic_t tell_time(void *arg) {
    (void) arg;
    return (avs_time_monotonic_t) { { 1000 + clock_ns / 1000000000, (int32_t) (clock_ns % 1000000000) } };
}

static void give_random(void *arg, void *out, size_t size) {
    (void) arg;
    RAND_bytes((unsigned char *) out, (int) size);
}

static void ended_ask(void *arg, coap_result_t result, const coap_msg_t *response) {
    const size_t slot = (size_t) (uintptr_t) arg;
    REQUIRE((result == COAP_RESULT_OK) == (response != NULL) && answers_expected[slot] == 1);
    answers_expected[slot] = 0;
    exchanges[slot] = NULL;
    ++ended;
}

static void ended_notify(void *arg, coap_result_t result) {
    (void) result;
    const size_t slot = (size_t) (uintptr_t) arg;
    REQUIRE(answers_expected[slot] == 1);
    answers_expected[slot] = 0;
    exchanges[slot] = NULL;
    ++ended;
}

static int free_slot(void) {
    for (int i = 0; i < EXCHANGES; ++i) {
        if (!answers_expected[i]) {
            return i;
        }
    }
    return -1;
}

static const uint8_t BYTES[MAX_PAYLOAD];

static void ask(size_t payload_size, uint8_t code) {
    const int slot = free_slot();
    const coap_option_t options[] = { { COAP_OPT_URI_PATH, (const uint8_t *) "rd", 2 },
                                      { COAP_OPT_CONTENT_FORMAT, (const uint8_t *) "(", 1 },
                                      { COAP_OPT_URI_QUERY, BYTES, payload_size % 100 } };
    const coap_outgoing_t request = { 1 + code % 4, options, 3, BYTES, payload_size };
    if (slot < 0) {
        return;
    }
    answers_expected[slot] = 1;
    exchanges[slot] = coap_endpoint_request(ep, &request, ended_ask, (void *) (uintptr_t) slot);
    if (exchanges[slot]) {
        ++started;
    } else {
        answers_expected[slot] = 0;
    }
}

static void notify(size_t payload_size, bool confirmable, bool error) {
    static const coap_msg_t OBSERVING = { .code = AVS_COAP_CODE_GET };
    const int slot = free_slot();
    if (slot < 0) {
        return;
    }
    const coap_notification_t notification = { .token = { 2, { 'n', (uint8_t) slot } },
                                               .confirmable = confirmable,
                                               .code = error ? AVS_COAP_CODE_NOT_FOUND : AVS_COAP_CODE_CONTENT,
                                               .content_format = 42,
                                               .payload = BYTES,
                                               .payload_size = error ? 0 : payload_size,
                                               .request = payload_size % 2 ? &OBSERVING : NULL };
    answers_expected[slot] = 1;
    ++started;
    coap_exchange_t *exchange = coap_endpoint_notify(ep, &notification, ended_notify, (void *) (uintptr_t) slot);
    REQUIRE(!exchange == !answers_expected[slot]);
    exchanges[slot] = exchange;
}

/** Takes requests: pieces in order, a limited payload; answers what OP_REPLY said, and may talk in between. */
static void take(void *arg, const coap_request_t *request, coap_response_t *response) {
    (void) arg;
    REQUIRE(!request->payload_size || request->payload);
    if (request->streamed) {
        if (!request->offset) {
            REQUIRE(!server.streaming);
            server.offset = 0;
        } else {
            REQUIRE(server.streaming);
        }
        REQUIRE(request->offset == server.offset);
        server.offset += request->payload_size;
        server.streaming = !request->last;
        if (!request->last && server.code >= 0x80 && server.size % 3 == 0) { /* refused halfway */
            server.streaming = false;
            response->code = server.code;
            return;
        }
        response->code = request->last ? AVS_COAP_CODE_CHANGED : 0;
    } else {
        REQUIRE(request->last && request->payload_size <= MAX_PAYLOAD + MAX_DATAGRAM);
        response->code = server.code;
    }
    if (server.again) {
        server.again = false;
        ask(server.size, 1);
        notify(server.size, true, false);
    }
    if (response->code >> 5 == 2 && coap_buf_append(response->payload, BYTES, server.size)) {
        response->code = AVS_COAP_CODE_INTERNAL_SERVER_ERROR;
        coap_buf_clear(response->payload);
    }
    response->content_format = 42;
}

static bool accept_stream(void *arg, const coap_request_t *first) {
    (void) arg;
    return first->content_format == 42;
}

static void stream_aborted(void *arg) {
    (void) arg;
    REQUIRE(server.streaming);
    server.streaming = false;
}

static void notification_reset(void *arg, const coap_token_t *token) {
    (void) arg;
    REQUIRE(token->size == 2 && token->bytes[0] == 'n');
}

static const coap_endpoint_ops_t OPS = { send_datagram, tell_time,      give_random,       take,
                                         accept_stream, stream_aborted, notification_reset };

static void receive(const uint8_t *data, size_t size, bool truncated) {
    uint8_t *copy = (uint8_t *) malloc(size + !size); /* so that one byte too far is noticed */
    REQUIRE(copy);
    if (size) {
        memcpy(copy, data, size);
    }
    if (truncated) {
        coap_endpoint_receive_truncated(ep, copy, size);
    } else {
        coap_endpoint_receive(ep, copy, size);
    }
    free(copy);
}

/** A request with block options: flags and method, token, Block1 (number, size), Block2 (number, size), format, bytes of payload too few. */
static void block(const uint8_t *body, size_t length, uint16_t *mid) {
    uint8_t data[DATAGRAM_MAX];
    coap_writer_t w;
    if (length < 7) {
        return;
    }
    const coap_token_t token = { 1, { body[1] } };
    const coap_block_t block1 = { body[2], body[0] & 0x80, body[3] % 7 }, block2 = { body[4], false, body[5] % 7 };
    coap_writer_start(&w, data, sizeof(data), body[0] & 0x40 ? COAP_NON : COAP_CON, 1 + (body[0] & 7), (*mid)++, &token);
    coap_writer_option(&w, COAP_OPT_URI_PATH, "5", 1);
    coap_writer_option_uint(&w, COAP_OPT_CONTENT_FORMAT, body[6]);
    if (body[0] & 0x20) {
        coap_writer_option_block(&w, COAP_OPT_BLOCK2, &block2);
    }
    if (body[0] & 0x10) {
        coap_writer_option_block(&w, COAP_OPT_BLOCK1, &block1);
    }
    const size_t size = ((size_t) 16 << block1.szx) - (length > 7 ? body[7] % 16 : 0);
    coap_writer_payload(&w, BYTES, size);
    receive(data, w.size, false);
}

static void answer(const uint8_t *body, size_t length) {
    uint8_t data[HEAD_MAX + 256];
    const sent_t *to = sent_last();
    if (!to || length < 2 || to->size < 4 || (to->head[0] & 0x0F) > 8) {
        return;
    }
    const size_t head = 4u + (body[1] ? to->head[0] & 0x0F : 0);
    memcpy(data, to->head, head);
    data[0] = (uint8_t) (0x40 | (body[0] & 0x30) | (head - 4));
    data[1] = body[1];
    memcpy(data + head, body + 2, length - 2);
    receive(data, head + length - 2, false);
}

static void pass(int64_t ms) {
    const int64_t end = clock_ns + ms * 1000000;
    for (int i = 0; i < 30; ++i) {
        const avs_time_monotonic_t deadline = coap_endpoint_deadline(ep);
        const int64_t at = (deadline.since_monotonic_epoch.seconds - 1000) * 1000000000 + deadline.since_monotonic_epoch.nanoseconds;
        if (!avs_time_monotonic_valid(deadline) || at > end) {
            clock_ns = end;
            return;
        }
        clock_ns = at > clock_ns ? at : clock_ns;
        coap_endpoint_tick(ep);
        const avs_time_monotonic_t next = coap_endpoint_deadline(ep);
        REQUIRE(!avs_time_monotonic_valid(next) || avs_time_monotonic_before(tell_time(NULL), next)); /* it has done what was due */
    }
}

static void record(unsigned op, const uint8_t *body, size_t length, uint16_t *mid) {
    const unsigned a = length ? body[0] : 0, b = length > 1 ? body[1] : 0;
    switch (op) {
    case OP_RAW: receive(body, length, false); break;
    case OP_BLOCK: block(body, length, mid); break;
    case OP_ANSWER: answer(body, length); break;
    case OP_TIME: pass((int64_t) a * a * 20); break;
    case OP_ASK: ask(a * 23u, (uint8_t) b); break;
    case OP_NOTIFY: notify(a * 23u, b & 1, b & 2); break;
    case OP_CANCEL:
        if (exchanges[a % EXCHANGES]) {
            coap_endpoint_cancel(ep, exchanges[a % EXCHANGES]);
        }
        break;
    case OP_RESET: coap_endpoint_reset(ep); break;
    case OP_TRUNCATED: receive(body, length, true); break;
    case OP_REPLY:
        server.size = a * 23u;
        server.code = b ? (uint8_t) b : AVS_COAP_CODE_CONTENT;
        server.again = length > 2;
        break;
    default: fail_allocations(1 + a, b);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size) {
        return 0;
    }
    avs_log_set_default_level(AVS_LOG_QUIET);
    system_reset();
    memset(&server, 0, sizeof(server));
    memset(answers_expected, 0, sizeof(answers_expected));
    memset(exchanges, 0, sizeof(exchanges));
    server.code = AVS_COAP_CODE_CONTENT;
    started = ended = 0;
    uint16_t mid = 1;
    const coap_endpoint_config_t config = { .ops = &OPS,
                                            .tx_params = { { 2, 0 }, 1.5, data[0] & 3, 1 + (data[0] >> 2 & 3) },
                                            .cache_size = data[0] & 0x80 ? 0 : 300,
                                            .max_datagram = MAX_DATAGRAM,
                                            .max_request_payload = MAX_PAYLOAD,
                                            .log_name = "fuzz" };
    ep = coap_endpoint_new(&config);
    REQUIRE(ep);
    inside = true;
    for (++data, --size; size >= 2;) {
        const size_t length = data[1] <= size - 2 ? data[1] : size - 2;
        record(data[0] % OP_COUNT, data + 2, length, &mid);
        data += 2 + length;
        size -= 2 + length;
    }
    coap_endpoint_delete(&ep);
    heal();
    inside = false;
    REQUIRE(started == ended && !server.streaming);
    return 0;
}
