/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/maps, parsed. Runs in the monitor and in the clone of a crashed program; imports
 * nothing. A line that does not look as expected is skipped; the kernel's order, by address, is
 * checked.
 */
#include "core/capture/parts.h"

#include "core/capture/sys.h"
#include "core/capture/text.h"

#define DELETED " (deleted)"

static bool skip(const char **cursor, const char *end, char character)
{
    if (*cursor == end || **cursor != character) {
        return false;
    }
    ++*cursor;
    return true;
}

static bool parse_protection(const char **cursor, const char *end, struct capture_mapping *mapping)
{
    const char *at = *cursor;

    if (end - at < 4) {
        return false;
    }
    mapping->protection = (at[0] == 'r' ? PROT_READ : 0u) | (at[1] == 'w' ? PROT_WRITE : 0u) |
                          (at[2] == 'x' ? PROT_EXEC : 0u);
    mapping->shared = at[3] == 's';
    *cursor = at + 4;
    return true;
}

/* A path as the file has it, and as it was understood: most lines name the one before once more. */
struct known {
    const char *text;
    size_t length;
    const char *path;
};

/* The kernel writes a line feed in a path as \012. */
static void unescape(char *path, size_t length)
{
    size_t used = 0;

    for (size_t i = 0; i < length; i++) {
        bool escaped = path[i] == '\\' && length - i >= 4 && path[i + 1] == '0' &&
                       path[i + 2] == '1' && path[i + 3] == '2';

        path[used++] = escaped ? '\n' : path[i];
        i += escaped ? 3 : 0;
    }
    path[used] = '\0';
}

static const char *make_path(struct capture *capture, struct known *known, const char *text,
                             size_t length)
{
    char *path;

    if (length == 0) {
        return "";
    }
    if (length == known->length && capture_compare(text, known->text, length) == 0) {
        return known->path;
    }
    path = arena_text(&capture->arena, text, length);
    if (path == NULL) {
        return "";
    }
    unescape(path, length);
    *known = (struct known){ text, length, path };
    return path;
}

/* The kernel appends a remark to what is unlinked. */
static void parse_path(struct capture *capture, struct known *known, const char *at,
                       const char *end, struct capture_mapping *mapping)
{
    const size_t remark = sizeof(DELETED) - 1;
    size_t length = (size_t)(end - at);

    if (length > remark && capture_compare(end - remark, DELETED, remark) == 0) {
        mapping->deleted = 1;
        length -= remark;
    }
    mapping->path = make_path(capture, known, at, length);
}

static bool parse_memory(const char **cursor, const char *end, struct capture_mapping *mapping)
{
    return capture_parse_hex(cursor, end, &mapping->start) && skip(cursor, end, '-') &&
           capture_parse_hex(cursor, end, &mapping->end) && skip(cursor, end, ' ') &&
           parse_protection(cursor, end, mapping) && skip(cursor, end, ' ');
}

static bool parse_file(const char **cursor, const char *end, struct capture_mapping *mapping)
{
    uint64_t major, minor;

    if (!capture_parse_hex(cursor, end, &mapping->offset) || !skip(cursor, end, ' ') ||
        !capture_parse_hex(cursor, end, &major) || !skip(cursor, end, ':') ||
        !capture_parse_hex(cursor, end, &minor) || !skip(cursor, end, ' ') ||
        !capture_parse_decimal(cursor, end, &mapping->inode)) {
        return false;
    }
    mapping->device_major = (uint32_t)major;
    mapping->device_minor = (uint32_t)minor;
    return true;
}

static bool parse_line(struct capture *capture, struct known *known, const char *at,
                       const char *end, struct capture_mapping *mapping)
{
    if (!parse_memory(&at, end, mapping) || !parse_file(&at, end, mapping)) {
        return false;
    }
    while (skip(&at, end, ' ')) {
    }
    parse_path(capture, known, at, end, mapping);
    return mapping->start < mapping->end;
}

/* The next line feed, or `end`. Eight bytes at a time: thousands of mappings are megabytes. */
static const char *find_line_end(const char *at, const char *end)
{
    const uint64_t ones = UINT64_MAX / 0xff;
    uint64_t word;

    for (; end - at >= (ptrdiff_t)sizeof(word); at += sizeof(word)) {
        __builtin_memcpy(&word, at, sizeof(word));
        word ^= ones * '\n';
        if (((word - ones) & ~word & ones << 7) != 0) {
            break;
        }
    }
    while (at < end && *at != '\n') {
        at++;
    }
    return at;
}

static size_t count_lines(const char *at, const char *end)
{
    size_t lines = 0;

    while (at < end) {
        at = find_line_end(at, end) + 1;
        lines++;
    }
    return lines;
}

void mappings_parse(struct capture *capture)
{
    const struct capture_file *maps = capture_file(capture, "maps");
    struct known known = { NULL, 0, "" };
    const char *at, *end;
    uint64_t last = 0;

    if (maps == NULL) {
        return;
    }
    at = maps->content;
    end = at + maps->bytes;
    capture->mappings =
        arena_array(&capture->arena, count_lines(at, end), sizeof(*capture->mappings));
    if (capture->mappings == NULL) {
        return;
    }
    while (at < end) {
        struct capture_mapping mapping = { 0 };
        const char *line_end = find_line_end(at, end);

        if (parse_line(capture, &known, at, line_end, &mapping) && mapping.start >= last) {
            capture->mappings[capture->mapping_count++] = mapping;
            last = mapping.end;
        }
        at = line_end + 1;
    }
}

const struct capture_mapping *mapping_at_or_above(const struct capture *capture, uint64_t address)
{
    size_t low = 0, high = capture->mapping_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (capture->mappings[middle].end <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < capture->mapping_count ? &capture->mappings[low] : NULL;
}
