/* SPDX-License-Identifier: Apache-2.0 */
/** What a content format implements to put values out. Each function returns 0 or a negative ANJAY_ERR_*. */
#ifndef ANJAY_OUTPUT_INTERNAL_H
#define ANJAY_OUTPUT_INTERNAL_H

#include "io.h"

struct anjay_output_vtable {
    int (*string)(anjay_output_ctx_t *ctx, const char *value, size_t size);
    int (*integer)(anjay_output_ctx_t *ctx, int64_t value);
    int (*unsigned_integer)(anjay_output_ctx_t *ctx, uint64_t value);
    int (*number)(anjay_output_ctx_t *ctx, double value);
    int (*boolean)(anjay_output_ctx_t *ctx, bool value);
    int (*objlnk)(anjay_output_ctx_t *ctx, anjay_oid_t oid, anjay_iid_t iid);
    int (*bytes_begin)(anjay_output_ctx_t *ctx, size_t size);
    int (*bytes_append)(anjay_output_ctx_t *ctx, const uint8_t *data, size_t size);
    int (*bytes_end)(anjay_output_ctx_t *ctx);
    int (*container)(anjay_output_ctx_t *ctx, const anjay_uri_path_t *path); /**< NULL: nothing to write */
    int (*finish)(anjay_output_ctx_t *ctx);                                  /**< NULL: nothing to write */
};

extern const anjay_output_vtable_t ANJAY_OUTPUT_TEXT;
extern const anjay_output_vtable_t ANJAY_OUTPUT_OPAQUE;
extern const anjay_output_vtable_t ANJAY_OUTPUT_CBOR;
extern const anjay_output_vtable_t ANJAY_OUTPUT_SENML_JSON;
extern const anjay_output_vtable_t ANJAY_OUTPUT_SENML_CBOR;
extern const anjay_output_vtable_t ANJAY_OUTPUT_TLV;
extern const anjay_output_vtable_t ANJAY_OUTPUT_NUMBER;

void anjay_output_senml_json_start(anjay_output_ctx_t *ctx);
void anjay_output_senml_cbor_start(anjay_output_ctx_t *ctx);

/** Text of a number that reads back as the same double: "0.10000000000000001", "inf", "nan". @p out has 32 bytes. @returns its length. */
size_t anjay_number_text(double value, char *out);

/** 0 or -1 of a buffer function as an ANJAY_ERR_*. */
static inline int or_internal(int result) {
    return result ? ANJAY_ERR_INTERNAL : 0;
}

#endif /* ANJAY_OUTPUT_INTERNAL_H */
