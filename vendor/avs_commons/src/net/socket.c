/* SPDX-License-Identifier: Apache-2.0 */
/** The public avs_net_socket_*(), over UDP. */
#include "net_internal.h"

#include <avsystem/commons/avs_memory.h>
#include <avsystem/commons/avs_utils.h>

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/ip.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_MTU 1500
/** Addresses of a name that are tried. */
#define ADDRESSES_MAX 16
#define IPV4_HEADERS 28
#define IPV6_HEADERS 48
/** Record header, explicit nonce, tag or MAC and padding of any suite that is offered. */
#define DTLS_OVERHEAD 64

const avs_time_duration_t AVS_NET_SOCKET_DEFAULT_RECV_TIMEOUT = { 30, 0 };
const avs_net_dtls_handshake_timeouts_t AVS_NET_SOCKET_DEFAULT_DTLS_HANDSHAKE_TIMEOUTS = { { 1, 0 }, { 60, 0 } };

/* ------------------------------------------------------------------ life */

static avs_net_socket_t *new_socket(const avs_net_socket_configuration_t *config) {
    avs_net_socket_t *socket = (avs_net_socket_t *) avs_calloc(1, sizeof(*socket));
    if (socket) {
        socket->fd = socket->poll_fd = -1;
        socket->recv_timeout = AVS_NET_SOCKET_DEFAULT_RECV_TIMEOUT;
        if (config) {
            socket->config = *config;
            socket->config.preferred_endpoint = NULL;
        }
    }
    return socket;
}

avs_error_t avs_net_udp_socket_create(avs_net_socket_t **socket, const avs_net_socket_configuration_t *config) {
    *socket = new_socket(config);
    return *socket ? AVS_OK : avs_errno(AVS_ENOMEM);
}

avs_error_t avs_net_dtls_socket_create(avs_net_socket_t **socket, const avs_net_ssl_configuration_t *config) {
    avs_error_t err = avs_errno(AVS_ENOMEM);
    *socket = new_socket(&config->backend_configuration);
    if (*socket && !((*socket)->tls = tls_new(config, &err))) {
        avs_net_socket_cleanup(socket);
    }
    return *socket ? AVS_OK : err;
}

/** Closes the descriptor and stops resolving. */
static void close_all(avs_net_socket_t *socket) {
    resolver_abandon(&socket->resolver);
    if (socket->fd >= 0) {
        close(socket->fd);
    }
    socket->fd = socket->poll_fd = -1;
    socket->state = NET_CLOSED;
}

avs_error_t avs_net_socket_close(avs_net_socket_t *socket) {
    if (socket->tls) {
        tls_close(socket->tls);
    }
    close_all(socket);
    return AVS_OK;
}

avs_error_t avs_net_socket_shutdown(avs_net_socket_t *socket) {
    if (socket->state != NET_CONNECTED) {
        return avs_errno(AVS_EBADF);
    }
    if (socket->tls) {
        tls_close(socket->tls);
    }
    shutdown(socket->fd, SHUT_RDWR);
    return AVS_OK;
}

avs_error_t avs_net_socket_cleanup(avs_net_socket_t **socket) {
    if (!*socket) {
        return AVS_OK;
    }
    avs_net_socket_close(*socket);
    if ((*socket)->tls) {
        tls_free(&(*socket)->tls);
    }
    avs_free((*socket)->remote_hostname);
    avs_free(*socket);
    *socket = NULL;
    return AVS_OK;
}

avs_net_security_info_t avs_net_security_info_from_psk(avs_net_psk_info_t psk) {
    return (avs_net_security_info_t) { .mode = AVS_NET_SECURITY_PSK, .data.psk = psk };
}

avs_net_security_info_t avs_net_security_info_from_certificates(avs_net_certificate_info_t info) {
    return (avs_net_security_info_t) { .mode = AVS_NET_SECURITY_CERTIFICATE, .data.cert = info };
}

/* ------------------------------------------------------------------ connecting */

avs_error_t avs_net_socket_bind(avs_net_socket_t *socket, const char *address, const char *port) {
    if (socket->state != NET_CLOSED || (address && *address)) {
        return avs_errno(address && *address ? AVS_ENOTSUP : AVS_EISCONN);
    }
    return avs_simple_snprintf(socket->local_port, sizeof(socket->local_port), "%s", port ? port : "") < 0
                   ? avs_errno(AVS_EINVAL)
                   : AVS_OK;
}

/** Options that the configuration asks for; a failure of one is told and lived with. */
static void set_options(const avs_net_socket_t *socket, int fd, int family) {
    const avs_net_socket_configuration_t *config = &socket->config;
    const int one = 1;
    if (config->reuse_addr && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one))) {
        net_log(WARNING, "SO_REUSEADDR: errno %d", errno);
    }
    if (config->dscp) {
        const int tos = config->dscp << 2;
        if (family == AF_INET6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos))
                               : setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos))) {
            net_log(WARNING, "DSCP: errno %d", errno);
        }
    }
    if (config->priority) {
        const int priority = config->priority;
        if (setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof(priority))) {
            net_log(WARNING, "SO_PRIORITY: errno %d", errno);
        }
    }
    if (config->interface_name[0]
            && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, config->interface_name,
                          (socklen_t) strnlen(config->interface_name, sizeof(config->interface_name)))) {
        net_log(WARNING, "interface %.15s: errno %d", config->interface_name, errno);
    }
}

static int bind_local(const avs_net_socket_t *socket, int fd, int family) {
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t) atoi(socket->local_port)) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = v4.sin_port };
    if (!*socket->local_port) {
        return 0;
    }
    return family == AF_INET6 ? bind(fd, (const struct sockaddr *) &v6, sizeof(v6))
                              : bind(fd, (const struct sockaddr *) &v4, sizeof(v4));
}

static int open_fd(avs_net_socket_t *net_socket, const struct addrinfo *address) {
    const int fd = socket(address->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    set_options(net_socket, fd, address->ai_family);
    if (bind_local(net_socket, fd, address->ai_family) || connect(fd, address->ai_addr, address->ai_addrlen)) {
        const int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    memcpy(&net_socket->remote, address->ai_addr, address->ai_addrlen);
    net_socket->remote_size = address->ai_addrlen;
    return fd;
}

static int preferred_family(const avs_net_socket_t *socket) {
    return socket->config.preferred_family == AVS_NET_AF_INET4   ? AF_INET
           : socket->config.preferred_family == AVS_NET_AF_INET6 ? AF_INET6
                                                                 : AF_UNSPEC;
}

/** Those of the preferred family first. @returns how many there are in @p out. */
static size_t in_order(const avs_net_socket_t *socket, const struct addrinfo *addresses,
                       const struct addrinfo *out[ADDRESSES_MAX]) {
    const int preferred = preferred_family(socket);
    size_t count = 0;
    for (int pass = 0; pass < 2; ++pass) {
        for (const struct addrinfo *a = addresses; a && count < ADDRESSES_MAX; a = a->ai_next) {
            const bool first = preferred == AF_UNSPEC || a->ai_family == preferred;
            if (first == (pass == 0)) {
                out[count++] = a;
            }
        }
    }
    return count;
}

/** Which one to begin with: that which answered last time, or the one behind that which did not. */
static size_t first_choice(const avs_net_socket_t *socket, const struct addrinfo *const *addresses, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        if (addresses[i]->ai_addrlen == socket->remote_size
                && !memcmp(addresses[i]->ai_addr, &socket->remote, socket->remote_size)) {
            return socket->heard ? i : i + 1;
        }
    }
    return 0;
}

/** Connects to an address that there is a route to. */
static avs_error_t connect_to(avs_net_socket_t *socket, const struct addrinfo *list) {
    const struct addrinfo *addresses[ADDRESSES_MAX];
    const size_t count = in_order(socket, list, addresses), first = first_choice(socket, addresses, count);
    int last_errno = EADDRNOTAVAIL;
    for (size_t i = 0; i < count; ++i) {
        if ((socket->fd = open_fd(socket, addresses[(first + i) % count])) >= 0) {
            socket->poll_fd = socket->fd;
            socket->heard = false;
            socket->state = socket->tls ? NET_HANDSHAKE : NET_CONNECTED;
            return socket->tls ? tls_start(socket) : AVS_OK;
        }
        last_errno = errno;
    }
    return net_error(last_errno);
}

static int forced_family(const avs_net_socket_t *socket) {
    return socket->config.address_family == AVS_NET_AF_INET4   ? AF_INET
           : socket->config.address_family == AVS_NET_AF_INET6 ? AF_INET6
                                                               : AF_UNSPEC;
}

avs_error_t net_connect_start(avs_net_socket_t *socket, const char *host, const char *port) {
    const struct addrinfo hints = { .ai_family = forced_family(socket),
                                    .ai_socktype = SOCK_DGRAM,
                                    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
    struct addrinfo *addresses = NULL;
    if (socket->state != NET_CLOSED) {
        return avs_errno(AVS_EISCONN);
    }
    char *hostname = avs_strdup(host);
    if (!hostname) {
        return avs_errno(AVS_ENOMEM);
    }
    avs_free(socket->remote_hostname);
    socket->remote_hostname = hostname;
    if (avs_simple_snprintf(socket->remote_port, sizeof(socket->remote_port), "%s", port) < 0) {
        return avs_errno(AVS_EINVAL);
    }
    if (!getaddrinfo(host, port, &hints, &addresses)) {
        const avs_error_t err = connect_to(socket, addresses);
        freeaddrinfo(addresses);
        if (avs_is_err(err)) {
            close_all(socket);
        }
        return err;
    }
    socket->resolver = resolver_start(host, port, forced_family(socket));
    if (!socket->resolver) {
        return avs_errno(AVS_ENOMEM);
    }
    socket->poll_fd = resolver_fd(socket->resolver);
    socket->state = NET_RESOLVING;
    return AVS_OK;
}

static avs_error_t resolve_step(avs_net_socket_t *socket, bool *pending) {
    struct addrinfo *addresses = NULL;
    const int result = resolver_result(socket->resolver, &addresses);
    *pending = !result;
    if (!result) {
        return AVS_OK;
    }
    resolver_abandon(&socket->resolver);
    socket->poll_fd = -1;
    const avs_error_t err = result < 0 ? avs_errno(AVS_EADDRNOTAVAIL) : connect_to(socket, addresses);
    if (addresses) {
        freeaddrinfo(addresses);
    }
    return err;
}

avs_error_t net_connect_step(avs_net_socket_t *socket, bool *pending, avs_time_monotonic_t *deadline) {
    avs_error_t err = AVS_OK;
    *pending = false;
    *deadline = AVS_TIME_MONOTONIC_INVALID;
    if (socket->state == NET_CLOSED) {
        return avs_errno(AVS_ENOTCONN);
    }
    if (socket->state == NET_RESOLVING) {
        err = resolve_step(socket, pending);
    }
    if (avs_is_ok(err) && socket->state == NET_HANDSHAKE) {
        err = tls_step(socket, pending, deadline);
        if (avs_is_ok(err) && !*pending) {
            socket->state = NET_CONNECTED;
            socket->heard = true;
        }
    }
    if (avs_is_err(err)) {
        avs_net_socket_close(socket);
        *pending = false;
    }
    return err;
}

int net_connect_fd(avs_net_socket_t *socket) {
    return socket->poll_fd;
}

void net_forget_session(avs_net_socket_t *socket) {
    if (socket->tls) {
        tls_forget_session(socket->tls);
    }
}

int net_wait_readable(int fd, avs_time_duration_t timeout) {
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };
    int64_t ms;
    if (avs_time_duration_to_scalar(&ms, AVS_TIME_MS, timeout)) {
        ms = -1;
    }
    const int ready = poll(&pollfd, 1, ms > INT_MAX ? INT_MAX : (int) ms);
    return ready < 0 && errno == EINTR ? 0 : ready;
}

avs_error_t avs_net_socket_connect(avs_net_socket_t *socket, const char *host, const char *port) {
    avs_error_t err = net_connect_start(socket, host, port);
    bool pending = avs_is_ok(err);
    while (avs_is_ok(err) && pending) {
        avs_time_monotonic_t deadline;
        err = net_connect_step(socket, &pending, &deadline);
        if (avs_is_ok(err) && pending) {
            const avs_time_duration_t left = avs_time_monotonic_diff(deadline, avs_time_monotonic_now());
            net_wait_readable(socket->poll_fd,
                              avs_time_duration_less(left, AVS_TIME_DURATION_ZERO) ? AVS_TIME_DURATION_ZERO : left);
        }
    }
    return err;
}

/* ------------------------------------------------------------------ data */

avs_error_t avs_net_socket_send(avs_net_socket_t *socket, const void *buffer, size_t buffer_length) {
    if (socket->state != NET_CONNECTED) {
        return avs_errno(AVS_ENOTCONN);
    }
    if (socket->tls) {
        const avs_error_t err = tls_send(socket, buffer, buffer_length);
        socket->bytes_sent += avs_is_ok(err) ? buffer_length : 0;
        return err;
    }
    ssize_t sent = send(socket->fd, buffer, buffer_length, MSG_NOSIGNAL);
    if (sent < 0 && errno == ECONNREFUSED) { /* the answer to an earlier datagram: this one was not sent */
        sent = send(socket->fd, buffer, buffer_length, MSG_NOSIGNAL);
    }
    if (sent < 0) {
        return net_error(errno);
    }
    socket->bytes_sent += (uint64_t) sent;
    return AVS_OK;
}

static avs_error_t receive_once(avs_net_socket_t *socket, size_t *out_size, void *buffer, size_t capacity) {
    if (socket->tls) {
        return tls_receive(socket, out_size, buffer, capacity);
    }
    const ssize_t got = recv(socket->fd, buffer, capacity, MSG_TRUNC);
    if (got < 0) {
        return net_error(errno);
    }
    *out_size = AVS_MIN((size_t) got, capacity);
    return (size_t) got > capacity ? avs_errno(AVS_EMSGSIZE) : AVS_OK;
}

avs_error_t avs_net_socket_receive(avs_net_socket_t *socket, size_t *out_bytes_received, void *buffer,
                                   size_t buffer_length) {
    *out_bytes_received = 0;
    if (socket->state != NET_CONNECTED) {
        return avs_errno(AVS_ENOTCONN);
    }
    const bool wait = avs_time_duration_less(AVS_TIME_DURATION_ZERO, socket->recv_timeout);
    const avs_time_monotonic_t end =
            wait ? avs_time_monotonic_add(avs_time_monotonic_now(), socket->recv_timeout) : AVS_TIME_MONOTONIC_INVALID;
    for (;;) {
        const avs_error_t err = receive_once(socket, out_bytes_received, buffer, buffer_length);
        if (avs_is_ok(err)) {
            socket->bytes_received += *out_bytes_received;
            socket->heard = true;
        }
        if (!wait || err.category != AVS_ERRNO_CATEGORY || err.code != AVS_ETIMEDOUT) {
            return err;
        }
        const avs_time_duration_t left = avs_time_monotonic_diff(end, avs_time_monotonic_now());
        if (!avs_time_duration_less(AVS_TIME_DURATION_ZERO, left) || net_wait_readable(socket->fd, left) < 0) {
            return err;
        }
    }
}

/* ------------------------------------------------------------------ names and options */

const void *avs_net_socket_get_system(avs_net_socket_t *socket) {
    return socket->poll_fd >= 0 ? &socket->poll_fd : NULL;
}

avs_error_t avs_net_socket_interface_name(avs_net_socket_t *socket, avs_net_socket_interface_name_t *if_name) {
    if (!socket->config.interface_name[0]) {
        return avs_errno(AVS_ENODEV);
    }
    memcpy(*if_name, socket->config.interface_name, sizeof(*if_name));
    return AVS_OK;
}

static avs_error_t name_of(const struct sockaddr_storage *address, socklen_t size, char *host, size_t host_size,
                           char *port, size_t port_size) {
    const int result = getnameinfo((const struct sockaddr *) address, size, host, (socklen_t) host_size, port,
                                   (socklen_t) port_size, NI_NUMERICHOST | NI_NUMERICSERV);
    return result ? avs_errno(result == EAI_OVERFLOW ? AVS_ENOBUFS : AVS_EADDRNOTAVAIL) : AVS_OK;
}

static avs_error_t remote_name(avs_net_socket_t *socket, char *host, size_t host_size, char *port, size_t port_size) {
    if (socket->fd < 0) {
        return avs_errno(AVS_ENOTCONN);
    }
    return name_of(&socket->remote, socket->remote_size, host, host_size, port, port_size);
}

static avs_error_t local_name(avs_net_socket_t *socket, char *host, size_t host_size, char *port, size_t port_size) {
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    if (socket->fd < 0 || getsockname(socket->fd, (struct sockaddr *) &address, &size)) {
        return avs_errno(AVS_ENOTCONN);
    }
    return name_of(&address, size, host, host_size, port, port_size);
}

avs_error_t avs_net_socket_get_remote_host(avs_net_socket_t *socket, char *out_buffer, size_t out_buffer_size) {
    return remote_name(socket, out_buffer, out_buffer_size, NULL, 0);
}

avs_error_t avs_net_socket_get_remote_hostname(avs_net_socket_t *socket, char *out_buffer, size_t out_buffer_size) {
    if (!socket->remote_hostname) {
        return avs_errno(AVS_ENOTCONN);
    }
    return avs_simple_snprintf(out_buffer, out_buffer_size, "%s", socket->remote_hostname) < 0 ? avs_errno(AVS_ENOBUFS)
                                                                                              : AVS_OK;
}

avs_error_t avs_net_socket_get_remote_port(avs_net_socket_t *socket, char *out_buffer, size_t out_buffer_size) {
    return remote_name(socket, NULL, 0, out_buffer, out_buffer_size);
}

avs_error_t avs_net_socket_get_local_host(avs_net_socket_t *socket, char *out_buffer, size_t out_buffer_size) {
    return local_name(socket, out_buffer, out_buffer_size, NULL, 0);
}

avs_error_t avs_net_socket_get_local_port(avs_net_socket_t *socket, char *out_buffer, size_t out_buffer_size) {
    return local_name(socket, NULL, 0, out_buffer, out_buffer_size);
}

static int mtu_of(const avs_net_socket_t *socket) {
    return socket->config.forced_mtu > 0 ? socket->config.forced_mtu : DEFAULT_MTU;
}

avs_error_t avs_net_socket_get_opt(avs_net_socket_t *socket, avs_net_socket_opt_key_t option_key,
                                   avs_net_socket_opt_value_t *out) {
    static const avs_net_socket_state_t STATES[] = { [NET_CLOSED] = AVS_NET_SOCKET_STATE_CLOSED,
                                                     [NET_RESOLVING] = AVS_NET_SOCKET_STATE_CLOSED,
                                                     [NET_HANDSHAKE] = AVS_NET_SOCKET_STATE_BOUND,
                                                     [NET_CONNECTED] = AVS_NET_SOCKET_STATE_CONNECTED };
    const bool v6 = socket->remote.ss_family == AF_INET6;
    switch (option_key) {
    case AVS_NET_SOCKET_OPT_RECV_TIMEOUT: out->recv_timeout = socket->recv_timeout; return AVS_OK;
    case AVS_NET_SOCKET_OPT_STATE: out->state = STATES[socket->state]; return AVS_OK;
    case AVS_NET_SOCKET_OPT_ADDR_FAMILY:
        out->addr_family = socket->fd < 0 ? AVS_NET_AF_UNSPEC : v6 ? AVS_NET_AF_INET6 : AVS_NET_AF_INET4;
        return AVS_OK;
    case AVS_NET_SOCKET_OPT_MTU: out->mtu = mtu_of(socket); return AVS_OK;
    case AVS_NET_SOCKET_OPT_INNER_MTU:
        out->mtu = mtu_of(socket) - (v6 ? IPV6_HEADERS : IPV4_HEADERS) - (socket->tls ? DTLS_OVERHEAD : 0);
        return AVS_OK;
    case AVS_NET_SOCKET_OPT_SESSION_RESUMED:
        out->flag = socket->tls && tls_session_resumed(socket->tls);
        return AVS_OK;
    case AVS_NET_SOCKET_OPT_CONNECTION_ID_RESUMED: out->flag = false; return AVS_OK;
    case AVS_NET_SOCKET_OPT_BYTES_SENT: out->bytes_sent = socket->bytes_sent; return AVS_OK;
    case AVS_NET_SOCKET_OPT_BYTES_RECEIVED: out->bytes_received = socket->bytes_received; return AVS_OK;
    case AVS_NET_SOCKET_HAS_BUFFERED_DATA:
        out->flag = socket->tls && tls_has_buffered_data(socket->tls);
        return AVS_OK;
    default: return avs_errno(AVS_ENOTSUP);
    }
}

avs_error_t avs_net_socket_set_opt(avs_net_socket_t *socket, avs_net_socket_opt_key_t option_key,
                                   avs_net_socket_opt_value_t option_value) {
    switch (option_key) {
    case AVS_NET_SOCKET_OPT_RECV_TIMEOUT: socket->recv_timeout = option_value.recv_timeout; return AVS_OK;
    case AVS_NET_SOCKET_OPT_DTLS_HANDSHAKE_TIMEOUTS:
        if (!socket->tls) {
            return avs_errno(AVS_ENOTSUP);
        }
        tls_set_timeouts(socket->tls, option_value.dtls_handshake_timeouts);
        return AVS_OK;
    case AVS_NET_SOCKET_OPT_PREFERRED_ADDR_FAMILY:
        socket->config.preferred_family = option_value.addr_family;
        return AVS_OK;
    case AVS_NET_SOCKET_OPT_FORCED_ADDR_FAMILY: socket->config.address_family = option_value.addr_family; return AVS_OK;
    default: return avs_errno(AVS_ENOTSUP);
    }
}
