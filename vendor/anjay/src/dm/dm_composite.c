/* SPDX-License-Identifier: Apache-2.0 */
/** Read-Composite and Write-Composite (LwM2M Core 1.1, sections 6.3.8 and 6.3.9): SenML names say what. */
#include "dm_internal.h"

static bool composite_input(uint16_t format) {
    return format == ANJAY_FORMAT_SENML_JSON || format == ANJAY_FORMAT_SENML_CBOR
           || format == ANJAY_FORMAT_SENML_ETCH_JSON || format == ANJAY_FORMAT_SENML_ETCH_CBOR;
}

static int start(const dm_request_t *request, anjay_input_ctx_t *ctx) {
    const anjay_uri_path_t root = anjay_path(0);
    if (request->length) {
        return ANJAY_ERR_BAD_OPTION;
    }
    if (!composite_input(request->coap->content_format)) {
        return ANJAY_ERR_UNSUPPORTED_CONTENT_FORMAT;
    }
    return anjay_input_start(ctx, request->coap->content_format, request->coap->payload, request->coap->payload_size,
                             &root, false);
}

/* ------------------------------------------------------------------ Read-Composite */

/** Looks at all names: there are no values. *base becomes what they begin with, all of them. */
static int check_names(const dm_request_t *request, anjay_uri_path_t *base) {
    anjay_input_ctx_t in;
    anjay_input_entry_t entry;
    bool any = false;
    int result = start(request, &in);
    *base = anjay_path(0);
    while (!result && !(result = anjay_input_next(&in, &entry))) {
        if (!entry.no_value) {
            result = ANJAY_ERR_BAD_REQUEST;
        }
        if (!any) {
            *base = entry.path;
            any = true;
        }
        while (!anjay_path_inside(&entry.path, base)) {
            base->ids[anjay_path_length(base) - 1] = ANJAY_ID_INVALID;
        }
    }
    return result == ANJAY_INPUT_END ? 0 : result;
}

/** What is there at a path. What is not there, or no server may read, is left out. */
static int read_path(anjay_t *anjay, const anjay_uri_path_t *path, anjay_output_ctx_t *ctx) {
    anjay_dm_object_t *obj;
    int result = dm_require_object(anjay, path, &obj);
    if (!result) {
        const anjay_output_ctx_t before = *ctx;
        const size_t size_before = ctx->out->size;
        if ((result = dm_read_into(anjay, obj, path, ctx))) {
            *ctx = before;
            ctx->out->size = size_before;
        }
    }
    return result == ANJAY_ERR_NOT_FOUND || result == ANJAY_ERR_METHOD_NOT_ALLOWED || result == ANJAY_ERR_UNAUTHORIZED
                   ? 0
                   : result;
}

/** All objects. Handlers run: another thread may register one meanwhile, so the next is looked for by its number. */
static int read_all(anjay_t *anjay, anjay_output_ctx_t *ctx) {
    int result = 0;
    const anjay_dm_object_t *obj;
    for (unsigned oid = 0; !result && (obj = anjay_dm_find_from(anjay, (anjay_oid_t) oid));) {
        const anjay_uri_path_t path = anjay_path(1, (int) (*obj->def_ptr)->oid);
        oid = path.ids[0] + 1u;
        result = read_path(anjay, &path, ctx);
    }
    return result;
}

static int read_names(anjay_t *anjay, const dm_request_t *request, anjay_output_ctx_t *out) {
    anjay_input_ctx_t in;
    anjay_input_entry_t entry;
    int result = start(request, &in);
    while (!result && !(result = anjay_input_next(&in, &entry))) {
        result = anjay_path_length(&entry.path) ? read_path(anjay, &entry.path, out) : read_all(anjay, out);
    }
    anjay_input_cleanup(&in);
    return result == ANJAY_INPUT_END ? 0 : result;
}

int dm_read_composite(anjay_t *anjay, const dm_request_t *request, coap_response_t *response) {
    anjay_output_ctx_t out;
    anjay_uri_path_t base;
    int result = check_names(request, &base);
    if (result) {
        return result;
    }
    const uint16_t format =
            request->coap->accept == COAP_FORMAT_NONE ? ANJAY_FORMAT_SENML_CBOR : request->coap->accept;
    if (format != ANJAY_FORMAT_SENML_JSON && format != ANJAY_FORMAT_SENML_CBOR) {
        return ANJAY_ERR_NOT_ACCEPTABLE;
    }
    if ((result = anjay_output_start(&out, response->payload, format, &base, true))) {
        return result;
    }
    if ((result = read_names(anjay, request, &out))) {
        anjay_output_abort(&out);
        return result;
    }
    response->content_format = format;
    return anjay_output_finish(&out);
}

/* ------------------------------------------------------------------ Write-Composite */

/** A record without value removes a Resource Instance (RFC 8790, section 3.2.2); one that is gone already is no error. */
static int remove_entry(anjay_t *anjay, anjay_dm_object_t *obj, const anjay_input_entry_t *entry) {
    const uint16_t *ids = entry->path.ids;
    dm_resource_t resource;
    int result = dm_find_resource(anjay, obj, ids[1], ids[2], &resource);
    if (result) {
        return result;
    }
    if (anjay_path_length(&entry->path) != 4 || !dm_multiple(resource.kind)) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    if (!dm_writable(resource.kind)) {
        return ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
    result = dm_require_riid(anjay, obj, ids[1], ids[2], ids[3]);
    return result == ANJAY_ERR_NOT_FOUND ? 0 : result ? result : dm_delete_riid(anjay, obj, &entry->path);
}

static int write_all(anjay_t *anjay, anjay_input_ctx_t *ctx) {
    anjay_input_entry_t entry;
    int result;
    while (!(result = anjay_input_next(ctx, &entry))) {
        anjay_dm_object_t *obj;
        if (anjay_path_length(&entry.path) < 3) {
            return ANJAY_ERR_BAD_REQUEST;
        }
        result = dm_require_object(anjay, &entry.path, &obj);
        if (result == ANJAY_ERR_UNAUTHORIZED) {
            return ANJAY_ERR_METHOD_NOT_ALLOWED;
        }
        if (result || (result = dm_require_instance(anjay, obj, entry.path.ids[1]))
                || (result = dm_transaction_begin(anjay, obj))) {
            return result;
        }
        result = entry.no_value ? remove_entry(anjay, obj, &entry) : dm_write_entry(anjay, obj, &entry, ctx);
        if (result) {
            return result;
        }
    }
    return result == ANJAY_INPUT_END ? 0 : result;
}

/** What was removed has no attributes any more. */
static void forget_attrs(anjay_t *anjay, const dm_request_t *request) {
    anjay_input_ctx_t ctx;
    anjay_input_entry_t entry;
    int result = start(request, &ctx);
    while (!result && !(result = anjay_input_next(&ctx, &entry))) {
        if (entry.no_value) {
            anjay_attrs_remove(anjay, ANJAY_SSID_ANY, &entry.path);
        }
    }
    anjay_input_cleanup(&ctx);
}

int dm_write_composite(anjay_t *anjay, const dm_request_t *request) {
    anjay_input_ctx_t ctx;
    int result = start(request, &ctx);
    if (result) {
        return result;
    }
    result = write_all(anjay, &ctx);
    anjay_input_cleanup(&ctx);
    if (!(result = dm_transaction_end(anjay, result))) {
        forget_attrs(anjay, request);
    }
    return result;
}
