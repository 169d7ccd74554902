/* SPDX-License-Identifier: Apache-2.0 */
/** Send: what is refused, who goes first, and how each request ends. */
#include "dm_object.h"

#include "../../vendor/anjay/src/send/send.h"
#include "../../vendor/avs_commons/src/base/alloc_hook.h"

#include <anjay/fw_update.h>
#include <anjay/lwm2m_send.h>

#include <pthread.h>
#include <stdatomic.h>

#define NO_RIID ANJAY_ID_INVALID

static avs_time_real_t at(double seconds) {
    return avs_time_real_from_fscalar(seconds, AVS_TIME_S);
}

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

/* ------------------------------------------------------------------ requests */

static char finished[400]; /**< "SSID=RESULT " for each request that ended */
static anjay_send_batch_t *batch;

static void on_finished(anjay_t *anjay, anjay_ssid_t ssid, const anjay_send_batch_t *sent, int result, void *data) {
    CHECK(sent && data == finished);
    snprintf(finished + strlen(finished), sizeof(finished) - strlen(finished), "%u=%d ", ssid, result);
}

/** The results since the last time. */
static const char *results(void) {
    static char copy[sizeof(finished)];
    strcpy(copy, finished);
    *finished = '\0';
    return copy;
}

static void make_batch(size_t text_size) {
    char text[4000];
    anjay_send_batch_builder_t *b = anjay_send_batch_builder_new();
    memset(text, 'q', text_size);
    text[text_size] = '\0';
    CHECK(!anjay_send_batch_add_string(b, 3, 0, 1, NO_RIID, AVS_TIME_REAL_INVALID, text));
    CHECK((batch = anjay_send_batch_builder_compile(&b)));
    *finished = '\0';
}

static anjay_send_result_t send_one(anjay_t *anjay, anjay_ssid_t ssid) {
    return anjay_send(anjay, ssid, batch, on_finished, finished);
}

static anjay_send_result_t defer_one(anjay_t *anjay, anjay_ssid_t ssid) {
    return anjay_send_deferrable(anjay, ssid, batch, on_finished, finished);
}

#define SEND_TEXT "CON POST dp cf=112 \"\x81\xA2\x21\x66/3/0/1\x03\x61q\""

static void test_answers(void) {
    static const struct {
        uint8_t code;
        const char *result;
    } CASES[] = { { AVS_COAP_CODE(2, 4), "1=0 " },   { AVS_COAP_CODE(2, 5), "1=-69 " },  { AVS_COAP_CODE(4, 0), "1=-128 " },
                  { AVS_COAP_CODE(4, 4), "1=-132 " }, { AVS_COAP_CODE(5, 3), "1=-163 " }, { AVS_COAP_CODE(2, 31), "1=-95 " } };
    mock_t mock;
    anjay_t *anjay = start(&mock);
    make_batch(1);
    for (size_t i = 0; i < AVS_ARRAY_SIZE(CASES); ++i) {
        CHECK_INT(send_one(anjay, 1), ANJAY_SEND_OK);
        EXPECT(anjay, &mock, SEND_TEXT);
        mock_answer(&mock, CASES[i].code, NULL);
        EXPECT(anjay, &mock, "nothing");
        CHECK_STR(results(), CASES[i].result);
    }
    static const uint8_t NO_RESPONSES[] = { 0x01, 0x03, 0x1F, 0x20, 0x60, 0xC0, 0xE1, 0xFF }; /* minus these would look like results */
    CHECK_INT(send_one(anjay, 1), ANJAY_SEND_OK);
    EXPECT(anjay, &mock, SEND_TEXT);
    for (size_t i = 0; i < AVS_ARRAY_SIZE(NO_RESPONSES); ++i) {
        mock_answer(&mock, NO_RESPONSES[i], NULL);
        EXPECT(anjay, &mock, "nothing");
        CHECK_STR(results(), "");
    }
    mock_answer(&mock, AVS_COAP_CODE(2, 4), NULL);
    EXPECT(anjay, &mock, "nothing");
    CHECK_STR(results(), "1=0 ");
    CHECK_INT(anjay_send(anjay, 1, batch, NULL, NULL), ANJAY_SEND_OK); /* nobody wants to know */
    EXPECT(anjay, &mock, SEND_TEXT);
    mock_answer(&mock, AVS_COAP_CODE(2, 4), NULL);
    EXPECT(anjay, &mock, "nothing");
    anjay_send_batch_release(&batch);
    end(anjay, &mock);
}

static void test_refusals(void) {
    mock_t mock;
    anjay_t *anjay = new_client(NULL);
    make_batch(1);
    CHECK_INT(send_one(anjay, 1), ANJAY_SEND_ERR_SSID);
    CHECK_INT(defer_one(anjay, 1), ANJAY_SEND_ERR_SSID);
    mock_open(&mock, 0);
    add_server(anjay, 1, mock.port, NULL);
    CHECK_INT(send_one(anjay, 1), ANJAY_SEND_ERR_OFFLINE);
    CHECK_INT(send_one(anjay, 2), ANJAY_SEND_ERR_SSID);
    CHECK_INT(send_one(anjay, ANJAY_SSID_ANY), ANJAY_SEND_ERR_SSID);
    CHECK_INT(defer_one(anjay, ANJAY_SSID_BOOTSTRAP), ANJAY_SEND_ERR_SSID);
    CHECK_INT(anjay_send(NULL, 1, batch, on_finished, finished), ANJAY_SEND_ERR_INTERNAL);
    CHECK_INT(anjay_send(anjay, 1, NULL, on_finished, finished), ANJAY_SEND_ERR_INTERNAL);
    EXPECT(anjay, &mock, REGISTER_TEXT);
    CHECK_INT(send_one(anjay, 1), ANJAY_SEND_ERR_OFFLINE);
    mock_answer(&mock, AVS_COAP_CODE(2, 1), "rd/5a3f");
    EXPECT(anjay, &mock, "nothing");
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "1/0/23", IN_TEXT, .payload = "1"), "ACK 2.04");
    CHECK_INT(send_one(anjay, 1), ANJAY_SEND_ERR_MUTED);
    CHECK_INT(defer_one(anjay, 1), ANJAY_SEND_ERR_MUTED);
    anjay_transport_enter_offline(anjay, ANJAY_TRANSPORT_SET_ALL);
    turns(anjay);
    CHECK_INT(defer_one(anjay, 1), ANJAY_SEND_ERR_MUTED);
    CHECK_STR(results(), "");
    anjay_send_batch_release(&batch);
    end(anjay, &mock);
}

/** Silence: MAX_TRANSMIT_WAIT, then the next one; a Reset; and the registration stays. */
static void test_no_answer(void) {
    mock_t mock;
    anjay_server_instance_t server = { .lifetime = 100000, .binding = "U" };
    anjay_t *anjay = new_client(NULL);
    mock_open(&mock, 0);
    add_server(anjay, 1, mock.port, &server);
    EXPECT(anjay, &mock, "CON POST rd?lwm2m=1.1&ep=x&lt=100000 cf=40 \"</1/0>\"");
    mock_answer(&mock, AVS_COAP_CODE(2, 1), "rd/5a3f");
    EXPECT(anjay, &mock, "nothing");
    make_batch(1);
    CHECK_INT(send_one(anjay, 1), ANJAY_SEND_OK);
    CHECK_INT(send_one(anjay, 1), ANJAY_SEND_OK);
    int seconds = 0, copies = 0;
    for (; seconds < 100 && !*finished; ++seconds) {
        pass(anjay, 1);
        copies += !strcmp(mock_receive(&mock), SEND_TEXT);
    }
    CHECK(seconds >= 62 && seconds <= 94);
    CHECK(copies == 5 || copies == 6); /* the next one begins at once */
    CHECK_STR(results(), "1=-1 ");
    pass(anjay, 4);
    CHECK_STR(mock_receive_last(&mock), SEND_TEXT);
    uint8_t data[8];
    coap_writer_t w;
    coap_writer_start(&w, data, sizeof(data), COAP_RST, 0, mock.msg.mid, NULL);
    mock_send(&mock, &w);
    EXPECT(anjay, &mock, "nothing");
    CHECK_STR(results(), "1=-1 ");
    CHECK_INT(anjay_get_server_connection_status(anjay, 1), ANJAY_SERV_CONN_STATUS_REGISTERED);
    anjay_send_batch_release(&batch);
    end(anjay, &mock);
}

/** In blocks, whose size the server may lower. */
static void test_blocks(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock);
    make_batch(2500);
    CHECK_INT(send_one(anjay, 1), ANJAY_SEND_OK);
    turns(anjay);
    CHECK(!strncmp(mock_receive(&mock), "CON POST dp block1=0/1/1024 cf=112", 34));
    CHECK_INT(mock.msg.payload_size, 1024);
    mock_answer(&mock, AVS_COAP_CODE(2, 31), NULL);
    turns(anjay);
    CHECK(!strncmp(mock_receive(&mock), "CON POST dp block1=1/1/1024 cf=112", 34));
    mock_answer(&mock, AVS_COAP_CODE(2, 31), NULL);
    turns(anjay);
    CHECK(!strncmp(mock_receive(&mock), "CON POST dp block1=2/0/1024 cf=112", 34));
    CHECK_INT(mock.msg.payload_size, 2500 + 14 - 2048);
    mock_answer(&mock, AVS_COAP_CODE(2, 4), NULL);
    EXPECT(anjay, &mock, "nothing");
    CHECK_STR(results(), "1=0 ");
    anjay_send_batch_release(&batch);
    end(anjay, &mock);
}

/* ------------------------------------------------------------------ who goes first */

/** Sends wait for one another, and nothing else waits for them: not a Read, not an Update, not a notification. */
static void test_makes_room(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock);
    make_batch(2500);
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/0/0", .query = "con=1"), "ACK 2.04");
    CHECK_STR(ASK(anjay, &mock, GET, .path = "3333/0/0", AS_TEXT, .observe = 1), "ACK 2.05 observe cf=0 \"5\"");
    CHECK_INT(send_one(anjay, 1), ANJAY_SEND_OK);
    CHECK_INT(send_one(anjay, 1), ANJAY_SEND_OK);
    turns(anjay);
    CHECK(!strncmp(mock_receive(&mock), "CON POST dp block1=0/1/1024", 27));
    const coap_msg_t first = mock.msg;
    CHECK_STR(ASK(anjay, &mock, GET, .path = "3333/0/0", AS_TEXT), "ACK 2.05 cf=0 \"5\"");
    set_number(anjay, 6);
    CHECK(!anjay_schedule_registration_update(anjay, 1));
    EXPECT(anjay, &mock, "nothing"); /* NSTART is 1, and the Send may be acknowledged yet */
    pass(anjay, 3);
    CHECK_STR(mock_receive(&mock), "CON POST rd/5a3f cf=40 \"</1/0>,</3333/0>,</3333/1>\"");
    mock_answer(&mock, AVS_COAP_CODE(2, 4), NULL);
    EXPECT(anjay, &mock, "CON 2.05 observe cf=0 \"6\"");
    mock_answer(&mock, 0, NULL);
    turns(anjay);
    pass(anjay, 1);
    CHECK(!strncmp(mock_receive_last(&mock), "CON POST dp block1=0/1/1024", 27));
    CHECK_INT(mock.msg.mid, first.mid); /* it goes on where it was */
    /* between two blocks, too */
    CHECK(!anjay_schedule_registration_update(anjay, 1));
    turns(anjay);
    mock_answer(&mock, AVS_COAP_CODE(2, 31), NULL);
    EXPECT(anjay, &mock, "CON POST rd/5a3f");
    mock_answer(&mock, AVS_COAP_CODE(2, 4), NULL);
    turns(anjay);
    CHECK(!strncmp(mock_receive(&mock), "CON POST dp block1=1/1/1024", 27));
    anjay_send_batch_release(&batch);
    end(anjay, &mock);
    CHECK_STR(results(), "1=-2 1=-2 ");
}

/** An empty ACK promises an answer; until it comes, Updates and notifications go their way. */
static void test_separate_answer(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock);
    make_batch(1);
    CHECK_INT(send_one(anjay, 1), ANJAY_SEND_OK);
    EXPECT(anjay, &mock, SEND_TEXT);
    const coap_token_t token = mock.msg.token;
    mock_answer(&mock, 0, NULL);
    turns(anjay);
    CHECK(!anjay_schedule_registration_update(anjay, 1));
    EXPECT(anjay, &mock, "CON POST rd/5a3f cf=40 \"</1/0>,</3333/0>,</3333/1>\"");
    mock_answer(&mock, AVS_COAP_CODE(2, 4), NULL);
    EXPECT(anjay, &mock, "nothing");
    uint8_t data[32];
    coap_writer_t w;
    coap_writer_start(&w, data, sizeof(data), COAP_CON, AVS_COAP_CODE(2, 4), 77, &token);
    mock_send(&mock, &w);
    EXPECT(anjay, &mock, "ACK empty");
    CHECK_STR(results(), "1=0 ");
    anjay_send_batch_release(&batch);
    end(anjay, &mock);
}

/** An Update that is under way is waited for; if it is refused, the Register that follows, too. */
static void test_after_registration(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock);
    make_batch(1);
    CHECK(!anjay_schedule_registration_update(anjay, 1));
    EXPECT(anjay, &mock, "CON POST rd/5a3f cf=40 \"</1/0>,</3333/0>,</3333/1>\"");
    CHECK_INT(send_one(anjay, 1), ANJAY_SEND_OK);
    turns(anjay);
    mock_answer(&mock, AVS_COAP_CODE(4, 4), NULL);
    EXPECT(anjay, &mock, "CON POST rd?lwm2m=1.1&ep=x&lt=60 cf=40 \"</1/0>,</3333/0>,</3333/1>\"");
    CHECK_STR(results(), "");
    mock_answer(&mock, AVS_COAP_CODE(2, 1), "rd/2");
    EXPECT(anjay, &mock, SEND_TEXT);
    mock_answer(&mock, AVS_COAP_CODE(2, 4), NULL);
    EXPECT(anjay, &mock, "nothing");
    CHECK_STR(results(), "1=0 ");
    anjay_send_batch_release(&batch);
    end(anjay, &mock);
}

/* ------------------------------------------------------------------ offline, muted, gone */

static void test_deferred(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock);
    make_batch(1);
    CHECK_INT(send_one(anjay, 1), ANJAY_SEND_OK); /* on its way */
    CHECK_INT(send_one(anjay, 1), ANJAY_SEND_OK); /* waits for its turn */
    CHECK_INT(defer_one(anjay, 1), ANJAY_SEND_OK);
    EXPECT(anjay, &mock, SEND_TEXT);
    anjay_transport_enter_offline(anjay, ANJAY_TRANSPORT_SET_ALL);
    EXPECT(anjay, &mock, "nothing");
    CHECK_STR(results(), "1=-2 1=-2 ");
    CHECK_INT(send_one(anjay, 1), ANJAY_SEND_ERR_OFFLINE);
    CHECK_INT(defer_one(anjay, 1), ANJAY_SEND_OK);
    anjay_transport_exit_offline(anjay, ANJAY_TRANSPORT_SET_ALL);
    EXPECT(anjay, &mock, "CON POST rd/5a3f cf=40 \"</1/0>,</3333/0>,</3333/1>\"");
    mock_answer(&mock, AVS_COAP_CODE(2, 4), NULL);
    for (int i = 0; i < 2; ++i) {
        EXPECT(anjay, &mock, SEND_TEXT);
        mock_answer(&mock, AVS_COAP_CODE(2, 4), NULL);
    }
    EXPECT(anjay, &mock, "nothing");
    CHECK_STR(results(), "1=0 1=0 ");
    anjay_send_batch_release(&batch);
    end(anjay, &mock);
}

/** What is out goes on; what still waits is not started any more. */
static void test_muted_meanwhile(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock);
    make_batch(1);
    CHECK_INT(send_one(anjay, 1), ANJAY_SEND_OK);
    CHECK_INT(send_one(anjay, 1), ANJAY_SEND_OK);
    EXPECT(anjay, &mock, SEND_TEXT);
    const coap_msg_t first = mock.msg;
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "1/0/23", IN_TEXT, .payload = "1"), "ACK 2.04");
    CHECK_STR(results(), "1=-3 ");
    mock.msg = first;
    mock_answer(&mock, AVS_COAP_CODE(2, 4), NULL);
    EXPECT(anjay, &mock, "nothing");
    CHECK_STR(results(), "1=0 ");
    anjay_send_batch_release(&batch);
    end(anjay, &mock);
}

static void test_server_goes(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock);
    make_batch(1);
    CHECK_INT(send_one(anjay, 1), ANJAY_SEND_OK);
    CHECK_INT(defer_one(anjay, 1), ANJAY_SEND_OK);
    EXPECT(anjay, &mock, SEND_TEXT);
    anjay_server_object_purge(anjay);
    CHECK_INT(defer_one(anjay, 1), ANJAY_SEND_ERR_SSID);
    turns(anjay);
    CHECK_STR(results(), "1=-3 ");
    pass(anjay, 3);
    CHECK_STR(mock_receive_last(&mock), "CON DELETE rd/5a3f");
    mock_answer(&mock, AVS_COAP_CODE(2, 2), NULL);
    EXPECT(anjay, &mock, "nothing");
    CHECK_STR(results(), "1=-2 ");
    anjay_send_batch_release(&batch);
    end(anjay, &mock);
}

/** Answers De-register while anjay_delete() waits. */
static void *answer_deregister(void *mock_ptr) {
    mock_t *mock = (mock_t *) mock_ptr;
    for (int i = 0; i < 5000; ++i) {
        if (!strcmp(mock_receive(mock), "CON DELETE rd/5a3f")) {
            mock_answer(mock, AVS_COAP_CODE(2, 2), NULL);
            return mock;
        }
        usleep(1000);
    }
    return NULL;
}

/** The end of a client: De-register does not wait for them; what a handler sends then is refused. */
static void on_last(anjay_t *anjay, anjay_ssid_t ssid, const anjay_send_batch_t *sent, int result, void *data) {
    on_finished(anjay, ssid, sent, result, data);
    CHECK_INT(anjay_send(anjay, ssid, sent, on_last, data), ANJAY_SEND_ERR_OFFLINE);
    CHECK_INT(anjay_send_deferrable(anjay, ssid, sent, on_last, data), ANJAY_SEND_ERR_OFFLINE);
}

static void test_delete(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock);
    make_batch(1);
    CHECK_INT(anjay_send(anjay, 1, batch, on_last, finished), ANJAY_SEND_OK);
    CHECK_INT(anjay_send(anjay, 1, batch, on_last, finished), ANJAY_SEND_OK);
    EXPECT(anjay, &mock, SEND_TEXT);
    anjay_send_batch_release(&batch); /* the requests have references of their own */
    pthread_t thread;
    void *answered = NULL;
    CHECK(!pthread_create(&thread, NULL, answer_deregister, &mock));
    anjay_delete(anjay);
    pthread_join(thread, &answered);
    CHECK(answered);
    mock_close(&mock);
    CHECK_STR(results(), "1=-2 1=-2 ");
}

/** A handler may send again, to another server, too. */
static int rounds;

static void on_again(anjay_t *anjay, anjay_ssid_t ssid, const anjay_send_batch_t *sent, int result, void *data) {
    on_finished(anjay, ssid, sent, result, data);
    if (++rounds < 3) {
        CHECK_INT(anjay_send(anjay, ssid, sent, on_again, data), ANJAY_SEND_OK);
    }
}

static void test_send_again(void) {
    mock_t mock, other;
    anjay_t *anjay = start(&mock);
    mock_open(&other, 0);
    add_server(anjay, 2, other.port, NULL);
    EXPECT(anjay, &other, "CON POST rd?lwm2m=1.1&ep=x&lt=60 cf=40 \"</1/0>,</1/1>,</3333/0>,</3333/1>\"");
    mock_answer(&other, AVS_COAP_CODE(2, 1), "rd/2");
    make_batch(1);
    turns(anjay);
    CHECK_INT(anjay_send(anjay, 1, batch, on_again, finished), ANJAY_SEND_OK);
    CHECK_INT(send_one(anjay, 2), ANJAY_SEND_OK); /* need not wait for the first */
    anjay_send_batch_release(&batch);
    EXPECT(anjay, &other, SEND_TEXT);
    mock_answer(&other, AVS_COAP_CODE(2, 4), NULL);
    turns(anjay);
    CHECK_STR(results(), "2=0 ");
    for (int i = 0; i < 3; ++i) {
        CHECK_STR(mock_receive(&mock), SEND_TEXT);
        mock_answer(&mock, AVS_COAP_CODE(2, 4), NULL);
        turns(anjay);
    }
    CHECK_STR(mock_receive(&mock), "nothing");
    CHECK_STR(results(), "1=0 1=0 1=0 ");
    mock_close(&other);
    end(anjay, &mock);
}

/** A handler of an object sends while it serves: the answer goes out first. */
static void send_in_read(anjay_t *anjay) {
    anjay_send_batch_builder_t *b = anjay_send_batch_builder_new();
    obj.in_read = NULL;
    CHECK(!anjay_send_batch_data_add_current(b, anjay, 3333, 1, R_NUMBER));
    anjay_send_batch_builder_cleanup(&b);
    CHECK_INT(send_one(anjay, 1), ANJAY_SEND_OK);
}

static void test_within_a_handler(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock);
    make_batch(1);
    obj.in_read = send_in_read;
    CHECK_STR(ASK(anjay, &mock, GET, .path = "3333/0/0", AS_TEXT), "ACK 2.05 cf=0 \"5\"");
    CHECK_STR(mock_receive(&mock), SEND_TEXT);
    anjay_send_batch_release(&batch);
    end(anjay, &mock);
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

static int device_list(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid, anjay_dm_resource_list_ctx_t *ctx) {
    anjay_dm_emit_res(ctx, 3, ANJAY_DM_RES_R, ANJAY_DM_RES_PRESENT);
    return 0;
}

static int device_read(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid,
                       anjay_output_ctx_t *ctx) {
    return anjay_ret_string(ctx, "v2");
}

static const anjay_dm_object_def_t DEVICE = { .oid = 3,
                                              .handlers = { .list_instances = anjay_dm_list_instances_SINGLE,
                                                            .list_resources = device_list,
                                                            .resource_read = device_read } };
static const anjay_dm_object_def_t *const DEVICE_PTR = &DEVICE;

/** Takes a report and gives its records without names and times, as "2 0" or "0 1 v2". */
static const char *take_report(anjay_t *anjay, mock_t *mock) {
    static char text[64];
    turns(anjay);
    if (strncmp(mock_receive(mock), "CON POST dp cf=112", 18)) {
        return mock->text;
    }
    anjay_input_ctx_t in;
    anjay_input_entry_t entry;
    const anjay_uri_path_t root = anjay_path(0);
    uint8_t stripped[200];
    size_t size = 0;
    for (size_t i = 0; i < mock->msg.payload_size; ++i) { /* a Write has no times */
        if (mock->msg.payload[i] == 0x22 && mock->msg.payload[i + 1] == 0xFB) {
            i += 9;
        } else {
            stripped[size++] = mock->msg.payload[i];
        }
    }
    --stripped[1]; /* entries of the first record */
    CHECK(!anjay_input_start(&in, ANJAY_FORMAT_SENML_CBOR, stripped, size, &root, false));
    *text = '\0';
    while (!anjay_input_next(&in, &entry)) {
        int64_t number;
        char string[16], path[ANJAY_PATH_TEXT_SIZE];
        const bool is_string = entry.path.ids[0] == 3;
        CHECK(is_string ? !anjay_get_string(&in, string, sizeof(string)) : !anjay_get_i64(&in, &number));
        if (!is_string) {
            snprintf(string, sizeof(string), "%d", (int) number);
        }
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s=%s", *text ? " " : "", anjay_path_text(&entry.path, path), string);
    }
    anjay_input_cleanup(&in);
    mock_answer(mock, AVS_COAP_CODE(2, 4), NULL);
    turns(anjay);
    return text;
}

/** use_lwm2m_send: every State but Downloading and every Result is reported; after a restart the version that runs now, too. */
static void test_firmware_reports(void) {
    static const struct {
        anjay_fw_update_initial_result_t initial;
        const char *first;
    } CASES[] = { { ANJAY_FW_UPDATE_INITIAL_SUCCESS, "/5/0/3=0 /5/0/5=1 /3/0/3=v2" },
                  { ANJAY_FW_UPDATE_INITIAL_FAILED, "/5/0/3=0 /5/0/5=8 /3/0/3=v2" },
                  { ANJAY_FW_UPDATE_INITIAL_DOWNLOADED, "/5/0/3=2 /5/0/5=0 /3/0/3=v2" },
                  { ANJAY_FW_UPDATE_INITIAL_NEUTRAL, "nothing" } };
    for (size_t i = 0; i < AVS_ARRAY_SIZE(CASES); ++i) {
        mock_t mock;
        anjay_t *anjay = start(&mock);
        const anjay_fw_update_initial_state_t state = { .result = CASES[i].initial, .use_lwm2m_send = true };
        CHECK(!anjay_register_object(anjay, &DEVICE_PTR) && !anjay_fw_update_install(anjay, &FIRMWARE, NULL, &state));
        CHECK_STR(take_report(anjay, &mock), CASES[i].first);
        if (state.result == ANJAY_FW_UPDATE_INITIAL_DOWNLOADED) {
            CHECK_STR(ASK(anjay, &mock, POST, .path = "5/0/10"), "ACK 2.04");
            CHECK_STR(take_report(anjay, &mock), "/5/0/3=0 /5/0/5=10");
        }
        CHECK_STR(ASK(anjay, &mock, PUT, .path = "5/0/0", .format = 43, .payload = "abc"), "ACK 2.04");
        CHECK_STR(take_report(anjay, &mock), "/5/0/3=2 /5/0/5=0");
        CHECK_STR(ASK(anjay, &mock, POST, .path = "5/0/2"), "ACK 2.04");
        CHECK_STR(take_report(anjay, &mock), "/5/0/3=3 /5/0/5=0");
        CHECK(!anjay_fw_update_set_result(anjay, ANJAY_FW_UPDATE_RESULT_SUCCESS));
        CHECK_STR(take_report(anjay, &mock), "/5/0/3=0 /5/0/5=1");
        CHECK_STR(mock_receive(&mock), "nothing");
        end(anjay, &mock);
    }
}

/* ------------------------------------------------------------------ threads, memory */

static atomic_int thread_results, thread_sent;

static void on_thread_finished(anjay_t *anjay, anjay_ssid_t ssid, const anjay_send_batch_t *sent, int result, void *data) {
    atomic_fetch_add(&thread_results, 1);
}

static void *sender(void *anjay_ptr) {
    anjay_t *anjay = (anjay_t *) anjay_ptr;
    for (int i = 0; i < 200; ++i) {
        anjay_send_batch_builder_t *b = anjay_send_batch_builder_new();
        CHECK(!anjay_send_batch_data_add_current(b, anjay, 3333, 0, R_MANY));
        anjay_send_batch_t *mine = anjay_send_batch_builder_compile(&b);
        atomic_fetch_add(&thread_sent, anjay_send(anjay, 1, mine, on_thread_finished, NULL) == ANJAY_SEND_OK);
        atomic_fetch_add(&thread_sent, anjay_send(anjay, 1, batch, on_thread_finished, NULL) == ANJAY_SEND_OK);
        anjay_send_batch_release(&mine);
    }
    return NULL;
}

static void test_threads(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock);
    pthread_t threads[3];
    make_batch(1);
    for (size_t i = 0; i < AVS_ARRAY_SIZE(threads); ++i) {
        CHECK(!pthread_create(&threads[i], NULL, sender, anjay));
    }
    size_t answered = 0;
    for (int i = 0; i < 100000 && atomic_load(&thread_results) < 1200; ++i) {
        turns(anjay);
        if (strcmp(mock_receive(&mock), "nothing")) {
            mock_answer(&mock, AVS_COAP_CODE(2, 4), NULL);
            ++answered;
        }
    }
    for (size_t i = 0; i < AVS_ARRAY_SIZE(threads); ++i) {
        pthread_join(threads[i], NULL);
    }
    CHECK_INT(atomic_load(&thread_sent), 1200);
    CHECK_INT(atomic_load(&thread_results), 1200);
    CHECK_INT(answered, 1200);
    anjay_send_batch_release(&batch);
    end(anjay, &mock);
}

static long allocations, fail_from;

static bool fail_once(void) {
    return ++allocations == fail_from;
}

/** Every allocation made to fail in turn: a call says so, or the request ends; each that was accepted ends once. */
static void test_no_memory(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock);
    bool failed = true;
    for (fail_from = 1; failed && fail_from < 1000; ++fail_from) {
        const anjay_send_resource_path_t paths[] = { { 3333, 0, R_NUMBER }, { 3333, 0, R_MANY }, { 3333, 1, R_TEXT } };
        allocations = 0;
        *finished = '\0';
        avs_alloc_set_hook(fail_once);
        anjay_send_batch_builder_t *b = anjay_send_batch_builder_new();
        int result = b ? anjay_send_batch_add_string(b, 3, 0, 1, NO_RIID, at(1.7e9), "text")
                                 || anjay_send_batch_add_bytes(b, 3, 0, 2, NO_RIID, at(1.7e9), "bytes", 5)
                                 || anjay_send_batch_data_add_current_multiple(b, anjay, paths, 3)
                       : -1;
        anjay_send_batch_t *sent = result ? NULL : anjay_send_batch_builder_compile(&b);
        const bool accepted = sent && anjay_send(anjay, 1, sent, on_finished, finished) == ANJAY_SEND_OK;
        turns(anjay);
        for (int i = 0; i < 3; ++i) { /* what was lost is looked at again, or comes again */
            if (strcmp(mock_receive_last(&mock), "nothing")) {
                mock_answer(&mock, AVS_COAP_CODE(2, 4), NULL);
            }
            anjay_sched_run(anjay);
            pass(anjay, 4);
        }
        failed = allocations >= fail_from;
        avs_alloc_set_hook(NULL);
        if (strcmp(finished, accepted ? "1=0 " : "") && strcmp(finished, accepted ? "1=-1 " : "")) {
            fprintf(stderr, "allocation %ld: accepted %d, %s\n", fail_from, accepted, finished);
            CHECK(!"each request ends once");
        }
        anjay_send_batch_builder_cleanup(&b);
        anjay_send_batch_release(&sent);
        pass(anjay, 3);
        while (strcmp(mock_receive_last(&mock), "nothing")) { /* Updates */
            mock_answer(&mock, AVS_COAP_CODE(2, 4), NULL);
            turns(anjay);
        }
    }
    CHECK(fail_from > 10 && !failed);
    end(anjay, &mock);
}

int main(void) {
    avs_log_set_default_level(AVS_LOG_QUIET);
    RUN(test_answers);
    RUN(test_refusals);
    RUN(test_no_answer);
    RUN(test_blocks);
    RUN(test_makes_room);
    RUN(test_separate_answer);
    RUN(test_after_registration);
    RUN(test_deferred);
    RUN(test_muted_meanwhile);
    RUN(test_server_goes);
    RUN(test_delete);
    RUN(test_send_again);
    RUN(test_within_a_handler);
    RUN(test_firmware_reports);
    RUN(test_threads);
    RUN(test_no_memory);
    return TEST_END();
}
