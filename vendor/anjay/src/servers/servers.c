/* SPDX-License-Identifier: Apache-2.0 */
/** Which servers there are, and what happens next with each. */
#include "../../../avs_commons/src/sched/sched_internal.h"
#include "servers_internal.h"

#include <avsystem/commons/avs_memory.h>

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/** Longest doubling of the retry timer. */
#define MAX_RETRY_DOUBLINGS 10
/** Pause before another attempt to begin with a server, when memory ran out. */
#define RELOAD_AGAIN_S 5

void anjay_servers_init(anjay_servers_t *servers) {
    memset(servers, 0, sizeof(*servers));
}

anjay_server_t *server_find(anjay_t *anjay, anjay_ssid_t ssid) {
    anjay_server_t *server;
    AVS_LIST_FOREACH(server, anjay->servers.list) {
        if (server->ssid == ssid) {
            return server;
        }
    }
    return NULL;
}

coap_endpoint_t *anjay_server_endpoint(anjay_t *anjay, anjay_ssid_t ssid) {
    const anjay_server_t *server = server_find(anjay, ssid);
    return server && server->connected && server->state == SERVER_REGISTERED ? server->ep : NULL;
}

coap_endpoint_t *anjay_server_endpoint_always(anjay_t *anjay, anjay_ssid_t ssid) {
    const anjay_server_t *server = server_find(anjay, ssid);
    return server ? server->ep : NULL;
}

coap_endpoint_t *anjay_server_endpoint_ready(anjay_t *anjay, anjay_ssid_t ssid) {
    const anjay_server_t *server = server_find(anjay, ssid);
    return server && !server->exchange && !server->gone ? anjay_server_endpoint(anjay, ssid) : NULL;
}

bool anjay_server_connected(anjay_t *anjay, anjay_ssid_t ssid) {
    const anjay_server_t *server = server_find(anjay, ssid);
    return server && server->connected && server->state != SERVER_DEREGISTERING;
}

bool anjay_server_registered(anjay_t *anjay, anjay_ssid_t ssid) {
    const anjay_server_t *server = server_find(anjay, ssid);
    return server && server_registration_valid(server);
}

void anjay_servers_endpoint_touched(anjay_t *anjay, anjay_ssid_t ssid) {
    anjay_server_t *server = server_find(anjay, ssid);
    if (server) {
        server_rearm(server);
    }
}

void server_set_status(anjay_server_t *server, anjay_server_conn_status_t status) {
    anjay_t *anjay = server->anjay;
    if (server->status == status) {
        return;
    }
    server->status = status;
    if (anjay->config.server_connection_status_cb) {
        const anjay_ssid_t ssid = server->ssid;
        ANJAY_UNLOCKED(anjay, anjay->config.server_connection_status_cb(anjay->config.server_connection_status_cb_arg,
                                                                        anjay, ssid, status));
    }
}

/* ------------------------------------------------------------------ steps */

static void server_step(avs_sched_t *sched, const void *server_ptr) {
    (void) sched;
    anjay_server_t *server = *(anjay_server_t *const *) server_ptr;
    anjay_t *anjay = server->anjay;
    anjay_lock(anjay);
    switch (server->state) {
    case SERVER_IDLE:
        if (server->gone) {
            anjay_servers_reload(anjay);
        } else if (!anjay->servers.offline) {
            server->disabled = false;
            if (server->connected) {
                server_disconnect(server); /* begins with a fresh connection */
            }
            server_connect(server);
        }
        break;
    case SERVER_CONNECTING: server_connect_step(server); break;
    case SERVER_REGISTERED: server_update(server, true); break;
    case SERVER_DEREGISTERING: /* to be enabled again, but not before the old registration is over */
        server_schedule(server, avs_time_duration_from_scalar(1, AVS_TIME_S));
        break;
    default: break; /* an exchange is under way and goes on by itself */
    }
    anjay_unlock(anjay);
}

void server_schedule(anjay_server_t *server, avs_time_duration_t delay) {
    server_schedule_at(server, avs_time_monotonic_add(avs_time_monotonic_now(), delay));
}

void server_schedule_at(anjay_server_t *server, avs_time_monotonic_t instant) {
    server_unschedule(server);
    if (avs_time_monotonic_valid(instant)
            && AVS_SCHED_AT(server->anjay->sched, &server->job, instant, server_step, &server, sizeof(server))) {
        server->job_lost = instant;
        atomic_store(&server->anjay->jobs_lost, true);
    }
}

void server_unschedule(anjay_server_t *server) {
    avs_sched_del(&server->job);
    server->job_lost = AVS_TIME_MONOTONIC_INVALID;
}

void server_failed(anjay_server_t *server, const char *what) {
    anjay_server_view_t view;
    anjay_communication_retry_params_t retry = ANJAY_COMMUNICATION_RETRY_PARAMS_DEFAULT;
    if (anjay_server_by_ssid(server->anjay, server->ssid, &view)) {
        retry = view.retry;
    }
    server_disconnect(server);
    server->state = SERVER_IDLE;
    server->location_size = 0;
    /* retry_timer * 2^(n - 1) between attempts; after retry_count of them a longer pause (LwM2M Core 1.1, section 6.2.1.2) */
    const unsigned attempt = retry.retry_count ? server->failures % retry.retry_count : server->failures;
    server->failures += server->failures < UINT_MAX;
    const bool sequence_over = retry.retry_count && server->failures % retry.retry_count == 0;
    const double seconds = sequence_over ? retry.sequence_delay_timer_s
                                         : ldexp(retry.retry_timer_s, (int) AVS_MIN(attempt, MAX_RETRY_DOUBLINGS));
    server_log(ERROR, "%s: %s; another attempt in %.0f s", server->log_name, what, seconds);
    server_schedule(server, avs_time_duration_from_fscalar(seconds, AVS_TIME_S));
}

bool server_gave_up(const anjay_server_t *server) {
    anjay_server_view_t view;
    return server->state == SERVER_IDLE && anjay_server_by_ssid(server->anjay, server->ssid, &view)
           && view.retry.retry_count
           && server->failures >= (uint64_t) view.retry.retry_count * AVS_MAX(view.retry.sequence_retry_count, 1);
}

static void free_server(anjay_server_t **entry) {
    anjay_server_t *server = *entry;
    AVS_LIST_DETACH(entry);
    server_unschedule(server);
    server_close(server);
    anjay_observe_forget_server(server->anjay, server->ssid);
    server->anjay->servers.sockets_dirty = true;
    AVS_LIST_DELETE(&server);
}

void server_deregistered(anjay_server_t *server) {
    server->location_size = 0;
    server->state = SERVER_IDLE;
    anjay_send_abort(server->anjay, server->ssid);
    server_set_status(server, ANJAY_SERV_CONN_STATUS_DEREGISTERED);
    anjay_observe_forget_server(server->anjay, server->ssid);
    if (server->gone) {
        anjay_servers_reload(server->anjay); /* not freed here: its endpoint is calling us */
    } else if (!server->disabled) {
        server_schedule(server, AVS_TIME_DURATION_ZERO);
    } else {
        server_disconnect(server);
        server_set_status(server, ANJAY_SERV_CONN_STATUS_SUSPENDED);
    }
}

/* ------------------------------------------------------------------ comparison with the data model */

/** @returns 0, -1 when memory ran out. */
static int start_server(anjay_t *anjay, const anjay_server_view_t *view) {
    anjay_server_t *server = AVS_LIST_NEW_ELEMENT(anjay_server_t);
    if (!server) {
        return -1;
    }
    server->anjay = anjay;
    server->ssid = view->ssid;
    server->status = ANJAY_SERV_CONN_STATUS_INITIAL;
    server->expires = server->job_lost = AVS_TIME_MONOTONIC_INVALID;
    snprintf(server->log_name, sizeof(server->log_name), "SSID %u", view->ssid);
    server_schedule(server, avs_time_duration_from_scalar(view->retry.initial_registration_delay_timer_s, AVS_TIME_S));
    AVS_LIST_APPEND(&anjay->servers.list, server);
    return 0;
}

/** Frees what is gone and has de-registered, de-registers what is gone, reconnects what has new security settings. */
static void review_server(anjay_t *anjay, anjay_server_t **entry, bool *freed) {
    anjay_server_t *server = *entry;
    anjay_server_view_t view;
    anjay_security_view_t security;
    *freed = false;
    if (server->gone) {
        if (server->state == SERVER_IDLE) {
            free_server(entry);
            *freed = true;
        }
        return;
    }
    if (!anjay_server_by_ssid(anjay, server->ssid, &view) || !server_find_security(anjay, server->ssid, &security)) {
        server->gone = true;
        server_deregister(server);
        return;
    }
    if (server->socket && server->security_hash != server_security_hash(&security)) {
        server->location_size = 0; /* the other server knows nothing of this registration */
        if (!server->disabled) {
            server_disconnect(server);
            server->state = SERVER_IDLE;
            server->failures = 0;
            server_schedule(server, AVS_TIME_DURATION_ZERO);
        }
    }
}

static void schedule_reload(anjay_t *anjay, avs_time_duration_t delay);

void servers_compare(anjay_t *anjay) {
    anjay_server_t **entry = &anjay->servers.list;
    while (*entry) {
        bool freed;
        review_server(anjay, entry, &freed);
        if (!freed) {
            entry = AVS_LIST_NEXT_PTR(entry);
        }
    }
    anjay_server_view_t view;
    anjay_security_view_t security;
    for (size_t i = 0; anjay_server_nth(anjay, i, &view); ++i) {
        if (!server_find(anjay, view.ssid) && server_find_security(anjay, view.ssid, &security)) {
            if (start_server(anjay, &view)) {
                server_log(ERROR, "out of memory: SSID %u is begun later", view.ssid);
                schedule_reload(anjay, avs_time_duration_from_scalar(RELOAD_AGAIN_S, AVS_TIME_S));
            }
        }
    }
}

static void reload_job(avs_sched_t *sched, const void *anjay_ptr) {
    (void) sched;
    anjay_t *anjay = *(anjay_t *const *) anjay_ptr;
    anjay_lock(anjay);
    servers_compare(anjay);
    anjay_unlock(anjay);
}

static void schedule_reload(anjay_t *anjay, avs_time_duration_t delay) {
    avs_sched_del(&anjay->servers.reload_job); /* it may be one for later */
    anjay->servers.reload_lost =
            AVS_SCHED_DELAYED(anjay->sched, &anjay->servers.reload_job, delay, reload_job, &anjay, sizeof(anjay));
    if (anjay->servers.reload_lost) {
        atomic_store(&anjay->jobs_lost, true);
    }
}

void anjay_servers_reload(anjay_t *anjay) {
    schedule_reload(anjay, AVS_TIME_DURATION_ZERO);
}

void anjay_servers_repair(anjay_t *anjay) {
    anjay_server_t *server;
    AVS_LIST_FOREACH(server, anjay->servers.list) {
        if (avs_time_monotonic_valid(server->job_lost)) {
            server_schedule_at(server, server->job_lost);
        }
        server_rearm(server);
    }
    if (anjay->servers.reload_lost) {
        anjay_servers_reload(anjay);
    }
}

/* ------------------------------------------------------------------ requests of the rest */

/** An Update from a job of its own, so that the answer to what caused it goes out first. */
static void want_update(anjay_server_t *server) {
    server->update_wanted = server->update_forced = true;
    if (server->state == SERVER_REGISTERED && !server->exchange) {
        server_schedule(server, AVS_TIME_DURATION_ZERO);
    }
}

void anjay_servers_update_needed(anjay_t *anjay, anjay_ssid_t ssid) {
    anjay_server_t *server;
    AVS_LIST_FOREACH(server, anjay->servers.list) {
        if (ssid == ANJAY_SSID_ANY) {
            /* new links go with the next Update that comes anyway, unless the program wants them at once */
            if (anjay->config.update_immediately_on_dm_change) {
                want_update(server);
            }
        } else if (server->ssid == ssid) {
            want_update(server);
        }
    }
}

int anjay_servers_trigger_update(anjay_t *anjay, anjay_ssid_t ssid) {
    anjay_server_t *server = server_find(anjay, ssid);
    if (!server) {
        return -1;
    }
    want_update(server);
    return 0;
}

typedef struct {
    anjay_t *anjay;
    anjay_ssid_t ssid;
    avs_time_duration_t timeout;
} disable_t;

static void disable_job(avs_sched_t *sched, const void *args_ptr) {
    (void) sched;
    const disable_t args = *(const disable_t *) args_ptr;
    anjay_lock(args.anjay);
    servers_compare(args.anjay); /* the Instance may be so new that nothing was begun for it */
    anjay_server_t *server = server_find(args.anjay, args.ssid);
    if (server && !server->gone) {
        server_unschedule(server);
        if (!server->disabled) {
            server->disabled = true;
            server_set_status(server, ANJAY_SERV_CONN_STATUS_SUSPENDING);
            server_deregister(server);
        }
        if (avs_time_duration_valid(args.timeout)) {
            server_schedule(server, args.timeout);
        }
    }
    anjay_unlock(args.anjay);
}

int anjay_servers_disable(anjay_t *anjay, anjay_ssid_t ssid, avs_time_duration_t timeout) {
    const disable_t args = { anjay, ssid, timeout };
    anjay_server_view_t view;
    if (!anjay_server_by_ssid(anjay, ssid, &view)) {
        return -1;
    }
    return AVS_SCHED_NOW(anjay->sched, NULL, disable_job, &args, sizeof(args));
}

/* ------------------------------------------------------------------ end */

void anjay_servers_cleanup(anjay_t *anjay) {
    avs_sched_del(&anjay->servers.reload_job);
    while (anjay->servers.list) {
        free_server(&anjay->servers.list);
    }
    AVS_LIST(avs_net_socket_t *) sockets = (AVS_LIST(avs_net_socket_t *)) (intptr_t) anjay->servers.public_sockets;
    AVS_LIST(anjay_socket_entry_t) entries = (AVS_LIST(anjay_socket_entry_t)) (intptr_t) anjay->servers.public_entries;
    AVS_LIST_CLEAR(&sockets);
    AVS_LIST_CLEAR(&entries);
    anjay->servers.public_sockets = NULL;
    anjay->servers.public_entries = NULL;
}
