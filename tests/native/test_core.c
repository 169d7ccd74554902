/* SPDX-License-Identifier: Apache-2.0 */
/** The client as a whole: configuration, loop and threads, its end, large registrations, allocations. */
#include "mock_server.h"

#include "../../vendor/avs_commons/src/base/alloc_hook.h"

#include <avsystem/commons/avs_memory.h>
#include <pthread.h>
#include <stdatomic.h>

/* ------------------------------------------------------------------ configuration */

static void test_configuration(void) {
    anjay_configuration_t config = { .endpoint_name = NULL };
    CHECK(!anjay_new(NULL) && !anjay_new(&config));
    config.endpoint_name = "";
    CHECK(!anjay_new(&config));
    char name[400];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    config.endpoint_name = name;
    CHECK(!anjay_new(&config));
    config.endpoint_name = "x";
    avs_coap_udp_tx_params_t tx_params = AVS_COAP_DEFAULT_UDP_TX_PARAMS;
    tx_params.ack_random_factor = 0.5;
    config.udp_tx_params = &tx_params;
    CHECK(!anjay_new(&config));
    config.udp_tx_params = NULL;
    const avs_net_dtls_handshake_timeouts_t timeouts = { { 5, 0 }, { 1, 0 } };
    config.udp_dtls_hs_tx_params = &timeouts;
    CHECK(!anjay_new(&config));
    config.udp_dtls_hs_tx_params = NULL;
    const anjay_lwm2m_version_config_t only_1_0 = { ANJAY_LWM2M_VERSION_1_0, ANJAY_LWM2M_VERSION_1_0 };
    config.lwm2m_version_config = &only_1_0;
    CHECK(!anjay_new(&config));
    config.lwm2m_version_config = NULL;
    uint32_t suite = 0xC0A8;
    config.default_tls_ciphersuites = (avs_net_socket_tls_ciphersuites_t) { .ids = &suite, .num_ids = 1 };
    anjay_t *anjay = anjay_new(&config);
    CHECK(anjay);
    int delay_ms;
    CHECK(anjay_sched_time_to_next_ms(anjay, &delay_ms) == -1 && anjay_sched_calculate_wait_time_ms(anjay, 77) == 77);
    CHECK(!anjay_get_sockets(anjay) && !anjay_get_socket_entries(anjay));
    CHECK(!anjay_all_connections_failed(anjay) && !anjay_ongoing_registration_exists(anjay));
    CHECK_INT(anjay_get_server_connection_status(anjay, 1), ANJAY_SERV_CONN_STATUS_INVALID);
    CHECK(avs_is_err(anjay_update_transport_tx_params(anjay, ANJAY_TRANSPORT_SET_UDP, &tx_params)));
    CHECK(avs_is_err(anjay_update_dtls_handshake_timeouts(anjay, timeouts)));
    CHECK(avs_is_ok(anjay_update_transport_tx_params(anjay, ANJAY_TRANSPORT_SET_UDP, &AVS_COAP_DEFAULT_UDP_TX_PARAMS)));
    CHECK(anjay_transport_enter_offline(anjay, ANJAY_TRANSPORT_SET_TCP));
    CHECK(anjay_event_loop_interrupt(anjay));
    anjay_delete(anjay);
    anjay_delete(NULL);
}

static int add_security(anjay_t *anjay, const char *uri, anjay_security_mode_t mode, anjay_ssid_t ssid, anjay_iid_t *iid) {
    const anjay_security_instance_t instance = {
        .ssid = ssid,
        .server_uri = uri,
        .security_mode = mode,
        .public_cert_or_psk_identity = (const uint8_t *) "id",
        .public_cert_or_psk_identity_size = mode == ANJAY_SECURITY_PSK ? 2 : 0,
        .private_cert_or_psk_key = (const uint8_t *) "key",
        .private_cert_or_psk_key_size = mode == ANJAY_SECURITY_PSK ? 3 : 0
    };
    return anjay_security_object_add_instance(anjay, &instance, iid);
}

static void test_security_instances(void) {
    anjay_t *anjay = new_client(NULL);
    anjay_iid_t iid = ANJAY_ID_INVALID;
    CHECK(anjay_security_object_install(anjay)); /* twice */
    CHECK(add_security(anjay, NULL, ANJAY_SECURITY_NOSEC, 1, &iid));
    CHECK(add_security(anjay, "http://host", ANJAY_SECURITY_NOSEC, 1, &iid));
    CHECK(add_security(anjay, "coap://", ANJAY_SECURITY_NOSEC, 1, &iid));
    CHECK(add_security(anjay, "coap://host:99999999", ANJAY_SECURITY_NOSEC, 1, &iid));
    CHECK(add_security(anjay, "coap://[::1", ANJAY_SECURITY_NOSEC, 1, &iid));
    CHECK(add_security(anjay, "coaps://host", ANJAY_SECURITY_NOSEC, 1, &iid));
    CHECK(add_security(anjay, "coap://host", ANJAY_SECURITY_PSK, 1, &iid));
    CHECK(add_security(anjay, "coap://host", ANJAY_SECURITY_NOSEC, 0, &iid));
    CHECK(add_security(anjay, "coap://host", ANJAY_SECURITY_NOSEC, 65535, &iid));
    CHECK(!anjay_security_object_is_modified(anjay));
    CHECK(!add_security(anjay, "coap://host", ANJAY_SECURITY_NOSEC, 1, &iid));
    CHECK_INT(iid, 0);
    CHECK(anjay_security_object_is_modified(anjay));
    iid = ANJAY_ID_INVALID;
    CHECK(add_security(anjay, "coap://host", ANJAY_SECURITY_NOSEC, 1, &iid)); /* the SSID again */
    iid = 5;
    CHECK(!add_security(anjay, "coaps://[::1]:5684", ANJAY_SECURITY_PSK, 5, &iid));
    CHECK(add_security(anjay, "coaps://[::1]:5684", ANJAY_SECURITY_PSK, 6, &iid)); /* the Instance again */
    iid = ANJAY_ID_INVALID;
    CHECK(!add_security(anjay, "coap://host/path?query", ANJAY_SECURITY_NOSEC, 7, &iid));
    CHECK_INT(iid, 1);
    const anjay_security_instance_t zero_byte = { .ssid = 8,
                                                  .server_uri = "coaps://host",
                                                  .security_mode = ANJAY_SECURITY_PSK,
                                                  .public_cert_or_psk_identity = (const uint8_t *) "i\0d",
                                                  .public_cert_or_psk_identity_size = 3,
                                                  .private_cert_or_psk_key = (const uint8_t *) "key",
                                                  .private_cert_or_psk_key_size = 3 };
    iid = ANJAY_ID_INVALID;
    CHECK(anjay_security_object_add_instance(anjay, &zero_byte, &iid));
    anjay_security_config_t config;
    CHECK(!anjay_security_config_from_dm(anjay, &config, "coaps://[::1]/firmware"));
    CHECK(anjay_security_config_from_dm(anjay, &config, "coaps://elsewhere/firmware"));
    anjay_security_object_purge(anjay);
    anjay_delete(anjay);
}

static void test_server_instances(void) {
    anjay_t *anjay = new_client(NULL);
    anjay_iid_t iid = ANJAY_ID_INVALID;
    anjay_server_instance_t server = { .ssid = 1, .lifetime = 60, .binding = "U" };
    CHECK(anjay_server_object_install(anjay));
    CHECK(anjay_server_object_set_lifetime(anjay, 0, 60));
    server.lifetime = 0;
    CHECK(anjay_server_object_add_instance(anjay, &server, &iid));
    server.lifetime = 60;
    server.binding = "UU";
    CHECK(anjay_server_object_add_instance(anjay, &server, &iid));
    server.binding = NULL;
    CHECK(anjay_server_object_add_instance(anjay, &server, &iid));
    server.binding = "UQ";
    CHECK(!anjay_server_object_is_modified(anjay));
    CHECK(!anjay_server_object_add_instance(anjay, &server, &iid));
    CHECK_INT(iid, 0);
    iid = ANJAY_ID_INVALID;
    CHECK(anjay_server_object_add_instance(anjay, &server, &iid));
    server.ssid = 2;
    CHECK(!anjay_server_object_add_instance(anjay, &server, &iid));
    CHECK_INT(iid, 1);
    AVS_LIST(const anjay_ssid_t) ssids = anjay_server_get_ssids(anjay);
    CHECK(AVS_LIST_SIZE(ssids) == 2 && ssids[0] == 1);
    CHECK(anjay_server_object_set_lifetime(anjay, 0, -1) && !anjay_server_object_set_lifetime(anjay, 0, 61));
    anjay_server_object_purge(anjay);
    CHECK(!anjay_server_get_ssids(anjay));
    anjay_delete(anjay);
}

/* ------------------------------------------------------------------ the loop, on a thread of its own */

typedef struct {
    anjay_t *anjay;
    int result;
} loop_t;

static void *run_loop(void *loop_ptr) {
    loop_t *loop = (loop_t *) loop_ptr;
    loop->result = anjay_event_loop_run(loop->anjay, avs_time_duration_from_scalar(60, AVS_TIME_S));
    return NULL;
}

/** Waits for a datagram, a second at most. */
static const char *mock_wait(mock_t *mock) {
    struct pollfd pollfd = { .fd = mock->fd, .events = POLLIN };
    poll(&pollfd, 1, 1000);
    return mock_receive(mock);
}

static atomic_int value = 1;

static int list_resources(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid,
                          anjay_dm_resource_list_ctx_t *ctx) {
    (void) anjay;
    (void) def;
    (void) iid;
    anjay_dm_emit_res(ctx, 1, ANJAY_DM_RES_R, ANJAY_DM_RES_PRESENT);
    return 0;
}

static int read_resource(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid, anjay_rid_t rid,
                         anjay_riid_t riid, anjay_output_ctx_t *ctx) {
    (void) anjay;
    (void) def;
    (void) iid;
    (void) rid;
    (void) riid;
    return anjay_ret_i32(ctx, value);
}

static const anjay_dm_object_def_t OBJECT = { .oid = 3333,
                                              .handlers = { .list_instances = anjay_dm_list_instances_SINGLE,
                                                            .list_resources = list_resources,
                                                            .resource_read = read_resource } };
static const anjay_dm_object_def_t *const OBJECT_PTR = &OBJECT;

static void test_loop_in_thread(void) {
    mock_t mock;
    pthread_t thread;
    anjay_t *anjay = new_client(NULL);
    loop_t loop = { .anjay = anjay, .result = 17 };
    CHECK(!anjay_register_object(anjay, &OBJECT_PTR));
    mock_open(&mock, 0);
    CHECK(!pthread_create(&thread, NULL, run_loop, &loop));
    add_server(anjay, 1, mock.port, NULL); /* wakes the loop */
    CHECK_STR(mock_wait(&mock), "CON POST rd?lwm2m=1.1&ep=x&lt=60 cf=40 \"</1/0>,</3333/0>\"");
    mock_answer(&mock, AVS_COAP_CODE_CREATED, "rd/5a3f");
    mock_request(&mock, AVS_COAP_CODE_GET, "3333/0/1", 0, NULL);
    CHECK_STR(mock_wait(&mock), "ACK 2.05 observe cf=0 \"1\"");
    CHECK_INT(anjay_event_loop_run(anjay, AVS_TIME_DURATION_ZERO), -1); /* one at a time */
    for (int i = 2; i < 5; ++i) {
        char expected[64];
        snprintf(expected, sizeof(expected), "NON 2.05 observe cf=0 \"%d\"", i);
        value = i;
        CHECK(!anjay_notify_changed(anjay, 3333, 0, 1));
        CHECK_STR(mock_wait(&mock), expected);
    }
    CHECK(!anjay_event_loop_interrupt(anjay));
    CHECK(!pthread_join(thread, NULL));
    CHECK_INT(loop.result, 0);
    CHECK(anjay_event_loop_interrupt(anjay));
    value = 1;
    end_client(anjay);
    mock_close(&mock);
}

/* ------------------------------------------------------------------ the end of a client */

static void *answer_deregister(void *mock_ptr) {
    mock_t *mock = (mock_t *) mock_ptr;
    if (!strcmp(mock_wait(mock), "CON DELETE rd/5a3f")) {
        mock_answer(mock, AVS_COAP_CODE_DELETED, NULL);
    }
    return NULL;
}

static double seconds_now(void) {
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

static void test_delete_deregisters(void) {
    mock_t mock;
    pthread_t thread;
    anjay_t *anjay = registered_client(&mock, NULL);
    CHECK(!pthread_create(&thread, NULL, answer_deregister, &mock));
    const double begin = seconds_now();
    anjay_delete(anjay);
    CHECK(seconds_now() - begin < 1);
    pthread_join(thread, NULL);
    CHECK_STR(mock.text, "CON DELETE rd/5a3f");
    mock_close(&mock);
}

static void test_delete_before_registration(void) {
    mock_t mock;
    anjay_t *anjay = new_client(NULL);
    mock_open(&mock, 0);
    add_server(anjay, 1, mock.port, NULL);
    EXPECT(anjay, &mock, REGISTER_TEXT);
    const double begin = seconds_now();
    anjay_delete(anjay);
    CHECK(seconds_now() - begin < 1);
    CHECK_STR(mock_receive(&mock), "nothing");
    mock_close(&mock);
}

/* ------------------------------------------------------------------ registrations larger than a block */

#define MANY 200

static void test_register_in_blocks(void) {
    static anjay_dm_object_def_t defs[MANY];
    static const anjay_dm_object_def_t *ptrs[MANY];
    char expected[MANY * 16] = "</1/0>", got[MANY * 16] = "", text[64];
    size_t size = 0;
    mock_t mock;
    anjay_t *anjay = new_client(NULL);
    for (int i = 0; i < MANY; ++i) {
        defs[i] = (anjay_dm_object_def_t) { .oid = (anjay_oid_t) (10000 + i),
                                            .handlers.list_instances = anjay_dm_list_instances_SINGLE };
        ptrs[i] = &defs[i];
        CHECK(!anjay_register_object(anjay, &ptrs[i]));
        snprintf(text, sizeof(text), ",</%d/0>", 10000 + i);
        strcat(expected, text);
    }
    mock_open(&mock, 0);
    add_server(anjay, 1, mock.port, NULL);
    for (int i = 0; i < 100 && size < strlen(expected); ++i) {
        coap_option_t option;
        coap_block_t block;
        turns(anjay);
        mock_receive(&mock);
        CHECK(coap_option_find(&mock.msg, COAP_OPT_BLOCK1, &option) && !coap_option_block(&option, &block));
        if (size + mock.msg.payload_size >= sizeof(got)) {
            break;
        }
        CHECK_INT(block.num, i);
        memcpy(got + size, mock.msg.payload, mock.msg.payload_size);
        size += mock.msg.payload_size;
        mock_answer(&mock, block.more ? AVS_COAP_CODE_CONTINUE : AVS_COAP_CODE_CREATED, block.more ? NULL : "rd/5a3f");
    }
    EXPECT(anjay, &mock, "nothing");
    CHECK_STR(got, expected);
    CHECK_INT(anjay_get_server_connection_status(anjay, 1), ANJAY_SERV_CONN_STATUS_REGISTERED);
    end_client(anjay);
    mock_close(&mock);
}

/** A request larger than the buffer for datagrams is refused, and the next one is served. */
static void test_oversized_datagram(void) {
    char large[1700];
    mock_t mock;
    anjay_t *anjay = registered_client(&mock, &(const anjay_configuration_t) { .in_buffer_size = 1280 });
    memset(large, '1', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    mock_request(&mock, AVS_COAP_CODE_PUT, "1/0/1", -1, large);
    EXPECT(anjay, &mock, "ACK 4.13");
    mock_request(&mock, AVS_COAP_CODE_GET, "1/0/1", -1, NULL);
    EXPECT(anjay, &mock, "ACK 2.05 cf=0 \"60\"");
    end_client(anjay);
    mock_close(&mock);
}

/* ------------------------------------------------------------------ allocations */

static size_t allocations, fail_at;
static bool fail_all_later;

static bool count_allocation(void) {
    ++allocations;
    return fail_at && (fail_all_later ? allocations >= fail_at : allocations == fail_at);
}

static void test_warm_read_allocates_nothing(void) {
    mock_t mock;
    anjay_t *anjay = registered_client(&mock, NULL);
    CHECK(!anjay_register_object(anjay, &OBJECT_PTR));
    for (int i = 0; i < 20; ++i) {
        if (i == 10) {
            allocations = fail_at = 0;
            avs_alloc_set_hook(count_allocation);
        }
        mock_request(&mock, AVS_COAP_CODE_GET, "3333/0/1", -1, NULL);
        EXPECT(anjay, &mock, "ACK 2.05 cf=0 \"1\"");
    }
    avs_alloc_set_hook(NULL);
    CHECK_INT(allocations, 0);
    end_client(anjay);
    mock_close(&mock);
}

/** A life in which any step may fail for want of memory; what matters is that nothing breaks or leaks. */
static void frugal_life(void) {
    mock_t mock;
    char uri[64];
    mock_open(&mock, 0);
    snprintf(uri, sizeof(uri), "coap://127.0.0.1:%u", mock.port);
    const anjay_security_instance_t security = { .ssid = 1, .server_uri = uri, .security_mode = ANJAY_SECURITY_NOSEC };
    const anjay_server_instance_t server = { .ssid = 1, .lifetime = 60, .default_min_period = -1,
                                             .default_max_period = -1, .disable_timeout = -1, .binding = "U" };
    anjay_iid_t security_iid = ANJAY_ID_INVALID, server_iid = ANJAY_ID_INVALID;
    avs_alloc_set_hook(count_allocation);
    anjay_t *anjay = anjay_new(&(const anjay_configuration_t) { .endpoint_name = "x", .msg_cache_size = 4000 });
    if (anjay && !anjay_security_object_install(anjay) && !anjay_server_object_install(anjay)
            && !anjay_register_object(anjay, &OBJECT_PTR)
            && !anjay_security_object_add_instance(anjay, &security, &security_iid)
            && !anjay_server_object_add_instance(anjay, &server, &server_iid)) {
        turns(anjay);
        if (strcmp(mock_receive(&mock), "nothing")) {
            mock_answer(&mock, AVS_COAP_CODE_CREATED, "rd/5a3f");
            turns(anjay);
            mock_request(&mock, AVS_COAP_CODE_GET, "3333/0/1", 0, NULL);
            turns(anjay);
            mock_request(&mock, AVS_COAP_CODE_PUT, "1/0/1", -1, "90");
            turns(anjay);
            anjay_notify_changed(anjay, 3333, 0, 1);
            pass(anjay, 2);
            mock_receive_last(&mock);
        }
    }
    if (anjay) {
        end_client(anjay);
    }
    avs_alloc_set_hook(NULL);
    mock_close(&mock);
}

static void test_allocation_failures(void) {
    for (int later = 0; later < 2; ++later) {
        fail_all_later = later;
        fail_at = 0;
        allocations = 0;
        frugal_life();
        const size_t all = allocations;
        CHECK(all > 10);
        for (fail_at = 1; fail_at <= all; ++fail_at) {
            allocations = 0;
            frugal_life();
        }
    }
    fail_at = 0;
}

/** Memory that runs out once delays a registration, and no more. */
static void test_registers_after_shortage(void) {
    fail_all_later = false;
    for (fail_at = 1; fail_at <= 25; ++fail_at) {
        mock_t mock;
        anjay_t *anjay = new_client(NULL);
        mock_open(&mock, 0);
        add_server(anjay, 1, mock.port, NULL);
        allocations = 0;
        avs_alloc_set_hook(count_allocation);
        for (int i = 0; i < 200 && strcmp(mock_receive(&mock), REGISTER_TEXT); ++i) {
            pass(anjay, 1);
        }
        avs_alloc_set_hook(NULL);
        CHECK_STR(mock.text, REGISTER_TEXT);
        end_client(anjay);
        mock_close(&mock);
    }
    fail_at = 0;
}

int main(void) {
    avs_log_set_default_level(AVS_LOG_QUIET);
    RUN(test_configuration);
    RUN(test_security_instances);
    RUN(test_server_instances);
    RUN(test_loop_in_thread);
    RUN(test_delete_deregisters);
    RUN(test_delete_before_registration);
    RUN(test_register_in_blocks);
    RUN(test_oversized_datagram);
    RUN(test_warm_read_allocates_nothing);
    RUN(test_allocation_failures);
    RUN(test_registers_after_shortage);
    return TEST_END();
}
