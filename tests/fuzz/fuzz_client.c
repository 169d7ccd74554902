/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The whole client behind a socket and a clock that do not exist. The input is a byte of configuration, then records: an operation (and, times
 * OP_COUNT, the server that it concerns), a length byte and so many bytes. Besides the sanitizers' reports, these end the run: handlers called out of
 * order, a transaction that stays open, a refused request that changed the object, a confirmable request without an answer, and a client that
 * does not register again once the world is whole again.
 */
#include "client_object.h"

#include <anjay/lwm2m_send.h>
#include <anjay/security.h>
#include <anjay/server.h>

#include <avsystem/coap/code.h>
#include <avsystem/commons/avs_log.h>

#include <limits.h>

enum {
    OP_RAW,     /**< a datagram */
    OP_REQUEST, /**< see request() */
    OP_ANSWER,  /**< code and the rest of an answer to what the client sent last */
    OP_TIME,    /**< a factor, squared, of 10 ms; another of the first */
    OP_CHANGE,  /**< by the program: value, Resource */
    OP_REPEAT,  /**< the last datagram once more */
    OP_PROGRAM, /**< a call of the API, see program() */
    OP_FAULT,   /**< a handler that fails or calls back: when, what */
    OP_SHORT,   /**< allocations that fail: the first, how many */
    OP_NET,     /**< system calls that fail: which, how many, error */
    OP_COUNT
};

enum {
    TWO_SERVERS = 1,
    CONFIRMABLE = 2,
    QUEUE_MODE = 4,
    UPDATE_AT_ONCE = 8,
    STORE_TWO = 16,
    SELF_NOTIFY = 32,
    HIERARCHICAL = 64,
    NO_CACHE = 128
};

static uint8_t config_bits;
static uint16_t next_mid;
static uint8_t last[DATAGRAM_MAX]; /**< came last */
static size_t last_size;

/* ------------------------------------------------------------------ the client */

static void add_server(anjay_t *anjay, anjay_ssid_t ssid) {
    char uri[] = "coap://127.0.0.1:5683";
    uri[sizeof(uri) - 2] = (char) ('0' + ssid);
    const anjay_security_instance_t security = { .ssid = ssid, .server_uri = uri, .security_mode = ANJAY_SECURITY_NOSEC };
    const anjay_server_instance_t server = { .ssid = ssid,
                                             .lifetime = 60,
                                             .default_min_period = -1,
                                             .default_max_period = -1,
                                             .disable_timeout = -1,
                                             .notification_storing = config_bits & STORE_TWO,
                                             .binding = config_bits & QUEUE_MODE ? "UQ" : "U" };
    anjay_iid_t iid = ANJAY_ID_INVALID;
    (void) !anjay_security_object_add_instance(anjay, &security, &iid);
    iid = ANJAY_ID_INVALID;
    (void) !anjay_server_object_add_instance(anjay, &server, &iid);
}

static void status_changed(void *arg, anjay_t *anjay, anjay_ssid_t ssid, anjay_server_conn_status_t status) {
    (void) arg;
    (void) ssid;
    REQUIRE(status != ANJAY_SERV_CONN_STATUS_INVALID);
    (void) handler_fault(anjay);
}

static void notification_ended(anjay_t *anjay, anjay_ssid_t ssid, const anjay_uri_path_t *paths, size_t count, avs_error_t err) {
    (void) ssid;
    (void) err;
    REQUIRE(count == 1 && paths->ids[0] != ANJAY_ID_INVALID);
    (void) handler_fault(anjay);
}

static void server_refused(void *arg, anjay_t *anjay, anjay_ssid_t ssid, uint8_t code) {
    (void) arg;
    (void) ssid;
    (void) code;
    (void) handler_fault(anjay);
}

static anjay_t *make(void) {
    const anjay_configuration_t config = { .endpoint_name = "urn:fuzz",
                                           .in_buffer_size = 1400,
                                           .out_buffer_size = 1400,
                                           .msg_cache_size = config_bits & NO_CACHE ? 0 : 700,
                                           .confirmable_notifications = config_bits & CONFIRMABLE,
                                           .update_immediately_on_dm_change = config_bits & UPDATE_AT_ONCE,
                                           .stored_notification_limit = config_bits & STORE_TWO ? 2 : 0,
                                           .enable_self_notify = config_bits & SELF_NOTIFY,
                                           .prefer_hierarchical_formats = config_bits & HIERARCHICAL,
                                           .server_connection_status_cb = status_changed,
                                           .confirmable_notification_status_cb = notification_ended,
                                           .server_communication_error_cb = server_refused };
    const anjay_fw_update_initial_state_t initial = { .result = ANJAY_FW_UPDATE_INITIAL_NEUTRAL };
    anjay_t *anjay = anjay_new(&config);
    REQUIRE(anjay && !anjay_security_object_install(anjay) && !anjay_server_object_install(anjay)
            && !anjay_fw_update_install(anjay, &FIRMWARE, anjay, &initial) && !anjay_register_object(anjay, &OBJECT_PTR));
    add_server(anjay, 1);
    if (config_bits & TWO_SERVERS) {
        add_server(anjay, 2);
    }
    return anjay;
}

/* ------------------------------------------------------------------ what servers do */

/** Whether an ACK or RST with this message id was sent since @p before. */
static bool answered(size_t before, uint16_t mid) {
    for (size_t i = before; i < sent_count; ++i) {
        const uint8_t *head = sent[i % SENT_MAX].head;
        if ((head[0] & 0x20) && head[2] == mid >> 8 && head[3] == (mid & 0xFF)) {
            return true;
        }
    }
    return sent_count - before > SENT_MAX;
}

/** @returns whether the client was there to receive it. */
static bool deliver(anjay_t *anjay, anjay_ssid_t ssid) {
    bool served = false;
    AVS_LIST(const anjay_socket_entry_t) entry = anjay_get_socket_entries(anjay);
    while (entry && entry->ssid != ssid) {
        entry = AVS_LIST_NEXT(entry);
    }
    if (entry) {
        has_incoming = true;
        served = !anjay_serve(anjay, entry->socket) && !has_incoming;
    }
    has_incoming = false;
    REQUIRE(!open_transaction);
    return served;
}

static void answer(anjay_t *anjay, anjay_ssid_t ssid, uint8_t code, const uint8_t *rest, size_t size) {
    const sent_t *to = sent_last();
    if (!to || to->size < 4 || (to->head[0] & 0x0F) > 8 || to->size < 4u + (to->head[0] & 0x0F)) {
        return;
    }
    const size_t head = 4u + (to->head[0] & 0x0F);
    memcpy(incoming, to->head, head);
    incoming[0] = (uint8_t) (0x60 | (to->head[0] & 0x0F));
    incoming[1] = code;
    if (code == 0x41 && !size) { /* Location-Path: rd/1 */
        static const uint8_t LOCATION[] = { 0x82, 'r', 'd', 0x01, '1' };
        rest = LOCATION;
        size = sizeof(LOCATION);
    }
    if (size) {
        memcpy(incoming + head, rest, size);
    }
    incoming_size = head + size;
    deliver(anjay, ssid);
}

static const char *const PATHS[] = { "\xB4" "3333",
                                     "\xB4" "3333\x01" "0",
                                     "\xB4" "3333\x01" "0\x01" "0",
                                     "\xB4" "3333\x01" "0\x01" "1",
                                     "\xB4" "3333\x01" "0\x01" "2",
                                     "\xB4" "3333\x01" "0\x01" "3",
                                     "\xB4" "3333\x01" "0\x01" "4",
                                     "\xB4" "3333\x01" "0\x01" "5",
                                     "\xB4" "3333\x01" "0\x01" "6",
                                     "\xB4" "3333\x01" "0\x01" "7",
                                     "\xB4" "3333\x01" "0\x01" "7\x01" "1",
                                     "\xB4" "3333\x01" "0\x01" "8",
                                     "\xB4" "3333\x01" "0\x01" "9",
                                     "\xB4" "3333\x01" "1",
                                     "\xB4" "3333\x01" "1\x01" "0",
                                     "\xB1" "5\x01" "0",
                                     "\xB1" "5\x01" "0\x01" "0",
                                     "\xB1" "5\x01" "0\x01" "1",
                                     "\xB1" "5\x01" "0\x01" "2",
                                     "\xB1" "5\x01" "0\x02" "10",
                                     "\xB1" "1\x01" "0",
                                     "\xB1" "1\x01" "0\x01" "1",
                                     "\xB1" "1\x01" "0\x01" "4",
                                     "\xB1" "1\x01" "0\x01" "8",
                                     "\xB1" "0\x01" "0",
                                     "" };

/**
 * Type, code and path; then options after Uri-Path (deltas from 11), marker and payload as they are. The code's bits 0x70 are the token.
 */
static void request(anjay_t *anjay, anjay_ssid_t ssid, const uint8_t *data, size_t size) {
    static const uint8_t CODES[] = { 1, 2, 3, 4, 1, 2, 3, 5, 6, 7 };
    if (size < 2) {
        return;
    }
    const char *path = PATHS[data[1] % (sizeof(PATHS) / sizeof(*PATHS))];
    const size_t path_size = strlen(path);
    next_mid = (next_mid + 1) & 0x7FFF;
    incoming[0] = (uint8_t) (data[0] & 0x80 ? 0x51 : 0x41);
    incoming[1] = CODES[(data[0] & 0x0F) % sizeof(CODES)];
    incoming[2] = (uint8_t) (next_mid >> 8);
    incoming[3] = (uint8_t) next_mid;
    incoming[4] = (uint8_t) (data[0] & 0x70);
    memcpy(incoming + 5, path, path_size);
    memcpy(incoming + 5 + path_size, data + 2, size - 2);
    incoming_size = 5 + path_size + size - 2;
    const uint8_t token = incoming[4];
    const bool confirmable = incoming[0] == 0x41, well = healthy();
    const size_t before_count = sent_count;
    instance_t before[INSTANCES];
    memcpy(before, now, sizeof(now));
    const bool served = deliver(anjay, ssid);
    const sent_t *answer = sent_count > before_count ? sent_last() : NULL;
    if (answer && answer->size >= 5 && (answer->head[0] & 0x0F) == 1 && answer->head[4] == token && answer->head[1] >= 0x80) {
        REQUIRE(!memcmp(before, now, sizeof(now)));
    }
    REQUIRE(!served || !confirmable || !well || answered(before_count, next_mid)
            || anjay_get_server_connection_status(anjay, ssid) != ANJAY_SERV_CONN_STATUS_REGISTERED);
    anjay_sched_run(anjay);
}

/** Jobs are run when they are due, a limited number of times. */
static void pass_time(anjay_t *anjay, int64_t ms) {
    for (int i = 0; i < 20 && ms >= 0; ++i) {
        int next_ms = anjay_sched_calculate_wait_time_ms(anjay, ms > INT_MAX ? INT_MAX : (int) ms);
        next_ms += !next_ms;
        clock_ns += (int64_t) next_ms * 1000000;
        ms -= next_ms;
        anjay_sched_run(anjay);
        REQUIRE(!open_transaction);
    }
}

/* ------------------------------------------------------------------ what the program does */

static void ask_everything(anjay_t *anjay, anjay_ssid_t ssid) {
    const anjay_transport_set_t all = ANJAY_TRANSPORT_SET_ALL;
    anjay_registration_expiration_status_t status;
    anjay_security_config_t security;
    (void) anjay_registration_expiration_time_with_status(anjay, ssid, &status);
    (void) anjay_next_planned_lifecycle_operation(anjay, ssid);
    (void) anjay_transport_next_planned_notify_trigger(anjay, all);
    (void) anjay_next_planned_pmax_notify_trigger(anjay, ssid);
    (void) anjay_transport_has_unsent_notifications(anjay, all);
    (void) anjay_ongoing_registration_exists(anjay);
    (void) anjay_all_connections_failed(anjay);
    (void) anjay_security_config_from_dm(anjay, &security, "coap://127.0.0.1");
    (void) anjay_get_sockets(anjay);
}

static unsigned sends_accepted, sends_ended;

static void send_ended(anjay_t *anjay, anjay_ssid_t ssid, const anjay_send_batch_t *batch, int result, void *data) {
    REQUIRE(ssid && ssid < 3 && batch && data == &sends_ended);
    REQUIRE((result >= ANJAY_SEND_DEFERRED_ERROR && result <= 0) || (result <= -0x40 && result >= -0xFF));
    ++sends_ended;
    (void) handler_fault(anjay);
}

/** @p how: bit 0: may wait for the server; bit 1: more than a block. A few at a time: a client may be sent away before they end. */
static void send_values(anjay_t *anjay, anjay_ssid_t ssid, uint8_t how) {
    static char big[1500];
    anjay_send_batch_builder_t *builder = sends_accepted - sends_ended < 10 ? anjay_send_batch_builder_new() : NULL;
    if (!builder) {
        return;
    }
    memset(big, 'x', sizeof(big) - 1);
    (void) !anjay_send_batch_add_int(builder, OID, 0, R_INT, ANJAY_ID_INVALID, avs_time_real_now(), how);
    if (how & 2) {
        (void) !anjay_send_batch_add_string(builder, OID, 0, R_TEXT, ANJAY_ID_INVALID, AVS_TIME_REAL_INVALID, big);
    }
    (void) !anjay_send_batch_data_add_current(builder, anjay, OID, 0, R_MANY); /* the Instance may be gone */
    anjay_send_batch_t *batch = anjay_send_batch_builder_compile(&builder);
    if (batch) {
        sends_accepted += (how & 1 ? anjay_send_deferrable : anjay_send)(anjay, ssid, batch, send_ended, &sends_ended) == ANJAY_SEND_OK;
        anjay_send_batch_release(&batch);
    }
    anjay_send_batch_builder_cleanup(&builder);
}

static void program(anjay_t *anjay, unsigned call, uint8_t a, uint8_t b) {
    const anjay_ssid_t ssid = a % 4;
    const anjay_transport_set_t udp = ANJAY_TRANSPORT_SET_UDP;
    switch (call % 19) {
    case 0: (void) anjay_schedule_registration_update(anjay, ssid); break;
    case 1: (void) anjay_schedule_register(anjay, ssid); break;
    case 2: (void) anjay_disable_server(anjay, ssid); break;
    case 3:
        (void) anjay_disable_server_with_timeout(anjay, ssid, b == 255 ? AVS_TIME_DURATION_INVALID
                                                                       : avs_time_duration_from_scalar(b, AVS_TIME_S));
        break;
    case 4: (void) anjay_enable_server(anjay, ssid); break;
    case 5: (void) anjay_server_schedule_reconnect(anjay, ssid); break;
    case 6: (void) anjay_transport_enter_offline(anjay, udp); break;
    case 7: (void) anjay_transport_exit_offline(anjay, udp); break;
    case 8: (void) anjay_transport_schedule_reconnect(anjay, udp); break;
    case 9:
        if (anjay_unregister_object(anjay, &OBJECT_PTR)) {
            (void) anjay_register_object(anjay, &OBJECT_PTR);
        }
        break;
    case 10: a % 2 ? anjay_security_object_purge(anjay) : anjay_server_object_purge(anjay); break;
    case 11: add_server(anjay, 1 + a % 2); break;
    case 12: (void) anjay_fw_update_set_result(anjay, (anjay_fw_update_result_t) (a % 12)); break;
    case 13: (void) anjay_set_queue_mode_preference(anjay, (anjay_queue_mode_preference_t) (a % 5)); break;
    case 14: (void) anjay_server_object_set_lifetime(anjay, a % 3, b - 1); break;
    case 15: {
        const avs_coap_udp_tx_params_t params = { { 1 + a % 4, 0 }, 1.0 + b % 3, a % 6, 1 + b % 4 };
        (void) anjay_update_transport_tx_params(anjay, udp, &params);
        (void) anjay_update_coap_exchange_timeout(anjay, udp, avs_time_duration_from_scalar(b, AVS_TIME_S));
        break;
    }
    case 16: ask_everything(anjay, ssid); break;
    case 17: send_values(anjay, ssid, b); break;
    default:
        (void) anjay_notify_changed(anjay, (anjay_oid_t) (a % 2 ? OID : a), b % 3, b % 5);
        (void) anjay_notify_instances_changed(anjay, (anjay_oid_t) (a % 2 ? OID : a));
    }
}

static struct {
    uint8_t call, a, b;
} back;

static void call_back(anjay_t *anjay) {
    program(anjay, back.call, back.a, back.b);
}

static void set_fault(const uint8_t *body, size_t length) {
    static const int ERRORS[] = { -1, 0, 1, ANJAY_ERR_NOT_FOUND, ANJAY_ERR_BAD_REQUEST, ANJAY_ERR_NOT_ACCEPTABLE, -0x80, -0xBF,
                                  ANJAY_FW_UPDATE_ERR_INTEGRITY_FAILURE, -0x45 };
    fault.after = length ? body[0] : 0;
    fault.error = length > 1 ? ERRORS[body[1] % (sizeof(ERRORS) / sizeof(*ERRORS))] : -1;
    fault.call_back = length > 4 ? call_back : NULL;
    if (fault.call_back) {
        back.call = body[2];
        back.a = body[3];
        back.b = body[4];
    }
}

static void set_broken(const uint8_t *body, size_t length) {
    static const int ERRORS[] = { ECONNREFUSED, ENETUNREACH, EMSGSIZE, EMFILE, EAGAIN, EBADF, ENOTSOCK, ENOBUFS };
    const unsigned count = length > 1 ? body[1] % 8 : 1;
    broken.error = length > 2 ? ERRORS[body[2] % (sizeof(ERRORS) / sizeof(*ERRORS))] : ECONNREFUSED;
    switch (length ? body[0] % 4 : 0) {
    case 0: broken.send = count; break;
    case 1: broken.receive = count; break;
    case 2: broken.socket = count; break;
    default: broken.connect = count;
    }
}

/* ------------------------------------------------------------------ a whole world */

/** Answers what was sent since @p from as a server should. */
static void answer_well(anjay_t *anjay, size_t from) {
    for (size_t i = from; i < sent_count && i < from + SENT_MAX; ++i) {
        const sent_t message = sent[i % SENT_MAX];
        const uint8_t token_size = message.head[0] & 0x0F;
        if ((message.head[0] & 0xF0) != 0x40 || !message.head[1]) {
            continue; /* no confirmable message */
        }
        const bool request = message.head[1] < 0x20, post = message.head[1] == AVS_COAP_CODE_POST;
        static const uint8_t RD[] = { 0xB2, 'r', 'd' };
        const bool to_register = post && !memcmp(message.head + 4 + token_size, RD, 3) && message.head[7 + token_size] == 0x11;
        const uint8_t code = !request ? 0 : to_register ? 0x41 : post ? 0x44 : 0x42;
        AVS_LIST(const anjay_socket_entry_t) entry = anjay_get_socket_entries(anjay);
        while (entry && *(const int *) avs_net_socket_get_system(entry->socket) != message.fd) {
            entry = AVS_LIST_NEXT(entry);
        }
        if (entry) {
            const size_t count = sent_count;
            sent[sent_count++ % SENT_MAX] = message; /* as the last one, for answer() */
            const anjay_ssid_t ssid = entry->ssid;
            answer(anjay, ssid, code, NULL, 0);
            from += sent_count - count > SENT_MAX;
        }
    }
}

static bool settled(anjay_t *anjay) {
    for (anjay_ssid_t ssid = 1; ssid <= 2; ++ssid) {
        const anjay_server_conn_status_t status = anjay_get_server_connection_status(anjay, ssid);
        if (status != ANJAY_SERV_CONN_STATUS_INVALID && status != ANJAY_SERV_CONN_STATUS_REGISTERED) {
            return false;
        }
    }
    return true;
}

/** Nothing fails any more, every server answers, the program wants all of them: the client must register. */
static void recover(anjay_t *anjay) {
    heal();
    fault.after = 0;
    REQUIRE(!anjay_transport_exit_offline(anjay, ANJAY_TRANSPORT_SET_ALL));
    for (anjay_ssid_t ssid = 1; ssid <= 2; ++ssid) {
        (void) anjay_enable_server(anjay, ssid); /* it may be none by now */
    }
    const int64_t start_ns = clock_ns;
    for (int i = 0; i < 200; ++i) {
        const size_t from = sent_count;
        int delay_ms;
        anjay_sched_run(anjay);
        answer_well(anjay, from);
        if (i > 1 && settled(anjay)) {
            return;
        }
        if (anjay_sched_time_to_next_ms(anjay, &delay_ms)) {
            REQUIRE(settled(anjay)); /* else it would never go on */
            return;
        }
        if (delay_ms > 200000000) { /* so the server wished */
            return;
        }
        clock_ns += (int64_t) delay_ms * 1000000;
    }
    /* a short lifetime fills the rounds with Updates: only with the longest pause over is it too late */
    REQUIRE(clock_ns - start_ns < 2 * 86400 * (int64_t) 1000000000);
}

/* ------------------------------------------------------------------ records */

static void tell(avs_log_level_t level, const char *module, const char *message) {
    (void) level;
    (void) module;
    fprintf(stderr, "%9.3f %s\n", (double) clock_ns / 1e9, message);
}

static void change(anjay_t *anjay, const uint8_t *body, size_t length) {
    if (length) {
        now[0].integer = body[0] == 13 ? 14 : body[0];
    }
    (void) anjay_notify_changed(anjay, OID, 0, length > 1 ? body[1] % R_COUNT : R_INT);
    if (length > 2) {
        (void) anjay_notify_instances_changed(anjay, OID);
    }
    anjay_sched_run(anjay);
}

static void record(anjay_t *anjay, unsigned op, anjay_ssid_t ssid, const uint8_t *body, size_t length) {
    switch (op) {
    case OP_RAW:
        memcpy(incoming, body, length);
        incoming_size = length;
        if (length >= 4 && incoming[1] && incoming[1] < 0x20) { /* no duplicate of what request() sends */
            incoming[2] |= 0x80;
        }
        deliver(anjay, ssid);
        anjay_sched_run(anjay);
        break;
    case OP_REQUEST: request(anjay, ssid, body, length); break;
    case OP_ANSWER:
        answer(anjay, ssid, length ? body[0] : 0x41, body + !!length, length ? length - 1 : 0);
        anjay_sched_run(anjay);
        break;
    case OP_TIME:
        pass_time(anjay, length ? (int64_t) body[0] * body[0] * 10 * (length > 1 ? 1 + body[1] : 1) : 1000);
        break;
    case OP_CHANGE: change(anjay, body, length); break;
    case OP_PROGRAM:
        program(anjay, length ? body[0] : 0, length > 1 ? body[1] : 1, length > 2 ? body[2] : 0);
        anjay_sched_run(anjay);
        break;
    case OP_FAULT: set_fault(body, length); break;
    case OP_SHORT: fail_allocations(length ? 1 + body[0] : 1, length > 1 ? body[1] : 1); break;
    case OP_NET: set_broken(body, length); break;
    default:
        incoming_size = last_size;
        memcpy(incoming, last, last_size);
        deliver(anjay, ssid);
        anjay_sched_run(anjay);
    }
    last_size = incoming_size;
    memcpy(last, incoming, incoming_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size) {
        return 0;
    }
    static int loud = -1;
    loud = loud < 0 ? !!getenv("FUZZ_LOG") : loud;
    avs_log_set_handler(tell);
    avs_log_set_default_level(loud ? AVS_LOG_TRACE : AVS_LOG_QUIET);
    memset(now, 0, sizeof(now));
    now[0] = (instance_t) { .present = true, .integer = 1, .text = "text", .many_present = { true, false, true } };
    open_transaction = false;
    firmware = FW_NONE;
    memset(&fault, 0, sizeof(fault));
    system_reset();
    next_mid = 0;
    sends_accepted = sends_ended = 0;
    last_size = 0;
    config_bits = *data++;
    --size;
    inside = true;
    anjay_t *anjay = make();
    anjay_sched_run(anjay);
    while (size >= 2) {
        const size_t length = data[1] <= size - 2 ? data[1] : size - 2;
        record(anjay, data[0] % OP_COUNT, 1 + data[0] / OP_COUNT % 2, data + 2, length);
        data += 2 + length;
        size -= 2 + length;
    }
    pass_time(anjay, 100000);
    recover(anjay);
    anjay_delete(anjay);
    REQUIRE(sends_accepted == sends_ended);
    inside = false;
    REQUIRE(!open_fds);
    return 0;
}
