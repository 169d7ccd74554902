/* SPDX-License-Identifier: Apache-2.0 */
/* anjay/security.h */
typedef struct {
    anjay_ssid_t ssid;
    const char *server_uri;
    bool bootstrap_server;
    anjay_security_mode_t security_mode;
    int32_t client_holdoff_s;
    int32_t bootstrap_timeout_s;
    const uint8_t *public_cert_or_psk_identity;
    size_t public_cert_or_psk_identity_size;
    const uint8_t *private_cert_or_psk_key;
    size_t private_cert_or_psk_key_size;
    const uint8_t *server_public_key;
    size_t server_public_key_size;
#if ANJAY_WITH_LWM2M11
    const uint8_t *matching_type;
    const char *server_name_indication;
    const uint8_t *certificate_usage;
    avs_net_socket_tls_ciphersuites_t ciphersuites;
#endif
#if ANJAY_WITH_SECURITY_STRUCTURED
    avs_crypto_certificate_chain_info_t public_cert;
    avs_crypto_private_key_info_t private_key;
    avs_crypto_psk_identity_info_t psk_identity;
    avs_crypto_psk_key_info_t psk_key;
#endif
    ...;
} anjay_security_instance_t;
#if ANJAY_WITH_MODULE_SECURITY
int anjay_security_object_add_instance(anjay_t *anjay, const anjay_security_instance_t *instance, anjay_iid_t *inout_iid);
void anjay_security_object_purge(anjay_t *anjay);
#endif
#if ANJAY_WITH_MODULE_SECURITY && AVS_COMMONS_WITH_AVS_PERSISTENCE
avs_error_t anjay_security_object_persist(anjay_t *anjay, avs_stream_t *out_stream);
avs_error_t anjay_security_object_restore(anjay_t *anjay, avs_stream_t *in_stream);
#endif
#if ANJAY_WITH_MODULE_SECURITY
bool anjay_security_object_is_modified(anjay_t *anjay);
int anjay_security_object_install(anjay_t *anjay);
#endif
