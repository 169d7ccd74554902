/* SPDX-License-Identifier: Apache-2.0 */
#include "base64.h"

static const char STANDARD[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char URL_SAFE[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int encode_group(const base64_encoder_t *encoder, coap_buf_t *out, const uint8_t *group, size_t size) {
    const char *alphabet = encoder->url_safe ? URL_SAFE : STANDARD;
    const uint32_t bits = (uint32_t) group[0] << 16 | (size > 1 ? (uint32_t) group[1] << 8 : 0) | (size > 2 ? group[2] : 0);
    char digits[4];
    size_t count = 0;
    for (size_t i = 0; i < 4; ++i) {
        if (i <= size) {
            digits[count++] = alphabet[bits >> (18 - 6 * i) & 63];
        } else if (!encoder->url_safe) {
            digits[count++] = '=';
        }
    }
    return coap_buf_append(out, digits, count);
}

int base64_encode(base64_encoder_t *encoder, coap_buf_t *out, const uint8_t *data, size_t size) {
    if (coap_buf_reserve(out, size / 3 * 4 + 8)) {
        return -1;
    }
    for (size_t i = 0; i < size; ++i) {
        encoder->carry[encoder->carry_size++] = data[i];
        if (encoder->carry_size == 3) {
            encoder->carry_size = 0;
            if (encode_group(encoder, out, encoder->carry, 3)) {
                return -1;
            }
        }
    }
    return 0;
}

int base64_encode_end(base64_encoder_t *encoder, coap_buf_t *out) {
    const size_t size = encoder->carry_size;
    encoder->carry_size = 0;
    return size ? encode_group(encoder, out, encoder->carry, size) : 0;
}

static int digit_value(char digit, bool url_safe) {
    if (digit >= 'A' && digit <= 'Z') {
        return digit - 'A';
    }
    if (digit >= 'a' && digit <= 'z') {
        return digit - 'a' + 26;
    }
    if (digit >= '0' && digit <= '9') {
        return digit - '0' + 52;
    }
    if (digit == (url_safe ? '-' : '+')) {
        return 62;
    }
    return digit == (url_safe ? '_' : '/') ? 63 : -1;
}

int base64_decode_digit(base64_decoder_t *decoder, char digit, uint8_t *out) {
    if (digit == '=' && !decoder->url_safe) {
        if (decoder->digits < 2 || ++decoder->padding > 2) {
            return -1;
        }
        decoder->digits = (uint8_t) ((decoder->digits + 1) % 4);
        return 0;
    }
    const int value = digit_value(digit, decoder->url_safe);
    if (value < 0 || decoder->padding) {
        return -1;
    }
    decoder->bits = decoder->bits << 6 | (uint32_t) value;
    decoder->digits = (uint8_t) ((decoder->digits + 1) % 4);
    if (decoder->digits == 1) {
        return 0;
    }
    /* bits that are waiting beyond this byte: 4, 2 or 0 */
    const unsigned waiting = decoder->digits == 2 ? 4 : decoder->digits == 3 ? 2 : 0;
    *out = (uint8_t) (decoder->bits >> waiting);
    return 1;
}

bool base64_decode_complete(const base64_decoder_t *decoder) {
    return decoder->url_safe ? decoder->digits != 1 : decoder->digits == 0;
}
