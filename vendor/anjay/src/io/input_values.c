/* SPDX-License-Identifier: Apache-2.0 */
/** The public anjay_get_*(): a value of any format as the type that the handler asks for. */
#include "cbor.h"
#include "date_time.h"
#include "input_internal.h"

#include "../../../avs_commons/src/base/c_locale.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/** Longest text of a number that is looked at. */
#define NUMBER_TEXT_MAX 512

/* ------------------------------------------------------------------ strings and bytes, in pieces */

/** Goes to the next chunk of a CBOR string. @returns 0, or ANJAY_ERR_BAD_REQUEST. */
static int cbor_next_chunk(value_t *value, unsigned major) {
    cbor_head_t head;
    do {
        if (cbor_read_head(value->data, value->size, &value->offset, &head)) {
            return ANJAY_ERR_BAD_REQUEST;
        }
    } while (!value->started && head.major == CBOR_TAG);
    if (value->chunks && head.is_break) {
        value->ended = true;
        return 0;
    }
    if (head.is_break || head.major != major || (head.indefinite && value->chunks)) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    if (head.indefinite) {
        value->chunks = value->started = true;
        return cbor_next_chunk(value, major);
    }
    if (head.argument > value->size - value->offset) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    value->started = true;
    value->chunk_left = head.argument;
    return 0;
}

static int read_cbor(value_t *value, unsigned major, char *out, size_t capacity, size_t *out_size) {
    if (!value->started) {
        int result = cbor_next_chunk(value, major);
        if (result) {
            return result;
        }
    }
    while (!value->ended) {
        const size_t part = AVS_MIN(value->chunk_left, capacity - *out_size);
        memcpy(out + *out_size, value->data + value->offset, part);
        *out_size += part;
        value->offset += part;
        value->chunk_left -= part;
        if (value->chunk_left) {
            return 0; /* the buffer is full */
        }
        if (!value->chunks) {
            value->ended = true;
        } else {
            int result = cbor_next_chunk(value, major);
            if (result) {
                return result;
            }
        }
    }
    return 0;
}

static int read_base64(value_t *value, char *out, size_t capacity, size_t *out_size) {
    if (!value->started) {
        value->started = true;
        value->base64.url_safe = value->kind == VALUE_JSON_BASE64;
    }
    while (value->offset < value->size) {
        if (*out_size == capacity) {
            return 0;
        }
        const int got = base64_decode_digit(&value->base64, (char) value->data[value->offset++],
                                            (uint8_t *) out + *out_size);
        if (got < 0) {
            return ANJAY_ERR_BAD_REQUEST;
        }
        *out_size += (size_t) got;
    }
    value->ended = true;
    return base64_decode_complete(&value->base64) ? 0 : ANJAY_ERR_BAD_REQUEST;
}

static int read_json(value_t *value, char *out, size_t capacity, size_t *out_size) {
    while (value->offset < value->size) {
        char utf8[4];
        size_t at = value->offset;
        const int size = json_read_char(value->data, value->size, &at, utf8);
        if (size < 0) {
            return ANJAY_ERR_BAD_REQUEST;
        }
        if ((size_t) size > capacity - *out_size) {
            return 0;
        }
        memcpy(out + *out_size, utf8, (size_t) size);
        *out_size += (size_t) size;
        value->offset = at;
    }
    value->ended = true;
    return 0;
}

static int read_plain(value_t *value, char *out, size_t capacity, size_t *out_size) {
    *out_size = AVS_MIN(capacity, value->size - value->offset);
    if (*out_size) {
        memcpy(out, value->data + value->offset, *out_size);
    }
    value->offset += *out_size;
    value->ended = value->offset == value->size;
    return 0;
}

/** The next piece of a string's text. */
static int read_text(anjay_input_ctx_t *ctx, char *out, size_t capacity, size_t *out_size) {
    value_t *value = value_of(ctx);
    *out_size = 0;
    switch (value->kind) {
    case VALUE_TEXT: return read_plain(value, out, capacity, out_size);
    case VALUE_RAW: /* Opaque says that it is no text */
        return ctx->format == ANJAY_FORMAT_TLV ? read_plain(value, out, capacity, out_size) : ANJAY_ERR_BAD_REQUEST;
    case VALUE_JSON_STRING: return read_json(value, out, capacity, out_size);
    case VALUE_CBOR: return read_cbor(value, CBOR_TEXT, out, capacity, out_size);
    default: return ANJAY_ERR_BAD_REQUEST;
    }
}

int anjay_get_bytes(anjay_input_ctx_t *ctx, size_t *out_bytes_read, bool *out_message_finished, void *out_buf,
                    size_t buf_size) {
    value_t *value = value_of(ctx);
    size_t size = 0;
    int result;
    switch (value->kind) {
    case VALUE_TEXT:
    case VALUE_JSON_BASE64: result = read_base64(value, (char *) out_buf, buf_size, &size); break;
    case VALUE_RAW: result = read_plain(value, (char *) out_buf, buf_size, &size); break;
    case VALUE_CBOR: result = read_cbor(value, CBOR_BYTES, (char *) out_buf, buf_size, &size); break;
    default: result = ANJAY_ERR_BAD_REQUEST;
    }
    if (result) {
        return result;
    }
    *out_bytes_read = size;
    *out_message_finished = value->ended;
    return 0;
}

/** Takes the first byte of a character. Ranges of the second byte: RFC 3629, section 4. */
static bool utf8_begin(utf8_state_t *state, uint8_t c) {
    state->low = 0x80;
    state->high = 0xBF;
    if (c < 0x80) {
        return c != 0;
    } else if (c < 0xC2 || c > 0xF4) {
        return false;
    }
    state->missing = c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
    state->low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    state->high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    return true;
}

/** Whether the next piece of a text is UTF-8 without NUL; a character may be cut between pieces. */
static bool is_utf8(utf8_state_t *state, const char *text, size_t size) {
    for (size_t i = 0; i < size; ++i) {
        const uint8_t c = (uint8_t) text[i];
        if (!state->missing) {
            if (!utf8_begin(state, c)) {
                return false;
            }
        } else if (c < state->low || c > state->high) {
            return false;
        } else {
            --state->missing;
            state->low = 0x80;
            state->high = 0xBF;
        }
    }
    return true;
}

int anjay_get_string(anjay_input_ctx_t *ctx, char *out_buf, size_t buf_size) {
    size_t size;
    if (!buf_size) {
        return -1;
    }
    int result = read_text(ctx, out_buf, buf_size - 1, &size);
    if (result) {
        return result;
    }
    out_buf[size] = '\0';
    value_t *value = value_of(ctx);
    if (!is_utf8(&value->utf8, out_buf, size) || (value->ended && value->utf8.missing)) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    return value->ended ? 0 : ANJAY_BUFFER_TOO_SHORT;
}

/* ------------------------------------------------------------------ numbers */

/** A number of any format. */
typedef struct {
    enum { NUMBER_UNSIGNED, NUMBER_NEGATIVE, NUMBER_DOUBLE } kind;
    uint64_t magnitude; /**< the value, or -1 - value of a negative one */
    double real;
} number_t;

/** Decimal digits with an optional sign, whole. @returns whether the text is that and fits. */
static bool parse_integer(const char *text, size_t size, number_t *out) {
    size_t i = size && (*text == '-' || *text == '+');
    const bool negative = size && *text == '-';
    uint64_t value = 0;
    if (i == size) {
        return false;
    }
    for (; i < size; ++i) {
        if (!isdigit((unsigned char) text[i]) || __builtin_mul_overflow(value, 10, &value)
                || __builtin_add_overflow(value, (uint64_t) (text[i] - '0'), &value)) {
            return false;
        }
    }
    *out = (number_t) { .kind = negative && value ? NUMBER_NEGATIVE : NUMBER_UNSIGNED,
                        .magnitude = negative && value ? value - 1 : value };
    return true;
}

static bool parse_double(const char *text, size_t size, double *out) {
    char copy[NUMBER_TEXT_MAX];
    char *end;
    if (!size || size >= sizeof(copy) || memchr(text, '\0', size) || isspace((unsigned char) *text)) {
        return false;
    }
    memcpy(copy, text, size);
    copy[size] = '\0';
    errno = 0;
    *out = c_strtod(copy, &end);
    return !*end && !(errno == ERANGE && isinf(*out));
}

/** mantissa * 10^exponent of a CBOR decimal fraction (RFC 8949, section 3.4.4), whose tag was read. */
static bool read_decimal_fraction(const value_t *value, size_t at, number_t *out) {
    cbor_head_t array, exponent, mantissa;
    if (cbor_read_head(value->data, value->size, &at, &array) || array.major != CBOR_ARRAY || array.indefinite
            || array.argument != 2 || cbor_read_head(value->data, value->size, &at, &exponent)
            || exponent.major > CBOR_NEGINT || exponent.argument > 400
            || cbor_read_head(value->data, value->size, &at, &mantissa) || mantissa.major > CBOR_NEGINT) {
        return false;
    }
    const double power = exponent.major == CBOR_UINT ? (double) exponent.argument : -1.0 - (double) exponent.argument;
    const double base = mantissa.major == CBOR_UINT ? (double) mantissa.argument : -1.0 - (double) mantissa.argument;
    out->kind = NUMBER_DOUBLE;
    out->real = power < 0 ? base / pow(10, -power) : base * pow(10, power);
    return true;
}

/** A date-time string, whose tag was read: how LwM2M Core 1.1, table C-2, has a Time in CBOR. */
static bool read_date_time(const value_t *value, size_t at, number_t *out) {
    cbor_head_t head;
    int64_t seconds;
    bool whole;
    if (cbor_read_head(value->data, value->size, &at, &head) || head.major != CBOR_TEXT || head.indefinite
            || head.argument > value->size - at
            || !anjay_date_time_parse((const char *) value->data + at, (size_t) head.argument, &seconds, &whole)
            || !whole) {
        return false; /* a Time has no fractions */
    }
    *out = seconds < 0 ? (number_t) { .kind = NUMBER_NEGATIVE, .magnitude = (uint64_t) - (seconds + 1) }
                       : (number_t) { .kind = NUMBER_UNSIGNED, .magnitude = (uint64_t) seconds };
    return true;
}

static bool read_cbor_number(const value_t *value, number_t *out) {
    cbor_head_t head;
    size_t at = 0;
    do {
        if (cbor_read_head(value->data, value->size, &at, &head)) {
            return false;
        }
        if (head.major == CBOR_TAG && head.argument == 4) {
            return read_decimal_fraction(value, at, out);
        }
        if (head.major == CBOR_TAG && head.argument == 0) {
            return read_date_time(value, at, out);
        }
    } while (head.major == CBOR_TAG);
    out->magnitude = head.argument;
    switch (head.major) {
    case CBOR_UINT: out->kind = NUMBER_UNSIGNED; return true;
    case CBOR_NEGINT: out->kind = NUMBER_NEGATIVE; return true;
    default: out->kind = NUMBER_DOUBLE; return cbor_float(&head, &out->real);
    }
}

/** A TLV integer of 1, 2, 4 or 8 bytes. */
static bool read_raw_integer(const value_t *value, bool is_signed, number_t *out) {
    uint64_t bits = 0;
    if (value->size != 1 && value->size != 2 && value->size != 4 && value->size != 8) {
        return false;
    }
    for (size_t i = 0; i < value->size; ++i) {
        bits = bits << 8 | value->data[i];
    }
    const unsigned unused = (unsigned) (64 - 8 * value->size);
    const int64_t extended = (int64_t) (bits << unused) >> unused;
    *out = is_signed && extended < 0 ? (number_t) { .kind = NUMBER_NEGATIVE, .magnitude = (uint64_t) - (extended + 1) }
                                     : (number_t) { .kind = NUMBER_UNSIGNED, .magnitude = bits };
    return true;
}

static bool read_raw_double(const value_t *value, double *out) {
    uint64_t bits = 0;
    for (size_t i = 0; i < value->size && i < 8; ++i) {
        bits = bits << 8 | value->data[i];
    }
    if (value->size == 4) {
        const uint32_t bits32 = (uint32_t) bits;
        float single;
        memcpy(&single, &bits32, sizeof(single));
        *out = single;
        return true;
    }
    memcpy(out, &bits, sizeof(*out));
    return value->size == 8;
}

/** A number where text or raw bytes are to be integers of the given signedness. */
static bool read_integer(anjay_input_ctx_t *ctx, bool is_signed, number_t *out) {
    const value_t *value = value_of(ctx);
    switch (value->kind) {
    case VALUE_TEXT: return parse_integer((const char *) value->data, value->size, out);
    case VALUE_RAW: return ctx->format == ANJAY_FORMAT_TLV && read_raw_integer(value, is_signed, out);
    case VALUE_CBOR: return read_cbor_number(value, out);
    case VALUE_UNSIGNED:
    case VALUE_NEGATIVE:
        *out = (number_t) { .kind = value->kind == VALUE_UNSIGNED ? NUMBER_UNSIGNED : NUMBER_NEGATIVE,
                            .magnitude = value->number };
        return true;
    case VALUE_DOUBLE:
        out->kind = NUMBER_DOUBLE;
        memcpy(&out->real, &value->number, sizeof(out->real));
        return true;
    default: return false;
    }
}

int anjay_get_i64(anjay_input_ctx_t *ctx, int64_t *out) {
    number_t number;
    if (!read_integer(ctx, true, &number)) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    if (number.kind == NUMBER_DOUBLE) {
        if (!(number.real >= -9223372036854775808.0 && number.real < 9223372036854775808.0)
                || number.real != floor(number.real)) {
            return ANJAY_ERR_BAD_REQUEST;
        }
        *out = (int64_t) number.real;
        return 0;
    }
    if (number.magnitude > INT64_MAX) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    *out = number.kind == NUMBER_NEGATIVE ? -1 - (int64_t) number.magnitude : (int64_t) number.magnitude;
    return 0;
}

int anjay_get_i32(anjay_input_ctx_t *ctx, int32_t *out) {
    int64_t value;
    int result = anjay_get_i64(ctx, &value);
    if (result || value < INT32_MIN || value > INT32_MAX) {
        return result ? result : ANJAY_ERR_BAD_REQUEST;
    }
    *out = (int32_t) value;
    return 0;
}

int anjay_get_u64(anjay_input_ctx_t *ctx, uint64_t *out) {
    number_t number;
    if (!read_integer(ctx, false, &number) || number.kind == NUMBER_NEGATIVE) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    if (number.kind == NUMBER_DOUBLE) {
        if (!(number.real >= 0.0 && number.real < 18446744073709551616.0) || number.real != floor(number.real)) {
            return ANJAY_ERR_BAD_REQUEST;
        }
        *out = (uint64_t) number.real;
        return 0;
    }
    *out = number.magnitude;
    return 0;
}

int anjay_get_u32(anjay_input_ctx_t *ctx, uint32_t *out) {
    uint64_t value;
    int result = anjay_get_u64(ctx, &value);
    if (result || value > UINT32_MAX) {
        return result ? result : ANJAY_ERR_BAD_REQUEST;
    }
    *out = (uint32_t) value;
    return 0;
}

int anjay_get_double(anjay_input_ctx_t *ctx, double *out) {
    const value_t *value = value_of(ctx);
    number_t number;
    if (value->kind == VALUE_TEXT) {
        return parse_double((const char *) value->data, value->size, out) ? 0 : ANJAY_ERR_BAD_REQUEST;
    }
    if (value->kind == VALUE_RAW && ctx->format == ANJAY_FORMAT_TLV) {
        return read_raw_double(value, out) ? 0 : ANJAY_ERR_BAD_REQUEST;
    }
    if (!read_integer(ctx, true, &number) || (number.kind == NUMBER_NEGATIVE && number.magnitude > INT64_MAX)) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    *out = number.kind == NUMBER_DOUBLE     ? number.real
           : number.kind == NUMBER_NEGATIVE ? -1.0 - (double) number.magnitude
                                            : (double) number.magnitude;
    return 0;
}

int anjay_get_float(anjay_input_ctx_t *ctx, float *out) {
    double value;
    int result = anjay_get_double(ctx, &value);
    if (!result) {
        *out = (float) value;
    }
    return result;
}

int anjay_get_bool(anjay_input_ctx_t *ctx, bool *out) {
    const value_t *value = value_of(ctx);
    number_t number;
    bool ok = false;
    if (value->kind == VALUE_BOOLEAN) {
        number.magnitude = value->number;
        ok = true;
    } else if (value->kind == VALUE_CBOR) {
        cbor_head_t head;
        size_t at = 0;
        ok = !cbor_read_head(value->data, value->size, &at, &head) && head.major == CBOR_SIMPLE
             && (head.info == 20 || head.info == 21);
        number.magnitude = ok && head.info == 21;
    } else if (value->kind == VALUE_TEXT) {
        ok = parse_integer((const char *) value->data, value->size, &number) && number.kind == NUMBER_UNSIGNED;
    } else if (value->kind == VALUE_RAW) {
        ok = ctx->format == ANJAY_FORMAT_TLV && value->size == 1;
        number.magnitude = ok ? *value->data : 0;
    }
    if (!ok || number.magnitude > 1) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    *out = number.magnitude == 1;
    return 0;
}

/* ------------------------------------------------------------------ object links */

static bool parse_id(const char **text, char end, uint16_t *out) {
    uint32_t id = 0;
    const char *at = *text;
    while (isdigit((unsigned char) *at) && at - *text < 5) {
        id = id * 10 + (uint32_t) (*at++ - '0');
    }
    if (at == *text || *at != end || id > UINT16_MAX) {
        return false;
    }
    *text = at + 1;
    *out = (uint16_t) id;
    return true;
}

int anjay_get_objlnk(anjay_input_ctx_t *ctx, anjay_oid_t *out_oid, anjay_iid_t *out_iid) {
    value_t *value = value_of(ctx);
    if (value->kind == VALUE_RAW && ctx->format == ANJAY_FORMAT_TLV) {
        if (value->size != 4) {
            return ANJAY_ERR_BAD_REQUEST;
        }
        *out_oid = (anjay_oid_t) (value->data[0] << 8 | value->data[1]);
        *out_iid = (anjay_iid_t) (value->data[2] << 8 | value->data[3]);
        return 0;
    }
    char text[16];
    size_t size = 0;
    int result;
    switch (value->kind) {
    case VALUE_TEXT: result = read_plain(value, text, sizeof(text) - 1, &size); break;
    case VALUE_JSON_STRING: /* "vs", as some servers have it instead of "vlo" */
    case VALUE_JSON_OBJLNK: result = read_json(value, text, sizeof(text) - 1, &size); break;
    case VALUE_CBOR: /* the value of a Resource on its own has no other way to say that it is a link */
    case VALUE_CBOR_OBJLNK: result = read_cbor(value, CBOR_TEXT, text, sizeof(text) - 1, &size); break;
    default: result = ANJAY_ERR_BAD_REQUEST;
    }
    if (result || !value->ended) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    text[size] = '\0';
    const char *at = text;
    return parse_id(&at, ':', out_oid) && parse_id(&at, '\0', out_iid) ? 0 : ANJAY_ERR_BAD_REQUEST;
}
