/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The glue below Python, with each allocation and each call for a descriptor or a thread made to fail in turn, once and from then on;
 * its own alone, and together with the library's. Whatever fails says so and can be done again; nothing is left at the end.
 */
#define GLUE_FAILURES_ONLY_DECLARE
#include "glue_failures.h"
#include "mock_server.h"

#include "../../anjay_cffi/_glue_dm.h"
#include "../../vendor/avs_commons/src/base/alloc_hook.h"

#include <stdatomic.h>

/* ------------------------------------------------------------------ failures */

static atomic_long calls, fail_from, fail_count;
static atomic_int fresh;    /**< failures that no check has met yet */
static atomic_bool excused; /**< one of them need not be seen */
static bool glue_only;
static int unseen; /**< failures of the glue's own that no call has reported */

bool must_fail(void) {
    const long n = ++calls;
    const bool now = n >= fail_from && n < fail_from + fail_count;
    fresh += now;
    return now;
}

bool must_fail_for_now(void) {
    const bool now = must_fail();
    excused |= now;
    return now;
}

static void fail(long from, long count, bool library) {
    calls = 0;
    fresh = 0;
    excused = false;
    fail_from = from;
    fail_count = count;
    glue_only = !library;
    avs_alloc_set_hook(library ? must_fail : NULL);
}

static void fail_no_more(void) {
    avs_alloc_set_hook(NULL);
    fail_count = 0;
}

/** Whether @p done; if not, something must have been made to fail. @p again says whether to try once more. */
static bool check(bool done, bool *again, const char *what) {
    if (!done && !fresh) {
        fprintf(stderr, "%s failed by itself (errno %d)\n", what, errno);
        ++checks_failed;
    }
    unseen += done && fresh && !excused && glue_only;
    *again = !done && fail_count == 1 && fresh;
    fresh = 0;
    excused = false;
    return done;
}

/** Does it, or does it again after a failure that comes once; leaves the scenario if failures stay. */
#define STEP(expression)                                \
    do {                                                \
        bool again__ = true;                            \
        while (!check((expression), &again__, #expression)) { \
            if (!again__) {                             \
                return false;                           \
            }                                           \
        }                                               \
    } while (0)

/* ------------------------------------------------------------------ in the place of Python */

static int runs[3];
static int32_t value = 1;

void anjay_cffi_on_job(int64_t number) {
    ++runs[number];
}

int anjay_cffi_on_interrupt(void *loop) {
    return 0;
}

void anjay_cffi_on_log(int level, const char *module, const char *message) {
}

int anjay_cffi_dm_read(void *handle, uint16_t iid, size_t index, int32_t riid, anjay_output_ctx_t *ctx) {
    return anjay_ret_i32(ctx, value);
}

int anjay_cffi_dm_write(void *handle, uint16_t iid, size_t index, int32_t riid, anjay_input_ctx_t *ctx) {
    return anjay_get_i32(ctx, &value);
}

int anjay_cffi_dm_execute(void *handle, uint16_t iid, size_t index, anjay_execute_ctx_t *ctx) {
    return 0;
}

int anjay_cffi_dm_riids(void *handle, uint16_t iid, size_t index, anjay_dm_list_ctx_t *ctx) {
    anjay_dm_emit(ctx, 0);
    anjay_dm_emit(ctx, 7);
    return 0;
}

int anjay_cffi_dm_reset(void *handle, uint16_t iid, int64_t index) {
    return 0;
}

int anjay_cffi_dm_remove_element(void *handle, uint16_t iid, size_t index, uint16_t riid) {
    return 0;
}

int anjay_cffi_dm_create(void *handle, uint16_t iid) {
    return 0;
}

int anjay_cffi_dm_delete(void *handle, uint16_t iid) {
    return 0;
}

int anjay_cffi_dm_transaction(void *handle, int what) {
    return 0;
}

/* ------------------------------------------------------------------ the scenario */

typedef enum { ANSWERED, SILENT, OFFLINE } ending_t;

typedef struct {
    mock_t mock;
    anjay_cffi_loop_t *loop;
    anjay_t *anjay;
    anjay_cffi_object_t *single, *multiple;
    anjay_cffi_job_t *once, *every, *notifier;
} world_t;

static bool has_errno(const void *got, int a, int b) {
    CHECK(got || errno == a || errno == b);
    return got != NULL;
}

static bool step(world_t *w) {
    const int result = anjay_cffi_loop_step(w->loop, w->anjay);
    CHECK(result == ANJAY_CFFI_LOOP_DONE || (result == ANJAY_CFFI_LOOP_ERROR && (errno == ENOMEM || errno == ENOSPC)));
    return result == ANJAY_CFFI_LOOP_DONE;
}

static bool run_briefly(world_t *w) {
    const int result = anjay_cffi_loop_run(w->loop, w->anjay, 1, 0.001);
    CHECK(result == ANJAY_CFFI_LOOP_DONE || (result == ANJAY_CFFI_LOOP_ERROR && errno == ENOMEM));
    return result == ANJAY_CFFI_LOOP_DONE;
}

/** How often to look: where everything fails, most of what is waited for never comes. */
static int patience(void) {
    return fail_count > 1 ? 30 : 3000;
}

/** What failures do not explain is an error. */
static bool gave_up(const world_t *w, const char *expected) {
    if (!fresh) {
        fprintf(stderr, "no %s, but %s\n", expected, w->mock.text);
        ++checks_failed;
    }
    return false;
}

/** Drives the client until a message comes that begins with @p expected; others are acknowledged. @returns false where driving failed. */
static bool until(world_t *w, bool drive(world_t *), const char *expected) {
    for (int i = 0; i < patience(); ++i) {
        if (!drive(w)) {
            return false;
        }
        const char *text = mock_receive(&w->mock);
        if (!strncmp(text, expected, strlen(expected))) {
            return true;
        }
        if (!strncmp(text, "CON POST rd?", 12)) {
            mock_answer(&w->mock, AVS_COAP_CODE(2, 1), "rd/5a3f");
        } else if (!strncmp(text, "CON POST rd/", 12)) {
            mock_answer(&w->mock, AVS_COAP_CODE(2, 4), NULL);
        } else if (!strncmp(text, "CON", 3)) {
            mock_answer(&w->mock, 0, NULL);
        } else if (!strcmp(text, "nothing")) {
            poll(NULL, 0, 1);
            clock_offset += 0.3; /* what was lost is sent again; what is rare, comes */
        }
    }
    return gave_up(w, expected);
}

static bool registered(world_t *w) {
    return anjay_get_server_connection_status(w->anjay, 1) == ANJAY_SERV_CONN_STATUS_REGISTERED;
}

/** Asks until an answer @p expected comes: failing memory may cost a request or its answer, as the network does. */
static bool ask(world_t *w, bool drive(world_t *), const char *path, int observe, const char *expected) {
    for (int i = 0; i < 50; ++i) {
        mock_request(&w->mock, AVS_COAP_CODE_GET, path, observe, NULL);
        for (int k = 0; k < 5; ++k) {
            if (!drive(w)) {
                return false;
            }
            const char *text = mock_receive(&w->mock);
            if (!strncmp(text, expected, strlen(expected))) {
                return true;
            }
            if (!strncmp(text, "CON", 3)) {
                mock_answer(&w->mock, 0, NULL);
            }
            poll(NULL, 0, !strcmp(text, "nothing"));
        }
    }
    return gave_up(w, expected);
}

static bool has_run(world_t *w, bool drive(world_t *), const int *count, int at_least) {
    for (int i = 0; i < patience() && *count < at_least; ++i) {
        if (!drive(w)) {
            return false;
        }
        clock_offset += 0.05;
    }
    return *count >= at_least || gave_up(w, "run of a job");
}

static anjay_cffi_notice_t notice = { .iid = ANJAY_ID_INVALID, .count = 1, .rids = { 1 } };
typedef enum { ONE, MANY, BY_JOB } notifying_t;

/** Without memory a notification may be lost, as the network may lose it, or be an error, which ends the observation. */
static bool notified(world_t *w, notifying_t how) {
    for (int i = 0; i < 20; ++i) {
        ++value;
        if (how == ONE    ? anjay_cffi_notify(w->loop, w->anjay, 3333, 0, 1)
            : how == MANY ? anjay_cffi_notify_all(&notice)
                          : !w->notifier) {
            return false;
        }
        for (int k = 0; k < 20; ++k) {
            if (!step(w)) {
                return false;
            }
            const char *text = mock_receive(&w->mock);
            if (!strncmp(text, "NON 2.05 observe", 16)) {
                return true;
            }
            if (!strncmp(text, "NON 5", 5) && !ask(w, step, "3333/0/1", 0, "ACK 2.05 observe")) {
                return false;
            }
            clock_offset += 0.05;
        }
    }
    return gave_up(w, "a notification");
}

static const uint16_t RIDS[] = { 0, 1 };
static const uint8_t SINGLE[] = { ANJAY_DM_RES_R, ANJAY_DM_RES_RW };
static const uint8_t MULTIPLE[] = { ANJAY_DM_RES_RM, ANJAY_DM_RES_R };
static const uint16_t IIDS[] = { 0, 3 };
static const uint8_t PRESENT[] = { 1, 1, 1, 0 };

static bool make(world_t *w, bool library) {
    STEP(has_errno(w->loop = anjay_cffi_loop_new(), ENOMEM, EMFILE));
    avs_alloc_set_hook(NULL); /* what the library does alone is for test_alloc */
    w->anjay = new_client(NULL);
    add_server(w->anjay, 1, w->mock.port, NULL);
    avs_alloc_set_hook(library ? must_fail : NULL);
    STEP(w->single = anjay_cffi_object_new(NULL, 3333, "1.1", ANJAY_CFFI_READS | ANJAY_CFFI_WRITES, RIDS, SINGLE, 2));
    STEP(w->multiple = anjay_cffi_object_new(NULL, 3334, NULL, ANJAY_CFFI_READS | ANJAY_CFFI_MULTIPLE, RIDS, MULTIPLE, 2));
    STEP(!anjay_cffi_object_set(w->single, IIDS, PRESENT, 2));
    STEP(!anjay_cffi_object_set(w->multiple, IIDS, PRESENT, 1));
    STEP(!anjay_register_object(w->anjay, anjay_cffi_object_def(w->single)));
    STEP(!anjay_register_object(w->anjay, anjay_cffi_object_def(w->multiple)));
    return true;
}

static bool work(world_t *w) {
    STEP(run_briefly(w));
    STEP(anjay_cffi_loop_fileno(w->loop, w->anjay) >= 0);
    STEP(until(w, step, "CON POST rd?"));
    mock_answer(&w->mock, AVS_COAP_CODE(2, 1), "rd/5a3f");
    STEP(ask(w, run_briefly, "3334/0/0/7", -1, "ACK 2.05"));
    for (int i = 0; i < 300 && !registered(w); ++i) { /* if the answer was lost, Register comes again */
        STEP(until(w, step, ""));
    }
    STEP(ask(w, step, "3333/0/1", 0, "ACK 2.05 observe"));
    STEP(w->once = anjay_cffi_job_new(0, w->loop, w->anjay, 0.0, 0.0, NULL));
    STEP(w->every = anjay_cffi_job_new(1, w->loop, w->anjay, 0.5, 0.5, NULL));
    STEP(has_run(w, step, &runs[0], 1));
    STEP(has_run(w, step, &runs[1], 2));
    STEP(has_run(w, run_briefly, &runs[1], 4));
    CHECK_INT(runs[0], 1);
    STEP(!anjay_cffi_job_schedule(w->once, w->anjay, 0.0, 0.0));
    STEP(has_run(w, run_briefly, &runs[0], 2));
    anjay_cffi_job_cancel(w->once);
    CHECK_INT(anjay_cffi_job_schedule(w->once, w->anjay, 0.0, 0.0), -1);
    STEP(run_briefly(w));
    CHECK_INT(runs[0], 2);
    int fds[1];
    CHECK_INT(anjay_cffi_loop_sockets(w->loop, w->anjay, fds, 1), 1);
    anjay_cffi_object_set_present(w->single, 3, 1, 1);
    notice.loop = w->loop;
    notice.anjay = w->anjay;
    notice.object = w->single;
    STEP(notified(w, ONE));
    STEP(notified(w, MANY));
    STEP(w->notifier = anjay_cffi_job_new(2, w->loop, w->anjay, 0.5, 0.5, &notice));
    const long calls_before = calls;
    STEP(notified(w, BY_JOB));
    const bool something_failed = calls >= fail_from && calls_before < fail_from + fail_count;
    CHECK(runs[2] == 0 || something_failed); /* else Python is not asked */
    notice.object = NULL;
    runs[2] = 0;
    STEP(has_run(w, step, &runs[2], 2));
    notice.object = w->single;
    STEP(!anjay_cffi_job_schedule(w->notifier, w->anjay, 0.0, 0.0));
    runs[2] = 0;
    STEP(has_run(w, step, &runs[2], 1)); /* planned anew it is Python's */
    STEP(!anjay_unregister_object(w->anjay, anjay_cffi_object_def(w->multiple)));
    return true;
}

/** Answers one De-register. */
static void *answer_main(void *arg) {
    mock_t *mock = (mock_t *) arg;
    for (int i = 0; i < 100; ++i) {
        struct pollfd fd = { .fd = mock->fd, .events = POLLIN };
        poll(&fd, 1, 100);
        const char *text = mock_receive(mock);
        if (!strncmp(text, "CON DELETE", 10)) {
            mock_answer(mock, AVS_COAP_CODE(2, 2), NULL);
            return NULL;
        }
        if (!strncmp(text, "malformed", 9)) {
            return NULL;
        }
    }
    return NULL;
}

static void end(world_t *w, ending_t ending, bool complete) {
    anjay_cffi_job_delete(w->once);
    anjay_cffi_job_delete(w->every);
    anjay_cffi_job_delete(w->notifier);
    if (w->anjay && ending == OFFLINE) {
        anjay_transport_enter_offline(w->anjay, ANJAY_TRANSPORT_SET_ALL);
        turns(w->anjay);
    }
    if (w->anjay) {
        pthread_t thread;
        const bool answered = ending == ANSWERED && complete;
        CHECK(!answered || !pthread_create(&thread, NULL, answer_main, &w->mock));
        fresh = 0;
        const int cut = anjay_cffi_close(w->loop, w->anjay, answered ? 60.0 : 0.02);
        if (complete && ending == SILENT) {
            CHECK_INT(cut, 1); /* also where nobody could be told to do it in time */
        } else if (complete) {
            CHECK_INT(cut, fresh > 0 && ending == ANSWERED);
        }
        if (answered) {
            const struct sockaddr_in self = { .sin_family = AF_INET,
                                              .sin_port = htons((uint16_t) w->mock.port),
                                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
            sendto(w->mock.fd, "", 1, 0, (const struct sockaddr *) &self, sizeof(self)); /* for a thread that waits */
            pthread_join(thread, NULL);
        }
    }
    anjay_cffi_loop_delete(w->loop);
    anjay_cffi_object_delete(w->single);
    anjay_cffi_object_delete(w->multiple);
}

static int open_descriptors(void) {
    int count = 0;
    for (int fd = 0; fd < 256; ++fd) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    return count;
}

/** @returns whether anything was made to fail. */
static bool scenario(ending_t ending, long n, long count, bool library) {
    world_t w = { .loop = NULL };
    memset(runs, 0, sizeof(runs));
    mock_open(&w.mock, 0);
    const int before = open_descriptors();
    fail(n, count, library);
    const bool complete = make(&w, library) && work(&w);
    CHECK(complete || count > 1);
    avs_alloc_set_hook(NULL); /* not thread-safe, and an answer may be lost for it */
    end(&w, ending, complete);
    const bool any = calls >= fail_from;
    fail_no_more();
    CHECK_INT(anjay_cffi_live_objects(), 0);
    CHECK_INT(open_descriptors(), before);
    mock_close(&w.mock);
    return any;
}

static long failures;

static void sweep(ending_t ending, bool library) {
    const int checks_before = checks_failed;
    for (long count = 1; count < 1000000; count += 999998) {
        bool any = true;
        for (long n = 1; any && n < 1000; ++n) {
            any = scenario(ending, n, count, library);
            failures += any;
            if (checks_failed > checks_before) {
                fprintf(stderr, "  ending %d, failure %ld%s%s\n", (int) ending, n, count > 1 ? " and all that follow" : "",
                        library ? ", the library's too" : "");
                return;
            }
        }
        CHECK(!any);
    }
}

static void test_nothing_fails(void) {
    for (int ending = ANSWERED; ending <= OFFLINE; ++ending) {
        CHECK(!scenario((ending_t) ending, 1000000, 1, true));
    }
}

static void test_glue_fails(void) {
    for (int ending = ANSWERED; ending <= OFFLINE; ++ending) {
        unseen = 0;
        sweep((ending_t) ending, false);
        CHECK_INT(unseen, 0);
    }
}

static void test_glue_and_library_fail(void) {
    sweep(OFFLINE, true);
}

int main(void) {
    avs_log_set_default_level(AVS_LOG_QUIET);
    RUN(test_nothing_fails);
    RUN(test_glue_fails);
    RUN(test_glue_and_library_fail);
    printf("%ld runs with a failure\n", failures);
    return TEST_END();
}
