/* SPDX-License-Identifier: Apache-2.0 */
/** Calls of object handlers, and the lists that they emit. */
#include "dm_internal.h"

#include <avsystem/commons/avs_memory.h>

#include <string.h>

int dm_error(int result) {
    return !result || (result <= -0x80 && result >= -0xBF) ? result : ANJAY_ERR_INTERNAL;
}

/* ------------------------------------------------------------------ lists */

/** Makes room for one more; @p first is the space inside the list. */
static void *grow(void *items, void *first, size_t *capacity, size_t count, size_t item_size) {
    const size_t wanted = 2 * count;
    void *grown = items == first ? avs_malloc(wanted * item_size) : avs_realloc(items, wanted * item_size);
    if (grown && items == first) {
        memcpy(grown, first, count * item_size);
    }
    if (grown) {
        *capacity = wanted;
    }
    return grown;
}

static int ids_add(dm_ids_t *ids, uint16_t id) {
    if (!ids->ids) {
        ids->ids = ids->first;
        ids->capacity = AVS_ARRAY_SIZE(ids->first);
    }
    if (ids->count == ids->capacity) {
        uint16_t *grown = (uint16_t *) grow(ids->ids, ids->first, &ids->capacity, ids->count, sizeof(*grown));
        if (!grown) {
            return -1;
        }
        ids->ids = grown;
    }
    ids->ids[ids->count++] = id;
    return 0;
}

void dm_ids_cleanup(dm_ids_t *ids) {
    if (ids->ids != ids->first) {
        avs_free(ids->ids);
    }
    ids->ids = NULL;
    ids->count = ids->capacity = 0;
}

static int resources_add(dm_resources_t *list, const dm_resource_t *resource) {
    if (!list->resources) {
        list->resources = list->first;
        list->capacity = AVS_ARRAY_SIZE(list->first);
    }
    if (list->count == list->capacity) {
        dm_resource_t *grown =
                (dm_resource_t *) grow(list->resources, list->first, &list->capacity, list->count, sizeof(*grown));
        if (!grown) {
            return -1;
        }
        list->resources = grown;
    }
    list->resources[list->count++] = *resource;
    return 0;
}

void dm_resources_cleanup(dm_resources_t *list) {
    if (list->resources != list->first) {
        avs_free(list->resources);
    }
    list->resources = NULL;
    list->count = list->capacity = 0;
}

void anjay_dm_emit(anjay_dm_list_ctx_t *ctx, uint16_t id) {
    if (ctx->error) {
        return;
    }
    if (id == ANJAY_ID_INVALID || (ctx->any && id <= ctx->last)) {
        dm_log(ERROR, "ids must be emitted in ascending order: %u after %u", id, ctx->last);
        ctx->error = ANJAY_ERR_INTERNAL;
        return;
    }
    ctx->any = true;
    ctx->last = id;
    if (!ctx->ids) {
        ctx->found |= id == ctx->wanted;
    } else if (ids_add(ctx->ids, id)) {
        ctx->error = ANJAY_ERR_INTERNAL;
    }
}

void anjay_dm_emit_res(anjay_dm_resource_list_ctx_t *ctx, anjay_rid_t rid, anjay_dm_resource_kind_t kind,
                       anjay_dm_resource_presence_t presence) {
    if (ctx->error) {
        return;
    }
    if (rid == ANJAY_ID_INVALID || (ctx->any && rid <= ctx->last)) {
        dm_log(ERROR, "Resource IDs must be emitted in ascending order: %u after %u", rid, ctx->last);
        ctx->error = ANJAY_ERR_INTERNAL;
        return;
    }
    ctx->any = true;
    ctx->last = rid;
    const dm_resource_t resource = { .rid = rid, .kind = kind, .present = presence == ANJAY_DM_RES_PRESENT };
    if (ctx->resources) {
        if (resources_add(ctx->resources, &resource)) {
            ctx->error = ANJAY_ERR_INTERNAL;
        }
    } else if (rid == ctx->wanted) {
        ctx->found = true;
        ctx->resource = resource;
    }
}

/* ------------------------------------------------------------------ list handlers */

static int call_list_instances(anjay_t *anjay, anjay_dm_object_t *obj, anjay_dm_list_ctx_t *ctx) {
    anjay_dm_list_instances_t *handler = (*obj->def_ptr)->handlers.list_instances;
    int result = 0;
    if (handler) {
        DM_CALL(anjay, obj, result, handler(anjay, obj->def_ptr, ctx));
    }
    return result ? dm_error(result) : ctx->error;
}

int dm_list_instances(anjay_t *anjay, anjay_dm_object_t *obj, dm_ids_t *ids) {
    anjay_dm_list_ctx_t ctx = { .ids = ids };
    return call_list_instances(anjay, obj, &ctx);
}

int dm_require_instance(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid) {
    anjay_dm_list_ctx_t ctx = { .wanted = iid };
    int result = call_list_instances(anjay, obj, &ctx);
    return result ? result : ctx.found ? 0 : ANJAY_ERR_NOT_FOUND;
}

static int call_list_resources(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid,
                               anjay_dm_resource_list_ctx_t *ctx) {
    anjay_dm_list_resources_t *handler = (*obj->def_ptr)->handlers.list_resources;
    int result = 0;
    if (handler) {
        DM_CALL(anjay, obj, result, handler(anjay, obj->def_ptr, iid, ctx));
    }
    return result ? dm_error(result) : ctx->error;
}

int dm_list_resources(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid, dm_resources_t *resources) {
    anjay_dm_resource_list_ctx_t ctx = { .resources = resources };
    return call_list_resources(anjay, obj, iid, &ctx);
}

int dm_find_resource(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid, anjay_rid_t rid, dm_resource_t *out) {
    anjay_dm_resource_list_ctx_t ctx = { .wanted = rid };
    int result = call_list_resources(anjay, obj, iid, &ctx);
    *out = ctx.resource;
    return result ? result : ctx.found ? 0 : ANJAY_ERR_NOT_FOUND;
}

static int call_list_riids(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid, anjay_rid_t rid,
                           anjay_dm_list_ctx_t *ctx) {
    anjay_dm_list_resource_instances_t *handler = (*obj->def_ptr)->handlers.list_resource_instances;
    int result;
    if (!handler) {
        return ANJAY_ERR_INTERNAL;
    }
    DM_CALL(anjay, obj, result, handler(anjay, obj->def_ptr, iid, rid, ctx));
    return result ? dm_error(result) : ctx->error;
}

int dm_list_riids(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid, anjay_rid_t rid, dm_ids_t *ids) {
    anjay_dm_list_ctx_t ctx = { .ids = ids };
    return call_list_riids(anjay, obj, iid, rid, &ctx);
}

int dm_require_riid(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid) {
    anjay_dm_list_ctx_t ctx = { .wanted = riid };
    int result = call_list_riids(anjay, obj, iid, rid, &ctx);
    return result ? result : ctx.found ? 0 : ANJAY_ERR_NOT_FOUND;
}

/* ------------------------------------------------------------------ the others */

int dm_call_read(anjay_t *anjay, anjay_dm_object_t *obj, const anjay_uri_path_t *path, anjay_output_ctx_t *ctx) {
    anjay_dm_resource_read_t *handler = (*obj->def_ptr)->handlers.resource_read;
    int result = handler ? anjay_output_set_path(ctx, path) : ANJAY_ERR_METHOD_NOT_ALLOWED;
    if (result) {
        return result;
    }
    DM_CALL(anjay, obj, result, handler(anjay, obj->def_ptr, path->ids[1], path->ids[2], path->ids[3], ctx));
    if (result) {
        return ctx->error == ANJAY_ERR_NOT_ACCEPTABLE ? ctx->error : dm_error(result);
    }
    return ctx->error ? ctx->error : ctx->value_given ? 0 : ANJAY_ERR_INTERNAL;
}

int dm_call_write(anjay_t *anjay, anjay_dm_object_t *obj, const anjay_uri_path_t *path, anjay_input_ctx_t *ctx) {
    anjay_dm_resource_write_t *handler = (*obj->def_ptr)->handlers.resource_write;
    int result;
    if (!handler) {
        return ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
    DM_CALL(anjay, obj, result, handler(anjay, obj->def_ptr, path->ids[1], path->ids[2], path->ids[3], ctx));
    return dm_error(result);
}

int dm_call_execute(anjay_t *anjay, anjay_dm_object_t *obj, const anjay_uri_path_t *path, anjay_execute_ctx_t *ctx) {
    anjay_dm_resource_execute_t *handler = (*obj->def_ptr)->handlers.resource_execute;
    int result;
    if (!handler) {
        return ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
    DM_CALL(anjay, obj, result, handler(anjay, obj->def_ptr, path->ids[1], path->ids[2], ctx));
    return dm_error(result);
}

int dm_call_create(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid) {
    anjay_dm_instance_create_t *handler = (*obj->def_ptr)->handlers.instance_create;
    int result;
    if (!handler) {
        return ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
    DM_CALL(anjay, obj, result, handler(anjay, obj->def_ptr, iid));
    return dm_error(result);
}

int dm_call_remove(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid) {
    anjay_dm_instance_remove_t *handler = (*obj->def_ptr)->handlers.instance_remove;
    int result;
    if (!handler) {
        return ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
    DM_CALL(anjay, obj, result, handler(anjay, obj->def_ptr, iid));
    return dm_error(result);
}

int dm_call_instance_reset(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid) {
    anjay_dm_instance_reset_t *handler = (*obj->def_ptr)->handlers.instance_reset;
    int result;
    if (!handler) {
        return ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
    DM_CALL(anjay, obj, result, handler(anjay, obj->def_ptr, iid));
    return dm_error(result);
}

int dm_call_resource_reset(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid, anjay_rid_t rid) {
    anjay_dm_resource_reset_t *handler = (*obj->def_ptr)->handlers.resource_reset;
    int result;
    if (!handler) {
        return ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
    DM_CALL(anjay, obj, result, handler(anjay, obj->def_ptr, iid, rid));
    return dm_error(result);
}

int dm_call_riid_remove(anjay_t *anjay, anjay_dm_object_t *obj, const anjay_uri_path_t *path) {
    anjay_dm_resource_instance_remove_t *handler = (*obj->def_ptr)->handlers.resource_instance_remove;
    int result;
    if (!handler) {
        return ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
    DM_CALL(anjay, obj, result, handler(anjay, obj->def_ptr, path->ids[1], path->ids[2], path->ids[3]));
    return dm_error(result);
}
