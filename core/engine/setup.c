/* SPDX-License-Identifier: Apache-2.0 */
/* Which configuration the command line means. [engine] */
#include "core/engine/engine.h"

#include <fcntl.h>
#include <unistd.h>

/* The configuration that a report was made with lies beside it, all layers in one. */
static int load_own(struct plugin_setup *setup, int folder_fd)
{
    struct config_request request = { .fd = -1, .name = SPOOL_CONFIGURATION };
    int result;

    if (folder_fd >= 0) {
        request.fd = openat(folder_fd, SPOOL_CONFIGURATION,
                            O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    }
    request.is_copy = request.fd >= 0;
    result = plugin_setup_load(setup, &request);
    if (request.fd >= 0) {
        close(request.fd);
    }
    return result;
}

int engine_setup_load(struct plugin_setup *setup, const struct engine_options *options,
                      int folder_fd)
{
    struct config_request request = { .path = options->config_path,
                                      .fd = options->config_fd,
                                      .name = "configuration" };

    return request.path != NULL || request.fd >= 0 ? plugin_setup_load(setup, &request)
                                                   : load_own(setup, folder_fd);
}
