/* SPDX-License-Identifier: Apache-2.0 */
#include "net_internal.h"

#include <errno.h>

avs_error_t net_error(int system_errno) {
    static const struct {
        int system;
        avs_errno_t library;
    } MAP[] = { { EACCES, AVS_EACCES },
                { EADDRINUSE, AVS_EADDRINUSE },
                { EADDRNOTAVAIL, AVS_EADDRNOTAVAIL },
                { EAFNOSUPPORT, AVS_EAFNOSUPPORT },
                { EAGAIN, AVS_ETIMEDOUT }, /* what a receive without data is */
                { EBADF, AVS_EBADF },
                { ECONNABORTED, AVS_ECONNABORTED },
                { ECONNREFUSED, AVS_ECONNREFUSED },
                { ECONNRESET, AVS_ECONNRESET },
                { EHOSTUNREACH, AVS_EHOSTUNREACH },
                { EINTR, AVS_EINTR },
                { EINVAL, AVS_EINVAL },
                { EIO, AVS_EIO },
                { EMFILE, AVS_EMFILE },
                { EMSGSIZE, AVS_EMSGSIZE },
                { ENETDOWN, AVS_ENETDOWN },
                { ENETUNREACH, AVS_ENETUNREACH },
                { ENFILE, AVS_ENFILE },
                { ENOBUFS, AVS_ENOBUFS },
                { ENOMEM, AVS_ENOMEM },
                { ENOTCONN, AVS_ENOTCONN },
                { ENOTSOCK, AVS_ENOTSOCK },
                { EPERM, AVS_EPERM },
                { EPIPE, AVS_EPIPE },
                { ETIMEDOUT, AVS_ETIMEDOUT } };
    for (size_t i = 0; i < AVS_ARRAY_SIZE(MAP); ++i) {
        if (MAP[i].system == system_errno) {
            return avs_errno(MAP[i].library);
        }
    }
    return avs_errno(AVS_UNKNOWN_ERROR);
}
