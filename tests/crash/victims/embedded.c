/* SPDX-License-Identifier: Apache-2.0 */
/* The same victim as a program that embeds Cairn; see prepared.c for its threads. */
#include "tests/crash/victims/victim.h"

#include <cairn/cairn.h>
#include <stdio.h>

int start_cairn(const char *config)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    char error[4096] = "";
    int result;

    options.config_file = config;
    result = cairn_start(&options, NULL, error, sizeof(error));
    if (result != 0) {
        fprintf(stderr, "%s: %s\n", cairn_strerror(result), error);
    }
    return result;
}
