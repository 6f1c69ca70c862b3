/* SPDX-License-Identifier: Apache-2.0 */
/* The options of the subcommands; see options.h. Runs in a user's shell. */
#include "tools/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const struct option all[] = {
    { "config", required_argument, NULL, 'c' },
    { "spool", required_argument, NULL, 's' },
    { "application", required_argument, NULL, 'a' },
    { "app-version", required_argument, NULL, 'v' },
    { "report", required_argument, NULL, 'r' },
    { "json", no_argument, NULL, 'j' },
    { "due", no_argument, NULL, 'd' },
    { "options", no_argument, NULL, 'o' },
    { "man", no_argument, NULL, 'm' },
    { "children", no_argument, NULL, 'k' },
    { "help", no_argument, NULL, 'h' },
};

#define ALL (sizeof(all) / sizeof(all[0]))

static void select_options(const char *accepted, struct option selected[ALL + 1])
{
    size_t count = 0;

    for (size_t i = 0; i < ALL; i++) {
        if (all[i].val == 'h' || strchr(accepted, all[i].val) != NULL) {
            selected[count++] = all[i];
        }
    }
    memset(&selected[count], 0, sizeof(selected[count]));
}

static void take(int option, struct tool_options *options)
{
    switch (option) {
    case 'c':
        options->config = optarg;
        break;
    case 's':
        options->spool = optarg;
        break;
    case 'a':
        options->application = optarg;
        break;
    case 'v':
        options->version = optarg;
        break;
    case 'r':
        options->report = optarg;
        break;
    case 'j':
        options->json = true;
        break;
    case 'd':
        options->due = true;
        break;
    case 'o':
        options->options = true;
        break;
    case 'm':
        options->man = true;
        break;
    case 'k':
        options->children = true;
        break;
    }
}

int tool_parse(const struct tool *tool, const char *accepted, int argc, char **argv,
               struct tool_options *ret_options)
{
    struct option selected[ALL + 1];
    char letters[8]; /* only two options have one of their own */
    int option;

    snprintf(letters, sizeof(letters), "%s%s", accepted[0] == '+' ? "+" : "",
             strchr(accepted, 'c') != NULL ? "c:h" : "h");
    memset(ret_options, 0, sizeof(*ret_options));
    select_options(accepted, selected);
    while ((option = getopt_long(argc, argv, letters, selected, NULL)) != -1) {
        if (option == 'h') {
            return tool_help(tool);
        }
        if (option == '?') {
            return tool_usage(tool, "That is not an option of this command.");
        }
        take(option, ret_options);
    }
    return TOOL_GO_ON;
}
