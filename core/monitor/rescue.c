/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A minidump that the disk does not take, of a program that has been let go: as much of it as fits
 * goes into the reserve, whose room was allocated at the start. `recover` makes a report of it.
 * Runs in the monitor and its spare.
 */
#include "core/monitor/dump.h"

#include "core/crash/records.h"
#include "core/minidump/writer.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define MEMORY_BYTES (224u * 1024u) /* of the reserve, as in tier 2 */
#define RECORD_BYTES (64u * 1024u)

/* Adds a piece of what was captured, if it fits. */
static void keep(struct capture_block *kept, size_t *count, struct capture_block block,
                 uint64_t *room)
{
    if (block.bytes > 0 && block.bytes <= *room) {
        kept[(*count)++] = block;
        *room -= block.bytes;
    }
}

/* The innermost part of the crashed thread's stack that half of the room can hold. */
static struct capture_block crashed_stack(const struct capture *capture,
                                          const struct capture_block *block, uint64_t room)
{
    const struct capture_thread *thread =
        capture->crashed != SIZE_MAX ? &capture->threads[capture->crashed] : NULL;
    struct capture_block part = { 0, 0, NULL };

    if (thread != NULL && thread->stack_bytes > 0 && thread->stack_start >= block->start &&
        thread->stack_start - block->start < block->bytes) {
        uint64_t before = thread->stack_start - block->start;
        part.start = thread->stack_start;
        part.bytes = block->bytes - before < room / 2 ? block->bytes - before : room / 2;
        part.data = block->data + before;
    }
    return part;
}

/* Keeps the crashed thread's stack, and of the rest, in order, what fits. The blocks stay sorted:
 * those that fit are found first, with the room that the stack leaves. */
static void trim(struct capture *capture)
{
    struct capture_block *blocks = capture->blocks;
    uint64_t room = MEMORY_BYTES, stack_bytes = 0;
    size_t count = 0;

    for (size_t i = 0; i < capture->block_count; i++) {
        stack_bytes += crashed_stack(capture, &blocks[i], MEMORY_BYTES).bytes;
    }
    room -= stack_bytes < room ? stack_bytes : room;
    for (size_t i = 0; i < capture->block_count; i++) {
        struct capture_block part = crashed_stack(capture, &blocks[i], MEMORY_BYTES);
        uint64_t own = part.bytes;

        keep(blocks, &count, own > 0 ? part : blocks[i], own > 0 ? &own : &room);
    }
    capture->block_count = count;
}

static int write_into(struct dump *dump, const struct monitor *monitor, void *memory)
{
    struct crash_records records;
    struct minidump_extra extra;
    size_t bytes;

    dump->id = monitor->reserve.id; /* as `recover` names it */
    trim(&dump->capture);
    capture_note(&dump->capture,
                 "The disk did not take the whole minidump: most memory is missing.");
    dump_describe(dump, monitor, RECORD_BYTES, &records, &extra);
    int result =
        minidump_write_memory(&dump->capture, &extra, memory, MINIDUMP_RESERVE_BYTES, &bytes);
    if (result == 0) {
        monitor->reserve.about->bytes = bytes;
        monitor->reserve.about->writer = dump->event.pid;
        __atomic_store_n(&monitor->reserve.about->state, MINIDUMP_RESERVE_COMPLETE,
                         __ATOMIC_RELEASE);
    }
    return result;
}

int dump_rescue(struct dump *dump, struct monitor *monitor)
{
    const struct reserve *reserve = &monitor->reserve;
    void *memory;

    if (reserve->about == NULL || !reserve_close(&monitor->reserve)) {
        return -ENOENT;
    }
    memory =
        mmap(NULL, MINIDUMP_RESERVE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, reserve->file, 0);
    if (memory == MAP_FAILED) {
        return -errno;
    }
    int result = write_into(dump, monitor, memory);
    munmap(memory, MINIDUMP_RESERVE_BYTES);
    if (result != 0) {
        log_error(&monitor->log, "Nor could a part of it be kept in the reserve: %s.",
                  strerror(-result));
    }
    return result;
}
