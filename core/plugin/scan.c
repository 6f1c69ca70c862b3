/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All plugins of all folders, for `cairn plugin list` and its kin. The first folder that has a name
 * wins, as in plugin_open(). Engine, sender, tools.
 */
#include "core/plugin/internal.h"
#include "core/util/paths.h"

#include <limits.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct scan {
    struct plugin_list list;
    void (*complain)(const char *path, const struct error *error, void *user);
    void *user;
};

static bool is_known(const struct plugin_list *list, enum cairn_kind kind, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i]->kind == kind && strcmp(list->items[i]->name, name) == 0) {
            return true;
        }
    }
    return false;
}

static int append(struct plugin_list *list, struct plugin_facts *facts)
{
    struct plugin_facts **items =
        realloc(list->items, (list->count + 1) * sizeof(struct plugin_facts *));

    if (items == NULL) {
        return CAIRN_ENOMEM;
    }
    items[list->count++] = facts;
    list->items = items;
    return 0;
}

static int scan_file(struct scan *scan, const char *folder, enum cairn_kind kind, const char *name)
{
    struct plugin_facts *facts = NULL;
    struct error error = { 0, "" };
    char *path = NULL;
    int fd = plugin_open_in(folder, kind, name, &path, &error);
    int result = fd < 0 ? fd : plugin_describe(fd, path, &facts, &error);

    if (fd >= 0) {
        close(fd);
    }
    if (result < 0 && result != CAIRN_ENOMEM && scan->complain != NULL) {
        char tried[PATH_MAX + PLUGIN_MAX_NAME + 32];
        snprintf(tried, sizeof(tried), "%s/%s/%s.so", folder, config_kind(kind), name);
        scan->complain(tried, &error, scan->user);
    }
    free(path);
    if (result == 0 && (result = append(&scan->list, facts)) < 0) {
        plugin_facts_destroy(facts);
    }
    return result == CAIRN_ENOMEM ? result : 0;
}

static int scan_folder(struct scan *scan, const char *folder, enum cairn_kind kind)
{
    char **names = plugin_names_in(folder, kind);
    int result = names == NULL ? CAIRN_ENOMEM : 0;

    for (size_t i = 0; result == 0 && names[i] != NULL; i++) {
        if (!is_known(&scan->list, kind, names[i])) {
            result = scan_file(scan, folder, kind, names[i]);
        }
    }
    plugin_names_destroy(names);
    return result;
}

static int by_kind_and_name(const void *left, const void *right)
{
    const struct plugin_facts *a = *(struct plugin_facts *const *)left;
    const struct plugin_facts *b = *(struct plugin_facts *const *)right;

    return a->kind != b->kind ? (a->kind < b->kind ? -1 : 1) : strcmp(a->name, b->name);
}

int plugin_scan(struct plugin_list *ret_list,
                void (*complain)(const char *path, const struct error *error, void *user),
                void *user)
{
    struct scan scan = { .complain = complain, .user = user };
    char folder[PATH_MAX];
    int result = 0;

    for (size_t i = 0; result == 0 && paths_plugins(i, folder, sizeof(folder)) != NULL; i++) {
        for (enum cairn_kind kind = CAIRN_KIND_FILTER; kind <= CAIRN_KIND_TRANSPORT; kind++) {
            result = result == 0 ? scan_folder(&scan, folder, kind) : result;
        }
    }
    if (result < 0) {
        plugin_list_finish(&scan.list);
        return result;
    }
    if (scan.list.count > 1) {
        qsort(scan.list.items, scan.list.count, sizeof(struct plugin_facts *), by_kind_and_name);
    }
    *ret_list = scan.list;
    return 0;
}

void plugin_list_finish(struct plugin_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        plugin_facts_destroy(list->items[i]);
    }
    free(list->items);
    *list = (struct plugin_list){ NULL, 0 };
}
