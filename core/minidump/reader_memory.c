/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of a dump: MemoryList, Memory64List and the threads' stacks as one list of blocks, sorted
 * and without overlap. Where two blocks claim an address, the one that begins first has it, and of
 * two that begin alike the first in the file. Engine, sender, tools.
 */
#include "core/minidump/reader_inner.h"

#include <stdlib.h>

#define THREAD_BYTES     48
#define DESCRIPTOR_BYTES 16

struct claim {
    struct minidump_block block;
    size_t order;
};

struct claims {
    struct claim *items;
    size_t count, capacity;
};

static void claim(struct claims *claims, uint64_t start, const unsigned char *data, uint64_t bytes)
{
    if (data != NULL && bytes > 0 && start <= UINT64_MAX - bytes &&
        claims->count < claims->capacity) {
        claims->items[claims->count].block = (struct minidump_block){ start, bytes, data };
        claims->items[claims->count].order = claims->count;
        claims->count++;
    }
}

/* A MINIDUMP_MEMORY_DESCRIPTOR: start, then size and offset. */
static void claim_described(const struct minidump *dump, const unsigned char *descriptor,
                            struct claims *claims)
{
    size_t bytes = 0;
    const unsigned char *data = reader_located(dump, descriptor + 8, 1, &bytes);

    claim(claims, reader_u64(descriptor), data, bytes);
}

/* Memory64List: count, the offset of the first byte, then start and size of each; the contents lie
 * one after the other. */
struct list64 {
    const unsigned char *entries;
    size_t count;
    uint64_t offset;
};

static void find_list64(const struct minidump *dump, struct list64 *ret_list)
{
    const void *data;
    const unsigned char *stream;
    size_t bytes;
    uint64_t count;

    memset(ret_list, 0, sizeof(*ret_list));
    if (!minidump_stream(dump, MINIDUMP_STREAM_MEMORY64_LIST, &data, &bytes) || bytes < 16) {
        return;
    }
    stream = data;
    count = reader_u64(stream);
    if (count > (bytes - 16) / 16) {
        count = (bytes - 16) / 16;
    }
    ret_list->entries = stream + 16;
    ret_list->count = count < READER_MAX_BLOCKS ? (size_t)count : READER_MAX_BLOCKS;
    ret_list->offset = reader_u64(stream + 8);
}

static void claim_list64(const struct minidump *dump, const struct list64 *list,
                         struct claims *claims)
{
    uint64_t offset = list->offset;

    for (size_t i = 0; i < list->count; i++) {
        const unsigned char *entry = list->entries + i * 16;
        uint64_t bytes = reader_u64(entry + 8);
        const unsigned char *data = reader_at(dump, offset, bytes);

        if (data == NULL) {
            /* The file was cut within this block: what is there counts, and nothing follows. */
            data = reader_at(dump, offset, 0);
            bytes = data != NULL ? dump->image_bytes - offset : 0;
            claim(claims, reader_u64(entry), data, bytes);
            return;
        }
        claim(claims, reader_u64(entry), data, bytes);
        offset += bytes;
    }
}

static int compare(const void *first, const void *second)
{
    const struct claim *a = first, *b = second;

    if (a->block.start != b->block.start) {
        return a->block.start < b->block.start ? -1 : 1;
    }
    return a->order < b->order ? -1 : 1;
}

/* Sorts the claims and keeps of each what no earlier one holds. */
static void settle(struct minidump *dump, struct claims *claims)
{
    uint64_t taken = 0; /* everything below belongs to a block already */

    qsort(claims->items, claims->count, sizeof(*claims->items), compare);
    for (size_t i = 0; i < claims->count; i++) {
        struct minidump_block block = claims->items[i].block;
        uint64_t end = block.start + block.bytes;

        if (end <= taken) {
            continue;
        }
        if (block.start < taken) {
            block.data += taken - block.start;
            block.bytes = end - taken;
            block.start = taken;
        }
        dump->blocks[dump->block_count++] = block;
        taken = end;
    }
}

void reader_read_memory(struct minidump *dump)
{
    struct reader_list list = { NULL, 0 }, threads = { NULL, 0 };
    struct list64 list64;
    struct claims claims = { NULL, 0, 0 };

    reader_list(dump, MINIDUMP_STREAM_MEMORY_LIST, DESCRIPTOR_BYTES, READER_MAX_BLOCKS, &list);
    reader_list(dump, MINIDUMP_STREAM_THREAD_LIST, THREAD_BYTES, READER_MAX_THREADS, &threads);
    find_list64(dump, &list64);
    claims.capacity = list.count + threads.count + list64.count;
    if (claims.capacity == 0) {
        return;
    }
    if (claims.capacity > READER_MAX_BLOCKS) {
        claims.capacity = READER_MAX_BLOCKS;
    }
    claims.items = calloc(claims.capacity, sizeof(*claims.items));
    dump->blocks = calloc(claims.capacity, sizeof(*dump->blocks));
    if (claims.items == NULL || dump->blocks == NULL) {
        dump->no_memory = true;
        free(claims.items);
        return;
    }
    for (size_t i = 0; i < list.count; i++) {
        claim_described(dump, list.entries + i * DESCRIPTOR_BYTES, &claims);
    }
    claim_list64(dump, &list64, &claims);
    for (size_t i = 0; i < threads.count; i++) {
        claim_described(dump, threads.entries + i * THREAD_BYTES + 24, &claims);
    }
    settle(dump, &claims);
    free(claims.items);
}

bool reader_find_block(const struct minidump *dump, uint64_t address, size_t *ret_index)
{
    size_t low = 0, high = dump->block_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (dump->blocks[middle].start <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0 || address - dump->blocks[low - 1].start >= dump->blocks[low - 1].bytes) {
        return false;
    }
    *ret_index = low - 1;
    return true;
}

size_t minidump_read(const struct minidump *dump, uint64_t address, void *buffer, size_t bytes)
{
    unsigned char *out = buffer;
    size_t index, copied = 0;

    if (!reader_find_block(dump, address, &index)) {
        return 0;
    }
    while (copied < bytes && index < dump->block_count) {
        const struct minidump_block *block = &dump->blocks[index++];
        uint64_t skip = address + copied - block->start, part = block->bytes - skip;

        if (block->start > address + copied) {
            break; /* a gap */
        }
        if (part > bytes - copied) {
            part = bytes - copied;
        }
        memcpy(out + copied, block->data + skip, (size_t)part);
        copied += (size_t)part;
    }
    return copied;
}

size_t minidump_block_count(const struct minidump *dump)
{
    return dump->block_count;
}

const struct minidump_block *minidump_block_at(const struct minidump *dump, size_t index)
{
    return index < dump->block_count ? &dump->blocks[index] : NULL;
}
