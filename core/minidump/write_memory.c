/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The minidump's lists of memory: what is in the file, and what the process had mapped. Runs in the
 * monitor and in the clone of a crashed program; imports nothing.
 */
#include "core/minidump/write_parts.h"

#include "core/capture/sys.h"

#define STATE_COMMIT      0x1000u
#define TYPE_PRIVATE      0x20000u
#define TYPE_MAPPED       0x40000u
#define TYPE_IMAGE        0x1000000u
#define MAX_COMMON_BLOCKS 4096u

/* A block beyond what 32-bit offsets reach is not listed: readers refuse an entry without bytes. */
static void write_list(struct write *write)
{
    const struct capture *capture = write->capture;
    uint32_t count = 0;
    uint32_t list =
        write_room(write, sizeof(count) + capture->block_count * sizeof(struct layout_memory));

    for (size_t i = 0; i < capture->block_count; i++) {
        uint32_t at = list + (uint32_t)(sizeof(count) + count * sizeof(struct layout_memory));

        write_over(write, at, &capture->blocks[i].start, sizeof(uint64_t));
        count += write_memory_location(write, at + (uint32_t)offsetof(struct layout_memory, at),
                                       capture->blocks[i].start, capture->blocks[i].bytes) != 0;
    }
    write_over(write, list, &count, sizeof(count));
    write_stream(write, MINIDUMP_STREAM_MEMORY_LIST, list,
                 sizeof(count) + count * sizeof(struct layout_memory));
}

/* All blocks in the order of the file: only the first one's place is named. It is what follows the
 * buffer, and known to be so only at the end: the low half of the 64-bit offset is corrected then.
 */
static void write_list64(struct write *write)
{
    const struct capture *capture = write->capture;
    struct layout_memory64_header header = { capture->block_count, 0 };
    size_t bytes = sizeof(header) + capture->block_count * sizeof(struct layout_memory64);
    uint32_t list = write_room(write, bytes);

    write_over(write, list, &header, sizeof(header));
    write_fix(write, list + (uint32_t)offsetof(struct layout_memory64_header, rva));
    for (size_t i = 0; i < capture->block_count; i++) {
        struct layout_memory64 entry = { capture->blocks[i].start, capture->blocks[i].bytes };

        write_over(write, list + (uint32_t)(sizeof(header) + i * sizeof(entry)), &entry,
                   sizeof(entry));
    }
    write_stream(write, MINIDUMP_STREAM_MEMORY64_LIST, list, bytes);
}

static uint32_t windows_protection(const struct capture_mapping *mapping)
{
    static const uint32_t names[8] = {
        0x01, /* no access */
        0x02, /* read only */
        0x08, /* write only does not exist: write copy */
        0x04, /* read, write */
        0x10, /* execute */
        0x20, /* execute, read */
        0x40, /* execute, write */
        0x40, /* execute, read, write */
    };

    return names[mapping->protection & 7];
}

static void write_info(struct write *write)
{
    const struct capture *capture = write->capture;
    struct layout_memory_info_header header = { sizeof(header), sizeof(struct layout_memory_info),
                                                capture->mapping_count };
    size_t bytes = sizeof(header) + capture->mapping_count * sizeof(struct layout_memory_info);
    uint32_t list = write_room(write, bytes);

    write_over(write, list, &header, sizeof(header));
    for (size_t i = 0; i < capture->mapping_count; i++) {
        const struct capture_mapping *mapping = &capture->mappings[i];
        struct layout_memory_info entry = {
            .base = mapping->start,
            .allocation_base = mapping->start,
            .bytes = mapping->end - mapping->start,
            .state = STATE_COMMIT,
            .protection = windows_protection(mapping),
            .type = mapping->inode == 0 ? TYPE_PRIVATE
                    : mapping->shared   ? TYPE_MAPPED
                                        : TYPE_IMAGE,
        };

        entry.allocation_protection = entry.protection;
        write_over(write, list + (uint32_t)(sizeof(header) + i * sizeof(entry)), &entry,
                   sizeof(entry));
    }
    write_stream(write, MINIDUMP_STREAM_MEMORY_INFO_LIST, list, bytes);
}

void write_memory_lists(struct write *write)
{
    bool full = write->capture->request.memory == CAPTURE_FULL;

    /* Breakpad's readers fail without the list with 32-bit offsets, and with more than 4096
     * entries. */
    if (!full || write->capture->block_count <= MAX_COMMON_BLOCKS) {
        write_list(write);
    }
    if (full) {
        write_list64(write);
    }
    write_info(write);
}
