/* SPDX-License-Identifier: Apache-2.0 */
/** What the glue's sources are compiled with (see CMakeLists.txt): each call that takes something of the system asks must_fail() first. */
#ifndef TESTS_NATIVE_GLUE_FAILURES_H
#define TESTS_NATIVE_GLUE_FAILURES_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <avsystem/commons/avs_sched.h>

bool must_fail(void);
/** For what the glue does again by itself. */
bool must_fail_for_now(void);

#ifndef GLUE_FAILURES_ONLY_DECLARE
#    define OR_FAIL(error, result, call) (must_fail() ? (errno = (error), (result)) : (call))
#    define malloc(size) OR_FAIL(ENOMEM, NULL, malloc(size))
#    define calloc(n, size) OR_FAIL(ENOMEM, NULL, calloc(n, size))
#    define realloc(p, size) OR_FAIL(ENOMEM, NULL, realloc(p, size))
#    define pipe2(fds, flags) OR_FAIL(EMFILE, -1, pipe2(fds, flags))
#    define eventfd(count, flags) OR_FAIL(EMFILE, -1, eventfd(count, flags))
#    define epoll_create1(flags) OR_FAIL(EMFILE, -1, epoll_create1(flags))
#    define epoll_ctl(epoll, op, fd, event) \
        ((op) == EPOLL_CTL_ADD ? OR_FAIL(ENOSPC, -1, epoll_ctl(epoll, op, fd, event)) : epoll_ctl(epoll, op, fd, event))
#    define fcntl(fd, op, ...) \
        ((op) == F_DUPFD_CLOEXEC ? OR_FAIL(EMFILE, -1, fcntl(fd, op, ##__VA_ARGS__)) : fcntl(fd, op, ##__VA_ARGS__))
#    define pthread_create(thread, attr, main, arg) (must_fail() ? EAGAIN : pthread_create(thread, attr, main, arg))
/* the library's scheduler need not allocate for a job that plans itself: others' does */
#    define avs_sched_at_impl__(...) (must_fail_for_now() ? -1 : avs_sched_at_impl__(__VA_ARGS__))
#endif

#endif /* TESTS_NATIVE_GLUE_FAILURES_H */
