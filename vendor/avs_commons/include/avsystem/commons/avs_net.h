/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VENDOR_COMMONS_AVS_NET_H
#define VENDOR_COMMONS_AVS_NET_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <avsystem/commons/avs_defs.h>
#include <avsystem/commons/avs_socket.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(AVS_COMMONS_NET_WITH_MBEDTLS_SSLKEYLOG)
void avs_mbedtls_set_sslkeylog_stream(avs_stream_t *stream);
#endif

#if defined(AVS_COMMONS_WITH_TRAFFIC_INTERCEPTOR)
typedef enum {
    AVS_NET_TRAFFIC_INTERCEPTOR_INCOMING = 0,
    AVS_NET_TRAFFIC_INTERCEPTOR_OUTGOING = 1
} avs_net_traffic_interceptor_direction_t;
#endif

#if defined(AVS_COMMONS_WITH_TRAFFIC_INTERCEPTOR)
void _avs_net_traffic_interceptor(avs_net_socket_t *socket, const void *data, size_t data_length, avs_net_socket_type_t type, avs_net_traffic_interceptor_direction_t direction);
#endif

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_COMMONS_AVS_NET_H */
