/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a captured minidump must not be kept: the bytes of data classes that were captured for
 * another plugin, or that happen to lie on a stack. The result is a list of holes to write as
 * zeros; the dump stays valid, since a directory entry and a record of zeros are unused ones. Runs
 * in a step of the engine; the dump is hostile.
 */
#ifndef CAIRN_PLUGINS_WRITER_MINIDUMP_REDUCE_H
#define CAIRN_PLUGINS_WRITER_MINIDUMP_REDUCE_H

#include "plugins/writer/minidump/layout.h"

#include <cairn/plugin.h>

#include <stddef.h>
#include <stdint.h>

#define REDUCE_COMMAND_LINE (1u << 0)
#define REDUCE_ENVIRONMENT  (1u << 1)
#define REDUCE_DESCRIPTORS  (1u << 2)
#define REDUCE_ALL          7u

struct holes {
    struct cairn_hole *items; /* sorted by offset, not overlapping; freed by the caller */
    size_t count, capacity;
    int failed; /* no memory for one of them */
};

/* One more hole; and the record whose content lies there. After all have been added, they have to
 * be sorted. */
void reduce_add(struct holes *holes, uint64_t offset, uint64_t bytes);
void reduce_add_record(struct holes *holes, uint64_t offset, uint64_t bytes);
/* Holes for all that the file has of `bytes` bytes of the process's memory from `start` on. */
void reduce_add_memory(struct holes *holes, struct layout_bytes dump, uint64_t start,
                       uint64_t bytes);
void reduce_sort(struct holes *holes);

/* Finds the holes for the data classes in `classes`. `stat` is the text of the process's
 * /proc/PID/stat, or NULL: it tells where on the stack the kernel put arguments and environment.
 * 0; -1: not a minidump; -2: no memory. */
int reduce_find(const unsigned char *dump, size_t bytes, unsigned classes, const char *stat,
                struct holes *ret_holes);

#endif
