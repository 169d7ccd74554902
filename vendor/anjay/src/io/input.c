/* SPDX-License-Identifier: Apache-2.0 */
/** Input contexts: choice of the format, and Plain Text, Opaque and CBOR, whose payload is one value. */
#include "input_internal.h"

#include <string.h>

static const anjay_input_vtable_t *vtable_of(uint16_t format) {
    switch (format) {
    case ANJAY_FORMAT_NONE: /* Plain Text is what a payload without Content-Format is taken for */
    case ANJAY_FORMAT_TEXT: return &ANJAY_INPUT_TEXT;
    case ANJAY_FORMAT_OPAQUE: return &ANJAY_INPUT_OPAQUE;
    case ANJAY_FORMAT_CBOR: return &ANJAY_INPUT_CBOR;
    case ANJAY_FORMAT_SENML_ETCH_JSON:
    case ANJAY_FORMAT_SENML_JSON: return &ANJAY_INPUT_SENML_JSON;
    case ANJAY_FORMAT_SENML_ETCH_CBOR:
    case ANJAY_FORMAT_SENML_CBOR: return &ANJAY_INPUT_SENML_CBOR;
    case ANJAY_FORMAT_TLV: return &ANJAY_INPUT_TLV;
    default: return NULL;
    }
}

bool anjay_input_format_supported(uint16_t format) {
    return vtable_of(format) && format != ANJAY_FORMAT_SENML_ETCH_JSON && format != ANJAY_FORMAT_SENML_ETCH_CBOR;
}

int anjay_input_start(anjay_input_ctx_t *ctx, uint16_t format, const uint8_t *data, size_t size,
                      const anjay_uri_path_t *base, bool create) {
    const anjay_input_vtable_t *vtable = vtable_of(format);
    if (!vtable) {
        return ANJAY_ERR_UNSUPPORTED_CONTENT_FORMAT;
    }
    memset(ctx, 0, sizeof(*ctx));
    ctx->vtable = vtable;
    ctx->data = data;
    ctx->size = size;
    ctx->format = format;
    ctx->base = *base;
    ctx->create = create;
    return vtable->start ? vtable->start(ctx) : 0;
}

int anjay_input_next(anjay_input_ctx_t *ctx, anjay_input_entry_t *out) {
    memset(value_of(ctx), 0, sizeof(value_t));
    memset(out, 0, sizeof(*out));
    return ctx->vtable->next(ctx, out);
}

void anjay_input_cleanup(anjay_input_ctx_t *ctx) {
    memset(value_of(ctx), 0, sizeof(value_t));
}

/* ------------------------------------------------------------------ one value */

typedef struct {
    input_state_t common;
    bool done;
} single_t;

static int single_next(anjay_input_ctx_t *ctx, anjay_input_entry_t *entry, value_kind_t kind) {
    single_t *single = (single_t *) (void *) ctx->state.bytes;
    if (single->done) {
        return ANJAY_INPUT_END;
    }
    single->done = true;
    if (anjay_path_length(&ctx->base) < 3) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    entry->path = ctx->base;
    *value_of(ctx) = (value_t) { .kind = kind, .data = ctx->data, .size = ctx->size };
    return 0;
}

static int text_next(anjay_input_ctx_t *ctx, anjay_input_entry_t *entry) {
    return single_next(ctx, entry, VALUE_TEXT);
}

static int opaque_next(anjay_input_ctx_t *ctx, anjay_input_entry_t *entry) {
    return single_next(ctx, entry, VALUE_RAW);
}

static int cbor_next(anjay_input_ctx_t *ctx, anjay_input_entry_t *entry) {
    return single_next(ctx, entry, VALUE_CBOR);
}

const anjay_input_vtable_t ANJAY_INPUT_TEXT = { .next = text_next };
const anjay_input_vtable_t ANJAY_INPUT_OPAQUE = { .next = opaque_next };
const anjay_input_vtable_t ANJAY_INPUT_CBOR = { .next = cbor_next };
