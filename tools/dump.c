/* SPDX-License-Identifier: Apache-2.0 */
/* `cairn dump`: a report of a living process, made by the monitor's own capture. */
#include "tools/options.h"

#include "core/util/paths.h"

#include <getopt.h>
#include <stdlib.h>

static bool is_pid(const char *text)
{
    char *end;
    long pid = strtol(text, &end, 10);

    return *text != '\0' && *end == '\0' && pid > 0 && pid <= 0x7fffffff;
}

static int run(const struct tool *tool, int argc, char **argv)
{
    char *arguments[8] = { "cairn-monitor", "--dump", NULL, "--config", (char *)paths_config() };
    struct tool_options options;
    int code = tool_parse(tool, "ca", argc, argv, &options);

    if (code != TOOL_GO_ON) {
        return code;
    }
    if (argc - optind != 1) {
        return tool_usage(tool, "Exactly one process must be named.");
    }
    if (!is_pid(argv[optind])) {
        return tool_usage(tool, "\"%s\" is not the number of a process.", argv[optind]);
    }
    arguments[2] = argv[optind];
    if (options.config != NULL) {
        arguments[4] = (char *)options.config;
    }
    if (options.application != NULL) {
        arguments[5] = "--application";
        arguments[6] = (char *)options.application;
    }
    return tool_exec(tool, "cairn-monitor", arguments);
}

const struct tool tool_dump = {
    .name = "dump",
    .synopsis = "[-c FILE] [--application NAME] PID",
    .summary = "make a report of a running process, which goes on",
    .help =
        "  -c, --config FILE      the configuration; default: the installed one\n"
        "      --application NAME overrides application.name\n\n"
        "Prints the report's id. Exit status: 0 done, 66 no such process, 77 the process may not\n"
        "be traced, 78 the configuration has problems.\n",
    .run = run,
};
