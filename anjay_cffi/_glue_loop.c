/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: poll the client's sockets and a wake-up pipe, serve, run the scheduler. */
#define _GNU_SOURCE
#include "_glue.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

/* A socket of the client, as the last look at its list found it. */
typedef struct {
    avs_net_socket_t *socket;
    int fd;
} entry_t;

typedef struct {
    entry_t *items;
    size_t count;
    size_t capacity;
} entries_t;

struct anjay_cffi_loop_struct {
    int pipe_read;
    int pipe_write;
    int epoll;
    atomic_bool armed; /* someone waits: a wake-up must be written */
    atomic_bool stop;
    bool had_to_seal;    /* the provider opened a socket that was not close-on-exec */
    bool provider_seals; /* it opens them so itself */
    atomic_bool working; /* a call of the library that may change the connections has not returned */
    anjay_cffi_changes_t *changes;
    pthread_mutex_t pipe_lock; /* so that nobody writes to a descriptor that was closed and is another's now */
    pthread_mutex_t list_lock; /* Anjay frees a former list, of sockets or servers, at each call */
    entries_t now;             /* sockets of this iteration; used by the loop's thread alone */
    entries_t sealed;          /* sockets that are known to be close-on-exec */
    entries_t watched;         /* sockets in the epoll set */
    struct pollfd *polls;
    size_t polls_capacity;
};

/* The trampolines' exceptions belong to the thread on which they happened. */
static _Thread_local int pending_exception;

void anjay_cffi_set_pending(int pending) {
    pending_exception = pending;
}

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

anjay_cffi_loop_t *anjay_cffi_loop_new(void) {
    anjay_cffi_loop_t *loop = (anjay_cffi_loop_t *) calloc(1, sizeof(*loop));
    if (!loop) {
        return NULL;
    }
    int fds[2];
    loop->changes = anjay_cffi_changes_new();
    if (!loop->changes || pipe2(fds, O_CLOEXEC | O_NONBLOCK)) {
        anjay_cffi_changes_delete(loop->changes);
        free(loop);
        return NULL;
    }
    loop->pipe_read = fds[0];
    loop->pipe_write = fds[1];
    loop->epoll = -1;
    atomic_init(&loop->armed, false);
    atomic_init(&loop->stop, false);
    atomic_init(&loop->working, false);
    pthread_mutex_init(&loop->pipe_lock, NULL);
    pthread_mutex_init(&loop->list_lock, NULL);
    anjay_cffi_count_object(1);
    return loop;
}

static void close_fd(int *fd) {
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

void anjay_cffi_loop_close(anjay_cffi_loop_t *loop) {
    pthread_mutex_lock(&loop->pipe_lock);
    if (loop->pipe_write >= 0) {
        anjay_cffi_count_object(-1);
    }
    close_fd(&loop->pipe_read);
    close_fd(&loop->pipe_write);
    close_fd(&loop->epoll);
    pthread_mutex_unlock(&loop->pipe_lock);
}

void anjay_cffi_loop_delete(anjay_cffi_loop_t *loop) {
    if (!loop) {
        return;
    }
    anjay_cffi_loop_close(loop);
    pthread_mutex_destroy(&loop->pipe_lock);
    pthread_mutex_destroy(&loop->list_lock);
    free(loop->now.items);
    free(loop->sealed.items);
    free(loop->watched.items);
    free(loop->polls);
    anjay_cffi_changes_delete(loop->changes);
    free(loop);
}

int anjay_cffi_loop_signal_fd(const anjay_cffi_loop_t *loop) {
    return loop->pipe_write;
}

void anjay_cffi_loop_wake(anjay_cffi_loop_t *loop) {
    if (atomic_exchange(&loop->armed, false)) {
        pthread_mutex_lock(&loop->pipe_lock);
        if (loop->pipe_write >= 0) {
            /* A full pipe wakes as well as one byte more would. */
            ssize_t written = write(loop->pipe_write, "", 1);
            (void) written;
        }
        pthread_mutex_unlock(&loop->pipe_lock);
    }
}

/* The loop whose client is at work on this thread. */
static _Thread_local anjay_cffi_loop_t *inside;

anjay_cffi_loop_t *anjay_cffi_loop_inside(void) {
    return inside;
}

int anjay_cffi_notify(anjay_cffi_loop_t *loop, anjay_t *anjay, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid) {
    bool left_to_loop = atomic_load(&loop->working) && inside != loop && !anjay_cffi_changes_add(loop->changes, oid, iid, rid);
    int result = left_to_loop ? 0 : anjay_notify_changed(anjay, oid, iid, rid);
    anjay_cffi_loop_wake(loop);
    return result ? result : pending_exception ? ANJAY_CFFI_LOOP_PENDING : 0;
}

void anjay_cffi_loop_stop(anjay_cffi_loop_t *loop) {
    atomic_store(&loop->stop, true);
    anjay_cffi_loop_wake(loop);
}

int anjay_cffi_loop_take_stop(anjay_cffi_loop_t *loop) {
    return atomic_exchange(&loop->stop, false);
}

int anjay_cffi_loop_is_working(const anjay_cffi_loop_t *loop) {
    return atomic_load(&loop->working);
}

static int reserve(entries_t *list, size_t count) {
    if (count > list->capacity) {
        size_t capacity = 2 * count < 8 ? 8 : 2 * count;
        entry_t *items = (entry_t *) realloc(list->items, capacity * sizeof(*items));
        if (!items) {
            return -1;
        }
        list->items = items;
        list->capacity = capacity;
    }
    return 0;
}

static int append(entries_t *list, entry_t entry) {
    if (reserve(list, list->count + 1)) {
        return -1;
    }
    list->items[list->count++] = entry;
    return 0;
}

static int fd_of(const anjay_socket_entry_t *entry) {
    const int *system = (const int *) avs_net_socket_get_system(entry->socket);
    return system ? *system : -1;
}

/* Fills `out` with the sockets that can be polled now. */
static int collect(anjay_cffi_loop_t *loop, anjay_t *anjay, entries_t *out) {
    int result = 0;
    out->count = 0;
    pthread_mutex_lock(&loop->list_lock);
    AVS_LIST(const anjay_socket_entry_t) entry = anjay_get_socket_entries(anjay);
    for (; entry; entry = AVS_LIST_NEXT(entry)) {
        int fd = fd_of(entry);
        if (fd >= 0 && append(out, (entry_t) { entry->socket, fd })) {
            errno = ENOMEM;
            result = -1;
            break;
        }
    }
    pthread_mutex_unlock(&loop->list_lock);
    return result;
}

static bool contains(const entries_t *list, entry_t entry) {
    for (size_t i = 0; i < list->count; ++i) {
        if (list->items[i].fd == entry.fd && list->items[i].socket == entry.socket) {
            return true;
        }
    }
    return false;
}

/* Not every provider opens its sockets close-on-exec; the first one tells. A socket that was seen before is looked at again
 * only when `reopened`, that is, when a job ran that may have closed it and opened another under the same number. */
static void seal(anjay_cffi_loop_t *loop, bool reopened) {
    if (loop->provider_seals) {
        return;
    }
    bool changed = loop->now.count != loop->sealed.count;
    for (size_t i = 0; i < loop->now.count; ++i) {
        entry_t entry = loop->now.items[i];
        if (!reopened && contains(&loop->sealed, entry)) {
            continue;
        }
        changed = true;
        int flags = fcntl(entry.fd, F_GETFD);
        if (flags >= 0 && !(flags & FD_CLOEXEC)) {
            loop->had_to_seal = true;
            fcntl(entry.fd, F_SETFD, flags | FD_CLOEXEC);
        } else if (flags >= 0 && !loop->had_to_seal) {
            loop->provider_seals = true;
            return;
        }
    }
    if (changed) {
        loop->sealed.count = 0;
        for (size_t i = 0; i < loop->now.count; ++i) {
            if (append(&loop->sealed, loop->now.items[i])) {
                return; /* forgotten ones are looked at again next time */
            }
        }
    }
}

static int prepare_polls(anjay_cffi_loop_t *loop) {
    size_t needed = loop->now.count + 1;
    if (needed > loop->polls_capacity) {
        struct pollfd *polls = (struct pollfd *) realloc(loop->polls, 2 * needed * sizeof(*polls));
        if (!polls) {
            errno = ENOMEM;
            return -1;
        }
        loop->polls = polls;
        loop->polls_capacity = 2 * needed;
    }
    loop->polls[0] = (struct pollfd) { .fd = loop->pipe_read, .events = POLLIN };
    for (size_t i = 0; i < loop->now.count; ++i) {
        loop->polls[i + 1] = (struct pollfd) { .fd = loop->now.items[i].fd, .events = POLLIN };
    }
    return 0;
}

/* Empties the wake-up pipe. A signal handler writes the signal's number, never 0: a bit for each that did. */
static uint64_t drain_signals(anjay_cffi_loop_t *loop) {
    uint64_t signals = 0;
    unsigned char buffer[64];
    ssize_t got;
    do {
        got = read(loop->pipe_read, buffer, sizeof(buffer));
        for (ssize_t i = 0; i < got; ++i) {
            signals |= buffer[i] ? UINT64_C(1) << (buffer[i] - 1) % 64 : 0;
        }
    } while (got == (ssize_t) sizeof(buffer));
    return signals;
}

static bool drain(anjay_cffi_loop_t *loop) {
    return drain_signals(loop) != 0;
}

void anjay_cffi_loop_forget(anjay_cffi_loop_t *loop) {
    (void) drain(loop);
    (void) anjay_cffi_loop_take_stop(loop);
}

int anjay_cffi_loop_wait_interrupt(anjay_cffi_loop_t *loop, int timeout_ms) {
    double deadline = now_s() + timeout_ms * 1e-3;
    struct pollfd pipe = { .fd = loop->pipe_read, .events = POLLIN };
    for (;;) {
        int left_ms = timeout_ms < 0 ? -1 : (int) ((deadline - now_s()) * 1e3) + 1;
        int ready = timeout_ms >= 0 && left_ms <= 0 ? 0 : poll(&pipe, 1, left_ms);
        if (ready > 0 && drain_signals(loop) & UINT64_C(1) << (SIGINT - 1)) {
            return ANJAY_CFFI_LOOP_SIGNAL;
        }
        if (atomic_load(&loop->stop)) {
            return ANJAY_CFFI_LOOP_STOPPED;
        }
        if (ready == 0) {
            return ANJAY_CFFI_LOOP_DONE;
        }
    }
}

void anjay_cffi_loop_end_wait(anjay_cffi_loop_t *loop) {
    atomic_store(&loop->armed, true);
    anjay_cffi_loop_stop(loop);
}

int anjay_cffi_loop_listen(anjay_cffi_loop_t *loop) {
    atomic_store(&loop->armed, true);
    return loop->pipe_read;
}

bool anjay_cffi_loop_interrupted(anjay_cffi_loop_t *loop, bool signalled, bool woken) {
    if (woken && drain(loop)) {
        signalled = true;
    }
    return (signalled && anjay_cffi_on_interrupt(loop)) || pending_exception || atomic_load(&loop->stop);
}

static void serve_ready(anjay_cffi_loop_t *loop, anjay_t *anjay) {
    for (size_t i = 0; i < loop->now.count && !pending_exception; ++i) {
        if (loop->polls[i + 1].revents & ~POLLNVAL) {
            /* A failure concerns one request or one server: the library has logged and handled it. */
            inside = loop;
            (void) anjay_serve(anjay, loop->now.items[i].socket);
            inside = NULL;
        }
    }
}

/* Jobs that make others, as a notification does, need not go through another poll() for each. */
#define ROUNDS_OF_JOBS 3

/* And fills loop->now again. */
static int run_due_jobs(anjay_cffi_loop_t *loop, anjay_t *anjay) {
    bool ran = false;
    for (int i = 0; i < ROUNDS_OF_JOBS && !pending_exception; ++i) {
        int delay_ms;
        if (anjay_sched_time_to_next_ms(anjay, &delay_ms) || delay_ms > 0) {
            break;
        }
        inside = loop;
        anjay_sched_run(anjay);
        inside = NULL;
        ran = true;
    }
    if (collect(loop, anjay, &loop->now)) {
        return -1;
    }
    seal(loop, ran);
    return 0;
}

/* One wait and what follows. The caller has filled loop->now. */
static int iterate(anjay_cffi_loop_t *loop, anjay_t *anjay, int limit_ms) {
    atomic_store(&loop->armed, limit_ms > 0);
    if (atomic_load(&loop->stop) || anjay_cffi_changes_any(loop->changes)) {
        limit_ms = 0;
    }
    if (prepare_polls(loop)) {
        return ANJAY_CFFI_LOOP_ERROR;
    }
    limit_ms = anjay_cffi_job_repair(anjay, limit_ms);
    int wait_ms = limit_ms > 0 ? anjay_sched_calculate_wait_time_ms(anjay, limit_ms) : 0;
    int ready = poll(loop->polls, (nfds_t) loop->now.count + 1, wait_ms);
    atomic_store(&loop->armed, false);
    if (ready < 0) {
        return errno == EINTR ? ANJAY_CFFI_LOOP_SIGNAL : ANJAY_CFFI_LOOP_ERROR;
    }
    bool signalled = ready > 0 && loop->polls[0].revents && drain(loop);
    atomic_store(&loop->working, true);
    if (ready > 0) {
        serve_ready(loop, anjay);
    }
    int collected = run_due_jobs(loop, anjay);
    atomic_store(&loop->working, false);
    anjay_cffi_changes_flush(loop->changes, anjay);
    if (pending_exception) {
        return ANJAY_CFFI_LOOP_PENDING;
    }
    if (collected) {
        return ANJAY_CFFI_LOOP_ERROR;
    }
    return signalled ? ANJAY_CFFI_LOOP_SIGNAL : ANJAY_CFFI_LOOP_DONE;
}

/* What is left of the time, at most `max_wait_ms`; rounded up, so as not to spin before the end. */
static int limit_wait(int max_wait_ms, double deadline) {
    double left_ms = (deadline - now_s()) * 1e3;
    if (left_ms <= 0.0) {
        return 0;
    }
    return left_ms < (double) max_wait_ms ? (int) left_ms + 1 : max_wait_ms;
}

int anjay_cffi_loop_run(anjay_cffi_loop_t *loop, anjay_t *anjay, int max_wait_ms, double timeout_s) {
    double deadline = timeout_s >= 0.0 ? now_s() + timeout_s : -1.0;
    pending_exception = 0;
    if (collect(loop, anjay, &loop->now)) {
        return ANJAY_CFFI_LOOP_ERROR;
    }
    seal(loop, true);
    for (;;) {
        int limit_ms = deadline >= 0.0 ? limit_wait(max_wait_ms, deadline) : max_wait_ms;
        int result = iterate(loop, anjay, limit_ms);
        if (result != ANJAY_CFFI_LOOP_DONE) {
            return result;
        }
        if (anjay_cffi_loop_take_stop(loop)) {
            return ANJAY_CFFI_LOOP_STOPPED;
        }
        if (deadline >= 0.0 && now_s() >= deadline) {
            return ANJAY_CFFI_LOOP_DONE;
        }
    }
}

static int watch(int epoll, int fd) {
    struct epoll_event event = { .events = EPOLLIN, .data = { .fd = fd } };
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) && errno != EEXIST ? -1 : 0;
}

static bool contains_fd(const entries_t *list, int fd) {
    for (size_t i = 0; i < list->count; ++i) {
        if (list->items[i].fd == fd) {
            return true;
        }
    }
    return false;
}

/* Closed sockets have left the epoll set by themselves, and their numbers may be in use again: so every socket of the
 * client is added anew, and only those that the client no longer names are taken out. */
static int sync_epoll(anjay_cffi_loop_t *loop, const entries_t *current) {
    if (reserve(&loop->watched, current->count)) {
        errno = ENOMEM;
        return -1;
    }
    for (size_t i = 0; i < loop->watched.count; ++i) {
        if (!contains_fd(current, loop->watched.items[i].fd)) {
            (void) epoll_ctl(loop->epoll, EPOLL_CTL_DEL, loop->watched.items[i].fd, NULL);
        }
    }
    int error = 0;
    for (size_t i = 0; i < current->count; ++i) {
        loop->watched.items[i] = current->items[i];
        if (watch(loop->epoll, current->items[i].fd)) {
            error = errno;
        }
    }
    loop->watched.count = current->count;
    errno = error;
    return error ? -1 : 0;
}

int anjay_cffi_loop_step(anjay_cffi_loop_t *loop, anjay_t *anjay) {
    pending_exception = 0;
    if (collect(loop, anjay, &loop->now)) {
        return ANJAY_CFFI_LOOP_ERROR;
    }
    int result = iterate(loop, anjay, 0);
    if (loop->epoll >= 0) {
        /* From here on the deadline that the caller is going to ask for may be overtaken by a new job. */
        atomic_store(&loop->armed, true);
        if (anjay_cffi_changes_any(loop->changes)) {
            anjay_cffi_loop_wake(loop);
        }
        if (result != ANJAY_CFFI_LOOP_ERROR && sync_epoll(loop, &loop->now)) {
            return ANJAY_CFFI_LOOP_ERROR;
        }
    }
    if (result == ANJAY_CFFI_LOOP_DONE && anjay_cffi_loop_take_stop(loop)) {
        return ANJAY_CFFI_LOOP_STOPPED;
    }
    return result;
}

int anjay_cffi_loop_fileno(anjay_cffi_loop_t *loop, anjay_t *anjay) {
    if (loop->epoll >= 0) {
        return loop->epoll;
    }
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) {
        return -1;
    }
    entries_t current = { NULL, 0, 0 }; /* not loop->now: a callback may ask while it is being walked */
    loop->epoll = epoll;
    if (watch(epoll, loop->pipe_read) || collect(loop, anjay, &current) || sync_epoll(loop, &current)) {
        loop->epoll = -1;
        close(epoll);
    } else {
        atomic_store(&loop->armed, true);
    }
    free(current.items);
    return loop->epoll;
}

size_t anjay_cffi_loop_sockets(anjay_cffi_loop_t *loop, anjay_t *anjay, int *out_fds, size_t capacity) {
    size_t count = 0;
    pthread_mutex_lock(&loop->list_lock);
    AVS_LIST(const anjay_socket_entry_t) entry = anjay_get_socket_entries(anjay);
    for (; entry; entry = AVS_LIST_NEXT(entry)) {
        int fd = fd_of(entry);
        if (fd >= 0 && count++ < capacity) {
            out_fds[count - 1] = fd;
        }
    }
    pthread_mutex_unlock(&loop->list_lock);
    return count;
}

size_t anjay_cffi_server_ssids(anjay_cffi_loop_t *loop, anjay_t *anjay, anjay_ssid_t *out, size_t capacity) {
    size_t count = 0;
#ifdef ANJAY_WITH_MODULE_SERVER
    pthread_mutex_lock(&loop->list_lock);
    AVS_LIST(const anjay_ssid_t) ssid = anjay_server_get_ssids(anjay);
    for (; ssid; ssid = AVS_LIST_NEXT(ssid)) {
        if (count < capacity) {
            out[count] = *ssid;
        }
        ++count;
    }
    pthread_mutex_unlock(&loop->list_lock);
#else
    (void) loop;
    (void) anjay;
    (void) out;
    (void) capacity;
#endif
    return count;
}
