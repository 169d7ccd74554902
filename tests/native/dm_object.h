/* SPDX-License-Identifier: Apache-2.0 */
/** An object with a Resource of every kind, which writes down what the library calls; and requests with every option that the data model knows. */
#ifndef TESTS_NATIVE_DM_OBJECT_H
#define TESTS_NATIVE_DM_OBJECT_H

#include "mock_server.h"

enum { R_NUMBER, R_TEXT, R_READ_ONLY, R_EXECUTE, R_MANY, R_WRITE_ONLY, R_ABSENT, R_REFUSING, R_COUNT };
enum { INSTANCES = 4, ELEMENTS = 4 };

typedef struct {
    bool present;
    int64_t number;
    char text[64];
    bool many_present[ELEMENTS];
    int64_t many[ELEMENTS];
} state_t;

typedef struct {
    state_t now[INSTANCES], before[INSTANCES];
    char calls[512];       /**< a letter or word for each handler that ran */
    int read_result;       /**< what resource_read fails with, or 0 */
    int validate_result;
    int refusal;           /**< what writing R_REFUSING returns */
    bool bad_order;        /**< list_instances emits unsorted ids */
    unsigned wrong_riids;  /**< handlers called with a Resource Instance that cannot exist */
    void (*in_read)(anjay_t *anjay); /**< runs inside resource_read */
} object_state_t;

static object_state_t obj;

static void note(const char *what) {
    strncat(obj.calls, what, sizeof(obj.calls) - strlen(obj.calls) - 1);
}

/** The calls since the last time this was asked. */
static const char *calls(void) {
    static char copy[sizeof(obj.calls)];
    strcpy(copy, obj.calls);
    obj.calls[0] = '\0';
    return copy;
}

static int obj_list_instances(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_dm_list_ctx_t *ctx) {
    note("I");
    for (anjay_iid_t i = 0; i < INSTANCES; ++i) {
        const anjay_iid_t iid = obj.bad_order ? (anjay_iid_t) (INSTANCES - 1 - i) : i;
        if (obj.now[iid].present) {
            anjay_dm_emit(ctx, iid);
        }
    }
    return 0;
}

static int obj_create(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid) {
    note("+");
    if (iid >= INSTANCES) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    obj.now[iid] = (state_t) { .present = true };
    return 0;
}

static int obj_remove(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid) {
    note("-");
    obj.now[iid].present = false;
    return 0;
}

static int obj_reset(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid) {
    note("0");
    obj.now[iid] = (state_t) { .present = true };
    return 0;
}

static int obj_list_resources(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid,
                              anjay_dm_resource_list_ctx_t *ctx) {
    static const anjay_dm_resource_kind_t KINDS[] = { ANJAY_DM_RES_RW, ANJAY_DM_RES_RW, ANJAY_DM_RES_R, ANJAY_DM_RES_E,
                                                      ANJAY_DM_RES_RWM, ANJAY_DM_RES_W, ANJAY_DM_RES_RW, ANJAY_DM_RES_RW };
    note("L");
    for (anjay_rid_t rid = 0; rid < R_COUNT; ++rid) {
        anjay_dm_emit_res(ctx, rid, KINDS[rid], rid == R_ABSENT ? ANJAY_DM_RES_ABSENT : ANJAY_DM_RES_PRESENT);
    }
    return 0;
}

static int obj_list_riids(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid, anjay_rid_t rid,
                          anjay_dm_list_ctx_t *ctx) {
    note("M");
    for (anjay_riid_t riid = 0; riid < ELEMENTS; ++riid) {
        if (obj.now[iid].many_present[riid]) {
            anjay_dm_emit(ctx, riid);
        }
    }
    return 0;
}

static int obj_read(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid,
                    anjay_output_ctx_t *ctx) {
    note("r");
    if (obj.in_read) {
        obj.in_read(anjay);
    }
    if ((rid == R_MANY) != (riid != ANJAY_ID_INVALID)) {
        ++obj.wrong_riids;
        return ANJAY_ERR_INTERNAL;
    }
    if (obj.read_result) {
        return obj.read_result;
    }
    switch (rid) {
    case R_NUMBER: return anjay_ret_i64(ctx, obj.now[iid].number);
    case R_MANY: return anjay_ret_i64(ctx, obj.now[iid].many[riid]);
    case R_TEXT: return anjay_ret_string(ctx, obj.now[iid].text);
    default: return anjay_ret_string(ctx, "fixed");
    }
}

static int obj_write(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid,
                     anjay_input_ctx_t *ctx) {
    int64_t ignored;
    note("w");
    switch (rid) {
    case R_NUMBER: return anjay_get_i64(ctx, &obj.now[iid].number);
    case R_TEXT: return anjay_get_string(ctx, obj.now[iid].text, sizeof(obj.now[iid].text));
    case R_MANY:
        if (riid >= ELEMENTS) {
            return ANJAY_ERR_NOT_FOUND;
        }
        obj.now[iid].many_present[riid] = true;
        return anjay_get_i64(ctx, &obj.now[iid].many[riid]);
    case R_REFUSING: return obj.refusal;
    default: return anjay_get_i64(ctx, &ignored);
    }
}

static int obj_execute(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid, anjay_rid_t rid,
                       anjay_execute_ctx_t *ctx) {
    note("x");
    return 0;
}

static int obj_resource_reset(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid, anjay_rid_t rid) {
    note("m");
    memset(obj.now[iid].many_present, 0, sizeof(obj.now[iid].many_present));
    return 0;
}

static int obj_riid_remove(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_iid_t iid, anjay_rid_t rid,
                           anjay_riid_t riid) {
    note("d");
    obj.now[iid].many_present[riid] = false;
    return 0;
}

static int obj_begin(anjay_t *anjay, const anjay_dm_object_def_t *const *def) {
    note("B");
    memcpy(obj.before, obj.now, sizeof(obj.now));
    return 0;
}

static int obj_validate(anjay_t *anjay, const anjay_dm_object_def_t *const *def) {
    note("V");
    return obj.validate_result;
}

static int obj_commit(anjay_t *anjay, const anjay_dm_object_def_t *const *def) {
    note("C");
    return 0;
}

static int obj_rollback(anjay_t *anjay, const anjay_dm_object_def_t *const *def) {
    note("R");
    memcpy(obj.now, obj.before, sizeof(obj.now));
    return 0;
}

static const anjay_dm_object_def_t OBJ = {
    .oid = 3333,
    .handlers = { .list_instances = obj_list_instances,
                  .instance_create = obj_create,
                  .instance_remove = obj_remove,
                  .instance_reset = obj_reset,
                  .list_resources = obj_list_resources,
                  .resource_read = obj_read,
                  .resource_write = obj_write,
                  .resource_execute = obj_execute,
                  .resource_reset = obj_resource_reset,
                  .list_resource_instances = obj_list_riids,
                  .resource_instance_remove = obj_riid_remove,
                  .transaction_begin = obj_begin,
                  .transaction_validate = obj_validate,
                  .transaction_commit = obj_commit,
                  .transaction_rollback = obj_rollback }
};
static const anjay_dm_object_def_t *const OBJ_PTR = &OBJ;

/** Registers the object with Instances 0 and 1, number 5, text "t" and elements 0 and 2. */
static void add_object(anjay_t *anjay) {
    memset(&obj, 0, sizeof(obj));
    for (int i = 0; i < 2; ++i) {
        obj.now[i] = (state_t) { .present = true, .number = 5, .text = "t", .many_present = { true, false, true },
                                 .many = { 10, 0, 12 } };
    }
    CHECK(!anjay_register_object(anjay, &OBJ_PTR));
    turns(anjay);
    calls();
}

/** A request; what is zero is left out: queries and formats are given as value + 1. */
typedef struct {
    uint8_t method;
    const char *path;
    const char *query; /**< separated by "&" */
    int accept, format;
    int observe;       /**< 0: none; 1: register; 2: cancel */
    uint8_t token;     /**< 0: a new one */
    const char *payload;
    size_t size; /**< of payload; 0: strlen */
} ask_t;

static void send_ask(mock_t *mock, const ask_t *ask) {
    uint8_t data[2048];
    coap_writer_t w;
    const coap_token_t token = { 1, { ask->token ? ask->token : (uint8_t) (++mock->next_token & 0x7F) } };
    coap_writer_start(&w, data, sizeof(data), COAP_CON, ask->method, ++mock->next_mid, &token);
    if (ask->observe) {
        coap_writer_option_uint(&w, COAP_OPT_OBSERVE, (uint32_t) (ask->observe - 1));
    }
    add_segments(&w, COAP_OPT_URI_PATH, ask->path);
    if (ask->format) {
        coap_writer_option_uint(&w, COAP_OPT_CONTENT_FORMAT, (uint32_t) (ask->format - 1));
    }
    for (const char *q = ask->query; q && *q;) {
        const size_t size = strcspn(q, "&");
        coap_writer_option(&w, COAP_OPT_URI_QUERY, q, size);
        q += size + (q[size] == '&');
    }
    if (ask->accept) {
        coap_writer_option_uint(&w, COAP_OPT_ACCEPT, (uint32_t) (ask->accept - 1));
    }
    coap_writer_payload(&w, ask->payload, ask->size ? ask->size : ask->payload ? strlen(ask->payload) : 0);
    mock_send(mock, &w);
}

/** Sends a request and gives the answer's text. */
#define ASK(anjay, mock, ...) (send_ask((mock), &(const ask_t) { __VA_ARGS__ }), turns(anjay), mock_receive(mock))

#define GET .method = AVS_COAP_CODE_GET
#define PUT .method = AVS_COAP_CODE_PUT
#define POST .method = AVS_COAP_CODE_POST
#define DELETE .method = AVS_COAP_CODE_DELETE
#define AS_TEXT .accept = 1
#define IN_TEXT .format = 1
#define IN_TLV .format = 11543
#define IN_JSON .format = 111
#define AS_LINK .accept = 41

/** Serves what has come, before any job runs. */
static void serve_only(anjay_t *anjay) {
    AVS_LIST(avs_net_socket_t *const) sockets = anjay_get_sockets(anjay);
    if (sockets) {
        struct pollfd pollfd = { .fd = *(const int *) avs_net_socket_get_system(*sockets), .events = POLLIN };
        CHECK(poll(&pollfd, 1, 1000) == 1);
        CHECK(!anjay_serve(anjay, *sockets));
    }
}

/** What the program does: changes a value and says so. */
static void set_number(anjay_t *anjay, int64_t value) {
    obj.now[0].number = value;
    CHECK(!anjay_notify_changed(anjay, 3333, 0, R_NUMBER));
}

#endif /* TESTS_NATIVE_DM_OBJECT_H */
