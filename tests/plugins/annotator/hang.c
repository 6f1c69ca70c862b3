/* SPDX-License-Identifier: Apache-2.0 */
/* Never returns, and does not mind SIGTERM. In a step's process. */
#define NAME "hang"
#include <signal.h>
#include <unistd.h>

#include "tests/plugins/annotator.h"

static int annotate(void *context, struct cairn_annotator_args *args)
{
    (void)context;
    signal(SIGTERM, SIG_IGN);
    while (args != NULL) {
        pause();
    }
    return CAIRN_PLUGIN_OK;
}
