/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The data model: objects of the program, their handlers, and notifications.
 *
 * Results of handlers: 0 for success, or a negative ANJAY_ERR_* that becomes the response code; anything else becomes 5.00. A handler that
 * is NULL where an operation needs it answers 4.05.
 *
 * Handlers run on the thread that serves, with no lock of the client held: they may call this API, but not anjay_unregister_object()
 * of an object whose handler is running (it fails). Contexts are valid until the handler returns.
 *
 * Order of calls, each of them once unless said otherwise:
 *   Read of a Resource                 list_instances, list_resources, resource_read
 *   Read of a multiple-instance one    list_instances, list_resources, list_resource_instances, resource_read for each
 *   Read of a Resource Instance        list_instances, list_resources, list_resource_instances, resource_read
 *   Read of an Instance                list_instances, list_resources, then resource_read for each Resource that is present and readable
 *                                      (multiple: list_resource_instances, then resource_read for each); one that fails is left out
 *   Write to a Resource                list_instances, transaction_begin, list_resources, (multiple: resource_reset,) resource_write, end
 *                                      (POST to a multiple-instance one: the same without resource_reset)
 *   Write to an Instance               list_instances, transaction_begin, (replace: instance_reset,) list_resources, resource_write for
 *                                      each value (replace: resource_reset before the first one of a multiple-instance Resource), end;
 *                                      Resources that are not listed, or single-valued ones whose handler returns
 *                                      ANJAY_ERR_NOT_FOUND, are passed over
 *   Create                             list_instances, transaction_begin, instance_create, then as a Write, end
 *   Delete                             list_instances, transaction_begin, instance_remove, end
 *   Delete of a Resource Instance      list_instances, transaction_begin, list_resources, list_resource_instances,
 *                                      resource_instance_remove, end
 *   Execute                            list_instances, list_resources, resource_execute
 * After Instances came or went list_instances is called once more if attributes were written to any of them.
 * Here "end" is transaction_validate and transaction_commit, or transaction_rollback after any error.
 */
#ifndef VENDOR_ANJAY_DM_H
#define VENDOR_ANJAY_DM_H

#include <math.h>
#include <stdint.h>
#include <anjay/io.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ANJAY_DM_OID_SECURITY 0

#define ANJAY_DM_OID_SERVER 1

#define ANJAY_DM_OID_ACCESS_CONTROL 2

#define ANJAY_DM_OID_DEVICE 3

#define ANJAY_DM_OID_FIRMWARE_UPDATE 5

#if defined(ANJAY_WITH_LWM2M_GATEWAY)
#define ANJAY_DM_OID_LWM2M_GATEWAY 25
#endif

/** Type of notifications; NONE: as the configuration says. */
typedef enum {
    ANJAY_DM_CON_ATTR_NONE = -1,
    ANJAY_DM_CON_ATTR_NON = 0,
    ANJAY_DM_CON_ATTR_CON = 1
} anjay_dm_con_attr_t;

/** The edge attribute of LwM2M 1.2, which this implementation does not look at. */
typedef enum {
    ANJAY_DM_EDGE_ATTR_NONE = -1,
    ANJAY_DM_EDGE_ATTR_FALLING = 0,
    ANJAY_DM_EDGE_ATTR_RISING = 1
} anjay_dm_edge_attr_t;

/** Attributes of any level; ANJAY_ATTRIB_INTEGER_NONE where not set. */
typedef struct {
    int32_t min_period;      /**< pmin, seconds */
    int32_t max_period;      /**< pmax, seconds; one below pmin is not kept to */
    int32_t min_eval_period; /**< epmin, seconds: no look at the value sooner after the last */
    int32_t max_eval_period; /**< epmax, seconds: a look at the value even if nobody says that it changed */
#if defined(ANJAY_WITH_CON_ATTR)
    anjay_dm_con_attr_t con; /**< type of notifications; one in 24 hours is confirmable in any case */
#endif
    int32_t hqmax; /**< of LwM2M 1.2: not looked at */
} anjay_dm_oi_attributes_t;

/** Attributes of a Resource or Resource Instance; numbers are ANJAY_ATTRIB_DOUBLE_NONE (NaN) where not set. */
typedef struct {
    anjay_dm_oi_attributes_t common;
    double greater_than; /**< gt: notify when the value crosses it */
    double less_than;    /**< lt: likewise */
    double step;         /**< st: notify when the value is that far from the one sent last */
    anjay_dm_edge_attr_t edge; /**< of LwM2M 1.2: not looked at */
} anjay_dm_r_attributes_t;

#define ANJAY_ATTRIB_INTEGER_NONE (-1)

#define ANJAY_ATTRIB_PERIOD_NONE (-1)

#define ANJAY_ATTRIB_DOUBLE_NONE NAN

#define ANJAY_ATTRIB_VALUE_NONE ANJAY_ATTRIB_DOUBLE_NONE

/** No attribute set. */
extern const anjay_dm_oi_attributes_t ANJAY_DM_OI_ATTRIBUTES_EMPTY;

/** No attribute set. */
extern const anjay_dm_r_attributes_t ANJAY_DM_R_ATTRIBUTES_EMPTY;

/** See its definition below. */
typedef struct anjay_dm_object_def_struct anjay_dm_object_def_t;

/**
 * Objects may keep attributes themselves, at any level, by defining both the read and the write handler of it; otherwise the library does.
 * Attributes are those of server @p ssid; a read handler fills all of *out, a write handler replaces all it has by @p attrs.
 */
typedef int anjay_dm_object_read_default_attrs_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_ssid_t ssid, anjay_dm_oi_attributes_t *out);
typedef int anjay_dm_object_write_default_attrs_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_ssid_t ssid, const anjay_dm_oi_attributes_t *attrs);

/** Calls anjay_dm_emit() for each Instance, in ascending order; any other order is 5.00. */
typedef int anjay_dm_list_instances_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_dm_list_ctx_t *ctx);

/** A list_instances handler of an object that has Instance 0 and no other. @returns 0. */
int anjay_dm_list_instances_SINGLE(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_dm_list_ctx_t *ctx);

/** Brings an Instance into its initial state, before a Write that replaces all of it. */
typedef int anjay_dm_instance_reset_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid);

/** Removes an Instance, which exists. */
typedef int anjay_dm_instance_remove_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid);

/** Makes Instance @p iid, which does not exist: the server's choice or the lowest that is free. Its values are written next. */
typedef int anjay_dm_instance_create_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid);

/** The same for an Instance. */
typedef int anjay_dm_instance_read_default_attrs_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_ssid_t ssid, anjay_dm_oi_attributes_t *out);
typedef int anjay_dm_instance_write_default_attrs_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_ssid_t ssid, const anjay_dm_oi_attributes_t *attrs);

/** Calls anjay_dm_emit_res() for each Resource that the Instance knows, present or not, in ascending order. */
typedef int anjay_dm_list_resources_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_dm_resource_list_ctx_t *ctx);

/** Gives the value by exactly one anjay_ret_*(). @p riid: ANJAY_ID_INVALID unless the Resource is a multiple-instance one. */
typedef int anjay_dm_resource_read_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid, anjay_output_ctx_t *ctx);

/** Takes the value by anjay_get_*(). @p riid: as for reading; the Resource Instance is to be made if it does not exist. */
typedef int anjay_dm_resource_write_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid, anjay_input_ctx_t *ctx);

/** Executes; arguments by anjay_execute_get_next_arg(). Not within a transaction. */
typedef int anjay_dm_resource_execute_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_rid_t rid, anjay_execute_ctx_t *ctx);

/** Empties a multiple-instance Resource, before a Write that replaces all of it. */
typedef int anjay_dm_resource_reset_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_rid_t rid);

/** Calls anjay_dm_emit() for each Resource Instance, in ascending order. Only for multiple-instance Resources. */
typedef int anjay_dm_list_resource_instances_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_rid_t rid, anjay_dm_list_ctx_t *ctx);

/** The same for a Resource. */
typedef int anjay_dm_resource_read_attrs_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_rid_t rid, anjay_ssid_t ssid, anjay_dm_r_attributes_t *out);
typedef int anjay_dm_resource_write_attrs_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_rid_t rid, anjay_ssid_t ssid, const anjay_dm_r_attributes_t *attrs);

/** The same for a Resource Instance. */
typedef int anjay_dm_resource_instance_read_attrs_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid, anjay_ssid_t ssid, anjay_dm_r_attributes_t *out);
typedef int anjay_dm_resource_instance_write_attrs_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid, anjay_ssid_t ssid, const anjay_dm_r_attributes_t *attrs);

/** Removes a Resource Instance, which exists, of a Resource that servers may write (LwM2M Core 1.2, section 6.3.4). */
typedef int anjay_dm_resource_instance_remove_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid);

/** A change begins: what is needed to undo it is to be kept. */
typedef int anjay_dm_transaction_begin_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr);

/** Whether the state after the change is acceptable; an error rolls back every object that takes part. */
typedef int anjay_dm_transaction_validate_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr);

/** The change stands. An error is answered to the server, but nothing is undone. */
typedef int anjay_dm_transaction_commit_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr);

/** A transaction handler that does nothing. @returns 0. */
int anjay_dm_transaction_NOOP(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr);

/** The change is to be undone. Errors are logged. */
typedef int anjay_dm_transaction_rollback_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr);

/** Handlers of an object; any may be NULL, which answers 4.05 to operations that need it. */
typedef struct {
    anjay_dm_object_read_default_attrs_t *object_read_default_attrs;
    anjay_dm_object_write_default_attrs_t *object_write_default_attrs;
    anjay_dm_list_instances_t *list_instances;
    anjay_dm_instance_reset_t *instance_reset;
    anjay_dm_instance_create_t *instance_create;
    anjay_dm_instance_remove_t *instance_remove;
    anjay_dm_instance_read_default_attrs_t *instance_read_default_attrs;
    anjay_dm_instance_write_default_attrs_t *instance_write_default_attrs;
    anjay_dm_list_resources_t *list_resources;
    anjay_dm_resource_read_t *resource_read;
    anjay_dm_resource_write_t *resource_write;
    anjay_dm_resource_execute_t *resource_execute;
    anjay_dm_resource_reset_t *resource_reset;
    anjay_dm_list_resource_instances_t *list_resource_instances;
    anjay_dm_resource_read_attrs_t *resource_read_attrs;
    anjay_dm_resource_write_attrs_t *resource_write_attrs;
    anjay_dm_transaction_begin_t *transaction_begin;
    anjay_dm_transaction_validate_t *transaction_validate;
    anjay_dm_transaction_commit_t *transaction_commit;
    anjay_dm_transaction_rollback_t *transaction_rollback;
    anjay_dm_resource_instance_read_attrs_t *resource_instance_read_attrs;
    anjay_dm_resource_instance_write_attrs_t *resource_instance_write_attrs;
    anjay_dm_resource_instance_remove_t *resource_instance_remove;
} anjay_dm_handlers_t;

/** An object. It, and the string in it, must stay as they are until the object is unregistered or the client deleted. */
typedef struct anjay_dm_object_def_struct {
    anjay_oid_t oid;     /**< below 65535 */
    const char *version; /**< "X.Y" with one digit each, or NULL for 1.0 */
    anjay_dm_handlers_t handlers;
} anjay_dm_object_def_t;

/**
 * Says that a Resource may have changed other than by a Write of a server. Observing servers are told when their attributes allow it and if
 * the value is another one. Callable from any thread and inside handlers; several calls before the loop comes to it count as one.
 * @returns 0, or negative if @p anjay is NULL or the object is not registered.
 */
int anjay_notify_changed(anjay_t *anjay, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid);

/**
 * Says that Instances were added or removed other than by a server: the registration is brought up to date (with the next Update, or at once
 * by `update_immediately_on_dm_change`), observations and attributes of what is gone end. Otherwise as anjay_notify_changed().
 */
int anjay_notify_instances_changed(anjay_t *anjay, anjay_oid_t oid);

#if defined(ANJAY_WITH_OBSERVATION_STATUS) && !defined(ANJAY_MAX_OBSERVATION_SERVERS_REPORTED_NUMBER)
#define ANJAY_MAX_OBSERVATION_SERVERS_REPORTED_NUMBER 0
#endif

#if defined(ANJAY_WITH_OBSERVATION_STATUS)
typedef struct {
    bool is_observed;
    int32_t min_period;
    int32_t max_eval_period;
#if ANJAY_MAX_OBSERVATION_SERVERS_REPORTED_NUMBER > 0
    uint16_t servers_number;
    anjay_ssid_t servers[ANJAY_MAX_OBSERVATION_SERVERS_REPORTED_NUMBER];
#endif
} anjay_resource_observation_status_t;
#endif

#if defined(ANJAY_WITH_OBSERVATION_STATUS)
anjay_resource_observation_status_t anjay_resource_observation_status(anjay_t *anjay, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid);
#endif

/**
 * Adds an object. @p def_ptr is what handlers get: it and *def_ptr must stay in place until anjay_unregister_object() or anjay_delete() has
 * returned. Callable from any thread.
 * @returns 0, or negative: an argument is NULL, ID or version are invalid, the ID is taken, memory ran out.
 */
int anjay_register_object(anjay_t *anjay, const anjay_dm_object_def_t *const *def_ptr);

/**
 * Removes an object, with its attributes; observations of it end with 4.04. @p def_ptr: the pointer that was registered.
 * @returns 0, or negative: it is not registered, or one of its handlers or a transaction of it is running.
 */
int anjay_unregister_object(anjay_t *anjay, const anjay_dm_object_def_t *const *def_ptr);

/** Whether @p binding_mode is a set of transports as LwM2M 1.1 knows them, such as "U" or "UQ". NULL is not. */
bool anjay_binding_mode_valid(const char *binding_mode);

/** Security Mode, /0/x/2; this build has PSK and NOSEC. */
typedef enum {
    ANJAY_SECURITY_PSK = 0,
    ANJAY_SECURITY_RPK = 1,
    ANJAY_SECURITY_CERTIFICATE = 2,
    ANJAY_SECURITY_NOSEC = 3,
    ANJAY_SECURITY_EST = 4
} anjay_security_mode_t;

#define ANJAY_ACCESS_MASK_READ 1

#define ANJAY_ACCESS_MASK_WRITE 2

#define ANJAY_ACCESS_MASK_EXECUTE 4

#define ANJAY_ACCESS_MASK_DELETE 8

#define ANJAY_ACCESS_MASK_CREATE 16

#define ANJAY_ACCESS_MASK_FULL 31

#define ANJAY_ACCESS_MASK_NONE 0

#define ANJAY_ACCESS_LIST_OWNER_BOOTSTRAP 65535

/** Bits of ANJAY_ACCESS_MASK_*: what a server may do. */
typedef uint16_t anjay_access_mask_t;

/** Retries of registrations (LwM2M Core 1.1, table 6.2.1.1-1); times in seconds. */
#if defined(ANJAY_WITH_LWM2M11)
typedef struct {
    uint32_t initial_registration_delay_timer_s;
    uint32_t retry_count;
    uint32_t retry_timer_s;
    uint32_t sequence_retry_count;
    uint32_t sequence_delay_timer_s;
} anjay_communication_retry_params_t;
#endif

/** 0 s, 5 attempts from 60 s on, 1 sequence, 86400 s. */
#if defined(ANJAY_WITH_LWM2M11)
extern const anjay_communication_retry_params_t ANJAY_COMMUNICATION_RETRY_PARAMS_DEFAULT;
#endif

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_ANJAY_DM_H */
