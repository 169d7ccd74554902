/* SPDX-License-Identifier: Apache-2.0 */
/** An opaque value out of a payload that arrives in pieces. */
#include "base64.h"
#include "io.h"

#include <string.h>

enum { PHASE_HEAD, PHASE_BODY, PHASE_CHUNK_HEAD, PHASE_DONE };

bool anjay_opaque_stream_supported(uint16_t format) {
    return format == ANJAY_FORMAT_OPAQUE || format == ANJAY_FORMAT_TEXT || format == ANJAY_FORMAT_CBOR
           || format == ANJAY_FORMAT_TLV || format == ANJAY_FORMAT_NONE;
}

void anjay_opaque_stream_start(anjay_opaque_stream_t *stream, uint16_t format, anjay_rid_t rid) {
    memset(stream, 0, sizeof(*stream));
    stream->format = format;
    stream->rid = rid;
}

/** Base64 is decoded into a small buffer; the decoder's state lives in the carry. */
static int feed_text(anjay_opaque_stream_t *stream, const uint8_t *data, size_t size, bool last,
                     anjay_opaque_sink_t *sink, void *arg) {
    base64_decoder_t decoder;
    AVS_STATIC_ASSERT(sizeof(decoder) <= sizeof(stream->carry), decoder_fits);
    memcpy(&decoder, stream->carry, sizeof(decoder));
    uint8_t bytes[768];
    size_t count = 0;
    for (size_t i = 0; i < size; ++i) {
        const int got = base64_decode_digit(&decoder, (char) data[i], bytes + count);
        if (got < 0) {
            return ANJAY_ERR_BAD_REQUEST;
        }
        count += (size_t) got;
        if (count == sizeof(bytes)) {
            int result = sink(arg, bytes, count);
            if (result) {
                return result;
            }
            count = 0;
        }
    }
    memcpy(stream->carry, &decoder, sizeof(decoder));
    if (last && !base64_decode_complete(&decoder)) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    return count ? sink(arg, bytes, count) : 0;
}

/** Bytes that the head in the carry needs in all, as far as that is known. */
static size_t head_size(const anjay_opaque_stream_t *stream) {
    if (!stream->carry_size) {
        return 1;
    }
    const uint8_t first = stream->carry[0];
    if (stream->format == ANJAY_FORMAT_TLV) {
        return 1u + (first & 0x20 ? 2 : 1) + (first >> 3 & 3);
    }
    const unsigned info = first & 31;
    return info < 24 || info > 27 ? 1 : 1 + ((size_t) 1 << (info - 24));
}

static uint64_t big_endian(const uint8_t *data, size_t size) {
    uint64_t value = 0;
    for (size_t i = 0; i < size; ++i) {
        value = value << 8 | data[i];
    }
    return value;
}

static int take_tlv_head(anjay_opaque_stream_t *stream) {
    const uint8_t first = stream->carry[0];
    const size_t id_size = first & 0x20 ? 2 : 1, length_size = first >> 3 & 3;
    if (first >> 6 != 3 || big_endian(stream->carry + 1, id_size) != stream->rid) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    stream->left = length_size ? big_endian(stream->carry + 1 + id_size, length_size) : (uint64_t) (first & 7);
    stream->phase = stream->left ? PHASE_BODY : PHASE_DONE;
    return 0;
}

static int take_cbor_head(anjay_opaque_stream_t *stream) {
    const uint8_t first = stream->carry[0];
    const unsigned info = first & 31;
    const bool chunk = stream->phase == PHASE_CHUNK_HEAD;
    if (chunk && first == 0xFF) {
        stream->phase = PHASE_DONE;
        return 0;
    }
    if (first >> 5 == 6 && !chunk && info <= 27) { /* a tag says nothing here */
        return 0;
    }
    if (first >> 5 != 2 || (info > 27 && (info != 31 || chunk))) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    if (info == 31) {
        stream->ended = true; /* of indefinite length: ends with a break */
        stream->phase = PHASE_CHUNK_HEAD;
        return 0;
    }
    stream->left = info < 24 ? info : big_endian(stream->carry + 1, (size_t) 1 << (info - 24));
    stream->phase = stream->left ? PHASE_BODY : stream->ended ? PHASE_CHUNK_HEAD : PHASE_DONE;
    return 0;
}

/** Gathers a head byte by byte. @returns 0, or an error. */
static int feed_head(anjay_opaque_stream_t *stream, const uint8_t **data, size_t *size) {
    stream->carry[stream->carry_size++] = *(*data)++;
    --*size;
    if (stream->carry_size < head_size(stream)) {
        return 0;
    }
    int result = stream->format == ANJAY_FORMAT_TLV ? take_tlv_head(stream) : take_cbor_head(stream);
    stream->carry_size = 0;
    return result;
}

static int feed_framed(anjay_opaque_stream_t *stream, const uint8_t *data, size_t size, bool last,
                       anjay_opaque_sink_t *sink, void *arg) {
    while (size) {
        int result = 0;
        if (stream->phase == PHASE_DONE) {
            return ANJAY_ERR_BAD_REQUEST;
        }
        if (stream->phase == PHASE_BODY) {
            const size_t part = size < stream->left ? size : (size_t) stream->left;
            result = sink(arg, data, part);
            data += part;
            size -= part;
            stream->left -= part;
            if (!stream->left) {
                stream->phase = stream->ended ? PHASE_CHUNK_HEAD : PHASE_DONE;
            }
        } else {
            result = feed_head(stream, &data, &size);
        }
        if (result) {
            return result;
        }
    }
    return last && stream->phase != PHASE_DONE ? ANJAY_ERR_BAD_REQUEST : 0;
}

int anjay_opaque_stream_feed(anjay_opaque_stream_t *stream, const uint8_t *data, size_t size, bool last,
                             anjay_opaque_sink_t *sink, void *arg) {
    switch (stream->format) {
    case ANJAY_FORMAT_OPAQUE: return size ? sink(arg, data, size) : 0;
    case ANJAY_FORMAT_CBOR:
    case ANJAY_FORMAT_TLV: return feed_framed(stream, data, size, last, sink, arg);
    default: return feed_text(stream, data, size, last, sink, arg);
    }
}
