/* SPDX-License-Identifier: Apache-2.0 */
/** Security object /0. */
#ifndef VENDOR_ANJAY_SECURITY_H
#define VENDOR_ANJAY_SECURITY_H

#include <anjay/dm.h>
#include <avsystem/commons/avs_stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A Security Instance: how to reach a server. It is copied. This build has the modes NoSec and PSK, over UDP; the other fields are accepted and
 * without effect.
 */
typedef struct {
    /** 1 to 65534; each Instance has another. */
    anjay_ssid_t ssid;
    /** coap://HOST[:PORT] with NoSec, coaps://HOST[:PORT] with PSK; an IPv6 address stands in brackets. Ports: 5683, 5684. */
    const char *server_uri;
    /** Must be false. */
    bool bootstrap_server;
    anjay_security_mode_t security_mode;
    int32_t client_holdoff_s;
    int32_t bootstrap_timeout_s;
    /** PSK identity, at least one byte and none that is zero. */
    const uint8_t *public_cert_or_psk_identity;
    size_t public_cert_or_psk_identity_size;
    /** PSK key, at least one byte. */
    const uint8_t *private_cert_or_psk_key;
    size_t private_cert_or_psk_key_size;
    const uint8_t *server_public_key;
    size_t server_public_key_size;
#if defined(ANJAY_WITH_LWM2M11)
    const uint8_t *matching_type;
#endif
    /** SNI, or NULL. */
#if defined(ANJAY_WITH_LWM2M11)
    const char *server_name_indication;
#endif
#if defined(ANJAY_WITH_LWM2M11)
    const uint8_t *certificate_usage;
#endif
    /** By IANA number, in order of preference; empty: anjay_configuration_t.default_tls_ciphersuites. */
#if defined(ANJAY_WITH_LWM2M11)
    avs_net_socket_tls_ciphersuites_t ciphersuites;
#endif
#if defined(ANJAY_WITH_SECURITY_STRUCTURED)
    avs_crypto_certificate_chain_info_t public_cert;
#endif
#if defined(ANJAY_WITH_SECURITY_STRUCTURED)
    avs_crypto_private_key_info_t private_key;
#endif
#if defined(ANJAY_WITH_SECURITY_STRUCTURED)
    avs_crypto_psk_identity_info_t psk_identity;
#endif
#if defined(ANJAY_WITH_SECURITY_STRUCTURED)
    avs_crypto_psk_key_info_t psk_key;
#endif
} anjay_security_instance_t;

/**
 * Adds an Instance; a server that has its Server Instance, too, is connected from a job.
 * @param inout_iid  ANJAY_ID_INVALID: the lowest free one is taken and stored here
 * @returns 0, or -1, with a log entry: the object is not installed, @p instance is wrong, its SSID or @p inout_iid is used already, no memory.
 */
int anjay_security_object_add_instance(anjay_t *anjay, const anjay_security_instance_t *instance, anjay_iid_t *inout_iid);

/** Removes every Instance: all servers are left. */
void anjay_security_object_purge(anjay_t *anjay);

#if defined(AVS_COMMONS_WITH_AVS_PERSISTENCE)
avs_error_t anjay_security_object_persist(anjay_t *anjay, avs_stream_t *out_stream);
#endif

#if defined(AVS_COMMONS_WITH_AVS_PERSISTENCE)
avs_error_t anjay_security_object_restore(anjay_t *anjay, avs_stream_t *in_stream);
#endif

/** Whether an Instance was added or removed since the object was installed. */
bool anjay_security_object_is_modified(anjay_t *anjay);

/**
 * Registers /0. No server can read or write it.
 * @returns 0, or -1 if it is installed already or memory ran out. It lives as long as the client.
 */
int anjay_security_object_install(anjay_t *anjay);

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_ANJAY_SECURITY_H */
