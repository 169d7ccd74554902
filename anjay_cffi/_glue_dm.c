/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers of a data-model object: lists are answered from tables, values are asked of Python. */
#include "_glue_dm.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Implemented in Python (_dm_trampolines.py). */
extern int anjay_cffi_dm_read(void *handle, uint16_t iid, size_t index, int32_t riid, anjay_output_ctx_t *ctx);
extern int anjay_cffi_dm_write(void *handle, uint16_t iid, size_t index, int32_t riid, anjay_input_ctx_t *ctx);
extern int anjay_cffi_dm_execute(void *handle, uint16_t iid, size_t index, anjay_execute_ctx_t *ctx);
extern int anjay_cffi_dm_riids(void *handle, uint16_t iid, size_t index, anjay_dm_list_ctx_t *ctx);
extern int anjay_cffi_dm_reset(void *handle, uint16_t iid, int64_t index);
extern int anjay_cffi_dm_remove_element(void *handle, uint16_t iid, size_t index, uint16_t riid);
extern int anjay_cffi_dm_create(void *handle, uint16_t iid);
extern int anjay_cffi_dm_delete(void *handle, uint16_t iid);
extern int anjay_cffi_dm_transaction(void *handle, int what);

/* The instances. Never held locked while the library is called: it asks for resources from within a list of instances. */
typedef struct {
    unsigned users; /* whoever reads it, and the object */
    size_t instances;
    uint16_t *iids;
    uint8_t *present; /* one byte a resource, instance after instance */
} table_t;

struct anjay_cffi_object_struct {
    const anjay_dm_object_def_t *def_ptr; /* first: handlers get its address */
    anjay_dm_object_def_t def;
    void *handle;
    uint16_t *rids;
    uint8_t *kinds;
    size_t count;
    pthread_mutex_t lock; /* guards `table` and its users: Python may replace it while a loop runs */
    table_t *table;
};

typedef anjay_cffi_object_t object_t;
typedef const anjay_dm_object_def_t *const *def_t;

/* How many handlers of this thread are under way. */
static _Thread_local int depth;

static int leave(int result) {
    --depth;
    return result;
}

#define WITHIN_HANDLER(call) (++depth, leave(call))

int anjay_cffi_in_handler(void) {
    return depth > 0;
}

static object_t *object_of(def_t def) {
    return (object_t *) (uintptr_t) def;
}

/* Index of a resource; `count` if the object has none of that id. */
static size_t index_of(const object_t *object, anjay_rid_t rid) {
    size_t low = 0, high = object->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (object->rids[middle] < rid) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < object->count && object->rids[low] == rid ? low : object->count;
}

static table_t *take(object_t *object) {
    pthread_mutex_lock(&object->lock);
    table_t *table = object->table;
    ++table->users;
    pthread_mutex_unlock(&object->lock);
    return table;
}

static void give_back(object_t *object, table_t *table) {
    pthread_mutex_lock(&object->lock);
    const int last = !--table->users;
    pthread_mutex_unlock(&object->lock);
    if (last) {
        free(table);
    }
}

static int list_instances(anjay_t *anjay, def_t def, anjay_dm_list_ctx_t *ctx) {
    (void) anjay;
    object_t *object = object_of(def);
    table_t *table = take(object);
    for (size_t i = 0; i < table->instances; ++i) {
        anjay_dm_emit(ctx, table->iids[i]);
    }
    give_back(object, table);
    return 0;
}

/* What is known of an instance; NULL if it is gone. */
static uint8_t *row_of(const object_t *object, const table_t *table, uint16_t iid) {
    size_t low = 0, high = table->instances;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (table->iids[middle] < iid) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < table->instances && table->iids[low] == iid ? table->present + low * object->count : NULL;
}

static int list_resources(anjay_t *anjay, def_t def, anjay_iid_t iid, anjay_dm_resource_list_ctx_t *ctx) {
    (void) anjay;
    object_t *object = object_of(def);
    table_t *table = take(object);
    const uint8_t *row = row_of(object, table, iid);
    for (size_t i = 0; row && i < object->count; ++i) {
        const int there = __atomic_load_n(&row[i], __ATOMIC_RELAXED);
        anjay_dm_emit_res(ctx, object->rids[i], (anjay_dm_resource_kind_t) object->kinds[i],
                          there ? ANJAY_DM_RES_PRESENT : ANJAY_DM_RES_ABSENT);
    }
    give_back(object, table);
    return row ? 0 : ANJAY_ERR_NOT_FOUND;
}

static int32_t element_of(anjay_riid_t riid) {
    return riid == ANJAY_ID_INVALID ? -1 : (int32_t) riid;
}

static int resource_read(anjay_t *anjay, def_t def, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid,
                         anjay_output_ctx_t *ctx) {
    (void) anjay;
    object_t *object = object_of(def);
    return WITHIN_HANDLER(anjay_cffi_dm_read(object->handle, iid, index_of(object, rid), element_of(riid), ctx));
}

static int resource_write(anjay_t *anjay, def_t def, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid,
                          anjay_input_ctx_t *ctx) {
    (void) anjay;
    object_t *object = object_of(def);
    return WITHIN_HANDLER(anjay_cffi_dm_write(object->handle, iid, index_of(object, rid), element_of(riid), ctx));
}

static int resource_execute(anjay_t *anjay, def_t def, anjay_iid_t iid, anjay_rid_t rid, anjay_execute_ctx_t *ctx) {
    (void) anjay;
    object_t *object = object_of(def);
    return WITHIN_HANDLER(anjay_cffi_dm_execute(object->handle, iid, index_of(object, rid), ctx));
}

static int list_riids(anjay_t *anjay, def_t def, anjay_iid_t iid, anjay_rid_t rid, anjay_dm_list_ctx_t *ctx) {
    (void) anjay;
    object_t *object = object_of(def);
    return WITHIN_HANDLER(anjay_cffi_dm_riids(object->handle, iid, index_of(object, rid), ctx));
}

static int instance_reset(anjay_t *anjay, def_t def, anjay_iid_t iid) {
    (void) anjay;
    return WITHIN_HANDLER(anjay_cffi_dm_reset(object_of(def)->handle, iid, -1));
}

static int resource_reset(anjay_t *anjay, def_t def, anjay_iid_t iid, anjay_rid_t rid) {
    (void) anjay;
    object_t *object = object_of(def);
    return WITHIN_HANDLER(anjay_cffi_dm_reset(object->handle, iid, (int64_t) index_of(object, rid)));
}

#ifdef ANJAY_HAS_LWM2M12_LAYOUT
static int remove_element(anjay_t *anjay, def_t def, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid) {
    (void) anjay;
    object_t *object = object_of(def);
    return WITHIN_HANDLER(anjay_cffi_dm_remove_element(object->handle, iid, index_of(object, rid), riid));
}
#endif

static int instance_create(anjay_t *anjay, def_t def, anjay_iid_t iid) {
    (void) anjay;
    return WITHIN_HANDLER(anjay_cffi_dm_create(object_of(def)->handle, iid));
}

static int instance_remove(anjay_t *anjay, def_t def, anjay_iid_t iid) {
    (void) anjay;
    return WITHIN_HANDLER(anjay_cffi_dm_delete(object_of(def)->handle, iid));
}

static int transaction_begin(anjay_t *anjay, def_t def) {
    (void) anjay;
    return WITHIN_HANDLER(anjay_cffi_dm_transaction(object_of(def)->handle, 0));
}

static int transaction_validate(anjay_t *anjay, def_t def) {
    (void) anjay;
    return WITHIN_HANDLER(anjay_cffi_dm_transaction(object_of(def)->handle, 1));
}

static int transaction_commit(anjay_t *anjay, def_t def) {
    (void) anjay;
    return WITHIN_HANDLER(anjay_cffi_dm_transaction(object_of(def)->handle, 2));
}

static int transaction_rollback(anjay_t *anjay, def_t def) {
    (void) anjay;
    return WITHIN_HANDLER(anjay_cffi_dm_transaction(object_of(def)->handle, 3));
}

static void install(anjay_dm_handlers_t *handlers, int flags) {
    handlers->list_instances = list_instances;
    handlers->list_resources = list_resources;
    if (flags & ANJAY_CFFI_READS) {
        handlers->resource_read = resource_read;
    }
    if (flags & ANJAY_CFFI_WRITES) {
        handlers->resource_write = resource_write;
        handlers->instance_reset = instance_reset;
    }
    if (flags & ANJAY_CFFI_EXECUTES) {
        handlers->resource_execute = resource_execute;
    }
    if (flags & ANJAY_CFFI_MULTIPLE) {
        handlers->list_resource_instances = list_riids;
        if (flags & ANJAY_CFFI_WRITES) {
            handlers->resource_reset = resource_reset;
        }
    }
#ifdef ANJAY_HAS_LWM2M12_LAYOUT
    if (flags & ANJAY_CFFI_REMOVES) {
        handlers->resource_instance_remove = remove_element;
    }
#endif
    if (flags & ANJAY_CFFI_CREATES) {
        handlers->instance_create = instance_create;
    }
    if (flags & ANJAY_CFFI_DELETES) {
        handlers->instance_remove = instance_remove;
    }
    if (flags & (ANJAY_CFFI_WRITES | ANJAY_CFFI_CREATES | ANJAY_CFFI_DELETES)) {
        handlers->transaction_begin = transaction_begin;
        handlers->transaction_validate = transaction_validate;
        handlers->transaction_commit = transaction_commit;
        handlers->transaction_rollback = transaction_rollback;
    }
}

/* A table of one piece; NULL when out of memory. */
static table_t *make_table(const object_t *object, const uint16_t *iids, const uint8_t *present, size_t count) {
    const size_t ids = count * sizeof(*iids), bytes = count * object->count;
    table_t *table = (table_t *) malloc(sizeof(*table) + ids + bytes);
    if (table) {
        table->users = 1;
        table->instances = count;
        table->iids = (uint16_t *) (table + 1);
        table->present = (uint8_t *) (table + 1) + ids;
        memcpy(table->iids, iids, ids);
        memcpy(table->present, present, bytes);
    }
    return table;
}

anjay_cffi_object_t *anjay_cffi_object_new(void *handle, anjay_oid_t oid, const char *version, int flags,
                                           const uint16_t *rids, const uint8_t *kinds, size_t count) {
    object_t *object = (object_t *) calloc(1, sizeof(*object));
    if (!object) {
        return NULL;
    }
    object->rids = (uint16_t *) malloc(count * sizeof(*rids) + 1);
    object->kinds = (uint8_t *) malloc(count + 1);
    object->table = make_table(object, rids, kinds, 0);
    if (!object->rids || !object->kinds || !object->table) {
        free(object->rids);
        free(object->kinds);
        free(object->table);
        free(object);
        return NULL;
    }
    memcpy(object->rids, rids, count * sizeof(*rids));
    memcpy(object->kinds, kinds, count);
    object->count = count;
    object->handle = handle;
    object->def_ptr = &object->def;
    object->def.oid = oid;
    object->def.version = version;
    install(&object->def.handlers, flags);
    pthread_mutex_init(&object->lock, NULL);
    anjay_cffi_count_object(1);
    return object;
}

void anjay_cffi_object_delete(anjay_cffi_object_t *object) {
    if (object) {
        pthread_mutex_destroy(&object->lock);
        free(object->rids);
        free(object->kinds);
        free(object->table);
        free(object);
        anjay_cffi_count_object(-1);
    }
}

const anjay_dm_object_def_t *const *anjay_cffi_object_def(anjay_cffi_object_t *object) {
    return &object->def_ptr;
}

int anjay_cffi_object_set(anjay_cffi_object_t *object, const uint16_t *iids, const uint8_t *present, size_t count) {
    table_t *table = make_table(object, iids, present, count);
    if (!table) {
        return -1;
    }
    pthread_mutex_lock(&object->lock);
    table_t *old = object->table;
    object->table = table;
    pthread_mutex_unlock(&object->lock);
    give_back(object, old);
    return 0;
}

static int notify_one(const anjay_cffi_notice_t *notice, anjay_oid_t oid, anjay_iid_t iid) {
    int result = 0;
    for (size_t i = 0; i < notice->count && !result; ++i) {
        result = anjay_cffi_notify(notice->loop, notice->anjay, oid, iid, notice->rids[i]);
    }
    return result;
}

int anjay_cffi_notify_all(const anjay_cffi_notice_t *notice) {
    anjay_cffi_object_t *object = __atomic_load_n(&notice->object, __ATOMIC_RELAXED);
    if (!object) {
        return -1;
    }
    if (notice->iid != ANJAY_ID_INVALID) {
        return notify_one(notice, object->def.oid, notice->iid);
    }
    table_t *table = take(object);
    int result = 0;
    for (size_t i = 0; i < table->instances && !result; ++i) {
        result = notify_one(notice, object->def.oid, table->iids[i]);
    }
    give_back(object, table);
    return result;
}

void anjay_cffi_object_set_present(anjay_cffi_object_t *object, uint16_t iid, size_t index, int present) {
    table_t *table = take(object);
    uint8_t *row = row_of(object, table, iid);
    if (row && index < object->count) {
        __atomic_store_n(&row[index], (uint8_t) present, __ATOMIC_RELAXED);
    }
    give_back(object, table);
}
