/* SPDX-License-Identifier: Apache-2.0 */
/* A process that is made of the fuzzer's input; see process.h. */
#include "tests/fuzz/process.h"

#include "core/capture/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILES  16u
#define MAX_NOTES  256u
#define MAX_PIECE  ((size_t)64 << 20)
#define NOTE_BYTES 512u

struct arena_chunk {
    struct arena_chunk *older;
    void *piece;
};

static unsigned allocations, fails_at;
static struct fuzz_input process_memory;

/* ---- core/capture/arena.h ---- */

void arena_init(struct arena *arena, size_t limit)
{
    *arena = (struct arena){ .limit = limit };
}

void arena_finish(struct arena *arena)
{
    struct arena_chunk *chunk = arena->chunks;

    while (chunk != NULL) {
        struct arena_chunk *older = chunk->older;

        free(chunk->piece);
        free(chunk);
        chunk = older;
    }
    arena_init(arena, arena->limit);
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    bool refused = ++allocations == fails_at || bytes > MAX_PIECE;
    struct arena_chunk *chunk = refused ? NULL : malloc(sizeof(*chunk));

    if (chunk == NULL) {
        arena->failed = 1;
        return NULL;
    }
    chunk->piece = calloc(1, bytes != 0 ? bytes : 1);
    fuzz_require(chunk->piece != NULL);
    chunk->older = arena->chunks;
    arena->chunks = chunk;
    return chunk->piece;
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
    void *moved = arena_alloc(arena, new_bytes);
    size_t kept = old_bytes < new_bytes ? old_bytes : new_bytes;

    if (moved == NULL) {
        return new_bytes <= old_bytes ? piece : NULL; /* as the real one: shrinking cannot fail */
    }
    if (piece != NULL && kept > 0) {
        memcpy(moved, piece, kept);
    }
    return moved;
}

char *arena_text(struct arena *arena, const char *text, size_t length)
{
    char *copy = length < SIZE_MAX ? arena_alloc(arena, length + 1) : NULL;

    if (copy != NULL && length > 0) {
        memcpy(copy, text, length);
    }
    return copy;
}

/* ---- core/capture/capture.h and memory.c ---- */

void capture_note(struct capture *capture, const char *format, ...)
{
    char text[NOTE_BYTES];
    va_list arguments;
    const char *note;
    size_t length;

    va_start(arguments, format);
    length = capture_format_list(text, sizeof(text), format, arguments);
    va_end(arguments);
    note = capture->notes != NULL && capture->note_count < MAX_NOTES
               ? arena_text(&capture->arena, text, length)
               : NULL;
    if (note != NULL) {
        capture->notes[capture->note_count++] = note;
    }
}

const struct capture_file *capture_file(const struct capture *capture, const char *name)
{
    for (size_t i = 0; i < capture->file_count; i++) {
        if (strcmp(capture->files[i].name, name) == 0) {
            return &capture->files[i];
        }
    }
    return NULL;
}

size_t capture_read(struct capture *capture, uint64_t address, void *buffer, size_t bytes)
{
    struct piece piece = { address, buffer, bytes, 0 };

    memory_read_pieces(capture, &piece, 1);
    return piece.done;
}

void memory_read_pieces(struct capture *capture, struct piece *pieces, size_t count)
{
    (void)capture;
    for (size_t i = 0; i < count; i++) {
        uint64_t offset = pieces[i].address - PROCESS_MEMORY;
        size_t there = offset < process_memory.left ? process_memory.left - (size_t)offset : 0;

        pieces[i].done = there < pieces[i].bytes ? there : pieces[i].bytes;
        if (pieces[i].done > 0) {
            memcpy(pieces[i].to, process_memory.at + offset, pieces[i].done);
        }
    }
}

/* ---- the process ---- */

void process_begin(struct capture *capture, unsigned fail_at, struct fuzz_input memory)
{
    memset(capture, 0, sizeof(*capture));
    arena_init(&capture->arena, SIZE_MAX);
    fails_at = 0;
    process_memory = memory;
    capture->crashed = SIZE_MAX;
    capture->memory_fd = -1;
    capture->request.siginfo = capture->siginfo;
    capture->files = arena_array(&capture->arena, MAX_FILES, sizeof(*capture->files));
    capture->notes = arena_array(&capture->arena, MAX_NOTES, sizeof(*capture->notes));
    allocations = 0;
    fails_at = fail_at;
}

void process_add_file(struct capture *capture, const char *name, struct fuzz_input content)
{
    const char *copy = arena_text(&capture->arena, (const char *)content.at, content.left);

    if (copy != NULL && capture->file_count < MAX_FILES) {
        capture->files[capture->file_count++] = (struct capture_file){ name, copy, content.left };
    }
}

void process_finish(struct capture *capture)
{
    arena_finish(&capture->arena);
}
