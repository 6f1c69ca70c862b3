/* SPDX-License-Identifier: Apache-2.0 */
/* Has an option of a name that every plugin has. In a step's process. */
#define NAME "common_key"
#define QUIET
#define OPTIONS     options
#define CONFIG_SIZE 16
#include <cairn/plugin.h>

static const struct cairn_option options[] = {
    { .name = "timeout", .type = CAIRN_OPTION_INTEGER, .offset = 0 },
    { .name = NULL },
};

#include "tests/plugins/annotator.h"
