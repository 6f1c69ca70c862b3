/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A minidump that is larger than its room: which of its memory stays, by priority, and the new
 * file's beginning, which says where that lies. The order is the one in which memory is captured:
 * the crashed thread's stack, small pieces and what the program registered, the other threads'
 * stacks, the rest. Runs in a step of the engine; the dump is hostile.
 */
#ifndef CAIRN_PLUGINS_WRITER_MINIDUMP_SHRINK_H
#define CAIRN_PLUGINS_WRITER_MINIDUMP_SHRINK_H

#include <stddef.h>
#include <stdint.h>

/* Memory of the process in the old file; [from, to) within it stays, and lies at `place`. */
struct shrink_piece {
    uint64_t offset, bytes, address;
    uint64_t from, to, place;
};

struct shrink {
    unsigned char *head; /* what precedes the memory contents, corrected */
    size_t head_bytes;
    struct shrink_piece *pieces; /* by offset */
    size_t count;
    uint64_t bytes; /* of the new file */
    uint64_t lost;  /* bytes of memory that are not in it */
};

enum shrink_result {
    SHRINK_DONE = 0,
    SHRINK_NO_MEMORY = -1,
    SHRINK_IMPOSSIBLE = -2, /* a layout in which memory is not the end of the file */
    SHRINK_NO_ROOM = -3,    /* not even without any memory */
};

/* Makes a plan for a new file of at most `room` bytes. To be finished after SHRINK_DONE. */
enum shrink_result shrink_init(struct shrink *shrink, const unsigned char *dump, size_t bytes,
                               uint64_t room);
void shrink_finish(struct shrink *shrink);

#endif
