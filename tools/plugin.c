/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `cairn plugin`: what is installed, read from the files' bytes without running plugin code; and
 * the author's kit, whose parts have files of their own. Runs in a user's shell.
 */
#include "tools/plugin_tools.h"

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

static const struct {
    const char *name;
    int (*run)(const struct tool *tool, int argc, char **argv);
} parts[] = {
    { "lint", plugin_lint },
    { "new", plugin_new },
    { "run", plugin_run },
};

static int run(const struct tool *tool, int argc, char **argv)
{
    static const struct option options[] = { { "options", no_argument, NULL, 'o' },
                                             { "help", no_argument, NULL, 'h' },
                                             { NULL, 0, NULL, 0 } };
    bool with_options = false;
    int option;

    for (size_t i = 0; argc > 1 && i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (strcmp(argv[1], parts[i].name) == 0) {
            return parts[i].run(tool, argc - 1, argv + 1);
        }
    }

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
        return tool_usage(tool, "Say what to do with plugins: list, new, lint or run.");
    }
    return list(tool, with_options);
}

const struct tool tool_plugin = {
    .name = "plugin",
    .synopsis = "list [--options] | new KIND NAME | lint [--options TEXT] FILE |\n"
                "                    run [--report ID] [-c FILE] [--spool DIR] NAME",
    .summary = "list, make, check and try plugins",
    .help =
        "list                     the plugins that configurations can name\n"
        "      --options          also their options, as a configuration may set them\n"
        "new KIND NAME            makes the folder NAME with a plugin to start from: a filter,\n"
        "                         annotator, writer, hook or transport\n"
        "lint FILE                judges a plugin's file, its options, its instances; TAP\n"
        "  -o, --options TEXT     options to try it with, as between YAML's braces\n"
        "run NAME                 runs an instance of the configuration, or a plugin without "
        "options,\n"
        "                         on a report, and prints what it contributes\n"
        "      --report ID        the report; default: the latest\n"
        "  -c, --config FILE      default: what the report was made with\n"
        "      --spool DIR, --application NAME   where the report is looked for\n\n"
        "Looks in the installed plugin folder and in those that CAIRN_PLUGIN_PATH names.\n"
        "Exit status: 0; 65 lint found something; 66 there is no such file, report or plugin; 73 "
        "the\n"
        "folder cannot be made; 78 a plugin or the configuration cannot be used.\n",
    .run = run,
};
