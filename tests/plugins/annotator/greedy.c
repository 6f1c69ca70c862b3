/* SPDX-License-Identifier: Apache-2.0 */
/* Takes and touches memory until there is none, then follows the null pointer.
 * In a step's process. */
#define NAME "greedy"
#include <stdlib.h>

#include "tests/plugins/annotator.h"

static int annotate(void *context, struct cairn_annotator_args *args)
{
    (void)context;
    while (args != NULL) {
        volatile char *memory = malloc(1 << 20);
        for (size_t i = 0; i < 1 << 20; i += 4096) {
            memory[i] = 1;
        }
    }
    return CAIRN_PLUGIN_OK;
}
