/* SPDX-License-Identifier: Apache-2.0 */
/** Plain Text, Opaque and CBOR: one value, without its path. */
#include "base64.h"
#include "cbor.h"
#include "output_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------ Plain Text */

static int text_string(anjay_output_ctx_t *ctx, const char *value, size_t size) {
    return or_internal(coap_buf_append(ctx->out, value, size));
}

static int text_integer(anjay_output_ctx_t *ctx, int64_t value) {
    char text[24];
    return text_string(ctx, text, (size_t) snprintf(text, sizeof(text), "%" PRId64, value));
}

static int text_unsigned(anjay_output_ctx_t *ctx, uint64_t value) {
    char text[24];
    return text_string(ctx, text, (size_t) snprintf(text, sizeof(text), "%" PRIu64, value));
}

static int text_number(anjay_output_ctx_t *ctx, double value) {
    char text[32];
    return text_string(ctx, text, anjay_number_text(value, text));
}

static int text_boolean(anjay_output_ctx_t *ctx, bool value) {
    return text_string(ctx, value ? "1" : "0", 1);
}

static int text_objlnk(anjay_output_ctx_t *ctx, anjay_oid_t oid, anjay_iid_t iid) {
    char text[16];
    return text_string(ctx, text, (size_t) snprintf(text, sizeof(text), "%u:%u", oid, iid));
}

static base64_encoder_t *encoder_of(anjay_output_ctx_t *ctx) {
    return (base64_encoder_t *) ctx->state.bytes;
}

static int text_bytes_begin(anjay_output_ctx_t *ctx, size_t size) {
    (void) size;
    *encoder_of(ctx) = (base64_encoder_t) { 0 };
    return 0;
}

static int text_bytes_append(anjay_output_ctx_t *ctx, const uint8_t *data, size_t size) {
    return or_internal(base64_encode(encoder_of(ctx), ctx->out, data, size));
}

static int text_bytes_end(anjay_output_ctx_t *ctx) {
    return or_internal(base64_encode_end(encoder_of(ctx), ctx->out));
}

const anjay_output_vtable_t ANJAY_OUTPUT_TEXT = {
    .string = text_string,
    .integer = text_integer,
    .unsigned_integer = text_unsigned,
    .number = text_number,
    .boolean = text_boolean,
    .objlnk = text_objlnk,
    .bytes_begin = text_bytes_begin,
    .bytes_append = text_bytes_append,
    .bytes_end = text_bytes_end
};

/* ------------------------------------------------------------------ Opaque */

static int opaque_begin(anjay_output_ctx_t *ctx, size_t size) {
    return or_internal(coap_buf_reserve(ctx->out, size));
}

static int opaque_append(anjay_output_ctx_t *ctx, const uint8_t *data, size_t size) {
    return or_internal(coap_buf_append(ctx->out, data, size));
}

const anjay_output_vtable_t ANJAY_OUTPUT_OPAQUE = { .bytes_begin = opaque_begin, .bytes_append = opaque_append };

/* ------------------------------------------------------------------ CBOR */

static int cbor_string(anjay_output_ctx_t *ctx, const char *value, size_t size) {
    return or_internal(cbor_put_text(ctx->out, value, size));
}

static int cbor_integer(anjay_output_ctx_t *ctx, int64_t value) {
    return or_internal(cbor_put_i64(ctx->out, value));
}

static int cbor_unsigned(anjay_output_ctx_t *ctx, uint64_t value) {
    return or_internal(cbor_put_head(ctx->out, CBOR_UINT, value));
}

static int cbor_number(anjay_output_ctx_t *ctx, double value) {
    return or_internal(cbor_put_double(ctx->out, value));
}

static int cbor_boolean(anjay_output_ctx_t *ctx, bool value) {
    return or_internal(cbor_put_bool(ctx->out, value));
}

static int cbor_objlnk(anjay_output_ctx_t *ctx, anjay_oid_t oid, anjay_iid_t iid) {
    char text[16];
    return cbor_string(ctx, text, (size_t) snprintf(text, sizeof(text), "%u:%u", oid, iid));
}

static int cbor_bytes_begin(anjay_output_ctx_t *ctx, size_t size) {
    return or_internal(cbor_put_head(ctx->out, CBOR_BYTES, size) || coap_buf_reserve(ctx->out, size));
}

const anjay_output_vtable_t ANJAY_OUTPUT_CBOR = {
    .string = cbor_string,
    .integer = cbor_integer,
    .unsigned_integer = cbor_unsigned,
    .number = cbor_number,
    .boolean = cbor_boolean,
    .objlnk = cbor_objlnk,
    .bytes_begin = cbor_bytes_begin,
    .bytes_append = opaque_append
};
