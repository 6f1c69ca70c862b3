/* SPDX-License-Identifier: Apache-2.0 */
/* `cairn show`: one report, for people or as JSON. */
#include "tools/options.h"

#include "core/util/fs.h"
#include "tools/show_sent.h"
#include "tools/show_text.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* --wait: as long as the clocks of a crash allow, and the pause between two looks. */
#define WAIT_LOOKS    600
#define WAIT_PAUSE_NS (50 * 1000 * 1000)

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
        return tool_fail(tool, error_exit_code(result), "%s: %s", entry->path, error.text);
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

static bool is_being_made(const char *spool, const char *application)
{
    struct spool_list list;
    struct error error;
    bool found = false;

    if (spool_scan(spool, application, &list, &error) != 0) {
        return false;
    }
    for (size_t i = 0; i < list.count; i++) {
        found = found || list.entries[i].state == SPOOL_INCOMING;
    }
    spool_list_finish(&list);
    return found;
}

/* As spool_find(); with --wait once no report is being made, and this one is there. */
static int find(const char *spool, const struct tool_options *options, const char *id,
                struct spool_entry *ret_entry, struct error *error)
{
    const struct timespec pause = { .tv_nsec = WAIT_PAUSE_NS };
    int result = CAIRN_ENOENT;

    for (int looks = options->wait ? WAIT_LOOKS : 1; looks > 0; looks--) {
        if (looks == 1 || !is_being_made(spool, options->application)) {
            result = spool_find(spool, options->application, id, ret_entry, error);
            if (result != CAIRN_ENOENT || looks == 1) {
                break;
            }
        }
        nanosleep(&pause, NULL);
    }
    return result;
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
    result = find(spool, options, id, &entry, &error);
    if (result != 0) {
        return tool_fail(tool, error_exit_code(result), "%s", error.text);
    }
    code =
        options->as_sent != NULL ? show_sent(tool, options, &entry) : print(tool, options, &entry);
    spool_entry_finish(&entry);
    return code;
}

static int run(const struct tool *tool, int argc, char **argv)
{
    struct tool_options options;
    int code = tool_parse(tool, "jscaAOw", argc, argv, &options);

    if (code != TOOL_GO_ON) {
        return code;
    }
    if (argc - optind != 1) {
        return tool_usage(tool, "Exactly one report must be named, by its id or \"latest\".");
    }
    if (options.output != NULL && options.as_sent == NULL) {
        return tool_usage(tool, "--output goes with --as-sent.");
    }
    return show(tool, &options, argv[optind]);
}

const struct tool tool_show = {
    .name = "show",
    .synopsis = "[--json] [--wait] [--spool DIR | -c FILE] [--application NAME]\n"
                "                  [--as-sent TRANSPORT [--output DIR]] ID|latest",
    .summary = "show one report",
    .help =
        "ID may be shortened as long as it is unique.\n\n"
        "      --json             report.json as it is\n"
        "      --wait             first waits for reports that are being made, and until there is\n"
        "                         one, half a minute at most\n"
        "      --spool DIR        the spool; default: the configuration's\n"
        "  -c, --config FILE      the configuration that names the spool; default: the installed\n"
        "      --application NAME only reports of this application\n"
        "      --as-sent TRANSPORT\n"
        "                         what this transport of the report's configuration, or of FILE,\n"
        "                         would send: address, headers, fields, files; nothing is sent, "
        "and\n"
        "                         what may be secret is hidden\n"
        "      --output DIR       also make this folder of it: request.json, a file per part\n\n"
        "Exit status: 0 shown, 66 there is no such report or transport, 65 it cannot be "
        "understood\n"
        "or nothing would be sent, 69 this transport cannot show what it sends, 73 the folder "
        "cannot\n"
        "be made, 78 the configuration has problems.\n",
    .run = run,
};
