/* SPDX-License-Identifier: Apache-2.0 */
/** Sockets: server URIs, names with several addresses, and what of a datagram reaches the TLS library. */
#include "test.h"

#include "../../vendor/anjay/src/servers/servers.h"
#include "../../vendor/avs_commons/src/net/net_async.h"
#include "../../vendor/avs_commons/src/tls/dtls_records.h"

#include <avsystem/commons/avs_crypto_psk.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* ------------------------------------------------------------------ server URIs */

#define URI(Text, Host, Port)                                                               \
    do {                                                                                    \
        char host[256] = "", port[8] = "";                                                  \
        CHECK(!server_parse_uri((Text), host, port));                                       \
        CHECK_STR(host, (Host));                                                            \
        CHECK_STR(port, (Port));                                                            \
    } while (0)

static void test_uris(void) {
    static const char *const BAD[] = { "",
                                       "http://a",
                                       "coap:",
                                       "coap://",
                                       "coap://:5683",
                                       "coap://a:",
                                       "coap://a:0",
                                       "coap://a:65536",
                                       "coap://a:1x",
                                       "coap://a b",
                                       "coap://user@a",
                                       "coap://::1",
                                       "coap://[::1",
                                       "coap://[]",
                                       "coap://[1234]",
                                       "coap://[::1]1",
                                       "coap://[::g]",
                                       "coap://[fe80::1%]",
                                       "coap://[fe80::1%25]",
                                       "coap://[fe80::1%eth0]",
                                       "coap://[fe80::1%25a b]" };
    char host[256], port[8], text[600];
    URI("coap://a", "a", "5683");
    URI("coaps://lwm2m.example", "lwm2m.example", "5684");
    URI("coap://127.0.0.1:1/", "127.0.0.1", "1");
    URI("coap://a:65535?q", "a", "65535");
    URI("coaps://[::1]", "::1", "5684");
    URI("coap://[2001:db8::1]:5700/x", "2001:db8::1", "5700");
    URI("coap://[::ffff:127.0.0.1]", "::ffff:127.0.0.1", "5683");
    URI("coap://[fe80::1%25eth0]:5700", "fe80::1%eth0", "5700"); /* RFC 6874 */
    URI("coaps://[fe80::1%25wlan0.1_a-b~]", "fe80::1%wlan0.1_a-b~", "5684");
    for (size_t i = 0; i < sizeof(BAD) / sizeof(*BAD); ++i) {
        CHECK_INT(server_parse_uri(BAD[i], host, port), -1);
    }
    for (int size = 240; size < 270; ++size) {
        snprintf(text, sizeof(text), "coap://%0*d", size, 1);
        CHECK_INT(server_parse_uri(text, host, port), size < 256 ? 0 : -1);
        snprintf(text, sizeof(text), "coap://[::1%%25%0*d]", size, 1);
        CHECK_INT(server_parse_uri(text, host, port), size + 4 < 256 ? 0 : -1);
    }
}

/* ------------------------------------------------------------------ records */

static uint8_t datagram[20000];
static size_t datagram_size;

static void put(uint8_t type, unsigned version, unsigned epoch, uint8_t number, const void *body, size_t size) {
    uint8_t *at = datagram + datagram_size;
    const uint8_t head[] = { type, (uint8_t) (version >> 8), (uint8_t) version, 0, (uint8_t) epoch, 0, 0, 0, 0, 0, number,
                             (uint8_t) (size >> 8), (uint8_t) size };
    memcpy(at, head, sizeof(head));
    memcpy(at + sizeof(head), body, size);
    datagram_size += sizeof(head) + size;
}

/** What is kept of one record, in a handshake or after it. */
static size_t kept(bool handshake, uint8_t type, unsigned version, unsigned epoch, const void *body, size_t size) {
    uint64_t number = 7;
    datagram_size = 0;
    put(type, version, epoch, 200, body, size);
    return dtls_records_keep(datagram, datagram_size, 24, handshake ? &number : NULL);
}

static const uint8_t HELLO_DONE[] = { 14, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0 };

static void test_plain_records(void) {
    uint8_t message[64] = { 2, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 40 };
    CHECK_INT(kept(true, 22, 0xFEFD, 0, HELLO_DONE, 12), 25);
    CHECK_INT(kept(true, 22, 0xFEFF, 0, HELLO_DONE, 12), 25);
    CHECK_INT(kept(true, 22, 0x0303, 0, HELLO_DONE, 12), 0);
    CHECK_INT(kept(false, 22, 0xFEFD, 0, HELLO_DONE, 12), 0); /* the handshake is over */
    CHECK_INT(kept(true, 22, 0xFEFD, 0, message, 52), 65);
    CHECK_INT(kept(true, 22, 0xFEFD, 0, message, 51), 0); /* cut */
    CHECK_INT(kept(true, 22, 0xFEFD, 0, message, 53), 0); /* something behind it */
    CHECK_INT(kept(true, 22, 0xFEFD, 0, "", 0), 0);
    message[8] = 1; /* a fragment that ends behind its message */
    CHECK_INT(kept(true, 22, 0xFEFD, 0, message, 52), 0);
    message[3] = 41;
    CHECK_INT(kept(true, 22, 0xFEFD, 0, message, 52), 65);
    message[1] = 1; /* 65,577 bytes */
    CHECK_INT(kept(true, 22, 0xFEFD, 0, message, 52), 0);
    static const uint8_t CLIENTS[] = { 0, 1, 15, 16, 20, 99 };
    for (size_t i = 0; i < sizeof(CLIENTS); ++i) {
        uint8_t other[12] = { CLIENTS[i] };
        CHECK_INT(kept(true, 22, 0xFEFD, 0, other, 12), 0);
    }
    CHECK_INT(kept(true, 21, 0xFEFD, 0, "\2\50", 2), 15);
    CHECK_INT(kept(true, 21, 0xFEFD, 0, "\3\50", 2), 0);
    CHECK_INT(kept(true, 21, 0xFEFD, 0, "\2", 1), 0);
    CHECK_INT(kept(false, 21, 0xFEFD, 0, "\2\50", 2), 0);
    CHECK_INT(kept(true, 20, 0xFEFD, 0, "\1", 1), 14);
    CHECK_INT(kept(true, 20, 0xFEFD, 0, "\2", 1), 0);
    CHECK_INT(kept(true, 20, 0xFEFD, 0, "\1\1", 2), 0);
    CHECK_INT(kept(true, 23, 0xFEFD, 0, "data", 4), 0);
    CHECK_INT(kept(true, 24, 0xFEFD, 0, "data", 4), 0);
}

static void test_sealed_records(void) {
    static const uint8_t BODY[64];
    for (int handshake = 0; handshake < 2; ++handshake) {
        CHECK_INT(kept(handshake, 23, 0xFEFD, 1, BODY, 24), 37);
        CHECK_INT(kept(handshake, 23, 0xFEFD, 1, BODY, 23), 0); /* too short for nonce and tag */
        CHECK_INT(kept(handshake, 21, 0xFEFD, 1, BODY, 2), 0);
        CHECK_INT(kept(handshake, 22, 0xFEFD, 1, BODY, 64), 77);
        CHECK_INT(kept(handshake, 23, 0xFEFF, 1, BODY, 64), 0);
        CHECK_INT(kept(handshake, 23, 0xFEFD, 2, BODY, 64), 0);
        CHECK_INT(kept(handshake, 19, 0xFEFD, 1, BODY, 64), 0);
        CHECK_INT(kept(handshake, 24, 0xFEFD, 1, BODY, 64), 0);
    }
}

static void test_several_records(void) {
    uint64_t number = 0x0102;
    datagram_size = 0;
    put(22, 0xFEFD, 0, 99, HELLO_DONE, 12);
    put(23, 0xFEFD, 0, 1, "forged", 6);
    put(20, 0xFEFD, 0, 3, "\1", 1);
    put(22, 0xFEFD, 1, 0, datagram, 40);
    const size_t whole = datagram_size;
    CHECK_INT(dtls_records_keep(datagram, whole - 1, 24, &number), 25 + 14); /* the last one is cut */
    datagram_size = 0;
    put(22, 0xFEFD, 0, 99, HELLO_DONE, 12);
    put(23, 0xFEFD, 0, 1, "forged", 6);
    put(20, 0xFEFD, 0, 3, "\1", 1);
    put(22, 0xFEFD, 1, 5, datagram, 40);
    CHECK_INT(dtls_records_keep(datagram, whole, 24, &number), 25 + 14 + 53);
    CHECK_INT(number, 0x0106);
    CHECK(datagram[9] == 1 && datagram[10] == 4 && datagram[25 + 9] == 1 && datagram[25 + 10] == 5);
    CHECK_INT(datagram[25 + 14 + 10], 5); /* those of sealed records are authenticated */
    for (size_t size = 0; size < 13; ++size) {
        CHECK_INT(dtls_records_keep(datagram, size, 24, &number), 0);
    }
}

/* ------------------------------------------------------------------ names */

static struct sockaddr_in answers[2];
static struct addrinfo infos[2];

/** Takes the place of the C library's: "server" has two addresses. */
int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **out) {
    if (strcmp(host, "server") || (hints->ai_flags & AI_NUMERICHOST)) {
        return EAI_NONAME;
    }
    for (int i = 0; i < 2; ++i) {
        answers[i] = (struct sockaddr_in) { .sin_family = AF_INET, .sin_port = htons((uint16_t) atoi(port)) };
        answers[i].sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t) i);
        infos[i] = (struct addrinfo) { .ai_family = AF_INET,
                                       .ai_socktype = SOCK_DGRAM,
                                       .ai_addrlen = sizeof(answers[i]),
                                       .ai_addr = (struct sockaddr *) &answers[i],
                                       .ai_next = i ? NULL : &infos[1] };
    }
    *out = infos;
    return 0;
}

void freeaddrinfo(struct addrinfo *list) {
    (void) list;
}

static int peer_fd;
static char peer_port[8];

/** A peer behind the second address. */
static void open_peer(void) {
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 2);
    peer_fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(!bind(peer_fd, (struct sockaddr *) &address, size));
    CHECK(!getsockname(peer_fd, (struct sockaddr *) &address, &size));
    snprintf(peer_port, sizeof(peer_port), "%u", ntohs(address.sin_port));
}

static void check_connects_to(avs_net_socket_t *socket, const char *address) {
    char host[64];
    CHECK(avs_is_ok(avs_net_socket_connect(socket, "server", peer_port)));
    CHECK(avs_is_ok(avs_net_socket_get_remote_host(socket, host, sizeof(host))));
    CHECK_STR(host, address);
}

static void test_addresses_in_turn(void) {
    avs_net_socket_t *socket = NULL;
    struct sockaddr_in client;
    socklen_t client_size = sizeof(client);
    char byte;
    size_t size;
    open_peer();
    CHECK(avs_is_ok(avs_net_udp_socket_create(&socket, NULL)));
    check_connects_to(socket, "127.0.0.2");
    avs_net_socket_close(socket);
    check_connects_to(socket, "127.0.0.3"); /* the first one did not answer */
    avs_net_socket_close(socket);
    check_connects_to(socket, "127.0.0.2"); /* nor this one */
    avs_net_socket_close(socket);
    check_connects_to(socket, "127.0.0.3");
    CHECK(avs_is_ok(avs_net_socket_send(socket, "a", 1)));
    CHECK_INT(recvfrom(peer_fd, &byte, 1, 0, (struct sockaddr *) &client, &client_size), 1);
    CHECK_INT(sendto(peer_fd, "b", 1, 0, (struct sockaddr *) &client, client_size), 1);
    CHECK(avs_is_ok(avs_net_socket_receive(socket, &size, &byte, 1)));
    avs_net_socket_close(socket);
    check_connects_to(socket, "127.0.0.3"); /* it did: it stays */
    avs_net_socket_cleanup(&socket);
    close(peer_fd);
}

/* ------------------------------------------------------------------ a flood */

/** Whoever floods the port must not keep the client from everything else. */
static void test_flood_in_a_handshake(void) {
    const avs_net_psk_info_t psk = { .key = avs_crypto_psk_key_info_from_buffer("key", 3),
                                     .identity = avs_crypto_psk_identity_info_from_buffer("id", 2) };
    const avs_net_ssl_configuration_t config = { .security = avs_net_security_info_from_psk(psk) };
    avs_net_socket_t *socket = NULL;
    avs_time_monotonic_t deadline;
    struct sockaddr_in client;
    socklen_t client_size = sizeof(client);
    struct pollfd readable;
    bool pending = true;
    char hello[2000];
    unsigned steps = 0;
    open_peer();
    CHECK(avs_is_ok(avs_net_dtls_socket_create(&socket, &config)));
    for (int i = 0; i < 2; ++i) { /* the first address is silent, the second one is the peer's */
        avs_net_socket_close(socket);
        CHECK(avs_is_ok(net_connect_start(socket, "server", peer_port)));
        readable = (struct pollfd) { .fd = net_connect_fd(socket), .events = POLLIN };
        CHECK_INT(poll(&readable, 1, 5000), 1);
        CHECK(avs_is_ok(net_connect_step(socket, &pending, &deadline)) && pending);
    }
    CHECK(recvfrom(peer_fd, hello, sizeof(hello), 0, (struct sockaddr *) &client, &client_size) > 0);
    for (int i = 0; i < 150; ++i) {
        CHECK_INT(sendto(peer_fd, "noise", 5, 0, (struct sockaddr *) &client, client_size), 5);
    }
    readable.fd = net_connect_fd(socket);
    steps = 0;
    while (poll(&readable, 1, 0) > 0 && steps < 100) {
        CHECK(avs_is_ok(net_connect_step(socket, &pending, &deadline)) && pending);
        ++steps;
    }
    CHECK(steps > 1 && steps < 100); /* several turns, and an end of them */
    avs_net_socket_cleanup(&socket);
    close(peer_fd);
}

int main(void) {
    RUN(test_uris);
    RUN(test_plain_records);
    RUN(test_sealed_records);
    RUN(test_several_records);
    RUN(test_addresses_in_turn);
    RUN(test_flood_in_a_handshake);
    return TEST_END();
}
