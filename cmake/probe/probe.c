/* SPDX-License-Identifier: Apache-2.0 */
/* Linked only: in the extension itself an undefined symbol would be found when it is imported. */
#include <anjay/anjay_config.h>

#include <anjay/core.h>
#include <anjay/security.h>
#include <anjay/server.h>
#ifdef ANJAY_WITH_MODULE_FW_UPDATE
#    include <anjay/fw_update.h>
#endif

void (*volatile needed[])(void) = {
    (void (*)(void)) anjay_new,
    (void (*)(void)) anjay_delete,
    (void (*)(void)) anjay_serve,
    (void (*)(void)) anjay_security_object_install,
    (void (*)(void)) anjay_server_object_install,
#ifdef ANJAY_WITH_MODULE_FW_UPDATE
    (void (*)(void)) anjay_fw_update_install,
#endif
};
