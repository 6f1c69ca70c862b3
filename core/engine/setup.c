/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration that the engine works by: the one named, else the report's own, else the
 * installed one. [engine] */
#include "core/engine/engine.h"

int engine_setup_load(struct plugin_setup *setup, const struct engine_options *options,
                      int folder_fd)
{
    const struct config_request request = { .path = options->config_path,
                                            .fd = options->config_fd,
                                            .name = "configuration" };

    if (request.path == NULL && request.fd < 0 && folder_fd >= 0) {
        int result = plugin_setup_load_own(setup, folder_fd, SPOOL_CONFIGURATION);

        if (result != CAIRN_ENOENT) {
            return result;
        }
        plugin_setup_finish(setup);
    }
    return plugin_setup_load(setup, &request);
}
