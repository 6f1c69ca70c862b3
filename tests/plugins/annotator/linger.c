/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves a process behind that holds all its descriptors. In a step's process. */
#define NAME         "linger"
#define CAPABILITIES CAIRN_CAP_PROCESSES
#include <stdio.h>
#include <unistd.h>

#include "tests/plugins/annotator.h"

static int annotate(void *context, struct cairn_annotator_args *args)
{
    char text[32];
    pid_t child = fork();

    (void)context;
    if (child == 0) {
        sleep(60);
        _exit(0);
    }
    snprintf(text, sizeof(text), "%d", (int)child);
    args->host->set_string(args->host, "linger.pid", text);
    return CAIRN_PLUGIN_OK;
}
