/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds Cairn's own stream of records; see format.h. Runs in the monitor and in the clone of a
 * crashed program; imports nothing.
 */
#include "core/minidump/writer.h"

#include "core/capture/sys.h"
#include "core/capture/text.h"

#define FIRST_BYTES      ((size_t)16 << 10)
#define MAX_RECORD_BYTES ((size_t)64 << 20)

void minidump_records_init(struct minidump_records *records, struct arena *arena)
{
    *records = (struct minidump_records){ .arena = arena };
}

static bool make_room(struct minidump_records *records, size_t bytes)
{
    size_t wanted = records->capacity != 0 ? records->capacity : FIRST_BYTES;
    unsigned char *data;

    while (wanted < records->bytes + bytes) {
        wanted *= 2;
    }
    if (wanted == records->capacity) {
        return true;
    }
    data = arena_resize(records->arena, records->data, records->capacity, wanted);
    if (data == NULL) {
        return false;
    }
    records->data = data;
    records->capacity = wanted;
    return true;
}

static void append(struct minidump_records *records, const void *data, size_t bytes)
{
    if (bytes > 0) {
        capture_copy(records->data + records->bytes, data, bytes);
        records->bytes += bytes;
    }
}

void minidump_records_add(struct minidump_records *records, uint32_t type, const void *first,
                          size_t first_bytes, const void *second, size_t second_bytes,
                          const void *third, size_t third_bytes)
{
    struct minidump_record record = { type, 0 };
    size_t bytes;

    if (first_bytes > MAX_RECORD_BYTES || second_bytes > MAX_RECORD_BYTES ||
        third_bytes > MAX_RECORD_BYTES) {
        records->failed = 1;
        return;
    }
    bytes = first_bytes + second_bytes + third_bytes;
    if (records->failed || !make_room(records, sizeof(record) + bytes + 3)) {
        records->failed = 1;
        return;
    }
    record.bytes = (uint32_t)bytes;
    append(records, &record, sizeof(record));
    append(records, first, first_bytes);
    append(records, second, second_bytes);
    append(records, third, third_bytes);
    while (records->bytes % 4 != 0) {
        records->data[records->bytes++] = 0;
    }
}

void minidump_records_text(struct minidump_records *records, uint32_t type, const char *text)
{
    minidump_records_add(records, type, text, capture_length(text), NULL, 0, NULL, 0);
}
