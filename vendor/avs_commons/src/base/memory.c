/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc_hook.h"

#include <avsystem/commons/avs_memory.h>

#include <stdlib.h>
#include <string.h>

#ifdef ANJAY_VENDORED_ALLOC_HOOK
static bool (*fail_hook)(void);

void avs_alloc_set_hook(bool (*hook)(void)) {
    fail_hook = hook;
}

#    define MUST_FAIL() (fail_hook && fail_hook())
#else
#    define MUST_FAIL() 0
#endif

void *avs_malloc(size_t size) {
    return MUST_FAIL() ? NULL : malloc(size);
}

void *avs_calloc(size_t nmemb, size_t size) {
    return MUST_FAIL() ? NULL : calloc(nmemb, size);
}

void *avs_realloc(void *ptr, size_t size) {
    return MUST_FAIL() ? NULL : realloc(ptr, size);
}

void avs_free(void *ptr) {
    free(ptr);
}

void avs_memswap(void *memptr1, void *memptr2, size_t n) {
    unsigned char *a = (unsigned char *) memptr1, *b = (unsigned char *) memptr2;
    for (size_t i = 0; i < n; ++i) {
        unsigned char c = a[i];
        a[i] = b[i];
        b[i] = c;
    }
}
