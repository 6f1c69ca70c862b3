/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer's inside: one growing buffer for everything but memory contents, and one function per
 * group of streams. Private to core/minidump. Runs in the monitor and in the clone of a crashed
 * program; imports nothing.
 *
 * The buffer moves when it grows, so that places in it are offsets, which are the file's offsets
 * too. The memory contents follow the buffer in the file; what refers to them is entered relative
 * to their start and corrected at the end.
 */
#ifndef CAIRN_CORE_MINIDUMP_WRITE_PARTS_H
#define CAIRN_CORE_MINIDUMP_WRITE_PARTS_H

#include "core/minidump/write_layout.h"
#include "core/minidump/writer.h"

#include <stdbool.h>

#define WRITE_MAX_STREAMS   32u
#define WRITE_MISSING_BYTES 128u /* of the room at missing_at */

struct write {
    struct capture *capture;
    const struct minidump_extra *extra;
    struct arena *arena;
    unsigned char *data;
    size_t bytes, capacity;
    size_t limit;    /* of `bytes` */
    uint32_t failed; /* the buffer could not grow: the stream that is being made is given up */
    struct layout_location no_registers; /* the context of all threads that have none */
    struct layout_directory streams[WRITE_MAX_STREAMS];
    uint32_t stream_count;
    uint32_t *fixes; /* where in the buffer offsets into the memory contents stand */
    size_t fix_count, fix_capacity;
    uint64_t *block_offsets; /* of the capture's blocks, in the memory contents */
    uint64_t memory_bytes;
    uint32_t missing_at; /* room for a record about memory that could not be read, 0: none */
};

/* Room for `bytes` zero bytes, aligned to 4; its offset. On failure 0, and write->failed. */
uint32_t write_room(struct write *write, size_t bytes);
/* A copy of `data` there. */
uint32_t write_copy(struct write *write, const void *data, size_t bytes);
/* Overwrites room that was made before. */
void write_over(struct write *write, uint32_t at, const void *data, size_t bytes);
/* A MINIDUMP_STRING, in UTF-16, from at most `length` bytes of UTF-8. */
uint32_t write_string(struct write *write, const char *text, size_t length);
/* Enters a stream into the directory. */
void write_stream(struct write *write, uint32_t type, uint32_t rva, size_t bytes);
/* Remembers that the 32 bits at offset `at` count from the start of the memory contents. */
bool write_fix(struct write *write, uint32_t at);
/* Says at offset `at` where in the file the captured memory [start, start + bytes) is. Returns how
 * much of it there is from `start` on. */
uint64_t write_memory_location(struct write *write, uint32_t at, uint64_t start, uint64_t bytes);

/* Goes on after a failure, with a note that `what` is missing. */
void write_go_on(struct write *write, const char *what);

/* Drops registers, and then threads, until their lists have at most `bytes`; never the crashed one.
 */
void write_fit_threads(struct write *write, size_t bytes);
/* About how much write_own() will add. */
size_t write_own_bytes(const struct write *write);

/* The groups of streams. */
void write_threads(struct write *write);      /* thread list, thread names, exception */
void write_modules(struct write *write);      /* module list */
void write_memory_lists(struct write *write); /* memory list or 64-bit memory list, memory info */
void write_system(struct write *write);       /* system information, miscellaneous information */
void write_linux(struct write *write);        /* the text files, auxiliary vector, linkage */
void write_crashpad(struct write *write);     /* Crashpad's annotations */
void write_own(struct write *write);          /* soft errors, Cairn's records: the last ones */

#endif
