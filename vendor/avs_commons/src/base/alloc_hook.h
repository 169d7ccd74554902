/* SPDX-License-Identifier: Apache-2.0 */
/** Lets a test make allocations fail. Compiled in with ANJAY_VENDORED_ALLOC_HOOK only. */
#ifndef BASE_ALLOC_HOOK_H
#define BASE_ALLOC_HOOK_H

#include <stdbool.h>

#ifdef ANJAY_VENDORED_ALLOC_HOOK
/** @p hook is asked before each allocation whether it must fail; NULL: none fails. Not thread-safe. */
void avs_alloc_set_hook(bool (*hook)(void));
#endif

#endif /* BASE_ALLOC_HOOK_H */
