/* SPDX-License-Identifier: Apache-2.0 */
/* Has an option that lies outside of its configuration structure. In a step's process. */
#define NAME "bad_offset"
#define QUIET
#define OPTIONS     options
#define CONFIG_SIZE 16
#include <cairn/plugin.h>

static const struct cairn_option options[] = {
    { .name = "far", .type = CAIRN_OPTION_INTEGER, .offset = 16 },
    { .name = NULL },
};

#include "tests/plugins/annotator.h"
