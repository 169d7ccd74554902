/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VENDOR_ANJAY_FW_UPDATE_H
#define VENDOR_ANJAY_FW_UPDATE_H

/**
 * Firmware Update object /5 (LwM2M Core 1.1, appendix E.6). This implementation takes packages by push (Write of /5/0/0,
 * block-wise); a Package URI is answered with Update Result 9, "unsupported protocol".
 */

#include <anjay/anjay_config.h>
#include <anjay/dm.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Values of Update Result (/5/0/5). */
typedef enum {
    ANJAY_FW_UPDATE_RESULT_INITIAL = 0,
    ANJAY_FW_UPDATE_RESULT_SUCCESS = 1,
    ANJAY_FW_UPDATE_RESULT_NOT_ENOUGH_SPACE = 2,
    ANJAY_FW_UPDATE_RESULT_OUT_OF_MEMORY = 3,
    ANJAY_FW_UPDATE_RESULT_CONNECTION_LOST = 4,
    ANJAY_FW_UPDATE_RESULT_INTEGRITY_FAILURE = 5,
    ANJAY_FW_UPDATE_RESULT_UNSUPPORTED_PACKAGE_TYPE = 6,
    ANJAY_FW_UPDATE_RESULT_INVALID_URI = 7,
    ANJAY_FW_UPDATE_RESULT_FAILED = 8,
    ANJAY_FW_UPDATE_RESULT_UNSUPPORTED_PROTOCOL = 9,
    ANJAY_FW_UPDATE_RESULT_UPDATE_CANCELLED = 10,
    ANJAY_FW_UPDATE_RESULT_DEFERRED = 11
} anjay_fw_update_result_t;

/** What stream_write, stream_finish and perform_upgrade may return: minus the Update Result to be shown. */
#define ANJAY_FW_UPDATE_ERR_NOT_ENOUGH_SPACE (-2)

#define ANJAY_FW_UPDATE_ERR_OUT_OF_MEMORY (-3)

#define ANJAY_FW_UPDATE_ERR_INTEGRITY_FAILURE (-5)

#define ANJAY_FW_UPDATE_ERR_UNSUPPORTED_PACKAGE_TYPE (-6)

#if defined(ANJAY_WITH_LWM2M11)
#define ANJAY_FW_UPDATE_ERR_DEFERRED (-11)
#endif

/** How the object starts: negative values name a state, others the Update Result of state Idle. */
typedef enum {
    ANJAY_FW_UPDATE_INITIAL_UPDATING = -3,
    ANJAY_FW_UPDATE_INITIAL_DOWNLOADED = -2,
    ANJAY_FW_UPDATE_INITIAL_DOWNLOADING = -1,
    ANJAY_FW_UPDATE_INITIAL_NEUTRAL = 0,
    ANJAY_FW_UPDATE_INITIAL_SUCCESS = 1,
    ANJAY_FW_UPDATE_INITIAL_INTEGRITY_FAILURE = 5,
    ANJAY_FW_UPDATE_INITIAL_FAILED = 8
} anjay_fw_update_initial_result_t;

/** Values of Severity (/5/0/11), which this build does not have. */
typedef enum {
    ANJAY_FW_UPDATE_SEVERITY_CRITICAL = 0,
    ANJAY_FW_UPDATE_SEVERITY_MANDATORY = 1,
    ANJAY_FW_UPDATE_SEVERITY_OPTIONAL = 2
} anjay_fw_update_severity_t;

/**
 * State after a restart; copied. Only `result` and `use_lwm2m_send` matter to this implementation: DOWNLOADING starts over (reset() is
 * called), since a push cannot be resumed; persisted_uri is Package URI of a DOWNLOADED package; the rest belongs to pull mode.
 */
typedef struct {
    anjay_fw_update_initial_result_t result;
    const char *persisted_uri;
    size_t resume_offset;
    const struct anjay_etag *resume_etag;
    bool prefer_same_socket_downloads;
#if defined(ANJAY_WITH_SEND)
    bool use_lwm2m_send; /**< tell all servers of every new Update State but Downloading, and of the Update Result, by Send */
#endif
#if defined(ANJAY_WITH_LWM2M11) && defined(ANJAY_WITH_MODULE_FW_UPDATE_V11_RESOURCES)
    anjay_fw_update_severity_t persisted_severity;
#endif
#if defined(ANJAY_WITH_LWM2M11) && defined(ANJAY_WITH_MODULE_FW_UPDATE_V11_RESOURCES)
    avs_time_real_t persisted_last_state_change_time;
#endif
#if defined(ANJAY_WITH_LWM2M11) && defined(ANJAY_WITH_MODULE_FW_UPDATE_V11_RESOURCES)
    avs_time_real_t persisted_update_deadline;
#endif
} anjay_fw_update_initial_state_t;

/**
 * Prepares to store a package. @p package_uri and @p package_etag are NULL for a push.
 * @returns 0; anything else refuses the package: 5.00, and Update State and Result stay.
 */
typedef int anjay_fw_update_stream_open_t(void *user_ptr, const char *package_uri, const struct anjay_etag *package_etag);

/**
 * Stores the next @p length bytes (at least 1); @p data is valid during the call.
 * @returns 0; ANJAY_FW_UPDATE_ERR_* for that Update Result, anything else for 2 (not enough space); reset() follows.
 */
typedef int anjay_fw_update_stream_write_t(void *user_ptr, const void *data, size_t length);

/**
 * The package is complete. Whatever it returns, the stream is closed.
 * @returns 0: Downloaded; an error: Idle, with the Update Result as for stream_write. The Write itself is answered 2.04.
 */
typedef int anjay_fw_update_stream_finish_t(void *user_ptr);

/** Discards what was stored; also called when no stream was opened, and with one that is still open. */
typedef void anjay_fw_update_reset_t(void *user_ptr);

/** Name of the downloaded package, or NULL. Called in Downloaded only; must live until anjay_serve() or anjay_sched_run() returns. */
typedef const char *anjay_fw_update_get_name_t(void *user_ptr);

/** Version of the downloaded package, under the same terms. */
typedef const char *anjay_fw_update_get_version_t(void *user_ptr);

/**
 * Starts the downloaded package: a scheduler job after the Execute was answered. May not return (exec), or may call
 * anjay_fw_update_set_result() at once or later.
 * @returns 0; ANJAY_FW_UPDATE_ERR_* for that Update Result, anything else for 8 (failed); the state is Downloaded then.
 */
typedef int anjay_fw_update_perform_upgrade_t(void *user_ptr);

/** Pull mode: never called by this implementation. */
typedef int anjay_fw_update_get_security_config_t(void *user_ptr, anjay_security_config_t *out_security_info, const char *download_uri);

/** Pull mode: never called by this implementation. */
typedef avs_coap_udp_tx_params_t anjay_fw_update_get_coap_tx_params_t(void *user_ptr, const char *download_uri);

/** Pull mode: never called by this implementation. */
typedef avs_time_duration_t anjay_fw_update_get_tcp_request_timeout_t(void *user_ptr, const char *download_uri);

/** stream_open, stream_write, stream_finish and reset are required; the others may be NULL. Not copied: must live until anjay_delete(). */
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
} anjay_fw_update_handlers_t;

/**
 * Installs the object.
 * @param initial_state NULL for a neutral start
 * @returns 0; negative if it is installed already, a required handler is missing, the initial result is none of the
 *          enumeration or memory ran out.
 */
int anjay_fw_update_install(anjay_t *anjay, const anjay_fw_update_handlers_t *handlers, void *user_arg, const anjay_fw_update_initial_state_t *initial_state);

/**
 * Ends an update: reset() is called, the state becomes Idle and the result @p result. DEFERRED keeps the package: the
 * state becomes Downloaded, without reset(). Allowed in any state but Idle; SUCCESS in Updating only, DEFERRED in
 * Downloaded and Updating; INITIAL and UPDATE_CANCELLED never. Of the handlers only perform_upgrade may call it; what that
 * one returns then does not count.
 * @returns 0, or negative if it is not allowed now (nothing changes).
 */
int anjay_fw_update_set_result(anjay_t *anjay, anjay_fw_update_result_t result);

#if defined(ANJAY_WITH_DOWNLOADER)
void anjay_fw_update_pull_suspend(anjay_t *anjay);
#endif

#if defined(ANJAY_WITH_DOWNLOADER)
int anjay_fw_update_pull_reconnect(anjay_t *anjay);
#endif

#if defined(ANJAY_WITH_LWM2M11) && defined(ANJAY_WITH_MODULE_FW_UPDATE_V11_RESOURCES)
avs_time_real_t anjay_fw_update_get_deadline(anjay_t *anjay);
#endif

#if defined(ANJAY_WITH_LWM2M11) && defined(ANJAY_WITH_MODULE_FW_UPDATE_V11_RESOURCES)
anjay_fw_update_severity_t anjay_fw_update_get_severity(anjay_t *anjay);
#endif

#if defined(ANJAY_WITH_LWM2M11) && defined(ANJAY_WITH_MODULE_FW_UPDATE_V11_RESOURCES)
avs_time_real_t anjay_fw_update_get_last_state_change_time(anjay_t *anjay);
#endif

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_ANJAY_FW_UPDATE_H */
