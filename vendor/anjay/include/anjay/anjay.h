/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VENDOR_ANJAY_ANJAY_H
#define VENDOR_ANJAY_ANJAY_H

#include <anjay/core.h>
#include <anjay/dm.h>
#include <anjay/download.h>
#include <anjay/io.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_ANJAY_ANJAY_H */
