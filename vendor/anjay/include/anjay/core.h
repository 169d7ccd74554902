/* SPDX-License-Identifier: Apache-2.0 */
/** The client: its life, its servers, its loop. */
#ifndef VENDOR_ANJAY_CORE_H
#define VENDOR_ANJAY_CORE_H

#include <stdint.h>
#include <avsystem/coap/udp.h>
#include <avsystem/commons/avs_list.h>
#include <avsystem/commons/avs_net.h>
#include <avsystem/commons/avs_prng.h>
#include <avsystem/commons/avs_sched.h>
#include <avsystem/commons/avs_stream.h>
#include <avsystem/commons/avs_time.h>
#include <anjay/anjay_config.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(ANJAY_WITH_LWM2M_GATEWAY)
#define ANJAY_GATEWAY_MAX_PREFIX_LEN 9
#endif

/** Short Server ID. */
typedef uint16_t anjay_ssid_t;

/** Short Server ID for "every server", or "none". */
#define ANJAY_SSID_ANY 0

/** Short Server ID of a bootstrap server, which this build never has. */
#define ANJAY_SSID_BOOTSTRAP 65535

/**
 * A client. Every function below may be called from any thread and from any callback, unless it says otherwise; callbacks run on the
 * thread that serves or runs the scheduler, with no lock of the library held.
 */
typedef struct anjay_struct anjay_t;

/** ACK_TIMEOUT 2 s, ACK_RANDOM_FACTOR 1.5, MAX_RETRANSMIT 4, NSTART 1 (RFC 7252). */
#define ANJAY_COAP_DEFAULT_UDP_TX_PARAMS { { 2, 0 }, 1.5, 4, 1 }

/** First and longest DTLS handshake timeout: 1 s and 60 s. */
#define ANJAY_DTLS_DEFAULT_UDP_HS_TX_PARAMS { { 1, 0 }, { 60, 0 } }

/** Versions of LwM2M. */
#if defined(ANJAY_WITH_LWM2M11)
typedef enum {
    ANJAY_LWM2M_VERSION_1_0 = 0,
    ANJAY_LWM2M_VERSION_1_1 = 1,
#if defined(ANJAY_WITH_LWM2M12)
    ANJAY_LWM2M_VERSION_1_2 = 2
#endif
} anjay_lwm2m_version_t;
#endif

/** Versions that may be registered with, both inclusive. */
#if defined(ANJAY_WITH_LWM2M11)
typedef struct {
    anjay_lwm2m_version_t minimum_version;
    anjay_lwm2m_version_t maximum_version;
} anjay_lwm2m_version_config_t;
#endif

/** Places of ids in a path. */
typedef enum {
    ANJAY_ID_OID = 0,
    ANJAY_ID_IID = 1,
    ANJAY_ID_RID = 2,
    ANJAY_ID_RIID = 3,
    _ANJAY_URI_PATH_MAX_LENGTH = 4
} anjay_id_type_t;

/** A path such as /3/0/9; the first ANJAY_ID_INVALID ends it. */
typedef struct {
    uint16_t ids[_ANJAY_URI_PATH_MAX_LENGTH];
#if defined(ANJAY_WITH_LWM2M_GATEWAY)
    char prefix[ANJAY_GATEWAY_MAX_PREFIX_LEN];
#endif
} anjay_uri_path_t;

/**
 * A confirmable notification came to its end. @p observation_paths: of its observation, valid during the call; @p paths_count is 1.
 * @p err: AVS_OK once the server acknowledged it; category AVS_COAP_ERR_CATEGORY with a code of <avsystem/coap/ctx.h> for Reset, silence and a
 * connection that ended; AVS_ENOMEM.
 */
typedef void anjay_confirmable_notification_status_cb_t(anjay_t *anjay, anjay_ssid_t ssid, const anjay_uri_path_t *observation_paths, const size_t paths_count, avs_error_t err);

/** State of the connection with one server. */
#if defined(ANJAY_WITH_CONN_STATUS_API)
typedef enum anjay_server_conn_status {
    ANJAY_SERV_CONN_STATUS_INVALID = 0,
    ANJAY_SERV_CONN_STATUS_ERROR = 1,
    ANJAY_SERV_CONN_STATUS_INITIAL = 2,
    ANJAY_SERV_CONN_STATUS_CONNECTING = 3,
    ANJAY_SERV_CONN_STATUS_BOOTSTRAPPING = 4,
    ANJAY_SERV_CONN_STATUS_BOOTSTRAPPED = 5,
    ANJAY_SERV_CONN_STATUS_REGISTERING = 6,
    ANJAY_SERV_CONN_STATUS_REGISTERED = 7,
    ANJAY_SERV_CONN_STATUS_REG_FAILURE = 8,
    ANJAY_SERV_CONN_STATUS_DEREGISTERING = 9,
    ANJAY_SERV_CONN_STATUS_DEREGISTERED = 10,
    ANJAY_SERV_CONN_STATUS_SUSPENDING = 11,
    ANJAY_SERV_CONN_STATUS_SUSPENDED = 12,
    ANJAY_SERV_CONN_STATUS_REREGISTERING = 13,
    ANJAY_SERV_CONN_STATUS_UPDATING = 14
} anjay_server_conn_status_t;
#endif

/** The state changed to @p status. @p arg: server_connection_status_cb_arg. */
#if defined(ANJAY_WITH_CONN_STATUS_API)
typedef void anjay_server_connection_status_cb_t(void *arg, anjay_t *anjay, anjay_ssid_t ssid, anjay_server_conn_status_t status);
#endif

/** @returns the state of the server with @p ssid; ANJAY_SERV_CONN_STATUS_INVALID if there is no such server. */
#if defined(ANJAY_WITH_CONN_STATUS_API)
anjay_server_conn_status_t anjay_get_server_connection_status(anjay_t *anjay, anjay_ssid_t ssid);
#endif

#if defined(ANJAY_WITH_SSL_ERROR_API)
typedef void anjay_ssl_error_cb_t(void *arg, anjay_t *anjay, anjay_ssid_t ssid, avs_error_t error);
#endif

/** A Register or Update was answered with the unexpected CoAP code @p code. @p arg: server_communication_error_cb_arg. */
typedef void anjay_server_communication_error_cb_t(void *arg, anjay_t *anjay, anjay_ssid_t ssid, uint8_t code);

/**
 * What a client is made with; zeroed fields mean the default. It is copied: nothing in it need outlive anjay_new() but prng_ctx and the callbacks'
 * arguments.
 */
typedef struct anjay_configuration {
    /** Endpoint name, 1 to 252 bytes. Required. */
    const char *endpoint_name;
    /** Local UDP port of every connection; 0: any. */
    uint16_t udp_listen_port;
    /** DTLS 1.2 or the default, which is the same. */
    avs_net_ssl_version_t dtls_version;
    /** Bytes for a datagram that comes in; a longer one is lost. 0: 4000. At least 1280 are taken. */
    size_t in_buffer_size;
    /** Largest datagram that goes out, in bytes; larger payloads go in blocks of at most 1024. 0: 4000. At least 1280 are taken. */
    size_t out_buffer_size;
    /**
     * Bytes per server in which answers are kept, so that a retransmitted request gets the same answer again. 0: none; a
     * retransmitted request is still not carried out twice, but stays without an answer.
     */
    size_t msg_cache_size;
    /** For every socket; preferred_endpoint is ignored. */
    avs_net_socket_configuration_t socket_config;
    /** NULL: ANJAY_COAP_DEFAULT_UDP_TX_PARAMS. ACK_TIMEOUT is at least 1 s. */
    const avs_coap_udp_tx_params_t *udp_tx_params;
    /** NULL: ANJAY_DTLS_DEFAULT_UDP_HS_TX_PARAMS. 0 < min <= max. */
    const avs_net_dtls_handshake_timeouts_t *udp_dtls_hs_tx_params;
    /** Notifications are confirmable unless the con attribute says otherwise. */
    bool confirmable_notifications;
    /** Without meaning here: there is no bootstrap. */
    bool disable_legacy_server_initiated_bootstrap;
    /** Notifications kept per observation while a server is out of reach; the oldest makes room. 0: no limit. */
    size_t stored_notification_limit;
    bool prefer_hierarchical_formats;
    /** DTLS Connection ID. OpenSSL 3 has none: a warning, and no effect. */
    bool use_connection_id;
    /** New objects and Instances are told by an Update at once, not only with the next one. */
    bool update_immediately_on_dm_change;
    /** A server is notified of changes that it made itself. */
    bool enable_self_notify;
    /** A failed connection is told as REG_FAILURE, else as ERROR; here it is tried again in either case. */
    bool connection_error_is_registration_failure;
    /** For Security Instances that name none. Empty: the PSK suites of TLS 1.2 that OpenSSL has. */
    avs_net_socket_tls_ciphersuites_t default_tls_ciphersuites;
    /** Must outlive the client. NULL: one of its own. */
    avs_crypto_prng_ctx_t *prng_ctx;
    /** Called with the SSL_CTX of each DTLS socket before its first use. */
    avs_ssl_additional_configuration_clb_t *additional_tls_config_clb;
#if defined(WITH_AVS_COAP_TCP) && (defined(ANJAY_WITH_LWM2M11) || defined(ANJAY_WITH_COAP_DOWNLOAD))
    size_t coap_tcp_max_options_size;
#endif
#if defined(WITH_AVS_COAP_TCP) && (defined(ANJAY_WITH_LWM2M11) || defined(ANJAY_WITH_COAP_DOWNLOAD))
    avs_time_duration_t coap_tcp_request_timeout;
#endif
    /** NULL, or a range that has 1.1 in it. */
#if defined(ANJAY_WITH_LWM2M11)
    const anjay_lwm2m_version_config_t *lwm2m_version_config;
#endif
#if defined(ANJAY_WITH_LWM2M11)
    bool use_system_trust_store;
#endif
#if defined(ANJAY_WITH_LWM2M11)
    avs_crypto_certificate_chain_info_t trust_store_certs;
#endif
#if defined(ANJAY_WITH_LWM2M11)
    avs_crypto_cert_revocation_list_info_t trust_store_crls;
#endif
#if defined(ANJAY_WITH_LWM2M11)
    bool rebuild_client_cert_chain;
#endif
    anjay_confirmable_notification_status_cb_t *confirmable_notification_status_cb;
#if defined(ANJAY_WITH_CONN_STATUS_API)
    anjay_server_connection_status_cb_t *server_connection_status_cb;
#endif
#if defined(ANJAY_WITH_CONN_STATUS_API)
    void *server_connection_status_cb_arg;
#endif
#if defined(ANJAY_WITH_SSL_ERROR_API)
    anjay_ssl_error_cb_t *ssl_error_cb;
#endif
#if defined(ANJAY_WITH_SSL_ERROR_API)
    void *ssl_error_cb_arg;
#endif
    anjay_server_communication_error_cb_t *server_communication_error_cb;
    void *server_communication_error_cb_arg;
#if defined(ANJAY_WITH_COAP_DOWNLOAD)
    size_t coap_downloader_retry_count;
#endif
#if defined(ANJAY_WITH_COAP_DOWNLOAD)
    avs_time_duration_t coap_downloader_retry_delay;
#endif
} anjay_configuration_t;

/** @returns the version of this library, such as "3.14.0+vendored"; static. */
const char *anjay_get_version(void);

/**
 * Makes a client. It connects to nothing before it is served and its scheduler runs.
 * @returns NULL, with a log entry, if @p config is wrong, or memory or descriptors ran out. To be ended by anjay_delete().
 */
anjay_t *anjay_new(const anjay_configuration_t *config);

/**
 * Ends a client: jobs that are due run; every server it is registered with gets a De-register, whose answer is waited for (5 s at most; a
 * signal cuts it short); everything is freed. Object definitions may be freed afterwards. No other thread may be inside a call for the same
 * client. @p anjay may be NULL.
 */
void anjay_delete(anjay_t *anjay);

/**
 * Sockets to wait on for reading; avs_net_socket_get_system() gives a pointer to the descriptor, which may change with every anjay_serve() and
 * anjay_sched_run(). @returns a list of the library's own, valid until the next call that serves, runs jobs or gets it again; NULL: none.
 */
AVS_LIST(avs_net_socket_t *const) anjay_get_sockets(anjay_t *anjay);

/** What datagrams travel over; this build has UDP. */
typedef enum {
    ANJAY_SOCKET_TRANSPORT_INVALID = -1,
    ANJAY_SOCKET_TRANSPORT_UDP = 0,
    ANJAY_SOCKET_TRANSPORT_TCP = 1,
    ANJAY_SOCKET_TRANSPORT_SMS = 2,
    ANJAY_SOCKET_TRANSPORT_NIDD = 3
} anjay_socket_transport_t;

/** A socket, with what it is for. */
typedef struct {
    avs_net_socket_t *socket;
    anjay_socket_transport_t transport;
    anjay_ssid_t ssid;
    /** Whether the server takes the client for one that sleeps. The client listens all the same. */
    bool queue_mode;
} anjay_socket_entry_t;

/** As anjay_get_sockets(), with details. */
AVS_LIST(const anjay_socket_entry_t) anjay_get_socket_entries(anjay_t *anjay);

/**
 * Receives one datagram from a socket that is ready, and handles it; where a handshake is under way, takes it further. Never waits.
 * @returns 0, or -1 if @p ready_socket is none of the client's.
 */
int anjay_serve(anjay_t *anjay, avs_net_socket_t *ready_socket);

/** Numbers of Objects, Instances, Resources and Resource Instances; 65535 is none. */
typedef uint16_t anjay_oid_t;
typedef uint16_t anjay_iid_t;
typedef uint16_t anjay_rid_t;
typedef uint16_t anjay_riid_t;

/** No ID: the end of a path, or "choose one". */
#define ANJAY_ID_INVALID 65535

/** A CoAP code, such as ANJAY_COAP_STATUS(4, 4). */
#define ANJAY_COAP_STATUS(Maj, Min) ((uint8_t) (((Maj) << 5) | (Min)))

/** What handlers return to have the request answered with 4.00, 4.01 and so on. Any other negative number: 5.00. */
#define ANJAY_ERR_BAD_REQUEST (-128)

#define ANJAY_ERR_UNAUTHORIZED (-129)

#define ANJAY_ERR_BAD_OPTION (-130)

#define ANJAY_ERR_FORBIDDEN (-131)

#define ANJAY_ERR_NOT_FOUND (-132)

#define ANJAY_ERR_METHOD_NOT_ALLOWED (-133)

#define ANJAY_ERR_NOT_ACCEPTABLE (-134)

#define ANJAY_ERR_REQUEST_ENTITY_INCOMPLETE (-136)

#define ANJAY_ERR_UNSUPPORTED_CONTENT_FORMAT (-143)

#define ANJAY_ERR_INTERNAL (-160)

#define ANJAY_ERR_NOT_IMPLEMENTED (-161)

#define ANJAY_ERR_SERVICE_UNAVAILABLE (-163)

/** @returns the scheduler of the client, on which the program may put jobs of its own. It lives as long as the client. */
avs_sched_t *anjay_get_scheduler(anjay_t *anjay);

/** Time until the next job, zero if one is due. @returns 0, or -1 if there is none. */
int anjay_sched_time_to_next(anjay_t *anjay, avs_time_duration_t *out_delay);

/** As anjay_sched_time_to_next(), in milliseconds, rounded up. */
int anjay_sched_time_to_next_ms(anjay_t *anjay, int *out_delay_ms);

/** @returns the milliseconds until the next job, but at most @p limit_ms: what to wait in poll(). */
int anjay_sched_calculate_wait_time_ms(anjay_t *anjay, int limit_ms);

/** Runs the jobs that are due. Not to be called while an event loop of the same client runs. */
void anjay_sched_run(anjay_t *anjay);

/**
 * Serves the client until anjay_event_loop_interrupt(). Jobs and changes that other threads bring wake it at once.
 * @param max_wait_time  longest sleep; negative: none; invalid: no limit
 * @returns 0 once interrupted; -1 if a loop of the client runs already, memory ran out, or poll() failed.
 */
#if defined(ANJAY_WITH_EVENT_LOOP)
int anjay_event_loop_run(anjay_t *anjay, avs_time_duration_t max_wait_time);
#endif

/** As anjay_event_loop_run(), but anjay_transport_schedule_reconnect() is called whenever anjay_all_connections_failed(). */
#if defined(ANJAY_WITH_EVENT_LOOP)
int anjay_event_loop_run_with_error_handling(anjay_t *anjay, avs_time_duration_t max_wait_time);
#endif

/**
 * Ends the loop that runs, after what it is doing; it is woken. May be called from a signal handler.
 * @returns 0, or -1 if no loop runs or it has been interrupted already.
 */
#if defined(ANJAY_WITH_EVENT_LOOP)
int anjay_event_loop_interrupt(anjay_t *anjay);
#endif

/**
 * One round of a loop without jobs: waits for sockets, until the next job, or for @p max_wait_time, and serves what is ready.
 * @returns 0, or -1 if memory ran out or poll() failed.
 */
#if defined(ANJAY_WITH_EVENT_LOOP)
int anjay_serve_any(anjay_t *anjay, avs_time_duration_t max_wait_time);
#endif

/**
 * Registers anew from a job that is due at once: over the connection that there is, or, where the server is disabled or failing, when it is
 * connected next. @p ssid: ANJAY_SSID_ANY for all. @returns 0, or -1 if there is no such server or memory ran out.
 */
int anjay_schedule_register(anjay_t *anjay, anjay_ssid_t ssid);

/**
 * Sends an Update from a job that is due at once. A server that waits for its next attempt is tried at once. @p ssid: ANJAY_SSID_ANY for all.
 * @returns 0, or -1 if there is no such server or memory ran out.
 */
int anjay_schedule_registration_update(anjay_t *anjay, anjay_ssid_t ssid);

/** @returns -1: this build has no bootstrap. */
#if defined(ANJAY_WITH_LWM2M11)
int anjay_schedule_bootstrap_request(anjay_t *anjay);
#endif

/** As anjay_disable_server_with_timeout(), for the Disable Timeout of the Server Instance; one day where that is absent. */
int anjay_disable_server(anjay_t *anjay, anjay_ssid_t ssid);

/**
 * De-registers and closes the connection from a job that is due at once; after @p timeout the server is enabled again, or not by itself if
 * that is AVS_TIME_DURATION_INVALID. One that is disabled already gets the new timeout. @returns 0, or -1 if there is no such server.
 */
int anjay_disable_server_with_timeout(anjay_t *anjay, anjay_ssid_t ssid, avs_time_duration_t timeout);

/** Enables a disabled server at once, or ends the pause before its next attempt. @returns 0, or -1 if there is no such server. */
int anjay_enable_server(anjay_t *anjay, anjay_ssid_t ssid);

/**
 * Connects anew (resuming the DTLS session) and sends Update or Register, from a job that is due at once.
 * @returns 0, or -1 if there is no such server, it is disabled, or memory ran out.
 */
int anjay_server_schedule_reconnect(anjay_t *anjay, anjay_ssid_t ssid);

/** Some of the transports. */
typedef struct {
    bool udp : 1;
    bool tcp : 1;
} anjay_transport_set_t;

/** Of these transports this build has UDP (with DTLS on it). */
extern const anjay_transport_set_t ANJAY_TRANSPORT_SET_ALL;

/** Both, UDP alone, TCP alone. */
extern const anjay_transport_set_t ANJAY_TRANSPORT_SET_IP;
extern const anjay_transport_set_t ANJAY_TRANSPORT_SET_UDP;
extern const anjay_transport_set_t ANJAY_TRANSPORT_SET_TCP;

/** @returns whether every transport of the set that this build has is offline. */
bool anjay_transport_is_offline(anjay_t *anjay, anjay_transport_set_t transport_set);

/**
 * Closes every connection, without De-register, from a job that is due at once, until the transports are online again. Registrations last.
 * @returns 0, or -1 if UDP is not in the set or memory ran out.
 */
int anjay_transport_enter_offline(anjay_t *anjay, anjay_transport_set_t transport_set);

/** Ends that: servers get an Update, or a Register where the lifetime is over. @returns as above. */
int anjay_transport_exit_offline(anjay_t *anjay, anjay_transport_set_t transport_set);

/** Puts the transports of the set online and the others offline. */
int anjay_transport_set_online(anjay_t *anjay, anjay_transport_set_t transport_set);

/** anjay_server_schedule_reconnect() for all servers that are not disabled; ends the offline state. @returns 0 or -1. */
int anjay_transport_schedule_reconnect(anjay_t *anjay, anjay_transport_set_t transport_set);

/**
 * Whether there are servers and for every one the Communication Retry Count and Sequence Retry Count are used up. Attempts still go on, one
 * after each Communication Sequence Delay.
 */
bool anjay_all_connections_failed(anjay_t *anjay);

/** See anjay_set_queue_mode_preference(). */
#if defined(ANJAY_WITH_LWM2M11)
typedef enum {
    ANJAY_FORCE_QUEUE_MODE = 0,
    ANJAY_PREFER_QUEUE_MODE = 1,
    ANJAY_PREFER_ONLINE_MODE = 2,
    ANJAY_FORCE_ONLINE_MODE = 3
} anjay_queue_mode_preference_t;
#endif

/**
 * Whether servers are told that the client sleeps (parameter Q): FORCE_QUEUE_MODE and PREFER_QUEUE_MODE always, PREFER_ONLINE_MODE (the default)
 * where the Binding Resource has a Q, FORCE_ONLINE_MODE never. Counts from the next Register on. @returns 0, or -1 for an unknown value.
 */
#if defined(ANJAY_WITH_LWM2M11)
int anjay_set_queue_mode_preference(anjay_t *anjay, anjay_queue_mode_preference_t preference);
#endif

/** How to secure a download; views. */
typedef struct {
    avs_net_security_info_t security_info;
    const avs_net_socket_dane_tlsa_record_t *dane_tlsa_record;
    avs_net_socket_tls_ciphersuites_t tls_ciphersuites;
    const char *server_name_indication;
} anjay_security_config_t;

/**
 * Security settings for a download from @p uri: those of the Security Instance with the same host. What they point to is valid until the
 * Security object changes. @returns 0, or -1 if there is none, or @p uri is no coap:// or coaps:// URI.
 */
int anjay_security_config_from_dm(anjay_t *anjay, anjay_security_config_t *out_config, const char *uri);

/** @returns settings to check servers by the trust store of the configuration. */
anjay_security_config_t anjay_security_config_pkix(anjay_t *anjay);

/** Whether a server is being connected or registered, or will be by itself; false once every one succeeded or used up its retries. */
bool anjay_ongoing_registration_exists(anjay_t *anjay);

/** What the end of a registration is. */
typedef enum {
    ANJAY_REGISTRATION_EXPIRATION_STATUS_VALID = 0,
    ANJAY_REGISTRATION_EXPIRATION_STATUS_EXPIRED = 1,
    ANJAY_REGISTRATION_EXPIRATION_STATUS_INFINITE_LIFETIME = 2
} anjay_registration_expiration_status_t;

/**
 * @returns when the lifetime of the registration ends unless it is renewed; AVS_TIME_REAL_INVALID if there is no registration or it has no end.
 * @param out_status  which of that is so; may be NULL
 */
avs_time_real_t anjay_registration_expiration_time_with_status(anjay_t *anjay, anjay_ssid_t ssid, anjay_registration_expiration_status_t *out_status);

/** As anjay_registration_expiration_time_with_status(), without telling why there is none. */
static inline avs_time_real_t anjay_registration_expiration_time(anjay_t *anjay, anjay_ssid_t ssid) {
    return anjay_registration_expiration_time_with_status(anjay, ssid, NULL);
}

/**
 * When the next handshake, Register or Update of a server (ANJAY_SSID_ANY: of any) is due, if nothing changes before.
 * @returns AVS_TIME_REAL_INVALID if none is planned.
 */
avs_time_real_t anjay_next_planned_lifecycle_operation(anjay_t *anjay, anjay_ssid_t ssid);

/** The same by transport. */
avs_time_real_t anjay_transport_next_planned_lifecycle_operation(anjay_t *anjay, anjay_transport_set_t transport_set);

/** When an observation is looked at next. @returns AVS_TIME_REAL_INVALID for never. */
avs_time_real_t anjay_next_planned_notify_trigger(anjay_t *anjay, anjay_ssid_t ssid);

/** When a Maximum Period ends next. @returns AVS_TIME_REAL_INVALID for never. */
avs_time_real_t anjay_next_planned_pmax_notify_trigger(anjay_t *anjay, anjay_ssid_t ssid);

/** The same by transport. */
avs_time_real_t anjay_transport_next_planned_notify_trigger(anjay_t *anjay, anjay_transport_set_t transport_set);

/** The same by transport. */
avs_time_real_t anjay_transport_next_planned_pmax_notify_trigger(anjay_t *anjay, anjay_transport_set_t transport_set);

/** Whether notifications wait to be sent, or for their acknowledgement. @p ssid: ANJAY_SSID_ANY for any server. */
bool anjay_has_unsent_notifications(anjay_t *anjay, anjay_ssid_t ssid);

/** The same by transport. */
bool anjay_transport_has_unsent_notifications(anjay_t *anjay, anjay_transport_set_t transport_set);

/** New retransmission parameters, for exchanges that start later. @returns AVS_EINVAL if they are not valid. */
avs_error_t anjay_update_transport_tx_params(anjay_t *anjay, anjay_transport_set_t transport_set, const avs_coap_udp_tx_params_t *tx_params);

/** How long an unfinished block-wise transfer is kept, instead of EXCHANGE_LIFETIME. @returns AVS_EINVAL unless it is positive. */
avs_error_t anjay_update_coap_exchange_timeout(anjay_t *anjay, anjay_transport_set_t transport_set, avs_time_duration_t exchange_timeout);

/** New handshake timeouts, for handshakes that start later. @returns AVS_EINVAL unless 0 < min <= max. */
avs_error_t anjay_update_dtls_handshake_timeouts(anjay_t *anjay, avs_net_dtls_handshake_timeouts_t dtls_handshake_timeouts);

#if defined(ANJAY_WITH_COMMUNICATION_TIMESTAMP_API)
avs_error_t anjay_get_server_last_registration_time(anjay_t *anjay, anjay_ssid_t ssid, avs_time_real_t *out_time);
#endif

#if defined(ANJAY_WITH_COMMUNICATION_TIMESTAMP_API)
avs_error_t anjay_get_server_next_update_time(anjay_t *anjay, anjay_ssid_t ssid, avs_time_real_t *out_time);
#endif

#if defined(ANJAY_WITH_COMMUNICATION_TIMESTAMP_API)
avs_error_t anjay_get_server_last_communication_time(anjay_t *anjay, anjay_ssid_t ssid, avs_time_real_t *out_time);
#endif

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_ANJAY_CORE_H */
