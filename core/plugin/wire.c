/* SPDX-License-Identifier: Apache-2.0 */
/* Records between a step's process and its host; see wire.h. */
#include "core/plugin/wire.h"

#include "core/util/fs.h"

#include <string.h>
#include <unistd.h>

size_t wire_send(int fd, struct wire_record record, const char *name, const void *text,
                 size_t text_bytes)
{
    static char buffer[sizeof(struct wire_record) + WIRE_MAX_NAME + WIRE_MAX_TEXT];
    size_t name_bytes = name != NULL ? strnlen(name, WIRE_MAX_NAME) : 0;
    size_t bytes = sizeof(record);

    text_bytes = text_bytes < WIRE_MAX_TEXT ? text_bytes : WIRE_MAX_TEXT;
    record.name_bytes = (uint32_t)name_bytes;
    record.text_bytes = (uint32_t)text_bytes;
    memcpy(buffer, &record, sizeof(record));
    if (name_bytes > 0) {
        memcpy(buffer + bytes, name, name_bytes);
        bytes += name_bytes;
    }
    if (text_bytes > 0) {
        memcpy(buffer + bytes, text, text_bytes);
        bytes += text_bytes;
    }
    /* A host that reads no more has given this step up and ends it; there is nobody to tell. */
    (void)fs_write_all(fd, buffer, bytes);
    return bytes;
}

ssize_t wire_fill(struct wire_reader *reader, int fd)
{
    ssize_t got;

    if (reader->start > 0) {
        memmove(reader->buffer, reader->buffer + reader->start, reader->end - reader->start);
        reader->end -= reader->start;
        reader->start = 0;
    }
    /* There is room: wire_next() leaves less than the longest record behind. */
    got = read(fd, reader->buffer + reader->end, sizeof(reader->buffer) - reader->end);
    if (got > 0) {
        reader->end += (size_t)got;
    }
    return got;
}

int wire_next(struct wire_reader *reader, struct wire_view *ret_view)
{
    const char *start = reader->buffer + reader->start;
    size_t there = reader->end - reader->start;
    struct wire_record record;

    if (there < sizeof(record)) {
        return 0;
    }
    memcpy(&record, start, sizeof(record));
    if (record.type < WIRE_LOG || record.type > WIRE_TAKE || record.name_bytes > WIRE_MAX_NAME ||
        record.text_bytes > WIRE_MAX_TEXT) {
        return -1;
    }
    size_t bytes = sizeof(record) + record.name_bytes + record.text_bytes;
    if (there < bytes) {
        return 0;
    }
    *ret_view = (struct wire_view){ record, start + sizeof(record),
                                    start + sizeof(record) + record.name_bytes };
    reader->start += bytes;
    return 1;
}
