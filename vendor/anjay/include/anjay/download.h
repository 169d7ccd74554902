/* SPDX-License-Identifier: Apache-2.0 */
/** Downloads: the types alone; this build has no downloader (ANJAY_WITH_DOWNLOADER is not defined). */
#ifndef VENDOR_ANJAY_DOWNLOAD_H
#define VENDOR_ANJAY_DOWNLOAD_H

#include <stddef.h>
#include <stdint.h>
#include <avsystem/commons/avs_net.h>
#include <anjay/anjay_config.h>
#include <anjay/core.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An entity tag of @p size bytes, of which `value` is the first. */
typedef struct anjay_etag {
    uint8_t size;
    uint8_t value[1];
} anjay_etag_t;

#if defined(ANJAY_WITH_DOWNLOADER)
anjay_etag_t *anjay_etag_new(uint8_t etag_size);

anjay_etag_t *anjay_etag_clone(const anjay_etag_t *old_etag);
#endif

/** Takes data in order; a result other than AVS_OK ends the download. */
typedef avs_error_t anjay_download_next_block_handler_t(anjay_t *anjay, const uint8_t *data, size_t data_size, const anjay_etag_t *etag, void *user_data);

/** How a download ended. */
typedef enum anjay_download_result {
    ANJAY_DOWNLOAD_FINISHED = 0,
    ANJAY_DOWNLOAD_ERR_FAILED = 1,
    ANJAY_DOWNLOAD_ERR_INVALID_RESPONSE = 2,
    ANJAY_DOWNLOAD_ERR_EXPIRED = 3,
    ANJAY_DOWNLOAD_ERR_ABORTED = 4
} anjay_download_result_t;

/** The same with the error of FAILED or the status of INVALID_RESPONSE: a CoAP code or a number of HTTP. */
typedef struct {
    anjay_download_result_t result;
    union {
        avs_error_t error;
        int status_code;
    } details;
} anjay_download_status_t;

/** Tells the end, once. */
typedef void anjay_download_finished_handler_t(anjay_t *anjay, anjay_download_status_t status, void *user_data);

/** What to download and how. */
typedef struct anjay_download_config {
    const char *url;
    size_t start_offset;
    const anjay_etag_t *etag;
    anjay_download_next_block_handler_t *on_next_block;
    anjay_download_finished_handler_t *on_download_finished;
    void *user_data;
    anjay_security_config_t security_config;
    avs_coap_udp_tx_params_t *coap_tx_params;
    avs_time_duration_t tcp_request_timeout;
    bool prefer_same_socket_downloads;
} anjay_download_config_t;

/** A download that goes on. */
typedef void *anjay_download_handle_t;

#if defined(ANJAY_WITH_DOWNLOADER)
avs_error_t anjay_download(anjay_t *anjay, const anjay_download_config_t *config, anjay_download_handle_t *out_handle);

avs_error_t anjay_download_set_next_block_offset(anjay_t *anjay, anjay_download_handle_t dl_handle, size_t next_block_offset);

void anjay_download_abort(anjay_t *anjay, anjay_download_handle_t dl_handle);

void anjay_download_suspend(anjay_t *anjay, anjay_download_handle_t dl_handle);

int anjay_download_reconnect(anjay_t *anjay, anjay_download_handle_t dl_handle);
#endif

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_ANJAY_DOWNLOAD_H */
