/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of core/plugin share; see plugins.h. */
#include "tests/unit/plugins.h"

#include "core/util/text.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

const char *plugins_use(void)
{
    static char folder[PATH_MAX];
    const char *build = getenv("CAIRN_BUILDDIR");

    if (folder[0] == '\0') {
        char relative[PATH_MAX];
        snprintf(relative, sizeof(relative), "%s/tests/plugins/built", build != NULL ? build : ".");
        if (realpath(relative, folder) == NULL) {
            printf("Bail out! %s is missing: run make check\n", relative);
            exit(99);
        }
    }
    setenv("CAIRN_PLUGIN_PATH", folder, 1);
    return folder;
}

struct plugin_facts *plugins_describe(enum cairn_kind kind, const char *name, int *ret_fd,
                                      struct error *error)
{
    struct plugin_facts *facts = NULL;
    char *path = NULL;
    int fd;

    plugins_use();
    fd = plugin_open(kind, name, &path, error);
    if (fd < 0) {
        return NULL;
    }
    plugin_describe(fd, path, &facts, error);
    free(path);
    if (ret_fd != NULL && facts != NULL) {
        *ret_fd = fd;
    } else {
        close(fd);
    }
    return facts;
}

void plugins_config_init(struct plugins_config *bound, const char *yaml)
{
    struct config_problems problems;
    struct buf text;
    int fd = memfd_create("test.yaml", MFD_CLOEXEC);

    plugins_use();
    memset(bound, 0, sizeof(*bound));
    config_problems_init(&problems);
    if (write(fd, yaml, strlen(yaml)) < 0 || lseek(fd, 0, SEEK_SET) != 0) {
        bound->result = CAIRN_ESYSTEM;
    } else {
        bound->result = config_load(NULL, fd, "test.yaml", &bound->config, &problems);
    }
    close(fd);
    if (bound->result == 0) {
        bound->result = plugin_bind(bound->config, &bound->set, &problems);
    }
    buf_init(&text, sizeof(bound->text) - 1);
    config_problems_print(&problems, NULL, &text);
    text_copy(bound->text, sizeof(bound->text), text.data != NULL ? text.data : "");
    buf_finish(&text);
    config_problems_finish(&problems);
}

void plugins_config_finish(struct plugins_config *bound)
{
    plugin_set_finish(&bound->set);
    config_destroy(bound->config);
}
