/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds a plugin's file by kind and name and opens it: never through a link, and only where nobody
 * but root and the current user can have changed it. All that follows works on the descriptor.
 * Engine, sender, tools.
 */
#include "core/plugin/internal.h"
#include "core/util/buf.h"
#include "core/util/fs.h"
#include "core/util/paths.h"
#include "core/util/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILES 1024 /* of one kind in one folder */

/* <folder>/<kind>; the folder itself may be reached by links, what lies below it not. */
static int open_kind_folder(const char *folder, enum cairn_kind kind)
{
    int parent = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd, number;

    if (parent < 0) {
        return -1;
    }
    fd = openat(parent, config_kind(kind), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    number = errno;
    close(parent);
    errno = number;
    return fd;
}

/* Non-blocking, so that a FIFO in the place of the file cannot stop us. */
static int open_file(const char *folder, enum cairn_kind kind, const char *name)
{
    char file[PLUGIN_MAX_NAME + 8];
    int parent = open_kind_folder(folder, kind);
    int fd, number;

    if (parent < 0) {
        return -1;
    }
    snprintf(file, sizeof(file), "%s.so", name);
    fd = openat(parent, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    number = errno;
    close(parent);
    errno = number;
    return fd;
}

static int check_file(int fd, const char *path, struct error *error)
{
    struct stat status;

    if (fstat(fd, &status) != 0) {
        return error_errno(error, CAIRN_ESYSTEM, errno, "%s cannot be examined", path);
    }
    if (!S_ISREG(status.st_mode)) {
        return error_set(error, CAIRN_EPERM, "%s is not a regular file.", path);
    }
    return fs_is_trusted(fd, path, error) ? 0 : CAIRN_EPERM;
}

static int open_failed(const char *path, int number, struct error *error)
{
    bool absent = number == ENOENT || number == ENOTDIR;

    if (number == ELOOP) {
        return error_set(error, CAIRN_EPERM, "%s is a symbolic link, which plugins must not be.",
                         path);
    }
    return error_errno(error, absent ? CAIRN_ENOENT : CAIRN_ESYSTEM, number, "%s cannot be opened",
                       path);
}

int plugin_open_in(const char *folder, enum cairn_kind kind, const char *name, char **ret_path,
                   struct error *error)
{
    char path[PATH_MAX];
    char *copy;
    int fd, result;

    if (!plugin_is_name(name, true)) {
        return error_set(error, CAIRN_EINVAL, "\"%s\" is not a plugin's name: [a-z][a-z0-9_-]*.",
                         name);
    }
    if (snprintf(path, sizeof(path), "%s/%s/%s.so", folder, config_kind(kind), name) >=
        (int)sizeof(path)) {
        return error_set(error, CAIRN_ETOOLONG, "The path of the plugin folder %s is too long.",
                         folder);
    }
    fd = open_file(folder, kind, name);
    if (fd < 0) {
        return open_failed(path, errno, error);
    }
    result = check_file(fd, path, error);
    copy = result == 0 ? strdup(path) : NULL;
    if (copy == NULL) {
        close(fd);
        return result < 0 ? result
                          : error_set(error, CAIRN_ENOMEM, "There is no memory to open %s.", path);
    }
    *ret_path = copy;
    return fd;
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* The name in front of ".so", or NULL when the file is not named as a plugin. */
static char *plugin_name(const char *file)
{
    size_t bytes = strlen(file);

    if (bytes <= 3 || strcmp(file + bytes - 3, ".so") != 0) {
        return NULL;
    }
    char *name = strndup(file, bytes - 3);
    if (name != NULL && !plugin_is_name(name, true)) {
        free(name);
        name = NULL;
    }
    return name;
}

char **plugin_names_in(const char *folder, enum cairn_kind kind)
{
    char **names = calloc(MAX_FILES + 1, sizeof(*names));
    int fd = open_kind_folder(folder, kind);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;
    size_t count = 0;

    if (directory == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        return names;
    }
    while (names != NULL && count < MAX_FILES && (entry = readdir(directory)) != NULL) {
        names[count] = plugin_name(entry->d_name);
        count += names[count] != NULL;
    }
    closedir(directory);
    if (count > 1) {
        qsort(names, count, sizeof(*names), by_text);
    }
    return names;
}

void plugin_names_destroy(char **names)
{
    for (char **name = names; name != NULL && *name != NULL; name++) {
        free(*name);
    }
    free(names);
}

/* " (did you mean …?)" with the name nearest to `name` in any folder. */
static void suggest_name(enum cairn_kind kind, const char *name, struct buf *text)
{
    char folder[PATH_MAX];

    for (size_t i = 0; paths_plugins(i, folder, sizeof(folder)) != NULL; i++) {
        char **names = plugin_names_in(folder, kind);
        const char *nearest = names != NULL ? text_nearest(name, (const char *const *)names) : NULL;
        if (nearest != NULL) {
            buf_printf(text, " (did you mean \"%s\"?)", nearest);
        }
        plugin_names_destroy(names);
        if (nearest != NULL) {
            return;
        }
    }
}

/* Another kind of the same name, or 0. */
static enum cairn_kind other_kind(enum cairn_kind kind, const char *name)
{
    char folder[PATH_MAX];

    for (size_t i = 0; paths_plugins(i, folder, sizeof(folder)) != NULL; i++) {
        for (enum cairn_kind other = CAIRN_KIND_FILTER; other <= CAIRN_KIND_TRANSPORT; other++) {
            int fd = other != kind ? open_file(folder, other, name) : -1;
            if (fd >= 0) {
                close(fd);
                return other;
            }
        }
    }
    return (enum cairn_kind)0;
}

static const char *with_article(enum cairn_kind kind)
{
    return kind == CAIRN_KIND_ANNOTATOR ? "an annotator"
           : kind == CAIRN_KIND_WRITER  ? "a writer"
           : kind == CAIRN_KIND_HOOK    ? "a hook"
           : kind == CAIRN_KIND_FILTER  ? "a filter"
                                        : "a transport";
}

static int absent(enum cairn_kind kind, const char *name, struct error *error)
{
    enum cairn_kind other = other_kind(kind, name);
    char folder[PATH_MAX];
    struct buf text;
    int result;

    if (other != 0) {
        return error_set(error, CAIRN_ENOENT, "There is %s named \"%s\", but no %s of that name.",
                         with_article(other), name, config_kind(kind));
    }
    buf_init(&text, sizeof(error->text));
    buf_printf(&text, "There is no %s named \"%s\"", config_kind(kind), name);
    for (size_t i = 0; paths_plugins(i, folder, sizeof(folder)) != NULL; i++) {
        buf_printf(&text, "%s%s", i == 0 ? " in " : " and ", folder);
    }
    if (secure_getenv("CAIRN_PLUGIN_PATH") != NULL && paths_are_governed()) {
        buf_printf(&text, "; CAIRN_PLUGIN_PATH does not count where there is a policy");
    }
    suggest_name(kind, name, &text);
    result = error_set(error, CAIRN_ENOENT, "%s.",
                       text.data != NULL ? text.data : "There is no plugin of that name");
    buf_finish(&text);
    return result;
}

int plugin_open(enum cairn_kind kind, const char *name, char **ret_path, struct error *error)
{
    char folder[PATH_MAX];

    for (size_t i = 0; paths_plugins(i, folder, sizeof(folder)) != NULL; i++) {
        int fd = plugin_open_in(folder, kind, name, ret_path, error);
        if (fd != CAIRN_ENOENT) {
            return fd;
        }
    }
    return absent(kind, name, error);
}
