/* SPDX-License-Identifier: Apache-2.0 */
/* What the wrapper adds in C to the public API of Anjay: the loop, scheduler jobs, logging, and what cffi cannot express. */
#ifndef ANJAY_CFFI_GLUE_H
#define ANJAY_CFFI_GLUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <anjay/anjay_config.h>

#include <avsystem/commons/avs_commons_config.h>

#include <avsystem/coap/code.h>
#include <avsystem/coap/udp.h>
#include <avsystem/commons/avs_crypto_pki.h>
#include <avsystem/commons/avs_crypto_psk.h>
#include <avsystem/commons/avs_errno.h>
#include <avsystem/commons/avs_list.h>
#ifdef AVS_COMMONS_WITH_AVS_LOG
#    include <avsystem/commons/avs_log.h>
#endif
#include <avsystem/commons/avs_memory.h>
#include <avsystem/commons/avs_prng.h>
#include <avsystem/commons/avs_sched.h>
#include <avsystem/commons/avs_socket.h>
#include <avsystem/commons/avs_stream.h>
#include <avsystem/commons/avs_stream_membuf.h>
#include <avsystem/commons/avs_time.h>
#include <avsystem/commons/avs_utils.h>

#include <anjay/anjay.h>
#include <anjay/core.h>
#include <anjay/dm.h>
#include <anjay/download.h>
#ifdef ANJAY_WITH_MODULE_FW_UPDATE
#    include <anjay/fw_update.h>
#endif
#include <anjay/io.h>
#ifdef ANJAY_WITH_SEND
#    include <anjay/lwm2m_send.h>
#endif
#include <anjay/security.h>
#include <anjay/server.h>

/* --- the loop (_glue_loop.c) ------------------------------------------------------------------------------------- */

/*
 * A loop waits for the sockets of one client and for a wake-up pipe, and lets the client work. It belongs to whoever
 * made it; one thread at a time may be in run() or step(). wake() and stop() may be called from any thread.
 * Nothing here takes the GIL; the client's callbacks do, when they enter Python.
 */
typedef struct anjay_cffi_loop_struct anjay_cffi_loop_t;

/* Why run() or step() came back. */
#define ANJAY_CFFI_LOOP_DONE 0    /* the time is over, or the step is made */
#define ANJAY_CFFI_LOOP_STOPPED 1 /* stop() was called */
#define ANJAY_CFFI_LOOP_SIGNAL 2  /* a signal came: the interpreter must get a chance to handle it */
#define ANJAY_CFFI_LOOP_PENDING 3 /* a callback on this thread stored an exception to be raised again */
#define ANJAY_CFFI_LOOP_ERROR (-1) /* out of memory or poll() failed: errno says which */

/* NULL and errno where no pipe or memory can be had. Its descriptors are close-on-exec. */
anjay_cffi_loop_t *anjay_cffi_loop_new(void);

/* Closes the descriptors; wake() and stop() stay harmless. No thread may be in run() or step(). */
void anjay_cffi_loop_close(anjay_cffi_loop_t *loop);

/* Closes and frees; NULL is allowed. No thread may be inside anything. */
void anjay_cffi_loop_delete(anjay_cffi_loop_t *loop);

/* Serves until stop(), a signal, a pending exception, or `timeout_s` seconds have passed (negative: no limit). No
 * single wait is longer than `max_wait_ms`. One warm request costs poll, recv and send. */
int anjay_cffi_loop_run(anjay_cffi_loop_t *loop, anjay_t *anjay, int max_wait_ms, double timeout_s);

/* Serves what is ready now and runs what is due, without waiting. */
int anjay_cffi_loop_step(anjay_cffi_loop_t *loop, anjay_t *anjay);

/* An epoll descriptor, owned by the loop, readable when a step would find a ready socket or a wake-up. It is kept up
 * to date by step(). -1 and errno on failure. */
int anjay_cffi_loop_fileno(anjay_cffi_loop_t *loop, anjay_t *anjay);

/* The non-blocking write end of the wake-up pipe, for signal.set_wakeup_fd(). */
int anjay_cffi_loop_signal_fd(const anjay_cffi_loop_t *loop);

/* Copies up to `capacity` descriptors of the client's sockets; returns how many there are. Not while another thread drives
 * the client, which may close one. */
size_t anjay_cffi_loop_sockets(anjay_cffi_loop_t *loop, anjay_t *anjay, int *out_fds, size_t capacity);

/* Copies up to `capacity` Short Server IDs of the Server object; returns how many there are. Any thread. */
size_t anjay_cffi_server_ssids(anjay_cffi_loop_t *loop, anjay_t *anjay, anjay_ssid_t *out, size_t capacity);

/* anjay_notify_changed() and a wake-up. 0; the library's result; or ANJAY_CFFI_LOOP_PENDING if a callback stored an
 * exception. While the loop's thread is inside the library, another thread's change is left to it, and the result is 0. */
int anjay_cffi_notify(anjay_cffi_loop_t *loop, anjay_t *anjay, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid);

/* Such changes (_glue_notify.c). A resource is in the set once. add() and any() from any thread; flush() by the loop's. */
typedef struct anjay_cffi_changes_struct anjay_cffi_changes_t;
anjay_cffi_changes_t *anjay_cffi_changes_new(void); /* NULL: no memory */
void anjay_cffi_changes_delete(anjay_cffi_changes_t *changes);
int anjay_cffi_changes_add(anjay_cffi_changes_t *changes, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid); /* -1: no memory */
bool anjay_cffi_changes_any(anjay_cffi_changes_t *changes);
void anjay_cffi_changes_flush(anjay_cffi_changes_t *changes, anjay_t *anjay);

/* Ends a wait that has begun (or, with fileno(), makes it readable), so that new jobs are seen. Costs nothing when
 * nobody waits. */
void anjay_cffi_loop_wake(anjay_cffi_loop_t *loop);

/* Makes the run() in progress return STOPPED, or else the next one. */
void anjay_cffi_loop_stop(anjay_cffi_loop_t *loop);

/* Returns 1 and forgets it if stop() was called since, else 0. */
int anjay_cffi_loop_take_stop(anjay_cffi_loop_t *loop);

/* 1 while the loop is inside a call of the library that serves a datagram or runs jobs, else 0. From any thread. */
int anjay_cffi_loop_is_working(const anjay_cffi_loop_t *loop);

/* For anjay_cffi_close: waits for SIGINT's byte in the wake-up pipe (SIGNAL), end_wait() (STOPPED), or
 * `timeout_ms` (DONE; negative: no limit). Other signals' handlers run when close() is over. */
int anjay_cffi_loop_wait_interrupt(anjay_cffi_loop_t *loop, int timeout_ms);
void anjay_cffi_loop_forget(anjay_cffi_loop_t *loop); /* signals and stops of the past */
void anjay_cffi_loop_end_wait(anjay_cffi_loop_t *loop);

/* For a wait within the library (_glue_wait.c): the loop that the calling thread drives while its client is at work, or
 * NULL; the descriptor that a wake-up makes readable; and whether to give up the wait: stop() was called, a callback stored
 * an exception, or a signal came whose handler did. */
anjay_cffi_loop_t *anjay_cffi_loop_inside(void);
int anjay_cffi_loop_listen(anjay_cffi_loop_t *loop);
bool anjay_cffi_loop_interrupted(anjay_cffi_loop_t *loop, bool signalled, bool woken);

/* Tells the loop that runs on the calling thread (if any) to return PENDING; 0 takes that back. */
void anjay_cffi_set_pending(int pending);

/* --- jobs on Anjay's scheduler (_glue_job.c) --------------------------------------------------------------------- */

/* A cell for at most one scheduled run at a time; its number goes to anjay_cffi_on_job. */
typedef struct anjay_cffi_job_struct anjay_cffi_job_t;

/* What a job does without Python (_glue_dm.h). */
typedef struct anjay_cffi_notice_struct anjay_cffi_notice_t;

/* A cell whose job is scheduled as by anjay_cffi_job_schedule(), and a wake-up of the loop. NULL when out of memory. With
 * a `notice`, which must live as long as the job, anjay_cffi_on_job is called only where anjay_cffi_notify_all() fails. */
anjay_cffi_job_t *anjay_cffi_job_new(int64_t number, anjay_cffi_loop_t *loop, anjay_t *anjay, double delay_s,
                                     double period_s, const anjay_cffi_notice_t *notice);

/* Schedules the job `delay_s` seconds from now and, with a positive `period_s`, again each period after that without
 * drift (periods that were missed are left out). Replaces what was scheduled, and a notice. 0, or -1 when out of memory or
 * cancelled. */
int anjay_cffi_job_schedule(anjay_cffi_job_t *job, anjay_t *anjay, double delay_s, double period_s);

/* Takes the job off the scheduler for good: it cannot be scheduled again. May be called from within the job. */
void anjay_cffi_job_cancel(anjay_cffi_job_t *job);

/* Cancels and frees; NULL is allowed. Not while another thread may be running the job. */
void anjay_cffi_job_delete(anjay_cffi_job_t *job);

/* Tries again to plan the next run of repeated jobs that there was no memory for when they ran. Returns `limit_ms`, or
 * less where that has failed again. */
int anjay_cffi_job_repair(anjay_t *anjay, int limit_ms);

/* Seconds until the scheduler has something to do: 0 when due, negative when there is nothing at all. */
double anjay_cffi_time_to_next(anjay_t *anjay);

/* --- firmware in pieces (_glue_pieces.c) --------------------------------------------------------------------------- */

#ifdef ANJAY_WITH_MODULE_FW_UPDATE
/* A firmware handler that collects the package and hands it on to the one behind it in pieces of exactly `size` bytes, and a
 * shorter one before stream_finish(). What stream_open() returns is told with the first bytes, so that it becomes an Update
 * Result. The struct is the user pointer of its handlers; the ones behind get `user`. The memory for a piece (`size` bytes,
 * not 0) is there only while a package arrives; if it cannot be had, that is Update Result 3. */
typedef struct anjay_cffi_pieces_struct anjay_cffi_pieces_t;

/* `behind` is copied. NULL: no memory. */
anjay_cffi_pieces_t *anjay_cffi_pieces_new(const anjay_fw_update_handlers_t *behind, void *user, size_t size);

/* What anjay_fw_update_install() takes, for as long as `pieces` lives. */
const anjay_fw_update_handlers_t *anjay_cffi_pieces_handlers(const anjay_cffi_pieces_t *pieces);

/* Only after anjay_delete(). NULL is allowed. */
void anjay_cffi_pieces_delete(anjay_cffi_pieces_t *pieces);
#endif

/* --- the end (_glue_close.c) ------------------------------------------------------------------------------------- */

/* anjay_delete(), then anjay_cffi_loop_close(). Where anjay_delete() still waits for a server after `timeout_s`
 * seconds (negative: no limit), or when a signal writes to the wake-up pipe, the connections are cut under it; at once,
 * and without De-register, where there is a limit but no thread or descriptor can be had to keep it. Returns 1 if that
 * was done, else 0. Nobody may be in run() or step(). */
int anjay_cffi_close(anjay_cffi_loop_t *loop, anjay_t *anjay, double timeout_s);

/* --- odds and ends (_glue.c) ------------------------------------------------------------------------------------- */


/* Sets the level of one module, or the default with NULL. 0, or -1 when the library cannot (no logs, no memory). */
int anjay_cffi_log_set_level(const char *module, int level);

/* Sends the library's log to anjay_cffi_on_log (1) or nowhere (0). -1 if the library has no log. */
int anjay_cffi_log_attach(int attach);

/* How many loops and jobs exist in this process: for tests that nothing is left. */
size_t anjay_cffi_live_objects(void);
void anjay_cffi_count_object(int change);

/* Implemented in Python. */
extern void anjay_cffi_on_job(int64_t number);
extern int anjay_cffi_on_interrupt(void *loop);
extern void anjay_cffi_on_log(int level, const char *module, const char *message);

#endif /* ANJAY_CFFI_GLUE_H */
