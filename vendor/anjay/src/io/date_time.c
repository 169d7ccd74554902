/* SPDX-License-Identifier: Apache-2.0 */
#include "date_time.h"

typedef struct {
    const char *at, *end;
} cursor_t;

/** Digits, exactly so many, whose value is in [low, high]. */
static bool digits(cursor_t *in, unsigned count, int low, int high, int *out) {
    *out = 0;
    for (; count; --count, ++in->at) {
        if (in->at == in->end || *in->at < '0' || *in->at > '9') {
            return false;
        }
        *out = *out * 10 + (*in->at - '0');
    }
    return *out >= low && *out <= high;
}

/** One of two characters; letters may be small ones (RFC 3339, section 5.6). */
static bool one_of(cursor_t *in, char a, char b) {
    if (in->at == in->end || (*in->at != a && *in->at != b)) {
        return false;
    }
    ++in->at;
    return true;
}

static bool leap_year(int year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of(int year, int month) {
    static const int DAYS[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    return DAYS[month - 1] + (month == 2 && leap_year(year));
}

/** Days from 1970-01-01. */
static int64_t day_number(int year, int month, int day) {
    const int before = year - 1; /* years that are over since 0001; year 0 was one as well */
    int64_t days = year ? 365 * (int64_t) before + before / 4 - before / 100 + before / 400 : -366;
    for (int m = 1; m < month; ++m) {
        days += days_of(year, m);
    }
    return days + day - 1 - 719162;
}

/** @returns false if there is a point and no digit behind it. */
static bool fraction(cursor_t *in, bool *whole) {
    *whole = true;
    if (!one_of(in, '.', '.')) {
        return true;
    }
    const char *first = in->at;
    for (; in->at < in->end && *in->at >= '0' && *in->at <= '9'; ++in->at) {
        *whole = *whole && *in->at == '0';
    }
    return in->at > first;
}

/** Seconds by which local time is ahead. */
static bool offset(cursor_t *in, int *out) {
    int hours, minutes;
    *out = 0;
    if (one_of(in, 'Z', 'z')) {
        return true;
    }
    const int sign = in->at < in->end && *in->at == '-' ? -1 : 1;
    if (!one_of(in, '+', '-') || !digits(in, 2, 0, 23, &hours) || !one_of(in, ':', ':')
            || !digits(in, 2, 0, 59, &minutes)) {
        return false;
    }
    *out = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool anjay_date_time_parse(const char *text, size_t size, int64_t *out_seconds, bool *out_whole) {
    cursor_t in = { text, text + size };
    int year, month, day, hour, minute, second, ahead;
    bool whole;
    if (!digits(&in, 4, 0, 9999, &year) || !one_of(&in, '-', '-') || !digits(&in, 2, 1, 12, &month)
            || !one_of(&in, '-', '-') || !digits(&in, 2, 1, days_of(year, month), &day) || !one_of(&in, 'T', 't')
            || !digits(&in, 2, 0, 23, &hour) || !one_of(&in, ':', ':') || !digits(&in, 2, 0, 59, &minute)
            || !one_of(&in, ':', ':') || !digits(&in, 2, 0, 60, &second) || !fraction(&in, &whole)
            || !offset(&in, &ahead) || in.at != in.end) {
        return false;
    }
    *out_seconds = day_number(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - ahead;
    *out_whole = whole;
    return true;
}
