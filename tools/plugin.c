/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `cairn plugin`: what is installed, read from the files' bytes without running plugin code; and
 * the author's kit, whose parts have files of their own. Runs in a user's shell.
 */
#include "core/plugin/plugin.h"
#include "core/util/text.h"
#include "tools/options.h"
#include "tools/plugin_doc.h"
#include "tools/plugin_tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void complain(const char *path, const struct error *error, void *user)
{
    bool *complained = user;

    *complained = true;
    fprintf(stderr, "cairn plugin: %s: %s\n", path, error->text);
}

/* The columns' widths; what is said in further lines stands below the summary. */
#define KIND_WIDTH    10
#define VERSION_WIDTH 8

static void print_row(const struct plugin_facts *facts, int width)
{
    const int indent = KIND_WIDTH + 1 + width + 1 + VERSION_WIDTH;

    printf("%-*s %-*s %-*s %s\n", KIND_WIDTH, config_kind(facts->kind), width, facts->name,
           VERSION_WIDTH, facts->version, facts->summary);
    if ((facts->capabilities & CAIRN_CAP_NETWORK) != 0) {
        printf("%*s uses the network\n", indent, "");
    }
    if ((facts->capabilities & CAIRN_CAP_PROCESSES) != 0) {
        printf("%*s starts other programs\n", indent, "");
    }
    if ((facts->capabilities & CAIRN_CAP_PERSONAL_DATA) != 0) {
        printf("%*s can add personal data\n", indent, "");
    }
    if (facts->kind == CAIRN_KIND_ANNOTATOR && (facts->capabilities & CAIRN_CAP_REDACTS) != 0) {
        printf("%*s takes out what must not be kept\n", indent, "");
    }
    if (facts->kind == CAIRN_KIND_TRANSPORT && (facts->capabilities & CAIRN_CAP_PREVIEW) != 0) {
        printf("%*s shows what it would send\n", indent, "");
    }
}

static int width_of_names(const struct plugin_list *plugins)
{
    size_t width = strlen("NAME");

    for (size_t i = 0; i < plugins->count; i++) {
        size_t length = strlen(plugins->items[i]->name);

        width = length > width ? length : width;
    }
    return (int)width;
}

static void print_options(const struct plugin_facts *facts)
{
    for (size_t i = 0; i < facts->option_count; i++) {
        const struct cairn_option *option = &facts->options[i];

        printf("  %s: ", option->name);
        plugin_print_type(option);
        printf("\n      %s\n", option->help != NULL ? option->help : "");
    }
}

static int list(const struct tool *tool, bool options)
{
    struct plugin_list plugins;
    bool complained = false;
    int result = plugin_scan(&plugins, complain, &complained), width;

    if (result != 0) {
        return tool_fail(tool, error_exit_code(result), "The plugin folders cannot be read.");
    }
    width = width_of_names(&plugins);
    if (plugins.count > 0) {
        printf("%-*s %-*s %-*s SUMMARY\n", KIND_WIDTH, "KIND", width, "NAME", VERSION_WIDTH,
               "VERSION");
    }
    for (size_t i = 0; i < plugins.count; i++) {
        print_row(plugins.items[i], width);
        if (options) {
            print_options(plugins.items[i]);
        }
    }
    plugin_list_finish(&plugins);
    return complained ? EX_CONFIG : EX_OK;
}

/* Whether "name" or "kind/name" means that plugin; NULL means all. */
static bool is_meant(const struct plugin_facts *facts, const char *name)
{
    const char *kind = config_kind(facts->kind);
    size_t length = strlen(kind);

    return name == NULL || strcmp(facts->name, name) == 0 ||
           (strncmp(name, kind, length) == 0 && name[length] == '/' &&
            strcmp(name + length + 1, facts->name) == 0);
}

static int print_doc(const struct plugin_list *plugins, const char *name, bool man)
{
    size_t first = 0, count = 0;

    /* The list is sorted by kind: plugins of one name and several kinds are not side by side. */
    for (size_t i = 0; i < plugins->count; i++) {
        if (is_meant(plugins->items[i], name)) {
            first = count == 0 ? i : first;
            if (!man) {
                fputs(count > 0 ? "\n" : "", stdout);
                plugin_print_text(plugins->items[i]);
            }
            count++;
        }
    }
    if (man && count > 0) {
        plugin_print_man(plugins->items + first, name == NULL ? count : 1, name == NULL);
    }
    return count > 0 ? EX_OK : EX_NOINPUT;
}

/* The sentence, with the name of a plugin that may have been meant. */
static int no_such_plugin(const struct tool *tool, const struct plugin_list *plugins,
                          const char *name)
{
    const char **names = calloc(plugins->count + 1, sizeof(*names));
    const char *slash = strchr(name, '/'), *nearest = NULL;
    int code;

    for (size_t i = 0; names != NULL && i < plugins->count; i++) {
        names[i] = plugins->items[i]->name;
    }
    if (names != NULL) {
        nearest = text_nearest(slash != NULL ? slash + 1 : name, names);
    }
    code = tool_fail(tool, EX_NOINPUT, "There is no plugin named \"%s\"%s%s%s.", name,
                     nearest != NULL ? " (did you mean \"" : "", nearest != NULL ? nearest : "",
                     nearest != NULL ? "\"?)" : "");
    free(names);
    return code;
}

static int doc(const struct tool *tool, const char *name, bool man)
{
    struct plugin_list plugins;
    bool complained = false;
    int result = plugin_scan(&plugins, complain, &complained);

    if (result != 0) {
        return tool_fail(tool, error_exit_code(result), "The plugin folders cannot be read.");
    }
    result = print_doc(&plugins, name, man);
    if (result == EX_NOINPUT && name != NULL) {
        result = no_such_plugin(tool, &plugins, name);
    }
    plugin_list_finish(&plugins);
    return result == EX_OK && complained ? EX_CONFIG : result;
}

static const struct {
    const char *name;
    int (*run)(const struct tool *tool, int argc, char **argv);
} parts[] = {
    { "lint", plugin_lint },
    { "new", plugin_new },
    { "run", plugin_run },
};

static int list_or_explain(const struct tool *tool, int argc, char **argv)
{
    struct tool_options options;
    int result = tool_parse(tool, "om", argc, argv, &options);
    int count = argc - optind;
    const char *part = count > 0 ? argv[optind] : NULL;

    if (result != TOOL_GO_ON) {
        return result;
    }
    if (part == NULL) {
        return tool_usage(tool, "Say what to do with plugins: list, doc, new, lint or run.");
    }
    if (strcmp(part, "list") == 0) {
        return count == 1 && !options.man
                   ? list(tool, options.options)
                   : tool_usage(tool, "A list is of all plugins, with or without --options.");
    }
    if (strcmp(part, "doc") == 0) {
        return count <= 2 && !options.options
                   ? doc(tool, argv[optind + 1], options.man)
                   : tool_usage(tool, "One plugin is explained, or all, with or without --man.");
    }
    return tool_usage(tool, "What to do with plugins is list, doc, new, lint or run, not \"%s\".",
                      part);
}

static int run(const struct tool *tool, int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (strcmp(argv[1], parts[i].name) == 0) {
            return parts[i].run(tool, argc - 1, argv + 1);
        }
    }
    return list_or_explain(tool, argc, argv);
}

const struct tool tool_plugin = {
    .name = "plugin",
    .synopsis = "list [--options] | doc [--man] [NAME | KIND/NAME] | new KIND NAME |\n"
                "                    lint [--options TEXT] FILE |\n"
                "                    run [--report ID] [-c FILE] [--spool DIR] NAME",
    .summary = "list, explain, make, check and try plugins",
    .help =
        "list                     the plugins that configurations can name\n"
        "      --options          also their options, as a configuration may set them\n"
        "doc [NAME]               explains one plugin, or all, from its own option table\n"
        "      --man              as a manual page, for mandoc(1) or man(1)\n"
        "new KIND NAME            makes the folder NAME with a plugin to start from: a filter,\n"
        "                         annotator, writer, hook or transport\n"
        "lint FILE                judges a plugin's file, its options, its instances; TAP\n"
        "  -o, --options TEXT     options to try it with, as between YAML's braces\n"
        "run NAME                 runs an instance of the configuration, or a plugin without\n"
        "                         options, NAME or KIND/NAME, on a report, and prints what it\n"
        "                         contributes; a hook acts, and a transport delivers (what it\n"
        "                         would send, \"cairn show\" can tell)\n"
        "      --report ID        the report; default: the latest\n"
        "  -c, --config FILE      default: what the report was made with\n"
        "      --spool DIR, --application NAME   where the report is looked for\n\n"
        "Looks in the installed plugin folder and in those that CAIRN_PLUGIN_PATH names.\n"
        "Exit status: 0; 65 lint found something; 66 there is no such file, report or plugin;\n"
        "69 the transport did not deliver; 73 the folder cannot be made; 77 the user's consent to\n"
        "the network is missing; 78 a plugin or the configuration cannot be used.\n",
    .run = run,
};
