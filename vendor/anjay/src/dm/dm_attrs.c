/* SPDX-License-Identifier: Apache-2.0 */
/** Attributes of Information Reporting (LwM2M Core 1.1, section 5.1.2): written by servers, kept per server and path. */
#include "dm_internal.h"

#include "../../../avs_commons/src/base/c_locale.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct anjay_attrs_entry {
    anjay_ssid_t ssid;
    anjay_uri_path_t path;
    anjay_dm_r_attributes_t attrs;
};

const anjay_dm_oi_attributes_t ANJAY_DM_OI_ATTRIBUTES_EMPTY = {
    .min_period = ANJAY_ATTRIB_INTEGER_NONE,
    .max_period = ANJAY_ATTRIB_INTEGER_NONE,
    .min_eval_period = ANJAY_ATTRIB_INTEGER_NONE,
    .max_eval_period = ANJAY_ATTRIB_INTEGER_NONE,
    .con = ANJAY_DM_CON_ATTR_NONE,
    .hqmax = ANJAY_ATTRIB_INTEGER_NONE
};

const anjay_dm_r_attributes_t ANJAY_DM_R_ATTRIBUTES_EMPTY = {
    .common = { .min_period = ANJAY_ATTRIB_INTEGER_NONE,
                .max_period = ANJAY_ATTRIB_INTEGER_NONE,
                .min_eval_period = ANJAY_ATTRIB_INTEGER_NONE,
                .max_eval_period = ANJAY_ATTRIB_INTEGER_NONE,
                .con = ANJAY_DM_CON_ATTR_NONE,
                .hqmax = ANJAY_ATTRIB_INTEGER_NONE },
    .greater_than = NAN,
    .less_than = NAN,
    .step = NAN,
    .edge = ANJAY_DM_EDGE_ATTR_NONE
};

/* ------------------------------------------------------------------ storage */

static AVS_LIST(anjay_attrs_entry_t) *find(anjay_t *anjay, anjay_ssid_t ssid, const anjay_uri_path_t *path) {
    AVS_LIST(anjay_attrs_entry_t) *entry;
    AVS_LIST_FOREACH_PTR(entry, &anjay->dm.attrs) {
        if ((*entry)->ssid == ssid && anjay_path_equal(&(*entry)->path, path)) {
            return entry;
        }
    }
    return NULL;
}

static bool is_empty(const anjay_dm_r_attributes_t *attrs) {
    const anjay_dm_oi_attributes_t *common = &attrs->common;
    return common->min_period == ANJAY_ATTRIB_INTEGER_NONE && common->max_period == ANJAY_ATTRIB_INTEGER_NONE
           && common->min_eval_period == ANJAY_ATTRIB_INTEGER_NONE
           && common->max_eval_period == ANJAY_ATTRIB_INTEGER_NONE && common->con == ANJAY_DM_CON_ATTR_NONE
           && isnan(attrs->greater_than) && isnan(attrs->less_than) && isnan(attrs->step);
}

/** Asks the object, if it keeps attributes of that level itself. @returns whether it does (*out is set then). */
static bool read_own_handlers(anjay_t *anjay, anjay_dm_object_t *obj, anjay_ssid_t ssid, const anjay_uri_path_t *path,
                              anjay_dm_r_attributes_t *out) {
    const anjay_dm_handlers_t *h = &(*obj->def_ptr)->handlers;
    const uint16_t *ids = path->ids;
    int result;
    switch (anjay_path_length(path)) {
    case 1:
        if (h->object_read_default_attrs) {
            DM_CALL(anjay, obj, result, h->object_read_default_attrs(anjay, obj->def_ptr, ssid, &out->common));
            break;
        }
        return false;
    case 2:
        if (h->instance_read_default_attrs) {
            DM_CALL(anjay, obj, result, h->instance_read_default_attrs(anjay, obj->def_ptr, ids[1], ssid, &out->common));
            break;
        }
        return false;
    case 3:
        if (h->resource_read_attrs) {
            DM_CALL(anjay, obj, result, h->resource_read_attrs(anjay, obj->def_ptr, ids[1], ids[2], ssid, out));
            break;
        }
        return false;
    default:
        if (h->resource_instance_read_attrs) {
            DM_CALL(anjay, obj, result,
                    h->resource_instance_read_attrs(anjay, obj->def_ptr, ids[1], ids[2], ids[3], ssid, out));
            break;
        }
        return false;
    }
    if (result) {
        *out = ANJAY_DM_R_ATTRIBUTES_EMPTY;
    }
    return true;
}

bool anjay_attrs_own(anjay_t *anjay, anjay_ssid_t ssid, const anjay_uri_path_t *path, anjay_dm_r_attributes_t *out) {
    anjay_dm_object_t *obj = anjay_dm_find(anjay, path->ids[0]);
    *out = ANJAY_DM_R_ATTRIBUTES_EMPTY;
    if (obj && read_own_handlers(anjay, obj, ssid, path, out)) {
        return !is_empty(out);
    }
    AVS_LIST(anjay_attrs_entry_t) *entry = find(anjay, ssid, path);
    if (!entry) {
        return false;
    }
    *out = (*entry)->attrs;
    return true;
}

static void inherit(anjay_dm_r_attributes_t *attrs, const anjay_dm_r_attributes_t *from, bool values) {
    int32_t *mine[] = { &attrs->common.min_period, &attrs->common.max_period, &attrs->common.min_eval_period,
                        &attrs->common.max_eval_period };
    const int32_t theirs[] = { from->common.min_period, from->common.max_period, from->common.min_eval_period,
                               from->common.max_eval_period };
    for (size_t i = 0; i < AVS_ARRAY_SIZE(mine); ++i) {
        if (*mine[i] == ANJAY_ATTRIB_INTEGER_NONE) {
            *mine[i] = theirs[i];
        }
    }
    if (attrs->common.con == ANJAY_DM_CON_ATTR_NONE) {
        attrs->common.con = from->common.con;
    }
    if (values && isnan(attrs->greater_than) && isnan(attrs->less_than) && isnan(attrs->step)) {
        attrs->greater_than = from->greater_than;
        attrs->less_than = from->less_than;
        attrs->step = from->step;
    }
}

void anjay_attrs_inherited(anjay_t *anjay, anjay_ssid_t ssid, const anjay_uri_path_t *path,
                           anjay_dm_r_attributes_t *out) {
    *out = ANJAY_DM_R_ATTRIBUTES_EMPTY;
    anjay_uri_path_t level = *path;
    for (size_t length = anjay_path_length(path); length; --length) {
        anjay_dm_r_attributes_t own;
        if (anjay_attrs_own(anjay, ssid, &level, &own)) {
            inherit(out, &own, length >= 3);
        }
        level.ids[length - 1] = ANJAY_ID_INVALID;
    }
}

void anjay_attrs_effective(anjay_t *anjay, anjay_ssid_t ssid, const anjay_uri_path_t *path,
                           anjay_dm_r_attributes_t *out) {
    anjay_attrs_inherited(anjay, ssid, path, out);
    anjay_server_view_t server;
    if (anjay_server_by_ssid(anjay, ssid, &server)) {
        if (out->common.min_period < 0 && server.default_pmin >= 0) {
            out->common.min_period = server.default_pmin;
        }
        if (out->common.max_period < 0 && server.default_pmax > 0) {
            out->common.max_period = server.default_pmax;
        }
    }
}

void anjay_attrs_remove(anjay_t *anjay, anjay_ssid_t ssid, const anjay_uri_path_t *path) {
    AVS_LIST(anjay_attrs_entry_t) *entry;
    anjay_attrs_entry_t *helper;
    AVS_LIST_DELETABLE_FOREACH_PTR(entry, helper, &anjay->dm.attrs) {
        if ((ssid == ANJAY_SSID_ANY || (*entry)->ssid == ssid) && (!path || anjay_path_inside(&(*entry)->path, path))) {
            AVS_LIST_DELETE(entry);
        }
    }
}

static bool below_instance(const anjay_attrs_entry_t *entry, anjay_oid_t oid) {
    return entry->path.ids[0] == oid && entry->path.ids[1] != ANJAY_ID_INVALID;
}

static bool listed(const dm_ids_t *ids, uint16_t id) {
    for (size_t i = 0; i < ids->count; ++i) {
        if (ids->ids[i] == id) {
            return true;
        }
    }
    return false;
}

void dm_prune_attrs(anjay_t *anjay, anjay_oid_t oid) {
    anjay_dm_object_t *obj = anjay_dm_find(anjay, oid);
    AVS_LIST(anjay_attrs_entry_t) *entry;
    anjay_attrs_entry_t *helper;
    bool any = false;
    AVS_LIST_FOREACH_PTR(entry, &anjay->dm.attrs) {
        any |= below_instance(*entry, oid);
    }
    dm_ids_t ids = { 0 };
    if (any && obj && !dm_list_instances(anjay, obj, &ids)) {
        AVS_LIST_DELETABLE_FOREACH_PTR(entry, helper, &anjay->dm.attrs) {
            if (below_instance(*entry, oid) && !listed(&ids, (*entry)->path.ids[1])) {
                AVS_LIST_DELETE(entry);
            }
        }
    }
    dm_ids_cleanup(&ids);
}

/* ------------------------------------------------------------------ Write-Attributes */

/** pmin and the like: whole seconds; nothing behind "=" is no number. */
static int parse_period(const char *text, int32_t *out) {
    if (!*text || strspn(text, "0123456789") != strlen(text) || strlen(text) > 10) {
        return -1;
    }
    const long long value = atoll(text);
    if (value > INT32_MAX) {
        return -1;
    }
    *out = (int32_t) value;
    return 0;
}

static int parse_number(const char *text, double *out) {
    char *end;
    if (!*text || isspace((unsigned char) *text)) {
        return -1;
    }
    *out = c_strtod(text, &end);
    return *end || isnan(*out) ? -1 : 0;
}

/** Attributes named by the query so far, each only once. */
typedef struct {
    anjay_dm_r_attributes_t attrs;
    unsigned seen;
    bool numeric; /**< gt, lt or st is named */
} query_t;

static int apply_one(query_t *query, const char *name, const char *value) {
    static const char *const NAMES[] = { "pmin", "pmax", "epmin", "epmax", "con", "gt", "lt", "st" };
    anjay_dm_oi_attributes_t *common = &query->attrs.common;
    int32_t *const periods[] = { &common->min_period, &common->max_period, &common->min_eval_period,
                                 &common->max_eval_period };
    double *const numbers[] = { &query->attrs.greater_than, &query->attrs.less_than, &query->attrs.step };
    for (unsigned i = 0; i < AVS_ARRAY_SIZE(NAMES); ++i) {
        if (strcmp(name, NAMES[i])) {
            continue;
        }
        if (query->seen & 1u << i) {
            return -1;
        }
        query->seen |= 1u << i;
        if (i < 4) {
            *periods[i] = ANJAY_ATTRIB_INTEGER_NONE;
            return value ? parse_period(value, periods[i]) : 0;
        }
        if (i == 4) {
            common->con = !value ? ANJAY_DM_CON_ATTR_NONE : *value == '1' ? ANJAY_DM_CON_ATTR_CON : ANJAY_DM_CON_ATTR_NON;
            return value && strcmp(value, "0") && strcmp(value, "1") ? -1 : 0;
        }
        query->numeric = true;
        *numbers[i - 5] = NAN;
        return value ? parse_number(value, numbers[i - 5]) : 0;
    }
    return -1;
}

static int read_query(const coap_msg_t *msg, query_t *query) {
    coap_option_iter_t iter = { 0 };
    coap_option_t option;
    while (coap_option_next(msg, &iter, &option)) {
        char text[64];
        if (option.number != COAP_OPT_URI_QUERY) {
            continue;
        }
        if (option.size >= sizeof(text) || memchr(option.value, '\0', option.size)) {
            return ANJAY_ERR_BAD_OPTION;
        }
        memcpy(text, option.value, option.size);
        text[option.size] = '\0';
        char *value = strchr(text, '=');
        if (value) {
            *value++ = '\0';
        }
        if (apply_one(query, text, value)) {
            return ANJAY_ERR_BAD_OPTION;
        }
    }
    return 0;
}

/** lt + 2 st < gt, and a step that is not negative (LwM2M Core 1.1, section 5.1.2). */
static bool consistent(const anjay_dm_r_attributes_t *attrs) {
    const double step = isnan(attrs->step) ? 0 : attrs->step;
    return !(attrs->step < 0)
           && (isnan(attrs->greater_than) || isnan(attrs->less_than)
               || attrs->less_than + 2 * step < attrs->greater_than);
}

/** Hands attributes to an object that keeps them itself. @returns 1 if it does not. */
static int write_own_handlers(anjay_t *anjay, anjay_dm_object_t *obj, const dm_request_t *request,
                              const anjay_dm_r_attributes_t *attrs) {
    const anjay_dm_handlers_t *h = &(*obj->def_ptr)->handlers;
    const uint16_t *ids = request->path.ids;
    const anjay_ssid_t ssid = request->ssid;
    int result = 1;
    if (request->length == 1 && h->object_write_default_attrs) {
        DM_CALL(anjay, obj, result, h->object_write_default_attrs(anjay, obj->def_ptr, ssid, &attrs->common));
    } else if (request->length == 2 && h->instance_write_default_attrs) {
        DM_CALL(anjay, obj, result, h->instance_write_default_attrs(anjay, obj->def_ptr, ids[1], ssid, &attrs->common));
    } else if (request->length == 3 && h->resource_write_attrs) {
        DM_CALL(anjay, obj, result, h->resource_write_attrs(anjay, obj->def_ptr, ids[1], ids[2], ssid, attrs));
    } else if (request->length == 4 && h->resource_instance_write_attrs) {
        DM_CALL(anjay, obj, result,
                h->resource_instance_write_attrs(anjay, obj->def_ptr, ids[1], ids[2], ids[3], ssid, attrs));
    } else {
        return 1;
    }
    return dm_error(result);
}

static int store(anjay_t *anjay, const dm_request_t *request, const anjay_dm_r_attributes_t *attrs) {
    AVS_LIST(anjay_attrs_entry_t) *entry = find(anjay, request->ssid, &request->path);
    if (entry && is_empty(attrs)) {
        AVS_LIST_DELETE(entry);
        return 0;
    }
    anjay_attrs_entry_t *target = entry ? *entry : NULL;
    if (!target && !is_empty(attrs)) {
        target = AVS_LIST_INSERT_NEW(anjay_attrs_entry_t, &anjay->dm.attrs);
        if (!target) {
            return ANJAY_ERR_INTERNAL;
        }
        target->ssid = request->ssid;
        target->path = request->path;
    }
    if (target) {
        target->attrs = *attrs;
    }
    return 0;
}

/** Whether there is something at the path that may carry attributes. */
static int require_target(anjay_t *anjay, anjay_dm_object_t *obj, const dm_request_t *request) {
    const uint16_t *ids = request->path.ids;
    dm_resource_t resource;
    int result = request->length > 1 ? dm_require_instance(anjay, obj, ids[1]) : 0;
    if (result || request->length < 3) {
        return result;
    }
    if ((result = dm_find_resource(anjay, obj, ids[1], ids[2], &resource))) {
        return result;
    }
    if (!resource.present) {
        return ANJAY_ERR_NOT_FOUND;
    }
    if (request->length == 3) {
        return 0;
    }
    return dm_multiple(resource.kind) ? dm_require_riid(anjay, obj, ids[1], ids[2], ids[3])
                                      : ANJAY_ERR_METHOD_NOT_ALLOWED;
}

int dm_write_attributes(anjay_t *anjay, const dm_request_t *request) {
    anjay_dm_object_t *obj;
    query_t query = { .attrs = ANJAY_DM_R_ATTRIBUTES_EMPTY };
    int result = request->length ? dm_require_object(anjay, &request->path, &obj) : ANJAY_ERR_BAD_REQUEST;
    if (!result) {
        result = require_target(anjay, obj, request);
    }
    if (result) {
        return result;
    }
    anjay_attrs_own(anjay, request->ssid, &request->path, &query.attrs);
    if ((result = read_query(request->coap->msg, &query))) {
        return result;
    }
    if (!query.seen) {
        return 0;
    }
    if ((query.numeric && request->length < 3) || !consistent(&query.attrs)) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    result = write_own_handlers(anjay, obj, request, &query.attrs);
    if (result == 1) {
        result = store(anjay, request, &query.attrs);
    }
    if (!result) {
        anjay_observe_attrs_changed(anjay, request->ssid, &request->path);
    }
    return result;
}
