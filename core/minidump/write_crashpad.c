/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The minidump's stream of string annotations, as Crashpad writes it, so that every tool that knows
 * Crashpad's dumps shows them. Runs in the monitor and in the clone of a crashed program; imports
 * nothing.
 */
#include "core/minidump/write_parts.h"

#include "core/capture/sys.h"
#include "core/capture/text.h"

static uint32_t write_utf8(struct write *write, const char *text)
{
    uint32_t length = (uint32_t)capture_length(text);
    uint32_t at = write_room(write, sizeof(length) + length + 1);

    write_over(write, at, &length, sizeof(length));
    write_over(write, at + (uint32_t)sizeof(length), text, length);
    return at;
}

static struct layout_location write_pairs(struct write *write)
{
    const struct minidump_extra *extra = write->extra;
    uint32_t count = (uint32_t)extra->annotation_count;
    struct layout_location at = {
        (uint32_t)(sizeof(count) + count * sizeof(struct layout_crashpad_pair)), 0
    };

    at.rva = write_room(write, at.bytes);
    write_over(write, at.rva, &count, sizeof(count));
    for (uint32_t i = 0; i < count; i++) {
        struct layout_crashpad_pair pair;

        pair.name_rva = write_utf8(write, extra->annotations[i].name);
        pair.value_rva = write_utf8(write, extra->annotations[i].value);
        write_over(write, at.rva + (uint32_t)(sizeof(count) + i * sizeof(pair)), &pair,
                   sizeof(pair));
    }
    return at;
}

/* The text's bytes are big endian, the structure's numbers are little endian. */
static struct layout_uuid to_uuid(const unsigned char *text)
{
    struct layout_uuid uuid;

    uuid.a = (uint32_t)text[0] << 24 | (uint32_t)text[1] << 16 | (uint32_t)text[2] << 8 | text[3];
    uuid.b = (uint16_t)(text[4] << 8 | text[5]);
    uuid.c = (uint16_t)(text[6] << 8 | text[7]);
    capture_copy(uuid.d, text + 8, sizeof(uuid.d));
    return uuid;
}

void write_crashpad(struct write *write)
{
    struct layout_crashpad info = { .version = 1 };

    if (write->extra == NULL) {
        return;
    }
    info.report_id = to_uuid(write->extra->report_id);
    if (write->extra->annotation_count > 0) {
        info.annotations = write_pairs(write);
    }
    write_stream(write, MINIDUMP_STREAM_CRASHPAD_INFO, write_copy(write, &info, sizeof(info)),
                 sizeof(info));
}
