/* SPDX-License-Identifier: Apache-2.0 */
/** Dates and times as text (RFC 3339). */
#ifndef ANJAY_IO_DATE_TIME_H
#define ANJAY_IO_DATE_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Reads a date-time such as 2013-03-21T20:04:00.5+01:00 (RFC 3339, section 5.6). Leap seconds count as the second
 * that follows.
 *
 * @param text        need not end with NUL.
 * @param out_seconds since 1970-01-01T00:00:00Z, rounded down.
 * @param out_whole   whether there is no fraction of a second.
 * @returns false if the text is anything else, and then nothing is stored.
 */
bool anjay_date_time_parse(const char *text, size_t size, int64_t *out_seconds, bool *out_whole);

#endif /* ANJAY_IO_DATE_TIME_H */
