/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VENDOR_COMMONS_AVS_MEMORY_H
#define VENDOR_COMMONS_AVS_MEMORY_H

#include <avsystem/commons/avs_defs.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * As malloc(), calloc(), realloc() and free(): all memory that the library gives away or takes over comes from here.
 */
void *avs_malloc(size_t size);
void avs_free(void *ptr);
void *avs_calloc(size_t nmemb, size_t size);
void *avs_realloc(void *ptr, size_t size);

/** Exchanges @p n bytes. The two must not overlap. */
void avs_memswap(void *memptr1, void *memptr2, size_t n);

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_COMMONS_AVS_MEMORY_H */
