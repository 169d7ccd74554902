/* SPDX-License-Identifier: Apache-2.0 */
/** What the library's own objects tell the rest, without going through the data model. */
#ifndef ANJAY_OBJECTS_INTERNAL_H
#define ANJAY_OBJECTS_INTERNAL_H

#include <anjay/dm.h>
#include <anjay/security.h>
#include <anjay/server.h>

/** A Security Instance as connections need it; pointers are valid until the object changes. */
typedef struct {
    anjay_iid_t iid;
    anjay_ssid_t ssid;
    bool bootstrap;
    const char *uri;
    anjay_security_mode_t mode;
    const uint8_t *identity;
    size_t identity_size;
    const uint8_t *key;
    size_t key_size;
    const uint8_t *server_key;
    size_t server_key_size;
    const char *sni; /**< or NULL */
    const uint32_t *ciphersuites;
    size_t ciphersuites_count;
} anjay_security_view_t;

/** The n-th Security Instance (ascending by iid). @returns whether it exists. */
bool anjay_security_nth(anjay_t *anjay, size_t n, anjay_security_view_t *out);

/** A Server Instance as registrations and attributes need it: a copy, which may be kept while handlers run. */
typedef struct {
    anjay_iid_t iid;
    anjay_ssid_t ssid;
    int32_t lifetime;
    int32_t default_pmin; /**< -1: absent */
    int32_t default_pmax;
    int32_t disable_timeout;
    bool notification_storing;
    bool mute_send; /**< no Send to this server */
    char binding[9];
    anjay_communication_retry_params_t retry;
} anjay_server_view_t;
bool anjay_server_nth(anjay_t *anjay, size_t n, anjay_server_view_t *out);
bool anjay_server_by_ssid(anjay_t *anjay, anjay_ssid_t ssid, anjay_server_view_t *out);

/** Free the states kept in the client. */
void anjay_security_object_cleanup(anjay_t *anjay);
void anjay_server_object_cleanup(anjay_t *anjay);
void anjay_fw_update_cleanup(anjay_t *anjay);

#endif /* ANJAY_OBJECTS_INTERNAL_H */
