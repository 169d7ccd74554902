/* SPDX-License-Identifier: Apache-2.0 */
/** Transmission parameters of CoAP over UDP (RFC 7252, section 4.8). */
#ifndef VENDOR_COAP_UDP_H
#define VENDOR_COAP_UDP_H

#include <avsystem/coap/avs_coap_config.h>
#include <avsystem/commons/avs_sched.h>
#include <avsystem/commons/avs_socket.h>
#include <avsystem/commons/avs_time.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Transmission parameters of a server's exchanges. */
typedef struct {
    /** ACK_TIMEOUT: at least 1 s. */
    avs_time_duration_t ack_timeout;
    /** ACK_RANDOM_FACTOR: at least 1.0. */
    double ack_random_factor;
    /** MAX_RETRANSMIT: retransmissions after the first transmission. */
    unsigned int max_retransmit;
    /** NSTART: outstanding exchanges with a server; at least 1. */
    size_t nstart;
} avs_coap_udp_tx_params_t;

/** ACK_TIMEOUT 2 s, ACK_RANDOM_FACTOR 1.5, MAX_RETRANSMIT 4, NSTART 1. */
extern const avs_coap_udp_tx_params_t AVS_COAP_DEFAULT_UDP_TX_PARAMS;

/** Whether RFC 7252 allows @p tx_params; if not, @p error_details (may be NULL) gets a static text. */
bool avs_coap_udp_tx_params_valid(const avs_coap_udp_tx_params_t *tx_params, const char **error_details);

/** MAX_TRANSMIT_SPAN: first to last transmission of a confirmable message. */
avs_time_duration_t avs_coap_udp_max_transmit_span(const avs_coap_udp_tx_params_t *tx_params);

/** MAX_TRANSMIT_WAIT: first transmission to giving up. */
avs_time_duration_t avs_coap_udp_max_transmit_wait(const avs_coap_udp_tx_params_t *tx_params);

/** EXCHANGE_LIFETIME: how long a message id must not be used again. */
avs_time_duration_t avs_coap_udp_exchange_lifetime(const avs_coap_udp_tx_params_t *tx_params);

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_COAP_UDP_H */
