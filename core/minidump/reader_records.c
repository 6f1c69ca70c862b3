/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cairn's own records, files of /proc under one name whichever reporter wrote them, and Crashpad's
 * annotations: those of the process, then those of each module. Engine, sender, tools.
 */
#include "core/minidump/reader_inner.h"

#include <stdlib.h>

#define FILE_NAME_BYTES        64
#define ANNOTATION_NAME_BYTES  256
#define ANNOTATION_VALUE_BYTES (64u * 1024)
#define ANNOTATION_STRING      1 /* Crashpad's type of an annotation object */
#define CRASHPAD_MAX_MODULES   4096

bool minidump_record_next(const struct minidump *dump, size_t *cursor,
                          struct minidump_record_view *ret_record)
{
    const void *data;
    const unsigned char *head;
    size_t bytes, rest, padded;

    if (!minidump_stream(dump, MINIDUMP_STREAM_CAIRN, &data, &bytes) || *cursor > bytes ||
        bytes - *cursor < sizeof(struct minidump_record)) {
        return false;
    }
    head = (const unsigned char *)data + *cursor;
    rest = bytes - *cursor - sizeof(struct minidump_record);
    ret_record->type = reader_u32(head);
    ret_record->bytes = reader_u32(head + 4);
    ret_record->data = head + sizeof(struct minidump_record);
    if (ret_record->bytes > rest) {
        return false;
    }
    padded = ((size_t)ret_record->bytes + 3) & ~(size_t)3;
    *cursor += sizeof(struct minidump_record) + (padded < rest ? padded : rest);
    return true;
}

static void add_file(struct minidump *dump, const char *name, const void *data, size_t bytes)
{
    const char *known;
    size_t known_bytes;
    char *text;

    if (dump->file_count == READER_MAX_FILES || bytes >= READER_MAX_TEXT ||
        minidump_process_file(dump, name, &known, &known_bytes)) {
        return;
    }
    text = reader_allocate(dump, bytes + 1);
    if (text != NULL) {
        memcpy(text, data, bytes);
        text[bytes] = '\0';
        dump->files[dump->file_count++] = (struct reader_file){ name, text, bytes };
    }
}

static void add_recorded_file(struct minidump *dump, const struct minidump_record_view *record)
{
    const size_t head = sizeof(struct minidump_record_file);
    uint32_t name_bytes, content_bytes;

    if (record->bytes < head) {
        return;
    }
    name_bytes = reader_u32(record->data);
    content_bytes = reader_u32(record->data + 4);
    if (name_bytes == 0 || name_bytes > FILE_NAME_BYTES || name_bytes > record->bytes - head ||
        content_bytes > record->bytes - head - name_bytes) {
        return;
    }
    add_file(dump, reader_copy(dump, record->data + head, name_bytes),
             record->data + head + name_bytes, content_bytes);
}

void reader_read_files(struct minidump *dump)
{
    static const struct {
        uint32_t type;
        const char *name;
    } standard[] = {
        { MINIDUMP_STREAM_LINUX_PROC_STATUS, "status" },
        { MINIDUMP_STREAM_LINUX_MAPS, "maps" },
        { MINIDUMP_STREAM_LINUX_AUXV, "auxv" },
        { MINIDUMP_STREAM_LINUX_CMD_LINE, "cmdline" },
        { MINIDUMP_STREAM_LINUX_ENVIRON, "environ" },
        { MINIDUMP_STREAM_LINUX_CPU_INFO, "cpuinfo" },
        { MINIDUMP_STREAM_LINUX_LSB_RELEASE, "os-release" },
        { MINIDUMP_STREAM_MOZ_LINUX_LIMITS, "limits" },
    };
    struct minidump_record_view record;
    size_t cursor = 0, bytes;
    const void *data;

    while (minidump_record_next(dump, &cursor, &record)) {
        if (record.type == MINIDUMP_RECORD_PROCESS_FILE) {
            add_recorded_file(dump, &record);
        }
    }
    for (size_t i = 0; i < sizeof(standard) / sizeof(standard[0]); i++) {
        if (minidump_stream(dump, standard[i].type, &data, &bytes)) {
            add_file(dump, standard[i].name, data, bytes);
        }
    }
}

bool minidump_process_file(const struct minidump *dump, const char *name, const char **ret_text,
                           size_t *ret_bytes)
{
    for (size_t i = 0; i < dump->file_count; i++) {
        if (strcmp(dump->files[i].name, name) == 0) {
            *ret_text = dump->files[i].text;
            *ret_bytes = dump->files[i].bytes;
            return true;
        }
    }
    return false;
}

static void add_annotation(struct minidump *dump, uint32_t name_offset, uint32_t value_offset)
{
    const char *name, *value;

    if (dump->annotation_count == READER_MAX_ANNOTATIONS) {
        return;
    }
    name = reader_utf8(dump, name_offset, ANNOTATION_NAME_BYTES);
    value = name != NULL && name[0] != '\0'
                ? reader_utf8(dump, value_offset, ANNOTATION_VALUE_BYTES)
                : NULL;
    if (value != NULL) {
        dump->annotations[dump->annotation_count++] = (struct reader_annotation){ name, value };
    }
}

/* The entries of a counted array that a location descriptor names. */
static size_t counted(const struct minidump *dump, const unsigned char *descriptor,
                      size_t entry_bytes, size_t most, const unsigned char **ret_entries)
{
    size_t bytes, count;
    const unsigned char *data = reader_located(dump, descriptor, 4, &bytes);

    if (data == NULL) {
        return 0;
    }
    count = reader_u32(data);
    if (count > (bytes - 4) / entry_bytes) {
        count = (bytes - 4) / entry_bytes;
    }
    *ret_entries = data + 4;
    return count < most ? count : most;
}

/* MinidumpSimpleStringDictionary: pairs of string offsets. */
static void add_dictionary(struct minidump *dump, const unsigned char *descriptor)
{
    const unsigned char *entries;
    size_t count = counted(dump, descriptor, 8, READER_MAX_ANNOTATIONS, &entries);

    for (size_t i = 0; i < count; i++) {
        add_annotation(dump, reader_u32(entries + i * 8), reader_u32(entries + i * 8 + 4));
    }
}

/* MinidumpAnnotationList: name, type, value; only texts are of use here. */
static void add_objects(struct minidump *dump, const unsigned char *descriptor)
{
    const unsigned char *entries;
    size_t count = counted(dump, descriptor, 12, READER_MAX_ANNOTATIONS, &entries);

    for (size_t i = 0; i < count; i++) {
        const unsigned char *entry = entries + i * 12;

        if (reader_u16(entry + 4) == ANNOTATION_STRING) {
            add_annotation(dump, reader_u32(entry), reader_u32(entry + 8));
        }
    }
}

void reader_read_annotations(struct minidump *dump)
{
    const void *data;
    const unsigned char *info, *links;
    size_t bytes, count;

    if (!minidump_stream(dump, MINIDUMP_STREAM_CRASHPAD_INFO, &data, &bytes) || bytes < 52) {
        return;
    }
    dump->annotations = calloc(READER_MAX_ANNOTATIONS, sizeof(*dump->annotations));
    if (dump->annotations == NULL) {
        dump->no_memory = true;
        return;
    }
    info = data;
    add_dictionary(dump, info + 36);
    count = counted(dump, info + 44, 12, CRASHPAD_MAX_MODULES, &links);
    for (size_t i = 0; i < count; i++) {
        const unsigned char *module = reader_located(dump, links + i * 12 + 4, 20, &bytes);

        if (module == NULL) {
            continue;
        }
        add_dictionary(dump, module + 12);
        if (bytes >= 28) {
            add_objects(dump, module + 20);
        }
    }
}

bool minidump_annotation_at(const struct minidump *dump, size_t index, const char **ret_name,
                            const char **ret_value)
{
    if (index >= dump->annotation_count) {
        return false;
    }
    *ret_name = dump->annotations[index].name;
    *ret_value = dump->annotations[index].value;
    return true;
}
