/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of thousands of modules, those that the report needs: Breakpad's readers refuse a list of more
 * than 2048 as a whole, and the reserve has no room for so many. What stacks and registers refer to
 * comes first, then the rest by address. Runs in the monitor and in the clone of a crashed program;
 * imports nothing.
 */
#include "core/capture/parts.h"

#include "core/capture/sys.h"

#define MOST_MODULES  2048u
#define SMALL_MODULES 448u /* where there is room for little memory only: */
#define SMALL_BYTES   ((uint64_t)1 << 20)
#define SCAN_BYTES    ((uint64_t)256 << 10) /* of each block; deep recursions repeat themselves */

/* All modules but the first, the main one, lie in the order of their addresses. */
static size_t find_module(const struct capture *capture, uint64_t address)
{
    size_t low = 1, high = capture->module_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct capture_module *module = &capture->modules[middle];

        if (address < module->base) {
            high = middle;
        } else if (address - module->base >= module->bytes) {
            low = middle + 1;
        } else {
            return middle;
        }
    }
    return 0;
}

static void mark_referenced(const struct capture *capture, unsigned char *needed)
{
    for (size_t i = 0; i < capture->block_count; i++) {
        const struct capture_block *block = &capture->blocks[i];
        uint64_t bytes = block->bytes < SCAN_BYTES ? block->bytes : SCAN_BYTES, word;

        for (uint64_t at = 0; block->data != NULL && at + sizeof(word) <= bytes;
             at += sizeof(word)) {
            capture_copy(&word, block->data + at, sizeof(word));
            needed[find_module(capture, word)] = 1;
        }
    }
    for (size_t i = 0; i < capture->thread_count; i++) {
        const struct capture_thread *thread = &capture->threads[i];

        if (thread->has_registers) {
            needed[find_module(capture, arch_instruction_pointer(&thread->registers))] = 1;
        }
    }
}

/* The main module, those that are needed, and of the others the first ones, as far as all fit. */
static void keep(struct capture *capture, const unsigned char *needed, size_t most)
{
    size_t count = capture->module_count, kept = 0, wanted = 1, others;

    for (size_t i = 1; i < count; i++) {
        wanted += needed[i];
    }
    others = wanted < most ? most - wanted : 0;
    for (size_t i = 0; i < count && kept < most; i++) {
        if (i == 0 || needed[i] || others > 0) {
            others -= i != 0 && !needed[i];
            capture->modules[kept++] = capture->modules[i];
        }
    }
    capture->module_count = kept;
}

void modules_trim(struct capture *capture)
{
    size_t count = capture->module_count;
    size_t most = capture->request.max_bytes - 1 < SMALL_BYTES ? SMALL_MODULES : MOST_MODULES;
    unsigned char *needed;

    if (count <= most) {
        return;
    }
    needed = arena_alloc(&capture->arena, count);
    if (needed == NULL) {
        return;
    }
    mark_referenced(capture, needed);
    keep(capture, needed, most);
    capture_note(capture,
                 "%u modules were left out, as there is no room for more than %u; those on the "
                 "stacks were kept.",
                 (unsigned)(count - capture->module_count), (unsigned)most);
}
