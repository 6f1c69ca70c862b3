/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the program said of itself, out of the shared page and into the minidump: the records of
 * Cairn's stream, the string annotations of Crashpad's, and the memory that the program registered.
 * Runs in the monitor and in the clone of a crashed program: imports nothing. The page belongs to a
 * crashed process, so it is read as hostile: each field once, lengths clamped, retries bounded.
 */
#ifndef CAIRN_CORE_CRASH_RECORDS_H
#define CAIRN_CORE_CRASH_RECORDS_H

#include "core/crash/page.h"
#include "core/minidump/writer.h"

/* What the caller knows of the event, the page does not. */
struct crash_event {
    uint32_t tier;           /* 1, 2, 3 */
    uint32_t kind;           /* enum minidump_kind */
    uint32_t pid;            /* of the process that the dump is about */
    uint32_t child;          /* it is a fork child of the page's process */
    uint32_t parent;         /* of a child: its parent process */
    uint32_t foreign;        /* it is another process: the page's addresses mean nothing there */
    uint64_t wall_ns;        /* CLOCK_REALTIME of the event */
    const char *id;          /* the report's id, 36 characters */
    const char *message;     /* slot.message of a copied slot, or NULL */
    const char *tier_reason; /* why it is not tier 1, or NULL */
    size_t
        max_bytes; /* of all records, so that annotations and crumbs do not take all; 0: no cap */
};

/* Fill from crash_records_build(); its memory is the arena's. */
struct crash_records {
    struct minidump_records records;                          /* for minidump_extra.records */
    struct minidump_annotation annotations[PAGE_ANNOTATIONS]; /* for minidump_extra.annotations */
    size_t annotation_count;
};

/* A snapshot of a slot, so that it is judged and used only once; texts always end. */
void crash_copy_slot(const struct page_slot *slot, struct page_slot *ret_slot);

/* The memory that the program registered, for capture_request.regions. Returns the count. */
size_t crash_copy_regions(const struct page *page, struct capture_region ret_regions[PAGE_REGIONS]);

/* Builds records and annotations. What was being changed by the program at that moment is left out
 * and named in a note record. `records.failed` tells that memory ran out. [crash, monitor] */
void crash_records_build(const struct page *page, const struct crash_event *event,
                         struct arena *arena, struct crash_records *ret_records);

#endif
