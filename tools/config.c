/* SPDX-License-Identifier: Apache-2.0 */
/* `cairn config`: the configuration that counts, all layers in one, and the schema for editors. */
#include "tools/tool.h"

#include "core/config/config.h"
#include "core/config/schema.h"
#include "core/plugin/setup.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_OUTPUT (16u * 1024u * 1024u)

static int print(const struct tool *tool, struct buf *text)
{
    int code = text->failed == 0 ? EX_OK : tool_fail(tool, EX_OSERR, "There is not enough memory.");

    fputs(code == EX_OK && text->data != NULL ? text->data : "", stdout);
    buf_finish(text);
    return code;
}

static void add_layers(const struct config *config, struct buf *text)
{
    buf_text(text, "# From the lowest layer to the highest:\n");
    for (size_t i = 0; config_layer(config, i) != NULL; i++) {
        buf_printf(text, "#   %s\n", config_layer(config, i));
    }
}

static int show(const struct tool *tool, const char *path, bool origin)
{
    struct config_request request = { .path = path, .fd = -1 };
    struct plugin_setup setup;
    int code = EX_CONFIG;

    if (plugin_setup_load(&setup, &request) != 0) {
        plugin_setup_print_problems(&setup, STDERR_FILENO);
    } else {
        struct buf text;

        buf_init(&text, MAX_OUTPUT);
        if (origin) {
            add_layers(setup.config, &text);
        }
        config_show(setup.config, origin, &text);
        code = print(tool, &text);
    }
    plugin_setup_finish(&setup);
    return code;
}

/* What --config names, or the only one of `files`, which NULL ends. */
static int show_one(const struct tool *tool, const char *path, char **files, bool origin)
{
    if (files[0] != NULL && (path != NULL || files[1] != NULL)) {
        return tool_usage(tool, "Only one file can be shown at a time.");
    }
    return show(tool, files[0] != NULL ? files[0] : path, origin);
}

/* ---- The schema ---------------------------------------------------------------------------- */

static void complain(const char *path, const struct error *error, void *user)
{
    bool *complained = user;

    *complained = true;
    fprintf(stderr, "cairn config: %s: %s\n", path, error->text);
}

static int schema(const struct tool *tool)
{
    struct config_schema_plugin *described;
    struct plugin_list plugins;
    bool complained = false;
    struct buf text;
    int code;

    if (plugin_scan(&plugins, complain, &complained) != 0) {
        return tool_fail(tool, EX_OSERR, "The plugin folders cannot be read.");
    }
    described = calloc(plugins.count + 1, sizeof(*described));
    for (size_t i = 0; described != NULL && i < plugins.count; i++) {
        described[i] =
            (struct config_schema_plugin){ plugins.items[i]->kind, plugins.items[i]->name,
                                           plugins.items[i]->summary, plugins.items[i]->options };
    }
    buf_init(&text, MAX_OUTPUT);
    if (described != NULL) {
        config_schema(described, plugins.count, &text);
    } else {
        text.failed = CAIRN_ENOMEM;
    }
    code = print(tool, &text);
    free(described);
    plugin_list_finish(&plugins);
    return complained ? EX_CONFIG : code;
}

static int run(const struct tool *tool, int argc, char **argv)
{
    static const struct option options[] = { { "origin", no_argument, NULL, 'o' },
                                             { "schema", no_argument, NULL, 's' },
                                             { "config", required_argument, NULL, 'c' },
                                             { "help", no_argument, NULL, 'h' },
                                             { NULL, 0, NULL, 0 } };
    const char *path = NULL;
    bool origin = false, with_schema = false;
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
        switch (option) {
        case 'o':
            origin = true;
            break;
        case 's':
            with_schema = true;
            break;
        case 'c':
            path = optarg;
            break;
        case 'h':
            return tool_help(tool);
        default:
            return tool_bad_option(tool, option, argv);
        }
    }
    if (with_schema) {
        return origin || path != NULL || optind < argc
                   ? tool_usage(tool, "--schema stands alone: it is of all configurations.")
                   : schema(tool);
    }
    return show_one(tool, path, argv + optind, origin);
}

const struct tool tool_config = {
    .name = "config",
    .synopsis = "[--origin | --schema] [[-c] FILE]",
    .summary = "print the configuration that counts, all layers in one",
    .help =
        "  -c, --config FILE      the same as FILE, as for other commands\n"
        "      --origin           with the file and line that each value comes from\n"
        "      --schema           a JSON Schema of configurations instead, for editors\n\n"
        "FILE is a program's configuration; without it the installed one is printed. Layers and\n"
        "policy count as they would for a program. Values that may be secret are hidden.\n\n"
        "Exit status: 0, or 78 when the configuration has problems, which are printed instead.\n",
    .run = run,
};
