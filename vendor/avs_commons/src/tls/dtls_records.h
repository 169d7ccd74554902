/* SPDX-License-Identifier: Apache-2.0 */
/** What of a datagram may be a DTLS 1.2 record of a server, told by its outside alone (RFC 6347, sections 4.1 and 4.2). */
#ifndef DTLS_RECORDS_H
#define DTLS_RECORDS_H

#include <stddef.h>
#include <stdint.h>

/** Shortest record that can be a Finished message, whatever the ciphersuite: what to take while none is agreed on. */
#define DTLS_SHORTEST_FINISHED 40

/**
 * Drops every record that a server never sends, which RFC 6347, section 4.1.2.7, wants to be dropped silently: a TLS library may end the
 * connection over it. Works in place and needs no keys; what may be genuine is for the library to judge.
 *
 * @param data         a datagram
 * @param size         of it, in bytes
 * @param min_sealed   least length of an encrypted record's body: explicit nonce or IV, content, tag or MAC and padding, in bytes
 * @param plain_number during a handshake, the number that the next record of epoch 0 gets: nothing authenticates those numbers, and a
 *                     forged one would make the genuine ones look like replays. NULL once the handshake is over: no such record counts
 * @returns the size of what is left, 0 if nothing is
 */
size_t dtls_records_keep(uint8_t *data, size_t size, size_t min_sealed, uint64_t *plain_number);

#endif /* DTLS_RECORDS_H */
