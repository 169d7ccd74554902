/* SPDX-License-Identifier: Apache-2.0 */
/* Anjay 3.14 without a TLS backend refers to this function, which its libraries define only together with one. */
#include <avsystem/commons/avs_commons_config.h>

#include <stddef.h>

#if !defined(AVS_COMMONS_WITH_OPENSSL) && !defined(AVS_COMMONS_WITH_MBEDTLS) && !defined(AVS_COMMONS_WITH_TINYDTLS) \
        && !defined(AVS_COMMONS_WITH_CUSTOM_TLS)
void avs_crypto_clear_buffer(void *buf, size_t size);

__attribute__((weak)) void avs_crypto_clear_buffer(void *buf, size_t size) {
    volatile unsigned char *bytes = (volatile unsigned char *) buf;
    while (size--) {
        *bytes++ = 0;
    }
}
#endif
