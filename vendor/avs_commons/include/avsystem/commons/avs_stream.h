/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VENDOR_COMMONS_AVS_STREAM_H
#define VENDOR_COMMONS_AVS_STREAM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <avsystem/commons/avs_defs.h>
#include <avsystem/commons/avs_errno.h>

#ifdef __cplusplus
extern "C" {
#endif

/** avs_error_t.category of AVS_EOF. */
#define AVS_EOF_CATEGORY 363

/** What reading beyond the end of a stream gives. */
static const avs_error_t AVS_EOF = { AVS_EOF_CATEGORY, 1 };

/** @returns whether it is AVS_EOF. */
static inline bool avs_is_eof(avs_error_t error) {
    return error.category == AVS_EOF.category && error.code == AVS_EOF.code;
}

/** Clears a buffer that held secrets. */
typedef void (*avs_zeroise_cb_t)(void *buf, size_t size);

/** A stream of bytes in messages. AVS_ENOTSUP from any function below: this kind of stream cannot do that. */
typedef struct avs_stream_struct avs_stream_t;

/** Writes up to *inout_data_length bytes, which becomes the number written. */
avs_error_t avs_stream_write_some(avs_stream_t *stream, const void *buffer, size_t *inout_data_length);

/** Writes all, or fails; part of it may have been written then. AVS_EIO: the stream takes no more. */
avs_error_t avs_stream_write(avs_stream_t *stream, const void *buffer, size_t buffer_length);

/** Ends the message that was written. */
avs_error_t avs_stream_finish_message(avs_stream_t *stream);

/** Writes a text as printf() makes it, without the NUL. Also AVS_EINVAL, AVS_ENOMEM. */
avs_error_t avs_stream_write_f(avs_stream_t *stream, const char *msg, ...);
avs_error_t avs_stream_write_fv(avs_stream_t *stream, const char *msg, va_list args);

/**
 * Reads what is there, at most @p buffer_length bytes. Both out-parameters may be NULL; @p out_message_finished:
 * nothing is left of the message.
 */
avs_error_t avs_stream_read(avs_stream_t *stream, size_t *out_bytes_read, bool *out_message_finished, void *buffer, size_t buffer_length);

/** Reads exactly @p buffer_length bytes; AVS_EOF if the message ends before. */
avs_error_t avs_stream_read_reliably(avs_stream_t *stream, void *buffer, size_t buffer_length);

/** Reads the rest of the message and drops it. */
avs_error_t avs_stream_ignore_to_end(avs_stream_t *stream);

/** Looks at the byte @p offset places ahead, which stays; AVS_EOF beyond the end. */
avs_error_t avs_stream_peek(avs_stream_t *stream, size_t offset, char *out_value);

/** Reads one byte; AVS_EOF at the end. @p out_message_finished may be NULL. */
avs_error_t avs_stream_getch(avs_stream_t *stream, char *out_value, bool *out_message_finished);

/**
 * Reads up to a newline, which, with a return before it, is taken and left out; @p buffer is terminated. AVS_EOF:
 * nothing is left; AVS_ENOBUFS: the line is longer, and what fitted is there. The two out-parameters may be NULL.
 */
avs_error_t avs_stream_getline(avs_stream_t *stream, size_t *out_bytes_read, bool *out_message_finished, char *buffer, size_t buffer_length);

/**
 * The same from @p offset bytes ahead, without taking it. @p out_next_offset: where the next line begins. The two out-
 * parameters may be NULL.
 */
avs_error_t avs_stream_peekline(avs_stream_t *stream, size_t offset, size_t *out_bytes_peeked, size_t *out_next_offset, char *buffer, size_t buffer_length);

/** Writes the rest of the message of one stream to another, without avs_stream_finish_message(). */
avs_error_t avs_stream_copy(avs_stream_t *output_stream, avs_stream_t *input_stream);

/** The same; @p zeroise_cb, which may be NULL, clears the buffer in between. */
avs_error_t avs_stream_copy_secure(avs_stream_t *output_stream, avs_stream_t *input_stream, avs_zeroise_cb_t zeroise_cb);

/** Brings the stream into the state of a new one. */
avs_error_t avs_stream_reset(avs_stream_t *stream);

/** Closes and frees it, whatever the result, and sets *stream to NULL; that may be NULL. */
avs_error_t avs_stream_cleanup(avs_stream_t **stream);

/** @returns whether a read would not wait; false where nobody knows. */
bool avs_stream_nonblock_read_ready(avs_stream_t *stream);

/** @returns the bytes that can be written without waiting; 0 where nobody knows. */
size_t avs_stream_nonblock_write_ready(avs_stream_t *stream);

/** Gives the position, in bytes. */
avs_error_t avs_stream_offset(avs_stream_t *stream, avs_off_t *out_offset);

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_COMMONS_AVS_STREAM_H */
