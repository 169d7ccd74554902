/* SPDX-License-Identifier: Apache-2.0 */
/** The public functions about servers, sockets and transports. */
#include "../../../avs_commons/src/sched/sched_internal.h"
#include "servers_internal.h"

#include <avsystem/commons/avs_memory.h>

#include <errno.h>
#include <poll.h>
#include <string.h>

/** Longest wait for answers to De-register when a client ends. */
#define DEREGISTER_WAIT_MS 5000

/* ------------------------------------------------------------------ sockets */

static anjay_server_t *find_by_socket(anjay_t *anjay, const avs_net_socket_t *socket) {
    anjay_server_t *server;
    AVS_LIST_FOREACH(server, anjay->servers.list) {
        if (server->socket == socket && socket) {
            return server;
        }
    }
    return NULL;
}

static void serve(anjay_server_t *server) {
    if (server->state == SERVER_CONNECTING && !server->connected) {
        server_connect_step(server);
    } else if (server->connected) {
        server_receive(server);
    }
}

int anjay_serve(anjay_t *anjay, avs_net_socket_t *ready_socket) {
    anjay_lock(anjay);
    anjay_server_t *server = find_by_socket(anjay, ready_socket);
    if (server) {
        serve(server);
    }
    anjay_unlock(anjay);
    return server ? 0 : -1;
}

/** Makes the two public lists anew, if a socket came, went or got another descriptor. */
static void refresh_lists(anjay_t *anjay) {
    anjay_servers_t *servers = &anjay->servers;
    if (!servers->sockets_dirty) {
        return;
    }
    AVS_LIST(avs_net_socket_t *) sockets = (AVS_LIST(avs_net_socket_t *)) (intptr_t) servers->public_sockets;
    AVS_LIST(anjay_socket_entry_t) entries = (AVS_LIST(anjay_socket_entry_t)) (intptr_t) servers->public_entries;
    AVS_LIST_CLEAR(&sockets);
    AVS_LIST_CLEAR(&entries);
    bool complete = true;
    anjay_server_t *server;
    AVS_LIST_FOREACH(server, servers->list) {
        anjay_server_view_t view;
        if (!server->socket || !(server->connected || server->state == SERVER_CONNECTING)) {
            continue;
        }
        anjay_socket_entry_t *entry = AVS_LIST_APPEND_NEW(anjay_socket_entry_t, &entries);
        avs_net_socket_t **socket = AVS_LIST_APPEND_NEW(avs_net_socket_t *, &sockets);
        complete &= entry && socket;
        if (socket) {
            *socket = server->socket;
        }
        if (entry) {
            *entry = (anjay_socket_entry_t) { .socket = server->socket,
                                              .transport = ANJAY_SOCKET_TRANSPORT_UDP,
                                              .ssid = server->ssid,
                                              .queue_mode = anjay_server_by_ssid(anjay, server->ssid, &view)
                                                            && server_queue_mode(anjay, &view) };
        }
    }
    servers->public_sockets = sockets;
    servers->public_entries = entries;
    servers->sockets_dirty = !complete;
}

AVS_LIST(avs_net_socket_t *const) anjay_get_sockets(anjay_t *anjay) {
    anjay_lock(anjay);
    refresh_lists(anjay);
    anjay_unlock(anjay);
    return anjay->servers.public_sockets;
}

AVS_LIST(const anjay_socket_entry_t) anjay_servers_socket_entries(anjay_t *anjay) {
    refresh_lists(anjay);
    return anjay->servers.public_entries;
}

AVS_LIST(const anjay_socket_entry_t) anjay_get_socket_entries(anjay_t *anjay) {
    anjay_lock(anjay);
    AVS_LIST(const anjay_socket_entry_t) entries = anjay_servers_socket_entries(anjay);
    anjay_unlock(anjay);
    return entries;
}

/* ------------------------------------------------------------------ the end of a client */

static bool deregistering(anjay_t *anjay) {
    anjay_server_t *server;
    AVS_LIST_FOREACH(server, anjay->servers.list) {
        if (server->state == SERVER_DEREGISTERING && !server->cut) {
            return true;
        }
    }
    return false;
}

/** Waits for one datagram on any socket. @returns whether to go on. */
static bool wait_once(anjay_t *anjay, int timeout_ms) {
    struct pollfd fds[16];
    anjay_server_t *servers[16], *server;
    size_t count = 0;
    AVS_LIST_FOREACH(server, anjay->servers.list) {
        const int *fd = server->socket ? (const int *) avs_net_socket_get_system(server->socket) : NULL;
        if (fd && server->state == SERVER_DEREGISTERING && count < AVS_ARRAY_SIZE(fds)) {
            servers[count] = server;
            fds[count++] = (struct pollfd) { .fd = *fd, .events = POLLIN };
        }
    }
    anjay_unlock(anjay);
    const int ready = poll(fds, (nfds_t) count, timeout_ms);
    const bool failed = ready < 0 && errno != EINTR; /* a signal is the program's, and no answer */
    anjay_lock(anjay);
    for (size_t i = 0; i < count && ready > 0; ++i) {
        if (fds[i].revents) {
            server_receive(servers[i]);
            return true; /* the list may be another one now */
        }
    }
    AVS_LIST_FOREACH(server, anjay->servers.list) {
        if (server->ep) {
            coap_endpoint_tick(server->ep);
        }
    }
    return !failed;
}

void anjay_servers_deregister_all(anjay_t *anjay) {
    anjay_server_t *server;
    AVS_LIST_FOREACH(server, anjay->servers.list) {
        server->gone = true;
        if (server->state != SERVER_DEREGISTERING) {
            server_deregister(server);
        }
    }
    const avs_time_monotonic_t end = avs_time_monotonic_add(
            avs_time_monotonic_now(), avs_time_duration_from_scalar(DEREGISTER_WAIT_MS, AVS_TIME_MS));
    while (deregistering(anjay)) {
        int64_t left_ms;
        const avs_time_duration_t left = avs_time_monotonic_diff(end, avs_time_monotonic_now());
        if (avs_time_duration_to_scalar(&left_ms, AVS_TIME_MS, left) || left_ms <= 0
                || !wait_once(anjay, (int) AVS_MIN(left_ms, 500))) {
            break;
        }
    }
}

/* ------------------------------------------------------------------ registrations */

typedef enum { ACTION_REGISTER, ACTION_UPDATE, ACTION_RECONNECT, ACTION_ENABLE } action_kind_t;

typedef struct {
    anjay_t *anjay;
    anjay_ssid_t ssid;
    action_kind_t action;
} action_t;

static void reconnect(anjay_server_t *server) {
    if (server->exchange) {
        coap_endpoint_cancel(server->ep, server->exchange);
        server->exchange = NULL;
    }
    server_disconnect(server);
    server->state = SERVER_IDLE;
    server->failures = 0;
    server_schedule(server, AVS_TIME_DURATION_ZERO);
}

/** Registers anew over the connection that there is; without one, when it comes. */
static void register_again(anjay_server_t *server) {
    if (server->state == SERVER_REGISTERED && server->exchange) { /* an Update, whose answer means nothing then */
        coap_endpoint_cancel(server->ep, server->exchange);
        server->exchange = NULL;
    }
    if (server->state == SERVER_REGISTERED || server->state == SERVER_IDLE) {
        server->location_size = 0;
    }
    if (server->state == SERVER_REGISTERED && server->connected) {
        server_register(server);
    }
}

static void enable(anjay_server_t *server) {
    server->failures = 0;
    if (server->state == SERVER_IDLE) {
        server_schedule(server, AVS_TIME_DURATION_ZERO);
    } else if (server->state == SERVER_DEREGISTERING) { /* begins again as soon as that is over */
        server->disabled = false;
        server_unschedule(server);
    }
}

static void act(anjay_server_t *server, action_kind_t action) {
    switch (action) {
    case ACTION_REGISTER: register_again(server); break;
    case ACTION_UPDATE:
        if (server->state == SERVER_IDLE && !server->disabled) {
            server_schedule(server, AVS_TIME_DURATION_ZERO);
        } else {
            server_update(server, true);
        }
        break;
    case ACTION_RECONNECT:
        if (!server->disabled) {
            reconnect(server);
        }
        break;
    default: enable(server);
    }
}

static void action_job(avs_sched_t *sched, const void *action_ptr) {
    (void) sched;
    const action_t action = *(const action_t *) action_ptr;
    anjay_lock(action.anjay);
    servers_compare(action.anjay); /* an Instance may be so new that nothing was begun for it */
    anjay_server_t *server;
    AVS_LIST_FOREACH(server, action.anjay->servers.list) {
        if ((action.ssid == ANJAY_SSID_ANY || server->ssid == action.ssid) && !server->gone) {
            act(server, action.action);
        }
    }
    anjay_unlock(action.anjay);
}

static int schedule_action(anjay_t *anjay, anjay_ssid_t ssid, action_kind_t action) {
    const action_t args = { anjay, ssid, action };
    if (!anjay) {
        return -1;
    }
    anjay_server_view_t view;
    anjay_lock(anjay);
    const bool known = ssid == ANJAY_SSID_ANY || anjay_server_by_ssid(anjay, ssid, &view);
    int result = known ? AVS_SCHED_NOW(anjay->sched, NULL, action_job, &args, sizeof(args)) : -1;
    anjay_unlock(anjay);
    return result;
}

int anjay_schedule_register(anjay_t *anjay, anjay_ssid_t ssid) {
    return schedule_action(anjay, ssid, ACTION_REGISTER);
}

int anjay_schedule_registration_update(anjay_t *anjay, anjay_ssid_t ssid) {
    return schedule_action(anjay, ssid, ACTION_UPDATE);
}

int anjay_server_schedule_reconnect(anjay_t *anjay, anjay_ssid_t ssid) {
    anjay_lock(anjay);
    const anjay_server_t *server = server_find(anjay, ssid);
    const bool disabled = server && server->disabled;
    anjay_unlock(anjay);
    return disabled ? -1 : schedule_action(anjay, ssid, ACTION_RECONNECT);
}

int anjay_enable_server(anjay_t *anjay, anjay_ssid_t ssid) {
    return ssid == ANJAY_SSID_ANY ? -1 : schedule_action(anjay, ssid, ACTION_ENABLE);
}

int anjay_disable_server_with_timeout(anjay_t *anjay, anjay_ssid_t ssid, avs_time_duration_t timeout) {
    anjay_lock(anjay);
    int result = anjay_servers_disable(anjay, ssid, timeout);
    anjay_unlock(anjay);
    return result;
}

int anjay_disable_server(anjay_t *anjay, anjay_ssid_t ssid) {
    anjay_server_view_t view;
    anjay_lock(anjay);
    int result = -1;
    if (anjay_server_by_ssid(anjay, ssid, &view)) {
        const int32_t seconds = view.disable_timeout >= 0 ? view.disable_timeout : 86400;
        result = anjay_servers_disable(anjay, ssid, avs_time_duration_from_scalar(seconds, AVS_TIME_S));
    }
    anjay_unlock(anjay);
    return result;
}

bool anjay_ongoing_registration_exists(anjay_t *anjay) {
    bool ongoing = false;
    anjay_lock(anjay);
    anjay_server_t *server;
    AVS_LIST_FOREACH(server, anjay->servers.list) {
        ongoing |= server->state == SERVER_CONNECTING || server->state == SERVER_REGISTERING || server->exchange
                   || (server->state == SERVER_IDLE && !server->disabled && !server_gave_up(server)
                       && sched_pending(&server->job));
    }
    ongoing |= sched_pending(&anjay->servers.reload_job) || sched_pending(&anjay->dm.changes_job);
    anjay_unlock(anjay);
    return ongoing;
}

bool anjay_all_connections_failed(anjay_t *anjay) {
    size_t servers = 0, failed = 0;
    anjay_lock(anjay);
    anjay_server_t *server;
    AVS_LIST_FOREACH(server, anjay->servers.list) {
        ++servers;
        failed += server_gave_up(server);
    }
    anjay_unlock(anjay);
    return servers && failed == servers;
}

anjay_server_conn_status_t anjay_get_server_connection_status(anjay_t *anjay, anjay_ssid_t ssid) {
    anjay_lock(anjay);
    const anjay_server_t *server = server_find(anjay, ssid);
    anjay_server_conn_status_t status = server ? server->status : ANJAY_SERV_CONN_STATUS_INVALID;
    anjay_unlock(anjay);
    return status;
}

/** An instant on the clock of the day; both clocks are read now. */
static avs_time_real_t as_real(avs_time_monotonic_t instant) {
    return avs_time_monotonic_valid(instant)
                   ? avs_time_real_add(avs_time_real_now(), avs_time_monotonic_diff(instant, avs_time_monotonic_now()))
                   : AVS_TIME_REAL_INVALID;
}

avs_time_real_t anjay_registration_expiration_time_with_status(anjay_t *anjay, anjay_ssid_t ssid,
                                                               anjay_registration_expiration_status_t *out_status) {
    avs_time_real_t result = AVS_TIME_REAL_INVALID;
    anjay_registration_expiration_status_t status = ANJAY_REGISTRATION_EXPIRATION_STATUS_EXPIRED;
    anjay_lock(anjay);
    const anjay_server_t *server = server_find(anjay, ssid);
    if (server && server_registration_valid(server)) {
        result = as_real(server->expires);
        status = avs_time_real_valid(result) ? ANJAY_REGISTRATION_EXPIRATION_STATUS_VALID
                                             : ANJAY_REGISTRATION_EXPIRATION_STATUS_INFINITE_LIFETIME;
    }
    anjay_unlock(anjay);
    if (out_status) {
        *out_status = status;
    }
    return result;
}

avs_time_real_t anjay_next_planned_lifecycle_operation(anjay_t *anjay, anjay_ssid_t ssid) {
    avs_time_real_t result = AVS_TIME_REAL_INVALID;
    anjay_lock(anjay);
    anjay_server_t *server;
    AVS_LIST_FOREACH(server, anjay->servers.list) {
        if (ssid != ANJAY_SSID_ANY && server->ssid != ssid) {
            continue;
        }
        const avs_time_real_t at = as_real(avs_sched_time(&server->job));
        if (avs_time_real_valid(at) && (!avs_time_real_valid(result) || avs_time_real_before(at, result))) {
            result = at;
        }
    }
    anjay_unlock(anjay);
    return result;
}

avs_time_real_t anjay_transport_next_planned_lifecycle_operation(anjay_t *anjay, anjay_transport_set_t transport_set) {
    return transport_set.udp ? anjay_next_planned_lifecycle_operation(anjay, ANJAY_SSID_ANY) : AVS_TIME_REAL_INVALID;
}

/* ------------------------------------------------------------------ transports */

bool anjay_transport_is_offline(anjay_t *anjay, anjay_transport_set_t transport_set) {
    anjay_lock(anjay);
    const bool offline = !transport_set.udp || anjay->servers.offline;
    anjay_unlock(anjay);
    return offline;
}

static void offline_job(avs_sched_t *sched, const void *anjay_ptr) {
    (void) sched;
    anjay_t *anjay = *(anjay_t *const *) anjay_ptr;
    anjay_lock(anjay);
    anjay_server_t *server;
    AVS_LIST_FOREACH(server, anjay->servers.list) {
        if (server->gone || server->disabled) {
            continue;
        }
        if (!anjay->servers.offline) {
            if (server->state == SERVER_IDLE) {
                server_schedule(server, AVS_TIME_DURATION_ZERO);
            }
        } else {
            if (server->exchange) {
                coap_endpoint_cancel(server->ep, server->exchange);
                server->exchange = NULL;
            }
            server_unschedule(server);
            server_disconnect(server);
            server->state = SERVER_IDLE;
            server_set_status(server, ANJAY_SERV_CONN_STATUS_SUSPENDED);
        }
    }
    anjay_unlock(anjay);
}

static int set_offline(anjay_t *anjay, anjay_transport_set_t transport_set, bool offline) {
    if (!transport_set.udp) {
        return -1;
    }
    anjay_lock(anjay);
    anjay->servers.offline = offline;
    int result = AVS_SCHED_NOW(anjay->sched, NULL, offline_job, &anjay, sizeof(anjay));
    anjay_unlock(anjay);
    return result;
}

int anjay_transport_enter_offline(anjay_t *anjay, anjay_transport_set_t transport_set) {
    return set_offline(anjay, transport_set, true);
}

int anjay_transport_exit_offline(anjay_t *anjay, anjay_transport_set_t transport_set) {
    return set_offline(anjay, transport_set, false);
}

int anjay_transport_set_online(anjay_t *anjay, anjay_transport_set_t transport_set) {
    return set_offline(anjay, transport_set, !transport_set.udp);
}

int anjay_transport_schedule_reconnect(anjay_t *anjay, anjay_transport_set_t transport_set) {
    return set_offline(anjay, transport_set, false) ? -1 : schedule_action(anjay, ANJAY_SSID_ANY, ACTION_RECONNECT);
}

avs_error_t anjay_update_transport_tx_params(anjay_t *anjay, anjay_transport_set_t transport_set,
                                             const avs_coap_udp_tx_params_t *tx_params) {
    if (!tx_params || !transport_set.udp || !avs_coap_udp_tx_params_valid(tx_params, NULL)) {
        return avs_errno(AVS_EINVAL);
    }
    anjay_lock(anjay);
    anjay->udp_tx_params = *tx_params;
    anjay_server_t *server;
    AVS_LIST_FOREACH(server, anjay->servers.list) {
        if (server->ep) {
            coap_endpoint_set_tx_params(server->ep, tx_params);
        }
    }
    anjay_unlock(anjay);
    return AVS_OK;
}

avs_error_t anjay_update_dtls_handshake_timeouts(anjay_t *anjay,
                                                 avs_net_dtls_handshake_timeouts_t dtls_handshake_timeouts) {
    if (!avs_time_duration_less(AVS_TIME_DURATION_ZERO, dtls_handshake_timeouts.min)
            || avs_time_duration_less(dtls_handshake_timeouts.max, dtls_handshake_timeouts.min)) {
        return avs_errno(AVS_EINVAL);
    }
    anjay_lock(anjay);
    anjay->dtls_hs_params = dtls_handshake_timeouts;
    anjay_server_t *server;
    AVS_LIST_FOREACH(server, anjay->servers.list) {
        if (server->secure && server->socket) {
            avs_net_socket_set_opt(server->socket, AVS_NET_SOCKET_OPT_DTLS_HANDSHAKE_TIMEOUTS,
                                   (avs_net_socket_opt_value_t) { .dtls_handshake_timeouts = dtls_handshake_timeouts });
        }
    }
    anjay_unlock(anjay);
    return AVS_OK;
}

bool anjay_has_unsent_notifications(anjay_t *anjay, anjay_ssid_t ssid) {
    anjay_lock(anjay);
    const bool unsent = anjay_observe_unsent(anjay, ssid);
    anjay_unlock(anjay);
    return unsent;
}

bool anjay_transport_has_unsent_notifications(anjay_t *anjay, anjay_transport_set_t transport_set) {
    return transport_set.udp && anjay_has_unsent_notifications(anjay, ANJAY_SSID_ANY);
}

avs_error_t anjay_update_coap_exchange_timeout(anjay_t *anjay, anjay_transport_set_t transport_set,
                                               avs_time_duration_t exchange_timeout) {
    if (!transport_set.udp || !avs_time_duration_less(AVS_TIME_DURATION_ZERO, exchange_timeout)) {
        return avs_errno(AVS_EINVAL);
    }
    anjay_lock(anjay);
    anjay->exchange_timeout = exchange_timeout;
    anjay_server_t *server;
    AVS_LIST_FOREACH(server, anjay->servers.list) {
        if (server->ep) {
            coap_endpoint_set_exchange_timeout(server->ep, exchange_timeout);
        }
    }
    anjay_unlock(anjay);
    return AVS_OK;
}

int anjay_set_queue_mode_preference(anjay_t *anjay, anjay_queue_mode_preference_t preference) {
    if (preference < ANJAY_FORCE_QUEUE_MODE || preference > ANJAY_FORCE_ONLINE_MODE) {
        return -1;
    }
    anjay_lock(anjay);
    anjay->queue_mode = preference;
    anjay->servers.sockets_dirty = true;
    anjay_unlock(anjay);
    return 0;
}

int anjay_schedule_bootstrap_request(anjay_t *anjay) {
    (void) anjay;
    return -1; /* there is no bootstrap server: this build cannot have one */
}

/* ------------------------------------------------------------------ what notifications come next */

avs_time_real_t anjay_next_planned_notify_trigger(anjay_t *anjay, anjay_ssid_t ssid) {
    anjay_lock(anjay);
    const avs_time_monotonic_t next = anjay_observe_next(anjay, ssid, false);
    anjay_unlock(anjay);
    return as_real(next);
}

avs_time_real_t anjay_next_planned_pmax_notify_trigger(anjay_t *anjay, anjay_ssid_t ssid) {
    anjay_lock(anjay);
    const avs_time_monotonic_t next = anjay_observe_next(anjay, ssid, true);
    anjay_unlock(anjay);
    return as_real(next);
}

avs_time_real_t anjay_transport_next_planned_notify_trigger(anjay_t *anjay, anjay_transport_set_t transport_set) {
    return transport_set.udp ? anjay_next_planned_notify_trigger(anjay, ANJAY_SSID_ANY) : AVS_TIME_REAL_INVALID;
}

avs_time_real_t anjay_transport_next_planned_pmax_notify_trigger(anjay_t *anjay, anjay_transport_set_t transport_set) {
    return transport_set.udp ? anjay_next_planned_pmax_notify_trigger(anjay, ANJAY_SSID_ANY) : AVS_TIME_REAL_INVALID;
}

/* ------------------------------------------------------------------ security settings for others */

int anjay_security_config_from_dm(anjay_t *anjay, anjay_security_config_t *out_config, const char *uri) {
    char host[256], port[8], other_host[256], other_port[8];
    anjay_security_view_t view;
    int result = -1;
    if (!anjay || !out_config || !uri || server_parse_uri(uri, host, port)) {
        return -1;
    }
    memset(out_config, 0, sizeof(*out_config));
    anjay_lock(anjay);
    for (size_t i = 0; result && anjay_security_nth(anjay, i, &view); ++i) {
        if (view.mode != ANJAY_SECURITY_PSK || server_parse_uri(view.uri, other_host, other_port)
                || strcmp(host, other_host)) {
            continue;
        }
        const avs_net_psk_info_t psk = {
            .key = avs_crypto_psk_key_info_from_buffer(view.key, view.key_size),
            .identity = avs_crypto_psk_identity_info_from_buffer(view.identity, view.identity_size)
        };
        out_config->security_info = avs_net_security_info_from_psk(psk);
        out_config->tls_ciphersuites.ids = (uint32_t *) (intptr_t) view.ciphersuites;
        out_config->tls_ciphersuites.num_ids = view.ciphersuites_count;
        out_config->server_name_indication = view.sni;
        result = 0;
    }
    anjay_unlock(anjay);
    return result;
}

anjay_security_config_t anjay_security_config_pkix(anjay_t *anjay) {
    anjay_security_config_t config = { .security_info = { .mode = AVS_NET_SECURITY_CERTIFICATE } };
    config.security_info.data.cert.server_cert_validation = true;
    config.security_info.data.cert.ignore_system_trust_store = !anjay->config.use_system_trust_store;
    config.security_info.data.cert.trusted_certs = anjay->config.trust_store_certs;
    config.security_info.data.cert.cert_revocation_lists = anjay->config.trust_store_crls;
    config.security_info.data.cert.rebuild_client_cert_chain = anjay->config.rebuild_client_cert_chain;
    return config;
}
