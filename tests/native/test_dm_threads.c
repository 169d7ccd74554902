/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Other threads while the loop's thread serves: they notify, register and unregister, schedule, stop the loop, ask, change servers, set log handlers;
 * several clients each in a thread of its own. Nothing is lost, nothing races (ThreadSanitizer).
 */
#include "dm_object.h"

#include <pthread.h>
#include <stdatomic.h>

enum { OBJECTS = 40, ROUNDS = 300 };

static atomic_bool done;
static atomic_int value;

static int shared_list_resources(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid,
                                 anjay_dm_resource_list_ctx_t *ctx) {
    anjay_dm_emit_res(ctx, 0, ANJAY_DM_RES_RW, ANJAY_DM_RES_PRESENT);
    return 0;
}

static int shared_read(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid, anjay_rid_t rid,
                       anjay_riid_t riid, anjay_output_ctx_t *ctx) {
    return anjay_ret_i64(ctx, value);
}

static int shared_write(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid, anjay_rid_t rid,
                        anjay_riid_t riid, anjay_input_ctx_t *ctx) {
    int64_t ignored;
    return anjay_get_i64(ctx, &ignored);
}

static const anjay_dm_object_def_t SHARED = { .oid = 3333,
                                             .handlers = { .list_instances = anjay_dm_list_instances_SINGLE,
                                                           .list_resources = shared_list_resources,
                                                           .resource_read = shared_read,
                                                           .resource_write = shared_write } };
static const anjay_dm_object_def_t *const SHARED_PTR = &SHARED;

static void *notify(void *anjay) {
    for (int i = 0; i < ROUNDS; ++i) {
        ++value;
        CHECK(!anjay_notify_changed((anjay_t *) anjay, 3333, 0, 0));
        usleep(100);
    }
    return NULL;
}

static void *come_and_go(void *anjay) {
    static anjay_dm_object_def_t defs[OBJECTS];
    static const anjay_dm_object_def_t *pointers[OBJECTS];
    while (!done) {
        for (int i = 0; i < OBJECTS; ++i) { /* on both sides of the object that is served */
            defs[i] = (anjay_dm_object_def_t) { .oid = (anjay_oid_t) (3313 + i + (i >= OBJECTS / 2)),
                                                .handlers = { .list_instances = anjay_dm_list_instances_SINGLE } };
            pointers[i] = &defs[i];
            CHECK(!anjay_register_object((anjay_t *) anjay, &pointers[i]));
        }
        for (int i = 0; i < OBJECTS; ++i) {
            while (anjay_unregister_object((anjay_t *) anjay, &pointers[i])) { /* one of its handlers is running */
                usleep(50);
            }
        }
    }
    return NULL;
}

static char last[64]; /**< notification that came last */

static const char *receive(anjay_t *anjay, mock_t *mock) {
    turns(anjay);
    const char *text = mock_receive(mock);
    if (!strncmp(text, "NON", 3)) {
        snprintf(last, sizeof(last), "%s", text);
    }
    return text;
}

static void test_threads(void) {
    mock_t mock;
    pthread_t threads[2];
    anjay_t *anjay = registered_client(&mock, NULL);
    CHECK(!anjay_register_object(anjay, &SHARED_PTR));
    turns(anjay);
    CHECK_STR(ASK(anjay, &mock, GET, .path = "3333/0/0", AS_TEXT, .observe = 1, .token = 0xA1), "ACK 2.05 observe cf=0 \"0\"");
    CHECK(!pthread_create(&threads[0], NULL, notify, anjay) && !pthread_create(&threads[1], NULL, come_and_go, anjay));
    for (int i = 0; i < ROUNDS; ++i) {
        send_ask(&mock, i % 2 ? &(const ask_t) { GET, .path = "3333/0/0", AS_TEXT }
                              : &(const ask_t) { PUT, .path = "3333/0/0", IN_TEXT, .payload = "1" });
        const char *answer = "nothing";
        for (int tries = 0; strncmp(answer, "ACK", 3) && tries < 1000; ++tries) {
            answer = receive(anjay, &mock);
        }
        CHECK(!strncmp(answer, "ACK 2.0", 7));
    }
    CHECK(!pthread_join(threads[0], NULL));
    done = true;
    CHECK(!pthread_join(threads[1], NULL));
    while (strcmp(receive(anjay, &mock), "nothing")) {
    }
    char expected[64];
    snprintf(expected, sizeof(expected), "NON 2.05 observe cf=0 \"%d\"", ROUNDS);
    CHECK_STR(last, expected);
    end_client(anjay);
    mock_close(&mock);
}

/* ------------------------------------------------------------------ a loop of the library's own */

enum { LOOPS = 60, WORKERS = 3 };

static atomic_int jobs_done;

static void count_job(avs_sched_t *sched, const void *unused) {
    ++jobs_done;
}

typedef struct {
    anjay_t *anjay;
    mock_t mock;
    pthread_t loop, server;
    atomic_bool over;
    atomic_int answered, rounds;
} world_t;

/** Runs the loop again each time that somebody stops it. */
static void *loop(void *world_ptr) {
    world_t *world = (world_t *) world_ptr;
    while (!world->over) {
        CHECK(!anjay_event_loop_run(world->anjay, avs_time_duration_from_scalar(100, AVS_TIME_MS)));
        ++world->rounds;
    }
    return NULL;
}

/** Answers what comes, with 2.01 or 2.04, and acknowledges notifications. */
static void *serve_world(void *world_ptr) {
    world_t *world = (world_t *) world_ptr;
    while (!world->over) {
        struct pollfd readable = { .fd = world->mock.fd, .events = POLLIN };
        if (poll(&readable, 1, 5) <= 0) {
            continue;
        }
        const char *text = mock_receive(&world->mock);
        if (!strncmp(text, "CON POST rd?", 12)) {
            mock_answer(&world->mock, AVS_COAP_CODE(2, 1), "rd/1");
            send_ask(&world->mock, &(const ask_t) { GET, .path = "3333/0/0", AS_TEXT, .observe = 1, .token = 0xA1 });
        } else if (!strncmp(text, "CON", 3)) {
            mock_answer(&world->mock, !strncmp(text, "CON 2", 5) ? 0 : AVS_COAP_CODE(2, text[4] == 'D' ? 2 : 4), NULL);
        }
        world->answered += !strncmp(text, "ACK 2", 5);
    }
    return NULL;
}

static void begin_world(world_t *world) {
    const anjay_configuration_t config = { .msg_cache_size = 4000, .confirmable_notifications = true };
    memset(world, 0, sizeof(*world));
    world->anjay = new_client(&config);
    mock_open(&world->mock, 0);
    add_server(world->anjay, 1, world->mock.port, NULL);
    CHECK(!anjay_register_object(world->anjay, &SHARED_PTR));
    CHECK(!pthread_create(&world->server, NULL, serve_world, world) && !pthread_create(&world->loop, NULL, loop, world));
}

static void *work(void *world_ptr) {
    world_t *world = (world_t *) world_ptr;
    anjay_t *anjay = world->anjay;
    for (int i = 0; i < LOOPS; ++i) {
        ++value;
        CHECK(!anjay_notify_changed(anjay, 3333, 0, 0));
        CHECK(!AVS_SCHED_NOW(anjay_get_scheduler(anjay), NULL, count_job, NULL, 0));
        (void) anjay_event_loop_interrupt(anjay);
        (void) anjay_schedule_registration_update(anjay, 1);
        (void) anjay_ongoing_registration_exists(anjay);
        (void) anjay_get_server_connection_status(anjay, 1);
        (void) anjay_next_planned_lifecycle_operation(anjay, ANJAY_SSID_ANY);
        (void) anjay_has_unsent_notifications(anjay, 1);
        CHECK(!anjay_server_object_set_lifetime(anjay, 0, 60 + i));
        avs_log(test, INFO, "round %d", i);
        usleep(200);
    }
    return NULL;
}

static atomic_int logged;

static void log_one(avs_log_level_t level, const char *module, const char *message) {
    logged += message[0] != '\0';
}

static void log_other(avs_log_level_t level, const char *module, const char *message) {
    logged += module[0] != '\0';
}

/** Handlers and levels are changed while others log. */
static void *set_logs(void *over_ptr) {
    const atomic_bool *over = (const atomic_bool *) over_ptr;
    for (int i = 0; !*over; ++i) {
        avs_log_set_handler(i % 2 ? log_one : log_other);
        avs_log_set_default_level(i % 3 ? AVS_LOG_TRACE : AVS_LOG_INFO);
        avs_log_set_level(coap, i % 5 ? AVS_LOG_DEBUG : AVS_LOG_QUIET);
        usleep(50);
    }
    return NULL;
}

/** Starts the loop thread's end and waits for both threads of a world; then the client is deleted by this thread. */
static void join_world(world_t *world) {
    world->over = true;
    (void) anjay_event_loop_interrupt(world->anjay); /* it may be between two rounds: then it sees `over`, at most 100 ms later */
    CHECK(!pthread_join(world->loop, NULL));
    CHECK(!pthread_join(world->server, NULL));
    end_client(world->anjay);
    mock_close(&world->mock);
}

static void test_loop_and_workers(void) {
    world_t world;
    pthread_t workers[WORKERS], logs;
    atomic_bool over = false;
    jobs_done = 0;
    begin_world(&world);
    CHECK(!pthread_create(&logs, NULL, set_logs, &over));
    for (int i = 0; i < WORKERS; ++i) {
        CHECK(!pthread_create(&workers[i], NULL, work, &world));
    }
    for (int i = 0; i < WORKERS; ++i) {
        CHECK(!pthread_join(workers[i], NULL));
    }
    for (int i = 0; i < 500 && (jobs_done < WORKERS * LOOPS || !world.answered); ++i) {
        usleep(10000);
    }
    CHECK_INT(jobs_done, WORKERS * LOOPS);
    CHECK(world.answered > 0 && world.rounds > 0);
    over = true;
    CHECK(!pthread_join(logs, NULL));
    avs_log_set_default_level(AVS_LOG_QUIET);
    avs_log_set_level(coap, AVS_LOG_QUIET);
    CHECK(logged > 0);
    join_world(&world);
}

/** Servers come and go by another thread's hand while the loop talks to them. */
static void *change_servers(void *world_ptr) {
    world_t *world = (world_t *) world_ptr;
    anjay_t *anjay = world->anjay;
    const anjay_transport_set_t all = ANJAY_TRANSPORT_SET_ALL;
    for (int i = 0; i < LOOPS; ++i) {
        switch (i % 6) {
        case 0: (void) anjay_disable_server_with_timeout(anjay, 1, AVS_TIME_DURATION_ZERO); break;
        case 1: (void) anjay_transport_enter_offline(anjay, all); break;
        case 2: (void) anjay_transport_exit_offline(anjay, all); break;
        case 3:
            anjay_security_object_purge(anjay);
            anjay_server_object_purge(anjay);
            break;
        case 4: add_server(anjay, 1, world->mock.port, NULL); break;
        default: (void) anjay_transport_schedule_reconnect(anjay, all);
        }
        usleep(1000);
    }
    anjay_security_object_purge(anjay);
    anjay_server_object_purge(anjay);
    add_server(anjay, 1, world->mock.port, NULL);
    CHECK(!anjay_transport_exit_offline(anjay, all));
    return NULL;
}

static void test_servers_change(void) {
    world_t world;
    pthread_t threads[2];
    begin_world(&world);
    CHECK(!pthread_create(&threads[0], NULL, change_servers, &world) && !pthread_create(&threads[1], NULL, notify, world.anjay));
    CHECK(!pthread_join(threads[0], NULL));
    CHECK(!pthread_join(threads[1], NULL));
    for (int i = 0; i < 500 && anjay_get_server_connection_status(world.anjay, 1) != ANJAY_SERV_CONN_STATUS_REGISTERED; ++i) {
        usleep(10000);
    }
    CHECK_INT(anjay_get_server_connection_status(world.anjay, 1), ANJAY_SERV_CONN_STATUS_REGISTERED);
    join_world(&world);
}

/** Clients know nothing of one another, though they share the pool of buffers, the handles' lock and the log. */
static void *one_of_many(void *unused) {
    for (int i = 0; i < 3; ++i) {
        world_t world;
        begin_world(&world);
        for (int k = 0; k < 500 && !world.answered; ++k) {
            CHECK(!anjay_notify_changed(world.anjay, 3333, 0, 0));
            usleep(5000);
        }
        CHECK(world.answered > 0);
        join_world(&world);
    }
    return NULL;
}

static void test_several_clients(void) {
    pthread_t threads[4];
    for (int i = 0; i < 4; ++i) {
        CHECK(!pthread_create(&threads[i], NULL, one_of_many, NULL));
    }
    for (int i = 0; i < 4; ++i) {
        CHECK(!pthread_join(threads[i], NULL));
    }
}

int main(void) {
    avs_log_set_default_level(AVS_LOG_QUIET);
    RUN(test_threads);
    RUN(test_loop_and_workers);
    RUN(test_servers_change);
    RUN(test_several_clients);
    return TEST_END();
}
