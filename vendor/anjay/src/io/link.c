/* SPDX-License-Identifier: Apache-2.0 */
/** CoRE Link Format (RFC 6690), as Register, Update and Discover use it. */
#include "output_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int anjay_link_append(coap_buf_t *out, const anjay_uri_path_t *path) {
    char text[ANJAY_PATH_TEXT_SIZE];
    anjay_path_text(path, text);
    return coap_buf_append(out, out->size ? ",<" : "<", out->size ? 2 : 1) || coap_buf_append(out, text, strlen(text))
                           || coap_buf_append(out, ">", 1)
                   ? -1
                   : 0;
}

int anjay_link_attr(coap_buf_t *out, const char *name, const char *value) {
    return coap_buf_append(out, ";", 1) || coap_buf_append(out, name, strlen(name))
                           || (value && (coap_buf_append(out, "=", 1) || coap_buf_append(out, value, strlen(value))))
                   ? -1
                   : 0;
}

int anjay_link_attr_double(coap_buf_t *out, const char *name, double value) {
    char text[32];
    anjay_number_text(value, text);
    return anjay_link_attr(out, name, text);
}

int anjay_link_attr_int(coap_buf_t *out, const char *name, int64_t value) {
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, value);
    return anjay_link_attr(out, name, text);
}
