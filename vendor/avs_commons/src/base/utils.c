/* SPDX-License-Identifier: Apache-2.0 */
#include "c_locale.h"

#include <avsystem/commons/avs_memory.h>
#include <avsystem/commons/avs_utils.h>

#include <endian.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

int avs_rand_r(avs_rand_seed_t *seed) {
    return rand_r(seed) & AVS_RAND_MAX;
}

uint32_t avs_rand32_r(avs_rand_seed_t *seed) {
    uint32_t result = 0;
    for (int bits = 0; bits < 32; bits += 15) {
        result = (result << 15) | (uint32_t) avs_rand_r(seed);
    }
    return result;
}

uint16_t avs_convert_be16(uint16_t value) {
    return htobe16(value);
}

uint32_t avs_convert_be32(uint32_t value) {
    return htobe32(value);
}

uint64_t avs_convert_be64(uint64_t value) {
    return htobe64(value);
}

uint32_t avs_htonf(float f) {
    uint32_t bits;
    memcpy(&bits, &f, sizeof(bits));
    return htobe32(bits);
}

uint64_t avs_htond(double d) {
    uint64_t bits;
    memcpy(&bits, &d, sizeof(bits));
    return htobe64(bits);
}

float avs_ntohf(uint32_t v) {
    float f;
    v = be32toh(v);
    memcpy(&f, &v, sizeof(f));
    return f;
}

double avs_ntohd(uint64_t v) {
    double d;
    v = be64toh(v);
    memcpy(&d, &v, sizeof(d));
    return d;
}

int avs_simple_vsnprintf(char *out, size_t out_size, const char *format, va_list args) {
    int length = vsnprintf(out, out_size, format, args);
    return length < 0 || (size_t) length >= out_size ? -1 : length;
}

int avs_simple_snprintf(char *out, size_t out_size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int length = avs_simple_vsnprintf(out, out_size, format, args);
    va_end(args);
    return length;
}

int avs_strcasecmp(const char *s1, const char *s2) {
    return strcasecmp(s1, s2);
}

int avs_strncasecmp(const char *s1, const char *s2, size_t n) {
    return strncasecmp(s1, s2, n);
}

char *avs_strtok(char *str, const char *delim, char **saveptr) {
    return strtok_r(str, delim, saveptr);
}

char *avs_strdup(const char *str) {
    size_t size = strlen(str) + 1;
    char *copy = (char *) avs_malloc(size);
    return copy ? (char *) memcpy(copy, str, size) : NULL;
}

int avs_match_token(const char **src, const char *token, const char *delims) {
    const size_t length = strlen(token);
    const char *text = *src + strspn(*src, delims);
    if (strncasecmp(text, token, length) || (text[length] && !strchr(delims, text[length]))) {
        return -1;
    }
    text += length;
    *src = text + strspn(text, delims);
    return 0;
}

void avs_consume_quotable_token(const char **src, char *dest, size_t dest_size, const char *delims) {
    bool quoted = false;
    size_t used = 0;
    const char *text = *src;
    for (; *text && (quoted || !strchr(delims, *text)); ++text) {
        if (*text == '"') {
            quoted = !quoted;
            continue;
        }
        if (quoted && *text == '\\' && text[1]) {
            ++text;
        }
        if (used + 1 < dest_size) {
            dest[used++] = *text;
        }
    }
    if (dest_size) {
        dest[used] = '\0';
    }
    *src = *text ? text + 1 : text;
}

int avs_hexlify(char *out_hex, size_t out_size, size_t *out_bytes_hexlified, const void *input, size_t input_size) {
    static const char DIGITS[] = "0123456789abcdef";
    if (!out_hex || !out_size) {
        return -1;
    }
    size_t count = AVS_MIN(input_size, (out_size - 1) / 2);
    for (size_t i = 0; i < count; ++i) {
        out_hex[2 * i] = DIGITS[((const uint8_t *) input)[i] >> 4];
        out_hex[2 * i + 1] = DIGITS[((const uint8_t *) input)[i] & 15];
    }
    out_hex[2 * count] = '\0';
    if (out_bytes_hexlified) {
        *out_bytes_hexlified = count;
    }
    return 0;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char) (c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int avs_unhexlify(size_t *out_bytes_written, uint8_t *output, size_t out_size, const char *input, size_t in_size) {
    if (in_size % 2) {
        return -1;
    }
    size_t count = AVS_MIN(in_size / 2, out_size);
    for (size_t i = 0; i < count; ++i) {
        int high = hex_digit(input[2 * i]), low = hex_digit(input[2 * i + 1]);
        if (high < 0 || low < 0) {
            return -1;
        }
        output[i] = (uint8_t) (high << 4 | low);
    }
    if (out_bytes_written) {
        *out_bytes_written = count;
    }
    return 0;
}

bool avs_double_convertible_to_int64(double value) {
    return value >= -9223372036854775808.0 && value < 9223372036854775808.0 && value == floor(value);
}

bool avs_double_convertible_to_uint64(double value) {
    return value >= 0.0 && value < 18446744073709551616.0 && value == floor(value);
}

const char *avs_uint64_as_string_impl__(char (*buf)[AVS_UINT_STR_BUF_SIZE(uint64_t)], uint64_t value) {
    snprintf(*buf, sizeof(*buf), "%" PRIu64, value);
    return *buf;
}

const char *avs_int64_as_string_impl__(char (*buf)[AVS_INT_STR_BUF_SIZE(uint64_t)], int64_t value) {
    snprintf(*buf, sizeof(*buf), "%" PRId64, value);
    return *buf;
}

const char *avs_double_as_string_impl__(char (*buf)[32], double value, uint8_t precision) {
    if (c_format_double(*buf, sizeof(*buf), precision, value) >= (int) sizeof(*buf)) {
        c_format_double(*buf, sizeof(*buf), 17, value);
    }
    return *buf;
}
