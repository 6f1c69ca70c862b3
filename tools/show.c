/* SPDX-License-Identifier: Apache-2.0 */
/* `cairn show`: one report, for people or as JSON. */
#include "tools/tool.h"

#include "core/util/fs.h"
#include "tools/show_text.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct request {
    const char *spool, *config, *application, *id;
    bool json;
};

static int print(const struct tool *tool, const struct request *request,
                 const struct spool_entry *entry)
{
    struct report *report = NULL;
    struct error error;
    int folder = fs_open_directory(AT_FDCWD, entry->path, &error);
    int result = folder;

    if (folder >= 0) {
        result = spool_load(folder, &report, &error);
        close(folder);
    }
    if (result != 0) {
        return tool_fail(tool, tool_exit_code(result), "%s: %s", entry->path, error.text);
    }
    if (request->json) {
        char *json = report_to_json(report);

        puts(json != NULL ? json : "null");
        free(json);
    } else {
        show_text(report, entry);
    }
    report_destroy(report);
    return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

static int show(const struct tool *tool, const struct request *request)
{
    struct spool_entry entry;
    struct error error;
    int code = EX_OK, result;
    const char *spool = tool_spool(tool, request->spool, request->config, &code);

    if (spool == NULL) {
        return code;
    }
    result = spool_find(spool, request->application, request->id, &entry, &error);
    if (result != 0) {
        return tool_fail(tool, tool_exit_code(result), "%s", error.text);
    }
    code = print(tool, request, &entry);
    spool_entry_finish(&entry);
    return code;
}

static int run(const struct tool *tool, int argc, char **argv)
{
    static const struct option options[] = { { "json", no_argument, NULL, 'j' },
                                             { "spool", required_argument, NULL, 's' },
                                             { "config", required_argument, NULL, 'c' },
                                             { "application", required_argument, NULL, 'a' },
                                             { "help", no_argument, NULL, 'h' },
                                             { NULL, 0, NULL, 0 } };
    struct request request = { 0 };
    int option;

    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (option) {
        case 'j':
            request.json = true;
            break;
        case 's':
            request.spool = optarg;
            break;
        case 'c':
            request.config = optarg;
            break;
        case 'a':
            request.application = optarg;
            break;
        case 'h':
            return tool_help(tool);
        default:
            return tool_usage(tool, "That is not an option of this command.");
        }
    }
    if (argc - optind != 1) {
        return tool_usage(tool, "Exactly one report must be named, by its id or \"latest\".");
    }
    request.id = argv[optind];
    return show(tool, &request);
}

const struct tool tool_show = {
    .name = "show",
    .synopsis = "[--json] [--spool DIR | -c FILE] [--application NAME] ID|latest",
    .summary = "show one report",
    .help = "ID may be shortened as long as it is unique.\n\n"
            "      --json             report.json as it is\n"
            "      --spool DIR        the spool; default: the configuration's\n"
            "  -c, --config FILE      the configuration that names the spool; default: the installed\n"
            "      --application NAME only reports of this application\n\n"
            "Exit status: 0 shown, 66 there is no such report, 65 it cannot be understood.\n",
    .run = run,
};
