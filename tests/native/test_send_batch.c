/* SPDX-License-Identifier: Apache-2.0 */
/** Batches of Send: what is in a payload, and what of the data model goes into it. */
#include "dm_object.h"

#include "../../vendor/anjay/src/send/send.h"

#include <anjay/lwm2m_send.h>

#define NO_RIID ANJAY_ID_INVALID

static avs_time_real_t at(double seconds) {
    return avs_time_real_from_fscalar(seconds, AVS_TIME_S);
}

/* ------------------------------------------------------------------ payloads */

/** The payload of a batch, which is released; CBOR as hexadecimal digits. */
static const char *payload(anjay_send_batch_builder_t **builder, uint16_t format, double now) {
    static char text[2000];
    coap_buf_t out = { 0 };
    anjay_send_batch_t *batch = anjay_send_batch_builder_compile(builder);
    CHECK(batch && !*builder);
    CHECK(!send_encode(batch, format, at(now), &out));
    *text = '\0';
    for (size_t i = 0; i < out.size && format == ANJAY_FORMAT_SENML_CBOR; ++i) {
        snprintf(text + 2 * i, 3, "%02x", out.data[i]);
    }
    if (format == ANJAY_FORMAT_SENML_JSON) {
        snprintf(text, sizeof(text), "%.*s", (int) out.size, (const char *) out.data);
    }
    coap_buf_cleanup(&out);
    anjay_send_batch_release(&batch);
    CHECK(!batch);
    return text;
}

static void test_every_type(void) {
    for (int cbor = 0; cbor < 2; ++cbor) {
        anjay_send_batch_builder_t *b = anjay_send_batch_builder_new();
        CHECK(!anjay_send_batch_add_int(b, 3, 0, 1, NO_RIID, at(1700000000), -5));
        CHECK(!anjay_send_batch_add_uint(b, 3, 0, 2, NO_RIID, at(1700000000), UINT64_MAX));
        CHECK(!anjay_send_batch_add_double(b, 3, 0, 3, NO_RIID, at(1700000000), 0.5));
        CHECK(!anjay_send_batch_add_bool(b, 3, 0, 4, NO_RIID, at(1700000000), true));
        CHECK(!anjay_send_batch_add_string(b, 3, 0, 5, NO_RIID, at(1700000000), "a\"b"));
        CHECK(!anjay_send_batch_add_string(b, 3, 0, 5, NO_RIID, at(1700000000), ""));
        CHECK(!anjay_send_batch_add_bytes(b, 3, 0, 6, 7, at(1700000000), "\x00\xFF", 2));
        CHECK(!anjay_send_batch_add_bytes(b, 3, 0, 6, 8, at(1700000000), NULL, 0));
        CHECK(!anjay_send_batch_add_objlnk(b, 3, 0, 7, NO_RIID, at(1700000000), 5, 65535));
        CHECK_STR(payload(&b, cbor ? ANJAY_FORMAT_SENML_CBOR : ANJAY_FORMAT_SENML_JSON, 1700000001),
                  cbor ? "89a421642f332f3000622f3122fa4ecaa7e20224a200622f32021bffffffffffffffffa200622f3302fa3f000000a200622f3404f5"
                         "a200622f350363612262a200622f350360a200642f362f37084200ffa200642f362f380840a200622f3763766c6f67353a3635353335"
                       : "[{\"bn\":\"/3/0\",\"n\":\"/1\",\"bt\":1700000000,\"v\":-5},{\"n\":\"/2\",\"v\":18446744073709551615},"
                         "{\"n\":\"/3\",\"v\":0.5},{\"n\":\"/4\",\"vb\":true},{\"n\":\"/5\",\"vs\":\"a\\\"b\"},{\"n\":\"/5\",\"vs\":\"\"},"
                         "{\"n\":\"/6/7\",\"vd\":\"AP8\"},{\"n\":\"/6/8\",\"vd\":\"\"},{\"n\":\"/7\",\"vlo\":\"5:65535\"}]");
    }
}

/** What stands before the paths, in JSON. */
static void test_base_names(void) {
    static const struct {
        uint16_t paths[3][4];
        int count;
        const char *json;
    } CASES[] = {
        { { { 0 } }, 0, "[]" },
        { { { 3, 0, 1, NO_RIID } }, 1, "[{\"bn\":\"/3/0/1\",\"v\":0}]" },
        { { { 3, 0, 1, 7 } }, 1, "[{\"bn\":\"/3/0/1/7\",\"v\":0}]" },
        { { { 3, 0, 1, 7 }, { 3, 0, 1, 7 } }, 2, "[{\"bn\":\"/3/0/1/7\",\"v\":0},{\"v\":1}]" },
        { { { 3, 0, 1, 7 }, { 3, 0, 1, 8 } }, 2, "[{\"bn\":\"/3/0/1\",\"n\":\"/7\",\"v\":0},{\"n\":\"/8\",\"v\":1}]" },
        { { { 3, 0, 1, 7 }, { 3, 0, 1, NO_RIID } }, 2, "[{\"bn\":\"/3/0/1\",\"n\":\"/7\",\"v\":0},{\"v\":1}]" },
        { { { 3, 0, 2, NO_RIID }, { 3, 0, 1, NO_RIID } }, 2, "[{\"bn\":\"/3/0\",\"n\":\"/2\",\"v\":0},{\"n\":\"/1\",\"v\":1}]" },
        { { { 3, 1, 1, NO_RIID }, { 3, 0, 1, NO_RIID } }, 2, "[{\"bn\":\"/3\",\"n\":\"/1/1\",\"v\":0},{\"n\":\"/0/1\",\"v\":1}]" },
        { { { 3, 0, 1, NO_RIID }, { 33, 0, 1, NO_RIID } }, 2, "[{\"n\":\"/3/0/1\",\"v\":0},{\"n\":\"/33/0/1\",\"v\":1}]" },
        /* no server may read the Security object */
        { { { 0, 0, 0, NO_RIID }, { 3, 0, 1, NO_RIID } }, 2, "[{\"bn\":\"/3/0/1\",\"v\":1}]" },
        { { { 0, 0, 5, NO_RIID } }, 1, "[]" },
    };
    for (size_t i = 0; i < AVS_ARRAY_SIZE(CASES); ++i) {
        anjay_send_batch_builder_t *b = anjay_send_batch_builder_new();
        for (int n = 0; n < CASES[i].count; ++n) {
            const uint16_t *ids = CASES[i].paths[n];
            CHECK(!anjay_send_batch_add_int(b, ids[0], ids[1], ids[2], ids[3], AVS_TIME_REAL_INVALID, n));
        }
        CHECK_STR(payload(&b, ANJAY_FORMAT_SENML_JSON, 1700000000), CASES[i].json);
    }
}

static void test_times(void) {
    static const struct {
        double now, times[4];
        int count;
        const char *json;
    } CASES[] = {
        { 1.7e9, { 1.6e9, 1.6e9, 1.6e9 + 0.5, 1.6e9 }, 4, "bt=1600000000 - bt=1600000000.5 bt=1600000000" },
        { 1.7e9, { 268435456 }, 1, "bt=268435456" },
        { 1.7e9, { 1.7e9 }, 1, "bt=1700000000" },
        { 1.7e9, { 1.8e9, 1.6e9, 1.8e9 }, 3, "- bt=1600000000 bt=0" }, /* what is still to come is now */
        { 1.7e9, { 10, -10, 268435455 }, 3, "- - -" },                   /* a clock that was not set then, but is now */
        { 1000, { 990, 1000, 1010, 0.5 }, 4, "bt=-10 bt=0 - bt=-999.5" },
        { 1000, { 1.7e9 }, 1, "-" },
    };
    for (size_t i = 0; i < AVS_ARRAY_SIZE(CASES); ++i) {
        char text[200] = "";
        anjay_send_batch_builder_t *b = anjay_send_batch_builder_new();
        for (int n = 0; n < CASES[i].count; ++n) {
            CHECK(!anjay_send_batch_add_bool(b, 3, 0, 1, NO_RIID, at(CASES[i].times[n]), false));
        }
        const char *json = payload(&b, ANJAY_FORMAT_SENML_JSON, CASES[i].now);
        for (const char *record = strchr(json, '{'); record; record = strchr(record + 1, '{')) {
            const char *bt = strstr(record, "\"bt\":"), *end = strchr(record, '}');
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s%.*s", *text ? " " : "", bt && bt < end ? "bt=" : "-",
                     bt && bt < end ? (int) strcspn(bt + 5, ",") : 0, bt ? bt + 5 : "");
        }
        CHECK_STR(text, CASES[i].json);
    }
}

static void test_bad_arguments(void) {
    anjay_send_batch_builder_t *b = anjay_send_batch_builder_new();
    anjay_send_batch_t *none = NULL;
    CHECK(anjay_send_batch_add_int(NULL, 3, 0, 1, NO_RIID, at(0), 1));
    CHECK(anjay_send_batch_add_int(b, NO_RIID, 0, 1, NO_RIID, at(0), 1));
    CHECK(anjay_send_batch_add_bool(b, 3, NO_RIID, 1, NO_RIID, at(0), 1));
    CHECK(anjay_send_batch_add_objlnk(b, 3, 0, NO_RIID, NO_RIID, at(0), 1, 1));
    CHECK(anjay_send_batch_add_string(b, 3, 0, 1, NO_RIID, at(0), NULL));
    CHECK(anjay_send_batch_add_string(NULL, 3, 0, 1, NO_RIID, at(0), "x"));
    CHECK(anjay_send_batch_add_bytes(b, 3, 0, 1, NO_RIID, at(0), NULL, 1));
    CHECK_STR(payload(&b, ANJAY_FORMAT_SENML_JSON, 1000), "[]");
    CHECK(!anjay_send_batch_builder_compile(&b) && !anjay_send_batch_builder_compile(NULL));
    anjay_send_batch_builder_cleanup(&b);
    anjay_send_batch_builder_cleanup(NULL);
    anjay_send_batch_release(&none);
    anjay_send_batch_release(NULL);
    CHECK(!anjay_send_batch_acquire(NULL));
}

/* ------------------------------------------------------------------ current values */

static anjay_t *start(mock_t *mock) {
    anjay_t *anjay = registered_client(mock, NULL);
    add_object(anjay);
    CHECK_STR(mock_receive_last(mock), "nothing");
    return anjay;
}

static void end(anjay_t *anjay, mock_t *mock) {
    end_client(anjay);
    mock_close(mock);
}

/** The builder's values without their times, which are all the same. */
static const char *without_time(anjay_send_batch_builder_t **builder) {
    static char text[2000];
    snprintf(text, sizeof(text), "%s", payload(builder, ANJAY_FORMAT_SENML_JSON, 4e9));
    char *bt = strstr(text, ",\"bt\":");
    if (bt) {
        const char *rest = bt + 6 + strcspn(bt + 6, ",");
        memmove(bt, rest, strlen(rest) + 1);
        CHECK(!strstr(text, "\"bt\":"));
    }
    return text;
}

static void test_current(void) {
    static const struct {
        anjay_send_resource_path_t path;
        int result, result_ignoring;
    } CASES[] = { { { 3333, 0, R_EXECUTE }, ANJAY_ERR_METHOD_NOT_ALLOWED, ANJAY_ERR_METHOD_NOT_ALLOWED },
                  { { 3333, 0, R_WRITE_ONLY }, ANJAY_ERR_METHOD_NOT_ALLOWED, ANJAY_ERR_METHOD_NOT_ALLOWED },
                  { { 3333, 0, R_ABSENT }, ANJAY_ERR_NOT_FOUND, 0 },
                  { { 3333, 0, 99 }, ANJAY_ERR_NOT_FOUND, 0 },
                  { { 3333, 3, R_NUMBER }, ANJAY_ERR_NOT_FOUND, 0 },
                  { { 44, 0, 0 }, ANJAY_ERR_NOT_FOUND, 0 },
                  { { NO_RIID, 0, 0 }, ANJAY_ERR_NOT_FOUND, 0 },
                  { { 3333, NO_RIID, 0 }, -1, -1 },
                  { { 3333, 0, NO_RIID }, -1, -1 },
                  { { 0, 0, 0 }, ANJAY_ERR_UNAUTHORIZED, ANJAY_ERR_UNAUTHORIZED } };
    mock_t mock;
    anjay_t *anjay = start(&mock);
    anjay_send_batch_builder_t *b = anjay_send_batch_builder_new();
    CHECK(!anjay_send_batch_data_add_current(b, anjay, 3333, 0, R_NUMBER));
    CHECK(!anjay_send_batch_data_add_current(b, anjay, 3333, 0, R_MANY));
    CHECK_STR(calls(), "ILrILMrr");
    anjay_send_batch_builder_cleanup(&b);
    b = anjay_send_batch_builder_new();
    for (size_t i = 0; i < AVS_ARRAY_SIZE(CASES); ++i) {
        const anjay_send_resource_path_t paths[] = { { 3333, 1, R_TEXT }, CASES[i].path };
        CHECK_INT(anjay_send_batch_data_add_current(b, anjay, paths[1].oid, paths[1].iid, paths[1].rid), CASES[i].result);
        CHECK_INT(anjay_send_batch_data_add_current_multiple(b, anjay, paths, 2), CASES[i].result);
        CHECK_INT(b->list.count, 0);
        CHECK_INT(anjay_send_batch_data_add_current_multiple_ignore_not_found(b, anjay, paths, 2), CASES[i].result_ignoring);
        CHECK_INT(b->list.count, CASES[i].result_ignoring ? 0 : 1);
        send_entries_truncate(&b->list, 0);
    }
    const anjay_send_resource_path_t all[] = { { 3333, 1, R_TEXT }, { 3333, 0, R_MANY }, { 1, 0, 1 } };
    CHECK(!anjay_send_batch_data_add_current_multiple(b, anjay, all, 3));
    CHECK_STR(without_time(&b), "[{\"n\":\"/3333/1/1\",\"vs\":\"t\"},{\"n\":\"/3333/0/4/0\",\"v\":10},{\"n\":\"/3333/0/4/2\",\"v\":12},"
                                "{\"n\":\"/1/0/1\",\"v\":60}]");
    b = anjay_send_batch_builder_new();
    obj.read_result = ANJAY_ERR_SERVICE_UNAVAILABLE;
    CHECK_INT(anjay_send_batch_data_add_current_multiple_ignore_not_found(b, anjay, all, 1), ANJAY_ERR_SERVICE_UNAVAILABLE);
    obj.read_result = ANJAY_ERR_NOT_FOUND;
    CHECK_INT(anjay_send_batch_data_add_current_multiple_ignore_not_found(b, anjay, all, 2), 0);
    CHECK(anjay_send_batch_data_add_current(NULL, anjay, 3333, 0, 0) && anjay_send_batch_data_add_current(b, NULL, 3333, 0, 0));
    CHECK(anjay_send_batch_data_add_current_multiple(b, anjay, NULL, 1) && !anjay_send_batch_data_add_current_multiple(b, anjay, NULL, 0));
    CHECK_STR(payload(&b, ANJAY_FORMAT_SENML_JSON, 1000), "[]");
    end(anjay, &mock);
}

int main(void) {
    avs_log_set_default_level(AVS_LOG_QUIET);
    RUN(test_every_type);
    RUN(test_base_names);
    RUN(test_times);
    RUN(test_bad_arguments);
    RUN(test_current);
    return TEST_END();
}
