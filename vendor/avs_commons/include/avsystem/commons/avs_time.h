/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VENDOR_COMMONS_AVS_TIME_H
#define VENDOR_COMMONS_AVS_TIME_H

#include <avsystem/commons/avs_defs.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A span of time, or a negative one: seconds + nanoseconds, where 0 <= nanoseconds < 10^9 also if seconds < 0 (-0.5 s
 * is { -1, 500000000 }). Other nanoseconds: invalid, as an error or "none".
 */
typedef struct {
    int64_t seconds;
    int32_t nanoseconds;
} avs_time_duration_t;

/** A point of calendar time: since 1970-01-01 00:00 UTC, without leap seconds. */
typedef struct {
    avs_time_duration_t since_real_epoch;
} avs_time_real_t;

/** A point of a clock that is never set back; its beginning means nothing. For timeouts. */
typedef struct {
    avs_time_duration_t since_monotonic_epoch;
} avs_time_monotonic_t;

/** What a number of time counts. */
typedef enum {
    AVS_TIME_DAY = 0,
    AVS_TIME_HOUR = 1,
    AVS_TIME_MIN = 2,
    AVS_TIME_S = 3,
    AVS_TIME_MS = 4,
    AVS_TIME_US = 5,
    AVS_TIME_NS = 6
} avs_time_unit_t;

/** No time; equal to nothing, itself included: to be asked for with avs_time_*_valid(). */
extern const avs_time_real_t AVS_TIME_REAL_INVALID;
extern const avs_time_monotonic_t AVS_TIME_MONOTONIC_INVALID;
extern const avs_time_duration_t AVS_TIME_DURATION_INVALID;

/** No time at all. */
extern const avs_time_duration_t AVS_TIME_DURATION_ZERO;

/** @returns whether a < b, or a is before b; false if either is invalid. */
bool avs_time_duration_less(avs_time_duration_t a, avs_time_duration_t b);
static inline bool avs_time_real_before(avs_time_real_t a, avs_time_real_t b) {
    return avs_time_duration_less(a.since_real_epoch, b.since_real_epoch);
}
static inline bool avs_time_monotonic_before(avs_time_monotonic_t a, avs_time_monotonic_t b) {
    return avs_time_duration_less(a.since_monotonic_epoch, b.since_monotonic_epoch);
}

/** @returns whether both are the same; false if either is invalid. */
bool avs_time_duration_equal(avs_time_duration_t a, avs_time_duration_t b);
static inline bool avs_time_real_equal(avs_time_real_t a, avs_time_real_t b) {
    return avs_time_duration_equal(a.since_real_epoch, b.since_real_epoch);
}
static inline bool avs_time_monotonic_equal(avs_time_monotonic_t a, avs_time_monotonic_t b) {
    return avs_time_duration_equal(a.since_monotonic_epoch, b.since_monotonic_epoch);
}

/** @returns whether it is a time at all. */
bool avs_time_duration_valid(avs_time_duration_t t);
static inline bool avs_time_real_valid(avs_time_real_t t) {
    return avs_time_duration_valid(t.since_real_epoch);
}
static inline bool avs_time_monotonic_valid(avs_time_monotonic_t t) {
    return avs_time_duration_valid(t.since_monotonic_epoch);
}

/** @returns a + b; invalid if either is, or if the sum does not fit. */
avs_time_duration_t avs_time_duration_add(avs_time_duration_t a, avs_time_duration_t b);
static inline avs_time_real_t avs_time_real_add(avs_time_real_t a, avs_time_duration_t b) {
    return (avs_time_real_t) { avs_time_duration_add(a.since_real_epoch, b) };
}
static inline avs_time_monotonic_t avs_time_monotonic_add(avs_time_monotonic_t a, avs_time_duration_t b) {
    return (avs_time_monotonic_t) { avs_time_duration_add(a.since_monotonic_epoch, b) };
}

/** @returns minuend - subtrahend; invalid if either is, or if the difference does not fit. */
avs_time_duration_t avs_time_duration_diff(avs_time_duration_t minuend, avs_time_duration_t subtrahend);
static inline avs_time_duration_t avs_time_real_diff(avs_time_real_t minuend, avs_time_real_t subtrahend) {
    return avs_time_duration_diff(minuend.since_real_epoch, subtrahend.since_real_epoch);
}
static inline avs_time_duration_t avs_time_monotonic_diff(avs_time_monotonic_t minuend, avs_time_monotonic_t subtrahend) {
    return avs_time_duration_diff(minuend.since_monotonic_epoch, subtrahend.since_monotonic_epoch);
}

/**
 * Gives @p value as a whole number of units, rounded towards zero. @returns 0, or -1 if it is invalid, the unit
 * unknown or the number beyond int64_t; *out stays as it is then.
 */
int avs_time_duration_to_scalar(int64_t *out, avs_time_unit_t unit, avs_time_duration_t value);
static inline int avs_time_real_to_scalar(int64_t *out, avs_time_unit_t unit, avs_time_real_t value) {
    return avs_time_duration_to_scalar(out, unit, value.since_real_epoch);
}
static inline int avs_time_monotonic_to_scalar(int64_t *out, avs_time_unit_t unit, avs_time_monotonic_t value) {
    return avs_time_duration_to_scalar(out, unit, value.since_monotonic_epoch);
}

/** @returns @p value in units, NaN if it is invalid or the unit unknown. */
double avs_time_duration_to_fscalar(avs_time_duration_t value, avs_time_unit_t unit);
static inline double avs_time_real_to_fscalar(avs_time_real_t value, avs_time_unit_t unit) {
    return avs_time_duration_to_fscalar(value.since_real_epoch, unit);
}
static inline double avs_time_monotonic_to_fscalar(avs_time_monotonic_t value, avs_time_unit_t unit) {
    return avs_time_duration_to_fscalar(value.since_monotonic_epoch, unit);
}

/** @returns @p value units as time; invalid if the unit is unknown or the seconds do not fit. */
avs_time_duration_t avs_time_duration_from_scalar(int64_t value, avs_time_unit_t unit);
static inline avs_time_real_t avs_time_real_from_scalar(int64_t value, avs_time_unit_t unit) {
    return (avs_time_real_t) { avs_time_duration_from_scalar(value, unit) };
}
static inline avs_time_monotonic_t avs_time_monotonic_from_scalar(int64_t value, avs_time_unit_t unit) {
    return (avs_time_monotonic_t) { avs_time_duration_from_scalar(value, unit) };
}

/**
 * @returns @p value units as time, rounded down to nanoseconds; invalid for NaN, infinity, what does not fit, or an
 * unknown unit.
 */
avs_time_duration_t avs_time_duration_from_fscalar(double value, avs_time_unit_t unit);
static inline avs_time_real_t avs_time_real_from_fscalar(double value, avs_time_unit_t unit) {
    return (avs_time_real_t) { avs_time_duration_from_fscalar(value, unit) };
}
static inline avs_time_monotonic_t avs_time_monotonic_from_fscalar(double value, avs_time_unit_t unit) {
    return (avs_time_monotonic_t) { avs_time_duration_from_fscalar(value, unit) };
}

/** @returns the product; invalid if @p input is, or if it does not fit. */
avs_time_duration_t avs_time_duration_mul(avs_time_duration_t input, int32_t multiplier);

/** The same with a factor that has a fraction: exact to a double's precision. */
avs_time_duration_t avs_time_duration_fmul(avs_time_duration_t input, double multiplier);

/** @returns the quotient, to the nanosecond; invalid if @p input is, @p divisor is 0, or it does not fit. */
avs_time_duration_t avs_time_duration_div(avs_time_duration_t input, int32_t divisor);

/** @returns what the clock shows; invalid if the system has none. */
avs_time_real_t avs_time_real_now(void);
avs_time_monotonic_t avs_time_monotonic_now(void);

#define AVS_TIME_DURATION_AS_STRING_MAX_LENGTH 32

/** Writes seconds with nine decimals into *buf. @returns *buf, or a static text if @p time is invalid. */
const char *avs_time_duration_as_string_impl__(char(*buf)[AVS_TIME_DURATION_AS_STRING_MAX_LENGTH], avs_time_duration_t time);

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_COMMONS_AVS_TIME_H */
