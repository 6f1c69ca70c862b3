/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded steps through a minidump's directory, lists and records; see layout.h. */
#include "plugins/writer/minidump/layout.h"

int layout_directory(struct layout_bytes dump, uint64_t *ret_offset, uint64_t *ret_count)
{
    uint64_t offset, count;

    if (dump.count < LAYOUT_HEADER_BYTES || layout_get32(dump.data) != LAYOUT_SIGNATURE) {
        return -1;
    }
    count = layout_get32(dump.data + LAYOUT_HEADER_STREAM_COUNT);
    offset = layout_get32(dump.data + LAYOUT_HEADER_DIRECTORY);
    if (offset > dump.count || count > (dump.count - offset) / LAYOUT_DIRECTORY_ENTRY_BYTES) {
        return -1;
    }
    *ret_offset = offset;
    *ret_count = count;
    return 0;
}

struct layout_bytes layout_entries(struct layout_bytes stream, size_t entry_bytes)
{
    size_t count, there, first = 4;

    if (stream.count < first) {
        return (struct layout_bytes){ stream.data, 0 };
    }
    count = layout_get32(stream.data);
    if (stream.count >= 8 && (stream.count - 8) / entry_bytes == count &&
        (stream.count - 8) % entry_bytes == 0) {
        first = 8;
    }
    there = (stream.count - first) / entry_bytes;
    return (struct layout_bytes){ stream.data + first,
                                  (count < there ? count : there) * entry_bytes };
}

int layout_record(struct layout_bytes stream, size_t *place, uint32_t *ret_type,
                  struct layout_bytes *ret_content)
{
    const unsigned char *record;
    size_t left, bytes, padded;

    if (*place > stream.count || stream.count - *place < LAYOUT_RECORD_HEADER_BYTES) {
        return 0;
    }
    record = stream.data + *place;
    left = stream.count - *place - LAYOUT_RECORD_HEADER_BYTES;
    bytes = layout_get32(record + 4);
    if (bytes > left) {
        return 0;
    }
    padded = (bytes + 3) & ~(size_t)3;
    *place += LAYOUT_RECORD_HEADER_BYTES + (padded < left ? padded : left);
    *ret_type = layout_get32(record);
    *ret_content = (struct layout_bytes){ record + LAYOUT_RECORD_HEADER_BYTES, bytes };
    return 1;
}
