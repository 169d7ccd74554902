/* SPDX-License-Identifier: Apache-2.0 */
/** Registration life of the client against a server on loopback, with a clock that the test moves. */
#include "mock_server.h"

#include <avsystem/coap/ctx.h>

#define UPDATE_TEXT "CON POST rd/5a3f"
#define DEREGISTER_TEXT "CON DELETE rd/5a3f"

static anjay_server_conn_status_t statuses[64];
static size_t statuses_count;

static void note_status(void *arg, anjay_t *anjay, anjay_ssid_t ssid, anjay_server_conn_status_t status) {
    (void) arg;
    (void) anjay;
    if (ssid == 1 && statuses_count < AVS_ARRAY_SIZE(statuses)) {
        statuses[statuses_count++] = status;
    }
}

static void answer_update(anjay_t *anjay, mock_t *mock) {
    mock_answer(mock, AVS_COAP_CODE_CHANGED, NULL);
    EXPECT(anjay, mock, "nothing");
}

/* ------------------------------------------------------------------ Register and Update */

static void test_register_and_update(void) {
    static const anjay_server_conn_status_t EXPECTED[] = {
        ANJAY_SERV_CONN_STATUS_CONNECTING, ANJAY_SERV_CONN_STATUS_REGISTERING, ANJAY_SERV_CONN_STATUS_REGISTERED,
        ANJAY_SERV_CONN_STATUS_UPDATING, ANJAY_SERV_CONN_STATUS_REGISTERED
    };
    mock_t mock;
    anjay_registration_expiration_status_t status;
    statuses_count = 0;
    anjay_t *anjay = registered_client(&mock, &(const anjay_configuration_t) { .server_connection_status_cb = note_status });
    CHECK_INT(AVS_LIST_SIZE(anjay_get_socket_entries(anjay)), 1);
    CHECK_INT(anjay_get_server_connection_status(anjay, 1), ANJAY_SERV_CONN_STATUS_REGISTERED);
    CHECK(!anjay_ongoing_registration_exists(anjay));
    avs_time_real_t end = anjay_registration_expiration_time_with_status(anjay, 1, &status);
    CHECK_INT(status, ANJAY_REGISTRATION_EXPIRATION_STATUS_VALID);
    const avs_time_duration_t left = avs_time_real_diff(end, avs_time_real_now());
    CHECK(left.seconds >= 58 && left.seconds <= 60);
    /* 60 s are too short for MAX_TRANSMIT_WAIT: half of it */
    pass(anjay, 29);
    EXPECT(anjay, &mock, "nothing");
    pass(anjay, 2);
    EXPECT(anjay, &mock, UPDATE_TEXT);
    answer_update(anjay, &mock);
    pass(anjay, 31);
    EXPECT(anjay, &mock, UPDATE_TEXT);
    answer_update(anjay, &mock);
    CHECK(statuses_count >= AVS_ARRAY_SIZE(EXPECTED) && !memcmp(statuses, EXPECTED, sizeof(EXPECTED)));
    end_client(anjay);
    mock_close(&mock);
}

static void test_long_and_infinite_lifetime(void) {
    mock_t mock;
    anjay_registration_expiration_status_t status;
    anjay_t *anjay = registered_client(&mock, NULL);
    CHECK(!anjay_server_object_set_lifetime(anjay, 0, 3600));
    EXPECT(anjay, &mock, "CON POST rd/5a3f?lt=3600");
    answer_update(anjay, &mock);
    pass(anjay, 3600 - 93 - 61); /* MAX_TRANSMIT_WAIT is 93 s */
    EXPECT(anjay, &mock, "nothing");
    pass(anjay, 63);
    EXPECT(anjay, &mock, UPDATE_TEXT);
    answer_update(anjay, &mock);
    mock_request(&mock, AVS_COAP_CODE_PUT, "1/0/1", -1, "0");
    EXPECT(anjay, &mock, "ACK 2.04");
    EXPECT(anjay, &mock, "CON POST rd/5a3f?lt=0");
    answer_update(anjay, &mock);
    pass(anjay, 86400 * 3);
    EXPECT(anjay, &mock, "nothing");
    CHECK(!avs_time_real_valid(anjay_registration_expiration_time_with_status(anjay, 1, &status)));
    CHECK_INT(status, ANJAY_REGISTRATION_EXPIRATION_STATUS_INFINITE_LIFETIME);
    end_client(anjay);
    mock_close(&mock);
}

static const anjay_dm_object_def_t OBJECT = { .oid = 3333, .handlers = { .list_instances = anjay_dm_list_instances_SINGLE } };
static const anjay_dm_object_def_t *const OBJECT_PTR = &OBJECT;

static void test_links(void) {
    mock_t mock;
    anjay_t *anjay = registered_client(&mock, NULL);
    CHECK(!anjay_register_object(anjay, &OBJECT_PTR));
    EXPECT(anjay, &mock, "nothing"); /* with the next Update, unless the program wants it at once */
    CHECK(!anjay_schedule_registration_update(anjay, 1));
    EXPECT(anjay, &mock, "CON POST rd/5a3f cf=40 \"</1/0>,</3333/0>\"");
    answer_update(anjay, &mock);
    CHECK(!anjay_schedule_registration_update(anjay, ANJAY_SSID_ANY));
    EXPECT(anjay, &mock, UPDATE_TEXT);
    answer_update(anjay, &mock);
    CHECK(anjay_schedule_registration_update(anjay, 7));
    end_client(anjay);
    mock_close(&mock);

    anjay = registered_client(&mock, &(const anjay_configuration_t) { .update_immediately_on_dm_change = true });
    CHECK(!anjay_register_object(anjay, &OBJECT_PTR));
    EXPECT(anjay, &mock, "CON POST rd/5a3f cf=40 \"</1/0>,</3333/0>\"");
    answer_update(anjay, &mock);
    CHECK(!anjay_unregister_object(anjay, &OBJECT_PTR));
    EXPECT(anjay, &mock, "CON POST rd/5a3f cf=40 \"</1/0>\"");
    end_client(anjay);
    mock_close(&mock);
}

/** What changes while an Update is under way is told by another one. */
static void test_change_during_update(void) {
    mock_t mock;
    anjay_t *anjay = registered_client(&mock, NULL);
    CHECK(!anjay_server_object_set_lifetime(anjay, 0, 120));
    EXPECT(anjay, &mock, "CON POST rd/5a3f?lt=120");
    CHECK(!anjay_server_object_set_lifetime(anjay, 0, 180));
    EXPECT(anjay, &mock, "nothing");
    mock_answer(&mock, AVS_COAP_CODE_CHANGED, NULL);
    EXPECT(anjay, &mock, "CON POST rd/5a3f?lt=180");
    answer_update(anjay, &mock);
    end_client(anjay);
    mock_close(&mock);
}

static void test_update_refused(void) {
    mock_t mock;
    anjay_t *anjay = registered_client(&mock, NULL);
    pass(anjay, 31);
    EXPECT(anjay, &mock, UPDATE_TEXT);
    mock_answer(&mock, AVS_COAP_CODE_NOT_FOUND, NULL);
    EXPECT(anjay, &mock, REGISTER_TEXT);
    mock_answer(&mock, AVS_COAP_CODE_CREATED, "rd/other");
    EXPECT(anjay, &mock, "nothing");
    pass(anjay, 31);
    EXPECT(anjay, &mock, "CON POST rd/other");
    end_client(anjay);
    mock_close(&mock);
}

/** An Update that nobody answers: five datagrams, then Register over a new socket. */
static void test_update_unanswered(void) {
    mock_t mock;
    anjay_t *anjay = registered_client(&mock, NULL);
    const in_port_t port = mock.peer.sin_port;
    pass(anjay, 31);
    for (int i = 0; i < 5; ++i) {
        CHECK_STR(mock_receive(&mock), UPDATE_TEXT);
        pass(anjay, 3 << i); /* 2 s to 3 s, doubled each time */
    }
    CHECK_STR(mock_receive_last(&mock), REGISTER_TEXT);
    CHECK(mock.peer.sin_port != port);
    mock_answer(&mock, AVS_COAP_CODE_CREATED, "rd/5a3f");
    EXPECT(anjay, &mock, "nothing");
    CHECK_INT(anjay_get_server_connection_status(anjay, 1), ANJAY_SERV_CONN_STATUS_REGISTERED);
    end_client(anjay);
    mock_close(&mock);
}

static void test_register_retransmitted(void) {
    mock_t mock;
    uint8_t first[sizeof(mock.data)];
    anjay_t *anjay = new_client(NULL);
    mock_open(&mock, 0);
    add_server(anjay, 1, mock.port, NULL);
    EXPECT(anjay, &mock, REGISTER_TEXT);
    const size_t size = mock.size;
    memcpy(first, mock.data, size);
    pass(anjay, 3.1);
    EXPECT(anjay, &mock, REGISTER_TEXT);
    CHECK(mock.size == size && !memcmp(first, mock.data, size));
    /* an empty ACK, then the answer on its own */
    mock_answer(&mock, AVS_COAP_CODE_EMPTY, NULL);
    pass(anjay, 20);
    EXPECT(anjay, &mock, "nothing");
    uint8_t data[64];
    coap_writer_t w;
    coap_writer_start(&w, data, sizeof(data), COAP_CON, AVS_COAP_CODE_CREATED, 77, &mock.msg.token);
    add_segments(&w, COAP_OPT_LOCATION_PATH, "rd/5a3f");
    mock_send(&mock, &w);
    EXPECT(anjay, &mock, "ACK empty");
    CHECK_INT(anjay_get_server_connection_status(anjay, 1), ANJAY_SERV_CONN_STATUS_REGISTERED);
    end_client(anjay);
    mock_close(&mock);
}

/** Nobody listens at first: ICMP errors come back, and the retransmission finds the server. */
static void test_server_appears_late(void) {
    mock_t mock;
    mock_open(&mock, 0);
    const unsigned port = mock.port;
    mock_close(&mock);
    anjay_t *anjay = new_client(NULL);
    add_server(anjay, 1, port, NULL);
    pass(anjay, 3.1);
    mock_open(&mock, port);
    pass(anjay, 6.1);
    EXPECT(anjay, &mock, REGISTER_TEXT);
    mock_answer(&mock, AVS_COAP_CODE_CREATED, "rd/5a3f");
    EXPECT(anjay, &mock, "nothing");
    CHECK_INT(anjay_get_server_connection_status(anjay, 1), ANJAY_SERV_CONN_STATUS_REGISTERED);
    end_client(anjay);
    mock_close(&mock);
}

/* ------------------------------------------------------------------ failures */

static void test_retry_sequences(void) {
    const uint32_t count = 3, timer = 10, delay = 1000, sequences = 2;
    const anjay_server_instance_t like = { .lifetime = 60,
                                           .default_min_period = -1,
                                           .default_max_period = -1,
                                           .disable_timeout = -1,
                                           .binding = "U",
                                           .communication_retry_count = &count,
                                           .communication_retry_timer = &timer,
                                           .communication_sequence_delay_timer = &delay,
                                           .communication_sequence_retry_count = &sequences };
    static const int PAUSES[] = { 10, 20, 1000, 10, 20 }; /* in seconds, between attempts */
    mock_t mock;
    anjay_t *anjay = new_client(NULL);
    mock_open(&mock, 0);
    add_server(anjay, 1, mock.port, &like);
    EXPECT(anjay, &mock, REGISTER_TEXT);
    for (size_t i = 0; i < AVS_ARRAY_SIZE(PAUSES); ++i) {
        mock_answer(&mock, AVS_COAP_CODE_FORBIDDEN, NULL);
        pass(anjay, PAUSES[i] - 1);
        EXPECT(anjay, &mock, "nothing");
        CHECK(!anjay_all_connections_failed(anjay));
        CHECK(anjay_ongoing_registration_exists(anjay));
        pass(anjay, 2);
        EXPECT(anjay, &mock, REGISTER_TEXT);
    }
    mock_answer(&mock, AVS_COAP_CODE_FORBIDDEN, NULL);
    EXPECT(anjay, &mock, "nothing");
    CHECK(anjay_all_connections_failed(anjay));
    CHECK(!anjay_ongoing_registration_exists(anjay));
    CHECK_INT(anjay_get_server_connection_status(anjay, 1), ANJAY_SERV_CONN_STATUS_REG_FAILURE);
    /* a server that comes back after days is found all the same */
    pass(anjay, 1061);
    CHECK_STR(mock_receive_last(&mock), REGISTER_TEXT);
    mock_answer(&mock, AVS_COAP_CODE_FORBIDDEN, NULL);
    EXPECT(anjay, &mock, "nothing");
    CHECK(!anjay_transport_schedule_reconnect(anjay, ANJAY_TRANSPORT_SET_UDP));
    EXPECT(anjay, &mock, REGISTER_TEXT);
    CHECK(!anjay_all_connections_failed(anjay));
    end_client(anjay);
    mock_close(&mock);
}

static void test_unusable_location(void) {
    char location[400];
    mock_t mock;
    memset(location, 'a', sizeof(location) - 1);
    location[200] = '/';
    location[sizeof(location) - 1] = '\0';
    anjay_t *anjay = new_client(NULL);
    mock_open(&mock, 0);
    add_server(anjay, 1, mock.port, NULL);
    EXPECT(anjay, &mock, REGISTER_TEXT);
    mock_answer(&mock, AVS_COAP_CODE_CREATED, location);
    EXPECT(anjay, &mock, "nothing");
    pass(anjay, 61);
    EXPECT(anjay, &mock, REGISTER_TEXT);
    mock_answer(&mock, AVS_COAP_CODE_CREATED, NULL);
    EXPECT(anjay, &mock, "nothing");
    pass(anjay, 121);
    EXPECT(anjay, &mock, REGISTER_TEXT);
    end_client(anjay);
    mock_close(&mock);
}

/* ------------------------------------------------------------------ disabling */

static void test_disable_resource(void) {
    mock_t mock;
    anjay_t *anjay = registered_client(&mock, NULL);
    mock_request(&mock, AVS_COAP_CODE_PUT, "1/0/5", -1, "20");
    EXPECT(anjay, &mock, "ACK 2.04");
    mock_request(&mock, AVS_COAP_CODE_POST, "1/0/4", -1, NULL);
    EXPECT(anjay, &mock, "ACK 2.04");
    EXPECT(anjay, &mock, DEREGISTER_TEXT);
    mock_answer(&mock, AVS_COAP_CODE_DELETED, NULL);
    EXPECT(anjay, &mock, "nothing");
    CHECK_INT(anjay_get_server_connection_status(anjay, 1), ANJAY_SERV_CONN_STATUS_SUSPENDED);
    CHECK(!anjay_get_sockets(anjay));
    CHECK(anjay_server_schedule_reconnect(anjay, 1));
    pass(anjay, 18);
    EXPECT(anjay, &mock, "nothing");
    pass(anjay, 3);
    EXPECT(anjay, &mock, REGISTER_TEXT);
    end_client(anjay);
    mock_close(&mock);
}

static void test_disable_and_enable(void) {
    mock_t mock;
    anjay_t *anjay = registered_client(&mock, NULL);
    CHECK(!anjay_disable_server_with_timeout(anjay, 1, AVS_TIME_DURATION_INVALID));
    EXPECT(anjay, &mock, DEREGISTER_TEXT);
    mock_answer(&mock, AVS_COAP_CODE_DELETED, NULL);
    pass(anjay, 200);
    EXPECT(anjay, &mock, "nothing");
    CHECK(!anjay_transport_schedule_reconnect(anjay, ANJAY_TRANSPORT_SET_ALL)); /* disabled ones stay so */
    EXPECT(anjay, &mock, "nothing");
    CHECK(!anjay_enable_server(anjay, 1));
    EXPECT(anjay, &mock, REGISTER_TEXT);
    mock_answer(&mock, AVS_COAP_CODE_CREATED, "rd/5a3f");
    EXPECT(anjay, &mock, "nothing");

    /* enabled again before De-register was answered */
    CHECK(!anjay_disable_server_with_timeout(anjay, 1, AVS_TIME_DURATION_INVALID));
    EXPECT(anjay, &mock, DEREGISTER_TEXT);
    CHECK(!anjay_enable_server(anjay, 1));
    EXPECT(anjay, &mock, "nothing");
    mock_answer(&mock, AVS_COAP_CODE_DELETED, NULL);
    EXPECT(anjay, &mock, REGISTER_TEXT);
    mock_answer(&mock, AVS_COAP_CODE_CREATED, "rd/5a3f");
    EXPECT(anjay, &mock, "nothing");

    /* an answer that never comes does not disable for longer */
    CHECK(!anjay_disable_server_with_timeout(anjay, 1, avs_time_duration_from_scalar(5, AVS_TIME_S)));
    EXPECT(anjay, &mock, DEREGISTER_TEXT);
    for (int i = 0; i < 100 && strcmp(mock_receive(&mock), REGISTER_TEXT); ++i) {
        pass(anjay, 1);
    }
    CHECK_STR(mock.text, REGISTER_TEXT);
    CHECK(anjay_disable_server(anjay, 9) && anjay_enable_server(anjay, 9));
    end_client(anjay);
    mock_close(&mock);
}

/** Before the first job has run, a server that was just added can be disabled. */
static void test_disable_at_once(void) {
    mock_t mock;
    anjay_t *anjay = new_client(NULL);
    mock_open(&mock, 0);
    add_server(anjay, 1, mock.port, NULL);
    CHECK(!anjay_disable_server_with_timeout(anjay, 1, AVS_TIME_DURATION_INVALID));
    pass(anjay, 5);
    EXPECT(anjay, &mock, "nothing");
    CHECK(!anjay_enable_server(anjay, 1));
    EXPECT(anjay, &mock, REGISTER_TEXT);
    end_client(anjay);
    mock_close(&mock);
}

/* ------------------------------------------------------------------ offline */

static void test_offline(void) {
    mock_t mock;
    anjay_t *anjay = registered_client(&mock, NULL);
    CHECK(!anjay_transport_is_offline(anjay, ANJAY_TRANSPORT_SET_UDP));
    CHECK(!anjay_transport_enter_offline(anjay, ANJAY_TRANSPORT_SET_UDP));
    pass(anjay, 10);
    CHECK(anjay_transport_is_offline(anjay, ANJAY_TRANSPORT_SET_UDP));
    CHECK(!anjay_get_sockets(anjay));
    EXPECT(anjay, &mock, "nothing");
    CHECK(!anjay_transport_exit_offline(anjay, ANJAY_TRANSPORT_SET_UDP));
    EXPECT(anjay, &mock, UPDATE_TEXT); /* the registration is good still */
    answer_update(anjay, &mock);
    CHECK(!anjay_transport_enter_offline(anjay, ANJAY_TRANSPORT_SET_ALL));
    pass(anjay, 70);
    CHECK(!anjay_transport_schedule_reconnect(anjay, ANJAY_TRANSPORT_SET_ALL)); /* ends it */
    EXPECT(anjay, &mock, REGISTER_TEXT); /* the lifetime is over */
    end_client(anjay);
    mock_close(&mock);
}

/* ------------------------------------------------------------------ several servers, and their end */

static void test_two_servers(void) {
    mock_t first, second;
    anjay_t *anjay = new_client(NULL);
    mock_open(&first, 0);
    mock_open(&second, 0);
    add_server(anjay, 1, first.port, NULL);
    add_server(anjay, 2, second.port, NULL);
    EXPECT(anjay, &first, "CON POST rd?lwm2m=1.1&ep=x&lt=60 cf=40 \"</1/0>,</1/1>\"");
    EXPECT(anjay, &second, "CON POST rd?lwm2m=1.1&ep=x&lt=60 cf=40 \"</1/0>,</1/1>\"");
    mock_answer(&second, AVS_COAP_CODE_CREATED, "rd/2");
    EXPECT(anjay, &second, "nothing");
    /* the silent first one holds nothing up */
    mock_request(&second, AVS_COAP_CODE_GET, "1/1/1", -1, NULL);
    EXPECT(anjay, &second, "ACK 2.05 cf=0 \"60\"");
    pass(anjay, 31);
    EXPECT(anjay, &second, "CON POST rd/2");
    answer_update(anjay, &second);
    /* the first deletes itself from the client by the second's hand */
    mock_request(&second, AVS_COAP_CODE_DELETE, "1/0", -1, NULL);
    EXPECT(anjay, &second, "ACK 2.02");
    CHECK_INT(AVS_LIST_SIZE(anjay_get_sockets(anjay)), 1);
    CHECK_INT(AVS_LIST_SIZE(anjay_server_get_ssids(anjay)), 1);
    end_client(anjay);
    mock_close(&first);
    mock_close(&second);
}

static void test_deleted_server(void) {
    mock_t mock;
    anjay_t *anjay = registered_client(&mock, NULL);
    mock_request(&mock, AVS_COAP_CODE_DELETE, "1/0", -1, NULL);
    EXPECT(anjay, &mock, "ACK 2.02");
    EXPECT(anjay, &mock, DEREGISTER_TEXT);
    mock_answer(&mock, AVS_COAP_CODE_DELETED, NULL);
    EXPECT(anjay, &mock, "nothing");
    CHECK(!anjay_get_sockets(anjay));
    mock_request(&mock, AVS_COAP_CODE_GET, "1/0/1", -1, NULL);
    EXPECT(anjay, &mock, "nothing");
    end_client(anjay);
    mock_close(&mock);
}

/** The program gives the server another address: the old one is left, the new one gets a Register. */
static void test_new_address(void) {
    mock_t old, new;
    anjay_t *anjay = registered_client(&old, NULL);
    mock_open(&new, 0);
    char uri[64];
    snprintf(uri, sizeof(uri), "coap://127.0.0.1:%u", new.port);
    const anjay_security_instance_t security = { .ssid = 1, .server_uri = uri, .security_mode = ANJAY_SECURITY_NOSEC };
    anjay_iid_t iid = ANJAY_ID_INVALID;
    anjay_security_object_purge(anjay);
    CHECK(!anjay_security_object_add_instance(anjay, &security, &iid));
    EXPECT(anjay, &new, REGISTER_TEXT);
    mock_answer(&new, AVS_COAP_CODE_CREATED, "rd/new");
    pass(anjay, 31);
    EXPECT(anjay, &new, "CON POST rd/new");
    CHECK_STR(mock_receive(&old), "nothing");
    end_client(anjay);
    mock_close(&old);
    mock_close(&new);
}

/* ------------------------------------------------------------------ notifications under way */

static uint16_t told_code = 1;

static void note_confirmed(anjay_t *anjay, anjay_ssid_t ssid, const anjay_uri_path_t *paths, const size_t count,
                           avs_error_t err) {
    (void) anjay;
    CHECK(ssid == 1 && count == 1 && paths[0].ids[0] == 1 && paths[0].ids[2] == 1);
    told_code = err.code;
}

/** The end of each confirmable notification is told to the program. */
static void test_confirmable_status(void) {
    mock_t mock;
    anjay_t *anjay = registered_client(&mock, &(const anjay_configuration_t) {
                                                      .confirmable_notifications = true,
                                                      .confirmable_notification_status_cb = note_confirmed });
    mock_request(&mock, AVS_COAP_CODE_GET, "1/0/1", 0, NULL);
    EXPECT(anjay, &mock, "ACK 2.05 observe cf=0 \"60\"");
    CHECK(!anjay_server_object_set_lifetime(anjay, 0, 0x7FFFFFFF));
    EXPECT(anjay, &mock, "CON 2.05 observe cf=0 \"2147483647\"");
    mock_answer(&mock, AVS_COAP_CODE_EMPTY, NULL);
    EXPECT(anjay, &mock, "CON POST rd/5a3f?lt=2147483647"); /* its turn comes now: NSTART is 1 */
    answer_update(anjay, &mock);
    CHECK_INT(told_code, 0);
    CHECK(!anjay_server_object_set_lifetime(anjay, 0, 0x7FFFFFFE));
    EXPECT(anjay, &mock, "CON 2.05 observe cf=0 \"2147483646\"");
    uint8_t reset[4] = { 0x70, 0, (uint8_t) (mock.msg.mid >> 8), (uint8_t) mock.msg.mid };
    const coap_writer_t w = { .data = reset, .size = sizeof(reset) };
    mock_send(&mock, &w);
    EXPECT(anjay, &mock, "CON POST rd/5a3f?lt=2147483646");
    answer_update(anjay, &mock);
    CHECK_INT(told_code, AVS_COAP_ERR_UDP_RESET_RECEIVED);
    CHECK(!anjay_has_unsent_notifications(anjay, 1));
    end_client(anjay);
    mock_close(&mock);
}

/** An observation that is cancelled while its confirmable notification is unanswered and the client is registering anew. */
static void test_cancel_while_registering(void) {
    mock_t mock;
    anjay_t *anjay = registered_client(&mock, &(const anjay_configuration_t) { .confirmable_notifications = true,
                                                                              .enable_self_notify = true });
    mock_request(&mock, AVS_COAP_CODE_GET, "1/0/2", 0, NULL);
    EXPECT(anjay, &mock, "ACK 4.04"); /* no Default Minimum Period */
    mock_request(&mock, AVS_COAP_CODE_GET, "1/0/1", 0, NULL);
    EXPECT(anjay, &mock, "ACK 2.05 observe cf=0 \"60\"");
    mock_request(&mock, AVS_COAP_CODE_PUT, "1/0/1", -1, "90");
    EXPECT(anjay, &mock, "ACK 2.04");
    EXPECT(anjay, &mock, "CON 2.05 observe cf=0 \"90\"");
    const coap_msg_t notification = mock.msg;
    pass(anjay, 3.1); /* not acknowledged in its first timeout: the Update goes out meanwhile */
    EXPECT(anjay, &mock, "CON POST rd/5a3f?lt=90");
    mock_answer(&mock, AVS_COAP_CODE_NOT_FOUND, NULL);
    turns(anjay);
    EXPECT(anjay, &mock, "CON POST rd?lwm2m=1.1&ep=x&lt=90 cf=40 \"</1/0>\"");
    mock_request(&mock, AVS_COAP_CODE_GET, "1/0/1", 1, NULL);
    turns(anjay);
    mock.msg = notification;
    mock_answer(&mock, AVS_COAP_CODE_EMPTY, NULL);
    pass(anjay, 1);
    CHECK_INT(anjay_get_server_connection_status(anjay, 1), ANJAY_SERV_CONN_STATUS_REGISTERING);
    end_client(anjay);
    mock_close(&mock);
}

/* ------------------------------------------------------------------ binding */

static void test_queue_mode(void) {
    mock_t mock;
    anjay_t *anjay = registered_client(&mock, NULL);
    mock_request(&mock, AVS_COAP_CODE_PUT, "1/0/7", -1, "UQ");
    EXPECT(anjay, &mock, "ACK 2.04");
    EXPECT(anjay, &mock, "CON POST rd?lwm2m=1.1&ep=x&lt=60&Q cf=40 \"</1/0>\"");
    mock_answer(&mock, AVS_COAP_CODE_CREATED, "rd/5a3f");
    EXPECT(anjay, &mock, "nothing");
    CHECK(anjay_get_socket_entries(anjay)->queue_mode);
    mock_request(&mock, AVS_COAP_CODE_PUT, "1/0/7", -1, "X");
    EXPECT(anjay, &mock, "ACK 4.00");
    EXPECT(anjay, &mock, "nothing");
    CHECK(!anjay_set_queue_mode_preference(anjay, ANJAY_FORCE_ONLINE_MODE));
    CHECK(anjay_set_queue_mode_preference(anjay, (anjay_queue_mode_preference_t) 17));
    CHECK(!anjay_schedule_register(anjay, 1));
    EXPECT(anjay, &mock, REGISTER_TEXT);
    end_client(anjay);
    mock_close(&mock);
}

int main(void) {
    avs_log_set_default_level(AVS_LOG_QUIET);
    RUN(test_register_and_update);
    RUN(test_long_and_infinite_lifetime);
    RUN(test_links);
    RUN(test_change_during_update);
    RUN(test_update_refused);
    RUN(test_update_unanswered);
    RUN(test_register_retransmitted);
    RUN(test_server_appears_late);
    RUN(test_retry_sequences);
    RUN(test_unusable_location);
    RUN(test_disable_resource);
    RUN(test_disable_and_enable);
    RUN(test_disable_at_once);
    RUN(test_offline);
    RUN(test_two_servers);
    RUN(test_deleted_server);
    RUN(test_new_address);
    RUN(test_confirmable_status);
    RUN(test_cancel_while_registering);
    RUN(test_queue_mode);
    return TEST_END();
}
