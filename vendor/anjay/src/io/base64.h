/* SPDX-License-Identifier: Apache-2.0 */
/** Base64 in pieces (RFC 4648): three bytes or four digits are carried from piece to piece. */
#ifndef ANJAY_IO_BASE64_H
#define ANJAY_IO_BASE64_H

#include "../../../avs_coap/src/coap_buf.h"

#include <stdbool.h>

typedef struct {
    bool url_safe; /**< "-_" and no padding, as SenML JSON has it; else "+/" with padding */
    uint8_t carry[3];
    uint8_t carry_size;
} base64_encoder_t;

/** Appends the digits of what is complete. @returns 0, or -1 when memory ran out. */
int base64_encode(base64_encoder_t *encoder, coap_buf_t *out, const uint8_t *data, size_t size);
/** Appends the rest. */
int base64_encode_end(base64_encoder_t *encoder, coap_buf_t *out);

typedef struct {
    bool url_safe;
    uint8_t digits;  /**< of the group of four under way */
    uint8_t padding; /**< "=" seen */
    uint32_t bits;
} base64_decoder_t;

/** Bytes that the next digit may complete are at most one. @returns 1 with *out set, 0 if none is complete yet, -1 for a character that may not be here. */
int base64_decode_digit(base64_decoder_t *decoder, char digit, uint8_t *out);
/** @returns whether the text may end here. */
bool base64_decode_complete(const base64_decoder_t *decoder);

#endif /* ANJAY_IO_BASE64_H */
