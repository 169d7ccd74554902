/* SPDX-License-Identifier: Apache-2.0 */
/** What a content format implements to take a payload apart: entries with a path and a value that is decoded when it is asked for. */
#ifndef ANJAY_INPUT_INTERNAL_H
#define ANJAY_INPUT_INTERNAL_H

#include "base64.h"
#include "io.h"

/** How the bytes of a value are to be read. */
typedef enum {
    VALUE_NONE,
    VALUE_NULL,      /**< SenML: null where a number may be */
    VALUE_TEXT,      /**< Plain Text: the handler says what it is */
    VALUE_RAW,       /**< TLV or Opaque: likewise */
    VALUE_JSON_STRING, /**< between the quotes, escapes included */
    VALUE_JSON_BASE64, /**< base64url without padding */
    VALUE_JSON_OBJLNK,
    VALUE_CBOR,      /**< one CBOR item, tags included */
    VALUE_CBOR_OBJLNK, /**< a CBOR text string */
    VALUE_UNSIGNED,  /**< a number already read */
    VALUE_NEGATIVE,  /**< -1 - number */
    VALUE_DOUBLE,
    VALUE_BOOLEAN
} value_kind_t;

/** Where in a character a piece of UTF-8 text ended. */
typedef struct {
    uint8_t missing;   /**< bytes of the character that are still to come */
    uint8_t low, high; /**< range of the next of them */
} utf8_state_t;

typedef struct {
    value_kind_t kind;
    const uint8_t *data;
    size_t size;
    size_t offset;   /**< read so far, by anjay_get_bytes() or anjay_get_string() */
    uint64_t number; /**< of VALUE_UNSIGNED, VALUE_NEGATIVE, VALUE_BOOLEAN; bits of VALUE_DOUBLE */
    bool started;    /**< reading in pieces has begun */
    bool ended;
    base64_decoder_t base64;
    uint64_t chunk_left; /**< of a CBOR string: bytes of the chunk that is being read */
    bool chunks;         /**< it is of indefinite length */
    utf8_state_t utf8;   /**< of the text that anjay_get_string() has given so far */
} value_t;

/** The state of every format begins with this. */
typedef struct {
    value_t value;
} input_state_t;

static inline value_t *value_of(anjay_input_ctx_t *ctx) {
    return &((input_state_t *) (void *) ctx->state.bytes)->value;
}

struct anjay_input_vtable {
    int (*start)(anjay_input_ctx_t *ctx);                            /**< may be NULL */
    int (*next)(anjay_input_ctx_t *ctx, anjay_input_entry_t *entry); /**< sets the value, too */
};

extern const anjay_input_vtable_t ANJAY_INPUT_TEXT;
extern const anjay_input_vtable_t ANJAY_INPUT_OPAQUE;
extern const anjay_input_vtable_t ANJAY_INPUT_CBOR;
extern const anjay_input_vtable_t ANJAY_INPUT_SENML_JSON;
extern const anjay_input_vtable_t ANJAY_INPUT_SENML_CBOR;
extern const anjay_input_vtable_t ANJAY_INPUT_TLV;

/** Decodes one JSON character (RFC 8259, section 7) at *at into UTF-8. @returns its size (1 to 4), -1 if it is malformed. */
int json_read_char(const uint8_t *data, size_t size, size_t *at, char out[4]);

/** Puts a base name and a name together and parses the path. @returns 0, or ANJAY_ERR_BAD_REQUEST. */
int senml_path(const char *base, size_t base_size, const char *name, size_t name_size, anjay_uri_path_t *out);

/** Longest base name or name: more than any path. */
#define SENML_NAME_MAX 32

#endif /* ANJAY_INPUT_INTERNAL_H */
