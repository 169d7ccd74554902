/* SPDX-License-Identifier: Apache-2.0 */
#include "endpoint_cache.h"

#include <avsystem/commons/avs_memory.h>
#include <avsystem/commons/avs_utils.h>

#include <string.h>

/** Bytes of options and of payload that count for the digest: what differs between two requests is near the beginning. */
#define DIGEST_OPTIONS_MAX 64
#define DIGEST_PAYLOAD_MAX 32

typedef struct {
    int64_t expires_s;
    coap_msg_id_t id;
    uint16_t size;
} cache_entry_t;

static size_t entry_space(size_t datagram_size) {
    return (sizeof(cache_entry_t) + datagram_size + _Alignof(cache_entry_t) - 1) / _Alignof(cache_entry_t)
           * _Alignof(cache_entry_t);
}

/** What is allocated for the first answer; doubled until the capacity is reached, so that an idle client holds little. */
#define INITIAL_ALLOCATION 512

void coap_cache_init(coap_cache_t *cache, size_t capacity) {
    *cache = (coap_cache_t) { .capacity = capacity };
}

void coap_cache_clear(coap_cache_t *cache) {
    cache->size = 0;
    for (size_t i = 0; i < COAP_SEEN_PAGES; ++i) {
        avs_free(cache->seen[i]);
        cache->seen[i] = NULL;
    }
}

void coap_cache_cleanup(coap_cache_t *cache) {
    coap_cache_clear(cache);
    avs_free(cache->data);
    *cache = (coap_cache_t) { .data = NULL };
}

/* ------------------------------------------------------------------ messages */

static uint32_t mix(uint32_t hash, const uint8_t *data, size_t size) {
    for (size_t i = 0; i < size; ++i) {
        hash = (hash ^ data[i]) * 16777619u;
    }
    return hash;
}

coap_msg_id_t coap_cache_id(const coap_msg_t *msg) {
    uint32_t hash = 2166136261u ^ msg->code ^ (uint32_t) msg->payload_size << 8;
    hash = mix(hash, msg->token.bytes, msg->token.size);
    hash = mix(hash, msg->options, AVS_MIN(msg->options_size, DIGEST_OPTIONS_MAX));
    hash = mix(hash, msg->payload, AVS_MIN(msg->payload_size, DIGEST_PAYLOAD_MAX));
    return (coap_msg_id_t) { msg->mid, (uint16_t) (hash ^ hash >> 16) };
}

static bool same(coap_msg_id_t a, coap_msg_id_t b) {
    return a.mid == b.mid && a.digest == b.digest;
}

static size_t page_of(coap_msg_id_t id) {
    return id.mid / COAP_SEEN_PAGE_SIZE % COAP_SEEN_PAGES;
}

void coap_cache_see(coap_cache_t *cache, coap_msg_id_t id, int64_t expires_s) {
    coap_seen_t **page = &cache->seen[page_of(id)];
    if (!*page) {
        *page = (coap_seen_t *) avs_calloc(COAP_SEEN_PAGE_SIZE, sizeof(coap_seen_t));
    }
    if (*page) {
        (*page)[id.mid % COAP_SEEN_PAGE_SIZE] = (coap_seen_t) { id, (uint32_t) expires_s };
    }
}

static bool seen(const coap_cache_t *cache, coap_msg_id_t id, int64_t now_s) {
    const coap_seen_t *page = cache->seen[page_of(id)];
    const coap_seen_t *entry = page ? &page[id.mid % COAP_SEEN_PAGE_SIZE] : NULL;
    return entry && same(entry->id, id) && (int64_t) entry->expires_s > now_s;
}

/* ------------------------------------------------------------------ answers */

/** Allocates more, within the capacity; without memory for that the older answers make room earlier. */
static void grow(coap_cache_t *cache, size_t needed) {
    size_t wanted = cache->allocated ? cache->allocated : INITIAL_ALLOCATION;
    while (wanted < needed) {
        wanted *= 2;
    }
    wanted = AVS_MIN(wanted, cache->capacity);
    uint8_t *data = wanted > cache->allocated ? (uint8_t *) avs_realloc(cache->data, wanted) : NULL;
    if (data) {
        cache->data = data;
        cache->allocated = wanted;
    }
}

/** Drops the oldest answers until there are @p space bytes, and then a quarter of all: moving what is left is rare so. */
static void make_room(coap_cache_t *cache, size_t space) {
    size_t drop = 0;
    while (cache->size - drop + space > cache->allocated) {
        drop += entry_space(((const cache_entry_t *) (cache->data + drop))->size);
    }
    while (drop < cache->size && cache->size - drop + space > cache->allocated - cache->allocated / 4) {
        drop += entry_space(((const cache_entry_t *) (cache->data + drop))->size);
    }
    memmove(cache->data, cache->data + drop, cache->size - drop);
    cache->size -= drop;
}

void coap_cache_put(coap_cache_t *cache, coap_msg_id_t id, const uint8_t *datagram, size_t size, int64_t expires_s) {
    const size_t space = entry_space(size);
    if (space > cache->capacity || size > UINT16_MAX) {
        return;
    }
    if (cache->size + space > cache->allocated) {
        grow(cache, cache->size + space);
    }
    if (space > cache->allocated) {
        return;
    }
    if (cache->size + space > cache->allocated) {
        make_room(cache, space);
    }
    const cache_entry_t entry = { expires_s, id, (uint16_t) size };
    memcpy(cache->data + cache->size, &entry, sizeof(entry));
    memcpy(cache->data + cache->size + sizeof(entry), datagram, size);
    cache->size += space;
}

bool coap_cache_find(const coap_cache_t *cache, coap_msg_id_t id, int64_t now_s, const uint8_t **datagram, size_t *size) {
    *datagram = NULL;
    *size = 0;
    const bool known = seen(cache, id, now_s);
    if (!known && cache->seen[page_of(id)]) { /* a page that there was no memory for says nothing */
        return false;
    }
    for (size_t at = 0; at < cache->size;) {
        const cache_entry_t *entry = (const cache_entry_t *) (cache->data + at);
        if (same(entry->id, id) && entry->expires_s > now_s) {
            *datagram = cache->data + at + sizeof(*entry);
            *size = entry->size;
            return true;
        }
        at += entry_space(entry->size);
    }
    return known;
}
