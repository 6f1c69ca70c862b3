/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes what `cairn run` added out of the environment before the program sees it: CAIRN_RUN_…, and
 * this library's entry in LD_PRELOAD. [app]: edits the array and the strings in place, because
 * libc's setenv() does not work yet.
 */
#include "core/client/preload.h"

#include <stdbool.h>
#include <string.h>

static const char library[] = "libcairn-preload.so";

/* The value when `variable` is `name`=value, or NULL. */
static const char *match(const char *variable, const char *name)
{
    size_t bytes = strlen(name);

    return strncmp(variable, name, bytes) == 0 && variable[bytes] == '=' ? variable + bytes + 1
                                                                         : NULL;
}

static bool take(const char *variable, const char *name, const char **value)
{
    const char *found = match(variable, name);

    if (found == NULL) {
        return false;
    }
    if (found[0] != '\0') {
        *value = found;
    }
    return true;
}

static bool is_ours(const char *entry, size_t bytes)
{
    size_t name = sizeof(library) - 1;

    return bytes >= name && memcmp(entry + bytes - name, library, name) == 0 &&
           (bytes == name || entry[bytes - name - 1] == '/');
}

/* Cuts the first entry that is this library out of a list with ':' or ' ' between entries. True:
 * the list is empty now. */
static bool cut_entry(char *list)
{
    char *entry = list;

    for (;;) {
        size_t bytes = strcspn(entry, ": ");
        char *next = entry + bytes;

        if (is_ours(entry, bytes)) {
            next += *next != '\0';
            memmove(entry, next, strlen(next) + 1);
            if (*entry == '\0' && entry > list) {
                entry[-1] = '\0'; /* it was the last one: its separator goes too */
            }
            break;
        }
        if (*next == '\0') {
            break;
        }
        entry = next + 1;
    }
    return *list == '\0';
}

static bool is_taken(char *variable, struct preload_options *options)
{
    char *list = (char *)match(variable, "LD_PRELOAD");

    if (list != NULL) {
        return cut_entry(list);
    }
    return take(variable, "CAIRN_RUN_CONFIG", &options->config) ||
           take(variable, "CAIRN_RUN_APPLICATION", &options->application) ||
           take(variable, "CAIRN_RUN_VERSION", &options->version);
}

void preload_take_environment(char **environment, struct preload_options *ret_options)
{
    char **kept = environment;

    if (environment == NULL) {
        return;
    }
    for (; *environment != NULL; environment++) {
        if (!is_taken(*environment, ret_options)) {
            *kept++ = *environment;
        }
    }
    *kept = NULL;
}
