/* SPDX-License-Identifier: Apache-2.0 */
#include "cbor.h"

#include <math.h>
#include <string.h>

#define MAX_DEPTH 16

static int put_big_endian(coap_buf_t *out, uint8_t first, uint64_t value, size_t bytes) {
    uint8_t data[9] = { first };
    for (size_t i = 0; i < bytes; ++i) {
        data[1 + i] = (uint8_t) (value >> 8 * (bytes - 1 - i));
    }
    return coap_buf_append(out, data, 1 + bytes);
}

int cbor_put_head(coap_buf_t *out, unsigned major, uint64_t argument) {
    const uint8_t first = (uint8_t) (major << 5);
    if (argument < 24) {
        return put_big_endian(out, (uint8_t) (first | argument), 0, 0);
    }
    if (argument <= UINT8_MAX) {
        return put_big_endian(out, first | 24, argument, 1);
    }
    if (argument <= UINT16_MAX) {
        return put_big_endian(out, first | 25, argument, 2);
    }
    return argument <= UINT32_MAX ? put_big_endian(out, first | 26, argument, 4)
                                  : put_big_endian(out, first | 27, argument, 8);
}

int cbor_put_i64(coap_buf_t *out, int64_t value) {
    return value < 0 ? cbor_put_head(out, CBOR_NEGINT, (uint64_t) - (value + 1))
                     : cbor_put_head(out, CBOR_UINT, (uint64_t) value);
}

int cbor_put_double(coap_buf_t *out, double value) {
    const float single = (float) value;
    if ((double) single == value) {
        uint32_t bits;
        memcpy(&bits, &single, sizeof(bits));
        return put_big_endian(out, CBOR_SIMPLE << 5 | 26, bits, 4);
    }
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return put_big_endian(out, CBOR_SIMPLE << 5 | 27, bits, 8);
}

int cbor_put_bool(coap_buf_t *out, bool value) {
    return cbor_put_head(out, CBOR_SIMPLE, value ? 21 : 20);
}

int cbor_put_text(coap_buf_t *out, const char *text, size_t size) {
    return cbor_put_head(out, CBOR_TEXT, size) || coap_buf_append(out, text, size) ? -1 : 0;
}

int cbor_read_head(const uint8_t *data, size_t size, size_t *at, cbor_head_t *out) {
    if (*at >= size) {
        return -1;
    }
    const uint8_t first = data[(*at)++];
    *out = (cbor_head_t) { .major = first >> 5, .info = first & 31 };
    if (out->info < 24) {
        out->argument = out->info;
        return 0;
    }
    if (out->info == 31) {
        out->is_break = out->major == CBOR_SIMPLE;
        out->indefinite = out->major >= CBOR_BYTES && out->major <= CBOR_MAP;
        return out->is_break || out->indefinite ? 0 : -1;
    }
    if (out->info > 27) {
        return -1;
    }
    const size_t bytes = (size_t) 1 << (out->info - 24);
    if (size - *at < bytes) {
        return -1;
    }
    for (size_t i = 0; i < bytes; ++i) {
        out->argument = out->argument << 8 | data[(*at)++];
    }
    return 0;
}

static int skip_item(const uint8_t *data, size_t size, size_t *at, unsigned depth, bool *is_break) {
    cbor_head_t head;
    bool inner_break = false;
    *is_break = false;
    if (depth > MAX_DEPTH || cbor_read_head(data, size, at, &head)) {
        return -1;
    }
    if (head.is_break) {
        *is_break = true;
        return 0;
    }
    if (head.indefinite) {
        while (!inner_break) {
            if (skip_item(data, size, at, depth + 1, &inner_break)) {
                return -1;
            }
        }
        return 0;
    }
    if (head.major == CBOR_BYTES || head.major == CBOR_TEXT) {
        if (head.argument > size - *at) {
            return -1;
        }
        *at += (size_t) head.argument;
        return 0;
    }
    uint64_t items = head.major == CBOR_TAG ? 1 : head.major == CBOR_ARRAY || head.major == CBOR_MAP ? head.argument : 0;
    if (head.major == CBOR_MAP) {
        if (items > size) {
            return -1;
        }
        items *= 2;
    }
    for (; items; --items) { /* each item takes a byte at least: a huge count ends with the data */
        if (skip_item(data, size, at, depth + 1, &inner_break) || inner_break) {
            return -1;
        }
    }
    return 0;
}

int cbor_skip(const uint8_t *data, size_t size, size_t *at) {
    bool is_break;
    return skip_item(data, size, at, 0, &is_break) || is_break ? -1 : 0;
}

bool cbor_float(const cbor_head_t *head, double *out) {
    if (head->major != CBOR_SIMPLE) {
        return false;
    }
    if (head->info == 27) {
        memcpy(out, &head->argument, sizeof(*out));
        return true;
    }
    if (head->info == 26) {
        const uint32_t bits = (uint32_t) head->argument;
        float single;
        memcpy(&single, &bits, sizeof(single));
        *out = single;
        return true;
    }
    if (head->info != 25) {
        return false;
    }
    const unsigned bits = (unsigned) head->argument, exponent = bits >> 10 & 31, mantissa = bits & 1023;
    if (exponent == 31) {
        *out = mantissa ? NAN : INFINITY;
    } else {
        *out = exponent ? ldexp(mantissa + 1024, (int) exponent - 25) : ldexp(mantissa, -24);
    }
    if (bits >> 15) {
        *out = -*out;
    }
    return true;
}
