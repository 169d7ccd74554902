/* SPDX-License-Identifier: Apache-2.0 */
/** What this build of avs_coap contains. */
#ifndef VENDOR_COAP_AVS_COAP_CONFIG_H
#define VENDOR_COAP_AVS_COAP_CONFIG_H

#define WITH_AVS_COAP_UDP
#define WITH_AVS_COAP_BLOCK
#define WITH_AVS_COAP_OBSERVE
#define WITH_AVS_COAP_LOGS

#endif /* VENDOR_COAP_AVS_COAP_CONFIG_H */
