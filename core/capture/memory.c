/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the memory of the process, many pieces per system call, and keeps it as sorted blocks. Runs
 * in the monitor and in the clone of a crashed program; imports nothing.
 *
 * Where process_vm_readv is refused (a seccomp filter, an old container), /proc/PID/mem serves. A
 * process that captures itself looks before it reads: no sandbox forbids that.
 */
#include "core/capture/parts.h"

#include "core/capture/sys.h"

#define BATCH      128u  /* pieces per system call; their descriptions lie on the stack */
#define MAX_HOLES  64u   /* unreadable pages in one range, before the rest of it is given up */
#define MOST_PARTS 4096u /* into which unreadable pages may cut all ranges of one call */
#define MAX_READ   ((size_t)1 << 30)
#define NO_FD      (-1)
#define FAILED_FD  (-2)

#define NO_SUCH_WAY (-1) /* to change the signal mask */

/* One piece from /proc/PID/mem. */
static size_t read_by_file(struct capture *capture, uint64_t address, unsigned char *to,
                           size_t bytes)
{
    size_t done = 0;

    if (capture->memory_fd == NO_FD) {
        int fd = process_open(capture, "mem");

        capture->memory_fd = fd < 0 ? FAILED_FD : fd;
        if (fd < 0) {
            capture_note(capture, "No memory of the process could be read (error %d).", -fd);
        } else {
            capture_note(capture,
                         "process_vm_readv was refused: memory was read from /proc/%d/mem.",
                         capture->request.pid);
        }
    }
    while (capture->memory_fd >= 0 && done < bytes) {
        long got = sys_pread64(capture->memory_fd, to + done, bytes - done, address + done);

        if (got <= 0 && got != -EINTR) {
            break;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    return done;
}

/* One system call for up to BATCH pieces, *ret_used of them; the bytes read, or a negative errno.
 */
static long read_vector(const struct capture *capture, const struct piece *pieces, size_t count,
                        size_t *ret_used)
{
    struct iovec local[BATCH], remote[BATCH];
    size_t total = 0, used = 0;

    while (used < count && used < BATCH && (used == 0 || total + pieces[used].bytes <= MAX_READ)) {
        const struct piece *piece = &pieces[used];
        size_t left = piece->bytes - piece->done;

        local[used] = (struct iovec){ piece->to + piece->done, left };
        remote[used] = (struct iovec){ (void *)(piece->address + piece->done), left };
        total += left;
        used++;
    }
    *ret_used = used;
    return sys_process_vm_readv(capture->through, local, used, remote, used);
}

/* The kernel reads the new mask before it refuses to do what it does not know: of a bad address it
 * says -EFAULT, of a good one -EINVAL, and nothing happens. */
static int probe(uint64_t address)
{
    return sys_rt_sigprocmask(NO_SUCH_WAY, (const uint64_t *)(address & ~7ull), NULL);
}

/* Of the caller's own memory; false where a sandbox answers in the kernel's place. */
static bool read_own(struct piece *piece)
{
    while (piece->done < piece->bytes) {
        uint64_t from = piece->address + piece->done;
        uint64_t bytes = PAGE_BYTES - from % PAGE_BYTES, left = piece->bytes - piece->done;
        int result = probe(from);

        if (result != -EINVAL) {
            return result == -EFAULT;
        }
        bytes = bytes < left ? bytes : left;
        capture_copy(piece->to + piece->done, (const void *)from, bytes);
        piece->done += bytes;
    }
    return true;
}

/* Reads some of the pieces; how many of them are settled, at least one. */
static size_t read_batch(struct capture *capture, struct piece *pieces, size_t count)
{
    size_t used = 0, left, settled = 0;
    long result = -ENOSYS;

    if (capture->own && read_own(&pieces[0])) {
        return 1;
    }
    if (capture->memory_fd == NO_FD) {
        result = read_vector(capture, pieces, count, &used);
    }
    if (result < 0 && result != -EFAULT) {
        pieces[0].done +=
            read_by_file(capture, pieces[0].address + pieces[0].done, pieces[0].to + pieces[0].done,
                         pieces[0].bytes - pieces[0].done);
        return 1;
    }
    left = result > 0 ? (size_t)result : 0;
    while (settled < used && left >= pieces[settled].bytes - pieces[settled].done) {
        left -= pieces[settled].bytes - pieces[settled].done;
        pieces[settled].done = pieces[settled].bytes;
        settled++;
    }
    if (settled < used) { /* the one that holds the first unreadable page */
        pieces[settled].done += left;
        settled++;
    }
    return settled;
}

void memory_read_pieces(struct capture *capture, struct piece *pieces, size_t count)
{
    while (count > 0) {
        size_t settled = read_batch(capture, pieces, count);

        pieces += settled;
        count -= settled;
    }
}

size_t capture_read(struct capture *capture, uint64_t address, void *buffer, size_t bytes)
{
    struct piece piece = { address, buffer, bytes, 0 };

    memory_read_pieces(capture, &piece, 1);
    return piece.done;
}

/* Heap sort: no recursion, no second buffer, no bad case. */
static void sift(struct range *ranges, size_t root, size_t count)
{
    struct range moving = ranges[root];

    for (size_t child = 2 * root + 1; child < count; child = 2 * root + 1) {
        if (child + 1 < count && ranges[child].start < ranges[child + 1].start) {
            child++;
        }
        if (moving.start >= ranges[child].start) {
            break;
        }
        ranges[root] = ranges[child];
        root = child;
    }
    ranges[root] = moving;
}

static void sort(struct range *ranges, size_t count)
{
    for (size_t i = count / 2; i > 0; i--) {
        sift(ranges, i - 1, count);
    }
    for (size_t last = count; last > 1; last--) {
        struct range first = ranges[0];

        ranges[0] = ranges[last - 1];
        ranges[last - 1] = first;
        sift(ranges, 0, last - 1);
    }
}

static size_t merge(struct range *ranges, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (ranges[i].start >= ranges[i].end) {
            continue;
        }
        if (kept > 0 && ranges[i].start <= ranges[kept - 1].end) {
            if (ranges[i].end > ranges[kept - 1].end) {
                ranges[kept - 1].end = ranges[i].end;
            }
        } else {
            ranges[kept++] = ranges[i];
        }
    }
    return kept;
}

/* What of the ranges is in no block yet. `ret_rest` has room for one range more per block. */
static size_t without_captured(const struct capture *capture, const struct range *ranges,
                               size_t count, struct range *ret_rest)
{
    size_t kept = 0, block = 0;

    for (size_t i = 0; i < count; i++) {
        uint64_t start = ranges[i].start, end = ranges[i].end;

        while (block < capture->block_count && capture->blocks[block].start < end) {
            const struct capture_block *held = &capture->blocks[block];

            if (held->start > start) {
                ret_rest[kept++] = (struct range){ start, held->start };
            }
            if (held->start + held->bytes > start) {
                start = held->start + held->bytes;
            }
            if (start >= end) {
                break; /* the block may reach into the next range */
            }
            block++;
        }
        if (start < end) {
            ret_rest[kept++] = (struct range){ start, end };
        }
    }
    return kept;
}

/* Blocks under construction: those of one call of memory_add_ranges(). */
struct fresh {
    struct capture_block *blocks;
    size_t count, capacity;
};

static void add_block(struct fresh *fresh, uint64_t start, const unsigned char *data, size_t bytes)
{
    if (bytes > 0 && fresh->count < fresh->capacity) {
        fresh->blocks[fresh->count++] = (struct capture_block){ start, bytes, data };
    }
}

/* What arrived of one range, also behind pages that cannot be read. It may be the last page of all,
 * behind which addresses begin anew. */
static void keep_piece(struct capture *capture, struct fresh *fresh, struct piece piece)
{
    add_block(fresh, piece.address, piece.to, piece.done);
    for (unsigned hole = 0; hole < MAX_HOLES; hole++) {
        size_t skipped = piece.done + PAGE_BYTES - (piece.address + piece.done) % PAGE_BYTES;

        if (skipped >= piece.bytes) {
            return;
        }
        piece.to += skipped;
        piece.address += skipped;
        piece.bytes -= skipped;
        piece.done = 0;
        memory_read_pieces(capture, &piece, 1);
        add_block(fresh, piece.address, piece.to, piece.done);
    }
}

/* Two sorted lists into one. */
static void add_blocks(struct capture *capture, const struct fresh *fresh)
{
    size_t a = 0, b = 0, used = 0, total = capture->block_count + fresh->count;
    const struct capture_block *old = capture->blocks;
    struct capture_block *blocks = arena_array(&capture->arena, total, sizeof(*blocks));

    if (blocks == NULL) {
        return;
    }
    while (used < total) {
        bool take_old = b == fresh->count ||
                        (a < capture->block_count && old[a].start < fresh->blocks[b].start);

        blocks[used++] = take_old ? old[a++] : fresh->blocks[b++];
    }
    capture->blocks = blocks;
    capture->block_count = total;
}

/* Pieces for the ranges, all in one buffer so that they can be written in one go. */
static struct piece *make_pieces(struct arena *arena, const struct range *ranges, size_t count)
{
    struct piece *pieces = arena_array(arena, count, sizeof(*pieces));
    unsigned char *buffer;
    size_t total = 0;

    for (size_t i = 0; i < count; i++) {
        total += ranges[i].end - ranges[i].start;
    }
    buffer = arena_alloc(arena, total);
    if (pieces == NULL || buffer == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        size_t bytes = ranges[i].end - ranges[i].start;

        pieces[i] = (struct piece){ ranges[i].start, buffer, bytes, 0 };
        buffer += bytes;
    }
    return pieces;
}

/* The ranges without what blocks hold already, in order; NULL when nothing is left. */
static struct range *new_ranges(struct capture *capture, struct range *ranges, size_t *count)
{
    struct range *rest;

    sort(ranges, *count);
    *count = merge(ranges, *count);
    rest = arena_array(&capture->arena, *count + capture->block_count, sizeof(*rest));
    if (rest == NULL) {
        return NULL;
    }
    *count = without_captured(capture, ranges, *count, rest);
    return *count > 0 ? rest : NULL;
}

static bool make_fresh(struct capture *capture, struct fresh *fresh, size_t capacity)
{
    fresh->capacity = capacity;
    fresh->blocks = arena_array(&capture->arena, capacity, sizeof(*fresh->blocks));
    return fresh->blocks != NULL;
}

void memory_add_ranges(struct capture *capture, struct range *ranges, size_t count)
{
    struct range *rest = new_ranges(capture, ranges, &count);
    struct fresh fresh = { 0 };
    struct piece *pieces;

    if (rest == NULL) {
        return;
    }
    pieces = make_pieces(&capture->arena, rest, count);
    if (pieces == NULL || !make_fresh(capture, &fresh, count + MOST_PARTS)) {
        capture_note(capture, "There was no memory for %llu pieces of the process's memory.",
                     (unsigned long long)count);
        return;
    }
    memory_read_pieces(capture, pieces, count);
    for (size_t i = 0; i < count; i++) {
        keep_piece(capture, &fresh, pieces[i]);
    }
    add_blocks(capture, &fresh);
}

void memory_leave_ranges(struct capture *capture, struct range *ranges, size_t count)
{
    struct range *rest = new_ranges(capture, ranges, &count);
    struct fresh fresh = { 0 };

    if (rest == NULL || !make_fresh(capture, &fresh, count)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        add_block(&fresh, rest[i].start, NULL, rest[i].end - rest[i].start);
        capture->left_bytes += rest[i].end - rest[i].start;
    }
    add_blocks(capture, &fresh);
}

bool memory_is_captured(const struct capture *capture, uint64_t address)
{
    size_t low = 0, high = capture->block_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct capture_block *block = &capture->blocks[middle];

        if (address < block->start) {
            high = middle;
        } else if (address - block->start >= block->bytes) {
            low = middle + 1;
        } else {
            return true;
        }
    }
    return false;
}
