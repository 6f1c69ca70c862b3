/* SPDX-License-Identifier: Apache-2.0 */
/* The plan's text as the monitor reads it: good, out of bounds, hostile. */
#include "core/capture/capture.h"
#include "core/crash/page.h"
#include "core/monitor/plan.h"
#include "tests/unit/good_plan.h"
#include "tests/unit/tap.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

static int parse(const char *text, struct plan *plan, char problem[512])
{
    return plan_parse(text, strlen(text), plan, problem, 512);
}

static void test_plan_good(void)
{
    struct plan plan;
    char problem[512];

    CU_ASSERT_EQUAL(parse(GOOD_PLAN, &plan, problem), 0);
    CU_ASSERT_EQUAL(plan.signals, 0x400006f8u);
    CU_ASSERT_EQUAL(plan.claim_ms, 1000);
    CU_ASSERT_EQUAL(plan.hold_ms, 5000);
    CU_ASSERT_EQUAL(plan.pipeline_ms, 20000);
    CU_ASSERT_EQUAL(plan.children, PAGE_CHILDREN_OF_FORK);
    CU_ASSERT_EQUAL(plan.memory, CAPTURE_REFERENCED);
    CU_ASSERT_EQUAL(plan.classes, CAPTURE_COMMAND_LINE | CAPTURE_ENVIRONMENT);
    CU_ASSERT_EQUAL(plan.deaths, PLAN_KILLED | PLAN_EXIT);
    CU_ASSERT_EQUAL(plan.max_bytes, 67108864);
    CU_ASSERT_STRING_EQUAL(plan.application_folder, "/var/lib/cairn/shop");
}

/* GOOD_PLAN with the line that starts with `key` replaced; "" deletes it. */
static void with_line(const char *key, const char *line, char text[1024])
{
    const char *start = strstr(GOOD_PLAN, key);
    const char *end = strchr(start, '\n') + 1;

    snprintf(text, 1024, "%.*s%s%s", (int)(start - GOOD_PLAN), GOOD_PLAN, line, end);
}

/* What each line may be. */
static const struct {
    const char *key, *line;
    int good;
} values[] = {
    { "classes", "classes \n", 1 },
    { "classes", "classes\n", 1 },
    { "classes", "classes environment\n", 1 },
    { "classes", "classes environment,\n", 0 },
    { "classes", "classes ,environment\n", 0 },
    { "classes", "classes secrets\n", 0 },
    { "deaths", "deaths\n", 1 },
    { "deaths", "deaths killed,signalled,exit,unknown\n", 1 },
    { "deaths", "deaths killed,\n", 0 },
    { "deaths", "deaths drowned\n", 0 },
    { "children", "children ignore\n", 1 },
    { "children", "children all\n", 1 },
    { "children", "children\n", 0 },
    { "children", "children some\n", 0 },
    { "memory", "memory full\n", 1 },
    { "memory", "memory everything\n", 0 },
    { "memory", "memory\n", 0 },
    { "signals", "signals 0x\n", 0 },
    { "signals", "signals 1784\n", 0 },
    { "signals", "signals 0x100\n", 0 },   /* SIGKILL */
    { "signals", "signals 0x40000\n", 0 }, /* SIGSTOP */
    { "signals", "signals 0x10000000000000000\n", 0 },
    { "signals", "signals 0x8000000000000000\n", 1 },
    { "claim-ms", "claim-ms 0\n", 0 },
    { "claim-ms", "claim-ms -1\n", 0 },
    { "claim-ms", "claim-ms +1\n", 0 },
    { "claim-ms", "claim-ms 1 \n", 0 },
    { "claim-ms", "claim-ms 600001\n", 0 },
    { "hold-ms", "hold-ms 99999999999999999999\n", 0 },
    { "pipeline-ms", "pipeline-ms\n", 0 },
    { "max-bytes", "max-bytes 18446744073709551615\n", 1 },
    { "max-bytes", "max-bytes 18446744073709551616\n", 0 },
    { "max-bytes", "max-bytes 0\n", 1 },
    { "engines", "engines 1024\n", 1 },
    { "engines", "engines 1025\n", 0 },
    { "engines", "engines 0\n", 0 },
    { "application-folder", "application-folder relative\n", 0 },
    { "application-folder", "application-folder /with space\n", 1 },
    { "cairn-plan", "cairn-plan 2\n", 0 },
    { "cairn-plan", "", 0 },
    { "hold-ms", "", 0 },
    { "hold-ms", "hold-ms 1\nhold-ms 1\n", 0 },
    { "hold-ms", "hold-ms 1\nnew-key 1\n", 0 },
    { "hold-ms", "hold-ms 1\n\n", 0 },
};

static void test_plan_values(void)
{
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct plan plan;
        char text[1024];
        char problem[512] = "";

        with_line(values[i].key, values[i].line, text);
        int result = parse(text, &plan, problem);
        CU_ASSERT_EQUAL(result, values[i].good ? 0 : -EINVAL);
        if ((result == 0) != values[i].good) {
            printf("# row %zu: %s# %s\n", i, values[i].line, problem);
        }
        if (!values[i].good) {
            CU_ASSERT_EQUAL(problem[strlen(problem) - 1], '.');
        }
    }
}

static void test_plan_hostile(void)
{
    struct plan plan = { .hold_ms = 7 };
    char problem[512];
    char text[PLAN_TEXT_BYTES + 1];

    for (size_t bytes = 0; bytes < strlen(GOOD_PLAN); bytes++) {
        CU_ASSERT_EQUAL(plan_parse(GOOD_PLAN, bytes, &plan, problem, sizeof(problem)), -EINVAL);
    }
    memset(text, 'x', sizeof(text));
    CU_ASSERT_EQUAL(plan_parse(text, sizeof(text), &plan, problem, sizeof(problem)), -EINVAL);
    CU_ASSERT_EQUAL(plan_parse(text, sizeof(text) - 1, &plan, problem, sizeof(problem)), -EINVAL);
    CU_ASSERT_EQUAL(plan_parse("cairn\0plan 1\n", 13, &plan, problem, sizeof(problem)), -EINVAL);
    CU_ASSERT_EQUAL(plan.hold_ms, 7); /* outputs are untouched on failure */
    char folder[PLAN_FOLDER_BYTES + 64];
    char line[PLAN_FOLDER_BYTES + 128];
    memset(folder, 'f', sizeof(folder));
    folder[0] = '/';
    folder[PLAN_FOLDER_BYTES] = '\0';
    snprintf(line, sizeof(line), "cairn-plan 1\napplication-folder %s\n", folder);
    CU_ASSERT_EQUAL(plan_parse(line, strlen(line), &plan, problem, sizeof(problem)), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(problem, "Line 2 "));
}

int main(void)
{
    static const struct tap_test tests[] = {
        { "a plan is read", test_plan_good },
        { "a plan's values are bounded", test_plan_values },
        { "a plan that is none is refused", test_plan_hostile },
        { NULL, NULL },
    };

    return tap_run("monitor_plan", tests);
}
