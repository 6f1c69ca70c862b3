/* SPDX-License-Identifier: Apache-2.0 */
/* The `cairn` command: finds the subcommand and hands over. Runs in a user's shell. */
#include "config.h"

#include "tools/tool.h"

#include "core/util/text.h"

#include <stdio.h>
#include <string.h>

static const struct tool *const tools[] = { &tool_run,     &tool_check,  &tool_config,  &tool_list,
                                            &tool_show,    &tool_send,   &tool_consent, &tool_dump,
                                            &tool_process, &tool_plugin, &tool_doctor };

#define TOOL_COUNT (sizeof(tools) / sizeof(tools[0]))

static const struct tool *find(const char *name)
{
    for (size_t i = 0; i < TOOL_COUNT; i++) {
        if (strcmp(tools[i]->name, name) == 0) {
            return tools[i];
        }
    }
    return NULL;
}

static int print_help(FILE *out)
{
    fputs("usage: cairn COMMAND [OPTIONS] [ARGUMENTS]\n"
          "Reports the crashes of native Linux programs.\n\n",
          out);
    for (size_t i = 0; i < TOOL_COUNT; i++) {
        fprintf(out, "  %-9s %s\n", tools[i]->name, tools[i]->summary);
    }
    fputs("\n  cairn COMMAND --help   says more of a command; so does cairn(1)\n"
          "  cairn --version        prints the version\n",
          out);
    return out == stdout ? EX_OK : EX_USAGE;
}

static int unknown(const char *name)
{
    const char *names[TOOL_COUNT + 1] = { NULL };
    const char *nearest;

    for (size_t i = 0; i < TOOL_COUNT; i++) {
        names[i] = tools[i]->name;
    }
    nearest = text_nearest(name, names);
    fprintf(stderr, "cairn: There is no %s \"%s\"", name[0] == '-' ? "option" : "command", name);
    if (nearest != NULL) {
        fprintf(stderr, " (did you mean \"%s\"?)", nearest);
    }
    fputs("; see cairn --help.\n", stderr);
    return EX_USAGE;
}

static bool is_help(const char *argument)
{
    return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

static int dispatch(int argc, char **argv)
{
    const struct tool *tool;

    if (argc < 2) {
        return print_help(stderr);
    }
    if (is_help(argv[1])) {
        return print_help(stdout);
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("cairn " PACKAGE_VERSION);
        return EX_OK;
    }
    if (strcmp(argv[1], "help") == 0) {
        if (argc == 2) {
            return print_help(stdout);
        }
        tool = find(argv[2]);
        return tool != NULL ? tool_help(tool) : unknown(argv[2]);
    }
    tool = find(argv[1]);
    if (tool == NULL) {
        return unknown(argv[1]);
    }
    return tool->run(tool, argc - 1, argv + 1);
}

/* What could not be printed, on a full disk for example, is a failure of every command. */
int main(int argc, char **argv)
{
    int code = dispatch(argc, argv);

    if (fflush(stdout) == 0 && !ferror(stdout)) {
        return code;
    }
    fputs("cairn: The output could not be written.\n", stderr);
    return code == EX_OK ? EX_IOERR : code;
}
