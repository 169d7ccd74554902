/* SPDX-License-Identifier: Apache-2.0 */
/** CoAP message codec (RFC 7252, section 3): bytes in, a view out; options in, bytes out. Knows no socket and no clock. */
#ifndef COAP_MSG_H
#define COAP_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COAP_CON = 0, COAP_NON = 1, COAP_ACK = 2, COAP_RST = 3 };

enum {
    COAP_OPT_IF_MATCH = 1,
    COAP_OPT_URI_HOST = 3,
    COAP_OPT_ETAG = 4,
    COAP_OPT_IF_NONE_MATCH = 5,
    COAP_OPT_OBSERVE = 6,
    COAP_OPT_URI_PORT = 7,
    COAP_OPT_LOCATION_PATH = 8,
    COAP_OPT_URI_PATH = 11,
    COAP_OPT_CONTENT_FORMAT = 12,
    COAP_OPT_MAX_AGE = 14,
    COAP_OPT_URI_QUERY = 15,
    COAP_OPT_ACCEPT = 17,
    COAP_OPT_LOCATION_QUERY = 20,
    COAP_OPT_BLOCK2 = 23,
    COAP_OPT_BLOCK1 = 27,
    COAP_OPT_SIZE2 = 28,
    COAP_OPT_PROXY_URI = 35,
    COAP_OPT_PROXY_SCHEME = 39,
    COAP_OPT_SIZE1 = 60,
    COAP_OPT_NO_RESPONSE = 258
};

/** No Content-Format or Accept option. */
#define COAP_FORMAT_NONE 0xFFFF

#define COAP_TOKEN_MAX 8

typedef struct {
    uint8_t size; /**< 0 to COAP_TOKEN_MAX */
    uint8_t bytes[COAP_TOKEN_MAX];
} coap_token_t;

/** Block1 or Block2 (RFC 7959, section 2.2). */
typedef struct {
    uint32_t num; /**< 0 to 2^20 - 1 */
    bool more;
    uint8_t szx; /**< 0 to 6: blocks of 16 << szx bytes */
} coap_block_t;

/** A parsed message: a view into the datagram it was parsed from. */
typedef struct {
    uint8_t type;
    uint8_t code;
    uint16_t mid;
    coap_token_t token;
    const uint8_t *options; /**< encoded, validated by coap_msg_parse() */
    size_t options_size;
    const uint8_t *payload;
    size_t payload_size;
} coap_msg_t;

typedef struct {
    uint32_t number;
    const uint8_t *value;
    size_t size;
} coap_option_t;

typedef enum {
    COAP_PARSE_OK = 0,
    COAP_PARSE_IGNORE, /**< shorter than a header, or not version 1: to be dropped silently */
    COAP_PARSE_FORMAT  /**< a message format error; type, code and mid are valid: RST to a CON, drop others */
} coap_parse_result_t;

/** Parses a datagram; @p out views @p data. Every option is checked to lie within it. */
coap_parse_result_t coap_msg_parse(const uint8_t *data, size_t size, coap_msg_t *out);

/** Walks options: start with a zeroed iterator. */
typedef struct {
    size_t offset;
    uint32_t number;
} coap_option_iter_t;

/** @returns whether there was a further option, now in @p out. */
bool coap_option_next(const coap_msg_t *msg, coap_option_iter_t *iter, coap_option_t *out);

/** First option with @p number. @returns whether there is one. */
bool coap_option_find(const coap_msg_t *msg, uint32_t number, coap_option_t *out);

/** @returns 0 and the value of a uint option of at most @p max_bytes bytes; -1 if it is longer. */
int coap_option_uint(const coap_option_t *option, size_t max_bytes, uint32_t *out);

/** @returns 0, or -1 for a malformed value or SZX 7. */
int coap_option_block(const coap_option_t *option, coap_block_t *out);

/** Encodes into @p out of @p capacity bytes; options must be added in ascending order of number. */
typedef struct {
    uint8_t *data;
    size_t size;
    size_t capacity;
    uint32_t last_option;
    bool overflow; /**< sticky: set by any call that did not fit */
} coap_writer_t;

void coap_writer_start(coap_writer_t *w, uint8_t *out, size_t capacity, uint8_t type, uint8_t code, uint16_t mid,
                       const coap_token_t *token);
void coap_writer_option(coap_writer_t *w, uint32_t number, const void *value, size_t size);
void coap_writer_option_uint(coap_writer_t *w, uint32_t number, uint32_t value);
void coap_writer_option_block(coap_writer_t *w, uint32_t number, const coap_block_t *block);
void coap_writer_payload(coap_writer_t *w, const void *payload, size_t size);

bool coap_token_equal(const coap_token_t *a, const coap_token_t *b);

#endif /* COAP_MSG_H */
