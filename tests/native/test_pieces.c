/* SPDX-License-Identifier: Apache-2.0 */
/** A package in pieces: what the handler behind gets, when, and what is left after errors and without memory. */
#define GLUE_FAILURES_ONLY_DECLARE
#include "glue_failures.h"
#include "test.h"

#include "../../anjay_cffi/_glue.h"

static bool no_memory;
static int live;

bool must_fail(void) {
    return no_memory;
}

bool must_fail_for_now(void) {
    return no_memory;
}

void anjay_cffi_count_object(int change) {
    live += change;
}

/* ------------------------------------------------------------------ the handler behind */

typedef struct {
    char got[4096];
    size_t size;
    size_t lengths[16];
    size_t writes;
    int opened, finished, resets;
    size_t refuse;   /**< so many writes from now; 0: none */
    int refuse_open; /**< what opening returns */
} behind_t;

static int behind_open(void *user, const char *uri, const struct anjay_etag *etag) {
    behind_t *behind = (behind_t *) user;
    CHECK(!uri && !etag);
    ++behind->opened;
    behind->size = behind->writes = 0;
    return behind->refuse_open;
}

static int behind_write(void *user, const void *data, size_t length) {
    behind_t *behind = (behind_t *) user;
    if (behind->refuse && !--behind->refuse) {
        return ANJAY_FW_UPDATE_ERR_NOT_ENOUGH_SPACE;
    }
    CHECK(behind->writes < AVS_ARRAY_SIZE(behind->lengths) && behind->size + length <= sizeof(behind->got));
    behind->lengths[behind->writes++] = length;
    memcpy(behind->got + behind->size, data, length);
    behind->size += length;
    return 0;
}

static int behind_finish(void *user) {
    ++((behind_t *) user)->finished;
    return 0;
}

static void behind_reset(void *user) {
    ++((behind_t *) user)->resets;
}

static int behind_upgrade(void *user) {
    (void) user;
    return 17;
}

static const char *behind_name(void *user) {
    CHECK_INT(((behind_t *) user)->resets, 1);
    return "name";
}

static const anjay_fw_update_handlers_t BEHIND = { .stream_open = behind_open,
                                                   .stream_write = behind_write,
                                                   .stream_finish = behind_finish,
                                                   .reset = behind_reset,
                                                   .perform_upgrade = behind_upgrade };

/* ------------------------------------------------------------------ */

static char image[4096];

static anjay_cffi_pieces_t *start(behind_t *behind, size_t size) {
    memset(behind, 0, sizeof(*behind));
    anjay_cffi_pieces_t *pieces = anjay_cffi_pieces_new(&BEHIND, behind, size);
    CHECK(pieces && anjay_cffi_pieces_handlers(pieces)->stream_open(pieces, NULL, NULL) == 0);
    return pieces;
}

static int feed(anjay_cffi_pieces_t *pieces, size_t total, size_t step) {
    int result = 0;
    for (size_t at = 0; !result && at < total; at += step) {
        result = anjay_cffi_pieces_handlers(pieces)->stream_write(pieces, image + at, total - at < step ? total - at : step);
    }
    return result;
}

/** Every size of package, block and piece: all pieces but the last are full, none is empty, the content is the image's. */
static void test_pieces(void) {
    static const size_t SIZES[] = { 1, 2, 15, 16, 17, 100, 256 };
    static const size_t STEPS[] = { 1, 7, 16, 64 };
    for (size_t total = 0; total <= 256; total += total < 20 ? 1 : 59) {
        for (size_t s = 0; s < AVS_ARRAY_SIZE(SIZES); ++s) {
            for (size_t t = 0; t < AVS_ARRAY_SIZE(STEPS); ++t) {
                const size_t size = SIZES[s];
                if (total / size > 15) {
                    continue;
                }
                behind_t behind;
                anjay_cffi_pieces_t *pieces = start(&behind, size);
                CHECK_INT(feed(pieces, total, STEPS[t]), 0);
                CHECK_INT(behind.writes, total / size);
                CHECK_INT(anjay_cffi_pieces_handlers(pieces)->stream_finish(pieces), 0);
                CHECK_INT(behind.finished, 1);
                CHECK_INT(behind.writes, (total + size - 1) / size);
                for (size_t i = 0; i < behind.writes; ++i) {
                    CHECK_INT(behind.lengths[i], i + 1 < behind.writes || total % size == 0 ? size : total % size);
                }
                CHECK(behind.size == total && !memcmp(behind.got, image, total));
                anjay_cffi_pieces_delete(pieces);
            }
        }
    }
    CHECK_INT(live, 0);
}

static void test_refused_piece_is_not_given_again(void) {
    for (size_t last = 0; last < 2; ++last) {
        behind_t behind;
        anjay_cffi_pieces_t *pieces = start(&behind, 100);
        const anjay_fw_update_handlers_t *handlers = anjay_cffi_pieces_handlers(pieces);
        behind.refuse = 2;
        const int written = feed(pieces, last ? 150 : 250, 10);
        CHECK_INT(written, last ? 0 : ANJAY_FW_UPDATE_ERR_NOT_ENOUGH_SPACE);
        if (last) {
            CHECK_INT(handlers->stream_finish(pieces), ANJAY_FW_UPDATE_ERR_NOT_ENOUGH_SPACE);
            CHECK_INT(behind.finished, 0);
        }
        CHECK_INT(behind.size, 100);
        handlers->reset(pieces);
        CHECK_INT(behind.resets, 1);
        CHECK_INT(handlers->stream_open(pieces, NULL, NULL), 0);
        CHECK_INT(feed(pieces, 130, 64), 0);
        CHECK_INT(handlers->stream_finish(pieces), 0);
        CHECK(behind.size == 130 && !memcmp(behind.got, image, 130));
        anjay_cffi_pieces_delete(pieces);
    }
    CHECK_INT(live, 0);
}

/** An error of stream_open() comes with the first bytes, or at the end of a package without any. */
static void test_refused_at_the_start(void) {
    behind_t behind;
    anjay_cffi_pieces_t *pieces = start(&behind, 100);
    const anjay_fw_update_handlers_t *handlers = anjay_cffi_pieces_handlers(pieces);
    for (size_t size = 0; size < 2; ++size) {
        behind.refuse_open = ANJAY_FW_UPDATE_ERR_UNSUPPORTED_PACKAGE_TYPE;
        CHECK_INT(handlers->stream_open(pieces, NULL, NULL), 0);
        CHECK_INT(size ? feed(pieces, size, size) : handlers->stream_finish(pieces), behind.refuse_open);
        handlers->reset(pieces);
        CHECK(behind.writes == 0 && behind.finished == 0);
    }
    behind.refuse_open = 0;
    CHECK_INT(handlers->stream_open(pieces, NULL, NULL), 0);
    CHECK_INT(feed(pieces, 100, 10), 0);
    CHECK_INT(behind.size, 100);
    anjay_cffi_pieces_delete(pieces);
    CHECK_INT(live, 0);
}

/** What an abandoned transfer left, with or without a reset, gets into none that follows. */
static void test_abandoned(void) {
    behind_t behind;
    anjay_cffi_pieces_t *pieces = start(&behind, 100);
    const anjay_fw_update_handlers_t *handlers = anjay_cffi_pieces_handlers(pieces);
    CHECK_INT(feed(pieces, 99, 33), 0);
    CHECK_INT(handlers->stream_open(pieces, NULL, NULL), 0);
    CHECK_INT(feed(pieces, 99, 33), 0);
    handlers->reset(pieces);
    CHECK_INT(behind.writes, 0);
    CHECK_INT(handlers->stream_open(pieces, NULL, NULL), 0);
    CHECK_INT(feed(pieces, 99, 33), 0);
    CHECK_INT(handlers->stream_finish(pieces), 0);
    CHECK(behind.writes == 1 && behind.size == 99);
    CHECK_INT(feed(pieces, 50, 50), 0);
    anjay_cffi_pieces_delete(pieces); /* in the middle */
    CHECK_INT(live, 0);
}

static void test_without_memory(void) {
    behind_t behind;
    no_memory = true;
    CHECK(!anjay_cffi_pieces_new(&BEHIND, &behind, 100));
    no_memory = false;
    anjay_cffi_pieces_t *pieces = start(&behind, 100);
    no_memory = true;
    CHECK_INT(feed(pieces, 10, 10), ANJAY_FW_UPDATE_ERR_OUT_OF_MEMORY);
    no_memory = false;
    CHECK_INT(feed(pieces, 100, 10), 0);
    CHECK(behind.writes == 1 && behind.size == 100);
    anjay_cffi_pieces_delete(pieces);
    anjay_cffi_pieces_delete(NULL);
    CHECK_INT(live, 0);
}

static void test_optional_handlers(void) {
    behind_t behind;
    anjay_cffi_pieces_t *pieces = start(&behind, 100);
    const anjay_fw_update_handlers_t *handlers = anjay_cffi_pieces_handlers(pieces);
    CHECK(!handlers->get_name && !handlers->get_version && !handlers->get_security_config && !handlers->get_coap_tx_params
          && !handlers->get_tcp_request_timeout);
    CHECK_INT(handlers->perform_upgrade(pieces), 17);
    anjay_cffi_pieces_delete(pieces);
    anjay_fw_update_handlers_t named = BEHIND;
    named.get_name = behind_name;
    behind.resets = 1;
    pieces = anjay_cffi_pieces_new(&named, &behind, 1);
    CHECK(pieces && !strcmp(anjay_cffi_pieces_handlers(pieces)->get_name(pieces), "name"));
    anjay_cffi_pieces_delete(pieces);
    CHECK_INT(live, 0);
}

int main(void) {
    for (size_t i = 0; i < sizeof(image); ++i) {
        image[i] = (char) (i * 7 + i / 256);
    }
    RUN(test_pieces);
    RUN(test_refused_piece_is_not_given_again);
    RUN(test_refused_at_the_start);
    RUN(test_abandoned);
    RUN(test_without_memory);
    RUN(test_optional_handlers);
    return TEST_END();
}
