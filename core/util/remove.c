/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting a folder with its content, below a descriptor. Every process but the crashed one. */
#include "core/util/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAX_DEPTH 8 /* a report's folder has one level; more is not ours */

static int remove_below(int parent, const char *name, int depth, struct error *error);

/* Deletes the entries of the open folder; takes the descriptor over. */
static int remove_entries(int folder, const char *name, int depth, struct error *error)
{
    DIR *stream = fdopendir(folder);
    struct dirent *entry;
    int result = 0;

    if (stream == NULL) {
        int number = errno;

        close(folder);
        return error_errno(error, CAIRN_ESYSTEM, number, "The folder %s cannot be read", name);
    }
    while (result == 0 && (entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            result = remove_below(dirfd(stream), entry->d_name, depth + 1, error);
        }
    }
    closedir(stream);
    return result;
}

static int remove_below(int parent, const char *name, int depth, struct error *error)
{
    int folder, result;

    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT) {
        return 0;
    }
    if (errno != EISDIR && errno != EPERM) {
        return error_errno(error, CAIRN_ESYSTEM, errno, "%s cannot be deleted", name);
    }
    if (depth > MAX_DEPTH) {
        return error_set(error, CAIRN_EINVAL, "%s lies too deep to be part of a report.", name);
    }
    folder = fs_open_directory(parent, name, error);
    if (folder < 0) {
        return folder;
    }
    result = remove_entries(folder, name, depth, error);
    if (result == 0 && unlinkat(parent, name, AT_REMOVEDIR) != 0) {
        return error_errno(error, CAIRN_ESYSTEM, errno, "The folder %s cannot be deleted", name);
    }
    return result;
}

int fs_remove_tree(int parent, const char *name, struct error *error)
{
    return remove_below(parent, name, 0, error);
}
