/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CUnit with TAP output: a test program lists its tests and returns tap_run(). Each test is one
 * line "ok" or "not ok", each failed assertion a comment with file, line and condition.
 */
#ifndef CAIRN_TESTS_UNIT_TAP_H
#define CAIRN_TESTS_UNIT_TAP_H

#include <CUnit/CUnit.h>

struct tap_test {
    const char *name;
    void (*run)(void);
};

/* Runs the tests, ended by a NULL name. The exit status: 0 if all passed. */
int tap_run(const char *suite, const struct tap_test *tests);

#endif
