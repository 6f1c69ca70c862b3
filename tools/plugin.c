/* SPDX-License-Identifier: Apache-2.0 */
/* `cairn plugin`: what is installed, read from the files' bytes; no plugin code runs. */
#include "tools/tool.h"

#include "core/plugin/plugin.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static void complain(const char *path, const struct error *error, void *user)
{
    bool *complained = user;

    *complained = true;
    fprintf(stderr, "cairn plugin: %s: %s\n", path, error->text);
}

static void print_row(const struct plugin_facts *facts)
{
    printf("%-10s %-14s %-8s %s\n", config_kind(facts->kind), facts->name, facts->version,
           facts->summary);
    if ((facts->capabilities & CAIRN_CAP_NETWORK) != 0) {
        printf("%-34s uses the network\n", "");
    }
    if ((facts->capabilities & CAIRN_CAP_PROCESSES) != 0) {
        printf("%-34s starts other programs\n", "");
    }
    if ((facts->capabilities & CAIRN_CAP_PERSONAL_DATA) != 0) {
        printf("%-34s can add personal data\n", "");
    }
}

static int list(const struct tool *tool)
{
    struct plugin_list plugins;
    bool complained = false;
    int result = plugin_scan(&plugins, complain, &complained);

    if (result != 0) {
        return tool_fail(tool, tool_exit_code(result), "The plugin folders cannot be read.");
    }
    if (plugins.count > 0) {
        printf("%-10s %-14s %-8s %s\n", "KIND", "NAME", "VERSION", "SUMMARY");
    }
    for (size_t i = 0; i < plugins.count; i++) {
        print_row(plugins.items[i]);
    }
    plugin_list_finish(&plugins);
    return complained ? EX_CONFIG : EX_OK;
}

static int run(const struct tool *tool, int argc, char **argv)
{
    static const struct option options[] = { { "help", no_argument, NULL, 'h' },
                                             { NULL, 0, NULL, 0 } };
    int option;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'h') {
            return tool_help(tool);
        }
        return tool_usage(tool, "That is not an option of this command.");
    }
    if (argc - optind != 1 || strcmp(argv[optind], "list") != 0) {
        return tool_usage(tool, "The only thing to do with plugins is \"list\".");
    }
    return list(tool);
}

const struct tool tool_plugin = {
    .name = "plugin",
    .synopsis = "list",
    .summary = "list the plugins that configurations can name",
    .help = "Looks in the installed plugin folder and in those that CAIRN_PLUGIN_PATH names.\n"
            "Exit status: 0, or 78 when a file there is no plugin that can be used.\n",
    .run = run,
};
