/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the buffer of the minidump, and behind it the memory contents. Runs in the monitor and in
 * the clone of a crashed program; imports nothing.
 *
 * What was captured is written from where it was read into, by a handful of system calls. What was
 * left in the process, which is held, passes through a small piece of memory that stays in the
 * CPU's cache; then the buffer is written last, because it tells what was missing.
 */
#include "core/capture/sys.h"
#include "core/capture/text.h"
#include "core/minidump/write_parts.h"

#define MAX_PARTS    256u
#define WINDOW_BYTES ((size_t)1 << 20)
#define PAGE_BYTES   4096u

/* Takes `bytes` that are written off the front of the parts; how many parts are done. */
static size_t consume(struct iovec *parts, size_t count, size_t bytes)
{
    size_t done = 0;

    while (done < count && bytes >= parts[done].iov_len) {
        bytes -= parts[done].iov_len;
        done++;
    }
    if (done < count) {
        parts[done].iov_base = (unsigned char *)parts[done].iov_base + bytes;
        parts[done].iov_len -= bytes;
    }
    return done;
}

static int write_parts(int fd, struct iovec *parts, size_t count, uint64_t *offset)
{
    while (count > 0) {
        long bytes = sys_pwritev(fd, parts, count, *offset);
        size_t done;

        if (bytes == -EINTR) {
            continue;
        }
        if (bytes <= 0) {
            return bytes < 0 ? (int)bytes : -EIO;
        }
        *offset += (uint64_t)bytes;
        done = consume(parts, count, (size_t)bytes);
        parts += done;
        count -= done;
    }
    return 0;
}

/* The buffer and all memory contents, which stay where they were read into. */
static int write_captured(const struct minidump_image *image, int fd, uint64_t offset)
{
    const struct capture *capture = image->capture;
    struct iovec parts[MAX_PARTS];
    size_t count = 1;
    int result = 0;

    parts[0] = (struct iovec){ image->data, image->bytes };
    for (size_t i = 0; i < capture->block_count && result == 0; i++) {
        const struct capture_block *block = &capture->blocks[i];
        struct iovec *last = &parts[count - 1];

        if ((const unsigned char *)last->iov_base + last->iov_len == block->data) {
            last->iov_len += block->bytes;
            continue;
        }
        if (count == MAX_PARTS) {
            result = write_parts(fd, parts, count, &offset);
            count = 0;
        }
        parts[count++] = (struct iovec){ (void *)block->data, block->bytes };
    }
    return result < 0 ? result : write_parts(fd, parts, count, &offset);
}

/* Memory on its way from the process to the file. */
struct stream {
    struct capture *capture;
    int fd;
    uint64_t offset; /* of the window, in the file */
    uint64_t deadline;
    uint64_t missing; /* bytes that could not be read, or not in time */
    size_t used;
    unsigned char *window;
};

static int flush(struct stream *stream)
{
    struct iovec part = { stream->window, stream->used };

    stream->used = 0;
    return part.iov_len == 0 ? 0 : write_parts(stream->fd, &part, 1, &stream->offset);
}

/* A page that cannot be read is one of zeros. */
static void fetch(struct stream *stream, uint64_t address, size_t bytes)
{
    unsigned char *to = stream->window + stream->used;

    stream->used += bytes;
    while (bytes > 0) {
        size_t part = capture_read(stream->capture, address, to, bytes);

        if (part == 0) {
            part = PAGE_BYTES - address % PAGE_BYTES;
            part = part < bytes ? part : bytes;
            capture_fill(to, 0, part);
            stream->missing += part;
        }
        address += part;
        to += part;
        bytes -= part;
    }
}

static bool is_late(const struct stream *stream)
{
    return stream->deadline != 0 && sys_now(CLOCK_MONOTONIC) >= stream->deadline;
}

/* The rest of a block for which there is no time stays a hole in the file. */
static int skip(struct stream *stream, uint64_t bytes)
{
    int result = flush(stream);

    stream->offset += bytes;
    stream->missing += bytes;
    return result;
}

static int pass_block(struct stream *stream, const struct capture_block *block)
{
    uint64_t done = 0;
    int result = 0;

    while (done < block->bytes && result == 0) {
        size_t room = WINDOW_BYTES - stream->used;
        size_t bytes = block->bytes - done < room ? (size_t)(block->bytes - done) : room;

        if (block->data != NULL) {
            capture_copy(stream->window + stream->used, block->data + done, bytes);
            stream->used += bytes;
        } else if (is_late(stream)) {
            return skip(stream, block->bytes - done);
        } else {
            fetch(stream, block->start + done, bytes);
        }
        done += bytes;
        if (stream->used == WINDOW_BYTES) {
            result = flush(stream);
        }
    }
    return result;
}

static int pass_blocks(struct stream *stream)
{
    int result = 0;

    for (size_t i = 0; i < stream->capture->block_count && result == 0; i++) {
        result = pass_block(stream, &stream->capture->blocks[i]);
    }
    return result < 0 ? result : flush(stream);
}

/* Fills in the record that write_own() made room for. */
static void tell_missing(const struct minidump_image *image, uint64_t missing)
{
    char text[WRITE_MISSING_BYTES - sizeof(struct minidump_record)];
    struct minidump_record record = { MINIDUMP_RECORD_NOTE, 0 };

    record.bytes = (uint32_t)capture_format(
        text, sizeof(text), "%llu bytes of the process's memory could not be read in time.",
        missing);
    capture_copy(image->data + image->missing_at, &record, sizeof(record));
    capture_copy(image->data + image->missing_at + sizeof(record), text, record.bytes);
}

static int write_streaming(const struct minidump_image *image, int fd)
{
    struct capture *capture = image->capture;
    struct stream stream = { .capture = capture, .fd = fd, .offset = image->bytes };
    struct iovec buffer = { image->data, image->bytes };
    uint64_t start = 0;
    int result;

    if (capture->request.hold_ns != 0) {
        stream.deadline = capture->began_ns + capture->request.hold_ns;
    }
    stream.window = arena_alloc(&capture->arena, WINDOW_BYTES);
    if (stream.window == NULL) {
        return -ENOMEM;
    }
    result = pass_blocks(&stream);
    if (result == 0 && stream.missing > 0) {
        if (image->missing_at != 0) {
            tell_missing(image, stream.missing);
        }
        result = sys_ftruncate(fd, image->bytes + image->memory_bytes);
    }
    return result < 0 ? result : write_parts(fd, &buffer, 1, &start);
}

int minidump_write_image(const struct minidump_image *image, int fd, uint64_t offset)
{
    return image->capture->left_bytes > 0 ? write_streaming(image, fd)
                                          : write_captured(image, fd, offset);
}
