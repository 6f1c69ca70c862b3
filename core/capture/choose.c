/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which memory of the process a report needs, and in which order it is given up when there is a
 * cap. Runs in the monitor and in the clone of a crashed program; imports nothing.
 *
 * Order: the crashed thread's stack, what lies around its instruction pointer, the stack that it
 * left for an alternate one, the regions that the program registered, the other threads' stacks,
 * and then what the request's `memory` adds.
 */
#include "core/capture/parts.h"

#include "core/capture/sys.h"

#define AROUND_INSTRUCTION 128u
/* At most; a stack may lie in a mapping that goes on far behind it. */
#define CRASHED_STACK_BYTES ((uint64_t)8 << 20) /* the usual limit, so that a walk reaches main */
#define OTHER_STACK_BYTES   ((uint64_t)256 << 10)

#define SEARCHED_BYTES     ((size_t)64 << 10) /* of an alternate stack */
#define LEAST_STACK_BYTES  ((uint64_t)1 << 10)
#define STACK_BOTTOM_BYTES ((uint64_t)64 << 10)  /* of a deep recursion: where it began */
#define LOST_STACK_BYTES   ((uint64_t)1 << 20)   /* how far above a bad stack pointer to look */
#define BLIND_STACK_BYTES  ((uint64_t)128 << 10) /* where nothing tells what is mapped */
#define NO_CAP             ((uint64_t)1 << 30)

struct choice {
    struct capture *capture;
    struct range *ranges;
    size_t count, capacity;
    uint64_t budget;
};

/* Adds [start, end), cut off where the budget ends; how much was added. */
static uint64_t add(struct choice *choice, uint64_t start, uint64_t end)
{
    if (start >= end || choice->count == choice->capacity) {
        return 0;
    }
    if (end - start > choice->budget) {
        end = start + choice->budget;
    }
    choice->ranges[choice->count++] = (struct range){ start, end };
    choice->budget -= end - start;
    return end - start;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The mapping a stack pointer leads to. After an overflow it points into a guard page or below
 * everything; then the stack is what follows. */
static const struct capture_mapping *stack_mapping(const struct capture *capture, uint64_t pointer)
{
    const uint32_t wanted = PROT_READ | PROT_WRITE;
    const struct capture_mapping *end = capture->mappings + capture->mapping_count;
    const struct capture_mapping *mapping = mapping_at_or_above(capture, pointer);

    while (mapping != NULL && mapping < end) {
        if (mapping->start > pointer && mapping->start - pointer > LOST_STACK_BYTES) {
            return NULL;
        }
        if ((mapping->protection & wanted) == wanted) {
            return mapping;
        }
        mapping++;
    }
    return NULL;
}

/* Where the stack of a stack pointer is: [start, end). False if it leads nowhere. */
static bool find_stack(const struct capture *capture, uint64_t pointer, uint64_t *ret_start,
                       uint64_t *ret_end)
{
    const struct capture_mapping *mapping = stack_mapping(capture, pointer);
    uint64_t start = pointer > ARCH_RED_ZONE ? (pointer - ARCH_RED_ZONE) & ~(uint64_t)15 : 0;

    if (capture->guessed && pointer != 0) {
        *ret_start = start;
        return !__builtin_add_overflow(start, BLIND_STACK_BYTES, ret_end);
    }
    if (mapping == NULL) {
        return false;
    }
    *ret_start = start > mapping->start ? start : mapping->start;
    *ret_end = mapping->end;
    return true;
}

static bool is_crashed(const struct capture *capture, const struct capture_thread *thread)
{
    return capture->crashed != SIZE_MAX && thread == &capture->threads[capture->crashed];
}

static void choose_stack(struct choice *choice, struct capture_thread *thread, uint64_t cap)
{
    uint64_t start, end, wanted, added;

    if (!thread->has_registers) {
        return;
    }
    if (!find_stack(choice->capture, arch_stack_pointer(&thread->registers), &start, &end)) {
        capture_note(choice->capture, "The stack pointer of thread %d, 0x%llx, leads to no stack.",
                     thread->tid, arch_stack_pointer(&thread->registers));
        return;
    }
    wanted = smaller(end - start, cap);
    added = add(choice, start, start + wanted);
    thread->stack_start = start;
    thread->stack_bytes = added;
    if (added < end - start && is_crashed(choice->capture, thread) &&
        choice->capture->request.memory != CAPTURE_FULL) {
        uint64_t bottom = smaller(end - start - added, choice->budget / 4);

        add(choice, end - smaller(bottom, STACK_BOTTOM_BYTES), end);
        capture_note(choice->capture,
                     "The stack of thread %d has %llu bytes: its innermost %llu and its outermost "
                     "were kept.",
                     thread->tid, end - start, added);
    }
}

/* The readable part of the mapping around `address`, at most `reach` to either side. */
static void choose_around(struct choice *choice, uint64_t address, uint64_t reach)
{
    const struct capture_mapping *mapping = mapping_at_or_above(choice->capture, address);
    uint64_t start = address > reach ? address - reach : 0;

    if (!mapping_holds(mapping, address) || !(mapping->protection & PROT_READ)) {
        return;
    }
    add(choice, start > mapping->start ? start : mapping->start,
        mapping->end - address > reach ? address + reach : mapping->end);
}

static void choose_crashed(struct choice *choice)
{
    struct capture *capture = choice->capture;
    struct capture_thread *thread;

    if (capture->crashed == SIZE_MAX) {
        return;
    }
    thread = &capture->threads[capture->crashed];
    choose_stack(choice, thread, smaller(CRASHED_STACK_BYTES, choice->budget / 2));
    if (thread->has_registers) {
        choose_around(choice, arch_instruction_pointer(&thread->registers), AROUND_INSTRUCTION);
    }
}

/* Reads what was chosen so far. */
static void read_chosen(struct choice *choice)
{
    memory_add_ranges(choice->capture, choice->ranges, choice->count);
    choice->count = 0;
}

/* The crashed thread may have been in a signal handler on an alternate stack: then the stack that
 * the signal interrupted, which the kernel's frame on the alternate one leads to. */
static void choose_interrupted(struct choice *choice)
{
    const struct capture *capture = choice->capture;
    const struct capture_block *block = capture->blocks, *behind = block + capture->block_count;
    uint64_t pointer, start, end;

    while (block < behind && capture->crashed != SIZE_MAX &&
           block->start + block->bytes <= capture->threads[capture->crashed].stack_start) {
        block++;
    }
    if (block == behind || capture->crashed == SIZE_MAX) {
        return;
    }
    for (size_t at = 0; at < SEARCHED_BYTES && at + ARCH_CONTEXT_BYTES <= block->bytes; at += 8) {
        if (arch_interrupted_elsewhere(block->data + at, block->start + at, &pointer)) {
            if (find_stack(capture, pointer, &start, &end)) {
                add(choice, start, start + smaller(end - start, choice->budget / 2));
            }
            return;
        }
    }
}

static void choose_regions(struct choice *choice)
{
    const struct capture_request *request = &choice->capture->request;

    for (size_t i = 0; i < request->region_count; i++) {
        const struct capture_region *region = &request->regions[i];
        uint64_t end;

        if (region->start == 0 || region->bytes == 0 ||
            __builtin_add_overflow(region->start, region->bytes, &end)) {
            continue;
        }
        if (region->bytes > choice->budget) {
            capture_note(choice->capture,
                         "A registered region of %llu bytes at 0x%llx did not fit the size limit.",
                         region->bytes, region->start);
        }
        add(choice, region->start, end);
    }
}

/* The largest cap per stack, halving, with which the other threads' stacks fit the budget. */
static uint64_t fitting_cap(const struct choice *choice)
{
    const struct capture *capture = choice->capture;
    uint64_t cap = OTHER_STACK_BYTES;

    for (;;) {
        uint64_t total = 0, start, end;

        for (size_t i = 0; i < capture->thread_count; i++) {
            const struct capture_thread *thread = &capture->threads[i];

            if (i != capture->crashed && thread->has_registers &&
                find_stack(capture, arch_stack_pointer(&thread->registers), &start, &end)) {
                total += smaller(end - start, cap);
            }
        }
        if (total <= choice->budget || cap <= LEAST_STACK_BYTES) {
            return cap;
        }
        cap /= 2;
    }
}

static void choose_others(struct choice *choice)
{
    struct capture *capture = choice->capture;
    uint64_t cap = fitting_cap(choice);

    if (cap < OTHER_STACK_BYTES) {
        capture_note(capture, "The size limit cut the stacks of other threads to %llu bytes.", cap);
    }
    for (size_t i = 0; i < capture->thread_count; i++) {
        if (i != capture->crashed) {
            choose_stack(choice, &capture->threads[i], cap);
        }
    }
}

void choose_memory(struct capture *capture)
{
    struct choice choice = { .capture = capture };

    choice.budget = capture->request.max_bytes != 0 ? capture->request.max_bytes : NO_CAP;
    choice.capacity = capture->thread_count + capture->request.region_count + 3;
    choice.ranges = arena_array(&capture->arena, choice.capacity, sizeof(*choice.ranges));
    if (choice.ranges == NULL) {
        return;
    }
    choose_crashed(&choice);
    read_chosen(&choice);
    choose_interrupted(&choice);
    choose_regions(&choice);
    choose_others(&choice);
    read_chosen(&choice);
    if (capture->request.memory == CAPTURE_REFERENCED) {
        choose_referenced(capture, choice.budget);
    } else if (capture->request.memory == CAPTURE_FULL) {
        choose_full(capture, choice.budget);
    }
}
