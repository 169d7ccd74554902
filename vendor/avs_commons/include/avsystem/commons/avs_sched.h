/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VENDOR_COMMONS_AVS_SCHED_H
#define VENDOR_COMMONS_AVS_SCHED_H

#include <avsystem/commons/avs_time.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A job that waits for its time. */
typedef struct avs_sched_job_struct avs_sched_job_t;

/**
 * What a job is moved or deleted by. It becomes NULL when the job is taken to run, deleted or detached; so its
 * variable must stay in place until then.
 */
typedef avs_sched_job_t *avs_sched_handle_t;

/** Jobs of one thread that runs them; they may be added, moved and deleted from any thread. */
typedef struct avs_sched_struct avs_sched_t;

/** A job. @p data: the copy that was made when it was scheduled, valid during the call. It may use the scheduler. */
typedef void avs_sched_clb_t(avs_sched_t *sched, const void *data);

/**
 * Makes a scheduler. @p name, for logs, is not copied; @p data is for avs_sched_data(). @returns NULL when memory ran
 * out.
 */
avs_sched_t *avs_sched_new(const char *name, void *data);

/**
 * Deletes all jobs without running them, then the scheduler, and sets *sched_ptr to NULL; that may be NULL. No other
 * thread may use it any more.
 */
void avs_sched_cleanup(avs_sched_t **sched_ptr);

/** @returns what was given to avs_sched_new(). */
void *avs_sched_data(avs_sched_t *sched);

/** @returns when the next job is due; AVS_TIME_MONOTONIC_INVALID if there is none. */
avs_time_monotonic_t avs_sched_time_of_next(avs_sched_t *sched);

/** @returns the time until then, zero if it is over; AVS_TIME_DURATION_INVALID if there is no job. */
static inline avs_time_duration_t avs_sched_time_to_next(avs_sched_t *sched) {
    avs_time_duration_t left = avs_time_monotonic_diff(avs_sched_time_of_next(sched), avs_time_monotonic_now());
    return avs_time_duration_less(left, AVS_TIME_DURATION_ZERO) ? AVS_TIME_DURATION_ZERO : left;
}

/**
 * Sleeps until a job is due, woken by jobs that other threads add. @p deadline: invalid for no limit. @returns 0, or
 * -1 once the deadline passed and no job is due.
 */
int avs_sched_wait_until_next(avs_sched_t *sched, avs_time_monotonic_t deadline);
static inline int avs_sched_wait_for_next(avs_sched_t *sched, avs_time_duration_t timeout) {
    return avs_sched_wait_until_next(sched, avs_time_monotonic_add(avs_time_monotonic_now(), timeout));
}

/**
 * Runs the jobs that are due now, in order of time; those that they add wait for the next call. One thread at a time.
 */
void avs_sched_run(avs_sched_t *sched);

/**
 * For AVS_SCHED_AT(). @returns 0, or -1, with a log entry: no callback, an invalid instant, a handle in use, no
 * memory.
 */
int avs_sched_at_impl__(avs_sched_t *sched, avs_sched_handle_t *out_handle, avs_time_monotonic_t instant, const char *log_file, unsigned int log_line, const char *log_name, avs_sched_clb_t *clb, const void *clb_data, size_t clb_data_size);

/** Moves a job that waits. @returns 0, or -1 if @p handle_ptr or *handle_ptr is NULL, or @p instant is invalid. */
int avs_resched_at_impl__(avs_sched_handle_t *handle_ptr, avs_time_monotonic_t instant);

/** @returns when the job is due; AVS_TIME_MONOTONIC_INVALID if @p handle_ptr or *handle_ptr is NULL. */
avs_time_monotonic_t avs_sched_time(avs_sched_handle_t *handle_ptr);

/** Deletes the job and sets *handle_ptr to NULL; nothing if it is NULL. One that runs already is not waited for. */
void avs_sched_del(avs_sched_handle_t *handle_ptr);

/** Lets go of the handle, which becomes NULL; the job stays. */
void avs_sched_detach(avs_sched_handle_t *handle_ptr);

/** Moves every job that waits by @p diff. @returns 0, or -1 if that is invalid. */
int avs_sched_leap_time(avs_sched_t *sched, avs_time_duration_t diff);

/** Runs @p Clb at a monotonic instant, with a bytewise copy of the data. @p OutHandle: NULL, or where a handle that is NULL now is kept. */
#define AVS_SCHED_AT(Sched, OutHandle, Instant, Clb, ClbData, ClbDataSize) \
    avs_sched_at_impl__((Sched), (OutHandle), (Instant), __FILE__, __LINE__, #Clb, (Clb), (ClbData), (ClbDataSize))
#define AVS_SCHED_DELAYED(Sched, OutHandle, Delay, Clb, ClbData, ClbDataSize)                                    \
    AVS_SCHED_AT((Sched), (OutHandle), avs_time_monotonic_add(avs_time_monotonic_now(), (Delay)), Clb, (ClbData), \
                 (ClbDataSize))
#define AVS_SCHED_NOW(Sched, OutHandle, Clb, ClbData, ClbDataSize) \
    AVS_SCHED_AT((Sched), (OutHandle), avs_time_monotonic_now(), Clb, (ClbData), (ClbDataSize))
#define AVS_RESCHED_AT(Handle, Instant) avs_resched_at_impl__((Handle), (Instant))
#define AVS_RESCHED_DELAYED(Handle, Delay) \
    AVS_RESCHED_AT((Handle), avs_time_monotonic_add(avs_time_monotonic_now(), (Delay)))
#define AVS_RESCHED_NOW(Handle) AVS_RESCHED_AT((Handle), avs_time_monotonic_now())

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_COMMONS_AVS_SCHED_H */
