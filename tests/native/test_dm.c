/* SPDX-License-Identifier: Apache-2.0 */
/** Operations on objects: which handlers run in which order, what is answered, and that a refused request changes nothing. */
#include "dm_object.h"

#include "../../vendor/avs_commons/src/base/alloc_hook.h"

static anjay_t *start(mock_t *mock) {
    anjay_t *anjay = registered_client(mock, NULL);
    add_object(anjay);
    return anjay;
}

static void end(anjay_t *anjay, mock_t *mock) {
    end_client(anjay);
    mock_close(mock);
}

/* ------------------------------------------------------------------ registry */

static void test_registry(void) {
    static const char *const BAD_VERSIONS[] = { "", "1", "1.", "10.0", "1.0.0", "a.b" };
    anjay_t *anjay = new_client(NULL);
    CHECK(anjay_register_object(NULL, &OBJ_PTR) && anjay_register_object(anjay, NULL));
    for (size_t i = 0; i < AVS_ARRAY_SIZE(BAD_VERSIONS); ++i) {
        const anjay_dm_object_def_t def = { .oid = 4, .version = BAD_VERSIONS[i] }, *const ptr = &def;
        CHECK(anjay_register_object(anjay, &ptr));
    }
    const anjay_dm_object_def_t invalid = { .oid = ANJAY_ID_INVALID }, *const invalid_ptr = &invalid, *const null_ptr = NULL;
    CHECK(anjay_register_object(anjay, &invalid_ptr) && anjay_register_object(anjay, &null_ptr));
    CHECK(!anjay_register_object(anjay, &OBJ_PTR));
    CHECK(anjay_register_object(anjay, &OBJ_PTR)); /* once only */
    const anjay_dm_object_def_t *const other_ptr = &OBJ;
    CHECK(anjay_unregister_object(anjay, &other_ptr)); /* not the pointer that was registered */
    CHECK(!anjay_notify_changed(anjay, 3333, 0, 0) && anjay_notify_changed(anjay, 3334, 0, 0));
    CHECK(!anjay_notify_instances_changed(anjay, 3333) && anjay_notify_instances_changed(anjay, 3334));
    CHECK(!anjay_unregister_object(anjay, &OBJ_PTR) && anjay_unregister_object(anjay, &OBJ_PTR));
    anjay_delete(anjay);
}

static int unregistered;

static void try_to_unregister(anjay_t *anjay) {
    unregistered = anjay_unregister_object(anjay, &OBJ_PTR);
    CHECK(!anjay_notify_changed(anjay, 3333, 0, R_TEXT)); /* this may be called */
}

static void test_unregister_inside_handler(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock);
    obj.in_read = try_to_unregister;
    CHECK_STR(ASK(anjay, &mock, GET, .path = "3333/0/0", AS_TEXT), "ACK 2.05 cf=0 \"5\"");
    CHECK(unregistered);
    obj.in_read = NULL;
    CHECK(!anjay_unregister_object(anjay, &OBJ_PTR));
    CHECK_STR(ASK(anjay, &mock, GET, .path = "3333/0/0", AS_TEXT), "ACK 4.04");
    end(anjay, &mock);
}

/* ------------------------------------------------------------------ what is called */

static void test_calls(void) {
    static const struct {
        ask_t ask;
        const char *answer, *calls;
    } CASES[] = {
        { { GET, .path = "3333/0/0", AS_TEXT }, "ACK 2.05 cf=0 \"5\"", "ILr" },
        { { GET, .path = "3333/0/4/2", AS_TEXT }, "ACK 2.05 cf=0 \"12\"", "ILMr" },
        { { GET, .path = "3333/0/9", AS_TEXT }, "ACK 4.04", "IL" },
        { { GET, .path = "3333/3/0", AS_TEXT }, "ACK 4.04", "I" },
        { { GET, .path = "3333/0/5", AS_TEXT }, "ACK 4.05", "IL" },
        { { PUT, .path = "3333/0/0", IN_TEXT, .payload = "6" }, "ACK 2.04", "IBLwVC" },
        { { PUT, .path = "3333/0/4/2", IN_TEXT, .payload = "6" }, "ACK 2.04", "IBLMwVC" },
        { { PUT, .path = "3333/0/4", IN_TLV, .payload = "\x86\x04\x41\x01\x07\x41\x02\x01", .size = 8 }, "ACK 2.04", "IBLmwwVC" },
        { { POST, .path = "3333/0", IN_TLV, .payload = "\xC1\x00\x07\xC1\x01u", .size = 6 }, "ACK 2.04", "IBLwwVC" },
        { { PUT, .path = "3333/0", IN_TLV, .payload = "\xC1\x00\x07\xC1\x01u", .size = 6 }, "ACK 2.04", "IB0LwwVC" },
        { { POST, .path = "3333/0/3" }, "ACK 2.04", "ILx" },
        { { POST, .path = "3333", IN_TLV, .payload = "\x03\x02\xC1\x00\x07", .size = 5 }, "ACK 2.01", "IB+LwVC" },
        { { DELETE, .path = "3333/2" }, "ACK 2.02", "IB-VC" },
        { { PUT, .path = "3333/0/0", .query = "pmin=1" }, "ACK 2.04", "IL" },
        { { GET, .path = "3333/0/0", AS_LINK }, "ACK 2.05 cf=40 \"</3333/0/0>;pmin=1\"", "IL" },
    };
    mock_t mock;
    anjay_t *anjay = start(&mock);
    for (size_t i = 0; i < AVS_ARRAY_SIZE(CASES); ++i) {
        send_ask(&mock, &CASES[i].ask);
        turns(anjay);
        CHECK_STR(mock_receive(&mock), CASES[i].answer);
        const char *called = calls();
        if (strcmp(called, CASES[i].calls)) {
            fprintf(stderr, "case %zu\n", i);
            CHECK_STR(called, CASES[i].calls);
        }
    }
    end(anjay, &mock);
}

/* ------------------------------------------------------------------ answers */

static void test_codes(void) {
    static const struct {
        ask_t ask;
        const char *answer;
    } CASES[] = {
        { { GET, .path = "0/0/0" }, "ACK 4.01" },
        { { PUT, .path = "0/0/0", IN_TEXT, .payload = "x" }, "ACK 4.01" },
        { { DELETE, .path = "0/0" }, "ACK 4.01" },
        { { GET, .path = "0", AS_LINK }, "ACK 4.01" },
        { { PUT, .path = "0/0/0", .query = "pmin=1" }, "ACK 4.01" },
        { { GET, .path = "" }, "ACK 4.00" },
        { { GET, .path = "3333/00" }, "ACK 4.02" },
        { { GET, .path = "3333/65535" }, "ACK 4.02" },
        { { GET, .path = "3333/0/0/0/0" }, "ACK 4.02" },
        { { GET, .path = "3333/0/-1" }, "ACK 4.02" },
        { { GET, .path = "3333/0/99999999999999999999" }, "ACK 4.02" },
        { { GET, .path = "3334" }, "ACK 4.04" },
        { { GET, .path = "3333/0/0/0" }, "ACK 4.04" },
        { { GET, .path = "3333/0/4/1" }, "ACK 4.04" },
        { { GET, .path = "3333/0/6" }, "ACK 4.04" },
        { { GET, .path = "3333/0/3" }, "ACK 4.05" },
        { { GET, .path = "3333/0", AS_TEXT }, "ACK 4.06" },
        { { GET, .path = "3333/0/0", .accept = 10000 }, "ACK 4.06" },
        { { GET, .path = "3333/0/0", .query = "x=1" }, "ACK 4.02" },
        { { PUT, .path = "3333/0/2", IN_TEXT, .payload = "x" }, "ACK 4.05" },
        { { PUT, .path = "3333/0/9", IN_TEXT, .payload = "x" }, "ACK 4.04" },
        { { PUT, .path = "3333/0/0", IN_TEXT, .payload = "x" }, "ACK 4.00" },
        { { PUT, .path = "3333/0/0", .format = 10000, .payload = "5" }, "ACK 4.15" },
        { { PUT, .path = "3333/0/4", IN_TEXT, .payload = "5" }, "ACK 4.00" },
        { { PUT, .path = "3333/0/4/3", IN_TEXT, .payload = "5" }, "ACK 4.04" },
        { { POST, .path = "3333/0/0" }, "ACK 4.05" },
        { { POST, .path = "3333/0/9" }, "ACK 4.04" },
        { { POST, .path = "3333", IN_TLV, .payload = "\x03\x00\xC1\x00\x07", .size = 5 }, "ACK 4.00" },
        { { DELETE, .path = "3333" }, "ACK 4.05" },
        { { DELETE, .path = "3333/0/0" }, "ACK 4.05" },
        { { DELETE, .path = "3333/3" }, "ACK 4.04" },
        { { DELETE, .path = "3333/0/4/1" }, "ACK 4.04" },
        { { PUT, .path = "3333/0/0", .query = "pmin=1&pmin=2" }, "ACK 4.02" },
        { { PUT, .path = "3333/0/0", .query = "pmin=-1" }, "ACK 4.02" },
        { { PUT, .path = "3333/0/0", .query = "pmin=99999999999" }, "ACK 4.02" },
        { { PUT, .path = "3333/0", .query = "gt=1" }, "ACK 4.00" },
        { { PUT, .path = "3333/0/0", .query = "lt=5&gt=5" }, "ACK 4.00" },
        { { PUT, .path = "3333/0/0", .query = "con=2" }, "ACK 4.02" },
        { { GET, .path = "3333/0", AS_LINK, .query = "depth=4" }, "ACK 4.02" },
    };
    mock_t mock;
    anjay_t *anjay = start(&mock);
    const object_state_t before = obj;
    for (size_t i = 0; i < AVS_ARRAY_SIZE(CASES); ++i) {
        send_ask(&mock, &CASES[i].ask);
        turns(anjay);
        const char *answer = mock_receive(&mock);
        if (strcmp(answer, CASES[i].answer)) {
            fprintf(stderr, "case %zu, /%s\n", i, CASES[i].ask.path);
            CHECK_STR(answer, CASES[i].answer);
        }
    }
    CHECK(!memcmp(before.now, obj.now, sizeof(obj.now)));
    CHECK_STR(ASK(anjay, &mock, GET, .path = "3333/0/0", AS_LINK), "ACK 2.05 cf=40 \"</3333/0/0>\""); /* nor an attribute */
    end(anjay, &mock);
}

/** Results of handlers that are no CoAP error, or success without a value, are 5.00. */
static void test_results_of_handlers(void) {
    static const struct {
        int result;
        const char *answer;
    } CASES[] = { { ANJAY_ERR_SERVICE_UNAVAILABLE, "ACK 5.03" }, { ANJAY_ERR_UNAUTHORIZED, "ACK 4.01" }, { -1, "ACK 5.00" },
                  { 7, "ACK 5.00" }, { INT32_MIN, "ACK 5.00" }, { -0x45, "ACK 5.00" }, { -0xC0, "ACK 5.00" } };
    mock_t mock;
    anjay_t *anjay = start(&mock);
    for (size_t i = 0; i < AVS_ARRAY_SIZE(CASES); ++i) {
        obj.read_result = CASES[i].result;
        CHECK_STR(ASK(anjay, &mock, GET, .path = "3333/0/0", AS_TEXT), CASES[i].answer);
    }
    obj.read_result = 0;
    obj.bad_order = true;
    CHECK_STR(ASK(anjay, &mock, GET, .path = "3333/0/0", AS_TEXT), "ACK 5.00");
    CHECK_STR(ASK(anjay, &mock, GET, .path = "3333", AS_LINK), "ACK 5.00");
    end(anjay, &mock);
}

static void test_no_handlers(void) {
    static const anjay_dm_object_def_t BARE = { .oid = 9000, .handlers = { .list_instances = anjay_dm_list_instances_SINGLE,
                                                                         .list_resources = obj_list_resources } };
    static const anjay_dm_object_def_t *const BARE_PTR = &BARE;
    mock_t mock;
    anjay_t *anjay = start(&mock);
    CHECK(!anjay_register_object(anjay, &BARE_PTR));
    CHECK_STR(ASK(anjay, &mock, GET, .path = "9000/0/0", AS_TEXT), "ACK 4.05");
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "9000/0/0", IN_TEXT, .payload = "1"), "ACK 4.05");
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "9000/0", IN_TLV, .payload = "\xC1\x00\x07", .size = 3), "ACK 4.05");
    CHECK_STR(ASK(anjay, &mock, POST, .path = "9000/0/3"), "ACK 4.05");
    CHECK_STR(ASK(anjay, &mock, POST, .path = "9000", IN_TLV, .payload = "\x03\x01\xC1\x00\x07", .size = 5), "ACK 4.05");
    CHECK_STR(ASK(anjay, &mock, DELETE, .path = "9000/0"), "ACK 4.05");
    end(anjay, &mock);
}

/* ------------------------------------------------------------------ Discover */

static void test_discover(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock);
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333", .query = "pmax=60"), "ACK 2.04");
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/0/4", .query = "pmin=1"), "ACK 2.04");
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/0/4/2", .query = "gt=5"), "ACK 2.04");
    CHECK_STR(ASK(anjay, &mock, GET, .path = "3333", AS_LINK, .query = "depth=1"),
              "ACK 2.05 cf=40 \"</3333>;pmax=60,</3333/0>,</3333/1>\"");
    CHECK_STR(ASK(anjay, &mock, GET, .path = "3333/0", AS_LINK),
              "ACK 2.05 cf=40 \"</3333/0>,</3333/0/0>,</3333/0/1>,</3333/0/2>,</3333/0/3>,</3333/0/4>;dim=2;pmin=1,</3333/0/5>,"
              "</3333/0/7>\"");
    CHECK_STR(ASK(anjay, &mock, GET, .path = "3333/0/4", AS_LINK),
              "ACK 2.05 cf=40 \"</3333/0/4>;dim=2;pmin=1;pmax=60,</3333/0/4/0>,</3333/0/4/2>;gt=5\"");
    CHECK_STR(ASK(anjay, &mock, GET, .path = "3333/0/6", AS_LINK), "ACK 4.04");
    end(anjay, &mock);
}

/* ------------------------------------------------------------------ all or nothing */

static void test_rollback(void) {
    static const ask_t REFUSED[] = {
        /* a good value, then one that is refused, of the wrong kind, read-only, or cut short */
        { PUT, .path = "3333/0", IN_TLV, .payload = "\xC1\x00\x07\xC1\x07\x01", .size = 6 },
        { POST, .path = "3333/0", IN_TLV, .payload = "\xC1\x00\x07\xC1\x07\x01", .size = 6 },
        { POST, .path = "3333/0", IN_TLV, .payload = "\xC1\x00\x07\xC1\x04\x01", .size = 6 },
        { POST, .path = "3333/0", IN_TLV, .payload = "\xC1\x00\x07\xC1\x02\x01", .size = 6 },
        { POST, .path = "3333/0", IN_TLV, .payload = "\xC1\x00\x07\xC1\x01", .size = 5 },
        { POST, .path = "3333/0", IN_JSON, .payload = "[{\"bn\":\"/3333/0/0\",\"v\":7},{\"bn\":\"/3333/1/0\",\"v\":7}]" },
        { PUT, .path = "3333/0/4", IN_TLV, .payload = "\x86\x04\x41\x01\x07\x41\x09\x01", .size = 8 }, /* no element 9 */
        { POST, .path = "3333", IN_TLV, .payload = "\x06\x02\xC1\x00\x07\xC1\x07\x01", .size = 8 },
        { POST, .path = "3333", IN_TLV, .payload = "\x03\x09\xC1\x00\x07", .size = 5 },
    };
    mock_t mock;
    anjay_t *anjay = start(&mock);
    obj.refusal = ANJAY_ERR_UNAUTHORIZED;
    const object_state_t before = obj;
    for (size_t i = 0; i < AVS_ARRAY_SIZE(REFUSED); ++i) {
        send_ask(&mock, &REFUSED[i]);
        turns(anjay);
        const char *answer = mock_receive(&mock), *called = calls();
        CHECK(!strncmp(answer, "ACK 4", 5));
        CHECK(!strchr(called, 'C') && (!strchr(called, 'B') || called[strlen(called) - 1] == 'R'));
        if (memcmp(before.now, obj.now, sizeof(obj.now)) || strncmp(answer, "ACK 4", 5)) {
            fprintf(stderr, "case %zu: %s, %s\n", i, answer, called);
            CHECK(!"changed");
        }
    }
    obj.validate_result = ANJAY_ERR_BAD_REQUEST;
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/0/0", IN_TEXT, .payload = "6"), "ACK 4.00");
    CHECK_STR(ASK(anjay, &mock, DELETE, .path = "3333/1"), "ACK 4.00");
    CHECK(!memcmp(before.now, obj.now, sizeof(obj.now)));
    end(anjay, &mock);
}

/** What an Instance does not know is passed over, as is what a handler says it does not know. */
static void test_unknown_resources(void) {
    static const ask_t ACCEPTED[] = {
        { POST, .path = "3333/0", IN_TLV, .payload = "\xC1\x00\x07\xC1\x63\x01", .size = 6 },
        { POST, .path = "3333/0", IN_TLV, .payload = "\xC1\x00\x07\x83\x63\x41\x00\x01", .size = 8 },
        { POST, .path = "3333/0", IN_JSON, .payload = "[{\"bn\":\"/3333/0/0\",\"v\":7},{\"bn\":\"/3333/0/99/1\",\"v\":1}]" },
        { POST, .path = "3333/0", IN_TLV, .payload = "\xC1\x00\x07\xC1\x07\x01", .size = 6 },
    };
    mock_t mock;
    anjay_t *anjay = start(&mock);
    obj.refusal = ANJAY_ERR_NOT_FOUND;
    for (size_t i = 0; i < AVS_ARRAY_SIZE(ACCEPTED); ++i) {
        obj.now[0].number = 5;
        send_ask(&mock, &ACCEPTED[i]);
        EXPECT(anjay, &mock, "ACK 2.04");
        CHECK_INT(obj.now[0].number, 7);
    }
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/0/7", IN_TEXT, .payload = "1"), "ACK 4.04"); /* but not when it is all there is */
    end(anjay, &mock);
}

static void test_multiple_write(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock);
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/0/4", IN_TLV, .payload = "\x83\x04\x41\x01\x07", .size = 5), "ACK 2.04");
    CHECK(!obj.now[0].many_present[0] && obj.now[0].many_present[1] && !obj.now[0].many_present[2]);
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/0/4/1", IN_TEXT, .payload = "8"), "ACK 2.04");
    CHECK_INT(obj.now[0].many[1], 8);
    CHECK_STR(ASK(anjay, &mock, POST, .path = "3333/0", IN_TLV, .payload = "\x83\x04\x41\x03\x09", .size = 5), "ACK 2.04");
    CHECK(obj.now[0].many_present[1] && obj.now[0].many_present[3]); /* a partial write adds */
    CHECK_STR(ASK(anjay, &mock, DELETE, .path = "3333/0/4/1"), "ACK 2.02");
    CHECK(!obj.now[0].many_present[1]);
    CHECK_INT(obj.wrong_riids, 0);
    end(anjay, &mock);
}

/** Delete of a Resource Instance: only of a Resource with Instances that servers may write, and nothing is left of it. */
static void test_delete_element(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock);
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/0/4/2", .query = "gt=5"), "ACK 2.04");
    calls();
    CHECK_STR(ASK(anjay, &mock, DELETE, .path = "3333/0/4/2"), "ACK 2.02");
    CHECK_STR(calls(), "IBLMdVC");
    CHECK(obj.now[0].many_present[0] && !obj.now[0].many_present[2]);
    CHECK_STR(ASK(anjay, &mock, DELETE, .path = "3333/0/4/2"), "ACK 4.04");
    CHECK_STR(calls(), "IBLMR");
    CHECK_STR(ASK(anjay, &mock, DELETE, .path = "3333/0/0/0"), "ACK 4.04");
    CHECK_STR(ASK(anjay, &mock, DELETE, .path = "3333/0/4"), "ACK 4.05");
    CHECK_STR(ASK(anjay, &mock, DELETE, .path = "3333/3/4/0"), "ACK 4.04");
    obj.now[0].many_present[2] = true; /* a new one has no attributes */
    CHECK_STR(ASK(anjay, &mock, GET, .path = "3333/0/4", AS_LINK), "ACK 2.05 cf=40 \"</3333/0/4>;dim=2,</3333/0/4/0>,</3333/0/4/2>\"");
    obj.validate_result = ANJAY_ERR_BAD_REQUEST;
    CHECK_STR(ASK(anjay, &mock, DELETE, .path = "3333/0/4/2"), "ACK 4.00");
    CHECK(obj.now[0].many_present[2]);
    end(anjay, &mock);
}

#define FETCH .method = AVS_COAP_CODE_FETCH
#define IPATCH .method = AVS_COAP_CODE_IPATCH
#define AS_JSON .accept = 111
#define IN_ETCH_JSON .format = 321
#define IN_ETCH_CBOR .format = 323

static void test_read_composite(void) {
    static const struct {
        ask_t ask;
        const char *answer;
    } CASES[] = {
        { { FETCH, IN_JSON, AS_JSON, .payload = "[{\"n\":\"/3333/0/0\"},{\"n\":\"/3333/1/1\"}]" },
          "ACK 2.05 cf=110 \"[{\"bn\":\"/3333\",\"n\":\"/0/0\",\"v\":5},{\"n\":\"/1/1\",\"vs\":\"t\"}]\"" },
        { { FETCH, IN_ETCH_JSON, AS_JSON, .payload = "[{\"n\":\"/3333/0/0\"}]" },
          "ACK 2.05 cf=110 \"[{\"bn\":\"/3333/0/0\",\"v\":5}]\"" },
        { { FETCH, IN_JSON, AS_JSON, .payload = "[{\"bn\":\"/3333/0/4/\",\"n\":\"2\"},{\"n\":\"0\"}]" },
          "ACK 2.05 cf=110 \"[{\"bn\":\"/3333/0/4\",\"n\":\"/2\",\"v\":12},{\"n\":\"/0\",\"v\":10}]\"" },
        /* what is not there, cannot be read or is nobody's business is left out */
        { { FETCH, IN_JSON, AS_JSON,
            .payload = "[{\"n\":\"/3333/0/99\"},{\"n\":\"/3333/0/3\"},{\"n\":\"/0/0/0\"},{\"n\":\"/44\"},{\"n\":\"/3333/0/0\"}]" },
          "ACK 2.05 cf=110 \"[{\"n\":\"/3333/0/0\",\"v\":5}]\"" },
        { { FETCH, IN_JSON, AS_JSON, .payload = "[]" }, "ACK 2.05 cf=110 \"[]\"" },
        { { FETCH, IN_JSON, .payload = "[]" }, "ACK 2.05 cf=112 \"\x80\"" },
        { { FETCH, IN_JSON, .accept = 1, .payload = "[]" }, "ACK 4.06" },
        { { FETCH, IN_JSON, .accept = 321, .payload = "[]" }, "ACK 4.06" },
        { { FETCH, IN_TLV, AS_JSON, .payload = "\xC1\x00\x07", .size = 3 }, "ACK 4.15" },
        { { FETCH, AS_JSON }, "ACK 4.15" },
        { { FETCH, IN_JSON, AS_JSON }, "ACK 4.00" },
        { { FETCH, IN_JSON, AS_JSON, .payload = "[{}]" }, "ACK 4.00" },
        { { FETCH, IN_JSON, AS_JSON, .payload = "[{\"n\":\"/3333/0/0\"},{\"n\":\"/3333/0/1\",\"vs\":\"x\"}]" }, "ACK 4.00" },
        { { FETCH, .path = "3333/0", IN_JSON, AS_JSON, .payload = "[]" }, "ACK 4.02" },
        { { FETCH, .path = "x", IN_JSON, AS_JSON, .payload = "[]" }, "ACK 4.02" },
    };
    mock_t mock;
    anjay_t *anjay = start(&mock);
    for (size_t i = 0; i < AVS_ARRAY_SIZE(CASES); ++i) {
        send_ask(&mock, &CASES[i].ask);
        EXPECT(anjay, &mock, CASES[i].answer);
    }
    obj.read_result = ANJAY_ERR_SERVICE_UNAVAILABLE;
    CHECK_STR(ASK(anjay, &mock, FETCH, IN_JSON, AS_JSON, .payload = "[{\"n\":\"/3333/0/0\"}]"), "ACK 5.03");
    CHECK_STR(ASK(anjay, &mock, FETCH, IN_JSON, AS_JSON, .payload = "[{\"n\":\"/\"}]"),
              "ACK 2.05 cf=110 \"[{\"n\":\"/1/0/0\",\"v\":1},{\"n\":\"/1/0/1\",\"v\":60},{\"n\":\"/1/0/6\",\"vb\":false},"
              "{\"n\":\"/1/0/7\",\"vs\":\"U\"},{\"n\":\"/1/0/14\",\"v\":0},{\"n\":\"/1/0/16\",\"vb\":true},"
              "{\"n\":\"/1/0/17\",\"v\":5},{\"n\":\"/1/0/18\",\"v\":60},{\"n\":\"/1/0/19\",\"v\":86400},"
              "{\"n\":\"/1/0/20\",\"v\":1},{\"n\":\"/1/0/23\",\"vb\":false}]\"");
    end(anjay, &mock);
}

/** Records without value, or with null, remove Resource Instances; all or nothing. */
static void test_write_composite(void) {
    static const struct {
        ask_t ask;
        const char *answer;
        bool many[ELEMENTS];
    } CASES[] = {
        { { IPATCH, IN_JSON, .payload = "[{\"n\":\"/3333/0/4/1\",\"v\":1},{\"n\":\"/3333/0/4/0\"}]" }, "ACK 2.04", { 0, 1, 1, 0 } },
        { { IPATCH, IN_ETCH_JSON, .payload = "[{\"n\":\"/3333/0/4/1\",\"v\":null}]" }, "ACK 2.04", { 0, 0, 1, 0 } },
        { { IPATCH, IN_ETCH_JSON, .payload = "[{\"n\":\"/3333/0/4/1\"}]" }, "ACK 2.04", { 0, 0, 1, 0 } },
        { { IPATCH, IN_ETCH_CBOR, .payload = "\x81\xA2\x00\x6B/3333/0/4/2\x02\xF6", .size = 17 }, "ACK 2.04", { 0, 0, 0, 0 } },
        { { IPATCH, IN_ETCH_JSON, .payload = "[{\"n\":\"/3333/0/4/0\",\"v\":1},{\"n\":\"/3333/0/4/3\",\"v\":2}]" }, "ACK 2.04",
          { 1, 0, 0, 1 } },
        { { IPATCH, IN_ETCH_JSON, .payload = "[{\"n\":\"/3333/0/4/0\"},{\"n\":\"/3333/0/7\",\"v\":2}]" }, "ACK 4.01",
          { 1, 0, 0, 1 } },
        { { IPATCH, IN_ETCH_JSON, .payload = "[{\"n\":\"/3333/0/4/0\",\"vs\":null}]" }, "ACK 4.00", { 1, 0, 0, 1 } },
        { { IPATCH, IN_ETCH_JSON, .payload = "[{\"n\":\"/3333/0/4\"}]" }, "ACK 4.00", { 1, 0, 0, 1 } },
        { { IPATCH, IN_ETCH_JSON, .payload = "[{\"n\":\"/3333/0/0\"}]" }, "ACK 4.00", { 1, 0, 0, 1 } },
        { { IPATCH, IN_ETCH_JSON, .payload = "[{\"n\":\"/3333/0/0/0\"}]" }, "ACK 4.00", { 1, 0, 0, 1 } },
        { { IPATCH, IN_ETCH_JSON, .payload = "[{\"n\":\"/3333/0\"}]" }, "ACK 4.00", { 1, 0, 0, 1 } },
        { { IPATCH, IN_ETCH_JSON, .payload = "[{\"n\":\"/3333/0/99/0\"}]" }, "ACK 4.04", { 1, 0, 0, 1 } },
        { { IPATCH, IN_ETCH_JSON, .payload = "[{\"n\":\"/0/0/0\",\"vs\":\"x\"}]" }, "ACK 4.05", { 1, 0, 0, 1 } },
        { { IPATCH, .path = "3333", IN_JSON, .payload = "[]" }, "ACK 4.02", { 1, 0, 0, 1 } },
        /* outside of a composite operation there is no such thing as null, and no SenML-ETCH */
        { { PUT, .path = "3333/0/0", IN_JSON, .payload = "[{\"n\":\"/3333/0/0\",\"v\":null}]" }, "ACK 4.00", { 1, 0, 0, 1 } },
        { { PUT, .path = "3333/0/0", IN_ETCH_JSON, .payload = "[{\"n\":\"/3333/0/0\",\"v\":1}]" }, "ACK 4.15", { 1, 0, 0, 1 } },
    };
    mock_t mock;
    anjay_t *anjay = start(&mock);
    obj.refusal = ANJAY_ERR_UNAUTHORIZED;
    for (size_t i = 0; i < AVS_ARRAY_SIZE(CASES); ++i) {
        send_ask(&mock, &CASES[i].ask);
        EXPECT(anjay, &mock, CASES[i].answer);
        CHECK(!memcmp(obj.now[0].many_present, CASES[i].many, sizeof(CASES[i].many)));
    }
    CHECK_INT(obj.now[0].many[0], 1);
    CHECK_INT(obj.now[0].number, 5);
    end(anjay, &mock);
}

/** A refused Write of the lifetime brings no Update, also while a change of the program's waits. */
static void test_refused_lifetime(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock);
    CHECK(!anjay_notify_changed(anjay, 3333, 0, R_TEXT));
    send_ask(&mock, &(const ask_t) { POST, .path = "1/0", IN_TLV, .payload = "\xC1\x01\x63\xC1\x00\x05", .size = 6 });
    serve_only(anjay);
    EXPECT(anjay, &mock, "ACK 4.05");
    EXPECT(anjay, &mock, "nothing");
    end(anjay, &mock);
}

/* ------------------------------------------------------------------ attributes */

/** They go with their Instance, whoever removes it. */
static void test_attributes_of_removed_instances(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock);
    for (int by_server = 0; by_server < 2; ++by_server) {
        CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/1/0", .query = "pmin=7"), "ACK 2.04");
        CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/0/0", .query = "pmin=8"), "ACK 2.04");
        if (by_server) {
            CHECK_STR(ASK(anjay, &mock, DELETE, .path = "3333/1"), "ACK 2.02");
        } else {
            obj.now[1].present = false;
            CHECK(!anjay_notify_instances_changed(anjay, 3333));
            turns(anjay);
        }
        obj.now[1].present = true;
        CHECK(!anjay_notify_instances_changed(anjay, 3333));
        turns(anjay);
        CHECK_STR(ASK(anjay, &mock, GET, .path = "3333/1/0", AS_LINK), "ACK 2.05 cf=40 \"</3333/1/0>\"");
        CHECK_STR(ASK(anjay, &mock, GET, .path = "3333/0/0", AS_LINK), "ACK 2.05 cf=40 \"</3333/0/0>;pmin=8\"");
    }
    end(anjay, &mock);
}

static void test_attributes_removed(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock);
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/0/0", .query = "pmin=7&st=2&con=1"), "ACK 2.04");
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/0/0", .query = "pmin=8&foo=1"), "ACK 4.02"); /* all or nothing */
    CHECK_STR(ASK(anjay, &mock, GET, .path = "3333/0/0", AS_LINK), "ACK 2.05 cf=40 \"</3333/0/0>;pmin=7;con=1;st=2\"");
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/0/0", .query = "pmin&con"), "ACK 2.04");
    CHECK_STR(ASK(anjay, &mock, GET, .path = "3333/0/0", AS_LINK), "ACK 2.05 cf=40 \"</3333/0/0>;st=2\"");
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/0/0", .query = "st"), "ACK 2.04");
    CHECK_STR(ASK(anjay, &mock, GET, .path = "3333/0/0", AS_LINK), "ACK 2.05 cf=40 \"</3333/0/0>\"");
    end(anjay, &mock);
}

/* ------------------------------------------------------------------ memory */

static long allocations_left, allocations;

static bool fail_later(void) {
    ++allocations;
    return allocations_left >= 0 && allocations_left-- == 0;
}

/** A warm Read allocates nothing. */
static void test_warm_read(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock);
    for (int i = 0; i < 3; ++i) {
        allocations_left = -1;
        allocations = 0;
        send_ask(&mock, &(const ask_t) { GET, .path = "3333/0/0", AS_TEXT });
        AVS_LIST(avs_net_socket_t *const) sockets = anjay_get_sockets(anjay);
        struct pollfd pollfd = { .fd = *(const int *) avs_net_socket_get_system(*sockets), .events = POLLIN };
        CHECK(poll(&pollfd, 1, 1000) == 1);
        avs_alloc_set_hook(fail_later);
        CHECK(!anjay_serve(anjay, *sockets));
        avs_alloc_set_hook(NULL);
        CHECK_STR(mock_receive(&mock), "ACK 2.05 cf=0 \"5\"");
    }
    CHECK_INT(allocations, 0);
    end(anjay, &mock);
}

/** Whichever allocation fails: the client answers or is silent, changes all or nothing, and leaks nothing. */
static void test_out_of_memory(void) {
    static const ask_t ASKS[] = {
        { GET, .path = "3333", .accept = 111 },
        { GET, .path = "3333", AS_LINK },
        { PUT, .path = "3333/0", IN_TLV, .payload = "\xC1\x00\x07\xC1\x01u", .size = 6 },
        { POST, .path = "3333", IN_TLV, .payload = "\x03\x02\xC1\x00\x07", .size = 5 },
        { PUT, .path = "3333/0/0", .query = "pmin=1" },
        { GET, .path = "3333/0/0", AS_TEXT, .observe = 1, .token = 0xA1 },
        { DELETE, .path = "3333/1" },
    };
    for (size_t i = 0; i < AVS_ARRAY_SIZE(ASKS); ++i) {
        bool all_done = false;
        for (long n = 0; n < 60 && !all_done; ++n) {
            mock_t mock;
            anjay_t *anjay = start(&mock);
            const object_state_t before = obj;
            allocations_left = n;
            avs_alloc_set_hook(fail_later);
            send_ask(&mock, &ASKS[i]);
            turns(anjay);
            all_done = allocations_left >= 0;
            allocations_left = -1;
            avs_alloc_set_hook(NULL);
            const char *answer = mock_receive(&mock);
            if (strncmp(answer, "ACK 2", 5)) {
                CHECK(!strncmp(answer, "ACK 5", 5) || !strcmp(answer, "nothing"));
                CHECK(strcmp(answer, "nothing") == 0 || !memcmp(before.now, obj.now, sizeof(obj.now)));
            }
            CHECK(!strchr(calls(), 'B') || anjay_unregister_object(anjay, &OBJ_PTR) == 0); /* no transaction is left open */
            end(anjay, &mock);
        }
        CHECK(all_done);
    }
}

int main(void) {
    avs_log_set_default_level(AVS_LOG_QUIET);
    RUN(test_registry);
    RUN(test_unregister_inside_handler);
    RUN(test_calls);
    RUN(test_codes);
    RUN(test_results_of_handlers);
    RUN(test_no_handlers);
    RUN(test_discover);
    RUN(test_rollback);
    RUN(test_unknown_resources);
    RUN(test_multiple_write);
    RUN(test_delete_element);
    RUN(test_read_composite);
    RUN(test_write_composite);
    RUN(test_refused_lifetime);
    RUN(test_attributes_of_removed_instances);
    RUN(test_attributes_removed);
    RUN(test_warm_read);
    RUN(test_out_of_memory);
    return TEST_END();
}
