/* SPDX-License-Identifier: Apache-2.0 */
/* CUnit with TAP output; see tap.h. */
#include "tests/unit/tap.h"

#include <CUnit/TestRun.h>
#include <stdio.h>

static unsigned number;

static void completed(const CU_pTest test, const CU_pSuite suite, const CU_pFailureRecord failures)
{
    number++;
    printf("%s %u - %s: %s\n", failures == NULL ? "ok" : "not ok", number, suite->pName,
           test->pName);
    for (const CU_FailureRecord *record = failures; record != NULL; record = record->pNext) {
        printf("# %s:%u: %s\n", record->strFileName, record->uiLineNumber, record->strCondition);
    }
    fflush(stdout);
}

int tap_run(const char *suite_name, const struct tap_test *tests)
{
    CU_pSuite suite;
    unsigned count = 0, failed;

    if (CU_initialize_registry() != CUE_SUCCESS ||
        (suite = CU_add_suite(suite_name, NULL, NULL)) == NULL) {
        printf("Bail out! CUnit: %s\n", CU_get_error_msg());
        return 99;
    }
    for (const struct tap_test *test = tests; test->name != NULL; test++) {
        if (CU_add_test(suite, test->name, test->run) == NULL) {
            printf("Bail out! CUnit: %s\n", CU_get_error_msg());
            return 99;
        }
        count++;
    }
    printf("1..%u\n", count);
    fflush(stdout);
    CU_set_test_complete_handler(completed);
    CU_run_all_tests();
    failed = CU_get_number_of_tests_failed();
    CU_cleanup_registry();
    return failed == 0 && count > 0 ? 0 : 1;
}
