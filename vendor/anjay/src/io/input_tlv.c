/* SPDX-License-Identifier: Apache-2.0 */
/** TLV in (LwM2M Core 1.1, section 7.4.4). */
#include "input_internal.h"

#include <string.h>

enum { TLV_INSTANCE = 0, TLV_RESOURCE_INSTANCE = 1, TLV_MULTIPLE = 2, TLV_RESOURCE = 3 };

typedef struct {
    input_state_t common;
    size_t at;
    uint8_t depth; /**< containers that `at` lies in */
    struct {
        size_t end;
        anjay_uri_path_t path;
    } in[3];
} tlv_t;

typedef struct {
    unsigned kind;
    uint16_t id;
    size_t length;
} tlv_head_t;

static tlv_t *tlv_of(anjay_input_ctx_t *ctx) {
    AVS_STATIC_ASSERT(sizeof(tlv_t) <= sizeof(ctx->state.bytes), tlv_input_state_fits);
    return (tlv_t *) (void *) ctx->state.bytes;
}

static int read_head(const anjay_input_ctx_t *ctx, size_t *at, size_t end, tlv_head_t *out) {
    if (*at >= end) {
        return -1;
    }
    const uint8_t type = ctx->data[(*at)++];
    const size_t id_size = type & 0x20 ? 2 : 1, length_size = type >> 3 & 3;
    if (end - *at < id_size + length_size) {
        return -1;
    }
    out->kind = type >> 6;
    out->id = 0;
    for (size_t i = 0; i < id_size; ++i) {
        out->id = (uint16_t) (out->id << 8 | ctx->data[(*at)++]);
    }
    out->length = length_size ? 0 : type & 7;
    for (size_t i = 0; i < length_size; ++i) {
        out->length = out->length << 8 | ctx->data[(*at)++];
    }
    return out->length <= end - *at ? 0 : -1;
}

/** Whether every header of the payload is whole, so that nothing is written of one that is not. */
static bool well_formed(const anjay_input_ctx_t *ctx, size_t at, size_t end, unsigned depth) {
    while (at < end) {
        tlv_head_t head;
        if (depth > 3 || read_head(ctx, &at, end, &head)) {
            return false;
        }
        if ((head.kind == TLV_INSTANCE || head.kind == TLV_MULTIPLE)
                && !well_formed(ctx, at, at + head.length, depth + 1)) {
            return false;
        }
        at += head.length;
    }
    return true;
}

static int tlv_start(anjay_input_ctx_t *ctx) {
    tlv_t *tlv = tlv_of(ctx);
    if (!well_formed(ctx, 0, ctx->size, 0)) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    tlv->in[0].end = ctx->size;
    tlv->in[0].path = ctx->base;
    return 0;
}

/** The path of an element within the one it stands in; a payload may begin at the base itself or right below it. */
static int element_path(const anjay_input_ctx_t *ctx, const anjay_uri_path_t *parent, const tlv_head_t *head,
                        anjay_uri_path_t *out) {
    static const size_t DEPTH[] = { [TLV_INSTANCE] = 2, [TLV_RESOURCE_INSTANCE] = 4, [TLV_MULTIPLE] = 3, [TLV_RESOURCE] = 3 };
    const size_t length = anjay_path_length(parent), depth = DEPTH[head->kind];
    *out = *parent;
    if (length == depth) { /* the element is the parent itself: a Resource sent to its own path */
        return parent->ids[depth - 1] == head->id ? 0 : ANJAY_ERR_BAD_REQUEST;
    }
    if (length + 1 == depth) {
        out->ids[depth - 1] = head->id;
        return head->id == ANJAY_ID_INVALID ? ANJAY_ERR_BAD_REQUEST : 0;
    }
    if (ctx->create && length == 1 && depth == 3) { /* Create without an Instance ID */
        out->ids[2] = head->id;
        return head->id == ANJAY_ID_INVALID ? ANJAY_ERR_BAD_REQUEST : 0;
    }
    return ANJAY_ERR_BAD_REQUEST;
}

static int tlv_next(anjay_input_ctx_t *ctx, anjay_input_entry_t *entry) {
    tlv_t *tlv = tlv_of(ctx);
    while (tlv->at == tlv->in[tlv->depth].end) {
        if (!tlv->depth) {
            return ANJAY_INPUT_END;
        }
        --tlv->depth;
    }
    tlv_head_t head;
    if (read_head(ctx, &tlv->at, tlv->in[tlv->depth].end, &head)
            || element_path(ctx, &tlv->in[tlv->depth].path, &head, &entry->path)) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    if (head.kind == TLV_INSTANCE || head.kind == TLV_MULTIPLE) {
        if (tlv->depth + 1u == AVS_ARRAY_SIZE(tlv->in)) {
            return ANJAY_ERR_BAD_REQUEST;
        }
        entry->is_container = true;
        entry->is_array = head.kind == TLV_MULTIPLE;
        ++tlv->depth;
        tlv->in[tlv->depth].end = tlv->at + head.length;
        tlv->in[tlv->depth].path = entry->path;
        return 0;
    }
    *value_of(ctx) = (value_t) { .kind = VALUE_RAW, .data = ctx->data + tlv->at, .size = head.length };
    tlv->at += head.length;
    return 0;
}

const anjay_input_vtable_t ANJAY_INPUT_TLV = { .start = tlv_start, .next = tlv_next };
