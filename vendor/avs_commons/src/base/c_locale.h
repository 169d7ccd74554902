/* SPDX-License-Identifier: Apache-2.0 */
/** Numbers as text with a point, whatever locale the program has chosen. Any thread. */
#ifndef VENDOR_BASE_C_LOCALE_H
#define VENDOR_BASE_C_LOCALE_H

#include <stddef.h>

/** strtod() of the "C" locale. */
double c_strtod(const char *text, char **end);

/** snprintf("%.*g") of the "C" locale. @returns like snprintf(). */
int c_format_double(char *out, size_t size, int precision, double value);

#endif /* VENDOR_BASE_C_LOCALE_H */
