/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the parts that a transport's step wrote; see preview.h. Tools, on hostile bytes. */
#include "core/plugin/preview.h"

#include "core/util/fs.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_BYTES (1024u * 1024 * 1024)

struct reader {
    const struct config_instance *instance;
    const char *data;
    size_t bytes, offset;
};

static void part_finish(struct preview_part *part)
{
    for (int i = 0; i < PREVIEW_TEXTS; i++) {
        free(part->texts[i]);
    }
    free(part->data);
}

void preview_finish(struct preview *preview)
{
    for (size_t i = 0; i < preview->count; i++) {
        part_finish(&preview->parts[i]);
    }
    free(preview->parts);
    *preview = (struct preview){ NULL, 0 };
}

/* The next bytes as a text of their own. */
static int take(struct reader *reader, uint64_t bytes, char **ret_text)
{
    char *text;

    if (bytes > reader->bytes - reader->offset) {
        return CAIRN_EFORMAT;
    }
    text = malloc((size_t)bytes + 1);
    if (text == NULL) {
        return CAIRN_ENOMEM;
    }
    memcpy(text, reader->data + reader->offset, (size_t)bytes);
    text[bytes] = '\0';
    reader->offset += (size_t)bytes;
    *ret_text = text;
    return 0;
}

/* Every secret has 4 bytes or more, and "(hidden)" has 8: twice the room is enough. */
static int hide(const struct reader *reader, char **text)
{
    size_t capacity = 2 * strlen(*text) + 16;
    char *clean = malloc(capacity);

    if (clean == NULL) {
        return CAIRN_ENOMEM;
    }
    config_scrub(reader->instance, *text, clean, capacity);
    free(*text);
    *text = clean;
    return 0;
}

/* Names are the plugin's and the configuration's own words. */
static int take_texts(struct reader *reader, const struct preview_record *record,
                      struct preview_part *part)
{
    int result = 0;

    for (int i = 0; result == 0 && i < PREVIEW_TEXTS; i++) {
        if (record->text_bytes[i] == PREVIEW_ABSENT) {
            continue;
        }
        result = record->text_bytes[i] <= PREVIEW_MAX_TEXT
                     ? take(reader, record->text_bytes[i], &part->texts[i])
                     : CAIRN_EFORMAT;
        if (result == 0 && strlen(part->texts[i]) != record->text_bytes[i]) {
            result = CAIRN_EFORMAT;
        }
    }
    return result == 0 && part->texts[PREVIEW_NAME] == NULL ? CAIRN_EFORMAT : result;
}

static int take_part(struct reader *reader, struct preview_part *part)
{
    struct preview_record record;
    int result;

    if (reader->bytes - reader->offset < sizeof(record)) {
        return CAIRN_EFORMAT;
    }
    memcpy(&record, reader->data + reader->offset, sizeof(record));
    reader->offset += sizeof(record);
    if (record.kind < CAIRN_PREVIEW_TARGET || record.kind > CAIRN_PREVIEW_FILE) {
        return CAIRN_EFORMAT;
    }
    part->kind = record.kind;
    result = take_texts(reader, &record, part);
    if (result == 0) {
        result = take(reader, record.data_bytes, &part->data);
    }
    if (result == 0 && part->kind != CAIRN_PREVIEW_FILE) {
        result = hide(reader, &part->data);
        record.data_bytes = result == 0 ? strlen(part->data) : 0;
    }
    part->bytes = (size_t)record.data_bytes;
    return result;
}

static int read_parts(struct reader *reader, struct preview *preview)
{
    int result = 0;

    while (result == 0 && reader->offset < reader->bytes) {
        struct preview_part part = { .kind = 0 }, *parts;

        parts = preview->count < PREVIEW_MAX_PARTS
                    ? reallocarray(preview->parts, preview->count + 1, sizeof(*parts))
                    : NULL;
        if (parts == NULL) {
            return preview->count < PREVIEW_MAX_PARTS ? CAIRN_ENOMEM : CAIRN_EFORMAT;
        }
        preview->parts = parts;
        result = take_part(reader, &part);
        parts[preview->count++] = part; /* also half a one: it is to be freed */
    }
    return result;
}

int preview_read(int fd, const struct config_instance *instance, struct preview *ret_preview,
                 struct error *error)
{
    struct preview preview = { NULL, 0 };
    struct reader reader = { .instance = instance };
    char *data = NULL;
    int result = lseek(fd, 0, SEEK_SET) == 0 ? 0 : CAIRN_ESYSTEM;

    result = result == 0 ? fs_read_fd(fd, "The preview", MAX_BYTES, &data, &reader.bytes, error)
                         : error_set(error, result, "The preview cannot be read.");
    if (result != 0) {
        return result;
    }
    reader.data = data;
    result = read_parts(&reader, &preview);
    free(data);
    if (result != 0) {
        preview_finish(&preview);
        return error_set(error, result,
                         result == CAIRN_ENOMEM ? "There is not enough memory for the preview."
                                                : "The transport's preview cannot be understood.");
    }
    *ret_preview = preview;
    return 0;
}
