/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VENDOR_COMMONS_AVS_STREAM_MEMBUF_H
#define VENDOR_COMMONS_AVS_STREAM_MEMBUF_H

#include <avsystem/commons/avs_stream.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AVS_STREAM_V_TABLE_EXTENSION_MEMBUF 1296387394

/**
 * What a stream in memory offers as extension AVS_STREAM_V_TABLE_EXTENSION_MEMBUF; see the functions of these names.
 */
typedef avs_error_t (*avs_stream_membuf_ensure_free_bytes_t)(avs_stream_t *stream, size_t additional_size);
typedef avs_error_t (*avs_stream_membuf_fit_t)(avs_stream_t *stream);
typedef avs_error_t (*avs_stream_membuf_take_ownership_t)(avs_stream_t *stream, void **out_ptr, size_t *out_size);
typedef struct {
    avs_stream_membuf_ensure_free_bytes_t ensure_free_bytes;
    avs_stream_membuf_fit_t fit;
    avs_stream_membuf_take_ownership_t take_ownership;
} avs_stream_v_table_extension_membuf_t;

/**
 * Makes room, so that a write of that many bytes cannot fail. @returns AVS_OK, AVS_ENOMEM, or AVS_ENOTSUP for another
 * kind of stream.
 */
avs_error_t avs_stream_membuf_ensure_free_bytes(avs_stream_t *stream, size_t additional_size);

/** Gives back memory that is not in use. Results as above. */
avs_error_t avs_stream_membuf_fit(avs_stream_t *stream);

/**
 * Gives away what was not read yet: *out_ptr, NULL if nothing, is to be freed by avs_free(). The stream is empty
 * afterwards. @p out_size may be NULL. Results as above.
 */
avs_error_t avs_stream_membuf_take_ownership(avs_stream_t *stream, void **out_ptr, size_t *out_size);

/** A stream in memory: what was written is read from the beginning, and its end is that of the message. */
typedef struct avs_stream_membuf_struct avs_stream_membuf_t;

/** @returns an empty stream, to be freed by avs_stream_cleanup(); NULL when memory ran out. */
avs_stream_t *avs_stream_membuf_create(void);

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_COMMONS_AVS_STREAM_MEMBUF_H */
