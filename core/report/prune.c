/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The quotas of one application's spool. Reports are measured first; only when a limit is exceeded
 * are they read for their signatures and given up, in the order that spool.h promises. A report is
 * renamed out of sight before it is deleted, so that it is never seen in part. Engine, sender.
 */
#include "core/report/report_inner.h"
#include "core/report/spool_inner.h"

#include "core/util/fs.h"
#include "core/util/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct candidate {
    char id[37];
    enum spool_state state;
    uint64_t bytes;
    char signature[33]; /* "" if there is none: then it is one of its own kind */
    bool first;         /* the oldest of its signature */
    bool gone;
};

struct prune {
    int application_fd;
    int state_fds[SPOOL_STATES]; /* SPOOL_PENDING and SPOOL_DELIVERED only */
    const struct spool_limits *limits;
    struct candidate *items; /* oldest first */
    size_t count;
    uint64_t reports, bytes, dropped;
    enum spool_state state; /* while collecting */
};

static int add_bytes(int folder_fd, const char *name, void *user)
{
    uint64_t *bytes = user;
    struct stat status;

    if (fstatat(folder_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
        *bytes += (uint64_t)status.st_size;
    }
    return 0;
}

static uint64_t measure(int state_fd, const char *id)
{
    uint64_t bytes = 0;
    int folder = fs_open_directory(state_fd, id, NULL);

    if (folder >= 0) {
        spool_for_each(folder, add_bytes, &bytes, NULL);
        close(folder);
    }
    return bytes;
}

static int collect(int state_fd, const char *name, void *user)
{
    struct prune *prune = user;
    struct candidate *items;
    struct candidate item = { .state = prune->state };

    if (name[0] == '.' && strlen(name) == 37 && text_is_uuid(name + 1)) {
        fs_remove_tree(state_fd, name, NULL); /* somebody was interrupted while deleting it */
        return 0;
    }
    if (strlen(name) != 36 || !text_is_uuid(name)) {
        return 0;
    }
    items = report_grow(prune->items, prune->count, sizeof(*items));
    if (items == NULL) {
        return CAIRN_ENOMEM;
    }
    prune->items = items;
    text_copy(item.id, sizeof(item.id), name);
    item.bytes = measure(state_fd, name);
    prune->bytes += item.bytes;
    prune->reports++;
    items[prune->count++] = item;
    return 0;
}

static bool disk_is_full(const struct prune *prune)
{
    struct statvfs disk;

    return prune->limits->free_bytes != 0 && fstatvfs(prune->application_fd, &disk) == 0 &&
           (uint64_t)disk.f_bavail * disk.f_frsize < prune->limits->free_bytes;
}

static bool quota_is_exceeded(const struct prune *prune)
{
    const struct spool_limits *limits = prune->limits;

    return (limits->reports != 0 && prune->reports > limits->reports) ||
           (limits->total_bytes != 0 && prune->bytes > limits->total_bytes);
}

/* Reads the signature. What cannot be read as a report is set aside, unless somebody holds it. */
static void identify(struct prune *prune, struct candidate *item)
{
    struct report *report;
    struct error error;
    int folder = spool_lock(prune->application_fd, item->state, item->id, NULL);
    int result;

    if (folder < 0) {
        return;
    }
    result = spool_load(folder, &report, &error);
    if (result == 0) {
        text_copy(item->signature, sizeof(item->signature),
                  report->signature != NULL ? report->signature : "");
        report_destroy(report);
    } else if ((result == CAIRN_EFORMAT || result == CAIRN_ENOENT) &&
               spool_set_aside(prune->application_fd, item->state, item->id, error.text, NULL) ==
                   0) {
        item->gone = true;
        prune->reports--;
        prune->bytes -= item->bytes;
    }
    close(folder);
}

static int compare_ids(const void *first, const void *second)
{
    return strcmp(((const struct candidate *)first)->id, ((const struct candidate *)second)->id);
}

static int compare_signatures(const void *first, const void *second)
{
    const struct candidate *a = first, *b = second;
    int order = strcmp(a->signature, b->signature);

    return order != 0 ? order : compare_ids(a, b);
}

static void find_firsts(struct prune *prune)
{
    for (size_t i = 0; i < prune->count; i++) {
        identify(prune, &prune->items[i]);
    }
    qsort(prune->items, prune->count, sizeof(*prune->items), compare_signatures);
    for (size_t i = 0; i < prune->count; i++) {
        struct candidate *item = &prune->items[i];

        item->first = i == 0 || item->signature[0] == '\0' ||
                      strcmp(item->signature, item[-1].signature) != 0;
    }
    qsort(prune->items, prune->count, sizeof(*prune->items), compare_ids);
}

static void give_up(struct prune *prune, struct candidate *item)
{
    int state_fd = prune->state_fds[item->state];
    int folder = spool_lock(prune->application_fd, item->state, item->id, NULL);
    char hidden[40];

    if (folder < 0) {
        return;
    }
    snprintf(hidden, sizeof(hidden), ".%s", item->id);
    if (renameat(state_fd, item->id, state_fd, hidden) == 0) {
        fs_remove_tree(state_fd, hidden, NULL); /* what is left goes the next time */
        item->gone = true;
        prune->reports--;
        prune->bytes -= item->bytes;
        prune->dropped++;
    }
    close(folder);
}

static void give_up_all(struct prune *prune)
{
    static const struct {
        enum spool_state state;
        bool first;
        bool for_disk; /* also for the disk's free space alone */
    } order[] = {
        { SPOOL_DELIVERED, false, true },
        { SPOOL_PENDING, false, true },
        { SPOOL_DELIVERED, true, true },
        { SPOOL_PENDING, true, false },
    };

    for (size_t pass = 0; pass < sizeof(order) / sizeof(order[0]); pass++) {
        for (size_t i = 0; i + 1 < prune->count; i++) { /* the last is the newest */
            struct candidate *item = &prune->items[i];

            if (item->gone || item->state != order[pass].state ||
                item->first != order[pass].first) {
                continue;
            }
            if (!quota_is_exceeded(prune) && !(order[pass].for_disk && disk_is_full(prune))) {
                break;
            }
            give_up(prune, item);
        }
    }
}

static int collect_all(struct prune *prune, struct error *error)
{
    static const enum spool_state states[] = { SPOOL_PENDING, SPOOL_DELIVERED };
    int result = 0;

    for (size_t i = 0; result == 0 && i < sizeof(states) / sizeof(states[0]); i++) {
        int fd = spool_open_state(prune->application_fd, states[i], error);

        prune->state = states[i];
        prune->state_fds[states[i]] = fd;
        result = fd < 0 ? fd : spool_for_each(fd, collect, prune, error);
    }
    if (result == CAIRN_ENOMEM) {
        error_set(error, result, "There is not enough memory to keep the spool's limits.");
    }
    return result;
}

static void finish(struct prune *prune)
{
    for (int state = 0; state < SPOOL_STATES; state++) {
        if (prune->state_fds[state] >= 0) {
            close(prune->state_fds[state]);
        }
    }
    free(prune->items);
}

int spool_prune(int application_fd, const struct spool_limits *limits, struct error *error)
{
    struct prune prune = { .application_fd = application_fd,
                           .state_fds = { -1, -1, -1, -1 },
                           .limits = limits };
    int result = collect_all(&prune, error);

    if (result == 0 && prune.count > 0 && (quota_is_exceeded(&prune) || disk_is_full(&prune))) {
        find_firsts(&prune);
        give_up_all(&prune);
    }
    if (result == 0 && prune.dropped > 0) {
        result = spool_count_drops(application_fd, "limit", prune.dropped, error);
    }
    finish(&prune);
    return result;
}
