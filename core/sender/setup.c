/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration that tells how to deliver: the one named, else the report's own. [sender] */
#include "core/sender/sender.h"

int sender_setup_load(struct plugin_setup *setup, const struct sender_options *options,
                      const struct report *report, int folder_fd)
{
    const struct config_request request = { .path = options->config_path,
                                            .fd = options->config_fd,
                                            .name = "configuration" };

    if (request.path == NULL && request.fd < 0 && report != NULL) {
        /* The copy of a single file goes under the original's name: relative paths start there. */
        return plugin_setup_load_own(setup, folder_fd,
                                     report->configuration != NULL ? report->configuration
                                                                   : SPOOL_CONFIGURATION);
    }
    return plugin_setup_load(setup, &request);
}
