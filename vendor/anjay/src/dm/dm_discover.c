/* SPDX-License-Identifier: Apache-2.0 */
/** Discover (LwM2M Core 1.1, section 6.3.2): links with the attributes that the asking server wrote. */
#include "dm_internal.h"

#include <math.h>
#include <string.h>

typedef struct {
    anjay_t *anjay;
    anjay_dm_object_t *obj;
    anjay_ssid_t ssid;
    coap_buf_t *out;
    bool resource;  /**< a Resource was asked for, and nothing above it */
    unsigned depth; /**< levels to go below the path that was asked for */
} discover_t;

/** Attributes of a level: its own; those of a Resource that is asked for itself with what it inherits. */
static int append_attrs(discover_t *d, const anjay_uri_path_t *path, bool inherited) {
    anjay_dm_r_attributes_t attrs;
    if (inherited) {
        anjay_attrs_inherited(d->anjay, d->ssid, path, &attrs);
    } else if (!anjay_attrs_own(d->anjay, d->ssid, path, &attrs)) {
        return 0;
    }
    const struct {
        const char *name;
        int32_t value;
    } integers[] = { { "pmin", attrs.common.min_period },
                     { "pmax", attrs.common.max_period },
                     { "epmin", attrs.common.min_eval_period },
                     { "epmax", attrs.common.max_eval_period } };
    const struct {
        const char *name;
        double value;
    } numbers[] = { { "gt", attrs.greater_than }, { "lt", attrs.less_than }, { "st", attrs.step } };
    int result = 0;
    for (size_t i = 0; i < AVS_ARRAY_SIZE(integers) && !result; ++i) {
        if (integers[i].value != ANJAY_ATTRIB_INTEGER_NONE) {
            result = anjay_link_attr_int(d->out, integers[i].name, integers[i].value);
        }
    }
    if (!result && attrs.common.con != ANJAY_DM_CON_ATTR_NONE) {
        result = anjay_link_attr_int(d->out, "con", attrs.common.con);
    }
    for (size_t i = 0; i < AVS_ARRAY_SIZE(numbers) && !result; ++i) {
        if (!isnan(numbers[i].value)) {
            result = anjay_link_attr_double(d->out, numbers[i].name, numbers[i].value);
        }
    }
    return result ? ANJAY_ERR_INTERNAL : 0;
}

static int link(discover_t *d, const anjay_uri_path_t *path) {
    return anjay_link_append(d->out, path) ? ANJAY_ERR_INTERNAL : 0;
}

static int discover_resource(discover_t *d, const anjay_uri_path_t *path, const dm_resource_t *resource, unsigned depth) {
    dm_ids_t ids = { 0 };
    int result = link(d, path);
    if (!result && dm_multiple(resource->kind)) {
        result = dm_list_riids(d->anjay, d->obj, path->ids[1], path->ids[2], &ids);
        if (!result && anjay_link_attr_int(d->out, "dim", (int64_t) ids.count)) {
            result = ANJAY_ERR_INTERNAL;
        }
    }
    if (!result) {
        result = append_attrs(d, path, d->resource);
    }
    for (size_t i = 0; i < ids.count && depth && !result; ++i) {
        const anjay_uri_path_t element = anjay_path(4, path->ids[0], path->ids[1], path->ids[2], ids.ids[i]);
        if (!(result = link(d, &element))) {
            result = append_attrs(d, &element, false);
        }
    }
    dm_ids_cleanup(&ids);
    return result;
}

static int discover_instance(discover_t *d, anjay_iid_t iid, unsigned depth) {
    const anjay_uri_path_t path = anjay_path(2, (*d->obj->def_ptr)->oid, iid);
    dm_resources_t list = { 0 };
    int result = link(d, &path);
    if (!result) {
        result = append_attrs(d, &path, false);
    }
    if (!result && depth) {
        result = dm_list_resources(d->anjay, d->obj, iid, &list);
    }
    for (size_t i = 0; i < list.count && !result; ++i) {
        const anjay_uri_path_t resource = anjay_path(3, path.ids[0], iid, list.resources[i].rid);
        if (list.resources[i].present) {
            result = discover_resource(d, &resource, &list.resources[i], depth - 1);
        }
    }
    dm_resources_cleanup(&list);
    return result;
}

static int discover_object(discover_t *d, unsigned depth) {
    const anjay_dm_object_def_t *def = *d->obj->def_ptr;
    const anjay_uri_path_t path = anjay_path(1, def->oid);
    dm_ids_t ids = { 0 };
    int result = link(d, &path);
    if (!result && def->version && anjay_link_attr(d->out, "ver", def->version)) {
        result = ANJAY_ERR_INTERNAL;
    }
    if (!result) {
        result = append_attrs(d, &path, false);
    }
    if (!result && depth) {
        result = dm_list_instances(d->anjay, d->obj, &ids);
    }
    for (size_t i = 0; i < ids.count && !result; ++i) {
        result = discover_instance(d, ids.ids[i], depth - 1);
    }
    dm_ids_cleanup(&ids);
    return result;
}

/** The only query of a Discover: depth=0 to 3. */
static int read_depth(const coap_msg_t *msg, unsigned *depth) {
    coap_option_iter_t iter = { 0 };
    coap_option_t option;
    bool seen = false;
    while (coap_option_next(msg, &iter, &option)) {
        if (option.number != COAP_OPT_URI_QUERY) {
            continue;
        }
        if (seen || option.size != 7 || memcmp(option.value, "depth=", 6) || option.value[6] < '0'
                || option.value[6] > '3') {
            return ANJAY_ERR_BAD_OPTION;
        }
        *depth = (unsigned) (option.value[6] - '0');
        seen = true;
    }
    return 0;
}

int dm_discover(anjay_t *anjay, const dm_request_t *request, coap_response_t *response) {
    const anjay_uri_path_t *path = &request->path;
    unsigned depth = request->length == 1 ? 2 : 1;
    discover_t d = { .anjay = anjay, .ssid = request->ssid, .out = response->payload };
    int result = read_depth(request->coap->msg, &depth);
    if (!result) {
        result = request->length ? dm_require_object(anjay, path, &d.obj) : ANJAY_ERR_BAD_REQUEST;
    }
    if (!result && request->length == 4) {
        result = ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
    if (!result && request->length > 1) {
        result = dm_require_instance(anjay, d.obj, path->ids[1]);
    }
    if (result) {
        return result;
    }
    response->content_format = ANJAY_FORMAT_LINK;
    if (request->length == 1) {
        return discover_object(&d, depth);
    }
    if (request->length == 2) {
        return discover_instance(&d, path->ids[1], depth);
    }
    d.resource = true;
    dm_resource_t resource;
    if ((result = dm_find_resource(anjay, d.obj, path->ids[1], path->ids[2], &resource))) {
        return result;
    }
    return resource.present ? discover_resource(&d, path, &resource, depth) : ANJAY_ERR_NOT_FOUND;
}
