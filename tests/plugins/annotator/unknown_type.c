/* SPDX-License-Identifier: Apache-2.0 */
/* Has an option of a type that does not exist. In a step's process. */
#define NAME "unknown_type"
#define QUIET
#define OPTIONS     options
#define CONFIG_SIZE 16
#include <cairn/plugin.h>

static const struct cairn_option options[] = {
    { .name = "one", .type = 99, .offset = 0 },
    { .name = NULL },
};

#include "tests/plugins/annotator.h"
