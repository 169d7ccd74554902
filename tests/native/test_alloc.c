/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Every allocation made to fail in turn, once and from then on. A call says so or succeeds; a request is answered, or its answer is lost like a
 * datagram; a refused one changes nothing; with memory back, the client works; and nothing is left at the end (LeakSanitizer).
 */
#include "dm_object.h"

#include "../../vendor/avs_commons/src/base/alloc_hook.h"

#include <anjay/fw_update.h>

static long allocations, fail_from, fail_count;

static bool hook(void) {
    ++allocations;
    return allocations >= fail_from && allocations < fail_from + fail_count;
}

static void fail(long from, long count) {
    allocations = 0;
    fail_from = from;
    fail_count = count;
    avs_alloc_set_hook(hook);
}

/** @returns whether any allocation was made to fail. */
static bool failed(void) {
    avs_alloc_set_hook(NULL);
    return allocations >= fail_from;
}

/* ------------------------------------------------------------------ firmware */

static int fw_open(void *user, const char *uri, const struct anjay_etag *etag) {
    return 0;
}

static int fw_write(void *user, const void *data, size_t size) {
    return 0;
}

static int fw_finish(void *user) {
    return 0;
}

static void fw_reset(void *user) {
}

static const anjay_fw_update_handlers_t FIRMWARE = { .stream_open = fw_open,
                                                     .stream_write = fw_write,
                                                     .stream_finish = fw_finish,
                                                     .reset = fw_reset,
                                                     .perform_upgrade = fw_finish };

/* ------------------------------------------------------------------ making a client */

/** @returns 0, or the number of the step that failed. */
static int build(anjay_t **out) {
    const anjay_configuration_t config = { .endpoint_name = "x",
                                           .in_buffer_size = 2000,
                                           .out_buffer_size = 2000,
                                           .msg_cache_size = 2000 };
    const anjay_security_instance_t security = { .ssid = 1,
                                                 .server_uri = "coaps://127.0.0.1:9",
                                                 .security_mode = ANJAY_SECURITY_PSK,
                                                 .public_cert_or_psk_identity = (const uint8_t *) "identity",
                                                 .public_cert_or_psk_identity_size = 8,
                                                 .private_cert_or_psk_key = (const uint8_t *) "key12345",
                                                 .private_cert_or_psk_key_size = 8 };
    const anjay_server_instance_t server = { .ssid = 1, .lifetime = 60, .binding = "U" };
    const anjay_fw_update_initial_state_t initial = { .result = ANJAY_FW_UPDATE_INITIAL_DOWNLOADED, .persisted_uri = "coap://a/b" };
    anjay_iid_t iid = ANJAY_ID_INVALID;
    if (!(*out = anjay_new(&config))) {
        return 1;
    }
    if (anjay_security_object_install(*out)) {
        return 2;
    }
    if (anjay_server_object_install(*out)) {
        return 3;
    }
    if (anjay_security_object_add_instance(*out, &security, &iid)) {
        return 4;
    }
    iid = ANJAY_ID_INVALID;
    if (anjay_server_object_add_instance(*out, &server, &iid)) {
        return 5;
    }
    if (anjay_fw_update_install(*out, &FIRMWARE, NULL, &initial)) {
        return 6;
    }
    return anjay_register_object(*out, &OBJ_PTR) ? 7 : 0;
}

static void test_making(void) {
    for (long count = 1; count < 1000000; count += 999998) {
        int last_step = 0;
        for (long n = 1; n < 500; ++n) {
            anjay_t *anjay = NULL;
            fail(n, count);
            const int step = build(&anjay);
            CHECK(step || count == 1 || allocations < fail_from);
            for (int i = 0; anjay && i < 3; ++i) {
                anjay_sched_run(anjay);
            }
            const bool any = failed();
            CHECK(!step || step >= last_step || count == 1);
            last_step = step ? step : last_step;
            anjay_delete(anjay);
            if (!any) {
                CHECK(!step);
                CHECK(n > 15);
                break;
            }
        }
        CHECK(last_step == 7 || count == 1);
    }
}

/* ------------------------------------------------------------------ a client at work */

#define IN_CBOR .format = 61
#define IN_OPAQUE .format = 43
#define IN_SENML_CBOR .format = 113
#define FETCH .method = AVS_COAP_CODE_FETCH
#define IPATCH .method = AVS_COAP_CODE_IPATCH

static const ask_t REQUESTS[] = {
    { GET, "3333/0/0", AS_TEXT },
    { GET, "3333/0/1", .accept = 61 },
    { GET, "3333/0/1", .accept = 43 },
    { GET, "3333/0/4", .accept = 111 },
    { GET, "3333/0/4/2", AS_TEXT },
    { GET, "3333/0", .accept = 11543 },
    { GET, "3333/0", .accept = 111 },
    { GET, "3333/0", .accept = 113 },
    { GET, "3333", .accept = 11543 },
    { GET, "1/0", .accept = 11543 },
    { GET, "0/0", .accept = 11543 },
    { GET, "5/0", .accept = 111 },
    { GET, "3333", AS_LINK },
    { GET, "3333/0/4", AS_LINK },
    { PUT, "3333/0/0", IN_TEXT, .payload = "77" },
    { PUT, "3333/0/0", IN_CBOR, .payload = "\x18\x4d" },
    { PUT, "3333/0/1", IN_TEXT, .payload = "text" },
    { PUT, "3333/0/1", IN_CBOR, .payload = "\x7f\x62te\x62xt\xff" },
    { PUT, "3333/0/4/3", IN_TEXT, .payload = "9" },
    { PUT, "3333/0/4", IN_TLV, .payload = "\x86\x04\x41\x01\x05\x41\x02\x06", .size = 8 },
    { POST, "3333/0", IN_TLV, .payload = "\xc1\x00\x09\xc1\x01x", .size = 6 },
    { PUT, "3333/0", IN_TLV, .payload = "\xc1\x00\x09\x86\x04\x41\x01\x05\x41\x02\x06", .size = 11 },
    { POST, "3333/0", IN_JSON, .payload = "[{\"bn\":\"/3333/0/\",\"n\":\"0\",\"v\":3},{\"n\":\"1\",\"vs\":\"y\"}]" },
    { POST, "3333/0", IN_JSON, .payload = "[{\"bn\":\"/3333/0/\",\"n\":\"0\",\"v\":3},{\"n\":\"1\",\"v\":true}]" },
    { POST, "3333/0", IN_SENML_CBOR, .payload = "\x81\xa3\x21h/3333/0/\x00" "a0\x02\x07", .size = 17 },
    { POST, "3333", IN_TLV, .payload = "\x08\x02\x03\xc1\x00\x05", .size = 6 },
    { POST, "3333", IN_JSON, .payload = "[{\"bn\":\"/3333/3/\",\"n\":\"0\",\"v\":3}]" },
    { POST, "3333", IN_TLV, .payload = "\x08\x00\x03\xc1\x00\x05", .size = 6 },
    { DELETE, "3333/1" },
    { POST, "3333/0/3", .payload = "0='x'" },
    { PUT, "3333/0/0", .query = "pmin=1&pmax=9&gt=3" },
    { PUT, "3333/0", .query = "pmin=2" },
    { PUT, "3333/0/0", .query = "pmin=1&pmin=2" },
    { GET, "3333/0/0", AS_TEXT, .observe = 1, .token = 0x71 },
    { GET, "3333/0", .accept = 11543, .observe = 1, .token = 0x72 },
    { GET, "3333/0", .accept = 111, .observe = 1, .token = 0x73 },
    { FETCH, "", IN_SENML_CBOR, .accept = 113, .payload = "\x81\xa1\x00i/3333/0/0", .size = 13 },
    { FETCH, "", IN_JSON, .accept = 111, .payload = "[{\"n\":\"/3333/0\"},{\"n\":\"/1/0/1\"}]" },
    { IPATCH, "", IN_JSON, .payload = "[{\"n\":\"/3333/0/0\",\"v\":4},{\"n\":\"/1/0/1\",\"v\":80}]" },
    { IPATCH, "", IN_JSON, .payload = "[{\"n\":\"/3333/0/0\",\"v\":4},{\"n\":\"/3333/0/2\",\"v\":80}]" },
    { PUT, "1/0/1", IN_TEXT, .payload = "90" },
    { PUT, "1/0", IN_TLV, .payload = "\xc1\x01\x50\xc1\x07U\xc1\x06\x01", .size = 9 },
    { POST, "1/0/8" },
    { POST, "1/0/4" },
    { PUT, "5/0/0", IN_OPAQUE, .payload = "image" },
    { PUT, "5/0/0", IN_TLV, .payload = "\xc5\x00image", .size = 7 },
    { PUT, "5/0/0", IN_JSON, .payload = "[{\"n\":\"/5/0/0\",\"vd\":\"aW1n\"}]" },
    { POST, "5/0/2" },
};

static const ask_t *the_ask;

/** Something that the server or the program does. @returns whether the client refused it. */
typedef bool act_t(anjay_t *anjay, mock_t *mock);

/** The answer that came, past whatever the client sends by itself. */
static const char *answer_of(anjay_t *anjay, mock_t *mock) {
    turns(anjay);
    const char *text = mock_receive(mock);
    while (!strncmp(text, "CON", 3) || !strncmp(text, "NON", 3)) {
        text = mock_receive(mock);
    }
    return text;
}

static bool refused(const char *text) {
    return !strncmp(text, "ACK 4", 5) || !strncmp(text, "ACK 5", 5);
}

static bool ask_once(anjay_t *anjay, mock_t *mock) {
    send_ask(mock, the_ask);
    return refused(answer_of(anjay, mock));
}

/** A block of @p size bytes, 16 << @p szx or the rest, of a Write, or the fetch of one of a Read. */
static const char *send_piece(anjay_t *anjay, mock_t *mock, const char *path, int format, uint32_t num, bool more, const char *payload) {
    uint8_t data[512];
    coap_writer_t w;
    const coap_token_t token = { 1, { 0x55 } };
    const coap_block_t block = { num, more, 0 };
    coap_writer_start(&w, data, sizeof(data), COAP_CON, payload ? AVS_COAP_CODE_PUT : AVS_COAP_CODE_GET, ++mock->next_mid, &token);
    add_segments(&w, COAP_OPT_URI_PATH, path);
    if (payload) {
        coap_writer_option_uint(&w, COAP_OPT_CONTENT_FORMAT, (uint32_t) format);
        coap_writer_option_block(&w, COAP_OPT_BLOCK1, &block);
        coap_writer_payload(&w, payload, more ? 16 : strlen(payload));
    } else {
        coap_writer_option_uint(&w, COAP_OPT_ACCEPT, (uint32_t) format);
        coap_writer_option_block(&w, COAP_OPT_BLOCK2, &block);
    }
    mock_send(mock, &w);
    return answer_of(anjay, mock);
}

static bool write_in_blocks(anjay_t *anjay, mock_t *mock) {
    (void) send_piece(anjay, mock, "3333/0/1", 0, 0, true, "0123456789abcdef");
    (void) send_piece(anjay, mock, "3333/0/1", 0, 1, true, "0123456789abcdef");
    return refused(send_piece(anjay, mock, "3333/0/1", 0, 2, false, "end"));
}

static bool read_in_blocks(anjay_t *anjay, mock_t *mock) {
    for (uint32_t i = 0; i < 4; ++i) {
        (void) send_piece(anjay, mock, "3333", 110, i, false, NULL);
    }
    return true;
}

static bool push_in_blocks(anjay_t *anjay, mock_t *mock) {
    (void) send_piece(anjay, mock, "5/0/0", 42, 0, true, "0123456789abcdef");
    (void) send_piece(anjay, mock, "5/0/0", 42, 1, true, "0123456789abcdef");
    (void) send_piece(anjay, mock, "5/0/0", 42, 2, false, "end");
    send_ask(mock, &(const ask_t) { POST, "5/0/2" });
    (void) answer_of(anjay, mock);
    pass(anjay, 1);
    return true;
}

/** The program changes what is registered, and wants the server to know. */
static bool update(anjay_t *anjay, mock_t *mock) {
    static const anjay_dm_object_def_t OTHER = { .oid = 3334 };
    static const anjay_dm_object_def_t *const OTHER_PTR = &OTHER;
    if (!anjay_register_object(anjay, &OTHER_PTR)) {
        (void) anjay_schedule_registration_update(anjay, ANJAY_SSID_ANY);
        pass(anjay, 1);
        if (!strncmp(mock_receive_last(mock), "CON POST rd/", 12)) {
            mock_answer(mock, AVS_COAP_CODE(2, 4), NULL);
        }
        turns(anjay);
        CHECK(!anjay_unregister_object(anjay, &OTHER_PTR));
    }
    return true;
}

/** The server no longer knows the client. */
static bool register_again(anjay_t *anjay, mock_t *mock) {
    (void) anjay_schedule_registration_update(anjay, ANJAY_SSID_ANY);
    turns(anjay);
    if (!strncmp(mock_receive_last(mock), "CON POST rd/", 12)) {
        mock_answer(mock, AVS_COAP_CODE(4, 4), NULL);
    }
    pass(anjay, 1);
    if (!strncmp(mock_receive_last(mock), "CON POST rd?", 12)) {
        mock_answer(mock, AVS_COAP_CODE(2, 1), "rd/5a3f");
    }
    turns(anjay);
    return true;
}

/** What the program asks for, each of which may be refused. */
static bool program(anjay_t *anjay, mock_t *mock) {
    const anjay_transport_set_t udp = ANJAY_TRANSPORT_SET_UDP;
    (void) mock;
    (void) anjay_server_object_set_lifetime(anjay, 0, 100);
    turns(anjay);
    (void) anjay_schedule_register(anjay, 1);
    turns(anjay);
    (void) anjay_server_schedule_reconnect(anjay, 1);
    turns(anjay);
    (void) anjay_transport_enter_offline(anjay, udp);
    turns(anjay);
    (void) anjay_get_socket_entries(anjay);
    (void) anjay_transport_exit_offline(anjay, udp);
    pass(anjay, 1);
    return true;
}

/** What happens after the act while memory is short: time passes, the program changes something, the server asks again. */
static void go_on(anjay_t *anjay, mock_t *mock) {
    obj.now[0].number = 8;
    anjay_notify_changed(anjay, 3333, 0, R_NUMBER);
    anjay_notify_instances_changed(anjay, 3333);
    turns(anjay);
    pass(anjay, 3);
    mock_receive_last(mock);
}

/** With memory back, whatever happened: the client answers, at once or once it has registered again. */
static bool works_again(anjay_t *anjay, mock_t *mock) {
    (void) anjay_transport_exit_offline(anjay, ANJAY_TRANSPORT_SET_ALL);
    (void) anjay_enable_server(anjay, 1);
    for (int i = 0; i < 200; ++i) {
        const char *text = mock_receive(mock);
        const bool to_register = !strncmp(text, "CON POST rd?", 12);
        if (!strcmp(text, "nothing")) {
            if (anjay_get_server_connection_status(anjay, 1) == ANJAY_SERV_CONN_STATUS_REGISTERED) {
                send_ask(mock, &(const ask_t) { GET, "3333/0/0", AS_TEXT });
                return !strncmp(answer_of(anjay, mock), "ACK 2.05", 8);
            }
            pass(anjay, 1);
        } else if (!strncmp(text, "CON POST", 8) || !strncmp(text, "CON DELETE", 10)) {
            mock_answer(mock, to_register ? AVS_COAP_CODE(2, 1) : AVS_COAP_CODE(2, text[4] == 'D' ? 2 : 4),
                        to_register ? "rd/5a3f" : NULL);
            turns(anjay);
        }
    }
    return false;
}

/** @returns whether any allocation was made to fail. */
static bool sweep_once(act_t *act, long n, long count) {
    mock_t mock;
    anjay_t *anjay = registered_client(&mock, NULL);
    const anjay_fw_update_initial_state_t initial = { .result = ANJAY_FW_UPDATE_INITIAL_NEUTRAL };
    CHECK(!anjay_fw_update_install(anjay, &FIRMWARE, NULL, &initial));
    add_object(anjay);
    pass(anjay, 1);
    mock_receive_last(&mock);
    const object_state_t before = obj;
    fail(n, count);
    if (act(anjay, &mock)) {
        CHECK(!memcmp(before.now, obj.now, sizeof(obj.now)));
    }
    go_on(anjay, &mock);
    const bool any = failed();
    CHECK(works_again(anjay, &mock));
    end_client(anjay);
    mock_close(&mock);
    return any;
}

static long failures; /**< runs in which an allocation failed */

static void sweep(const char *name, act_t *act) {
    const int checks_before = checks_failed;
    for (long count = 1; count < 1000000; count += 999998) {
        bool any = true;
        for (long n = 1; any && n < 400; ++n) {
            any = sweep_once(act, n, count);
            failures += any;
            if (checks_failed > checks_before) {
                fprintf(stderr, "  %s, allocation %ld%s\n", name, n, count > 1 ? " and all that follow" : "");
                return;
            }
        }
        CHECK(!any);
    }
}

static void test_requests(void) {
    for (size_t i = 0; i < sizeof(REQUESTS) / sizeof(*REQUESTS); ++i) {
        the_ask = &REQUESTS[i];
        sweep(the_ask->path, ask_once);
    }
}

static void test_blocks(void) {
    sweep("Write in blocks", write_in_blocks);
    sweep("Read in blocks", read_in_blocks);
    sweep("firmware in blocks", push_in_blocks);
}

static void test_registration_goes_on(void) {
    sweep("Update", update);
    sweep("Register again", register_again);
    sweep("the program's wishes", program);
}

/** Registration itself: whatever fails, the client registers once memory is back. */
static void test_registering(void) {
    const int checks_before = checks_failed;
    for (long count = 1; count < 1000000; count += 999998) {
        bool any = true;
        for (long n = 1; any && n < 300; ++n) {
            mock_t mock;
            anjay_t *anjay = new_client(NULL);
            mock_open(&mock, 0);
            fail(n, count);
            const anjay_server_instance_t like = { .lifetime = 60, .binding = "U" };
            char uri[64];
            snprintf(uri, sizeof(uri), "coap://127.0.0.1:%u", mock.port);
            const anjay_security_instance_t security = { .ssid = 1, .server_uri = uri, .security_mode = ANJAY_SECURITY_NOSEC };
            anjay_server_instance_t server = like;
            server.ssid = 1;
            anjay_iid_t iid = ANJAY_ID_INVALID, server_iid = ANJAY_ID_INVALID;
            const bool added = !anjay_security_object_add_instance(anjay, &security, &iid)
                               && !anjay_server_object_add_instance(anjay, &server, &server_iid);
            turns(anjay);
            pass(anjay, 5);
            any = failed();
            if (added) {
                bool registered = false;
                for (int i = 0; i < 200 && !registered; ++i) {
                    registered = !strncmp(mock_receive_last(&mock), "CON POST rd", 11);
                    pass(anjay, 1);
                }
                CHECK(registered);
            }
            end_client(anjay);
            mock_close(&mock);
            if (checks_failed > checks_before) {
                fprintf(stderr, "  allocation %ld, count %ld\n", n, count);
                return;
            }
        }
    }
}

int main(void) {
    avs_log_set_default_level(AVS_LOG_QUIET);
    RUN(test_making);
    RUN(test_registering);
    RUN(test_requests);
    RUN(test_blocks);
    RUN(test_registration_goes_on);
    printf("%ld runs with a failing allocation\n", failures);
    return TEST_END();
}
