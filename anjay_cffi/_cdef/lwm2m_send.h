/* SPDX-License-Identifier: Apache-2.0 */
/* anjay/lwm2m_send.h */
#if ANJAY_WITH_SEND
typedef struct anjay_send_batch_builder_struct anjay_send_batch_builder_t;
typedef struct anjay_send_batch_struct anjay_send_batch_t;
typedef struct {
    anjay_oid_t oid;
    anjay_iid_t iid;
    anjay_rid_t rid;
    ...;
} anjay_send_resource_path_t;
#define ANJAY_SEND_DEFERRED_ERROR ...
#define ANJAY_SEND_ABORT ...
#define ANJAY_SEND_TIMEOUT ...
#define ANJAY_SEND_SUCCESS ...
typedef void anjay_send_finished_handler_t(anjay_t *anjay, anjay_ssid_t ssid, const anjay_send_batch_t *batch, int result, void *data);
anjay_send_batch_builder_t *anjay_send_batch_builder_new(void);
void anjay_send_batch_builder_cleanup(anjay_send_batch_builder_t **builder);
int anjay_send_batch_add_int(anjay_send_batch_builder_t *builder, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid, avs_time_real_t timestamp, int64_t value);
int anjay_send_batch_add_uint(anjay_send_batch_builder_t *builder, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid, avs_time_real_t timestamp, uint64_t value);
int anjay_send_batch_add_double(anjay_send_batch_builder_t *builder, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid, avs_time_real_t timestamp, double value);
int anjay_send_batch_add_bool(anjay_send_batch_builder_t *builder, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid, avs_time_real_t timestamp, bool value);
int anjay_send_batch_add_string(anjay_send_batch_builder_t *builder, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid, avs_time_real_t timestamp, const char *str);
int anjay_send_batch_add_bytes(anjay_send_batch_builder_t *builder, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid, avs_time_real_t timestamp, const void *data, size_t length);
int anjay_send_batch_add_objlnk(anjay_send_batch_builder_t *builder, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid, avs_time_real_t timestamp, anjay_oid_t objlnk_oid, anjay_iid_t objlnk_iid);
int anjay_send_batch_data_add_current(anjay_send_batch_builder_t *builder, anjay_t *anjay, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid);
int anjay_send_batch_data_add_current_multiple(anjay_send_batch_builder_t *builder, anjay_t *anjay, const anjay_send_resource_path_t *paths, size_t paths_length);
int anjay_send_batch_data_add_current_multiple_ignore_not_found(anjay_send_batch_builder_t *builder, anjay_t *anjay, const anjay_send_resource_path_t *paths, size_t paths_length);
anjay_send_batch_t *anjay_send_batch_builder_compile(anjay_send_batch_builder_t **builder);
anjay_send_batch_t *anjay_send_batch_acquire(const anjay_send_batch_t *batch);
void anjay_send_batch_release(anjay_send_batch_t **batch);
typedef enum {
    ANJAY_SEND_OK,
    ANJAY_SEND_ERR_UNSUPPORTED,
    ANJAY_SEND_ERR_MUTED,
    ANJAY_SEND_ERR_OFFLINE,
    ANJAY_SEND_ERR_BOOTSTRAP,
    ANJAY_SEND_ERR_SSID,
    ANJAY_SEND_ERR_PROTOCOL,
    ANJAY_SEND_ERR_INTERNAL,
    ...
} anjay_send_result_t;
anjay_send_result_t anjay_send(anjay_t *anjay, anjay_ssid_t ssid, const anjay_send_batch_t *data, anjay_send_finished_handler_t *finished_handler, void *finished_handler_data);
anjay_send_result_t anjay_send_deferrable(anjay_t *anjay, anjay_ssid_t ssid, const anjay_send_batch_t *data, anjay_send_finished_handler_t *finished_handler, void *finished_handler_data);
extern "Python" void anjay_cffi_on_send_finished(anjay_t *anjay, anjay_ssid_t ssid, const anjay_send_batch_t *batch, int result, void *data);
#endif
