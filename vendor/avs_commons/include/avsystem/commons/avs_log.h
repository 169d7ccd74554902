/* SPDX-License-Identifier: Apache-2.0 */
/** Log records: a level, a module and a line of text, handed to one process-wide handler. */
#ifndef VENDOR_COMMONS_AVS_LOG_H
#define VENDOR_COMMONS_AVS_LOG_H

#include <avsystem/commons/avs_defs.h>

#include <stdarg.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How much a record matters; QUIET, as the level of a module, lets nothing pass. */
typedef enum {
    AVS_LOG_TRACE = 0,
    AVS_LOG_DEBUG = 1,
    AVS_LOG_INFO = 2,
    AVS_LOG_WARNING = 3,
    AVS_LOG_ERROR = 4,
    AVS_LOG_QUIET = 5
} avs_log_level_t;

/**
 * Receives a record. @p message is one line, `LEVEL [module] [file:line]: text`, without a newline and cut at
 * AVS_COMMONS_LOG_MAX_LINE_LENGTH bytes; valid during the call. May run on any thread, with locks of the library held:
 * it must not call the library.
 */
typedef void avs_log_handler_t(avs_log_level_t level, const char *module, const char *message);

/** The same with the source position apart; @p message is the text alone. */
typedef void avs_log_extended_handler_t(avs_log_level_t level, const char *module, const char *file, unsigned int line,
                                        const char *message);

/** Installs the handler of the process; NULL brings the default back, which prints to standard error. */
void avs_log_set_handler(avs_log_handler_t *log_handler);

/** As avs_log_set_handler(); the handler set last counts. */
void avs_log_set_extended_handler(avs_log_extended_handler_t *log_handler);

/** Default handler, level INFO for every module; frees what per-module levels took. */
void avs_log_reset(void);

/**
 * Sets the lowest level that is passed on for @p module, or for modules without a level of their own when NULL.
 * @returns 0, or a negative value when memory ran out.
 */
int avs_log_set_level__(const char *module, avs_log_level_t level);

/** Whether a record of @p level of @p module would be passed on; cheap. */
int avs_log_should_log__(avs_log_level_t level, const char *module);

/** Formats and passes on, unless the level is off. */
void avs_log_internal_l__(avs_log_level_t level, const char *module, const char *file, unsigned int line,
                          const char *msg, ...) AVS_F_PRINTF(5, 6);
void avs_log_internal_v__(avs_log_level_t level, const char *module, const char *file, unsigned int line,
                          const char *msg, va_list ap) AVS_F_PRINTF(5, 0);
/** Formats and passes on, whatever the level. */
void avs_log_internal_forced_l__(avs_log_level_t level, const char *module, const char *file, unsigned int line,
                                 const char *msg, ...) AVS_F_PRINTF(5, 6);
void avs_log_internal_forced_v__(avs_log_level_t level, const char *module, const char *file, unsigned int line,
                                 const char *msg, va_list ap) AVS_F_PRINTF(5, 0);

/** Logs a printf-like line: avs_log(net, WARNING, "lost %u datagrams", n). Arguments are evaluated only if it is passed on. */
#define avs_log(Module, Level, ...)                                                                         \
    (avs_log_should_log__(AVS_LOG_##Level, AVS_QUOTE_MACRO(Module))                                         \
             ? avs_log_internal_forced_l__(AVS_LOG_##Level, AVS_QUOTE_MACRO(Module), __FILE__, __LINE__, __VA_ARGS__) \
             : (void) 0)
#define avs_log_lazy(Module, Level, ...) avs_log(Module, Level, __VA_ARGS__)
#define avs_log_v(Module, Level, ...) \
    avs_log_internal_v__(AVS_LOG_##Level, AVS_QUOTE_MACRO(Module), __FILE__, __LINE__, __VA_ARGS__)
#define avs_log_lazy_v(Module, Level, ...) avs_log_v(Module, Level, __VA_ARGS__)

#define avs_log_set_level(Module, Level) avs_log_set_level__(AVS_QUOTE_MACRO(Module), (Level))
#define avs_log_set_default_level(Level) avs_log_set_level__(NULL, (Level))

/** Text that only logs need. */
#define AVS_DISPOSABLE_LOG(Arg) Arg

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_COMMONS_AVS_LOG_H */
