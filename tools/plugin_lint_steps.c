/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps of `cairn plugin lint`: options become a configuration with one instance, a report is made
 * up, and the plugin's instances are rehearsed. Runs in a user's shell; the plugin's code in steps.
 */
#include "tools/plugin_lint.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/util/fs.h"
#include "core/util/time.h"

#define TEXT_LIMIT (512u * 1024)

/* ---- A configuration ---- */

static const struct config_plugin_facts *find(const struct config_instance *instance,
                                              struct config_problems *problems, void *user)
{
    const struct lint *lint = user;

    (void)instance;
    (void)problems;
    return &lint->facts->config;
}

static int text_fd(const char *text)
{
    int fd = memfd_create("lint.yaml", MFD_CLOEXEC);

    if (fd >= 0 && (fs_write_all(fd, text, strlen(text)) != 0 || lseek(fd, 0, SEEK_SET) != 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

bool lint_setup_init(const struct lint *lint, const char *text, struct lint_setup *ret_setup)
{
    const char *section = config_section(lint->facts->kind);
    struct lint_setup setup = { .config = NULL };
    struct buf yaml;
    int fd = -1;

    buf_init(&yaml, TEXT_LIMIT);
    buf_printf(&yaml,
               "version: 1\n%s:\n  lint: { plugin: %s, timeout: 2s%s%s }\n"
               "pipelines: { default: { %s: [lint] } }\n",
               section, lint->facts->name, text[0] != '\0' ? ", " : "", text, section);
    if (yaml.failed == 0) {
        fd = text_fd(yaml.data);
    }
    buf_finish(&yaml);
    if (fd < 0) {
        return false;
    }
    config_problems_init(&setup.problems);
    if (config_load(NULL, fd, "lint.yaml", &setup.config, &setup.problems) == 0 &&
        config_bind(setup.config, find, (void *)lint, &setup.problems) == 0) {
        setup.accepted = setup.problems.errors == 0 && setup.config->instance_count == 1;
    }
    close(fd);
    *ret_setup = setup;
    return true;
}

void lint_setup_finish(struct lint_setup *setup)
{
    config_destroy(setup->config);
    config_problems_finish(&setup->problems);
}

const char *lint_setup_problem(const struct lint_setup *setup)
{
    for (size_t i = 0; i < setup->problems.count; i++) {
        if (!setup->problems.items[i].warning) {
            return setup->problems.items[i].text;
        }
    }
    return "";
}

/* ---- A report that was made up ---- */

static struct report *make_report(void)
{
    struct report *report = report_create();
    struct report_frame frame = { .address = 0x401234,
                                  .module_offset = 0x1234,
                                  .module = (char *)"lint",
                                  .symbol = (char *)"main",
                                  .trust = "context" };

    if (report == NULL) {
        return NULL;
    }
    snprintf(report->id, sizeof(report->id), "00000000-0000-7000-8000-000000000000");
    report->kind = "crash";
    report->time_ns = time_wall_ns();
    report->signal = SIGSEGV;
    report->si_code = 1;
    report->has_address = true;
    report->pid = report->tid = 100;
    if (report_text(&report->application, "lint") != 0 ||
        report_text(&report->version, "1.0") != 0 ||
        report_text(&report->executable, "/usr/bin/lint") != 0 ||
        report_text(&report->thread, "main") != 0 || report_add_frame(report, &frame) != 0) {
        report_destroy(report);
        return NULL;
    }
    return report;
}

/* ---- Steps ---- */

enum step_status lint_step(const struct lint *lint, const struct lint_setup *setup,
                           struct step_request *request, struct step_result *ret_result)
{
    struct report *report = make_report();
    enum step_status status;

    request->instance = &setup->config->instances[0];
    request->facts = lint->facts;
    request->plugin_fd = lint->fd;
    request->report = report;
    request->dump_fd = -1;
    status = step_run(request, ret_result);
    report_destroy(report);
    return status;
}

bool lint_is_orderly(enum step_status status)
{
    return status == STEP_OK || status == STEP_UNSUPPORTED || status == STEP_FAILED;
}

/* ---- Behaviour ---- */

static void rehearse(struct lint *lint, const struct lint_setup *setup,
                     enum step_rehearsal rehearsal, const char *what)
{
    struct step_request request = { .out_fd = -1, .rehearsal = rehearsal };
    struct step_result result;
    enum step_status status = lint_step(lint, setup, &request, &result);

    lint_result(lint, status == STEP_OK, result.error, "%s", what);
    step_result_finish(&result);
}

/* Some languages abort when there is no memory; to follow a null pointer is no answer. */
static void rehearse_no_memory(struct lint *lint, const struct lint_setup *setup)
{
    struct step_request request = { .out_fd = -1, .rehearsal = STEP_NO_MEMORY };
    struct step_result result;
    enum step_status status = lint_step(lint, setup, &request, &result);

    lint_result(lint, lint_is_orderly(status) || strstr(result.error, "SIGABRT") != NULL,
                result.error, "an instance without memory fails orderly");
    step_result_finish(&result);
}

static bool can_live(const struct lint *lint, const struct lint_setup *setup, char reason[512])
{
    struct step_request request = { .out_fd = -1, .rehearsal = STEP_LIFE };
    struct step_result result;
    enum step_status status = lint_step(lint, setup, &request, &result);

    snprintf(reason, 512, "%s", result.error);
    step_result_finish(&result);
    return status == STEP_OK;
}

/* Hooks and transports act on the world: their call is not made. */
static void lint_call(struct lint *lint, const struct lint_setup *setup)
{
    static const char what[] = "its call ends orderly and in time with a made-up report";
    struct step_request request = { .out_fd = -1 };
    struct step_result result;
    enum step_status status;

    if (lint->facts->kind == CAIRN_KIND_HOOK || lint->facts->kind == CAIRN_KIND_TRANSPORT) {
        lint_skip(lint, "it acts on the world; try it with \"cairn plugin run\"", what);
        return;
    }
    if (lint->facts->kind == CAIRN_KIND_WRITER) {
        request.out_fd = memfd_create("lint", MFD_CLOEXEC);
    }
    status = lint_step(lint, setup, &request, &result);
    lint_result(lint, lint_is_orderly(status), result.error, "%s", what);
    step_result_finish(&result);
    if (request.out_fd >= 0) {
        close(request.out_fd);
    }
}

static void lint_instances(struct lint *lint, const struct lint_setup *setup)
{
    char reason[512];

    if (!setup->accepted && lint->options != NULL) {
        lint_result(lint, false, lint_setup_problem(setup), "the options of --options are good");
        return;
    }
    if (!setup->accepted) {
        lint_skip(lint, "no options to try it with; give some by --options",
                  "instances can be made");
        return;
    }
    if (!can_live(lint, setup, reason)) {
        lint_result(lint, lint->options == NULL, reason, "an instance can be made%s",
                    lint->options == NULL
                        ? " # SKIP not with made-up options; give others by --options"
                        : "");
        return;
    }
    rehearse(lint, setup, STEP_SYMBOLS, "all symbols come from the libraries that it links to");
    rehearse(lint, setup, STEP_LEAKS, "instances lose no memory and no descriptors");
    rehearse(lint, setup, STEP_SHARING, "two instances share no state");
    rehearse_no_memory(lint, setup);
    lint_call(lint, setup);
}

void lint_behaviour(struct lint *lint)
{
    struct lint_setup setup;
    struct buf text;

    buf_init(&text, TEXT_LIMIT);
    lint_sample(lint, &text);
    if (text.failed != 0 || !lint_setup_init(lint, text.data != NULL ? text.data : "", &setup)) {
        lint_result(lint, false, "There is not enough memory.", "instances can be made");
    } else {
        lint_instances(lint, &setup);
        lint_setup_finish(&setup);
    }
    buf_finish(&text);
}
