/* SPDX-License-Identifier: Apache-2.0 */
/** SenML JSON in (RFC 8428, section 5; RFC 8259). */
#include "input_internal.h"

#include "../../../avs_commons/src/base/c_locale.h"

#include <stdlib.h>
#include <math.h>
#include <string.h>

#define NUMBER_TEXT_MAX 64

typedef struct {
    input_state_t common;
    size_t at;
    bool begun;
    size_t base_size;
    char base[SENML_NAME_MAX];
} senml_json_t;

static senml_json_t *senml_of(anjay_input_ctx_t *ctx) {
    AVS_STATIC_ASSERT(sizeof(senml_json_t) <= sizeof(ctx->state.bytes), senml_json_state_fits);
    return (senml_json_t *) (void *) ctx->state.bytes;
}

int senml_path(const char *base, size_t base_size, const char *name, size_t name_size, anjay_uri_path_t *out) {
    char text[2 * SENML_NAME_MAX];
    memcpy(text, base, base_size);
    memcpy(text + base_size, name, name_size);
    size_t size = base_size + name_size;
    return size && !anjay_path_parse(text, size, out) ? 0 : ANJAY_ERR_BAD_REQUEST;
}

/* ------------------------------------------------------------------ characters */

static int hex4(const uint8_t *data, size_t size, size_t at, unsigned *out) {
    *out = 0;
    if (size - at < 4) {
        return -1;
    }
    for (size_t i = 0; i < 4; ++i) {
        const unsigned c = data[at + i], lower = c | 0x20;
        if (c >= '0' && c <= '9') {
            *out = *out << 4 | (c - '0');
        } else if (lower >= 'a' && lower <= 'f') {
            *out = *out << 4 | (lower - 'a' + 10);
        } else {
            return -1;
        }
    }
    return 0;
}

static int to_utf8(unsigned code, char out[4]) {
    if (code < 0x80) {
        out[0] = (char) code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char) (0xC0 | code >> 6);
        out[1] = (char) (0x80 | (code & 63));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char) (0xE0 | code >> 12);
        out[1] = (char) (0x80 | (code >> 6 & 63));
        out[2] = (char) (0x80 | (code & 63));
        return 3;
    }
    out[0] = (char) (0xF0 | code >> 18);
    out[1] = (char) (0x80 | (code >> 12 & 63));
    out[2] = (char) (0x80 | (code >> 6 & 63));
    out[3] = (char) (0x80 | (code & 63));
    return 4;
}

/** \uXXXX, with a second one where the first is half of a surrogate pair; *at is behind "\u". */
static int read_unicode(const uint8_t *data, size_t size, size_t *at, char out[4]) {
    unsigned code, low;
    if (hex4(data, size, *at, &code)) {
        return -1;
    }
    *at += 4;
    if (code >= 0xD800 && code < 0xE000) {
        if (code >= 0xDC00 || size - *at < 6 || data[*at] != '\\' || data[*at + 1] != 'u'
                || hex4(data, size, *at + 2, &low) || low < 0xDC00 || low >= 0xE000) {
            return -1;
        }
        *at += 6;
        code = 0x10000 + ((code - 0xD800) << 10 | (low - 0xDC00));
    }
    return to_utf8(code, out);
}

int json_read_char(const uint8_t *data, size_t size, size_t *at, char out[4]) {
    static const char ESCAPES[] = "\"\\/bfnrt", MEANINGS[] = "\"\\/\b\f\n\r\t";
    const uint8_t c = data[(*at)++];
    if (c < 0x20) {
        return -1;
    }
    if (c != '\\') {
        out[0] = (char) c;
        return 1;
    }
    if (*at == size) {
        return -1;
    }
    const uint8_t escape = data[(*at)++];
    if (escape == 'u') {
        return read_unicode(data, size, at, out);
    }
    const char *found = escape ? strchr(ESCAPES, escape) : NULL;
    if (!found) {
        return -1;
    }
    out[0] = MEANINGS[found - ESCAPES];
    return 1;
}

/* ------------------------------------------------------------------ tokens */

static int peek(const anjay_input_ctx_t *ctx, size_t *at) {
    while (*at < ctx->size && strchr(" \t\r\n", ctx->data[*at]) && ctx->data[*at]) {
        ++*at;
    }
    return *at < ctx->size ? ctx->data[*at] : -1;
}

static int expect(const anjay_input_ctx_t *ctx, size_t *at, char c) {
    if (peek(ctx, at) != c) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    ++*at;
    return 0;
}

/** A string; [*first, *first + *size) is what stands between the quotes. */
static int read_string(const anjay_input_ctx_t *ctx, size_t *at, size_t *first, size_t *size) {
    if (expect(ctx, at, '"')) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    *first = *at;
    while (*at < ctx->size && ctx->data[*at] != '"') {
        char ignored[4];
        if (json_read_char(ctx->data, ctx->size, at, ignored) < 0) {
            return ANJAY_ERR_BAD_REQUEST;
        }
    }
    *size = *at - *first;
    return expect(ctx, at, '"');
}

static int read_name(const anjay_input_ctx_t *ctx, size_t *at, char out[SENML_NAME_MAX], size_t *out_size) {
    size_t first, size;
    if (read_string(ctx, at, &first, &size)) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    *out_size = 0;
    for (size_t i = first; i < first + size;) {
        char utf8[4];
        const int length = json_read_char(ctx->data, first + size, &i, utf8);
        if (length < 0 || (size_t) length > SENML_NAME_MAX - *out_size) {
            return ANJAY_ERR_BAD_REQUEST;
        }
        memcpy(out + *out_size, utf8, (size_t) length);
        *out_size += (size_t) length;
    }
    return 0;
}

/** The text of a number (RFC 8259, section 6). */
static int read_number_text(const anjay_input_ctx_t *ctx, size_t *at, char text[NUMBER_TEXT_MAX], bool *integer) {
    size_t size = 0, digits = 0;
    *integer = true;
    peek(ctx, at);
    const size_t first = *at;
    for (; *at < ctx->size; ++*at) {
        const char c = (char) ctx->data[*at];
        if (c >= '0' && c <= '9') {
            ++digits;
        } else if (c == '.' || c == 'e' || c == 'E') {
            *integer = false;
        } else if (!(c == '-' || (c == '+' && *at > first))) {
            break;
        }
        if (size + 1 == NUMBER_TEXT_MAX) {
            return ANJAY_ERR_BAD_REQUEST;
        }
        text[size++] = c;
    }
    text[size] = '\0';
    const char *start = text + (*text == '-');
    /* no leading zeros, a digit on both sides of the point */
    const char *point = strchr(text, '.');
    if (!digits || *start < '0' || *start > '9' || (*start == '0' && start[1] >= '0' && start[1] <= '9')
            || (point && (point[1] < '0' || point[1] > '9'))) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    return 0;
}

/** Digits that fit 64 bits; -0 is a number like 0. */
static bool parse_integer(const char *text, value_t *value) {
    const bool negative = *text == '-';
    uint64_t number = 0;
    for (text += negative; *text; ++text) {
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(number, 10, &number)
                || __builtin_add_overflow(number, (uint64_t) (*text - '0'), &number)) {
            return false;
        }
    }
    value->kind = negative && number ? VALUE_NEGATIVE : VALUE_UNSIGNED;
    value->number = negative && number ? number - 1 : number;
    return true;
}

static int read_number(const anjay_input_ctx_t *ctx, size_t *at, value_t *value) {
    char text[NUMBER_TEXT_MAX];
    bool integer;
    if (read_number_text(ctx, at, text, &integer)) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    if (integer && parse_integer(text, value)) {
        return 0;
    }
    char *end;
    const double number = c_strtod(text, &end);
    value->kind = VALUE_DOUBLE;
    memcpy(&value->number, &number, sizeof(number));
    return *end || isinf(number) ? ANJAY_ERR_BAD_REQUEST : 0;
}

static int read_null(const anjay_input_ctx_t *ctx, size_t *at, value_t *value) {
    value->kind = VALUE_NULL;
    if (ctx->size - *at < 4 || memcmp(ctx->data + *at, "null", 4)) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    *at += 4;
    return 0;
}

static int read_boolean(const anjay_input_ctx_t *ctx, size_t *at, value_t *value) {
    peek(ctx, at);
    const char *text = (const char *) ctx->data + *at;
    const size_t left = ctx->size - *at;
    value->kind = VALUE_BOOLEAN;
    value->number = left >= 4 && !memcmp(text, "true", 4);
    if (!value->number && !(left >= 5 && !memcmp(text, "false", 5))) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    *at += value->number ? 4 : 5;
    return 0;
}

static int read_string_value(const anjay_input_ctx_t *ctx, size_t *at, value_t *value, value_kind_t kind) {
    size_t first, size;
    if (read_string(ctx, at, &first, &size)) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    *value = (value_t) { .kind = kind, .data = ctx->data + first, .size = size };
    return 0;
}

/* ------------------------------------------------------------------ records */

static int read_value(anjay_input_ctx_t *ctx, size_t *at, const char *label) {
    value_t *value = value_of(ctx);
    if (value->kind != VALUE_NONE) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    if (!strcmp(label, "v")) {
        return peek(ctx, at) == 'n' ? read_null(ctx, at, value) : read_number(ctx, at, value);
    }
    if (!strcmp(label, "vb")) {
        return read_boolean(ctx, at, value);
    }
    if (!strcmp(label, "vs")) {
        return read_string_value(ctx, at, value, VALUE_JSON_STRING);
    }
    if (!strcmp(label, "vd")) {
        return read_string_value(ctx, at, value, VALUE_JSON_BASE64);
    }
    return !strcmp(label, "vlo") ? read_string_value(ctx, at, value, VALUE_JSON_OBJLNK) : ANJAY_ERR_BAD_REQUEST;
}

static int read_record(anjay_input_ctx_t *ctx, size_t *at, char *name, size_t *name_size) {
    senml_json_t *senml = senml_of(ctx);
    if (expect(ctx, at, '{')) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    if (peek(ctx, at) == '}') {
        ++*at;
        return 0;
    }
    for (;;) {
        char label[SENML_NAME_MAX + 1];
        size_t label_size;
        if (read_name(ctx, at, label, &label_size) || expect(ctx, at, ':')) {
            return ANJAY_ERR_BAD_REQUEST;
        }
        label[label_size] = '\0';
        int result = !strcmp(label, "bn")  ? read_name(ctx, at, senml->base, &senml->base_size)
                     : !strcmp(label, "n") ? read_name(ctx, at, name, name_size)
                                           : read_value(ctx, at, label);
        if (result) {
            return result;
        }
        if (peek(ctx, at) == ',') {
            ++*at;
            continue;
        }
        return expect(ctx, at, '}');
    }
}

static int next_record(anjay_input_ctx_t *ctx, anjay_input_entry_t *entry) {
    senml_json_t *senml = senml_of(ctx);
    const int c = peek(ctx, &senml->at);
    if (c == ']') {
        ++senml->at;
        return peek(ctx, &senml->at) == -1 ? ANJAY_INPUT_END : ANJAY_ERR_BAD_REQUEST;
    }
    if (senml->begun && expect(ctx, &senml->at, ',')) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    senml->begun = true;
    char name[SENML_NAME_MAX];
    size_t name_size = 0;
    int result = read_record(ctx, &senml->at, name, &name_size);
    entry->no_value = value_of(ctx)->kind == VALUE_NONE || value_of(ctx)->kind == VALUE_NULL;
    return result ? result : senml_path(senml->base, senml->base_size, name, name_size, &entry->path);
}

/** Goes through the whole text once, so that nothing is written of one that is malformed further on. */
static int senml_json_start(anjay_input_ctx_t *ctx) {
    senml_json_t *senml = senml_of(ctx);
    int result = expect(ctx, &senml->at, '[');
    const senml_json_t first = *senml;
    while (!result) {
        anjay_input_entry_t entry;
        memset(value_of(ctx), 0, sizeof(value_t));
        result = next_record(ctx, &entry);
    }
    *senml = first;
    return result == ANJAY_INPUT_END ? 0 : ANJAY_ERR_BAD_REQUEST;
}

const anjay_input_vtable_t ANJAY_INPUT_SENML_JSON = { .start = senml_json_start, .next = next_record };
