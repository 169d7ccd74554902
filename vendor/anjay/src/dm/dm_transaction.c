/* SPDX-License-Identifier: Apache-2.0 */
/** A request changes everything that it says, or nothing: begin, validate, commit or rollback of the objects involved. */
#include "dm_internal.h"

int anjay_dm_transaction_NOOP(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr) {
    (void) anjay;
    (void) obj_ptr;
    return 0;
}

static int call(anjay_t *anjay, anjay_dm_object_t *obj, anjay_dm_transaction_begin_t *handler) {
    int result = 0;
    if (handler) {
        DM_CALL(anjay, obj, result, handler(anjay, obj->def_ptr));
    }
    return dm_error(result);
}

int dm_transaction_begin(anjay_t *anjay, anjay_dm_object_t *obj) {
    if (obj->in_transaction) {
        return 0;
    }
    int result = call(anjay, obj, (*obj->def_ptr)->handlers.transaction_begin);
    if (!result) {
        obj->in_transaction = true;
        obj->next_in_transaction = anjay->dm.in_transaction;
        anjay->dm.in_transaction = obj;
    }
    return result;
}

int dm_transaction_end(anjay_t *anjay, int result) {
    anjay_dm_t *dm = &anjay->dm;
    for (anjay_dm_object_t *obj = dm->in_transaction; obj && !result; obj = obj->next_in_transaction) {
        result = call(anjay, obj, (*obj->def_ptr)->handlers.transaction_validate);
    }
    while (dm->in_transaction) {
        anjay_dm_object_t *obj = dm->in_transaction;
        const anjay_dm_handlers_t *handlers = &(*obj->def_ptr)->handlers;
        const int ended = call(anjay, obj, result ? handlers->transaction_rollback : handlers->transaction_commit);
        if (ended) {
            dm_log(ERROR, "/%u: %s failed: %d", (*obj->def_ptr)->oid, result ? "rollback" : "commit", ended);
            result = result ? result : ended;
        }
        dm->in_transaction = obj->next_in_transaction;
        obj->in_transaction = false;
    }
    return result;
}
