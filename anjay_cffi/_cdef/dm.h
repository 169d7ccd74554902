/* SPDX-License-Identifier: Apache-2.0 */
/* anjay/dm.h */
typedef struct anjay_dm_object_def_struct anjay_dm_object_def_t;
#define ANJAY_DM_OID_SECURITY ...
#define ANJAY_DM_OID_SERVER ...
#define ANJAY_DM_OID_ACCESS_CONTROL ...
#define ANJAY_DM_OID_DEVICE ...
#define ANJAY_DM_OID_FIRMWARE_UPDATE ...
#if ANJAY_WITH_LWM2M_GATEWAY
#define ANJAY_DM_OID_LWM2M_GATEWAY ...
#endif
typedef enum {
    ANJAY_DM_CON_ATTR_NONE,
    ANJAY_DM_CON_ATTR_NON,
    ANJAY_DM_CON_ATTR_CON,
    ...
} anjay_dm_con_attr_t;
#if ANJAY_WITH_LWM2M12 || ANJAY_HAS_LWM2M12_LAYOUT
typedef enum {
    ANJAY_DM_EDGE_ATTR_NONE,
    ANJAY_DM_EDGE_ATTR_FALLING,
    ANJAY_DM_EDGE_ATTR_RISING,
    ...
} anjay_dm_edge_attr_t;
#endif
typedef struct {
    int32_t min_period;
    int32_t max_period;
    int32_t min_eval_period;
    int32_t max_eval_period;
#if ANJAY_WITH_CON_ATTR
    anjay_dm_con_attr_t con;
#endif
#if ANJAY_WITH_LWM2M12 || ANJAY_HAS_LWM2M12_LAYOUT
    int32_t hqmax;
#endif
    ...;
} anjay_dm_oi_attributes_t;
typedef struct {
    anjay_dm_oi_attributes_t common;
    double greater_than;
    double less_than;
    double step;
#if ANJAY_WITH_LWM2M12 || ANJAY_HAS_LWM2M12_LAYOUT
    anjay_dm_edge_attr_t edge;
#endif
    ...;
} anjay_dm_r_attributes_t;
#define ANJAY_ATTRIB_INTEGER_NONE ...
#define ANJAY_ATTRIB_PERIOD_NONE ...
static const double ANJAY_ATTRIB_DOUBLE_NONE;
static const double ANJAY_ATTRIB_VALUE_NONE;
extern const anjay_dm_oi_attributes_t ANJAY_DM_OI_ATTRIBUTES_EMPTY;
extern const anjay_dm_r_attributes_t ANJAY_DM_R_ATTRIBUTES_EMPTY;
typedef int anjay_dm_object_read_default_attrs_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_ssid_t ssid, anjay_dm_oi_attributes_t *out);
typedef int anjay_dm_object_write_default_attrs_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_ssid_t ssid, const anjay_dm_oi_attributes_t *attrs);
typedef int anjay_dm_list_instances_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_dm_list_ctx_t *ctx);
int anjay_dm_list_instances_SINGLE(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_dm_list_ctx_t *ctx);
typedef int anjay_dm_instance_reset_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid);
typedef int anjay_dm_instance_remove_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid);
typedef int anjay_dm_instance_create_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid);
typedef int anjay_dm_instance_read_default_attrs_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_ssid_t ssid, anjay_dm_oi_attributes_t *out);
typedef int anjay_dm_instance_write_default_attrs_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_ssid_t ssid, const anjay_dm_oi_attributes_t *attrs);
typedef int anjay_dm_list_resources_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_dm_resource_list_ctx_t *ctx);
typedef int anjay_dm_resource_read_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid, anjay_output_ctx_t *ctx);
typedef int anjay_dm_resource_write_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid, anjay_input_ctx_t *ctx);
typedef int anjay_dm_resource_execute_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_rid_t rid, anjay_execute_ctx_t *ctx);
typedef int anjay_dm_resource_reset_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_rid_t rid);
typedef int anjay_dm_list_resource_instances_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_rid_t rid, anjay_dm_list_ctx_t *ctx);
typedef int anjay_dm_resource_read_attrs_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_rid_t rid, anjay_ssid_t ssid, anjay_dm_r_attributes_t *out);
typedef int anjay_dm_resource_write_attrs_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_rid_t rid, anjay_ssid_t ssid, const anjay_dm_r_attributes_t *attrs);
typedef int anjay_dm_resource_instance_read_attrs_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid, anjay_ssid_t ssid, anjay_dm_r_attributes_t *out);
typedef int anjay_dm_resource_instance_write_attrs_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid, anjay_ssid_t ssid, const anjay_dm_r_attributes_t *attrs);
typedef int anjay_dm_resource_instance_remove_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr, anjay_iid_t iid, anjay_rid_t rid, anjay_riid_t riid);
typedef int anjay_dm_transaction_begin_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr);
typedef int anjay_dm_transaction_validate_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr);
typedef int anjay_dm_transaction_commit_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr);
int anjay_dm_transaction_NOOP(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr);
typedef int anjay_dm_transaction_rollback_t(anjay_t *anjay, const anjay_dm_object_def_t *const *obj_ptr);
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
#if ANJAY_WITH_LWM2M12 || ANJAY_HAS_LWM2M12_LAYOUT
    anjay_dm_resource_instance_remove_t *resource_instance_remove;
#endif
    ...;
} anjay_dm_handlers_t;
struct anjay_dm_object_def_struct {
    anjay_oid_t oid;
    const char *version;
    anjay_dm_handlers_t handlers;
    ...;
};
int anjay_notify_changed(anjay_t *anjay, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid);
int anjay_notify_instances_changed(anjay_t *anjay, anjay_oid_t oid);
#if ANJAY_WITH_OBSERVATION_STATUS
#define ANJAY_MAX_OBSERVATION_SERVERS_REPORTED_NUMBER ...
typedef struct {
    bool is_observed;
    int32_t min_period;
    int32_t max_eval_period;
#if ANJAY_MAX_OBSERVATION_SERVERS_REPORTED_NUMBER
    uint16_t servers_number;
    anjay_ssid_t servers[...];
#endif
    ...;
} anjay_resource_observation_status_t;
anjay_resource_observation_status_t anjay_resource_observation_status(anjay_t *anjay, anjay_oid_t oid, anjay_iid_t iid, anjay_rid_t rid);
#endif
int anjay_register_object(anjay_t *anjay, const anjay_dm_object_def_t *const *def_ptr);
int anjay_unregister_object(anjay_t *anjay, const anjay_dm_object_def_t *const *def_ptr);
bool anjay_binding_mode_valid(const char *binding_mode);
typedef enum {
    ANJAY_SECURITY_PSK,
    ANJAY_SECURITY_RPK,
    ANJAY_SECURITY_CERTIFICATE,
    ANJAY_SECURITY_NOSEC,
    ANJAY_SECURITY_EST,
    ...
} anjay_security_mode_t;
#define ANJAY_ACCESS_MASK_READ ...
#define ANJAY_ACCESS_MASK_WRITE ...
#define ANJAY_ACCESS_MASK_EXECUTE ...
#define ANJAY_ACCESS_MASK_DELETE ...
#define ANJAY_ACCESS_MASK_CREATE ...
#define ANJAY_ACCESS_MASK_FULL ...
#define ANJAY_ACCESS_MASK_NONE ...
#define ANJAY_ACCESS_LIST_OWNER_BOOTSTRAP ...
typedef uint16_t anjay_access_mask_t;
#if ANJAY_WITH_LWM2M11 && ANJAY_SINCE_3_14
typedef struct {
    uint32_t initial_registration_delay_timer_s;
    uint32_t retry_count;
    uint32_t retry_timer_s;
    uint32_t sequence_retry_count;
    uint32_t sequence_delay_timer_s;
    ...;
} anjay_communication_retry_params_t;
extern const anjay_communication_retry_params_t ANJAY_COMMUNICATION_RETRY_PARAMS_DEFAULT;
#endif
