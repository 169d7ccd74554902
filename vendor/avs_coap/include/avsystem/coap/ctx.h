/* SPDX-License-Identifier: Apache-2.0 */
/** Errors of CoAP exchanges as avs_error_t. */
#ifndef VENDOR_COAP_CTX_H
#define VENDOR_COAP_CTX_H

/** avs_error_t.category of what follows; avs_error_t.code is one of avs_coap_error_t. */
#define AVS_COAP_ERR_CATEGORY 22627

/** Those that this build reports. */
typedef enum {
    AVS_COAP_ERR_UDP_RESET_RECEIVED = 4096, /**< the peer rejected the message with Reset */
    AVS_COAP_ERR_TIMEOUT = 4104,            /**< every retransmission went unanswered */
    AVS_COAP_ERR_EXCHANGE_CANCELED = 12288  /**< the connection ended first */
} avs_coap_error_t;

#endif /* VENDOR_COAP_CTX_H */
