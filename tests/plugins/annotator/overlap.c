/* SPDX-License-Identifier: Apache-2.0 */
/* Has two options in one place. In a step's process. */
#define NAME "overlap"
#define QUIET
#define OPTIONS     options
#define CONFIG_SIZE 16
#include <cairn/plugin.h>

static const struct cairn_option options[] = {
    { .name = "one", .type = CAIRN_OPTION_INTEGER, .offset = 8 },
    { .name = "two", .type = CAIRN_OPTION_BOOL, .offset = 12 },
    { .name = NULL },
};

#include "tests/plugins/annotator.h"
