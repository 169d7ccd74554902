/* SPDX-License-Identifier: Apache-2.0 */
/** What an event loop needs of a scheduler beside the public API. */
#ifndef SCHED_INTERNAL_H
#define SCHED_INTERNAL_H

#include <avsystem/commons/avs_sched.h>

/**
 * Calls @p hook, with no lock of the scheduler held, whenever a job became the earliest one: a loop that sleeps until
 * avs_sched_time_of_next() must then look again. Runs on the thread that scheduled the job.
 */
void sched_set_earliest_hook(avs_sched_t *sched, void (*hook)(void *arg), void *arg);

/** Whether the job of a handle still waits to be run. Unlike a look at the variable itself this may race with the thread that runs jobs. */
bool sched_pending(avs_sched_handle_t *handle_ptr);

#endif /* SCHED_INTERNAL_H */
