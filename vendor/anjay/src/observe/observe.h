/* SPDX-License-Identifier: Apache-2.0 */
/** Observations: who watches what, and when a notification is due (LwM2M Core, Information Reporting; RFC 7641). */
#ifndef ANJAY_OBSERVE_INTERNAL_H
#define ANJAY_OBSERVE_INTERNAL_H

#include "../../../avs_coap/src/coap_endpoint.h"

#include <anjay/dm.h>

typedef struct anjay_observation anjay_observation_t;

typedef struct {
    AVS_LIST(anjay_observation_t) observations;
    size_t stored_count;    /**< notifications that wait, of all observations: stored_notification_limit is about these */
    uint64_t stored_number; /**< of the next one stored */
    coap_buf_t scratch;     /**< for the value that is looked at, so that a warm notification allocates nothing for it */
} anjay_observe_t;

void anjay_observe_init(anjay_observe_t *observe);
void anjay_observe_cleanup(anjay_t *anjay);

/**
 * Adds an observation (or renews the one with the same token) after a successful Read whose payload is @p payload.
 * @returns 0, or a negative ANJAY_ERR_* (no memory).
 */
int anjay_observe_add(anjay_t *anjay, anjay_ssid_t ssid, const coap_request_t *request, const anjay_uri_path_t *path,
                      uint16_t format, const coap_buf_t *payload);
/** Cancel by request (Observe 1) or Reset. Unknown tokens are ignored. */
void anjay_observe_cancel(anjay_t *anjay, anjay_ssid_t ssid, const coap_token_t *token);

/** Whether any observation would be told of a change of @p path. */
bool anjay_observe_concerned(anjay_t *anjay, const anjay_uri_path_t *path);
/** The value of @p path, or what is below it, may have changed. @p except: server that made the change, or ANJAY_SSID_ANY. */
void anjay_observe_changed(anjay_t *anjay, const anjay_uri_path_t *path, anjay_ssid_t except);
/** Attributes that apply to @p path were written: pmin and pmax are counted anew. */
void anjay_observe_attrs_changed(anjay_t *anjay, anjay_ssid_t ssid, const anjay_uri_path_t *path);

/** The server registered anew (observations of the old registration are void) or is gone. */
void anjay_observe_forget_server(anjay_t *anjay, anjay_ssid_t ssid);
/** The server is reachable again after an Update or reconnection: what was stored is sent. */
void anjay_observe_server_ready(anjay_t *anjay, anjay_ssid_t ssid);
/** When the next observation of the server (or of any: ANJAY_SSID_ANY) is looked at, or its pmax ends; invalid if never. */
avs_time_monotonic_t anjay_observe_next(anjay_t *anjay, anjay_ssid_t ssid, bool pmax);
/** Schedules anew the jobs that there was no memory for. */
void anjay_observe_repair(anjay_t *anjay);
/** Whether notifications of the server (or of any: ANJAY_SSID_ANY) wait to be sent or acknowledged. */
bool anjay_observe_unsent(anjay_t *anjay, anjay_ssid_t ssid);

#endif /* ANJAY_OBSERVE_INTERNAL_H */
