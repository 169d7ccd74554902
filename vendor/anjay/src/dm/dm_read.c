/* SPDX-License-Identifier: Apache-2.0 */
/** Read, for servers and for ourselves. */
#include "dm_internal.h"

int dm_require_object(anjay_t *anjay, const anjay_uri_path_t *path, anjay_dm_object_t **out) {
    if (path->ids[0] == OID_SECURITY) {
        return ANJAY_ERR_UNAUTHORIZED;
    }
    *out = anjay_dm_find(anjay, path->ids[0]);
    return *out ? 0 : ANJAY_ERR_NOT_FOUND;
}

int dm_check_readable(anjay_t *anjay, anjay_dm_object_t *obj, const anjay_uri_path_t *path, bool *multiple) {
    const size_t length = anjay_path_length(path);
    *multiple = false;
    int result = length < 2 ? 0 : dm_require_instance(anjay, obj, path->ids[1]);
    if (result || length < 3) {
        return result;
    }
    dm_resource_t resource;
    if ((result = dm_find_resource(anjay, obj, path->ids[1], path->ids[2], &resource))) {
        return result;
    }
    if (!dm_readable(resource.kind)) {
        return ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
    if (!resource.present || (length == 4 && !dm_multiple(resource.kind))) {
        return ANJAY_ERR_NOT_FOUND;
    }
    if (length == 4) {
        return dm_require_riid(anjay, obj, path->ids[1], path->ids[2], path->ids[3]);
    }
    *multiple = dm_multiple(resource.kind);
    return 0;
}

static int read_multiple(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid, anjay_rid_t rid,
                         anjay_output_ctx_t *ctx) {
    const anjay_oid_t oid = (*obj->def_ptr)->oid;
    const anjay_uri_path_t path = anjay_path(3, (int) oid, (int) iid, (int) rid);
    dm_ids_t ids = { 0 };
    int result = dm_list_riids(anjay, obj, iid, rid, &ids);
    if (!result) {
        result = anjay_output_container(ctx, &path);
    }
    for (size_t i = 0; i < ids.count && !result; ++i) {
        const anjay_uri_path_t element = anjay_path(4, (int) oid, (int) iid, (int) rid, (int) ids.ids[i]);
        result = dm_call_read(anjay, obj, &element, ctx);
    }
    dm_ids_cleanup(&ids);
    return result;
}

/** All Resources that can be read; one that fails is left out, with whatever it had written. */
static int read_instance(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid, anjay_output_ctx_t *ctx) {
    const anjay_oid_t oid = (*obj->def_ptr)->oid;
    const anjay_uri_path_t path = anjay_path(2, (int) oid, (int) iid);
    dm_resources_t list = { 0 };
    int result = dm_list_resources(anjay, obj, iid, &list);
    if (!result) {
        result = anjay_output_container(ctx, &path);
    }
    for (size_t i = 0; i < list.count && !result; ++i) {
        const dm_resource_t *resource = &list.resources[i];
        if (!resource->present || !dm_readable(resource->kind)) {
            continue;
        }
        const anjay_output_ctx_t before = *ctx;
        const size_t size_before = ctx->out->size;
        const anjay_uri_path_t value = anjay_path(3, (int) oid, (int) iid, (int) resource->rid);
        int failed = dm_multiple(resource->kind) ? read_multiple(anjay, obj, iid, resource->rid, ctx)
                                                 : dm_call_read(anjay, obj, &value, ctx);
        if (failed) {
            dm_log(DEBUG, "/%u/%u/%u left out of a Read: %d", oid, iid, resource->rid, failed);
            *ctx = before;
            ctx->out->size = size_before;
        }
    }
    dm_resources_cleanup(&list);
    return result;
}

static int read_instance_clb(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid, void *ctx) {
    return read_instance(anjay, obj, iid, (anjay_output_ctx_t *) ctx);
}

/** For a path that was checked already. */
static int read_checked(anjay_t *anjay, anjay_dm_object_t *obj, const anjay_uri_path_t *path, bool multiple,
                        anjay_output_ctx_t *ctx) {
    switch (anjay_path_length(path)) {
    case 1: return anjay_dm_foreach_instance(anjay, obj, read_instance_clb, ctx);
    case 2: return read_instance(anjay, obj, path->ids[1], ctx);
    default:
        return multiple ? read_multiple(anjay, obj, path->ids[1], path->ids[2], ctx)
                        : dm_call_read(anjay, obj, path, ctx);
    }
}

int dm_read_into(anjay_t *anjay, anjay_dm_object_t *obj, const anjay_uri_path_t *path, anjay_output_ctx_t *ctx) {
    bool multiple;
    int result = dm_check_readable(anjay, obj, path, &multiple);
    return result ? result : read_checked(anjay, obj, path, multiple, ctx);
}

int anjay_dm_read(anjay_t *anjay, anjay_ssid_t ssid, const anjay_uri_path_t *path, uint16_t *format, double timestamp,
                  coap_buf_t *out) {
    (void) ssid;
    anjay_dm_object_t *obj;
    bool multiple;
    int result = dm_require_object(anjay, path, &obj);
    if (!result && *format != ANJAY_FORMAT_NONE && !anjay_output_format_supported(*format)) {
        result = ANJAY_ERR_NOT_ACCEPTABLE;
    }
    if (result || (result = dm_check_readable(anjay, obj, path, &multiple))) {
        return result;
    }
    if (*format == ANJAY_FORMAT_NONE) {
        *format = anjay_output_default_format(path, multiple, anjay->config.prefer_hierarchical_formats);
    }
    anjay_output_ctx_t ctx;
    if ((result = anjay_output_start(&ctx, out, *format, path, multiple))) {
        return result;
    }
    ctx.timestamp = timestamp;
    if ((result = read_checked(anjay, obj, path, multiple, &ctx))) {
        anjay_output_abort(&ctx);
        return result;
    }
    return anjay_output_finish(&ctx);
}

int anjay_dm_read_number(anjay_t *anjay, const anjay_uri_path_t *path, double *out) {
    anjay_dm_object_t *obj = anjay_dm_find(anjay, path->ids[0]);
    anjay_output_ctx_t ctx;
    bool multiple;
    if (!obj || anjay_path_length(path) < 3 || dm_check_readable(anjay, obj, path, &multiple) || multiple) {
        return -1;
    }
    anjay_output_start_number(&ctx);
    return dm_call_read(anjay, obj, path, &ctx) ? -1 : anjay_output_number(&ctx, out);
}

int anjay_dm_read_i64(anjay_t *anjay, const anjay_uri_path_t *path, int64_t *out) {
    double number;
    if (anjay_dm_read_number(anjay, path, &number) || number != (double) (int64_t) number) {
        return -1;
    }
    *out = (int64_t) number;
    return 0;
}
