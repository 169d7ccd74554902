/* SPDX-License-Identifier: Apache-2.0 */
/** Server object /1 (LwM2M Core 1.1, appendix E.2). */
#include "../core/core.h"
#include "objects.h"

#include <avsystem/commons/avs_log.h>
#include <avsystem/commons/avs_memory.h>

#include <string.h>

#define server_log(Level, ...) avs_log(server, Level, __VA_ARGS__)

enum {
    SERVER_OID = 1,
    RID_SSID = 0,
    RID_LIFETIME = 1,
    RID_PMIN = 2,
    RID_PMAX = 3,
    RID_DISABLE = 4,
    RID_DISABLE_TIMEOUT = 5,
    RID_STORING = 6,
    RID_BINDING = 7,
    RID_UPDATE_TRIGGER = 8,
    RID_BOOTSTRAP_TRIGGER = 9,
    RID_INITIAL_DELAY = 14,
    RID_BOOTSTRAP_ON_FAILURE = 16,
    RID_RETRY_COUNT = 17,
    RID_RETRY_TIMER = 18,
    RID_SEQUENCE_DELAY = 19,
    RID_SEQUENCE_COUNT = 20,
    RID_PREFERRED_TRANSPORT = 22,
    RID_MUTE_SEND = 23
};

/** Seconds that a disabled server stays so where Disable Timeout is absent. */
#define DEFAULT_DISABLE_TIMEOUT 86400
#define BINDING_MAX 8

const anjay_communication_retry_params_t ANJAY_COMMUNICATION_RETRY_PARAMS_DEFAULT = {
    .initial_registration_delay_timer_s = 0,
    .retry_count = 5,
    .retry_timer_s = 60,
    .sequence_retry_count = 1,
    .sequence_delay_timer_s = 86400
};

typedef struct {
    anjay_iid_t iid;
    anjay_ssid_t ssid;
    int32_t lifetime, pmin, pmax, disable_timeout; /**< -1: absent */
    bool storing;
    char binding[BINDING_MAX];
    anjay_communication_retry_params_t retry;
    bool bootstrap_on_failure;
    char preferred_transport; /**< '\0': absent */
    bool mute_send;
} server_instance_t;

typedef struct {
    const anjay_dm_object_def_t *def;
    AVS_LIST(server_instance_t) instances; /**< ascending by iid */
    AVS_LIST(server_instance_t) saved;     /**< as they were when the transaction began */
    AVS_LIST(const anjay_ssid_t) ssids;    /**< last answer of anjay_server_get_ssids() */
    bool modified, saved_modified;
} server_t;

static server_t *get(anjay_t *anjay) {
    return (server_t *) anjay->server_object;
}

static server_instance_t *find(anjay_t *anjay, anjay_iid_t iid) {
    server_instance_t *instance;
    AVS_LIST_FOREACH(instance, get(anjay)->instances) {
        if (instance->iid == iid) {
            return instance;
        }
    }
    return NULL;
}

bool anjay_binding_mode_valid(const char *binding_mode) {
    if (!binding_mode || !*binding_mode) {
        return false;
    }
    for (const char *c = binding_mode; *c; ++c) {
        if (!strchr("UTSNQ", *c) || strchr(c + 1, *c)) {
            return false;
        }
    }
    return true;
}

/* ------------------------------------------------------------------ instances */

static AVS_LIST(server_instance_t) *find_place(server_t *server, anjay_iid_t *iid) {
    server_instance_t **entry, **place = NULL;
    anjay_iid_t unused = 0;
    AVS_LIST_FOREACH_PTR(entry, &server->instances) {
        if ((*entry)->iid == *iid) {
            return NULL;
        }
        if (!place && (*entry)->iid > (*iid == ANJAY_ID_INVALID ? unused : *iid)) {
            place = entry;
        }
        unused = (anjay_iid_t) (unused + ((*entry)->iid == unused));
    }
    if (*iid == ANJAY_ID_INVALID) {
        *iid = unused;
    }
    return place ? place : entry;
}

static server_instance_t *insert(server_t *server, anjay_iid_t *iid) {
    AVS_LIST(server_instance_t) *place = find_place(server, iid);
    server_instance_t *instance = place ? AVS_LIST_NEW_ELEMENT(server_instance_t) : NULL;
    if (instance) {
        *instance = (server_instance_t) { .iid = *iid,
                                          .lifetime = 86400,
                                          .pmin = -1,
                                          .pmax = -1,
                                          .disable_timeout = -1,
                                          .binding = "U",
                                          .retry = ANJAY_COMMUNICATION_RETRY_PARAMS_DEFAULT,
                                          .bootstrap_on_failure = true };
        AVS_LIST_INSERT(place, instance);
    }
    return instance;
}

static const char *check(anjay_t *anjay, const anjay_server_instance_t *from) {
    if (!get(anjay)) {
        return "the Server object is not installed";
    }
    if (from->ssid == ANJAY_SSID_ANY || from->ssid == ANJAY_SSID_BOOTSTRAP) {
        return "a Short Server ID is 1 to 65534";
    }
    server_instance_t *instance;
    AVS_LIST_FOREACH(instance, get(anjay)->instances) {
        if (instance->ssid == from->ssid) {
            return "an instance with this Short Server ID exists";
        }
    }
    if (from->lifetime <= 0) {
        return "the lifetime is at least 1 s";
    }
    if (!anjay_binding_mode_valid(from->binding) || strlen(from->binding) >= BINDING_MAX) {
        return "the binding is no binding mode";
    }
    return NULL;
}

static int add_instance(anjay_t *anjay, const anjay_server_instance_t *from, anjay_iid_t *inout_iid) {
    const char *error = check(anjay, from);
    if (error) {
        server_log(ERROR, "instance not added: %s", error);
        return -1;
    }
    const anjay_uri_path_t path = anjay_path(1, SERVER_OID);
    server_instance_t *instance = anjay_dm_changed(anjay, &path, true) ? NULL : insert(get(anjay), inout_iid);
    if (!instance) {
        server_log(ERROR, "instance not added: %u exists, or out of memory", *inout_iid);
        return -1;
    }
    instance->ssid = from->ssid;
    instance->lifetime = from->lifetime;
    instance->pmin = AVS_MAX(from->default_min_period, -1);
    instance->pmax = AVS_MAX(from->default_max_period, -1);
    instance->disable_timeout = AVS_MAX(from->disable_timeout, -1);
    instance->storing = from->notification_storing;
    strcpy(instance->binding, from->binding);
    instance->preferred_transport = from->preferred_transport;
    instance->mute_send = from->mute_send;
    const struct {
        const uint32_t *from;
        uint32_t *to;
    } retries[] = { { from->initial_registration_delay_timer, &instance->retry.initial_registration_delay_timer_s },
                    { from->communication_retry_count, &instance->retry.retry_count },
                    { from->communication_retry_timer, &instance->retry.retry_timer_s },
                    { from->communication_sequence_retry_count, &instance->retry.sequence_retry_count },
                    { from->communication_sequence_delay_timer, &instance->retry.sequence_delay_timer_s } };
    for (size_t i = 0; i < AVS_ARRAY_SIZE(retries); ++i) {
        if (retries[i].from) {
            *retries[i].to = *retries[i].from;
        }
    }
    if (from->bootstrap_on_registration_failure) {
        instance->bootstrap_on_failure = *from->bootstrap_on_registration_failure;
    }
    get(anjay)->modified = true;
    return 0;
}

int anjay_server_object_add_instance(anjay_t *anjay, const anjay_server_instance_t *instance, anjay_iid_t *inout_iid) {
    if (!anjay || !instance || !inout_iid) {
        return -1;
    }
    anjay_lock(anjay);
    int result = add_instance(anjay, instance, inout_iid);
    anjay_unlock(anjay);
    return result;
}

void anjay_server_object_purge(anjay_t *anjay) {
    anjay_lock(anjay);
    if (get(anjay)) {
        AVS_LIST_CLEAR(&get(anjay)->instances);
        get(anjay)->modified = true;
        const anjay_uri_path_t path = anjay_path(1, SERVER_OID);
        anjay_dm_changed(anjay, &path, true);
    }
    anjay_unlock(anjay);
}

bool anjay_server_object_is_modified(anjay_t *anjay) {
    anjay_lock(anjay);
    bool modified = get(anjay) && get(anjay)->modified;
    anjay_unlock(anjay);
    return modified;
}

int anjay_server_object_set_lifetime(anjay_t *anjay, anjay_iid_t iid, int32_t lifetime) {
    if (!anjay || lifetime <= 0) {
        return -1;
    }
    anjay_lock(anjay);
    server_instance_t *instance = get(anjay) ? find(anjay, iid) : NULL;
    if (instance) {
        const anjay_uri_path_t path = anjay_path(3, SERVER_OID, (int) iid, RID_LIFETIME);
        instance->lifetime = lifetime;
        get(anjay)->modified = true;
        anjay_dm_changed(anjay, &path, false);
    }
    anjay_unlock(anjay);
    return instance ? 0 : -1;
}

AVS_LIST(const anjay_ssid_t) anjay_server_get_ssids(anjay_t *anjay) {
    anjay_lock(anjay);
    server_t *server = get(anjay);
    if (server) {
        AVS_LIST(anjay_ssid_t) ssids = (AVS_LIST(anjay_ssid_t)) (intptr_t) server->ssids;
        AVS_LIST_CLEAR(&ssids);
        server_instance_t *instance;
        AVS_LIST_FOREACH(instance, server->instances) {
            anjay_ssid_t *ssid = AVS_LIST_APPEND_NEW(anjay_ssid_t, &ssids);
            if (ssid) {
                *ssid = instance->ssid;
            }
        }
        server->ssids = ssids;
    }
    anjay_unlock(anjay);
    return server ? server->ssids : NULL;
}

/* ------------------------------------------------------------------ views */

static void view_of(const server_instance_t *instance, anjay_server_view_t *out) {
    *out = (anjay_server_view_t) { .iid = instance->iid,
                                   .ssid = instance->ssid,
                                   .lifetime = instance->lifetime,
                                   .default_pmin = instance->pmin,
                                   .default_pmax = instance->pmax,
                                   .disable_timeout = instance->disable_timeout,
                                   .notification_storing = instance->storing,
                                   .mute_send = instance->mute_send,
                                   .retry = instance->retry };
    strcpy(out->binding, instance->binding);
}

bool anjay_server_nth(anjay_t *anjay, size_t n, anjay_server_view_t *out) {
    const server_instance_t *instance = get(anjay) ? AVS_LIST_NTH(get(anjay)->instances, n) : NULL;
    if (instance) {
        view_of(instance, out);
    }
    return instance;
}

bool anjay_server_by_ssid(anjay_t *anjay, anjay_ssid_t ssid, anjay_server_view_t *out) {
    server_instance_t *instance = get(anjay) ? get(anjay)->instances : NULL;
    AVS_LIST_ITERATE(instance) {
        if (instance->ssid == ssid) {
            view_of(instance, out);
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------ object handlers */

static int server_list_instances(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_dm_list_ctx_t *ctx) {
    (void) def;
    server_instance_t *instance;
    AVS_LIST_FOREACH(instance, get(anjay)->instances) {
        anjay_dm_emit(ctx, instance->iid);
    }
    return 0;
}

static int server_create(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid) {
    (void) def;
    return insert(get(anjay), &iid) ? 0 : ANJAY_ERR_INTERNAL;
}

static int server_remove(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid) {
    (void) def;
    AVS_LIST(server_instance_t) *entry;
    AVS_LIST_FOREACH_PTR(entry, &get(anjay)->instances) {
        if ((*entry)->iid == iid) {
            AVS_LIST_DELETE(entry);
            return 0;
        }
    }
    return ANJAY_ERR_NOT_FOUND;
}

static int server_reset(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid) {
    (void) def;
    server_instance_t *instance = find(anjay, iid);
    *instance = (server_instance_t) { .iid = iid,
                                      .ssid = instance->ssid,
                                      .lifetime = -1,
                                      .pmin = -1,
                                      .pmax = -1,
                                      .disable_timeout = -1,
                                      .retry = ANJAY_COMMUNICATION_RETRY_PARAMS_DEFAULT,
                                      .bootstrap_on_failure = true };
    return 0;
}

static int server_list_resources(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid,
                                 anjay_dm_resource_list_ctx_t *ctx) {
    (void) def;
    const server_instance_t *instance = find(anjay, iid);
    const struct {
        anjay_rid_t rid;
        anjay_dm_resource_kind_t kind;
        bool present;
    } resources[] = { { RID_SSID, ANJAY_DM_RES_R, true },
                      { RID_LIFETIME, ANJAY_DM_RES_RW, true },
                      { RID_PMIN, ANJAY_DM_RES_RW, instance->pmin >= 0 },
                      { RID_PMAX, ANJAY_DM_RES_RW, instance->pmax >= 0 },
                      { RID_DISABLE, ANJAY_DM_RES_E, true },
                      { RID_DISABLE_TIMEOUT, ANJAY_DM_RES_RW, instance->disable_timeout >= 0 },
                      { RID_STORING, ANJAY_DM_RES_RW, true },
                      { RID_BINDING, ANJAY_DM_RES_RW, true },
                      { RID_UPDATE_TRIGGER, ANJAY_DM_RES_E, true },
                      { RID_BOOTSTRAP_TRIGGER, ANJAY_DM_RES_E, true },
                      { RID_INITIAL_DELAY, ANJAY_DM_RES_RW, true },
                      { RID_BOOTSTRAP_ON_FAILURE, ANJAY_DM_RES_RW, true },
                      { RID_RETRY_COUNT, ANJAY_DM_RES_RW, true },
                      { RID_RETRY_TIMER, ANJAY_DM_RES_RW, true },
                      { RID_SEQUENCE_DELAY, ANJAY_DM_RES_RW, true },
                      { RID_SEQUENCE_COUNT, ANJAY_DM_RES_RW, true },
                      { RID_PREFERRED_TRANSPORT, ANJAY_DM_RES_RW, instance->preferred_transport },
                      { RID_MUTE_SEND, ANJAY_DM_RES_RW, true } };
    for (size_t i = 0; i < AVS_ARRAY_SIZE(resources); ++i) {
        anjay_dm_emit_res(ctx, resources[i].rid, resources[i].kind,
                          resources[i].present ? ANJAY_DM_RES_PRESENT : ANJAY_DM_RES_ABSENT);
    }
    return 0;
}

static int server_read(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid, anjay_rid_t rid,
                       anjay_riid_t riid, anjay_output_ctx_t *ctx) {
    (void) def;
    (void) riid;
    const server_instance_t *instance = find(anjay, iid);
    switch (rid) {
    case RID_SSID: return anjay_ret_i32(ctx, instance->ssid);
    case RID_LIFETIME: return anjay_ret_i32(ctx, instance->lifetime);
    case RID_PMIN: return anjay_ret_i32(ctx, instance->pmin);
    case RID_PMAX: return anjay_ret_i32(ctx, instance->pmax);
    case RID_DISABLE_TIMEOUT: return anjay_ret_i32(ctx, instance->disable_timeout);
    case RID_STORING: return anjay_ret_bool(ctx, instance->storing);
    case RID_BINDING: return anjay_ret_string(ctx, instance->binding);
    case RID_INITIAL_DELAY: return anjay_ret_i64(ctx, instance->retry.initial_registration_delay_timer_s);
    case RID_BOOTSTRAP_ON_FAILURE: return anjay_ret_bool(ctx, instance->bootstrap_on_failure);
    case RID_RETRY_COUNT: return anjay_ret_i64(ctx, instance->retry.retry_count);
    case RID_RETRY_TIMER: return anjay_ret_i64(ctx, instance->retry.retry_timer_s);
    case RID_SEQUENCE_DELAY: return anjay_ret_i64(ctx, instance->retry.sequence_delay_timer_s);
    case RID_SEQUENCE_COUNT: return anjay_ret_i64(ctx, instance->retry.sequence_retry_count);
    case RID_PREFERRED_TRANSPORT: {
        const char text[] = { instance->preferred_transport, '\0' };
        return anjay_ret_string(ctx, text);
    }
    case RID_MUTE_SEND: return anjay_ret_bool(ctx, instance->mute_send);
    default: return ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
}

/** A number of seconds that is not negative. */
static int get_seconds(anjay_input_ctx_t *ctx, int32_t *out) {
    int32_t value;
    int result = anjay_get_i32(ctx, &value);
    if (result || value < 0) {
        return result ? result : ANJAY_ERR_BAD_REQUEST;
    }
    *out = value;
    return 0;
}

/** 0 would ask for notifications without end. */
static int write_max_period(server_instance_t *instance, anjay_input_ctx_t *ctx) {
    int32_t seconds = 0;
    int result = get_seconds(ctx, &seconds);
    if (!result && !seconds) {
        result = ANJAY_ERR_BAD_REQUEST;
    }
    if (!result) {
        instance->pmax = seconds;
    }
    return result;
}

static int write_binding(server_instance_t *instance, anjay_input_ctx_t *ctx) {
    char binding[BINDING_MAX];
    int result = anjay_get_string(ctx, binding, sizeof(binding));
    if (result || (*binding && !anjay_binding_mode_valid(binding))) {
        return result < 0 ? result : ANJAY_ERR_BAD_REQUEST;
    }
    strcpy(instance->binding, binding);
    return 0;
}

static int write_transport(server_instance_t *instance, anjay_input_ctx_t *ctx) {
    char text[2];
    int result = anjay_get_string(ctx, text, sizeof(text));
    if (result || !*text || !strchr("UTSN", *text)) {
        return result < 0 ? result : ANJAY_ERR_BAD_REQUEST;
    }
    instance->preferred_transport = *text;
    return 0;
}

static int server_write(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid, anjay_rid_t rid,
                        anjay_riid_t riid, anjay_input_ctx_t *ctx) {
    (void) def;
    (void) riid;
    server_instance_t *instance = find(anjay, iid);
    get(anjay)->modified = true;
    switch (rid) {
    case RID_LIFETIME: return get_seconds(ctx, &instance->lifetime);
    case RID_PMIN: return get_seconds(ctx, &instance->pmin);
    case RID_PMAX: return write_max_period(instance, ctx);
    case RID_DISABLE_TIMEOUT: return get_seconds(ctx, &instance->disable_timeout);
    case RID_STORING: return anjay_get_bool(ctx, &instance->storing);
    case RID_BINDING: return write_binding(instance, ctx);
    case RID_INITIAL_DELAY: return anjay_get_u32(ctx, &instance->retry.initial_registration_delay_timer_s);
    case RID_BOOTSTRAP_ON_FAILURE: return anjay_get_bool(ctx, &instance->bootstrap_on_failure);
    case RID_RETRY_COUNT: return anjay_get_u32(ctx, &instance->retry.retry_count);
    case RID_RETRY_TIMER: return anjay_get_u32(ctx, &instance->retry.retry_timer_s);
    case RID_SEQUENCE_DELAY: return anjay_get_u32(ctx, &instance->retry.sequence_delay_timer_s);
    case RID_SEQUENCE_COUNT: return anjay_get_u32(ctx, &instance->retry.sequence_retry_count);
    case RID_PREFERRED_TRANSPORT: return write_transport(instance, ctx);
    case RID_MUTE_SEND: return anjay_get_bool(ctx, &instance->mute_send);
    default: return ANJAY_ERR_METHOD_NOT_ALLOWED;
    }
}

/** These Resources take no arguments that mean anything; malformed or repeated ones are refused. */
static int check_arguments(anjay_execute_ctx_t *ctx) {
    int arg, result;
    bool has_value;
    unsigned seen = 0;
    while (!(result = anjay_execute_get_next_arg(ctx, &arg, &has_value))) {
        if (seen & 1u << arg) {
            return ANJAY_ERR_BAD_REQUEST;
        }
        seen |= 1u << arg;
    }
    return result == ANJAY_EXECUTE_GET_ARG_END ? 0 : result;
}

static int server_execute(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid, anjay_rid_t rid,
                          anjay_execute_ctx_t *ctx) {
    (void) def;
    const server_instance_t *instance = find(anjay, iid);
    int result = check_arguments(ctx);
    if (result) {
        return result;
    }
    switch (rid) {
    case RID_DISABLE: {
        const int32_t seconds = instance->disable_timeout >= 0 ? instance->disable_timeout : DEFAULT_DISABLE_TIMEOUT;
        return anjay_servers_disable(anjay, instance->ssid, avs_time_duration_from_scalar(seconds, AVS_TIME_S))
                       ? ANJAY_ERR_INTERNAL
                       : 0;
    }
    case RID_UPDATE_TRIGGER: return anjay_servers_trigger_update(anjay, instance->ssid) ? ANJAY_ERR_INTERNAL : 0;
    default: return ANJAY_ERR_METHOD_NOT_ALLOWED; /* there is no bootstrap server to ask */
    }
}

static int server_begin(anjay_t *anjay, const anjay_dm_object_def_t *const *def) {
    (void) def;
    server_t *server = get(anjay);
    AVS_LIST_CLEAR(&server->saved);
    server->saved = AVS_LIST_SIMPLE_CLONE(server->instances);
    server->saved_modified = server->modified;
    return server->instances && !server->saved ? ANJAY_ERR_INTERNAL : 0;
}

static int server_validate(anjay_t *anjay, const anjay_dm_object_def_t *const *def) {
    (void) def;
    server_instance_t *instance, *other;
    AVS_LIST_FOREACH(instance, get(anjay)->instances) {
        if (instance->ssid == ANJAY_SSID_ANY || instance->ssid == ANJAY_SSID_BOOTSTRAP || instance->lifetime < 0) {
            return ANJAY_ERR_BAD_REQUEST;
        }
        for (other = AVS_LIST_NEXT(instance); other; other = AVS_LIST_NEXT(other)) {
            if (other->ssid == instance->ssid) {
                return ANJAY_ERR_BAD_REQUEST;
            }
        }
    }
    return 0;
}

static int server_commit(anjay_t *anjay, const anjay_dm_object_def_t *const *def) {
    (void) def;
    AVS_LIST_CLEAR(&get(anjay)->saved);
    return 0;
}

static int server_rollback(anjay_t *anjay, const anjay_dm_object_def_t *const *def) {
    (void) def;
    server_t *server = get(anjay);
    AVS_LIST_CLEAR(&server->instances);
    server->instances = server->saved;
    server->modified = server->saved_modified;
    server->saved = NULL;
    return 0;
}

static const anjay_dm_object_def_t SERVER_DEF = {
    .oid = SERVER_OID,
    .handlers = {
        .list_instances = server_list_instances,
        .instance_create = server_create,
        .instance_remove = server_remove,
        .instance_reset = server_reset,
        .list_resources = server_list_resources,
        .resource_read = server_read,
        .resource_write = server_write,
        .resource_execute = server_execute,
        .transaction_begin = server_begin,
        .transaction_validate = server_validate,
        .transaction_commit = server_commit,
        .transaction_rollback = server_rollback
    }
};

int anjay_server_object_install(anjay_t *anjay) {
    if (!anjay) {
        return -1;
    }
    anjay_lock(anjay);
    int result = -1;
    server_t *server = get(anjay) ? NULL : (server_t *) avs_calloc(1, sizeof(*server));
    if (!server) {
        server_log(ERROR, get(anjay) ? "already installed" : "out of memory");
    } else {
        server->def = &SERVER_DEF;
        anjay->server_object = server;
        if ((result = anjay_dm_register_internal(anjay, &server->def))) {
            anjay->server_object = NULL;
            avs_free(server);
        }
    }
    anjay_unlock(anjay);
    return result;
}

void anjay_server_object_cleanup(anjay_t *anjay) {
    server_t *server = get(anjay);
    if (!server) {
        return;
    }
    AVS_LIST(anjay_ssid_t) ssids = (AVS_LIST(anjay_ssid_t)) (intptr_t) server->ssids;
    AVS_LIST_CLEAR(&ssids);
    AVS_LIST_CLEAR(&server->instances);
    AVS_LIST_CLEAR(&server->saved);
    avs_free(server);
    anjay->server_object = NULL;
}
