/* SPDX-License-Identifier: Apache-2.0 */
/** DTLS against a server of OpenSSL's in this process, over loopback, driven by hand: handshakes, data, ends, forged records, failing allocations. */
#include "../../vendor/avs_commons/src/base/alloc_hook.h"
#include "../../vendor/avs_commons/src/net/net_async.h"
#include "test.h"

#include <avsystem/commons/avs_log.h>
#include <avsystem/commons/avs_socket.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* ------------------------------------------------------------------ the clock, for this file and for OpenSSL */

static double clock_offset;

int clock_gettime(clockid_t id, struct timespec *now) {
    if (syscall(SYS_clock_gettime, id, now)) {
        return -1;
    }
    now->tv_sec += (time_t) clock_offset;
    return 0;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec precise;
    (void) zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

/* ------------------------------------------------------------------ memory */

static long allocations, fail_from, fail_count;
static bool openssl_too;

static bool hook(void) {
    ++allocations;
    return allocations >= fail_from && allocations < fail_from + fail_count;
}

static void *openssl_malloc(size_t size, const char *file, int line) {
    (void) file;
    (void) line;
    return openssl_too && hook() ? NULL : malloc(size);
}

static void *openssl_realloc(void *pointer, size_t size, const char *file, int line) {
    (void) file;
    (void) line;
    return openssl_too && hook() ? NULL : realloc(pointer, size);
}

static void openssl_free(void *pointer, const char *file, int line) {
    (void) file;
    (void) line;
    free(pointer);
}

/* ------------------------------------------------------------------ the server */

static SSL_CTX *server_ctx;
static const char *server_key;

typedef struct {
    int fd;
    char port[8];
    SSL *ssl;
    struct sockaddr_in peer;
    bool closed;
} server_t;

static unsigned int psk(SSL *ssl, const char *identity, unsigned char *out, unsigned int size) {
    (void) ssl;
    (void) size;
    if (strcmp(identity, "identity")) {
        return 0;
    }
    memcpy(out, server_key, 8);
    return 8;
}

static void server_new_session(server_t *server) {
    SSL_free(server->ssl);
    server->ssl = SSL_new(server_ctx);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    CHECK(server->ssl && in && out);
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(server->ssl, in, out);
    SSL_set_mtu(server->ssl, 1400);
    SSL_set_accept_state(server->ssl);
    server->closed = false;
}

static void server_open(server_t *server) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    *server = (server_t) { .fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) };
    CHECK(server->fd >= 0 && !bind(server->fd, (struct sockaddr *) &address, size)
          && !getsockname(server->fd, (struct sockaddr *) &address, &size));
    snprintf(server->port, sizeof(server->port), "%u", ntohs(address.sin_port));
    server_key = "key12345";
    server_new_session(server);
}

static void server_close(server_t *server) {
    SSL_free(server->ssl);
    close(server->fd);
}

static void server_send_raw(server_t *server, const void *data, size_t size) {
    CHECK_INT(sendto(server->fd, data, size, 0, (const struct sockaddr *) &server->peer, sizeof(server->peer)), size);
}

static bool tampering; /**< the last byte of each record is changed on its way */

/** What the server's OpenSSL wrote goes out, each record as a datagram. */
static void server_flush(server_t *server) {
    uint8_t *bytes;
    const long size = BIO_get_mem_data(SSL_get_wbio(server->ssl), (char **) &bytes);
    for (long at = 0; at + 13 <= size;) {
        const long length = 13 + (bytes[at + 11] << 8 | bytes[at + 12]);
        bytes[at + length - 1] ^= tampering;
        server_send_raw(server, bytes + at, (size_t) length);
        at += length;
    }
    (void) BIO_reset(SSL_get_wbio(server->ssl));
}

/** Takes every datagram that has come; application data is sent back. */
static void server_turn(server_t *server) {
    uint8_t data[20000];
    ssize_t got;
    socklen_t size = sizeof(server->peer);
    while ((got = recvfrom(server->fd, data, sizeof(data), 0, (struct sockaddr *) &server->peer, &size)) > 0) {
        BIO_write(SSL_get_rbio(server->ssl), data, (int) got);
        if (!SSL_is_init_finished(server->ssl)) {
            (void) SSL_do_handshake(server->ssl);
        } else if ((got = SSL_read(server->ssl, data, sizeof(data))) > 0) {
            (void) SSL_write(server->ssl, data, (int) got);
        } else {
            server->closed |= SSL_get_shutdown(server->ssl) & SSL_RECEIVED_SHUTDOWN;
        }
        (void) BIO_reset(SSL_get_rbio(server->ssl));
        ERR_clear_error();
        server_flush(server);
    }
}

/* ------------------------------------------------------------------ the client */

static avs_net_ssl_configuration_t config_of(const char *identity, const char *key) {
    const avs_net_psk_info_t info = { .key = avs_crypto_psk_key_info_from_buffer(key, strlen(key)),
                                      .identity = avs_crypto_psk_identity_info_from_buffer(identity, strlen(identity)) };
    return (avs_net_ssl_configuration_t) { .security = avs_net_security_info_from_psk(info) };
}

static avs_net_socket_t *make_client(const avs_net_ssl_configuration_t *config) {
    avs_net_socket_t *client = NULL;
    if (avs_is_ok(avs_net_dtls_socket_create(&client, config))) {
        avs_net_socket_set_opt(client, AVS_NET_SOCKET_OPT_RECV_TIMEOUT,
                               (avs_net_socket_opt_value_t) { .recv_timeout = AVS_TIME_DURATION_ZERO });
    }
    return client;
}

/** Connects; time passes when nothing else does. */
static avs_error_t connect_to(avs_net_socket_t *client, server_t *server) {
    bool pending = true;
    avs_error_t err = net_connect_start(client, "127.0.0.1", server->port);
    for (int i = 0; i < 100 && avs_is_ok(err) && pending; ++i) {
        avs_time_monotonic_t deadline;
        server_turn(server);
        struct pollfd readable = { .fd = net_connect_fd(client), .events = POLLIN };
        if (poll(&readable, 1, 0) <= 0) {
            clock_offset += 1;
        }
        err = net_connect_step(client, &pending, &deadline);
    }
    server_turn(server);
    return pending && avs_is_ok(err) ? avs_errno(AVS_EAGAIN) : err;
}

/** Sends a text and takes its echo. @returns the bytes that came back, negative for an error. */
static int echo(avs_net_socket_t *client, server_t *server, size_t size) {
    static uint8_t data[17000], back[17000];
    size_t got = 0;
    memset(data, 'e', sizeof(data));
    if (avs_is_err(avs_net_socket_send(client, data, size))) {
        return -1;
    }
    server_turn(server);
    if (avs_is_err(avs_net_socket_receive(client, &got, back, sizeof(back)))) {
        return -2;
    }
    return got <= sizeof(data) && !memcmp(data, back, got) ? (int) got : -3;
}

static bool is(avs_error_t err, avs_errno_t code) {
    return err.category == AVS_ERRNO_CATEGORY && err.code == (uint16_t) code;
}

/* ------------------------------------------------------------------ tests */

static void test_session(void) {
    server_t server;
    server_open(&server);
    const avs_net_ssl_configuration_t config = config_of("identity", "key12345");
    avs_net_socket_t *client = make_client(&config);
    avs_net_socket_opt_value_t resumed;
    CHECK(avs_is_ok(connect_to(client, &server)));
    CHECK_INT(echo(client, &server, 5), 5);
    CHECK_INT(echo(client, &server, 1200), 1200);
    CHECK_INT(echo(client, &server, 9000), 9000); /* more than a CoAP message needs: buffers grow */
    CHECK_INT(echo(client, &server, 17000), -1);
    CHECK(avs_is_ok(avs_net_socket_get_opt(client, AVS_NET_SOCKET_OPT_SESSION_RESUMED, &resumed)) && !resumed.flag);
    avs_net_socket_close(client);
    server_turn(&server);
    CHECK(server.closed); /* close_notify came */
    server_new_session(&server);
    CHECK(avs_is_ok(connect_to(client, &server)));
    CHECK(avs_is_ok(avs_net_socket_get_opt(client, AVS_NET_SOCKET_OPT_SESSION_RESUMED, &resumed)) && resumed.flag);
    net_forget_session(client);
    avs_net_socket_close(client);
    server_new_session(&server);
    CHECK(avs_is_ok(connect_to(client, &server)));
    CHECK(avs_is_ok(avs_net_socket_get_opt(client, AVS_NET_SOCKET_OPT_SESSION_RESUMED, &resumed)) && !resumed.flag);
    avs_net_socket_cleanup(&client);
    server_close(&server);
}

static void test_ends(void) {
    server_t server;
    uint8_t data[100];
    size_t size;
    server_open(&server);
    const avs_net_ssl_configuration_t config = config_of("identity", "key12345");
    avs_net_socket_t *client = make_client(&config);
    CHECK(is(avs_net_socket_send(client, "x", 1), AVS_ENOTCONN));
    CHECK(avs_is_ok(connect_to(client, &server)));
    CHECK(is(avs_net_socket_receive(client, &size, data, sizeof(data)), AVS_ETIMEDOUT));
    SSL_shutdown(server.ssl);
    server_flush(&server);
    CHECK(is(avs_net_socket_receive(client, &size, data, sizeof(data)), AVS_ECONNRESET));
    avs_net_socket_cleanup(&client);
    server_close(&server);
}

static void test_wrong_key_and_identity(void) {
    server_t server;
    server_open(&server);
    const avs_net_ssl_configuration_t wrong_key = config_of("identity", "other123"), nobody = config_of("nobody", "key12345");
    avs_net_socket_t *client = make_client(&wrong_key);
    avs_error_t err = connect_to(client, &server);
    CHECK(avs_is_err(err)); /* the server drops what it cannot read, or says bad_record_mac */
    avs_net_socket_cleanup(&client);
    server_new_session(&server);
    client = make_client(&nobody);
    err = connect_to(client, &server);
    CHECK_INT(err.category, AVS_NET_SSL_ALERT_CATEGORY);
    CHECK_INT(avs_net_ssl_alert_level(err), 2);
    avs_net_socket_cleanup(&client);
    server_close(&server);
}

/** Nobody answers: retransmissions with doubled pauses, then the end. */
static void test_silence(void) {
    server_t server;
    server_open(&server);
    avs_net_ssl_configuration_t config = config_of("identity", "key12345");
    const avs_net_dtls_handshake_timeouts_t timeouts = { { 1, 0 }, { 8, 0 } };
    config.dtls_handshake_timeouts = &timeouts;
    avs_net_socket_t *client = make_client(&config);
    bool pending = true;
    avs_time_monotonic_t deadline;
    unsigned hellos = 0;
    const double start = clock_offset;
    avs_error_t err = net_connect_start(client, "127.0.0.1", server.port);
    while (avs_is_ok(err) && pending && clock_offset - start < 60) {
        uint8_t data[2000];
        err = net_connect_step(client, &pending, &deadline);
        while (recv(server.fd, data, sizeof(data), 0) > 0) {
            ++hellos;
        }
        clock_offset += 1;
    }
    CHECK(is(err, AVS_ETIMEDOUT));
    CHECK(hellos >= 4 && hellos <= 5); /* at 0, 1, 3, 7 and perhaps 15 s */
    CHECK(clock_offset - start >= 15 && clock_offset - start <= 25);
    avs_net_socket_cleanup(&client);
    server_close(&server);
}

/** Whoever can forge an address can send records: none of them ends the connection, before or after the handshake. */
static void test_forged_records(void) {
    static const struct {
        size_t size;
        uint8_t bytes[100];
    } RECORDS[] = {
        { 1, { 22 } },
        { 13, { 23, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0 } },
        { 15, { 23, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 1, 1 } },
        { 15, { 21, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 9, 0, 2, 1, 0 } }, /* an alert, as if encrypted, too short for a nonce */
        { 21, { 21, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 9, 0, 8 } },
        { 28, { 23, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 9, 0, 15 } },
        { 29, { 23, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 9, 0, 16 } },
        { 36, { 23, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 9, 0, 23 } },
        { 37, { 23, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 9, 0, 24 } },
        { 61, { 23, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 9, 0, 48 } },
        { 76, { 23, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 9, 0, 63 } },
        { 77, { 23, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 9, 0, 64 } },
        { 92, { 22, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 9, 0, 79 } },
        { 93, { 22, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 9, 0, 80 } },
        { 13, { 22, 0xFE, 0xFD, 0, 2, 0, 0, 0, 0, 0, 9, 0, 0 } },
    };
    static uint32_t suites[] = { 0xC0A8, 0xC0A4, 0x00A8, 0xCCAB, 0x00AE, 0x00AF };
    for (size_t s = 0; s < sizeof(suites) / sizeof(*suites); ++s) {
        server_t server;
        server_open(&server);
        avs_net_ssl_configuration_t config = config_of("identity", "key12345");
        config.ciphersuites = (avs_net_socket_tls_ciphersuites_t) { &suites[s], 1 };
        avs_net_socket_t *client = make_client(&config);
        bool pending = true;
        avs_time_monotonic_t deadline;
        CHECK(avs_is_ok(net_connect_start(client, "127.0.0.1", server.port)));
        uint8_t hello[2000];
        socklen_t size = sizeof(server.peer);
        CHECK(recvfrom(server.fd, hello, sizeof(hello), MSG_PEEK, (struct sockaddr *) &server.peer, &size) > 0
              || avs_is_ok(net_connect_step(client, &pending, &deadline)));
        CHECK(recvfrom(server.fd, hello, sizeof(hello), MSG_PEEK, (struct sockaddr *) &server.peer, &size) > 0);
        for (int round = 0; round < 2; ++round) {
            for (size_t i = 0; i < sizeof(RECORDS) / sizeof(*RECORDS); ++i) {
                server_send_raw(&server, RECORDS[i].bytes, RECORDS[i].size);
                if (!round) {
                    CHECK(avs_is_ok(net_connect_step(client, &pending, &deadline)) && pending);
                } else {
                    CHECK_INT(echo(client, &server, 3), 3);
                }
            }
            for (int i = 0; i < 20 && pending; ++i) {
                server_turn(&server);
                CHECK(avs_is_ok(net_connect_step(client, &pending, &deadline)));
            }
            CHECK(!pending);
            server_turn(&server);
        }
        tampering = true;
        CHECK_INT(echo(client, &server, 3), -2); /* lost */
        tampering = false;
        CHECK_INT(echo(client, &server, 3), 3);
        avs_net_socket_cleanup(&client);
        server_close(&server);
    }
}

static int refuse(void *library_ssl_ctx) {
    (void) library_ssl_ctx;
    return -1;
}

static void test_configurations(void) {
    uint32_t unknown[] = { 0x1301 };
    avs_net_socket_t *client = NULL;
    avs_net_ssl_configuration_t config = config_of("identity", "key12345");
    config.ciphersuites = (avs_net_socket_tls_ciphersuites_t) { unknown, 1 };
    CHECK(is(avs_net_dtls_socket_create(&client, &config), AVS_ENOTSUP) && !client);
    config = config_of("identity", "key12345");
    config.additional_configuration_clb = refuse;
    CHECK(avs_is_err(avs_net_dtls_socket_create(&client, &config)) && !client);
    config = config_of("identity", "key12345");
    config.version = AVS_NET_SSL_VERSION_TLSv1_1;
    CHECK(is(avs_net_dtls_socket_create(&client, &config), AVS_ENOTSUP) && !client);
    config = config_of("identity", "key12345");
    config.use_connection_id = true;
    config.server_name_indication = "server.example";
    CHECK((client = make_client(&config)));
    avs_net_socket_cleanup(&client);
}

/** More connections than keep their buffers. */
static void test_many(void) {
    enum { COUNT = 12 };
    server_t servers[COUNT];
    avs_net_socket_t *clients[COUNT];
    const avs_net_ssl_configuration_t config = config_of("identity", "key12345");
    for (int i = 0; i < COUNT; ++i) {
        server_open(&servers[i]);
        clients[i] = make_client(&config);
        CHECK(avs_is_ok(connect_to(clients[i], &servers[i])));
    }
    for (int i = 0; i < 2 * COUNT; ++i) {
        CHECK_INT(echo(clients[i % COUNT], &servers[i % COUNT], 300), 300);
    }
    for (int i = 0; i < COUNT; ++i) {
        avs_net_socket_cleanup(&clients[i]);
        server_close(&servers[i]);
    }
}

/** Of a handshake at most. */
#define STEPS 30

/** Each allocation fails in turn, of ours and of OpenSSL's: an error, no leak, and the next attempt succeeds. */
static void sweep(bool of_openssl, long count, int steps) {
    bool any = true;
    long n = 1;
    for (; any && n < 3000; ++n) {
        server_t server;
        server_open(&server);
        const avs_net_ssl_configuration_t config = config_of("identity", "key12345");
        allocations = 0;
        fail_from = n;
        fail_count = count;
        openssl_too = of_openssl;
        avs_alloc_set_hook(hook);
        avs_net_socket_t *client = make_client(&config);
        avs_error_t err = client ? net_connect_start(client, "127.0.0.1", server.port) : avs_errno(AVS_ENOMEM);
        bool pending = true;
        for (int i = 0; i < steps && avs_is_ok(err) && pending; ++i) {
            avs_time_monotonic_t deadline;
            openssl_too = false; /* the server has memory */
            server_turn(&server);
            openssl_too = of_openssl;
            err = net_connect_step(client, &pending, &deadline);
        }
        if (avs_is_ok(err) && !pending) {
            (void) avs_net_socket_send(client, "data", 4);
        }
        any = allocations >= fail_from;
        avs_alloc_set_hook(NULL);
        openssl_too = false;
        if (client) {
            avs_net_socket_close(client);
        } else {
            client = make_client(&config);
        }
        server_new_session(&server);
        uint8_t rest[2000];
        while (recv(server.fd, rest, sizeof(rest), 0) >= 0) { /* of the attempt before */
        }
        CHECK(avs_is_ok(connect_to(client, &server)));
        CHECK_INT(echo(client, &server, 10), 10);
        avs_net_socket_cleanup(&client);
        server_close(&server);
    }
    CHECK(!any && n > 5);
}

static void test_out_of_memory(void) {
    sweep(false, 1, STEPS);
    sweep(false, 1000000, STEPS);
}

static void test_openssl_out_of_memory(void) {
    /* with the record layer that came with 3.2 SSL_free() itself crashes (seen with 3.6.5) if memory ended later */
    const int steps = OpenSSL_version_num() < 0x30200000L ? STEPS : 1;
    sweep(true, 1, steps);
    sweep(true, 1000000, steps);
}

int main(void) {
    CHECK(CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free));
    avs_log_set_default_level(AVS_LOG_QUIET);
    server_ctx = SSL_CTX_new(DTLS_server_method());
    CHECK(server_ctx && SSL_CTX_set_cipher_list(server_ctx, "PSK:@SECLEVEL=0") == 1
          && SSL_CTX_set_session_id_context(server_ctx, (const unsigned char *) "t", 1));
    SSL_CTX_set_psk_server_callback(server_ctx, psk);
    SSL_CTX_set_options(server_ctx, SSL_OP_NO_QUERY_MTU);
    RUN(test_session);
    RUN(test_ends);
    RUN(test_wrong_key_and_identity);
    RUN(test_silence);
    RUN(test_forged_records);
    RUN(test_configurations);
    RUN(test_many);
    RUN(test_out_of_memory);
    RUN(test_openssl_out_of_memory);
    SSL_CTX_free(server_ctx);
    return TEST_END();
}
