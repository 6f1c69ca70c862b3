/* SPDX-License-Identifier: Apache-2.0 */
/* `cairn list`: the reports in the spool, newest first, as a table or as JSON. */
#include "tools/options.h"

#include "core/util/fs.h"
#include "core/util/text.h"
#include "core/util/time.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The report of an entry, or NULL with an error. */
static struct report *load(const struct spool_entry *entry, struct error *error)
{
    struct report *report = NULL;
    int folder = fs_open_directory(AT_FDCWD, entry->path, error);

    if (folder >= 0) {
        spool_load(folder, &report, error);
        close(folder);
    }
    return report;
}

static void print_row(const struct spool_entry *entry, const struct report *report)
{
    char when[32], signal_name[16] = "-";

    time_format(report->time_ns, when);
    when[10] = ' ';
    if (report->signal != 0) {
        text_signal_name(report->signal, signal_name);
    }
    printf("%s  %.19s  %-10s  %-9s  %-8s  %.16s  %s\n", entry->id, when,
           spool_state_name(entry->state), report->kind, signal_name,
           report->signature != NULL ? report->signature : "-               ", report->application);
}

/* One element of the array; *separator is what stands before it. */
static void print_element(const struct report *report, const char **separator)
{
    char *json = report_to_json(report);

    if (json != NULL) {
        printf("%s%s", *separator, json);
        *separator = ",\n";
    }
    free(json);
}

static size_t count_committed(const struct spool_list *list)
{
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++) {
        count += list->entries[i].state != SPOOL_INCOMING;
    }
    return count;
}

static void print_reports(const struct tool_options *options, const struct spool_list *list,
                          size_t committed)
{
    const char *separator = "";

    if (options->json) {
        fputs("[", stdout);
    } else if (committed > 0) {
        printf("%-36s  %-19s  %-10s  %-9s  %-8s  %-16s  %s\n", "ID", "TIME (UTC)", "STATE", "KIND",
               "SIGNAL", "SIGNATURE", "APPLICATION");
    }
    for (size_t i = 0; i < list->count; i++) {
        struct error error = { 0 };
        struct report *report;

        if (list->entries[i].state == SPOOL_INCOMING) {
            continue; /* not committed: there is no report yet */
        }
        report = load(&list->entries[i], &error);
        if (report == NULL) {
            fprintf(stderr, "cairn list: %s: %s\n", list->entries[i].path, error.text);
            continue;
        }
        if (options->json) {
            print_element(report, &separator);
        } else {
            print_row(&list->entries[i], report);
        }
        report_destroy(report);
    }
    if (options->json) {
        fputs("]\n", stdout);
    }
}

static int list_spool(const struct tool *tool, const struct tool_options *options)
{
    struct spool_list list;
    struct error error;
    size_t committed;
    int code = EX_OK, result;
    const char *spool = tool_spool(tool, options->spool, options->config, &code);

    if (spool == NULL) {
        return code;
    }
    result = spool_scan(spool, options->application, &list, &error);
    if (result != 0) {
        return tool_fail(tool, error_exit_code(result), "%s", error.text);
    }
    committed = count_committed(&list);
    print_reports(options, &list, committed);
    if (!options->json && committed == 0) {
        fprintf(stderr, "There are no reports in %s.\n", spool);
    }
    if (!options->json && committed < list.count) {
        fprintf(stderr, "Reports that are being made: %zu.\n", list.count - committed);
    }
    spool_list_finish(&list);
    return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

static int run(const struct tool *tool, int argc, char **argv)
{
    struct tool_options options;
    int code = tool_parse(tool, "jsca", argc, argv, &options);

    if (code != TOOL_GO_ON) {
        return code;
    }
    if (optind < argc) {
        return tool_usage(tool, "\"%s\" is one argument too many.", argv[optind]);
    }
    return list_spool(tool, &options);
}

const struct tool tool_list = {
    .name = "list",
    .synopsis = "[--json] [--spool DIR | -c FILE] [--application NAME]",
    .summary = "list the reports in the spool, newest first",
    .help =
        "      --json             an array of reports as in report.json\n"
        "      --spool DIR        the spool; default: the configuration's\n"
        "  -c, --config FILE      the configuration that names the spool; default: the installed\n"
        "      --application NAME only reports of this application\n",
    .run = run,
};
