/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and texts of a plugin: what they may be, and how they are read from its file's image.
 * Engine, sender, tools.
 */
#include "core/plugin/internal.h"
#include "core/util/text.h"

#include <stdlib.h>
#include <string.h>

static bool is_of_name(char c, bool dashes)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || (c == '-' && dashes);
}

bool plugin_is_name(const char *name, bool dashes)
{
    if (name[0] < 'a' || name[0] > 'z') {
        return false;
    }
    for (const char *c = name; *c != '\0'; c++) {
        if (!is_of_name(*c, dashes) || c - name >= PLUGIN_MAX_NAME) {
            return false;
        }
    }
    return true;
}

static bool is_one_line(const char *text)
{
    char *printable = text_printable(text, strlen(text));
    bool same = printable != NULL && strcmp(printable, text) == 0;

    free(printable);
    return same && strpbrk(text, "\n\t") == NULL;
}

int plugin_read_text(const struct elf_image *image, const void *address, size_t limit,
                     const char *what, char **ret_text, struct error *error)
{
    if (address == NULL) {
        *ret_text = NULL;
        return 0;
    }
    const char *text = elf_text(image, (uint64_t)(uintptr_t)address, limit);
    if (text == NULL) {
        return error_set(error, CAIRN_EPLUGIN,
                         "In %s, %s is not a text of less than %zu bytes in the file.", image->path,
                         what, limit);
    }
    if (!is_one_line(text)) {
        return error_set(error, CAIRN_EPLUGIN, "In %s, %s is not one line of printable UTF-8.",
                         image->path, what);
    }
    char *copy = strdup(text);
    if (copy == NULL) {
        return error_set(error, CAIRN_ENOMEM, "There is no memory to read %s.", image->path);
    }
    *ret_text = copy;
    return 0;
}
