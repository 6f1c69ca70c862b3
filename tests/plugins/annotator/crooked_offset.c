/* SPDX-License-Identifier: Apache-2.0 */
/* Has an option that is not aligned. In a step's process. */
#define NAME "crooked_offset"
#define QUIET
#define OPTIONS     options
#define CONFIG_SIZE 16
#include <cairn/plugin.h>

static const struct cairn_option options[] = {
    { .name = "crooked", .type = CAIRN_OPTION_INTEGER, .offset = 4 },
    { .name = NULL },
};

#include "tests/plugins/annotator.h"
