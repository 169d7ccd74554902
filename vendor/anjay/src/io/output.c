/* SPDX-License-Identifier: Apache-2.0 */
/** Output contexts: choice of the format, and the public anjay_ret_*() on top of it. */
#include "output_internal.h"

#include "../../../avs_commons/src/base/c_locale.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/** A Resource with one value, whose Content-Format may be one without paths. */
static bool single_value_only(uint16_t format) {
    return format == ANJAY_FORMAT_TEXT || format == ANJAY_FORMAT_OPAQUE || format == ANJAY_FORMAT_CBOR;
}

static const anjay_output_vtable_t *vtable_of(uint16_t format) {
    switch (format) {
    case ANJAY_FORMAT_TEXT: return &ANJAY_OUTPUT_TEXT;
    case ANJAY_FORMAT_OPAQUE: return &ANJAY_OUTPUT_OPAQUE;
    case ANJAY_FORMAT_CBOR: return &ANJAY_OUTPUT_CBOR;
    case ANJAY_FORMAT_SENML_JSON: return &ANJAY_OUTPUT_SENML_JSON;
    case ANJAY_FORMAT_SENML_CBOR: return &ANJAY_OUTPUT_SENML_CBOR;
    case ANJAY_FORMAT_TLV: return &ANJAY_OUTPUT_TLV;
    default: return NULL;
    }
}

bool anjay_output_format_supported(uint16_t format) {
    return vtable_of(format);
}

uint16_t anjay_output_default_format(const anjay_uri_path_t *base, bool multiple, bool prefer_hierarchical) {
    if (anjay_path_length(base) >= 3 && !multiple) {
        return ANJAY_FORMAT_TEXT;
    }
    return prefer_hierarchical ? ANJAY_FORMAT_TLV : ANJAY_FORMAT_SENML_CBOR;
}

int anjay_output_start(anjay_output_ctx_t *ctx, coap_buf_t *out, uint16_t format, const anjay_uri_path_t *base,
                       bool multiple) {
    const anjay_output_vtable_t *vtable = vtable_of(format);
    if (!vtable || (single_value_only(format) && (multiple || anjay_path_length(base) < 3))) {
        return ANJAY_ERR_NOT_ACCEPTABLE;
    }
    ctx->vtable = vtable;
    ctx->out = out;
    ctx->format = format;
    ctx->base = *base;
    ctx->path = *base;
    ctx->value_given = false;
    ctx->error = 0;
    ctx->timestamp = NAN;
    memset(&ctx->state, 0, sizeof(ctx->state));
    if (format == ANJAY_FORMAT_SENML_JSON) {
        anjay_output_senml_json_start(ctx);
    } else if (format == ANJAY_FORMAT_SENML_CBOR) {
        anjay_output_senml_cbor_start(ctx);
    }
    return ctx->error;
}

static int keep_error(anjay_output_ctx_t *ctx, int result) {
    if (result && !ctx->error) {
        ctx->error = result;
    }
    return result;
}

int anjay_output_set_path(anjay_output_ctx_t *ctx, const anjay_uri_path_t *path) {
    ctx->path = *path;
    ctx->value_given = false;
    return ctx->error;
}

int anjay_output_container(anjay_output_ctx_t *ctx, const anjay_uri_path_t *path) {
    if (ctx->error || !ctx->vtable->container) {
        return ctx->error;
    }
    return keep_error(ctx, ctx->vtable->container(ctx, path));
}

int anjay_output_finish(anjay_output_ctx_t *ctx) {
    if (!ctx->error && ctx->vtable->finish) {
        keep_error(ctx, ctx->vtable->finish(ctx));
    }
    return ctx->error;
}

void anjay_output_abort(anjay_output_ctx_t *ctx) {
    ctx->error = ANJAY_ERR_INTERNAL;
}

/** Whether a value may be given now: one for each path. */
static bool may_give(anjay_output_ctx_t *ctx) {
    if (ctx->error) {
        return false;
    }
    if (ctx->value_given) {
        keep_error(ctx, ANJAY_ERR_INTERNAL);
        return false;
    }
    ctx->value_given = true;
    return true;
}

/* A format that cannot carry a kind of value leaves its function out. */
#define GIVE(Ctx, Function, ...)                                      \
    do {                                                              \
        if (!may_give(Ctx)) {                                         \
            return (Ctx)->error;                                      \
        }                                                             \
        if (!(Ctx)->vtable->Function) {                               \
            return keep_error(Ctx, ANJAY_ERR_NOT_ACCEPTABLE);         \
        }                                                             \
        return keep_error(Ctx, (Ctx)->vtable->Function(Ctx, __VA_ARGS__)); \
    } while (0)

int anjay_ret_string(anjay_output_ctx_t *ctx, const char *value) {
    GIVE(ctx, string, value, strlen(value));
}

int anjay_ret_i64(anjay_output_ctx_t *ctx, int64_t value) {
    GIVE(ctx, integer, value);
}

int anjay_ret_u64(anjay_output_ctx_t *ctx, uint64_t value) {
    GIVE(ctx, unsigned_integer, value);
}

int anjay_ret_double(anjay_output_ctx_t *ctx, double value) {
    GIVE(ctx, number, value);
}

int anjay_ret_bool(anjay_output_ctx_t *ctx, bool value) {
    GIVE(ctx, boolean, value);
}

int anjay_ret_objlnk(anjay_output_ctx_t *ctx, anjay_oid_t oid, anjay_iid_t iid) {
    GIVE(ctx, objlnk, oid, iid);
}

/* The context of a byte string that is being given is the output context itself; what is left to come is kept behind its state. */
static size_t *bytes_left(anjay_output_ctx_t *ctx) {
    return (size_t *) (void *) (ctx->state.bytes + sizeof(ctx->state.bytes) - sizeof(size_t));
}

static int bytes_begin(anjay_output_ctx_t *ctx, size_t length) {
    *bytes_left(ctx) = length;
    if (!ctx->vtable->bytes_begin) {
        return ANJAY_ERR_NOT_ACCEPTABLE;
    }
    int result = ctx->vtable->bytes_begin(ctx, length);
    return result || length || !ctx->vtable->bytes_end ? result : ctx->vtable->bytes_end(ctx);
}

anjay_ret_bytes_ctx_t *anjay_ret_bytes_begin(anjay_output_ctx_t *ctx, size_t length) {
    if (!may_give(ctx) || keep_error(ctx, bytes_begin(ctx, length))) {
        return NULL;
    }
    return (anjay_ret_bytes_ctx_t *) ctx;
}

int anjay_ret_bytes_append(anjay_ret_bytes_ctx_t *ctx_, const void *data, size_t length) {
    anjay_output_ctx_t *ctx = (anjay_output_ctx_t *) ctx_;
    if (ctx->error) {
        return ctx->error;
    }
    if (length > *bytes_left(ctx)) {
        return keep_error(ctx, ANJAY_ERR_INTERNAL);
    }
    if (!length) {
        return 0;
    }
    *bytes_left(ctx) -= length;
    int result = ctx->vtable->bytes_append(ctx, (const uint8_t *) data, length);
    if (!result && !*bytes_left(ctx) && ctx->vtable->bytes_end) {
        result = ctx->vtable->bytes_end(ctx);
    }
    return keep_error(ctx, result);
}

int anjay_ret_bytes(anjay_output_ctx_t *ctx, const void *data, size_t length) {
    anjay_ret_bytes_ctx_t *bytes = anjay_ret_bytes_begin(ctx, length);
    return bytes ? anjay_ret_bytes_append(bytes, data, length) : ctx->error;
}

size_t anjay_number_text(double value, char *out) {
    if (isnan(value)) {
        strcpy(out, "nan");
        return 3;
    }
    const int length = c_format_double(out, 32, 17, value);
    return length > 0 ? (size_t) length : 0;
}

/* ------------------------------------------------------------------ a number for attribute conditions */

static int take_number(anjay_output_ctx_t *ctx, double value) {
    memcpy(ctx->state.bytes, &value, sizeof(value));
    return 0;
}

static int take_integer(anjay_output_ctx_t *ctx, int64_t value) {
    return take_number(ctx, (double) value);
}

static int take_unsigned(anjay_output_ctx_t *ctx, uint64_t value) {
    return take_number(ctx, (double) value);
}

const anjay_output_vtable_t ANJAY_OUTPUT_NUMBER = { .integer = take_integer,
                                                    .unsigned_integer = take_unsigned,
                                                    .number = take_number };

void anjay_output_start_number(anjay_output_ctx_t *ctx) {
    memset(ctx, 0, sizeof(*ctx));
    ctx->vtable = &ANJAY_OUTPUT_NUMBER;
    ctx->path = ctx->base = anjay_path(0);
}

int anjay_output_number(anjay_output_ctx_t *ctx, double *out) {
    if (ctx->error || !ctx->value_given) {
        return -1;
    }
    memcpy(out, ctx->state.bytes, sizeof(*out));
    return 0;
}
