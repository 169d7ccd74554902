/* SPDX-License-Identifier: Apache-2.0 */
/** Small helpers that every other header builds on. */
#ifndef VENDOR_COMMONS_AVS_DEFS_H
#define VENDOR_COMMONS_AVS_DEFS_H

#include <avsystem/commons/avs_commons_config.h>

#include <assert.h>
#include <net/if.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Longest printed IPv4 or IPv6 address with its terminating NUL, in bytes. */
#define AVS_ADDRSTRLEN 46

/** An object as strictly aligned as any other. */
typedef union {
    void *ptr;
    void (*fptr)(void);
    long double ld;
    intmax_t i;
} avs_max_align_t;

/** A position in a stream, in bytes. */
typedef long avs_off_t;

#define AVS_QUOTE(Value) #Value
#define AVS_QUOTE_MACRO(Value) AVS_QUOTE(Value)

#define AVS_VENDOR_PASTE__(a, b) a##b
#define AVS_VENDOR_PASTE_EXPANDED__(a, b) AVS_VENDOR_PASTE__(a, b)

#define AVS_MIN(a, b) ((a) < (b) ? (a) : (b))
#define AVS_MAX(a, b) ((a) > (b) ? (a) : (b))
#define AVS_ARRAY_SIZE(arr) (sizeof(arr) / sizeof((arr)[0]))

/** The structure of @p type whose @p member is at @p ptr. */
#define AVS_CONTAINER_OF(ptr, type, member) ((type *) (void *) ((char *) (intptr_t) (ptr) - offsetof(type, member)))
/** The @p type at @p offset bytes into the structure at @p struct_ptr. */
#define AVS_APPLY_OFFSET(type, struct_ptr, offset) ((type *) (void *) ((char *) (intptr_t) (struct_ptr) + (offset)))

#define AVS_ALIGNOF(type) _Alignof(type)
#define AVS_STATIC_ASSERT(condition, message) _Static_assert(condition, #message)
#define AVS_ASSERT(cond, msg) assert((cond) && (msg))
#define AVS_UNREACHABLE(msg) assert(!(msg))

#define AVS_F_SENTINEL __attribute__((sentinel(0)))
#define AVS_F_PRINTF(fmt_idx, ellipsis_idx) __attribute__((format(printf, fmt_idx, ellipsis_idx)))
#define AVS_DEPRECATED(Message) __attribute__((deprecated(Message)))

#endif /* VENDOR_COMMONS_AVS_DEFS_H */
