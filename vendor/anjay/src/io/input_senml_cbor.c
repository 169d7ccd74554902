/* SPDX-License-Identifier: Apache-2.0 */
/** SenML CBOR in (RFC 8428, section 6). */
#include "cbor.h"
#include "input_internal.h"

#include <string.h>

typedef struct {
    input_state_t common;
    size_t at;
    bool indefinite;
    uint64_t left;
    size_t base_size;
    char base[SENML_NAME_MAX];
} senml_cbor_t;

static senml_cbor_t *senml_of(anjay_input_ctx_t *ctx) {
    AVS_STATIC_ASSERT(sizeof(senml_cbor_t) <= sizeof(ctx->state.bytes), senml_cbor_state_fits);
    return (senml_cbor_t *) (void *) ctx->state.bytes;
}

static int senml_cbor_start(anjay_input_ctx_t *ctx) {
    senml_cbor_t *senml = senml_of(ctx);
    cbor_head_t head;
    size_t at = 0;
    if (cbor_skip(ctx->data, ctx->size, &at) || at != ctx->size
            || cbor_read_head(ctx->data, ctx->size, &senml->at, &head) || head.major != CBOR_ARRAY) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    senml->indefinite = head.indefinite;
    senml->left = head.argument;
    return 0;
}

/** A text string of definite length that fits @p out. */
static int read_name(anjay_input_ctx_t *ctx, size_t *at, char out[SENML_NAME_MAX], size_t *size) {
    cbor_head_t head;
    if (cbor_read_head(ctx->data, ctx->size, at, &head) || head.major != CBOR_TEXT || head.indefinite
            || head.argument > SENML_NAME_MAX || head.argument > ctx->size - *at) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    *size = (size_t) head.argument;
    memcpy(out, ctx->data + *at, *size);
    *at += *size;
    return 0;
}

/** Reads a label: an integer, or the text "vlo" (*vlo). */
static int read_label(anjay_input_ctx_t *ctx, size_t *at, int64_t *label, bool *vlo) {
    cbor_head_t head;
    *vlo = false;
    if (cbor_read_head(ctx->data, ctx->size, at, &head)) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    if (head.major == CBOR_TEXT && !head.indefinite && head.argument == 3 && ctx->size - *at >= 3
            && !memcmp(ctx->data + *at, "vlo", 3)) {
        *at += 3;
        *vlo = true;
        return 0;
    }
    if (head.major > CBOR_NEGINT || head.argument > 100) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    *label = head.major == CBOR_UINT ? (int64_t) head.argument : -1 - (int64_t) head.argument;
    return 0;
}

/** Whether the item at @p at is of a type that label may have. */
static bool value_type_ok(const anjay_input_ctx_t *ctx, size_t at, int64_t label) {
    cbor_head_t head;
    do {
        if (cbor_read_head(ctx->data, ctx->size, &at, &head)) {
            return false;
        }
    } while (head.major == CBOR_TAG);
    double ignored;
    switch (label) {
    case 2: return head.major <= CBOR_NEGINT || head.major == CBOR_ARRAY || cbor_float(&head, &ignored);
    case 3: return head.major == CBOR_TEXT;
    case 4: return head.major == CBOR_SIMPLE && (head.info == 20 || head.info == 21);
    default: return head.major == CBOR_BYTES;
    }
}

static int take_value(anjay_input_ctx_t *ctx, value_kind_t kind, size_t *at) {
    value_t *value = value_of(ctx);
    const size_t first = *at;
    if (value->kind != VALUE_NONE || cbor_skip(ctx->data, ctx->size, at)) { /* two values in a record */
        return ANJAY_ERR_BAD_REQUEST;
    }
    *value = (value_t) { .kind = kind, .data = ctx->data + first, .size = *at - first };
    return 0;
}

static int read_record(anjay_input_ctx_t *ctx, char *name, size_t *name_size) {
    senml_cbor_t *senml = senml_of(ctx);
    cbor_head_t map;
    if (cbor_read_head(ctx->data, ctx->size, &senml->at, &map) || map.major != CBOR_MAP) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    for (uint64_t i = 0; map.indefinite || i < map.argument; ++i) {
        if (map.indefinite && senml->at < ctx->size && ctx->data[senml->at] == 0xFF) {
            ++senml->at;
            break;
        }
        int64_t label = 0;
        bool vlo;
        int result = read_label(ctx, &senml->at, &label, &vlo);
        if (result) {
            return result;
        }
        if (vlo) {
            result = take_value(ctx, VALUE_CBOR_OBJLNK, &senml->at);
        } else if (label == -2) {
            result = read_name(ctx, &senml->at, senml->base, &senml->base_size);
        } else if (label == 0) {
            result = read_name(ctx, &senml->at, name, name_size);
        } else if (label == 2 && senml->at < ctx->size && ctx->data[senml->at] == 0xF6) {
            result = take_value(ctx, VALUE_NULL, &senml->at);
        } else if ((label == 2 || label == 3 || label == 4 || label == 8) && value_type_ok(ctx, senml->at, label)) {
            result = take_value(ctx, VALUE_CBOR, &senml->at);
        } else {
            result = ANJAY_ERR_BAD_REQUEST; /* times, units and sums mean nothing in a Write */
        }
        if (result) {
            return result;
        }
    }
    return 0;
}

static int senml_cbor_next(anjay_input_ctx_t *ctx, anjay_input_entry_t *entry) {
    senml_cbor_t *senml = senml_of(ctx);
    if (senml->indefinite ? ctx->data[senml->at] == 0xFF : !senml->left) {
        return ANJAY_INPUT_END;
    }
    senml->left -= !senml->indefinite;
    char name[SENML_NAME_MAX];
    size_t name_size = 0;
    int result = read_record(ctx, name, &name_size);
    entry->no_value = value_of(ctx)->kind == VALUE_NONE || value_of(ctx)->kind == VALUE_NULL;
    if (!result) {
        result = senml_path(senml->base, senml->base_size, name, name_size, &entry->path);
    }
    return result;
}

const anjay_input_vtable_t ANJAY_INPUT_SENML_CBOR = { .start = senml_cbor_start, .next = senml_cbor_next };
