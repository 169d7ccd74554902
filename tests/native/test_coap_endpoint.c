/* SPDX-License-Identifier: Apache-2.0 */
/** The message layer with a clock and a network that the test moves: RFC 7252 timers, duplicates, RFC 7959 blocks at every size. */
#include "test.h"

#include "../../vendor/avs_coap/src/coap_endpoint.h"

#include <avsystem/coap/code.h>

#include <stdlib.h>

#pragma GCC diagnostic ignored "-Woverride-init" /* REQUEST() has defaults */

typedef struct {
    coap_endpoint_t *ep;
    double now_s;
    uint8_t sent[64][1500];
    size_t sent_size[64];
    unsigned sent_count;
    unsigned requests; /**< calls of ops->request */
    uint8_t body[8192]; /**< payload of the last request, or all pieces of a stream */
    size_t body_size;
    size_t answer_size; /**< payload to answer with */
    uint8_t answer_code;
    bool stream;
    unsigned aborted, resets;
    uint8_t random;
    coap_result_t result;
    unsigned results;
    uint8_t response_code;
    size_t response_size;
} world_t;

static world_t w;

static int world_send(void *arg, const uint8_t *data, size_t size) {
    CHECK(size <= 1500);
    memcpy(w.sent[w.sent_count % 64], data, size);
    w.sent_size[w.sent_count++ % 64] = size;
    return 0;
}

static avs_time_monotonic_t world_now(void *arg) {
    return (avs_time_monotonic_t) { avs_time_duration_from_fscalar(1000.0 + w.now_s, AVS_TIME_S) };
}

static void world_random(void *arg, void *out, size_t size) {
    memset(out, w.random, size);
}

static void world_request(void *arg, const coap_request_t *request, coap_response_t *response) {
    ++w.requests;
    if (!request->streamed || !request->offset) {
        w.body_size = 0;
    }
    CHECK(!request->streamed || request->offset == w.body_size);
    CHECK(w.body_size + request->payload_size <= sizeof(w.body));
    if (request->payload_size) {
        memcpy(w.body + w.body_size, request->payload, request->payload_size);
    }
    w.body_size += request->payload_size;
    if (!request->last) {
        return;
    }
    response->code = w.answer_code ? w.answer_code : request->msg->code == 1 ? 0x45 : 0x44;
    for (size_t i = 0; i < w.answer_size; ++i) {
        const uint8_t c = (uint8_t) (i % 251);
        coap_buf_append(response->payload, &c, 1);
    }
}

static bool world_accept_stream(void *arg, const coap_request_t *first) {
    return w.stream;
}

static void world_aborted(void *arg) {
    ++w.aborted;
}

static void world_reset(void *arg, const coap_token_t *token) {
    ++w.resets;
}

static const coap_endpoint_ops_t OPS = { world_send,          world_now,     world_random, world_request,
                                         world_accept_stream, world_aborted, world_reset };

static void begin(size_t cache) {
    memset(&w, 0, sizeof(w));
    const coap_endpoint_config_t config = { .ops = &OPS,
                                            .tx_params = AVS_COAP_DEFAULT_UDP_TX_PARAMS,
                                            .cache_size = cache,
                                            .max_datagram = 1400,
                                            .max_request_payload = 8000,
                                            .log_name = "test" };
    w.ep = coap_endpoint_new(&config);
    CHECK(w.ep);
}

static void end(void) {
    coap_endpoint_delete(&w.ep);
    CHECK(!w.ep);
}

/** Moves the clock to the next deadline if that is not after @p limit_s. @returns whether it was. */
static bool advance(double limit_s) {
    const avs_time_monotonic_t deadline = coap_endpoint_deadline(w.ep);
    if (!avs_time_monotonic_valid(deadline)) {
        w.now_s = limit_s;
        return false;
    }
    const double at = avs_time_duration_to_fscalar(deadline.since_monotonic_epoch, AVS_TIME_S) - 1000.0;
    if (at > limit_s) {
        w.now_s = limit_s;
        return false;
    }
    w.now_s = (at > w.now_s ? at : w.now_s) + 1e-6; /* past what rounding took */
    coap_endpoint_tick(w.ep);
    return true;
}

static coap_msg_t last_sent(void) {
    coap_msg_t msg = { 0 };
    CHECK(w.sent_count);
    if (w.sent_count) {
        CHECK(!coap_msg_parse(w.sent[(w.sent_count - 1) % 64], w.sent_size[(w.sent_count - 1) % 64], &msg));
    }
    return msg;
}

typedef struct {
    uint8_t type, code;
    uint16_t mid;
    uint8_t token;
    const char *path;
    int block1, block2; /**< encoded, -1: none */
    const void *payload;
    size_t size;
} request_t;

static size_t encode(const request_t *r, uint8_t *out) {
    coap_writer_t writer;
    const coap_token_t token = { 1, { r->token } };
    coap_writer_start(&writer, out, 1500, r->type, r->code, r->mid, &token);
    if (r->path) {
        coap_writer_option(&writer, COAP_OPT_URI_PATH, r->path, strlen(r->path));
    }
    if (r->block2 >= 0) {
        coap_writer_option_uint(&writer, COAP_OPT_BLOCK2, (uint32_t) r->block2);
    }
    if (r->block1 >= 0) {
        coap_writer_option_uint(&writer, COAP_OPT_BLOCK1, (uint32_t) r->block1);
    }
    coap_writer_payload(&writer, r->payload, r->size);
    CHECK(!writer.overflow);
    return writer.size;
}

static void receive(const request_t *r) {
    uint8_t data[1500];
    const size_t size = encode(r, data);
    uint8_t *exact = (uint8_t *) malloc(size); /* so that the sanitizer sees a byte too far */
    memcpy(exact, data, size);
    coap_endpoint_receive(w.ep, exact, size);
    free(exact);
}

static int option_of(const coap_msg_t *msg, uint32_t number) {
    coap_option_t option;
    uint32_t value;
    return coap_option_find(msg, number, &option) && !coap_option_uint(&option, 4, &value) ? (int) value : -1;
}

#define REQUEST(...) receive(&(const request_t) { .block1 = -1, .block2 = -1, .path = "x", .token = 7, __VA_ARGS__ })
#define BLOCK(Num, More, Szx) ((Num) << 4 | (More) << 3 | (Szx))

/* ------------------------------------------------------------------ our requests */

static void on_response(void *arg, coap_result_t result, const coap_msg_t *response) {
    ++w.results;
    w.result = result;
    CHECK(!response == (result != COAP_RESULT_OK));
    if (response) {
        w.response_code = response->code;
        w.response_size = response->payload_size;
    }
}

static coap_exchange_t *ask(const void *payload, size_t size) {
    static const coap_option_t PATH = { COAP_OPT_URI_PATH, (const uint8_t *) "rd", 2 };
    const coap_outgoing_t request = { 2, &PATH, 1, (const uint8_t *) payload, size };
    return coap_endpoint_request(w.ep, &request, on_response, NULL);
}

static void answer(uint8_t type, uint8_t code, int block1, int block2, size_t size) {
    const coap_msg_t msg = last_sent();
    static uint8_t payload[1024];
    uint8_t data[1500];
    coap_writer_t writer;
    coap_writer_start(&writer, data, sizeof(data), type, code, type == COAP_ACK ? msg.mid : 0x7000, &msg.token);
    if (block2 >= 0) {
        coap_writer_option_uint(&writer, COAP_OPT_BLOCK2, (uint32_t) block2);
    }
    if (block1 >= 0) {
        coap_writer_option_uint(&writer, COAP_OPT_BLOCK1, (uint32_t) block1);
    }
    coap_writer_payload(&writer, payload, size);
    coap_endpoint_receive(w.ep, data, writer.size);
}

/** ACK_TIMEOUT to ACK_TIMEOUT * ACK_RANDOM_FACTOR, doubled four times, then the end after MAX_TRANSMIT_WAIT. */
static void test_retransmission(void) {
    for (int random = 0; random < 256; random += 85) {
        begin(0);
        w.random = (uint8_t) random;
        CHECK(ask("p", 1));
        CHECK_INT(w.sent_count, 1);
        double last = 0, gap = 0;
        for (int i = 1; i <= 4; ++i) {
            CHECK(advance(100));
            CHECK_INT(w.sent_count, i + 1);
            CHECK(!memcmp(w.sent[0], w.sent[i], w.sent_size[0]));
            if (i == 1) {
                gap = w.now_s;
                CHECK(gap >= 2.0 && gap <= 3.001);
            } else {
                gap *= 2;
                CHECK(w.now_s - last > gap - 0.01 && w.now_s - last < gap + 0.01);
            }
            last = w.now_s;
        }
        while (!w.results && advance(200)) {
        }
        CHECK_INT(w.sent_count, 5);
        CHECK_INT(w.result, COAP_RESULT_TIMEOUT);
        CHECK(w.now_s >= 62.0 && w.now_s <= 93.01);
        CHECK_INT(coap_endpoint_stats(w.ep).outgoing_retransmissions, 4);
        end();
    }
}

static void test_answers(void) {
    begin(0);
    ask("p", 1);
    answer(COAP_ACK, 0x41, -1, -1, 3);
    CHECK_INT(w.results, 1);
    CHECK_INT(w.response_code, 0x41);
    CHECK_INT(w.response_size, 3);
    CHECK(!coap_endpoint_busy(w.ep));
    answer(COAP_ACK, 0x41, -1, -1, 3); /* once more: of nothing */
    CHECK_INT(w.results, 1);
    end();

    begin(0); /* an empty ACK, then the answer by itself */
    ask("p", 1);
    const coap_msg_t msg = last_sent();
    const uint8_t ack[] = { 0x60, 0, (uint8_t) (msg.mid >> 8), (uint8_t) msg.mid };
    coap_endpoint_receive(w.ep, ack, sizeof(ack));
    CHECK(!w.results);
    CHECK(!advance(50));
    CHECK_INT(w.sent_count, 1);
    answer(COAP_CON, 0x44, -1, -1, 0);
    CHECK_INT(w.results, 1);
    CHECK_INT(w.sent_count, 2);
    CHECK_INT(last_sent().type, COAP_ACK);
    end();

    begin(0);
    ask("p", 1);
    const coap_msg_t second = last_sent();
    const uint8_t rst[] = { 0x70, 0, (uint8_t) (second.mid >> 8), (uint8_t) second.mid };
    coap_endpoint_receive(w.ep, rst, sizeof(rst));
    CHECK_INT(w.result, COAP_RESULT_RESET);
    coap_exchange_t *exchange = ask("p", 1);
    coap_endpoint_cancel(w.ep, exchange);
    CHECK_INT(w.result, COAP_RESULT_CANCELLED);
    ask("p", 1);
    end();
    CHECK_INT(w.results, 3);
    CHECK_INT(w.result, COAP_RESULT_CANCELLED);
}

/** What cannot be an answer ends nothing (RFC 7252, sections 4.2 and 4.3). */
static void test_answers_that_are_none(void) {
    static const uint8_t CODES[] = { 0x01, 0x02, 0x1F, 0x21, 0x61, 0xC1, 0xE1 };
    begin(0);
    ask("p", 1);
    for (size_t i = 0; i < sizeof(CODES); ++i) {
        answer(COAP_ACK, CODES[i], -1, -1, 0);
        answer(COAP_RST, CODES[i], -1, -1, 0);
    }
    const coap_msg_t msg = last_sent();
    const uint8_t rst[] = { 0x70, 0x44, (uint8_t) (msg.mid >> 8), (uint8_t) msg.mid };
    coap_endpoint_receive(w.ep, rst, sizeof(rst));
    CHECK_INT(w.results, 0);
    answer(COAP_ACK, 0x44, -1, -1, 0);
    CHECK_INT(w.results, 1);
    end();
}

/** NSTART is 1, and an exchange counts until its ACK (RFC 7252, section 4.7). */
static void test_next_after_the_ack(void) {
    begin(0);
    w.random = 1;
    ask("p", 1);
    w.random = 2;
    ask("q", 1);
    CHECK_INT(w.sent_count, 1);
    const coap_msg_t msg = last_sent();
    const uint8_t ack[] = { 0x60, 0, (uint8_t) (msg.mid >> 8), (uint8_t) msg.mid };
    coap_endpoint_receive(w.ep, ack, sizeof(ack));
    CHECK_INT(w.sent_count, 2);
    answer(COAP_ACK, 0x44, -1, -1, 0);
    CHECK_INT(w.results, 1);
    CHECK(coap_endpoint_busy(w.ep)); /* the first one's answer is still to come */
    end();
    CHECK_INT(w.results, 2);
}

static void test_block1_sent(void) {
    static uint8_t payload[3000];
    begin(0);
    ask(payload, sizeof(payload));
    CHECK_INT(option_of(&(coap_msg_t) { 0 }, 1), -1);
    coap_msg_t msg = last_sent();
    CHECK_INT(option_of(&msg, COAP_OPT_BLOCK1), BLOCK(0, 1, 6));
    CHECK_INT(option_of(&msg, COAP_OPT_SIZE1), 3000);
    CHECK_INT(msg.payload_size, 1024);
    answer(COAP_ACK, 0x5F, BLOCK(0, 1, 4), -1, 0); /* the server wants smaller ones: it has the first 256 bytes... of 1024 */
    msg = last_sent();
    CHECK_INT(msg.payload_size, 256);
    unsigned blocks = 1;
    while (!w.results && blocks++ < 40) {
        msg = last_sent();
        const int block = option_of(&msg, COAP_OPT_BLOCK1);
        CHECK_INT(block & 7, 4);
        answer(COAP_ACK, block & 8 ? 0x5F : 0x44, block, -1, 0);
    }
    CHECK_INT(w.result, COAP_RESULT_OK);
    CHECK_INT(w.response_code, 0x44);
    end();
}

static void test_block2_received(void) {
    begin(0);
    ask("p", 1);
    answer(COAP_ACK, 0x45, -1, BLOCK(0, 1, 2), 64);
    coap_msg_t msg = last_sent();
    CHECK_INT(option_of(&msg, COAP_OPT_BLOCK2), BLOCK(1, 0, 2));
    answer(COAP_ACK, 0x45, -1, BLOCK(1, 1, 2), 64);
    answer(COAP_ACK, 0x45, -1, BLOCK(2, 0, 2), 10);
    CHECK_INT(w.results, 1);
    CHECK_INT(w.response_size, 138);
    ask("p", 1);
    answer(COAP_ACK, 0x45, -1, BLOCK(0, 1, 2), 64);
    answer(COAP_ACK, 0x45, -1, BLOCK(5, 1, 2), 64); /* not what was asked for */
    CHECK_INT(w.results, 2);
    CHECK_INT(w.result, COAP_RESULT_INVALID);
    end();
}

/* ------------------------------------------------------------------ the server's requests */

static void test_duplicates(void) {
    begin(4000);
    w.answer_size = 20;
    REQUEST(.type = COAP_CON, .code = 2, .mid = 1);
    CHECK_INT(w.requests, 1);
    for (int i = 0; i < 5; ++i) {
        REQUEST(.type = COAP_CON, .code = 2, .mid = 1);
    }
    CHECK_INT(w.requests, 1);
    CHECK_INT(w.sent_count, 6);
    CHECK(!memcmp(w.sent[0], w.sent[5], w.sent_size[0]));
    CHECK_INT(coap_endpoint_stats(w.ep).incoming_retransmissions, 5);
    REQUEST(.type = COAP_CON, .code = 2, .mid = 2);
    CHECK_INT(w.requests, 2);
    w.now_s = 248; /* EXCHANGE_LIFETIME is 247 s */
    REQUEST(.type = COAP_CON, .code = 2, .mid = 1);
    CHECK_INT(w.requests, 3);
    end();
}

/** Ids are remembered for longer than answers are kept, in whatever order they come, and given up in time. */
static void test_ids_are_remembered(void) {
    begin(0);
    for (unsigned i = 0; i < 2000; ++i) {
        REQUEST(.type = COAP_CON, .code = 2, .mid = (uint16_t) (65000 + i)); /* beyond the highest one, too */
    }
    CHECK_INT(w.requests, 2000);
    for (unsigned i = 0; i < 2000; ++i) {
        REQUEST(.type = COAP_CON, .code = 2, .mid = (uint16_t) (65000 + i));
    }
    CHECK_INT(w.requests, 2000);
    for (unsigned i = 0; i < 60; ++i) { /* a server that does not count */
        REQUEST(.type = COAP_NON, .code = 2, .mid = (uint16_t) (10000 + 811 * i));
        REQUEST(.type = COAP_NON, .code = 2, .mid = (uint16_t) (10000 + 811 * i));
    }
    CHECK_INT(w.requests, 2060);
    w.now_s = 248;
    REQUEST(.type = COAP_CON, .code = 2, .mid = 65000);
    REQUEST(.type = COAP_CON, .code = 2, .mid = 10000);
    CHECK_INT(w.requests, 2062);
    end();

    begin(0); /* one request a second: each is forgotten when its time has come, though others came right after it */
    for (unsigned i = 0; i < 400; ++i) {
        w.now_s = i;
        REQUEST(.type = COAP_CON, .code = 2, .mid = (uint16_t) (1 + i));
    }
    CHECK_INT(w.requests, 400);
    REQUEST(.type = COAP_CON, .code = 2, .mid = 400 - 246);
    CHECK_INT(w.requests, 400);
    REQUEST(.type = COAP_CON, .code = 2, .mid = 400 - 247 - 16);
    CHECK_INT(w.requests, 401);
    end();

    begin(0); /* a server that is so fast that it begins anew within the time is not held up */
    for (unsigned i = 0; i < 3 * 65536; ++i) {
        REQUEST(.type = COAP_CON, .code = 2, .mid = (uint16_t) i);
    }
    CHECK_INT(w.requests, 3 * 65536);
    end();
}

/** A server that was started anew may use an id again: what has other contents is no copy, and its answer not the one that is kept. */
static void test_ids_used_again(void) {
    begin(4000);
    w.answer_size = 20;
    REQUEST(.type = COAP_CON, .code = 2, .mid = 1, .token = 2);
    REQUEST(.type = COAP_CON, .code = 2, .mid = 1, .token = 3);
    REQUEST(.type = COAP_CON, .code = 1, .mid = 1, .token = 3);
    CHECK_INT(w.requests, 3);
    CHECK_INT(w.sent[1][4], 3);
    CHECK_INT(w.sent[2][1], 0x45);
    REQUEST(.type = COAP_CON, .code = 1, .mid = 1, .token = 3);
    CHECK_INT(w.requests, 3);
    CHECK(!memcmp(w.sent[3], w.sent[2], w.sent_size[2]));
    end();
}

/** The cache is of a limited size: the oldest answers go first, the newest is always there. */
static void test_cache_is_limited(void) {
    begin(1000);
    w.answer_size = 100;
    for (uint16_t mid = 1; mid <= 200; ++mid) {
        REQUEST(.type = COAP_CON, .code = 2, .mid = mid);
        REQUEST(.type = COAP_CON, .code = 2, .mid = mid);
        CHECK_INT(w.requests, mid);
    }
    end();
}

static void test_messages(void) {
    begin(1000);
    const uint8_t ping[] = { 0x40, 0, 0x12, 0x34 };
    coap_endpoint_receive(w.ep, ping, sizeof(ping));
    CHECK_INT(w.sent_count, 1);
    CHECK(!memcmp(w.sent[0], "\x70\0\x12\x34", 4));
    const struct {
        const char *data;
        size_t size;
        unsigned answers;
    } CASES[] = { { "", 0, 0 },
                  { "\x40", 1, 0 },
                  { "\x40\x01\0", 3, 0 },
                  { "\x80\x01\0\1", 4, 0 },      /* version 2 */
                  { "\x49\x01\0\1", 4, 0 },      /* token length 9 */
                  { "\x40\x01\0\1\xff", 5, 1 },  /* marker without payload */
                  { "\x40\x01\0\1\xb5x", 6, 1 }, /* option too long */
                  { "\x50\x01\0\1\xb5x", 6, 0 }, /* the same, non-confirmable */
                  { "\x40\x00\0\1\xffx", 6, 0 }, /* empty with payload */
                  { "\x70\0\0\1", 4, 0 },
                  { "\x60\x45\0\1", 4, 0 } };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); ++i) {
        const unsigned before = w.sent_count;
        coap_endpoint_receive(w.ep, (const uint8_t *) CASES[i].data, CASES[i].size);
        CHECK_INT(w.sent_count - before, CASES[i].answers);
        if (w.sent_count > before) {
            CHECK_INT(last_sent().type, COAP_ACK); /* refused rather than reset, as the real library does */
            CHECK_INT(last_sent().code >> 5, 4);
        }
    }
    CHECK(!w.requests);
    end();
}

static void test_block1_received(void) {
    static uint8_t data[2500];
    for (size_t i = 0; i < sizeof(data); ++i) {
        data[i] = (uint8_t) (i % 253);
    }
    for (int stream = 0; stream < 2; ++stream) {
        for (int szx = 0; szx <= 6; ++szx) {
            begin(4000);
            w.stream = stream;
            const size_t size = (size_t) 16 << szx, total = size * 2 + 5;
            uint16_t mid = 1;
            for (int num = 0; num < 3; ++num) {
                const size_t part = num < 2 ? size : 5;
                for (int repeat = 0; repeat < 2; ++repeat) { /* each datagram twice */
                    REQUEST(.type = COAP_CON, .code = 3, .mid = mid, .block1 = BLOCK(num, num < 2, szx), .payload = data + size * num,
                            .size = part);
                }
                ++mid;
                const coap_msg_t msg = last_sent();
                CHECK_INT(msg.code, num < 2 ? 0x5F : 0x44);
                CHECK_INT(option_of(&msg, COAP_OPT_BLOCK1), BLOCK(num, num < 2, szx));
            }
            CHECK_INT(w.body_size, total);
            CHECK(!memcmp(w.body, data, total));
            CHECK_INT(w.requests, stream ? 3 : 1);
            CHECK(!w.aborted);
            end();
        }
    }
}

static void test_block1_out_of_order(void) {
    static uint8_t data[64];
    for (int stream = 0; stream < 2; ++stream) {
        begin(4000);
        w.stream = stream;
        REQUEST(.type = COAP_CON, .code = 3, .mid = 1, .block1 = BLOCK(1, 1, 0), .payload = data, .size = 16);
        CHECK_INT(last_sent().code, 0x88);
        REQUEST(.type = COAP_CON, .code = 3, .mid = 2, .block1 = BLOCK(0, 1, 0), .payload = data, .size = 16);
        REQUEST(.type = COAP_CON, .code = 3, .mid = 3, .block1 = BLOCK(2, 1, 0), .payload = data, .size = 16);
        CHECK_INT(last_sent().code, 0x88);
        REQUEST(.type = COAP_CON, .code = 3, .mid = 4, .block1 = BLOCK(0, 1, 0), .payload = data, .size = 16);
        CHECK_INT(last_sent().code, 0x5F);
        REQUEST(.type = COAP_CON, .code = 3, .mid = 5, .block1 = BLOCK(0, 1, 0), .payload = data, .size = 16); /* a new beginning */
        CHECK_INT(last_sent().code, 0x5F);
        CHECK(!stream || w.aborted);
        REQUEST(.type = COAP_CON, .code = 3, .mid = 6, .block1 = BLOCK(1, 0, 0), .payload = data, .size = 9);
        CHECK_INT(last_sent().code, 0x44);
        CHECK_INT(w.body_size, 25);
        REQUEST(.type = COAP_CON, .code = 3, .mid = 7, .block1 = BLOCK(0, 1, 0), .payload = data, .size = 9); /* not a whole block */
        CHECK(last_sent().code >= 0x80);
        REQUEST(.type = COAP_CON, .code = 3, .mid = 8, .block1 = BLOCK(0, 1, 7), .payload = data, .size = 16);
        CHECK(last_sent().code >= 0x80);
        end();
    }
}

/** Two transfers at once do not disturb each other, and a request between two blocks is served. */
static void test_interleaved(void) {
    static uint8_t data[64];
    begin(4000);
    memset(data, 'a', sizeof(data));
    REQUEST(.type = COAP_CON, .code = 3, .mid = 1, .path = "a", .token = 1, .block1 = BLOCK(0, 1, 0), .payload = data, .size = 16);
    memset(data, 'b', sizeof(data));
    REQUEST(.type = COAP_CON, .code = 3, .mid = 2, .path = "b", .token = 2, .block1 = BLOCK(0, 1, 0), .payload = data, .size = 16);
    REQUEST(.type = COAP_CON, .code = 1, .mid = 3, .path = "c", .token = 3);
    CHECK_INT(last_sent().code, 0x45);
    memset(data, 'a', sizeof(data));
    REQUEST(.type = COAP_CON, .code = 3, .mid = 4, .path = "a", .token = 1, .block1 = BLOCK(1, 0, 0), .payload = data, .size = 4);
    CHECK_INT(w.body_size, 20);
    CHECK(w.body[0] == 'a' && w.body[19] == 'a');
    memset(data, 'b', sizeof(data));
    REQUEST(.type = COAP_CON, .code = 3, .mid = 5, .path = "b", .token = 2, .block1 = BLOCK(1, 0, 0), .payload = data, .size = 5);
    CHECK_INT(w.body_size, 21);
    CHECK(w.body[0] == 'b' && w.body[20] == 'b');
    end();
}

static void test_abandoned_transfer(void) {
    static uint8_t data[16];
    begin(4000);
    w.stream = true;
    REQUEST(.type = COAP_CON, .code = 3, .mid = 1, .block1 = BLOCK(0, 1, 0), .payload = data, .size = 16);
    while (!w.aborted && advance(1000)) {
    }
    CHECK_INT(w.aborted, 1);
    CHECK(w.now_s >= 93 && w.now_s <= 300);
    REQUEST(.type = COAP_CON, .code = 3, .mid = 2, .block1 = BLOCK(1, 0, 0), .payload = data, .size = 16);
    CHECK_INT(last_sent().code, 0x88);
    end();
}

/** A server that takes a new token for each block gave up, began anew and left a block out: the old transfer must not fill the gap. */
static void test_gap_after_abandoned_transfer(void) {
    static uint8_t data[16];
    begin(4000);
    REQUEST(.type = COAP_CON, .code = 3, .mid = 1, .token = 1, .block1 = BLOCK(0, 1, 0), .payload = data, .size = 16);
    REQUEST(.type = COAP_CON, .code = 3, .mid = 2, .token = 2, .block1 = BLOCK(1, 1, 0), .payload = data, .size = 16);
    CHECK_INT(last_sent().code, 0x5F);
    advance(1);
    REQUEST(.type = COAP_CON, .code = 3, .mid = 3, .token = 3, .block1 = BLOCK(0, 1, 0), .payload = data, .size = 16);
    REQUEST(.type = COAP_CON, .code = 3, .mid = 4, .token = 4, .block1 = BLOCK(2, 0, 0), .payload = data, .size = 4);
    CHECK_INT(last_sent().code, 0x88);
    CHECK(!w.requests);
    end();
}

static void test_too_large(void) {
    static uint8_t data[1024];
    begin(4000);
    uint8_t code = 0x5F;
    for (uint16_t num = 0; num < 12 && code == 0x5F; ++num) {
        REQUEST(.type = COAP_CON, .code = 3, .mid = (uint16_t) (num + 1), .block1 = BLOCK(num, 1, 6), .payload = data, .size = 1024);
        code = last_sent().code;
    }
    CHECK_INT(code, 0x8D);
    CHECK(!w.requests);
    end();
}

static void test_block2_sent(void) {
    for (int szx = 0; szx <= 6; ++szx) {
        begin(0);
        w.answer_size = 1500;
        size_t got = 0;
        const size_t size = (size_t) 16 << szx;
        uint16_t mid = 1;
        for (int num = 0; got < 1500 && num < 100; ++num) {
            REQUEST(.type = COAP_CON, .code = 1, .mid = mid++, .block2 = BLOCK(num, 0, szx));
            const coap_msg_t msg = last_sent();
            CHECK_INT(msg.code, 0x45);
            CHECK_INT(option_of(&msg, COAP_OPT_BLOCK2), BLOCK(num, got + size < 1500, szx));
            for (size_t i = 0; i < msg.payload_size; ++i) {
                if (msg.payload[i] != (got + i) % 251) {
                    CHECK(!"the right bytes");
                    break;
                }
            }
            got += msg.payload_size;
        }
        CHECK_INT(got, 1500);
        CHECK_INT(w.requests, 1); /* the rest comes from what was kept */
        REQUEST(.type = COAP_CON, .code = 1, .mid = mid++, .block2 = BLOCK(100, 0, szx));
        CHECK_INT(last_sent().code, 0x80);
        end();
    }
    begin(0); /* smaller blocks midway: block 1 of 1024 is block 4 of 256 */
    w.answer_size = 1500;
    REQUEST(.type = COAP_CON, .code = 1, .mid = 1);
    coap_msg_t msg = last_sent();
    CHECK_INT(option_of(&msg, COAP_OPT_BLOCK2), BLOCK(0, 1, 6));
    REQUEST(.type = COAP_CON, .code = 1, .mid = 2, .block2 = BLOCK(4, 0, 4));
    msg = last_sent();
    CHECK_INT(option_of(&msg, COAP_OPT_BLOCK2), BLOCK(4, 1, 4));
    CHECK_INT(msg.payload[0], 1024 % 251);
    end();
}

/** A later block of an answer to a Write that has none: the Write must not be done. */
static void test_later_block_of_nothing(void) {
    begin(4000);
    REQUEST(.type = COAP_CON, .code = 3, .mid = 1, .block2 = BLOCK(3, 0, 3), .payload = "x", .size = 1);
    CHECK_INT(last_sent().code, 0x80);
    CHECK(!w.requests);
    end();
}

/* ------------------------------------------------------------------ notifications */

static void on_notified(void *arg, coap_result_t result) {
    ++w.results;
    w.result = result;
}

static void test_notifications(void) {
    begin(0);
    coap_notification_t notification = {
        .token = { 1, { 9 } }, .code = 0x45, .content_format = 0, .payload = (const uint8_t *) "v", .payload_size = 1
    };
    coap_endpoint_notify(w.ep, &notification, on_notified, NULL);
    coap_msg_t msg = last_sent();
    CHECK_INT(msg.type, COAP_NON);
    CHECK_INT(w.results, 1);
    const int first = option_of(&msg, COAP_OPT_OBSERVE);
    uint8_t rst[] = { 0x70, 0, (uint8_t) (msg.mid >> 8), (uint8_t) msg.mid };
    coap_endpoint_receive(w.ep, rst, sizeof(rst));
    CHECK_INT(w.resets, 1);
    notification.confirmable = true;
    CHECK(coap_endpoint_notify(w.ep, &notification, on_notified, NULL));
    msg = last_sent();
    CHECK_INT(msg.type, COAP_CON);
    CHECK(option_of(&msg, COAP_OPT_OBSERVE) > first);
    CHECK(advance(100));
    CHECK_INT(w.sent_count, 3);
    const uint8_t ack[] = { 0x60, 0, (uint8_t) (msg.mid >> 8), (uint8_t) msg.mid };
    coap_endpoint_receive(w.ep, ack, sizeof(ack));
    CHECK_INT(w.results, 2);
    CHECK_INT(w.result, COAP_RESULT_OK);
    coap_endpoint_notify(w.ep, &notification, on_notified, NULL);
    while (w.results == 2 && advance(300)) {
    }
    CHECK_INT(w.result, COAP_RESULT_TIMEOUT);
    end();
}

/** In blocks of the size that the observing request asked for; the rest is fetched in the same size, or any other. */
static void test_notification_in_blocks(void) {
    static uint8_t payload[2000];
    for (unsigned szx = 0; szx <= 6; ++szx) {
        const size_t size = (size_t) 16 << szx;
        begin(0);
        const uint8_t options[] = { 0xD1, COAP_OPT_BLOCK2 - 13, (uint8_t) szx };
        const coap_msg_t request = { .code = 1, .options = options, .options_size = sizeof(options) };
        const coap_notification_t notification = { .token = { 1, { 9 } },
                                                   .code = 0x45,
                                                   .content_format = 0,
                                                   .payload = payload,
                                                   .payload_size = sizeof(payload),
                                                   .request = &request };
        coap_endpoint_notify(w.ep, &notification, on_notified, NULL);
        coap_msg_t msg = last_sent();
        CHECK_INT(msg.payload_size, size);
        CHECK_INT(option_of(&msg, COAP_OPT_BLOCK2), (int) (8 | szx));
        const uint8_t fetch[] = { 0x41, 1, 0, (uint8_t) szx, 8, 0xD1, COAP_OPT_BLOCK2 - 13, (uint8_t) (1 << 4 | szx) };
        coap_endpoint_receive(w.ep, fetch, sizeof(fetch));
        CHECK_INT(w.requests, 0);
        msg = last_sent();
        CHECK_INT(msg.payload_size, AVS_MIN(size, sizeof(payload) - size));
        CHECK_INT(w.result, COAP_RESULT_OK);
        end();
    }
}

/* ------------------------------------------------------------------ codec */

static void test_codec(void) {
    uint8_t data[2000], value[300];
    memset(value, 'v', sizeof(value));
    static const size_t SIZES[] = { 0, 1, 12, 13, 14, 255, 268, 269, 270, 300 };
    static const uint32_t NUMBERS[] = { 1, 12, 13, 14, 268, 269, 270, 2000, 65000 };
    for (size_t i = 0; i < sizeof(SIZES) / sizeof(*SIZES); ++i) {
        coap_writer_t writer;
        const coap_token_t token = { 8, "token678" };
        coap_writer_start(&writer, data, sizeof(data), COAP_NON, 0x45, 0xABCD, &token);
        for (size_t n = 0; n < 5; ++n) {
            coap_writer_option(&writer, NUMBERS[n * 2 % 9 ? n * 2 : 0], value, SIZES[i]);
        }
        coap_writer_payload(&writer, "payload", 7);
        CHECK(!writer.overflow);
        coap_msg_t msg;
        CHECK_INT(coap_msg_parse(data, writer.size, &msg), COAP_PARSE_OK);
        CHECK(msg.type == COAP_NON && msg.code == 0x45 && msg.mid == 0xABCD && coap_token_equal(&msg.token, &token));
        CHECK(msg.payload_size == 7 && !memcmp(msg.payload, "payload", 7));
        coap_option_iter_t iter = { 0 };
        coap_option_t option;
        size_t count = 0;
        while (coap_option_next(&msg, &iter, &option)) {
            CHECK_INT(option.size, SIZES[i]);
            ++count;
        }
        CHECK_INT(count, 5);
        for (size_t cut = 0; cut < writer.size; ++cut) { /* every prefix is parsed without reading on */
            uint8_t *exact = (uint8_t *) malloc(cut + !cut);
            memcpy(exact, data, cut);
            coap_msg_parse(exact, cut, &msg);
            free(exact);
        }
        for (size_t capacity = 0; capacity < writer.size; capacity += 7) {
            coap_writer_t small;
            coap_writer_start(&small, data, capacity, COAP_NON, 0x45, 1, &token);
            coap_writer_option(&small, 1, value, 300);
            coap_writer_payload(&small, value, 300);
            CHECK(small.overflow || capacity >= 616);
        }
    }
}

int main(void) {
    RUN(test_retransmission);
    RUN(test_answers);
    RUN(test_answers_that_are_none);
    RUN(test_next_after_the_ack);
    RUN(test_block1_sent);
    RUN(test_block2_received);
    RUN(test_duplicates);
    RUN(test_ids_are_remembered);
    RUN(test_ids_used_again);
    RUN(test_cache_is_limited);
    RUN(test_messages);
    RUN(test_block1_received);
    RUN(test_block1_out_of_order);
    RUN(test_interleaved);
    RUN(test_abandoned_transfer);
    RUN(test_gap_after_abandoned_transfer);
    RUN(test_too_large);
    RUN(test_block2_sent);
    RUN(test_later_block_of_nothing);
    RUN(test_notifications);
    RUN(test_notification_in_blocks);
    RUN(test_codec);
    return TEST_END();
}
