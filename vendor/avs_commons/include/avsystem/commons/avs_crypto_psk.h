/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VENDOR_COMMONS_AVS_CRYPTO_PSK_H
#define VENDOR_COMMONS_AVS_CRYPTO_PSK_H

#include <stdint.h>
#include <avsystem/commons/avs_crypto_common.h>
#include <avsystem/commons/avs_errno.h>

#ifdef __cplusplus
extern "C" {
#endif

/** View of a PSK identity. */
typedef struct {
    avs_crypto_security_info_union_t desc;
} avs_crypto_psk_identity_info_t;

/** @returns a view: @p buffer must live until the call that consumes it has returned. */
avs_crypto_psk_identity_info_t avs_crypto_psk_identity_info_from_buffer(const void *buffer, size_t buffer_size);

/**
 * Copies view and bytes into one piece of memory, to be freed by avs_free(). @returns AVS_ENOTSUP if it is no view of
 * a buffer, AVS_ENOMEM; *out_ptr is NULL then.
 */
avs_error_t avs_crypto_psk_identity_info_copy(avs_crypto_psk_identity_info_t **out_ptr, avs_crypto_psk_identity_info_t psk_identity_info);

/** View of a pre-shared key. */
typedef struct {
    avs_crypto_security_info_union_t desc;
} avs_crypto_psk_key_info_t;

/** @returns a view, as for an identity. */
avs_crypto_psk_key_info_t avs_crypto_psk_key_info_from_buffer(const void *buffer, size_t buffer_size);

/** As avs_crypto_psk_identity_info_copy(). */
avs_error_t avs_crypto_psk_key_info_copy(avs_crypto_psk_key_info_t **out_ptr, avs_crypto_psk_key_info_t psk_key_info);

#if defined(AVS_COMMONS_WITH_AVS_CRYPTO_PSK_ENGINE)
avs_crypto_psk_key_info_t avs_crypto_psk_key_info_from_engine(const char *query);
#endif

#if defined(AVS_COMMONS_WITH_AVS_CRYPTO_PSK_ENGINE)
avs_error_t avs_crypto_psk_engine_key_store(const char *query, const avs_crypto_psk_key_info_t *key_info);
#endif

#if defined(AVS_COMMONS_WITH_AVS_CRYPTO_PSK_ENGINE)
avs_error_t avs_crypto_psk_engine_key_rm(const char *query);
#endif

#if defined(AVS_COMMONS_WITH_AVS_CRYPTO_PSK_ENGINE)
avs_crypto_psk_identity_info_t avs_crypto_psk_identity_info_from_engine(const char *query);
#endif

#if defined(AVS_COMMONS_WITH_AVS_CRYPTO_PSK_ENGINE)
avs_error_t avs_crypto_psk_engine_identity_store(const char *query, const avs_crypto_psk_identity_info_t *identity_info);
#endif

#if defined(AVS_COMMONS_WITH_AVS_CRYPTO_PSK_ENGINE)
avs_error_t avs_crypto_psk_engine_identity_rm(const char *query);
#endif

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_COMMONS_AVS_CRYPTO_PSK_H */
