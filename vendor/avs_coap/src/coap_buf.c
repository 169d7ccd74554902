/* SPDX-License-Identifier: Apache-2.0 */
#include "coap_buf.h"

#include <avsystem/commons/avs_memory.h>

#include <string.h>

/** What coap_buf_clear() keeps: more than any usual answer, and little enough for a thousand clients. */
#define KEPT_CAPACITY 8192

int coap_buf_reserve(coap_buf_t *buf, size_t extra) {
    if (extra <= buf->capacity - buf->size) {
        return 0;
    }
    if (extra > SIZE_MAX / 2 - buf->size) {
        return -1;
    }
    size_t capacity = buf->capacity ? buf->capacity : 128;
    while (capacity < buf->size + extra) {
        capacity *= 2;
    }
    uint8_t *data = (uint8_t *) avs_realloc(buf->data, capacity);
    if (!data) {
        return -1;
    }
    buf->data = data;
    buf->capacity = capacity;
    return 0;
}

int coap_buf_append(coap_buf_t *buf, const void *data, size_t size) {
    if (coap_buf_reserve(buf, size)) {
        return -1;
    }
    if (size) {
        memcpy(buf->data + buf->size, data, size);
        buf->size += size;
    }
    return 0;
}

void coap_buf_clear(coap_buf_t *buf) {
    buf->size = 0;
    if (buf->capacity > KEPT_CAPACITY) {
        coap_buf_cleanup(buf);
    }
}

void coap_buf_cleanup(coap_buf_t *buf) {
    avs_free(buf->data);
    *buf = (coap_buf_t) { 0 };
}
