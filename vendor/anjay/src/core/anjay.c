/* SPDX-License-Identifier: Apache-2.0 */
/** Life of a client, and its lock. */
#include "buffers.h"
#include "core.h"

#include "../../../avs_commons/src/sched/sched_internal.h"
#include "../objects/objects.h"

#include <avsystem/commons/avs_log.h>
#include <avsystem/commons/avs_memory.h>
#include <avsystem/commons/avs_utils.h>

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/** Room for a block of 1024 bytes with its options, whatever the configuration says. */
#define MIN_BUFFER_SIZE 1280
#define DEFAULT_BUFFER_SIZE 4000

const anjay_transport_set_t ANJAY_TRANSPORT_SET_ALL = { .udp = true, .tcp = true };
const anjay_transport_set_t ANJAY_TRANSPORT_SET_IP = { .udp = true, .tcp = true };
const anjay_transport_set_t ANJAY_TRANSPORT_SET_UDP = { .udp = true, .tcp = false };
const anjay_transport_set_t ANJAY_TRANSPORT_SET_TCP = { .udp = false, .tcp = true };

const char *anjay_get_version(void) {
    return "3.14.0+vendored";
}

void anjay_lock(anjay_t *anjay) {
    pthread_mutex_lock(&anjay->mutex);
}

void anjay_unlock(anjay_t *anjay) {
    pthread_mutex_unlock(&anjay->mutex);
}

/** What is wrong with a configuration, or NULL. */
static const char *check(const anjay_configuration_t *config) {
    const char *details = NULL;
    if (!config || !config->endpoint_name || !*config->endpoint_name) {
        return "endpoint_name is required";
    }
    if (strlen(config->endpoint_name) > ANJAY_MAX_URI_QUERY_SEGMENT_SIZE - 4) {
        return "endpoint_name is too long";
    }
    if (config->udp_tx_params && !avs_coap_udp_tx_params_valid(config->udp_tx_params, &details)) {
        return details;
    }
    const anjay_lwm2m_version_config_t *versions = config->lwm2m_version_config;
    if (versions
            && (versions->minimum_version > ANJAY_LWM2M_VERSION_1_1
                || versions->maximum_version < ANJAY_LWM2M_VERSION_1_1)) {
        return "this build registers as LwM2M 1.1, which lwm2m_version_config leaves out";
    }
    if (config->udp_dtls_hs_tx_params
            && (!avs_time_duration_less(AVS_TIME_DURATION_ZERO, config->udp_dtls_hs_tx_params->min)
                || avs_time_duration_less(config->udp_dtls_hs_tx_params->max, config->udp_dtls_hs_tx_params->min))) {
        return "udp_dtls_hs_tx_params: 0 < min <= max";
    }
    return NULL;
}

static size_t buffer_size(size_t configured) {
    return configured ? AVS_MAX(configured, MIN_BUFFER_SIZE) : DEFAULT_BUFFER_SIZE;
}

/** Copies what the configuration points to. */
static int copy_config(anjay_t *anjay, const anjay_configuration_t *config) {
    anjay->config = *config;
    anjay->config.in_buffer_size = buffer_size(config->in_buffer_size);
    anjay->config.out_buffer_size = buffer_size(config->out_buffer_size);
    anjay->config.lwm2m_version_config = NULL;
    anjay->config.udp_tx_params = NULL;
    anjay->config.udp_dtls_hs_tx_params = NULL;
    anjay->config.default_tls_ciphersuites.ids = NULL;
    anjay->udp_tx_params = config->udp_tx_params ? *config->udp_tx_params : AVS_COAP_DEFAULT_UDP_TX_PARAMS;
    anjay->dtls_hs_params = config->udp_dtls_hs_tx_params ? *config->udp_dtls_hs_tx_params
                                                          : AVS_NET_SOCKET_DEFAULT_DTLS_HANDSHAKE_TIMEOUTS;
    anjay->endpoint_name = avs_strdup(config->endpoint_name);
    const size_t suites = config->default_tls_ciphersuites.num_ids;
    if (suites) {
        anjay->config.default_tls_ciphersuites.ids = (uint32_t *) avs_malloc(suites * sizeof(uint32_t));
        if (!anjay->config.default_tls_ciphersuites.ids) {
            return -1;
        }
        memcpy(anjay->config.default_tls_ciphersuites.ids, config->default_tls_ciphersuites.ids,
               suites * sizeof(uint32_t));
    }
    return anjay->endpoint_name ? 0 : -1;
}

static void wake_hook(void *anjay_ptr) {
    anjay_wake((anjay_t *) anjay_ptr);
}

static void free_client(anjay_t *anjay) {
    avs_sched_cleanup(&anjay->sched);
    if (!anjay->config.prng_ctx) {
        avs_crypto_prng_free(&anjay->prng);
    }
    if (anjay->wake_fd >= 0) {
        close(anjay->wake_fd);
    }
    avs_free(anjay->config.default_tls_ciphersuites.ids);
    avs_free(anjay->poll_fds);
    avs_free(anjay->poll_sockets);
    avs_free(anjay->endpoint_name);
    pthread_mutex_destroy(&anjay->mutex);
    avs_free(anjay);
    anjay_buffers_release();
}

anjay_t *anjay_new(const anjay_configuration_t *config) {
    const char *error = check(config);
    anjay_t *anjay = error ? NULL : (anjay_t *) avs_calloc(1, sizeof(*anjay));
    if (!anjay) {
        anjay_log(ERROR, "no client: %s", error ? error : "out of memory");
        return NULL;
    }
    anjay_buffers_retain();
    pthread_mutex_init(&anjay->mutex, NULL);
    anjay_dm_init(&anjay->dm);
    anjay_observe_init(&anjay->observe);
    anjay_servers_init(&anjay->servers);
    anjay->queue_mode = ANJAY_PREFER_ONLINE_MODE;
    anjay->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int failed = copy_config(anjay, config);
    anjay->prng = config->prng_ctx ? config->prng_ctx : avs_crypto_prng_new(NULL, NULL);
    anjay->sched = avs_sched_new("anjay", anjay);
    if (failed || anjay->wake_fd < 0 || !anjay->prng || !anjay->sched) {
        anjay_log(ERROR, "no client: out of memory or descriptors");
        free_client(anjay);
        return NULL;
    }
    sched_set_earliest_hook(anjay->sched, wake_hook, anjay);
    anjay_log(INFO, "client %s, version %s", anjay->endpoint_name, anjay_get_version());
    return anjay;
}

void anjay_delete(anjay_t *anjay) {
    if (!anjay) {
        return;
    }
    avs_sched_run(anjay->sched); /* what is due already is still done */
    anjay_lock(anjay);
    anjay_send_cleanup(anjay); /* before De-register, which would wait for them */
    anjay_servers_deregister_all(anjay);
    anjay_servers_cleanup(anjay);
    anjay_observe_cleanup(anjay);
    anjay_fw_update_cleanup(anjay);
    anjay_server_object_cleanup(anjay);
    anjay_security_object_cleanup(anjay);
    anjay_dm_cleanup(anjay);
    anjay_unlock(anjay);
    free_client(anjay);
}
