/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VENDOR_COMMONS_AVS_SOCKET_H
#define VENDOR_COMMONS_AVS_SOCKET_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <avsystem/commons/avs_commons_config.h>
#include <avsystem/commons/avs_defs.h>
#include <avsystem/commons/avs_errno.h>
#include <avsystem/commons/avs_memory.h>
#include <avsystem/commons/avs_time.h>
#include <avsystem/commons/avs_crypto_pki.h>
#include <avsystem/commons/avs_crypto_psk.h>
#include <avsystem/commons/avs_prng.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AVS_NET_SOCKET_RAW_RESOLVED_ENDPOINT_MAX_SIZE 128

/** 30 s. */
extern const avs_time_duration_t AVS_NET_SOCKET_DEFAULT_RECV_TIMEOUT;

/** An address as the system has it. */
typedef struct {
    uint8_t size;
    union {
        avs_max_align_t align;
        char buf[AVS_NET_SOCKET_RAW_RESOLVED_ENDPOINT_MAX_SIZE];
    } data;
} avs_net_resolved_endpoint_t;

/** Kinds of sockets; this build makes UDP and DTLS. */
typedef enum {
    AVS_NET_TCP_SOCKET = 0,
    AVS_NET_UDP_SOCKET = 1,
    AVS_NET_SSL_SOCKET = 2,
    AVS_NET_DTLS_SOCKET = 3
} avs_net_socket_type_t;

/** Address families; UNSPEC: whichever. */
typedef enum {
    AVS_NET_AF_UNSPEC = 0,
    AVS_NET_AF_INET4 = 1,
    AVS_NET_AF_INET6 = 2
} avs_net_af_t;

/** A socket. To be used by one thread at a time; nothing of it is inherited by programs that are started. */
typedef struct avs_net_socket_struct avs_net_socket_t;

/** Name of a network interface, terminated. */
typedef char avs_net_socket_interface_name_t[IF_NAMESIZE];

/**
 * How a socket is made; zeroes are the defaults. `dscp` (0 to 63), `priority`, `reuse_addr` and `interface_name` are
 * asked of the system, and a refusal is only logged. `forced_mtu` in bytes; `address_family` allows no other,
 * `preferred_family` is tried first. `transparent` and `preferred_endpoint` have no effect.
 */
typedef struct {
    uint8_t dscp;
    uint8_t priority;
    uint8_t reuse_addr;
    uint8_t transparent;
    avs_net_socket_interface_name_t interface_name;
    avs_net_resolved_endpoint_t *preferred_endpoint;
    avs_net_af_t address_family;
    int forced_mtu;
    avs_net_af_t preferred_family;
} avs_net_socket_configuration_t;

/**
 * Changes the TLS library's context (SSL_CTX *) of a socket before its first use. @returns 0; anything else makes the
 * creation of the socket fail. Must not call the library.
 */
#if defined(AVS_COMMONS_WITH_AVS_CRYPTO)
typedef int avs_ssl_additional_configuration_clb_t(void *library_ssl_context);
#endif

/** Versions of TLS; for DTLS, this build has DEFAULT and TLSv1_2, which are the same. */
#if defined(AVS_COMMONS_WITH_AVS_CRYPTO)
typedef enum {
    AVS_NET_SSL_VERSION_DEFAULT = 0,
    AVS_NET_SSL_VERSION_SSLv2_OR_3 = 1,
    AVS_NET_SSL_VERSION_SSLv2 = 2,
    AVS_NET_SSL_VERSION_SSLv3 = 3,
    AVS_NET_SSL_VERSION_TLSv1 = 4,
    AVS_NET_SSL_VERSION_TLSv1_1 = 5,
    AVS_NET_SSL_VERSION_TLSv1_2 = 6,
    AVS_NET_SSL_VERSION_TLSv1_3 = 7
} avs_net_ssl_version_t;
#endif

/** Bytes with a password; not used by any function here. */
#if defined(AVS_COMMONS_WITH_AVS_CRYPTO)
typedef struct {
    const void *data;
    size_t size;
    const char *password;
} avs_net_ssl_raw_data_t;
#endif

/** Pre-shared keys or certificates; this build has the former. */
#if defined(AVS_COMMONS_WITH_AVS_CRYPTO)
typedef enum {
    AVS_NET_SECURITY_DEFAULT = 0,
    AVS_NET_SECURITY_PSK = 1,
    AVS_NET_SECURITY_CERTIFICATE = 0
} avs_net_security_mode_t;
#endif

/** Key and identity, both views. */
#if defined(AVS_COMMONS_WITH_AVS_CRYPTO)
typedef struct {
    avs_crypto_psk_key_info_t key;
    avs_crypto_psk_identity_info_t identity;
} avs_net_psk_info_t;
#endif

/** How to check a server and to answer it with certificates. */
#if defined(AVS_COMMONS_WITH_AVS_CRYPTO)
typedef struct {
    bool server_cert_validation;
    bool ignore_system_trust_store;
    bool dane;
    avs_crypto_certificate_chain_info_t trusted_certs;
    avs_crypto_cert_revocation_list_info_t cert_revocation_lists;
    avs_crypto_certificate_chain_info_t client_cert;
    avs_crypto_private_key_info_t client_key;
    bool rebuild_client_cert_chain;
} avs_net_certificate_info_t;
#endif

/** Keys of one of the modes. */
#if defined(AVS_COMMONS_WITH_AVS_CRYPTO)
typedef struct {
    avs_net_security_mode_t mode;
    union {
        avs_net_psk_info_t psk;
        avs_net_certificate_info_t cert;
    } data;
} avs_net_security_info_t;
#endif

/** @returns the same as settings of a mode; still views. */
#if defined(AVS_COMMONS_WITH_AVS_CRYPTO)
avs_net_security_info_t avs_net_security_info_from_psk(avs_net_psk_info_t psk);
avs_net_security_info_t avs_net_security_info_from_certificates(avs_net_certificate_info_t info);
#endif

/** First wait for an answer of a handshake, doubled each time up to the last one. */
#if defined(AVS_COMMONS_WITH_AVS_CRYPTO)
typedef struct {
    avs_time_duration_t min;
    avs_time_duration_t max;
} avs_net_dtls_handshake_timeouts_t;
#endif

/** 1 s to 60 s (RFC 6347, section 4.2.4.1). */
#if defined(AVS_COMMONS_WITH_AVS_CRYPTO)
extern const avs_net_dtls_handshake_timeouts_t AVS_NET_SOCKET_DEFAULT_DTLS_HANDSHAKE_TIMEOUTS;
#endif

#define AVS_NET_SSL_ALERT_CATEGORY 8572

/** @returns an alert of the peer as an error: level and description as in RFC 5246, section 7.2. */
static inline avs_error_t avs_net_ssl_alert(uint8_t level, uint8_t description) {
    return (avs_error_t) { .category = AVS_NET_SSL_ALERT_CATEGORY,
                           .code = (uint16_t) ((level << 8) | description) };
}

/** @returns the level (the description) of an alert; 0 if @p error is none. */
static inline uint8_t avs_net_ssl_alert_level(avs_error_t error) {
    return error.category == AVS_NET_SSL_ALERT_CATEGORY ? (uint8_t) (error.code >> 8) : 0;
}
static inline uint8_t avs_net_ssl_alert_description(avs_error_t error) {
    return error.category == AVS_NET_SSL_ALERT_CATEGORY ? (uint8_t) (error.code & 0xFF) : 0;
}

#define AVS_NET_SSL_LIB_ERROR_CATEGORY 8573

/** @returns an error number of the TLS library as an error. */
static inline avs_error_t avs_net_ssl_lib_error(uint16_t error) {
    return (avs_error_t) { .category = AVS_NET_SSL_LIB_ERROR_CATEGORY, .code = error };
}

/** Ciphersuites by their IANA numbers, in order of preference; none: the defaults. */
#if defined(AVS_COMMONS_WITH_AVS_CRYPTO)
typedef struct {
    uint32_t *ids;
    size_t num_ids;
} avs_net_socket_tls_ciphersuites_t;
#endif

/**
 * How a DTLS socket is made; keys and names are copied. `dtls_handshake_timeouts` NULL: the defaults; `prng_ctx`:
 * OpenSSL's own is used; the session is kept in the socket, without `session_resumption_buffer`; `use_connection_id`:
 * a warning, and no effect.
 */
#if defined(AVS_COMMONS_WITH_AVS_CRYPTO)
typedef struct {
    avs_net_ssl_version_t version;
    avs_net_security_info_t security;
    const avs_net_dtls_handshake_timeouts_t *dtls_handshake_timeouts;
    void *session_resumption_buffer;
    size_t session_resumption_buffer_size;
    avs_net_socket_tls_ciphersuites_t ciphersuites;
    avs_ssl_additional_configuration_clb_t *additional_configuration_clb;
    avs_net_socket_configuration_t backend_configuration;
    const char *server_name_indication;
    bool use_connection_id;
    avs_crypto_prng_ctx_t *prng_ctx;
} avs_net_ssl_configuration_t;
#endif

/** Options of a socket; each has its member in avs_net_socket_opt_value_t. */
typedef enum {
    AVS_NET_SOCKET_OPT_RECV_TIMEOUT = 0,
    AVS_NET_SOCKET_OPT_STATE = 1,
    AVS_NET_SOCKET_OPT_ADDR_FAMILY = 2,
    AVS_NET_SOCKET_OPT_MTU = 3,
    AVS_NET_SOCKET_OPT_INNER_MTU = 4,
    AVS_NET_SOCKET_OPT_SESSION_RESUMED = 5,
    AVS_NET_SOCKET_OPT_BYTES_SENT = 6,
    AVS_NET_SOCKET_OPT_BYTES_RECEIVED = 7,
    AVS_NET_SOCKET_OPT_DANE_TLSA_ARRAY = 8,
    AVS_NET_SOCKET_HAS_BUFFERED_DATA = 9,
    AVS_NET_SOCKET_OPT_DTLS_HANDSHAKE_TIMEOUTS = 10,
    AVS_NET_SOCKET_OPT_CONNECTION_ID_RESUMED = 11,
    AVS_NET_SOCKET_OPT_PREFERRED_ADDR_FAMILY = 12,
    AVS_NET_SOCKET_OPT_FORCED_ADDR_FAMILY = 13
} avs_net_socket_opt_key_t;

/** How far a socket is: CLOSED also while it resolves a name, BOUND while it shakes hands. */
typedef enum {
    AVS_NET_SOCKET_STATE_CLOSED = 0,
    AVS_NET_SOCKET_STATE_SHUTDOWN = 1,
    AVS_NET_SOCKET_STATE_BOUND = 2,
    AVS_NET_SOCKET_STATE_ACCEPTED = 3,
    AVS_NET_SOCKET_STATE_CONNECTED = 4
} avs_net_socket_state_t;

/** Fields of a TLSA record (RFC 6698, section 2.1). */
typedef enum {
    AVS_NET_SOCKET_DANE_CA_CONSTRAINT = 0,
    AVS_NET_SOCKET_DANE_SERVICE_CERTIFICATE_CONSTRAINT = 1,
    AVS_NET_SOCKET_DANE_TRUST_ANCHOR_ASSERTION = 2,
    AVS_NET_SOCKET_DANE_DOMAIN_ISSUED_CERTIFICATE = 3
} avs_net_socket_dane_certificate_usage_t;
typedef enum {
    AVS_NET_SOCKET_DANE_CERTIFICATE = 0,
    AVS_NET_SOCKET_DANE_PUBLIC_KEY = 1
} avs_net_socket_dane_selector_t;
typedef enum {
    AVS_NET_SOCKET_DANE_MATCH_FULL = 0,
    AVS_NET_SOCKET_DANE_MATCH_SHA256 = 1,
    AVS_NET_SOCKET_DANE_MATCH_SHA512 = 2
} avs_net_socket_dane_matching_type_t;

/** A TLSA record; the data is a view. */
typedef struct {
    avs_net_socket_dane_certificate_usage_t certificate_usage;
    avs_net_socket_dane_selector_t selector;
    avs_net_socket_dane_matching_type_t matching_type;
    const void *association_data;
    size_t association_data_size;
} avs_net_socket_dane_tlsa_record_t;

/** TLSA records; a view. */
typedef struct {
    const avs_net_socket_dane_tlsa_record_t *array_ptr;
    size_t array_element_count;
} avs_net_socket_dane_tlsa_array_t;

/** Value of an option: times, sizes in bytes, counters of payload bytes since the socket was made. */
typedef union {
    avs_time_duration_t recv_timeout;
    avs_net_socket_state_t state;
    avs_net_af_t addr_family;
    int mtu;
    bool flag;
    uint64_t bytes_sent;
    uint64_t bytes_received;
    avs_net_socket_dane_tlsa_array_t dane_tlsa_array;
    avs_net_dtls_handshake_timeouts_t dtls_handshake_timeouts;
} avs_net_socket_opt_value_t;

/**
 * Makes a UDP socket; @p config may be NULL. Nothing of the system is in use yet. @returns AVS_OK or AVS_ENOMEM. To be
 * freed by avs_net_socket_cleanup().
 */
avs_error_t avs_net_udp_socket_create(avs_net_socket_t **socket, const avs_net_socket_configuration_t *config);

/**
 * Makes a DTLS socket. @returns AVS_OK; AVS_ENOTSUP for another mode or version or if no ciphersuite is known;
 * AVS_ENOMEM, also if keys are empty or the callback refused. To be freed by avs_net_socket_cleanup().
 */
#if defined(AVS_COMMONS_WITH_AVS_CRYPTO)
avs_error_t avs_net_dtls_socket_create(avs_net_socket_t **socket, const avs_net_ssl_configuration_t *config);
#endif

/** Closes and frees it and sets *socket to NULL; that may be NULL. @returns AVS_OK. */
avs_error_t avs_net_socket_cleanup(avs_net_socket_t **socket);

/**
 * Connects to a name or address, and shakes hands; waits for both. @p port: a decimal number. @returns AVS_OK;
 * AVS_EISCONN unless it is closed; AVS_EADDRNOTAVAIL for an unknown name; AVS_ETIMEDOUT after the last handshake
 * timeout; an alert; others of the system. After an error it is closed.
 */
avs_error_t avs_net_socket_connect(avs_net_socket_t *socket, const char *host, const char *port);

/**
 * Sends one datagram. @returns AVS_OK, AVS_ENOTCONN, AVS_EMSGSIZE and others of the system. What gets lost is not
 * told.
 */
avs_error_t avs_net_socket_send(avs_net_socket_t *socket, const void *buffer, size_t buffer_length);

/**
 * Receives one datagram, within the receive timeout; zero or less: without waiting. @returns AVS_OK; AVS_ETIMEDOUT:
 * none came; AVS_EMSGSIZE: it was larger, the rest is lost; AVS_ENOTCONN; AVS_ECONNRESET after close_notify; an alert.
 */
avs_error_t avs_net_socket_receive(avs_net_socket_t *socket, size_t *out_bytes_received, void *buffer, size_t buffer_length);

/**
 * Chooses the local port for the next connect; @p address must be NULL or empty. @returns AVS_OK, AVS_ENOTSUP for an
 * address, AVS_EISCONN unless it is closed, AVS_EINVAL.
 */
avs_error_t avs_net_socket_bind(avs_net_socket_t *socket, const char *address, const char *port);

/**
 * Sends close_notify where there is a handshake to end, and closes; it can be connected again, with the session
 * resumed. @returns AVS_OK.
 */
avs_error_t avs_net_socket_close(avs_net_socket_t *socket);

/** Ends the connection without giving up the descriptor. @returns AVS_OK, or AVS_EBADF unless it is connected. */
avs_error_t avs_net_socket_shutdown(avs_net_socket_t *socket);

/** Gives the interface of the configuration. @returns AVS_OK, or AVS_ENODEV if it names none. */
avs_error_t avs_net_socket_interface_name(avs_net_socket_t *socket, avs_net_socket_interface_name_t *if_name);

/**
 * Give the peer's or the own address, name or port as a terminated text. @returns AVS_OK, AVS_ENOTCONN, AVS_ENOBUFS if
 * the buffer is too small.
 */
avs_error_t avs_net_socket_get_remote_host(avs_net_socket_t *socket, char *out_buffer, size_t out_buffer_size);
avs_error_t avs_net_socket_get_remote_hostname(avs_net_socket_t *socket, char *out_buffer, size_t out_buffer_size);
avs_error_t avs_net_socket_get_remote_port(avs_net_socket_t *socket, char *out_buffer, size_t out_buffer_size);
avs_error_t avs_net_socket_get_local_host(avs_net_socket_t *socket, char *out_buffer, size_t out_buffer_size);
avs_error_t avs_net_socket_get_local_port(avs_net_socket_t *socket, char *out_buffer, size_t out_buffer_size);

/** Gives an option. @returns AVS_OK, or AVS_ENOTSUP. */
avs_error_t avs_net_socket_get_opt(avs_net_socket_t *socket, avs_net_socket_opt_key_t option_key, avs_net_socket_opt_value_t *out_option_value);

/**
 * Sets RECV_TIMEOUT, DTLS_HANDSHAKE_TIMEOUTS or a family for the next connect. @returns AVS_OK, or AVS_ENOTSUP for any
 * other.
 */
avs_error_t avs_net_socket_set_opt(avs_net_socket_t *socket, avs_net_socket_opt_key_t option_key, avs_net_socket_opt_value_t option_value);

/**
 * @returns a pointer to the descriptor to poll for reading, valid as long as the socket; its value changes while
 * connecting. NULL if there is none.
 */
const void *avs_net_socket_get_system(avs_net_socket_t *socket);

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_COMMONS_AVS_SOCKET_H */
