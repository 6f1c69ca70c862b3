/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds what a kept minidump must not hold; see reduce.h. The few constants of the format are
 * stated here anew because plugins see no header of Cairn's core: minidumpapiset.h for header,
 * directory and lists, Breakpad's minidump_format.h for 0x4767…, core/minidump/format.h for Cairn's
 * own records.
 */
#include "plugins/writer/minidump/reduce.h"

#include <stdlib.h>
#include <string.h>

#define SIGNATURE             0x504d444du /* "MDMP" */
#define HEADER_BYTES          32
#define HEADER_STREAM_COUNT   8 /* where in the header */
#define HEADER_DIRECTORY      12
#define DIRECTORY_ENTRY_BYTES 12 /* type, size, offset: 32 bits each */

#define STREAM_THREAD_LIST   3u
#define STREAM_MEMORY_LIST   5u
#define STREAM_MEMORY64_LIST 9u
#define STREAM_COMMAND_LINE  0x47670006u
#define STREAM_ENVIRONMENT   0x47670007u
#define STREAM_CAIRN         0x43524e01u

#define THREAD_BYTES       48
#define THREAD_STACK       24 /* where in a thread its memory descriptor lies */
#define DESCRIPTOR_BYTES   16 /* address (64 bits), size, offset: 32 bits each */
#define DESCRIPTOR64_BYTES 16 /* address, size: 64 bits each; contents follow one another */

#define RECORD_HEADER_BYTES 8   /* type, bytes; the next record begins at a multiple of 4 */
#define RECORD_PROCESS_FILE 12u /* name_bytes, content_bytes, name, content */

struct bytes {
    const unsigned char *data;
    size_t count;
};

struct range {
    uint64_t start, end; /* addresses in the process */
};

struct search {
    struct bytes dump;
    unsigned classes;
    struct range ranges[2]; /* arguments, environment; empty when they may stay */
    struct holes *holes;
};

static uint32_t get32(const unsigned char *data)
{
    uint32_t value;

    memcpy(&value, data, sizeof(value));
    return value;
}

static uint64_t get64(const unsigned char *data)
{
    uint64_t value;

    memcpy(&value, data, sizeof(value));
    return value;
}

static void add_hole(struct holes *holes, uint64_t offset, uint64_t bytes)
{
    if (holes->count == holes->capacity) {
        size_t capacity = holes->capacity != 0 ? holes->capacity * 2 : 16;
        struct hole *items = reallocarray(holes->items, capacity, sizeof(*items));

        if (items == NULL) {
            holes->failed = 1;
            return;
        }
        holes->items = items;
        holes->capacity = capacity;
    }
    holes->items[holes->count++] = (struct hole){ offset, bytes };
}

/* A hole for what `bytes` bytes of memory from `address` on, stored at `offset`, share with
 * `range`. */
static void clear_shared(struct search *search, uint64_t address, uint64_t bytes, uint64_t offset,
                         const struct range *range)
{
    uint64_t start = address > range->start ? address : range->start;
    uint64_t end = address + bytes < range->end ? address + bytes : range->end;

    if (start < end) {
        add_hole(search->holes, offset + (start - address), end - start);
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
    clear_memory(search, get64(descriptor), get32(descriptor + 8), get32(descriptor + 12));
}

/* Lists of a 32-bit count and entries; some writers pad the count to 64 bits. */
static void clear_list(struct search *search, struct bytes stream, size_t entry_bytes,
                       size_t descriptor)
{
    size_t count, first = 4;

    if (stream.count < first) {
        return;
    }
    count = get32(stream.data);
    if (stream.count >= 8 && (stream.count - 8) / entry_bytes == count &&
        (stream.count - 8) % entry_bytes == 0) {
        first = 8;
    }
    for (size_t i = 0; i < count && i < (stream.count - first) / entry_bytes; i++) {
        clear_descriptor(search, stream.data + first + i * entry_bytes + descriptor);
    }
}

static void clear_list64(struct search *search, struct bytes stream)
{
    uint64_t count, offset;

    if (stream.count < 16) {
        return;
    }
    count = get64(stream.data);
    offset = get64(stream.data + 8);
    for (uint64_t i = 0; i < count && i < (stream.count - 16) / DESCRIPTOR64_BYTES; i++) {
        const unsigned char *descriptor = stream.data + 16 + i * DESCRIPTOR64_BYTES;
        uint64_t bytes = get64(descriptor + 8);

        clear_memory(search, get64(descriptor), bytes, offset);
        if (offset + bytes < offset) {
            return;
        }
        offset += bytes;
    }
}

static int is_dropped_file(const struct search *search, struct bytes name)
{
    if (name.count == 7 && memcmp(name.data, "cmdline", 7) == 0) {
        return (search->classes & REDUCE_COMMAND_LINE) != 0;
    }
    if (name.count == 7 && memcmp(name.data, "environ", 7) == 0) {
        return (search->classes & REDUCE_ENVIRONMENT) != 0;
    }
    return 0;
}

/* Cairn's own stream: a record of type 0 is skipped by readers, its content becomes zeros. */
static void clear_records(struct search *search, struct bytes stream)
{
    size_t place = 0;

    while (stream.count - place >= RECORD_HEADER_BYTES) {
        const unsigned char *record = stream.data + place;
        size_t bytes = get32(record + 4), padded = (bytes + 3) & ~(size_t)3;
        const unsigned char *content = record + RECORD_HEADER_BYTES;

        if (bytes > stream.count - place - RECORD_HEADER_BYTES) {
            return;
        }
        if (get32(record) == RECORD_PROCESS_FILE && bytes >= 8 && get32(content) <= bytes - 8 &&
            is_dropped_file(search, (struct bytes){ content + 8, get32(content) })) {
            size_t offset = (size_t)(record - search->dump.data);

            add_hole(search->holes, offset, 4);
            add_hole(search->holes, offset + RECORD_HEADER_BYTES, bytes);
        }
        if (padded > stream.count - place - RECORD_HEADER_BYTES) {
            return;
        }
        place += RECORD_HEADER_BYTES + padded;
    }
}

static int is_dropped_stream(const struct search *search, uint32_t type)
{
    return (type == STREAM_COMMAND_LINE && (search->classes & REDUCE_COMMAND_LINE) != 0) ||
           (type == STREAM_ENVIRONMENT && (search->classes & REDUCE_ENVIRONMENT) != 0);
}

static void clear_stream(struct search *search, const unsigned char *entry)
{
    uint32_t type = get32(entry), bytes = get32(entry + 4), offset = get32(entry + 8);
    struct bytes stream = { NULL, bytes };

    if (is_dropped_stream(search, type)) {
        add_hole(search->holes, (uint64_t)(entry - search->dump.data), DIRECTORY_ENTRY_BYTES);
    }
    if (offset > search->dump.count || bytes > search->dump.count - offset) {
        return;
    }
    stream.data = search->dump.data + offset;
    if (is_dropped_stream(search, type)) {
        add_hole(search->holes, offset, bytes);
    } else if (type == STREAM_CAIRN) {
        clear_records(search, stream);
    } else if (type == STREAM_THREAD_LIST) {
        clear_list(search, stream, THREAD_BYTES, THREAD_STACK);
    } else if (type == STREAM_MEMORY_LIST) {
        clear_list(search, stream, DESCRIPTOR_BYTES, 0);
    } else if (type == STREAM_MEMORY64_LIST) {
        clear_list64(search, stream);
    }
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
    const struct hole *left = left_, *right = right_;

    return (left->offset > right->offset) - (left->offset < right->offset);
}

static void sort_and_merge(struct holes *holes)
{
    size_t kept = 0;

    if (holes->count > 1) {
        qsort(holes->items, holes->count, sizeof(*holes->items), compare_holes);
    }
    for (size_t i = 0; i < holes->count; i++) {
        struct hole *last = kept > 0 ? &holes->items[kept - 1] : NULL;
        const struct hole next = holes->items[i];

        if (last != NULL && next.offset <= last->offset + last->bytes) {
            uint64_t end = next.offset + next.bytes;

            last->bytes = end > last->offset + last->bytes ? end - last->offset : last->bytes;
        } else {
            holes->items[kept++] = next;
        }
    }
    holes->count = kept;
}

int reduce_find(const unsigned char *dump, size_t bytes, unsigned classes, const char *stat,
                struct holes *ret_holes)
{
    struct holes holes = { NULL, 0, 0, 0 };
    struct search search = { .dump = { dump, bytes }, .classes = classes, .holes = &holes };
    uint64_t count, directory;

    if (bytes < HEADER_BYTES || get32(dump) != SIGNATURE) {
        return -1;
    }
    count = get32(dump + HEADER_STREAM_COUNT);
    directory = get32(dump + HEADER_DIRECTORY);
    if (directory > bytes || count > (bytes - directory) / DIRECTORY_ENTRY_BYTES) {
        return -1;
    }
    find_ranges(stat, &search);
    for (uint64_t i = 0; i < count; i++) {
        clear_stream(&search, dump + directory + i * DIRECTORY_ENTRY_BYTES);
    }
    if (holes.failed) {
        free(holes.items);
        return -2;
    }
    sort_and_merge(&holes);
    *ret_holes = holes;
    return 0;
}
