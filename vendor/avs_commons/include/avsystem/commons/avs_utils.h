/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VENDOR_COMMONS_AVS_UTILS_H
#define VENDOR_COMMONS_AVS_UTILS_H

#include <avsystem/commons/avs_defs.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

/** Bytes that the decimal text of any value of the unsigned @p type takes, its NUL included: one digit is 1 / log10(2) bits. */
#define AVS_UINT_STR_BUF_SIZE(type) (sizeof(type) * 8 * 30103 / 100000 + 2)
/** The same for the signed type of that size: one bit less, and a minus. */
#define AVS_INT_STR_BUF_SIZE(type) ((sizeof(type) * 8 - 1) * 30103 / 100000 + 3)

#ifdef __cplusplus
extern "C" {
#endif

/** Largest result of avs_rand_r(). */
#define AVS_RAND_MAX 32767

/** State of a generator that is good for jitter and not for secrets; any value is a seed. */
typedef unsigned int avs_rand_seed_t;

/** @returns a number from 0 to AVS_RAND_MAX, and moves the seed on. */
int avs_rand_r(avs_rand_seed_t *seed);

/** @returns 32 (64) pseudo-random bits, and moves the seed on. */
uint32_t avs_rand32_r(avs_rand_seed_t *seed);
static inline uint64_t avs_rand64_r(avs_rand_seed_t *seed) {
    return ((uint64_t) avs_rand32_r(seed) << 32) | avs_rand32_r(seed);
}

/** @returns whether exactly one bit is set. */
static inline bool avs_is_power_of_2(size_t value) {
    return value > 0 && !(value & (value - 1));
}

/** @returns the highest bit of @p bound; 0 for 0. */
static inline size_t avs_max_power_of_2_not_greater_than(size_t bound) {
    size_t result = bound;
    while (result & (result - 1)) {
        result &= result - 1;
    }
    return result;
}

/** Between the host's byte order and that of the network, in either direction. */
uint16_t avs_convert_be16(uint16_t value);
uint32_t avs_convert_be32(uint32_t value);
uint64_t avs_convert_be64(uint64_t value);

/** @returns the IEEE 754 bits in network byte order. */
uint32_t avs_htonf(float f);
uint64_t avs_htond(double d);

/** The way back. */
float avs_ntohf(uint32_t v);
double avs_ntohd(uint64_t v);

/**
 * As vsnprintf(), but a text that does not fit is an error. @returns the length without NUL, or -1; @p out is
 * terminated in any case unless @p out_size is 0.
 */
int avs_simple_vsnprintf(char *out, size_t out_size, const char *format, va_list args);
int avs_simple_snprintf(char *out, size_t out_size, const char *format, ...);

/** As strcasecmp() and strncasecmp(). */
int avs_strcasecmp(const char *s1, const char *s2);
int avs_strncasecmp(const char *s1, const char *s2, size_t n);

/** As strtok_r(). */
char *avs_strtok(char *str, const char *delim, char **saveptr);

/** @returns a copy, to be freed by avs_free(); NULL when memory ran out. */
char *avs_strdup(const char *str);

/** What isspace() takes for white space in the C locale. */
#define AVS_SPACES " \t\v\f\r\n"

/**
 * Skips characters of @p delims, then @p token in any case, then delimiters again. @returns 0, or -1, and *src stays,
 * if another word or a longer one stands there.
 */
int avs_match_token(const char **src, const char *token, const char *delims);

/**
 * Takes characters up to one of @p delims, which is skipped; within double quotes, which are left out, delimiters
 * count for nothing and a backslash takes the next character as it is. What exceeds @p dest_size is dropped; @p dest
 * is terminated unless that is 0.
 */
void avs_consume_quotable_token(const char **src, char *dest, size_t dest_size, const char *delims);

/**
 * Writes two lower-case digits a byte, as many whole bytes as fit with the NUL; @p out_bytes_hexlified (may be NULL)
 * gets their number. @returns 0, or -1 if there is no room for the NUL.
 */
int avs_hexlify(char *out_hex, size_t out_size, size_t *out_bytes_hexlified, const void *input, size_t input_size);

/**
 * Reads pairs of digits of either case, no more than @p out_size bytes; @p out_bytes_written may be NULL. @returns 0,
 * or -1 for an odd number of digits or for what is none.
 */
int avs_unhexlify(size_t *out_bytes_written, uint8_t *output, size_t out_size, const char *input, size_t in_size);

/** @returns whether @p value is whole and within the range of the type. */
bool avs_double_convertible_to_int64(double value);
bool avs_double_convertible_to_uint64(double value);

/** Write the decimal text into *buf. @returns *buf. */
const char *avs_uint64_as_string_impl__(char(*buf)[AVS_UINT_STR_BUF_SIZE(uint64_t)], uint64_t value);
const char *avs_int64_as_string_impl__(char(*buf)[AVS_INT_STR_BUF_SIZE(uint64_t)], int64_t value);

/**
 * Writes @p precision significant digits, 17 if so many do not fit, with a point whatever the locale. @returns *buf.
 */
const char *avs_double_as_string_impl__(char (*buf)[32], double value, uint8_t precision);

/** The decimal text of a number, in memory that lasts as long as the block that this stands in. */
#define AVS_UINT64_AS_STRING(Value) \
    (avs_uint64_as_string_impl__(&(char[AVS_UINT_STR_BUF_SIZE(uint64_t)]){ "" }, (Value)))
#define AVS_INT64_AS_STRING(Value) (avs_int64_as_string_impl__(&(char[AVS_INT_STR_BUF_SIZE(uint64_t)]){ "" }, (Value)))
#define AVS_DOUBLE_AS_STRING(Value, Precision) (avs_double_as_string_impl__(&(char[32]){ "" }, (Value), (Precision)))

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_COMMONS_AVS_UTILS_H */
