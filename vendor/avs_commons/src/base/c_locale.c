/* SPDX-License-Identifier: Apache-2.0 */
#include "c_locale.h"

#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static locale_t c_locale;

static void make_locale(void) {
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t) 0);
}

/** @returns the locale to go back to, or 0 if nothing was changed. */
static locale_t enter(void) {
    pthread_once(&once, make_locale);
    return c_locale ? uselocale(c_locale) : (locale_t) 0;
}

static void leave(locale_t before) {
    if (before) {
        uselocale(before);
    }
}

double c_strtod(const char *text, char **end) {
    const locale_t before = enter();
    const double value = strtod(text, end);
    leave(before);
    return value;
}

int c_format_double(char *out, size_t size, int precision, double value) {
    const locale_t before = enter();
    const int length = snprintf(out, size, "%.*g", precision, value);
    leave(before);
    return length;
}
