/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding reports in a spool, across its applications and states. Nothing is locked: a report may
 * move on while we look; states are read in the order in which reports go, so that none is missed,
 * and of one that was seen twice the later place counts. Engine, sender, tools.
 */
#include "core/report/report_inner.h"
#include "core/report/spool_inner.h"

#include "core/util/buf.h"
#include "core/util/fs.h"
#include "core/util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct scan {
    const char *spool;
    const char *application; /* as text; of the folder that is being read */
    const char *folder;      /* the same, escaped */
    enum spool_state state;
    struct error *error;
    struct spool_list list;
};

static bool is_directory(int parent, const char *name)
{
    struct stat status;

    return fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

static int add_entry(int state_fd, const char *name, void *user)
{
    struct scan *scan = user;
    struct spool_entry *entries;
    struct spool_entry entry = { .state = scan->state };
    struct buf path;

    if (strlen(name) != 36 || !text_is_uuid(name) || !is_directory(state_fd, name)) {
        return 0;
    }
    entries = report_grow(scan->list.entries, scan->list.count, sizeof(*entries));
    if (entries == NULL) {
        return CAIRN_ENOMEM;
    }
    scan->list.entries = entries;
    buf_init(&path, PATH_MAX);
    buf_printf(&path, "%s/%s/%s/%s", scan->spool, scan->folder, spool_state_name(scan->state),
               name);
    text_copy(entry.id, sizeof(entry.id), name);
    entry.path = buf_take(&path);
    entry.application = strdup(scan->application);
    if (entry.path == NULL || entry.application == NULL) {
        spool_entry_finish(&entry);
        return CAIRN_ENOMEM;
    }
    entries[scan->list.count++] = entry;
    return 0;
}

static int scan_states(struct scan *scan, int application_fd)
{
    int result = 0;

    for (int state = SPOOL_INCOMING; result == 0 && state < SPOOL_STATES; state++) {
        int fd;

        scan->state = (enum spool_state)state;
        if (!is_directory(application_fd, spool_state_name(scan->state))) {
            continue; /* not made yet */
        }
        fd = spool_open_state(application_fd, scan->state, scan->error);
        result = fd < 0 ? fd : spool_for_each(fd, add_entry, scan, scan->error);
        if (fd >= 0) {
            close(fd);
        }
    }
    return result;
}

static int scan_application(int spool_fd, const char *name, void *user)
{
    struct scan *scan = user;
    char *application = NULL;
    int fd, result;

    if (!is_directory(spool_fd, name)) {
        return 0;
    }
    fd = fs_open_directory(spool_fd, name, scan->error);
    if (fd < 0) {
        return fd;
    }
    result = text_unescape_name(name, &application);
    if (result == 0 && application != NULL) {
        scan->application = application;
        scan->folder = name;
        result = scan_states(scan, fd);
    }
    free(application);
    close(fd);
    return result;
}

/* Newest first: ids begin with their time. Of one report the later state first. */
static int compare(const void *first, const void *second)
{
    const struct spool_entry *a = first, *b = second;
    int order = strcmp(b->id, a->id);

    if (order == 0) {
        order = strcmp(a->application, b->application);
    }
    return order != 0 ? order : (int)b->state - (int)a->state;
}

static void sort(struct spool_list *list)
{
    size_t kept = 0;

    if (list->count == 0) {
        return;
    }
    qsort(list->entries, list->count, sizeof(*list->entries), compare);
    for (size_t i = 1; i < list->count; i++) {
        struct spool_entry *last = &list->entries[kept];

        if (strcmp(last->id, list->entries[i].id) == 0 &&
            strcmp(last->application, list->entries[i].application) == 0) {
            spool_entry_finish(&list->entries[i]);
        } else {
            list->entries[++kept] = list->entries[i];
        }
    }
    list->count = kept + 1;
}

static int scan_spool(struct scan *scan, int spool_fd, const char *application)
{
    char *name;
    int result;

    if (application == NULL) {
        return spool_for_each(spool_fd, scan_application, scan, scan->error);
    }
    name = text_escape_name(application);
    if (name == NULL) {
        return CAIRN_ENOMEM;
    }
    result = scan_application(spool_fd, name, scan);
    free(name);
    return result;
}

int spool_scan(const char *spool, const char *application, struct spool_list *ret_list,
               struct error *error)
{
    struct scan scan = { .error = error };
    char *absolute = realpath(spool, NULL);
    int fd, result;

    if (absolute == NULL && errno == ENOENT) {
        *ret_list = scan.list;
        return 0;
    }
    fd = absolute != NULL ? open(absolute, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd < 0) {
        int number = errno;

        free(absolute);
        return error_errno(error, number == EACCES ? CAIRN_EPERM : CAIRN_ESYSTEM, number,
                           "The spool %s cannot be read", spool);
    }
    scan.spool = absolute;
    result = scan_spool(&scan, fd, application);
    close(fd);
    free(absolute);
    if (result == CAIRN_ENOMEM) {
        error_set(error, result, "There is not enough memory to list the spool %s.", spool);
    }
    if (result != 0) {
        spool_list_finish(&scan.list);
        return result;
    }
    sort(&scan.list);
    *ret_list = scan.list;
    return 0;
}

void spool_entry_finish(struct spool_entry *entry)
{
    free(entry->application);
    free(entry->path);
    memset(entry, 0, sizeof(*entry));
}

void spool_list_finish(struct spool_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        spool_entry_finish(&list->entries[i]);
    }
    free(list->entries);
    memset(list, 0, sizeof(*list));
}

static bool is_meant(const struct spool_entry *entry, const char *id)
{
    if (strcmp(id, "latest") == 0) {
        return entry->state != SPOOL_QUARANTINE && entry->state != SPOOL_INCOMING;
    }
    return strncmp(entry->id, id, strlen(id)) == 0;
}

/* The index of the entry that `id` means, and how many it could mean. */
static size_t count_meant(const struct spool_list *list, const char *id, size_t *ret_index)
{
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (is_meant(&list->entries[i], id)) {
            *ret_index = count == 0 ? i : *ret_index; /* the newest */
            count++;
        }
    }
    return count;
}

static int no_report(const struct spool_list *list, const char *spool, struct error *error)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->entries[i].state == SPOOL_INCOMING) {
            return error_set(error, CAIRN_ENOENT,
                             "There is no report in %s yet; one is being made.", spool);
        }
    }
    return error_set(error, CAIRN_ENOENT, "There is no report in %s.", spool);
}

int spool_find(const char *spool, const char *application, const char *id,
               struct spool_entry *ret_entry, struct error *error)
{
    struct spool_list list;
    bool latest = strcmp(id, "latest") == 0;
    size_t count, index = 0;
    int result = spool_scan(spool, application, &list, error);

    if (result != 0) {
        return result;
    }
    count = count_meant(&list, id, &index);
    if (id[0] == '\0' || (count > 1 && !latest)) {
        result = error_set(error, CAIRN_EINVAL,
                           "\"%.64s\" could be any of %zu reports in %s; more digits tell which.",
                           id, count, spool);
    } else if (count == 0) {
        result = latest ? no_report(&list, spool, error)
                        : error_set(error, CAIRN_ENOENT, "There is no report \"%.64s\" in %s.", id,
                                    spool);
    } else {
        *ret_entry = list.entries[index];
        memset(&list.entries[index], 0, sizeof(list.entries[index]));
    }
    spool_list_finish(&list);
    return result;
}
