/* SPDX-License-Identifier: Apache-2.0 */
/** Values of the data model as entries of a batch. */
#include "../dm/dm_internal.h"
#include "../io/output_internal.h"
#include "send.h"

#include <string.h>

/* ------------------------------------------------------------------ an output that collects */

typedef struct {
    send_entries_t *list;
    avs_time_real_t at;
    size_t filled; /**< bytes of the byte string that is being given */
} collect_t;

static collect_t *collect_of(anjay_output_ctx_t *ctx) {
    AVS_STATIC_ASSERT(sizeof(collect_t) <= sizeof(ctx->state.bytes) - sizeof(size_t), collect_state_fits);
    return (collect_t *) ctx->state.bytes;
}

static send_entry_t *collect(anjay_output_ctx_t *ctx, int type) {
    collect_t *state = collect_of(ctx);
    send_entry_t *entry = send_entries_add(state->list, &ctx->path, state->at);
    if (entry) {
        entry->type = type;
    }
    return entry;
}

static int collect_bytes(anjay_output_ctx_t *ctx, const void *data, size_t size, bool string) {
    send_entry_t *entry = collect(ctx, SEND_INT);
    collect_of(ctx)->filled = 0;
    return entry && !send_entry_set_bytes(entry, data, size, string) ? 0 : ANJAY_ERR_INTERNAL;
}

static int collect_string(anjay_output_ctx_t *ctx, const char *value, size_t size) {
    return collect_bytes(ctx, value, size, true);
}

static int collect_bytes_begin(anjay_output_ctx_t *ctx, size_t size) {
    return collect_bytes(ctx, NULL, size, false);
}

static int collect_bytes_append(anjay_output_ctx_t *ctx, const uint8_t *data, size_t size) {
    collect_t *state = collect_of(ctx);
    send_entry_t *entry = &state->list->entries[state->list->count - 1];
    memcpy(entry->value.bytes.data + state->filled, data, size); /* the context keeps to the size that was announced */
    state->filled += size;
    return 0;
}

#define COLLECT(Type, Member, Value)               \
    do {                                           \
        send_entry_t *entry = collect(ctx, Type);  \
        if (!entry) {                              \
            return ANJAY_ERR_INTERNAL;             \
        }                                          \
        entry->value.Member = (Value);             \
        return 0;                                  \
    } while (0)

static int collect_integer(anjay_output_ctx_t *ctx, int64_t value) {
    COLLECT(SEND_INT, integer, value);
}

static int collect_unsigned(anjay_output_ctx_t *ctx, uint64_t value) {
    COLLECT(SEND_UINT, uinteger, value);
}

static int collect_number(anjay_output_ctx_t *ctx, double value) {
    COLLECT(SEND_DOUBLE, number, value);
}

static int collect_boolean(anjay_output_ctx_t *ctx, bool value) {
    COLLECT(SEND_BOOL, boolean, value);
}

static int collect_objlnk(anjay_output_ctx_t *ctx, anjay_oid_t oid, anjay_iid_t iid) {
    send_entry_t *entry = collect(ctx, SEND_OBJLNK);
    if (!entry) {
        return ANJAY_ERR_INTERNAL;
    }
    entry->value.link.oid = oid;
    entry->value.link.iid = iid;
    return 0;
}

static const anjay_output_vtable_t COLLECTING = { .string = collect_string,
                                                  .integer = collect_integer,
                                                  .unsigned_integer = collect_unsigned,
                                                  .number = collect_number,
                                                  .boolean = collect_boolean,
                                                  .objlnk = collect_objlnk,
                                                  .bytes_begin = collect_bytes_begin,
                                                  .bytes_append = collect_bytes_append };

static void collect_start(anjay_output_ctx_t *ctx, send_entries_t *list, avs_time_real_t at) {
    memset(ctx, 0, sizeof(*ctx));
    ctx->vtable = &COLLECTING;
    ctx->format = ANJAY_FORMAT_NONE;
    ctx->base = ctx->path = anjay_path(0);
    collect_of(ctx)->list = list;
    collect_of(ctx)->at = at;
}

/* ------------------------------------------------------------------ reading */

/** One value. A byte string that its handler did not complete is an error. */
static int read_value(anjay_t *anjay, anjay_dm_object_t *obj, const anjay_uri_path_t *path, send_entries_t *list,
                      avs_time_real_t at) {
    anjay_output_ctx_t ctx;
    const size_t before = list->count;
    collect_start(&ctx, list, at);
    int result = dm_call_read(anjay, obj, path, &ctx);
    if (!result && list->entries[before].type == SEND_BYTES
            && collect_of(&ctx)->filled != list->entries[before].value.bytes.size) {
        result = ANJAY_ERR_INTERNAL;
    }
    if (result) {
        send_entries_truncate(list, before);
    }
    return result;
}

/** All Resource Instances; one that is gone when it is read is left out. */
static int read_multiple(anjay_t *anjay, anjay_dm_object_t *obj, const anjay_uri_path_t *path, send_entries_t *list,
                         avs_time_real_t at) {
    dm_ids_t ids = { 0 };
    int result = dm_list_riids(anjay, obj, path->ids[1], path->ids[2], &ids);
    for (size_t i = 0; i < ids.count && !result; ++i) {
        anjay_uri_path_t element = *path;
        element.ids[3] = ids.ids[i];
        result = read_value(anjay, obj, &element, list, at);
        result = result == ANJAY_ERR_NOT_FOUND ? 0 : result;
    }
    dm_ids_cleanup(&ids);
    return result;
}

static int read_resource(anjay_t *anjay, const anjay_uri_path_t *path, send_entries_t *list, avs_time_real_t at) {
    anjay_dm_object_t *obj;
    bool multiple;
    int result = dm_require_object(anjay, path, &obj);
    if (result || (result = dm_check_readable(anjay, obj, path, &multiple))) {
        return result;
    }
    return multiple ? read_multiple(anjay, obj, path, list, at) : read_value(anjay, obj, path, list, at);
}

int send_entries_add_current(anjay_t *anjay, send_entries_t *list, const anjay_send_resource_path_t *paths, size_t count,
                             bool ignore_not_found) {
    const size_t before = list->count;
    const avs_time_real_t now = avs_time_real_now();
    int result = 0;
    for (size_t i = 0; i < count && !result; ++i) {
        const anjay_uri_path_t path = anjay_path(3, (int) paths[i].oid, (int) paths[i].iid, (int) paths[i].rid);
        const size_t before_resource = list->count;
        result = paths[i].oid != ANJAY_ID_INVALID && anjay_path_length(&path) < 3
                         ? -1
                         : read_resource(anjay, &path, list, now);
        if (result == ANJAY_ERR_NOT_FOUND && ignore_not_found) {
            send_entries_truncate(list, before_resource);
            result = 0;
        } else if (result) {
            send_log(ERROR, "/%u/%u/%u is not added: %d", paths[i].oid, paths[i].iid, paths[i].rid, result);
        }
    }
    if (result) {
        send_entries_truncate(list, before);
    }
    return result;
}

static int add_current(anjay_send_batch_builder_t *builder, anjay_t *anjay, const anjay_send_resource_path_t *paths,
                       size_t count, bool ignore_not_found) {
    if (!builder || !anjay || (!paths && count)) {
        return -1;
    }
    anjay_lock(anjay);
    int result = send_entries_add_current(anjay, &builder->list, paths, count, ignore_not_found);
    anjay_unlock(anjay);
    return result;
}

int anjay_send_batch_data_add_current(anjay_send_batch_builder_t *builder, anjay_t *anjay, anjay_oid_t oid,
                                      anjay_iid_t iid, anjay_rid_t rid) {
    const anjay_send_resource_path_t path = { oid, iid, rid };
    return add_current(builder, anjay, &path, 1, false);
}

int anjay_send_batch_data_add_current_multiple(anjay_send_batch_builder_t *builder, anjay_t *anjay,
                                               const anjay_send_resource_path_t *paths, size_t paths_length) {
    return add_current(builder, anjay, paths, paths_length, false);
}

int anjay_send_batch_data_add_current_multiple_ignore_not_found(anjay_send_batch_builder_t *builder, anjay_t *anjay,
                                                                const anjay_send_resource_path_t *paths,
                                                                size_t paths_length) {
    return add_current(builder, anjay, paths, paths_length, true);
}
