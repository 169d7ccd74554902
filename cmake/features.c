/* SPDX-License-Identifier: Apache-2.0 */
/* Preprocessed only: its macros are the provider's features. */
#include <anjay/anjay_config.h>
#include <avsystem/coap/avs_coap_config.h>
#include <avsystem/commons/avs_commons_config.h>
