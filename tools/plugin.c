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

static void print_options(const struct plugin_facts *facts)
{
    static const char *const types[] = { "",        "text",   "true or false", "number",
                                         "decimal", "size",   "duration",      "one of",
                                         "path",    "secret", "signal",        "URL" };

    for (size_t i = 0; i < facts->option_count; i++) {
        const struct cairn_option *option = &facts->options[i];
        bool known = option->type < sizeof(types) / sizeof(types[0]);

        printf("  %s: %s%s", option->name,
               (option->flags & CAIRN_OPTION_LIST) != 0  ? "list of "
               : (option->flags & CAIRN_OPTION_MAP) != 0 ? "map to "
                                                         : "",
               known ? types[option->type] : "?");
        for (size_t j = 0; option->choices != NULL && option->choices[j] != NULL; j++) {
            printf("%s%s", j == 0 ? " " : " | ", option->choices[j]);
        }
        if ((option->flags & CAIRN_OPTION_REQUIRED) != 0) {
            fputs(", required", stdout);
        } else if (option->default_text != NULL) {
            printf(", default %s", option->default_text);
        }
        printf("\n      %s\n", option->help != NULL ? option->help : "");
    }
}

static int list(const struct tool *tool, bool options)
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
        if (options) {
            print_options(plugins.items[i]);
        }
    }
    plugin_list_finish(&plugins);
    return complained ? EX_CONFIG : EX_OK;
}

static int run(const struct tool *tool, int argc, char **argv)
{
    static const struct option options[] = { { "options", no_argument, NULL, 'o' },
                                             { "help", no_argument, NULL, 'h' },
                                             { NULL, 0, NULL, 0 } };
    bool with_options = false;
    int option;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'h') {
            return tool_help(tool);
        }
        if (option == 'o') {
            with_options = true;
            continue;
        }
        return tool_usage(tool, "That is not an option of this command.");
    }
    if (argc - optind != 1 || strcmp(argv[optind], "list") != 0) {
        return tool_usage(tool, "The only thing to do with plugins is \"list\".");
    }
    return list(tool, with_options);
}

const struct tool tool_plugin = {
    .name = "plugin",
    .synopsis = "list [--options]",
    .summary = "list the plugins that configurations can name",
    .help = "      --options          also their options, as a configuration may set them\n\n"
            "Looks in the installed plugin folder and in those that CAIRN_PLUGIN_PATH names.\n"
            "Exit status: 0, or 78 when a file there is no plugin that can be used.\n",
    .run = run,
};
