/* SPDX-License-Identifier: Apache-2.0 */
/** A stream in memory: what was written can be read, from the beginning. */
#include <avsystem/commons/avs_memory.h>
#include <avsystem/commons/avs_stream_membuf.h>
#include <avsystem/commons/avs_stream_v_table.h>

#include <string.h>

struct avs_stream_membuf_struct {
    const avs_stream_v_table_t *const vtable;
    char *data;
    size_t size, capacity, read_at;
};

static avs_error_t resize(avs_stream_membuf_t *stream, size_t capacity) {
    if (capacity == stream->capacity) {
        return AVS_OK;
    }
    char *data = NULL;
    if (capacity && !(data = (char *) avs_realloc(stream->data, capacity))) {
        return avs_errno(AVS_ENOMEM);
    }
    if (!capacity) {
        avs_free(stream->data);
    }
    stream->data = data;
    stream->capacity = capacity;
    return AVS_OK;
}

static avs_error_t membuf_ensure_free_bytes(avs_stream_t *stream_, size_t additional) {
    avs_stream_membuf_t *stream = (avs_stream_membuf_t *) stream_;
    if (additional <= stream->capacity - stream->size) {
        return AVS_OK;
    }
    if (additional > SIZE_MAX - stream->size) {
        return avs_errno(AVS_ENOMEM);
    }
    size_t doubled = stream->capacity > SIZE_MAX / 2 ? SIZE_MAX : 2 * stream->capacity;
    return resize(stream, AVS_MAX(doubled, stream->size + additional));
}

static avs_error_t membuf_write_some(avs_stream_t *stream_, const void *buffer, size_t *inout_data_length) {
    avs_stream_membuf_t *stream = (avs_stream_membuf_t *) stream_;
    avs_error_t err = membuf_ensure_free_bytes(stream_, *inout_data_length);
    if (avs_is_ok(err) && *inout_data_length) {
        memcpy(stream->data + stream->size, buffer, *inout_data_length);
        stream->size += *inout_data_length;
    }
    return err;
}

static avs_error_t membuf_finish_message(avs_stream_t *stream) {
    (void) stream;
    return AVS_OK;
}

static avs_error_t membuf_read(avs_stream_t *stream_, size_t *out_bytes_read, bool *out_message_finished, void *buffer,
                               size_t buffer_length) {
    avs_stream_membuf_t *stream = (avs_stream_membuf_t *) stream_;
    *out_bytes_read = AVS_MIN(buffer_length, stream->size - stream->read_at);
    if (*out_bytes_read) {
        memcpy(buffer, stream->data + stream->read_at, *out_bytes_read);
    }
    stream->read_at += *out_bytes_read;
    *out_message_finished = stream->read_at == stream->size;
    return AVS_OK;
}

static avs_error_t membuf_peek(avs_stream_t *stream_, size_t offset, char *out_value) {
    avs_stream_membuf_t *stream = (avs_stream_membuf_t *) stream_;
    if (offset >= stream->size - stream->read_at) {
        return AVS_EOF;
    }
    *out_value = stream->data[stream->read_at + offset];
    return AVS_OK;
}

static avs_error_t membuf_reset(avs_stream_t *stream_) {
    avs_stream_membuf_t *stream = (avs_stream_membuf_t *) stream_;
    stream->size = stream->read_at = 0;
    return AVS_OK;
}

static avs_error_t membuf_close(avs_stream_t *stream_) {
    avs_free(((avs_stream_membuf_t *) stream_)->data);
    return AVS_OK;
}

static avs_error_t membuf_fit(avs_stream_t *stream_) {
    avs_stream_membuf_t *stream = (avs_stream_membuf_t *) stream_;
    if (stream->read_at) {
        stream->size -= stream->read_at;
        memmove(stream->data, stream->data + stream->read_at, stream->size);
        stream->read_at = 0;
    }
    return resize(stream, stream->size);
}

static avs_error_t membuf_take_ownership(avs_stream_t *stream_, void **out_ptr, size_t *out_size) {
    avs_stream_membuf_t *stream = (avs_stream_membuf_t *) stream_;
    avs_error_t err = membuf_fit(stream_);
    if (avs_is_err(err)) {
        return err;
    }
    *out_ptr = stream->data;
    if (out_size) {
        *out_size = stream->size;
    }
    stream->data = NULL;
    stream->size = stream->capacity = 0;
    return AVS_OK;
}

static avs_error_t membuf_offset(avs_stream_t *stream_, avs_off_t *out_offset) {
    *out_offset = (avs_off_t) ((avs_stream_membuf_t *) stream_)->size;
    return AVS_OK;
}

static const avs_stream_v_table_extension_membuf_t MEMBUF_EXTENSION = { membuf_ensure_free_bytes, membuf_fit,
                                                                        membuf_take_ownership };
static const avs_stream_v_table_extension_offset_t OFFSET_EXTENSION = { membuf_offset };

static const avs_stream_v_table_t MEMBUF_VTABLE = {
    .write_some = membuf_write_some,
    .finish_message = membuf_finish_message,
    .read = membuf_read,
    .peek = membuf_peek,
    .reset = membuf_reset,
    .close = membuf_close,
    .extension_list = (const avs_stream_v_table_extension_t[]) {
            { AVS_STREAM_V_TABLE_EXTENSION_MEMBUF, &MEMBUF_EXTENSION },
            { AVS_STREAM_V_TABLE_EXTENSION_OFFSET, &OFFSET_EXTENSION },
            AVS_STREAM_V_TABLE_EXTENSION_NULL }
};

avs_stream_t *avs_stream_membuf_create(void) {
    avs_stream_membuf_t *stream = (avs_stream_membuf_t *) avs_calloc(1, sizeof(*stream));
    if (stream) {
        memcpy((void *) (intptr_t) &stream->vtable, &(const void *) { &MEMBUF_VTABLE }, sizeof(void *));
    }
    return (avs_stream_t *) stream;
}

static const avs_stream_v_table_extension_membuf_t *extension(avs_stream_t *stream) {
    return (const avs_stream_v_table_extension_membuf_t *) avs_stream_v_table_find_extension(
            stream, AVS_STREAM_V_TABLE_EXTENSION_MEMBUF);
}

avs_error_t avs_stream_membuf_ensure_free_bytes(avs_stream_t *stream, size_t additional_size) {
    return extension(stream) ? extension(stream)->ensure_free_bytes(stream, additional_size) : avs_errno(AVS_ENOTSUP);
}

avs_error_t avs_stream_membuf_fit(avs_stream_t *stream) {
    return extension(stream) ? extension(stream)->fit(stream) : avs_errno(AVS_ENOTSUP);
}

avs_error_t avs_stream_membuf_take_ownership(avs_stream_t *stream, void **out_ptr, size_t *out_size) {
    return extension(stream) ? extension(stream)->take_ownership(stream, out_ptr, out_size) : avs_errno(AVS_ENOTSUP);
}
