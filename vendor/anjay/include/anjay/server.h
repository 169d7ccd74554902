/* SPDX-License-Identifier: Apache-2.0 */
/** Server object /1. */
#ifndef VENDOR_ANJAY_SERVER_H
#define VENDOR_ANJAY_SERVER_H

#include <anjay/anjay_config.h>
#include <anjay/dm.h>
#include <avsystem/commons/avs_stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A Server Instance: what is agreed with a server. It is copied. */
typedef struct {
    /** 1 to 65534; each Instance has another. */
    anjay_ssid_t ssid;
    /** Lifetime of the registration in seconds, at least 1. */
    int32_t lifetime;
    /** Seconds; negative: absent. */
    int32_t default_min_period;
    /** Seconds; negative: absent. */
    int32_t default_max_period;
    /** Seconds; negative: absent, which means one day. */
    int32_t disable_timeout;
    /** Letters of U, T, S, N and Q, each at most once; Q: the client sleeps. */
    const char *binding;
    /** Notifications are kept while the server is out of reach. */
    bool notification_storing;
    /** Seconds before the first Register; NULL: 0. */
#if defined(ANJAY_WITH_LWM2M11)
    const uint32_t *initial_registration_delay_timer;
#endif
    /** NULL: true. Readable, without effect: there is no bootstrap. */
#if defined(ANJAY_WITH_LWM2M11)
    const bool *bootstrap_on_registration_failure;
#endif
    /** 'U', 'T', 'S' or 'N'; NUL: absent. */
#if defined(ANJAY_WITH_LWM2M11)
    char preferred_transport;
#endif
#if defined(ANJAY_WITH_LWM2M11)
    bool mute_send;
#endif
    /** Attempts in a sequence; NULL: 5. */
#if defined(ANJAY_WITH_LWM2M11)
    const uint32_t *communication_retry_count;
#endif
    /** Seconds after the first attempt of a sequence, doubled after each further one; NULL: 60. */
#if defined(ANJAY_WITH_LWM2M11)
    const uint32_t *communication_retry_timer;
#endif
    /** Sequences after which anjay_all_connections_failed(); NULL: 1. */
#if defined(ANJAY_WITH_LWM2M11)
    const uint32_t *communication_sequence_retry_count;
#endif
    /** Seconds between sequences; NULL: 86400. */
#if defined(ANJAY_WITH_LWM2M11)
    const uint32_t *communication_sequence_delay_timer;
#endif
} anjay_server_instance_t;

/**
 * Adds an Instance; a server that has its Security Instance, too, is connected from a job.
 * @param inout_iid  ANJAY_ID_INVALID: the lowest free one is taken and stored here
 * @returns 0, or -1, with a log entry: the object is not installed, @p instance is wrong, its SSID or @p inout_iid is used already, no memory.
 */
int anjay_server_object_add_instance(anjay_t *anjay, const anjay_server_instance_t *instance, anjay_iid_t *inout_iid);

/** Removes every Instance: the client de-registers everywhere. */
void anjay_server_object_purge(anjay_t *anjay);

/** @returns the Short Server IDs in order of Instances, valid until the next call of this function; NULL if there are none. */
AVS_LIST(const anjay_ssid_t) anjay_server_get_ssids(anjay_t *anjay);

#if defined(AVS_COMMONS_WITH_AVS_PERSISTENCE)
avs_error_t anjay_server_object_persist(anjay_t *anjay, avs_stream_t *out_stream);
#endif

#if defined(AVS_COMMONS_WITH_AVS_PERSISTENCE)
avs_error_t anjay_server_object_restore(anjay_t *anjay, avs_stream_t *in_stream);
#endif

/** Whether anything was added, removed or written since the object was installed. */
bool anjay_server_object_is_modified(anjay_t *anjay);

/**
 * Registers /1.
 * @returns 0, or -1 if it is installed already or memory ran out. It lives as long as the client.
 */
int anjay_server_object_install(anjay_t *anjay);

/** Sets the lifetime, in seconds; an Update follows. @returns 0, or -1 if there is no such Instance or @p lifetime is not positive. */
int anjay_server_object_set_lifetime(anjay_t *anjay, anjay_iid_t iid, int32_t lifetime);

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_ANJAY_SERVER_H */
