/* SPDX-License-Identifier: Apache-2.0 */
/* The service "cairn.preview/1": parts become records in the step's file. In a step's process. */
#include "core/plugin/preview.h"

#include "core/plugin/host.h"
#include "core/util/fs.h"

#include <string.h>

/* As much as both sides know. */
static struct cairn_preview_part copy_part(const struct cairn_preview_part *part)
{
    struct cairn_preview_part copy = { .size = 0 };

    memcpy(&copy, part, part->size < sizeof(copy) ? part->size : sizeof(copy));
    return copy;
}

static bool is_text(const void *data, size_t bytes)
{
    return bytes == 0 || (data != NULL && memchr(data, '\0', bytes) == NULL);
}

static bool is_usable(const struct cairn_preview_part *part)
{
    bool is_file = part->kind == CAIRN_PREVIEW_FILE;

    if (part->name == NULL || part->kind < CAIRN_PREVIEW_TARGET ||
        part->kind > CAIRN_PREVIEW_FILE) {
        return false;
    }
    if (part->path != NULL) {
        return is_file && part->path[0] == '/' && part->bytes == 0;
    }
    return is_file ? part->bytes == 0 || part->data != NULL : is_text(part->data, part->bytes);
}

/* A part as it goes into the file. */
struct piece {
    struct preview_record record;
    const char *texts[PREVIEW_TEXTS];
    const void *data;
    uint64_t bytes; /* of all */
};

static bool measure(const struct cairn_preview_part *part, struct piece *ret_piece)
{
    struct piece piece = {
        .record = { .kind = part->kind, .data_bytes = part->bytes },
        .texts = { part->name, part->path, part->filename, part->media_type },
        .data = part->data,
        .bytes = sizeof(piece.record) + part->bytes,
    };

    for (int i = 0; i < PREVIEW_TEXTS; i++) {
        size_t length = piece.texts[i] != NULL ? strlen(piece.texts[i]) : 0;

        if (length > PREVIEW_MAX_TEXT) {
            return false;
        }
        piece.record.text_bytes[i] = piece.texts[i] != NULL ? (uint32_t)length : PREVIEW_ABSENT;
        piece.bytes += length;
    }
    *ret_piece = piece;
    return true;
}

static int write_piece(const struct piece *piece)
{
    int result = fs_write_all(STEP_FD_OUT, &piece->record, sizeof(piece->record));

    for (int i = 0; result == 0 && i < PREVIEW_TEXTS; i++) {
        if (piece->texts[i] != NULL) {
            result = fs_write_all(STEP_FD_OUT, piece->texts[i], piece->record.text_bytes[i]);
        }
    }
    return result == 0 ? fs_write_all(STEP_FD_OUT, piece->data, piece->record.data_bytes) : result;
}

static int put_part(const struct cairn_host *table, const struct cairn_preview_part *given)
{
    struct host *host = table->private_data;
    const struct cairn_preview_part part = copy_part(given);
    struct piece piece;

    if (!is_usable(&part) || !measure(&part, &piece)) {
        return CAIRN_PLUGIN_FAILED;
    }
    if (piece.bytes > host->output_left) {
        host->limited = true;
        return CAIRN_PLUGIN_FAILED;
    }
    host->output_left -= piece.bytes;
    return write_piece(&piece) == 0 ? CAIRN_PLUGIN_OK : CAIRN_PLUGIN_FAILED;
}

const struct cairn_preview_service *host_preview_service(void)
{
    static const struct cairn_preview_service service = { .size = sizeof(service),
                                                          .part = put_part };

    return &service;
}
