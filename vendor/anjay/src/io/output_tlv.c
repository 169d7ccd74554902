/* SPDX-License-Identifier: Apache-2.0 */
/** TLV (LwM2M Core 1.1, section 7.4.4): containers are closed, and get their header, once their length is known. */
#include "output_internal.h"

#include <math.h>
#include <string.h>

enum { TLV_INSTANCE = 0, TLV_RESOURCE_INSTANCE = 1, TLV_MULTIPLE = 2, TLV_RESOURCE = 3 };

/** Header: type, identifier of up to 2 bytes, length of up to 3. */
#define MAX_HEADER 6

typedef struct {
    uint8_t depth; /**< open containers: an Object Instance, a multiple-instance Resource in it */
    struct {
        anjay_uri_path_t path;
        size_t start;
    } open[2];
} tlv_t;

static tlv_t *tlv_of(anjay_output_ctx_t *ctx) {
    AVS_STATIC_ASSERT(sizeof(tlv_t) <= sizeof(ctx->state.bytes) - sizeof(size_t), tlv_state_fits);
    return (tlv_t *) ctx->state.bytes;
}

static size_t make_header(uint8_t *out, unsigned kind, uint16_t id, size_t length) {
    size_t size = 1;
    out[0] = (uint8_t) (kind << 6);
    if (id > UINT8_MAX) {
        out[0] |= 0x20;
        out[size++] = (uint8_t) (id >> 8);
    }
    out[size++] = (uint8_t) id;
    if (length < 8) {
        out[0] |= (uint8_t) length;
        return size;
    }
    const unsigned bytes = length <= UINT8_MAX ? 1 : length <= UINT16_MAX ? 2 : 3;
    out[0] |= (uint8_t) (bytes << 3);
    for (unsigned i = bytes; i-- > 0;) {
        out[size++] = (uint8_t) (length >> 8 * i);
    }
    return size;
}

static unsigned kind_of(size_t path_length, bool container) {
    return path_length == 2 ? TLV_INSTANCE : path_length == 4 ? TLV_RESOURCE_INSTANCE : container ? TLV_MULTIPLE : TLV_RESOURCE;
}

/** Puts the header of the innermost container before its contents. */
static int close_one(anjay_output_ctx_t *ctx) {
    tlv_t *tlv = tlv_of(ctx);
    --tlv->depth;
    const anjay_uri_path_t *path = &tlv->open[tlv->depth].path;
    const size_t start = tlv->open[tlv->depth].start, length = ctx->out->size - start;
    const size_t path_length = anjay_path_length(path);
    uint8_t header[MAX_HEADER];
    if (length > 0xFFFFFF || coap_buf_reserve(ctx->out, MAX_HEADER)) {
        return ANJAY_ERR_INTERNAL;
    }
    const size_t size = make_header(header, kind_of(path_length, true), path->ids[path_length - 1], length);
    memmove(ctx->out->data + start + size, ctx->out->data + start, length);
    memcpy(ctx->out->data + start, header, size);
    ctx->out->size += size;
    return 0;
}

/** Closes what @p path does not lie in. */
static int close_until(anjay_output_ctx_t *ctx, const anjay_uri_path_t *path) {
    tlv_t *tlv = tlv_of(ctx);
    while (tlv->depth && !anjay_path_inside(path, &tlv->open[tlv->depth - 1].path)) {
        int result = close_one(ctx);
        if (result) {
            return result;
        }
    }
    return 0;
}

static bool is_open(const tlv_t *tlv, const anjay_uri_path_t *path) {
    for (size_t i = 0; i < tlv->depth; ++i) {
        if (anjay_path_equal(&tlv->open[i].path, path)) {
            return true;
        }
    }
    return false;
}

static void open_one(anjay_output_ctx_t *ctx, const anjay_uri_path_t *path, size_t length) {
    tlv_t *tlv = tlv_of(ctx);
    anjay_uri_path_t prefix = anjay_path(0);
    memcpy(prefix.ids, path->ids, length * sizeof(path->ids[0]));
    if (!is_open(tlv, &prefix)) {
        tlv->open[tlv->depth].path = prefix;
        tlv->open[tlv->depth++].start = ctx->out->size;
    }
}

/** Opens the containers above an element of @p path, and itself if it is one; base and what lies above it are not written. */
static int prepare(anjay_output_ctx_t *ctx, const anjay_uri_path_t *path, bool container) {
    const size_t length = anjay_path_length(path), base = anjay_path_length(&ctx->base);
    int result = close_until(ctx, path);
    if (result) {
        return result;
    }
    if (base < 2 && (length > 2 || container)) {
        open_one(ctx, path, 2);
    }
    if (base < 4 && (length == 4 || (length == 3 && container))) {
        open_one(ctx, path, 3);
    }
    return 0;
}

static int put(anjay_output_ctx_t *ctx, const void *value, size_t size) {
    const size_t length = anjay_path_length(&ctx->path);
    uint8_t header[MAX_HEADER];
    int result = prepare(ctx, &ctx->path, false);
    if (result || size > 0xFFFFFF || length < 3) {
        return result ? result : ANJAY_ERR_INTERNAL;
    }
    const size_t header_size = make_header(header, kind_of(length, false), ctx->path.ids[length - 1], size);
    return or_internal(coap_buf_append(ctx->out, header, header_size)
                       || (value && coap_buf_append(ctx->out, value, size)));
}

static int put_big_endian(anjay_output_ctx_t *ctx, uint64_t value, size_t bytes) {
    uint8_t data[8];
    for (size_t i = 0; i < bytes; ++i) {
        data[i] = (uint8_t) (value >> 8 * (bytes - 1 - i));
    }
    return put(ctx, data, bytes);
}

static int tlv_string(anjay_output_ctx_t *ctx, const char *value, size_t size) {
    return put(ctx, value, size);
}

static int tlv_integer(anjay_output_ctx_t *ctx, int64_t value) {
    const size_t bytes = value == (int8_t) value ? 1 : value == (int16_t) value ? 2 : value == (int32_t) value ? 4 : 8;
    return put_big_endian(ctx, (uint64_t) value, bytes);
}

static int tlv_unsigned(anjay_output_ctx_t *ctx, uint64_t value) {
    const size_t bytes = value <= UINT8_MAX ? 1 : value <= UINT16_MAX ? 2 : value <= UINT32_MAX ? 4 : 8;
    return put_big_endian(ctx, value, bytes);
}

static int tlv_number(anjay_output_ctx_t *ctx, double value) {
    const float single = (float) value;
    if ((double) single == value || isnan(value)) {
        uint32_t bits;
        memcpy(&bits, &single, sizeof(bits));
        return put_big_endian(ctx, bits, 4);
    }
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return put_big_endian(ctx, bits, 8);
}

static int tlv_boolean(anjay_output_ctx_t *ctx, bool value) {
    return put_big_endian(ctx, value, 1);
}

static int tlv_objlnk(anjay_output_ctx_t *ctx, anjay_oid_t oid, anjay_iid_t iid) {
    return put_big_endian(ctx, (uint64_t) oid << 16 | iid, 4);
}

static int tlv_bytes_begin(anjay_output_ctx_t *ctx, size_t size) {
    int result = put(ctx, NULL, size);
    return result ? result : or_internal(coap_buf_reserve(ctx->out, size));
}

static int tlv_bytes_append(anjay_output_ctx_t *ctx, const uint8_t *data, size_t size) {
    return or_internal(coap_buf_append(ctx->out, data, size));
}

static int tlv_container(anjay_output_ctx_t *ctx, const anjay_uri_path_t *path) {
    return prepare(ctx, path, true);
}

static int tlv_finish(anjay_output_ctx_t *ctx) {
    while (tlv_of(ctx)->depth) {
        int result = close_one(ctx);
        if (result) {
            return result;
        }
    }
    return 0;
}

const anjay_output_vtable_t ANJAY_OUTPUT_TLV = {
    .string = tlv_string,
    .integer = tlv_integer,
    .unsigned_integer = tlv_unsigned,
    .number = tlv_number,
    .boolean = tlv_boolean,
    .objlnk = tlv_objlnk,
    .bytes_begin = tlv_bytes_begin,
    .bytes_append = tlv_bytes_append,
    .container = tlv_container,
    .finish = tlv_finish
};
