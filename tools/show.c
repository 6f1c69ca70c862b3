/* SPDX-License-Identifier: Apache-2.0 */
/* `cairn show`: one report, for people or as JSON. */
#include "tools/options.h"

#include "core/util/fs.h"
#include "tools/show_text.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int print(const struct tool *tool, const struct tool_options *options,
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
    if (options->json) {
        char *json = report_to_json(report);

        puts(json != NULL ? json : "null");
        free(json);
    } else {
        show_text(report, entry);
    }
    report_destroy(report);
    return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

static int show(const struct tool *tool, const struct tool_options *options, const char *id)
{
    struct spool_entry entry;
    struct error error;
    int code = EX_OK, result;
    const char *spool = tool_spool(tool, options->spool, options->config, &code);

    if (spool == NULL) {
        return code;
    }
    result = spool_find(spool, options->application, id, &entry, &error);
    if (result != 0) {
        return tool_fail(tool, tool_exit_code(result), "%s", error.text);
    }
    code = print(tool, options, &entry);
    spool_entry_finish(&entry);
    return code;
}

static int run(const struct tool *tool, int argc, char **argv)
{
    struct tool_options options;
    int code = tool_parse(tool, "jsca", argc, argv, &options);

    if (code != TOOL_GO_ON) {
        return code;
    }
    if (argc - optind != 1) {
        return tool_usage(tool, "Exactly one report must be named, by its id or \"latest\".");
    }
    return show(tool, &options, argv[optind]);
}

const struct tool tool_show = {
    .name = "show",
    .synopsis = "[--json] [--spool DIR | -c FILE] [--application NAME] ID|latest",
    .summary = "show one report",
    .help =
        "ID may be shortened as long as it is unique.\n\n"
        "      --json             report.json as it is\n"
        "      --spool DIR        the spool; default: the configuration's\n"
        "  -c, --config FILE      the configuration that names the spool; default: the installed\n"
        "      --application NAME only reports of this application\n\n"
        "Exit status: 0 shown, 66 there is no such report, 65 it cannot be understood.\n",
    .run = run,
};
