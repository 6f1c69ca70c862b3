/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds what a kept minidump must not hold; see reduce.h. Runs in a step of the engine.
 */
#include "plugins/writer/minidump/reduce.h"

#include <stdlib.h>
#include <string.h>

struct range {
    uint64_t start, end; /* addresses in the process */
};

struct search {
    struct layout_bytes dump;
    unsigned classes;
    struct range ranges[2]; /* what must go: arguments, environment; empty when they may stay */
    struct holes *holes;
};

void reduce_add(struct holes *holes, uint64_t offset, uint64_t bytes)
{
    if (holes->count == holes->capacity) {
        size_t capacity = holes->capacity != 0 ? holes->capacity * 2 : 16;
        struct cairn_hole *items = reallocarray(holes->items, capacity, sizeof(*items));

        if (items == NULL) {
            holes->failed = 1;
            return;
        }
        holes->items = items;
        holes->capacity = capacity;
    }
    holes->items[holes->count++] = (struct cairn_hole){ offset, bytes };
}

/* A record of type 0 is skipped by readers, its content becomes zeros. */
void reduce_add_record(struct holes *holes, uint64_t offset, uint64_t bytes)
{
    reduce_add(holes, offset - LAYOUT_RECORD_HEADER_BYTES, 4);
    reduce_add(holes, offset, bytes);
}

/* A hole for what `bytes` bytes of memory from `address` on, stored at `offset`, share with
 * `range`. */
static void clear_shared(struct search *search, uint64_t address, uint64_t bytes, uint64_t offset,
                         const struct range *range)
{
    uint64_t start = address > range->start ? address : range->start;
    uint64_t end = address + bytes < range->end ? address + bytes : range->end;

    if (start < end) {
        reduce_add(search->holes, offset + (start - address), end - start);
    }
}

static void clear_memory(struct search *search, uint64_t address, uint64_t bytes, uint64_t offset)
{
    if (offset > search->dump.count || bytes > search->dump.count - offset ||
        address + bytes < address) {
        return; /* not in the file at all */
    }
    for (size_t i = 0; i < 2; i++) {
        clear_shared(search, address, bytes, offset, &search->ranges[i]);
    }
}

static void clear_descriptor(struct search *search, const unsigned char *descriptor)
{
    clear_memory(search, layout_get64(descriptor), layout_get32(descriptor + 8),
                 layout_get32(descriptor + 12));
}

static void clear_list(struct search *search, struct layout_bytes stream, size_t entry_bytes,
                       size_t descriptor)
{
    const struct layout_bytes entries = layout_entries(stream, entry_bytes);

    for (size_t at = 0; at < entries.count; at += entry_bytes) {
        clear_descriptor(search, entries.data + at + descriptor);
    }
}

static void clear_list64(struct search *search, struct layout_bytes stream)
{
    uint64_t count, offset;

    if (stream.count < 16) {
        return;
    }
    count = layout_get64(stream.data);
    offset = layout_get64(stream.data + 8);
    for (uint64_t i = 0; i < count && i < (stream.count - 16) / LAYOUT_DESCRIPTOR64_BYTES; i++) {
        const unsigned char *descriptor = stream.data + 16 + i * LAYOUT_DESCRIPTOR64_BYTES;
        uint64_t bytes = layout_get64(descriptor + 8);

        clear_memory(search, layout_get64(descriptor), bytes, offset);
        if (offset + bytes < offset) {
            return;
        }
        offset += bytes;
    }
}

static int is_dropped_file(const struct search *search, struct layout_bytes name)
{
    if (name.count == 7 && memcmp(name.data, "cmdline", 7) == 0) {
        return (search->classes & REDUCE_COMMAND_LINE) != 0;
    }
    if (name.count == 7 && memcmp(name.data, "environ", 7) == 0) {
        return (search->classes & REDUCE_ENVIRONMENT) != 0;
    }
    return 0;
}

/* Cairn's own stream. */
static void clear_records(struct search *search, struct layout_bytes stream)
{
    struct layout_bytes content;
    size_t place = 0;
    uint32_t type;

    while (layout_record(stream, &place, &type, &content)) {
        const unsigned char *data = content.data;

        if (type == LAYOUT_RECORD_PROCESS_FILE && content.count >= 8 &&
            layout_get32(data) <= content.count - 8 &&
            is_dropped_file(search, (struct layout_bytes){ data + 8, layout_get32(data) })) {
            reduce_add_record(search->holes, (uint64_t)(data - search->dump.data), content.count);
        }
    }
}

static int is_dropped_stream(const struct search *search, uint32_t type)
{
    return (type == LAYOUT_COMMAND_LINE && (search->classes & REDUCE_COMMAND_LINE) != 0) ||
           (type == LAYOUT_ENVIRONMENT && (search->classes & REDUCE_ENVIRONMENT) != 0) ||
           (type == LAYOUT_HANDLE_DATA && (search->classes & REDUCE_DESCRIPTORS) != 0);
}

static void clear_stream(struct search *search, const unsigned char *entry)
{
    uint32_t type = layout_get32(entry), bytes = layout_get32(entry + 4),
             offset = layout_get32(entry + 8);
    struct layout_bytes stream = { NULL, bytes };

    if (is_dropped_stream(search, type)) {
        reduce_add(search->holes, (uint64_t)(entry - search->dump.data),
                   LAYOUT_DIRECTORY_ENTRY_BYTES);
    }
    if (offset > search->dump.count || bytes > search->dump.count - offset) {
        return;
    }
    stream.data = search->dump.data + offset;
    if (is_dropped_stream(search, type)) {
        reduce_add(search->holes, offset, bytes);
    } else if (type == LAYOUT_CAIRN) {
        clear_records(search, stream);
    } else if (type == LAYOUT_THREAD_LIST) {
        clear_list(search, stream, LAYOUT_THREAD_BYTES, LAYOUT_THREAD_STACK);
    } else if (type == LAYOUT_MEMORY_LIST) {
        clear_list(search, stream, LAYOUT_DESCRIPTOR_BYTES, 0);
    } else if (type == LAYOUT_MEMORY64_LIST) {
        clear_list64(search, stream);
    }
}

/* 0, or -1: not a minidump. */
static int clear_streams(struct search *search)
{
    uint64_t count, directory;

    if (layout_directory(search->dump, &directory, &count) != 0) {
        return -1;
    }
    for (uint64_t i = 0; i < count; i++) {
        clear_stream(search, search->dump.data + directory + i * LAYOUT_DIRECTORY_ENTRY_BYTES);
    }
    return 0;
}

/* Skips to the given field of stat; behind the last ")", since a name may hold anything. */
static const char *find_field(const char *stat, int wanted)
{
    const char *place = stat != NULL ? strrchr(stat, ')') : NULL;

    for (int field = 2; place != NULL && field < wanted; field++) {
        place = strchr(place, ' ');
        place = place != NULL ? place + 1 : NULL;
    }
    return place;
}

/* Fields 48 to 51: arg_start, arg_end, env_start, env_end (zeros without the right to know). */
static void find_ranges(const char *stat, struct search *search)
{
    const char *place = find_field(stat, 48);
    uint64_t fields[4];

    for (size_t i = 0; i < 4; i++) {
        char *end = NULL;

        fields[i] = place != NULL ? strtoull(place, &end, 10) : 0;
        if (end == place) {
            return;
        }
        place = end;
    }
    if ((search->classes & REDUCE_COMMAND_LINE) != 0) {
        search->ranges[0] = (struct range){ fields[0], fields[1] };
    }
    if ((search->classes & REDUCE_ENVIRONMENT) != 0) {
        search->ranges[1] = (struct range){ fields[2], fields[3] };
    }
}

static int compare_holes(const void *left_, const void *right_)
{
    const struct cairn_hole *left = left_, *right = right_;

    return (left->offset > right->offset) - (left->offset < right->offset);
}

void reduce_sort(struct holes *holes)
{
    size_t kept = 0;

    if (holes->count > 1) {
        qsort(holes->items, holes->count, sizeof(*holes->items), compare_holes);
    }
    for (size_t i = 0; i < holes->count; i++) {
        struct cairn_hole *last = kept > 0 ? &holes->items[kept - 1] : NULL;
        const struct cairn_hole next = holes->items[i];

        if (last != NULL && next.offset <= last->offset + last->bytes) {
            uint64_t end = next.offset + next.bytes;

            last->bytes = end > last->offset + last->bytes ? end - last->offset : last->bytes;
        } else {
            holes->items[kept++] = next;
        }
    }
    holes->count = kept;
}

void reduce_add_memory(struct holes *holes, struct layout_bytes dump, uint64_t start,
                       uint64_t bytes)
{
    uint64_t end = bytes <= UINT64_MAX - start ? start + bytes : UINT64_MAX;
    struct search search = { .dump = dump, .ranges = { { start, end } }, .holes = holes };

    clear_streams(&search);
}

int reduce_find(const unsigned char *dump, size_t bytes, unsigned classes, const char *stat,
                struct holes *ret_holes)
{
    struct holes holes = { NULL, 0, 0, 0 };
    struct search search = { .dump = { dump, bytes }, .classes = classes, .holes = &holes };

    find_ranges(stat, &search);
    if (clear_streams(&search) != 0) {
        return -1;
    }
    if (holes.failed) {
        free(holes.items);
        return -2;
    }
    reduce_sort(&holes);
    *ret_holes = holes;
    return 0;
}
