/* SPDX-License-Identifier: Apache-2.0 */
/** From a CoAP request to an operation, and from its result to a response code. */
#include "dm_internal.h"

#include <avsystem/coap/code.h>

#include <math.h>

/** Longest single segment that is no number and yet is taken for a path of another kind (4.00, not 4.02). */
#define FOREIGN_SEGMENT_MAX 8

static int parse_id(const coap_option_t *segment, uint16_t *out) {
    uint32_t id = 0;
    if (!segment->size || segment->size > 5 || (segment->size > 1 && segment->value[0] == '0')) {
        return -1;
    }
    for (size_t i = 0; i < segment->size; ++i) {
        if (segment->value[i] < '0' || segment->value[i] > '9') {
            return -1;
        }
        id = id * 10 + (uint32_t) (segment->value[i] - '0');
    }
    if (id >= ANJAY_ID_INVALID) {
        return -1;
    }
    *out = (uint16_t) id;
    return 0;
}

static int parse_path(const coap_msg_t *msg, dm_request_t *out) {
    coap_option_iter_t iter = { 0 };
    coap_option_t option;
    int result = 0;
    size_t segments = 0;
    out->path = anjay_path(0);
    while (coap_option_next(msg, &iter, &option)) {
        if (option.number != COAP_OPT_URI_PATH) {
            continue;
        }
        const bool numeric = option.size && option.value[0] >= '0' && option.value[0] <= '9';
        if (segments == AVS_ARRAY_SIZE(out->path.ids) || parse_id(&option, &out->path.ids[segments])) {
            result = segments || numeric || option.size > FOREIGN_SEGMENT_MAX || result ? ANJAY_ERR_BAD_OPTION
                                                                                         : ANJAY_ERR_BAD_REQUEST;
        }
        if (++segments > AVS_ARRAY_SIZE(out->path.ids) || (result == ANJAY_ERR_BAD_REQUEST && segments > 1)) {
            result = ANJAY_ERR_BAD_OPTION;
        }
        if (segments > AVS_ARRAY_SIZE(out->path.ids)) {
            return result;
        }
    }
    out->length = segments;
    return result;
}

static bool has_query(const coap_msg_t *msg) {
    coap_option_t option;
    return coap_option_find(msg, COAP_OPT_URI_QUERY, &option);
}

/* ------------------------------------------------------------------ operations */

int dm_read(anjay_t *anjay, const dm_request_t *request, coap_response_t *response) {
    const bool observe = request->coap->has_observe && request->coap->observe == 0;
    if (request->coap->has_observe && request->coap->observe == 1) {
        anjay_observe_cancel(anjay, request->ssid, &request->coap->msg->token);
    }
    if (has_query(request->coap->msg)) {
        return ANJAY_ERR_BAD_OPTION;
    }
    if (!request->length) {
        return ANJAY_ERR_BAD_REQUEST;
    }
    uint16_t format = request->coap->accept;
    const double timestamp =
            observe ? avs_time_real_to_fscalar(avs_time_real_now(), AVS_TIME_S) : (double) NAN;
    int result = anjay_dm_read(anjay, request->ssid, &request->path, &format, timestamp, response->payload);
    if (result) {
        return result;
    }
    response->content_format = format;
    if (observe && !anjay_observe_add(anjay, request->ssid, request->coap, &request->path, format, response->payload)) {
        response->has_observe = true;
    }
    return 0;
}

static int do_get(anjay_t *anjay, const dm_request_t *request, coap_response_t *response) {
    return request->coap->accept == ANJAY_FORMAT_LINK ? dm_discover(anjay, request, response)
                                                      : dm_read(anjay, request, response);
}

static int do_put(anjay_t *anjay, const dm_request_t *request) {
    if (request->coap->content_format == COAP_FORMAT_NONE) {
        return dm_write_attributes(anjay, request);
    }
    return has_query(request->coap->msg) ? ANJAY_ERR_BAD_OPTION : dm_write(anjay, request, true);
}

static int do_post(anjay_t *anjay, const dm_request_t *request, coap_response_t *response) {
    if (has_query(request->coap->msg)) {
        return ANJAY_ERR_BAD_OPTION;
    }
    switch (request->length) {
    case 0: return ANJAY_ERR_BAD_REQUEST;
    case 1: return dm_create(anjay, request, response);
    case 2: return dm_write(anjay, request, false);
    default: return dm_execute(anjay, request);
    }
}

static int dispatch(anjay_t *anjay, const dm_request_t *request, coap_response_t *response) {
    switch (request->coap->msg->code) {
    case AVS_COAP_CODE_GET: response->code = AVS_COAP_CODE_CONTENT; return do_get(anjay, request, response);
    case AVS_COAP_CODE_PUT: response->code = AVS_COAP_CODE_CHANGED; return do_put(anjay, request);
    case AVS_COAP_CODE_POST:
        response->code = request->length == 1 ? AVS_COAP_CODE_CREATED : AVS_COAP_CODE_CHANGED;
        return do_post(anjay, request, response);
    case AVS_COAP_CODE_DELETE: response->code = AVS_COAP_CODE_DELETED; return dm_delete(anjay, request);
    case AVS_COAP_CODE_FETCH:
        response->code = AVS_COAP_CODE_CONTENT;
        return dm_read_composite(anjay, request, response);
    case AVS_COAP_CODE_IPATCH: response->code = AVS_COAP_CODE_CHANGED; return dm_write_composite(anjay, request);
    default: return ANJAY_ERR_BAD_OPTION;
    }
}

/* ------------------------------------------------------------------ the streamed Resource */

static bool is_stream_target(anjay_t *anjay, const coap_request_t *coap) {
    const anjay_dm_t *dm = &anjay->dm;
    dm_request_t request;
    return dm->has_stream_target && coap->msg->code == AVS_COAP_CODE_PUT && !parse_path(coap->msg, &request)
           && anjay_path_equal(&request.path, &dm->stream_target.path) && coap->content_format != COAP_FORMAT_NONE
           && anjay_opaque_stream_supported(coap->content_format) && !has_query(coap->msg);
}

void anjay_dm_set_stream_target(anjay_t *anjay, const anjay_dm_stream_target_t *target) {
    anjay->dm.stream_target = *target;
    anjay->dm.has_stream_target = true;
}

bool anjay_dm_accept_stream(anjay_t *anjay, anjay_ssid_t ssid, const coap_request_t *first) {
    (void) ssid;
    return is_stream_target(anjay, first);
}

void anjay_dm_stream_aborted(anjay_t *anjay, anjay_ssid_t ssid) {
    anjay_dm_t *dm = &anjay->dm;
    if (dm->stream_ssid == ssid) {
        dm->stream_ssid = ANJAY_SSID_ANY;
        dm->stream_target.abort(anjay);
    }
}

static int stream_sink(void *anjay_ptr, const uint8_t *data, size_t size) {
    anjay_t *anjay = (anjay_t *) anjay_ptr;
    const int result = anjay->dm.stream_target.write(anjay, data, size);
    if (result) {
        anjay->dm.stream_ssid = ANJAY_SSID_ANY; /* it has cleaned up after itself */
    }
    return result;
}

/** A piece of the package, or all of it. @returns 0 to go on or when it is complete. */
static int take_piece(anjay_t *anjay, anjay_ssid_t ssid, const coap_request_t *coap) {
    anjay_dm_t *dm = &anjay->dm;
    int result = 0;
    if (coap->offset == 0) {
        if (dm->stream_ssid != ANJAY_SSID_ANY && dm->stream_ssid != ssid) {
            return ANJAY_ERR_METHOD_NOT_ALLOWED; /* another server's push is under way */
        }
        anjay_dm_stream_aborted(anjay, ssid);
        if ((result = dm->stream_target.begin(anjay, ssid))) {
            return result;
        }
        dm->stream_ssid = ssid;
        anjay_opaque_stream_start(&dm->stream, coap->content_format, dm->stream_target.path.ids[2]);
    } else if (dm->stream_ssid != ssid) {
        return ANJAY_ERR_REQUEST_ENTITY_INCOMPLETE;
    }
    result = anjay_opaque_stream_feed(&dm->stream, coap->payload, coap->payload_size, coap->last, stream_sink, anjay);
    if (result) {
        anjay_dm_stream_aborted(anjay, ssid); /* unless the target refused */
    } else if (coap->last) {
        dm->stream_ssid = ANJAY_SSID_ANY;
        result = dm->stream_target.finish(anjay);
    }
    return result;
}

/* ------------------------------------------------------------------ entry */

static void handle(anjay_t *anjay, anjay_ssid_t ssid, const coap_request_t *coap, coap_response_t *response) {
    dm_request_t request = { .ssid = ssid, .coap = coap };
    int result;
    if (coap->streamed || is_stream_target(anjay, coap)) {
        result = take_piece(anjay, ssid, coap);
        response->code = coap->last ? AVS_COAP_CODE_CHANGED : 0;
    } else if (!(result = parse_path(coap->msg, &request))) {
        result = dispatch(anjay, &request, response);
    } else if (coap->msg->code == AVS_COAP_CODE_FETCH || coap->msg->code == AVS_COAP_CODE_IPATCH) {
        result = ANJAY_ERR_BAD_OPTION; /* composite operations have no path at all */
    }
    if (result) {
        const uint8_t code = (uint8_t) -dm_error(result);
        response->code = code;
        response->content_format = COAP_FORMAT_NONE;
        response->has_observe = false;
        response->location_count = 0;
        coap_buf_clear(response->payload);
        dm_forget_changes(anjay);
    }
}

void anjay_dm_handle_request(anjay_t *anjay, anjay_ssid_t ssid, const coap_request_t *coap, coap_response_t *response) {
    handle(anjay, ssid, coap, response);
    dm_flush_changes(anjay, ssid);
}
