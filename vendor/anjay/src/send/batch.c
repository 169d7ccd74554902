/* SPDX-License-Identifier: Apache-2.0 */
/** Batches: built value by value, then fixed and counted by who refers to them. */
#include "send.h"

#include <avsystem/commons/avs_memory.h>

#include <math.h>
#include <stdatomic.h>
#include <string.h>

/** Seconds since 1970 below which a moment is one of a clock that was not set (RFC 8428, section 4.5.3: 2^28). */
#define ABSOLUTE_FROM ((double) (1 << 28))

struct anjay_send_batch_struct {
    atomic_size_t references;
    send_entries_t list;
};

/* ------------------------------------------------------------------ entries */

send_entry_t *send_entries_add(send_entries_t *list, const anjay_uri_path_t *path, avs_time_real_t at) {
    if (list->count == list->capacity) {
        const size_t capacity = list->capacity ? 2 * list->capacity : 8;
        send_entry_t *entries = (send_entry_t *) avs_realloc(list->entries, capacity * sizeof(*entries));
        if (!entries) {
            return NULL;
        }
        list->entries = entries;
        list->capacity = capacity;
    }
    send_entry_t *entry = &list->entries[list->count++];
    memset(entry, 0, sizeof(*entry));
    entry->path = *path;
    entry->at = at;
    return entry;
}

void send_entries_truncate(send_entries_t *list, size_t count) {
    while (list->count > count) {
        const send_entry_t *entry = &list->entries[--list->count];
        if (entry->type == SEND_STRING || entry->type == SEND_BYTES) {
            avs_free(entry->value.bytes.data);
        }
    }
}

int send_entry_set_bytes(send_entry_t *entry, const void *data, size_t size, bool string) {
    entry->type = string ? SEND_STRING : SEND_BYTES;
    entry->value.bytes.data = size || string ? (uint8_t *) avs_calloc(1, size + string) : NULL;
    if (!entry->value.bytes.data && (size || string)) {
        return -1;
    }
    entry->value.bytes.size = size;
    if (size && data) {
        memcpy(entry->value.bytes.data, data, size);
    }
    return 0;
}

/* ------------------------------------------------------------------ the builder */

anjay_send_batch_builder_t *anjay_send_batch_builder_new(void) {
    return (anjay_send_batch_builder_t *) avs_calloc(1, sizeof(anjay_send_batch_builder_t));
}

void anjay_send_batch_builder_cleanup(anjay_send_batch_builder_t **builder) {
    if (builder && *builder) {
        send_entries_truncate(&(*builder)->list, 0);
        avs_free((*builder)->list.entries);
        avs_free(*builder);
        *builder = NULL;
    }
}

/** A new entry of a path that has been checked; NULL if it is none, or when memory ran out. */
static send_entry_t *add(anjay_send_batch_builder_t *builder, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid,
                         anjay_riid_t riid, avs_time_real_t at) {
    const anjay_uri_path_t path = { .ids = { oid, iid, rid, riid } };
    if (!builder || oid == ANJAY_ID_INVALID || iid == ANJAY_ID_INVALID || rid == ANJAY_ID_INVALID) {
        send_log(ERROR, "a value without Object, Instance and Resource ID is not added");
        return NULL;
    }
    send_entry_t *entry = send_entries_add(&builder->list, &path, at);
    if (!entry) {
        send_log(ERROR, "out of memory: a value is not added");
    }
    return entry;
}

#define ADD(Type, Member, Value)                                                         \
    do {                                                                                 \
        send_entry_t *entry = add(builder, oid, iid, rid, riid, timestamp);              \
        if (!entry) {                                                                    \
            return -1;                                                                   \
        }                                                                                \
        entry->type = (Type);                                                            \
        entry->value.Member = (Value);                                                   \
        return 0;                                                                        \
    } while (0)

int anjay_send_batch_add_int(anjay_send_batch_builder_t *builder, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid,
                             anjay_riid_t riid, avs_time_real_t timestamp, int64_t value) {
    ADD(SEND_INT, integer, value);
}

int anjay_send_batch_add_uint(anjay_send_batch_builder_t *builder, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid,
                              anjay_riid_t riid, avs_time_real_t timestamp, uint64_t value) {
    ADD(SEND_UINT, uinteger, value);
}

int anjay_send_batch_add_double(anjay_send_batch_builder_t *builder, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid,
                                anjay_riid_t riid, avs_time_real_t timestamp, double value) {
    ADD(SEND_DOUBLE, number, value);
}

int anjay_send_batch_add_bool(anjay_send_batch_builder_t *builder, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid,
                              anjay_riid_t riid, avs_time_real_t timestamp, bool value) {
    ADD(SEND_BOOL, boolean, value);
}

static int add_bytes(anjay_send_batch_builder_t *builder, const anjay_uri_path_t *path, avs_time_real_t at,
                     const void *data, size_t size, bool string) {
    const size_t before = builder ? builder->list.count : 0;
    send_entry_t *entry = add(builder, path->ids[0], path->ids[1], path->ids[2], path->ids[3], at);
    if (!entry) {
        return -1;
    }
    if (send_entry_set_bytes(entry, data, size, string)) {
        send_log(ERROR, "out of memory: a value is not added");
        send_entries_truncate(&builder->list, before);
        return -1;
    }
    return 0;
}

int anjay_send_batch_add_string(anjay_send_batch_builder_t *builder, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid,
                                anjay_riid_t riid, avs_time_real_t timestamp, const char *str) {
    const anjay_uri_path_t path = { .ids = { oid, iid, rid, riid } };
    return str ? add_bytes(builder, &path, timestamp, str, strlen(str), true) : -1;
}

int anjay_send_batch_add_bytes(anjay_send_batch_builder_t *builder, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid,
                               anjay_riid_t riid, avs_time_real_t timestamp, const void *data, size_t length) {
    const anjay_uri_path_t path = { .ids = { oid, iid, rid, riid } };
    return data || !length ? add_bytes(builder, &path, timestamp, data, length, false) : -1;
}

int anjay_send_batch_add_objlnk(anjay_send_batch_builder_t *builder, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid,
                                anjay_riid_t riid, avs_time_real_t timestamp, anjay_oid_t objlnk_oid,
                                anjay_iid_t objlnk_iid) {
    send_entry_t *entry = add(builder, oid, iid, rid, riid, timestamp);
    if (!entry) {
        return -1;
    }
    entry->type = SEND_OBJLNK;
    entry->value.link.oid = objlnk_oid;
    entry->value.link.iid = objlnk_iid;
    return 0;
}

/* ------------------------------------------------------------------ the batch */

anjay_send_batch_t *anjay_send_batch_builder_compile(anjay_send_batch_builder_t **builder) {
    if (!builder || !*builder) {
        return NULL;
    }
    anjay_send_batch_t *batch = (anjay_send_batch_t *) avs_calloc(1, sizeof(*batch));
    if (!batch) {
        send_log(ERROR, "out of memory: no batch");
        return NULL;
    }
    atomic_init(&batch->references, 1);
    batch->list = (*builder)->list;
    avs_free(*builder);
    *builder = NULL;
    return batch;
}

anjay_send_batch_t *anjay_send_batch_acquire(const anjay_send_batch_t *batch) {
    anjay_send_batch_t *acquired = (anjay_send_batch_t *) (intptr_t) batch;
    if (acquired) {
        atomic_fetch_add(&acquired->references, 1);
    }
    return acquired;
}

void anjay_send_batch_release(anjay_send_batch_t **batch) {
    if (!batch || !*batch) {
        return;
    }
    if (atomic_fetch_sub(&(*batch)->references, 1) == 1) {
        send_entries_truncate(&(*batch)->list, 0);
        avs_free((*batch)->list.entries);
        avs_free(*batch);
    }
    *batch = NULL;
}

/* ------------------------------------------------------------------ payloads */

static bool is_sent(const send_entry_t *entry) {
    return entry->path.ids[0] != ANJAY_DM_OID_SECURITY;
}

/** What all paths begin with: the base name. Empty where they have nothing in common. */
static anjay_uri_path_t common_path(const send_entries_t *list) {
    anjay_uri_path_t common = anjay_path(0);
    bool any = false;
    for (size_t i = 0; i < list->count; ++i) {
        const uint16_t *ids = list->entries[i].path.ids;
        if (!is_sent(&list->entries[i])) {
            continue;
        }
        if (!any) {
            common = list->entries[i].path;
            any = true;
        }
        for (size_t n = 0, equal = 1; n < AVS_ARRAY_SIZE(common.ids); ++n) {
            equal = equal && common.ids[n] == ids[n];
            common.ids[n] = equal ? common.ids[n] : ANJAY_ID_INVALID;
        }
    }
    return common;
}

/** The SenML time of a moment: since 1970, or (negative) since now; 0 for now. */
static double senml_time(avs_time_real_t at, avs_time_real_t now) {
    const double since = avs_time_duration_to_fscalar(avs_time_real_diff(at, now), AVS_TIME_S);
    const double seconds = avs_time_real_to_fscalar(at, AVS_TIME_S);
    if (!avs_time_real_valid(at) || !(since <= 0)) {
        return 0;
    }
    return seconds >= ABSOLUTE_FROM ? seconds : since > -ABSOLUTE_FROM ? since : 0;
}

static int put(anjay_output_ctx_t *ctx, const send_entry_t *entry) {
    switch (entry->type) {
    case SEND_INT: return anjay_ret_i64(ctx, entry->value.integer);
    case SEND_UINT: return anjay_ret_u64(ctx, entry->value.uinteger);
    case SEND_DOUBLE: return anjay_ret_double(ctx, entry->value.number);
    case SEND_BOOL: return anjay_ret_bool(ctx, entry->value.boolean);
    case SEND_STRING: return anjay_ret_string(ctx, (const char *) entry->value.bytes.data);
    case SEND_BYTES: return anjay_ret_bytes(ctx, entry->value.bytes.data, entry->value.bytes.size);
    default: return anjay_ret_objlnk(ctx, entry->value.link.oid, entry->value.link.iid);
    }
}

int send_encode(const anjay_send_batch_t *batch, uint16_t format, avs_time_real_t now, coap_buf_t *out) {
    const anjay_uri_path_t base = common_path(&batch->list);
    anjay_output_ctx_t ctx;
    int result = anjay_output_start(&ctx, out, format, &base, true);
    for (size_t i = 0; i < batch->list.count && !result; ++i) {
        const send_entry_t *entry = &batch->list.entries[i];
        if (is_sent(entry)) {
            ctx.timestamp = senml_time(entry->at, now);
            (void) (anjay_output_set_path(&ctx, &entry->path) || put(&ctx, entry));
            result = ctx.error;
        }
    }
    return result || anjay_output_finish(&ctx) ? -1 : 0;
}
