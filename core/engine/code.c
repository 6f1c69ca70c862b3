/* SPDX-License-Identifier: Apache-2.0 */
/* Executable ranges of the crashed process, and what a call looks like; see code.h. [engine] */
#include "core/engine/code.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RANGES 65536
#define LINE_BYTES 96 /* enough for addresses and permissions; the rest of a line is not needed */

static bool add_range(struct code_map *map, uint64_t start, uint64_t end)
{
    struct code_range *larger;

    if (start >= end || map->count == MAX_RANGES) {
        return false;
    }
    if ((map->count & (map->count - 1)) == 0) { /* a power of two: the array is full */
        larger = reallocarray(map->ranges, map->count == 0 ? 1 : map->count * 2, sizeof(*larger));
        if (larger == NULL) {
            return false;
        }
        map->ranges = larger;
    }
    map->ranges[map->count++] = (struct code_range){ start, end };
    return true;
}

/* "55d0c0a00000-55d0c0a21000 r-xp 00002000 fe:01 1234 /path"; the next line begins at *text. */
static bool next_mapping(const char **text, const char *end, struct code_range *ret_range,
                         char ret_permissions[5])
{
    const char *newline = memchr(*text, '\n', (size_t)(end - *text));
    size_t bytes = (size_t)((newline != NULL ? newline : end) - *text);
    unsigned long long start, behind;
    char line[LINE_BYTES];

    bytes = bytes < sizeof(line) - 1 ? bytes : sizeof(line) - 1;
    memcpy(line, *text, bytes);
    line[bytes] = '\0';
    *text = newline != NULL ? newline + 1 : end;
    if (sscanf(line, "%16llx-%16llx %4s", &start, &behind, ret_permissions) != 3) {
        return false;
    }
    *ret_range = (struct code_range){ start, behind };
    return true;
}

static void add_maps(struct code_map *map, const char *text, size_t bytes)
{
    const char *end = text + bytes;
    struct code_range range;
    char permissions[5];

    while (text < end) {
        if (next_mapping(&text, end, &range, permissions) && strchr(permissions, 'x') != NULL) {
            add_range(map, range.start, range.end);
        }
    }
}

bool code_find_mapping(const struct minidump *dump, uint64_t address, struct code_range *ret_range)
{
    const char *text, *end;
    struct code_range range;
    char permissions[5];
    const void *maps;
    size_t bytes;

    if (!minidump_stream(dump, MINIDUMP_STREAM_LINUX_MAPS, &maps, &bytes)) {
        return false;
    }
    text = maps;
    end = text + bytes;
    while (text < end) {
        if (next_mapping(&text, end, &range, permissions) && address >= range.start &&
            address < range.end) {
            *ret_range = range;
            return true;
        }
    }
    return false;
}

static void add_modules(struct code_map *map, const struct minidump *dump)
{
    for (size_t i = 0; i < minidump_module_count(dump); i++) {
        const struct minidump_module *module = minidump_module_at(dump, i);

        if (module->bytes <= UINT64_MAX - module->base) {
            add_range(map, module->base, module->base + module->bytes);
        }
    }
}

static int compare_ranges(const void *first, const void *second)
{
    const struct code_range *a = first, *b = second;

    return a->start < b->start ? -1 : a->start > b->start;
}

/* A hostile dump's ranges may overlap, which a search by halves does not survive. */
static void sort_and_merge(struct code_map *map)
{
    size_t last = 0;

    qsort(map->ranges, map->count, sizeof(*map->ranges), compare_ranges);
    for (size_t i = 1; i < map->count; i++) {
        if (map->ranges[i].start > map->ranges[last].end) {
            map->ranges[++last] = map->ranges[i];
        } else if (map->ranges[i].end > map->ranges[last].end) {
            map->ranges[last].end = map->ranges[i].end;
        }
    }
    map->count = last + 1;
}

void code_map_init(struct code_map *map, const struct minidump *dump)
{
    const void *text;
    size_t bytes;

    *map = (struct code_map){ NULL, 0 };
    if (minidump_stream(dump, MINIDUMP_STREAM_LINUX_MAPS, &text, &bytes)) {
        add_maps(map, text, bytes);
    }
    if (map->count == 0) {
        add_modules(map, dump);
    }
    if (map->count != 0) {
        sort_and_merge(map);
    }
}

void code_map_finish(struct code_map *map)
{
    free(map->ranges);
    *map = (struct code_map){ NULL, 0 };
}

static int compare_address(const void *key, const void *element)
{
    uint64_t address = *(const uint64_t *)key;
    const struct code_range *range = element;

    return address < range->start ? -1 : address >= range->end;
}

bool code_map_contains(const struct code_map *map, uint64_t address)
{
    return map->count != 0 && bsearch(&address, map->ranges, map->count, sizeof(*map->ranges),
                                      compare_address) != NULL;
}

/* The length of "call r/m64" (FF /2) with this ModRM byte, without prefixes; 0: not a call. */
static size_t indirect_call_bytes(unsigned char modrm, unsigned char sib)
{
    unsigned mode = modrm >> 6, rm = modrm & 7u;
    size_t bytes = 2;

    if (((modrm >> 3) & 7u) != 2) {
        return 0;
    }
    if (mode == 3) {
        return bytes;
    }
    if (rm == 4) {
        bytes++; /* SIB */
    }
    if (mode == 1) {
        return bytes + 1;
    }
    if (mode == 2 || rm == 5 || (rm == 4 && (sib & 7u) == 5)) {
        return bytes + 4;
    }
    return bytes;
}

bool code_ends_in_call(const unsigned char *code, size_t bytes)
{
    if (bytes >= 5 && code[bytes - 5] == 0xe8) { /* call rel32 */
        return true;
    }
    for (size_t length = 2; length <= 7 && length <= bytes; length++) {
        const unsigned char *at = code + bytes - length;

        if (at[0] == 0xff && indirect_call_bytes(at[1], length > 2 ? at[2] : 0) == length) {
            return true;
        }
    }
    return false;
}

bool code_is_signal_return(const unsigned char code[CODE_SIGNAL_RETURN_BYTES])
{
    static const unsigned char expected[CODE_SIGNAL_RETURN_BYTES] = {
        0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, /* mov $15, %rax */
        0x0f, 0x05,                      /* syscall */
    };

    return memcmp(code, expected, sizeof(expected)) == 0;
}
