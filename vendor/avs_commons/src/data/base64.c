/* SPDX-License-Identifier: Apache-2.0 */
#include <avsystem/commons/avs_base64.h>

#include <string.h>

const char AVS_BASE64_CHARS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const char AVS_BASE64_URL_SAFE_CHARS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const avs_base64_config_t AVS_BASE64_DEFAULT_LOOSE_CONFIG = {
    .alphabet = AVS_BASE64_CHARS,
    .padding_char = '=',
    .allow_whitespace = true
};
const avs_base64_config_t AVS_BASE64_DEFAULT_STRICT_CONFIG = {
    .alphabet = AVS_BASE64_CHARS,
    .padding_char = '=',
    .require_padding = true
};

size_t avs_base64_encoded_size_custom(size_t input_length, avs_base64_config_t config) {
    size_t size = input_length / 3 * 4, rest = input_length % 3;
    if (rest) {
        size += config.padding_char ? 4 : rest + 1;
    }
    return size + !config.without_null_termination;
}

size_t avs_base64_estimate_decoded_size(size_t input_length) {
    return (input_length + 3) / 4 * 3;
}

int avs_base64_encode_custom(char *out, size_t out_length, const uint8_t *input, size_t input_length,
                             avs_base64_config_t config) {
    if (out_length < avs_base64_encoded_size_custom(input_length, config)) {
        return -1;
    }
    for (size_t i = 0; i < input_length; i += 3) {
        const size_t rest = AVS_MIN(input_length - i, 3);
        uint32_t bits = (uint32_t) input[i] << 16;
        bits |= rest > 1 ? (uint32_t) input[i + 1] << 8 : 0;
        bits |= rest > 2 ? input[i + 2] : 0;
        for (size_t k = 0; k < 4; ++k) {
            if (k <= rest) {
                *out++ = config.alphabet[bits >> (18 - 6 * k) & 63];
            } else if (config.padding_char) {
                *out++ = config.padding_char;
            }
        }
    }
    if (!config.without_null_termination) {
        *out = '\0';
    }
    return 0;
}

int avs_base64_decode_custom(size_t *out_bytes_decoded, uint8_t *out, size_t out_length, const char *input,
                             avs_base64_config_t config) {
    uint32_t bits = 0;
    size_t digits = 0, padding = 0, written = 0;
    for (; *input; ++input) {
        if (config.allow_whitespace && strchr(" \t\v\f\r\n", *input)) {
            continue;
        }
        if (config.padding_char && *input == config.padding_char) {
            ++padding;
            continue;
        }
        const char *digit = (const char *) memchr(config.alphabet, *input, 64);
        if (!digit || padding) {
            return -1;
        }
        bits = bits << 6 | (uint32_t) (digit - config.alphabet);
        if (++digits % 4 != 1) {
            if (written == out_length) {
                return -1;
            }
            out[written++] = (uint8_t) (bits >> (6 - 2 * ((digits - 1) % 4)));
        }
    }
    const size_t wanted = (4 - digits % 4) % 4;
    if (digits % 4 == 1 || padding > 2 || (padding && padding != wanted)
            || (config.require_padding && padding != wanted)) {
        return -1;
    }
    if (out_bytes_decoded) {
        *out_bytes_decoded = written;
    }
    return 0;
}
