/* SPDX-License-Identifier: Apache-2.0 */
#include <avsystem/commons/avs_time.h>

#include <math.h>
#include <stdio.h>
#include <time.h>

#define NS_IN_S 1000000000

const avs_time_real_t AVS_TIME_REAL_INVALID = { { 0, -1 } };
const avs_time_monotonic_t AVS_TIME_MONOTONIC_INVALID = { { 0, -1 } };
const avs_time_duration_t AVS_TIME_DURATION_INVALID = { 0, -1 };
const avs_time_duration_t AVS_TIME_DURATION_ZERO = { 0, 0 };

/** A unit as `s` seconds or as one `per_s`-th of a second. */
static const struct {
    int64_t s;
    int64_t per_s;
} UNITS[] = {
    [AVS_TIME_DAY] = { 86400, 0 }, [AVS_TIME_HOUR] = { 3600, 0 },  [AVS_TIME_MIN] = { 60, 0 },
    [AVS_TIME_S] = { 1, 0 },       [AVS_TIME_MS] = { 0, 1000 },    [AVS_TIME_US] = { 0, 1000000 },
    [AVS_TIME_NS] = { 0, NS_IN_S }
};

bool avs_time_duration_valid(avs_time_duration_t t) {
    return t.nanoseconds >= 0 && t.nanoseconds < NS_IN_S;
}

bool avs_time_duration_less(avs_time_duration_t a, avs_time_duration_t b) {
    if (!avs_time_duration_valid(a) || !avs_time_duration_valid(b)) {
        return false;
    }
    return a.seconds < b.seconds || (a.seconds == b.seconds && a.nanoseconds < b.nanoseconds);
}

bool avs_time_duration_equal(avs_time_duration_t a, avs_time_duration_t b) {
    return avs_time_duration_valid(a) && avs_time_duration_valid(b) && a.seconds == b.seconds
           && a.nanoseconds == b.nanoseconds;
}

/** @p nanoseconds within one second of either sign of the valid range. */
static avs_time_duration_t normalised(int64_t seconds, int64_t nanoseconds) {
    if (nanoseconds < 0) {
        nanoseconds += NS_IN_S;
        if (__builtin_sub_overflow(seconds, 1, &seconds)) {
            return AVS_TIME_DURATION_INVALID;
        }
    } else if (nanoseconds >= NS_IN_S) {
        nanoseconds -= NS_IN_S;
        if (__builtin_add_overflow(seconds, 1, &seconds)) {
            return AVS_TIME_DURATION_INVALID;
        }
    }
    return (avs_time_duration_t) { seconds, (int32_t) nanoseconds };
}

avs_time_duration_t avs_time_duration_add(avs_time_duration_t a, avs_time_duration_t b) {
    int64_t seconds;
    if (!avs_time_duration_valid(a) || !avs_time_duration_valid(b)
            || __builtin_add_overflow(a.seconds, b.seconds, &seconds)) {
        return AVS_TIME_DURATION_INVALID;
    }
    return normalised(seconds, (int64_t) a.nanoseconds + b.nanoseconds);
}

avs_time_duration_t avs_time_duration_diff(avs_time_duration_t minuend, avs_time_duration_t subtrahend) {
    int64_t seconds;
    if (!avs_time_duration_valid(minuend) || !avs_time_duration_valid(subtrahend)
            || __builtin_sub_overflow(minuend.seconds, subtrahend.seconds, &seconds)) {
        return AVS_TIME_DURATION_INVALID;
    }
    return normalised(seconds, (int64_t) minuend.nanoseconds - subtrahend.nanoseconds);
}

int avs_time_duration_to_scalar(int64_t *out, avs_time_unit_t unit, avs_time_duration_t value) {
    if (!avs_time_duration_valid(value) || (unsigned) unit >= AVS_ARRAY_SIZE(UNITS)) {
        return -1;
    }
    int64_t seconds = value.seconds, nanoseconds = value.nanoseconds;
    if (seconds < 0 && nanoseconds > 0) { /* round towards zero, as integer division does */
        ++seconds;
        nanoseconds -= NS_IN_S;
    }
    if (UNITS[unit].s) {
        *out = seconds / UNITS[unit].s;
        return 0;
    }
    int64_t whole, part = nanoseconds / (NS_IN_S / UNITS[unit].per_s);
    return __builtin_mul_overflow(seconds, UNITS[unit].per_s, &whole) || __builtin_add_overflow(whole, part, out) ? -1
                                                                                                                   : 0;
}

double avs_time_duration_to_fscalar(avs_time_duration_t value, avs_time_unit_t unit) {
    if (!avs_time_duration_valid(value) || (unsigned) unit >= AVS_ARRAY_SIZE(UNITS)) {
        return NAN;
    }
    double seconds = (double) value.seconds + value.nanoseconds / (double) NS_IN_S;
    return UNITS[unit].s ? seconds / (double) UNITS[unit].s : seconds * (double) UNITS[unit].per_s;
}

avs_time_duration_t avs_time_duration_from_scalar(int64_t value, avs_time_unit_t unit) {
    if ((unsigned) unit >= AVS_ARRAY_SIZE(UNITS)) {
        return AVS_TIME_DURATION_INVALID;
    }
    if (UNITS[unit].s) {
        int64_t seconds;
        return __builtin_mul_overflow(value, UNITS[unit].s, &seconds) ? AVS_TIME_DURATION_INVALID
                                                                      : (avs_time_duration_t) { seconds, 0 };
    }
    return normalised(value / UNITS[unit].per_s, (value % UNITS[unit].per_s) * (NS_IN_S / UNITS[unit].per_s));
}

avs_time_duration_t avs_time_duration_from_fscalar(double value, avs_time_unit_t unit) {
    if ((unsigned) unit >= AVS_ARRAY_SIZE(UNITS)) {
        return AVS_TIME_DURATION_INVALID;
    }
    double seconds = UNITS[unit].s ? value * (double) UNITS[unit].s : value / (double) UNITS[unit].per_s;
    double whole = floor(seconds);
    if (!(whole >= -9223372036854775808.0 && whole < 9223372036854775808.0)) {
        return AVS_TIME_DURATION_INVALID;
    }
    return normalised((int64_t) whole, (int64_t) ((seconds - whole) * NS_IN_S));
}

avs_time_duration_t avs_time_duration_mul(avs_time_duration_t input, int32_t multiplier) {
    int64_t seconds;
    if (!avs_time_duration_valid(input) || __builtin_mul_overflow(input.seconds, (int64_t) multiplier, &seconds)) {
        return AVS_TIME_DURATION_INVALID;
    }
    int64_t nanoseconds = (int64_t) input.nanoseconds * multiplier;
    if (__builtin_add_overflow(seconds, nanoseconds / NS_IN_S, &seconds)) {
        return AVS_TIME_DURATION_INVALID;
    }
    return normalised(seconds, nanoseconds % NS_IN_S);
}

avs_time_duration_t avs_time_duration_fmul(avs_time_duration_t input, double multiplier) {
    if (!avs_time_duration_valid(input)) {
        return AVS_TIME_DURATION_INVALID;
    }
    return avs_time_duration_from_fscalar(avs_time_duration_to_fscalar(input, AVS_TIME_S) * multiplier, AVS_TIME_S);
}

avs_time_duration_t avs_time_duration_div(avs_time_duration_t input, int32_t divisor) {
    if (!avs_time_duration_valid(input) || divisor == 0 || (input.seconds == INT64_MIN && divisor == -1)) {
        return AVS_TIME_DURATION_INVALID;
    }
    /* |remainder| < 2^31 seconds, so that it fits an int64_t in nanoseconds */
    int64_t rest_ns = (input.seconds % divisor) * NS_IN_S + input.nanoseconds;
    avs_time_duration_t rest = avs_time_duration_from_scalar(rest_ns / divisor, AVS_TIME_NS);
    return avs_time_duration_add((avs_time_duration_t) { input.seconds / divisor, 0 }, rest);
}

static avs_time_duration_t clock_now(clockid_t id) {
    struct timespec now;
    if (clock_gettime(id, &now)) {
        return AVS_TIME_DURATION_INVALID;
    }
    return (avs_time_duration_t) { now.tv_sec, (int32_t) now.tv_nsec };
}

avs_time_real_t avs_time_real_now(void) {
    return (avs_time_real_t) { clock_now(CLOCK_REALTIME) };
}

avs_time_monotonic_t avs_time_monotonic_now(void) {
    return (avs_time_monotonic_t) { clock_now(CLOCK_MONOTONIC) };
}

const char *avs_time_duration_as_string_impl__(char (*buf)[AVS_TIME_DURATION_AS_STRING_MAX_LENGTH],
                                               avs_time_duration_t time) {
    if (!avs_time_duration_valid(time)) {
        return "TIME_INVALID";
    }
    const char *sign = "";
    uint64_t seconds = (uint64_t) time.seconds;
    int32_t nanoseconds = time.nanoseconds;
    if (time.seconds < 0) {
        sign = "-";
        seconds = 0 - seconds;
        if (nanoseconds) {
            --seconds;
            nanoseconds = NS_IN_S - nanoseconds;
        }
    }
    snprintf(*buf, sizeof(*buf), "%s%llu.%09d", sign, (unsigned long long) seconds, (int) nanoseconds);
    return *buf;
}
