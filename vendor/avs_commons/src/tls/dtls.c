/* SPDX-License-Identifier: Apache-2.0 */
/** DTLS 1.2 client with a pre-shared key, on OpenSSL 3. Never blocks: the socket is non-blocking, timers are the caller's. */
#include "../net/net_internal.h"
#include "dtls_records.h"

#include <avsystem/commons/avs_memory.h>
#include <avsystem/commons/avs_utils.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define tls_log(Level, ...) avs_log(tls, Level, __VA_ARGS__)

#define DEFAULT_LINK_MTU 1500
#define CIPHER_LIST_MAX 768
/** Bytes of a record that goes out: what a CoAP message with a block of 1024 needs. OpenSSL has a buffer of that size a connection. */
#define RECORD_MAX 2048
/** Datagrams read in one go: under a flood of them the rest of the client gets its turn, too. */
#define READS_IN_A_ROW 64

/**
 * Suites with a pre-shared key by IANA number, in the order of preference: whole tags and what processors do in hardware first. CCM_8,
 * which servers of constrained devices may have alone (RFC 7925, section 4.2), has a short tag and takes two passes.
 */
static const struct {
    uint32_t id;
    const char *name;
    size_t min_sealed; /**< least length of a record's body, in bytes: nonce and tag, or IV, MAC and padding */
} SUITES[] = { { 0x00A8, "PSK-AES128-GCM-SHA256", 24 },
               { 0x00A9, "PSK-AES256-GCM-SHA384", 24 },
               { 0xCCAB, "PSK-CHACHA20-POLY1305", 16 },
               { 0xC0A4, "PSK-AES128-CCM", 24 },
               { 0xC0A5, "PSK-AES256-CCM", 24 },
               { 0xC0A8, "PSK-AES128-CCM8", 16 },
               { 0xC0A9, "PSK-AES256-CCM8", 16 },
               { 0xCCAC, "ECDHE-PSK-CHACHA20-POLY1305", 16 },
               { 0xC037, "ECDHE-PSK-AES128-CBC-SHA256", 64 },
               { 0xC038, "ECDHE-PSK-AES256-CBC-SHA384", 80 },
               { 0x00AE, "PSK-AES128-CBC-SHA256", 64 },
               { 0x00AF, "PSK-AES256-CBC-SHA384", 80 } };

/** Sockets with equal suites share a context: it is most of a connection's memory. */
typedef struct shared_ctx {
    struct shared_ctx *next;
    SSL_CTX *ctx;
    unsigned users;
    char ciphers[CIPHER_LIST_MAX];
} shared_ctx_t;

static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;
static shared_ctx_t *shared_contexts;

struct tls {
    shared_ctx_t *shared;
    avs_ssl_additional_configuration_clb_t *configure;
    avs_net_dtls_handshake_timeouts_t timeouts;
    uint8_t *identity, *key;
    size_t identity_size, key_size;
    char *sni;
    SSL *ssl; /**< NULL between connections */
    SSL_SESSION *session;
    bool resumed;
    int alert;           /**< fatal alert of the server: level << 8 | description; 0 for none */
    bool no_socket;      /**< the descriptor is none any more: somebody took it away */
    unsigned reads_left; /**< datagrams that may be read before the rest of the client has its turn */
    uint64_t plain_number; /**< of the next record that came without encryption */
    bool last_timeout;   /**< the timer that runs is the longest: no retransmission follows it */
    int fd;
    int family;
};

/* ------------------------------------------------------------------ I/O below the records */

static int bio_write(BIO *bio, const char *data, int size) {
    tls_t *tls = (tls_t *) BIO_get_data(bio);
    ssize_t sent = send(tls->fd, data, (size_t) size, MSG_NOSIGNAL);
    BIO_clear_retry_flags(bio);
    if (sent < 0 && errno == ECONNREFUSED) {
        sent = send(tls->fd, data, (size_t) size, MSG_NOSIGNAL);
    }
    /* what the network refuses is lost like a datagram: retransmission cares for it */
    return sent < 0 ? size : (int) sent;
}

/** Least length of an encrypted record's body with the suite that is agreed on. */
static size_t min_sealed(const SSL *ssl) {
    const SSL_CIPHER *cipher = SSL_get_pending_cipher(ssl);
    if (!cipher && !(cipher = SSL_get_current_cipher(ssl))) {
        return DTLS_SHORTEST_FINISHED;
    }
    for (size_t i = 0; i < AVS_ARRAY_SIZE(SUITES); ++i) {
        if (SUITES[i].id == SSL_CIPHER_get_protocol_id(cipher)) {
            return SUITES[i].min_sealed;
        }
    }
    return 16; /* the program's own choice of suites: the shortest tag there is */
}

static int bio_read(BIO *bio, char *data, int capacity) {
    tls_t *tls = (tls_t *) BIO_get_data(bio);
    uint64_t *number = SSL_is_init_finished(tls->ssl) ? NULL : &tls->plain_number;
    BIO_clear_retry_flags(bio);
    while (tls->reads_left) {
        const ssize_t got = recv(tls->fd, data, (size_t) capacity, 0);
        if (got < 0) { /* ICMP errors may be forged, or pass */
            tls->no_socket = errno == ENOTSOCK || errno == EBADF;
            if (tls->no_socket) {
                return -1;
            }
            break;
        }
        --tls->reads_left;
        const size_t kept = dtls_records_keep((uint8_t *) data, (size_t) got, min_sealed(tls->ssl), number);
        if (kept) {
            return (int) kept;
        }
    }
    BIO_set_retry_read(bio);
    return -1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer) {
    const tls_t *tls = (const tls_t *) BIO_get_data(bio);
    (void) number;
    (void) pointer;
    switch (command) {
    case BIO_CTRL_FLUSH:
    case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT: return 1;
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD: return tls->family == AF_INET6 ? 48 : 28;
    default: return 0;
    }
}

static int bio_create(BIO *bio) {
    BIO_set_init(bio, 1);
    return 1;
}

static BIO_METHOD *bio_method;
static pthread_once_t bio_once = PTHREAD_ONCE_INIT;

static void make_bio_method(void) {
    bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagram");
    if (bio_method) {
        BIO_meth_set_write(bio_method, bio_write);
        BIO_meth_set_read(bio_method, bio_read);
        BIO_meth_set_ctrl(bio_method, bio_ctrl);
        BIO_meth_set_create(bio_method, bio_create);
    }
}

/* ------------------------------------------------------------------ buffers of records */

/** Up to so many connections of a process keep the buffers of OpenSSL between two records, which then allocate nothing. */
#define WARM_CONNECTIONS 8

static atomic_uint connections;

/** To be called before OpenSSL reads or writes: it does not look after buffers that borrow_end() freed when it writes. */
static bool borrow_begin(SSL *ssl) {
    return SSL_alloc_buffers(ssl) == 1;
}

/** Gives some 20 KiB back where there are so many connections that they count; not while a part of a record is unread. */
static void borrow_end(SSL *ssl) {
    if (atomic_load_explicit(&connections, memory_order_relaxed) > WARM_CONNECTIONS && !SSL_has_pending(ssl)) {
        SSL_free_buffers(ssl);
    }
}

/* ------------------------------------------------------------------ callbacks of OpenSSL */

static unsigned int give_psk(SSL *ssl, const char *hint, char *identity, unsigned int max_identity,
                             unsigned char *psk, unsigned int max_psk) {
    (void) hint;
    const tls_t *tls = (const tls_t *) SSL_get_app_data(ssl);
    if (tls->identity_size + 1 > max_identity || tls->key_size > max_psk
            || memchr(tls->identity, '\0', tls->identity_size)) {
        return 0;
    }
    memcpy(identity, tls->identity, tls->identity_size);
    identity[tls->identity_size] = '\0';
    memcpy(psk, tls->key, tls->key_size);
    return (unsigned int) tls->key_size;
}

static void note_alert(const SSL *ssl, int where, int value) {
    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && value >> 8 == SSL3_AL_FATAL) {
        ((tls_t *) SSL_get_app_data(ssl))->alert = value;
    }
}

/** Next handshake timeout in microseconds: from the minimum, doubled, up to the maximum, with which the attempt ends. */
static unsigned int next_timeout(SSL *ssl, unsigned int previous_us) {
    tls_t *tls = (tls_t *) SSL_get_app_data(ssl);
    int64_t min_us, max_us;
    if (avs_time_duration_to_scalar(&min_us, AVS_TIME_US, tls->timeouts.min)
            || avs_time_duration_to_scalar(&max_us, AVS_TIME_US, tls->timeouts.max)) {
        return 1000000;
    }
    const int64_t us = previous_us ? AVS_MIN(2 * (int64_t) previous_us, max_us) : min_us;
    tls->last_timeout = us >= max_us;
    return (unsigned int) AVS_MIN(us, UINT32_MAX);
}

/* ------------------------------------------------------------------ contexts */

static bool append(char *out, const char *text) {
    const size_t used = strlen(out), more = strlen(text);
    if (used + more >= CIPHER_LIST_MAX) {
        return false;
    }
    memcpy(out + used, text, more + 1);
    return true;
}

/** OpenSSL's list of the suites asked for; level 0 since CCM_8, which LwM2M devices share with their servers, has a short tag. */
static int cipher_list(const avs_net_socket_tls_ciphersuites_t *wanted, char out[CIPHER_LIST_MAX]) {
    *out = '\0';
    for (size_t i = 0; i < (wanted->num_ids ? wanted->num_ids : AVS_ARRAY_SIZE(SUITES)); ++i) {
        const char *name = wanted->num_ids ? NULL : SUITES[i].name;
        for (size_t k = 0; wanted->num_ids && k < AVS_ARRAY_SIZE(SUITES); ++k) {
            if (SUITES[k].id == wanted->ids[i]) {
                name = SUITES[k].name;
            }
        }
        if (!name) {
            if (wanted->num_ids) {
                tls_log(WARNING, "ciphersuite 0x%04X is not known and left out", (unsigned) wanted->ids[i]);
            }
            continue;
        }
        if ((*out && !append(out, ":")) || !append(out, name)) {
            return -1;
        }
    }
    return *out && append(out, ":@SECLEVEL=0") ? 0 : -1;
}

static SSL_CTX *make_ctx(const char *ciphers) {
    SSL_CTX *ctx = SSL_CTX_new(DTLS_client_method());
    if (!ctx) {
        return NULL;
    }
    SSL_CTX_set_min_proto_version(ctx, DTLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(ctx, DTLS1_2_VERSION);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    /* with encrypt-then-MAC, which only CBC has, OpenSSL ends the connection over any forged record instead of dropping it */
    SSL_CTX_set_options(ctx, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION
                                     | SSL_OP_NO_ENCRYPT_THEN_MAC);
    SSL_CTX_set_psk_client_callback(ctx, give_psk);
    SSL_CTX_set_info_callback(ctx, note_alert);
    if (SSL_CTX_set_cipher_list(ctx, ciphers) != 1) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

static shared_ctx_t *acquire_ctx(const char *ciphers, bool may_share) {
    pthread_mutex_lock(&shared_lock);
    shared_ctx_t *shared = may_share ? shared_contexts : NULL;
    while (shared && strcmp(shared->ciphers, ciphers)) {
        shared = shared->next;
    }
    if (shared) {
        ++shared->users;
    } else if ((shared = (shared_ctx_t *) avs_calloc(1, sizeof(*shared)))) {
        shared->ctx = make_ctx(ciphers);
        shared->users = 1;
        if (!shared->ctx) {
            avs_free(shared);
            shared = NULL;
        } else if (may_share) {
            strcpy(shared->ciphers, ciphers);
            shared->next = shared_contexts;
            shared_contexts = shared;
        }
    }
    pthread_mutex_unlock(&shared_lock);
    return shared;
}

static void release_ctx(shared_ctx_t *shared) {
    pthread_mutex_lock(&shared_lock);
    if (--shared->users == 0) {
        for (shared_ctx_t **entry = &shared_contexts; *entry; entry = &(*entry)->next) {
            if (*entry == shared) {
                *entry = shared->next;
                break;
            }
        }
        SSL_CTX_free(shared->ctx);
        avs_free(shared);
    }
    pthread_mutex_unlock(&shared_lock);
}

static uint8_t *copy_info(const avs_crypto_security_info_union_t *info, size_t *out_size) {
    *out_size = 0;
    if (info->source != AVS_CRYPTO_DATA_SOURCE_BUFFER || !info->info.buffer.buffer_size) {
        return NULL;
    }
    uint8_t *copy = (uint8_t *) avs_malloc(info->info.buffer.buffer_size);
    if (copy) {
        *out_size = info->info.buffer.buffer_size;
        memcpy(copy, info->info.buffer.buffer, *out_size);
    }
    return copy;
}

tls_t *tls_new(const avs_net_ssl_configuration_t *config, avs_error_t *err) {
    char ciphers[CIPHER_LIST_MAX];
    const bool version_ok =
            config->version == AVS_NET_SSL_VERSION_DEFAULT || config->version == AVS_NET_SSL_VERSION_TLSv1_2;
    *err = avs_errno(AVS_ENOTSUP);
    if (config->security.mode != AVS_NET_SECURITY_PSK || !version_ok || cipher_list(&config->ciphersuites, ciphers)) {
        tls_log(ERROR, "only DTLS 1.2 with a pre-shared key and a known ciphersuite is supported");
        return NULL;
    }
    *err = avs_errno(AVS_ENOMEM);
    pthread_once(&bio_once, make_bio_method);
    tls_t *tls = bio_method ? (tls_t *) avs_calloc(1, sizeof(*tls)) : NULL;
    if (!tls) {
        return NULL;
    }
    tls->fd = -1;
    tls->configure = config->additional_configuration_clb;
    tls->timeouts = config->dtls_handshake_timeouts ? *config->dtls_handshake_timeouts
                                                    : AVS_NET_SOCKET_DEFAULT_DTLS_HANDSHAKE_TIMEOUTS;
    tls->identity = copy_info(&config->security.data.psk.identity.desc, &tls->identity_size);
    tls->key = copy_info(&config->security.data.psk.key.desc, &tls->key_size);
    tls->sni = config->server_name_indication ? avs_strdup(config->server_name_indication) : NULL;
    tls->shared = acquire_ctx(ciphers, !tls->configure);
    const bool complete = tls->identity && tls->key && tls->shared && (tls->sni || !config->server_name_indication);
    if (!complete || (tls->configure && tls->configure(tls->shared->ctx))) {
        tls_free(&tls);
        return NULL;
    }
    if (config->use_connection_id) {
        tls_log(WARNING, "DTLS Connection ID is not supported by this TLS library");
    }
    return tls;
}

static void free_connection(tls_t *tls) {
    if (tls->ssl) {
        SSL_free(tls->ssl);
        tls->ssl = NULL;
        --connections;
    }
}

void tls_free(tls_t **tls_ptr) {
    tls_t *tls = *tls_ptr;
    free_connection(tls);
    SSL_SESSION_free(tls->session);
    if (tls->shared) {
        release_ctx(tls->shared);
    }
    if (tls->key) {
        explicit_bzero(tls->key, tls->key_size);
    }
    avs_free(tls->identity);
    avs_free(tls->key);
    avs_free(tls->sni);
    avs_free(tls);
    *tls_ptr = NULL;
}

/* ------------------------------------------------------------------ handshake */

avs_error_t tls_start(avs_net_socket_t *socket) {
    tls_t *tls = socket->tls;
    tls->fd = socket->fd;
    tls->family = socket->remote.ss_family;
    tls->alert = 0;
    tls->resumed = tls->last_timeout = false;
    tls->plain_number = 0;
    tls->ssl = SSL_new(tls->shared->ctx);
    BIO *bio = tls->ssl && SSL_set_app_data(tls->ssl, tls) == 1 ? BIO_new(bio_method) : NULL;
    if (!bio) {
        SSL_free(tls->ssl);
        tls->ssl = NULL;
        return avs_errno(AVS_ENOMEM);
    }
    BIO_set_data(bio, tls);
    SSL_set_bio(tls->ssl, bio, bio);
    DTLS_set_link_mtu(tls->ssl, socket->config.forced_mtu > 0 ? socket->config.forced_mtu : DEFAULT_LINK_MTU);
    SSL_set_max_send_fragment(tls->ssl, RECORD_MAX);
    DTLS_set_timer_cb(tls->ssl, next_timeout);
    if (tls->sni) {
        SSL_set_tlsext_host_name(tls->ssl, tls->sni);
    }
    if (tls->session) {
        SSL_set_session(tls->ssl, tls->session);
    }
    ERR_clear_error();
    SSL_set_connect_state(tls->ssl);
    if (ERR_peek_error()) { /* since 3.2 it allocates, and says nothing; without what it makes the next call crashes */
        SSL_free(tls->ssl);
        tls->ssl = NULL;
        return avs_errno(AVS_ENOMEM);
    }
    ++connections;
    return AVS_OK;
}

/** What a failed call of OpenSSL means. */
static avs_error_t error_of(tls_t *tls, int ssl_error) {
    const unsigned long code = ERR_peek_last_error();
    ERR_clear_error();
    if (tls->alert) {
        return avs_net_ssl_alert((uint8_t) (tls->alert >> 8), (uint8_t) tls->alert);
    }
    if (tls->no_socket) {
        return avs_errno(AVS_ENOTSOCK);
    }
    if (ssl_error == SSL_ERROR_ZERO_RETURN) {
        return avs_errno(AVS_ECONNRESET);
    }
    char text[128];
    ERR_error_string_n(code, text, sizeof(text));
    tls_log(DEBUG, "%s", text);
    return avs_errno(AVS_EPROTO);
}

static void keep_session(tls_t *tls) {
    tls->resumed = SSL_session_reused(tls->ssl) == 1;
    SSL_SESSION_free(tls->session);
    tls->session = SSL_get1_session(tls->ssl);
    tls_log(DEBUG, "connected: %s%s", SSL_get_cipher_name(tls->ssl), tls->resumed ? ", session resumed" : "");
}

avs_error_t tls_step(avs_net_socket_t *socket, bool *pending, avs_time_monotonic_t *deadline) {
    tls_t *tls = socket->tls;
    struct timeval left;
    ERR_clear_error();
    tls->reads_left = READS_IN_A_ROW;
    if (!borrow_begin(tls->ssl)) {
        return avs_errno(AVS_ENOMEM);
    }
    if (DTLSv1_get_timeout(tls->ssl, &left) && !left.tv_sec && !left.tv_usec) {
        if (tls->last_timeout) {
            return avs_errno(AVS_ETIMEDOUT);
        }
        if (DTLSv1_handle_timeout(tls->ssl) < 0) {
            return avs_errno(AVS_ETIMEDOUT);
        }
    }
    const int result = SSL_do_handshake(tls->ssl);
    *pending = false;
    if (result == 1) {
        keep_session(tls);
        borrow_end(tls->ssl);
        return AVS_OK;
    }
    const int ssl_error = SSL_get_error(tls->ssl, result);
    if (ssl_error != SSL_ERROR_WANT_READ && ssl_error != SSL_ERROR_WANT_WRITE) {
        if (tls->session) { /* the next attempt shall not stumble over the same session */
            tls_forget_session(tls);
        }
        return error_of(tls, ssl_error);
    }
    *pending = true;
    borrow_end(tls->ssl);
    if (DTLSv1_get_timeout(tls->ssl, &left)) {
        const avs_time_duration_t delay = { left.tv_sec, (int32_t) left.tv_usec * 1000 };
        *deadline = avs_time_monotonic_add(avs_time_monotonic_now(), delay);
    }
    return AVS_OK;
}

/* ------------------------------------------------------------------ data */

/** Makes room for records of any size, for the rest of the connection. */
static bool enlarge_records(SSL *ssl) {
    return SSL_set_max_send_fragment(ssl, SSL3_RT_MAX_PLAIN_LENGTH) == 1 && SSL_free_buffers(ssl) == 1
           && SSL_alloc_buffers(ssl) == 1;
}

avs_error_t tls_send(avs_net_socket_t *socket, const void *data, size_t size) {
    tls_t *tls = socket->tls;
    if (!tls->ssl) {
        return avs_errno(AVS_ENOTCONN);
    }
    ERR_clear_error();
    if (size > RECORD_MAX && (size > SSL3_RT_MAX_PLAIN_LENGTH || !enlarge_records(tls->ssl))) {
        return avs_errno(AVS_EMSGSIZE);
    }
    if (!borrow_begin(tls->ssl)) {
        return avs_errno(AVS_ENOMEM);
    }
    const int result = SSL_write(tls->ssl, data, (int) size);
    borrow_end(tls->ssl);
    return result > 0 ? AVS_OK : error_of(tls, SSL_get_error(tls->ssl, result));
}

/** Reads what is left of a record that was larger than the buffer: it is no message of its own. */
static avs_error_t discard_rest(tls_t *tls) {
    uint8_t rest[512];
    while (SSL_pending(tls->ssl) > 0 && SSL_read(tls->ssl, rest, sizeof(rest)) > 0) {
    }
    return avs_errno(AVS_EMSGSIZE);
}

avs_error_t tls_receive(avs_net_socket_t *socket, size_t *out_size, void *data, size_t capacity) {
    tls_t *tls = socket->tls;
    if (!tls->ssl) {
        return avs_errno(AVS_ENOTCONN);
    }
    ERR_clear_error();
    tls->reads_left = READS_IN_A_ROW;
    if (!borrow_begin(tls->ssl)) {
        return avs_errno(AVS_ENOMEM);
    }
    avs_error_t err = AVS_OK;
    const int result = SSL_read(tls->ssl, data, (int) capacity);
    if (result > 0) {
        *out_size = (size_t) result;
        err = SSL_pending(tls->ssl) ? discard_rest(tls) : AVS_OK;
    } else {
        const int ssl_error = SSL_get_error(tls->ssl, result);
        err = ssl_error == SSL_ERROR_WANT_READ ? avs_errno(AVS_ETIMEDOUT) : error_of(tls, ssl_error);
    }
    borrow_end(tls->ssl);
    return err;
}

void tls_close(tls_t *tls) {
    if (!tls->ssl) {
        return;
    }
    if (SSL_is_init_finished(tls->ssl) && !tls->alert && borrow_begin(tls->ssl)) {
        ERR_clear_error();
        SSL_shutdown(tls->ssl);
    }
    ERR_clear_error();
    free_connection(tls);
    tls->fd = -1;
}

void tls_forget_session(tls_t *tls) {
    SSL_SESSION_free(tls->session);
    tls->session = NULL;
}

bool tls_has_buffered_data(const tls_t *tls) {
    return tls->ssl && SSL_has_pending(tls->ssl);
}

bool tls_session_resumed(const tls_t *tls) {
    return tls->resumed;
}

void tls_set_timeouts(tls_t *tls, avs_net_dtls_handshake_timeouts_t timeouts) {
    tls->timeouts = timeouts;
}
