/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VENDOR_COMMONS_AVS_CRYPTO_PKI_H
#define VENDOR_COMMONS_AVS_CRYPTO_PKI_H

#include <stdint.h>
#include <avsystem/commons/avs_crypto_common.h>
#include <avsystem/commons/avs_errno.h>
#include <avsystem/commons/avs_prng.h>
#include <avsystem/commons/avs_time.h>
#include <avsystem/commons/avs_list.h>

#ifdef __cplusplus
extern "C" {
#endif

/** View of one certificate or more. */
typedef struct avs_crypto_certificate_chain_info_struct {
    avs_crypto_security_info_union_t desc;
} avs_crypto_certificate_chain_info_t;

/** View of revocation lists. */
typedef struct {
    avs_crypto_security_info_union_t desc;
} avs_crypto_cert_revocation_list_info_t;

/** View of a private key. */
typedef struct {
    avs_crypto_security_info_union_t desc;
} avs_crypto_private_key_info_t;

/* Views of certificates and keys, PEM or DER: nothing is read or copied; what they point to must live until the call that consumes
 * them has returned. This build has no certificate mode that would consume them: a socket made with them is refused with AVS_ENOTSUP. */
avs_crypto_certificate_chain_info_t avs_crypto_certificate_chain_info_from_file(const char *filename);
avs_crypto_certificate_chain_info_t avs_crypto_certificate_chain_info_from_path(const char *path);
avs_crypto_certificate_chain_info_t avs_crypto_certificate_chain_info_from_buffer(const void *buffer, size_t buffer_size);
avs_crypto_certificate_chain_info_t
avs_crypto_certificate_chain_info_from_array(const avs_crypto_certificate_chain_info_t *array_ptr, size_t array_element_count);
avs_crypto_cert_revocation_list_info_t avs_crypto_cert_revocation_list_info_from_file(const char *filename);
avs_crypto_cert_revocation_list_info_t avs_crypto_cert_revocation_list_info_from_buffer(const void *buffer, size_t buffer_size);
/** @p password may be NULL. */
avs_crypto_private_key_info_t avs_crypto_private_key_info_from_file(const char *filename, const char *password);
avs_crypto_private_key_info_t avs_crypto_private_key_info_from_buffer(const void *buffer, size_t buffer_size, const char *password);

#if defined(AVS_COMMONS_WITH_AVS_CRYPTO_ADVANCED_FEATURES)
typedef struct avs_crypto_asn1_oid_struct avs_crypto_asn1_oid_t;
#endif

#if defined(AVS_COMMONS_WITH_AVS_CRYPTO_ADVANCED_FEATURES)
typedef struct {
    const avs_crypto_asn1_oid_t *oid;
    uint8_t value_id_octet;
} avs_crypto_pki_x509_name_key_t;
#endif

#if defined(AVS_COMMONS_WITH_AVS_CRYPTO_ADVANCED_FEATURES)
extern const avs_crypto_pki_x509_name_key_t AVS_CRYPTO_PKI_X509_NAME_CN;
#endif

#if defined(AVS_COMMONS_WITH_AVS_CRYPTO_ADVANCED_FEATURES)
extern const avs_crypto_pki_x509_name_key_t AVS_CRYPTO_PKI_X509_NAME_O;
#endif

#if defined(AVS_COMMONS_WITH_AVS_CRYPTO_ADVANCED_FEATURES)
extern const avs_crypto_pki_x509_name_key_t AVS_CRYPTO_PKI_X509_NAME_C;
#endif

#if defined(AVS_COMMONS_WITH_AVS_CRYPTO_ADVANCED_FEATURES)
typedef struct {
    avs_crypto_pki_x509_name_key_t key;
    const char *value;
} avs_crypto_pki_x509_name_entry_t;
#endif

#if defined(AVS_COMMONS_WITH_AVS_CRYPTO_ADVANCED_FEATURES)
typedef struct {
    const char *value;
} avs_crypto_pki_x509_ext_key_usage_t;
#endif

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_COMMONS_AVS_CRYPTO_PKI_H */
