/* SPDX-License-Identifier: Apache-2.0 */
/** A payload in any format, sent to any path: every entry is read as every type. First byte: format, second: path. */
#include "../../vendor/anjay/src/io/io.h"

static void read_all(anjay_input_ctx_t *ctx, unsigned how) {
    char text[64];
    int64_t integer;
    uint64_t natural;
    double number;
    bool flag, finished = false;
    anjay_oid_t oid;
    anjay_iid_t iid;
    size_t size;
    switch (how % 7) {
    case 0:
        while (anjay_get_string(ctx, text, 2 + how % 60) == ANJAY_BUFFER_TOO_SHORT && how++ < 100000) {
        }
        break;
    case 1: anjay_get_i64(ctx, &integer); break;
    case 2: anjay_get_u64(ctx, &natural); break;
    case 3: anjay_get_double(ctx, &number); break;
    case 4: anjay_get_bool(ctx, &flag); break;
    case 5: anjay_get_objlnk(ctx, &oid, &iid); break;
    default:
        while (!finished && !anjay_get_bytes(ctx, &size, &finished, text, 1 + how % 60)) {
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint16_t FORMATS[] = { 0, 42, 60, 110, 112, 11542, 0xFFFF, 7 };
    if (size < 2) {
        return 0;
    }
    const anjay_uri_path_t paths[] = { anjay_path(0), anjay_path(1, 3333), anjay_path(2, 3333, 0),
                                       anjay_path(3, 3333, 0, 5750), anjay_path(4, 3333, 0, 5750, 1) };
    anjay_input_ctx_t ctx;
    anjay_input_entry_t entry;
    const anjay_uri_path_t *base = &paths[data[1] % 5];
    if (anjay_input_start(&ctx, FORMATS[data[0] % 8], data + 2, size - 2, base, data[1] & 0x80)) {
        return 0;
    }
    for (unsigned how = data[1]; !anjay_input_next(&ctx, &entry); ++how) {
        read_all(&ctx, how);
    }
    anjay_input_cleanup(&ctx);
    return 0;
}
