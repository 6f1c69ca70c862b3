/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_config FILE: loads a configuration, binds it against the tables of config_tables.c, prints
 * its problems and the exit code that Cairn's programs would have. check_config --layers [FILE]
 * does the same with all layers and prints, too, what came of them; check_config --text with a text
 * that comes from no file, but by standard input. For the golden tests.
 */
#include "tests/engine/check_config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int load(const char *file, bool layers, struct config **ret_config,
                struct config_problems *problems)
{
    struct config_request request = { .path = file, .fd = -1 };

    if (layers) {
        return config_load_layers(&request, ret_config, problems);
    }
    return strcmp(file, "--text") == 0
               ? config_load(NULL, STDIN_FILENO, "text", ret_config, problems)
               : config_load(file, -1, file, ret_config, problems);
}

static void check(const char *file, bool layers, struct buf *text)
{
    struct config_problems problems;
    struct config *config = NULL;
    bool good;

    config_problems_init(&problems);
    good = load(file, layers, &config, &problems) == 0;
    if (config != NULL) { /* there may be one with problems, too */
        good = config_bind(config, test_find_plugin, NULL, &problems) == 0 && good;
    }
    config_print_problems(config, &problems, text);
    buf_printf(text, "exit %d\n", good ? 0 : 78);
    if (layers && good) {
        config_show(config, true, text);
    }
    config_problems_finish(&problems);
    config_destroy(config);
}

int main(int argc, char **argv)
{
    bool layers = argc > 1 && strcmp(argv[1], "--layers") == 0;
    const char *file = argv[layers ? 2 : 1];
    struct buf text;

    if (file == NULL && !layers) {
        fprintf(stderr, "usage: check_config [--layers] FILE | --text\n");
        return 64;
    }
    buf_init(&text, 1 << 20);
    check(file, layers, &text);
    fputs(text.failed == 0 ? text.data : "check_config: there is not enough memory to print it\n",
          stdout);
    buf_finish(&text);
    return 0;
}
