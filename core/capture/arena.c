/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arena of import-free code; see arena.h. Small pieces share chunks of a megabyte; a piece that
 * is larger than a quarter of that gets a chunk of its own, present at once: it is about to be
 * filled, and a fault for each page would cost more than to read the same memory from the process.
 * What fills large pages is made of them where the system has them; what fills less than half of
 * one stays without, because to clear the rest of it takes time, and much more where a hypervisor
 * has to find the memory first.
 */
#include "core/capture/arena.h"

#include "core/capture/sys.h"

#include <stdbool.h>

#define CHUNK_BYTES     ((size_t)1 << 20)
#define OWN_CHUNK_BYTES (CHUNK_BYTES / 4)
#define LARGE_PAGE      ((size_t)2 << 20)
#define PAGE_BYTES      ((size_t)4096)
#define ALIGNMENT       ((size_t)16)

struct arena_chunk {
    struct arena_chunk *older;
    size_t bytes;
};

_Static_assert(sizeof(struct arena_chunk) == ALIGNMENT, "what follows the header stays aligned");

void arena_init(struct arena *arena, size_t limit)
{
    *arena = (struct arena){ .limit = limit < SIZE_MAX / 4 ? limit : SIZE_MAX / 4 };
}

void arena_finish(struct arena *arena)
{
    struct arena_chunk *chunk = arena->chunks;

    while (chunk != NULL) {
        struct arena_chunk *older = chunk->older;

        sys_munmap(chunk, chunk->bytes);
        chunk = older;
    }
    *arena = (struct arena){ .limit = arena->limit };
}

void arena_lend(struct arena *arena, void *memory, size_t bytes)
{
    arena->next = memory;
    arena->end = arena->next + bytes;
}

static size_t rounded(size_t bytes, size_t to)
{
    return (bytes + to - 1) & ~(to - 1);
}

static long map(size_t bytes)
{
    return sys_mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

/* `bytes` at a multiple of LARGE_PAGE: else the kernel has no large page for it. */
static long map_aligned(size_t bytes)
{
    long address = map(bytes + LARGE_PAGE);
    size_t before;

    if (sys_is_error(address)) {
        return address;
    }
    before = rounded((size_t)address, LARGE_PAGE) - (size_t)address;
    if (before > 0) {
        sys_munmap((void *)address, before);
    }
    address += (long)before;
    sys_munmap((void *)(address + (long)bytes), LARGE_PAGE - before);
    return address;
}

/* A chunk that serves many pieces, or, with `own`, one that is about to be filled. What is asked of
 * the kernel for that one are wishes: where it does not know them, has no large page left or too
 * little address space, the faults are served one by one. */
static struct arena_chunk *map_chunk(struct arena *arena, size_t bytes, bool own)
{
    struct arena_chunk *chunk;
    long address = -ENOMEM;

    bytes = rounded(bytes, own && bytes % LARGE_PAGE > LARGE_PAGE / 2 ? LARGE_PAGE : PAGE_BYTES);
    if (bytes > arena->limit || arena->mapped > arena->limit - bytes) {
        return NULL;
    }
    if (bytes >= LARGE_PAGE) {
        address = map_aligned(bytes);
    }
    if (sys_is_error(address)) {
        address = map(bytes);
    }
    if (sys_is_error(address)) {
        return NULL;
    }
    if (own) {
        sys_madvise((void *)address, bytes & ~(LARGE_PAGE - 1), MADV_HUGEPAGE);
        sys_madvise((void *)address, bytes, MADV_POPULATE_WRITE);
    }
    chunk = (struct arena_chunk *)address;
    chunk->bytes = bytes;
    chunk->older = arena->chunks;
    arena->chunks = chunk;
    arena->mapped += bytes;
    return chunk;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    struct arena_chunk *chunk;
    void *piece;

    if (bytes > arena->limit) {
        arena->failed = 1;
        return NULL;
    }
    bytes = rounded(bytes != 0 ? bytes : 1, ALIGNMENT);
    if (bytes > (size_t)(arena->end - arena->next)) {
        bool own = bytes > OWN_CHUNK_BYTES;

        chunk = map_chunk(arena, own ? bytes + sizeof(*chunk) : CHUNK_BYTES, own);
        if (chunk == NULL) {
            arena->failed = 1;
            return NULL;
        }
        if (own) {
            return chunk + 1;
        }
        arena->next = (unsigned char *)(chunk + 1);
        arena->end = (unsigned char *)chunk + chunk->bytes;
    }
    piece = arena->next;
    arena->next += bytes;
    return piece;
}

void *arena_array(struct arena *arena, size_t count, size_t bytes)
{
    size_t total;

    if (__builtin_mul_overflow(count, bytes, &total)) {
        arena->failed = 1;
        return NULL;
    }
    return arena_alloc(arena, total);
}

void *arena_resize(struct arena *arena, void *piece, size_t old_bytes, size_t new_bytes)
{
    size_t old_rounded = rounded(old_bytes != 0 ? old_bytes : 1, ALIGNMENT);
    unsigned char *start = piece;
    void *moved;

    if (start != NULL && start + old_rounded == arena->next &&
        new_bytes <= (size_t)(arena->end - start) - (ALIGNMENT - 1)) {
        arena->next = start + rounded(new_bytes != 0 ? new_bytes : 1, ALIGNMENT);
        return piece;
    }
    if (new_bytes <= old_bytes) {
        return piece;
    }
    moved = arena_alloc(arena, new_bytes);
    if (moved != NULL && piece != NULL) {
        capture_copy(moved, piece, old_bytes);
    }
    return moved;
}

char *arena_text(struct arena *arena, const char *text, size_t length)
{
    char *copy = length < SIZE_MAX ? arena_alloc(arena, length + 1) : NULL;

    if (copy != NULL) {
        capture_copy(copy, text, length);
    }
    return copy;
}
