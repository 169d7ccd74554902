/* SPDX-License-Identifier: Apache-2.0 */
/** CBOR items (RFC 8949): heads out, items in. */
#ifndef ANJAY_IO_CBOR_H
#define ANJAY_IO_CBOR_H

#include "../../../avs_coap/src/coap_buf.h"

#include <stdbool.h>

enum {
    CBOR_UINT = 0,
    CBOR_NEGINT = 1,
    CBOR_BYTES = 2,
    CBOR_TEXT = 3,
    CBOR_ARRAY = 4,
    CBOR_MAP = 5,
    CBOR_TAG = 6,
    CBOR_SIMPLE = 7
};

/** Appends a head: major type and argument, in the fewest bytes. @returns 0 or -1 (no memory). */
int cbor_put_head(coap_buf_t *out, unsigned major, uint64_t argument);
int cbor_put_i64(coap_buf_t *out, int64_t value);
/** As a single-precision float where that is exact. */
int cbor_put_double(coap_buf_t *out, double value);
int cbor_put_bool(coap_buf_t *out, bool value);
int cbor_put_text(coap_buf_t *out, const char *text, size_t size);

/** The head of an item. */
typedef struct {
    unsigned major;
    unsigned info;       /**< low five bits of the first byte */
    bool indefinite;     /**< length follows from a break */
    bool is_break;
    uint64_t argument;   /**< value, length, count or tag; of a float its bits */
} cbor_head_t;

/** Reads a head at *at and moves past it. @returns 0, -1 if it is truncated or malformed. */
int cbor_read_head(const uint8_t *data, size_t size, size_t *at, cbor_head_t *out);

/** Moves past a whole item of any kind, not deeper than 16 levels. @returns 0 or -1. */
int cbor_skip(const uint8_t *data, size_t size, size_t *at);

/** The number of a CBOR_SIMPLE head that is a float of any size. @returns false if it is something else. */
bool cbor_float(const cbor_head_t *head, double *out);

#endif /* ANJAY_IO_CBOR_H */
