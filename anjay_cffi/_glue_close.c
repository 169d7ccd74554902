/* SPDX-License-Identifier: Apache-2.0 */
/* anjay_delete() that can be cut short: it blocks until the servers have answered De-register, which a server that is
 * gone never does. */
#define _GNU_SOURCE
#include "_glue.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    int fd;   /* the library's */
    int copy; /* the same socket under a number of ours */
} victim_t;

#define MAX_VICTIMS 16

typedef struct {
    victim_t victims[MAX_VICTIMS];
    size_t count;
    anjay_cffi_loop_t *loop;
    int timeout_ms; /* negative: wait for Ctrl-C only */
    int no_socket;
    int cut;
} watch_t;

static int same_file(int a, int b) {
    struct stat x;
    struct stat y;
    return !fstat(a, &x) && !fstat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Puts something that is no socket in the socket's place, so that every call of the library on it fails; and shuts
 * the socket itself down, which ends a poll() that waits for it. The library closes the number as usual. */
static void cut(watch_t *watch, int no_socket) {
    for (size_t i = 0; i < watch->count; ++i) {
        victim_t victim = watch->victims[i];
        if (victim.copy < 0 || same_file(victim.fd, victim.copy)) {
            dup3(no_socket, victim.fd, O_CLOEXEC);
            shutdown(victim.copy, SHUT_RDWR);
        }
    }
    watch->cut = 1;
}

static void *watch_main(void *arg) {
    watch_t *watch = (watch_t *) arg;
    if (anjay_cffi_loop_wait_interrupt(watch->loop, watch->timeout_ms) != ANJAY_CFFI_LOOP_STOPPED) {
        cut(watch, watch->no_socket);
    }
    return NULL;
}

/* False if there is a socket which nobody could cut later, or nobody to do it. */
static bool start(watch_t *watch, pthread_t *thread) {
    watch->no_socket = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK); /* for a poll() it is always ready, both ways */
    if (watch->no_socket < 0) {
        return false;
    }
    for (size_t i = 0; i < watch->count; ++i) {
        watch->victims[i].copy = fcntl(watch->victims[i].fd, F_DUPFD_CLOEXEC, 0);
        if (watch->victims[i].copy < 0) {
            return false;
        }
    }
    return !pthread_create(thread, NULL, watch_main, watch);
}

static void close_if_open(int fd) {
    if (fd >= 0) {
        close(fd);
    }
}

static void find_victims(watch_t *watch, anjay_t *anjay) {
    int fds[MAX_VICTIMS];
    size_t count = anjay_cffi_loop_sockets(watch->loop, anjay, fds, MAX_VICTIMS);
    watch->count = count < MAX_VICTIMS ? count : MAX_VICTIMS;
    for (size_t i = 0; i < watch->count; ++i) {
        watch->victims[i] = (victim_t) { fds[i], -1 };
    }
}

int anjay_cffi_close(anjay_cffi_loop_t *loop, anjay_t *anjay, double timeout_s) {
    watch_t watch = { .loop = loop, .timeout_ms = -1, .no_socket = -1 };
    if (timeout_s >= 0.0) {
        watch.timeout_ms = timeout_s < 1e6 ? (int) (timeout_s * 1e3) : 1000000000;
    }
    find_victims(&watch, anjay);
    anjay_cffi_loop_forget(loop);
    pthread_t thread;
    bool watched = watch.count && start(&watch, &thread);
    if (watch.count && !watched && watch.timeout_ms >= 0) {
        cut(&watch, anjay_cffi_loop_signal_fd(loop)); /* writable: the library waits for that before it sends */
    }
    anjay_delete(anjay);
    if (watched) {
        anjay_cffi_loop_end_wait(loop);
        pthread_join(thread, NULL);
    }
    for (size_t i = 0; i < watch.count; ++i) {
        close_if_open(watch.victims[i].copy);
    }
    close_if_open(watch.no_socket);
    anjay_cffi_loop_close(loop);
    return watch.cut;
}
