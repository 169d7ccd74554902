/* SPDX-License-Identifier: Apache-2.0 */
/* What cffi cannot see: log macros. */
#include "_glue.h"

#include <stdatomic.h>

static atomic_size_t live_objects;

void anjay_cffi_count_object(int change) {
    atomic_fetch_add(&live_objects, (size_t) change);
}

size_t anjay_cffi_live_objects(void) {
    return atomic_load(&live_objects);
}

#if defined(AVS_COMMONS_WITH_AVS_LOG) && !defined(AVS_COMMONS_WITH_EXTERNAL_LOGGER_HEADER)
static void on_log(avs_log_level_t level, const char *module, const char *message) {
    anjay_cffi_on_log((int) level, module, message);
}

static void drop_log(avs_log_level_t level, const char *module, const char *message) {
    (void) level;
    (void) module;
    (void) message;
}

int anjay_cffi_log_attach(int attach) {
    avs_log_set_handler(attach ? on_log : drop_log);
    return 0;
}

int anjay_cffi_log_set_level(const char *module, int level) {
#ifdef AVS_COMMONS_WITHOUT_LOG_CHECK_IN_RUNTIME
    (void) module;
    (void) level;
    return -1;
#else
    return avs_log_set_level__(module, (avs_log_level_t) level) ? -1 : 0;
#endif
}
#else
int anjay_cffi_log_attach(int attach) {
    (void) attach;
    return -1;
}

int anjay_cffi_log_set_level(const char *module, int level) {
    (void) module;
    (void) level;
    return -1;
}
#endif
