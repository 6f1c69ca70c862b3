/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The minidump's streams about the report itself: what is missing, as rust-minidump's soft errors
 * and as Cairn's records, and with the latter what the caller says. Runs in the monitor and in the
 * clone of a crashed program; imports nothing.
 */
#include "core/minidump/write_parts.h"

#include "core/capture/sys.h"
#include "core/capture/text.h"

/* Timings, and notes about what was left out of the minidump itself. */
#define OTHER_BYTES 4096u

/* JSON of one text at `to`, or only its length when `to` is NULL. */
static size_t quote(char *to, const char *text)
{
    static const char digits[] = "0123456789abcdef";
    size_t length = 0;

    for (const char *at = text; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;
        char escaped[6] = { '\\', (char)byte, '0', '0', digits[byte >> 4], digits[byte & 15] };
        size_t count = byte == '"' || byte == '\\' ? 2 : byte < 0x20 || byte == 0x7f ? 6 : 1;

        if (to != NULL) {
            escaped[1] = count == 6 ? 'u' : escaped[1];
            capture_copy(to + length, count == 1 ? at : escaped, count);
        }
        length += count;
    }
    return length;
}

static void write_soft_errors(struct write *write)
{
    const struct capture *capture = write->capture;
    size_t bytes = 2, used = 0;
    uint32_t at;
    char *to;

    if (capture->note_count == 0) {
        return;
    }
    for (size_t i = 0; i < capture->note_count; i++) {
        bytes += quote(NULL, capture->notes[i]) + (i == 0 ? 2 : 3);
    }
    at = write_room(write, bytes);
    if (write->failed) {
        return;
    }
    to = (char *)write->data + at;
    to[used++] = '[';
    for (size_t i = 0; i < capture->note_count; i++) {
        if (i > 0) {
            to[used++] = ',';
        }
        to[used++] = '"';
        used += quote(to + used, capture->notes[i]);
        to[used++] = '"';
    }
    to[used++] = ']';
    write_stream(write, MINIDUMP_STREAM_MOZ_SOFT_ERRORS, at, bytes);
}

/* The other two have standard streams that every reader knows. */
static bool is_record(const struct capture_file *file)
{
    return !capture_equal(file->name, "maps") && !capture_equal(file->name, "auxv");
}

static void add_files(struct minidump_records *records, const struct capture *capture)
{
    for (size_t i = 0; i < capture->file_count; i++) {
        const struct capture_file *file = &capture->files[i];
        struct minidump_record_file entry = { (uint32_t)capture_length(file->name),
                                              (uint32_t)file->bytes };

        if (is_record(file)) {
            minidump_records_add(records, MINIDUMP_RECORD_PROCESS_FILE, &entry, sizeof(entry),
                                 file->name, entry.name_bytes, file->content, file->bytes);
        }
    }
}

static void add_timing(struct minidump_records *records, const char *name, uint64_t from,
                       uint64_t to)
{
    struct minidump_record_timing entry = { .name_bytes = (uint32_t)capture_length(name) };

    if (from != 0 && to >= from) {
        entry.microseconds = (to - from) / 1000;
        minidump_records_add(records, MINIDUMP_RECORD_TIMING, &entry, sizeof(entry), name,
                             entry.name_bytes, NULL, 0);
    }
}

static void write_records(struct write *write)
{
    const struct capture *capture = write->capture;
    const struct minidump_records *given = write->extra != NULL ? write->extra->records : NULL;
    size_t given_bytes = given != NULL ? given->bytes : 0, room;
    struct minidump_records own;
    uint32_t at;

    minidump_records_init(&own, write->arena);
    for (size_t i = 0; i < capture->note_count; i++) {
        minidump_records_text(&own, MINIDUMP_RECORD_NOTE, capture->notes[i]);
    }
    add_timing(&own, "stop", capture->began_ns, capture->stopped_ns);
    add_timing(&own, "read", capture->stopped_ns, capture->read_ns);
    add_timing(&own, "held", capture->began_ns, capture->released_ns);
    add_files(&own, capture);
    /* What cannot be read later on is known last: room for it, of empty records if it is not
     * needed. */
    room = capture->left_bytes > 0 ? WRITE_MISSING_BYTES : 0;
    at = write_room(write, given_bytes + own.bytes + room);
    if (given_bytes > 0) {
        write_over(write, at, given->data, given_bytes);
    }
    write_over(write, at + (uint32_t)given_bytes, own.data, own.bytes);
    write->missing_at = write->failed || room == 0 ? 0 : at + (uint32_t)(given_bytes + own.bytes);
    write_stream(write, MINIDUMP_STREAM_CAIRN, at, given_bytes + own.bytes + room);
}

size_t write_own_bytes(const struct write *write)
{
    const struct capture *capture = write->capture;
    const struct minidump_records *given = write->extra != NULL ? write->extra->records : NULL;
    size_t bytes = OTHER_BYTES + (given != NULL ? given->bytes : 0);

    for (size_t i = 0; i < capture->file_count; i++) {
        if (is_record(&capture->files[i])) {
            bytes += capture->files[i].bytes + OTHER_BYTES / 64;
        }
    }
    for (size_t i = 0; i < capture->note_count; i++) {
        bytes += 3 * capture_length(capture->notes[i]);
    }
    return bytes;
}

void write_own(struct write *write)
{
    if (write->arena->failed ||
        (write->extra != NULL && write->extra->records != NULL && write->extra->records->failed)) {
        capture_note(write->capture, "There was no memory for some facts of the report.");
    }
    write_soft_errors(write);
    write_records(write);
}
