/* SPDX-License-Identifier: Apache-2.0 */
/** Streams, log, time, memory and views of key material: what test_commons.c leaves out. */
#include "../../vendor/avs_commons/src/base/alloc_hook.h"
#include "test.h"

#include <avsystem/commons/avs_crypto_psk.h>
#include <avsystem/commons/avs_errno.h>
#include <avsystem/commons/avs_log.h>
#include <avsystem/commons/avs_memory.h>
#include <avsystem/commons/avs_stream.h>
#include <avsystem/commons/avs_stream_membuf.h>
#include <avsystem/commons/avs_stream_v_table.h>
#include <avsystem/commons/avs_time.h>

#include <math.h>

static bool no_memory(void) {
    return true;
}

static bool is(avs_error_t err, avs_errno_t code) {
    return err.category == AVS_ERRNO_CATEGORY && err.code == (uint16_t) code;
}

/* ------------------------------------------------------------------ streams */

static avs_stream_t *with(const char *text) {
    avs_stream_t *stream = avs_stream_membuf_create();
    CHECK(stream && avs_is_ok(avs_stream_write(stream, text, strlen(text))));
    return stream;
}

static void test_lines(void) {
    avs_stream_t *stream = with("one\r\ntwo\n\nlast");
    char line[8];
    size_t size, next;
    bool finished;
    CHECK(avs_is_ok(avs_stream_peekline(stream, 0, &size, &next, line, sizeof(line))));
    CHECK_STR(line, "one");
    CHECK(size == 3 && next == 5);
    CHECK(avs_is_ok(avs_stream_peekline(stream, next, &size, &next, line, sizeof(line))));
    CHECK_STR(line, "two");
    CHECK(is(avs_stream_peekline(stream, 0, &size, &next, line, 2), AVS_ENOBUFS));
    CHECK(is(avs_stream_peekline(stream, 0, &size, &next, line, 0), AVS_ENOBUFS));
    CHECK(avs_is_eof(avs_stream_peekline(stream, 100, &size, &next, line, sizeof(line))));
    static const char *const LINES[] = { "one", "two", "", "last" };
    for (size_t i = 0; i < 4; ++i) {
        CHECK(avs_is_ok(avs_stream_getline(stream, &size, &finished, line, sizeof(line))));
        CHECK_STR(line, LINES[i]);
        CHECK_INT(size, strlen(LINES[i]));
    }
    CHECK(is(avs_stream_getline(stream, &size, &finished, line, 0), AVS_ENOBUFS));
    avs_stream_cleanup(&stream);
    stream = with("too long a line\n");
    CHECK(is(avs_stream_getline(stream, &size, &finished, line, sizeof(line)), AVS_ENOBUFS));
    avs_stream_cleanup(&stream);
    CHECK(avs_is_ok(avs_stream_cleanup(&stream)));
}

static unsigned zeroised;

static void count_zeroise(void *buffer, size_t size) {
    zeroised += buffer && size;
}

static void test_copies(void) {
    char text[2000], back[2000];
    avs_stream_t *from = avs_stream_membuf_create(), *to = avs_stream_membuf_create();
    memset(text, 'c', sizeof(text));
    CHECK(avs_is_ok(avs_stream_write(from, text, sizeof(text))));
    CHECK(avs_is_ok(avs_stream_copy_secure(to, from, count_zeroise)));
    CHECK_INT(zeroised, 1);
    CHECK(avs_is_ok(avs_stream_read_reliably(to, back, sizeof(back))) && !memcmp(text, back, sizeof(back)));
    CHECK(avs_is_err(avs_stream_read_reliably(to, back, 1)));
    CHECK(avs_is_ok(avs_stream_write_f(from, "%s-%d", "text", 7)));
    CHECK(avs_is_ok(avs_stream_copy(to, from)));
    CHECK(avs_is_ok(avs_stream_read_reliably(to, back, 6)) && !memcmp(back, "text-7", 6));
    memset(text, 'f', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    CHECK(avs_is_ok(avs_stream_write_f(from, "%s", text))); /* longer than what fits on the stack */
    CHECK(avs_is_ok(avs_stream_ignore_to_end(from)));
    CHECK(avs_is_ok(avs_stream_write(from, "x", 1)) && avs_is_ok(avs_stream_reset(from)));
    bool finished;
    char c;
    CHECK(avs_is_err(avs_stream_getch(from, &c, &finished)) || finished);
    avs_off_t offset;
    CHECK(avs_is_ok(avs_stream_write(from, "12345", 5)) && avs_is_ok(avs_stream_offset(from, &offset)));
    CHECK_INT(offset, 5);
    CHECK(avs_is_ok(avs_stream_finish_message(from)));
    CHECK(avs_is_ok(avs_stream_membuf_ensure_free_bytes(from, 5000)) && avs_is_ok(avs_stream_membuf_fit(from)));
    avs_alloc_set_hook(no_memory);
    CHECK(is(avs_stream_write(from, text, sizeof(text)), AVS_ENOMEM));
    CHECK(is(avs_stream_write_f(from, "%s", text), AVS_ENOMEM));
    CHECK(is(avs_stream_membuf_ensure_free_bytes(from, 100000), AVS_ENOMEM));
    CHECK(!avs_stream_membuf_create());
    avs_alloc_set_hook(NULL);
    void *taken = NULL;
    size_t size = 0;
    CHECK(avs_is_ok(avs_stream_membuf_take_ownership(from, &taken, &size)));
    CHECK(size == 5 && !memcmp(taken, "12345", 5));
    avs_free(taken);
    avs_stream_cleanup(&from);
    avs_stream_cleanup(&to);
}

/** A stream that can do nothing: each call says so. */
static void test_nothing(void) {
    static const avs_stream_v_table_t NOTHING = { .read = NULL };
    struct {
        const avs_stream_v_table_t *const vtable;
    } dull = { &NOTHING };
    avs_stream_t *stream = (avs_stream_t *) &dull;
    char c = 'x';
    size_t size = 1;
    bool finished;
    avs_off_t offset;
    CHECK(is(avs_stream_write_some(stream, "x", &size), AVS_ENOTSUP) && is(avs_stream_write(stream, "x", 1), AVS_ENOTSUP));
    CHECK(is(avs_stream_read(stream, &size, &finished, &c, 1), AVS_ENOTSUP) && is(avs_stream_peek(stream, 0, &c), AVS_ENOTSUP));
    CHECK(is(avs_stream_reset(stream), AVS_ENOTSUP) && is(avs_stream_finish_message(stream), AVS_ENOTSUP));
    CHECK(is(avs_stream_offset(stream, &offset), AVS_ENOTSUP));
    CHECK(!avs_stream_nonblock_read_ready(stream) && !avs_stream_nonblock_write_ready(stream));
    CHECK(is(avs_stream_membuf_fit(stream), AVS_ENOTSUP) && is(avs_stream_membuf_ensure_free_bytes(stream, 1), AVS_ENOTSUP));
    CHECK(is(avs_stream_copy(stream, stream), AVS_ENOTSUP) && is(avs_stream_ignore_to_end(stream), AVS_ENOTSUP));
}

/* ------------------------------------------------------------------ log */

static char logged[600], logged_module[32];
static unsigned logged_line;

static void keep(avs_log_level_t level, const char *module, const char *message) {
    snprintf(logged, sizeof(logged), "%s", message);
    snprintf(logged_module, sizeof(logged_module), "%s", module);
}

static void keep_more(avs_log_level_t level, const char *module, const char *file, unsigned int line, const char *message) {
    keep(level, module, message);
    logged_line = line;
}

static void test_log(void) {
    avs_log_set_handler(keep);
    avs_log_set_default_level(AVS_LOG_INFO);
    avs_log(one, INFO, "value %d", 5);
    CHECK(strstr(logged, "INFO [one] [test_base.c:") && strstr(logged, "]: value 5"));
    *logged = '\0';
    avs_log(one, DEBUG, "not said");
    CHECK_STR(logged, "");
    CHECK(!avs_log_set_level(one, AVS_LOG_TRACE));
    avs_log(one, TRACE, "said");
    CHECK(strstr(logged, "said"));
    CHECK(!avs_log_set_level(one, AVS_LOG_QUIET));
    *logged = '\0';
    avs_log(one, ERROR, "silence");
    CHECK_STR(logged, "");
    avs_log_set_extended_handler(keep_more);
    avs_log(two, WARNING, "%0700d", 1);
    CHECK_STR(logged_module, "two");
    CHECK(logged_line > 0 && strlen(logged) < 600 && logged[0] == '0'); /* cut, and without a head of the library's */
    avs_alloc_set_hook(no_memory);
    CHECK_INT(avs_log_set_level(three, AVS_LOG_INFO), -1);
    avs_alloc_set_hook(NULL);
    avs_log_set_extended_handler(NULL);
    avs_log_reset();
    CHECK(avs_log_should_log__(AVS_LOG_INFO, "one") && !avs_log_should_log__(AVS_LOG_DEBUG, "one"));
    avs_log_internal_l__(AVS_LOG_DEBUG, "one", "file", 1, "not said either");
    avs_log_set_default_level(AVS_LOG_QUIET);
}

/* ------------------------------------------------------------------ time, memory, keys */

#define DURATION_TEXT(Duration) avs_time_duration_as_string_impl__(&(char[AVS_TIME_DURATION_AS_STRING_MAX_LENGTH]){ "" }, (Duration))

static void test_time(void) {
    const avs_time_duration_t invalid = AVS_TIME_DURATION_INVALID, half = { 0, 500000000 }, minus = { -2, 500000000 },
                              huge = { INT64_MAX, 0 };
    CHECK_STR(DURATION_TEXT(half), "0.500000000");
    CHECK_STR(DURATION_TEXT(minus), "-1.500000000");
    CHECK_STR(DURATION_TEXT(invalid), "TIME_INVALID");
    CHECK_STR(DURATION_TEXT(((avs_time_duration_t) { -3, 0 })), "-3.000000000");
    CHECK(!avs_time_duration_valid(avs_time_duration_add(huge, huge)));
    CHECK(!avs_time_duration_valid(avs_time_duration_add(invalid, half)) && !avs_time_duration_valid(avs_time_duration_diff(half, invalid)));
    CHECK(!avs_time_duration_valid(avs_time_duration_mul(huge, 3)) && !avs_time_duration_valid(avs_time_duration_mul(invalid, 3)));
    CHECK(!avs_time_duration_valid(avs_time_duration_fmul(huge, 1e9)) && !avs_time_duration_valid(avs_time_duration_fmul(half, (double) NAN)));
    CHECK(!avs_time_duration_valid(avs_time_duration_div(half, 0)) && !avs_time_duration_valid(avs_time_duration_div(invalid, 2)));
    CHECK(isnan(avs_time_duration_to_fscalar(invalid, AVS_TIME_S)));
    CHECK(!avs_time_duration_valid(avs_time_duration_from_fscalar((double) NAN, AVS_TIME_S)));
    CHECK(!avs_time_duration_valid(avs_time_duration_from_scalar(INT64_MAX, AVS_TIME_DAY)));
    int64_t days, ns;
    CHECK(!avs_time_duration_to_scalar(&days, AVS_TIME_DAY, (avs_time_duration_t) { 2 * 86400 + 5, 0 }) && days == 2);
    CHECK(avs_time_duration_to_scalar(&ns, AVS_TIME_NS, huge) && avs_time_duration_to_scalar(&ns, AVS_TIME_S, invalid));
    CHECK(!avs_time_duration_less(invalid, half) && !avs_time_duration_less(half, invalid));
}

static void test_memory_and_keys(void) {
    char a[4] = "abc", b[4] = "xyz";
    avs_memswap(a, b, sizeof(a));
    CHECK_STR(a, "xyz");
    CHECK_STR(b, "abc");
    avs_crypto_clear_buffer(a, sizeof(a));
    CHECK(!a[0] && !a[2]);
    CHECK(avs_strerror(AVS_ETIMEDOUT) && *avs_strerror(AVS_ETIMEDOUT) && avs_strerror((avs_errno_t) 9999));
    const avs_crypto_psk_key_info_t key = avs_crypto_psk_key_info_from_buffer("key", 3);
    CHECK(key.desc.source == AVS_CRYPTO_DATA_SOURCE_BUFFER && key.desc.info.buffer.buffer_size == 3);
}

int main(void) {
    RUN(test_lines);
    RUN(test_copies);
    RUN(test_nothing);
    RUN(test_log);
    RUN(test_time);
    RUN(test_memory_and_keys);
    return TEST_END();
}
