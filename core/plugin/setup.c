/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration with its plugins; see setup.h. Engine, sender, tools. */
#include "core/plugin/setup.h"

#include "core/util/fs.h"

#include <string.h>

#define MAX_PRINTED (256 * 1024)

int plugin_setup_load(struct plugin_setup *setup, const struct config_request *request)
{
    int result;

    memset(setup, 0, sizeof(*setup));
    config_problems_init(&setup->problems);
    result = config_load_layers(request, &setup->config, &setup->problems);
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

void plugin_setup_print(const struct plugin_setup *setup, int fd)
{
    struct buf text;

    buf_init(&text, MAX_PRINTED);
    config_print_problems(setup->config, &setup->problems, &text);
    print(fd, &text);
}

void plugin_setup_print_json(const struct plugin_setup *setup, int fd)
{
    struct buf text;

    buf_init(&text, MAX_PRINTED);
    config_print_problems_json(setup->config, &setup->problems, &text);
    print(fd, &text);
}

void plugin_setup_finish(struct plugin_setup *setup)
{
    plugin_set_finish(&setup->plugins);
    config_problems_finish(&setup->problems);
    config_destroy(setup->config);
    memset(setup, 0, sizeof(*setup));
}
