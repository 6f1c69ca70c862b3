/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The copy of a minidump, in pieces, with an eye on the clock: within the kernel where nothing
 * happens to the bytes, else through a window of memory. Runs in a step of the engine.
 */
#include "plugins/writer/minidump/output.h"

#include "plugins/common/fd.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define PIECE  (16u << 20) /* bytes between two looks at the clock */
#define WINDOW (64u << 10) /* bytes that go through memory at once */

static int put(const struct output *output, const void *data, size_t bytes)
{
    return output->compressor != NULL ? compress_feed(output->compressor, data, bytes)
                                      : fd_write(output->to, data, bytes);
}

static int look_at_clock(const struct output *output)
{
    if (output->host->time_left(output->host) == 0) {
        errno = ETIMEDOUT;
        return -1;
    }
    return 0;
}

static int put_zeros(const struct output *output, uint64_t bytes)
{
    static const unsigned char zeros[4096];

    while (bytes > 0) {
        size_t piece = bytes < sizeof(zeros) ? (size_t)bytes : sizeof(zeros);

        if (put(output, zeros, piece) != 0) {
            return -1;
        }
        bytes -= piece;
    }
    return 0;
}

/* Within the kernel, or by write(2) from the mapping where the file systems cannot. */
static int copy_in_kernel(const struct output *output, uint64_t offset, uint64_t bytes)
{
    while (bytes > 0) {
        size_t piece = bytes < PIECE ? (size_t)bytes : PIECE;
        off_t place = (off_t)offset;
        ssize_t copied = copy_file_range(output->from, &place, output->to, NULL, piece, 0);

        if (look_at_clock(output) != 0) {
            return -1;
        }
        if (copied <= 0) {
            if (fd_write(output->to, output->data + offset, piece) != 0) {
                return -1;
            }
            copied = (ssize_t)piece;
        }
        offset += (uint64_t)copied;
        bytes -= (uint64_t)copied;
    }
    return 0;
}

/* By read(2), not from the mapping: gigabytes of it would become this process's memory. */
static int copy_by_reading(const struct output *output, uint64_t offset, uint64_t bytes)
{
    unsigned char window[WINDOW];

    while (bytes > 0) {
        size_t part = bytes < sizeof(window) ? (size_t)bytes : sizeof(window);
        ssize_t got = pread(output->from, window, part, (off_t)offset);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got == 0) {
            errno = EIO; /* it has become shorter */
        }
        if (got <= 0 || put(output, window, (size_t)got) != 0 || look_at_clock(output) != 0) {
            return -1;
        }
        offset += (uint64_t)got;
        bytes -= (uint64_t)got;
    }
    return 0;
}

static int copy_range(const struct output *output, uint64_t offset, uint64_t bytes)
{
    return output->compressor != NULL ? copy_by_reading(output, offset, bytes)
                                      : copy_in_kernel(output, offset, bytes);
}

/* The same for memory contents, through the sanitiser. */
static int copy_memory(const struct output *output, const struct sanitize_piece *piece,
                       uint64_t offset, uint64_t bytes)
{
    unsigned char window[WINDOW];

    while (bytes > 0) {
        size_t part = bytes < sizeof(window) ? (size_t)bytes : sizeof(window);

        sanitize_copy(output->sanitizer, piece, offset, part, window);
        if (put(output, window, part) != 0 || look_at_clock(output) != 0) {
            return -1;
        }
        offset += part;
        bytes -= part;
    }
    return 0;
}

/* What is memory goes one way, the rest the other. */
static int copy_clean(const struct output *output, uint64_t offset, uint64_t bytes)
{
    uint64_t end = offset + bytes;

    while (offset < end) {
        const struct sanitize_piece *piece =
            output->sanitizer != NULL ? sanitize_next(output->sanitizer, offset) : NULL;
        bool inside = piece != NULL && piece->offset <= offset;
        uint64_t stop = piece == NULL ? end : inside ? piece->offset + piece->bytes : piece->offset;
        int result;

        stop = stop < end ? stop : end;
        result = inside ? copy_memory(output, piece, offset, stop - offset)
                        : copy_range(output, offset, stop - offset);
        if (result != 0) {
            return result;
        }
        offset = stop;
    }
    return 0;
}

/* [offset, end) of the source. */
static int copy_part(const struct output *output, uint64_t offset, uint64_t end,
                     const struct holes *holes)
{
    for (size_t i = 0; i < holes->count; i++) {
        uint64_t start = holes->items[i].offset, stop = start + holes->items[i].bytes;

        start = start > offset ? start : offset;
        stop = stop < end ? stop : end;
        if (start >= stop) {
            continue;
        }
        if (copy_clean(output, offset, start - offset) != 0 ||
            put_zeros(output, stop - start) != 0) {
            return -1;
        }
        offset = stop;
    }
    return copy_clean(output, offset, end - offset);
}

/* The head is in memory already, and small. */
static int put_head(const struct output *output, const struct holes *holes)
{
    const struct shrink *shrink = output->shrink;

    for (size_t i = 0; i < holes->count && holes->items[i].offset < shrink->head_bytes; i++) {
        uint64_t start = holes->items[i].offset, left = shrink->head_bytes - start;

        memset(shrink->head + start, 0,
               holes->items[i].bytes < left ? holes->items[i].bytes : left);
    }
    return put(output, shrink->head, shrink->head_bytes);
}

static int copy_shrunk(const struct output *output, const struct holes *holes)
{
    const struct shrink *shrink = output->shrink;
    int result = put_head(output, holes);

    for (size_t i = 0; i < shrink->count && result == 0; i++) {
        const struct shrink_piece *piece = &shrink->pieces[i];

        result = copy_part(output, piece->offset + piece->from, piece->offset + piece->to, holes);
    }
    return result;
}

int output_copy(const struct output *output, uint64_t bytes, const struct holes *holes)
{
    return output->shrink != NULL ? copy_shrunk(output, holes) : copy_part(output, 0, bytes, holes);
}
