/* SPDX-License-Identifier: Apache-2.0 */
/* anjay/fw_update.h */
#if ANJAY_WITH_MODULE_FW_UPDATE
typedef enum {
    ANJAY_FW_UPDATE_RESULT_INITIAL,
    ANJAY_FW_UPDATE_RESULT_SUCCESS,
    ANJAY_FW_UPDATE_RESULT_NOT_ENOUGH_SPACE,
    ANJAY_FW_UPDATE_RESULT_OUT_OF_MEMORY,
    ANJAY_FW_UPDATE_RESULT_CONNECTION_LOST,
    ANJAY_FW_UPDATE_RESULT_INTEGRITY_FAILURE,
    ANJAY_FW_UPDATE_RESULT_UNSUPPORTED_PACKAGE_TYPE,
    ANJAY_FW_UPDATE_RESULT_INVALID_URI,
    ANJAY_FW_UPDATE_RESULT_FAILED,
    ANJAY_FW_UPDATE_RESULT_UNSUPPORTED_PROTOCOL,
#if ANJAY_SINCE_3_13
    ANJAY_FW_UPDATE_RESULT_UPDATE_CANCELLED,
    ANJAY_FW_UPDATE_RESULT_DEFERRED,
#endif
    ...
} anjay_fw_update_result_t;
#define ANJAY_FW_UPDATE_ERR_NOT_ENOUGH_SPACE ...
#define ANJAY_FW_UPDATE_ERR_OUT_OF_MEMORY ...
#define ANJAY_FW_UPDATE_ERR_INTEGRITY_FAILURE ...
#define ANJAY_FW_UPDATE_ERR_UNSUPPORTED_PACKAGE_TYPE ...
#if ANJAY_WITH_LWM2M11 && ANJAY_SINCE_3_13
#define ANJAY_FW_UPDATE_ERR_DEFERRED ...
#endif
typedef enum {
    ANJAY_FW_UPDATE_INITIAL_UPDATING,
    ANJAY_FW_UPDATE_INITIAL_DOWNLOADED,
    ANJAY_FW_UPDATE_INITIAL_DOWNLOADING,
    ANJAY_FW_UPDATE_INITIAL_NEUTRAL,
    ANJAY_FW_UPDATE_INITIAL_SUCCESS,
    ANJAY_FW_UPDATE_INITIAL_INTEGRITY_FAILURE,
    ANJAY_FW_UPDATE_INITIAL_FAILED,
    ...
} anjay_fw_update_initial_result_t;
#if ANJAY_SINCE_3_13
typedef enum {
    ANJAY_FW_UPDATE_SEVERITY_CRITICAL,
    ANJAY_FW_UPDATE_SEVERITY_MANDATORY,
    ANJAY_FW_UPDATE_SEVERITY_OPTIONAL,
    ...
} anjay_fw_update_severity_t;
#endif
typedef struct {
    anjay_fw_update_initial_result_t result;
    const char *persisted_uri;
    size_t resume_offset;
    const struct anjay_etag *resume_etag;
    bool prefer_same_socket_downloads;
#if ANJAY_WITH_SEND
    bool use_lwm2m_send;
#endif
#if ANJAY_WITH_LWM2M11 && ANJAY_WITH_MODULE_FW_UPDATE_V11_RESOURCES
    anjay_fw_update_severity_t persisted_severity;
    avs_time_real_t persisted_last_state_change_time;
    avs_time_real_t persisted_update_deadline;
#endif
    ...;
} anjay_fw_update_initial_state_t;
typedef int anjay_fw_update_stream_open_t(void *user_ptr, const char *package_uri, const struct anjay_etag *package_etag);
typedef int anjay_fw_update_stream_write_t(void *user_ptr, const void *data, size_t length);
typedef int anjay_fw_update_stream_finish_t(void *user_ptr);
typedef void anjay_fw_update_reset_t(void *user_ptr);
typedef const char *anjay_fw_update_get_name_t(void *user_ptr);
typedef const char *anjay_fw_update_get_version_t(void *user_ptr);
typedef int anjay_fw_update_perform_upgrade_t(void *user_ptr);
typedef int anjay_fw_update_get_security_config_t(void *user_ptr, anjay_security_config_t *out_security_info, const char *download_uri);
typedef avs_coap_udp_tx_params_t anjay_fw_update_get_coap_tx_params_t(void *user_ptr, const char *download_uri);
typedef avs_time_duration_t anjay_fw_update_get_tcp_request_timeout_t(void *user_ptr, const char *download_uri);
typedef struct {
    anjay_fw_update_stream_open_t *stream_open;
    anjay_fw_update_stream_write_t *stream_write;
    anjay_fw_update_stream_finish_t *stream_finish;
    anjay_fw_update_reset_t *reset;
    anjay_fw_update_get_name_t *get_name;
    anjay_fw_update_get_version_t *get_version;
    anjay_fw_update_perform_upgrade_t *perform_upgrade;
    anjay_fw_update_get_security_config_t *get_security_config;
    anjay_fw_update_get_coap_tx_params_t *get_coap_tx_params;
    anjay_fw_update_get_tcp_request_timeout_t *get_tcp_request_timeout;
    ...;
} anjay_fw_update_handlers_t;
int anjay_fw_update_install(anjay_t *anjay, const anjay_fw_update_handlers_t *handlers, void *user_arg, const anjay_fw_update_initial_state_t *initial_state);
int anjay_fw_update_set_result(anjay_t *anjay, anjay_fw_update_result_t result);
#if ANJAY_WITH_DOWNLOADER
void anjay_fw_update_pull_suspend(anjay_t *anjay);
int anjay_fw_update_pull_reconnect(anjay_t *anjay);
#endif
#if ANJAY_WITH_LWM2M11 && ANJAY_WITH_MODULE_FW_UPDATE_V11_RESOURCES
avs_time_real_t anjay_fw_update_get_deadline(anjay_t *anjay);
anjay_fw_update_severity_t anjay_fw_update_get_severity(anjay_t *anjay);
avs_time_real_t anjay_fw_update_get_last_state_change_time(anjay_t *anjay);
#endif
#endif
