/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files below directory descriptors: never followed links, complete or absent, bounded reads.
 */
#ifndef CAIRN_CORE_UTIL_FS_H
#define CAIRN_CORE_UTIL_FS_H

#include "core/util/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Opens a directory without following a link at its last component. A descriptor or a CAIRN_E…. */
int fs_open_directory(int parent, const char *name, struct error *error);
/* Creates (0700) if need be every component of an absolute path, opens the last. */
int fs_make_directories(const char *path, struct error *error);
/* Creates (0700) if need be one folder below `parent` and opens it. */
int fs_make_directory(int parent, const char *name, struct error *error);
/* Reads a whole regular file of at most `limit` bytes; NUL-terminated, the caller frees it. */
int fs_read_file(int parent, const char *name, size_t limit, char **ret_data, size_t *ret_bytes,
                 struct error *error);
int fs_read_fd(int fd, const char *name, size_t limit, char **ret_data, size_t *ret_bytes,
               struct error *error);
int fs_write_all(int fd, const void *data, size_t bytes);
/* Writes `name` complete or not at all: temporary name, rename; fsyncs file and folder. */
int fs_replace_file(int parent, const char *name, const void *data, size_t bytes,
                    struct error *error);
/* The same with permissions other than 0600, whatever the umask is. */
int fs_replace_file_mode(int parent, const char *name, mode_t mode, const void *data, size_t bytes,
                         struct error *error);
/* Deletes a folder and what it holds, bounded in depth and never following links. */
int fs_remove_tree(int parent, const char *name, struct error *error);
/* True for a file or folder that only root and the current user can change; parents included when
 * `path` is given. The error says which component and why not. */
bool fs_is_trusted(int fd, const char *path, struct error *error);

#endif
