/* SPDX-License-Identifier: Apache-2.0 */
/** One server: its connection, its registration, and the jobs that keep both alive. */
#ifndef ANJAY_SERVERS_PARTS_H
#define ANJAY_SERVERS_PARTS_H

#include "../core/core.h"
#include "../objects/objects.h"

#include <avsystem/commons/avs_log.h>

#define server_log(Level, ...) avs_log(server, Level, __VA_ARGS__)

/** Room for the Location-Path of a registration. */
#define LOCATION_MAX 256
/** Segments of it that a request has room for. */
#define LOCATION_SEGMENTS_MAX 12

typedef enum {
    SERVER_IDLE,         /**< waits for its job: to begin, to retry, or to be enabled again */
    SERVER_CONNECTING,   /**< name resolution or handshake */
    SERVER_REGISTERING,
    SERVER_REGISTERED,
    SERVER_DEREGISTERING
} anjay_server_state_t;

struct anjay_server {
    anjay_t *anjay;
    anjay_ssid_t ssid;
    anjay_server_state_t state;
    anjay_server_conn_status_t status;
    bool gone;      /**< no longer in the data model: closed once it has de-registered */
    bool disabled;
    bool cut;       /**< the program put something else in the socket's place: what is sent has no answer */
    uint64_t security_hash; /**< of the Security Instance that the socket was made for */
    char log_name[16];

    avs_net_socket_t *socket; /**< NULL until the first connection */
    bool secure;
    bool connected;
    avs_time_monotonic_t connected_at;
    unsigned early_closes; /**< how often, one after the other, the server closed a connection that had hardly begun */
    coap_endpoint_t *ep;
    avs_sched_handle_t endpoint_job; /**< retransmissions and time-outs of the endpoint */

    avs_sched_handle_t job; /**< next step of the life: connect, retry, Update */
    avs_time_monotonic_t job_lost; /**< when it would have come, if there was no memory for it; else invalid */
    unsigned failures;      /**< attempts to register since the last success */
    coap_exchange_t *exchange; /**< Register, Update or De-register under way */
    bool update_wanted;        /**< an Update is due as soon as the exchange is over */
    bool update_forced;        /**< even if nothing changed */
    char location[LOCATION_MAX]; /**< path segments, each with its NUL */
    size_t location_size;
    int32_t registered_lifetime;
    char registered_binding[9];
    uint64_t registered_links; /**< hash of the object links that the server has */
    uint64_t pending_links;
    avs_time_monotonic_t asked;   /**< when the last Register or Update was sent */
    avs_time_monotonic_t expires; /**< end of the lifetime; invalid for an infinite one */
};

/* server_connection.c */

/** Starts connecting, or goes straight to what follows where the connection stands. */
void server_connect(anjay_server_t *server);
/** Goes on with a handshake. */
void server_connect_step(anjay_server_t *server);
/** Closes the socket; outstanding exchanges are cancelled. The DTLS session is kept for resumption. */
void server_disconnect(anjay_server_t *server);
/** Frees socket and endpoint. */
void server_close(anjay_server_t *server);
void server_receive(anjay_server_t *server);
/** Sets the endpoint's job to its deadline. */
void server_rearm(anjay_server_t *server);
/** Security settings of a server. @returns whether there are any. */
bool server_find_security(anjay_t *anjay, anjay_ssid_t ssid, anjay_security_view_t *out);
uint64_t server_security_hash(const anjay_security_view_t *view);

/* server_registration.c */

/** The connection stands: Register, or Update if the registration is still good. */
void server_connected(anjay_server_t *server);
/** Registers anew. */
void server_register(anjay_server_t *server);
/** Sends an Update, unless something is under way: then after it. */
void server_update(anjay_server_t *server, bool forced);
/** De-registers, if registered; then the job given by anjay_server_after_deregister() comes. */
void server_deregister(anjay_server_t *server);
bool server_registration_valid(const anjay_server_t *server);

/* servers.c */

void server_set_status(anjay_server_t *server, anjay_server_conn_status_t status);
/** Runs server_step() after a while. Without memory for the job it is scheduled later. */
void server_schedule(anjay_server_t *server, avs_time_duration_t delay);
void server_schedule_at(anjay_server_t *server, avs_time_monotonic_t instant);
void server_unschedule(anjay_server_t *server);
/** An attempt to connect or register failed: another one comes after the retry timer. */
void server_failed(anjay_server_t *server, const char *what);
/** Whether the retries of the Server Instance are used up. Attempts go on, one per sequence delay, but the server counts as unreachable. */
bool server_gave_up(const anjay_server_t *server);
/** De-registration is over, with or without an answer. */
void server_deregistered(anjay_server_t *server);
/** Starts what is new in the data model, ends what is gone. */
void servers_compare(anjay_t *anjay);
anjay_server_t *server_find(anjay_t *anjay, anjay_ssid_t ssid);
/** Whether the server is told that the client sleeps: what the binding says, unless the program prefers something else. */
bool server_queue_mode(const anjay_t *anjay, const anjay_server_view_t *view);

#endif /* ANJAY_SERVERS_PARTS_H */
