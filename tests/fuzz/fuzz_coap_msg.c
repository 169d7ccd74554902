/* SPDX-License-Identifier: Apache-2.0 */
/** Any datagram: what parses is walked through, encoded again and must come out the same. */
#include "../../vendor/avs_coap/src/coap_msg.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    coap_msg_t msg, again;
    if (coap_msg_parse(data, size, &msg) != COAP_PARSE_OK) {
        return 0;
    }
    uint8_t out[70000];
    coap_writer_t w;
    coap_option_iter_t iter = { 0 };
    coap_option_t option;
    coap_writer_start(&w, out, sizeof(out), msg.type, msg.code, msg.mid, &msg.token);
    while (coap_option_next(&msg, &iter, &option)) {
        uint32_t value;
        coap_block_t block;
        coap_option_uint(&option, 4, &value);
        coap_option_block(&option, &block);
        coap_writer_option(&w, option.number, option.value, option.size);
    }
    coap_writer_payload(&w, msg.payload, msg.payload_size);
    if (w.overflow) {
        return 0;
    }
    if (coap_msg_parse(out, w.size, &again) != COAP_PARSE_OK || again.payload_size != msg.payload_size
            || (msg.payload_size && memcmp(again.payload, msg.payload, msg.payload_size))
            || !coap_token_equal(&again.token, &msg.token)) {
        abort();
    }
    return 0;
}
