/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration with its plugins, from where the command line says. [engine] */
#include "core/engine/engine.h"

#include "core/util/fs.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The configuration that a report was made with lies beside it, all layers in one. */
static int load_own(struct engine_setup *setup, int folder_fd)
{
    struct config_request request = { .fd = -1, .name = SPOOL_CONFIGURATION };
    int result;

    if (folder_fd >= 0) {
        request.fd = openat(folder_fd, SPOOL_CONFIGURATION,
                            O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    }
    request.is_copy = request.fd >= 0;
    result = config_load_layers(&request, &setup->config, &setup->problems);
    if (request.fd >= 0) {
        close(request.fd);
    }
    return result;
}

int engine_setup_load(struct engine_setup *setup, const struct engine_options *options,
                      int folder_fd)
{
    struct config_request request = { .path = options->config_path,
                                      .fd = options->config_fd,
                                      .name = "configuration" };
    int result;

    memset(setup, 0, sizeof(*setup));
    config_problems_init(&setup->problems);
    result = request.path != NULL || request.fd >= 0
                 ? config_load_layers(&request, &setup->config, &setup->problems)
                 : load_own(setup, folder_fd);
    /* Also with problems: those of the plugins are to be found in the same round. */
    if (setup->config != NULL) {
        int bound = plugin_bind(setup->config, &setup->plugins, &setup->problems);

        result = result != 0 ? result : bound;
    }
    setup->usable = result == 0 && setup->problems.errors == 0;
    return setup->usable ? 0 : result != 0 ? result : CAIRN_ECONFIG;
}

static void print(int fd, struct buf *text)
{
    if (text->failed == 0 && text->data != NULL) {
        fs_write_all(fd, text->data, text->bytes);
    }
    buf_finish(text);
}

void engine_setup_print_problems(const struct engine_setup *setup)
{
    struct buf text;

    buf_init(&text, 256 * 1024);
    config_print_problems(setup->config, &setup->problems, &text);
    print(STDERR_FILENO, &text);
}

void engine_setup_print_json(const struct engine_setup *setup)
{
    struct buf text;

    buf_init(&text, 256 * 1024);
    config_print_problems_json(setup->config, &setup->problems, &text);
    print(STDOUT_FILENO, &text);
}

void engine_setup_finish(struct engine_setup *setup)
{
    plugin_set_finish(&setup->plugins);
    config_problems_finish(&setup->problems);
    config_destroy(setup->config);
    memset(setup, 0, sizeof(*setup));
}
