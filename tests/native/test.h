/* SPDX-License-Identifier: Apache-2.0 */
/** The least that a C test needs: CHECK reports and counts, RUN names a test, TEST_MAIN ends with the counts. */
#ifndef TESTS_NATIVE_TEST_H
#define TESTS_NATIVE_TEST_H

#include <stdio.h>
#include <string.h>

static int checks_failed, tests_failed, tests_passed;

#define CHECK(cond)                                                                       \
    do {                                                                                  \
        if (!(cond)) {                                                                    \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond);          \
            ++checks_failed;                                                              \
        }                                                                                 \
    } while (0)

#define CHECK_INT(actual, expected)                                                                    \
    do {                                                                                               \
        long long a__ = (long long) (actual), e__ = (long long) (expected);                            \
        if (a__ != e__) {                                                                              \
            fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #actual, a__, e__);   \
            ++checks_failed;                                                                           \
        }                                                                                              \
    } while (0)

#define CHECK_STR(actual, expected)                                                                          \
    do {                                                                                                     \
        const char *a__ = (actual), *e__ = (expected);                                                       \
        if (!a__ || strcmp(a__, e__)) {                                                                      \
            fprintf(stderr, "%s:%d: %s is \"%s\", not \"%s\"\n", __FILE__, __LINE__, #actual, a__ ? a__ : "(null)", e__); \
            ++checks_failed;                                                                                 \
        }                                                                                                    \
    } while (0)

#define RUN(test)                                      \
    do {                                               \
        int before__ = checks_failed;                  \
        test();                                        \
        if (checks_failed == before__) {               \
            ++tests_passed;                            \
        } else {                                       \
            ++tests_failed;                            \
            fprintf(stderr, "FAILED %s\n", #test);     \
        }                                              \
    } while (0)

#define TEST_END()                                                           \
    (printf("%d passed, %d failed\n", tests_passed, tests_failed), tests_failed != 0)

#endif /* TESTS_NATIVE_TEST_H */
