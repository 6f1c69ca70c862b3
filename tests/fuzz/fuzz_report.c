/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes report.json: what is accepted must be written and read again. */
#include "core/report/report.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static void check(const struct report *report)
{
    struct report *again = NULL;
    struct cairn_value value;
    struct error error;
    char *first = report_to_json(report), *second;

    fuzz_require(first != NULL);
    fuzz_require_accepted(report_from_json(first, strlen(first), &again, &error), error.text);
    second = report_to_json(again);
    fuzz_require(second != NULL && strcmp(first, second) == 0);
    (void)report_get(report, "crash.signal", &value);
    free(first);
    free(second);
    report_destroy(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct fuzz_input input = { data, bytes };
    struct report *report = NULL;
    struct error error = { 0 };
    char *text = fuzz_text(input);

    if (report_from_json(text, bytes, &report, &error) == 0) {
        check(report);
        report_destroy(report);
    } else {
        fuzz_require(report == NULL && error.text[0] != '\0');
    }
    free(text);
    return 0;
}
