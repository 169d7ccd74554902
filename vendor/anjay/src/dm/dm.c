/* SPDX-License-Identifier: Apache-2.0 */
/** The registry of objects, and what follows when values or Instances change. */
#include "../../../avs_commons/src/sched/sched_internal.h"
#include "dm_internal.h"

#include <avsystem/commons/avs_memory.h>

#include <string.h>

void anjay_dm_init(anjay_dm_t *dm) {
    memset(dm, 0, sizeof(*dm));
}

void anjay_dm_cleanup(anjay_t *anjay) {
    anjay_dm_t *dm = &anjay->dm;
    avs_sched_del(&dm->changes_job);
    for (size_t i = 0; i < dm->objects_count; ++i) {
        avs_free(dm->objects[i]);
    }
    avs_free(dm->objects);
    avs_free(dm->changes);
    anjay_attrs_remove(anjay, ANJAY_SSID_ANY, NULL);
    memset(dm, 0, sizeof(*dm));
}

/** Index of the object, or where it would be inserted. */
static size_t position(const anjay_dm_t *dm, anjay_oid_t oid) {
    size_t low = 0, high = dm->objects_count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if ((*dm->objects[middle]->def_ptr)->oid < oid) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

anjay_dm_object_t *anjay_dm_find(anjay_t *anjay, anjay_oid_t oid) {
    const size_t i = position(&anjay->dm, oid);
    return i < anjay->dm.objects_count && (*anjay->dm.objects[i]->def_ptr)->oid == oid ? anjay->dm.objects[i] : NULL;
}

anjay_dm_object_t *anjay_dm_find_from(anjay_t *anjay, anjay_oid_t oid) {
    const size_t i = position(&anjay->dm, oid);
    return i < anjay->dm.objects_count ? anjay->dm.objects[i] : NULL;
}

static bool version_valid(const char *version) {
    return !version || (version[0] >= '0' && version[0] <= '9' && version[1] == '.' && version[2] >= '0'
                        && version[2] <= '9' && !version[3]);
}

static int register_object(anjay_t *anjay, const anjay_dm_object_def_t *const *def_ptr, bool internal) {
    if (!def_ptr || !*def_ptr || (*def_ptr)->oid == ANJAY_ID_INVALID || !version_valid((*def_ptr)->version)) {
        dm_log(ERROR, "not an object definition, or its version is not X.Y");
        return -1;
    }
    anjay_dm_t *dm = &anjay->dm;
    const anjay_oid_t oid = (*def_ptr)->oid;
    if (anjay_dm_find(anjay, oid)) {
        dm_log(ERROR, "/%u is registered already", oid);
        return -1;
    }
    anjay_dm_object_t **objects =
            (anjay_dm_object_t **) avs_realloc(dm->objects, (dm->objects_count + 1) * sizeof(*objects));
    if (objects) {
        dm->objects = objects;
    }
    anjay_dm_object_t *obj = objects ? (anjay_dm_object_t *) avs_calloc(1, sizeof(*obj)) : NULL;
    if (!obj) {
        dm_log(ERROR, "out of memory");
        return -1;
    }
    obj->def_ptr = def_ptr;
    obj->internal = internal;
    const size_t at = position(dm, oid);
    memmove(objects + at + 1, objects + at, (dm->objects_count - at) * sizeof(*objects));
    objects[at] = obj;
    ++dm->objects_count;
    anjay_dm_changed(anjay, &(const anjay_uri_path_t) { .ids = { oid, ANJAY_ID_INVALID, ANJAY_ID_INVALID, ANJAY_ID_INVALID } },
                     true);
    return 0;
}

int anjay_dm_register_internal(anjay_t *anjay, const anjay_dm_object_def_t *const *def_ptr) {
    return register_object(anjay, def_ptr, true);
}

int anjay_register_object(anjay_t *anjay, const anjay_dm_object_def_t *const *def_ptr) {
    if (!anjay) {
        return -1;
    }
    anjay_lock(anjay);
    int result = register_object(anjay, def_ptr, false);
    anjay_unlock(anjay);
    return result;
}

int anjay_unregister_object(anjay_t *anjay, const anjay_dm_object_def_t *const *def_ptr) {
    if (!anjay || !def_ptr || !*def_ptr) {
        return -1;
    }
    int result = -1;
    anjay_lock(anjay);
    anjay_dm_t *dm = &anjay->dm;
    const anjay_uri_path_t path = anjay_path(1, (int) (*def_ptr)->oid);
    anjay_dm_object_t *obj = anjay_dm_find(anjay, (*def_ptr)->oid);
    if (!obj || obj->def_ptr != def_ptr) {
        dm_log(ERROR, "/%u is not registered", (*def_ptr)->oid);
    } else if (obj->pins || obj->in_transaction) {
        dm_log(ERROR, "/%u cannot be unregistered while one of its handlers runs", (*def_ptr)->oid);
    } else {
        const size_t at = position(dm, (*def_ptr)->oid);
        memmove(dm->objects + at, dm->objects + at + 1, (dm->objects_count - at - 1) * sizeof(*dm->objects));
        --dm->objects_count;
        avs_free(obj);
        anjay_attrs_remove(anjay, ANJAY_SSID_ANY, &path);
        anjay_dm_changed(anjay, &path, true);
        result = 0;
    }
    anjay_unlock(anjay);
    return result;
}

int anjay_dm_list_instances_SINGLE(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr,
                                   anjay_dm_list_ctx_t *ctx) {
    (void) anjay;
    (void) obj_ptr;
    anjay_dm_emit(ctx, 0);
    return 0;
}

int anjay_dm_foreach_instance(anjay_t *anjay, anjay_dm_object_t *obj, anjay_dm_instance_clb_t *clb, void *arg) {
    dm_ids_t ids = { 0 };
    int result = dm_list_instances(anjay, obj, &ids);
    for (size_t i = 0; i < ids.count && !result; ++i) {
        result = clb(anjay, obj, ids.ids[i], arg);
    }
    dm_ids_cleanup(&ids);
    return result;
}

/* ------------------------------------------------------------------ links of a registration */

static int register_instance(anjay_t *anjay, anjay_dm_object_t *obj, anjay_iid_t iid, void *out) {
    (void) anjay;
    const anjay_uri_path_t path = anjay_path(2, (int) (*obj->def_ptr)->oid, (int) iid);
    return anjay_link_append((coap_buf_t *) out, &path);
}

int anjay_dm_register_payload(anjay_t *anjay, coap_buf_t *out) {
    /* handlers run: another thread may register an object meanwhile, so the next one is looked for by its number */
    for (size_t i = position(&anjay->dm, OID_SECURITY + 1), next; i < anjay->dm.objects_count; i = next) {
        anjay_dm_object_t *obj = anjay->dm.objects[i];
        const anjay_dm_object_def_t *def = *obj->def_ptr;
        const size_t before = out->size;
        const anjay_uri_path_t path = anjay_path(1, (int) def->oid);
        if (anjay_link_append(out, &path) || (def->version && anjay_link_attr(out, "ver", def->version))) {
            return -1;
        }
        const size_t object_end = out->size;
        int result = anjay_dm_foreach_instance(anjay, obj, register_instance, out);
        next = position(&anjay->dm, (anjay_oid_t) (def->oid + 1));
        if (result) {
            dm_log(ERROR, "/%u: Instances can't be listed: %d", def->oid, result);
            out->size = object_end;
        } else if (out->size > object_end && !def->version) { /* the object itself is said only where Instances don't say it */
            const size_t size = out->size - object_end;
            const size_t skip = before ? 0 : 1; /* the comma, at the very beginning */
            memmove(out->data + before, out->data + object_end + skip, size - skip);
            out->size = before + size - skip;
        }
    }
    return 0;
}

/* ------------------------------------------------------------------ changes */

/** @returns 0, or -1 when memory ran out. */
static int note(anjay_t *anjay, const anjay_uri_path_t *path, bool instances, bool own) {
    anjay_dm_t *dm = &anjay->dm;
    for (size_t i = dm->changes_count; i-- > 0;) {
        if (dm->changes[i].instances == instances && anjay_path_equal(&dm->changes[i].path, path)) {
            dm->changes[i].own |= own;
            return 0;
        }
    }
    if (dm->changes_count == dm->changes_capacity) {
        const size_t capacity = dm->changes_capacity ? 2 * dm->changes_capacity : 8;
        anjay_dm_change_t *changes = (anjay_dm_change_t *) avs_realloc(dm->changes, capacity * sizeof(*changes));
        if (!changes) {
            dm_log(ERROR, "out of memory: a change is notified later");
            dm->changes_lost = true;
            atomic_store(&anjay->jobs_lost, true);
            return -1;
        }
        dm->changes = changes;
        dm->changes_capacity = capacity;
    }
    dm->changes[dm->changes_count++] = (anjay_dm_change_t) { *path, instances, own };
    return 0;
}

void dm_note_change(anjay_t *anjay, const anjay_uri_path_t *path, bool instances) {
    note(anjay, path, instances, false);
}

void dm_forget_changes(anjay_t *anjay) {
    anjay_dm_t *dm = &anjay->dm;
    size_t kept = 0;
    for (size_t i = 0; i < dm->changes_count; ++i) {
        if (dm->changes[i].own) {
            dm->changes[kept++] = dm->changes[i];
        }
    }
    dm->changes_count = kept;
}

static void act_on_change(anjay_t *anjay, const anjay_dm_change_t *change, anjay_ssid_t writer) {
    const anjay_oid_t oid = change->path.ids[0];
    if (oid == OID_SECURITY || (oid == OID_SERVER && change->instances)) {
        anjay_servers_reload(anjay);
    }
    if (oid == OID_SERVER && (change->path.ids[2] == 1 || change->path.ids[2] == 7)) { /* Lifetime, Binding */
        anjay_server_view_t server;
        for (size_t i = 0; anjay_server_nth(anjay, i, &server); ++i) {
            if (server.iid == change->path.ids[1]) {
                anjay_servers_update_needed(anjay, server.ssid);
            }
        }
    }
    if (oid == OID_SERVER) { /* Mute Send, or an Instance that came or went */
        anjay_send_review(anjay);
    }
    if (change->instances) {
        dm_prune_attrs(anjay, oid);
    }
    if (change->instances && oid != OID_SECURITY) {
        anjay_servers_update_needed(anjay, ANJAY_SSID_ANY);
    }
    anjay_observe_changed(anjay, &change->path, anjay->config.enable_self_notify || change->own ? ANJAY_SSID_ANY : writer);
}

void dm_flush_changes(anjay_t *anjay, anjay_ssid_t writer) {
    anjay_dm_t *dm = &anjay->dm;
    /* acting on one may note others: by index */
    for (size_t i = 0; i < dm->changes_count; ++i) {
        const anjay_dm_change_t change = dm->changes[i];
        act_on_change(anjay, &change, writer);
    }
    dm->changes_count = 0;
}

static void changes_job(avs_sched_t *sched, const void *anjay_ptr) {
    (void) sched;
    anjay_t *anjay = *(anjay_t *const *) anjay_ptr;
    anjay_lock(anjay);
    dm_flush_changes(anjay, ANJAY_SSID_ANY);
    anjay_unlock(anjay);
}

/** @returns 0, or -1 when memory ran out: then anjay_dm_repair() does it later. */
static int plan_changes(anjay_t *anjay) {
    if (sched_pending(&anjay->dm.changes_job)
            || !AVS_SCHED_NOW(anjay->sched, &anjay->dm.changes_job, changes_job, &anjay, sizeof(anjay))) {
        return 0;
    }
    atomic_store(&anjay->jobs_lost, true);
    return -1;
}

int anjay_dm_changed(anjay_t *anjay, const anjay_uri_path_t *path, bool instances) {
    const bool of_the_library = path->ids[0] == OID_SECURITY || path->ids[0] == OID_SERVER;
    if (!instances && !of_the_library && !anjay_observe_concerned(anjay, path)) {
        return 0; /* a program may notify every second what nobody observes */
    }
    if (note(anjay, path, instances, true)) {
        return -1;
    }
    return plan_changes(anjay);
}

void anjay_dm_repair(anjay_t *anjay) {
    anjay_dm_t *dm = &anjay->dm;
    if (dm->changes_lost) {
        dm->changes_lost = false;
        for (size_t i = 0; i < dm->objects_count; ++i) {
            const anjay_dm_change_t change = { anjay_path(1, (int) (*dm->objects[i]->def_ptr)->oid), true, true };
            act_on_change(anjay, &change, ANJAY_SSID_ANY);
        }
        anjay_server_view_t server;
        for (size_t i = 0; anjay_server_nth(anjay, i, &server); ++i) {
            anjay_servers_update_needed(anjay, server.ssid);
        }
    }
    if (dm->changes_count) {
        (void) plan_changes(anjay);
    }
}

int anjay_notify_changed(anjay_t *anjay, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid) {
    if (!anjay) {
        return -1;
    }
    const anjay_uri_path_t path = anjay_path(3, (int) oid, (int) iid, (int) rid);
    anjay_lock(anjay);
    int result = anjay_dm_find(anjay, oid) ? anjay_dm_changed(anjay, &path, false) : -1;
    anjay_unlock(anjay);
    return result;
}

int anjay_notify_instances_changed(anjay_t *anjay, anjay_oid_t oid) {
    if (!anjay) {
        return -1;
    }
    const anjay_uri_path_t path = anjay_path(1, (int) oid);
    anjay_lock(anjay);
    int result = anjay_dm_find(anjay, oid) ? anjay_dm_changed(anjay, &path, true) : -1;
    anjay_unlock(anjay);
    return result;
}
