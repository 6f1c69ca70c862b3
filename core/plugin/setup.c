/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration with its plugins and its problems. Engine, sender, tools. */
#include "core/plugin/setup.h"

#include "core/report/spool.h"
#include "core/util/buf.h"
#include "core/util/fs.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAX_PROBLEM_BYTES ((size_t)256 * 1024)

static void init(struct plugin_setup *setup)
{
    memset(setup, 0, sizeof(*setup));
    config_problems_init(&setup->problems);
}

int plugin_setup_load(struct plugin_setup *setup, const struct config_request *request)
{
    init(setup);
    int result = config_load_layers(request, &setup->config, &setup->problems);
    /* Also with problems: those of the plugins are to be found in the same round. */
    if (setup->config != NULL) {
        int bound = plugin_bind(setup->config, &setup->plugins, &setup->problems);

        result = result != 0 ? result : bound;
    }
    setup->usable = result == 0 && setup->problems.errors == 0;
    return setup->usable ? 0 : result != 0 ? result : CAIRN_ECONFIG;
}

int plugin_setup_load_own(struct plugin_setup *setup, int folder_fd, const char *name)
{
    struct config_request request = { .name = name, .is_copy = true };

    request.fd = openat(folder_fd, SPOOL_CONFIGURATION,
                        O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (request.fd < 0) {
        init(setup);
        config_problem_add(&setup->problems, (struct config_position){ SPOOL_CONFIGURATION, 0, 0 },
                           "", "the report has no configuration of its own");
        return CAIRN_ENOENT;
    }
    int result = plugin_setup_load(setup, &request);
    close(request.fd);
    return result;
}

static bool print(int fd, struct buf *text)
{
    bool printed =
        text->failed == 0 && (text->data == NULL || fs_write_all(fd, text->data, text->bytes) == 0);

    buf_finish(text);
    return printed;
}

void plugin_setup_print_problems(const struct plugin_setup *setup, int fd)
{
    struct buf text;

    buf_init(&text, MAX_PROBLEM_BYTES);
    config_print_problems(setup->config, &setup->problems, &text);
    print(fd, &text);
}

bool plugin_setup_print_problems_json(const struct plugin_setup *setup, int fd)
{
    struct buf text;

    buf_init(&text, MAX_PROBLEM_BYTES);
    config_print_problems_json(setup->config, &setup->problems, &text);
    return print(fd, &text);
}

void plugin_setup_finish(struct plugin_setup *setup)
{
    plugin_set_finish(&setup->plugins);
    config_problems_finish(&setup->problems);
    config_destroy(setup->config);
    memset(setup, 0, sizeof(*setup));
}
