/* SPDX-License-Identifier: Apache-2.0 */
/* Writes to the descriptor that its records go to, past the host. In a step's process. */
#define NAME "scribble"
#include <string.h>
#include <unistd.h>

#include "tests/plugins/annotator.h"

static int annotate(void *context, struct cairn_annotator_args *args)
{
    static unsigned char bytes[64];

    (void)context;
    (void)args;
    memset(bytes, 0xee, sizeof(bytes));
    for (int fd = 3; fd < 32; fd++) {
        if (write(fd, bytes, sizeof(bytes)) < 0) {
            continue;
        }
    }
    pause();
    return CAIRN_PLUGIN_OK;
}
