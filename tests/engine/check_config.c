/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_config FILE: loads a configuration, binds it against the tables of config_tables.c, prints
 * its problems and the exit code that Cairn's programs would have. For the golden tests.
 */
#include "tests/engine/check_config.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    struct config_problems problems;
    struct config *config = NULL;
    struct buf text;
    int loaded, bound = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: check_config FILE\n");
        return 64;
    }
    config_problems_init(&problems);
    loaded = config_load(argv[1], -1, argv[1], &config, &problems);
    if (config != NULL) {
        bound = config_bind(config, test_find_plugin, NULL, &problems);
    }
    buf_init(&text, 1 << 20);
    config_print_problems(config, &problems, &text);
    printf("%sexit %d\n", text.data != NULL ? text.data : "", loaded != 0 || bound != 0 ? 78 : 0);
    buf_finish(&text);
    config_problems_finish(&problems);
    config_destroy(config);
    return 0;
}
