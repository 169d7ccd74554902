/* SPDX-License-Identifier: Apache-2.0 */
/* Python functions as jobs on Anjay's own scheduler. */
#include "_glue_dm.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct anjay_cffi_job_struct {
    avs_sched_handle_t handle; /* the scheduler clears it when the job starts */
    avs_sched_t *sched;
    avs_time_monotonic_t due;
    avs_time_duration_t period;
    bool repeat;
    bool over; /* cancelled for good */
    int64_t number;
    const anjay_cffi_notice_t *notice; /* what to do in the place of Python */
    anjay_cffi_job_t *next_unplanned;
};

/* A job may be cancelled by one thread while another is about to plan its next run. The scheduler's own lock is taken
 * inside this one, never the other way round. */
static pthread_mutex_t plan_lock = PTHREAD_MUTEX_INITIALIZER;

/* Repeated jobs whose next run could not be planned for want of memory. Changed under the lock. */
static _Atomic(anjay_cffi_job_t *) unplanned;
#define RETRY_MS 1000

static void run(avs_sched_t *sched, const void *data);

static int plan(anjay_cffi_job_t *job) {
    return AVS_SCHED_AT(job->sched, &job->handle, job->due, run, &job, sizeof(job)) ? -1 : 0;
}

/* The first moment of the job's rhythm that is still to come. */
static void advance(anjay_cffi_job_t *job) {
    avs_time_monotonic_t now = avs_time_monotonic_now();
    job->due = avs_time_monotonic_add(job->due, job->period);
    if (avs_time_monotonic_before(job->due, now)) {
        double late = avs_time_duration_to_fscalar(avs_time_monotonic_diff(now, job->due), AVS_TIME_S);
        double period = avs_time_duration_to_fscalar(job->period, AVS_TIME_S);
        double missed = (double) (int64_t) (late / period) + 1.0;
        job->due = avs_time_monotonic_add(job->due, avs_time_duration_fmul(job->period, missed));
    }
}

static void run(avs_sched_t *sched, const void *data) {
    (void) sched;
    anjay_cffi_job_t *job = *(anjay_cffi_job_t *const *) data;
    pthread_mutex_lock(&plan_lock);
    if (job->repeat && !job->handle) {
        advance(job);
        if (plan(job)) {
            job->next_unplanned = unplanned;
            unplanned = job;
        }
    }
    const anjay_cffi_notice_t *notice = job->notice;
    const int64_t number = job->number;
    pthread_mutex_unlock(&plan_lock);
    /* The library only notes what has changed: no handler is called that could drop the job. */
    if (!notice || anjay_cffi_notify_all(notice)) {
        anjay_cffi_on_job(number); /* this one may */
    }
}

int anjay_cffi_job_repair(anjay_t *anjay, int limit_ms) {
    if (!unplanned) {
        return limit_ms;
    }
    pthread_mutex_lock(&plan_lock);
    avs_sched_t *sched = anjay_get_scheduler(anjay);
    anjay_cffi_job_t *job = unplanned;
    unplanned = NULL;
    while (job) {
        anjay_cffi_job_t *next = job->next_unplanned;
        const bool ours = job->sched == sched;
        if (!ours || plan(job)) {
            job->next_unplanned = unplanned;
            unplanned = job;
            limit_ms = ours && limit_ms > RETRY_MS ? RETRY_MS : limit_ms;
        }
        job = next;
    }
    pthread_mutex_unlock(&plan_lock);
    return limit_ms;
}

/* Off the scheduler, and off the list of those that should be on it. */
static void take_off(anjay_cffi_job_t *job) {
    avs_sched_del(&job->handle);
    anjay_cffi_job_t *before = unplanned;
    if (before == job) {
        unplanned = job->next_unplanned;
    }
    for (; before; before = before->next_unplanned) {
        if (before->next_unplanned == job) {
            before->next_unplanned = job->next_unplanned;
        }
    }
    job->next_unplanned = NULL;
}

int anjay_cffi_job_schedule(anjay_cffi_job_t *job, anjay_t *anjay, double delay_s, double period_s) {
    pthread_mutex_lock(&plan_lock);
    if (job->over) {
        pthread_mutex_unlock(&plan_lock);
        return -1;
    }
    take_off(job);
    job->sched = anjay_get_scheduler(anjay);
    job->due = avs_time_monotonic_add(avs_time_monotonic_now(), avs_time_duration_from_fscalar(delay_s, AVS_TIME_S));
    job->period = avs_time_duration_from_fscalar(period_s, AVS_TIME_S);
    job->repeat = period_s > 0.0;
    job->notice = NULL;
    int result = plan(job);
    pthread_mutex_unlock(&plan_lock);
    return result;
}

anjay_cffi_job_t *anjay_cffi_job_new(int64_t number, anjay_cffi_loop_t *loop, anjay_t *anjay, double delay_s,
                                     double period_s, const anjay_cffi_notice_t *notice) {
    anjay_cffi_job_t *job = (anjay_cffi_job_t *) calloc(1, sizeof(*job));
    if (!job) {
        return NULL;
    }
    job->number = number;
    if (anjay_cffi_job_schedule(job, anjay, delay_s, period_s)) {
        free(job);
        return NULL;
    }
    pthread_mutex_lock(&plan_lock); /* it may be running */
    job->notice = notice;
    pthread_mutex_unlock(&plan_lock);
    anjay_cffi_count_object(1);
    anjay_cffi_loop_wake(loop);
    return job;
}

void anjay_cffi_job_cancel(anjay_cffi_job_t *job) {
    pthread_mutex_lock(&plan_lock);
    job->repeat = false;
    job->over = true;
    take_off(job);
    pthread_mutex_unlock(&plan_lock);
}

void anjay_cffi_job_delete(anjay_cffi_job_t *job) {
    if (job) {
        anjay_cffi_job_cancel(job);
        free(job);
        anjay_cffi_count_object(-1);
    }
}

double anjay_cffi_time_to_next(anjay_t *anjay) {
    avs_time_duration_t delay;
    double seconds = -1.0;
    if (!anjay_sched_time_to_next(anjay, &delay)) {
        seconds = avs_time_duration_to_fscalar(delay, AVS_TIME_S);
        seconds = seconds > 0.0 ? seconds : 0.0;
    }
    return unplanned && !(seconds >= 0.0 && seconds < RETRY_MS * 1e-3) ? RETRY_MS * 1e-3 : seconds;
}
