/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VENDOR_COMMONS_AVS_STREAM_V_TABLE_H
#define VENDOR_COMMONS_AVS_STREAM_V_TABLE_H

#include <stdint.h>
#include <avsystem/commons/avs_errno.h>
#include <avsystem/commons/avs_stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What a kind of stream implements; arguments and results as of the functions in avs_stream.h, out-parameters never
 * NULL. `close` ends what the stream holds; avs_stream_cleanup() frees the stream itself.
 */
typedef avs_error_t (*avs_stream_write_some_t)(avs_stream_t *stream, const void *buffer, size_t *inout_data_length);
typedef avs_error_t (*avs_stream_finish_message_t)(avs_stream_t *stream);
typedef avs_error_t (*avs_stream_read_t)(avs_stream_t *stream, size_t *out_bytes_read, bool *out_message_finished, void *buffer, size_t buffer_length);
typedef avs_error_t (*avs_stream_peek_t)(avs_stream_t *stream, size_t offset, char *out_value);
typedef avs_error_t (*avs_stream_reset_t)(avs_stream_t *stream);
typedef avs_error_t (*avs_stream_close_t)(avs_stream_t *stream);

/**
 * More functions: @p data is a table whose type @p id tells. A list of them ends with
 * AVS_STREAM_V_TABLE_EXTENSION_NULL.
 */
typedef struct {
    uint32_t id;
    const void *data;
} avs_stream_v_table_extension_t;

#define AVS_STREAM_V_TABLE_EXTENSION_NULL { 0, NULL }

/** Every stream begins with a pointer to one of these. NULL members: not supported; `extension_list` may be NULL. */
typedef struct {
    avs_stream_write_some_t write_some;
    avs_stream_finish_message_t finish_message;
    avs_stream_read_t read;
    avs_stream_peek_t peek;
    avs_stream_reset_t reset;
    avs_stream_close_t close;
    const avs_stream_v_table_extension_t *extension_list;
} avs_stream_v_table_t;

/** @returns the extension's table, or NULL if the stream has none of that id. */
const void *avs_stream_v_table_find_extension(avs_stream_t *stream, uint32_t id);

#define AVS_STREAM_V_TABLE_EXTENSION_NONBLOCK 1312967755

/** Extension AVS_STREAM_V_TABLE_EXTENSION_NONBLOCK. */
typedef bool (*avs_stream_nonblock_read_ready_t)(avs_stream_t *stream);
typedef size_t (*avs_stream_nonblock_write_ready_t)(avs_stream_t *stream);
typedef struct {
    avs_stream_nonblock_read_ready_t read_ready;
    avs_stream_nonblock_write_ready_t write_ready;
} avs_stream_v_table_extension_nonblock_t;

#define AVS_STREAM_V_TABLE_EXTENSION_OFFSET 1330005587

/** Extension AVS_STREAM_V_TABLE_EXTENSION_OFFSET. */
typedef avs_error_t (*avs_stream_offset_t)(avs_stream_t *stream, avs_off_t *out_offset);
typedef struct {
    avs_stream_offset_t offset;
} avs_stream_v_table_extension_offset_t;

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_COMMONS_AVS_STREAM_V_TABLE_H */
