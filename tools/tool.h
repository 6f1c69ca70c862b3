/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `cairn` command: one file per subcommand, each a struct tool in the table of cairn.c. Exit
 * codes are those of doc/architecture.md (sysexits.h), of env(1) besides for `cairn run`.
 */
#ifndef CAIRN_TOOLS_TOOL_H
#define CAIRN_TOOLS_TOOL_H

#include "core/report/spool.h"
#include "core/util/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sysexits.h>

struct tool {
    const char *name;
    const char *synopsis; /* what follows the name in "usage: cairn NAME …" */
    const char *summary;  /* one line for `cairn --help` */
    const char *help;     /* paragraphs and options for `cairn NAME --help` */
    int (*run)(const struct tool *tool, int argc, char **argv);
};

extern const struct tool tool_run, tool_check, tool_config, tool_list, tool_show, tool_send,
    tool_consent, tool_dump, tool_process, tool_plugin, tool_doctor;

#define EXIT_CONFIG_PROBLEMS EX_CONFIG

/* Prints the tool's help on standard output; 0. */
int tool_help(const struct tool *tool);

/* One sentence and the usage line on standard error; EX_USAGE. */
int tool_usage(const struct tool *tool, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same of what getopt_long() answered, '?' or ':'. */
int tool_bad_option(const struct tool *tool, int option, char *const *argv);

/* "cairn NAME: sentence" on standard error; returns `code`. */
int tool_fail(const struct tool *tool, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* An attribute's value as a line on standard output. */
void tool_print_value(const struct cairn_value *value);

/* A text in quotes as JSON has it, controls escaped, what is no UTF-8 replaced; NULL as null. */
void tool_print_json(const char *text);
void tool_write_json(FILE *out, const char *text, size_t bytes);

/* Replaces the process by <libexec>/<program>; returns only on failure, with an exit code. */
int tool_exec(const struct tool *tool, const char *program, char **argv);

/* Where reports lie: `spool` if given, else the configuration's (`config` or the installed
 * default). Static storage. NULL after a sentence on standard error; *ret_code then is the exit
 * code. */
const char *tool_spool(const struct tool *tool, const char *spool, const char *config,
                       int *ret_code);

#endif
