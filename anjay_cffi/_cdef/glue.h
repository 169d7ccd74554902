/* SPDX-License-Identifier: Apache-2.0 */
/* What _glue.h adds to the C API; results, units and ownership are documented there. */
typedef struct anjay_cffi_loop_struct anjay_cffi_loop_t;
typedef struct anjay_cffi_job_struct anjay_cffi_job_t;

#define ANJAY_CFFI_LOOP_DONE ...
#define ANJAY_CFFI_LOOP_STOPPED ...
#define ANJAY_CFFI_LOOP_SIGNAL ...
#define ANJAY_CFFI_LOOP_PENDING ...
#define ANJAY_CFFI_LOOP_ERROR ...

const char *anjay_cffi_build_json(void);

anjay_cffi_loop_t *anjay_cffi_loop_new(void);
void anjay_cffi_loop_close(anjay_cffi_loop_t *loop);
void anjay_cffi_loop_delete(anjay_cffi_loop_t *loop);
int anjay_cffi_loop_run(anjay_cffi_loop_t *loop, anjay_t *anjay, int max_wait_ms, double timeout_s);
int anjay_cffi_loop_step(anjay_cffi_loop_t *loop, anjay_t *anjay);
int anjay_cffi_loop_fileno(anjay_cffi_loop_t *loop, anjay_t *anjay);
int anjay_cffi_loop_signal_fd(const anjay_cffi_loop_t *loop);
size_t anjay_cffi_loop_sockets(anjay_cffi_loop_t *loop, anjay_t *anjay, int *out_fds, size_t capacity);
int anjay_cffi_notify(anjay_cffi_loop_t *loop, anjay_t *anjay, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid);
void anjay_cffi_loop_wake(anjay_cffi_loop_t *loop);
void anjay_cffi_loop_stop(anjay_cffi_loop_t *loop);
int anjay_cffi_loop_take_stop(anjay_cffi_loop_t *loop);
int anjay_cffi_loop_is_working(const anjay_cffi_loop_t *loop);
void anjay_cffi_set_pending(int pending);

typedef struct anjay_cffi_notice_struct anjay_cffi_notice_t;
anjay_cffi_job_t *anjay_cffi_job_new(int64_t number, anjay_cffi_loop_t *loop, anjay_t *anjay, double delay_s, double period_s, const anjay_cffi_notice_t *notice);
int anjay_cffi_job_schedule(anjay_cffi_job_t *job, anjay_t *anjay, double delay_s, double period_s);
void anjay_cffi_job_cancel(anjay_cffi_job_t *job);
void anjay_cffi_job_delete(anjay_cffi_job_t *job);
double anjay_cffi_time_to_next(anjay_t *anjay);

size_t anjay_cffi_server_ssids(anjay_cffi_loop_t *loop, anjay_t *anjay, anjay_ssid_t *out, size_t capacity);
int anjay_cffi_log_set_level(const char *module, int level);
int anjay_cffi_log_attach(int attach);
int anjay_cffi_close(anjay_cffi_loop_t *loop, anjay_t *anjay, double timeout_s);
size_t anjay_cffi_live_objects(void);

/* Called by the glue itself, so not static. */
extern "Python+C" {
    void anjay_cffi_on_job(int64_t number);
    int anjay_cffi_on_interrupt(void *loop);
    void anjay_cffi_on_log(int level, const char *module, const char *message);
}
#if ANJAY_SINCE_3_10
extern "Python" void anjay_cffi_on_notification_status(anjay_t *anjay, anjay_ssid_t ssid, const anjay_uri_path_t *paths, size_t count, avs_error_t err);
#endif
#if ANJAY_SINCE_3_14
extern "Python" void anjay_cffi_on_communication_error(void *arg, anjay_t *anjay, anjay_ssid_t ssid, uint8_t code);
#endif
#if ANJAY_WITH_CONN_STATUS_API
extern "Python" void anjay_cffi_on_status(void *arg, anjay_t *anjay, anjay_ssid_t ssid, anjay_server_conn_status_t status);
#endif
#if ANJAY_WITH_MODULE_FW_UPDATE
typedef struct anjay_cffi_pieces_struct anjay_cffi_pieces_t;
anjay_cffi_pieces_t *anjay_cffi_pieces_new(const anjay_fw_update_handlers_t *behind, void *user, size_t size);
const anjay_fw_update_handlers_t *anjay_cffi_pieces_handlers(const anjay_cffi_pieces_t *pieces);
void anjay_cffi_pieces_delete(anjay_cffi_pieces_t *pieces);
extern "Python" {
    int anjay_cffi_fw_stream_open(void *user, const char *uri, const struct anjay_etag *etag);
    int anjay_cffi_fw_stream_write(void *user, const void *data, size_t length);
    int anjay_cffi_fw_stream_finish(void *user);
    void anjay_cffi_fw_reset(void *user);
    const char *anjay_cffi_fw_get_name(void *user);
    const char *anjay_cffi_fw_get_version(void *user);
    int anjay_cffi_fw_perform_upgrade(void *user);
    int anjay_cffi_fw_get_security_config(void *user, anjay_security_config_t *out, const char *uri);
    avs_coap_udp_tx_params_t anjay_cffi_fw_get_coap_tx_params(void *user, const char *uri);
    avs_time_duration_t anjay_cffi_fw_get_tcp_request_timeout(void *user, const char *uri);
}
#endif
