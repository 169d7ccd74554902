/* SPDX-License-Identifier: Apache-2.0 */
/** Arguments of Execute (LwM2M Core 1.1, section 6.3.5): `digit` or `digit='value'`, separated by commas. */
#include "io.h"

#include <string.h>

/* states of a context */
enum { BEFORE_ARGUMENT, AFTER_ARGUMENT, FAILED, ENDED };

int anjay_execute_start(anjay_execute_ctx_t *ctx, const uint8_t *data, size_t size) {
    *ctx = (anjay_execute_ctx_t) { .data = (const char *) data, .size = size, .state = BEFORE_ARGUMENT };
    return 0;
}

static bool value_char(char c) {
    return c == '!' || (c >= '#' && c <= '&') || (c >= '(' && c <= '[') || (c >= ']' && c <= '~');
}

static int fail(anjay_execute_ctx_t *ctx) {
    ctx->state = FAILED;
    return ANJAY_ERR_BAD_REQUEST;
}

int anjay_execute_get_next_arg(anjay_execute_ctx_t *ctx, int *out_arg, bool *out_has_value) {
    *out_arg = -1;
    *out_has_value = false;
    if (ctx->state == FAILED) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    if (ctx->state == ENDED || (ctx->offset == ctx->size && (ctx->state == AFTER_ARGUMENT || !ctx->size))) {
        ctx->state = ENDED;
        return ANJAY_EXECUTE_GET_ARG_END;
    }
    size_t at = ctx->offset;
    if (ctx->state == AFTER_ARGUMENT && ctx->data[at++] != ',') {
        return fail(ctx);
    }
    if (at == ctx->size || ctx->data[at] < '0' || ctx->data[at] > '9') {
        return fail(ctx);
    }
    const int arg = ctx->data[at++] - '0';
    const bool has_value = at < ctx->size && ctx->data[at] == '=';
    ctx->value_start = ctx->value_end = ctx->value_read = 0;
    if (has_value) {
        if (++at == ctx->size || ctx->data[at] != '\'') {
            return fail(ctx);
        }
        ctx->value_start = ctx->value_read = ++at;
        while (at < ctx->size && value_char(ctx->data[at])) {
            ++at;
        }
        if (at == ctx->size || ctx->data[at] != '\'') {
            return fail(ctx);
        }
        ctx->value_end = at++;
    }
    if (at < ctx->size && ctx->data[at] != ',') {
        return fail(ctx);
    }
    ctx->offset = at;
    ctx->state = AFTER_ARGUMENT;
    ctx->arg = arg;
    *out_arg = arg;
    *out_has_value = has_value;
    return 0;
}

int anjay_execute_get_arg_value(anjay_execute_ctx_t *ctx, size_t *out_bytes_read, char *out_buf, size_t buf_size) {
    if (buf_size < 2 || ctx->state != AFTER_ARGUMENT) {
        return -1;
    }
    const size_t left = ctx->value_end - ctx->value_read, size = left < buf_size - 1 ? left : buf_size - 1;
    if (size) {
        memcpy(out_buf, ctx->data + ctx->value_read, size);
    }
    out_buf[size] = '\0';
    ctx->value_read += size;
    if (out_bytes_read) {
        *out_bytes_read = size;
    }
    return size < left ? ANJAY_BUFFER_TOO_SHORT : 0;
}
