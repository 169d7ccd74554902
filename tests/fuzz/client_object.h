/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The object and the firmware handlers of fuzz_client.c: every kind of Resource, a state that can be compared, handlers that insist on being called in
 * order, and that fail or call the API back on demand.
 */
#ifndef TESTS_FUZZ_CLIENT_OBJECT_H
#define TESTS_FUZZ_CLIENT_OBJECT_H

#include "mock_system.h"

#include <anjay/anjay.h>
#include <anjay/fw_update.h>

/** After so many calls a handler fails with `error`, or calls `call_back` first; 0: none does. */
static struct {
    unsigned after;
    int error;
    void (*call_back)(anjay_t *anjay);
} fault;

/** @returns what the handler that asks is to fail with, or 0. */
static int handler_fault(anjay_t *anjay) {
    if (!fault.after || --fault.after) {
        return 0;
    }
    if (fault.call_back) {
        fault.call_back(anjay);
    }
    return fault.error;
}

#define MAY_FAIL(Anjay)                          \
    do {                                         \
        const int fails = handler_fault(Anjay);  \
        if (fails) {                             \
            return fails;                        \
        }                                        \
    } while (0)

/* ------------------------------------------------------------------ the object */

enum { R_INT, R_TEXT, R_BYTES, R_DOUBLE, R_BOOL, R_LINK, R_UINT, R_MANY, R_EXEC, R_BIG, R_WRITE_ONLY, R_ABSENT, R_COUNT };
enum { OID = 3333, INSTANCES = 3, ELEMENTS = 3 };

typedef struct {
    bool present;
    int64_t integer;
    uint64_t natural;
    double number;
    bool flag;
    anjay_oid_t oid;
    anjay_iid_t iid;
    char text[24];
    uint8_t bytes[24];
    size_t bytes_size;
    bool many_present[ELEMENTS];
    int64_t many[ELEMENTS];
} instance_t;

static instance_t now[INSTANCES], saved[INSTANCES];
static bool open_transaction;

static int list_instances(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_dm_list_ctx_t *ctx) {
    (void) def;
    MAY_FAIL(anjay);
    for (anjay_iid_t i = 0; i < INSTANCES; ++i) {
        if (now[i].present) {
            anjay_dm_emit(ctx, i);
        }
    }
    return 0;
}

static int instance_create(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid) {
    (void) def;
    MAY_FAIL(anjay);
    REQUIRE(open_transaction);
    if (iid >= INSTANCES) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    REQUIRE(!now[iid].present);
    now[iid] = (instance_t) { .present = true };
    return 0;
}

static int instance_remove(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid) {
    (void) def;
    MAY_FAIL(anjay);
    REQUIRE(open_transaction && iid < INSTANCES && now[iid].present);
    now[iid].present = false;
    return 0;
}

static int instance_reset(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid) {
    (void) def;
    MAY_FAIL(anjay);
    REQUIRE(open_transaction && iid < INSTANCES && now[iid].present);
    now[iid] = (instance_t) { .present = true };
    return 0;
}

static int list_resources(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid, anjay_dm_resource_list_ctx_t *ctx) {
    (void) def;
    MAY_FAIL(anjay);
    REQUIRE(iid < INSTANCES && now[iid].present);
    for (anjay_rid_t rid = 0; rid < R_COUNT; ++rid) {
        anjay_dm_emit_res(ctx, rid,
                          rid == R_MANY         ? ANJAY_DM_RES_RWM
                          : rid == R_EXEC       ? ANJAY_DM_RES_E
                          : rid == R_BIG        ? ANJAY_DM_RES_R
                          : rid == R_WRITE_ONLY ? ANJAY_DM_RES_W
                                                : ANJAY_DM_RES_RW,
                          rid == R_ABSENT ? ANJAY_DM_RES_ABSENT : ANJAY_DM_RES_PRESENT);
    }
    return 0;
}

static int list_riids(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid, anjay_rid_t rid, anjay_dm_list_ctx_t *ctx) {
    (void) def;
    MAY_FAIL(anjay);
    REQUIRE(rid == R_MANY);
    for (anjay_riid_t i = 0; i < ELEMENTS; ++i) {
        if (now[iid].many_present[i]) {
            anjay_dm_emit(ctx, i);
        }
    }
    return 0;
}

static int resource_reset(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid, anjay_rid_t rid) {
    (void) def;
    MAY_FAIL(anjay);
    REQUIRE(open_transaction && rid == R_MANY && now[iid].present);
    memset(now[iid].many_present, 0, sizeof(now[iid].many_present));
    return 0;
}

static int resource_instance_remove(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid, anjay_rid_t rid,
                                    anjay_riid_t riid) {
    (void) def;
    MAY_FAIL(anjay);
    REQUIRE(open_transaction && iid < INSTANCES && now[iid].present && rid == R_MANY && riid < ELEMENTS && now[iid].many_present[riid]);
    now[iid].many_present[riid] = false;
    return 0;
}

static int resource_read(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid,
                         anjay_output_ctx_t *ctx) {
    (void) def;
    MAY_FAIL(anjay);
    REQUIRE(iid < INSTANCES && now[iid].present);
    REQUIRE((rid == R_MANY) == (riid != ANJAY_ID_INVALID));
    const instance_t *o = &now[iid];
    static char big[1500];
    switch (rid) {
    case R_INT: return anjay_ret_i64(ctx, o->integer);
    case R_TEXT: return anjay_ret_string(ctx, o->text);
    case R_BYTES: return anjay_ret_bytes(ctx, o->bytes, o->bytes_size);
    case R_DOUBLE: return anjay_ret_double(ctx, o->number);
    case R_BOOL: return anjay_ret_bool(ctx, o->flag);
    case R_LINK: return anjay_ret_objlnk(ctx, o->oid, o->iid);
    case R_UINT: return anjay_ret_u64(ctx, o->natural);
    case R_MANY: REQUIRE(riid < ELEMENTS && o->many_present[riid]); return anjay_ret_i64(ctx, o->many[riid]);
    case R_BIG: memset(big, 'x', sizeof(big) - 1); return anjay_ret_string(ctx, big);
    default: return ANJAY_ERR_INTERNAL;
    }
}

static int read_bytes(anjay_input_ctx_t *ctx, instance_t *o) {
    bool finished = false;
    o->bytes_size = 0;
    while (!finished) {
        size_t size = 0;
        if (o->bytes_size == sizeof(o->bytes)) {
            return ANJAY_ERR_BAD_REQUEST;
        }
        int result = anjay_get_bytes(ctx, &size, &finished, o->bytes + o->bytes_size, sizeof(o->bytes) - o->bytes_size);
        if (result) {
            return result;
        }
        o->bytes_size += size;
    }
    return 0;
}

static int write_value(anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid, anjay_input_ctx_t *ctx) {
    REQUIRE(open_transaction && iid < INSTANCES && now[iid].present);
    REQUIRE((rid == R_MANY) == (riid != ANJAY_ID_INVALID));
    instance_t *o = &now[iid];
    int64_t ignored;
    int result;
    switch (rid) {
    case R_INT: return anjay_get_i64(ctx, &o->integer);
    case R_TEXT: result = anjay_get_string(ctx, o->text, sizeof(o->text)); return result > 0 ? ANJAY_ERR_BAD_REQUEST : result;
    case R_BYTES: return read_bytes(ctx, o);
    case R_DOUBLE: return anjay_get_double(ctx, &o->number);
    case R_BOOL: return anjay_get_bool(ctx, &o->flag);
    case R_LINK: return anjay_get_objlnk(ctx, &o->oid, &o->iid);
    case R_UINT: return anjay_get_u64(ctx, &o->natural);
    case R_MANY:
        if (riid >= ELEMENTS) {
            return ANJAY_ERR_NOT_FOUND;
        }
        o->many_present[riid] = true;
        return anjay_get_i64(ctx, &o->many[riid]);
    default: return anjay_get_i64(ctx, &ignored);
    }
}

static int resource_write(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid,
                          anjay_input_ctx_t *ctx) {
    (void) def;
    MAY_FAIL(anjay);
    const int result = write_value(iid, rid, riid, ctx);
    MAY_FAIL(anjay); /* with half of the work done */
    return result;
}

static int resource_execute(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid, anjay_rid_t rid,
                            anjay_execute_ctx_t *ctx) {
    (void) def;
    MAY_FAIL(anjay);
    REQUIRE(rid == R_EXEC && now[iid].present);
    int arg, result;
    bool has_value;
    while (!(result = anjay_execute_get_next_arg(ctx, &arg, &has_value))) {
        char value[8];
        size_t size;
        REQUIRE(arg >= 0 && arg <= 9);
        while (has_value && anjay_execute_get_arg_value(ctx, &size, value, sizeof(value)) == ANJAY_BUFFER_TOO_SHORT) {
        }
    }
    return result == ANJAY_EXECUTE_GET_ARG_END ? 0 : result;
}

static int transaction_begin(anjay_t *anjay, const anjay_dm_object_def_t *const *def) {
    (void) def;
    MAY_FAIL(anjay);
    REQUIRE(!open_transaction);
    open_transaction = true;
    memcpy(saved, now, sizeof(now));
    return 0;
}

static int transaction_validate(anjay_t *anjay, const anjay_dm_object_def_t *const *def) {
    (void) def;
    MAY_FAIL(anjay);
    REQUIRE(open_transaction);
    return now[0].integer == 13 ? ANJAY_ERR_BAD_REQUEST : 0;
}

static int transaction_commit(anjay_t *anjay, const anjay_dm_object_def_t *const *def) {
    (void) anjay;
    (void) def;
    REQUIRE(open_transaction);
    open_transaction = false;
    return 0;
}

static int transaction_rollback(anjay_t *anjay, const anjay_dm_object_def_t *const *def) {
    REQUIRE(open_transaction);
    memcpy(now, saved, sizeof(now));
    return transaction_commit(anjay, def);
}

static const anjay_dm_object_def_t OBJECT = { .oid = OID,
                                              .version = "1.1",
                                              .handlers = { .list_instances = list_instances,
                                                            .instance_create = instance_create,
                                                            .instance_remove = instance_remove,
                                                            .instance_reset = instance_reset,
                                                            .list_resources = list_resources,
                                                            .list_resource_instances = list_riids,
                                                            .resource_read = resource_read,
                                                            .resource_write = resource_write,
                                                            .resource_execute = resource_execute,
                                                            .resource_reset = resource_reset,
                                                            .resource_instance_remove = resource_instance_remove,
                                                            .transaction_begin = transaction_begin,
                                                            .transaction_validate = transaction_validate,
                                                            .transaction_commit = transaction_commit,
                                                            .transaction_rollback = transaction_rollback } };
static const anjay_dm_object_def_t *const OBJECT_PTR = &OBJECT;

/* ------------------------------------------------------------------ firmware */

static enum { FW_NONE, FW_OPEN, FW_COMPLETE } firmware;
static size_t firmware_size;

static int fw_open(void *user, const char *uri, const struct anjay_etag *etag) {
    MAY_FAIL((anjay_t *) user);
    (void) uri;
    (void) etag;
    REQUIRE(firmware == FW_NONE);
    firmware = FW_OPEN;
    firmware_size = 0;
    return 0;
}

static int fw_write(void *user, const void *data, size_t size) {
    REQUIRE(firmware == FW_OPEN && size && data);
    MAY_FAIL((anjay_t *) user);
    static volatile uint8_t sink;
    sink = ((const uint8_t *) data)[0] ^ ((const uint8_t *) data)[size - 1];
    firmware_size += size;
    return sink == 0xE5 ? ANJAY_FW_UPDATE_ERR_OUT_OF_MEMORY : 0;
}

static int fw_finish(void *user) {
    REQUIRE(firmware == FW_OPEN);
    firmware = FW_NONE; /* closed, whatever this returns */
    MAY_FAIL((anjay_t *) user);
    firmware = firmware_size % 5 ? FW_COMPLETE : FW_NONE;
    return firmware == FW_COMPLETE ? 0 : ANJAY_FW_UPDATE_ERR_INTEGRITY_FAILURE;
}

static void fw_reset(void *user) {
    (void) user;
    firmware = FW_NONE;
}

static int fw_upgrade(void *user) {
    REQUIRE(firmware == FW_COMPLETE);
    MAY_FAIL((anjay_t *) user);
    return anjay_fw_update_set_result((anjay_t *) user, firmware_size % 3 ? ANJAY_FW_UPDATE_RESULT_SUCCESS
                                                                            : ANJAY_FW_UPDATE_RESULT_FAILED);
}

static const char *fw_name(void *user) {
    (void) user;
    REQUIRE(firmware == FW_COMPLETE);
    return firmware_size % 2 ? "name" : NULL;
}

static const anjay_fw_update_handlers_t FIRMWARE = { .stream_open = fw_open,
                                                     .stream_write = fw_write,
                                                     .stream_finish = fw_finish,
                                                     .reset = fw_reset,
                                                     .get_name = fw_name,
                                                     .perform_upgrade = fw_upgrade };

#endif /* TESTS_FUZZ_CLIENT_OBJECT_H */
