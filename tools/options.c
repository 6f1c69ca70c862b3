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
    { "wait", no_argument, NULL, 'w' },
    { "machine", no_argument, NULL, 'M' },
    { "send-now", no_argument, NULL, 'S' },
    { "as-sent", required_argument, NULL, 'A' },
    { "output", required_argument, NULL, 'O' },
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
    const struct {
        int letter;
        const char **value;
        bool *flag;
    } targets[] = {
        { 'c', &options->config, NULL },      { 's', &options->spool, NULL },
        { 'a', &options->application, NULL }, { 'v', &options->version, NULL },
        { 'r', &options->report, NULL },      { 'A', &options->as_sent, NULL },
        { 'O', &options->output, NULL },      { 'j', NULL, &options->json },
        { 'd', NULL, &options->due },         { 'o', NULL, &options->options },
        { 'm', NULL, &options->man },         { 'M', NULL, &options->machine },
        { 'S', NULL, &options->send_now },    { 'k', NULL, &options->children },
        { 'w', NULL, &options->wait },
    };

    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        if (targets[i].letter == option && targets[i].value != NULL) {
            *targets[i].value = optarg;
        } else if (targets[i].letter == option) {
            *targets[i].flag = true;
        }
    }
}

int tool_parse(const struct tool *tool, const char *accepted, int argc, char **argv,
               struct tool_options *ret_options)
{
    struct option selected[ALL + 1];
    char letters[8]; /* only two options have one of their own */
    int option;

    snprintf(letters, sizeof(letters), "%s:%s", accepted[0] == '+' ? "+" : "",
             strchr(accepted, 'c') != NULL ? "c:h" : "h");
    opterr = 0;
    memset(ret_options, 0, sizeof(*ret_options));
    select_options(accepted, selected);
    while ((option = getopt_long(argc, argv, letters, selected, NULL)) != -1) {
        if (option == 'h') {
            return tool_help(tool);
        }
        if (option == '?' || option == ':') {
            return tool_bad_option(tool, option, argv);
        }
        take(option, ret_options);
    }
    return TOOL_GO_ON;
}
