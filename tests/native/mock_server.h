/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A LwM2M server for tests of the whole client: UDP on loopback, driven by hand, with a clock that the test moves. Messages are compared as
 * one line of text: `CON POST rd?lwm2m=1.1&ep=x cf=40 "</1/0>"`; an answer is `ACK 2.05 cf=0 "value"`; silence is `nothing`.
 */
#ifndef TESTS_NATIVE_MOCK_SERVER_H
#define TESTS_NATIVE_MOCK_SERVER_H

#include "../../vendor/avs_coap/src/coap_msg.h"
#include "test.h"

#include <avsystem/coap/code.h>
#include <avsystem/commons/avs_log.h>

#include <anjay/anjay.h>
#include <anjay/security.h>
#include <anjay/server.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#pragma GCC diagnostic ignored "-Wunused-function"

/* ------------------------------------------------------------------ the clock */

static double clock_offset;

/** Takes the place of the C library's. */
int clock_gettime(clockid_t id, struct timespec *now) {
    if (syscall(SYS_clock_gettime, id, now)) {
        return -1;
    }
    const int64_t ns = now->tv_nsec + (int64_t) (clock_offset * 1e9);
    now->tv_sec += ns / 1000000000;
    now->tv_nsec = ns % 1000000000;
    return 0;
}

/* ------------------------------------------------------------------ the server */

typedef struct {
    int fd;
    unsigned port;
    struct sockaddr_in peer; /**< whoever sent last */
    uint8_t data[2048];
    size_t size;
    coap_msg_t msg; /**< received last */
    uint16_t next_mid;
    uint8_t next_token;
    char text[4096];
} mock_t;

static void mock_open(mock_t *mock, unsigned port) {
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t) port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    memset(mock, 0, sizeof(*mock));
    mock->next_mid = 1000;
    mock->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK(mock->fd >= 0 && !bind(mock->fd, (struct sockaddr *) &address, size)
          && !getsockname(mock->fd, (struct sockaddr *) &address, &size));
    mock->port = ntohs(address.sin_port);
}

static void mock_close(mock_t *mock) {
    close(mock->fd);
}

static void describe(const coap_msg_t *msg, char *out, size_t capacity) {
    static const char *const TYPES[] = { "CON", "NON", "ACK", "RST" };
    static const char *const METHODS[] = { "empty", "GET", "POST", "PUT", "DELETE" };
    coap_option_iter_t iter = { 0 };
    coap_option_t option;
    uint32_t format = COAP_FORMAT_NONE;
    coap_block_t block;
    const char *path = " ", *query = "?";
    FILE *f = fmemopen(out, capacity, "w");
    if (msg->code < 5) {
        fprintf(f, "%s %s", TYPES[msg->type], METHODS[msg->code]);
    } else {
        fprintf(f, "%s %u.%02u", TYPES[msg->type], msg->code >> 5, msg->code & 31);
    }
    while (coap_option_next(msg, &iter, &option)) {
        switch (option.number) {
        case COAP_OPT_URI_PATH: fprintf(f, "%s%.*s", path, (int) option.size, option.value); path = "/"; break;
        case COAP_OPT_URI_QUERY: fprintf(f, "%s%.*s", query, (int) option.size, option.value); query = "&"; break;
        case COAP_OPT_CONTENT_FORMAT: coap_option_uint(&option, 2, &format); break;
        case COAP_OPT_OBSERVE: fprintf(f, " observe"); break;
        case COAP_OPT_BLOCK1:
            coap_option_block(&option, &block);
            fprintf(f, " block1=%u/%d/%u", (unsigned) block.num, block.more, 16u << block.szx);
            break;
        default: break;
        }
    }
    if (format != COAP_FORMAT_NONE) {
        fprintf(f, " cf=%u", (unsigned) format);
    }
    if (msg->payload_size) {
        fprintf(f, " \"%.*s\"", (int) msg->payload_size, (const char *) msg->payload);
    }
    fclose(f);
}

/** Takes the next datagram that has come. @returns its text, or "nothing". */
static const char *mock_receive(mock_t *mock) {
    socklen_t size = sizeof(mock->peer);
    const ssize_t got = recvfrom(mock->fd, mock->data, sizeof(mock->data), 0, (struct sockaddr *) &mock->peer, &size);
    if (got < 0) {
        return "nothing";
    }
    mock->size = (size_t) got;
    if (coap_msg_parse(mock->data, mock->size, &mock->msg) != COAP_PARSE_OK) {
        return "malformed";
    }
    describe(&mock->msg, mock->text, sizeof(mock->text));
    return mock->text;
}

/** As mock_receive(), but the last one: what was retransmitted meanwhile is skipped. */
static const char *mock_receive_last(mock_t *mock) {
    strcpy(mock->text, "nothing");
    while (strcmp(mock_receive(mock), "nothing")) {
    }
    return mock->text;
}

static void mock_send(mock_t *mock, const coap_writer_t *w) {
    CHECK(!w->overflow);
    CHECK_INT(sendto(mock->fd, w->data, w->size, 0, (const struct sockaddr *) &mock->peer, sizeof(mock->peer)), w->size);
}

static void add_segments(coap_writer_t *w, uint32_t number, const char *path) {
    while (path && *path) {
        const size_t size = strcspn(path, "/");
        coap_writer_option(w, number, path, size);
        path += size + (path[size] == '/');
    }
}

/** Answers the message received last. @p location: Location-Path, or NULL. */
static void mock_answer(mock_t *mock, uint8_t code, const char *location) {
    uint8_t data[512];
    coap_writer_t w;
    coap_option_t option;
    coap_writer_start(&w, data, sizeof(data), COAP_ACK, code, mock->msg.mid, code ? &mock->msg.token : NULL);
    add_segments(&w, COAP_OPT_LOCATION_PATH, location);
    if (coap_option_find(&mock->msg, COAP_OPT_BLOCK1, &option)) {
        coap_writer_option(&w, COAP_OPT_BLOCK1, option.value, option.size);
    }
    mock_send(mock, &w);
}

/** Sends a request. @p observe: -1 for none; @p payload may be NULL; text. */
static void mock_request(mock_t *mock, uint8_t method, const char *path, int observe, const char *payload) {
    uint8_t data[2048];
    coap_writer_t w;
    const coap_token_t token = { 1, { observe >= 0 ? 0xEE : ++mock->next_token } };
    coap_writer_start(&w, data, sizeof(data), COAP_CON, method, ++mock->next_mid, &token);
    if (observe >= 0) {
        coap_writer_option_uint(&w, COAP_OPT_OBSERVE, (uint32_t) observe);
    }
    add_segments(&w, COAP_OPT_URI_PATH, path);
    if (payload) {
        coap_writer_option_uint(&w, COAP_OPT_CONTENT_FORMAT, 0);
    }
    coap_writer_option_uint(&w, COAP_OPT_ACCEPT, 0);
    coap_writer_payload(&w, payload, payload ? strlen(payload) : 0);
    mock_send(mock, &w);
}

/* ------------------------------------------------------------------ the client */

/** Serves and runs jobs until nothing is left to do now. */
static void turns(anjay_t *anjay) {
    for (int idle = 0, i = 0; idle < 2 && i < 200; ++i) {
        int delay_ms;
        ++idle;
        if (!anjay_sched_time_to_next_ms(anjay, &delay_ms) && delay_ms <= 0) {
            anjay_sched_run(anjay);
            idle = 0;
        }
        AVS_LIST(avs_net_socket_t *const) socket = anjay_get_sockets(anjay);
        AVS_LIST_ITERATE(socket) {
            const int *fd = (const int *) avs_net_socket_get_system(*socket);
            struct pollfd pollfd = { .fd = fd ? *fd : -1, .events = POLLIN };
            if (poll(&pollfd, 1, 0) > 0) {
                anjay_serve(anjay, *socket);
                idle = 0;
                break; /* the list may be another one now */
            }
        }
    }
}

/** Lets time pass in steps of at most a second, so that jobs run about when they are due. */
static void pass(anjay_t *anjay, double seconds) {
    const double step = seconds > 600 ? 60 : 1;
    for (turns(anjay); seconds > 0; seconds -= step) {
        clock_offset += seconds < step ? seconds : step;
        turns(anjay);
    }
}

#define EXPECT(anjay, mock, expected)                    \
    do {                                                 \
        turns(anjay);                                    \
        CHECK_STR(mock_receive(mock), expected);         \
    } while (0)

/** Adds a Security and a Server Instance for a NoSec server. */
static void add_server(anjay_t *anjay, anjay_ssid_t ssid, unsigned port, const anjay_server_instance_t *like) {
    char uri[64];
    snprintf(uri, sizeof(uri), "coap://127.0.0.1:%u", port);
    const anjay_security_instance_t security = { .ssid = ssid, .server_uri = uri, .security_mode = ANJAY_SECURITY_NOSEC };
    anjay_server_instance_t server = { .lifetime = 60,
                                       .default_min_period = -1,
                                       .default_max_period = -1,
                                       .disable_timeout = -1,
                                       .binding = "U" };
    if (like) {
        server = *like;
    }
    server.ssid = ssid;
    anjay_iid_t iid = ANJAY_ID_INVALID;
    CHECK(!anjay_security_object_add_instance(anjay, &security, &iid));
    iid = ANJAY_ID_INVALID;
    CHECK(!anjay_server_object_add_instance(anjay, &server, &iid));
}

static anjay_t *new_client(const anjay_configuration_t *like) {
    anjay_configuration_t config = like ? *like : (anjay_configuration_t) { .msg_cache_size = 4000 };
    config.endpoint_name = "x";
    anjay_t *anjay = anjay_new(&config);
    CHECK(anjay && !anjay_security_object_install(anjay) && !anjay_server_object_install(anjay));
    return anjay;
}

#define REGISTER_TEXT "CON POST rd?lwm2m=1.1&ep=x&lt=60 cf=40 \"</1/0>\""

/** A client that has registered with @p mock (which this opens) under rd/5a3f. */
static anjay_t *registered_client(mock_t *mock, const anjay_configuration_t *like) {
    anjay_t *anjay = new_client(like);
    mock_open(mock, 0);
    add_server(anjay, 1, mock->port, NULL);
    EXPECT(anjay, mock, REGISTER_TEXT);
    mock_answer(mock, AVS_COAP_CODE(2, 1), "rd/5a3f");
    EXPECT(anjay, mock, "nothing");
    return anjay;
}

/** Ends a client whose servers need not be told: offline first, so that nothing is waited for. */
static void end_client(anjay_t *anjay) {
    anjay_transport_enter_offline(anjay, ANJAY_TRANSPORT_SET_ALL);
    turns(anjay);
    anjay_delete(anjay);
}

#endif /* TESTS_NATIVE_MOCK_SERVER_H */
