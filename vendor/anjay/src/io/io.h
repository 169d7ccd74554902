/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Values to payloads and back, for every content format. One file per format; the two contexts below are what the
 * data-model handlers see as anjay_output_ctx_t and anjay_input_ctx_t. Nothing here knows the data model or a socket.
 */
#ifndef ANJAY_IO_INTERNAL_H
#define ANJAY_IO_INTERNAL_H

#include "../../../avs_coap/src/coap_buf.h"

#include <anjay/io.h>

#include <stdarg.h>

enum {
    ANJAY_FORMAT_TEXT = 0,
    ANJAY_FORMAT_LINK = 40,
    ANJAY_FORMAT_OPAQUE = 42,
    ANJAY_FORMAT_CBOR = 60,
    ANJAY_FORMAT_SENML_JSON = 110,
    ANJAY_FORMAT_SENML_CBOR = 112,
    ANJAY_FORMAT_SENML_ETCH_JSON = 320,
    ANJAY_FORMAT_SENML_ETCH_CBOR = 322,
    ANJAY_FORMAT_TLV = 11542,
    ANJAY_FORMAT_LWM2M_JSON = 11543,
    ANJAY_FORMAT_LWM2M_CBOR = 11544,
    ANJAY_FORMAT_NONE = 0xFFFF
};

/* ---- paths: anjay_uri_path_t of <anjay/core.h>; unused ids are ANJAY_ID_INVALID, prefixes from the left ---- */

/** Ids in the path: 0 (root) to 4 (Resource Instance). */
size_t anjay_path_length(const anjay_uri_path_t *path);
anjay_uri_path_t anjay_path(size_t length, ...); /**< ids as int, e.g. anjay_path(2, 3333, 0) */
bool anjay_path_equal(const anjay_uri_path_t *a, const anjay_uri_path_t *b);
/** Whether @p path is @p base or lies below it. */
bool anjay_path_inside(const anjay_uri_path_t *path, const anjay_uri_path_t *base);
/** Text as "/3333/0/1"; "/" for the root. @p out has room for ANJAY_PATH_TEXT_SIZE bytes. */
#define ANJAY_PATH_TEXT_SIZE 25
const char *anjay_path_text(const anjay_uri_path_t *path, char *out);
/** Parses "/1/2" (also without the leading slash when @p allow_relative). @returns 0, -1 for anything else; ids below 65535, no leading zeros. */
int anjay_path_parse(const char *text, size_t size, anjay_uri_path_t *out);

/* ---- output ---- */

/** What a format does with values. Each returns 0 or a negative ANJAY_ERR_*. */
typedef struct anjay_output_vtable anjay_output_vtable_t;

/** Public so that it can live on the stack or inside the client; fields belong to io/. */
struct anjay_output_ctx_struct {
    const anjay_output_vtable_t *vtable;
    coap_buf_t *out;
    uint16_t format;
    anjay_uri_path_t base;
    anjay_uri_path_t path;  /**< of the value that comes next */
    bool value_given;       /**< the handler gave a value for `path` */
    int error;              /**< sticky */
    double timestamp;       /**< SenML time of the records, NaN for none */
    union {
        max_align_t align;
        unsigned char bytes[192]; /**< state of the format */
    } state;
};

/**
 * Starts a payload of @p format for a Read (or notification) of @p base into @p out, which is empty.
 * @returns 0; ANJAY_ERR_NOT_ACCEPTABLE when the format does not exist or cannot carry what is at @p base (@p multiple: base is a
 *          Resource with instances): Text, Opaque and CBOR carry a single value only.
 */
int anjay_output_start(anjay_output_ctx_t *ctx, coap_buf_t *out, uint16_t format, const anjay_uri_path_t *base, bool multiple);

/** The next anjay_ret_*() gives the value of @p path (a Resource or Resource Instance inside base). Paths ascend. */
int anjay_output_set_path(anjay_output_ctx_t *ctx, const anjay_uri_path_t *path);

/** Says that the Instance or multiple-instance Resource @p path exists, though it may turn out empty (TLV writes an empty container). */
int anjay_output_container(anjay_output_ctx_t *ctx, const anjay_uri_path_t *path);

/** Closes the payload. @returns 0 or the first error of any call; the buffer's contents are meaningless after an error. */
int anjay_output_finish(anjay_output_ctx_t *ctx);

/** Frees what a context that is not finished may hold. */
void anjay_output_abort(anjay_output_ctx_t *ctx);

/** Format of an answer to a Read without Accept. */
uint16_t anjay_output_default_format(const anjay_uri_path_t *base, bool multiple, bool prefer_hierarchical);

/** Whether an Accept or Content-Format of this number is known for output. */
bool anjay_output_format_supported(uint16_t format);

/** A context that takes a single value of a Resource as number, for pmin/gt/lt/st: not a number gives NaN, a string is no number. */
void anjay_output_start_number(anjay_output_ctx_t *ctx);
/** @returns 0 and the number given, or -1 if the value was none. */
int anjay_output_number(anjay_output_ctx_t *ctx, double *out);

/** Link Format (RFC 6690): appends `</3333/0>`, with a comma before if the buffer is not empty; attributes follow as `;name=value`. */
int anjay_link_append(coap_buf_t *out, const anjay_uri_path_t *path);
int anjay_link_attr(coap_buf_t *out, const char *name, const char *value); /**< value NULL: name alone */
int anjay_link_attr_double(coap_buf_t *out, const char *name, double value);
int anjay_link_attr_int(coap_buf_t *out, const char *name, int64_t value);

/* ---- input ---- */

typedef struct anjay_input_vtable anjay_input_vtable_t;

struct anjay_input_ctx_struct {
    const anjay_input_vtable_t *vtable;
    const uint8_t *data; /**< the whole payload: valid for the life of the context */
    size_t size;
    uint16_t format;
    anjay_uri_path_t base;
    bool create; /**< entries may lie in Instances without an id (TLV Create): reported as ANJAY_ID_INVALID */
    union {
        max_align_t align;
        unsigned char bytes[512];
    } state;
};

/** An entry of a payload. */
typedef struct {
    anjay_uri_path_t path;
    bool is_container; /**< no value: an Object Instance, or a multiple-instance Resource (then `is_array`), that may be empty */
    bool is_array;     /**< the path is a Resource and entries of its instances follow */
    bool no_value;     /**< a SenML record without value, or with null (RFC 8790, section 3.2.2) */
} anjay_input_entry_t;

/**
 * Starts reading a payload that was sent to @p base.
 * @returns 0; ANJAY_ERR_UNSUPPORTED_CONTENT_FORMAT; ANJAY_ERR_BAD_REQUEST for a payload that is malformed as a whole.
 */
int anjay_input_start(anjay_input_ctx_t *ctx, uint16_t format, const uint8_t *data, size_t size, const anjay_uri_path_t *base, bool create);

#define ANJAY_INPUT_END 1
/** Moves to the next entry, past whatever of the current one was not read. @returns 0, ANJAY_INPUT_END, or a negative ANJAY_ERR_*. */
int anjay_input_next(anjay_input_ctx_t *ctx, anjay_input_entry_t *out);

/** Whether the whole value of the current entry was read without error; a handler that read nothing is no error. */
void anjay_input_cleanup(anjay_input_ctx_t *ctx);

/** Whether the format can be written to a path (before any entry is looked at): TEXT, OPAQUE and CBOR only to a Resource or Resource Instance. */
bool anjay_input_format_supported(uint16_t format);

/* ---- a single opaque value that arrives in pieces (Firmware Package) ---- */

typedef int anjay_opaque_sink_t(void *arg, const uint8_t *data, size_t size);

/** State between pieces; no allocation. Formats: OPAQUE, TEXT (base64), CBOR (definite or indefinite byte string), TLV (one Resource). */
typedef struct {
    uint16_t format;
    uint16_t rid;
    uint8_t phase;
    uint8_t carry[16];
    uint8_t carry_size;
    uint64_t left;
    bool ended;
} anjay_opaque_stream_t;

bool anjay_opaque_stream_supported(uint16_t format);
void anjay_opaque_stream_start(anjay_opaque_stream_t *stream, uint16_t format, anjay_rid_t rid);
/** Decodes a piece into calls of @p sink (without copying where the format allows). @p last: the payload ends with this piece.
 *  @returns 0, ANJAY_ERR_BAD_REQUEST for a malformed payload, or what @p sink returned if not 0. */
int anjay_opaque_stream_feed(anjay_opaque_stream_t *stream, const uint8_t *data, size_t size, bool last,
                             anjay_opaque_sink_t *sink, void *arg);

/* ---- arguments of Execute ---- */

struct anjay_execute_ctx_struct {
    const char *data;
    size_t size;
    size_t offset;
    int state;
    int arg;
    size_t value_start, value_end, value_read;
};
/** Arguments are checked as they are asked for. @returns 0. */
int anjay_execute_start(anjay_execute_ctx_t *ctx, const uint8_t *data, size_t size);

#endif /* ANJAY_IO_INTERNAL_H */
