/* SPDX-License-Identifier: Apache-2.0 */
/** Write (replace and partial), Create, Delete and Execute. */
#include "dm_internal.h"

static bool single_value_format(uint16_t format) {
    return format == ANJAY_FORMAT_TEXT || format == ANJAY_FORMAT_OPAQUE || format == ANJAY_FORMAT_CBOR;
}

/* ------------------------------------------------------------------ Write */

static int write_known(anjay_t *anjay, anjay_dm_object_t *obj, const dm_resource_t *resource,
                       const anjay_input_entry_t *entry, anjay_input_ctx_t *ctx) {
    if (!dm_writable(resource->kind)) {
        return ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
    if (entry->no_value || dm_multiple(resource->kind) != (anjay_path_length(&entry->path) == 4 || entry->is_array)) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    if (entry->is_array) {
        return 0;
    }
    int result = dm_call_write(anjay, obj, &entry->path, ctx);
    if (!result) {
        const anjay_uri_path_t changed = anjay_path(3, entry->path.ids[0], entry->path.ids[1], entry->path.ids[2]);
        dm_note_change(anjay, &changed, false);
    }
    return result;
}

int dm_write_entry(anjay_t *anjay, anjay_dm_object_t *obj, const anjay_input_entry_t *entry, anjay_input_ctx_t *ctx) {
    dm_resource_t resource;
    int result = dm_find_resource(anjay, obj, entry->path.ids[1], entry->path.ids[2], &resource);
    return result ? result : write_known(anjay, obj, &resource, entry, ctx);
}

static dm_resource_t *find_listed(dm_resources_t *list, anjay_rid_t rid) {
    size_t low = 0, high = list->count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (list->resources[middle].rid < rid) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < list->count && list->resources[low].rid == rid ? &list->resources[low] : NULL;
}

/** One entry of a payload for an Instance; Resources that the Instance does not know, or says so when written, are passed over. */
static int write_instance_entry(anjay_t *anjay, anjay_dm_object_t *obj, dm_resources_t *list,
                                const anjay_input_entry_t *entry, anjay_input_ctx_t *ctx, bool replace) {
    if (anjay_path_length(&entry->path) == 2) {
        return entry->is_container ? 0 : ANJAY_ERR_BAD_REQUEST;
    }
    dm_resource_t *resource = find_listed(list, entry->path.ids[2]);
    if (!resource) {
        return 0;
    }
    if (replace && dm_multiple(resource->kind) && dm_writable(resource->kind) && !resource->emptied) {
        int emptied = dm_call_resource_reset(anjay, obj, entry->path.ids[1], entry->path.ids[2]);
        if (emptied) {
            return emptied;
        }
        resource->emptied = true;
    }
    int result = write_known(anjay, obj, resource, entry, ctx);
    return result == ANJAY_ERR_NOT_FOUND && anjay_path_length(&entry->path) == 3 && !entry->is_array ? 0 : result;
}

/**
 * Writes all entries of a payload for Instance @p iid.
 * @p replace: a multiple-instance Resource that the payload names has afterwards what the payload has of it and no more.
 */
static int write_instance(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid, anjay_input_ctx_t *ctx,
                          bool replace) {
    const anjay_oid_t oid = (*obj->def_ptr)->oid;
    anjay_input_entry_t entry;
    dm_resources_t list = { 0 };
    int result = dm_list_resources(anjay, obj, iid, &list);
    while (!result && !(result = anjay_input_next(ctx, &entry))) {
        if (entry.path.ids[1] == ANJAY_ID_INVALID) {
            entry.path.ids[1] = iid;
        }
        if (entry.path.ids[0] != oid || entry.path.ids[1] != iid || anjay_path_length(&entry.path) < 2) {
            result = ANJAY_ERR_BAD_REQUEST;
        } else {
            result = write_instance_entry(anjay, obj, &list, &entry, ctx, replace);
        }
    }
    dm_resources_cleanup(&list);
    return result == ANJAY_INPUT_END ? 0 : result;
}

/** The Resource that a single-value payload or an array is sent to; @p replace: what an array has not is removed. */
static int write_resource(anjay_t *anjay, anjay_dm_object_t *obj, const anjay_uri_path_t *path, bool replace,
                          anjay_input_ctx_t *ctx) {
    dm_resource_t resource;
    anjay_input_entry_t entry;
    int result = dm_find_resource(anjay, obj, path->ids[1], path->ids[2], &resource);
    if (result) {
        return result;
    }
    if (!dm_writable(resource.kind)) {
        return ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
    size_t values = 0;
    while (!(result = anjay_input_next(ctx, &entry))) {
        if (!anjay_path_inside(&entry.path, path) || dm_multiple(resource.kind) != (anjay_path_length(&entry.path) == 4 || entry.is_array)
                || (values && !dm_multiple(resource.kind))) {
            return ANJAY_ERR_BAD_REQUEST;
        }
        if (!values++ && dm_multiple(resource.kind)) {
            if (replace && (result = dm_call_resource_reset(anjay, obj, path->ids[1], path->ids[2]))) {
                return result;
            }
            dm_note_change(anjay, path, false);
        }
        if ((result = write_known(anjay, obj, &resource, &entry, ctx))) {
            return result;
        }
    }
    return result != ANJAY_INPUT_END ? result : values ? 0 : ANJAY_ERR_BAD_REQUEST;
}

static int write_resource_instance(anjay_t *anjay, anjay_dm_object_t *obj, const anjay_uri_path_t *path,
                                   anjay_input_ctx_t *ctx) {
    dm_resource_t resource;
    anjay_input_entry_t entry;
    int result = dm_find_resource(anjay, obj, path->ids[1], path->ids[2], &resource);
    if (result) {
        return result;
    }
    if (!dm_writable(resource.kind) || !dm_multiple(resource.kind)) {
        return ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
    if ((result = dm_require_riid(anjay, obj, path->ids[1], path->ids[2], path->ids[3]))) {
        return result;
    }
    if ((result = anjay_input_next(ctx, &entry))) {
        return result == ANJAY_INPUT_END ? ANJAY_ERR_BAD_REQUEST : result;
    }
    if (!anjay_path_equal(&entry.path, path) || entry.is_container) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    if ((result = write_known(anjay, obj, &resource, &entry, ctx))) {
        return result;
    }
    result = anjay_input_next(ctx, &entry);
    return result == ANJAY_INPUT_END ? 0 : result ? result : ANJAY_ERR_BAD_REQUEST;
}

static int write_in_transaction(anjay_t *anjay, anjay_dm_object_t *obj, const dm_request_t *request, bool replace,
                                anjay_input_ctx_t *ctx) {
    const anjay_uri_path_t *path = &request->path;
    if (request->length == 4) {
        return write_resource_instance(anjay, obj, path, ctx);
    }
    if (request->length == 3) {
        return write_resource(anjay, obj, path, replace, ctx);
    }
    if (replace) {
        int result = dm_call_instance_reset(anjay, obj, path->ids[1]);
        if (result) {
            return result;
        }
        dm_note_change(anjay, path, false);
    }
    return write_instance(anjay, obj, path->ids[1], ctx, replace);
}

int dm_write(anjay_t *anjay, const dm_request_t *request, bool replace) {
    anjay_dm_object_t *obj;
    int result = request->length ? dm_require_object(anjay, &request->path, &obj) : ANJAY_ERR_BAD_REQUEST;
    if (result) {
        return result;
    }
    if (!anjay_input_format_supported(request->coap->content_format)) {
        return ANJAY_ERR_UNSUPPORTED_CONTENT_FORMAT;
    }
    if (request->length == 1) {
        return ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
    if ((result = dm_require_instance(anjay, obj, request->path.ids[1]))) {
        return result;
    }
    if (request->length == 2 && single_value_format(request->coap->content_format)) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    anjay_input_ctx_t ctx;
    if ((result = anjay_input_start(&ctx, request->coap->content_format, request->coap->payload,
                                    request->coap->payload_size, &request->path, false))) {
        return result;
    }
    if (!(result = dm_transaction_begin(anjay, obj))) {
        result = write_in_transaction(anjay, obj, request, replace, &ctx);
    }
    anjay_input_cleanup(&ctx);
    return dm_transaction_end(anjay, result);
}

/* ------------------------------------------------------------------ Create */

/** The Instance ID that a Create payload names; ANJAY_ID_INVALID if it leaves the choice to us. */
static int requested_iid(const dm_request_t *request, anjay_iid_t *out) {
    anjay_input_ctx_t ctx;
    anjay_input_entry_t entry;
    int result = anjay_input_start(&ctx, request->coap->content_format, request->coap->payload,
                                   request->coap->payload_size, &request->path, true);
    if (result) {
        return result;
    }
    result = anjay_input_next(&ctx, &entry);
    *out = result ? ANJAY_ID_INVALID : entry.path.ids[1];
    anjay_input_cleanup(&ctx);
    return result == ANJAY_INPUT_END ? 0 : result;
}

static int choose_iid(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t *inout) {
    dm_ids_t ids = { 0 };
    int result = dm_list_instances(anjay, obj, &ids);
    anjay_iid_t unused = 0;
    for (size_t i = 0; i < ids.count && !result; ++i) {
        if (ids.ids[i] == *inout) {
            result = ANJAY_ERR_BAD_REQUEST; /* it exists */
        } else if (ids.ids[i] == unused) {
            ++unused;
        }
    }
    dm_ids_cleanup(&ids);
    if (!result && *inout == ANJAY_ID_INVALID) {
        *inout = unused;
        result = unused == ANJAY_ID_INVALID ? ANJAY_ERR_BAD_REQUEST : 0;
    }
    return result;
}

static int create_in_transaction(anjay_t *anjay, anjay_dm_object_t *obj, const dm_request_t *request, anjay_iid_t iid) {
    anjay_input_ctx_t ctx;
    int result = dm_call_create(anjay, obj, iid);
    if (result) {
        return result;
    }
    dm_note_change(anjay, &request->path, true);
    if ((result = anjay_input_start(&ctx, request->coap->content_format, request->coap->payload,
                                    request->coap->payload_size, &request->path, true))) {
        return result;
    }
    result = write_instance(anjay, obj, iid, &ctx, true);
    anjay_input_cleanup(&ctx);
    return result;
}

static void print_id(char out[8], unsigned id) {
    char digits[8];
    size_t count = 0;
    do {
        digits[count++] = (char) ('0' + id % 10);
    } while (id /= 10);
    size_t i = 0;
    while (count) {
        out[i++] = digits[--count];
    }
    out[i] = '\0';
}

int dm_create(anjay_t *anjay, const dm_request_t *request, coap_response_t *response) {
    anjay_dm_object_t *obj;
    anjay_iid_t iid;
    int result = dm_require_object(anjay, &request->path, &obj);
    if (result) {
        return result;
    }
    if (!(*obj->def_ptr)->handlers.instance_create) {
        return ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
    const uint16_t format = request->coap->content_format;
    if (format == ANJAY_FORMAT_NONE || single_value_format(format)) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    if ((result = requested_iid(request, &iid)) || (result = choose_iid(anjay, obj, &iid))) {
        return result;
    }
    if (!(result = dm_transaction_begin(anjay, obj))) {
        result = create_in_transaction(anjay, obj, request, iid);
    }
    if (!(result = dm_transaction_end(anjay, result))) {
        response->location_count = 2;
        print_id(response->location[0], request->path.ids[0]);
        print_id(response->location[1], iid);
    }
    return result;
}

/* ------------------------------------------------------------------ Delete */

int dm_delete_riid(anjay_t *anjay, anjay_dm_object_t *obj, const anjay_uri_path_t *path) {
    dm_resource_t resource;
    int result = dm_find_resource(anjay, obj, path->ids[1], path->ids[2], &resource);
    if (!result && !dm_multiple(resource.kind)) {
        result = ANJAY_ERR_NOT_FOUND;
    }
    if (!result && !dm_writable(resource.kind)) {
        result = ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
    if (!result) {
        result = dm_require_riid(anjay, obj, path->ids[1], path->ids[2], path->ids[3]);
    }
    if (!result) {
        result = dm_call_riid_remove(anjay, obj, path);
    }
    if (!result) {
        const anjay_uri_path_t resource_path = anjay_path(3, path->ids[0], path->ids[1], path->ids[2]);
        dm_note_change(anjay, &resource_path, false);
    }
    return result;
}

int dm_delete(anjay_t *anjay, const dm_request_t *request) {
    const anjay_uri_path_t *path = &request->path;
    anjay_dm_object_t *obj;
    int result = request->length ? dm_require_object(anjay, path, &obj) : ANJAY_ERR_BAD_REQUEST;
    if (result) {
        return result;
    }
    if (request->length == 1 || request->length == 3) {
        return ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
    if (request->length == 2 && !(*obj->def_ptr)->handlers.instance_remove) {
        return ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
    if ((result = dm_require_instance(anjay, obj, path->ids[1]))) {
        return result;
    }
    if (!(result = dm_transaction_begin(anjay, obj))) {
        result = request->length == 4 ? dm_delete_riid(anjay, obj, path) : dm_call_remove(anjay, obj, path->ids[1]);
    }
    if ((result = dm_transaction_end(anjay, result))) {
        return result;
    }
    anjay_attrs_remove(anjay, ANJAY_SSID_ANY, path);
    if (request->length == 2) {
        const anjay_uri_path_t object = anjay_path(1, path->ids[0]);
        dm_note_change(anjay, path, false);
        dm_note_change(anjay, &object, true);
    }
    return 0;
}

/* ------------------------------------------------------------------ Execute */

static bool execute_format(const dm_request_t *request) {
    return request->coap->content_format == ANJAY_FORMAT_NONE || request->coap->content_format == ANJAY_FORMAT_TEXT;
}

int dm_execute(anjay_t *anjay, const dm_request_t *request) {
    const anjay_uri_path_t *path = &request->path;
    anjay_dm_object_t *obj;
    dm_resource_t resource;
    int result = dm_require_object(anjay, path, &obj);
    if (!result) {
        result = dm_require_instance(anjay, obj, path->ids[1]);
    }
    if (!result) {
        result = dm_find_resource(anjay, obj, path->ids[1], path->ids[2], &resource);
    }
    if (result) {
        return result;
    }
    if (request->length == 4) {
        return dm_multiple(resource.kind) ? ANJAY_ERR_BAD_REQUEST : ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
    if (request->length == 3 && dm_multiple(resource.kind) && !execute_format(request)) {
        return dm_write(anjay, request, false); /* its elements, LwM2M Core 1.1, 6.3.3: partial update */
    }
    if (resource.kind != ANJAY_DM_RES_E) {
        return ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
    if (!resource.present) {
        return ANJAY_ERR_NOT_FOUND;
    }
    if (!execute_format(request)) {
        return ANJAY_ERR_UNSUPPORTED_CONTENT_FORMAT;
    }
    anjay_execute_ctx_t ctx;
    if ((result = anjay_execute_start(&ctx, request->coap->payload, request->coap->payload_size))) {
        return result;
    }
    return dm_call_execute(anjay, obj, path, &ctx);
}
