/* SPDX-License-Identifier: Apache-2.0 */
/* Compiles where the records of dm.h have the fields of LwM2M 1.2. */
#include <anjay/dm.h>
#include <stddef.h>

size_t offset = offsetof(anjay_dm_handlers_t, resource_instance_remove) + offsetof(anjay_dm_r_attributes_t, edge)
                + offsetof(anjay_dm_oi_attributes_t, hqmax);
