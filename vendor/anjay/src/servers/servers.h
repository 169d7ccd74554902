/* SPDX-License-Identifier: Apache-2.0 */
/** Connections and registrations: one anjay_server_t per Server object Instance that has a Security Instance. */
#ifndef ANJAY_SERVERS_INTERNAL_H
#define ANJAY_SERVERS_INTERNAL_H

#include "../../../avs_coap/src/coap_endpoint.h"

#include <anjay/core.h>
#include <anjay/dm.h>

typedef struct anjay_server anjay_server_t;

typedef struct {
    AVS_LIST(anjay_server_t) list;
    AVS_LIST(avs_net_socket_t *const) public_sockets;     /**< last answer of anjay_get_sockets() */
    AVS_LIST(const anjay_socket_entry_t) public_entries;
    bool sockets_dirty;                                   /**< the two lists must be made anew */
    avs_sched_handle_t reload_job;
    bool reload_lost; /**< there was no memory for that job, see anjay_t.jobs_lost */
    bool offline;
} anjay_servers_t;

void anjay_servers_init(anjay_servers_t *servers);
/** De-registers from every server and waits for the answers: a few seconds at most, and not at all once a signal came. */
void anjay_servers_deregister_all(anjay_t *anjay);
/** Schedules anew the jobs that there was no memory for. */
void anjay_servers_repair(anjay_t *anjay);
/** Closes and frees everything. */
void anjay_servers_cleanup(anjay_t *anjay);

/** As anjay_get_socket_entries(), with the lock held. */
AVS_LIST(const anjay_socket_entry_t) anjay_servers_socket_entries(anjay_t *anjay);

/** The endpoint of a server in whatever state, to end what was begun on it; NULL if there is none. */
coap_endpoint_t *anjay_server_endpoint_always(anjay_t *anjay, anjay_ssid_t ssid);
/** The endpoint through which to talk to a registered server; NULL if there is none now. Not to be kept across calls. */
coap_endpoint_t *anjay_server_endpoint(anjay_t *anjay, anjay_ssid_t ssid);
/** The same for what is begun by ourselves: NULL while a Register or an Update is under way, too. */
coap_endpoint_t *anjay_server_endpoint_ready(anjay_t *anjay, anjay_ssid_t ssid);
/** Whether the connection stands, with or without a registration. */
bool anjay_server_connected(anjay_t *anjay, anjay_ssid_t ssid);
bool anjay_server_registered(anjay_t *anjay, anjay_ssid_t ssid);

/** Takes `coap[s]://host[:port][/...]` apart; an IPv6 address stands in brackets, its zone behind
 *  "%25" (RFC 6874), which becomes "%" in @p host. @returns 0 or -1. */
int server_parse_uri(const char *uri, char host[256], char port[8]);

/** Something was sent or an exchange started on a server's endpoint: its timer job is brought forward. */
void anjay_servers_endpoint_touched(anjay_t *anjay, anjay_ssid_t ssid);

/** A Security or Server Instance, or its connection-relevant Resources, changed: servers are compared with the data model soon. */
void anjay_servers_reload(anjay_t *anjay);
/** Lifetime, binding or the set of objects and Instances changed: an Update is due (`ssid` ANY: to all). */
void anjay_servers_update_needed(anjay_t *anjay, anjay_ssid_t ssid);
/** /1/x/8, /1/x/4 and /1/x/9 were executed. `seconds`: Disable Timeout. */
int anjay_servers_trigger_update(anjay_t *anjay, anjay_ssid_t ssid);
int anjay_servers_disable(anjay_t *anjay, anjay_ssid_t ssid, avs_time_duration_t timeout);

#endif /* ANJAY_SERVERS_INTERNAL_H */
