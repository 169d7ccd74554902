/* SPDX-License-Identifier: Apache-2.0 */
/** Jobs in a binary heap by instant, in order of scheduling where instants are equal. */
#include "sched_internal.h"

#include <avsystem/commons/avs_log.h>
#include <avsystem/commons/avs_memory.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

struct avs_sched_job_struct {
    avs_sched_t *sched;
    avs_sched_handle_t *handle_ptr;
    avs_time_monotonic_t instant;
    uint64_t order;
    size_t index; /* in the heap */
    avs_sched_clb_t *clb;
    const char *name;
    size_t capacity; /* of data */
    max_align_t data[];
};

struct avs_sched_struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    void *data;
    const char *name;
    avs_sched_job_t **heap;
    size_t size, capacity;
    uint64_t next_order;
    avs_sched_job_t *spare; /* the last job that ran: a job that schedules itself anew allocates nothing */
    void (*hook)(void *arg);
    void *hook_arg;
};

/**
 * Guards every handle variable of every scheduler: whoever holds a handle may be about to look at its job just when another thread
 * takes that job to run it. Locked before a scheduler's own mutex, never after.
 */
static pthread_mutex_t handles_mutex = PTHREAD_MUTEX_INITIALIZER;

static void lock_with_handles(avs_sched_t *sched) {
    pthread_mutex_lock(&handles_mutex);
    pthread_mutex_lock(&sched->mutex);
}

static void unlock_with_handles(avs_sched_t *sched) {
    pthread_mutex_unlock(&sched->mutex);
    pthread_mutex_unlock(&handles_mutex);
}

/** @returns the scheduler of a handle's job, locked with handles_mutex; or NULL, and nothing locked, if there is none (any more). */
static avs_sched_t *lock_by_handle(avs_sched_handle_t *handle_ptr) {
    if (!handle_ptr) {
        return NULL;
    }
    pthread_mutex_lock(&handles_mutex);
    if (!*handle_ptr) {
        pthread_mutex_unlock(&handles_mutex);
        return NULL;
    }
    avs_sched_t *sched = (*handle_ptr)->sched;
    pthread_mutex_lock(&sched->mutex);
    return sched;
}

static bool earlier(const avs_sched_job_t *a, const avs_sched_job_t *b) {
    if (avs_time_monotonic_before(a->instant, b->instant)) {
        return true;
    }
    return !avs_time_monotonic_before(b->instant, a->instant) && a->order < b->order;
}

static void place(avs_sched_t *sched, avs_sched_job_t *job, size_t index) {
    sched->heap[index] = job;
    job->index = index;
}

static void sift_up(avs_sched_t *sched, avs_sched_job_t *job) {
    size_t i = job->index;
    while (i > 0 && earlier(job, sched->heap[(i - 1) / 2])) {
        place(sched, sched->heap[(i - 1) / 2], i);
        i = (i - 1) / 2;
    }
    place(sched, job, i);
}

static void sift_down(avs_sched_t *sched, avs_sched_job_t *job) {
    size_t i = job->index;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= sched->size) {
            break;
        }
        if (child + 1 < sched->size && earlier(sched->heap[child + 1], sched->heap[child])) {
            ++child;
        }
        if (!earlier(sched->heap[child], job)) {
            break;
        }
        place(sched, sched->heap[child], i);
        i = child;
    }
    place(sched, job, i);
}

static void heap_remove(avs_sched_t *sched, avs_sched_job_t *job) {
    avs_sched_job_t *last = sched->heap[--sched->size];
    if (last != job) {
        place(sched, last, job->index);
        sift_up(sched, last);
        sift_down(sched, last);
    }
}

static void free_job(avs_sched_t *sched, avs_sched_job_t *job) {
    if (!sched->spare) {
        sched->spare = job;
    } else {
        avs_free(job);
    }
}

avs_sched_t *avs_sched_new(const char *name, void *data) {
    avs_sched_t *sched = (avs_sched_t *) avs_calloc(1, sizeof(*sched));
    if (!sched) {
        return NULL;
    }
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&sched->mutex, NULL);
    pthread_cond_init(&sched->changed, &attr);
    pthread_condattr_destroy(&attr);
    sched->name = name;
    sched->data = data;
    return sched;
}

void avs_sched_cleanup(avs_sched_t **sched_ptr) {
    avs_sched_t *sched = *sched_ptr;
    if (!sched) {
        return;
    }
    lock_with_handles(sched);
    for (size_t i = 0; i < sched->size; ++i) {
        if (sched->heap[i]->handle_ptr) {
            *sched->heap[i]->handle_ptr = NULL;
        }
        avs_free(sched->heap[i]);
    }
    unlock_with_handles(sched);
    avs_free(sched->heap);
    avs_free(sched->spare);
    pthread_cond_destroy(&sched->changed);
    pthread_mutex_destroy(&sched->mutex);
    avs_free(sched);
    *sched_ptr = NULL;
}

void *avs_sched_data(avs_sched_t *sched) {
    return sched->data;
}

void sched_set_earliest_hook(avs_sched_t *sched, void (*hook)(void *arg), void *arg) {
    pthread_mutex_lock(&sched->mutex);
    sched->hook = hook;
    sched->hook_arg = arg;
    pthread_mutex_unlock(&sched->mutex);
}

/** Releases the locks; tells whoever sleeps if @p job is now the earliest. */
static void unlock_and_tell(avs_sched_t *sched, const avs_sched_job_t *job) {
    bool first = sched->heap[0] == job;
    void (*hook)(void *) = sched->hook;
    void *arg = sched->hook_arg;
    if (first) {
        pthread_cond_broadcast(&sched->changed);
    }
    unlock_with_handles(sched);
    if (first && hook) {
        hook(arg);
    }
}

avs_time_monotonic_t avs_sched_time_of_next(avs_sched_t *sched) {
    pthread_mutex_lock(&sched->mutex);
    avs_time_monotonic_t instant = sched->size ? sched->heap[0]->instant : AVS_TIME_MONOTONIC_INVALID;
    pthread_mutex_unlock(&sched->mutex);
    return instant;
}

int avs_sched_wait_until_next(avs_sched_t *sched, avs_time_monotonic_t deadline) {
    int result = -1;
    pthread_mutex_lock(&sched->mutex);
    for (;;) {
        avs_time_monotonic_t until = deadline;
        if (sched->size
                && (!avs_time_monotonic_valid(until) || !avs_time_monotonic_before(until, sched->heap[0]->instant))) {
            until = sched->heap[0]->instant;
            result = 0;
        } else {
            result = -1;
        }
        if (avs_time_monotonic_valid(until) && !avs_time_monotonic_before(avs_time_monotonic_now(), until)) {
            break;
        }
        if (avs_time_monotonic_valid(until)) {
            struct timespec abstime = { .tv_sec = until.since_monotonic_epoch.seconds,
                                        .tv_nsec = until.since_monotonic_epoch.nanoseconds };
            pthread_cond_timedwait(&sched->changed, &sched->mutex, &abstime);
        } else {
            pthread_cond_wait(&sched->changed, &sched->mutex);
        }
    }
    pthread_mutex_unlock(&sched->mutex);
    return result;
}

void avs_sched_run(avs_sched_t *sched) {
    const avs_time_monotonic_t now = avs_time_monotonic_now();
    lock_with_handles(sched);
    /* what jobs schedule while they run waits for the next call */
    const uint64_t orders_before = sched->next_order;
    while (sched->size && !avs_time_monotonic_before(now, sched->heap[0]->instant)
           && sched->heap[0]->order < orders_before) {
        avs_sched_job_t *job = sched->heap[0];
        heap_remove(sched, job);
        if (job->handle_ptr) {
            *job->handle_ptr = NULL;
            job->handle_ptr = NULL;
        }
        unlock_with_handles(sched);
        job->clb(sched, job->data);
        lock_with_handles(sched);
        free_job(sched, job);
    }
    unlock_with_handles(sched);
}

/** A job with room for @p size bytes of data: the spare one or a new one. */
static avs_sched_job_t *take_job(avs_sched_t *sched, size_t size) {
    avs_sched_job_t *job = sched->spare;
    if (job && job->capacity >= size) {
        sched->spare = NULL;
        return job;
    }
    if (size > SIZE_MAX - sizeof(*job)) {
        return NULL;
    }
    job = (avs_sched_job_t *) avs_malloc(sizeof(*job) + size);
    if (job) {
        job->capacity = size;
    }
    return job;
}

static int reserve(avs_sched_t *sched) {
    if (sched->size < sched->capacity) {
        return 0;
    }
    size_t capacity = sched->capacity ? 2 * sched->capacity : 8;
    avs_sched_job_t **heap = (avs_sched_job_t **) avs_realloc(sched->heap, capacity * sizeof(*heap));
    if (!heap) {
        return -1;
    }
    sched->heap = heap;
    sched->capacity = capacity;
    return 0;
}

int avs_sched_at_impl__(avs_sched_t *sched, avs_sched_handle_t *out_handle, avs_time_monotonic_t instant,
                        const char *log_file, unsigned int log_line, const char *log_name, avs_sched_clb_t *clb,
                        const void *clb_data, size_t clb_data_size) {
    (void) log_file;
    (void) log_line;
    if (!clb || !avs_time_monotonic_valid(instant)) {
        avs_log(sched, ERROR, "%s: job %s not scheduled: %s", sched->name ? sched->name : "", log_name,
                clb ? "invalid instant" : "no callback");
        return -1;
    }
    lock_with_handles(sched);
    const bool in_use = out_handle && *out_handle;
    avs_sched_job_t *job = in_use || reserve(sched) ? NULL : take_job(sched, clb_data_size);
    if (!job) {
        unlock_with_handles(sched);
        avs_log(sched, ERROR, "job %s not scheduled: %s", log_name, in_use ? "its handle is in use" : "out of memory");
        return -1;
    }
    job->sched = sched;
    job->handle_ptr = out_handle;
    job->instant = instant;
    job->order = sched->next_order++;
    job->clb = clb;
    job->name = log_name;
    if (clb_data_size) {
        memcpy(job->data, clb_data, clb_data_size);
    }
    if (out_handle) {
        *out_handle = job;
    }
    job->index = sched->size++;
    sift_up(sched, job);
    unlock_and_tell(sched, job);
    return 0;
}

int avs_resched_at_impl__(avs_sched_handle_t *handle_ptr, avs_time_monotonic_t instant) {
    avs_sched_t *sched = avs_time_monotonic_valid(instant) ? lock_by_handle(handle_ptr) : NULL;
    if (!sched) {
        return -1;
    }
    avs_sched_job_t *job = *handle_ptr;
    job->instant = instant;
    job->order = sched->next_order++;
    sift_up(sched, job);
    sift_down(sched, job);
    unlock_and_tell(sched, job);
    return 0;
}

avs_time_monotonic_t avs_sched_time(avs_sched_handle_t *handle_ptr) {
    avs_sched_t *sched = lock_by_handle(handle_ptr);
    if (!sched) {
        return AVS_TIME_MONOTONIC_INVALID;
    }
    const avs_time_monotonic_t instant = (*handle_ptr)->instant;
    unlock_with_handles(sched);
    return instant;
}

bool sched_pending(avs_sched_handle_t *handle_ptr) {
    avs_sched_t *sched = lock_by_handle(handle_ptr);
    if (sched) {
        unlock_with_handles(sched);
    }
    return sched;
}

void avs_sched_del(avs_sched_handle_t *handle_ptr) {
    avs_sched_t *sched = lock_by_handle(handle_ptr);
    if (!sched) {
        return;
    }
    avs_sched_job_t *job = *handle_ptr;
    *handle_ptr = NULL;
    heap_remove(sched, job);
    free_job(sched, job);
    unlock_with_handles(sched);
}

void avs_sched_detach(avs_sched_handle_t *handle_ptr) {
    avs_sched_t *sched = lock_by_handle(handle_ptr);
    if (!sched) {
        return;
    }
    (*handle_ptr)->handle_ptr = NULL;
    *handle_ptr = NULL;
    unlock_with_handles(sched);
}

int avs_sched_leap_time(avs_sched_t *sched, avs_time_duration_t diff) {
    if (!avs_time_duration_valid(diff)) {
        return -1;
    }
    pthread_mutex_lock(&sched->mutex);
    for (size_t i = 0; i < sched->size; ++i) { /* the same shift for all keeps the heap's order */
        sched->heap[i]->instant = avs_time_monotonic_add(sched->heap[i]->instant, diff);
    }
    pthread_mutex_unlock(&sched->mutex);
    return 0;
}
