/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Buffers to receive datagrams in. A datagram needs one only while it is handled, so that all clients of the process share a few:
 * a thousand idle clients hold none. Callable from any thread, with or without a client's lock.
 */
#ifndef ANJAY_CORE_BUFFERS_H
#define ANJAY_CORE_BUFFERS_H

#include <stddef.h>
#include <stdint.h>

/** Says that there is one more client; balanced by anjay_buffers_release(), which frees what is spare after the last one. */
void anjay_buffers_retain(void);
void anjay_buffers_release(void);

/** @returns a buffer of at least @p capacity bytes, uninitialised, to be given back; NULL if out of memory. */
uint8_t *anjay_buffer_take(size_t capacity);

/** Gives back what anjay_buffer_take(@p capacity) returned; NULL is allowed. */
void anjay_buffer_give(uint8_t *buffer, size_t capacity);

#endif /* ANJAY_CORE_BUFFERS_H */
