/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All memory that only the process knows: what a core dump holds by default, that is anonymous
 * memory, written copies of files, and the first page of each mapped file. Runs in the monitor and
 * in the clone of a crashed program; imports nothing.
 *
 * Pages that were never touched are left out, by /proc/PID/pagemap: reading them would fill a dump
 * with gigabytes of zeros (each thread's stack has eight megabytes of them).
 */
#include "core/capture/parts.h"

#include "core/capture/sys.h"
#include "core/capture/text.h"

#define MAX_RANGES  65536u
#define ENTRIES     512u         /* of the page map, per read; they lie on the stack */
#define HAS_CONTENT (3ull << 62) /* bits 63 and 62: in memory, swapped out */

struct full {
    struct capture *capture;
    struct range *ranges;
    size_t count;
    uint64_t budget;
    int page_map;
    bool cut;
};

/* Devices and the kernel's own pages cannot be read, or reading them has effects. */
static bool is_memory(const struct capture_mapping *mapping)
{
    return (mapping->protection & PROT_READ) != 0 && !capture_starts(mapping->path, "[v") &&
           (!capture_starts(mapping->path, "/dev/") || capture_starts(mapping->path, "/dev/shm/") ||
            capture_starts(mapping->path, "/dev/zero"));
}

static void add(struct full *full, uint64_t start, uint64_t end)
{
    if (end - start > full->budget) {
        end = start + (full->budget & ~(uint64_t)(PAGE_BYTES - 1));
        full->cut = true;
    }
    if (start == end) {
        return;
    }
    full->budget -= end - start;
    if (full->count > 0 && full->ranges[full->count - 1].end == start) {
        full->ranges[full->count - 1].end = end;
    } else if (full->count < MAX_RANGES) {
        full->ranges[full->count++] = (struct range){ start, end };
    } else {
        full->cut = true;
    }
}

/* The pages of [start, end) that have content. */
static void add_touched(struct full *full, uint64_t start, uint64_t end)
{
    uint64_t entries[ENTRIES];

    while (start < end && !full->cut) {
        uint64_t pages = (end - start) / PAGE_BYTES;
        size_t bytes = (pages < ENTRIES ? pages : ENTRIES) * sizeof(entries[0]);
        long got = full->page_map < 0 ? -1
                                      : sys_pread64(full->page_map, entries, bytes,
                                                    start / PAGE_BYTES * sizeof(entries[0]));

        if (got < (long)sizeof(entries[0])) {
            add(full, start, end);
            return;
        }
        for (size_t i = 0; i < (size_t)got / sizeof(entries[0]); i++, start += PAGE_BYTES) {
            if (entries[i] & HAS_CONTENT) {
                add(full, start, start + PAGE_BYTES);
            }
        }
    }
}

static void add_mapping(struct full *full, const struct capture_mapping *mapping)
{
    if (!is_memory(mapping)) {
        return;
    }
    if (mapping->inode == 0 || (mapping->protection & PROT_WRITE) || mapping->deleted) {
        add_touched(full, mapping->start, mapping->end);
    } else if (mapping->offset == 0) {
        add(full, mapping->start, mapping->start + PAGE_BYTES);
    }
}

void choose_full(struct capture *capture, uint64_t budget)
{
    struct full full = { .capture = capture, .budget = budget };

    full.ranges = arena_array(&capture->arena, MAX_RANGES, sizeof(*full.ranges));
    if (full.ranges == NULL) {
        return;
    }
    full.page_map = process_open(capture, "pagemap");
    for (size_t i = 0; i < capture->mapping_count && !full.cut; i++) {
        add_mapping(&full, &capture->mappings[i]);
    }
    if (full.page_map >= 0) {
        sys_close(full.page_map);
    }
    if (full.cut) {
        capture_note(capture, "The size limit left out a part of the memory.");
    }
    memory_leave_ranges(capture, full.ranges, full.count);
}
