/* SPDX-License-Identifier: Apache-2.0 */
#include <avsystem/commons/avs_list.h>
#include <avsystem/commons/avs_log.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *const LEVEL_NAMES[] = {
    [AVS_LOG_TRACE] = "TRACE",     [AVS_LOG_DEBUG] = "DEBUG", [AVS_LOG_INFO] = "INFO",
    [AVS_LOG_WARNING] = "WARNING", [AVS_LOG_ERROR] = "ERROR", [AVS_LOG_QUIET] = "QUIET"
};

typedef struct {
    avs_log_level_t level;
    char module[];
} module_level_t;

static void default_handler(avs_log_level_t level, const char *module, const char *message) {
    (void) level;
    (void) module;
    fprintf(stderr, "%s\n", message);
}

/* Handlers are swapped as a whole; a level check reads one atomic as long as no module has a level of its own. */
static _Atomic(avs_log_handler_t *) handler = default_handler;
static _Atomic(avs_log_extended_handler_t *) extended_handler;
static atomic_int default_level = AVS_LOG_INFO;
static atomic_bool have_modules;
static pthread_rwlock_t modules_lock = PTHREAD_RWLOCK_INITIALIZER;
static AVS_LIST(module_level_t) modules;

void avs_log_set_handler(avs_log_handler_t *log_handler) {
    atomic_store(&extended_handler, NULL);
    atomic_store(&handler, log_handler ? log_handler : default_handler);
}

void avs_log_set_extended_handler(avs_log_extended_handler_t *log_handler) {
    atomic_store(&extended_handler, log_handler);
    if (!log_handler) {
        atomic_store(&handler, default_handler);
    }
}

void avs_log_reset(void) {
    avs_log_set_handler(NULL);
    atomic_store(&default_level, AVS_LOG_INFO);
    pthread_rwlock_wrlock(&modules_lock);
    atomic_store(&have_modules, false);
    AVS_LIST_CLEAR(&modules);
    pthread_rwlock_unlock(&modules_lock);
}

static module_level_t *find_module(const char *module) {
    module_level_t *entry;
    AVS_LIST_FOREACH(entry, modules) {
        if (!strcmp(entry->module, module)) {
            return entry;
        }
    }
    return NULL;
}

int avs_log_set_level__(const char *module, avs_log_level_t level) {
    if (!module) {
        atomic_store(&default_level, (int) level);
        return 0;
    }
    pthread_rwlock_wrlock(&modules_lock);
    module_level_t *entry = find_module(module);
    if (!entry) {
        size_t size = strlen(module) + 1;
        entry = (module_level_t *) AVS_LIST_NEW_BUFFER(sizeof(module_level_t) + size);
        if (entry) {
            memcpy(entry->module, module, size);
            AVS_LIST_INSERT(&modules, entry);
        }
    }
    if (entry) {
        entry->level = level;
        atomic_store(&have_modules, true);
    }
    pthread_rwlock_unlock(&modules_lock);
    return entry ? 0 : -1;
}

int avs_log_should_log__(avs_log_level_t level, const char *module) {
    int threshold = atomic_load_explicit(&default_level, memory_order_relaxed);
    if (atomic_load_explicit(&have_modules, memory_order_acquire)) {
        pthread_rwlock_rdlock(&modules_lock);
        const module_level_t *entry = find_module(module);
        if (entry) {
            threshold = (int) entry->level;
        }
        pthread_rwlock_unlock(&modules_lock);
    }
    return (int) level >= threshold && threshold < AVS_LOG_QUIET;
}

void avs_log_internal_forced_v__(avs_log_level_t level, const char *module, const char *file, unsigned int line,
                                 const char *msg, va_list ap) {
    char text[AVS_COMMONS_LOG_MAX_LINE_LENGTH];
    int head = 0;
    avs_log_extended_handler_t *extended = atomic_load(&extended_handler);
    if (!extended) {
        const char *base = strrchr(file, '/');
        head = snprintf(text, sizeof(text), "%s [%s] [%s:%u]: ", LEVEL_NAMES[level], module, base ? base + 1 : file,
                        line);
        head = AVS_MIN(AVS_MAX(head, 0), (int) sizeof(text) - 1);
    }
    if (vsnprintf(text + head, sizeof(text) - (size_t) head, msg, ap) < 0) {
        return;
    }
    if (extended) {
        extended(level, module, file, line, text);
    } else {
        atomic_load(&handler)(level, module, text);
    }
}

void avs_log_internal_v__(avs_log_level_t level, const char *module, const char *file, unsigned int line,
                          const char *msg, va_list ap) {
    if (avs_log_should_log__(level, module)) {
        avs_log_internal_forced_v__(level, module, file, line, msg, ap);
    }
}

void avs_log_internal_forced_l__(avs_log_level_t level, const char *module, const char *file, unsigned int line,
                                 const char *msg, ...) {
    va_list ap;
    va_start(ap, msg);
    avs_log_internal_forced_v__(level, module, file, line, msg, ap);
    va_end(ap);
}

void avs_log_internal_l__(avs_log_level_t level, const char *module, const char *file, unsigned int line,
                          const char *msg, ...) {
    va_list ap;
    va_start(ap, msg);
    avs_log_internal_v__(level, module, file, line, msg, ap);
    va_end(ap);
}
