/* SPDX-License-Identifier: Apache-2.0 */
/* anjay/io.h */
typedef struct anjay_dm_list_ctx_struct anjay_dm_list_ctx_t;
void anjay_dm_emit(anjay_dm_list_ctx_t *ctx, uint16_t id);
typedef struct anjay_dm_resource_list_ctx_struct anjay_dm_resource_list_ctx_t;
typedef enum {
    ANJAY_DM_RES_R,
    ANJAY_DM_RES_W,
    ANJAY_DM_RES_RW,
    ANJAY_DM_RES_RM,
    ANJAY_DM_RES_WM,
    ANJAY_DM_RES_RWM,
    ANJAY_DM_RES_E,
    ANJAY_DM_RES_BS_RW,
    ...
} anjay_dm_resource_kind_t;
typedef enum {
    ANJAY_DM_RES_ABSENT,
    ANJAY_DM_RES_PRESENT,
    ...
} anjay_dm_resource_presence_t;
void anjay_dm_emit_res(anjay_dm_resource_list_ctx_t *ctx, anjay_rid_t rid, anjay_dm_resource_kind_t kind, anjay_dm_resource_presence_t presence);
typedef struct anjay_output_ctx_struct anjay_output_ctx_t;
typedef struct anjay_ret_bytes_ctx_struct anjay_ret_bytes_ctx_t;
anjay_ret_bytes_ctx_t *anjay_ret_bytes_begin(anjay_output_ctx_t *ctx, size_t length);
int anjay_ret_bytes_append(anjay_ret_bytes_ctx_t *ctx, const void *data, size_t length);
int anjay_ret_bytes(anjay_output_ctx_t *ctx, const void *data, size_t length);
int anjay_ret_string(anjay_output_ctx_t *ctx, const char *value);
int anjay_ret_i64(anjay_output_ctx_t *ctx, int64_t value);
int anjay_ret_i32(anjay_output_ctx_t *ctx, int32_t value);
#if ANJAY_WITH_LWM2M11
int anjay_ret_u64(anjay_output_ctx_t *ctx, uint64_t value);
int anjay_ret_u32(anjay_output_ctx_t *ctx, uint32_t value);
#endif
int anjay_ret_double(anjay_output_ctx_t *ctx, double value);
int anjay_ret_float(anjay_output_ctx_t *ctx, float value);
int anjay_ret_bool(anjay_output_ctx_t *ctx, bool value);
int anjay_ret_objlnk(anjay_output_ctx_t *ctx, anjay_oid_t oid, anjay_iid_t iid);
#if ANJAY_WITH_SECURITY_STRUCTURED
int anjay_ret_certificate_chain_info(anjay_output_ctx_t *ctx, avs_crypto_certificate_chain_info_t certificate_chain_info);
int anjay_ret_private_key_info(anjay_output_ctx_t *ctx, avs_crypto_private_key_info_t private_key_info);
int anjay_ret_psk_identity_info(anjay_output_ctx_t *ctx, avs_crypto_psk_identity_info_t psk_identity_info);
int anjay_ret_psk_key_info(anjay_output_ctx_t *ctx, avs_crypto_psk_key_info_t psk_key_info);
#endif
typedef struct anjay_input_ctx_struct anjay_input_ctx_t;
#define ANJAY_EXECUTE_GET_ARG_END ...
typedef struct anjay_execute_ctx_struct anjay_execute_ctx_t;
int anjay_execute_get_next_arg(anjay_execute_ctx_t *ctx, int *out_arg, bool *out_has_value);
int anjay_execute_get_arg_value(anjay_execute_ctx_t *ctx, size_t *out_bytes_read, char *out_buf, size_t buf_size);
int anjay_get_bytes(anjay_input_ctx_t *ctx, size_t *out_bytes_read, bool *out_message_finished, void *out_buf, size_t buf_size);
#define ANJAY_BUFFER_TOO_SHORT ...
int anjay_get_string(anjay_input_ctx_t *ctx, char *out_buf, size_t buf_size);
int anjay_get_i32(anjay_input_ctx_t *ctx, int32_t *out);
int anjay_get_i64(anjay_input_ctx_t *ctx, int64_t *out);
#if ANJAY_WITH_LWM2M11
int anjay_get_u32(anjay_input_ctx_t *ctx, uint32_t *out);
int anjay_get_u64(anjay_input_ctx_t *ctx, uint64_t *out);
#endif
int anjay_get_float(anjay_input_ctx_t *ctx, float *out);
int anjay_get_double(anjay_input_ctx_t *ctx, double *out);
int anjay_get_bool(anjay_input_ctx_t *ctx, bool *out);
int anjay_get_objlnk(anjay_input_ctx_t *ctx, anjay_oid_t *out_oid, anjay_iid_t *out_iid);
