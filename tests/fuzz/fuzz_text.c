/* SPDX-License-Identifier: Apache-2.0 */
/** Short texts: server URIs, paths, base64, arguments of Execute. The first byte says which. What was understood is written and read again. */
#include "../../vendor/anjay/src/io/io.h"
#include "../../vendor/anjay/src/servers/servers.h"

#include <avsystem/commons/avs_base64.h>

#include <stdlib.h>
#include <string.h>

static void uri(const char *text) {
    char host[256], port[8], again[300], host2[256], port2[8];
    if (server_parse_uri(text, host, port)) {
        return;
    }
    if (!*host || !*port || strlen(host) > 255 || strlen(port) > 5) {
        abort();
    }
    const char *zone = strchr(host, ':') ? strchr(host, '%') : NULL; /* "%" stands for itself in a name, for "%25" in a literal */
    snprintf(again, sizeof(again), strchr(host, ':') ? "coap://[%.*s%s%s]:%s" : "coap://%.*s%s%s:%s",
             (int) (zone ? (size_t) (zone - host) : strlen(host)), host, zone ? "%25" : "", zone ? zone + 1 : "", port);
    if (server_parse_uri(again, host2, port2) || strcmp(host, host2) || strcmp(port, port2)) {
        abort();
    }
}

static void path(const char *text, size_t size) {
    anjay_uri_path_t parsed, again;
    char out[ANJAY_PATH_TEXT_SIZE];
    if (anjay_path_parse(text, size, &parsed)) {
        return;
    }
    anjay_path_text(&parsed, out);
    if (anjay_path_parse(out, strlen(out), &again) || !anjay_path_equal(&parsed, &again)) {
        abort();
    }
}

static void base64(const char *text, const uint8_t *data, size_t size) {
    static uint8_t decoded[4096];
    static char encoded[8192];
    size_t decoded_size;
    if (!avs_base64_decode_strict(&decoded_size, decoded, sizeof(decoded), text)
            && (avs_base64_encode(encoded, sizeof(encoded), decoded, decoded_size) || strlen(encoded) != strlen(text))) {
        abort(); /* not equal: the last digit may have bits that mean nothing */
    }
    if (size < 4096
            && (avs_base64_encode(encoded, sizeof(encoded), data, size)
                || avs_base64_decode_strict(&decoded_size, decoded, sizeof(decoded), encoded) || decoded_size != size
                || memcmp(decoded, data, size))) {
        abort();
    }
}

static void arguments(const uint8_t *data, size_t size) {
    anjay_execute_ctx_t ctx;
    int arg, result;
    bool has_value;
    if (anjay_execute_start(&ctx, data, size)) {
        return;
    }
    while (!(result = anjay_execute_get_next_arg(&ctx, &arg, &has_value))) {
        char value[5];
        size_t got;
        if (arg < 0 || arg > 9) {
            abort();
        }
        while (has_value && anjay_execute_get_arg_value(&ctx, &got, value, sizeof(value)) == ANJAY_BUFFER_TOO_SHORT) {
        }
    }
    if ((result != ANJAY_EXECUTE_GET_ARG_END && result != ANJAY_ERR_BAD_REQUEST)
            || anjay_execute_get_next_arg(&ctx, &arg, &has_value) != result) { /* the end stays the end */
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size || size > 4000) {
        return 0;
    }
    char text[4001];
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    switch (data[0] % 4) {
    case 0: uri(text); break;
    case 1: path(text, size - 1); break;
    case 2: base64(text, data + 1, size - 1); break;
    default: arguments(data + 1, size - 1);
    }
    return 0;
}
