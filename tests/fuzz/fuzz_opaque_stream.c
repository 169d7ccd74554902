/* SPDX-License-Identifier: Apache-2.0 */
/** A package in pieces must decode as it does in one piece. First byte: format and size of the pieces. */
#include "../../vendor/anjay/src/io/io.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    uint8_t data[65536];
    size_t size;
} sunk_t;

static int sink(void *sunk_ptr, const uint8_t *data, size_t size) {
    sunk_t *sunk = (sunk_t *) sunk_ptr;
    if (size > sizeof(sunk->data) - sunk->size) {
        return -1;
    }
    memcpy(sunk->data + sunk->size, data, size);
    sunk->size += size;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint16_t FORMATS[] = { 42, 0, 60, 11542 };
    static sunk_t whole, pieces;
    anjay_opaque_stream_t stream;
    if (!size) {
        return 0;
    }
    const uint16_t format = FORMATS[*data % 4];
    const size_t step = 1 + *data / 4;
    ++data;
    --size;
    whole.size = pieces.size = 0;
    anjay_opaque_stream_start(&stream, format, 0);
    const int expected = anjay_opaque_stream_feed(&stream, data, size, true, sink, &whole);
    anjay_opaque_stream_start(&stream, format, 0);
    int result = 0;
    size_t at = 0;
    do {
        const size_t part = step < size - at ? step : size - at;
        result = anjay_opaque_stream_feed(&stream, data + at, part, at + part == size, sink, &pieces);
        at += part;
    } while (!result && at < size);
    if (!result != !expected || (!result && (whole.size != pieces.size || memcmp(whole.data, pieces.data, whole.size)))) {
        abort();
    }
    return 0;
}
