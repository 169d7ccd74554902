/* SPDX-License-Identifier: Apache-2.0 */
/* A firmware handler in front of another, which hands on the package in pieces of one size instead of as it arrives. */
#include "_glue.h"

#ifdef ANJAY_WITH_MODULE_FW_UPDATE

#    include <stdlib.h>
#    include <string.h>

struct anjay_cffi_pieces_struct {
    anjay_fw_update_handlers_t table;  /* for the library, which passes this struct */
    anjay_fw_update_handlers_t behind; /* gets `user` */
    void *user;
    int refused; /* what stream_open() returned */
    char *piece; /* only while a package arrives */
    size_t size;
    size_t used;
};

static anjay_cffi_pieces_t *of(void *arg) {
    return (anjay_cffi_pieces_t *) arg;
}

static void forget(anjay_cffi_pieces_t *pieces) {
    free(pieces->piece);
    pieces->piece = NULL;
    pieces->used = 0;
}

static int hand_on(anjay_cffi_pieces_t *pieces) {
    const size_t length = pieces->used;
    pieces->used = 0;
    return length ? pieces->behind.stream_write(pieces->user, pieces->piece, length) : 0;
}

static int stream_open(void *arg, const char *uri, const struct anjay_etag *etag) {
    anjay_cffi_pieces_t *pieces = of(arg);
    forget(pieces);
    /* The library makes an Update Result of what a write returns, but not of this. */
    pieces->refused = pieces->behind.stream_open(pieces->user, uri, etag);
    return 0;
}

static int stream_write(void *arg, const void *data, size_t length) {
    anjay_cffi_pieces_t *pieces = of(arg);
    if (pieces->refused) {
        return pieces->refused;
    }
    if (!pieces->piece && !(pieces->piece = (char *) malloc(pieces->size))) {
        return ANJAY_FW_UPDATE_ERR_OUT_OF_MEMORY;
    }
    const char *from = (const char *) data;
    while (length) {
        const size_t room = pieces->size - pieces->used;
        const size_t part = length < room ? length : room;
        memcpy(pieces->piece + pieces->used, from, part);
        pieces->used += part;
        from += part;
        length -= part;
        int result = pieces->used == pieces->size ? hand_on(pieces) : 0;
        if (result) {
            forget(pieces);
            return result;
        }
    }
    return 0;
}

static int stream_finish(void *arg) {
    anjay_cffi_pieces_t *pieces = of(arg);
    int result = pieces->refused ? pieces->refused : hand_on(pieces);
    forget(pieces);
    return result ? result : pieces->behind.stream_finish(pieces->user);
}

static void reset(void *arg) {
    forget(of(arg));
    of(arg)->behind.reset(of(arg)->user);
}

static const char *get_name(void *arg) {
    return of(arg)->behind.get_name(of(arg)->user);
}

static const char *get_version(void *arg) {
    return of(arg)->behind.get_version(of(arg)->user);
}

static int perform_upgrade(void *arg) {
    return of(arg)->behind.perform_upgrade(of(arg)->user);
}

static int get_security_config(void *arg, anjay_security_config_t *out, const char *uri) {
    return of(arg)->behind.get_security_config(of(arg)->user, out, uri);
}

static avs_coap_udp_tx_params_t get_coap_tx_params(void *arg, const char *uri) {
    return of(arg)->behind.get_coap_tx_params(of(arg)->user, uri);
}

static avs_time_duration_t get_tcp_request_timeout(void *arg, const char *uri) {
    return of(arg)->behind.get_tcp_request_timeout(of(arg)->user, uri);
}

anjay_cffi_pieces_t *anjay_cffi_pieces_new(const anjay_fw_update_handlers_t *behind, void *user, size_t size) {
    anjay_cffi_pieces_t *pieces = (anjay_cffi_pieces_t *) calloc(1, sizeof(*pieces));
    if (!pieces) {
        return NULL;
    }
    pieces->behind = *behind;
    pieces->user = user;
    pieces->size = size;
    /* what is absent behind is absent here */
    pieces->table = (anjay_fw_update_handlers_t) {
        .stream_open = stream_open,
        .stream_write = stream_write,
        .stream_finish = stream_finish,
        .reset = reset,
        .get_name = behind->get_name ? get_name : NULL,
        .get_version = behind->get_version ? get_version : NULL,
        .perform_upgrade = perform_upgrade,
        .get_security_config = behind->get_security_config ? get_security_config : NULL,
        .get_coap_tx_params = behind->get_coap_tx_params ? get_coap_tx_params : NULL,
        .get_tcp_request_timeout = behind->get_tcp_request_timeout ? get_tcp_request_timeout : NULL
    };
    anjay_cffi_count_object(1);
    return pieces;
}

const anjay_fw_update_handlers_t *anjay_cffi_pieces_handlers(const anjay_cffi_pieces_t *pieces) {
    return &pieces->table;
}

void anjay_cffi_pieces_delete(anjay_cffi_pieces_t *pieces) {
    if (pieces) {
        forget(pieces);
        free(pieces);
        anjay_cffi_count_object(-1);
    }
}

#endif /* ANJAY_WITH_MODULE_FW_UPDATE */
