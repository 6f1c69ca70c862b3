/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that lives as long as its configuration: many small pieces, freed at once. Every process
 * but the crashed one.
 */
#include "core/config/internal.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 4000

struct config_block {
    struct config_block *next;
    size_t used, capacity;
    alignas(max_align_t) unsigned char data[];
};

void *config_arena_take(struct config_arena *arena, size_t bytes)
{
    struct config_block *block = arena->blocks;
    size_t align = alignof(max_align_t);
    void *piece;

    if (bytes > SIZE_MAX / 2) {
        return NULL;
    }
    bytes = (bytes + align - 1) / align * align;
    if (block == NULL || block->capacity - block->used < bytes) {
        size_t capacity = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;

        block = calloc(1, sizeof(*block) + capacity);
        if (block == NULL) {
            return NULL;
        }
        block->capacity = capacity;
        block->next = arena->blocks;
        arena->blocks = block;
    }
    piece = block->data + block->used;
    block->used += bytes;
    return piece;
}

char *config_arena_text(struct config_arena *arena, const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = config_arena_take(arena, bytes);

    if (copy != NULL) {
        memcpy(copy, text, bytes);
    }
    return copy;
}

void config_arena_destroy(struct config_arena *arena)
{
    if (arena == NULL) {
        return;
    }
    for (struct config_source *source = arena->sources; source != NULL; source = source->next) {
        free(source->text);
        free(source->folder);
    }
    while (arena->blocks != NULL) {
        struct config_block *block = arena->blocks;

        arena->blocks = block->next;
        free(block);
    }
    free(arena);
}
