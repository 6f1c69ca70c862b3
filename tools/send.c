/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `cairn send`: delivers what waits in the spool, now, with the sender itself. What crashed
 * programs left for the next Cairn process becomes reports first, with the engine.
 */
#include "tools/options.h"

#include "core/util/paths.h"
#include "core/util/text.h"

#include <dirent.h>
#include <fcntl.h>

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_IDS 256

/* Adds --id and --application for one report named on the command line. 0 or an exit code. */
static int add_report(const struct tool *tool, const struct tool_options *options,
                      const char *spool, const char *name, char **arguments, size_t *count)
{
    struct spool_entry entry;
    struct error error;
    int result = spool_find(spool, options->application, name, &entry, &error);

    if (result != 0) {
        return tool_fail(tool, error_exit_code(result), "%s", error.text);
    }
    if (entry.state != SPOOL_PENDING) {
        result = tool_fail(tool, EX_OK, "The report %s is %s already.", entry.id,
                           spool_state_name(entry.state));
    } else {
        arguments[(*count)++] = "--id";
        arguments[(*count)++] = strdup(entry.id);
    }
    spool_entry_finish(&entry);
    return result;
}

/* In the child: an engine, whose lines about what it does are not the answer. */
static _Noreturn void be_engine(const struct tool_options *options, const char *folder)
{
    char path[PATH_MAX];
    char *arguments[] = { "cairn-engine",
                          "recover",
                          "--application-folder",
                          (char *)folder,
                          options->config != NULL ? "--config" : NULL,
                          (char *)options->config,
                          NULL };
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    snprintf(path, sizeof(path), "%s/cairn-engine", paths_libexec());
    if (null >= 0) {
        dup2(null, STDOUT_FILENO);
    }
    execv(path, arguments);
    _exit(EX_OSERR);
}

static int has_entries(const char *folder)
{
    DIR *stream = opendir(folder);
    const struct dirent *entry;
    int count = 0;

    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        count += entry->d_name[0] != '.';
    }
    if (stream != NULL) {
        closedir(stream);
    }
    return count > 0;
}

static void recover_one(const struct tool_options *options, const char *spool, const char *name)
{
    char folder[PATH_MAX], incoming[PATH_MAX + 16];
    pid_t child;

    if ((size_t)snprintf(folder, sizeof(folder), "%s/%s", spool, name) >= sizeof(folder)) {
        return;
    }
    snprintf(incoming, sizeof(incoming), "%s/incoming", folder);
    if (!has_entries(incoming)) {
        return;
    }
    fflush(stdout);
    child = fork();
    if (child == 0) {
        be_engine(options, folder);
    }
    if (child > 0) {
        waitpid(child, NULL, 0); /* every wait in there has a deadline */
    }
}

static void recover(const struct tool_options *options, const char *spool)
{
    char *wanted = options->application != NULL ? text_escape_name(options->application) : NULL;
    DIR *stream = opendir(spool);
    const struct dirent *entry;

    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        if (entry->d_name[0] != '.' && (wanted == NULL || strcmp(entry->d_name, wanted) == 0)) {
            recover_one(options, spool, entry->d_name);
        }
    }
    if (stream != NULL) {
        closedir(stream);
    }
    free(wanted);
}

static int start(const struct tool *tool, const struct tool_options *options, char **names,
                 size_t name_count)
{
    static char *arguments[16 + 2 * MAX_IDS];
    size_t count = 0, fixed;
    int code = EX_OK;
    const char *spool = tool_spool(tool, options->spool, options->config, &code);

    if (spool == NULL) {
        return code;
    }
    recover(options, spool);
    arguments[count++] = "cairn-sender";
    arguments[count++] = "--progress";
    arguments[count++] = "--spool";
    arguments[count++] = (char *)spool;
    if (!options->due) {
        arguments[count++] = "--now";
    }
    if (options->config != NULL) {
        arguments[count++] = "--config";
        arguments[count++] = (char *)options->config;
    }
    if (options->application != NULL) {
        arguments[count++] = "--application";
        arguments[count++] = (char *)options->application;
    }
    fixed = count;
    for (size_t i = 0; i < name_count; i++) {
        code = add_report(tool, options, spool, names[i], arguments, &count);
        if (code != EX_OK) {
            return code;
        }
    }
    if (name_count > 0 && count == fixed) {
        return EX_OK; /* all that was named is delivered */
    }
    return tool_exec(tool, "cairn-sender", arguments);
}

static int run(const struct tool *tool, int argc, char **argv)
{
    struct tool_options options;
    int code = tool_parse(tool, "scad", argc, argv, &options);

    if (code != TOOL_GO_ON) {
        return code;
    }
    if (argc - optind > MAX_IDS) {
        return tool_usage(tool, "At most %d reports can be named at once.", MAX_IDS);
    }
    return start(tool, &options, argv + optind, (size_t)(argc - optind));
}

const struct tool tool_send = {
    .name = "send",
    .synopsis = "[-c FILE] [--spool DIR] [--application NAME] [--due] [ID|latest]...",
    .summary = "deliver reports that wait in the spool",
    .help =
        "Without an ID, all waiting reports are tried now, whatever their next time.\n\n"
        "  -c, --config FILE      use these transports instead of those the reports were made\n"
        "                         with; also names the spool\n"
        "      --spool DIR        the spool; default: the configuration's\n"
        "      --application NAME only reports of this application\n"
        "      --due              only reports whose next attempt is due\n\n"
        "Exit status: 0 nothing waits any more, 75 something still waits, 78 the configuration\n"
        "has problems.\n",
    .run = run,
};
