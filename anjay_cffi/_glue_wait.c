/* SPDX-License-Identifier: Apache-2.0 */
/* The real library waits for the other side of a DTLS handshake within one call, for minutes if nobody is there. Where it is
 * linked statically, its poll() is this one (the linker's --wrap), which also ends for stop() and for signals. */
#include "_glue.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#ifdef ANJAY_CFFI_WRAPS_POLL
#    define MAX_FDS 8
#    define SLICE_MS 200 /* a signal just before a wait ends none: whether one came is asked this often */

int __real_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms);

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms) {
    anjay_cffi_loop_t *loop = anjay_cffi_loop_inside();
    if (!loop || !timeout_ms || count > MAX_FDS) {
        return __real_poll(fds, count, timeout_ms);
    }
    const int64_t end = now_ms() + timeout_ms;
    for (;;) {
        struct pollfd all[MAX_FDS + 1];
        memcpy(all, fds, count * sizeof(*fds));
        all[count] = (struct pollfd) { .fd = anjay_cffi_loop_listen(loop), .events = POLLIN };
        const int64_t left = timeout_ms < 0 ? SLICE_MS : end - now_ms();
        const int ready = __real_poll(all, count + 1, left > SLICE_MS ? SLICE_MS : left > 0 ? (int) left : 0);
        if (ready < 0 && errno != EINTR) {
            return -1;
        }
        const int others = ready > 0 ? ready - (all[count].revents != 0) : 0;
        if (others > 0) { /* what is ready is done, such as the answer after an exception */
            memcpy(fds, all, count * sizeof(*fds));
            return others;
        }
        if (anjay_cffi_loop_interrupted(loop, ready <= 0, ready > 0 && all[count].revents)) {
            errno = ECANCELED;
            return -1;
        }
        if (!ready && timeout_ms >= 0 && now_ms() >= end) {
            memcpy(fds, all, count * sizeof(*fds));
            return 0;
        }
    }
}
#endif
