/* SPDX-License-Identifier: Apache-2.0 */
/** Texts, byte order, key material and sockets of avs_commons, as their headers promise. */
#include "test.h"

#include <avsystem/commons/avs_memory.h>
#include <avsystem/commons/avs_net.h>
#include <avsystem/commons/avs_utils.h>

#include <poll.h>
#include <stdlib.h>

#define CHECK_ERR(Err, Code)                                \
    do {                                                    \
        const avs_error_t err__ = (Err);                    \
        CHECK_INT(err__.category, AVS_ERRNO_CATEGORY);      \
        CHECK_INT(err__.code, Code);                        \
    } while (0)

static void test_hex(void) {
    char text[8];
    uint8_t bytes[3] = { 0 };
    size_t count = 9;
    CHECK(!avs_hexlify(text, sizeof(text), &count, "\x01\xAB\xFF\x10", 4));
    CHECK_STR(text, "01abff"); /* whole bytes only */
    CHECK_INT(count, 3);
    CHECK(!avs_hexlify(text, 1, NULL, "x", 1));
    CHECK_STR(text, "");
    CHECK(avs_hexlify(text, 0, &count, "x", 1));
    CHECK(!avs_unhexlify(&count, bytes, sizeof(bytes), "01aBFf10", 8));
    CHECK_INT(count, 3);
    CHECK(!memcmp(bytes, "\x01\xAB\xFF", 3));
    CHECK(avs_unhexlify(&count, bytes, sizeof(bytes), "012", 3) && avs_unhexlify(&count, bytes, sizeof(bytes), "0g", 2));
    CHECK(avs_unhexlify(NULL, bytes, sizeof(bytes), "@0", 2) && avs_unhexlify(NULL, bytes, sizeof(bytes), " 1", 2));
}

static void test_tokens(void) {
    const char *at = "  Bearer, token";
    CHECK(avs_match_token(&at, "bear", " ,") && avs_match_token(&at, "bearers", " ,"));
    CHECK(!avs_match_token(&at, "bearer", " ,"));
    CHECK_STR(at, "token");
    CHECK(!avs_match_token(&at, "TOKEN", " ,"));
    CHECK_STR(at, "");

    char value[8];
    at = "\"a,\\\"b\",next,much longer than that";
    avs_consume_quotable_token(&at, value, sizeof(value), ",");
    CHECK_STR(value, "a,\"b");
    avs_consume_quotable_token(&at, value, sizeof(value), ",");
    CHECK_STR(value, "next");
    avs_consume_quotable_token(&at, value, sizeof(value), ",");
    CHECK_STR(value, "much lo");
    CHECK_STR(at, "");
    at = "\"never closed\\"; /* and a backslash with nothing behind it */
    avs_consume_quotable_token(&at, value, 0, ",");
    CHECK_STR(at, "");
}

static void test_texts(void) {
    char text[6];
    CHECK_INT(avs_simple_snprintf(text, sizeof(text), "%d", 12345), 5);
    CHECK_INT(avs_simple_snprintf(text, sizeof(text), "%d", 123456), -1);
    CHECK_STR(text, "12345");
    char *copy = avs_strdup("copy");
    CHECK_STR(copy, "copy");
    avs_free(copy);
    CHECK(!avs_strcasecmp("Abc", "aBC") && avs_strncasecmp("abX", "aby", 3) < 0 && !avs_strncasecmp("abX", "aby", 2));
    CHECK_STR(AVS_UINT64_AS_STRING(UINT64_MAX), "18446744073709551615");
    CHECK_STR(AVS_INT64_AS_STRING(INT64_MIN), "-9223372036854775808");
    CHECK_STR(AVS_DOUBLE_AS_STRING(0.1, 3), "0.1");
    CHECK_STR(AVS_DOUBLE_AS_STRING(-1.5e-300, 200), "-1.5000000000000001e-300"); /* more digits than there is room for */
    CHECK_INT(AVS_UINT_STR_BUF_SIZE(uint8_t), sizeof("255"));
    CHECK_INT(AVS_INT_STR_BUF_SIZE(int8_t), sizeof("-128"));
    CHECK_INT(AVS_UINT_STR_BUF_SIZE(uint16_t), sizeof("65535"));
    CHECK_INT(AVS_INT_STR_BUF_SIZE(int32_t), sizeof("-2147483648"));
}

static void test_numbers(void) {
    CHECK(avs_convert_be16(avs_convert_be16(0x1234)) == 0x1234 && avs_convert_be64(avs_convert_be64(7)) == 7);
    const uint32_t big = avs_convert_be32(0x01020304);
    CHECK(!memcmp(&big, "\1\2\3\4", 4));
    const uint64_t real = avs_htond(-2.0);
    CHECK(!memcmp(&real, "\xC0\0\0\0\0\0\0\0", 8));
    CHECK(avs_ntohf(avs_htonf(0.15625f)) == 0.15625f && avs_ntohd(real) == -2.0);
    CHECK(avs_is_power_of_2(1) && avs_is_power_of_2(1024) && !avs_is_power_of_2(0) && !avs_is_power_of_2(12));
    CHECK_INT(avs_max_power_of_2_not_greater_than(1023), 512);
    CHECK_INT(avs_max_power_of_2_not_greater_than(0), 0);
    CHECK(avs_double_convertible_to_int64(-0x1p63) && !avs_double_convertible_to_int64(0x1p63));
    CHECK(avs_double_convertible_to_uint64(0x1p63) && !avs_double_convertible_to_uint64(0x1p64));
    CHECK(!avs_double_convertible_to_int64(0.5) && !avs_double_convertible_to_uint64(-1.0));
    avs_rand_seed_t seed = 1, same = 1;
    for (int i = 0; i < 100; ++i) {
        const int number = avs_rand_r(&seed);
        CHECK(number >= 0 && number <= AVS_RAND_MAX && number == avs_rand_r(&same));
    }
    CHECK(avs_rand64_r(&seed) == avs_rand64_r(&same) && seed == same);
}

static void test_keys(void) {
    char key[] = "secret";
    avs_crypto_psk_key_info_t *copy = NULL;
    CHECK(avs_is_ok(avs_crypto_psk_key_info_copy(&copy, avs_crypto_psk_key_info_from_buffer(key, 6))));
    avs_crypto_clear_buffer(key, sizeof(key));
    CHECK(!memcmp(key, "\0\0\0\0\0\0\0", sizeof(key)));
    CHECK_INT(copy->desc.info.buffer.buffer_size, 6);
    CHECK(!memcmp(copy->desc.info.buffer.buffer, "secret", 6));
    avs_free(copy);

    avs_crypto_psk_identity_info_t *identity = NULL;
    CHECK(avs_is_ok(avs_crypto_psk_identity_info_copy(&identity, avs_crypto_psk_identity_info_from_buffer(NULL, 0))));
    avs_free(identity);
    CHECK_ERR(avs_crypto_psk_identity_info_copy(&identity, (avs_crypto_psk_identity_info_t) { .desc.info.file.filename = "x" }),
              AVS_ENOTSUP);
    CHECK(!identity);
}

static int no_entropy(unsigned char *out, size_t size, void *arg) {
    memset(out, 1, size);
    return *(int *) arg;
}

static void test_random(void) {
    int result = -1;
    CHECK(!avs_crypto_prng_new(no_entropy, &result));
    result = 0;
    avs_crypto_prng_ctx_t *prng = avs_crypto_prng_new(no_entropy, &result);
    unsigned char one[16], other[16];
    CHECK(!avs_crypto_prng_bytes(prng, one, sizeof(one)) && !avs_crypto_prng_bytes(prng, other, sizeof(other)));
    CHECK(memcmp(one, other, sizeof(one)));
    CHECK(avs_crypto_prng_bytes(NULL, one, sizeof(one)));
    avs_crypto_prng_free(&prng);
    avs_crypto_prng_free(&prng);
    CHECK(!prng);
}

/** Two sockets that are connected with each other. */
static void make_pair(avs_net_socket_t **a, avs_net_socket_t **b) {
    char port_a[8], port_b[8];
    const avs_net_socket_configuration_t config = { .reuse_addr = 1 };
    CHECK(avs_is_ok(avs_net_udp_socket_create(a, &config)) && avs_is_ok(avs_net_udp_socket_create(b, NULL)));
    CHECK(avs_is_ok(avs_net_socket_connect(*a, "127.0.0.1", "9"))); /* for a port of its own */
    CHECK(avs_is_ok(avs_net_socket_get_local_port(*a, port_a, sizeof(port_a))));
    CHECK(avs_is_ok(avs_net_socket_connect(*b, "127.0.0.1", port_a)));
    CHECK(avs_is_ok(avs_net_socket_get_local_port(*b, port_b, sizeof(port_b))));
    CHECK(avs_is_ok(avs_net_socket_close(*a)) && avs_is_ok(avs_net_socket_bind(*a, NULL, port_a)));
    CHECK(avs_is_ok(avs_net_socket_connect(*a, "localhost", port_b))); /* by name */
}

static void test_sockets(void) {
    avs_net_socket_t *a = NULL, *b = NULL;
    make_pair(&a, &b);
    const avs_net_socket_opt_value_t second = { .recv_timeout = { 1, 0 } }, none = { .recv_timeout = { 0, 0 } };
    char text[64];
    size_t size;
    CHECK(avs_is_ok(avs_net_socket_set_opt(b, AVS_NET_SOCKET_OPT_RECV_TIMEOUT, second)));
    CHECK(avs_is_ok(avs_net_socket_send(a, "hello", 5)) && avs_is_ok(avs_net_socket_receive(b, &size, text, sizeof(text))));
    CHECK(size == 5 && !memcmp(text, "hello", 5));
    CHECK(avs_is_ok(avs_net_socket_send(a, "too long", 8)));
    CHECK_ERR(avs_net_socket_receive(b, &size, text, 3), AVS_EMSGSIZE);
    CHECK(avs_is_ok(avs_net_socket_set_opt(b, AVS_NET_SOCKET_OPT_RECV_TIMEOUT, none)));
    CHECK_ERR(avs_net_socket_receive(b, &size, text, sizeof(text)), AVS_ETIMEDOUT); /* the rest of it is no message */
    CHECK_INT(size, 0);

    avs_net_socket_opt_value_t value;
    CHECK(avs_is_ok(avs_net_socket_get_opt(a, AVS_NET_SOCKET_OPT_BYTES_SENT, &value)));
    CHECK_INT(value.bytes_sent, 13);
    CHECK(avs_is_ok(avs_net_socket_get_opt(b, AVS_NET_SOCKET_OPT_STATE, &value)));
    CHECK_INT(value.state, AVS_NET_SOCKET_STATE_CONNECTED);
    CHECK_ERR(avs_net_socket_get_opt(b, AVS_NET_SOCKET_OPT_DANE_TLSA_ARRAY, &value), AVS_ENOTSUP);
    CHECK_ERR(avs_net_socket_set_opt(b, AVS_NET_SOCKET_OPT_MTU, value), AVS_ENOTSUP);

    CHECK(avs_is_ok(avs_net_socket_get_remote_host(a, text, sizeof(text))));
    CHECK_STR(text, "127.0.0.1");
    CHECK_ERR(avs_net_socket_get_remote_host(a, text, 3), AVS_ENOBUFS);
    CHECK(avs_is_ok(avs_net_socket_get_remote_hostname(a, text, sizeof(text))));
    CHECK_STR(text, "localhost");
    avs_net_socket_interface_name_t interface;
    CHECK_ERR(avs_net_socket_interface_name(a, &interface), AVS_ENODEV);
    CHECK(avs_net_socket_get_system(a) && *(const int *) avs_net_socket_get_system(a) >= 0);

    CHECK_ERR(avs_net_socket_connect(a, "127.0.0.1", "9"), AVS_EISCONN);
    CHECK_ERR(avs_net_socket_bind(a, NULL, "9"), AVS_EISCONN);
    CHECK(avs_is_ok(avs_net_socket_shutdown(b)));
    CHECK(avs_is_ok(avs_net_socket_close(a)) && !avs_net_socket_get_system(a));
    CHECK_ERR(avs_net_socket_shutdown(a), AVS_EBADF);
    CHECK_ERR(avs_net_socket_send(a, "x", 1), AVS_ENOTCONN);
    CHECK_ERR(avs_net_socket_receive(a, &size, text, sizeof(text)), AVS_ENOTCONN);
    CHECK_ERR(avs_net_socket_get_local_host(a, text, sizeof(text)), AVS_ENOTCONN);
    CHECK_ERR(avs_net_socket_bind(a, "127.0.0.1", "0"), AVS_ENOTSUP);
    CHECK_ERR(avs_net_socket_bind(a, NULL, "a port that is too long"), AVS_EINVAL);
    CHECK_ERR(avs_net_socket_connect(a, "name.invalid", "9"), AVS_EADDRNOTAVAIL);
    CHECK(avs_is_ok(avs_net_socket_cleanup(&a)) && avs_is_ok(avs_net_socket_cleanup(&a)) && !a);
    CHECK(avs_is_ok(avs_net_socket_cleanup(&b)));
}

static void test_tls_settings(void) {
    avs_net_socket_t *socket = NULL;
    avs_net_ssl_configuration_t config = { .security = avs_net_security_info_from_psk((avs_net_psk_info_t) {
                                                   .key = avs_crypto_psk_key_info_from_buffer("key", 3),
                                                   .identity = avs_crypto_psk_identity_info_from_buffer("id", 2) }) };
    CHECK(avs_is_ok(avs_net_dtls_socket_create(&socket, &config)));
    CHECK(avs_is_ok(avs_net_socket_cleanup(&socket)));
    config.version = AVS_NET_SSL_VERSION_TLSv1_3;
    CHECK_ERR(avs_net_dtls_socket_create(&socket, &config), AVS_ENOTSUP);
    config.version = AVS_NET_SSL_VERSION_TLSv1_2;
    uint32_t unknown = 0x1234;
    config.ciphersuites = (avs_net_socket_tls_ciphersuites_t) { &unknown, 1 };
    CHECK_ERR(avs_net_dtls_socket_create(&socket, &config), AVS_ENOTSUP);
    config.ciphersuites.num_ids = 0;
    config.security.data.psk.key = avs_crypto_psk_key_info_from_buffer("", 0);
    CHECK_ERR(avs_net_dtls_socket_create(&socket, &config), AVS_ENOMEM);
    config.security = avs_net_security_info_from_certificates((avs_net_certificate_info_t) { .server_cert_validation = true });
    CHECK_ERR(avs_net_dtls_socket_create(&socket, &config), AVS_ENOTSUP);
    CHECK(!socket);
    const avs_error_t alert = avs_net_ssl_alert(2, 115);
    CHECK(avs_net_ssl_alert_level(alert) == 2 && avs_net_ssl_alert_description(alert) == 115);
    CHECK(!avs_net_ssl_alert_level(avs_errno(AVS_EIO)) && !avs_net_ssl_alert_description(avs_net_ssl_lib_error(5)));
}

int main(void) {
    RUN(test_hex);
    RUN(test_tokens);
    RUN(test_texts);
    RUN(test_numbers);
    RUN(test_keys);
    RUN(test_random);
    RUN(test_sockets);
    RUN(test_tls_settings);
    return TEST_END();
}
