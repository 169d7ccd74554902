/* SPDX-License-Identifier: Apache-2.0 */
#include <avsystem/commons/avs_memory.h>
#include <avsystem/commons/avs_stream.h>
#include <avsystem/commons/avs_stream_v_table.h>

/** Every stream begins with this. */
struct avs_stream_struct {
    const avs_stream_v_table_t *const vtable;
};

const void *avs_stream_v_table_find_extension(avs_stream_t *stream, uint32_t id) {
    if (!stream || !stream->vtable->extension_list) {
        return NULL;
    }
    for (const avs_stream_v_table_extension_t *ext = stream->vtable->extension_list; ext->id; ++ext) {
        if (ext->id == id) {
            return ext->data;
        }
    }
    return NULL;
}

avs_error_t avs_stream_write_some(avs_stream_t *stream, const void *buffer, size_t *inout_data_length) {
    return stream->vtable->write_some ? stream->vtable->write_some(stream, buffer, inout_data_length)
                                      : avs_errno(AVS_ENOTSUP);
}

avs_error_t avs_stream_write(avs_stream_t *stream, const void *buffer, size_t buffer_length) {
    const char *data = (const char *) buffer;
    while (buffer_length) {
        size_t part = buffer_length;
        avs_error_t err = avs_stream_write_some(stream, data, &part);
        if (avs_is_err(err)) {
            return err;
        }
        if (!part) {
            return avs_errno(AVS_EIO);
        }
        data += part;
        buffer_length -= part;
    }
    return AVS_OK;
}

avs_error_t avs_stream_finish_message(avs_stream_t *stream) {
    return stream->vtable->finish_message ? stream->vtable->finish_message(stream) : avs_errno(AVS_ENOTSUP);
}

avs_error_t avs_stream_write_fv(avs_stream_t *stream, const char *msg, va_list args) {
    char small[256];
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(small, sizeof(small), msg, args);
    avs_error_t err = AVS_OK;
    if (length < 0) {
        err = avs_errno(AVS_EINVAL);
    } else if ((size_t) length < sizeof(small)) {
        err = avs_stream_write(stream, small, (size_t) length);
    } else {
        char *text = (char *) avs_malloc((size_t) length + 1);
        if (!text) {
            err = avs_errno(AVS_ENOMEM);
        } else {
            vsnprintf(text, (size_t) length + 1, msg, again);
            err = avs_stream_write(stream, text, (size_t) length);
            avs_free(text);
        }
    }
    va_end(again);
    return err;
}

avs_error_t avs_stream_write_f(avs_stream_t *stream, const char *msg, ...) {
    va_list args;
    va_start(args, msg);
    avs_error_t err = avs_stream_write_fv(stream, msg, args);
    va_end(args);
    return err;
}

avs_error_t avs_stream_read(avs_stream_t *stream, size_t *out_bytes_read, bool *out_message_finished, void *buffer,
                            size_t buffer_length) {
    if (!stream->vtable->read) {
        return avs_errno(AVS_ENOTSUP);
    }
    size_t bytes_read;
    bool finished;
    return stream->vtable->read(stream, out_bytes_read ? out_bytes_read : &bytes_read,
                                out_message_finished ? out_message_finished : &finished, buffer, buffer_length);
}

avs_error_t avs_stream_read_reliably(avs_stream_t *stream, void *buffer, size_t buffer_length) {
    char *data = (char *) buffer;
    bool finished = false;
    while (buffer_length) {
        if (finished) {
            return AVS_EOF;
        }
        size_t part = 0;
        avs_error_t err = avs_stream_read(stream, &part, &finished, data, buffer_length);
        if (avs_is_err(err)) {
            return err;
        }
        data += part;
        buffer_length -= part;
    }
    return AVS_OK;
}

avs_error_t avs_stream_ignore_to_end(avs_stream_t *stream) {
    char scratch[256];
    bool finished = false;
    while (!finished) {
        avs_error_t err = avs_stream_read(stream, NULL, &finished, scratch, sizeof(scratch));
        if (avs_is_err(err)) {
            return err;
        }
    }
    return AVS_OK;
}

avs_error_t avs_stream_peek(avs_stream_t *stream, size_t offset, char *out_value) {
    return stream->vtable->peek ? stream->vtable->peek(stream, offset, out_value) : avs_errno(AVS_ENOTSUP);
}

avs_error_t avs_stream_getch(avs_stream_t *stream, char *out_value, bool *out_message_finished) {
    bool finished = false;
    size_t count = 0;
    do {
        avs_error_t err = avs_stream_read(stream, &count, &finished, out_value, 1);
        if (avs_is_err(err)) {
            return err;
        }
    } while (!count && !finished);
    if (out_message_finished) {
        *out_message_finished = finished;
    }
    return count ? AVS_OK : AVS_EOF;
}

/** Adds @p c to a line. @returns whether that was its last: its end, or one too many, which @p out_err then says. */
static bool ends_line(char c, char *buffer, size_t buffer_length, size_t *used, avs_error_t *out_err) {
    if (c == '\n') {
        *used -= *used && buffer[*used - 1] == '\r';
        return true;
    }
    if (*used + 1 == buffer_length) {
        *out_err = avs_errno(AVS_ENOBUFS);
        return true;
    }
    buffer[(*used)++] = c;
    return false;
}

avs_error_t avs_stream_getline(avs_stream_t *stream, size_t *out_bytes_read, bool *out_message_finished, char *buffer,
                               size_t buffer_length) {
    if (!buffer_length) {
        return avs_errno(AVS_ENOBUFS);
    }
    size_t used = 0;
    bool finished = false;
    avs_error_t err = AVS_OK;
    while (!finished) {
        char c;
        if (avs_is_err((err = avs_stream_getch(stream, &c, &finished)))) {
            err = avs_is_eof(err) && used ? AVS_OK : err;
            break;
        }
        if (ends_line(c, buffer, buffer_length, &used, &err)) {
            break;
        }
    }
    buffer[used] = '\0';
    if (out_bytes_read) {
        *out_bytes_read = used;
    }
    if (out_message_finished) {
        *out_message_finished = finished;
    }
    return err;
}

avs_error_t avs_stream_peekline(avs_stream_t *stream, size_t offset, size_t *out_bytes_peeked, size_t *out_next_offset,
                                char *buffer, size_t buffer_length) {
    if (!buffer_length) {
        return avs_errno(AVS_ENOBUFS);
    }
    size_t used = 0, at = offset;
    avs_error_t err = AVS_OK;
    for (;;) {
        char c;
        if (avs_is_err((err = avs_stream_peek(stream, at, &c)))) {
            err = avs_is_eof(err) && at > offset ? AVS_OK : err;
            break;
        }
        ++at;
        if (ends_line(c, buffer, buffer_length, &used, &err)) {
            break;
        }
    }
    buffer[used] = '\0';
    if (out_bytes_peeked) {
        *out_bytes_peeked = used;
    }
    if (out_next_offset) {
        *out_next_offset = at;
    }
    return err;
}

avs_error_t avs_stream_copy_secure(avs_stream_t *output_stream, avs_stream_t *input_stream,
                                   avs_zeroise_cb_t zeroise_cb) {
    char scratch[512];
    bool finished = false;
    avs_error_t err = AVS_OK;
    while (!finished && avs_is_ok(err)) {
        size_t part = 0;
        err = avs_stream_read(input_stream, &part, &finished, scratch, sizeof(scratch));
        if (avs_is_ok(err)) {
            err = avs_stream_write(output_stream, scratch, part);
        }
    }
    if (zeroise_cb) {
        zeroise_cb(scratch, sizeof(scratch));
    }
    return err;
}

avs_error_t avs_stream_copy(avs_stream_t *output_stream, avs_stream_t *input_stream) {
    return avs_stream_copy_secure(output_stream, input_stream, NULL);
}

avs_error_t avs_stream_reset(avs_stream_t *stream) {
    return stream->vtable->reset ? stream->vtable->reset(stream) : avs_errno(AVS_ENOTSUP);
}

avs_error_t avs_stream_cleanup(avs_stream_t **stream) {
    if (!stream || !*stream) {
        return AVS_OK;
    }
    avs_error_t err = (*stream)->vtable->close ? (*stream)->vtable->close(*stream) : AVS_OK;
    avs_free(*stream);
    *stream = NULL;
    return err;
}

bool avs_stream_nonblock_read_ready(avs_stream_t *stream) {
    const avs_stream_v_table_extension_nonblock_t *ext =
            (const avs_stream_v_table_extension_nonblock_t *) avs_stream_v_table_find_extension(
                    stream, AVS_STREAM_V_TABLE_EXTENSION_NONBLOCK);
    return ext && ext->read_ready(stream);
}

size_t avs_stream_nonblock_write_ready(avs_stream_t *stream) {
    const avs_stream_v_table_extension_nonblock_t *ext =
            (const avs_stream_v_table_extension_nonblock_t *) avs_stream_v_table_find_extension(
                    stream, AVS_STREAM_V_TABLE_EXTENSION_NONBLOCK);
    return ext ? ext->write_ready(stream) : 0;
}

avs_error_t avs_stream_offset(avs_stream_t *stream, avs_off_t *out_offset) {
    const avs_stream_v_table_extension_offset_t *ext =
            (const avs_stream_v_table_extension_offset_t *) avs_stream_v_table_find_extension(
                    stream, AVS_STREAM_V_TABLE_EXTENSION_OFFSET);
    return ext ? ext->offset(stream, out_offset) : avs_errno(AVS_ENOTSUP);
}
