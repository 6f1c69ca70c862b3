/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for code that has no heap: pieces of mmap'ed chunks, freed all at once. Runs anywhere,
 * also in a crashed process. Bounded by a limit; an allocation that fails returns NULL and is
 * remembered in `failed`, so that one look at the end tells whether something is missing.
 */
#ifndef CAIRN_CORE_CAPTURE_ARENA_H
#define CAIRN_CORE_CAPTURE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* newest first */
    unsigned char *next, *end;  /* the free rest of the chunk in use */
    size_t mapped, limit;       /* bytes */
    uint32_t failed;
};

void arena_init(struct arena *arena, size_t limit);
void arena_finish(struct arena *arena);

/* Memory to use first, all zero, which stays the caller's: for a process whose address space is
 * used up. Before the first piece. */
void arena_lend(struct arena *arena, void *memory, size_t bytes);

/* `bytes` zero bytes, aligned to 16, or NULL. */
void *arena_alloc(struct arena *arena, size_t bytes);

/* `count` members of `bytes` each; NULL also when the product overflows. */
void *arena_array(struct arena *arena, size_t count, size_t bytes);

/* A piece of another size with the old content: in place when it is the newest one, else moved.
 * A tail that is given back must never have been written to. NULL leaves the old piece valid. */
void *arena_resize(struct arena *arena, void *piece, size_t old_bytes, size_t new_bytes);

/* A copy of `length` bytes with a NUL behind them, or NULL. */
char *arena_text(struct arena *arena, const char *text, size_t length);

#endif
