/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of capture_begin(), each in a file of its own, and what they share. Private to
 * core/capture. Runs in the monitor and in the clone of a crashed program; imports nothing.
 */
#ifndef CAIRN_CORE_CAPTURE_PARTS_H
#define CAIRN_CORE_CAPTURE_PARTS_H

#include "core/capture/capture.h"

#include <stdbool.h>

#define PAGE_BYTES 4096u

enum capture_thread_state {
    THREAD_NEW = 0,     /* found, nothing done yet */
    THREAD_SEIZED = 1,  /* traced and interrupted, has not stopped yet */
    THREAD_STOPPED = 2, /* stands still until it is released */
    THREAD_REFUSED = 3, /* exists, but may not be traced */
    THREAD_GONE = 4,    /* has ended */
};

struct range {
    uint64_t start, end;
};

/* One of many pieces of memory to read at once. `done`: bytes that have arrived at `to`, before the
 * reading too. */
struct piece {
    uint64_t address;
    unsigned char *to;
    size_t bytes, done;
};

/* threads.c: stops all threads and reads their registers. 0, or why no thread could be had. */
int threads_stop(struct capture *capture);
void threads_release(struct capture *capture);
/* The crashed thread's registers from its signal context instead of the handler's. */
void threads_use_context(struct capture *capture);

/* process.c: the files and links of /proc/PID, opened through the thread the report is about. */
int process_open(const struct capture *capture, const char *name);
void process_read_files(struct capture *capture);

/* mappings.c; linked.c: without maps, those of modules. */
void mappings_parse(struct capture *capture);
void mappings_guess(struct capture *capture);
/* The mapping that holds `address`, else the first one above it; NULL past the last. */
const struct capture_mapping *mapping_at_or_above(const struct capture *capture, uint64_t address);
static inline bool mapping_holds(const struct capture_mapping *mapping, uint64_t address)
{
    return mapping != NULL && address >= mapping->start && address < mapping->end;
}

/* memory.c */
void memory_read_pieces(struct capture *capture, struct piece *pieces, size_t count);
/* Sorts and merges `ranges`, reads what no block holds yet, and adds what arrived to the blocks. */
void memory_add_ranges(struct capture *capture, struct range *ranges, size_t count);
/* The same, but leaves the memory in the process until it is written. */
void memory_leave_ranges(struct capture *capture, struct range *ranges, size_t count);
/* Whether a captured block holds `address`. */
bool memory_is_captured(const struct capture *capture, uint64_t address);

/* choose.c: which memory is wanted, by priority, and its reading. */
void choose_memory(struct capture *capture);
/* referenced.c, full.c: more ranges, at most `budget` bytes of them. */
void choose_referenced(struct capture *capture, uint64_t budget);
void choose_full(struct capture *capture, uint64_t budget);

/* modules.c: what may be one, by the mappings, the program first; trim.c: no more of them than
 * readers take; modules.c: the details of those that remain, from the ELF headers in memory. */
void modules_find(struct capture *capture);
void modules_trim(struct capture *capture);
void modules_read(struct capture *capture);
/* linkage.c: the dynamic linker's list. */
void linkage_read(struct capture *capture);
/* The list that starts at the program's dynamic section, whose address is known. */
void linkage_follow(struct capture *capture);
/* message.c: what libc said before it aborted; exception.c: else what C++ code threw. */
void message_read(struct capture *capture);
void exception_read(struct capture *capture);
/* The value of an entry of the auxiliary vector; false if absent. */
bool auxiliary_value(const struct capture *capture, uint64_t type, uint64_t *ret_value);

#endif
