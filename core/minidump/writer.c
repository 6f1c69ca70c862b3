/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts a minidump together and writes it. Runs in the monitor and in the clone of a crashed
 * program; imports nothing.
 *
 * The whole file is one buffer with header, directory and streams, and behind it the memory
 * contents; see write_file.c.
 */
#include "core/minidump/writer.h"

#include "core/capture/sys.h"
#include "core/minidump/write_parts.h"

#define FIRST_BYTES      ((size_t)64 << 10)
#define NAME_BYTES       ((size_t)128) /* of a name in UTF-16, mostly */
#define MAX_BYTES        ((size_t)1 << 30)
#define FIRST_FIXES      64u
#define FLAG_FULL_MEMORY 0x2u /* MiniDumpWithFullMemory */

static size_t aligned(size_t bytes)
{
    return (bytes + 3) & ~(size_t)3;
}

static bool grow(struct write *write, size_t bytes)
{
    size_t wanted = write->capacity;
    unsigned char *data;

    if (bytes > write->limit || write->bytes > write->limit - bytes) {
        return false;
    }
    if (wanted == 0) {
        wanted = bytes > FIRST_BYTES ? bytes : FIRST_BYTES;
    }
    while (wanted < write->bytes + bytes) {
        wanted *= 2;
    }
    if (wanted == write->capacity) {
        return true;
    }
    data = arena_alloc(write->arena, wanted);
    if (data == NULL) {
        return false;
    }
    capture_copy(data, write->data, write->bytes);
    write->data = data;
    write->capacity = wanted;
    return true;
}

uint32_t write_room(struct write *write, size_t bytes)
{
    size_t at = write->bytes;

    if (write->failed || !grow(write, aligned(bytes))) {
        write->failed = 1;
        return 0;
    }
    write->bytes += aligned(bytes);
    return (uint32_t)at;
}

void write_over(struct write *write, uint32_t at, const void *data, size_t bytes)
{
    if (!write->failed && at <= write->bytes && bytes <= write->bytes - at) {
        capture_copy(write->data + at, data, bytes);
    }
}

uint32_t write_copy(struct write *write, const void *data, size_t bytes)
{
    uint32_t at = write_room(write, bytes);

    write_over(write, at, data, bytes);
    return at;
}

/* How many bytes follow the first one of a character in UTF-8; 0 also for what cannot be first. */
static unsigned bytes_behind(uint32_t first)
{
    if (first >= 0xf0 && first <= 0xf4) {
        return 3;
    }
    if (first >= 0xe0 && first < 0xf0) {
        return 2;
    }
    return first >= 0xc2 && first < 0xe0 ? 1 : 0;
}

/* The next character of UTF-8 at *at; a byte that is none is taken for itself, as in Latin-1. */
static uint32_t next_character(const unsigned char *text, size_t length, size_t *at)
{
    static const uint32_t smallest[] = { 0, 0x80, 0x800, 0x10000 };
    uint32_t first = text[*at], value;
    unsigned more = bytes_behind(first);

    ++*at;
    if (more == 0 || length - *at < more) {
        return first;
    }
    value = first & (0x3fu >> more);
    for (unsigned i = 0; i < more; i++) {
        if ((text[*at + i] & 0xc0) != 0x80) {
            return first;
        }
        value = value << 6 | (text[*at + i] & 0x3fu);
    }
    if (value < smallest[more] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) {
        return first;
    }
    *at += more;
    return value;
}

uint32_t write_string(struct write *write, const char *text, size_t length)
{
    uint32_t at = write_room(write, 4 + (length + 1) * 2), units = 0;
    uint16_t *to;

    if (write->failed) {
        return 0;
    }
    to = (uint16_t *)(write->data + at + 4);
    for (size_t i = 0; i < length;) {
        uint32_t character = next_character((const unsigned char *)text, length, &i);

        if (character >= 0x10000) {
            to[units++] = (uint16_t)(0xd800 + ((character - 0x10000) >> 10));
            character = 0xdc00 + ((character - 0x10000) & 0x3ff);
        }
        to[units++] = (uint16_t)character;
    }
    units *= 2;
    write_over(write, at, &units, sizeof(units));
    return at;
}

void write_stream(struct write *write, uint32_t type, uint32_t rva, size_t bytes)
{
    if (write->failed || write->stream_count == WRITE_MAX_STREAMS) {
        return;
    }
    write->streams[write->stream_count++] =
        (struct layout_directory){ type, { (uint32_t)bytes, rva } };
}

/* The block that holds `address`, or SIZE_MAX. */
static size_t find_block(const struct capture *capture, uint64_t address)
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
            return middle;
        }
    }
    return SIZE_MAX;
}

bool write_fix(struct write *write, uint32_t at)
{
    if (write->fix_count == write->fix_capacity) {
        size_t wanted = write->fix_capacity == 0 ? FIRST_FIXES : write->fix_capacity * 2;
        uint32_t *fixes = arena_array(write->arena, wanted, sizeof(*fixes));

        if (fixes == NULL) {
            return false;
        }
        capture_copy(fixes, write->fixes, write->fix_count * sizeof(*fixes));
        write->fixes = fixes;
        write->fix_capacity = wanted;
    }
    write->fixes[write->fix_count++] = at;
    return true;
}

uint64_t write_memory_location(struct write *write, uint32_t at, uint64_t start, uint64_t bytes)
{
    size_t index = bytes != 0 && !write->failed ? find_block(write->capture, start) : SIZE_MAX;
    struct layout_location location = { 0, 0 };
    const struct capture_block *block;
    uint64_t offset, there;

    if (index == SIZE_MAX) {
        return 0;
    }
    block = &write->capture->blocks[index];
    there = block->bytes - (start - block->start);
    there = there < bytes ? there : bytes;
    offset = write->block_offsets[index] + (start - block->start);
    /* Offsets in a file are 32 bits wide; what lies beyond is in the 64-bit list only. */
    if (offset + there > UINT32_MAX - MAX_BYTES ||
        !write_fix(write, at + (uint32_t)offsetof(struct layout_location, rva))) {
        return 0;
    }
    location.bytes = (uint32_t)there;
    location.rva = (uint32_t)offset;
    write_over(write, at, &location, sizeof(location));
    return there;
}

static void apply_fixes(struct write *write)
{
    for (size_t i = 0; i < write->fix_count; i++) {
        uint32_t rva;

        if (write->fixes[i] + sizeof(rva) <= write->bytes) {
            capture_copy(&rva, write->data + write->fixes[i], sizeof(rva));
            rva += (uint32_t)write->bytes;
            capture_copy(write->data + write->fixes[i], &rva, sizeof(rva));
        }
    }
}

/* Assigns each block its place; false without memory for the table. */
static bool place_blocks(struct write *write)
{
    const struct capture *capture = write->capture;

    write->block_offsets =
        arena_array(write->arena, capture->block_count, sizeof(*write->block_offsets));
    for (size_t i = 0; write->block_offsets != NULL && i < capture->block_count; i++) {
        write->block_offsets[i] = write->memory_bytes;
        write->memory_bytes += capture->blocks[i].bytes;
    }
    return write->block_offsets != NULL;
}

void write_go_on(struct write *write, const char *what)
{
    if (write->failed) {
        write->failed = 0;
        capture_note(write->capture, "There was no room for %s in the minidump.", what);
    }
}

/* One group. When it fails, streams that were complete stay, and what came to none makes room. */
static void write_group(struct write *write, void (*group)(struct write *), const char *what)
{
    size_t bytes = write->bytes, fixes = write->fix_count, streams = write->stream_count;

    group(write);
    if (write->failed && write->stream_count == streams) {
        capture_fill(write->data + bytes, 0, write->bytes - bytes);
        write->bytes = bytes;
        write->fix_count = fixes;
    }
    write_go_on(write, what);
}

/* The last group has the room that is kept for it. */
static void write_groups(struct write *write)
{
    size_t limit = write->limit, own = write_own_bytes(write);

    write->limit -= own < limit / 2 ? own : limit / 2;
    write_group(write, write_threads, "the threads");
    write_group(write, write_modules, "the modules");
    write_group(write, write_memory_lists, "the list of memory");
    write_group(write, write_system, "the system information");
    write_group(write, write_linux, "the files of /proc");
    write_group(write, write_crashpad, "the annotations");
    if (write->extra != NULL && write->extra->more != NULL) {
        write->extra->more(write);
    }
    write->limit = limit;
    write_group(write, write_own, "the notes");
}

static void write_header(struct write *write)
{
    struct layout_header header = {
        .signature = MINIDUMP_SIGNATURE,
        .version = MINIDUMP_VERSION,
        .stream_count = write->stream_count,
        .directory_rva = sizeof(header),
        .time = (uint32_t)(sys_now(CLOCK_REALTIME) / SYS_NANOSECONDS),
        .flags = write->capture->request.memory == CAPTURE_FULL ? FLAG_FULL_MEMORY : 0,
    };

    write_over(write, 0, &header, sizeof(header));
    write_over(write, sizeof(header), write->streams,
               write->stream_count * sizeof(*write->streams));
}

/* About what the buffer will hold, so that it is made once and not copied on the way. */
static size_t expected_bytes(const struct capture *capture)
{
    size_t bytes = FIRST_BYTES;

    bytes += capture->thread_count * (sizeof(struct layout_context) + sizeof(struct layout_thread) +
                                      sizeof(struct layout_thread_name) + NAME_BYTES);
    bytes += capture->mapping_count * sizeof(struct layout_memory_info);
    bytes += capture->module_count * (sizeof(struct layout_module) + 2 * NAME_BYTES);
    bytes += capture->linkage.link_count * (sizeof(struct layout_link) + NAME_BYTES);
    bytes += capture->block_count * sizeof(struct layout_memory);
    for (size_t i = 0; i < capture->file_count; i++) {
        bytes += capture->files[i].bytes;
    }
    return bytes;
}

/* Everything but the memory contents, which have got their places. */
static int compose(struct write *write)
{
    grow(write, expected_bytes(write->capture)); /* a wish: what does not fit is seen below */
    write_room(write, sizeof(struct layout_header) + sizeof(write->streams));
    if (write->failed) {
        return -ENOMEM;
    }
    write_groups(write);
    write_header(write);
    apply_fixes(write);
    return 0;
}

int minidump_compose(struct capture *capture, const struct minidump_extra *extra,
                     struct minidump_image *ret_image)
{
    struct write write = {
        .capture = capture, .extra = extra, .arena = &capture->arena, .limit = MAX_BYTES
    };
    int result = place_blocks(&write) ? compose(&write) : -ENOMEM;

    if (result == 0) {
        *ret_image = (struct minidump_image){ capture, write.data, write.bytes, write.memory_bytes,
                                              write.missing_at };
    }
    return result;
}

int minidump_write(struct capture *capture, const struct minidump_extra *extra, int fd)
{
    struct minidump_image image;
    int result = minidump_compose(capture, extra, &image);

    return result < 0 ? result : minidump_write_image(&image, fd, 0);
}

int minidump_write_memory(struct capture *capture, const struct minidump_extra *extra, void *memory,
                          size_t capacity, size_t *ret_bytes)
{
    struct write write = { .capture = capture, .extra = extra, .arena = &capture->arena };
    unsigned char *to = memory;
    int result;

    if (!place_blocks(&write)) {
        return -ENOMEM;
    }
    if (write.memory_bytes > capacity / 2) {
        return -ENOSPC;
    }
    write.limit = capacity - (size_t)write.memory_bytes;
    write_fit_threads(&write, write.limit / 2);
    result = compose(&write);
    if (result < 0) {
        return result;
    }
    if (extra->begun != NULL) {
        __atomic_store_n(extra->begun, 1, __ATOMIC_SEQ_CST);
    }
    capture_copy(to, write.data, write.bytes);
    to += write.bytes;
    for (size_t i = 0; i < capture->block_count; i++) {
        capture_copy(to, capture->blocks[i].data, capture->blocks[i].bytes);
        to += capture->blocks[i].bytes;
    }
    *ret_bytes = (size_t)(to - (unsigned char *)memory);
    return 0;
}
