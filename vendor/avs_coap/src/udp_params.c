/* SPDX-License-Identifier: Apache-2.0 */
#include <avsystem/coap/udp.h>

#include <math.h>

/** RFC 7252, section 4.8.2. */
#define MAX_LATENCY_S 100

const avs_coap_udp_tx_params_t AVS_COAP_DEFAULT_UDP_TX_PARAMS = {
    .ack_timeout = { 2, 0 },
    .ack_random_factor = 1.5,
    .max_retransmit = 4,
    .nstart = 1
};

bool avs_coap_udp_tx_params_valid(const avs_coap_udp_tx_params_t *tx_params, const char **error_details) {
    const char *error = NULL;
    if (avs_time_duration_less(tx_params->ack_timeout, avs_time_duration_from_scalar(1, AVS_TIME_S))
            || !avs_time_duration_valid(tx_params->ack_timeout)) {
        error = "ACK_TIMEOUT must be at least 1 s";
    } else if (!(tx_params->ack_random_factor >= 1.0) || isinf(tx_params->ack_random_factor)) {
        error = "ACK_RANDOM_FACTOR must be at least 1.0";
    } else if (tx_params->max_retransmit > 30) {
        error = "MAX_RETRANSMIT must be at most 30";
    } else if (!tx_params->nstart) {
        error = "NSTART must be at least 1";
    }
    if (error_details) {
        *error_details = error;
    }
    return !error;
}

/** ACK_TIMEOUT * ACK_RANDOM_FACTOR * (2^exponent - 1) */
static avs_time_duration_t backed_off(const avs_coap_udp_tx_params_t *tx_params, unsigned exponent) {
    return avs_time_duration_fmul(tx_params->ack_timeout, tx_params->ack_random_factor * (ldexp(1.0, (int) exponent) - 1));
}

avs_time_duration_t avs_coap_udp_max_transmit_span(const avs_coap_udp_tx_params_t *tx_params) {
    return backed_off(tx_params, tx_params->max_retransmit);
}

avs_time_duration_t avs_coap_udp_max_transmit_wait(const avs_coap_udp_tx_params_t *tx_params) {
    return backed_off(tx_params, tx_params->max_retransmit + 1);
}

avs_time_duration_t avs_coap_udp_exchange_lifetime(const avs_coap_udp_tx_params_t *tx_params) {
    const avs_time_duration_t latency = avs_time_duration_from_scalar(2 * MAX_LATENCY_S, AVS_TIME_S);
    return avs_time_duration_add(avs_time_duration_add(avs_coap_udp_max_transmit_span(tx_params), latency),
                                 tx_params->ack_timeout);
}
