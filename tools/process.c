/* SPDX-License-Identifier: Apache-2.0 */
/* `cairn process`: takes any reporter's minidump through the pipeline, with the engine itself. */
#include "tools/tool.h"

#include "core/util/paths.h"

#include <getopt.h>
#include <stddef.h>

static int run(const struct tool *tool, int argc, char **argv)
{
    static const struct option options[] = { { "config", required_argument, NULL, 'c' },
                                             { "application", required_argument, NULL, 'a' },
                                             { "help", no_argument, NULL, 'h' },
                                             { NULL, 0, NULL, 0 } };
    char *arguments[9] = { "cairn-engine", "import", "--wait", "--config",
                           (char *)paths_config() };
    size_t count = 5;
    int option;

    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            arguments[4] = optarg;
            break;
        case 'a':
            arguments[5] = "--application";
            arguments[6] = optarg;
            count = 7;
            break;
        case 'h':
            return tool_help(tool);
        default:
            return tool_usage(tool, "That is not an option of this command.");
        }
    }
    if (argc - optind != 1) {
        return tool_usage(tool, "Exactly one minidump must be named.");
    }
    arguments[count] = argv[optind];
    return tool_exec(tool, "cairn-engine", arguments);
}

const struct tool tool_process = {
    .name = "process",
    .synopsis = "[-c FILE] [--application NAME] FILE.dmp",
    .summary = "take a minidump of any reporter through the pipeline",
    .help = "  -c, --config FILE      the configuration; default: the installed one\n"
            "      --application NAME overrides application.name\n\n"
            "Prints the report's id and waits for its delivery. FILE.dmp is left as it is.\n"
            "Exit status: 0 done, 65 the file is no minidump, 66 it cannot be read, 75 delivery still\n"
            "waits, 78 the configuration has problems.\n",
    .run = run,
};
