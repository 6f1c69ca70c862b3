/* SPDX-License-Identifier: Apache-2.0 */
/* Has an option that is an ENUM without choices. In a step's process. */
#define NAME "no_choices"
#define QUIET
#define OPTIONS     options
#define CONFIG_SIZE 16
#include <cairn/plugin.h>

static const struct cairn_option options[] = {
    { .name = "one", .type = CAIRN_OPTION_ENUM, .offset = 0 },
    { .name = NULL },
};

#include "tests/plugins/annotator.h"
