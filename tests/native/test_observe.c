/* SPDX-License-Identifier: Apache-2.0 */
/** Observations over the wire: when a notification comes, of which type, and what happens to it when the server is away. */
#include "dm_object.h"

#define OBSERVE_NUMBER GET, .path = "3333/0/0", AS_TEXT, .observe = 1, .token = 0xA1
#define NOTIFIED(Type, Value) Type " 2.05 observe cf=0 \"" Value "\""

static anjay_t *start(mock_t *mock, const anjay_configuration_t *like) {
    anjay_t *anjay = registered_client(mock, like);
    add_object(anjay);
    return anjay;
}

static void end(anjay_t *anjay, mock_t *mock) {
    end_client(anjay);
    mock_close(mock);
}

static void keep_registered(anjay_t *anjay, mock_t *mock) {
    CHECK_STR(ASK(anjay, mock, PUT, .path = "1/0/1", IN_TEXT, .payload = "0"), "ACK 2.04"); /* no Updates in between */
    EXPECT(anjay, mock, "CON POST rd/5a3f?lt=0 cf=40 \"</1/0>,</3333/0>,</3333/1>\"");
    mock_answer(mock, AVS_COAP_CODE_CHANGED, NULL);
    EXPECT(anjay, mock, "nothing");
}

/* ------------------------------------------------------------------ life of an observation */

static void test_notify_and_cancel(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock, NULL);
    CHECK_STR(ASK(anjay, &mock, OBSERVE_NUMBER), NOTIFIED("ACK", "5"));
    set_number(anjay, 6);
    EXPECT(anjay, &mock, NOTIFIED("NON", "6"));
    CHECK_INT(mock.msg.token.bytes[0], 0xA1);
    CHECK(!anjay_notify_changed(anjay, 3333, 0, R_NUMBER)); /* it did not */
    EXPECT(anjay, &mock, "nothing");
    for (int i = 0; i < 10; ++i) { /* one notification for what changes at once */
        set_number(anjay, 10 + i);
    }
    EXPECT(anjay, &mock, NOTIFIED("NON", "19"));
    EXPECT(anjay, &mock, "nothing");
    CHECK_STR(ASK(anjay, &mock, GET, .path = "3333/0/0", AS_TEXT, .observe = 2, .token = 0xA1), "ACK 2.05 cf=0 \"19\"");
    set_number(anjay, 7);
    EXPECT(anjay, &mock, "nothing");
    end(anjay, &mock);
}

static void test_reset_ends_it(void) {
    for (int con = 0; con < 2; ++con) {
        mock_t mock;
        anjay_t *anjay = start(&mock, &(const anjay_configuration_t) { .confirmable_notifications = con });
        CHECK_STR(ASK(anjay, &mock, OBSERVE_NUMBER), NOTIFIED("ACK", "5"));
        set_number(anjay, 6);
        EXPECT(anjay, &mock, con ? NOTIFIED("CON", "6") : NOTIFIED("NON", "6"));
        uint8_t data[16];
        coap_writer_t w;
        coap_writer_start(&w, data, sizeof(data), COAP_RST, 0, mock.msg.mid, NULL);
        mock_send(&mock, &w);
        turns(anjay);
        set_number(anjay, 7);
        EXPECT(anjay, &mock, "nothing");
        end(anjay, &mock);
    }
}

static void test_error_ends_it(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock, NULL);
    CHECK_STR(ASK(anjay, &mock, OBSERVE_NUMBER), NOTIFIED("ACK", "5"));
    obj.now[0].present = false;
    CHECK(!anjay_notify_instances_changed(anjay, 3333));
    EXPECT(anjay, &mock, "NON 4.04");
    obj.now[0].present = true;
    set_number(anjay, 6);
    EXPECT(anjay, &mock, "nothing");
    CHECK_STR(ASK(anjay, &mock, OBSERVE_NUMBER), NOTIFIED("ACK", "6"));
    CHECK(!anjay_unregister_object(anjay, &OBJ_PTR));
    EXPECT(anjay, &mock, "NON 4.04");
    end(anjay, &mock);
}

static void test_refused_observations(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock, NULL);
    CHECK_STR(ASK(anjay, &mock, GET, .path = "3333/0/3", .observe = 1), "ACK 4.05");
    CHECK_STR(ASK(anjay, &mock, GET, .path = "3333/0/6", .observe = 1), "ACK 4.04");
    CHECK_STR(ASK(anjay, &mock, GET, .path = "0/0/0", .observe = 1), "ACK 4.01");
    CHECK_STR(ASK(anjay, &mock, GET, .path = "3333/0/0", .accept = 10000, .observe = 1), "ACK 4.06");
    set_number(anjay, 6);
    EXPECT(anjay, &mock, "nothing");
    end(anjay, &mock);
}

/* ------------------------------------------------------------------ what handlers are asked */

/** A Resource with instances is never read as if it had a single value. */
static void test_multiple_instance_resource(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock, NULL);
    CHECK(!strncmp(ASK(anjay, &mock, GET, .path = "3333/0/4", .accept = 11543, .observe = 1, .token = 0xA1), "ACK 2.05 observe", 16));
    obj.now[0].many[2] = 13;
    CHECK(!anjay_notify_changed(anjay, 3333, 0, R_MANY));
    turns(anjay);
    CHECK(!strncmp(mock_receive(&mock), "NON 2.05 observe cf=11542", 25));
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/0/4", .query = "gt=5"), "ACK 2.04");
    obj.now[0].many[2] = 14;
    CHECK(!anjay_notify_changed(anjay, 3333, 0, R_MANY));
    turns(anjay);
    CHECK(!strncmp(mock_receive(&mock), "NON 2.05 observe cf=11542", 25));
    CHECK_INT(obj.wrong_riids, 0);
    end(anjay, &mock);
}

/** Without conditions one notification reads the value once. */
static void test_reads_per_notification(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock, NULL);
    CHECK_STR(ASK(anjay, &mock, OBSERVE_NUMBER), NOTIFIED("ACK", "5"));
    CHECK_STR(calls(), "ILr");
    set_number(anjay, 6);
    EXPECT(anjay, &mock, NOTIFIED("NON", "6"));
    CHECK_STR(calls(), "ILr");
    end(anjay, &mock);
}

/* ------------------------------------------------------------------ attributes */

static void test_periods(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock, NULL);
    keep_registered(anjay, &mock);
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/0/0", .query = "pmin=10&pmax=30"), "ACK 2.04");
    CHECK_STR(ASK(anjay, &mock, OBSERVE_NUMBER), NOTIFIED("ACK", "5"));
    set_number(anjay, 6);
    pass(anjay, 8);
    EXPECT(anjay, &mock, "nothing");
    pass(anjay, 3);
    EXPECT(anjay, &mock, NOTIFIED("NON", "6"));
    pass(anjay, 28);
    EXPECT(anjay, &mock, "nothing");
    pass(anjay, 3);
    EXPECT(anjay, &mock, NOTIFIED("NON", "6")); /* unchanged, at pmax */
    EXPECT(anjay, &mock, "nothing");
    end(anjay, &mock);
}

static void test_inherited_period(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock, NULL);
    keep_registered(anjay, &mock);
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333", .query = "pmax=20"), "ACK 2.04");
    CHECK_STR(ASK(anjay, &mock, OBSERVE_NUMBER), NOTIFIED("ACK", "5"));
    pass(anjay, 21);
    EXPECT(anjay, &mock, NOTIFIED("NON", "5"));
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/0", .query = "pmax=40"), "ACK 2.04");
    pass(anjay, 38);
    EXPECT(anjay, &mock, "nothing");
    pass(anjay, 3);
    EXPECT(anjay, &mock, NOTIFIED("NON", "5"));
    end(anjay, &mock);
}

static void test_thresholds(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock, NULL);
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/0/0", .query = "gt=10&lt=0"), "ACK 2.04");
    CHECK_STR(ASK(anjay, &mock, OBSERVE_NUMBER), NOTIFIED("ACK", "5"));
    set_number(anjay, 9);
    EXPECT(anjay, &mock, "nothing");
    set_number(anjay, 11);
    EXPECT(anjay, &mock, NOTIFIED("NON", "11"));
    set_number(anjay, 50);
    EXPECT(anjay, &mock, "nothing");
    set_number(anjay, 3);
    EXPECT(anjay, &mock, NOTIFIED("NON", "3"));
    set_number(anjay, -1);
    EXPECT(anjay, &mock, NOTIFIED("NON", "-1"));
    end(anjay, &mock);
}

/** Thresholds that come while the observation is there compare with what was sent last. */
static void test_step_written_later(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock, NULL);
    CHECK_STR(ASK(anjay, &mock, OBSERVE_NUMBER), NOTIFIED("ACK", "5"));
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/0/0", .query = "st=3"), "ACK 2.04");
    set_number(anjay, 7);
    EXPECT(anjay, &mock, "nothing");
    set_number(anjay, 8);
    EXPECT(anjay, &mock, NOTIFIED("NON", "8"));
    end(anjay, &mock);
}

static void test_evaluation_periods(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock, NULL);
    keep_registered(anjay, &mock);
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/0/0", .query = "epmin=10"), "ACK 2.04");
    CHECK_STR(ASK(anjay, &mock, OBSERVE_NUMBER), NOTIFIED("ACK", "5"));
    set_number(anjay, 6);
    pass(anjay, 8);
    EXPECT(anjay, &mock, "nothing"); /* not looked at before epmin */
    pass(anjay, 3);
    EXPECT(anjay, &mock, NOTIFIED("NON", "6"));
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/0/0", .query = "epmin&epmax=15"), "ACK 2.04");
    obj.now[0].number = 7; /* nobody says so */
    pass(anjay, 17);
    EXPECT(anjay, &mock, NOTIFIED("NON", "7"));
    pass(anjay, 40);
    EXPECT(anjay, &mock, "nothing");
    end(anjay, &mock);
}

/* ------------------------------------------------------------------ confirmable or not */

static void test_confirmable_daily(void) {
    static const char *const QUERIES[] = { NULL, "con=0" };
    for (size_t i = 0; i < 2; ++i) {
        mock_t mock;
        anjay_t *anjay = start(&mock, NULL);
        keep_registered(anjay, &mock);
        if (QUERIES[i]) {
            CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/0/0", .query = QUERIES[i]), "ACK 2.04");
        }
        CHECK_STR(ASK(anjay, &mock, OBSERVE_NUMBER), NOTIFIED("ACK", "5"));
        set_number(anjay, 6);
        EXPECT(anjay, &mock, NOTIFIED("NON", "6"));
        clock_offset += 24 * 3600 + 1;
        set_number(anjay, 7);
        EXPECT(anjay, &mock, NOTIFIED("CON", "7"));
        mock_answer(&mock, 0, NULL);
        turns(anjay);
        set_number(anjay, 8);
        EXPECT(anjay, &mock, NOTIFIED("NON", "8"));
        end(anjay, &mock);
    }
}

static void test_con_attribute(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock, NULL);
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/0/0", .query = "con=1"), "ACK 2.04");
    CHECK_STR(ASK(anjay, &mock, OBSERVE_NUMBER), NOTIFIED("ACK", "5"));
    set_number(anjay, 6);
    EXPECT(anjay, &mock, NOTIFIED("CON", "6"));
    set_number(anjay, 7);
    set_number(anjay, 8);
    EXPECT(anjay, &mock, "nothing"); /* one at a time */
    mock_answer(&mock, 0, NULL);
    EXPECT(anjay, &mock, NOTIFIED("CON", "8"));
    mock_answer(&mock, 0, NULL);
    EXPECT(anjay, &mock, "nothing");
    end(anjay, &mock);
}

/* ------------------------------------------------------------------ who is told */

/** The server that wrote is not told, other changes are: also one that the program made just before. */
static void test_writer_is_not_told(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock, NULL);
    CHECK_STR(ASK(anjay, &mock, OBSERVE_NUMBER), NOTIFIED("ACK", "5"));
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/0/0", IN_TEXT, .payload = "6"), "ACK 2.04");
    EXPECT(anjay, &mock, "nothing");
    end(anjay, &mock);

    anjay = start(&mock, &(const anjay_configuration_t) { .enable_self_notify = true });
    CHECK_STR(ASK(anjay, &mock, OBSERVE_NUMBER), NOTIFIED("ACK", "5"));
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/0/0", IN_TEXT, .payload = "6"), "ACK 2.04");
    EXPECT(anjay, &mock, NOTIFIED("NON", "6"));
    end(anjay, &mock);
}

/** The program's notification is not lost because a request of the server came before the job that acts on it. */
static void test_program_and_server_at_once(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock, NULL);
    CHECK_STR(ASK(anjay, &mock, OBSERVE_NUMBER), NOTIFIED("ACK", "5"));
    for (int i = 0; i < 3; ++i) {
        set_number(anjay, 20 + i);
        send_ask(&mock, i == 0   ? &(const ask_t) { GET, .path = "3333/0/1", AS_TEXT }
                        : i == 1 ? &(const ask_t) { PUT, .path = "3333/0/1", IN_TEXT, .payload = "u" }
                                 : &(const ask_t) { PUT, .path = "3333/0/7", IN_TEXT, .payload = "u" });
        obj.refusal = ANJAY_ERR_BAD_REQUEST;
        serve_only(anjay);
        turns(anjay);
        CHECK(!strncmp(mock_receive(&mock), "ACK", 3));
        char expected[64];
        snprintf(expected, sizeof(expected), NOTIFIED("NON", "%d"), 20 + i);
        CHECK_STR(mock_receive(&mock), expected);
    }
    end(anjay, &mock);
}

/* ------------------------------------------------------------------ a server that is away */

static void away(anjay_t *anjay) {
    CHECK(!anjay_transport_enter_offline(anjay, ANJAY_TRANSPORT_SET_ALL));
    turns(anjay);
}

/** Back online; the Register or Update is answered, and what comes after it is left to be received. */
static void back(anjay_t *anjay, mock_t *mock) {
    CHECK(!anjay_transport_exit_offline(anjay, ANJAY_TRANSPORT_SET_ALL));
    turns(anjay);
    const char *text = mock_receive(mock);
    CHECK(!strncmp(text, "CON POST rd/5a3f", 16));
    mock_answer(mock, AVS_COAP_CODE_CHANGED, NULL);
    turns(anjay);
}

static void acknowledged(anjay_t *anjay, mock_t *mock, const char *expected) {
    EXPECT(anjay, mock, expected);
    if (mock->msg.type == COAP_CON) {
        mock_answer(mock, 0, NULL);
    }
}

static void test_stored(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock, NULL);
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "1/0/6", IN_TEXT, .payload = "1"), "ACK 2.04");
    CHECK_STR(ASK(anjay, &mock, OBSERVE_NUMBER), NOTIFIED("ACK", "5"));
    away(anjay);
    for (int i = 1; i <= 3; ++i) {
        set_number(anjay, i);
        turns(anjay);
    }
    CHECK(anjay_has_unsent_notifications(anjay, 1));
    EXPECT(anjay, &mock, "nothing");
    back(anjay, &mock);
    acknowledged(anjay, &mock, NOTIFIED("CON", "1"));
    acknowledged(anjay, &mock, NOTIFIED("CON", "2"));
    acknowledged(anjay, &mock, NOTIFIED("CON", "3"));
    EXPECT(anjay, &mock, "nothing");
    CHECK(!anjay_has_unsent_notifications(anjay, 1));
    set_number(anjay, 4);
    EXPECT(anjay, &mock, NOTIFIED("NON", "4"));
    end(anjay, &mock);
}

/** A new value does not overtake those that are stored. */
static void test_stored_in_order(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock, NULL);
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "1/0/6", IN_TEXT, .payload = "1"), "ACK 2.04");
    CHECK_STR(ASK(anjay, &mock, OBSERVE_NUMBER), NOTIFIED("ACK", "5"));
    away(anjay);
    set_number(anjay, 1);
    turns(anjay);
    set_number(anjay, 2);
    turns(anjay);
    back(anjay, &mock);
    set_number(anjay, 3);
    acknowledged(anjay, &mock, NOTIFIED("CON", "1"));
    acknowledged(anjay, &mock, NOTIFIED("CON", "2"));
    acknowledged(anjay, &mock, NOTIFIED("NON", "3"));
    EXPECT(anjay, &mock, "nothing");
    end(anjay, &mock);
}

/** The limit is for all observations of all servers together; the oldest make room. */
static void test_stored_limit(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock, &(const anjay_configuration_t) { .stored_notification_limit = 2, .msg_cache_size = 4000 });
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "1/0/6", IN_TEXT, .payload = "1"), "ACK 2.04");
    CHECK_STR(ASK(anjay, &mock, OBSERVE_NUMBER), NOTIFIED("ACK", "5"));
    CHECK_STR(ASK(anjay, &mock, GET, .path = "3333/0/1", AS_TEXT, .observe = 1, .token = 0xA2), NOTIFIED("ACK", "t"));
    away(anjay);
    set_number(anjay, 1);
    turns(anjay);
    set_number(anjay, 2);
    turns(anjay);
    strcpy(obj.now[0].text, "new");
    CHECK(!anjay_notify_changed(anjay, 3333, 0, R_TEXT));
    turns(anjay);
    back(anjay, &mock);
    acknowledged(anjay, &mock, NOTIFIED("CON", "2"));
    acknowledged(anjay, &mock, NOTIFIED("CON", "new"));
    EXPECT(anjay, &mock, "nothing");
    end(anjay, &mock);
}

/** A stored notification that nobody acknowledges stays stored; the client registers anew or finds the server again first. */
static void test_unacknowledged(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock, NULL);
    keep_registered(anjay, &mock);
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "3333/0/0", .query = "con=1"), "ACK 2.04");
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "1/0/6", IN_TEXT, .payload = "1"), "ACK 2.04");
    CHECK_STR(ASK(anjay, &mock, OBSERVE_NUMBER), NOTIFIED("ACK", "5"));
    away(anjay);
    set_number(anjay, 1);
    turns(anjay);
    set_number(anjay, 2);
    turns(anjay);
    back(anjay, &mock);
    EXPECT(anjay, &mock, NOTIFIED("CON", "1"));
    for (int i = 0; i < 4; ++i) { /* 2, 4, 8, 16 s, each times 1.5 at most */
        int seconds = 0;
        const char *text = "nothing";
        while (!strcmp(text, "nothing") && seconds++ < 60) {
            pass(anjay, 1);
            text = mock_receive(&mock);
        }
        CHECK_STR(text, NOTIFIED("CON", "1"));
    }
    const char *text = "nothing";
    for (int seconds = 0; !strcmp(text, "nothing") && seconds < 120; ++seconds) {
        pass(anjay, 1);
        text = mock_receive(&mock);
    }
    CHECK(!strncmp(text, "CON POST rd/5a3f", 16)); /* is anybody there? */
    mock_answer(&mock, AVS_COAP_CODE_CHANGED, NULL);
    acknowledged(anjay, &mock, NOTIFIED("CON", "1"));
    acknowledged(anjay, &mock, NOTIFIED("CON", "2"));
    EXPECT(anjay, &mock, "nothing");
    end(anjay, &mock);
}

static void test_not_stored(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock, NULL);
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "1/0/6", IN_TEXT, .payload = "0"), "ACK 2.04");
    CHECK_STR(ASK(anjay, &mock, OBSERVE_NUMBER), NOTIFIED("ACK", "5"));
    away(anjay);
    set_number(anjay, 1);
    turns(anjay);
    back(anjay, &mock);
    EXPECT(anjay, &mock, "nothing");
    set_number(anjay, 2);
    EXPECT(anjay, &mock, NOTIFIED("NON", "2"));
    end(anjay, &mock);
}

/** An Update under way is no absence: what changes meanwhile is told after it, also where nothing is stored. */
static void test_during_update(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock, NULL);
    CHECK_STR(ASK(anjay, &mock, PUT, .path = "1/0/6", IN_TEXT, .payload = "0"), "ACK 2.04");
    CHECK_STR(ASK(anjay, &mock, OBSERVE_NUMBER), NOTIFIED("ACK", "5"));
    CHECK(!anjay_schedule_registration_update(anjay, 1));
    turns(anjay);
    CHECK(!strncmp(mock_receive(&mock), "CON POST rd/5a3f", 16));
    const coap_msg_t update = mock.msg;
    set_number(anjay, 6);
    turns(anjay);
    const char *early = mock_receive(&mock);
    const bool at_once = !strcmp(early, NOTIFIED("NON", "6"));
    CHECK(at_once || !strcmp(early, "nothing"));
    mock.msg = update;
    mock_answer(&mock, AVS_COAP_CODE_CHANGED, NULL);
    EXPECT(anjay, &mock, at_once ? "nothing" : NOTIFIED("NON", "6"));
    end(anjay, &mock);
}

/** A value that could not be read while the server was away ends the observation when it is back. */
static void test_error_while_away(void) {
    mock_t mock;
    anjay_t *anjay = start(&mock, NULL);
    CHECK_STR(ASK(anjay, &mock, OBSERVE_NUMBER), NOTIFIED("ACK", "5"));
    away(anjay);
    obj.read_result = ANJAY_ERR_SERVICE_UNAVAILABLE;
    set_number(anjay, 6);
    turns(anjay);
    turns(anjay);
    CHECK(strlen(calls()) < 12); /* not again and again */
    back(anjay, &mock);
    EXPECT(anjay, &mock, "NON 5.03");
    EXPECT(anjay, &mock, "nothing");
    end(anjay, &mock);
}

int main(void) {
    avs_log_set_default_level(AVS_LOG_QUIET);
    RUN(test_notify_and_cancel);
    RUN(test_reset_ends_it);
    RUN(test_error_ends_it);
    RUN(test_refused_observations);
    RUN(test_multiple_instance_resource);
    RUN(test_reads_per_notification);
    RUN(test_periods);
    RUN(test_inherited_period);
    RUN(test_thresholds);
    RUN(test_step_written_later);
    RUN(test_evaluation_periods);
    RUN(test_confirmable_daily);
    RUN(test_con_attribute);
    RUN(test_writer_is_not_told);
    RUN(test_program_and_server_at_once);
    RUN(test_stored);
    RUN(test_stored_in_order);
    RUN(test_stored_limit);
    RUN(test_unacknowledged);
    RUN(test_not_stored);
    RUN(test_during_update);
    RUN(test_error_while_away);
    return TEST_END();
}
