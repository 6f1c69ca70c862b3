/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration with its plugins, from where the command line says. [engine] */
#include "core/engine/engine.h"

#include "core/util/fs.h"
#include "core/util/paths.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The configuration that a report was made with lies beside it. */
static int load_own(struct engine_setup *setup, int folder_fd)
{
    int fd = folder_fd < 0 ? -1
                           : openat(folder_fd, SPOOL_CONFIGURATION,
                                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    int result;

    if (fd < 0) {
        return config_load(paths_config(), -1, NULL, &setup->config, &setup->problems);
    }
    result = config_load(NULL, fd, SPOOL_CONFIGURATION, &setup->config, &setup->problems);
    close(fd);
    return result;
}

int engine_setup_load(struct engine_setup *setup, const struct engine_options *options,
                      int folder_fd)
{
    int result;

    memset(setup, 0, sizeof(*setup));
    config_problems_init(&setup->problems);
    if (options->config_path != NULL) {
        result = config_load(options->config_path, -1, NULL, &setup->config, &setup->problems);
    } else if (options->config_fd >= 0) {
        result = config_load(NULL, options->config_fd, "configuration", &setup->config,
                             &setup->problems);
    } else {
        result = load_own(setup, folder_fd);
    }
    /* Also with problems: those of the plugins are to be found in the same round. */
    if (setup->config != NULL) {
        int bound = plugin_bind(setup->config, &setup->plugins, &setup->problems);

        result = result != 0 ? result : bound;
    }
    setup->usable = result == 0 && setup->problems.errors == 0;
    return setup->usable ? 0 : result != 0 ? result : CAIRN_ECONFIG;
}

void engine_setup_print_problems(const struct engine_setup *setup)
{
    struct buf text;

    buf_init(&text, 256 * 1024);
    config_problems_print(&setup->problems, setup->config != NULL ? setup->config->source : NULL,
                          &text);
    if (text.failed == 0 && text.data != NULL) {
        fs_write_all(STDERR_FILENO, text.data, text.bytes);
    }
    buf_finish(&text);
}

void engine_setup_finish(struct engine_setup *setup)
{
    plugin_set_finish(&setup->plugins);
    config_problems_finish(&setup->problems);
    config_destroy(setup->config);
    memset(setup, 0, sizeof(*setup));
}
