/* SPDX-License-Identifier: Apache-2.0 */
/** Connecting without waiting: what avs_net_socket_connect() does, in steps that an event loop drives. */
#ifndef NET_ASYNC_H
#define NET_ASYNC_H

#include <avsystem/commons/avs_socket.h>
#include <avsystem/commons/avs_time.h>

/**
 * Starts connecting a UDP or DTLS socket created by avs_net_udp_socket_create() / avs_net_dtls_socket_create(). Nothing blocks: a host name is
 * resolved by a thread of the resolver; a DTLS socket sends its ClientHello once the address is known (resuming a session that it has).
 * After success call net_connect_step() until it is no longer pending, each time the descriptor of net_connect_fd() is readable or the deadline passed.
 */
avs_error_t net_connect_start(avs_net_socket_t *socket, const char *host, const char *port);

/**
 * Goes on with what has arrived and with handshake retransmission.
 * @param pending       whether more steps are needed; false with AVS_OK: connected
 * @param deadline      when to step again even if nothing arrives
 * @returns AVS_OK; an alert (avs_net_ssl_alert()) of the server, AVS_ETIMEDOUT after the last handshake timeout, AVS_ECONNREFUSED,
 *          AVS_EADDRNOTAVAIL for a name that does not resolve, ...; the socket is closed then and may be started anew.
 */
avs_error_t net_connect_step(avs_net_socket_t *socket, bool *pending, avs_time_monotonic_t *deadline);

/** The descriptor to poll for reading while connecting (the resolver's or the socket's); -1 if none. */
int net_connect_fd(avs_net_socket_t *socket);

/** Forgets the DTLS session, so that the next connect makes a full handshake. */
void net_forget_session(avs_net_socket_t *socket);

#endif /* NET_ASYNC_H */
