/* SPDX-License-Identifier: Apache-2.0 */
/* `cairn process`: takes any reporter's minidump through the pipeline, with the engine itself. */
#include "tools/options.h"

#include "core/util/paths.h"

#include <getopt.h>
#include <stddef.h>

static int run(const struct tool *tool, int argc, char **argv)
{
    char *arguments[9] = { "cairn-engine", "import", "--wait", "--config", (char *)paths_config() };
    struct tool_options options;
    size_t count = 5;
    int code = tool_parse(tool, "ca", argc, argv, &options);

    if (code != TOOL_GO_ON) {
        return code;
    }
    if (argc - optind != 1) {
        return tool_usage(tool, "Exactly one minidump must be named.");
    }
    if (options.config != NULL) {
        arguments[4] = (char *)options.config;
    }
    if (options.application != NULL) {
        arguments[count++] = "--application";
        arguments[count++] = (char *)options.application;
    }
    arguments[count] = argv[optind];
    return tool_exec(tool, "cairn-engine", arguments);
}

const struct tool tool_process = {
    .name = "process",
    .synopsis = "[-c FILE] [--application NAME] FILE.dmp",
    .summary = "take a minidump of any reporter through the pipeline",
    .help =
        "  -c, --config FILE      the configuration; default: the installed one\n"
        "      --application NAME overrides application.name\n\n"
        "Prints the report's id and waits for its delivery. FILE.dmp is left as it is.\n"
        "Exit status: 0 done, 65 the file is no minidump, 66 it cannot be read, 75 delivery still\n"
        "waits, 78 the configuration has problems.\n",
    .run = run,
};
