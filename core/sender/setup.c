/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration that tells how to deliver: the one named, else the report's own. [sender] */
#include "core/sender/sender.h"

#include "core/util/fs.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The copy beside the report, all layers in one; the copy of a single file goes under the name of
 * the original: relative paths start there. */
static int load_own(struct sender_setup *setup, const struct report *report, int folder_fd)
{
    const char *name = report->configuration != NULL ? report->configuration : SPOOL_CONFIGURATION;
    int fd = openat(folder_fd, SPOOL_CONFIGURATION,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct config_request request = { .fd = fd, .name = name, .is_copy = true };
    int result;

    if (fd < 0) {
        config_problem_add(&setup->problems, (struct config_position){ SPOOL_CONFIGURATION, 0, 0 },
                           "", "the report has no configuration of its own");
        return CAIRN_ECONFIG;
    }
    result = config_load_layers(&request, &setup->config, &setup->problems);
    close(fd);
    return result;
}

static int load(struct sender_setup *setup, const struct sender_options *options,
                const struct report *report, int folder_fd)
{
    struct config_request request = { .path = options->config_path,
                                      .fd = options->config_fd,
                                      .name = "configuration" };

    if (request.path == NULL && request.fd < 0 && report != NULL) {
        return load_own(setup, report, folder_fd);
    }
    return config_load_layers(&request, &setup->config, &setup->problems);
}

int sender_setup_load(struct sender_setup *setup, const struct sender_options *options,
                      const struct report *report, int folder_fd)
{
    int result;

    memset(setup, 0, sizeof(*setup));
    config_problems_init(&setup->problems);
    result = load(setup, options, report, folder_fd);
    if (setup->config != NULL) {
        int bound = plugin_bind(setup->config, &setup->plugins, &setup->problems);

        result = result != 0 ? result : bound;
    }
    setup->usable = result == 0 && setup->problems.errors == 0;
    return setup->usable ? 0 : result != 0 ? result : CAIRN_ECONFIG;
}

void sender_setup_print_problems(const struct sender_setup *setup)
{
    struct buf text;

    buf_init(&text, 256 * 1024);
    config_print_problems(setup->config, &setup->problems, &text);
    if (text.failed == 0 && text.data != NULL) {
        fs_write_all(STDERR_FILENO, text.data, text.bytes);
    }
    buf_finish(&text);
}

void sender_setup_finish(struct sender_setup *setup)
{
    plugin_set_finish(&setup->plugins);
    config_problems_finish(&setup->problems);
    config_destroy(setup->config);
    memset(setup, 0, sizeof(*setup));
}
