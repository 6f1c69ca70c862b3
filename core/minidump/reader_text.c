/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader's own memory: texts of a dump as UTF-8 with a NUL, in chunks that live as long as the
 * dump. A small file can name one long string many times, so the sum is capped. Engine, sender,
 * tools.
 */
#include "core/minidump/reader_inner.h"

#include <stdlib.h>
#include <sys/mman.h>

#define CHUNK_BYTES (64u * 1024)

struct reader_chunk {
    struct reader_chunk *next;
    size_t used, capacity;
    char data[];
};

char *reader_allocate(struct minidump *dump, size_t bytes)
{
    struct reader_chunk *chunk = dump->chunks;

    if (bytes > READER_MAX_TEXT - dump->text_bytes) {
        return NULL;
    }
    if (chunk == NULL || bytes > chunk->capacity - chunk->used) {
        size_t capacity = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;

        chunk = malloc(sizeof(*chunk) + capacity);
        if (chunk == NULL) {
            dump->no_memory = true;
            return NULL;
        }
        chunk->next = dump->chunks;
        chunk->used = 0;
        chunk->capacity = capacity;
        dump->chunks = chunk;
    }
    chunk->used += bytes;
    dump->text_bytes += bytes;
    return chunk->data + chunk->used - bytes;
}

const char *reader_copy(struct minidump *dump, const void *data, size_t bytes)
{
    char *text = bytes < READER_MAX_TEXT ? reader_allocate(dump, bytes + 1) : NULL;

    if (text == NULL) {
        return "";
    }
    memcpy(text, data, bytes);
    text[bytes] = '\0';
    return text;
}

/* One code point from up to `count` > 0 units; a half surrogate becomes U+FFFD. */
static uint32_t decode(const unsigned char *units, size_t count, size_t *ret_used)
{
    uint32_t first = reader_u16(units), second;

    *ret_used = 1;
    if (first < 0xd800 || first > 0xdfff) {
        return first;
    }
    if (first > 0xdbff || count < 2) {
        return 0xfffd;
    }
    second = reader_u16(units + 2);
    if (second < 0xdc00 || second > 0xdfff) {
        return 0xfffd;
    }
    *ret_used = 2;
    return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

/* Writes 1 to 4 bytes; a unit of UTF-16 never needs more than 3. */
static size_t encode(uint32_t point, char *out)
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xc0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xe0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (point & 0x3f));
    return 4;
}

const char *reader_utf16(struct minidump *dump, uint64_t offset, size_t most)
{
    const unsigned char *length = reader_at(dump, offset, 4), *units;
    size_t count, written = 0, used;
    char *text;

    if (length == NULL) {
        return "";
    }
    count = reader_u32(length) / 2;
    units = reader_at(dump, offset + 4, count * 2);
    if (units == NULL) {
        return "";
    }
    count = count < most ? count : most;
    text = reader_allocate(dump, count * 3 + 1);
    if (text == NULL) {
        return "";
    }
    for (size_t i = 0; i < count; i += used) {
        uint32_t point = decode(units + i * 2, count - i, &used);

        if (point == 0) {
            break;
        }
        written += encode(point, text + written);
    }
    text[written] = '\0';
    return text;
}

const char *reader_utf8(struct minidump *dump, uint64_t offset, size_t most)
{
    const unsigned char *length = reader_at(dump, offset, 4), *data;
    size_t count;

    if (length == NULL) {
        return NULL;
    }
    count = reader_u32(length);
    data = reader_at(dump, offset + 4, count);
    if (data == NULL) {
        return NULL;
    }
    return reader_copy(dump, data, count < most ? count : most);
}

void minidump_close(struct minidump *dump)
{
    if (dump == NULL) {
        return;
    }
    while (dump->chunks != NULL) {
        struct reader_chunk *chunk = dump->chunks;

        dump->chunks = chunk->next;
        free(chunk);
    }
    if (dump->mapped) {
        munmap(dump->image, dump->image_bytes);
    } else {
        free(dump->image);
    }
    free(dump->streams);
    free(dump->threads);
    free(dump->threads_by_id);
    free(dump->modules);
    free(dump->modules_by_base);
    free(dump->blocks);
    free(dump->annotations);
    free(dump);
}
