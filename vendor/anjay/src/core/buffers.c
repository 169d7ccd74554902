/* SPDX-License-Identifier: Apache-2.0 */
#include "buffers.h"

#include <avsystem/commons/avs_memory.h>

#include <pthread.h>

/** As many as threads usually receive at once; more come and go. */
#define SPARE_COUNT 4

static struct {
    pthread_mutex_t lock;
    unsigned clients;
    size_t count;
    struct {
        uint8_t *data;
        size_t capacity;
    } spare[SPARE_COUNT]; /**< the one used last at the end: its memory is warm */
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER };

void anjay_buffers_retain(void) {
    pthread_mutex_lock(&pool.lock);
    ++pool.clients;
    pthread_mutex_unlock(&pool.lock);
}

void anjay_buffers_release(void) {
    pthread_mutex_lock(&pool.lock);
    if (!--pool.clients) {
        while (pool.count) {
            avs_free(pool.spare[--pool.count].data);
        }
    }
    pthread_mutex_unlock(&pool.lock);
}

uint8_t *anjay_buffer_take(size_t capacity) {
    uint8_t *found = NULL;
    pthread_mutex_lock(&pool.lock);
    for (size_t i = pool.count; i-- && !found;) {
        if (pool.spare[i].capacity == capacity) {
            found = pool.spare[i].data;
            pool.spare[i] = pool.spare[--pool.count];
        }
    }
    pthread_mutex_unlock(&pool.lock);
    return found ? found : (uint8_t *) avs_malloc(capacity);
}

void anjay_buffer_give(uint8_t *buffer, size_t capacity) {
    uint8_t *surplus = buffer;
    pthread_mutex_lock(&pool.lock);
    if (buffer && pool.clients) {
        if (pool.count == SPARE_COUNT) {
            surplus = pool.spare[0].data;
            --pool.count;
            pool.spare[0] = pool.spare[pool.count];
        } else {
            surplus = NULL;
        }
        pool.spare[pool.count].data = buffer;
        pool.spare[pool.count++].capacity = capacity;
    }
    pthread_mutex_unlock(&pool.lock);
    avs_free(surplus);
}
