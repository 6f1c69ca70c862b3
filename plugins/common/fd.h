/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing to the end, however small the pieces are in which the kernel does it. Runs in
 * a step of the engine or the sender.
 */
#ifndef CAIRN_PLUGINS_COMMON_FD_H
#define CAIRN_PLUGINS_COMMON_FD_H

#include <stddef.h>
#include <sys/types.h>

/* All of `data`. 0, or -1 with errno set. */
int fd_write(int fd, const void *data, size_t bytes);

/* As many bytes as there are from `offset` on, at most `bytes`; how many, or -1 with errno set. */
ssize_t fd_read(int fd, void *ret_data, size_t bytes, off_t offset);

/* The text of a small file, with NUL behind it, at most `size` - 1 bytes of it; `flags` of open(2)
 * besides those that keep it from waiting. 0, or -1 with errno set and an empty text. */
int fd_read_text(int folder, const char *path, int flags, char *ret_text, size_t size);

#endif
