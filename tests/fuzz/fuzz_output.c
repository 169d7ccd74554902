/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Values written in every format must be read again as what they were; links must be well-formed. First byte: format; second: the path that is read;
 * then values: type and Resource ID, length or the value itself.
 */
#include "../../vendor/anjay/src/io/io.h"
#include "mock_system.h"

#include <math.h>

enum { VALUES = 12, TEXT_MAX = 300 };

typedef enum { V_I64, V_U64, V_DOUBLE, V_BOOL, V_TEXT, V_BYTES, V_LINK, V_COUNT } type_t;

typedef struct {
    anjay_uri_path_t path;
    type_t type;
    uint64_t number;
    double real;
    size_t size;
    uint8_t bytes[TEXT_MAX + 1];
} value_t;

static value_t values[VALUES];
static size_t count;

/** Values at ascending paths below /3333/0. */
static void take_values(const uint8_t *data, size_t size) {
    unsigned rid = 0;
    for (count = 0; count < VALUES && size; ++count) {
        value_t *v = &values[count];
        const uint8_t head = *data++;
        --size;
        memset(v, 0, sizeof(*v));
        v->type = head % 16 % V_COUNT;
        rid += 1 + head / 16 * (head & 8 ? 100u : 1u);
        if (rid >= ANJAY_ID_INVALID) {
            return;
        }
        v->path = anjay_path(3, 3333, 0, (int) rid);
        if (v->type == V_TEXT || v->type == V_BYTES) {
            size_t wanted = size ? *data++ : 0;
            size -= !!size;
            wanted = wanted < size ? wanted : size;
            memcpy(v->bytes, data, v->size = wanted);
            data += wanted;
            size -= wanted;
            if (v->type == V_TEXT) { /* text: ASCII, so that it is UTF-8 */
                for (size_t i = 0; i < v->size; ++i) {
                    v->bytes[i] = (uint8_t) (v->bytes[i] & 0x7F ? v->bytes[i] & 0x7F : 1);
                }
            }
        } else {
            for (int i = 0; i < 8 && size; ++i, --size) {
                v->number = v->number << 8 | *data++;
            }
            memcpy(&v->real, &v->number, sizeof(v->real));
        }
    }
}

static int put(anjay_output_ctx_t *ctx, const value_t *v) {
    switch (v->type) {
    case V_I64: return anjay_ret_i64(ctx, (int64_t) v->number);
    case V_U64: return anjay_ret_u64(ctx, v->number);
    case V_DOUBLE: return anjay_ret_double(ctx, v->real);
    case V_BOOL: return anjay_ret_bool(ctx, v->number & 1);
    case V_TEXT: return anjay_ret_string(ctx, (const char *) v->bytes);
    case V_BYTES: return anjay_ret_bytes(ctx, v->bytes, v->size);
    default: return anjay_ret_objlnk(ctx, (anjay_oid_t) v->number, (anjay_iid_t) (v->number >> 16));
    }
}

static void check_bytes(anjay_input_ctx_t *ctx, const value_t *v) {
    uint8_t got[TEXT_MAX + 1];
    size_t size, total = 0;
    bool finished = false;
    while (!finished) {
        REQUIRE(!anjay_get_bytes(ctx, &size, &finished, got + total, sizeof(got) - total));
        total += size;
    }
    REQUIRE(total == v->size && !memcmp(got, v->bytes, total));
}

static void check(anjay_input_ctx_t *ctx, const value_t *v) {
    char text[TEXT_MAX + 1];
    int64_t integer;
    uint64_t natural;
    double real;
    bool flag;
    anjay_oid_t oid;
    anjay_iid_t iid;
    switch (v->type) {
    case V_I64: REQUIRE(!anjay_get_i64(ctx, &integer) && integer == (int64_t) v->number); break;
    case V_U64: REQUIRE(!anjay_get_u64(ctx, &natural) && natural == v->number); break;
    case V_DOUBLE: REQUIRE(!anjay_get_double(ctx, &real) && (real == v->real || (isnan(real) && isnan(v->real)))); break;
    case V_BOOL: REQUIRE(!anjay_get_bool(ctx, &flag) && flag == (v->number & 1)); break;
    case V_TEXT: REQUIRE(!anjay_get_string(ctx, text, sizeof(text)) && !strcmp(text, (const char *) v->bytes)); break;
    case V_BYTES: check_bytes(ctx, v); break;
    default:
        REQUIRE(!anjay_get_objlnk(ctx, &oid, &iid) && oid == (uint16_t) v->number && iid == (uint16_t) (v->number >> 16));
    }
}

static void read_again(const coap_buf_t *out, uint16_t format, const anjay_uri_path_t *base) {
    anjay_input_ctx_t ctx;
    anjay_input_entry_t entry;
    uint8_t *copy = (uint8_t *) malloc(out->size + !out->size); /* so that one byte too far is noticed */
    REQUIRE(copy);
    if (out->size) {
        memcpy(copy, out->data, out->size);
    }
    REQUIRE(!anjay_input_start(&ctx, format, copy, out->size, base, false));
    for (size_t i = 0; i < count; ++i) {
        do {
            REQUIRE(!anjay_input_next(&ctx, &entry));
        } while (entry.is_container);
        REQUIRE(anjay_path_equal(&entry.path, &values[i].path));
        check(&ctx, &values[i]);
    }
    REQUIRE(anjay_input_next(&ctx, &entry) == ANJAY_INPUT_END);
    anjay_input_cleanup(&ctx);
    free(copy);
}

static void write_and_read(uint16_t format, unsigned kind) {
    const bool single = format == ANJAY_FORMAT_TEXT || format == ANJAY_FORMAT_OPAQUE || format == ANJAY_FORMAT_CBOR || kind % 3 == 2;
    count = single && count > 1 ? 1 : count;
    if (!count) {
        return;
    }
    const anjay_uri_path_t base = single ? values[0].path : kind % 3 ? anjay_path(2, 3333, 0) : anjay_path(1, 3333);
    coap_buf_t out = { 0 };
    anjay_output_ctx_t ctx;
    REQUIRE(!anjay_output_start(&ctx, &out, format, &base, false));
    bool given = true;
    for (size_t i = 0; i < count && given; ++i) {
        given = !anjay_output_set_path(&ctx, &values[i].path) && !put(&ctx, &values[i]);
    }
    if (getenv("FUZZ_LOG")) {
        fprintf(stderr, "format %u: %.*s\n", format, (int) out.size, (const char *) out.data);
    }
    if (!given) { /* a number that JSON has none for, bytes as text, a text as opaque */
        anjay_output_abort(&ctx);
    } else if (!anjay_output_finish(&ctx)) {
        read_again(&out, format, &base);
    }
    coap_buf_cleanup(&out);
}

/** `</1/0>;a=1,</2>`: angle brackets, paths, attributes. */
static void links(void) {
    if (!count) {
        return;
    }
    coap_buf_t out = { 0 };
    for (size_t i = 0; i < count; ++i) {
        REQUIRE(!anjay_link_append(&out, &values[i].path));
        if (values[i].type == V_DOUBLE && isfinite(values[i].real)) {
            REQUIRE(!anjay_link_attr_double(&out, "gt", values[i].real));
        } else if (values[i].type == V_I64) {
            REQUIRE(!anjay_link_attr_int(&out, "pmin", (int64_t) values[i].number));
        }
    }
    const char *at = (const char *) out.data, *end = at + out.size;
    for (size_t i = 0; i < count; ++i) {
        anjay_uri_path_t path;
        const char *close = (const char *) memchr(at, '>', (size_t) (end - at));
        REQUIRE(*at == '<' && close && !anjay_path_parse(at + 1, (size_t) (close - at - 1), &path)
                && anjay_path_equal(&path, &values[i].path));
        at = close + 1;
        if (at < end && *at == ';') {
            char *after;
            const bool integer = !strncmp(at, ";pmin=", 6);
            REQUIRE(integer || !strncmp(at, ";gt=", 4));
            char text[64] = "";
            memcpy(text, at + (integer ? 6 : 4), (size_t) (end - at) < 60 ? (size_t) (end - at) - (integer ? 6 : 4) : 50);
            if (integer) {
                REQUIRE(strtoll(text, &after, 10) == (int64_t) values[i].number);
            } else {
                REQUIRE(strtod(text, &after) == values[i].real);
            }
            at += (integer ? 6 : 4) + (after - text);
        }
        REQUIRE(at == end || *at == ',');
        at += at < end;
    }
    coap_buf_cleanup(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint16_t FORMATS[] = { ANJAY_FORMAT_TEXT,       ANJAY_FORMAT_OPAQUE, ANJAY_FORMAT_CBOR, ANJAY_FORMAT_SENML_JSON,
                                        ANJAY_FORMAT_SENML_CBOR, ANJAY_FORMAT_TLV,    ANJAY_FORMAT_LINK };
    if (size < 2) {
        return 0;
    }
    const uint16_t format = FORMATS[data[0] % 7];
    take_values(data + 2, size - 2);
    if (format == ANJAY_FORMAT_LINK) {
        links();
    } else {
        write_and_read(format, data[1]);
    }
    return 0;
}
