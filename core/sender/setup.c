/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration that tells how to deliver: the one named, else the report's own. [sender] */
#include "core/sender/sender.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The copy beside the report, all layers in one; the copy of a single file goes under the name of
 * the original: relative paths start there. */
static int load_own(struct plugin_setup *setup, const struct report *report, int folder_fd)
{
    const char *name = report->configuration != NULL ? report->configuration : SPOOL_CONFIGURATION;
    int fd = openat(folder_fd, SPOOL_CONFIGURATION,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct config_request request = { .fd = fd, .name = name, .is_copy = true };
    int result;

    if (fd < 0) {
        memset(setup, 0, sizeof(*setup));
        config_problems_init(&setup->problems);
        config_problem_add(&setup->problems, (struct config_position){ SPOOL_CONFIGURATION, 0, 0 },
                           "", "the report has no configuration of its own");
        return CAIRN_ECONFIG;
    }
    result = plugin_setup_load(setup, &request);
    close(fd);
    return result;
}

int sender_setup_load(struct plugin_setup *setup, const struct sender_options *options,
                      const struct report *report, int folder_fd)
{
    struct config_request request = { .path = options->config_path,
                                      .fd = options->config_fd,
                                      .name = "configuration" };

    return request.path == NULL && request.fd < 0 && report != NULL
               ? load_own(setup, report, folder_fd)
               : plugin_setup_load(setup, &request);
}
