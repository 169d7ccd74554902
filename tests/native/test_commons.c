/* SPDX-License-Identifier: Apache-2.0 */
/** Lists, time, scheduler, streams, base64 and small helpers. */
#include "test.h"

#include <avsystem/commons/avs_base64.h>
#include <avsystem/commons/avs_errno.h>
#include <avsystem/commons/avs_list.h>
#include <avsystem/commons/avs_memory.h>
#include <avsystem/commons/avs_sched.h>
#include <avsystem/commons/avs_stream_membuf.h>
#include <avsystem/commons/avs_time.h>
#include <avsystem/commons/avs_utils.h>

#include <math.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double clock_s = 1000.0;

/** Takes the place of the C library's. */
int clock_gettime(clockid_t id, struct timespec *now) {
    now->tv_sec = (time_t) clock_s;
    now->tv_nsec = (long) ((clock_s - (double) now->tv_sec) * 1e9);
    return 0;
}

/* ------------------------------------------------------------------ lists */

static AVS_LIST(int) list_of(const int *values, size_t count) {
    AVS_LIST(int) list = NULL;
    for (size_t i = 0; i < count; ++i) {
        *AVS_LIST_APPEND_NEW(int, &list) = values[i];
    }
    return list;
}

static int compare(const void *a, const void *b, size_t size) {
    CHECK_INT(size, sizeof(int));
    return *(const int *) a - *(const int *) b;
}

static bool equals(AVS_LIST(int) list, const int *values, size_t count) {
    int *element;
    size_t i = 0;
    AVS_LIST_FOREACH(element, list) {
        if (i == count || *element != values[i++]) {
            return false;
        }
    }
    return i == count && AVS_LIST_SIZE(list) == count;
}

#define EQUALS(List, ...) equals((List), (const int[]) { __VA_ARGS__ }, sizeof((int[]) { __VA_ARGS__ }) / sizeof(int))

static void test_list(void) {
    AVS_LIST(int) list = list_of((const int[]) { 5, 1, 4, 1 }, 4);
    AVS_LIST(int) clone = NULL;
    AVS_LIST(int) *entry;
    CHECK(EQUALS(list, 5, 1, 4, 1));
    AVS_LIST_SORT(&list, compare);
    CHECK(EQUALS(list, 1, 1, 4, 5));
    CHECK_INT(*AVS_LIST_TAIL(list), 5);
    CHECK_INT(*AVS_LIST_NTH(list, 2), 4);
    CHECK(!AVS_LIST_NTH(list, 4));
    int four = 4, nine = 9;
    CHECK((entry = AVS_LIST_FIND_BY_VALUE_PTR(&list, &four, compare)) && **entry == 4);
    CHECK(!AVS_LIST_FIND_BY_VALUE_PTR(&list, &nine, compare));
    CHECK((clone = AVS_LIST_SIMPLE_CLONE(list)) && EQUALS(clone, 1, 1, 4, 5));
    int *detached = AVS_LIST_DETACH(entry);
    CHECK(EQUALS(list, 1, 1, 5));
    AVS_LIST_INSERT(&list, detached);
    CHECK(EQUALS(list, 4, 1, 1, 5));
    AVS_LIST_SORT(&list, compare);
    AVS_LIST_MERGE(&list, &clone, compare);
    CHECK(!clone && EQUALS(list, 1, 1, 1, 1, 4, 4, 5, 5));
    int *helper;
    AVS_LIST(int) *ptr;
    AVS_LIST_DELETABLE_FOREACH_PTR(ptr, helper, &list) {
        if (**ptr == 1) {
            AVS_LIST_DELETE(ptr);
        }
    }
    CHECK(EQUALS(list, 4, 4, 5, 5));
    CHECK(!AVS_LIST_IS_CYCLIC(list));
    AVS_LIST_CLEAR(&list);
    CHECK(!list && !AVS_LIST_SIZE(list));
}

/* ------------------------------------------------------------------ time */

static void test_time(void) {
    const avs_time_duration_t a = avs_time_duration_from_scalar(-1500, AVS_TIME_MS);
    CHECK_INT(a.seconds, -2);
    CHECK_INT(a.nanoseconds, 500000000);
    int64_t ms;
    CHECK(!avs_time_duration_to_scalar(&ms, AVS_TIME_MS, a) && ms == -1500);
    CHECK(avs_time_duration_less(a, AVS_TIME_DURATION_ZERO));
    CHECK(avs_time_duration_equal(avs_time_duration_add(a, avs_time_duration_mul(a, -1)), AVS_TIME_DURATION_ZERO));
    CHECK(!avs_time_duration_valid(AVS_TIME_DURATION_INVALID));
    CHECK(!avs_time_duration_valid(avs_time_duration_add(AVS_TIME_DURATION_INVALID, a)));
    CHECK(!avs_time_duration_valid(avs_time_duration_add((avs_time_duration_t) { INT64_MAX, 999999999 }, (avs_time_duration_t) { 0, 1 })));
    CHECK(avs_time_duration_to_scalar(&ms, AVS_TIME_NS, (avs_time_duration_t) { INT64_MAX, 0 }));
    CHECK(fabs(avs_time_duration_to_fscalar(a, AVS_TIME_S) + 1.5) < 1e-9);
    CHECK(!avs_time_duration_valid(avs_time_duration_from_fscalar(NAN, AVS_TIME_S)));
    CHECK(!avs_time_duration_valid(avs_time_duration_from_fscalar(1e300, AVS_TIME_S)));
    CHECK(avs_time_duration_equal(avs_time_duration_div(avs_time_duration_from_scalar(7, AVS_TIME_S), 2),
                                  avs_time_duration_from_scalar(3500, AVS_TIME_MS)));
    CHECK(avs_time_monotonic_before(avs_time_monotonic_from_scalar(1, AVS_TIME_S), avs_time_monotonic_from_scalar(2, AVS_TIME_S)));
    CHECK(!avs_time_monotonic_valid(AVS_TIME_MONOTONIC_INVALID));
}

/* ------------------------------------------------------------------ scheduler */

static char ran[32];

static void job(avs_sched_t *sched, const void *data) {
    strncat(ran, (const char *) data, sizeof(ran) - strlen(ran) - 1);
    if (*(const char *) data == 'R') { /* what is scheduled from within a job waits for the next run */
        AVS_SCHED_NOW(sched, NULL, job, "n", 2);
    }
}

static void test_sched(void) {
    avs_sched_t *sched = avs_sched_new("test", ran);
    avs_sched_handle_t first = NULL, second = NULL;
    CHECK(sched && avs_sched_data(sched) == ran);
    CHECK(!avs_time_monotonic_valid(avs_sched_time_of_next(sched)));
    CHECK(!AVS_SCHED_DELAYED(sched, &first, avs_time_duration_from_scalar(5, AVS_TIME_S), job, "b", 2));
    CHECK(!AVS_SCHED_DELAYED(sched, NULL, avs_time_duration_from_scalar(2, AVS_TIME_S), job, "a", 2));
    CHECK(!AVS_SCHED_DELAYED(sched, &second, avs_time_duration_from_scalar(9, AVS_TIME_S), job, "c", 2));
    CHECK(first && second);
    CHECK_INT(avs_sched_time_to_next(sched).seconds, 2);
    avs_sched_run(sched);
    CHECK_STR(ran, "");
    clock_s += 2.5;
    avs_sched_run(sched);
    CHECK_STR(ran, "a");
    CHECK(!AVS_RESCHED_DELAYED(&second, avs_time_duration_from_scalar(1, AVS_TIME_S)));
    clock_s += 1.5;
    avs_sched_run(sched);
    CHECK_STR(ran, "ac");
    CHECK(!second && first);
    avs_sched_del(&first);
    avs_sched_del(&first);
    CHECK(!first);
    clock_s += 10;
    avs_sched_run(sched);
    CHECK_STR(ran, "ac");
    AVS_SCHED_NOW(sched, NULL, job, "R", 2);
    AVS_SCHED_NOW(sched, NULL, job, "S", 2);
    avs_sched_run(sched);
    CHECK_STR(ran, "acRS");
    avs_sched_run(sched);
    CHECK_STR(ran, "acRSn");
    for (int i = 0; i < 1000; ++i) { /* a heap stays a heap; equal moments keep their order */
        AVS_SCHED_DELAYED(sched, NULL, avs_time_duration_from_scalar((i * 7919) % 100, AVS_TIME_S), job, "", 1);
    }
    CHECK(!AVS_SCHED_DELAYED(sched, &first, avs_time_duration_from_scalar(500, AVS_TIME_S), job, "x", 2));
    CHECK(!avs_sched_leap_time(sched, avs_time_duration_from_scalar(450, AVS_TIME_S)));
    avs_sched_run(sched);
    CHECK_INT(avs_sched_time_to_next(sched).seconds, 450);
    avs_sched_cleanup(&sched);
    CHECK(!sched && !first);
}

/* ------------------------------------------------------------------ streams, base64, helpers */

static void test_stream(void) {
    avs_stream_t *stream = avs_stream_membuf_create();
    char buffer[16], c;
    size_t size;
    bool finished;
    CHECK(stream && avs_is_ok(avs_stream_write(stream, "hello\nworld", 11)));
    CHECK(avs_is_ok(avs_stream_write_f(stream, "%d", 42)));
    CHECK(avs_is_ok(avs_stream_peek(stream, 4, &c)) && c == 'o');
    CHECK(avs_is_ok(avs_stream_getline(stream, &size, &finished, buffer, sizeof(buffer))));
    CHECK_STR(buffer, "hello");
    CHECK(avs_is_ok(avs_stream_read(stream, &size, &finished, buffer, 3)) && size == 3 && !finished);
    CHECK(avs_is_ok(avs_stream_read_reliably(stream, buffer, 2)) && !memcmp(buffer, "ld", 2));
    CHECK(avs_is_ok(avs_stream_read(stream, &size, &finished, buffer, sizeof(buffer))) && size == 2 && finished);
    CHECK(avs_is_err(avs_stream_read_reliably(stream, buffer, 1)));
    avs_stream_write(stream, "xyz", 3);
    void *owned = NULL;
    CHECK(avs_is_ok(avs_stream_membuf_take_ownership(stream, &owned, &size)) && size == 3 && !memcmp(owned, "xyz", 3));
    avs_free(owned);
    CHECK(avs_is_ok(avs_stream_cleanup(&stream)) && !stream);
}

static void test_base64(void) {
    static const struct {
        const char *data, *text;
    } CASES[] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" } };
    char text[32];
    uint8_t data[32];
    size_t size;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); ++i) { /* RFC 4648, section 10 */
        CHECK(!avs_base64_encode(text, sizeof(text), (const uint8_t *) CASES[i].data, strlen(CASES[i].data)));
        CHECK_STR(text, CASES[i].text);
        CHECK(!avs_base64_decode_strict(&size, data, sizeof(data), CASES[i].text));
        CHECK(size == strlen(CASES[i].data) && !memcmp(data, CASES[i].data, size));
    }
    static const char *const BAD[] = { "Z", "Zg=", "Zg===", "Zm9v!", "=Zg=", "Zm 9v" };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(*BAD); ++i) {
        CHECK(avs_base64_decode_strict(&size, data, sizeof(data), BAD[i]));
    }
    CHECK(avs_base64_encode(text, 4, (const uint8_t *) "foo", 3)); /* no room for the end */
    CHECK(avs_base64_decode_strict(&size, data, 2, "Zm9v"));
}

static void test_helpers(void) {
    CHECK_INT(avs_convert_be16(avs_convert_be16(0x1234)), 0x1234);
    CHECK(avs_ntohd(avs_htond(-1.5e300)) == -1.5e300);
    CHECK(avs_ntohf(avs_htonf(0.25f)) == 0.25f);
    CHECK(avs_is_power_of_2(64) && !avs_is_power_of_2(65));
    CHECK_INT(avs_max_power_of_2_not_greater_than(100), 64);
    char out[8];
    CHECK(avs_simple_snprintf(out, sizeof(out), "%s", "1234567") == 7);
    CHECK(avs_simple_snprintf(out, sizeof(out), "%s", "12345678") < 0);
    char *copy = avs_strdup("text");
    CHECK_STR(copy, "text");
    avs_free(copy);
    CHECK(strlen(avs_strerror(AVS_ENOMEM)) > 3);
    CHECK(avs_is_ok(AVS_OK) && avs_is_err(avs_errno(AVS_EIO)));
}

int main(void) {
    RUN(test_list);
    RUN(test_time);
    RUN(test_sched);
    RUN(test_stream);
    RUN(test_base64);
    RUN(test_helpers);
    return TEST_END();
}
