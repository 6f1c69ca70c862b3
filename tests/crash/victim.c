/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that embeds Cairn and then crashes in the way that its first argument names:
 *
 *     victim KIND [CONFIG]
 *
 * It prints what its callbacks and handlers saw, one line each, with write(2). Exit status: by the
 * crash; 0 for kinds that survive; 2 when Cairn does not start; 64 for a kind it does not know.
 */
#include "tests/crash/victim.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int victim_user;

void victim_say(const char *text)
{
    ssize_t ignored = write(STDOUT_FILENO, text, strlen(text));

    (void)ignored;
}

static const struct victim_kind *find_kind(const char *name)
{
    static const struct victim_kind *const themes[] = { victim_faults, victim_handlers,
                                                        victim_callbacks, victim_calls };

    for (size_t i = 0; i < sizeof(themes) / sizeof(themes[0]); i++) {
        for (const struct victim_kind *kind = themes[i]; kind->name != NULL; kind++) {
            if (strcmp(kind->name, name) == 0) {
                return kind;
            }
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    const struct victim_kind *kind = find_kind(argc > 1 ? argv[1] : "");
    char error[4096] = "";
    int result;

    if (kind == NULL) {
        fprintf(stderr, "usage: victim KIND [CONFIG]\n");
        return 64;
    }
    if (kind->before != NULL) {
        kind->before();
    }
    options.flags = kind->flags;
    options.config_file = argc > 2 ? argv[2] : NULL;
    options.filter = kind->filter;
    options.post_dump = kind->post_dump;
    options.user = &victim_user;
    result = cairn_start(&options, NULL, error, sizeof(error));
    if (result != 0) {
        fprintf(stderr, "%s: %s\n", cairn_strerror(result), error);
        return 2;
    }
    kind->run();
    return 0;
}
