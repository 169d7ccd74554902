/* SPDX-License-Identifier: Apache-2.0 */
/** Content formats without a client: what is written is read again, in every format; malformed payloads; paths and links. */
#include "test.h"

#include "../../vendor/anjay/src/io/io.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

enum { TEXT = 0, OPAQUE = 42, CBOR = 60, SENML_JSON = 110, SENML_CBOR = 112, TLV = 11542 };

typedef enum { V_INT, V_UINT, V_DOUBLE, V_BOOL, V_STRING, V_BYTES, V_LINK } type_t;

typedef struct {
    type_t type;
    int64_t integer;
    uint64_t natural;
    double number;
    const char *text;
    size_t size;
} value_t;

static const value_t VALUES[] = { { V_INT, .integer = 0 },
                                  { V_INT, .integer = -1 },
                                  { V_INT, .integer = 127 },
                                  { V_INT, .integer = -129 },
                                  { V_INT, .integer = 65536 },
                                  { V_INT, .integer = INT64_MAX },
                                  { V_INT, .integer = INT64_MIN },
                                  { V_UINT, .natural = UINT64_MAX },
                                  { V_UINT, .natural = 5 },
                                  { V_DOUBLE, .number = 0.0 },
                                  { V_DOUBLE, .number = -1.5 },
                                  { V_DOUBLE, .number = 0.1 },
                                  { V_DOUBLE, .number = 1e300 },
                                  { V_DOUBLE, .number = DBL_MIN },
                                  { V_BOOL, .integer = 1 },
                                  { V_BOOL, .integer = 0 },
                                  { V_STRING, .text = "" },
                                  { V_STRING, .text = "plain" },
                                  { V_STRING, .text = "\"quoted\\ \n\t\x01 \xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80" },
                                  { V_BYTES, .text = "", .size = 0 },
                                  { V_BYTES, .text = "\0\xFF\x7F", .size = 3 },
                                  { V_LINK, .integer = 3, .natural = 0 },
                                  { V_LINK, .integer = 65535, .natural = 65535 } };

static int give(anjay_output_ctx_t *ctx, const value_t *v) {
    switch (v->type) {
    case V_INT: return anjay_ret_i64(ctx, v->integer);
    case V_UINT: return anjay_ret_u64(ctx, v->natural);
    case V_DOUBLE: return anjay_ret_double(ctx, v->number);
    case V_BOOL: return anjay_ret_bool(ctx, v->integer);
    case V_STRING: return anjay_ret_string(ctx, v->text);
    case V_BYTES: return anjay_ret_bytes(ctx, v->text, v->size);
    default: return anjay_ret_objlnk(ctx, (anjay_oid_t) v->integer, (anjay_iid_t) v->natural);
    }
}

static void take(anjay_input_ctx_t *ctx, const value_t *v) {
    int64_t integer = 1;
    uint64_t natural = 1;
    double number = 1;
    bool flag = false, finished = false;
    char text[128];
    uint8_t bytes[64];
    size_t size = 0, all = 0;
    anjay_oid_t oid = 1;
    anjay_iid_t iid = 1;
    switch (v->type) {
    case V_INT: CHECK(!anjay_get_i64(ctx, &integer) && integer == v->integer); break;
    case V_UINT: CHECK(!anjay_get_u64(ctx, &natural) && natural == v->natural); break;
    case V_DOUBLE: CHECK(!anjay_get_double(ctx, &number) && number == v->number); break;
    case V_BOOL: CHECK(!anjay_get_bool(ctx, &flag) && flag == (v->integer != 0)); break;
    case V_STRING:
        CHECK(!anjay_get_string(ctx, text, sizeof(text)));
        CHECK_STR(text, v->text);
        break;
    case V_BYTES:
        while (!finished && all < sizeof(bytes)) { /* in pieces of two */
            CHECK(!anjay_get_bytes(ctx, &size, &finished, bytes + all, 2));
            all += size;
        }
        CHECK(all == v->size && !memcmp(bytes, v->text, all));
        break;
    default: CHECK(!anjay_get_objlnk(ctx, &oid, &iid) && oid == v->integer && iid == v->natural);
    }
}

static bool fits(uint16_t format, type_t type) {
    return format == OPAQUE ? type == V_BYTES : true;
}

static void test_round_trip(void) {
    static const uint16_t FORMATS[] = { TEXT, OPAQUE, CBOR, SENML_JSON, SENML_CBOR, TLV };
    const anjay_uri_path_t path = anjay_path(3, 3333, 0, 5750);
    for (size_t f = 0; f < sizeof(FORMATS) / sizeof(*FORMATS); ++f) {
        for (size_t i = 0; i < sizeof(VALUES) / sizeof(*VALUES); ++i) {
            coap_buf_t out = { 0 };
            anjay_output_ctx_t output;
            CHECK(!anjay_output_start(&output, &out, FORMATS[f], &path, false));
            CHECK(!anjay_output_set_path(&output, &path));
            const int given = give(&output, &VALUES[i]);
            const int finished = anjay_output_finish(&output);
            if (!fits(FORMATS[f], VALUES[i].type)) {
                CHECK(given || finished);
                coap_buf_cleanup(&out);
                continue;
            }
            CHECK(!given && !finished);
            uint8_t *exact = (uint8_t *) malloc(out.size + !out.size); /* so that the sanitizer sees a byte too far */
            memcpy(exact, out.size ? out.data : (const uint8_t *) "", out.size);
            anjay_input_ctx_t input;
            anjay_input_entry_t entry;
            CHECK(!anjay_input_start(&input, FORMATS[f], exact, out.size, &path, false));
            CHECK(!anjay_input_next(&input, &entry));
            CHECK(anjay_path_equal(&entry.path, &path));
            const int before = checks_failed;
            take(&input, &VALUES[i]);
            if (checks_failed > before) {
                fprintf(stderr, "  format %u, value %zu\n", FORMATS[f], i);
            }
            CHECK_INT(anjay_input_next(&input, &entry), ANJAY_INPUT_END);
            anjay_input_cleanup(&input);
            for (size_t cut = 0; cut < out.size; ++cut) { /* no prefix is read beyond its end */
                uint8_t *part = (uint8_t *) malloc(cut + !cut);
                memcpy(part, exact, cut);
                if (!anjay_input_start(&input, FORMATS[f], part, cut, &path, false)) {
                    while (!anjay_input_next(&input, &entry)) {
                        char text[64];
                        anjay_get_string(&input, text, sizeof(text));
                    }
                    anjay_input_cleanup(&input);
                }
                free(part);
            }
            free(exact);
            coap_buf_cleanup(&out);
        }
    }
}

/** An Instance with two Resources, one of them with two elements. */
static void test_hierarchy(void) {
    static const uint16_t FORMATS[] = { SENML_JSON, SENML_CBOR, TLV };
    const anjay_uri_path_t base = anjay_path(2, 3333, 1);
    const anjay_uri_path_t paths[] = { anjay_path(3, 3333, 1, 0), anjay_path(4, 3333, 1, 7, 1), anjay_path(4, 3333, 1, 7, 300) };
    const anjay_uri_path_t container = anjay_path(3, 3333, 1, 7);
    for (size_t f = 0; f < 3; ++f) {
        coap_buf_t out = { 0 };
        anjay_output_ctx_t output;
        CHECK(!anjay_output_start(&output, &out, FORMATS[f], &base, false));
        for (int i = 0; i < 3; ++i) {
            if (i == 1) {
                CHECK(!anjay_output_container(&output, &container));
            }
            CHECK(!anjay_output_set_path(&output, &paths[i]) && !anjay_ret_i64(&output, i + 10));
        }
        CHECK(!anjay_output_finish(&output));
        anjay_input_ctx_t input;
        anjay_input_entry_t entry;
        CHECK(!anjay_input_start(&input, FORMATS[f], out.data, out.size, &base, false));
        int seen = 0;
        while (!anjay_input_next(&input, &entry)) {
            int64_t value;
            if (!entry.is_container) {
                CHECK(seen < 3 && anjay_path_equal(&entry.path, &paths[seen]));
                CHECK(!anjay_get_i64(&input, &value) && value == seen + 10);
                ++seen;
            }
        }
        CHECK_INT(seen, 3);
        anjay_input_cleanup(&input);
        coap_buf_cleanup(&out);
    }
    anjay_output_ctx_t output;
    coap_buf_t out = { 0 };
    CHECK(anjay_output_start(&output, &out, TEXT, &base, false) < 0);
    CHECK(anjay_output_start(&output, &out, 9999, &paths[0], false) < 0);
}

static void test_malformed(void) {
    static const struct {
        uint16_t format;
        const char *data;
        size_t size;
    } CASES[] = { { TLV, "\xC1", 1 },
                  { TLV, "\xC1\x01", 2 },
                  { TLV, "\xC8\x01\x09" "12345678", 11 },
                  { SENML_JSON, "[", 1 },
                  { SENML_JSON, "[{\"v\":}]", 8 },
                  { SENML_JSON, "{}", 2 },
                  { SENML_JSON, "[{\"n\":\"/1\",\"v\":1}", 17 },
                  { SENML_CBOR, "\x81", 1 },
                  { SENML_CBOR, "\x81\xA1\x02", 3 },
                  { SENML_CBOR, "\xFF", 1 },
                  { CBOR, "\x1B\x01", 2 } };
    const anjay_uri_path_t base = anjay_path(3, 3333, 0, 0);
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); ++i) {
        anjay_input_ctx_t input;
        anjay_input_entry_t entry;
        int64_t value;
        int result = anjay_input_start(&input, CASES[i].format, (const uint8_t *) CASES[i].data, CASES[i].size, &base, false);
        if (!result) {
            while (!result && !(result = anjay_input_next(&input, &entry))) {
                result = anjay_get_i64(&input, &value);
            }
            anjay_input_cleanup(&input);
        }
        if (result != ANJAY_ERR_BAD_REQUEST) {
            fprintf(stderr, "case %zu: ", i);
        }
        CHECK_INT(result, ANJAY_ERR_BAD_REQUEST);
    }
}

static void test_links(void) {
    coap_buf_t out = { 0 };
    const anjay_uri_path_t object = anjay_path(1, 3333), resource = anjay_path(3, 3333, 0, 5);
    CHECK(!anjay_link_append(&out, &object) && !anjay_link_attr(&out, "ver", "1.1"));
    CHECK(!anjay_link_append(&out, &resource) && !anjay_link_attr_int(&out, "pmin", 5) && !anjay_link_attr_double(&out, "gt", -1.5));
    static const char EXPECTED[] = "</3333>;ver=1.1,</3333/0/5>;pmin=5;gt=-1.5";
    CHECK(out.size == sizeof(EXPECTED) - 1 && !memcmp(out.data, EXPECTED, out.size));
    coap_buf_cleanup(&out);
}

/* ------------------------------------------------------------------ what a value may look like besides */

static bool read_i64(uint16_t format, const char *payload, size_t size, int64_t *out) {
    const anjay_uri_path_t path = anjay_path(3, 3, 0, 13);
    anjay_input_ctx_t in;
    anjay_input_entry_t entry;
    bool read = false;
    if (!anjay_input_start(&in, format, (const uint8_t *) payload, size, &path, false)) {
        read = !anjay_input_next(&in, &entry) && !anjay_get_i64(&in, out);
        anjay_input_cleanup(&in);
    }
    return read;
}

static void test_times(void) {
    static const struct {
        const char *text;
        int64_t seconds;
    } GOOD[] = { { "1970-01-01T00:00:00Z", 0 },
                 { "2013-03-21T20:04:00Z", 1363896240 },
                 { "2013-03-21t21:04:00.000+01:00", 1363896240 },
                 { "2013-03-21T14:34:00-05:30", 1363896240 },
                 { "2000-02-29T23:59:59z", 951868799 },
                 { "2016-12-31T23:59:60Z", 1483228800 },
                 { "1969-12-31T23:59:59Z", -1 },
                 { "0000-01-01T00:00:00Z", -62167219200 },
                 { "9999-12-31T23:59:59Z", 253402300799 } };
    static const char *BAD[] = { "",
                                 "2013-03-21",
                                 "2013-03-21T20:04:00",
                                 "2013-03-21 20:04:00Z",
                                 "2013-02-29T20:04:00Z",
                                 "1900-02-29T00:00:00Z",
                                 "2013-13-21T20:04:00Z",
                                 "2013-00-21T20:04:00Z",
                                 "2013-03-00T20:04:00Z",
                                 "2013-03-21T24:00:00Z",
                                 "2013-03-21T20:60:00Z",
                                 "2013-03-21T20:04:61Z",
                                 "2013-03-21T20:04:00.Z",
                                 "2013-03-21T20:04:00.5Z",
                                 "2013-03-21T20:04:00+24:00",
                                 "2013-03-21T20:04:00+0100",
                                 "2013-03-21T20:04:00ZZ",
                                 "12013-03-21T20:04:00Z",
                                 "+013-03-21T20:04:00Z" };
    for (size_t i = 0; i < sizeof(GOOD) / sizeof(*GOOD) + sizeof(BAD) / sizeof(*BAD); ++i) {
        const bool good = i < sizeof(GOOD) / sizeof(*GOOD);
        const char *text = good ? GOOD[i].text : BAD[i - sizeof(GOOD) / sizeof(*GOOD)];
        char payload[64] = "\xC0\x78";
        int64_t seconds = 7;
        payload[2] = (char) strlen(text);
        memcpy(payload + 3, text, strlen(text));
        const bool read = read_i64(CBOR, payload, 3 + strlen(text), &seconds);
        if (read != good || (good && seconds != GOOD[i].seconds)) {
            printf("%s: %d %lld\n", text, read, (long long) seconds);
            CHECK(false);
        }
        /* cut off anywhere */
        for (size_t size = 0; size < 3 + strlen(text); ++size) {
            CHECK(!read_i64(CBOR, payload, size, &seconds));
        }
    }
    int64_t seconds;
    CHECK(!read_i64(CBOR, "\x74" "2013-03-21T20:04:00Z", 21, &seconds)); /* text without a tag is text */
    CHECK(read_i64(CBOR, "\xC1\x1A\x51\x4B\x67\xB0", 6, &seconds) && seconds == 1363896240);
    CHECK(read_i64(SENML_CBOR, "\x81\xA2\x00\x67/3/0/13\x03\xC0\x74" "2013-03-21T20:04:00Z", 34, &seconds)
          && seconds == 1363896240);
}

static void test_links_in_senml_json(void) {
    static const char *PAYLOADS[] = { "[{\"n\":\"/3/0/13\",\"vlo\":\"5:65535\"}]",
                                      "[{\"n\":\"/3/0/13\",\"vs\":\"5:65535\"}]" };
    const anjay_uri_path_t path = anjay_path(3, 3, 0, 13);
    for (size_t i = 0; i < 2; ++i) {
        anjay_input_ctx_t in;
        anjay_input_entry_t entry;
        anjay_oid_t oid = 0;
        anjay_iid_t iid = 0;
        CHECK(!anjay_input_start(&in, SENML_JSON, (const uint8_t *) PAYLOADS[i], strlen(PAYLOADS[i]), &path, false));
        CHECK(!anjay_input_next(&in, &entry) && !anjay_get_objlnk(&in, &oid, &iid));
        CHECK(oid == 5 && iid == 65535);
        anjay_input_cleanup(&in);
    }
}

int main(void) {
    RUN(test_times);
    RUN(test_links_in_senml_json);
    RUN(test_round_trip);
    RUN(test_hierarchy);
    RUN(test_malformed);
    RUN(test_links);
    return TEST_END();
}
