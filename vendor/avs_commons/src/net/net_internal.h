/* SPDX-License-Identifier: Apache-2.0 */
/** A socket: UDP, with DTLS on top where `tls` is set. */
#ifndef NET_INTERNAL_H
#define NET_INTERNAL_H

#include "net_async.h"

#include <avsystem/commons/avs_log.h>
#include <avsystem/commons/avs_socket.h>

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define net_log(Level, ...) avs_log(net, Level, __VA_ARGS__)

typedef struct tls tls_t;
typedef struct resolver resolver_t;

typedef enum { NET_CLOSED, NET_RESOLVING, NET_HANDSHAKE, NET_CONNECTED } net_state_t;

struct avs_net_socket_struct {
    net_state_t state;
    int fd;      /**< of the socket, -1 while there is none */
    int poll_fd; /**< what to wait on: the resolver's or the socket's; avs_net_socket_get_system() points here */
    avs_net_socket_configuration_t config;
    avs_time_duration_t recv_timeout;
    char local_port[8]; /**< from bind; empty: any */
    char *remote_hostname;
    char remote_port[8];
    struct sockaddr_storage remote;
    socklen_t remote_size;
    bool heard; /**< something came from there: the address is worth another attempt */
    uint64_t bytes_sent, bytes_received;
    resolver_t *resolver;
    tls_t *tls; /**< NULL for plain UDP */
};

/** The library's error for an errno value of the system. */
avs_error_t net_error(int system_errno);

/** Waits until @p fd is readable. @returns 1, 0 when @p timeout passed, -1 with errno. */
int net_wait_readable(int fd, avs_time_duration_t timeout);

/* ---- resolver.c ---- */

/** Starts resolving on a thread of its own. @p family: AF_UNSPEC, AF_INET, AF_INET6. @returns NULL when memory or threads ran out. */
resolver_t *resolver_start(const char *host, const char *port, int family);
/** Readable once the answer is there. */
int resolver_fd(const resolver_t *resolver);
/** @returns 1 with *out (to be freed by freeaddrinfo()), 0 if it goes on, -1 if the name does not resolve. */
int resolver_result(resolver_t *resolver, struct addrinfo **out);
/** Frees it; a thread that still runs ends by itself. */
void resolver_abandon(resolver_t **resolver);

/* ---- ../tls/dtls.c ---- */

/** @returns NULL when memory ran out or the configuration is none that this build can serve (*err says which). */
tls_t *tls_new(const avs_net_ssl_configuration_t *config, avs_error_t *err);
void tls_free(tls_t **tls);
/** Begins a handshake over the connected socket, resuming the former session if there is one. */
avs_error_t tls_start(avs_net_socket_t *socket);
/** As net_connect_step(). */
avs_error_t tls_step(avs_net_socket_t *socket, bool *pending, avs_time_monotonic_t *deadline);
avs_error_t tls_send(avs_net_socket_t *socket, const void *data, size_t size);
/** @returns AVS_EAGAIN if no whole record of application data has come. */
avs_error_t tls_receive(avs_net_socket_t *socket, size_t *out_size, void *data, size_t capacity);
/** Sends close_notify, if there is a connection, and forgets it; the session stays. */
void tls_close(tls_t *tls);
void tls_forget_session(tls_t *tls);
bool tls_has_buffered_data(const tls_t *tls);
bool tls_session_resumed(const tls_t *tls);
void tls_set_timeouts(tls_t *tls, avs_net_dtls_handshake_timeouts_t timeouts);

#endif /* NET_INTERNAL_H */
