/* SPDX-License-Identifier: Apache-2.0 */
/* A plug-in that embeds Cairn, for tests/crash/copies.sh; linked to the library, or holding a copy.
 */
#include <cairn/cairn.h>

#include <stddef.h>
#include <stdio.h>

int plugin_start(const char *config);
int plugin_stop(void);

/* Linked to the program's own library, a plug-in's NULL would be the program's handler. */
static struct cairn *handler;

int plugin_start(const char *config)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    char error[1024] = "";
    int result;

    options.config_file = config;
    result = cairn_start(&options, &handler, error, sizeof(error));
    if (result != 0) {
        printf("%s\n", error);
        return result;
    }
    return cairn_set_string(handler, "who", "plug-in");
}

int plugin_stop(void)
{
    return cairn_stop(handler);
}
