/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `cairn run` added to the environment, CAIRN_RUN_… and this library's entry in LD_PRELOAD:
 * read, and taken out before the program sees it, unless the program's own children are to have it;
 * and put back where the process becomes another program, which is still the one that was to be
 * run. [app]: edits the array and the strings in place, because libc's setenv() does not work yet.
 * What puts it back is async-signal-safe.
 */
#include "core/client/preload.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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
    { "CAIRN_RUN_PROCESS", offsetof(struct preload_options, process) },
};

#define VARIABLES (sizeof(variables) / sizeof(variables[0]))

static bool is_ours(const char *entry, size_t bytes)
{
    size_t name = sizeof(library) - 1;

    return bytes >= name && memcmp(entry + bytes - name, library, name) == 0 &&
           (bytes == name || entry[bytes - name - 1] == '/');
}

/* This library's entry in the list, without its end, or NULL. */
static const char *find_entry(const char *list, size_t *ret_bytes)
{
    for (const char *entry = list;;) {
        size_t bytes = strcspn(entry, ": ");

        if (is_ours(entry, bytes)) {
            *ret_bytes = bytes;
            return entry;
        }
        if (entry[bytes] == '\0') {
            return NULL;
        }
        entry += bytes + 1;
    }
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

bool preload_is_for_us(const struct preload_options *options)
{
    return options->process == NULL || atol(options->process) == (long)getpid();
}

/* ---- what the process becomes ---- */

/* Copies, because programs write over the strings of their environment. */
static struct {
    pid_t process;                  /* whose exec() counts; 0: nobody's */
    char *variables[VARIABLES + 1]; /* "NAME=value" */
    size_t count;
    const char *library;
    char text[2 * PATH_MAX + 1024];
    size_t used;
} kept;

/* NULL: there is no room. */
static char *keep_text(const char *text, size_t bytes)
{
    char *copy = kept.text + kept.used;

    if (bytes >= sizeof(kept.text) - kept.used) {
        return NULL;
    }
    memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    kept.used += bytes + 1;
    return copy;
}

static bool keep_variable(const char *variable)
{
    char *copy = keep_text(variable, strlen(variable));

    if (copy == NULL) {
        return false;
    }
    kept.variables[kept.count++] = copy;
    return true;
}

/* The environment's own options, but for the process's number. */
static bool keep_options(char *const *environment)
{
    for (; environment != NULL && *environment != NULL; environment++) {
        const char *list = match(*environment, "LD_PRELOAD");
        size_t bytes = 0;
        const char *entry = list != NULL ? find_entry(list, &bytes) : NULL;

        if (entry != NULL) {
            kept.library = keep_text(entry, bytes);
        }
        for (size_t i = 0; i < VARIABLES - 1 && kept.count < VARIABLES - 1; i++) {
            if (match(*environment, variables[i].name) != NULL && !keep_variable(*environment)) {
                return false;
            }
        }
    }
    return kept.library != NULL;
}

void preload_keep_environment(char *const *environment, int children)
{
    char process[40];

    snprintf(process, sizeof(process), "CAIRN_RUN_PROCESS=%ld", (long)getpid());
    if (keep_options(environment) && (children || keep_variable(process))) {
        kept.process = getpid();
    }
}

/* The list of the new program's LD_PRELOAD, NULL without one; true: this library is in it. */
static bool examine(char *const *environment, const char **ret_list, size_t *ret_count)
{
    const char *list = NULL;
    size_t count = 0, bytes;

    for (; environment != NULL && environment[count] != NULL; count++) {
        const char *value = match(environment[count], "LD_PRELOAD");

        list = value != NULL ? value : list;
    }
    *ret_list = list;
    *ret_count = count;
    return list != NULL && find_entry(list, &bytes) != NULL;
}

static void fill(char **items, char *text, const char *list, char *const *environment)
{
    *items++ = text;
    text = stpcpy(stpcpy(text, "LD_PRELOAD="), kept.library);
    if (list != NULL && *list != '\0') {
        memcpy(text, ":", 1);
        memcpy(text + 1, list, strlen(list) + 1);
    }
    for (size_t i = 0; i < kept.count; i++) {
        *items++ = kept.variables[i];
    }
    for (; environment != NULL && *environment != NULL; environment++) {
        bool replaced = match(*environment, "LD_PRELOAD") != NULL;

        for (size_t i = 0; i < VARIABLES && !replaced; i++) {
            replaced = match(*environment, variables[i].name) != NULL;
        }
        if (!replaced) {
            *items++ = *environment;
        }
    }
    *items = NULL;
}

char *const *preload_carry_environment(char *const *environment,
                                       struct preload_carried *ret_carried)
{
    const char *list;
    size_t count, bytes;
    char **items;

    ret_carried->bytes = 0;
    if (kept.process == 0 || kept.process != getpid() || examine(environment, &list, &count)) {
        return environment;
    }
    count += 1 + kept.count + 1;
    bytes = count * sizeof(char *) + sizeof("LD_PRELOAD=:") + strlen(kept.library) +
            (list != NULL ? strlen(list) : 0);
    items = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (items == MAP_FAILED) {
        return environment; /* what it becomes runs without Cairn */
    }
    fill(items, (char *)(items + count), list, environment);
    ret_carried->start = items;
    ret_carried->bytes = bytes;
    return items;
}

void preload_drop_carried(const struct preload_carried *carried)
{
    if (carried->bytes > 0) {
        munmap(carried->start, carried->bytes);
    }
}
