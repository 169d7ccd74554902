/* SPDX-License-Identifier: Apache-2.0 */
/* avsystem/commons/avs_errno.h */
typedef struct {
    uint16_t category;
    uint16_t code;
    ...;
} avs_error_t;
extern const avs_error_t AVS_OK;
bool avs_is_ok(avs_error_t error);
bool avs_is_err(avs_error_t error);
#define AVS_ERRNO_CATEGORY ...
typedef enum avs_errno {
    AVS_NO_ERROR,
    AVS_E2BIG,
    AVS_EACCES,
    AVS_EADDRINUSE,
    AVS_EADDRNOTAVAIL,
    AVS_EAFNOSUPPORT,
    AVS_EAGAIN,
    AVS_EALREADY,
    AVS_EBADF,
    AVS_EBADMSG,
    AVS_EBUSY,
    AVS_ECHILD,
    AVS_ECONNABORTED,
    AVS_ECONNREFUSED,
    AVS_ECONNRESET,
    AVS_EDEADLK,
    AVS_EDESTADDRREQ,
    AVS_EDOM,
    AVS_EEXIST,
    AVS_EFAULT,
    AVS_EFBIG,
    AVS_EHOSTUNREACH,
    AVS_EINPROGRESS,
    AVS_EINTR,
    AVS_EINVAL,
    AVS_EIO,
    AVS_EISCONN,
    AVS_EISDIR,
    AVS_ELOOP,
    AVS_EMFILE,
    AVS_EMLINK,
    AVS_EMSGSIZE,
    AVS_ENAMETOOLONG,
    AVS_ENETDOWN,
    AVS_ENETRESET,
    AVS_ENETUNREACH,
    AVS_ENFILE,
    AVS_ENOBUFS,
    AVS_ENODEV,
    AVS_ENOENT,
    AVS_ENOEXEC,
    AVS_ENOLINK,
    AVS_ENOMEM,
    AVS_ENOMSG,
    AVS_ENOPROTOOPT,
    AVS_ENOSPC,
    AVS_ENOSYS,
    AVS_ENOTBLK,
    AVS_ENOTCONN,
    AVS_ENOTDIR,
    AVS_ENOTEMPTY,
    AVS_ENOTSOCK,
    AVS_ENOTSUP,
    AVS_ENOTTY,
    AVS_ENXIO,
    AVS_EOVERFLOW,
    AVS_EPERM,
    AVS_EPIPE,
    AVS_EPROTO,
    AVS_EPROTONOSUPPORT,
    AVS_EPROTOTYPE,
    AVS_ERANGE,
    AVS_EROFS,
    AVS_ESPIPE,
    AVS_ESRCH,
    AVS_ETIMEDOUT,
    AVS_ETXTBSY,
    AVS_EXDEV,
    AVS_UNKNOWN_ERROR,
    ...
} avs_errno_t;
avs_error_t avs_errno(avs_errno_t error);
#if AVS_COMMONS_WITH_AVS_UTILS
const char *avs_strerror(avs_errno_t error);
#endif

/* avsystem/commons/avs_time.h */
typedef struct {
    int64_t seconds;
    int32_t nanoseconds;
    ...;
} avs_time_duration_t;
typedef struct {
    avs_time_duration_t since_real_epoch;
    ...;
} avs_time_real_t;
typedef struct {
    avs_time_duration_t since_monotonic_epoch;
    ...;
} avs_time_monotonic_t;
typedef enum {
    AVS_TIME_DAY,
    AVS_TIME_HOUR,
    AVS_TIME_MIN,
    AVS_TIME_S,
    AVS_TIME_MS,
    AVS_TIME_US,
    AVS_TIME_NS,
    ...
} avs_time_unit_t;
extern const avs_time_real_t AVS_TIME_REAL_INVALID;
extern const avs_time_monotonic_t AVS_TIME_MONOTONIC_INVALID;
extern const avs_time_duration_t AVS_TIME_DURATION_INVALID;
extern const avs_time_duration_t AVS_TIME_DURATION_ZERO;
#if AVS_COMMONS_WITH_AVS_UTILS
bool avs_time_duration_less(avs_time_duration_t a, avs_time_duration_t b);
#endif
bool avs_time_real_before(avs_time_real_t a, avs_time_real_t b);
bool avs_time_monotonic_before(avs_time_monotonic_t a, avs_time_monotonic_t b);
#if AVS_COMMONS_WITH_AVS_UTILS
bool avs_time_duration_equal(avs_time_duration_t a, avs_time_duration_t b);
#endif
bool avs_time_real_equal(avs_time_real_t a, avs_time_real_t b);
bool avs_time_monotonic_equal(avs_time_monotonic_t a, avs_time_monotonic_t b);
#if AVS_COMMONS_WITH_AVS_UTILS
bool avs_time_duration_valid(avs_time_duration_t t);
#endif
bool avs_time_real_valid(avs_time_real_t t);
bool avs_time_monotonic_valid(avs_time_monotonic_t t);
#if AVS_COMMONS_WITH_AVS_UTILS
avs_time_duration_t avs_time_duration_add(avs_time_duration_t a, avs_time_duration_t b);
#endif
avs_time_real_t avs_time_real_add(avs_time_real_t a, avs_time_duration_t b);
avs_time_monotonic_t avs_time_monotonic_add(avs_time_monotonic_t a, avs_time_duration_t b);
#if AVS_COMMONS_WITH_AVS_UTILS
avs_time_duration_t avs_time_duration_diff(avs_time_duration_t minuend, avs_time_duration_t subtrahend);
#endif
avs_time_duration_t avs_time_real_diff(avs_time_real_t minuend, avs_time_real_t subtrahend);
avs_time_duration_t avs_time_monotonic_diff(avs_time_monotonic_t minuend, avs_time_monotonic_t subtrahend);
#if AVS_COMMONS_WITH_AVS_UTILS
int avs_time_duration_to_scalar(int64_t *out, avs_time_unit_t unit, avs_time_duration_t value);
#endif
int avs_time_real_to_scalar(int64_t *out, avs_time_unit_t unit, avs_time_real_t value);
int avs_time_monotonic_to_scalar(int64_t *out, avs_time_unit_t unit, avs_time_monotonic_t value);
#if AVS_COMMONS_WITH_AVS_UTILS
double avs_time_duration_to_fscalar(avs_time_duration_t value, avs_time_unit_t unit);
#endif
double avs_time_real_to_fscalar(avs_time_real_t value, avs_time_unit_t unit);
double avs_time_monotonic_to_fscalar(avs_time_monotonic_t value, avs_time_unit_t unit);
#if AVS_COMMONS_WITH_AVS_UTILS
avs_time_duration_t avs_time_duration_from_scalar(int64_t value, avs_time_unit_t unit);
#endif
avs_time_real_t avs_time_real_from_scalar(int64_t value, avs_time_unit_t unit);
avs_time_monotonic_t avs_time_monotonic_from_scalar(int64_t value, avs_time_unit_t unit);
#if AVS_COMMONS_WITH_AVS_UTILS
avs_time_duration_t avs_time_duration_from_fscalar(double value, avs_time_unit_t unit);
#endif
avs_time_real_t avs_time_real_from_fscalar(double value, avs_time_unit_t unit);
avs_time_monotonic_t avs_time_monotonic_from_fscalar(double value, avs_time_unit_t unit);
#if AVS_COMMONS_WITH_AVS_UTILS
avs_time_duration_t avs_time_duration_mul(avs_time_duration_t input, int32_t multiplier);
avs_time_duration_t avs_time_duration_fmul(avs_time_duration_t input, double multiplier);
avs_time_duration_t avs_time_duration_div(avs_time_duration_t input, int32_t divisor);
#endif
#if AVS_COMMONS_WITH_AVS_UTILS && AVS_COMMONS_UTILS_WITH_POSIX_AVS_TIME
avs_time_real_t avs_time_real_now(void);
avs_time_monotonic_t avs_time_monotonic_now(void);
#endif

/* avsystem/commons/avs_log.h */
#if AVS_COMMONS_WITH_AVS_LOG
typedef enum {
    AVS_LOG_TRACE,
    AVS_LOG_DEBUG,
    AVS_LOG_INFO,
    AVS_LOG_WARNING,
    AVS_LOG_ERROR,
    AVS_LOG_QUIET,
    ...
} avs_log_level_t;
typedef void avs_log_handler_t(avs_log_level_t level, const char *module, const char *message);
typedef void avs_log_extended_handler_t(avs_log_level_t level, const char *module, const char *file, unsigned int line, const char *message);
#if !AVS_COMMONS_WITH_EXTERNAL_LOGGER_HEADER
void avs_log_set_handler(avs_log_handler_t *log_handler);
void avs_log_set_extended_handler(avs_log_extended_handler_t *log_handler);
void avs_log_reset(void);
#endif
#if !AVS_COMMONS_WITHOUT_LOG_CHECK_IN_RUNTIME
int avs_log_set_level__(const char *module, avs_log_level_t level);
#endif
#endif

/* avsystem/commons/avs_memory.h */
#if AVS_COMMONS_WITH_AVS_UTILS && AVS_COMMONS_UTILS_WITH_STANDARD_ALLOCATOR
void *avs_malloc(size_t size);
void avs_free(void *ptr);
void *avs_calloc(size_t nmemb, size_t size);
void *avs_realloc(void *ptr, size_t size);
#endif

/* avsystem/commons/avs_prng.h */
typedef struct avs_crypto_prng_ctx_struct avs_crypto_prng_ctx_t;
typedef int (*avs_prng_entropy_callback_t)(unsigned char *out_buf, size_t out_buf_len, void *user_ptr);
#if AVS_COMMONS_WITH_AVS_CRYPTO && (AVS_COMMONS_WITHOUT_TLS || AVS_COMMONS_WITH_CUSTOM_TLS)
avs_crypto_prng_ctx_t *avs_crypto_prng_new(avs_prng_entropy_callback_t entropy_cb, void *user_ptr);
void avs_crypto_prng_free(avs_crypto_prng_ctx_t **ctx);
int avs_crypto_prng_bytes(avs_crypto_prng_ctx_t *ctx, unsigned char *out_buf, size_t out_buf_size);
#endif

/* avsystem/commons/avs_crypto_common.h */
typedef struct avs_crypto_security_info_union_struct avs_crypto_security_info_union_t;
#if AVS_COMMONS_WITH_AVS_CRYPTO_PKI_ENGINE || AVS_COMMONS_WITH_AVS_CRYPTO_PSK_ENGINE
typedef struct {
    const char *query;
} avs_crypto_security_info_union_internal_engine_t;
#endif
typedef struct {
    const char *filename;
    const char *password;
} avs_crypto_security_info_union_internal_file_t;
typedef struct {
    const char *path;
} avs_crypto_security_info_union_internal_path_t;
typedef struct {
    const void *buffer;
    const char *password;
    size_t buffer_size;
} avs_crypto_security_info_union_internal_buffer_t;
typedef struct {
    const avs_crypto_security_info_union_t *array_ptr;
    size_t element_count;
} avs_crypto_security_info_union_internal_array_t;
typedef struct {
    avs_crypto_security_info_union_t *list_head;
} avs_crypto_security_info_union_internal_list_t;
typedef enum {
    AVS_CRYPTO_SECURITY_INFO_CERTIFICATE_CHAIN,
    AVS_CRYPTO_SECURITY_INFO_PRIVATE_KEY,
    AVS_CRYPTO_SECURITY_INFO_CERT_REVOCATION_LIST,
    AVS_CRYPTO_SECURITY_INFO_PSK_IDENTITY,
    AVS_CRYPTO_SECURITY_INFO_PSK_KEY,
    ...
} avs_crypto_security_info_tag_t;
typedef enum {
    AVS_CRYPTO_DATA_SOURCE_EMPTY,
    AVS_CRYPTO_DATA_SOURCE_FILE,
    AVS_CRYPTO_DATA_SOURCE_PATH,
    AVS_CRYPTO_DATA_SOURCE_BUFFER,
    AVS_CRYPTO_DATA_SOURCE_ARRAY,
    AVS_CRYPTO_DATA_SOURCE_LIST,
#if AVS_COMMONS_WITH_AVS_CRYPTO_PKI_ENGINE || AVS_COMMONS_WITH_AVS_CRYPTO_PSK_ENGINE
    AVS_CRYPTO_DATA_SOURCE_ENGINE,
#endif
    ...
} avs_crypto_data_source_t;
struct avs_crypto_security_info_union_struct {
    avs_crypto_security_info_tag_t type;
    avs_crypto_data_source_t source;
    union {
        avs_crypto_security_info_union_internal_file_t file;
        avs_crypto_security_info_union_internal_path_t path;
        avs_crypto_security_info_union_internal_buffer_t buffer;
        avs_crypto_security_info_union_internal_array_t array;
        avs_crypto_security_info_union_internal_list_t list;
#if AVS_COMMONS_WITH_AVS_CRYPTO_PKI_ENGINE || AVS_COMMONS_WITH_AVS_CRYPTO_PSK_ENGINE
        avs_crypto_security_info_union_internal_engine_t engine;
#endif
    } info;
    ...;
};

/* avsystem/commons/avs_crypto_pki.h */
typedef struct avs_crypto_certificate_chain_info_struct {
    avs_crypto_security_info_union_t desc;
    ...;
} avs_crypto_certificate_chain_info_t;
#if AVS_COMMONS_WITH_AVS_CRYPTO_PKI
avs_crypto_certificate_chain_info_t avs_crypto_certificate_chain_info_from_file(const char *filename);
avs_crypto_certificate_chain_info_t avs_crypto_certificate_chain_info_from_path(const char *path);
avs_crypto_certificate_chain_info_t avs_crypto_certificate_chain_info_from_buffer(const void *buffer, size_t buffer_size);
avs_crypto_certificate_chain_info_t avs_crypto_certificate_chain_info_from_array(const avs_crypto_certificate_chain_info_t *array_ptr, size_t array_element_count);
#endif
typedef struct {
    avs_crypto_security_info_union_t desc;
    ...;
} avs_crypto_cert_revocation_list_info_t;
#if AVS_COMMONS_WITH_AVS_CRYPTO_PKI
avs_crypto_cert_revocation_list_info_t avs_crypto_cert_revocation_list_info_from_file(const char *filename);
avs_crypto_cert_revocation_list_info_t avs_crypto_cert_revocation_list_info_from_buffer(const void *buffer, size_t buffer_size);
#endif
typedef struct {
    avs_crypto_security_info_union_t desc;
    ...;
} avs_crypto_private_key_info_t;
#if AVS_COMMONS_WITH_AVS_CRYPTO_PKI
avs_crypto_private_key_info_t avs_crypto_private_key_info_from_file(const char *filename, const char *password);
avs_crypto_private_key_info_t avs_crypto_private_key_info_from_buffer(const void *buffer, size_t buffer_size, const char *password);
#endif

/* avsystem/commons/avs_crypto_psk.h */
typedef struct {
    avs_crypto_security_info_union_t desc;
    ...;
} avs_crypto_psk_identity_info_t;
#if AVS_COMMONS_WITH_AVS_CRYPTO
avs_crypto_psk_identity_info_t avs_crypto_psk_identity_info_from_buffer(const void *buffer, size_t buffer_size);
#endif
typedef struct {
    avs_crypto_security_info_union_t desc;
    ...;
} avs_crypto_psk_key_info_t;
#if AVS_COMMONS_WITH_AVS_CRYPTO
avs_crypto_psk_key_info_t avs_crypto_psk_key_info_from_buffer(const void *buffer, size_t buffer_size);
#endif

/* avsystem/commons/avs_sched.h */
typedef struct avs_sched_job_struct avs_sched_job_t;
typedef avs_sched_job_t *avs_sched_handle_t;
typedef struct avs_sched_struct avs_sched_t;
typedef void avs_sched_clb_t(avs_sched_t *sched, const void *data);
#if AVS_COMMONS_WITH_AVS_SCHED
avs_sched_t *avs_sched_new(const char *name, void *data);
void avs_sched_cleanup(avs_sched_t **sched_ptr);
void *avs_sched_data(avs_sched_t *sched);
avs_time_monotonic_t avs_sched_time_of_next(avs_sched_t *sched);
avs_time_duration_t avs_sched_time_to_next(avs_sched_t *sched);
int avs_sched_wait_until_next(avs_sched_t *sched, avs_time_monotonic_t deadline);
int avs_sched_wait_for_next(avs_sched_t *sched, avs_time_duration_t timeout);
void avs_sched_run(avs_sched_t *sched);
int avs_sched_at_impl__(avs_sched_t *sched, avs_sched_handle_t *out_handle, avs_time_monotonic_t instant, const char *log_file, unsigned int log_line, const char *log_name, avs_sched_clb_t *clb, const void *clb_data, size_t clb_data_size);
int avs_resched_at_impl__(avs_sched_handle_t *handle_ptr, avs_time_monotonic_t instant);
avs_time_monotonic_t avs_sched_time(avs_sched_handle_t *handle_ptr);
void avs_sched_del(avs_sched_handle_t *handle_ptr);
void avs_sched_detach(avs_sched_handle_t *handle_ptr);
int avs_sched_leap_time(avs_sched_t *sched, avs_time_duration_t diff);
#endif

/* avsystem/commons/avs_socket.h */
typedef struct {
    uint8_t size;
    ...;
} avs_net_resolved_endpoint_t;
typedef enum {
    AVS_NET_AF_UNSPEC,
    AVS_NET_AF_INET4,
    AVS_NET_AF_INET6,
    ...
} avs_net_af_t;
typedef struct avs_net_socket_struct avs_net_socket_t;
typedef char avs_net_socket_interface_name_t[16];
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
    ...;
} avs_net_socket_configuration_t;
#if AVS_COMMONS_WITH_AVS_CRYPTO
typedef int avs_ssl_additional_configuration_clb_t(void *library_ssl_context);
typedef enum {
    AVS_NET_SSL_VERSION_DEFAULT,
    AVS_NET_SSL_VERSION_SSLv2_OR_3,
    AVS_NET_SSL_VERSION_SSLv2,
    AVS_NET_SSL_VERSION_SSLv3,
    AVS_NET_SSL_VERSION_TLSv1,
    AVS_NET_SSL_VERSION_TLSv1_1,
    AVS_NET_SSL_VERSION_TLSv1_2,
    AVS_NET_SSL_VERSION_TLSv1_3,
    ...
} avs_net_ssl_version_t;
typedef enum {
    AVS_NET_SECURITY_DEFAULT,
    AVS_NET_SECURITY_PSK,
    AVS_NET_SECURITY_CERTIFICATE,
    ...
} avs_net_security_mode_t;
typedef struct {
    avs_crypto_psk_key_info_t key;
    avs_crypto_psk_identity_info_t identity;
    ...;
} avs_net_psk_info_t;
typedef struct {
    bool server_cert_validation;
    bool ignore_system_trust_store;
    bool dane;
    avs_crypto_certificate_chain_info_t trusted_certs;
    avs_crypto_cert_revocation_list_info_t cert_revocation_lists;
    avs_crypto_certificate_chain_info_t client_cert;
    avs_crypto_private_key_info_t client_key;
    bool rebuild_client_cert_chain;
    ...;
} avs_net_certificate_info_t;
typedef struct {
    avs_net_security_mode_t mode;
    ...;
} avs_net_security_info_t; /* `data` is written by the two functions below */
avs_net_security_info_t avs_net_security_info_from_psk(avs_net_psk_info_t psk);
#if AVS_COMMONS_WITH_AVS_CRYPTO_PKI
avs_net_security_info_t avs_net_security_info_from_certificates(avs_net_certificate_info_t info);
#endif
typedef struct {
    avs_time_duration_t min;
    avs_time_duration_t max;
    ...;
} avs_net_dtls_handshake_timeouts_t;
typedef struct {
    uint32_t *ids;
    size_t num_ids;
    ...;
} avs_net_socket_tls_ciphersuites_t;
#endif
typedef enum {
    AVS_NET_SOCKET_DANE_CA_CONSTRAINT,
    AVS_NET_SOCKET_DANE_SERVICE_CERTIFICATE_CONSTRAINT,
    AVS_NET_SOCKET_DANE_TRUST_ANCHOR_ASSERTION,
    AVS_NET_SOCKET_DANE_DOMAIN_ISSUED_CERTIFICATE,
    ...
} avs_net_socket_dane_certificate_usage_t;
typedef enum {
    AVS_NET_SOCKET_DANE_CERTIFICATE,
    AVS_NET_SOCKET_DANE_PUBLIC_KEY,
    ...
} avs_net_socket_dane_selector_t;
typedef enum {
    AVS_NET_SOCKET_DANE_MATCH_FULL,
    AVS_NET_SOCKET_DANE_MATCH_SHA256,
    AVS_NET_SOCKET_DANE_MATCH_SHA512,
    ...
} avs_net_socket_dane_matching_type_t;
typedef struct {
    avs_net_socket_dane_certificate_usage_t certificate_usage;
    avs_net_socket_dane_selector_t selector;
    avs_net_socket_dane_matching_type_t matching_type;
    const void *association_data;
    size_t association_data_size;
    ...;
} avs_net_socket_dane_tlsa_record_t;
#if AVS_COMMONS_WITH_AVS_NET
avs_error_t avs_net_socket_get_remote_host(avs_net_socket_t *socket, char *out_buffer, size_t out_buffer_size);
avs_error_t avs_net_socket_get_remote_port(avs_net_socket_t *socket, char *out_buffer, size_t out_buffer_size);
avs_error_t avs_net_socket_get_local_port(avs_net_socket_t *socket, char *out_buffer, size_t out_buffer_size);
const void *avs_net_socket_get_system(avs_net_socket_t *socket);
#endif

/* avsystem/commons/avs_stream.h */
typedef struct avs_stream_struct avs_stream_t;
#if AVS_COMMONS_WITH_AVS_STREAM
avs_error_t avs_stream_write(avs_stream_t *stream, const void *buffer, size_t buffer_length);
avs_error_t avs_stream_finish_message(avs_stream_t *stream);
avs_error_t avs_stream_read(avs_stream_t *stream, size_t *out_bytes_read, bool *out_message_finished, void *buffer, size_t buffer_length);
avs_error_t avs_stream_read_reliably(avs_stream_t *stream, void *buffer, size_t buffer_length);
avs_error_t avs_stream_cleanup(avs_stream_t **stream);
#endif

/* avsystem/commons/avs_stream_membuf.h */
#if AVS_COMMONS_WITH_AVS_STREAM
avs_error_t avs_stream_membuf_take_ownership(avs_stream_t *stream, void **out_ptr, size_t *out_size);
avs_stream_t *avs_stream_membuf_create(void);
#endif
