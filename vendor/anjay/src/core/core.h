/* SPDX-License-Identifier: Apache-2.0 */
/** The client: what anjay_t is, its lock, and what its parts may ask of one another. */
#ifndef ANJAY_CORE_INTERNAL_H
#define ANJAY_CORE_INTERNAL_H

#include "../dm/dm.h"
#include "../observe/observe.h"
#include "../send/send.h"
#include "../servers/servers.h"

#include <anjay/core.h>
#include <anjay/dm.h>

#include <avsystem/commons/avs_log.h>

#include <pthread.h>
#include <stdatomic.h>

#define anjay_log(Level, ...) avs_log(anjay, Level, __VA_ARGS__)

/**
 * One client. `mutex` guards everything but `sched` (which locks itself) and `wake_fd`/`loop_state` (atomic, fixed).
 *
 * Public functions take the lock; internal ones expect it held. It is released around every callback of the user's
 * (ANJAY_UNLOCKED), so callbacks may call the public API. Therefore what is iterated over while a callback runs must not be freed by
 * another thread: objects are pinned (anjay_dm_object_t.pins), servers are freed from scheduler jobs of the loop only.
 */
struct anjay_struct {
    pthread_mutex_t mutex;
    char *endpoint_name;
    anjay_configuration_t config; /**< pointers in it are copies owned by the client, or NULL */
    avs_coap_udp_tx_params_t udp_tx_params;
    avs_net_dtls_handshake_timeouts_t dtls_hs_params;
    avs_time_duration_t exchange_timeout; /**< of block-wise transfers; zero: EXCHANGE_LIFETIME */
    anjay_queue_mode_preference_t queue_mode;
    avs_sched_t *sched;
    _Atomic bool jobs_lost; /**< there was no memory for a job of the library's own: anjay_sched_run() schedules it anew */
    avs_crypto_prng_ctx_t *prng;
    anjay_dm_t dm;
    anjay_observe_t observe;
    anjay_servers_t servers;
    anjay_send_state_t send;
    void *security_object; /**< state of objects/security.c, or NULL */
    void *server_object;   /**< state of objects/server.c, or NULL */
    void *fw_update;       /**< state of objects/fw_update.c, or NULL */
    int wake_fd;           /**< eventfd of the event loop */
    atomic_int loop_state;
    _Atomic(pthread_t) loop_thread; /**< valid while the loop runs */
    struct pollfd *poll_fds;        /**< of the loop, kept between its rounds */
    avs_net_socket_t **poll_sockets; /**< beside it; the first belongs to wake_fd and is NULL */
    size_t poll_capacity;
};

void anjay_lock(anjay_t *anjay);
void anjay_unlock(anjay_t *anjay);

/** Runs a statement that calls the user's code with the lock released. */
#define ANJAY_UNLOCKED(Anjay, ...) \
    do {                           \
        anjay_unlock(Anjay);       \
        __VA_ARGS__;               \
        anjay_lock(Anjay);         \
    } while (0)

/** Makes a running event loop look again at sockets and jobs. Callable without the lock, from any thread. */
void anjay_wake(anjay_t *anjay);

#endif /* ANJAY_CORE_INTERNAL_H */
