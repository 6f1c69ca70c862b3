/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces words on captured stacks; see sanitize.h. Runs in a step of the engine. */
#include "plugins/writer/minidump/sanitize.h"

#include "plugins/writer/minidump/layout.h"

#include <stdlib.h>

#define WORD_BYTES 8u

#define MEMORY_INFO_HEADER_BYTES 16 /* header size, entry size: 32 bits each, count: 64 bits */
#define MEMORY_INFO_BYTES        48
#define MEMORY_INFO_SIZE         24   /* where in an entry; the address is its first word */
#define MEMORY_INFO_PROTECTION   36   /* the one in force */
#define PAGE_ANY_EXECUTE         0xf0 /* PAGE_EXECUTE and its kin */

/* ---- Ranges of the process's memory ---- */

static void add_range(struct sanitizer *sanitizer, struct sanitize_ranges *ranges, uint64_t start,
                      uint64_t bytes)
{
    if (bytes == 0 || start + bytes < start || sanitizer->failed) {
        return;
    }
    if (ranges->count == ranges->capacity) {
        size_t capacity = ranges->capacity != 0 ? ranges->capacity * 2 : 64;
        struct sanitize_range *items = reallocarray(ranges->items, capacity, sizeof(*items));

        if (items == NULL) {
            sanitizer->failed = 1;
            return;
        }
        ranges->items = items;
        ranges->capacity = capacity;
    }
    ranges->items[ranges->count++] = (struct sanitize_range){ start, start + bytes };
}

static int compare_ranges(const void *left_, const void *right_)
{
    const struct sanitize_range *left = left_, *right = right_;

    return (left->start > right->start) - (left->start < right->start);
}

static void sort_ranges(struct sanitize_ranges *ranges)
{
    size_t kept = 0;

    if (ranges->count > 1) {
        qsort(ranges->items, ranges->count, sizeof(*ranges->items), compare_ranges);
    }
    for (size_t i = 0; i < ranges->count; i++) {
        struct sanitize_range *last = kept > 0 ? &ranges->items[kept - 1] : NULL;
        const struct sanitize_range next = ranges->items[i];

        if (last != NULL && next.start <= last->end) {
            last->end = next.end > last->end ? next.end : last->end;
        } else {
            ranges->items[kept++] = next;
        }
    }
    ranges->count = kept;
}

static int contains(const struct sanitize_ranges *ranges, uint64_t address)
{
    size_t low = 0, high = ranges->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (address < ranges->items[middle].start) {
            high = middle;
        } else if (address >= ranges->items[middle].end) {
            low = middle + 1;
        } else {
            return 1;
        }
    }
    return 0;
}

/* ---- Pieces of the file ---- */

static void add_piece(struct sanitizer *sanitizer, uint64_t address, uint64_t bytes,
                      uint64_t offset)
{
    if (bytes == 0 || offset > sanitizer->bytes || bytes > sanitizer->bytes - offset ||
        sanitizer->failed) {
        return;
    }
    if (sanitizer->piece_count == sanitizer->piece_capacity) {
        size_t capacity = sanitizer->piece_capacity != 0 ? sanitizer->piece_capacity * 2 : 64;
        struct sanitize_piece *pieces = reallocarray(sanitizer->pieces, capacity, sizeof(*pieces));

        if (pieces == NULL) {
            sanitizer->failed = 1;
            return;
        }
        sanitizer->pieces = pieces;
        sanitizer->piece_capacity = capacity;
    }
    sanitizer->pieces[sanitizer->piece_count++] = (struct sanitize_piece){ offset, bytes, address };
    add_range(sanitizer, &sanitizer->targets, address, bytes);
}

static int compare_pieces(const void *left_, const void *right_)
{
    const struct sanitize_piece *left = left_, *right = right_;

    return (left->offset > right->offset) - (left->offset < right->offset);
}

/* A thread's stack is in the list of memory, too: what lies in the file twice over counts once. */
static void sort_pieces(struct sanitizer *sanitizer)
{
    uint64_t end = 0;
    size_t kept = 0;

    if (sanitizer->piece_count > 1) {
        qsort(sanitizer->pieces, sanitizer->piece_count, sizeof(*sanitizer->pieces),
              compare_pieces);
    }
    for (size_t i = 0; i < sanitizer->piece_count; i++) {
        struct sanitize_piece next = sanitizer->pieces[i];
        uint64_t over = next.offset < end ? end - next.offset : 0;

        if (over >= next.bytes) {
            continue;
        }
        next.offset += over;
        next.address += over;
        next.bytes -= over;
        end = next.offset + next.bytes;
        sanitizer->pieces[kept++] = next;
    }
    sanitizer->piece_count = kept;
}

/* ---- Streams ---- */

static void take_list(struct sanitizer *sanitizer, struct layout_bytes stream, size_t entry_bytes,
                      size_t descriptor)
{
    const struct layout_bytes entries = layout_entries(stream, entry_bytes);

    for (size_t at = 0; at < entries.count; at += entry_bytes) {
        const unsigned char *memory = entries.data + at + descriptor;

        add_piece(sanitizer, layout_get64(memory), layout_get32(memory + 8),
                  layout_get32(memory + 12));
    }
}

static void take_list64(struct sanitizer *sanitizer, struct layout_bytes stream)
{
    uint64_t count, offset;

    if (stream.count < 16) {
        return;
    }
    count = layout_get64(stream.data);
    offset = layout_get64(stream.data + 8);
    for (size_t at = 16; count > 0 && stream.count - at >= LAYOUT_DESCRIPTOR64_BYTES; count--) {
        uint64_t bytes = layout_get64(stream.data + at + 8);

        add_piece(sanitizer, layout_get64(stream.data + at), bytes, offset);
        if (offset + bytes < offset) {
            return;
        }
        offset += bytes;
        at += LAYOUT_DESCRIPTOR64_BYTES;
    }
}

static void take_modules(struct sanitizer *sanitizer, struct layout_bytes stream)
{
    const struct layout_bytes entries = layout_entries(stream, LAYOUT_MODULE_BYTES);

    for (size_t at = 0; at < entries.count; at += LAYOUT_MODULE_BYTES) {
        add_range(sanitizer, &sanitizer->targets, layout_get64(entries.data + at),
                  layout_get32(entries.data + at + 8));
    }
}

static void take_memory_info(struct sanitizer *sanitizer, struct layout_bytes stream)
{
    if (stream.count < MEMORY_INFO_HEADER_BYTES ||
        layout_get32(stream.data) != MEMORY_INFO_HEADER_BYTES ||
        layout_get32(stream.data + 4) != MEMORY_INFO_BYTES) {
        return;
    }
    for (size_t at = MEMORY_INFO_HEADER_BYTES; stream.count - at >= MEMORY_INFO_BYTES;
         at += MEMORY_INFO_BYTES) {
        const unsigned char *entry = stream.data + at;

        if ((layout_get32(entry + MEMORY_INFO_PROTECTION) & PAGE_ANY_EXECUTE) != 0) {
            uint64_t start = layout_get64(entry), bytes = layout_get64(entry + MEMORY_INFO_SIZE);

            add_range(sanitizer, &sanitizer->targets, start, bytes);
            add_range(sanitizer, &sanitizer->kept, start, bytes);
        }
    }
}

static void take_records(struct sanitizer *sanitizer, struct layout_bytes stream)
{
    struct layout_bytes content;
    size_t place = 0;
    uint32_t type;

    while (layout_record(stream, &place, &type, &content)) {
        if (type == LAYOUT_RECORD_REGION && content.count >= 16) {
            add_range(sanitizer, &sanitizer->kept, layout_get64(content.data),
                      layout_get64(content.data + 8));
        }
    }
}

static void take_stream(struct sanitizer *sanitizer, const unsigned char *entry)
{
    uint32_t bytes = layout_get32(entry + 4), offset = layout_get32(entry + 8);
    struct layout_bytes stream = { NULL, bytes };

    if (offset > sanitizer->bytes || bytes > sanitizer->bytes - offset) {
        return;
    }
    stream.data = sanitizer->dump + offset;
    switch (layout_get32(entry)) {
    case LAYOUT_THREAD_LIST:
        take_list(sanitizer, stream, LAYOUT_THREAD_BYTES, LAYOUT_THREAD_STACK);
        break;
    case LAYOUT_MEMORY_LIST:
        take_list(sanitizer, stream, LAYOUT_DESCRIPTOR_BYTES, 0);
        break;
    case LAYOUT_MEMORY64_LIST:
        take_list64(sanitizer, stream);
        break;
    case LAYOUT_MODULE_LIST:
        take_modules(sanitizer, stream);
        break;
    case LAYOUT_MEMORY_INFO_LIST:
        take_memory_info(sanitizer, stream);
        break;
    case LAYOUT_CAIRN:
        take_records(sanitizer, stream);
        break;
    }
}

int sanitize_init(struct sanitizer *sanitizer, const unsigned char *dump, size_t bytes)
{
    uint64_t directory, count;

    *sanitizer = (struct sanitizer){ .dump = dump, .bytes = bytes };
    if (layout_directory((struct layout_bytes){ dump, bytes }, &directory, &count) != 0) {
        return 0; /* nothing in it is known to be memory */
    }
    for (uint64_t i = 0; i < count; i++) {
        take_stream(sanitizer, dump + directory + i * LAYOUT_DIRECTORY_ENTRY_BYTES);
    }
    sort_pieces(sanitizer);
    sort_ranges(&sanitizer->targets);
    sort_ranges(&sanitizer->kept);
    return sanitizer->failed ? -1 : 0;
}

void sanitize_finish(struct sanitizer *sanitizer)
{
    free(sanitizer->pieces);
    free(sanitizer->targets.items);
    free(sanitizer->kept.items);
    *sanitizer = (struct sanitizer){ .dump = NULL };
}

const struct sanitize_piece *sanitize_next(const struct sanitizer *sanitizer, uint64_t offset)
{
    size_t low = 0, high = sanitizer->piece_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct sanitize_piece *piece = &sanitizer->pieces[middle];

        if (piece->offset + piece->bytes > offset) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low < sanitizer->piece_count ? &sanitizer->pieces[low] : NULL;
}

/* ---- Words ---- */

static uint64_t clean(const struct sanitizer *sanitizer, uint64_t address, uint64_t word)
{
    int stays = word + SANITIZE_SMALL <= 2 * SANITIZE_SMALL ||
                contains(&sanitizer->targets, word) || contains(&sanitizer->kept, address);

    return stays ? word : SANITIZE_DEFACED;
}

/* The word at an aligned `address`, some bytes of which are in the piece. One that is cut off by
 * the piece's end tells nothing. */
static uint64_t word_at(const struct sanitizer *sanitizer, const struct sanitize_piece *piece,
                        uint64_t address)
{
    uint64_t into = address - piece->address; /* wraps before the piece's begin */

    if (into > piece->bytes || piece->bytes - into < WORD_BYTES) {
        return SANITIZE_DEFACED;
    }
    return clean(sanitizer, address, layout_get64(sanitizer->dump + piece->offset + into));
}

void sanitize_copy(const struct sanitizer *sanitizer, const struct sanitize_piece *piece,
                   uint64_t offset, size_t bytes, unsigned char *to)
{
    uint64_t address = piece->address + (offset - piece->offset);

    while (bytes > 0) {
        size_t into = address % WORD_BYTES;
        size_t part = WORD_BYTES - into < bytes ? WORD_BYTES - into : bytes;
        uint64_t word = word_at(sanitizer, piece, address - into);

        memcpy(to, (const unsigned char *)&word + into, part);
        address += part;
        to += part;
        bytes -= part;
    }
}
