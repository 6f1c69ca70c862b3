/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `cairn run` added to the environment, CAIRN_RUN_… and this library's entry in LD_PRELOAD:
 * read, and taken out before the program sees it, unless the program's own children are to have it.
 * [app]: edits the array and the strings in place, because libc's setenv() does not work yet.
 */
#include "core/client/preload.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const char library[] = "libcairn-preload.so";

/* The value when `variable` is `name`=value, or NULL. */
static const char *match(const char *variable, const char *name)
{
    size_t bytes = strlen(name);

    return strncmp(variable, name, bytes) == 0 && variable[bytes] == '=' ? variable + bytes + 1
                                                                         : NULL;
}

/* The variables, and where their values go. */
static const struct {
    const char *name;
    size_t offset;
} variables[] = {
    { "CAIRN_RUN_CONFIG", offsetof(struct preload_options, config) },
    { "CAIRN_RUN_APPLICATION", offsetof(struct preload_options, application) },
    { "CAIRN_RUN_VERSION", offsetof(struct preload_options, version) },
    { "CAIRN_RUN_CHILDREN", offsetof(struct preload_options, children) },
};

#define VARIABLES (sizeof(variables) / sizeof(variables[0]))

static bool is_ours(const char *entry, size_t bytes)
{
    size_t name = sizeof(library) - 1;

    return bytes >= name && memcmp(entry + bytes - name, library, name) == 0 &&
           (bytes == name || entry[bytes - name - 1] == '/');
}

/* Cuts this library out of a list with ':' or ' ' between entries; a `cairn run` within another one
 * has put it there twice. True: the list is empty now. */
static bool cut_entries(char *list)
{
    char *entry = list;

    while (*entry != '\0') {
        size_t bytes = strcspn(entry, ": ");
        char *next = entry + bytes;

        next += *next != '\0';
        if (is_ours(entry, bytes)) {
            memmove(entry, next, strlen(next) + 1);
        } else {
            entry = next;
        }
    }
    if (entry > list && strchr(": ", entry[-1]) != NULL) {
        entry[-1] = '\0'; /* it was the last one: its separator goes too */
    }
    return *list == '\0';
}

static bool is_taken(char *variable)
{
    char *list = (char *)match(variable, "LD_PRELOAD");

    if (list != NULL) {
        return cut_entries(list);
    }
    for (size_t i = 0; i < VARIABLES; i++) {
        if (match(variable, variables[i].name) != NULL) {
            return true;
        }
    }
    return false;
}

void preload_read_environment(char *const *environment, struct preload_options *ret_options)
{
    for (; environment != NULL && *environment != NULL; environment++) {
        for (size_t i = 0; i < VARIABLES; i++) {
            const char *value = match(*environment, variables[i].name);

            if (value != NULL && value[0] != '\0') {
                memcpy((char *)ret_options + variables[i].offset, &value, sizeof(value));
            }
        }
    }
}

void preload_clean_environment(char **environment)
{
    char **kept = environment;

    if (environment == NULL) {
        return;
    }
    for (; *environment != NULL; environment++) {
        if (!is_taken(*environment)) {
            *kept++ = *environment;
        }
    }
    *kept = NULL;
}
