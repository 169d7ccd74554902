/* SPDX-License-Identifier: Apache-2.0 */
/** Sockets and time: the loop of our own, and what a program needs for a loop of its own. */
#include "core.h"

#include <avsystem/commons/avs_memory.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

/** When to try again what there was no memory to schedule. */
static const avs_time_duration_t LOST_AGAIN = { 1, 0 };

/* values of loop_state */
enum { LOOP_NONE, LOOP_RUNNING, LOOP_INTERRUPTED };

avs_sched_t *anjay_get_scheduler(anjay_t *anjay) {
    return anjay->sched;
}

int anjay_sched_time_to_next(anjay_t *anjay, avs_time_duration_t *out_delay) {
    avs_time_duration_t delay = avs_sched_time_to_next(anjay->sched);
    if (atomic_load(&anjay->jobs_lost) && (!avs_time_duration_valid(delay) || avs_time_duration_less(LOST_AGAIN, delay))) {
        delay = LOST_AGAIN;
    }
    if (!avs_time_duration_valid(delay)) {
        return -1;
    }
    *out_delay = delay;
    return 0;
}

int anjay_sched_time_to_next_ms(anjay_t *anjay, int *out_delay_ms) {
    avs_time_duration_t delay;
    int64_t ms;
    if (anjay_sched_time_to_next(anjay, &delay)) {
        return -1;
    }
    /* up to the next whole millisecond, lest a loop wakes up too early again and again */
    delay = avs_time_duration_add(delay, avs_time_duration_from_scalar(999999, AVS_TIME_NS));
    *out_delay_ms = avs_time_duration_to_scalar(&ms, AVS_TIME_MS, delay) || ms > INT_MAX ? INT_MAX : (int) ms;
    return 0;
}

int anjay_sched_calculate_wait_time_ms(anjay_t *anjay, int limit_ms) {
    int delay_ms;
    return !anjay_sched_time_to_next_ms(anjay, &delay_ms) && delay_ms < limit_ms ? delay_ms : limit_ms;
}

void anjay_sched_run(anjay_t *anjay) {
    avs_sched_run(anjay->sched);
    if (atomic_exchange(&anjay->jobs_lost, false)) { /* set again by what there is still no memory for */
        anjay_lock(anjay);
        anjay_servers_repair(anjay);
        anjay_observe_repair(anjay);
        anjay_dm_repair(anjay);
        anjay_send_review(anjay);
        anjay_unlock(anjay);
    }
}

/* ------------------------------------------------------------------ waking */

void anjay_wake(anjay_t *anjay) {
    if (atomic_load(&anjay->loop_state) == LOOP_NONE
            || pthread_equal(atomic_load(&anjay->loop_thread), pthread_self())) {
        return;
    }
    const uint64_t one = 1;
    ssize_t written = write(anjay->wake_fd, &one, sizeof(one));
    (void) written; /* a full counter wakes as well */
}

int anjay_event_loop_interrupt(anjay_t *anjay) {
    int running = LOOP_RUNNING;
    if (!atomic_compare_exchange_strong(&anjay->loop_state, &running, LOOP_INTERRUPTED)) {
        return -1;
    }
    const uint64_t one = 1;
    ssize_t written = write(anjay->wake_fd, &one, sizeof(one));
    (void) written;
    return 0;
}

/* ------------------------------------------------------------------ the loop */

/** Makes room for @p count descriptors. @returns 0, -1 when memory ran out. */
static int reserve(anjay_t *anjay, size_t count) {
    if (count <= anjay->poll_capacity) {
        return 0;
    }
    struct pollfd *fds = (struct pollfd *) avs_realloc(anjay->poll_fds, count * sizeof(*fds));
    if (fds) {
        anjay->poll_fds = fds;
    }
    avs_net_socket_t **sockets =
            fds ? (avs_net_socket_t **) avs_realloc(anjay->poll_sockets, count * sizeof(*sockets)) : NULL;
    if (!sockets) {
        return -1;
    }
    anjay->poll_sockets = sockets;
    anjay->poll_capacity = count;
    return 0;
}

/**
 * Fills the arrays of descriptors and sockets, the wake-up first. They are the loop's own: the public lists may be made anew
 * by another thread at any time. @returns how many, 0 when memory ran out.
 */
static size_t gather(anjay_t *anjay) {
    anjay_lock(anjay);
    const anjay_socket_entry_t *entry = anjay_servers_socket_entries(anjay);
    const size_t count = 1 + AVS_LIST_SIZE(entry);
    if (reserve(anjay, count)) {
        anjay_unlock(anjay);
        return 0;
    }
    anjay->poll_fds[0] = (struct pollfd) { .fd = anjay->wake_fd, .events = POLLIN };
    anjay->poll_sockets[0] = NULL;
    size_t i = 1;
    AVS_LIST_ITERATE(entry) {
        const int *fd = (const int *) avs_net_socket_get_system(entry->socket);
        anjay->poll_fds[i] = (struct pollfd) { .fd = fd ? *fd : -1, .events = POLLIN };
        anjay->poll_sockets[i++] = entry->socket;
    }
    anjay_unlock(anjay);
    return count;
}

/** Waits for a datagram, a job or a wake-up, for at most @p limit_ms, and serves. @returns 0, or -1 for a failure of poll(). */
static int step(anjay_t *anjay, int limit_ms) {
    const size_t count = gather(anjay);
    const struct pollfd *fds = anjay->poll_fds;
    if (!count) {
        return -1;
    }
    const int ready = poll(anjay->poll_fds, (nfds_t) count, anjay_sched_calculate_wait_time_ms(anjay, limit_ms));
    if (ready < 0) {
        return errno == EINTR ? 0 : -1;
    }
    if (fds[0].revents) {
        uint64_t ignored;
        ssize_t got = read(anjay->wake_fd, &ignored, sizeof(ignored));
        (void) got;
    }
    for (size_t i = 1; ready > 0 && i < count; ++i) {
        if (fds[i].revents) {
            anjay_serve(anjay, anjay->poll_sockets[i]); /* one that is gone by now is not found, that is all */
        }
    }
    return 0;
}

static int limit_of(avs_time_duration_t max_wait_time) {
    int64_t ms;
    return avs_time_duration_to_scalar(&ms, AVS_TIME_MS, max_wait_time) || ms > INT_MAX ? INT_MAX
           : ms < 0                                                                   ? 0
                                                                                      : (int) ms;
}

static int run(anjay_t *anjay, avs_time_duration_t max_wait_time, bool reconnect_when_failed) {
    int none = LOOP_NONE;
    if (!atomic_compare_exchange_strong(&anjay->loop_state, &none, LOOP_RUNNING)) {
        anjay_log(ERROR, "an event loop of this client is running already");
        return -1;
    }
    atomic_store(&anjay->loop_thread, pthread_self());
    const int limit_ms = limit_of(max_wait_time);
    int result = 0;
    while (!result && atomic_load(&anjay->loop_state) == LOOP_RUNNING) {
        result = step(anjay, limit_ms);
        anjay_sched_run(anjay);
        if (!result && reconnect_when_failed && anjay_all_connections_failed(anjay)) {
            anjay_log(WARNING, "no server can be reached: beginning anew");
            anjay_transport_schedule_reconnect(anjay, ANJAY_TRANSPORT_SET_ALL);
        }
    }
    atomic_store(&anjay->loop_state, LOOP_NONE);
    return result;
}

int anjay_event_loop_run(anjay_t *anjay, avs_time_duration_t max_wait_time) {
    return run(anjay, max_wait_time, false);
}

int anjay_event_loop_run_with_error_handling(anjay_t *anjay, avs_time_duration_t max_wait_time) {
    return run(anjay, max_wait_time, true);
}

int anjay_serve_any(anjay_t *anjay, avs_time_duration_t max_wait_time) {
    return step(anjay, limit_of(max_wait_time));
}
