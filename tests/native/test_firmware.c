/* SPDX-License-Identifier: Apache-2.0 */
/** Firmware Update /5: states and results for everything that handlers and servers do; packages in pieces of any format; arguments of Execute. */
#include "dm_object.h"

#include "../../vendor/anjay/src/io/io.h"

#include <anjay/fw_update.h>

/* ------------------------------------------------------------------ handlers */

static struct {
    char calls[256];
    char stored[256];
    size_t size;
    int open_result, write_result, finish_result, upgrade_result;
    anjay_fw_update_result_t set_in_upgrade; /**< set by perform_upgrade, or 0 */
    anjay_fw_update_result_t set_in_write;
    anjay_t *anjay;
} fw;

static void note_fw(const char *what) {
    strncat(fw.calls, what, sizeof(fw.calls) - strlen(fw.calls) - 1);
}

static const char *fw_calls(void) {
    static char copy[sizeof(fw.calls)];
    strcpy(copy, fw.calls);
    fw.calls[0] = '\0';
    return copy;
}

static int fw_open(void *user, const char *uri, const struct anjay_etag *etag) {
    note_fw("o");
    fw.size = 0;
    CHECK(!uri && !etag);
    return fw.open_result;
}

static int fw_write(void *user, const void *data, size_t size) {
    note_fw("w");
    if (size <= sizeof(fw.stored) - fw.size) {
        memcpy(fw.stored + fw.size, data, size);
        fw.size += size;
    }
    if (fw.set_in_write) {
        CHECK(!anjay_fw_update_set_result(fw.anjay, fw.set_in_write));
    }
    return fw.write_result;
}

static int fw_finish(void *user) {
    note_fw("f");
    return fw.finish_result;
}

static void fw_reset(void *user) {
    note_fw("r");
    fw.size = 0;
}

static const char *fw_name(void *user) {
    return "name";
}

static int fw_upgrade(void *user) {
    note_fw("u");
    return fw.set_in_upgrade ? anjay_fw_update_set_result(fw.anjay, fw.set_in_upgrade) : fw.upgrade_result;
}

static const anjay_fw_update_handlers_t HANDLERS = { .stream_open = fw_open,
                                                     .stream_write = fw_write,
                                                     .stream_finish = fw_finish,
                                                     .reset = fw_reset,
                                                     .get_name = fw_name,
                                                     .perform_upgrade = fw_upgrade };

static anjay_t *begin(mock_t *mock, anjay_fw_update_initial_result_t result) {
    const anjay_fw_update_initial_state_t initial = { .result = result, .persisted_uri = "coap://a/b" };
    anjay_t *anjay = registered_client(mock, NULL);
    memset(&fw, 0, sizeof(fw));
    fw.anjay = anjay;
    CHECK(!anjay_fw_update_install(anjay, &HANDLERS, NULL, &initial));
    CHECK(anjay_fw_update_install(anjay, &HANDLERS, NULL, &initial)); /* once only */
    turns(anjay);
    return anjay;
}

static void end(anjay_t *anjay, mock_t *mock) {
    end_client(anjay);
    mock_close(mock);
}

static int number_at(anjay_t *anjay, mock_t *mock, const char *path) {
    const char *text = ASK(anjay, mock, GET, .path = path, AS_TEXT);
    const bool content = !strncmp(text, "ACK 2.05 cf=0 \"", 15);
    CHECK(content);
    return content ? atoi(text + 15) : -1;
}

#define STATE(State, Result)                                   \
    do {                                                       \
        CHECK_INT(number_at(anjay, &mock, "5/0/3"), (State));  \
        CHECK_INT(number_at(anjay, &mock, "5/0/5"), (Result)); \
    } while (0)

#define PUSH(Text) ASK(anjay, &mock, PUT, .path = "5/0/0", .format = 43, .payload = (Text), .size = sizeof(Text) - 1)
#define EXECUTE(Path) ASK(anjay, &mock, POST, .path = (Path))

enum { IDLE, DOWNLOADING, DOWNLOADED, UPDATING };

/** A block of 16 bytes. */
static const char *piece(anjay_t *anjay, mock_t *mock, uint32_t num, bool more) {
    uint8_t data[256];
    coap_writer_t w;
    const coap_token_t token = { 1, { 0x50 } };
    const coap_block_t block = { num, more, 0 };
    coap_writer_start(&w, data, sizeof(data), COAP_CON, AVS_COAP_CODE_PUT, ++mock->next_mid, &token);
    add_segments(&w, COAP_OPT_URI_PATH, "5/0/0");
    coap_writer_option_uint(&w, COAP_OPT_CONTENT_FORMAT, 42);
    coap_writer_option_block(&w, COAP_OPT_BLOCK1, &block);
    coap_writer_payload(&w, "0123456789abcdef", more ? 16 : 7);
    mock_send(mock, &w);
    turns(anjay);
    return mock_receive(mock);
}

/* ------------------------------------------------------------------ tests of /5 */

static void test_update(void) {
    mock_t mock;
    anjay_t *anjay = begin(&mock, ANJAY_FW_UPDATE_INITIAL_NEUTRAL);
    STATE(IDLE, 0);
    CHECK_STR(EXECUTE("5/0/2"), "ACK 4.05");
    CHECK_STR(EXECUTE("5/0/10"), "ACK 4.05");
    CHECK_STR(PUSH("image"), "ACK 2.04");
    CHECK_STR(fw_calls(), "owf");
    CHECK(fw.size == 5 && !memcmp(fw.stored, "image", 5));
    STATE(DOWNLOADED, 0);
    CHECK_STR(ASK(anjay, &mock, GET, .path = "5/0/6", AS_TEXT), "ACK 2.05 cf=0 \"name\"");
    CHECK_STR(ASK(anjay, &mock, GET, .path = "5/0/7", AS_TEXT), "ACK 4.04");
    CHECK_STR(PUSH("other"), "ACK 4.00"); /* nothing but a NUL is allowed now */
    STATE(DOWNLOADED, 0);
    fw.set_in_upgrade = ANJAY_FW_UPDATE_RESULT_SUCCESS;
    CHECK_STR(EXECUTE("5/0/2"), "ACK 2.04");
    turns(anjay);
    CHECK_STR(fw_calls(), "ur");
    STATE(IDLE, 1);
    end(anjay, &mock);
}

static void test_failures(void) {
    static const struct {
        int open, write, finish, upgrade;
        const char *answer, *calls;
        int state, result;
    } CASES[] = {
        { -1, 0, 0, 0, "ACK 5.00", "o", IDLE, 0 },
        { 0, -1, 0, 0, "ACK 5.00", "owr", IDLE, 2 },
        { 0, ANJAY_FW_UPDATE_ERR_OUT_OF_MEMORY, 0, 0, "ACK 5.00", "owr", IDLE, 3 },
        { 0, 0, ANJAY_FW_UPDATE_ERR_INTEGRITY_FAILURE, 0, "ACK 2.04", "owf", IDLE, 5 },
        { 0, 0, ANJAY_FW_UPDATE_ERR_UNSUPPORTED_PACKAGE_TYPE, 0, "ACK 2.04", "owf", IDLE, 6 },
        { 0, 0, -1, 0, "ACK 2.04", "owf", IDLE, 2 },
        { 0, 0, 0, -1, "ACK 2.04", "owfu", DOWNLOADED, 8 },
        { 0, 0, 0, ANJAY_FW_UPDATE_ERR_INTEGRITY_FAILURE, "ACK 2.04", "owfu", DOWNLOADED, 5 },
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); ++i) {
        mock_t mock;
        anjay_t *anjay = begin(&mock, ANJAY_FW_UPDATE_INITIAL_NEUTRAL);
        fw.open_result = CASES[i].open;
        fw.write_result = CASES[i].write;
        fw.finish_result = CASES[i].finish;
        fw.upgrade_result = CASES[i].upgrade;
        CHECK_STR(PUSH("image"), CASES[i].answer);
        if (CASES[i].upgrade) {
            CHECK_STR(EXECUTE("5/0/2"), "ACK 2.04");
            turns(anjay);
        }
        CHECK_STR(fw_calls(), CASES[i].calls);
        STATE(CASES[i].state, CASES[i].result);
        end(anjay, &mock);
    }
}

static void test_resets(void) {
    mock_t mock;
    anjay_t *anjay = begin(&mock, ANJAY_FW_UPDATE_INITIAL_NEUTRAL);
    CHECK_STR(PUSH("image"), "ACK 2.04");
    CHECK_STR(PUSH("\0"), "ACK 2.04");
    CHECK_STR(fw_calls(), "owfr");
    STATE(IDLE, 0);
    CHECK_STR(PUSH("image"), "ACK 2.04");
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "5/0/1", IN_TEXT, .payload = ""), "ACK 2.04");
    STATE(IDLE, 0);
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "5/0/1", IN_TEXT, .payload = "ftp://x"), "ACK 4.00");
    STATE(IDLE, 9);
    CHECK_STR(PUSH("image"), "ACK 2.04");
    CHECK_STR(EXECUTE("5/0/10"), "ACK 2.04");
    STATE(IDLE, 10);
    end(anjay, &mock);
}

/** Between blocks: cancelled, told by the program, left alone. */
static void test_ends_of_pushes(void) {
    mock_t mock;
    anjay_t *anjay = begin(&mock, ANJAY_FW_UPDATE_INITIAL_NEUTRAL);
    CHECK(avs_is_ok(anjay_update_coap_exchange_timeout(anjay, ANJAY_TRANSPORT_SET_UDP, avs_time_duration_from_scalar(10, AVS_TIME_S))));
    CHECK_STR(piece(anjay, &mock, 0, true), "ACK 2.31 block1=0/1/16");
    STATE(DOWNLOADING, 0);
    CHECK_STR(EXECUTE("5/0/10"), "ACK 2.04");
    CHECK(!strncmp(piece(anjay, &mock, 1, true), "ACK 4.08", 8));
    STATE(IDLE, 10);
    CHECK_STR(piece(anjay, &mock, 0, true), "ACK 2.31 block1=0/1/16");
    pass(anjay, 11); /* the transfer times out */
    STATE(IDLE, 4);
    fw.set_in_write = ANJAY_FW_UPDATE_RESULT_NOT_ENOUGH_SPACE;
    CHECK(!strncmp(piece(anjay, &mock, 0, true), "ACK 4.08", 8));
    STATE(IDLE, 2);
    fw_calls();
    end(anjay, &mock);
}

static void test_other_formats(void) {
    mock_t mock;
    anjay_t *anjay = begin(&mock, ANJAY_FW_UPDATE_INITIAL_NEUTRAL);
    static const ask_t PUSHES[] = {
        { PUT, "5/0/0", IN_TEXT, .payload = "aW1hZ2U=" },
        { PUT, "5/0/0", .format = 61, .payload = "\x5f\x42im\x43" "age\xff", .size = 9 },
        { PUT, "5/0/0", IN_TLV, .payload = "\xc5\x00image", .size = 7 },
        { PUT, "5/0/0", IN_JSON, .payload = "[{\"n\":\"/5/0/0\",\"vd\":\"aW1hZ2U\"}]" },
    };
    for (size_t i = 0; i < sizeof(PUSHES) / sizeof(*PUSHES); ++i) {
        send_ask(&mock, &PUSHES[i]);
        turns(anjay);
        CHECK_STR(mock_receive(&mock), "ACK 2.04");
        CHECK(fw.size == 5 && !memcmp(fw.stored, "image", 5));
        STATE(DOWNLOADED, 0);
        CHECK_STR(PUSH("\0"), "ACK 2.04");
    }
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "5/0/0", IN_TEXT, .payload = "no base64!"), "ACK 4.00");
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "5/0/3", IN_TEXT, .payload = "1"), "ACK 4.05");
    CHECK_STR(ASK(anjay, &mock, GET, .path = "5/0/0", AS_TEXT), "ACK 4.05");
    end(anjay, &mock);
}

static void test_initial_states(void) {
    static const struct {
        anjay_fw_update_initial_result_t initial;
        int state, result;
        const char *calls;
    } CASES[] = {
        { ANJAY_FW_UPDATE_INITIAL_UPDATING, UPDATING, 0, "" },      { ANJAY_FW_UPDATE_INITIAL_DOWNLOADED, DOWNLOADED, 0, "" },
        { ANJAY_FW_UPDATE_INITIAL_DOWNLOADING, IDLE, 0, "r" },      { ANJAY_FW_UPDATE_INITIAL_SUCCESS, IDLE, 1, "" },
        { ANJAY_FW_UPDATE_INITIAL_INTEGRITY_FAILURE, IDLE, 5, "" }, { ANJAY_FW_UPDATE_INITIAL_FAILED, IDLE, 8, "" },
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); ++i) {
        mock_t mock;
        anjay_t *anjay = begin(&mock, CASES[i].initial);
        CHECK_STR(fw_calls(), CASES[i].calls);
        STATE(CASES[i].state, CASES[i].result);
        if (CASES[i].state == UPDATING) {
            CHECK_STR(PUSH("x"), "ACK 4.05");
            CHECK_STR(ASK(anjay, &mock, PUT, .path = "5/0/1", IN_TEXT, .payload = ""), "ACK 4.05");
        }
        CHECK(anjay_fw_update_set_result(anjay, ANJAY_FW_UPDATE_RESULT_INITIAL));
        CHECK_INT(anjay_fw_update_set_result(anjay, ANJAY_FW_UPDATE_RESULT_FAILED), CASES[i].state == IDLE ? -1 : 0);
        end(anjay, &mock);
    }
    CHECK(anjay_fw_update_set_result(NULL, ANJAY_FW_UPDATE_RESULT_FAILED));
}

/* ------------------------------------------------------------------ a package in pieces, arguments */

static char sunk[256];
static size_t sunk_size;

static int sink(void *unused, const uint8_t *data, size_t size) {
    memcpy(sunk + sunk_size, data, size);
    sunk_size += size;
    return 0;
}

static void test_opaque_stream(void) {
    static const struct {
        uint16_t format;
        size_t size;
        const char *bytes;
        const char *out; /**< NULL: malformed */
    } CASES[] = {
        { 42, 5, "image", "image" },
        { 42, 0, "", "" },
        { 0, 8, "aW1hZ2U=", "image" },
        { 0, 4, "QUJD", "ABC" },
        { 0, 4, "QQ==", "A" },
        { 0, 3, "QUJ", NULL },
        { 0, 5, "Q=UJD", NULL },
        { 0, 9, "aW1hZ2U=A", NULL },
        { 0, 4, "a!==", NULL },
        { 60, 6, "\x45image", "image" },
        { 60, 7, "\x58\x05image", "image" },
        { 60, 8, "\x59\0\x05image", "image" },
        { 60, 10, "\x5a\0\0\0\x05image", "image" },
        { 60, 14, "\x5b\0\0\0\0\0\0\0\x05image", "image" },
        { 60, 9, "\x5f\x42im\x43" "age\xff", "image" },
        { 60, 8, "\x5f\x42im\x43" "age", NULL },
        { 60, 7, "\x45image!", NULL },
        { 60, 5, "\x65text", NULL },
        { 60, 2, "\x5f\x01", NULL },
        { 11542, 7, "\xc5\x00image", "image" },
        { 11542, 8, "\xc8\x00\x05image", "image" },
        { 11542, 10, "\xf0\x00\x00\x00\x05image", "image" },
        { 11542, 10, "\xd8\x00\x00\x00\x05image", "image" },
        { 11542, 7, "\xc5\x01image", NULL },
        { 11542, 6, "\xc5\x00imag", NULL },
        { 11542, 7, "\x05\x00image", NULL },
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); ++i) {
        for (size_t step = 1; step < 12; ++step) {
            anjay_opaque_stream_t stream;
            int result = 0;
            size_t at = 0;
            sunk_size = 0;
            anjay_opaque_stream_start(&stream, CASES[i].format, 0);
            do {
                const size_t part = step < CASES[i].size - at ? step : CASES[i].size - at;
                result = anjay_opaque_stream_feed(&stream, (const uint8_t *) CASES[i].bytes + at, part, at + part == CASES[i].size,
                                                  sink, NULL);
                at += part;
            } while (!result && at < CASES[i].size);
            CHECK_INT(result, CASES[i].out ? 0 : ANJAY_ERR_BAD_REQUEST);
            CHECK(!CASES[i].out || (sunk_size == strlen(CASES[i].out) && !memcmp(sunk, CASES[i].out, sunk_size)));
            if (checks_failed) {
                fprintf(stderr, "  case %zu, pieces of %zu\n", i, step);
                return;
            }
        }
    }
    CHECK(anjay_opaque_stream_supported(42) && !anjay_opaque_stream_supported(110));
}

static void test_arguments(void) {
    static const struct {
        const char *text, *expected;
    } CASES[] = { { "", "end" },          { "0", "0 end" },        { "0,1,9", "0 1 9 end" }, { "2='10.3'", "2=10.3 end" },
                  { "7=''", "7= end" },   { "0='a b'", "bad" },    { "0='a", "bad" },        { "0=a", "bad" },
                  { "10", "bad" },        { "0,", "0 bad" },       { ",", "bad" },           { "x", "bad" },
                  { "0='\\'", "bad" },    { "1='0123456789'", "1=0123456789 end" } };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); ++i) {
        anjay_execute_ctx_t ctx;
        char out[64] = "";
        int arg, result;
        bool has_value;
        CHECK(!anjay_execute_start(&ctx, (const uint8_t *) CASES[i].text, strlen(CASES[i].text)));
        while (!(result = anjay_execute_get_next_arg(&ctx, &arg, &has_value))) {
            char value[4];
            size_t size;
            int more = ANJAY_BUFFER_TOO_SHORT;
            sprintf(out + strlen(out), "%d%s", arg, has_value ? "=" : "");
            while (has_value && more == ANJAY_BUFFER_TOO_SHORT) {
                more = anjay_execute_get_arg_value(&ctx, &size, value, sizeof(value));
                CHECK(more >= 0 && size == strlen(value));
                strcat(out, value);
            }
            strcat(out, " ");
        }
        strcat(out, result == ANJAY_EXECUTE_GET_ARG_END ? "end" : result == ANJAY_ERR_BAD_REQUEST ? "bad" : "?");
        CHECK_STR(out, CASES[i].expected);
        CHECK_INT(anjay_execute_get_next_arg(&ctx, &arg, &has_value), result); /* the end stays the end */
        CHECK_INT(anjay_execute_get_arg_value(&ctx, NULL, out, sizeof(out)), -1);
    }
}

int main(void) {
    avs_log_set_default_level(AVS_LOG_QUIET);
    RUN(test_update);
    RUN(test_failures);
    RUN(test_resets);
    RUN(test_ends_of_pushes);
    RUN(test_other_formats);
    RUN(test_initial_states);
    RUN(test_opaque_stream);
    RUN(test_arguments);
    return TEST_END();
}
