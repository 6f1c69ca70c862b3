/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text for import-free code: lengths, comparison, bounded copies, parsing and printing of numbers.
 * Runs anywhere, also in a crashed process.
 */
#ifndef CAIRN_CORE_CAPTURE_TEXT_H
#define CAIRN_CORE_CAPTURE_TEXT_H

#include "core/capture/builtins.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline size_t capture_length(const char *text)
{
    size_t length = 0;

    while (text[length] != '\0') {
        length++;
    }
    return length;
}

/* The length of a text in a field that may lack its NUL. */
static inline size_t capture_length_within(const char *text, size_t size)
{
    size_t length = 0;

    while (length < size && text[length] != '\0') {
        length++;
    }
    return length;
}

static inline bool capture_equal(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

static inline bool capture_starts(const char *text, const char *prefix)
{
    while (*prefix != '\0' && *text == *prefix) {
        text++;
        prefix++;
    }
    return *prefix == '\0';
}

/* Copies as much of `text` as fits and ends it with NUL. Returns the length that was written.
 * `size` is at least 1. */
static inline size_t capture_copy_text(char *buffer, size_t size, const char *text)
{
    size_t length = 0;

    while (length + 1 < size && text[length] != '\0') {
        buffer[length] = text[length];
        length++;
    }
    buffer[length] = '\0';
    return length;
}

/* Reads a number from *cursor, which moves behind it. False without a digit or beyond 64 bits. */
bool capture_parse_hex(const char **cursor, const char *end, uint64_t *ret_value);
bool capture_parse_decimal(const char **cursor, const char *end, uint64_t *ret_value);

/* Like snprintf, returning the length written (cut off, never more than size - 1). The only
 * conversions are %s, %d (int), %u (unsigned), %llx and %llu (64 bit), and %%. */
size_t capture_format(char *buffer, size_t size, const char *format, ...);
size_t capture_format_list(char *buffer, size_t size, const char *format, va_list arguments);

#endif
