/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `cairn plugin lint`: judges a plugin's file as a stranger would, in TAP: what it exports and
 * links to, every kind of value for its options, and what its instances leave behind. Its code runs
 * in steps only.
 */
#include "tools/plugin_lint.h"

#include "core/plugin/elf.h"
#include "tools/plugin_tools.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- TAP ---- */

void lint_result(struct lint *lint, bool passed, const char *reason, const char *format, ...)
{
    va_list arguments;

    lint->count++;
    lint->failed += !passed;
    printf("%sok %u - ", passed ? "" : "not ", lint->count);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    if (!passed && reason != NULL && reason[0] != '\0') {
        printf("# %s\n", reason);
    }
}

void lint_skip(struct lint *lint, const char *reason, const char *what)
{
    lint->count++;
    printf("ok %u - %s # SKIP %s\n", lint->count, what, reason);
}

/* ---- The file ---- */

/* Exactly one symbol; whatever else is exported could meet another plugin's. */
static void lint_exports(struct lint *lint, const struct elf_image *image)
{
    char reason[256] = "";
    struct elf_symbol symbol;

    for (uint64_t i = 1, end = elf_symbols(image); i < end && elf_symbol_at(image, i, &symbol);
         i++) {
        if (symbol.exported && strcmp(symbol.name, "cairn_plugin_entry") != 0) {
            snprintf(reason, sizeof(reason), "It exports %.128s; compile with -fvisibility=hidden.",
                     symbol.name);
        }
    }
    lint_result(lint, reason[0] == '\0', reason, "nothing but cairn_plugin_entry is exported");
}

static void lint_needed(struct lint *lint, const struct elf_image *image)
{
    char reason[256] = "";
    uint64_t position = 0;
    const char *name;

    while ((name = elf_needed(image, &position)) != NULL) {
        if (strncmp(name, "libcairn", 8) == 0) {
            snprintf(reason, sizeof(reason),
                     "It links to %.64s; all of the host comes through the host table.", name);
        }
    }
    lint_result(lint, reason[0] == '\0', reason, "it does not link to Cairn");
}

static void lint_note(struct lint *lint, const struct elf_image *image)
{
    static const char what[] = "the identity note agrees with the descriptor";
    const unsigned char *note;
    size_t bytes;

    if (elf_note(image, "Cairn", CAIRN_NOTE_TYPE, &note, &bytes)) {
        lint_result(lint, true, NULL, "%s", what); /* else it would not have been described */
    } else {
        lint_skip(lint, "there is none; CAIRN_PLUGIN_NOTE() makes one", what);
    }
}

void lint_file(struct lint *lint)
{
    struct error error = { 0, "" };
    struct elf_image image;

    if (elf_read(lint->fd, lint->facts->path, &image, &error) < 0) {
        lint_result(lint, false, error.text, "the file can be read");
        return;
    }
    lint_result(lint, true, NULL,
                "%s is a plugin: a descriptor, no relocations in code, no executable stack, no "
                "relative RUNPATH",
                lint->facts->name);
    lint_note(lint, &image);
    lint_exports(lint, &image);
    lint_needed(lint, &image);
    lint_result(lint, elf_binds_now(&image), "Link it with -Wl,-z,now.",
                "symbols are bound when it is loaded");
    elf_finish(&image);
    lint_result(lint,
                lint->facts->version != NULL && lint->facts->version[0] != '\0' &&
                    lint->facts->summary != NULL && lint->facts->summary[0] != '\0',
                "The descriptor's version or summary is empty.", "it has a version and a summary");
}

/* ---- The command ---- */

static int open_plugin(const char *path, struct plugin_facts **ret_facts, struct error *error)
{
    char *absolute = realpath(path, NULL);
    int fd, result;

    if (absolute == NULL || (fd = open(absolute, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) < 0) {
        int number = errno;

        free(absolute);
        return error_errno(error, CAIRN_ENOENT, number, "%s cannot be opened", path);
    }
    result = plugin_describe(fd, absolute, ret_facts, error);
    free(absolute);
    if (result < 0) {
        close(fd);
        return result;
    }
    return fd;
}

static int lint_plugin(const struct tool *tool, const char *path, const char *options)
{
    struct lint lint = { .options = options };
    struct plugin_facts *facts = NULL;
    struct error error = { 0, "" };

    lint.fd = open_plugin(path, &facts, &error);
    if (lint.fd == CAIRN_ENOENT) {
        return tool_fail(tool, EX_NOINPUT, "%s", error.text);
    }
    if (lint.fd < 0) {
        lint_result(&lint, false, error.text, "%s is a plugin", path);
    } else {
        lint.facts = facts;
        lint_file(&lint);
        lint_options(&lint);
        lint_behaviour(&lint);
        close(lint.fd);
        plugin_facts_destroy(facts);
    }
    printf("1..%u\n", lint.count);
    return fflush(stdout) != 0 ? EX_IOERR : lint.failed > 0 ? EX_DATAERR : EX_OK;
}

int plugin_lint(const struct tool *tool, int argc, char **argv)
{
    static const struct option known[] = { { "options", required_argument, NULL, 'o' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    const char *options = NULL;
    int option;

    opterr = 0;
    optind = 0; /* another parse than the one that found the subcommand */
    while ((option = getopt_long(argc, argv, ":o:h", known, NULL)) != -1) {
        if (option == 'h') {
            return tool_help(tool);
        }
        if (option != 'o') {
            return tool_bad_option(tool, option, argv);
        }
        options = optarg;
    }
    if (argc - optind != 1) {
        return tool_usage(tool, "Exactly one plugin's file must be named.");
    }
    return lint_plugin(tool, argv[optind], options);
}
