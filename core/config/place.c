/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths in a configuration: "~" is the home folder, what is relative starts at the configuration
 * file's folder, the result is absolute. Every process but the crashed one.
 */
#include "core/config/internal.h"

#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *config_home(void)
{
    const char *home = secure_getenv("HOME");

    if (home == NULL || home[0] != '/') {
        const struct passwd *user = getpwuid(geteuid());

        home = user != NULL ? user->pw_dir : NULL;
    }
    return home != NULL && home[0] == '/' ? home : NULL;
}

/* The same as base_of(), for a text that begins with "~". */
static int base_at_home(struct config_value *value, const char **ret_base, const char **ret_rest)
{
    const char *behind = value->node->text + 1, *home = config_home();
    char quoted[CONFIG_QUOTED_BYTES];

    if (behind[0] != '\0' && behind[0] != '/') {
        return config_value_fail(value, "only ~ and ~/… stand for a home folder, not %s",
                                 config_quote_node(value->node, quoted));
    }
    if (home == NULL) {
        return config_value_fail(value, "the home folder of ~ is not known");
    }
    *ret_base = home;
    *ret_rest = behind[0] == '/' ? behind + 1 : behind;
    return 0;
}

/* Where the text starts and what of it is appended; 0 or CAIRN_ECONFIG. */
static int base_of(struct config_value *value, const char **ret_base, const char **ret_rest)
{
    const char *text = value->node->text;
    const struct config_source *source =
        config_source_find(value->arena, value->node->position.file);

    if (text[0] == '~') {
        return base_at_home(value, ret_base, ret_rest);
    }
    if (text[0] == '/') {
        *ret_base = "";
        *ret_rest = text + 1;
        return 0;
    }
    if (source == NULL || source->folder == NULL) {
        return config_value_fail(value, "a relative path starts at the folder of the configuration "
                                        "file, and this text comes from none: make it absolute");
    }
    *ret_base = source->folder;
    *ret_rest = strncmp(text, "./", 2) == 0 ? text + 2 : text;
    return 0;
}

int config_path_read(struct config_value *value, const char **ret_path)
{
    const char *base = "", *rest = "";
    size_t length;
    char *path;
    int result;

    if (value->node->text[0] == '\0') {
        return config_value_fail(value, "the path is empty");
    }
    result = base_of(value, &base, &rest);
    if (result != 0) {
        return result;
    }
    length = strlen(base);
    while (length > 0 && base[length - 1] == '/') {
        length--;
    }
    if (length + strlen(rest) + 2 > PATH_MAX) {
        return config_value_fail(value, "the path is longer than %d bytes", PATH_MAX - 1);
    }
    path = config_arena_take(value->arena, length + strlen(rest) + 2);
    if (path == NULL) {
        return CAIRN_ENOMEM;
    }
    snprintf(path, length + strlen(rest) + 2, "%.*s%s%s", (int)length, base,
             rest[0] != '\0' || length == 0 ? "/" : "", rest);
    *ret_path = path;
    return 0;
}
