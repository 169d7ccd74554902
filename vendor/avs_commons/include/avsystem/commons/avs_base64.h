/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VENDOR_COMMONS_AVS_BASE64_H
#define VENDOR_COMMONS_AVS_BASE64_H

#include <avsystem/commons/avs_defs.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The alphabets of RFC 4648, sections 4 and 5. */
extern const char AVS_BASE64_CHARS[];
extern const char AVS_BASE64_URL_SAFE_CHARS[];

/** A variant of base64. */
typedef struct {
    const char *alphabet;
    char padding_char;
    bool allow_whitespace;
    bool require_padding;
    bool without_null_termination;
} avs_base64_config_t;

/** RFC 4648, section 4: the loose one reads white space anywhere and does without padding, the strict one does not. */
extern const avs_base64_config_t AVS_BASE64_DEFAULT_LOOSE_CONFIG;
extern const avs_base64_config_t AVS_BASE64_DEFAULT_STRICT_CONFIG;

/** @returns the characters for @p input_length bytes, with the NUL if there is one. */
size_t avs_base64_encoded_size_custom(size_t input_length, avs_base64_config_t config);
static inline size_t avs_base64_encoded_size(size_t input_length) {
    return avs_base64_encoded_size_custom(input_length, AVS_BASE64_DEFAULT_LOOSE_CONFIG);
}
static inline size_t avs_base64_encoded_size_without_padding(size_t input_length) {
    avs_base64_config_t config = AVS_BASE64_DEFAULT_LOOSE_CONFIG;
    config.padding_char = '\0';
    return avs_base64_encoded_size_custom(input_length, config);
}

/** @returns bytes that are enough for the contents of @p input_length characters. */
size_t avs_base64_estimate_decoded_size(size_t input_length);

/**
 * Encodes, with padding and a NUL if the configuration has them. @returns 0, or -1 if @p out_length is less than
 * avs_base64_encoded_size_custom().
 */
int avs_base64_encode_custom(char *out, size_t out_length, const uint8_t *input, size_t input_length, avs_base64_config_t config);
static inline int avs_base64_encode(char *out, size_t out_length, const uint8_t *input, size_t input_length) {
    return avs_base64_encode_custom(out, out_length, input, input_length,
                                    AVS_BASE64_DEFAULT_STRICT_CONFIG);
}

/**
 * Decodes a NUL-terminated text; @p out_bytes_decoded may be NULL. @returns 0, or -1 if it is not what the
 * configuration allows or does not fit; @p out may have been written to then.
 */
int avs_base64_decode_custom(size_t *out_bytes_decoded, uint8_t *out, size_t out_length, const char *input, avs_base64_config_t config);
static inline int avs_base64_decode_strict(size_t *out_bytes_decoded, uint8_t *out, size_t out_length, const char *input) {
    return avs_base64_decode_custom(out_bytes_decoded, out, out_length, input,
                                    AVS_BASE64_DEFAULT_STRICT_CONFIG);
}
static inline int avs_base64_decode(size_t *out_bytes_decoded, uint8_t *out, size_t out_length, const char *input) {
    return avs_base64_decode_custom(out_bytes_decoded, out, out_length, input,
                                    AVS_BASE64_DEFAULT_LOOSE_CONFIG);
}

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_COMMONS_AVS_BASE64_H */
