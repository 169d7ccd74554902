/* SPDX-License-Identifier: Apache-2.0 */
/** Views of key material, and random bytes. */
#include <avsystem/commons/avs_crypto_pki.h>
#include <avsystem/commons/avs_crypto_psk.h>
#include <avsystem/commons/avs_memory.h>
#include <avsystem/commons/avs_prng.h>

#include <openssl/rand.h>

#include <limits.h>
#include <string.h>

struct avs_crypto_prng_ctx_struct {
    char unused; /* OpenSSL keeps the generator's state, one for each thread */
};

void avs_crypto_clear_buffer(void *buf, size_t size) {
    explicit_bzero(buf, size);
}

static avs_crypto_security_info_union_t view(avs_crypto_security_info_tag_t type, const void *buffer, size_t size) {
    avs_crypto_security_info_union_t result = { .type = type, .source = AVS_CRYPTO_DATA_SOURCE_BUFFER };
    result.info.buffer.buffer = buffer;
    result.info.buffer.buffer_size = size;
    return result;
}

avs_crypto_psk_identity_info_t avs_crypto_psk_identity_info_from_buffer(const void *buffer, size_t buffer_size) {
    return (avs_crypto_psk_identity_info_t) { view(AVS_CRYPTO_SECURITY_INFO_PSK_IDENTITY, buffer, buffer_size) };
}

avs_crypto_psk_key_info_t avs_crypto_psk_key_info_from_buffer(const void *buffer, size_t buffer_size) {
    return (avs_crypto_psk_key_info_t) { view(AVS_CRYPTO_SECURITY_INFO_PSK_KEY, buffer, buffer_size) };
}

static avs_crypto_security_info_union_t file_view(avs_crypto_security_info_tag_t type, const char *filename,
                                                  const char *password) {
    avs_crypto_security_info_union_t result = { .type = type, .source = AVS_CRYPTO_DATA_SOURCE_FILE };
    result.info.file.filename = filename;
    result.info.file.password = password;
    return result;
}

avs_crypto_certificate_chain_info_t avs_crypto_certificate_chain_info_from_file(const char *filename) {
    return (avs_crypto_certificate_chain_info_t) { file_view(AVS_CRYPTO_SECURITY_INFO_CERTIFICATE_CHAIN, filename,
                                                             NULL) };
}

avs_crypto_certificate_chain_info_t avs_crypto_certificate_chain_info_from_path(const char *path) {
    avs_crypto_certificate_chain_info_t result = { { .type = AVS_CRYPTO_SECURITY_INFO_CERTIFICATE_CHAIN,
                                                     .source = AVS_CRYPTO_DATA_SOURCE_PATH } };
    result.desc.info.path.path = path;
    return result;
}

avs_crypto_certificate_chain_info_t avs_crypto_certificate_chain_info_from_buffer(const void *buffer,
                                                                                  size_t buffer_size) {
    return (avs_crypto_certificate_chain_info_t) { view(AVS_CRYPTO_SECURITY_INFO_CERTIFICATE_CHAIN, buffer,
                                                        buffer_size) };
}

avs_crypto_certificate_chain_info_t
avs_crypto_certificate_chain_info_from_array(const avs_crypto_certificate_chain_info_t *array_ptr,
                                             size_t array_element_count) {
    avs_crypto_certificate_chain_info_t result = { { .type = AVS_CRYPTO_SECURITY_INFO_CERTIFICATE_CHAIN,
                                                     .source = AVS_CRYPTO_DATA_SOURCE_ARRAY } };
    result.desc.info.array.array_ptr = &array_ptr->desc;
    result.desc.info.array.element_count = array_element_count;
    return result;
}

avs_crypto_cert_revocation_list_info_t avs_crypto_cert_revocation_list_info_from_file(const char *filename) {
    return (avs_crypto_cert_revocation_list_info_t) { file_view(AVS_CRYPTO_SECURITY_INFO_CERT_REVOCATION_LIST, filename,
                                                                NULL) };
}

avs_crypto_cert_revocation_list_info_t avs_crypto_cert_revocation_list_info_from_buffer(const void *buffer,
                                                                                        size_t buffer_size) {
    return (avs_crypto_cert_revocation_list_info_t) { view(AVS_CRYPTO_SECURITY_INFO_CERT_REVOCATION_LIST, buffer,
                                                           buffer_size) };
}

avs_crypto_private_key_info_t avs_crypto_private_key_info_from_file(const char *filename, const char *password) {
    return (avs_crypto_private_key_info_t) { file_view(AVS_CRYPTO_SECURITY_INFO_PRIVATE_KEY, filename, password) };
}

avs_crypto_private_key_info_t avs_crypto_private_key_info_from_buffer(const void *buffer, size_t buffer_size,
                                                                      const char *password) {
    avs_crypto_private_key_info_t result = { view(AVS_CRYPTO_SECURITY_INFO_PRIVATE_KEY, buffer, buffer_size) };
    result.desc.info.buffer.password = password;
    return result;
}

/** Gives the view and the bytes in one piece of memory, to be freed by avs_free(). */
static avs_error_t copy(avs_crypto_security_info_union_t **out, const avs_crypto_security_info_union_t *from) {
    *out = NULL;
    if (from->source != AVS_CRYPTO_DATA_SOURCE_BUFFER) {
        return avs_errno(AVS_ENOTSUP);
    }
    const size_t size = from->info.buffer.buffer_size;
    avs_crypto_security_info_union_t *to =
            (avs_crypto_security_info_union_t *) avs_malloc(sizeof(*to) + size);
    if (to) {
        *to = view(from->type, to + 1, size);
        if (size) {
            memcpy(to + 1, from->info.buffer.buffer, size);
        }
    }
    *out = to;
    return to ? AVS_OK : avs_errno(AVS_ENOMEM);
}

avs_error_t avs_crypto_psk_identity_info_copy(avs_crypto_psk_identity_info_t **out_ptr,
                                              avs_crypto_psk_identity_info_t psk_identity_info) {
    avs_crypto_security_info_union_t *made;
    const avs_error_t err = copy(&made, &psk_identity_info.desc);
    *out_ptr = (avs_crypto_psk_identity_info_t *) made;
    return err;
}

avs_error_t avs_crypto_psk_key_info_copy(avs_crypto_psk_key_info_t **out_ptr, avs_crypto_psk_key_info_t psk_key_info) {
    avs_crypto_security_info_union_t *made;
    const avs_error_t err = copy(&made, &psk_key_info.desc);
    *out_ptr = (avs_crypto_psk_key_info_t *) made;
    return err;
}

avs_crypto_prng_ctx_t *avs_crypto_prng_new(avs_prng_entropy_callback_t entropy_cb, void *user_ptr) {
    unsigned char seed[48];
    if (entropy_cb) {
        if (entropy_cb(seed, sizeof(seed), user_ptr)) {
            return NULL;
        }
        RAND_seed(seed, sizeof(seed));
        explicit_bzero(seed, sizeof(seed));
    }
    return (avs_crypto_prng_ctx_t *) avs_calloc(1, sizeof(avs_crypto_prng_ctx_t));
}

void avs_crypto_prng_free(avs_crypto_prng_ctx_t **ctx) {
    avs_free(*ctx);
    *ctx = NULL;
}

int avs_crypto_prng_bytes(avs_crypto_prng_ctx_t *ctx, unsigned char *out_buf, size_t out_buf_size) {
    if (!ctx || out_buf_size > INT_MAX) {
        return -1;
    }
    return RAND_bytes(out_buf, (int) out_buf_size) == 1 ? 0 : -1;
}
