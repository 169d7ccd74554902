/* SPDX-License-Identifier: Apache-2.0 */
/* anjay/core.h */
#if ANJAY_WITH_LWM2M_GATEWAY
#define ANJAY_GATEWAY_MAX_PREFIX_LEN ...
#endif
typedef uint16_t anjay_ssid_t;
#define ANJAY_SSID_ANY ...
#define ANJAY_SSID_BOOTSTRAP ...
typedef struct anjay_struct anjay_t;
#if ANJAY_WITH_LWM2M11
typedef enum {
    ANJAY_LWM2M_VERSION_1_0,
    ANJAY_LWM2M_VERSION_1_1,
#if ANJAY_WITH_LWM2M12
    ANJAY_LWM2M_VERSION_1_2,
#endif
    ...
} anjay_lwm2m_version_t;
typedef struct {
    anjay_lwm2m_version_t minimum_version;
    anjay_lwm2m_version_t maximum_version;
    ...;
} anjay_lwm2m_version_config_t;
#endif
#if ANJAY_SINCE_3_10
typedef enum {
    ANJAY_ID_OID,
    ANJAY_ID_IID,
    ANJAY_ID_RID,
    ANJAY_ID_RIID,
    _ANJAY_URI_PATH_MAX_LENGTH,
    ...
} anjay_id_type_t;
typedef struct {
    uint16_t ids[4];
#if ANJAY_WITH_LWM2M_GATEWAY
    char prefix[9];
#endif
    ...;
} anjay_uri_path_t;
typedef void anjay_confirmable_notification_status_cb_t(anjay_t *anjay, anjay_ssid_t ssid, const anjay_uri_path_t *observation_paths, const size_t paths_count, avs_error_t err);
#endif
#if ANJAY_WITH_CONN_STATUS_API
typedef enum anjay_server_conn_status {
    ANJAY_SERV_CONN_STATUS_INVALID,
    ANJAY_SERV_CONN_STATUS_ERROR,
    ANJAY_SERV_CONN_STATUS_INITIAL,
    ANJAY_SERV_CONN_STATUS_CONNECTING,
    ANJAY_SERV_CONN_STATUS_BOOTSTRAPPING,
    ANJAY_SERV_CONN_STATUS_BOOTSTRAPPED,
    ANJAY_SERV_CONN_STATUS_REGISTERING,
    ANJAY_SERV_CONN_STATUS_REGISTERED,
    ANJAY_SERV_CONN_STATUS_REG_FAILURE,
    ANJAY_SERV_CONN_STATUS_DEREGISTERING,
    ANJAY_SERV_CONN_STATUS_DEREGISTERED,
    ANJAY_SERV_CONN_STATUS_SUSPENDING,
    ANJAY_SERV_CONN_STATUS_SUSPENDED,
    ANJAY_SERV_CONN_STATUS_REREGISTERING,
    ANJAY_SERV_CONN_STATUS_UPDATING,
    ...
} anjay_server_conn_status_t;
typedef void anjay_server_connection_status_cb_t(void *arg, anjay_t *anjay, anjay_ssid_t ssid, anjay_server_conn_status_t status);
anjay_server_conn_status_t anjay_get_server_connection_status(anjay_t *anjay, anjay_ssid_t ssid);
#endif
#if ANJAY_WITH_SSL_ERROR_API
typedef void anjay_ssl_error_cb_t(void *arg, anjay_t *anjay, anjay_ssid_t ssid, avs_error_t error);
#endif
#if ANJAY_SINCE_3_14
typedef void anjay_server_communication_error_cb_t(void *arg, anjay_t *anjay, anjay_ssid_t ssid, uint8_t code);
#endif
typedef struct anjay_configuration {
    const char *endpoint_name;
    uint16_t udp_listen_port;
    avs_net_ssl_version_t dtls_version;
    size_t in_buffer_size;
    size_t out_buffer_size;
    size_t msg_cache_size;
    avs_net_socket_configuration_t socket_config;
    const avs_coap_udp_tx_params_t *udp_tx_params;
    const avs_net_dtls_handshake_timeouts_t *udp_dtls_hs_tx_params;
    bool confirmable_notifications;
    bool disable_legacy_server_initiated_bootstrap;
    size_t stored_notification_limit;
    bool prefer_hierarchical_formats;
    bool use_connection_id;
    bool update_immediately_on_dm_change;
    bool enable_self_notify;
    bool connection_error_is_registration_failure;
    avs_net_socket_tls_ciphersuites_t default_tls_ciphersuites;
    avs_crypto_prng_ctx_t *prng_ctx;
    avs_ssl_additional_configuration_clb_t *additional_tls_config_clb;
#if WITH_AVS_COAP_TCP && (ANJAY_WITH_LWM2M11 || ANJAY_WITH_COAP_DOWNLOAD)
    size_t coap_tcp_max_options_size;
    avs_time_duration_t coap_tcp_request_timeout;
#endif
#if ANJAY_WITH_LWM2M11
    const anjay_lwm2m_version_config_t *lwm2m_version_config;
    bool use_system_trust_store;
    avs_crypto_certificate_chain_info_t trust_store_certs;
    avs_crypto_cert_revocation_list_info_t trust_store_crls;
    bool rebuild_client_cert_chain;
#endif
#if ANJAY_SINCE_3_10
    anjay_confirmable_notification_status_cb_t *confirmable_notification_status_cb;
#endif
#if ANJAY_WITH_CONN_STATUS_API
    anjay_server_connection_status_cb_t *server_connection_status_cb;
    void *server_connection_status_cb_arg;
#endif
#if ANJAY_WITH_SSL_ERROR_API
    anjay_ssl_error_cb_t *ssl_error_cb;
    void *ssl_error_cb_arg;
#endif
#if ANJAY_SINCE_3_14
    anjay_server_communication_error_cb_t *server_communication_error_cb;
    void *server_communication_error_cb_arg;
#endif
#if ANJAY_WITH_COAP_DOWNLOAD
    size_t coap_downloader_retry_count;
    avs_time_duration_t coap_downloader_retry_delay;
#endif
    ...;
} anjay_configuration_t;
const char *anjay_get_version(void);
anjay_t *anjay_new(const anjay_configuration_t *config);
void anjay_delete(anjay_t *anjay);
avs_net_socket_t *const *anjay_get_sockets(anjay_t *anjay);
typedef enum {
    ANJAY_SOCKET_TRANSPORT_INVALID,
    ANJAY_SOCKET_TRANSPORT_UDP,
    ANJAY_SOCKET_TRANSPORT_TCP,
    ANJAY_SOCKET_TRANSPORT_SMS,
    ANJAY_SOCKET_TRANSPORT_NIDD,
    ...
} anjay_socket_transport_t;
typedef struct {
    avs_net_socket_t *socket;
    anjay_socket_transport_t transport;
    anjay_ssid_t ssid;
    bool queue_mode;
    ...;
} anjay_socket_entry_t;
const anjay_socket_entry_t *anjay_get_socket_entries(anjay_t *anjay);
int anjay_serve(anjay_t *anjay, avs_net_socket_t *ready_socket);
typedef uint16_t anjay_oid_t;
typedef uint16_t anjay_iid_t;
typedef uint16_t anjay_rid_t;
typedef uint16_t anjay_riid_t;
#define ANJAY_ID_INVALID ...
#define ANJAY_ERR_BAD_REQUEST ...
#define ANJAY_ERR_UNAUTHORIZED ...
#define ANJAY_ERR_BAD_OPTION ...
#define ANJAY_ERR_FORBIDDEN ...
#define ANJAY_ERR_NOT_FOUND ...
#define ANJAY_ERR_METHOD_NOT_ALLOWED ...
#define ANJAY_ERR_NOT_ACCEPTABLE ...
#define ANJAY_ERR_REQUEST_ENTITY_INCOMPLETE ...
#define ANJAY_ERR_UNSUPPORTED_CONTENT_FORMAT ...
#define ANJAY_ERR_INTERNAL ...
#define ANJAY_ERR_NOT_IMPLEMENTED ...
#define ANJAY_ERR_SERVICE_UNAVAILABLE ...
avs_sched_t *anjay_get_scheduler(anjay_t *anjay);
int anjay_sched_time_to_next(anjay_t *anjay, avs_time_duration_t *out_delay);
int anjay_sched_time_to_next_ms(anjay_t *anjay, int *out_delay_ms);
int anjay_sched_calculate_wait_time_ms(anjay_t *anjay, int limit_ms);
void anjay_sched_run(anjay_t *anjay);
#if ANJAY_WITH_EVENT_LOOP
int anjay_event_loop_run(anjay_t *anjay, avs_time_duration_t max_wait_time);
int anjay_event_loop_run_with_error_handling(anjay_t *anjay, avs_time_duration_t max_wait_time);
int anjay_event_loop_interrupt(anjay_t *anjay);
int anjay_serve_any(anjay_t *anjay, avs_time_duration_t max_wait_time);
#endif
int anjay_schedule_register(anjay_t *anjay, anjay_ssid_t ssid);
int anjay_schedule_registration_update(anjay_t *anjay, anjay_ssid_t ssid);
#if ANJAY_WITH_LWM2M11
int anjay_schedule_bootstrap_request(anjay_t *anjay);
#endif
int anjay_disable_server(anjay_t *anjay, anjay_ssid_t ssid);
int anjay_disable_server_with_timeout(anjay_t *anjay, anjay_ssid_t ssid, avs_time_duration_t timeout);
int anjay_enable_server(anjay_t *anjay, anjay_ssid_t ssid);
int anjay_server_schedule_reconnect(anjay_t *anjay, anjay_ssid_t ssid);
typedef struct {
    bool udp : 1;
    bool tcp : 1;
} anjay_transport_set_t;
extern const anjay_transport_set_t ANJAY_TRANSPORT_SET_ALL;
extern const anjay_transport_set_t ANJAY_TRANSPORT_SET_IP;
extern const anjay_transport_set_t ANJAY_TRANSPORT_SET_UDP;
extern const anjay_transport_set_t ANJAY_TRANSPORT_SET_TCP;
bool anjay_transport_is_offline(anjay_t *anjay, anjay_transport_set_t transport_set);
int anjay_transport_enter_offline(anjay_t *anjay, anjay_transport_set_t transport_set);
int anjay_transport_exit_offline(anjay_t *anjay, anjay_transport_set_t transport_set);
int anjay_transport_set_online(anjay_t *anjay, anjay_transport_set_t transport_set);
int anjay_transport_schedule_reconnect(anjay_t *anjay, anjay_transport_set_t transport_set);
bool anjay_all_connections_failed(anjay_t *anjay);
#if ANJAY_WITH_LWM2M11
typedef enum {
    ANJAY_FORCE_QUEUE_MODE,
    ANJAY_PREFER_QUEUE_MODE,
    ANJAY_PREFER_ONLINE_MODE,
    ANJAY_FORCE_ONLINE_MODE,
    ...
} anjay_queue_mode_preference_t;
int anjay_set_queue_mode_preference(anjay_t *anjay, anjay_queue_mode_preference_t preference);
#endif
typedef struct {
    avs_net_security_info_t security_info;
    const avs_net_socket_dane_tlsa_record_t *dane_tlsa_record;
    avs_net_socket_tls_ciphersuites_t tls_ciphersuites;
    const char *server_name_indication;
    ...;
} anjay_security_config_t;
int anjay_security_config_from_dm(anjay_t *anjay, anjay_security_config_t *out_config, const char *uri);
#if ANJAY_WITH_LWM2M11
anjay_security_config_t anjay_security_config_pkix(anjay_t *anjay);
#endif
bool anjay_ongoing_registration_exists(anjay_t *anjay);
typedef enum {
    ANJAY_REGISTRATION_EXPIRATION_STATUS_VALID,
    ANJAY_REGISTRATION_EXPIRATION_STATUS_EXPIRED,
    ANJAY_REGISTRATION_EXPIRATION_STATUS_INFINITE_LIFETIME,
    ...
} anjay_registration_expiration_status_t;
avs_time_real_t anjay_registration_expiration_time_with_status(anjay_t *anjay, anjay_ssid_t ssid, anjay_registration_expiration_status_t *out_status);
avs_time_real_t anjay_registration_expiration_time(anjay_t *anjay, anjay_ssid_t ssid);
avs_time_real_t anjay_next_planned_lifecycle_operation(anjay_t *anjay, anjay_ssid_t ssid);
avs_time_real_t anjay_transport_next_planned_lifecycle_operation(anjay_t *anjay, anjay_transport_set_t transport_set);
avs_time_real_t anjay_next_planned_notify_trigger(anjay_t *anjay, anjay_ssid_t ssid);
avs_time_real_t anjay_next_planned_pmax_notify_trigger(anjay_t *anjay, anjay_ssid_t ssid);
avs_time_real_t anjay_transport_next_planned_notify_trigger(anjay_t *anjay, anjay_transport_set_t transport_set);
avs_time_real_t anjay_transport_next_planned_pmax_notify_trigger(anjay_t *anjay, anjay_transport_set_t transport_set);
bool anjay_has_unsent_notifications(anjay_t *anjay, anjay_ssid_t ssid);
bool anjay_transport_has_unsent_notifications(anjay_t *anjay, anjay_transport_set_t transport_set);
avs_error_t anjay_update_transport_tx_params(anjay_t *anjay, anjay_transport_set_t transport_set, const avs_coap_udp_tx_params_t *tx_params);
avs_error_t anjay_update_coap_exchange_timeout(anjay_t *anjay, anjay_transport_set_t transport_set, avs_time_duration_t exchange_timeout);
avs_error_t anjay_update_dtls_handshake_timeouts(anjay_t *anjay, avs_net_dtls_handshake_timeouts_t dtls_handshake_timeouts);
#if ANJAY_WITH_COMMUNICATION_TIMESTAMP_API
avs_error_t anjay_get_server_last_registration_time(anjay_t *anjay, anjay_ssid_t ssid, avs_time_real_t *out_time);
avs_error_t anjay_get_server_next_update_time(anjay_t *anjay, anjay_ssid_t ssid, avs_time_real_t *out_time);
avs_error_t anjay_get_server_last_communication_time(anjay_t *anjay, anjay_ssid_t ssid, avs_time_real_t *out_time);
#endif

/* anjay/download.h */
typedef struct anjay_etag {
    uint8_t size;
    uint8_t value[1];
    ...;
} anjay_etag_t;
