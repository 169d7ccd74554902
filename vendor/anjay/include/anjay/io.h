/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VENDOR_ANJAY_IO_H
#define VENDOR_ANJAY_IO_H

#include <anjay/core.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Takes ids from a handler. Like every context of this header, it is valid until the handler returns. */
typedef struct anjay_dm_list_ctx_struct anjay_dm_list_ctx_t;

/** Tells one id, in ascending order; any other order, or 65535, makes the request fail with 5.00. */
void anjay_dm_emit(anjay_dm_list_ctx_t *ctx, uint16_t id);

/** Takes Resources from a handler. */
typedef struct anjay_dm_resource_list_ctx_struct anjay_dm_resource_list_ctx_t;

/**
 * Operations that a Resource has, for servers: R, W, E; M: multiple-instance. BS_RW: none, it is for bootstrap alone.
 */
typedef enum {
    ANJAY_DM_RES_R = 0,
    ANJAY_DM_RES_W = 1,
    ANJAY_DM_RES_RW = 2,
    ANJAY_DM_RES_RM = 3,
    ANJAY_DM_RES_WM = 4,
    ANJAY_DM_RES_RWM = 5,
    ANJAY_DM_RES_E = 6,
    ANJAY_DM_RES_BS_RW = 7
} anjay_dm_resource_kind_t;

/** Whether there is a value now; only present Resources are read with their Instance and discovered. */
typedef enum {
    ANJAY_DM_RES_ABSENT = 0,
    ANJAY_DM_RES_PRESENT = 1
} anjay_dm_resource_presence_t;

/** Tells one Resource, under the same terms as anjay_dm_emit(). */
void anjay_dm_emit_res(anjay_dm_resource_list_ctx_t *ctx, anjay_rid_t rid, anjay_dm_resource_kind_t kind, anjay_dm_resource_presence_t presence);

/**
 * Takes the value of a Resource, one anjay_ret_*() a call of the handler. The functions return 0, or a negative value,
 * which the handler should return: ANJAY_ERR_NOT_ACCEPTABLE where the format has no such value, ANJAY_ERR_INTERNAL for
 * a second value or without memory. An error is kept: the request fails even if the handler returns 0.
 */
typedef struct anjay_output_ctx_struct anjay_output_ctx_t;

/** Takes an Opaque value in pieces. */
typedef struct anjay_ret_bytes_ctx_struct anjay_ret_bytes_ctx_t;

/**
 * Begins an Opaque value of @p length bytes. @returns NULL where anjay_ret_bytes() would fail. Pieces must add up to
 * @p length.
 */
anjay_ret_bytes_ctx_t *anjay_ret_bytes_begin(anjay_output_ctx_t *ctx, size_t length);

/** Gives the next piece, which is copied. ANJAY_ERR_INTERNAL: more than was said. */
int anjay_ret_bytes_append(anjay_ret_bytes_ctx_t *ctx, const void *data, size_t length);

/** Gives an Opaque value, which is copied. */
int anjay_ret_bytes(anjay_output_ctx_t *ctx, const void *data, size_t length);

/** Gives a String: UTF-8, terminated, copied. */
int anjay_ret_string(anjay_output_ctx_t *ctx, const char *value);

/** Gives an Integer. */
int anjay_ret_i64(anjay_output_ctx_t *ctx, int64_t value);
static inline int anjay_ret_i32(anjay_output_ctx_t *ctx, int32_t value) {
    return anjay_ret_i64(ctx, value);
}

/** Gives an Unsigned Integer. */
#if defined(ANJAY_WITH_LWM2M11)
int anjay_ret_u64(anjay_output_ctx_t *ctx, uint64_t value);
#endif
#if defined(ANJAY_WITH_LWM2M11)
static inline int anjay_ret_u32(anjay_output_ctx_t *ctx, uint32_t value) {
    return anjay_ret_u64(ctx, value);
}
#endif

/** Gives a Float. */
int anjay_ret_double(anjay_output_ctx_t *ctx, double value);
static inline int anjay_ret_float(anjay_output_ctx_t *ctx, float value) {
    return anjay_ret_double(ctx, value);
}

/** Gives a Boolean. */
int anjay_ret_bool(anjay_output_ctx_t *ctx, bool value);

/** Gives an Objlnk; 65535:65535 links to nothing. */
int anjay_ret_objlnk(anjay_output_ctx_t *ctx, anjay_oid_t oid, anjay_iid_t iid);

#if defined(ANJAY_WITH_SECURITY_STRUCTURED)
int anjay_ret_certificate_chain_info(anjay_output_ctx_t *ctx, avs_crypto_certificate_chain_info_t certificate_chain_info);
#endif

#if defined(ANJAY_WITH_SECURITY_STRUCTURED)
int anjay_ret_private_key_info(anjay_output_ctx_t *ctx, avs_crypto_private_key_info_t private_key_info);
#endif

#if defined(ANJAY_WITH_SECURITY_STRUCTURED)
int anjay_ret_psk_identity_info(anjay_output_ctx_t *ctx, avs_crypto_psk_identity_info_t psk_identity_info);
#endif

#if defined(ANJAY_WITH_SECURITY_STRUCTURED)
int anjay_ret_psk_key_info(anjay_output_ctx_t *ctx, avs_crypto_psk_key_info_t psk_key_info);
#endif

/**
 * Gives the value that a server wrote. The functions return 0, or ANJAY_ERR_BAD_REQUEST if the payload is not of that
 * type or does not fit it, which the handler should return.
 */
typedef struct anjay_input_ctx_struct anjay_input_ctx_t;

/** No argument is left. */
#define ANJAY_EXECUTE_GET_ARG_END 1

/** Gives the arguments of Execute: digits from 0 to 9, each with a value or without (LwM2M Core 1.1, section 6.3.5). */
typedef struct anjay_execute_ctx_struct anjay_execute_ctx_t;

/**
 * Goes to the next argument, whether or not the former one's value was read. @p out_arg: its digit, or -1. @returns 0,
 * ANJAY_EXECUTE_GET_ARG_END after the last one, or ANJAY_ERR_BAD_REQUEST if the payload is malformed.
 */
int anjay_execute_get_next_arg(anjay_execute_ctx_t *ctx, int *out_arg, bool *out_has_value);

/**
 * Reads a value, terminated; one that does not fit in several calls. @p out_bytes_read (without NUL) may be NULL.
 * @returns 0, ANJAY_BUFFER_TOO_SHORT if more is left, or -1 without an argument or with a buffer below 2 bytes.
 */
int anjay_execute_get_arg_value(anjay_execute_ctx_t *ctx, size_t *out_bytes_read, char *out_buf, size_t buf_size);

/** Reads an Opaque value, one that does not fit in several calls. @p out_message_finished: nothing is left. */
int anjay_get_bytes(anjay_input_ctx_t *ctx, size_t *out_bytes_read, bool *out_message_finished, void *out_buf, size_t buf_size);

/** More of the value is left. */
#define ANJAY_BUFFER_TOO_SHORT 1

/**
 * Reads a String, terminated and checked to be UTF-8. @returns also ANJAY_BUFFER_TOO_SHORT if more is left, to be read
 * by the next call; -1 if @p buf_size is 0.
 */
int anjay_get_string(anjay_input_ctx_t *ctx, char *out_buf, size_t buf_size);

/** Reads an Integer; one beyond the type is an error. */
int anjay_get_i32(anjay_input_ctx_t *ctx, int32_t *out);
int anjay_get_i64(anjay_input_ctx_t *ctx, int64_t *out);

/** Reads an Unsigned Integer; a negative one, or one beyond the type, is an error. */
#if defined(ANJAY_WITH_LWM2M11)
int anjay_get_u32(anjay_input_ctx_t *ctx, uint32_t *out);
#endif
#if defined(ANJAY_WITH_LWM2M11)
int anjay_get_u64(anjay_input_ctx_t *ctx, uint64_t *out);
#endif

/** Reads a Float; an Integer will do, and is rounded where it has to be. */
int anjay_get_float(anjay_input_ctx_t *ctx, float *out);
int anjay_get_double(anjay_input_ctx_t *ctx, double *out);

/** Reads a Boolean: as text and in TLV 0 or 1. */
int anjay_get_bool(anjay_input_ctx_t *ctx, bool *out);

/** Reads an Objlnk. */
int anjay_get_objlnk(anjay_input_ctx_t *ctx, anjay_oid_t *out_oid, anjay_iid_t *out_iid);

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_ANJAY_IO_H */
