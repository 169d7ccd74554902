/* SPDX-License-Identifier: Apache-2.0 */
#include "dtls_records.h"

#include <stdbool.h>
#include <string.h>

#define RECORD_HEADER 13
#define MESSAGE_HEADER 12
/** Longer than any handshake message between a server and a client with a pre-shared key. */
#define MESSAGE_MAX 16384

enum { CHANGE_CIPHER_SPEC = 20, ALERT, HANDSHAKE, APPLICATION_DATA };

/** Types of the messages that a server sends without encryption. HelloRequest is none: a client that is in a handshake ignores it
 *  (RFC 5246, section 7.4.1.1). */
static bool of_server(uint8_t type) {
    static const uint8_t TYPES[] = { 2 /* ServerHello */,       3 /* HelloVerifyRequest */, 4 /* NewSessionTicket */,
                                     11 /* Certificate */,      12 /* ServerKeyExchange */, 13 /* CertificateRequest */,
                                     14 /* ServerHelloDone */ , 22 /* CertificateStatus */ };
    return memchr(TYPES, type, sizeof(TYPES));
}

static size_t big_endian(const uint8_t *bytes, size_t count) {
    size_t value = 0;
    for (size_t i = 0; i < count; ++i) {
        value = value << 8 | bytes[i];
    }
    return value;
}

/** Whether a record's body consists of fragments of handshake messages. */
static bool is_handshake(const uint8_t *body, size_t size) {
    if (!size) {
        return false;
    }
    while (size) {
        if (size < MESSAGE_HEADER || !of_server(body[0])) {
            return false;
        }
        const size_t whole = big_endian(body + 1, 3), offset = big_endian(body + 6, 3), length = big_endian(body + 9, 3);
        if (whole > MESSAGE_MAX || offset + length > whole || length > size - MESSAGE_HEADER || (whole && !length)) {
            return false;
        }
        body += MESSAGE_HEADER + length;
        size -= MESSAGE_HEADER + length;
    }
    return true;
}

static bool is_plain(uint8_t type, const uint8_t *body, size_t size) {
    switch (type) {
    case CHANGE_CIPHER_SPEC: return size == 1 && body[0] == 1;
    case ALERT: return size == 2 && (body[0] == 1 || body[0] == 2);
    case HANDSHAKE: return is_handshake(body, size);
    default: return false;
    }
}

static bool may_be_genuine(const uint8_t *record, size_t body_size, size_t min_sealed, bool handshake) {
    const size_t epoch = big_endian(record + 3, 2);
    const bool version_1_2 = record[1] == 0xFE && record[2] == 0xFD;
    if (!epoch) { /* the first messages of a server may carry version 1.0 (section 4.2.1) */
        return handshake && record[1] == 0xFE && (version_1_2 || record[2] == 0xFF)
               && is_plain(record[0], record + RECORD_HEADER, body_size);
    }
    return epoch == 1 && version_1_2 && record[0] >= CHANGE_CIPHER_SPEC && record[0] <= APPLICATION_DATA
           && body_size >= min_sealed;
}

static void set_number(uint8_t *record, uint64_t number) {
    for (int i = 10; i >= 5; --i) {
        record[i] = (uint8_t) number;
        number >>= 8;
    }
}

size_t dtls_records_keep(uint8_t *data, size_t size, size_t min_sealed, uint64_t *plain_number) {
    size_t at = 0, kept = 0;
    while (size - at >= RECORD_HEADER) {
        uint8_t *record = data + at;
        const size_t body_size = big_endian(record + 11, 2);
        if (body_size > size - at - RECORD_HEADER) {
            break;
        }
        at += RECORD_HEADER + body_size;
        if (!may_be_genuine(record, body_size, min_sealed, plain_number)) {
            continue;
        }
        if (plain_number && !record[3] && !record[4]) {
            set_number(record, (*plain_number)++);
        }
        if (record != data + kept) {
            memmove(data + kept, record, RECORD_HEADER + body_size);
        }
        kept += RECORD_HEADER + body_size;
    }
    return kept;
}
