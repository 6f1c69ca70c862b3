/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parsing and printing of numbers and of short sentences without libc. Runs anywhere, also in a
 * crashed process.
 */
#include "core/capture/text.h"

/* 16 for what is none. */
static unsigned digit_of(char character)
{
    unsigned digit = (unsigned char)character - (unsigned)'0';
    unsigned letter = ((unsigned char)character | 0x20u) - (unsigned)'a';

    return digit < 10 ? digit : letter < 6 ? letter + 10 : 16;
}

static bool parse(const char **cursor, const char *end, unsigned base, uint64_t *ret_value)
{
    const char *at = *cursor;
    uint64_t value = 0;
    unsigned digit;

    while (at < end && (digit = digit_of(*at)) < base) {
        if (__builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, digit, &value)) {
            return false;
        }
        at++;
    }
    if (at == *cursor) {
        return false;
    }
    *cursor = at;
    *ret_value = value;
    return true;
}

bool capture_parse_hex(const char **cursor, const char *end, uint64_t *ret_value)
{
    return parse(cursor, end, 16, ret_value);
}

bool capture_parse_decimal(const char **cursor, const char *end, uint64_t *ret_value)
{
    return parse(cursor, end, 10, ret_value);
}

struct output {
    char *buffer;
    size_t size, length;
};

static void put(struct output *output, char character)
{
    if (output->length + 1 < output->size) {
        output->buffer[output->length++] = character;
    }
}

static void put_text(struct output *output, const char *text)
{
    for (const char *at = text != NULL ? text : "?"; *at != '\0'; at++) {
        put(output, *at);
    }
}

static void put_number(struct output *output, uint64_t value, unsigned base)
{
    char digits[20];
    size_t count = 0;

    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    while (count > 0) {
        put(output, digits[--count]);
    }
}

static void put_signed(struct output *output, int value)
{
    if (value < 0) {
        put(output, '-');
    }
    put_number(output, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10);
}

/* Puts the conversion at `at`, behind its '%'; returns its last character. */
static const char *put_conversion(struct output *output, const char *at, va_list *arguments)
{
    if (*at == 's') {
        put_text(output, va_arg(*arguments, const char *));
    } else if (*at == 'u') {
        put_number(output, va_arg(*arguments, unsigned), 10);
    } else if (*at == 'd') {
        put_signed(output, va_arg(*arguments, int));
    } else if (at[0] == 'l' && at[1] == 'l' && (at[2] == 'x' || at[2] == 'u')) {
        put_number(output, va_arg(*arguments, unsigned long long), at[2] == 'x' ? 16 : 10);
        return at + 2;
    } else {
        put(output, *at);
    }
    return at;
}

size_t capture_format_list(char *buffer, size_t size, const char *format, va_list arguments)
{
    struct output output = { buffer, size, 0 };
    va_list copy;

    if (size == 0) {
        return 0;
    }
    va_copy(copy, arguments);
    for (const char *at = format; *at != '\0'; at++) {
        if (at[0] == '%' && at[1] != '\0') {
            at = put_conversion(&output, at + 1, &copy);
        } else {
            put(&output, *at);
        }
    }
    va_end(copy);
    buffer[output.length] = '\0';
    return output.length;
}

size_t capture_format(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;
    size_t length;

    va_start(arguments, format);
    length = capture_format_list(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}
