/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A DTLS connection over a network that drops, changes, repeats, reorders and invents datagrams; the server is OpenSSL's, in this process. First
 * byte: whether the key is wrong, and the suite; then records, each an operation, a length and so many bytes. Ends the run besides the sanitizers: once
 * connected, a datagram that is not the server's ends the connection or comes out as data, or data comes out twice.
 */
#include "../../vendor/avs_commons/src/net/net_async.h"
#include "mock_system.h"

#include <avsystem/commons/avs_log.h>

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <sys/time.h>

enum { OP_PASS, OP_DROP, OP_CHANGE, OP_HOLD, OP_RAW, OP_AGAIN, OP_TIME, OP_SEND, OP_CLOSE, OP_COUNT };
enum { QUEUE = 32, RECORD_MAX = 1600, HEADER = 13 };

typedef struct {
    size_t size;
    uint8_t data[RECORD_MAX];
} datagram_t;

static SSL_CTX *server_ctx;
static SSL *server;
static bool wrong_key, closing; /**< closing: the server said close_notify or an alert */
static datagram_t queue[QUEUE], now_read, last_read;
static size_t queued;
static uint32_t SUITES[] = { 0xC0A8, 0xC0A4, 0x00A8, 0xCCAB, 0x00AE, 0x00AF, 0xC037, 0x00A9 };
enum { SUITE_COUNT = sizeof(SUITES) / sizeof(*SUITES) };
static avs_net_socket_t *client, *keepers[SUITE_COUNT]; /**< keepers: never used, so that each context that is shared is made once */
static enum { CLOSED, CONNECTING, CONNECTED } state;
static unsigned sent_by_server, got_by_client;

/** OpenSSL's clock. */
int gettimeofday(struct timeval *now, void *zone) {
    struct timespec precise;
    (void) zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

/* ------------------------------------------------------------------ the server */

static unsigned int psk(SSL *ssl, const char *identity, unsigned char *out, unsigned int size) {
    (void) ssl;
    (void) identity;
    REQUIRE(size >= 8);
    memcpy(out, wrong_key ? "other123" : "key12345", 8);
    return 8;
}

static int fixed_bytes(unsigned char *out, int size) {
    return RAND_bytes(out, size);
}

static int fixed_status(void) {
    return 1;
}

static void set_up(void) {
    static const RAND_METHOD FIXED = { .bytes = fixed_bytes, .pseudorand = fixed_bytes, .status = fixed_status };
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    REQUIRE(RAND_set_rand_method(&FIXED));
#pragma GCC diagnostic pop
    server_ctx = SSL_CTX_new(DTLS_server_method());
    REQUIRE(server_ctx && SSL_CTX_set_cipher_list(server_ctx, "PSK:kECDHEPSK:@SECLEVEL=0") == 1
            && SSL_CTX_set_session_id_context(server_ctx, (const unsigned char *) "f", 1));
    SSL_CTX_set_psk_server_callback(server_ctx, psk);
    SSL_CTX_set_options(server_ctx, SSL_OP_NO_QUERY_MTU);
}

/** Takes the records that the server wrote into the queue, each as a datagram. */
static void collect(void) {
    char *bytes;
    long size = BIO_get_mem_data(SSL_get_wbio(server), &bytes);
    for (long at = 0; at + HEADER <= size;) {
        const size_t length = HEADER + ((size_t) (uint8_t) bytes[at + 11] << 8 | (uint8_t) bytes[at + 12]);
        if (queued < QUEUE && length <= RECORD_MAX) {
            queue[queued].size = length;
            memcpy(queue[queued++].data, bytes + at, length);
        }
        closing |= bytes[at] == SSL3_RT_ALERT;
        at += (long) length;
    }
    (void) BIO_reset(SSL_get_wbio(server));
}

/** What the client sends arrives at once. */
static void to_server(const void *data, size_t size) {
    char ignored[2048];
    BIO_write(SSL_get_rbio(server), data, (int) size);
    if (!SSL_is_init_finished(server)) {
        (void) SSL_do_handshake(server);
    } else {
        int got = SSL_read(server, ignored, sizeof(ignored));
        if (got > 0) { /* comes back */
            sent_by_server += SSL_write(server, ignored, got) > 0;
        }
    }
    (void) BIO_reset(SSL_get_rbio(server));
    ERR_clear_error();
    collect();
}

static void new_server(void) {
    SSL_free(server);
    server = SSL_new(server_ctx);
    REQUIRE(server);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    REQUIRE(in && out);
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(server, in, out);
    SSL_set_mtu(server, 1400);
    SSL_set_accept_state(server);
    closing = false;
    queued = 0;
    sent_by_server = got_by_client = 0;
}

/* ------------------------------------------------------------------ the client */

static ssize_t give(void *data, size_t size) {
    if (!now_read.size) {
        errno = EAGAIN;
        return -1;
    }
    const size_t fits = now_read.size < size ? now_read.size : size;
    memcpy(data, now_read.data, fits);
    now_read.size = 0;
    return (ssize_t) fits;
}

static void connect_anew(void) {
    new_server();
    state = avs_is_ok(net_connect_start(client, "127.0.0.1", "5684")) ? CONNECTING : CLOSED;
}

static void step(void) {
    bool pending = false;
    avs_time_monotonic_t deadline;
    if (avs_is_err(net_connect_step(client, &pending, &deadline))) {
        avs_net_socket_close(client);
        state = CLOSED;
    } else if (!pending) {
        state = CONNECTED;
        REQUIRE(!wrong_key);
    }
}

static void receive(void) {
    uint8_t data[700];
    size_t size;
    avs_error_t err;
    while (avs_is_ok(err = avs_net_socket_receive(client, &size, data, sizeof(data)))) {
        REQUIRE(++got_by_client <= sent_by_server);
        for (size_t i = 0; i < size; ++i) {
            REQUIRE(data[i] == 'd');
        }
    }
    if (err.category == AVS_ERRNO_CATEGORY && err.code == AVS_EMSGSIZE) {
        ++got_by_client;
    } else if (err.category != AVS_ERRNO_CATEGORY || err.code != AVS_ETIMEDOUT) {
        if (getenv("FUZZ_LOG")) {
            fprintf(stderr, "category %u code %u\n", err.category, err.code);
        }
        REQUIRE(closing);
        avs_net_socket_close(client);
        state = CLOSED;
    }
}

static void deliver(const uint8_t *data, size_t size) {
    now_read.size = size < RECORD_MAX ? size : RECORD_MAX;
    memcpy(now_read.data, data, now_read.size);
    last_read = now_read;
    if (getenv("FUZZ_LOG")) {
        for (size_t i = 0; i < now_read.size && i < HEADER; ++i) {
            fprintf(stderr, "%02x ", now_read.data[i]);
        }
        fprintf(stderr, "(%zu bytes)\n", now_read.size);
    }
    if (state == CONNECTING) {
        step();
    } else if (state == CONNECTED) {
        receive();
    } else {
        connect_anew();
    }
    now_read.size = 0;
}

static void take_first(datagram_t *out) {
    *out = queue[0];
    memmove(queue, queue + 1, --queued * sizeof(*queue));
}

static void record(unsigned op, const uint8_t *body, size_t length) {
    static datagram_t first;
    if (getenv("FUZZ_LOG")) {
        fprintf(stderr, "op %u, %zu bytes, state %d, %zu waiting\n", op, length, (int) state, queued);
    }
    const bool needs_one = op == OP_PASS || op == OP_DROP || op == OP_CHANGE || op == OP_HOLD;
    if (needs_one && !queued) {
        if (state == CLOSED) {
            connect_anew();
        }
        return;
    }
    if (needs_one) {
        take_first(&first);
    }
    switch (op) {
    case OP_PASS: deliver(first.data, first.size); break;
    case OP_DROP: break;
    case OP_CHANGE:
        if (length > 1 && body[1]) {
            first.data[body[0] % first.size] ^= body[1];
            first.size -= length > 2 ? body[2] % first.size : 0;
        }
        deliver(first.data, first.size);
        break;
    case OP_HOLD: queue[queued++] = first; break;
    case OP_RAW: deliver(body, length); break;
    case OP_AGAIN:
        first = last_read;
        deliver(first.data, first.size);
        break;
    case OP_TIME:
        clock_ns += (int64_t) (length ? body[0] * body[0] : 100) * 10000000;
        if (state == CONNECTING) {
            step();
        }
        break;
    case OP_SEND: {
        uint8_t data[1024];
        memset(data, 'd', sizeof(data));
        if (state == CONNECTED) {
            (void) !avs_is_ok(avs_net_socket_send(client, data, 1 + (length ? body[0] * 4u : 0)));
        }
        break;
    }
    default:
        if (SSL_is_init_finished(server)) {
            (void) SSL_shutdown(server);
            ERR_clear_error();
            collect();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size) {
        return 0;
    }
    avs_log_set_default_level(getenv("FUZZ_LOG") ? AVS_LOG_TRACE : AVS_LOG_QUIET);
    system_reset();
    if (!server_ctx) {
        set_up();
    }
    wrong_key = *data & 1;
    const size_t suite = *data++ / 2 % SUITE_COUNT;
    --size;
    const avs_net_psk_info_t key = { .key = avs_crypto_psk_key_info_from_buffer("key12345", 8),
                                     .identity = avs_crypto_psk_identity_info_from_buffer("identity", 8) };
    const avs_net_ssl_configuration_t config = { .security = avs_net_security_info_from_psk(key),
                                                 .ciphersuites = { &SUITES[suite], 1 } };
    if (!keepers[suite]) {
        REQUIRE(avs_is_ok(avs_net_dtls_socket_create(&keepers[suite], &config)));
    }
    state = CLOSED;
    last_read.size = now_read.size = 0;
    receive_hook = give;
    send_hook = to_server;
    inside = true;
    REQUIRE(avs_is_ok(avs_net_dtls_socket_create(&client, &config)));
    avs_net_socket_set_opt(client, AVS_NET_SOCKET_OPT_RECV_TIMEOUT,
                           (avs_net_socket_opt_value_t) { .recv_timeout = AVS_TIME_DURATION_ZERO });
    connect_anew();
    while (size >= 2) {
        const size_t length = data[1] <= size - 2 ? data[1] : size - 2;
        record(data[0] % OP_COUNT, data + 2, length);
        data += 2 + length;
        size -= 2 + length;
    }
    avs_net_socket_cleanup(&client);
    SSL_free(server);
    server = NULL;
    inside = false;
    REQUIRE(!open_fds);
    return 0;
}
