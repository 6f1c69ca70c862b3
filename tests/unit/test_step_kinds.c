/* SPDX-License-Identifier: Apache-2.0 */
/* Steps: what a plugin of each kind contributes, and what the host takes of it. */
#include "core/plugin/step.h"
#include "tests/unit/plugins.h"
#include "tests/unit/tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct report_attribute *attribute(const struct step_result *result, const char *name)
{
    static const struct report_attribute none = { .name = "", .value = { .string = "" } };

    for (size_t i = 0; i < result->attribute_count; i++) {
        if (strcmp(result->attributes[i].name, name) == 0) {
            return &result->attributes[i];
        }
    }
    return &none;
}

/* Runs the only instance of a configuration. */
static void run_bound(const struct plugins_config *bound, struct report *report,
                      const struct step_request *more, struct step_result *ret_result)
{
    struct step_request request = *more;

    if (bound->result != 0) {
        printf("# %s\n", bound->text);
    }
    CU_ASSERT_EQUAL_FATAL(bound->result, 0);
    request.instance = &bound->config->instances[0];
    request.facts = bound->set.facts[0];
    request.plugin_fd = bound->set.fds[0];
    request.report = report;
    step_run(&request, ret_result);
}

static const struct step_request plain = { .dump_fd = -1, .out_fd = -1 };

static void test_annotator(void)
{
    struct plugins_config bound;
    struct step_result result;
    struct report *report = report_create();

    CU_ASSERT_EQUAL(report_text(&report->application, "shop"), 0);
    CU_ASSERT_EQUAL(report_add_breadcrumb(report, 1, "ui", "clicked"), 0);
    plugins_config_init(&bound, "version: 1\n"
                                "annotators:\n"
                                "  it: { plugin: good, text: hello, flag: true, size: 3MiB, ratio: "
                                "0.5, list: [a, b], map: { good.mapped: 7 } }\n"
                                "pipelines:\n"
                                "  default: { annotators: [it] }\n");
    run_bound(&bound, report, &plain, &result);
    CU_ASSERT_EQUAL(result.status, STEP_OK);
    CU_ASSERT_STRING_EQUAL(result.error, "");
    CU_ASSERT_STRING_EQUAL(attribute(&result, "good.text")->value.string, "hello");
    CU_ASSERT_EQUAL(attribute(&result, "good.flag")->value.boolean, 1);
    CU_ASSERT_EQUAL(attribute(&result, "good.number")->value.integer, 3);
    CU_ASSERT_EQUAL(attribute(&result, "good.ratio")->value.number, 0.5);
    CU_ASSERT_EQUAL(attribute(&result, "good.size")->value.integer, 3 << 20);
    CU_ASSERT_EQUAL(attribute(&result, "good.list")->value.integer, 2);
    CU_ASSERT_EQUAL(attribute(&result, "good.mapped")->value.integer, 7);
    CU_ASSERT_STRING_EQUAL(attribute(&result, "seen.application")->value.string, "shop");
    CU_ASSERT_STRING_EQUAL(attribute(&result, "seen.breadcrumb")->value.string, "clicked");
    CU_ASSERT_STRING_EQUAL(attribute(&result, "seen.instance")->value.string, "it");
    CU_ASSERT_STRING_EQUAL(attribute(&result, "twice")->value.string,
                           "second\tand \\x01 \xef\xbf\xbd");
    CU_ASSERT_EQUAL(attribute(&result, "process.descriptors")->value.integer, 5);
    CU_ASSERT_STRING_EQUAL(attribute(&result, "process.folder")->value.string, "/");
    CU_ASSERT_EQUAL(attribute(&result, "process.leader")->value.boolean, 1);
    CU_ASSERT_EQUAL(attribute(&result, "process.time")->value.boolean, 1);
    CU_ASSERT_EQUAL_FATAL(result.note_count, 1);
    CU_ASSERT_STRING_EQUAL(result.notes[0], "The size is 3145728.");
    step_result_finish(&result);
    report_destroy(report);
    plugins_config_finish(&bound);
}

static void test_filter(void)
{
    struct plugins_config bound;
    struct step_result result;
    struct report *report = report_create();

    plugins_config_init(&bound, "version: 1\n"
                                "filters:\n"
                                "  it: { plugin: good, thread: worker }\n"
                                "pipelines:\n"
                                "  default: { filters: [it] }\n");
    run_bound(&bound, report, &plain, &result);
    CU_ASSERT_EQUAL(result.status, STEP_OK);
    CU_ASSERT_EQUAL(result.action, CAIRN_KEEP);
    CU_ASSERT_EQUAL(report_text(&report->thread, "worker"), 0);
    run_bound(&bound, report, &plain, &result);
    CU_ASSERT_EQUAL(result.action, CAIRN_DROP);
    CU_ASSERT_STRING_EQUAL(result.reason, "thread worker does not count");
    plugins_config_finish(&bound);
    plugins_config_init(&bound, "version: 1\n"
                                "filters:\n"
                                "  it: { plugin: good, thread: nonsense }\n"
                                "pipelines:\n"
                                "  default: { filters: [it] }\n");
    run_bound(&bound, report, &plain, &result);
    CU_ASSERT_EQUAL(result.status, STEP_BROKEN);
    CU_ASSERT_EQUAL(result.action, CAIRN_KEEP);
    CU_ASSERT_STRING_EQUAL(result.error,
                           "filter \"it\" answered 17, which is neither keep nor drop.");
    report_destroy(report);
    plugins_config_finish(&bound);
}

/* A filter that keeps a report may put it in an earlier one's place. */
static void test_filter_replaces(void)
{
    struct plugins_config bound;
    struct step_result result;
    struct report *report = report_create();

    plugins_config_init(&bound, "version: 1\n"
                                "filters:\n"
                                "  it: { plugin: good, thread: newest }\n"
                                "pipelines:\n"
                                "  default: { filters: [it] }\n");
    run_bound(&bound, report, &plain, &result);
    CU_ASSERT_EQUAL(result.status, STEP_OK);
    CU_ASSERT_EQUAL(result.action, CAIRN_KEEP);
    CU_ASSERT_STRING_EQUAL(result.instead_of, "0193a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b");
    CU_ASSERT_EQUAL(result.defer_us, 5000000);
    plugins_config_finish(&bound);
    plugins_config_init(&bound, "version: 1\n"
                                "filters:\n"
                                "  it: { plugin: good, thread: misnamed }\n"
                                "pipelines:\n"
                                "  default: { filters: [it] }\n");
    run_bound(&bound, report, &plain, &result);
    CU_ASSERT_EQUAL(result.status, STEP_BROKEN);
    CU_ASSERT_STRING_EQUAL(result.error, "filter \"it\" named an earlier report by what is no id.");
    CU_ASSERT_STRING_EQUAL(result.instead_of, "");
    report_destroy(report);
    plugins_config_finish(&bound);
}

static void check_writer(const char *settings, enum step_status status, const char *error,
                         off_t bytes)
{
    struct plugins_config bound;
    struct step_result result;
    struct step_request request = plain;
    struct report *report = report_create();
    struct stat file;
    char yaml[512], path[] = "/tmp/cairn-test-XXXXXX";

    snprintf(yaml, sizeof(yaml),
             "version: 1\nwriters:\n  it: { %s }\npipelines:\n  default: { writers: [it] }\n",
             settings);
    plugins_config_init(&bound, yaml);
    request.out_fd = mkstemp(path);
    run_bound(&bound, report, &request, &result);
    CU_ASSERT_EQUAL(result.status, status);
    CU_ASSERT_STRING_EQUAL(result.error, error);
    CU_ASSERT_EQUAL(fstat(request.out_fd, &file), 0);
    CU_ASSERT_EQUAL(file.st_size, bytes);
    close(request.out_fd);
    unlink(path);
    step_result_finish(&result);
    report_destroy(report);
    plugins_config_finish(&bound);
}

static void test_writer(void)
{
    check_writer("plugin: good", STEP_OK, "", 21);
    check_writer("plugin: older, text: from another time", STEP_OK, "", 17);
    check_writer("plugin: good, lines: 1000, output_limit: 1KiB", STEP_OVERFLOW,
                 "writer \"it\" wrote more than its output limit of 1024 bytes.", 1024);
}

static void test_hook(void)
{
    struct plugins_config bound;
    struct step_result result;
    struct step_request request = plain;
    struct report *report = report_create();
    static const char sha256[65] =
        "0000000000000000000000000000000000000000000000000000000000000000";

    CU_ASSERT_EQUAL(report_add_artifact(report, "a.txt", "text/plain", 1, sha256), 0);
    request.folder = "/some/folder";
    plugins_config_init(&bound, "version: 1\n"
                                "hooks:\n"
                                "  it: { plugin: good }\n"
                                "pipelines:\n"
                                "  default: { hooks: [it] }\n");
    run_bound(&bound, report, &request, &result);
    CU_ASSERT_EQUAL(result.status, STEP_OK);
    CU_ASSERT_STRING_EQUAL(attribute(&result, "hook.folder")->value.string, "/some/folder");
    CU_ASSERT_STRING_EQUAL(attribute(&result, "hook.artifact")->value.string, "/some/folder/a.txt");
    step_result_finish(&result);
    plugins_config_finish(&bound);
    plugins_config_init(&bound, "version: 1\n"
                                "hooks:\n"
                                "  it: { plugin: newer, first: true }\n"
                                "pipelines:\n"
                                "  default: { hooks: [it] }\n");
    run_bound(&bound, report, &request, &result);
    CU_ASSERT_EQUAL(result.status, STEP_OK);
    CU_ASSERT_EQUAL(attribute(&result, "newer.first")->value.boolean, 1);
    CU_ASSERT_EQUAL(attribute(&result, "newer.second")->value.boolean, 1);
    step_result_finish(&result);
    report_destroy(report);
    plugins_config_finish(&bound);
}

static void test_transport(void)
{
    struct plugins_config bound;
    struct step_result result;
    struct step_request request = plain;
    struct report *report = report_create();

    request.folder = "/some/folder";
    request.attempt = 1;
    plugins_config_init(&bound, "version: 1\n"
                                "transports:\n"
                                "  it: { plugin: good, failures: 1 }\n"
                                "pipelines:\n"
                                "  default: { transports: [it] }\n");
    run_bound(&bound, report, &request, &result);
    CU_ASSERT_EQUAL(result.status, STEP_OK);
    CU_ASSERT_EQUAL(result.outcome, CAIRN_RETRY);
    CU_ASSERT_EQUAL(result.response_code, 503);
    CU_ASSERT_EQUAL(result.retry_after_us, 1500000);
    CU_ASSERT_STRING_EQUAL(result.error, "The server is busy.");
    request.attempt = 2;
    run_bound(&bound, report, &request, &result);
    CU_ASSERT_EQUAL(result.outcome, CAIRN_DELIVERED);
    CU_ASSERT_EQUAL(result.response_code, 200);
    CU_ASSERT_STRING_EQUAL(result.server_id, "attempt-2");
    plugins_config_finish(&bound);
    plugins_config_init(&bound, "version: 1\n"
                                "transports:\n"
                                "  it: { plugin: good, reject: true }\n"
                                "pipelines:\n"
                                "  default: { transports: [it] }\n");
    run_bound(&bound, report, &request, &result);
    CU_ASSERT_EQUAL(result.outcome, CAIRN_REJECTED);
    CU_ASSERT_STRING_EQUAL(result.error, "transport \"it\" did not deliver the report and does not "
                                         "say why.");
    report_destroy(report);
    plugins_config_finish(&bound);
}

static void check_check(const char *text, enum step_status status, const char *problem)
{
    struct plugins_config bound;
    struct config_problems problems;
    struct step_result result;
    struct step_request request = plain;
    struct report *report = report_create();
    struct buf printed;
    char yaml[512];

    snprintf(yaml, sizeof(yaml),
             "version: 1\nannotators:\n  it: { plugin: good, text: %s }\n"
             "pipelines:\n  default: { annotators: [it] }\n",
             text);
    plugins_config_init(&bound, yaml);
    config_problems_init(&problems);
    buf_init(&printed, 4096);
    request.check_only = true;
    request.problems = &problems;
    run_bound(&bound, report, &request, &result);
    CU_ASSERT_EQUAL(result.status, status);
    CU_ASSERT_EQUAL(result.attribute_count, 0);
    config_problems_print(&problems, NULL, &printed);
    CU_ASSERT_STRING_EQUAL(printed.data != NULL ? printed.data : "", problem);
    buf_finish(&printed);
    config_problems_finish(&problems);
    step_result_finish(&result);
    report_destroy(report);
    plugins_config_finish(&bound);
}

static void test_check(void)
{
    check_check("fine", STEP_OK, "");
    check_check("refused", STEP_FAILED,
                "test.yaml:3:29: annotators.it.text: \"refused\" is not wanted here\n");
}

int main(void)
{
    static const struct tap_test tests[] = {
        { "takes attributes and notes", test_annotator },
        { "takes a filter's answer", test_filter },
        { "takes what a filter puts in another's place", test_filter_replaces },
        { "lets a writer write, within its limit", test_writer },
        { "lets a hook look and annotate", test_hook },
        { "takes a transport's outcome", test_transport },
        { "lets a plugin check its options", test_check },
        { NULL, NULL },
    };

    return tap_run("step_kinds", tests);
}
