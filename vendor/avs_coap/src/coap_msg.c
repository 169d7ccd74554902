/* SPDX-License-Identifier: Apache-2.0 */
#include "coap_msg.h"

#include <string.h>

#define PAYLOAD_MARKER 0xFF

/** Reads an option's delta or length, whose nibble is @p nibble; -1 for a malformed one. */
static int extended(const uint8_t *data, size_t size, size_t *offset, unsigned nibble, uint32_t *out) {
    if (nibble < 13) {
        *out = nibble;
        return 0;
    }
    if (nibble == 15 || size - *offset < nibble - 12) {
        return -1;
    }
    if (nibble == 13) {
        *out = 13u + data[*offset];
        *offset += 1;
    } else {
        *out = 269u + ((uint32_t) data[*offset] << 8 | data[*offset + 1]);
        *offset += 2;
    }
    return 0;
}

/** Reads the option at @p *offset. @returns 1, 0 at the end or the payload marker, -1 for a malformed one. */
static int read_option(const uint8_t *data, size_t size, size_t *offset, uint32_t *number, coap_option_t *out) {
    if (*offset >= size || data[*offset] == PAYLOAD_MARKER) {
        return 0;
    }
    const unsigned first = data[(*offset)++];
    uint32_t delta, length;
    if (extended(data, size, offset, first >> 4, &delta) || extended(data, size, offset, first & 15, &length)
            || length > size - *offset || *number + delta > UINT16_MAX) {
        return -1;
    }
    *number += delta;
    *out = (coap_option_t) { *number, data + *offset, length };
    *offset += length;
    return 1;
}

coap_parse_result_t coap_msg_parse(const uint8_t *data, size_t size, coap_msg_t *out) {
    if (size < 4 || data[0] >> 6 != 1) {
        return COAP_PARSE_IGNORE;
    }
    *out = (coap_msg_t) {
        .type = data[0] >> 4 & 3,
        .code = data[1],
        .mid = (uint16_t) (data[2] << 8 | data[3])
    };
    const size_t token_size = data[0] & 15;
    if (token_size > COAP_TOKEN_MAX || size - 4 < token_size) {
        return COAP_PARSE_IGNORE;
    }
    out->token.size = (uint8_t) token_size;
    memcpy(out->token.bytes, data + 4, token_size);
    const uint8_t *rest = data + 4 + token_size;
    const size_t rest_size = size - 4 - token_size;
    size_t offset = 0;
    uint32_t number = 0;
    coap_option_t option;
    int result;
    while ((result = read_option(rest, rest_size, &offset, &number, &option)) > 0) {
    }
    if (result < 0 || offset + 1 == rest_size) { /* a marker with nothing behind it is an error, too */
        return COAP_PARSE_FORMAT;
    }
    out->options = rest;
    out->options_size = offset;
    if (offset < rest_size) {
        out->payload = rest + offset + 1;
        out->payload_size = rest_size - offset - 1;
    }
    return out->code == 0 && size > 4 ? COAP_PARSE_FORMAT : COAP_PARSE_OK;
}

bool coap_option_next(const coap_msg_t *msg, coap_option_iter_t *iter, coap_option_t *out) {
    return read_option(msg->options, msg->options_size, &iter->offset, &iter->number, out) > 0;
}

bool coap_option_find(const coap_msg_t *msg, uint32_t number, coap_option_t *out) {
    coap_option_iter_t iter = { 0 };
    while (coap_option_next(msg, &iter, out)) {
        if (out->number >= number) {
            return out->number == number;
        }
    }
    return false;
}

int coap_option_uint(const coap_option_t *option, size_t max_bytes, uint32_t *out) {
    if (option->size > max_bytes || option->size > sizeof(*out)) {
        return -1;
    }
    *out = 0;
    for (size_t i = 0; i < option->size; ++i) {
        *out = *out << 8 | option->value[i];
    }
    return 0;
}

int coap_option_block(const coap_option_t *option, coap_block_t *out) {
    uint32_t value;
    if (coap_option_uint(option, 3, &value) || (value & 7) == 7) {
        return -1;
    }
    *out = (coap_block_t) { .num = value >> 4, .more = value >> 3 & 1, .szx = value & 7 };
    return 0;
}

static void put(coap_writer_t *w, const void *data, size_t size) {
    if (w->overflow || size > w->capacity - w->size) {
        w->overflow = true;
        return;
    }
    if (size) {
        memcpy(w->data + w->size, data, size);
        w->size += size;
    }
}

void coap_writer_start(coap_writer_t *w, uint8_t *out, size_t capacity, uint8_t type, uint8_t code, uint16_t mid,
                       const coap_token_t *token) {
    *w = (coap_writer_t) { .data = out, .capacity = capacity };
    const uint8_t token_size = token ? token->size : 0;
    const uint8_t header[] = { (uint8_t) (0x40 | type << 4 | token_size), code, (uint8_t) (mid >> 8), (uint8_t) mid };
    put(w, header, sizeof(header));
    if (token_size) {
        put(w, token->bytes, token_size);
    }
}

/** Nibble of a delta or length; what does not fit in it goes to @p ext. */
static unsigned nibble_of(size_t value, uint8_t ext[2], size_t *ext_size) {
    if (value < 13) {
        *ext_size = 0;
        return (unsigned) value;
    }
    if (value < 269) {
        ext[0] = (uint8_t) (value - 13);
        *ext_size = 1;
        return 13;
    }
    ext[0] = (uint8_t) ((value - 269) >> 8);
    ext[1] = (uint8_t) (value - 269);
    *ext_size = 2;
    return 14;
}

void coap_writer_option(coap_writer_t *w, uint32_t number, const void *value, size_t size) {
    uint8_t delta_ext[2], length_ext[2];
    size_t delta_size, length_size;
    if (number < w->last_option || size > UINT16_MAX) {
        w->overflow = true;
        return;
    }
    const unsigned delta = nibble_of(number - w->last_option, delta_ext, &delta_size);
    const unsigned length = nibble_of(size, length_ext, &length_size);
    const uint8_t first = (uint8_t) (delta << 4 | length);
    put(w, &first, 1);
    put(w, delta_ext, delta_size);
    put(w, length_ext, length_size);
    put(w, value, size);
    w->last_option = number;
}

void coap_writer_option_uint(coap_writer_t *w, uint32_t number, uint32_t value) {
    uint8_t bytes[4];
    size_t size = 0;
    for (int shift = 24; shift >= 0; shift -= 8) {
        if (size || value >> shift) {
            bytes[size++] = (uint8_t) (value >> shift);
        }
    }
    coap_writer_option(w, number, bytes, size);
}

void coap_writer_option_block(coap_writer_t *w, uint32_t number, const coap_block_t *block) {
    coap_writer_option_uint(w, number, block->num << 4 | (uint32_t) block->more << 3 | block->szx);
}

void coap_writer_payload(coap_writer_t *w, const void *payload, size_t size) {
    const uint8_t marker = PAYLOAD_MARKER;
    if (size) {
        put(w, &marker, 1);
        put(w, payload, size);
    }
}

bool coap_token_equal(const coap_token_t *a, const coap_token_t *b) {
    return a->size == b->size && !memcmp(a->bytes, b->bytes, a->size);
}
