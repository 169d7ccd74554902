/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VENDOR_COMMONS_AVS_PRNG_H
#define VENDOR_COMMONS_AVS_PRNG_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A generator of random bytes that are fit for secrets. */
typedef struct avs_crypto_prng_ctx_struct avs_crypto_prng_ctx_t;

/** Fills @p out_buf with entropy. @returns 0; anything else is a failure. Must not call the library. */
typedef int (*avs_prng_entropy_callback_t)(unsigned char *out_buf, size_t out_buf_len, void *user_ptr);

/**
 * Makes a generator. @p entropy_cb, if any, is asked for a seed here and now, which adds to that of the system.
 * @returns NULL if it failed or memory ran out; to be freed by avs_crypto_prng_free().
 */
avs_crypto_prng_ctx_t *avs_crypto_prng_new(avs_prng_entropy_callback_t entropy_cb, void *user_ptr);

/** Frees it and sets *ctx to NULL; *ctx may be NULL. */
void avs_crypto_prng_free(avs_crypto_prng_ctx_t **ctx);

/**
 * Gives random bytes, from any thread. @returns 0, or -1 if there are none to be had, @p ctx is NULL, or more than
 * INT_MAX are wanted.
 */
int avs_crypto_prng_bytes(avs_crypto_prng_ctx_t *ctx, unsigned char *out_buf, size_t out_buf_size);

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_COMMONS_AVS_PRNG_H */
