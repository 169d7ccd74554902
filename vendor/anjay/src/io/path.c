/* SPDX-License-Identifier: Apache-2.0 */
#include "io.h"

#include <string.h>

#define MAX_IDS 4

size_t anjay_path_length(const anjay_uri_path_t *path) {
    size_t length = 0;
    while (length < MAX_IDS && path->ids[length] != ANJAY_ID_INVALID) {
        ++length;
    }
    return length;
}

anjay_uri_path_t anjay_path(size_t length, ...) {
    anjay_uri_path_t path = { .ids = { ANJAY_ID_INVALID, ANJAY_ID_INVALID, ANJAY_ID_INVALID, ANJAY_ID_INVALID } };
    va_list ids;
    va_start(ids, length);
    for (size_t i = 0; i < length && i < MAX_IDS; ++i) {
        path.ids[i] = (uint16_t) va_arg(ids, int);
    }
    va_end(ids);
    return path;
}

bool anjay_path_equal(const anjay_uri_path_t *a, const anjay_uri_path_t *b) {
    return !memcmp(a->ids, b->ids, sizeof(a->ids));
}

bool anjay_path_inside(const anjay_uri_path_t *path, const anjay_uri_path_t *base) {
    for (size_t i = 0; i < MAX_IDS && base->ids[i] != ANJAY_ID_INVALID; ++i) {
        if (path->ids[i] != base->ids[i]) {
            return false;
        }
    }
    return true;
}

const char *anjay_path_text(const anjay_uri_path_t *path, char *out) {
    char *at = out;
    for (size_t i = 0; i < MAX_IDS && path->ids[i] != ANJAY_ID_INVALID; ++i) {
        char digits[5];
        size_t count = 0;
        unsigned id = path->ids[i];
        do {
            digits[count++] = (char) ('0' + id % 10);
        } while (id /= 10);
        *at++ = '/';
        while (count) {
            *at++ = digits[--count];
        }
    }
    if (at == out) {
        *at++ = '/';
    }
    *at = '\0';
    return out;
}

int anjay_path_parse(const char *text, size_t size, anjay_uri_path_t *out) {
    *out = anjay_path(0);
    if (size == 1 && *text == '/') {
        return 0;
    }
    size_t at = 0;
    for (size_t i = 0; at < size; ++i) {
        if (i == MAX_IDS || text[at++] != '/' || at == size) {
            return -1;
        }
        const size_t first = at;
        uint32_t id = 0;
        while (at < size && text[at] >= '0' && text[at] <= '9' && at - first < 5) {
            id = id * 10 + (uint32_t) (text[at++] - '0');
        }
        if (at == first || id >= ANJAY_ID_INVALID || (text[first] == '0' && at - first > 1)
                || (at < size && text[at] != '/')) {
            return -1;
        }
        out->ids[i] = (uint16_t) id;
    }
    return 0;
}
