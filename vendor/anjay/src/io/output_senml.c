/* SPDX-License-Identifier: Apache-2.0 */
/** SenML JSON and SenML CBOR (RFC 8428): a record for each value, the base name in the first. */
#include "base64.h"
#include "cbor.h"
#include "output_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* CBOR labels (RFC 8428, section 6; vlo: LwM2M Core 1.1, section 7.4.6) */
enum { LABEL_BT = -3, LABEL_BN = -2, LABEL_N = 0, LABEL_V = 2, LABEL_VS = 3, LABEL_VB = 4, LABEL_VD = 8 };

typedef struct {
    size_t records;
    double base_time; /**< of the records from here on; 0, "now", until one was written */
    base64_encoder_t encoder;
} senml_t;

static senml_t *senml_of(anjay_output_ctx_t *ctx) {
    AVS_STATIC_ASSERT(sizeof(senml_t) <= sizeof(ctx->state.bytes) - sizeof(size_t), senml_state_fits);
    return (senml_t *) ctx->state.bytes;
}

/** What is written of the path in a record: relative to the base; empty for the base itself. */
static const char *relative_name(const anjay_output_ctx_t *ctx, char buf[ANJAY_PATH_TEXT_SIZE]) {
    char base[ANJAY_PATH_TEXT_SIZE];
    const size_t base_size = anjay_path_length(&ctx->base) ? strlen(anjay_path_text(&ctx->base, base)) : 0;
    return anjay_path_text(&ctx->path, buf) + base_size;
}

static int append(anjay_output_ctx_t *ctx, const char *text) {
    return coap_buf_append(ctx->out, text, strlen(text));
}

/** A record whose time is not that of the one before gets a base time, which holds for those that follow. */
static bool has_new_time(anjay_output_ctx_t *ctx) {
    return !isnan(ctx->timestamp) && senml_of(ctx)->base_time != ctx->timestamp;
}

/* ------------------------------------------------------------------ JSON */

void anjay_output_senml_json_start(anjay_output_ctx_t *ctx) {
    ctx->error = or_internal(append(ctx, "["));
}

/** Opens a record, up to where the value's label begins. */
static int json_record(anjay_output_ctx_t *ctx) {
    senml_t *senml = senml_of(ctx);
    char text[ANJAY_PATH_TEXT_SIZE], number[32];
    int result = append(ctx, senml->records ? ",{" : "{");
    bool comma = false;
    if (!senml->records && anjay_path_length(&ctx->base)) {
        result |= append(ctx, "\"bn\":\"") | append(ctx, anjay_path_text(&ctx->base, text)) | append(ctx, "\"");
        comma = true;
    }
    const char *name = relative_name(ctx, text);
    if (*name) {
        result |= append(ctx, comma ? ",\"n\":\"" : "\"n\":\"") | append(ctx, name) | append(ctx, "\"");
        comma = true;
    }
    if (has_new_time(ctx)) {
        anjay_number_text(ctx->timestamp, number);
        result |= append(ctx, comma ? "," : "") | append(ctx, "\"bt\":") | append(ctx, number);
        senml->base_time = ctx->timestamp;
        comma = true;
    }
    ++senml->records;
    return result | append(ctx, comma ? "," : "");
}

static int json_raw(anjay_output_ctx_t *ctx, const char *label, const char *text) {
    return or_internal(json_record(ctx) | append(ctx, label) | append(ctx, text) | append(ctx, "}"));
}

static int json_string(anjay_output_ctx_t *ctx, const char *value, size_t size) {
    int result = json_record(ctx) | append(ctx, "\"vs\":\"");
    for (size_t i = 0, plain = 0; i <= size && !result; ++i) {
        const unsigned char c = i < size ? (unsigned char) value[i] : 0;
        if (i < size && c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        result = coap_buf_append(ctx->out, value + plain, i - plain);
        plain = i + 1;
        if (i < size && !result) {
            char escaped[8];
            if (c == '"' || c == '\\') {
                snprintf(escaped, sizeof(escaped), "\\%c", c);
            } else {
                snprintf(escaped, sizeof(escaped), "\\u%04x", c);
            }
            result = append(ctx, escaped);
        }
    }
    return or_internal(result | append(ctx, "\"}"));
}

static int json_integer(anjay_output_ctx_t *ctx, int64_t value) {
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, value);
    return json_raw(ctx, "\"v\":", text);
}

static int json_unsigned(anjay_output_ctx_t *ctx, uint64_t value) {
    char text[24];
    snprintf(text, sizeof(text), "%" PRIu64, value);
    return json_raw(ctx, "\"v\":", text);
}

static int json_number(anjay_output_ctx_t *ctx, double value) {
    char text[32];
    if (!isfinite(value)) { /* JSON has neither NaN nor infinity (RFC 8259, section 6) */
        return ANJAY_ERR_NOT_ACCEPTABLE;
    }
    anjay_number_text(value, text);
    return json_raw(ctx, "\"v\":", text);
}

static int json_boolean(anjay_output_ctx_t *ctx, bool value) {
    return json_raw(ctx, "\"vb\":", value ? "true" : "false");
}

static int json_objlnk(anjay_output_ctx_t *ctx, anjay_oid_t oid, anjay_iid_t iid) {
    char text[16];
    snprintf(text, sizeof(text), "\"%u:%u\"", oid, iid);
    return json_raw(ctx, "\"vlo\":", text);
}

static int json_bytes_begin(anjay_output_ctx_t *ctx, size_t size) {
    (void) size;
    senml_of(ctx)->encoder = (base64_encoder_t) { .url_safe = true };
    return or_internal(json_record(ctx) | append(ctx, "\"vd\":\""));
}

static int json_bytes_append(anjay_output_ctx_t *ctx, const uint8_t *data, size_t size) {
    return or_internal(base64_encode(&senml_of(ctx)->encoder, ctx->out, data, size));
}

static int json_bytes_end(anjay_output_ctx_t *ctx) {
    return or_internal(base64_encode_end(&senml_of(ctx)->encoder, ctx->out) | append(ctx, "\"}"));
}

static int json_finish(anjay_output_ctx_t *ctx) {
    return or_internal(append(ctx, "]"));
}

const anjay_output_vtable_t ANJAY_OUTPUT_SENML_JSON = {
    .string = json_string,
    .integer = json_integer,
    .unsigned_integer = json_unsigned,
    .number = json_number,
    .boolean = json_boolean,
    .objlnk = json_objlnk,
    .bytes_begin = json_bytes_begin,
    .bytes_append = json_bytes_append,
    .bytes_end = json_bytes_end,
    .finish = json_finish
};

/* ------------------------------------------------------------------ CBOR */

/** Room for the array's head, which is written last. */
#define ARRAY_HEAD_MAX 9

void anjay_output_senml_cbor_start(anjay_output_ctx_t *ctx) {
    static const uint8_t ROOM[ARRAY_HEAD_MAX];
    ctx->error = or_internal(coap_buf_append(ctx->out, ROOM, sizeof(ROOM)));
}

static int cbor_record(anjay_output_ctx_t *ctx) {
    senml_t *senml = senml_of(ctx);
    char text[ANJAY_PATH_TEXT_SIZE];
    const char *name = relative_name(ctx, text);
    const bool base_name = !senml->records && anjay_path_length(&ctx->base);
    const bool time = has_new_time(ctx);
    int result = cbor_put_head(ctx->out, CBOR_MAP, 1u + base_name + !!*name + time);
    if (base_name) {
        char base[ANJAY_PATH_TEXT_SIZE];
        anjay_path_text(&ctx->base, base);
        result |= cbor_put_i64(ctx->out, LABEL_BN) | cbor_put_text(ctx->out, base, strlen(base));
    }
    if (*name) {
        result |= cbor_put_i64(ctx->out, LABEL_N) | cbor_put_text(ctx->out, name, strlen(name));
    }
    if (time) {
        result |= cbor_put_i64(ctx->out, LABEL_BT) | cbor_put_double(ctx->out, ctx->timestamp);
        senml->base_time = ctx->timestamp;
    }
    ++senml->records;
    return result;
}

static int cbor_string(anjay_output_ctx_t *ctx, const char *value, size_t size) {
    return or_internal(cbor_record(ctx) | cbor_put_i64(ctx->out, LABEL_VS) | cbor_put_text(ctx->out, value, size));
}

static int cbor_integer(anjay_output_ctx_t *ctx, int64_t value) {
    return or_internal(cbor_record(ctx) | cbor_put_i64(ctx->out, LABEL_V) | cbor_put_i64(ctx->out, value));
}

static int cbor_unsigned(anjay_output_ctx_t *ctx, uint64_t value) {
    return or_internal(cbor_record(ctx) | cbor_put_i64(ctx->out, LABEL_V) | cbor_put_head(ctx->out, CBOR_UINT, value));
}

static int cbor_number(anjay_output_ctx_t *ctx, double value) {
    return or_internal(cbor_record(ctx) | cbor_put_i64(ctx->out, LABEL_V) | cbor_put_double(ctx->out, value));
}

static int cbor_boolean(anjay_output_ctx_t *ctx, bool value) {
    return or_internal(cbor_record(ctx) | cbor_put_i64(ctx->out, LABEL_VB) | cbor_put_bool(ctx->out, value));
}

static int cbor_objlnk(anjay_output_ctx_t *ctx, anjay_oid_t oid, anjay_iid_t iid) {
    char text[16];
    const int size = snprintf(text, sizeof(text), "%u:%u", oid, iid);
    return or_internal(cbor_record(ctx) | cbor_put_text(ctx->out, "vlo", 3)
                       | cbor_put_text(ctx->out, text, (size_t) size));
}

static int cbor_bytes_begin(anjay_output_ctx_t *ctx, size_t size) {
    return or_internal(cbor_record(ctx) | cbor_put_i64(ctx->out, LABEL_VD) | cbor_put_head(ctx->out, CBOR_BYTES, size)
                       | coap_buf_reserve(ctx->out, size));
}

static int cbor_bytes_append(anjay_output_ctx_t *ctx, const uint8_t *data, size_t size) {
    return or_internal(coap_buf_append(ctx->out, data, size));
}

static int cbor_finish(anjay_output_ctx_t *ctx) {
    uint8_t head_data[ARRAY_HEAD_MAX];
    coap_buf_t head = { .data = head_data, .capacity = sizeof(head_data) };
    cbor_put_head(&head, CBOR_ARRAY, senml_of(ctx)->records);
    memmove(ctx->out->data + head.size, ctx->out->data + ARRAY_HEAD_MAX, ctx->out->size - ARRAY_HEAD_MAX);
    memcpy(ctx->out->data, head_data, head.size);
    ctx->out->size -= ARRAY_HEAD_MAX - head.size;
    return 0;
}

const anjay_output_vtable_t ANJAY_OUTPUT_SENML_CBOR = {
    .string = cbor_string,
    .integer = cbor_integer,
    .unsigned_integer = cbor_unsigned,
    .number = cbor_number,
    .boolean = cbor_boolean,
    .objlnk = cbor_objlnk,
    .bytes_begin = cbor_bytes_begin,
    .bytes_append = cbor_bytes_append,
    .finish = cbor_finish
};
