/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory that registers and stack words point to: most of the objects that a crash is about, at
 * a fraction of a full dump. Runs in the monitor and in the clone of a crashed program; imports
 * nothing.
 *
 * Memory is taken in granules of 512 bytes, so that a small hash set is enough to take none twice.
 */
#include "core/capture/parts.h"

#include "core/capture/sys.h"

#define GRANULE      512u
#define BEFORE       128u /* a heap's header lies before what a pointer points to */
#define BEHIND       896u
#define MAX_BYTES    ((uint64_t)4 << 20)
#define MAX_POINTERS 2048u  /* readers such as Breakpad's take 4096 blocks */
#define SLOTS        32768u /* more than three granules for each pointer; a power of two */

struct search {
    struct capture *capture;
    struct range *ranges;
    size_t count;
    uint64_t budget;
    uint32_t pointers;
    uint64_t *seen; /* granule numbers, 0 = free */
};

/* True the first time. The set is never more than a quarter full. */
static bool first_time(struct search *search, uint64_t granule)
{
    uint64_t slot = (granule * 0x9e3779b97f4a7c15ull >> 32) & (SLOTS - 1);

    while (search->seen[slot] != 0) {
        if (search->seen[slot] == granule) {
            return false;
        }
        slot = (slot + 1) & (SLOTS - 1);
    }
    search->seen[slot] = granule;
    return true;
}

static void take_granule(struct search *search, const struct capture_mapping *mapping,
                         uint64_t granule)
{
    uint64_t start = granule * GRANULE;

    if (search->budget < GRANULE || !mapping_holds(mapping, start) ||
        !first_time(search, granule) || memory_is_captured(search->capture, start)) {
        return;
    }
    search->ranges[search->count++] = (struct range){ start, start + GRANULE };
    search->budget -= GRANULE;
}

static void follow(struct search *search, uint64_t pointer)
{
    const struct capture_mapping *mapping;
    size_t before = search->count;

    if (pointer < PAGE_BYTES || search->pointers == MAX_POINTERS) {
        return;
    }
    mapping = mapping_at_or_above(search->capture, pointer);
    if (!mapping_holds(mapping, pointer) || !(mapping->protection & PROT_WRITE) ||
        !(mapping->protection & PROT_READ)) {
        return;
    }
    for (uint64_t granule = (pointer - BEFORE) / GRANULE;
         granule <= (pointer + BEHIND - 1) / GRANULE; granule++) {
        take_granule(search, mapping, granule);
    }
    search->pointers += search->count > before;
}

static void follow_registers(struct search *search, const struct capture_thread *thread)
{
    size_t count;
    const uint64_t *words = arch_general_words(&thread->registers, &count);

    for (size_t i = 0; thread->has_registers && i < count; i++) {
        follow(search, words[i]);
    }
}

/* The words of a stack that was captured in one block, from the innermost on. */
static void follow_stack(struct search *search, const struct capture_thread *thread)
{
    const struct capture *capture = search->capture;

    for (size_t i = 0; i < capture->block_count; i++) {
        const struct capture_block *block = &capture->blocks[i];
        uint64_t at = (thread->stack_start + 7) & ~(uint64_t)7;
        uint64_t end = block->start + block->bytes;

        if (thread->stack_bytes == 0 || at < block->start || at >= end) {
            continue;
        }
        if (end > thread->stack_start + thread->stack_bytes) {
            end = thread->stack_start + thread->stack_bytes;
        }
        for (; at + 8 <= end && search->pointers < MAX_POINTERS; at += 8) {
            uint64_t word;

            capture_copy(&word, block->data + (at - block->start), sizeof(word));
            follow(search, word);
        }
        return;
    }
}

static void follow_thread(struct search *search, size_t index)
{
    if (index < search->capture->thread_count && search->pointers < MAX_POINTERS) {
        follow_registers(search, &search->capture->threads[index]);
        follow_stack(search, &search->capture->threads[index]);
    }
}

void choose_referenced(struct capture *capture, uint64_t budget)
{
    struct search search = { .capture = capture };

    search.budget = budget < MAX_BYTES ? budget : MAX_BYTES;
    search.ranges = arena_array(&capture->arena, 3 * MAX_POINTERS, sizeof(*search.ranges));
    search.seen = arena_array(&capture->arena, SLOTS, sizeof(*search.seen));
    if (search.ranges == NULL || search.seen == NULL) {
        return;
    }
    follow_thread(&search, capture->crashed);
    for (size_t i = 0; i < capture->thread_count; i++) {
        if (i != capture->crashed) {
            follow_thread(&search, i);
        }
    }
    memory_add_ranges(capture, search.ranges, search.count);
}
