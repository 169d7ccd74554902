/* SPDX-License-Identifier: Apache-2.0 */
/** Which messages of the peer were handled already, and the answers to them (RFC 7252, section 4.5). Knows no clock and no socket. */
#ifndef ENDPOINT_CACHE_H
#define ENDPOINT_CACHE_H

#include "coap_msg.h"

#define COAP_SEEN_PAGES 32
#define COAP_SEEN_PAGE_SIZE 64

/** What tells a copy from another message: the message id, and a digest, since a peer that was started anew may use ids again. */
typedef struct {
    uint16_t mid;
    uint16_t digest;
} coap_msg_id_t;

typedef struct {
    coap_msg_id_t id;
    uint32_t expires_s; /**< 0: none */
} coap_seen_t;

typedef struct {
    uint8_t *data;    /**< answers, oldest first: cache_entry_t and the datagram */
    size_t size;
    size_t allocated; /**< grows up to the capacity as answers come */
    size_t capacity;
    /** Messages, also those whose answer there is no room for: the last one of each place, which its message id gives. A page is made when
     *  its first message comes, so that idle clients, whose servers count on, hold one or two. */
    coap_seen_t *seen[COAP_SEEN_PAGES];
} coap_cache_t;

/** Begins with an empty cache of at most @p capacity bytes of answers; allocates nothing yet. */
void coap_cache_init(coap_cache_t *cache, size_t capacity);
/** Forgets messages and answers. */
void coap_cache_clear(coap_cache_t *cache);
void coap_cache_cleanup(coap_cache_t *cache);

/** @returns what the functions below know @p msg by. */
coap_msg_id_t coap_cache_id(const coap_msg_t *msg);
/** Notes that the message is being handled, until @p expires_s (monotonic seconds). Without memory it is not remembered. */
void coap_cache_see(coap_cache_t *cache, coap_msg_id_t id, int64_t expires_s);
/** Keeps the answer to it; the oldest ones make room. An answer larger than the cache is not kept. */
void coap_cache_put(coap_cache_t *cache, coap_msg_id_t id, const uint8_t *datagram, size_t size, int64_t expires_s);
/** @returns whether the message was handled already; *datagram is its answer then, or NULL if that is not kept. */
bool coap_cache_find(const coap_cache_t *cache, coap_msg_id_t id, int64_t now_s, const uint8_t **datagram, size_t *size);

#endif /* ENDPOINT_CACHE_H */
