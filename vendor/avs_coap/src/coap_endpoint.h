/* SPDX-License-Identifier: Apache-2.0 */
/**
 * One CoAP association with one server, as a state machine fed with datagrams and a clock: message layer with
 * retransmission and duplicate detection (RFC 7252), block-wise transfer both ways (RFC 7959), requests of our own,
 * notifications (RFC 7641). It owns no socket: datagrams leave through ops->send.
 *
 * Re-entrancy: ops->request, response handlers and notification handlers may call coap_endpoint_request(),
 * _notify() and _cancel() on the same endpoint; nobody may call coap_endpoint_delete() from inside one.
 */
#ifndef COAP_ENDPOINT_H
#define COAP_ENDPOINT_H

#include "coap_buf.h"
#include "coap_msg.h"

#include <avsystem/coap/udp.h>
#include <avsystem/commons/avs_time.h>

typedef struct coap_endpoint coap_endpoint_t;

/** A request of the server's. Valid during the call. */
typedef struct {
    const coap_msg_t *msg; /**< code, token and options; for a block-wise request those of its last datagram */
    uint16_t content_format; /**< COAP_FORMAT_NONE if absent */
    uint16_t accept;
    bool has_observe;
    uint32_t observe;
    const uint8_t *payload; /**< the whole payload, put together; or, where `streamed`, the piece that begins at `offset` */
    size_t payload_size;
    bool streamed; /**< ops->accept_stream took it: one call per piece, in order */
    size_t offset;
    bool last; /**< the payload is complete with this piece (always true unless streamed) */
} coap_request_t;

/** What to answer; zeroed but for content_format and payload before ops->request is called. */
typedef struct {
    uint8_t code;            /**< response code, e.g. 0x45 */
    uint16_t content_format; /**< COAP_FORMAT_NONE: no option */
    bool has_observe;        /**< answer carries an Observe option; the endpoint numbers it */
    uint8_t location_count;  /**< 0, or Location-Path segments below */
    char location[3][8];
    coap_buf_t *payload;     /**< empty on entry; the endpoint cuts it into blocks where it must */
} coap_response_t;

typedef struct {
    /** Sends a datagram; @returns 0, or negative if it could not be sent (then it counts as lost). Must not call back. */
    int (*send)(void *arg, const uint8_t *data, size_t size);
    avs_time_monotonic_t (*now)(void *arg);
    /** Fills @p out with unpredictable bytes. */
    void (*random)(void *arg, void *out, size_t size);
    /** Handles a request and fills @p response; for a streamed one, response->code is looked at after each piece: 0 goes on. */
    void (*request)(void *arg, const coap_request_t *request, coap_response_t *response);
    /** Whether the payload of this Block1 request (block 0 in @p first) is to be delivered piece by piece. May be NULL. */
    bool (*accept_stream)(void *arg, const coap_request_t *first);
    /** A streamed request will not be completed: it restarted at block 0, timed out, or the endpoint goes away. May be NULL. */
    void (*stream_aborted)(void *arg);
    /** The server rejected a notification with Reset: its observation is to be dropped. May be NULL. */
    void (*notification_reset)(void *arg, const coap_token_t *token);
} coap_endpoint_ops_t;

typedef struct {
    const coap_endpoint_ops_t *ops; /**< must outlive the endpoint */
    void *arg;
    avs_coap_udp_tx_params_t tx_params;
    size_t cache_size;   /**< bytes of the response cache for duplicates; 0: none (an ACK is repeated by handling anew) */
    size_t max_datagram; /**< largest message sent, in bytes; blocks are at most 1024 bytes */
    size_t max_request_payload; /**< largest block-wise payload put together, in bytes; beyond: 4.13 with Size1 */
    const char *log_name; /**< e.g. "SSID 1"; must outlive the endpoint */
} coap_endpoint_config_t;

/** @returns NULL when memory ran out. */
coap_endpoint_t *coap_endpoint_new(const coap_endpoint_config_t *config);

/** Frees everything; outstanding requests and notifications end with COAP_RESULT_CANCELLED. Sets *ep to NULL. */
void coap_endpoint_delete(coap_endpoint_t **ep);

/** Forgets the peer's message ids, transfers and responses in cache, as after a new DTLS session or address. Outstanding requests
 *  and confirmable notifications are cancelled. */
void coap_endpoint_reset(coap_endpoint_t *ep);

/** Forgets which message ids the peer has used: it was started anew, and may count from the beginning. */
void coap_endpoint_forget_ids(coap_endpoint_t *ep);

/** Handles one received datagram of any contents. Malformed ones are answered or dropped as RFC 7252 says. */
void coap_endpoint_receive(coap_endpoint_t *ep, const uint8_t *data, size_t size);

/** Handles the beginning of a datagram that was larger than the buffer for it: a request is answered with 4.13. */
void coap_endpoint_receive_truncated(coap_endpoint_t *ep, const uint8_t *data, size_t size);

/** When coap_endpoint_tick() is due next; AVS_TIME_MONOTONIC_INVALID if never. */
avs_time_monotonic_t coap_endpoint_deadline(const coap_endpoint_t *ep);

/** Retransmits, gives up, expires: whatever is due now. */
void coap_endpoint_tick(coap_endpoint_t *ep);

typedef enum {
    COAP_RESULT_OK = 0,
    COAP_RESULT_TIMEOUT,  /**< MAX_TRANSMIT_WAIT passed without an answer */
    COAP_RESULT_RESET,    /**< the peer answered with Reset */
    COAP_RESULT_CANCELLED,
    COAP_RESULT_NO_MEMORY,
    COAP_RESULT_INVALID   /**< the answer broke the block-wise protocol */
} coap_result_t;

/** @p response is NULL unless @p result is COAP_RESULT_OK; its payload is whole (Block2 followed). Called exactly once. */
typedef void coap_response_handler_t(void *arg, coap_result_t result, const coap_msg_t *response);

/** A request of ours: always confirmable. Options in ascending order, without Block1 and Size1, which the endpoint adds where the
 *  payload is larger than a block (the block size follows the server's answers). */
typedef struct {
    uint8_t code;
    const coap_option_t *options;
    size_t options_count;
    const uint8_t *payload; /**< copied */
    size_t payload_size;
    bool background; /**< makes room for other requests and for notifications of ours, as long as it is not answered */
} coap_outgoing_t;

typedef struct coap_exchange coap_exchange_t;

/**
 * Queues a request (NSTART at a time are on the wire). @returns NULL when memory ran out, and the handler is not called then.
 * The exchange is valid until its handler has been called.
 */
coap_exchange_t *coap_endpoint_request(coap_endpoint_t *ep, const coap_outgoing_t *request,
                                       coap_response_handler_t *handler, void *arg);

/** Ends an exchange; its handler is called with COAP_RESULT_CANCELLED before this returns. */
void coap_endpoint_cancel(coap_endpoint_t *ep, coap_exchange_t *exchange);

/** Whether a request or a confirmable notification of ours waits for its answer or its turn. */
bool coap_endpoint_busy(const coap_endpoint_t *ep);

/** The end of a notification: for a confirmable one its ACK (OK), RESET or TIMEOUT; for a non-confirmable one OK at once. */
typedef void coap_notify_handler_t(void *arg, coap_result_t result);

typedef struct {
    coap_token_t token;
    bool confirmable;
    uint8_t code; /**< 2.05, or the error that ends the observation (then without an Observe option) */
    uint16_t content_format;
    const uint8_t *payload; /**< copied where needed; larger than a block of the size that `request` asked for: the first goes out, the rest is kept to be fetched */
    size_t payload_size;
    const coap_msg_t *request; /**< the observing request: its options say how large blocks are and match later fetches; may be NULL */
} coap_notification_t;

/** @returns the exchange of a confirmable notification (to cancel it), or NULL for a non-confirmable one or when memory ran out;
 *  the handler (may be NULL) is called with COAP_RESULT_NO_MEMORY then. */
coap_exchange_t *coap_endpoint_notify(coap_endpoint_t *ep, const coap_notification_t *notification,
                                      coap_notify_handler_t *handler, void *arg);

/** Changes retransmission parameters for exchanges that start later. */
void coap_endpoint_set_tx_params(coap_endpoint_t *ep, const avs_coap_udp_tx_params_t *tx_params);

/** How long an unfinished block-wise transfer, or an answer kept for one, is kept; EXCHANGE_LIFETIME unless this is called. */
void coap_endpoint_set_exchange_timeout(coap_endpoint_t *ep, avs_time_duration_t timeout);

/** Counters since creation, for anjay_get_num_*_retransmissions(). */
typedef struct {
    uint32_t outgoing_retransmissions;
    uint32_t incoming_retransmissions;
} coap_endpoint_stats_t;
coap_endpoint_stats_t coap_endpoint_stats(const coap_endpoint_t *ep);

#endif /* COAP_ENDPOINT_H */
