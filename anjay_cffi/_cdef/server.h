/* SPDX-License-Identifier: Apache-2.0 */
/* anjay/server.h */
typedef struct {
    anjay_ssid_t ssid;
    int32_t lifetime;
    int32_t default_min_period;
    int32_t default_max_period;
    int32_t disable_timeout;
    const char *binding;
    bool notification_storing;
#if ANJAY_WITH_LWM2M11
#if ANJAY_SINCE_3_14
    const uint32_t *initial_registration_delay_timer;
#endif
    const bool *bootstrap_on_registration_failure;
    char preferred_transport;
    bool mute_send;
    const uint32_t *communication_retry_count;
    const uint32_t *communication_retry_timer;
    const uint32_t *communication_sequence_retry_count;
    const uint32_t *communication_sequence_delay_timer;
#endif
    ...;
} anjay_server_instance_t;
#if ANJAY_WITH_MODULE_SERVER
int anjay_server_object_add_instance(anjay_t *anjay, const anjay_server_instance_t *instance, anjay_iid_t *inout_iid);
void anjay_server_object_purge(anjay_t *anjay);
const anjay_ssid_t *anjay_server_get_ssids(anjay_t *anjay);
#endif
#if ANJAY_WITH_MODULE_SERVER && AVS_COMMONS_WITH_AVS_PERSISTENCE
avs_error_t anjay_server_object_persist(anjay_t *anjay, avs_stream_t *out_stream);
avs_error_t anjay_server_object_restore(anjay_t *anjay, avs_stream_t *in_stream);
#endif
#if ANJAY_WITH_MODULE_SERVER
bool anjay_server_object_is_modified(anjay_t *anjay);
int anjay_server_object_install(anjay_t *anjay);
int anjay_server_object_set_lifetime(anjay_t *anjay, anjay_iid_t iid, int32_t lifetime);
#endif
