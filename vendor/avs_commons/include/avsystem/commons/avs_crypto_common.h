/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VENDOR_COMMONS_AVS_CRYPTO_COMMON_H
#define VENDOR_COMMONS_AVS_CRYPTO_COMMON_H

#include <avsystem/commons/avs_commons_config.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(AVS_COMMONS_WITH_AVS_CRYPTO_PKI_ENGINE) || defined(AVS_COMMONS_WITH_AVS_CRYPTO_PSK_ENGINE)
typedef struct {
    const char *query;
} avs_crypto_security_info_union_internal_engine_t;
#endif

/** Where a view of key material points: a file, a folder, bytes, or several others. Nothing is owned. */
typedef struct {
    const char *filename;
    const char *password;
} avs_crypto_security_info_union_internal_file_t;
typedef struct {
    const char *path;
} avs_crypto_security_info_union_internal_path_t;
typedef struct {
    const void *buffer;
    const char *password;
    size_t buffer_size;
} avs_crypto_security_info_union_internal_buffer_t;

/** A view of key material. What it points to must live until the call that consumes it has returned. */
typedef struct avs_crypto_security_info_union_struct avs_crypto_security_info_union_t;

/** Views in one piece of memory, or in a list. */
typedef struct {
    const avs_crypto_security_info_union_t *array_ptr;
    size_t element_count;
} avs_crypto_security_info_union_internal_array_t;
typedef struct {
    avs_crypto_security_info_union_t *list_head;
} avs_crypto_security_info_union_internal_list_t;

/** What the material is. */
typedef enum {
    AVS_CRYPTO_SECURITY_INFO_CERTIFICATE_CHAIN = 0,
    AVS_CRYPTO_SECURITY_INFO_PRIVATE_KEY = 1,
    AVS_CRYPTO_SECURITY_INFO_CERT_REVOCATION_LIST = 2,
    AVS_CRYPTO_SECURITY_INFO_PSK_IDENTITY = 3,
    AVS_CRYPTO_SECURITY_INFO_PSK_KEY = 4
} avs_crypto_security_info_tag_t;

/** Which member of `info` counts; EMPTY: none. */
typedef enum {
    AVS_CRYPTO_DATA_SOURCE_EMPTY = 0,
    AVS_CRYPTO_DATA_SOURCE_FILE = 1,
    AVS_CRYPTO_DATA_SOURCE_PATH = 2,
    AVS_CRYPTO_DATA_SOURCE_BUFFER = 3,
    AVS_CRYPTO_DATA_SOURCE_ARRAY = 4,
    AVS_CRYPTO_DATA_SOURCE_LIST = 5,
#if defined(AVS_COMMONS_WITH_AVS_CRYPTO_PKI_ENGINE) || defined(AVS_COMMONS_WITH_AVS_CRYPTO_PSK_ENGINE)
    AVS_CRYPTO_DATA_SOURCE_ENGINE = 6
#endif
} avs_crypto_data_source_t;

/** See above; `info` has the member that `source` says. */
typedef struct avs_crypto_security_info_union_struct {
    avs_crypto_security_info_tag_t type;
    avs_crypto_data_source_t source;
    union {
        avs_crypto_security_info_union_internal_file_t file;
        avs_crypto_security_info_union_internal_path_t path;
        avs_crypto_security_info_union_internal_buffer_t buffer;
        avs_crypto_security_info_union_internal_array_t array;
        avs_crypto_security_info_union_internal_list_t list;
#if defined(AVS_COMMONS_WITH_AVS_CRYPTO_PKI_ENGINE) || defined(AVS_COMMONS_WITH_AVS_CRYPTO_PSK_ENGINE)
        avs_crypto_security_info_union_internal_engine_t engine;
#endif
    } info;
} avs_crypto_security_info_union_t;

/** Zeroes memory in a way that no compiler leaves out. */
#if defined(AVS_COMMONS_WITH_AVS_CRYPTO)
void avs_crypto_clear_buffer(void *buf, size_t size);
#endif

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_COMMONS_AVS_CRYPTO_COMMON_H */
