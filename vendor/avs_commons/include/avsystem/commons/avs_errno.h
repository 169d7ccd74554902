/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VENDOR_COMMONS_AVS_ERRNO_H
#define VENDOR_COMMONS_AVS_ERRNO_H

#include <assert.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A result: what kind of error, and which. All zero: success. */
typedef struct {
    uint16_t category;
    uint16_t code;
} avs_error_t;

/** Success. */
static const avs_error_t AVS_OK = { 0, 0 };

/** @returns whether it is success, or is not. */
static inline bool avs_is_ok(avs_error_t error) {
    return error.category == 0 && error.code == 0;
}
static inline bool avs_is_err(avs_error_t error) {
    return !avs_is_ok(error);
}

/** avs_error_t.category of avs_errno_t. */
#define AVS_ERRNO_CATEGORY 37766

/** Errors of category AVS_ERRNO_CATEGORY. The names are those of errno, the numbers are not. */
typedef enum avs_errno {
    AVS_NO_ERROR = 0,
    AVS_E2BIG = 1,
    AVS_EACCES = 2,
    AVS_EADDRINUSE = 3,
    AVS_EADDRNOTAVAIL = 4,
    AVS_EAFNOSUPPORT = 5,
    AVS_EAGAIN = 6,
    AVS_EALREADY = 7,
    AVS_EBADF = 8,
    AVS_EBADMSG = 9,
    AVS_EBUSY = 10,
    AVS_ECHILD = 11,
    AVS_ECONNABORTED = 12,
    AVS_ECONNREFUSED = 13,
    AVS_ECONNRESET = 14,
    AVS_EDEADLK = 15,
    AVS_EDESTADDRREQ = 16,
    AVS_EDOM = 17,
    AVS_EEXIST = 18,
    AVS_EFAULT = 19,
    AVS_EFBIG = 20,
    AVS_EHOSTUNREACH = 21,
    AVS_EINPROGRESS = 22,
    AVS_EINTR = 23,
    AVS_EINVAL = 24,
    AVS_EIO = 25,
    AVS_EISCONN = 26,
    AVS_EISDIR = 27,
    AVS_ELOOP = 28,
    AVS_EMFILE = 29,
    AVS_EMLINK = 30,
    AVS_EMSGSIZE = 31,
    AVS_ENAMETOOLONG = 32,
    AVS_ENETDOWN = 33,
    AVS_ENETRESET = 34,
    AVS_ENETUNREACH = 35,
    AVS_ENFILE = 36,
    AVS_ENOBUFS = 37,
    AVS_ENODEV = 38,
    AVS_ENOENT = 39,
    AVS_ENOEXEC = 40,
    AVS_ENOLINK = 41,
    AVS_ENOMEM = 42,
    AVS_ENOMSG = 43,
    AVS_ENOPROTOOPT = 44,
    AVS_ENOSPC = 45,
    AVS_ENOSYS = 46,
    AVS_ENOTBLK = 47,
    AVS_ENOTCONN = 48,
    AVS_ENOTDIR = 49,
    AVS_ENOTEMPTY = 50,
    AVS_ENOTSOCK = 51,
    AVS_ENOTSUP = 52,
    AVS_ENOTTY = 53,
    AVS_ENXIO = 54,
    AVS_EOVERFLOW = 55,
    AVS_EPERM = 56,
    AVS_EPIPE = 57,
    AVS_EPROTO = 58,
    AVS_EPROTONOSUPPORT = 59,
    AVS_EPROTOTYPE = 60,
    AVS_ERANGE = 61,
    AVS_EROFS = 62,
    AVS_ESPIPE = 63,
    AVS_ESRCH = 64,
    AVS_ETIMEDOUT = 65,
    AVS_ETXTBSY = 66,
    AVS_EXDEV = 67,
    AVS_UNKNOWN_ERROR = 65535
} avs_errno_t;

/** @returns the error as a result. */
static inline avs_error_t avs_errno(avs_errno_t error) {
    return (avs_error_t) { .category = AVS_ERRNO_CATEGORY, .code = (uint16_t) error };
}

/** @returns a static English text; never NULL. */
const char *avs_strerror(avs_errno_t error);

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_COMMONS_AVS_ERRNO_H */
