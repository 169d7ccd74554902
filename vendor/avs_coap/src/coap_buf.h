/* SPDX-License-Identifier: Apache-2.0 */
/** A growable byte buffer that keeps its memory between uses, so that a warm exchange allocates nothing. */
#ifndef COAP_BUF_H
#define COAP_BUF_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint8_t *data;
    size_t size;
    size_t capacity;
} coap_buf_t;

/** Makes room for @p extra more bytes. @returns 0, or -1 when memory ran out (the contents stay). */
int coap_buf_reserve(coap_buf_t *buf, size_t extra);

/** Appends. @returns 0, or -1 when memory ran out (nothing appended). */
int coap_buf_append(coap_buf_t *buf, const void *data, size_t size);

/** Empties the buffer and keeps its memory, up to a few kilobytes. */
void coap_buf_clear(coap_buf_t *buf);

/** Frees the memory; the buffer is empty and usable afterwards. */
void coap_buf_cleanup(coap_buf_t *buf);

#endif /* COAP_BUF_H */
