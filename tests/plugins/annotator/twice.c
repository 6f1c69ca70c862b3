/* SPDX-License-Identifier: Apache-2.0 */
/* Has two options of one name. In a step's process. */
#define NAME "twice"
#define QUIET
#define OPTIONS     options
#define CONFIG_SIZE 16
#include <cairn/plugin.h>

static const struct cairn_option options[] = {
    { .name = "one", .type = CAIRN_OPTION_INTEGER, .offset = 0 },
    { .name = "one", .type = CAIRN_OPTION_INTEGER, .offset = 8 },
    { .name = NULL },
};

#include "tests/plugins/annotator.h"
