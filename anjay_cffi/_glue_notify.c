/* SPDX-License-Identifier: Apache-2.0 */
/* Notifications from other threads while the client is at work: the real library keeps its lock for as long as a transfer
 * is open, minutes perhaps, and nobody should have to wait that long for an assignment. */
#include "_glue.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef struct {
    anjay_oid_t oid;
    anjay_iid_t iid;
    anjay_rid_t rid;
} change_t;

struct anjay_cffi_changes_struct {
    pthread_mutex_t lock;
    change_t *items; /* each resource once */
    atomic_size_t count;
    size_t capacity;
};

anjay_cffi_changes_t *anjay_cffi_changes_new(void) {
    anjay_cffi_changes_t *changes = (anjay_cffi_changes_t *) calloc(1, sizeof(*changes));
    if (changes) {
        pthread_mutex_init(&changes->lock, NULL);
    }
    return changes;
}

void anjay_cffi_changes_delete(anjay_cffi_changes_t *changes) {
    if (changes) {
        pthread_mutex_destroy(&changes->lock);
        free(changes->items);
        free(changes);
    }
}

static bool contains(const anjay_cffi_changes_t *changes, change_t change) {
    for (size_t i = 0; i < changes->count; ++i) {
        const change_t *item = &changes->items[i];
        if (item->oid == change.oid && item->iid == change.iid && item->rid == change.rid) {
            return true;
        }
    }
    return false;
}

static int grow(anjay_cffi_changes_t *changes) {
    size_t capacity = changes->capacity ? 2 * changes->capacity : 8;
    change_t *items = (change_t *) realloc(changes->items, capacity * sizeof(*items));
    if (!items) {
        return -1;
    }
    changes->items = items;
    changes->capacity = capacity;
    return 0;
}

int anjay_cffi_changes_add(anjay_cffi_changes_t *changes, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid) {
    const change_t change = { oid, iid, rid };
    int result = 0;
    pthread_mutex_lock(&changes->lock);
    if (!contains(changes, change)) {
        if (changes->count == changes->capacity) {
            result = grow(changes);
        }
        if (!result) {
            changes->items[changes->count++] = change;
        }
    }
    pthread_mutex_unlock(&changes->lock);
    return result;
}

bool anjay_cffi_changes_any(anjay_cffi_changes_t *changes) {
    return changes->count > 0;
}

void anjay_cffi_changes_flush(anjay_cffi_changes_t *changes, anjay_t *anjay) {
    if (!anjay_cffi_changes_any(changes)) {
        return;
    }
    pthread_mutex_lock(&changes->lock);
    while (changes->count) {
        const change_t change = changes->items[--changes->count];
        pthread_mutex_unlock(&changes->lock);
        /* An object that was unregistered meanwhile is observed by nobody. */
        (void) anjay_notify_changed(anjay, change.oid, change.iid, change.rid);
        pthread_mutex_lock(&changes->lock);
    }
    pthread_mutex_unlock(&changes->lock);
}
