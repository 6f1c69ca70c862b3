/* SPDX-License-Identifier: Apache-2.0 */
/* `cairn check`: all problems of a configuration at once, found by the engine itself. */
#include "tools/tool.h"

#include "core/util/paths.h"

#include <getopt.h>
#include <stddef.h>

static int run(const struct tool *tool, int argc, char **argv)
{
    static const struct option options[] = { { "help", no_argument, NULL, 'h' },
                                             { NULL, 0, NULL, 0 } };
    char *arguments[] = { "cairn-engine", "check", "--config", NULL, NULL };
    int option;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'h') {
            return tool_help(tool);
        }
        return tool_usage(tool, "That is not an option of this command.");
    }
    if (argc - optind > 1) {
        return tool_usage(tool, "Only one file can be checked at a time.");
    }
    arguments[3] = optind < argc ? argv[optind] : (char *)paths_config();
    return tool_exec(tool, "cairn-engine", arguments);
}

const struct tool tool_check = {
    .name = "check",
    .synopsis = "[FILE]",
    .summary = "check a configuration and say all that is wrong with it",
    .help =
        "Without FILE, the installed configuration is checked. Reads the plugins' option tables,\n"
        "runs their own checks, and sees whether the spool can be written. Sends nothing.\n\n"
        "Exit status: 0 no problems, 78 problems (printed as file:line:column).\n",
    .run = run,
};
