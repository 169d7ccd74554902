/* SPDX-License-Identifier: Apache-2.0 */
/** Codes of CoAP messages (RFC 7252, section 12.1; RFC 7959, section 6; RFC 8132, section 6) as their byte: class << 5 | detail. */
#ifndef VENDOR_COAP_CODE_H
#define VENDOR_COAP_CODE_H

#include <stdint.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The code of a class and a detail, such as 4 and 4. */
#define AVS_COAP_CODE(cls, detail) ((uint8_t) (((cls) << 5) | (detail)))

#define _AVS_COAP_CODE_CLASS_MASK 224

#define _AVS_COAP_CODE_CLASS_SHIFT 5

#define _AVS_COAP_CODE_DETAIL_MASK 31

#define _AVS_COAP_CODE_DETAIL_SHIFT 0

#define AVS_COAP_CODE_EMPTY 0

#define AVS_COAP_CODE_GET 1

#define AVS_COAP_CODE_POST 2

#define AVS_COAP_CODE_PUT 3

#define AVS_COAP_CODE_DELETE 4

#define AVS_COAP_CODE_FETCH 5

#define AVS_COAP_CODE_PATCH 6

#define AVS_COAP_CODE_IPATCH 7

#define AVS_COAP_CODE_CREATED 65

#define AVS_COAP_CODE_DELETED 66

#define AVS_COAP_CODE_VALID 67

#define AVS_COAP_CODE_CHANGED 68

#define AVS_COAP_CODE_CONTENT 69

#define AVS_COAP_CODE_CONTINUE 95

#define AVS_COAP_CODE_BAD_REQUEST 128

#define AVS_COAP_CODE_UNAUTHORIZED 129

#define AVS_COAP_CODE_BAD_OPTION 130

#define AVS_COAP_CODE_FORBIDDEN 131

#define AVS_COAP_CODE_NOT_FOUND 132

#define AVS_COAP_CODE_METHOD_NOT_ALLOWED 133

#define AVS_COAP_CODE_NOT_ACCEPTABLE 134

#define AVS_COAP_CODE_REQUEST_ENTITY_INCOMPLETE 136

#define AVS_COAP_CODE_PRECONDITION_FAILED 140

#define AVS_COAP_CODE_REQUEST_ENTITY_TOO_LARGE 141

#define AVS_COAP_CODE_UNSUPPORTED_CONTENT_FORMAT 143

#define AVS_COAP_CODE_INTERNAL_SERVER_ERROR 160

#define AVS_COAP_CODE_NOT_IMPLEMENTED 161

#define AVS_COAP_CODE_BAD_GATEWAY 162

#define AVS_COAP_CODE_SERVICE_UNAVAILABLE 163

#define AVS_COAP_CODE_GATEWAY_TIMEOUT 164

#define AVS_COAP_CODE_PROXYING_NOT_SUPPORTED 165

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_COAP_CODE_H */
