/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A system that does not exist, for fuzz targets: a clock that only moves when told, sockets whose datagrams are variables, random bytes that are
 * the same each time, and failures on demand. While `inside` is false everything goes to the real system.
 */
#ifndef TESTS_FUZZ_MOCK_SYSTEM_H
#define TESTS_FUZZ_MOCK_SYSTEM_H

#include "../../vendor/avs_commons/src/base/alloc_hook.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#pragma GCC diagnostic ignored "-Wunused-function"

#define REQUIRE(Condition)                                                              \
    do {                                                                                \
        if (!(Condition)) {                                                             \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #Condition);   \
            abort();                                                                    \
        }                                                                               \
    } while (0)

enum { FIRST_FD = 10000, WAKE_FD = 9999, SENT_MAX = 16, HEAD_MAX = 48, DATAGRAM_MAX = 2048 };

/** A datagram that was sent, or its beginning. */
typedef struct {
    int fd;
    size_t size; /**< of the whole */
    uint8_t head[HEAD_MAX];
} sent_t;

static bool inside; /**< what is tested runs: the calls below are its own */
static int64_t clock_ns;
static int next_fd, open_fds;
static uint8_t incoming[DATAGRAM_MAX];
static size_t incoming_size;
static bool has_incoming;
static sent_t sent[SENT_MAX];
static size_t sent_count; /**< the last SENT_MAX of them are in `sent` */
static uint64_t random_state;
/** How many of the next calls fail, and how. */
static struct {
    unsigned send, receive, socket, connect;
    int error;
} broken;
static long allocations, fail_from, fail_count;
/** Gives sockets their input in another way, where set. */
static ssize_t (*receive_hook)(void *data, size_t size);
static void (*send_hook)(const void *data, size_t size);

static bool short_of_memory(void) {
    ++allocations;
    return allocations >= fail_from && allocations < fail_from + fail_count;
}

/** Makes the allocations from the @p from th on fail, @p count of them; 0: none. */
static void fail_allocations(long from, long count) {
    allocations = 0;
    fail_from = from;
    fail_count = count;
    avs_alloc_set_hook(count ? short_of_memory : NULL);
}

/** Whether nothing is made to fail any more. */
static bool healthy(void) {
    return !broken.send && !broken.receive && !broken.socket && !broken.connect
           && (!fail_count || allocations >= fail_from + fail_count);
}

static void heal(void) {
    memset(&broken, 0, sizeof(broken));
    fail_allocations(0, 0);
}

static void system_reset(void) {
    heal();
    clock_ns = 0;
    next_fd = FIRST_FD;
    sent_count = 0;
    has_incoming = false;
    incoming_size = 0;
    random_state = 88172645463325252u;
}

static const sent_t *sent_last(void) {
    return sent_count ? &sent[(sent_count - 1) % SENT_MAX] : NULL;
}

static bool breaks(unsigned *left) {
    if (!*left) {
        return false;
    }
    --*left;
    errno = broken.error;
    return true;
}

/* Hidden, so that only what is linked here gets these and not the fuzzer's own libraries. */
#pragma GCC visibility push(hidden)

int clock_gettime(clockid_t id, struct timespec *now) {
    if (!inside) {
        return (int) syscall(SYS_clock_gettime, id, now);
    }
    now->tv_sec = 1000000000 + clock_ns / 1000000000;
    now->tv_nsec = clock_ns % 1000000000;
    return 0;
}

int socket(int domain, int type, int protocol) {
    (void) domain;
    (void) type;
    (void) protocol;
    if (breaks(&broken.socket)) {
        return -1;
    }
    ++open_fds;
    return next_fd++;
}

int eventfd(unsigned count, int flags) {
    if (!inside) {
        return (int) syscall(SYS_eventfd2, count, flags);
    }
    ++open_fds;
    return WAKE_FD;
}

int close(int fd) {
    if (fd < WAKE_FD) {
        return (int) syscall(SYS_close, fd);
    }
    --open_fds;
    return 0;
}

int connect(int fd, const struct sockaddr *address, socklen_t size) {
    (void) fd;
    (void) address;
    (void) size;
    return breaks(&broken.connect) ? -1 : 0;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t size) {
    (void) fd;
    (void) level;
    (void) name;
    (void) value;
    (void) size;
    return 0;
}

ssize_t send(int fd, const void *data, size_t size, int flags) {
    (void) flags;
    if (breaks(&broken.send)) {
        return -1;
    }
    sent_t *entry = &sent[sent_count++ % SENT_MAX];
    entry->fd = fd;
    entry->size = size;
    memcpy(entry->head, data, size < HEAD_MAX ? size : HEAD_MAX);
    if (send_hook) {
        send_hook(data, size);
    }
    return (ssize_t) size;
}

ssize_t recv(int fd, void *data, size_t size, int flags) {
    (void) fd;
    if (breaks(&broken.receive)) {
        return -1;
    }
    if (receive_hook) {
        return receive_hook(data, size);
    }
    if (!has_incoming) {
        errno = EAGAIN;
        return -1;
    }
    has_incoming = false;
    const size_t fits = incoming_size < size ? incoming_size : size;
    memcpy(data, incoming, fits);
    return (ssize_t) (flags & MSG_TRUNC ? incoming_size : fits);
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms) {
    if (!inside) {
        return (int) syscall(SYS_poll, fds, count, timeout_ms);
    }
    clock_ns += (int64_t) (timeout_ms < 0 ? 1000 : timeout_ms) * 1000000;
    return 0;
}

int RAND_bytes(unsigned char *out, int size) {
    for (int i = 0; i < size; ++i) {
        random_state ^= random_state << 13;
        random_state ^= random_state >> 7;
        random_state ^= random_state << 17;
        out[i] = (unsigned char) random_state;
    }
    return 1;
}

#pragma GCC visibility pop

#endif /* TESTS_FUZZ_MOCK_SYSTEM_H */
