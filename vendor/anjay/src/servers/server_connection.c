/* SPDX-License-Identifier: Apache-2.0 */
/** Sockets and endpoints of a server. */
#include "../../../avs_commons/src/net/net_async.h"
#include "../core/buffers.h"
#include "servers_internal.h"

#include <avsystem/commons/avs_memory.h>
#include <avsystem/commons/avs_prng.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Largest block-wise payload of a Write that is put together in memory. */
#define MAX_REQUEST_PAYLOAD ((size_t) 1 << 20)
/** A connection that is closed by the server before that, in seconds, was no good one. */
#define EARLY_CLOSE_S 10
/** The pauses between such connections grow from 1 s to 64 s. */
#define MAX_CLOSE_DOUBLINGS 6

/* ------------------------------------------------------------------ endpoint */

static int endpoint_send(void *server_ptr, const uint8_t *data, size_t size) {
    anjay_server_t *server = (anjay_server_t *) server_ptr;
    if (!server->connected) {
        return -1;
    }
    const avs_error_t err = avs_net_socket_send(server->socket, data, size);
    server->cut = err.category == AVS_ERRNO_CATEGORY && err.code == AVS_ENOTSOCK;
    if (avs_is_err(err)) {
        server_log(DEBUG, "%s: send: %s", server->log_name, avs_strerror((avs_errno_t) err.code));
        return -1;
    }
    return 0;
}

static avs_time_monotonic_t endpoint_now(void *server_ptr) {
    (void) server_ptr;
    return avs_time_monotonic_now();
}

static void endpoint_random(void *server_ptr, void *out, size_t size) {
    anjay_server_t *server = (anjay_server_t *) server_ptr;
    if (avs_crypto_prng_bytes(server->anjay->prng, (unsigned char *) out, size)) {
        memset(out, 0, size);
        server_log(ERROR, "%s: no random bytes", server->log_name);
    }
}

static void endpoint_request(void *server_ptr, const coap_request_t *request, coap_response_t *response) {
    anjay_server_t *server = (anjay_server_t *) server_ptr;
    anjay_dm_handle_request(server->anjay, server->ssid, request, response);
}

static bool endpoint_accept_stream(void *server_ptr, const coap_request_t *first) {
    anjay_server_t *server = (anjay_server_t *) server_ptr;
    return anjay_dm_accept_stream(server->anjay, server->ssid, first);
}

static void endpoint_stream_aborted(void *server_ptr) {
    anjay_server_t *server = (anjay_server_t *) server_ptr;
    anjay_dm_stream_aborted(server->anjay, server->ssid);
}

static void endpoint_notification_reset(void *server_ptr, const coap_token_t *token) {
    anjay_server_t *server = (anjay_server_t *) server_ptr;
    anjay_observe_cancel(server->anjay, server->ssid, token);
}

static const coap_endpoint_ops_t ENDPOINT_OPS = { .send = endpoint_send,
                                                  .now = endpoint_now,
                                                  .random = endpoint_random,
                                                  .request = endpoint_request,
                                                  .accept_stream = endpoint_accept_stream,
                                                  .stream_aborted = endpoint_stream_aborted,
                                                  .notification_reset = endpoint_notification_reset };

static int make_endpoint(anjay_server_t *server) {
    const anjay_t *anjay = server->anjay;
    const coap_endpoint_config_t config = { .ops = &ENDPOINT_OPS,
                                            .arg = server,
                                            .tx_params = anjay->udp_tx_params,
                                            .cache_size = anjay->config.msg_cache_size,
                                            .max_datagram = anjay->config.out_buffer_size,
                                            .max_request_payload = MAX_REQUEST_PAYLOAD,
                                            .log_name = server->log_name };
    server->ep = coap_endpoint_new(&config);
    if (!server->ep) {
        return -1;
    }
    if (avs_time_duration_less(AVS_TIME_DURATION_ZERO, anjay->exchange_timeout)) {
        coap_endpoint_set_exchange_timeout(server->ep, anjay->exchange_timeout);
    }
    return 0;
}

static void endpoint_job(avs_sched_t *sched, const void *server_ptr) {
    (void) sched;
    anjay_server_t *server = *(anjay_server_t *const *) server_ptr;
    anjay_t *anjay = server->anjay;
    const anjay_ssid_t ssid = server->ssid;
    anjay_lock(anjay);
    if (server->ep) {
        coap_endpoint_tick(server->ep);
    }
    if ((server = server_find(anjay, ssid))) {
        server_rearm(server);
    }
    anjay_unlock(anjay);
}

void server_rearm(anjay_server_t *server) {
    const avs_time_monotonic_t deadline =
            server->ep ? coap_endpoint_deadline(server->ep) : AVS_TIME_MONOTONIC_INVALID;
    if (!avs_time_monotonic_valid(deadline)) {
        avs_sched_del(&server->endpoint_job);
        return;
    }
    if (!server->endpoint_job) {
        if (AVS_SCHED_AT(server->anjay->sched, &server->endpoint_job, deadline, endpoint_job, &server, sizeof(server))) {
            atomic_store(&server->anjay->jobs_lost, true);
        }
    } else if (avs_time_monotonic_before(deadline, avs_sched_time(&server->endpoint_job))) {
        AVS_RESCHED_AT(&server->endpoint_job, deadline); /* one that comes too early is harmless: it is set anew then */
    }
}

/* ------------------------------------------------------------------ connecting */

bool server_find_security(anjay_t *anjay, anjay_ssid_t ssid, anjay_security_view_t *out) {
    for (size_t i = 0; anjay_security_nth(anjay, i, out); ++i) {
        if (out->ssid == ssid && !out->bootstrap) {
            return true;
        }
    }
    return false;
}

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t size) {
    for (size_t i = 0; i < size; ++i) {
        hash = (hash ^ ((const uint8_t *) data)[i]) * 1099511628211ull;
    }
    return (hash ^ size) * 1099511628211ull;
}

uint64_t server_security_hash(const anjay_security_view_t *view) {
    uint64_t hash = hash_bytes(14695981039346656037ull, view->uri, strlen(view->uri));
    hash = hash_bytes(hash, &view->mode, sizeof(view->mode));
    hash = hash_bytes(hash, view->identity, view->identity_size);
    hash = hash_bytes(hash, view->key, view->key_size);
    return hash_bytes(hash, view->ciphersuites, view->ciphersuites_count * sizeof(uint32_t));
}

/** Reads an IPv6 literal up to its bracket; a zone (RFC 6874) becomes what getaddrinfo() takes. @returns the bracket, or NULL. */
static const char *parse_literal(const char *at, char host[256]) {
    const size_t size = strspn(at, "0123456789abcdefABCDEF:.");
    const char *zone = at + size, *end = zone;
    if (!strncmp(zone, "%25", 3)) {
        zone += 3;
        end = zone + strspn(zone, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._~");
        if (end == zone) {
            return NULL;
        }
    }
    if (*end != ']' || !memchr(at, ':', size) || size + (size_t) (end - zone) + 2 > 256) {
        return NULL;
    }
    snprintf(host, 256, "%.*s%s%.*s", (int) size, at, end > zone ? "%" : "", (int) (end - zone), zone);
    return end;
}

/** Reads a name or an IPv4 address. @returns its end, or NULL. */
static const char *parse_name(const char *at, char host[256]) {
    const size_t size = strcspn(at, ":/?[]@ ");
    if (!size || size >= 256) {
        return NULL;
    }
    memcpy(host, at, size);
    host[size] = '\0';
    return at + size;
}

int server_parse_uri(const char *uri, char host[256], char port[8]) {
    const bool secure = !strncmp(uri, "coaps://", 8);
    if (!secure && strncmp(uri, "coap://", 7)) {
        return -1;
    }
    const char *at = uri + (secure ? 8 : 7);
    const bool brackets = *at == '[';
    at = brackets ? parse_literal(at + 1, host) : parse_name(at, host);
    if (!at) {
        return -1;
    }
    at += brackets;
    strcpy(port, secure ? "5684" : "5683");
    if (*at == ':') {
        const size_t digits = strspn(++at, "0123456789");
        if (!digits || digits > 5 || (at[digits] && !strchr("/?", at[digits])) || atoi(at) < 1 || atoi(at) > 65535) {
            return -1;
        }
        memcpy(port, at, digits);
        port[digits] = '\0';
    } else if (*at && !strchr("/?", *at)) {
        return -1;
    }
    return 0;
}

static avs_error_t make_socket(anjay_server_t *server, const anjay_security_view_t *security) {
    anjay_t *anjay = server->anjay;
    server->secure = !strncmp(security->uri, "coaps://", 8);
    server->security_hash = server_security_hash(security);
    if (!server->secure) {
        return avs_net_udp_socket_create(&server->socket, &anjay->config.socket_config);
    }
    const avs_net_psk_info_t psk = {
        .key = avs_crypto_psk_key_info_from_buffer(security->key, security->key_size),
        .identity = avs_crypto_psk_identity_info_from_buffer(security->identity, security->identity_size)
    };
    avs_net_ssl_configuration_t config = { .version = anjay->config.dtls_version,
                                           .security = avs_net_security_info_from_psk(psk),
                                           .backend_configuration = anjay->config.socket_config,
                                           .dtls_handshake_timeouts = &anjay->dtls_hs_params,
                                           .server_name_indication = security->sni,
                                           .ciphersuites = anjay->config.default_tls_ciphersuites,
                                           .use_connection_id = anjay->config.use_connection_id,
                                           .prng_ctx = anjay->prng,
                                           .additional_configuration_clb = anjay->config.additional_tls_config_clb };
    uint32_t *ids = (uint32_t *) (intptr_t) security->ciphersuites;
    if (security->ciphersuites_count) {
        config.ciphersuites.ids = ids;
        config.ciphersuites.num_ids = security->ciphersuites_count;
    }
    return avs_net_dtls_socket_create(&server->socket, &config);
}

/** Says what went wrong in words that help. */
static void connection_error(anjay_server_t *server, avs_error_t err) {
    char text[80];
    if (err.category == AVS_NET_SSL_ALERT_CATEGORY) {
        snprintf(text, sizeof(text), "DTLS alert %u of the server (wrong key or identity?)",
                 avs_net_ssl_alert_description(err));
    } else {
        snprintf(text, sizeof(text), "%s", avs_strerror((avs_errno_t) err.code));
    }
    const bool counts = server->anjay->config.connection_error_is_registration_failure;
    server_set_status(server, counts ? ANJAY_SERV_CONN_STATUS_REG_FAILURE : ANJAY_SERV_CONN_STATUS_ERROR);
    server_failed(server, text);
}

void server_connect_step(anjay_server_t *server) {
    bool pending = false;
    avs_time_monotonic_t deadline = AVS_TIME_MONOTONIC_INVALID;
    const avs_error_t err = net_connect_step(server->socket, &pending, &deadline);
    server->anjay->servers.sockets_dirty = true; /* the descriptor may be another one now */
    if (avs_is_err(err)) {
        connection_error(server, err);
    } else if (!pending) {
        server_unschedule(server);
        server->connected = true;
        server->connected_at = avs_time_monotonic_now();
        server_connected(server);
    } else if (avs_time_monotonic_valid(deadline)) {
        server_schedule_at(server, deadline);
    }
}

void server_connect(anjay_server_t *server) {
    anjay_security_view_t security;
    char host[256], port[8];
    avs_error_t err = AVS_OK;
    if (!server_find_security(server->anjay, server->ssid, &security) || server_parse_uri(security.uri, host, port)) {
        server_failed(server, "no usable server URI");
        return;
    }
    if (server->socket && server->security_hash != server_security_hash(&security)) {
        server_close(server);
    }
    if (!server->socket) {
        err = make_socket(server, &security);
    }
    if (avs_is_ok(err) && !server->ep && make_endpoint(server)) {
        err = avs_errno(AVS_ENOMEM);
    }
    if (avs_is_err(err)) {
        server_failed(server, avs_strerror((avs_errno_t) err.code));
        return;
    }
    /* the loop says when there is something to receive: nothing here may wait */
    avs_net_socket_set_opt(server->socket, AVS_NET_SOCKET_OPT_RECV_TIMEOUT,
                           (avs_net_socket_opt_value_t) { .recv_timeout = AVS_TIME_DURATION_ZERO });
    server->state = SERVER_CONNECTING;
    server->anjay->servers.sockets_dirty = true;
    server_set_status(server, ANJAY_SERV_CONN_STATUS_CONNECTING);
    if (server->anjay->config.udp_listen_port) {
        char local[8];
        snprintf(local, sizeof(local), "%u", server->anjay->config.udp_listen_port);
        avs_net_socket_bind(server->socket, NULL, local);
    }
    server_log(INFO, "%s: connecting to %s port %s", server->log_name, host, port);
    if (avs_is_err((err = net_connect_start(server->socket, host, port)))) {
        connection_error(server, err);
        return;
    }
    server_connect_step(server);
}

void server_disconnect(anjay_server_t *server) {
    server->connected = false;
    if (server->ep) {
        coap_endpoint_reset(server->ep);
    }
    anjay_send_review(server->anjay);
    avs_sched_del(&server->endpoint_job);
    if (server->socket) {
        avs_net_socket_close(server->socket);
    }
    server->anjay->servers.sockets_dirty = true;
}

void server_close(anjay_server_t *server) {
    if (server->socket) {
        server_disconnect(server);
    }
    coap_endpoint_delete(&server->ep);
    avs_net_socket_cleanup(&server->socket);
    avs_sched_del(&server->endpoint_job);
    server->connected = false;
}

/* ------------------------------------------------------------------ receiving */

/** Pause before the next connection: none, unless the server closes each one as soon as it is there. */
static avs_time_duration_t pause_after_close(anjay_server_t *server) {
    const avs_time_duration_t age = avs_time_monotonic_diff(avs_time_monotonic_now(), server->connected_at);
    if (avs_time_duration_less(avs_time_duration_from_scalar(EARLY_CLOSE_S, AVS_TIME_S), age)) {
        server->early_closes = 0;
        return AVS_TIME_DURATION_ZERO;
    }
    const unsigned doublings = AVS_MIN(server->early_closes, MAX_CLOSE_DOUBLINGS + 1);
    server->early_closes = doublings + 1;
    return avs_time_duration_from_scalar(doublings ? 1 << (doublings - 1) : 0, AVS_TIME_S);
}

/** Connects anew: at once where a registration stood, but after the retry timer where the server closes instead of answering. */
static void closed_by_server(anjay_server_t *server) {
    server_log(WARNING, "%s: the server closed the connection", server->log_name);
    if (server->state == SERVER_DEREGISTERING) {
        coap_endpoint_cancel(server->ep, server->exchange);
        server->exchange = NULL;
        server_disconnect(server);
        server_deregistered(server);
        return;
    }
    if (server->state == SERVER_REGISTERING) {
        server_failed(server, "closed instead of an answer to Register");
        return;
    }
    if (server->exchange) { /* an Update: the next message is a Register, whose failures are counted */
        server->location_size = 0;
    }
    server_disconnect(server);
    server->state = SERVER_IDLE;
    server_schedule(server, pause_after_close(server));
}

/** Whether an error of receiving means that nothing more will come over this connection. Others, ICMP's for one, are lost like a datagram. */
static bool ends_connection(avs_error_t err) {
    if (err.category == AVS_NET_SSL_ALERT_CATEGORY) {
        return true;
    }
    return err.category == AVS_ERRNO_CATEGORY
           && (err.code == AVS_ECONNRESET || err.code == AVS_EPIPE || err.code == AVS_ENOTCONN
               || err.code == AVS_ENOTSOCK || err.code == AVS_EBADF
               || err.code == AVS_EPROTO /* a record that was genuine and yet none: the session is over */);
}

/** Receives one datagram, or record, in @p buffer. @returns whether there is another one that poll() does not tell of. */
static bool receive_one(anjay_server_t *server, uint8_t *buffer, size_t capacity) {
    anjay_t *anjay = server->anjay;
    const anjay_ssid_t ssid = server->ssid;
    size_t size = 0;
    const avs_error_t err = avs_net_socket_receive(server->socket, &size, buffer, capacity);
    if (avs_is_ok(err)) {
        coap_endpoint_receive(server->ep, buffer, size);
    } else if (ends_connection(err)) {
        closed_by_server(server);
        return false;
    } else if (err.category == AVS_ERRNO_CATEGORY && err.code == AVS_EMSGSIZE) {
        coap_endpoint_receive_truncated(server->ep, buffer, size);
    } else {
        return false;
    }
    avs_net_socket_opt_value_t buffered = { .flag = false };
    if ((server = server_find(anjay, ssid)) && server->connected && server->secure) {
        avs_net_socket_get_opt(server->socket, AVS_NET_SOCKET_HAS_BUFFERED_DATA, &buffered);
    }
    return buffered.flag;
}

static void receive_into(anjay_server_t *server, uint8_t *buffer, size_t capacity) {
    anjay_t *anjay = server->anjay;
    const anjay_ssid_t ssid = server->ssid;
    bool more = true;
    while (more && server && server->connected) {
        more = receive_one(server, buffer, capacity);
        server = server_find(anjay, ssid); /* a handler may have ended it */
    }
    if (server && server->connected) {
        server_rearm(server);
    }
}

void server_receive(anjay_server_t *server) {
    const size_t capacity = server->anjay->config.in_buffer_size;
    uint8_t *buffer = anjay_buffer_take(capacity);
    if (!buffer) { /* the datagram waits in the socket */
        server_log(ERROR, "%s: out of memory, nothing is received", server->log_name);
        return;
    }
    receive_into(server, buffer, capacity);
    anjay_buffer_give(buffer, capacity);
}
