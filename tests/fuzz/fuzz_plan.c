/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the plan that the monitor reads from its engine: core/monitor/plan.c. */
#include "core/monitor/plan.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char problem[256] = "";
    struct plan plan;

    if (plan_parse((const char *)data, bytes, &plan, problem, sizeof(problem)) == 0) {
        fuzz_require(plan.application_folder[0] == '/');
        fuzz_require(memchr(plan.application_folder, '\0', sizeof(plan.application_folder)));
        fuzz_require(plan.claim_ms > 0 && plan.hold_ms > 0 && plan.pipeline_ms > 0);
    } else {
        fuzz_require(problem[0] != '\0');
    }
    return 0;
}
