/* SPDX-License-Identifier: Apache-2.0 */
/* `cairn check`: all problems of a configuration at once, found by the engine itself. */
#include "tools/options.h"

#include <getopt.h>
#include <stddef.h>
#include <string.h>

struct request {
    const char *format;
    char *file; /* or NULL */
    bool deny_warnings;
};

static int parse(const struct tool *tool, int argc, char **argv, struct request *ret_request)
{
    static const struct option options[] = { { "format", required_argument, NULL, 'f' },
                                             { "deny-warnings", no_argument, NULL, 'd' },
                                             { "config", required_argument, NULL, 'c' },
                                             { "help", no_argument, NULL, 'h' },
                                             { NULL, 0, NULL, 0 } };
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
        switch (option) {
        case 'f':
            ret_request->format = optarg;
            break;
        case 'c':
            ret_request->file = optarg;
            break;
        case 'd':
            ret_request->deny_warnings = true;
            break;
        case 'h':
            return tool_help(tool);
        default:
            return tool_bad_option(tool, option, argv);
        }
    }
    return TOOL_GO_ON;
}

static int run(const struct tool *tool, int argc, char **argv)
{
    struct request request = { .format = "text" };
    char *arguments[8] = { "cairn-engine", "check" };
    size_t count = 2;
    int code = parse(tool, argc, argv, &request);

    if (code != TOOL_GO_ON) {
        return code;
    }
    if (strcmp(request.format, "text") != 0 && strcmp(request.format, "json") != 0) {
        return tool_usage(tool, "The format is text or json, not \"%s\".", request.format);
    }
    if (argc - optind > (request.file == NULL ? 1 : 0)) {
        return tool_usage(tool, "Only one file can be checked at a time.");
    }
    if (request.deny_warnings) {
        arguments[count++] = "--deny-warnings";
    }
    arguments[count++] = "--format";
    arguments[count++] = (char *)request.format;
    request.file = optind < argc ? argv[optind] : request.file;
    if (request.file != NULL) {
        arguments[count++] = "--config";
        arguments[count] = request.file;
    }
    return tool_exec(tool, "cairn-engine", arguments);
}

const struct tool tool_check = {
    .name = "check",
    .synopsis = "[--format text|json] [--deny-warnings] [[-c] FILE]",
    .summary = "check a configuration and say all that is wrong with it",
    .help =
        "  -c, --config FILE      the same as FILE, as for other commands\n"
        "      --format json      the problems as a JSON object on standard output\n"
        "      --deny-warnings    warnings count as problems\n\n"
        "FILE is a program's configuration; without it the installed one is checked. Layers and\n"
        "policy count as they would for a program. Reads the plugins' option tables, runs their\n"
        "own checks, and sees whether the spool can be written. Sends nothing.\n\n"
        "Exit status: 0 no problems, 78 problems (printed as file:line:column).\n",
    .run = run,
};
