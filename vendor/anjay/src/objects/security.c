/* SPDX-License-Identifier: Apache-2.0 */
/** Security object /0: what is needed to reach a server. No server may read it, so that it has no readable Resources. */
#include "../core/core.h"
#include "../servers/servers.h"
#include "objects.h"

#include <avsystem/commons/avs_log.h>
#include <avsystem/commons/avs_memory.h>
#include <avsystem/commons/avs_utils.h>

#include <string.h>

#define security_log(Level, ...) avs_log(security, Level, __VA_ARGS__)

typedef struct {
    anjay_security_view_t view; /**< its pointers belong to the instance */
} security_instance_t;

typedef struct {
    const anjay_dm_object_def_t *def;
    AVS_LIST(security_instance_t) instances; /**< ascending by iid */
    bool modified;
} security_t;

static security_t *get(anjay_t *anjay) {
    return (security_t *) anjay->security_object;
}

static void free_instance(security_instance_t **instance) {
    anjay_security_view_t *v = &(*instance)->view;
    avs_free((void *) (intptr_t) v->uri);
    avs_free((void *) (intptr_t) v->identity);
    if (v->key) {
        explicit_bzero((void *) (intptr_t) v->key, v->key_size);
    }
    avs_free((void *) (intptr_t) v->key);
    avs_free((void *) (intptr_t) v->server_key);
    avs_free((void *) (intptr_t) v->sni);
    avs_free((void *) (intptr_t) v->ciphersuites);
    AVS_LIST_DELETE(instance);
}

/** @returns 0, -1 when memory ran out. */
static int copy_bytes(const void *data, size_t size, const void **out) {
    if (!size) {
        return 0;
    }
    void *copy = avs_malloc(size);
    if (!copy) {
        return -1;
    }
    *out = memcpy(copy, data, size);
    return 0;
}

static int copy_instance(const anjay_security_instance_t *from, anjay_security_view_t *to) {
    to->ssid = from->ssid;
    to->bootstrap = from->bootstrap_server;
    to->mode = from->security_mode;
    to->identity_size = from->public_cert_or_psk_identity_size;
    to->key_size = from->private_cert_or_psk_key_size;
    to->server_key_size = from->server_public_key_size;
    to->ciphersuites_count = from->ciphersuites.num_ids;
    const char *sni = from->server_name_indication;
    return copy_bytes(from->server_uri, strlen(from->server_uri) + 1, (const void **) &to->uri)
           || copy_bytes(from->public_cert_or_psk_identity, to->identity_size, (const void **) &to->identity)
           || copy_bytes(from->private_cert_or_psk_key, to->key_size, (const void **) &to->key)
           || copy_bytes(from->server_public_key, to->server_key_size, (const void **) &to->server_key)
           || copy_bytes(sni, sni ? strlen(sni) + 1 : 0, (const void **) &to->sni)
           || copy_bytes(from->ciphersuites.ids, to->ciphersuites_count * sizeof(uint32_t),
                         (const void **) &to->ciphersuites);
}

/** What is wrong with an instance, or NULL. */
static const char *check(const anjay_security_instance_t *instance) {
    const bool coap = instance->server_uri && !strncmp(instance->server_uri, "coap://", 7);
    const bool coaps = instance->server_uri && !strncmp(instance->server_uri, "coaps://", 8);
    if (!coap && !coaps) {
        return "the server URI must begin with coap:// or coaps://";
    }
    char host[256], port[8];
    if (server_parse_uri(instance->server_uri, host, port)) {
        return "the server URI has no valid host and port";
    }
    if (instance->bootstrap_server) {
        return "bootstrap is not part of this build";
    }
    if (instance->ssid == ANJAY_SSID_ANY || instance->ssid == ANJAY_SSID_BOOTSTRAP) {
        return "a Short Server ID is 1 to 65534";
    }
    switch (instance->security_mode) {
    case ANJAY_SECURITY_NOSEC: return coaps ? "coaps:// needs a security mode" : NULL;
    case ANJAY_SECURITY_PSK:
        if (!coaps) {
            return "PSK needs coaps://";
        }
        if (!instance->public_cert_or_psk_identity_size || !instance->private_cert_or_psk_key_size) {
            return "PSK needs an identity and a key";
        }
        return memchr(instance->public_cert_or_psk_identity, '\0', instance->public_cert_or_psk_identity_size)
                       ? "a PSK identity with a zero byte cannot be sent by this TLS library"
                       : NULL;
    default: return "this build has the security modes NoSec and PSK";
    }
}

/** Place for @p *iid, or for the lowest unused one. @returns NULL if it exists already or @p ssid does. */
static AVS_LIST(security_instance_t) *find_place(security_t *security, anjay_ssid_t ssid, anjay_iid_t *iid) {
    security_instance_t **entry, **place = NULL;
    anjay_iid_t unused = 0;
    AVS_LIST_FOREACH_PTR(entry, &security->instances) {
        const anjay_security_view_t *v = &(*entry)->view;
        if (v->ssid == ssid || v->iid == *iid) {
            return NULL;
        }
        if (!place && v->iid > (*iid == ANJAY_ID_INVALID ? unused : *iid)) {
            place = entry;
        }
        unused = (anjay_iid_t) (unused + (v->iid == unused));
    }
    if (*iid == ANJAY_ID_INVALID) {
        *iid = unused;
    }
    return place ? place : entry;
}

static int add_instance(anjay_t *anjay, const anjay_security_instance_t *from, anjay_iid_t *inout_iid) {
    security_t *security = get(anjay);
    const char *error = security ? check(from) : "the Security object is not installed";
    if (error) {
        security_log(ERROR, "instance not added: %s", error);
        return -1;
    }
    anjay_iid_t iid = *inout_iid;
    AVS_LIST(security_instance_t) *place = find_place(security, from->ssid, &iid);
    if (!place) {
        security_log(ERROR, "instance not added: SSID %u or Instance %u exists", from->ssid, *inout_iid);
        return -1;
    }
    const anjay_uri_path_t path = anjay_path(1, 0);
    security_instance_t *instance = AVS_LIST_NEW_ELEMENT(security_instance_t);
    if (!instance || copy_instance(from, &instance->view) || anjay_dm_changed(anjay, &path, true)) {
        security_log(ERROR, "out of memory");
        if (instance) {
            free_instance(&instance);
        }
        return -1;
    }
    instance->view.iid = *inout_iid = iid;
    AVS_LIST_INSERT(place, instance);
    security->modified = true;
    return 0;
}

int anjay_security_object_add_instance(anjay_t *anjay, const anjay_security_instance_t *instance,
                                       anjay_iid_t *inout_iid) {
    if (!anjay || !instance || !inout_iid) {
        return -1;
    }
    anjay_lock(anjay);
    int result = add_instance(anjay, instance, inout_iid);
    anjay_unlock(anjay);
    return result;
}

static void clear(security_t *security) {
    while (security->instances) {
        free_instance(&security->instances);
    }
}

void anjay_security_object_purge(anjay_t *anjay) {
    anjay_lock(anjay);
    if (get(anjay)) {
        clear(get(anjay));
        get(anjay)->modified = true;
        const anjay_uri_path_t path = anjay_path(1, 0);
        anjay_dm_changed(anjay, &path, true);
    }
    anjay_unlock(anjay);
}

bool anjay_security_object_is_modified(anjay_t *anjay) {
    anjay_lock(anjay);
    bool modified = get(anjay) && get(anjay)->modified;
    anjay_unlock(anjay);
    return modified;
}

bool anjay_security_nth(anjay_t *anjay, size_t n, anjay_security_view_t *out) {
    security_instance_t *instance = get(anjay) ? AVS_LIST_NTH(get(anjay)->instances, n) : NULL;
    if (instance) {
        *out = instance->view;
    }
    return instance;
}

static int security_list_instances(anjay_t *anjay, const anjay_dm_object_def_t *const *def, anjay_dm_list_ctx_t *ctx) {
    (void) def;
    security_instance_t *instance;
    AVS_LIST_FOREACH(instance, get(anjay)->instances) {
        anjay_dm_emit(ctx, instance->view.iid);
    }
    return 0;
}

static const anjay_dm_object_def_t SECURITY_DEF = { .oid = 0, .handlers = { .list_instances = security_list_instances } };

int anjay_security_object_install(anjay_t *anjay) {
    if (!anjay) {
        return -1;
    }
    anjay_lock(anjay);
    int result = -1;
    security_t *security = get(anjay) ? NULL : (security_t *) avs_calloc(1, sizeof(*security));
    if (!security) {
        security_log(ERROR, get(anjay) ? "already installed" : "out of memory");
    } else {
        security->def = &SECURITY_DEF;
        anjay->security_object = security;
        if ((result = anjay_dm_register_internal(anjay, &security->def))) {
            anjay->security_object = NULL;
            avs_free(security);
        }
    }
    anjay_unlock(anjay);
    return result;
}

void anjay_security_object_cleanup(anjay_t *anjay) {
    if (get(anjay)) {
        clear(get(anjay));
        avs_free(get(anjay));
        anjay->security_object = NULL;
    }
}
