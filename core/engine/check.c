/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cairn-engine check: all problems of a configuration at once; with --plan the plan for a program
 * that starts, and a start for what an earlier run left behind. --plan runs no plugin code.
 * [engine]
 */
#include "core/engine/engine.h"
#include "core/engine/plan.h"
#include "core/util/fs.h"
#include "core/util/log.h"
#include "core/util/text.h"
#include "core/util/time.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define CHECK_TIMEOUT_US 10000000u /* for the check() of all plugins */

/* ---- The plugins' own complaints ---- */

static void check_plugin(struct plugin_setup *setup, size_t index, const struct report *empty,
                         uint64_t deadline_us)
{
    struct config_instance *instance = &setup->config->instances[index];
    struct step_request request = {
        .instance = instance,
        .facts = setup->plugins.facts[index],
        .plugin_fd = setup->plugins.fds[index],
        .report = empty,
        .dump_fd = -1,
        .out_fd = -1,
        .deadline_us = deadline_us,
        .check_only = true,
        .problems = &setup->problems,
    };
    struct step_result result;

    step_run(&request, &result); /* adds its problems by itself */
    step_result_finish(&result);
}

static void check_plugins(struct plugin_setup *setup)
{
    uint64_t deadline_us = time_monotonic_us() + CHECK_TIMEOUT_US;
    struct report *empty = report_create();

    for (size_t i = 0; empty != NULL && i < setup->config->instance_count; i++) {
        check_plugin(setup, i, empty, deadline_us);
    }
    if (empty == NULL) {
        config_problem_add(&setup->problems, (struct config_position){ setup->config->name, 0, 0 },
                           "", "there is not enough memory to check the plugins");
    }
    report_destroy(empty);
}

/* ---- The spool ---- */

static struct config_position spool_position(const struct config *config)
{
    const struct config_node *engine = config_get(config->root, "engine");
    const struct config_node *spool = engine != NULL ? config_get(engine, "spool") : NULL;
    struct config_position position = { config->name, 0, 0 };

    return spool != NULL ? spool->position : position;
}

/* The name under which reports are filed; NULL when nothing tells it. */
static const char *application_of(const struct engine_options *options, const struct config *config)
{
    if (options->application != NULL) {
        return options->application;
    }
    if (config->application != NULL) {
        return config->application;
    }
    return options->executable != NULL ? text_base_name(options->executable) : NULL;
}

/* Makes the application's folder, or the spool itself where there is no name, and sees whether it
 * can be written to. */
static void check_spool(struct plugin_setup *setup, const char *application)
{
    struct config *config = setup->config;
    struct error error = { 0, "" };
    int fd = application != NULL ? spool_open(config->spool, application, &error)
                                 : fs_make_directories(config->spool, &error);
    size_t length;

    if (fd >= 0 &&
        faccessat(fd, application != NULL ? "incoming" : ".", W_OK | X_OK, AT_EACCESS) != 0) {
        error_errno(&error, CAIRN_EPERM, errno, "The folder %s cannot be written to",
                    config->spool);
        close(fd);
        fd = -1;
    }
    if (fd >= 0) {
        close(fd);
        return;
    }
    length = strlen(error.text);
    if (length > 0 && error.text[length - 1] == '.') {
        error.text[length - 1] = '\0';
    }
    config_problem_add(&setup->problems, spool_position(config), "engine.spool", "%s%s", error.text,
                       spool_position(config).line == 0 ? "; this key can name another one" : "");
}

/* ---- What an earlier run left behind ---- */

/* A minidump that waits for an engine, or for one that is frozen. The lock is only tried where
 * there is one: a monitor that has just made its folder must get it. */
static bool is_left(int application_fd, const struct spool_entry *entry, uint64_t pipeline_us)
{
    bool left = false;
    int folder = fs_open_directory(AT_FDCWD, entry->path, NULL), lock = -1;

    if (folder < 0) {
        return false;
    }
    if (faccessat(folder, SPOOL_CAPTURE, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
        faccessat(folder, SPOOL_REPORT, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        lock = spool_lock(application_fd, SPOOL_INCOMING, entry->id, NULL);
        left = lock >= 0 || (lock == CAIRN_EBUSY && engine_is_overdue(folder, pipeline_us));
    }
    close(folder);
    if (lock >= 0) {
        close(lock);
    }
    return left;
}

/* Without the lock, which a sender might want at this moment: report.json is always complete. */
static bool is_due(const struct spool_entry *entry)
{
    int fd = fs_open_directory(AT_FDCWD, entry->path, NULL);
    struct report *report = NULL;
    bool due = false;

    if (fd < 0) {
        return false; /* a sender has moved it */
    }
    if (spool_load(fd, &report, NULL) != 0) {
        due = true; /* the sender sets it aside */
    }
    for (size_t i = 0; report != NULL && i < report->delivery_count; i++) {
        const struct report_delivery *delivery = &report->deliveries[i];

        due = due || (delivery->state == REPORT_PENDING && delivery->next_ns <= time_wall_ns());
    }
    report_destroy(report);
    close(fd);
    return due;
}

static int start_recovery(const struct engine_options *options, const char *folder,
                          struct error *error)
{
    struct engine_arguments arguments = { .count = 0 };

    engine_argument(&arguments, "cairn-engine");
    engine_argument(&arguments, "recover");
    engine_argument(&arguments, "--application-folder");
    engine_argument(&arguments, folder);
    engine_argument_config(&arguments, options);
    return engine_start("cairn-engine", arguments.items, error);
}

struct leftovers {
    bool incoming; /* something to finish */
    bool due;      /* something to deliver */
};

static struct leftovers find_leftovers(int application_fd, const struct config *config,
                                       const char *application)
{
    struct leftovers left = { false, false };
    struct spool_list list = { .count = 0 };

    spool_scan(config->spool, application, &list, NULL);
    for (size_t i = 0; i < list.count; i++) {
        const struct spool_entry *entry = &list.entries[i];

        if (entry->state == SPOOL_INCOMING && !left.incoming) {
            left.incoming = is_left(application_fd, entry, config->pipeline_us);
        } else if (entry->state == SPOOL_PENDING && !left.due) {
            left.due = is_due(entry);
        }
    }
    spool_list_finish(&list);
    left.incoming = left.incoming || engine_has_reserves(application_fd);
    return left;
}

static void start_leftovers(const struct engine_options *options, const struct config *config,
                            const char *application, const char *folder)
{
    int fd = spool_open(config->spool, application, NULL);
    struct leftovers left;
    struct error error;

    if (fd < 0) {
        return;
    }
    left = find_leftovers(fd, config, application);
    close(fd);
    if (left.incoming && start_recovery(options, folder, &error) != 0) {
        log_line(LOG_LEVEL_WARNING, "%s", error.text);
    }
    if (left.due && engine_start_sender(config->spool, application, options, &error) != 0) {
        log_line(LOG_LEVEL_WARNING, "%s", error.text);
    }
}

/* ---- The plan ---- */

/* Looking it up may load modules of libc and ask a server: only where a pipeline wants to know. */
static const char *own_user(const struct config *config)
{
    static char number[16];
    const struct passwd *entry;
    size_t patterns = 0;

    for (size_t i = 0; i < config->pipeline_count; i++) {
        patterns += config->pipelines[i].match.user_count;
    }
    if (patterns == 0) {
        return NULL;
    }
    entry = getpwuid(geteuid());
    if (entry != NULL) {
        return entry->pw_name;
    }
    snprintf(number, sizeof(number), "%u", (unsigned)geteuid());
    return number;
}

static char *folder_of(const struct config *config, const char *application)
{
    char *escaped = text_escape_name(application), *folder = NULL;

    if (escaped != NULL && asprintf(&folder, "%s/%s", config->spool, escaped) < 0) {
        folder = NULL;
    }
    free(escaped);
    return folder;
}

static int print_plan(const struct engine_options *options, const struct config *config,
                      const char *application)
{
    const struct config_pipeline *pipeline =
        config_choose(config, options->executable, own_user(config), application);
    char *folder = folder_of(config, application);
    struct plan_capture capture;
    struct buf text;
    int result;

    if (folder == NULL) {
        return EX_OSERR;
    }
    plan_capture(config, pipeline, &capture);
    buf_init(&text, 64 * 1024);
    plan_print(config, &capture, folder, &text);
    result = text.failed == 0 && fs_write_all(STDOUT_FILENO, text.data, text.bytes) == 0 ? EX_OK
                                                                                         : EX_IOERR;
    buf_finish(&text);
    if (result == EX_OK) {
        close(STDOUT_FILENO); /* whoever reads the plan need not wait for the rest */
        sched_yield();        /* nor for this processor, on which it may have been woken */
        start_leftovers(options, config, application, folder);
    }
    free(folder);
    return result;
}

/* Also mere warnings. EX_OK, or EX_IOERR: the JSON that was asked for could not be written. */
static int print_problems(const struct engine_options *options, const struct plugin_setup *setup)
{
    if (!options->json) {
        plugin_setup_print_problems(setup, STDERR_FILENO);
    } else if (!plugin_setup_print_problems_json(setup, STDOUT_FILENO)) {
        fputs("cairn-engine: The output could not be written.\n", stderr);
        return EX_IOERR;
    }
    return EX_OK;
}

static int check(const struct engine_options *options, struct plugin_setup *setup)
{
    const char *application = application_of(options, setup->config);
    int printed;

    if (options->plan && application == NULL) {
        fputs("cairn-engine: a plan needs --application or --executable.\n", stderr);
        return EX_USAGE;
    }
    check_spool(setup, application);
    if (!options->plan) {
        check_plugins(setup);
    }
    printed = print_problems(options, setup);
    if (setup->problems.errors != 0 ||
        (options->deny_warnings && config_problems_warnings(&setup->problems) != 0)) {
        return EX_CONFIG;
    }
    return options->plan ? print_plan(options, setup->config, application) : printed;
}

int engine_check(const struct engine_options *options)
{
    struct plugin_setup setup;
    int code = EX_CONFIG;

    if (engine_setup_load(&setup, options, -1) != 0) {
        print_problems(options, &setup);
    } else {
        code = check(options, &setup);
    }
    plugin_setup_finish(&setup);
    return code;
}
