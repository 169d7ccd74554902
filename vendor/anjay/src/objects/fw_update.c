/* SPDX-License-Identifier: Apache-2.0 */
/** Firmware Update object /5 (LwM2M Core 1.1, appendix E.6), push mode: states and results around the user's handlers. */
#include "objects.h"

#include "../../../avs_commons/src/sched/sched_internal.h"
#include "../core/core.h"

#include <anjay/fw_update.h>

#include <avsystem/commons/avs_log.h>
#include <avsystem/commons/avs_memory.h>
#include <avsystem/commons/avs_utils.h>

#define fw_log(Level, ...) avs_log(fw_update, Level, __VA_ARGS__)

enum {
    FW_OID = 5,
    FW_PACKAGE = 0,
    FW_PACKAGE_URI = 1,
    FW_UPDATE = 2,
    FW_STATE = 3,
    FW_RESULT = 5,
    FW_PKG_NAME = 6,
    FW_PKG_VERSION = 7,
    FW_DELIVERY_METHOD = 9,
    FW_CANCEL = 10
};

enum { DELIVERY_PUSH = 1 };

typedef enum { STATE_IDLE = 0, STATE_DOWNLOADING, STATE_DOWNLOADED, STATE_UPDATING } fw_state_t;

typedef struct {
    const anjay_dm_object_def_t *def;
    const anjay_fw_update_handlers_t *handlers;
    void *user_arg;
    fw_state_t state;
    anjay_fw_update_result_t result;
    char *uri;             /**< Package URI as told at the start, until a server empties it; NULL: none */
    bool to_be_opened;     /**< a push began, of which no byte is there yet: State and Update Result are as before */
    size_t received;       /**< bytes of the package so far */
    bool only_nul;         /**< that one byte is a NUL: not a package but a request to reset */
    bool reset_expected;   /**< a push in Downloaded: nothing but that NUL is allowed */
    avs_sched_handle_t upgrade_job;
    bool use_send;         /**< State and Update Result go to the servers by Send */
    bool installed;        /**< the first report, with the versions that run now, was sent */
    avs_sched_handle_t report_job;
} fw_t;

/** Runs a handler of the user's without the client's lock. */
#define CALL(Anjay, Result, ...) ANJAY_UNLOCKED(Anjay, (Result) = (__VA_ARGS__))

static fw_t *get_fw(anjay_t *anjay) {
    return (fw_t *) anjay->fw_update;
}

static void changed(anjay_t *anjay, anjay_rid_t rid) {
    const anjay_uri_path_t path = anjay_path(3, FW_OID, 0, (int) rid);
    anjay_dm_changed(anjay, &path, false);
}

static void report(avs_sched_t *sched, const void *anjay_ptr) {
    static const anjay_send_resource_path_t PATHS[] = {
        { FW_OID, 0, FW_STATE }, { FW_OID, 0, FW_RESULT }, { 3, 0, 3 }, { 3, 0, 19 } /* Firmware and Software Version */
    };
    (void) sched;
    anjay_t *anjay = *(anjay_t *const *) anjay_ptr;
    anjay_lock(anjay);
    const bool first = !get_fw(anjay)->installed;
    get_fw(anjay)->installed = true;
    anjay_send_report(anjay, PATHS, first ? 4 : 2);
    anjay_unlock(anjay);
}

/** One report for State and Update Result, before anything else is done about them; none about Downloading. */
static void want_report(anjay_t *anjay) {
    fw_t *fw = get_fw(anjay);
    if (fw->use_send && fw->state != STATE_DOWNLOADING && !sched_pending(&fw->report_job)
            && AVS_SCHED_NOW(anjay->sched, &fw->report_job, report, &anjay, sizeof(anjay))) {
        fw_log(ERROR, "out of memory: Update State and Result are not sent");
    }
}

static void set_state(anjay_t *anjay, fw_state_t state) {
    fw_t *fw = get_fw(anjay);
    if (fw->state != state) {
        fw_log(DEBUG, "Firmware Update State %d -> %d", (int) fw->state, (int) state);
        fw->state = state;
        changed(anjay, FW_STATE);
        want_report(anjay);
    }
}

static void set_result(anjay_t *anjay, anjay_fw_update_result_t result) {
    fw_t *fw = get_fw(anjay);
    if (fw->result != result) {
        fw->result = result;
        changed(anjay, FW_RESULT);
        want_report(anjay);
    }
}

static void user_reset(anjay_t *anjay) {
    fw_t *fw = get_fw(anjay);
    ANJAY_UNLOCKED(anjay, fw->handlers->reset(fw->user_arg));
}

static void back_to_idle(anjay_t *anjay, anjay_fw_update_result_t result) {
    avs_sched_del(&get_fw(anjay)->upgrade_job);
    user_reset(anjay);
    set_state(anjay, STATE_IDLE);
    set_result(anjay, result);
}

/** The Update Result for what a handler returned; @p otherwise for values that name none. */
static anjay_fw_update_result_t result_of(int handler_result, anjay_fw_update_result_t otherwise) {
    switch (handler_result) {
    case ANJAY_FW_UPDATE_ERR_NOT_ENOUGH_SPACE:
    case ANJAY_FW_UPDATE_ERR_OUT_OF_MEMORY:
    case ANJAY_FW_UPDATE_ERR_INTEGRITY_FAILURE:
    case ANJAY_FW_UPDATE_ERR_UNSUPPORTED_PACKAGE_TYPE:
    case ANJAY_FW_UPDATE_ERR_DEFERRED:
        return (anjay_fw_update_result_t) -handler_result;
    default:
        return otherwise;
    }
}

/* ------------------------------------------------------------------ the package */

static int package_begin(anjay_t *anjay, anjay_ssid_t ssid) {
    (void) ssid;
    fw_t *fw = get_fw(anjay);
    fw->received = 0;
    fw->only_nul = false;
    fw->reset_expected = fw->state == STATE_DOWNLOADED;
    fw->to_be_opened = fw->state == STATE_IDLE;
    /* else Updating, or a push of another server */
    return fw->reset_expected || fw->to_be_opened ? 0 : ANJAY_ERR_METHOD_NOT_ALLOWED;
}

/** Opens the stream for the first byte, or for the end of an empty package: what is malformed before that opens nothing. */
static int package_open(anjay_t *anjay) {
    fw_t *fw = get_fw(anjay);
    int result = 0;
    if (fw->to_be_opened && fw->state == STATE_IDLE) {
        fw->to_be_opened = false;
        CALL(anjay, result, fw->handlers->stream_open(fw->user_arg, NULL, NULL));
        if (result) {
            fw_log(ERROR, "stream_open failed: %d", result);
            return ANJAY_ERR_INTERNAL;
        }
        set_state(anjay, STATE_DOWNLOADING);
        set_result(anjay, ANJAY_FW_UPDATE_RESULT_INITIAL);
    }
    /* otherwise cancelled between two blocks */
    return fw->state == STATE_DOWNLOADING ? 0 : ANJAY_ERR_REQUEST_ENTITY_INCOMPLETE;
}

static int package_write(anjay_t *anjay, const uint8_t *data, size_t size) {
    fw_t *fw = get_fw(anjay);
    if (!size) {
        return 0;
    }
    fw->only_nul = !fw->received && size == 1 && !*data;
    fw->received += size;
    if (fw->reset_expected) {
        return fw->only_nul ? 0 : ANJAY_ERR_BAD_REQUEST;
    }
    int result = package_open(anjay);
    if (result) {
        return result;
    }
    CALL(anjay, result, fw->handlers->stream_write(fw->user_arg, data, size));
    if (fw->state != STATE_DOWNLOADING) { /* the handler gave up by itself */
        return ANJAY_ERR_REQUEST_ENTITY_INCOMPLETE;
    }
    if (result) {
        fw_log(ERROR, "stream_write failed: %d", result);
        back_to_idle(anjay, result_of(result, ANJAY_FW_UPDATE_RESULT_NOT_ENOUGH_SPACE));
        return ANJAY_ERR_INTERNAL;
    }
    return 0;
}

static int package_finish(anjay_t *anjay) {
    fw_t *fw = get_fw(anjay);
    int result;
    if (fw->only_nul) {
        back_to_idle(anjay, ANJAY_FW_UPDATE_RESULT_INITIAL);
        return 0;
    }
    if (fw->reset_expected) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    if ((result = package_open(anjay))) {
        return result;
    }
    CALL(anjay, result, fw->handlers->stream_finish(fw->user_arg));
    if (fw->state != STATE_DOWNLOADING) { /* the handler has said what became of it */
        return 0;
    }
    if (result) {
        /* the package arrived, so that the Write succeeds; Update Result says what became of it */
        fw_log(ERROR, "stream_finish failed: %d", result);
        set_state(anjay, STATE_IDLE);
        set_result(anjay, result_of(result, ANJAY_FW_UPDATE_RESULT_NOT_ENOUGH_SPACE));
        return 0;
    }
    fw_log(INFO, "package of %zu bytes received", fw->received);
    set_state(anjay, STATE_DOWNLOADED);
    return 0;
}

static void package_abort(anjay_t *anjay) {
    fw_t *fw = get_fw(anjay);
    const bool unopened = fw->to_be_opened && fw->state == STATE_IDLE;
    fw->to_be_opened = false;
    if (fw->state == STATE_DOWNLOADING) {
        fw_log(WARNING, "package transfer ended before its end");
        back_to_idle(anjay, ANJAY_FW_UPDATE_RESULT_CONNECTION_LOST);
    } else if (unopened) {
        set_result(anjay, ANJAY_FW_UPDATE_RESULT_CONNECTION_LOST);
    }
}

/** A package in a format that is not streamed. */
static int write_package(anjay_t *anjay, anjay_input_ctx_t *ctx) {
    int result = package_begin(anjay, ANJAY_SSID_ANY);
    bool finished = false;
    while (!result && !finished) {
        uint8_t part[512];
        size_t size = 0;
        if ((result = anjay_get_bytes(ctx, &size, &finished, part, sizeof(part)))) {
            package_abort(anjay);
            return result;
        }
        result = package_write(anjay, part, size);
    }
    return result ? result : package_finish(anjay);
}

static void forget_uri(fw_t *fw) {
    avs_free(fw->uri);
    fw->uri = NULL;
}

static int write_uri(anjay_t *anjay, anjay_input_ctx_t *ctx) {
    fw_t *fw = get_fw(anjay);
    char uri[256];
    int result = anjay_get_string(ctx, uri, sizeof(uri));
    if (result < 0) {
        return result;
    }
    if (!*uri) {
        if (fw->state == STATE_UPDATING) {
            return ANJAY_ERR_METHOD_NOT_ALLOWED;
        }
        forget_uri(fw);
        back_to_idle(anjay, ANJAY_FW_UPDATE_RESULT_INITIAL);
        return 0;
    }
    if (fw->state == STATE_IDLE) { /* no scheme is supported: push only, as Delivery Method says */
        set_result(anjay, ANJAY_FW_UPDATE_RESULT_UNSUPPORTED_PROTOCOL);
    }
    return ANJAY_ERR_BAD_REQUEST;
}

/* ------------------------------------------------------------------ Update and Cancel */

static void upgrade(avs_sched_t *sched, const void *anjay_ptr) {
    (void) sched;
    anjay_t *anjay = *(anjay_t *const *) anjay_ptr;
    anjay_lock(anjay);
    fw_t *fw = get_fw(anjay);
    int result;
    CALL(anjay, result, fw->handlers->perform_upgrade(fw->user_arg));
    if (result && fw->state == STATE_UPDATING) {
        fw_log(ERROR, "perform_upgrade failed: %d", result);
        set_state(anjay, STATE_DOWNLOADED);
        set_result(anjay, result_of(result, ANJAY_FW_UPDATE_RESULT_FAILED));
    }
    anjay_unlock(anjay);
}

/** Answers first: perform_upgrade need not return. */
static int execute_update(anjay_t *anjay) {
    fw_t *fw = get_fw(anjay);
    if (fw->state != STATE_DOWNLOADED || !fw->handlers->perform_upgrade) {
        return ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
    set_state(anjay, STATE_UPDATING);
    set_result(anjay, ANJAY_FW_UPDATE_RESULT_INITIAL);
    if (AVS_SCHED_NOW(anjay->sched, &fw->upgrade_job, upgrade, &anjay, sizeof(anjay))) {
        set_state(anjay, STATE_DOWNLOADED);
        return ANJAY_ERR_INTERNAL;
    }
    return 0;
}

static int execute_cancel(anjay_t *anjay) {
    fw_t *fw = get_fw(anjay);
    if (fw->state != STATE_DOWNLOADING && fw->state != STATE_DOWNLOADED) {
        return ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
    back_to_idle(anjay, ANJAY_FW_UPDATE_RESULT_UPDATE_CANCELLED);
    return 0;
}

/* ------------------------------------------------------------------ object handlers */

/** A text of the user's about the downloaded package; NULL if there is none. */
static const char *package_text(anjay_t *anjay, anjay_rid_t rid) {
    fw_t *fw = get_fw(anjay);
    anjay_fw_update_get_name_t *get =
            rid == FW_PKG_NAME ? fw->handlers->get_name : (anjay_fw_update_get_name_t *) fw->handlers->get_version;
    const char *text = NULL;
    if (get && fw->state == STATE_DOWNLOADED) {
        CALL(anjay, text, get(fw->user_arg));
    }
    return text;
}

static int fw_list_resources(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid,
                             anjay_dm_resource_list_ctx_t *ctx) {
    (void) def;
    (void) iid;
    anjay_dm_emit_res(ctx, FW_PACKAGE, ANJAY_DM_RES_W, ANJAY_DM_RES_PRESENT);
    anjay_dm_emit_res(ctx, FW_PACKAGE_URI, ANJAY_DM_RES_RW, ANJAY_DM_RES_PRESENT);
    anjay_dm_emit_res(ctx, FW_UPDATE, ANJAY_DM_RES_E, ANJAY_DM_RES_PRESENT);
    anjay_dm_emit_res(ctx, FW_STATE, ANJAY_DM_RES_R, ANJAY_DM_RES_PRESENT);
    anjay_dm_emit_res(ctx, FW_RESULT, ANJAY_DM_RES_R, ANJAY_DM_RES_PRESENT);
    for (anjay_rid_t rid = FW_PKG_NAME; rid <= FW_PKG_VERSION; ++rid) {
        anjay_dm_emit_res(ctx, rid, ANJAY_DM_RES_R,
                          package_text(anjay, rid) ? ANJAY_DM_RES_PRESENT : ANJAY_DM_RES_ABSENT);
    }
    anjay_dm_emit_res(ctx, FW_DELIVERY_METHOD, ANJAY_DM_RES_R, ANJAY_DM_RES_PRESENT);
    anjay_dm_emit_res(ctx, FW_CANCEL, ANJAY_DM_RES_E, ANJAY_DM_RES_PRESENT);
    return 0;
}

static int fw_read(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid, anjay_rid_t rid,
                   anjay_riid_t riid, anjay_output_ctx_t *ctx) {
    (void) def;
    (void) iid;
    (void) riid;
    fw_t *fw = get_fw(anjay);
    switch (rid) {
    case FW_PACKAGE_URI: return anjay_ret_string(ctx, fw->uri ? fw->uri : "");
    case FW_STATE: return anjay_ret_i32(ctx, (int32_t) fw->state);
    case FW_RESULT: return anjay_ret_i32(ctx, (int32_t) fw->result);
    case FW_PKG_NAME:
    case FW_PKG_VERSION: {
        const char *text = package_text(anjay, rid);
        return text ? anjay_ret_string(ctx, text) : ANJAY_ERR_NOT_FOUND;
    }
    case FW_DELIVERY_METHOD: return anjay_ret_i32(ctx, DELIVERY_PUSH);
    default: return ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
}

static int fw_write(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid, anjay_rid_t rid,
                    anjay_riid_t riid, anjay_input_ctx_t *ctx) {
    (void) def;
    (void) iid;
    (void) riid;
    switch (rid) {
    case FW_PACKAGE: return write_package(anjay, ctx);
    case FW_PACKAGE_URI: return write_uri(anjay, ctx);
    default: return ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
}

static int fw_execute(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid, anjay_rid_t rid,
                      anjay_execute_ctx_t *ctx) {
    (void) def;
    (void) iid;
    (void) ctx;
    switch (rid) {
    case FW_UPDATE: return execute_update(anjay);
    case FW_CANCEL: return execute_cancel(anjay);
    default: return ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
}

/* A Write to this object acts at once and is never undone: a transaction has nothing to keep. */
static const anjay_dm_object_def_t FW_DEF = {
    .oid = FW_OID,
    .handlers = {
        .list_instances = anjay_dm_list_instances_SINGLE,
        .list_resources = fw_list_resources,
        .resource_read = fw_read,
        .resource_write = fw_write,
        .resource_execute = fw_execute,
        .transaction_begin = anjay_dm_transaction_NOOP,
        .transaction_validate = anjay_dm_transaction_NOOP,
        .transaction_commit = anjay_dm_transaction_NOOP,
        .transaction_rollback = anjay_dm_transaction_NOOP
    }
};

/** @returns 0, or -1 for a value that is none or when memory ran out. */
static int set_initial(anjay_t *anjay, const anjay_fw_update_initial_state_t *initial) {
    fw_t *fw = get_fw(anjay);
    switch (initial ? initial->result : ANJAY_FW_UPDATE_INITIAL_NEUTRAL) {
    case ANJAY_FW_UPDATE_INITIAL_UPDATING: fw->state = STATE_UPDATING; return 0;
    case ANJAY_FW_UPDATE_INITIAL_DOWNLOADED:
        fw->state = STATE_DOWNLOADED;
        return initial->persisted_uri && !(fw->uri = avs_strdup(initial->persisted_uri)) ? -1 : 0;
    case ANJAY_FW_UPDATE_INITIAL_DOWNLOADING: user_reset(anjay); return 0; /* a push cannot be resumed */
    case ANJAY_FW_UPDATE_INITIAL_NEUTRAL: return 0;
    case ANJAY_FW_UPDATE_INITIAL_SUCCESS:
    case ANJAY_FW_UPDATE_INITIAL_INTEGRITY_FAILURE:
    case ANJAY_FW_UPDATE_INITIAL_FAILED: fw->result = (anjay_fw_update_result_t) initial->result; return 0;
    default: fw_log(ERROR, "%d is no initial result", (int) initial->result); return -1;
    }
}

int anjay_fw_update_install(anjay_t *anjay, const anjay_fw_update_handlers_t *handlers, void *user_arg,
                            const anjay_fw_update_initial_state_t *initial_state) {
    static const anjay_dm_stream_target_t TARGET_TEMPLATE = { .begin = package_begin,
                                                              .write = package_write,
                                                              .finish = package_finish,
                                                              .abort = package_abort };
    if (!anjay || !handlers || !handlers->stream_open || !handlers->stream_write || !handlers->stream_finish
            || !handlers->reset) {
        fw_log(ERROR, "stream_open, stream_write, stream_finish and reset are required");
        return -1;
    }
    anjay_lock(anjay);
    int result = -1;
    fw_t *fw = anjay->fw_update ? NULL : (fw_t *) avs_calloc(1, sizeof(*fw));
    if (!fw) {
        fw_log(ERROR, anjay->fw_update ? "already installed" : "out of memory");
    } else {
        *fw = (fw_t) { .def = &FW_DEF, .handlers = handlers, .user_arg = user_arg };
        anjay->fw_update = fw;
        if ((result = set_initial(anjay, initial_state)) || (result = anjay_dm_register_internal(anjay, &fw->def))) {
            forget_uri(fw);
            anjay->fw_update = NULL;
            avs_free(fw);
        } else {
            anjay_dm_stream_target_t target = TARGET_TEMPLATE;
            target.path = anjay_path(3, FW_OID, 0, FW_PACKAGE);
            anjay_dm_set_stream_target(anjay, &target);
            fw->use_send = initial_state && initial_state->use_lwm2m_send;
            fw->installed = !initial_state || initial_state->result == ANJAY_FW_UPDATE_INITIAL_NEUTRAL;
            if (!fw->installed) {
                want_report(anjay);
            }
        }
    }
    anjay_unlock(anjay);
    return result;
}

static bool may_set_result(const fw_t *fw, anjay_fw_update_result_t result) {
    switch (result) {
    case ANJAY_FW_UPDATE_RESULT_INITIAL:
    case ANJAY_FW_UPDATE_RESULT_UPDATE_CANCELLED: return false;
    case ANJAY_FW_UPDATE_RESULT_SUCCESS: return fw->state == STATE_UPDATING;
    case ANJAY_FW_UPDATE_RESULT_DEFERRED: return fw->state == STATE_DOWNLOADED || fw->state == STATE_UPDATING;
    default: return fw->state != STATE_IDLE && result > 0 && result < ANJAY_FW_UPDATE_RESULT_DEFERRED;
    }
}

int anjay_fw_update_set_result(anjay_t *anjay, anjay_fw_update_result_t result) {
    if (!anjay) {
        return -1;
    }
    anjay_lock(anjay);
    fw_t *fw = get_fw(anjay);
    const bool allowed = fw && may_set_result(fw, result);
    if (!allowed) {
        fw_log(ERROR, "Update Result %d is not allowed now", (int) result);
    } else if (result == ANJAY_FW_UPDATE_RESULT_DEFERRED) { /* the package is kept for another Execute */
        avs_sched_del(&fw->upgrade_job);
        set_state(anjay, STATE_DOWNLOADED);
        set_result(anjay, result);
    } else {
        back_to_idle(anjay, result);
    }
    anjay_unlock(anjay);
    return allowed ? 0 : -1;
}

void anjay_fw_update_cleanup(anjay_t *anjay) {
    fw_t *fw = get_fw(anjay);
    if (!fw) {
        return;
    }
    avs_sched_del(&fw->upgrade_job);
    avs_sched_del(&fw->report_job);
    forget_uri(fw);
    anjay->fw_update = NULL;
    avs_free(fw);
}
