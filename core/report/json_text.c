/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What reading report.json needs besides a JSON parser: the texts of its numbers, and a look at the
 * text before it is parsed. Engine, sender, tools.
 */
#include "core/report/report_inner.h"

#include "core/util/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH  8
#define MAX_VALUES 200000 /* the parser takes 64 bytes and more for each */

bool report_parse_hex(const char *text, uint64_t *ret_value)
{
    size_t digits;

    if (strncmp(text, "0x", 2) != 0) {
        return false;
    }
    digits = strspn(text + 2, "0123456789abcdef");
    if (digits == 0 || digits > 16 || text[2 + digits] != '\0' || (text[2] == '0' && digits > 1)) {
        return false;
    }
    *ret_value = strtoull(text + 2, NULL, 16);
    return true;
}

bool report_parse_signal(const char *name, int *ret_signal)
{
    char again[16];
    int number = text_signal_number(name);

    if (number == 0 && strncmp(name, "SIG", 3) == 0) {
        number = (int)strtol(name + 3, NULL, 10); /* a real-time signal, "SIG34" */
    }
    if (number < 1 || number > 64 || strcmp(text_signal_name(number, again), name) != 0) {
        return false;
    }
    *ret_signal = number;
    return true;
}

/* The names are few, and text.h goes from number to name only: so all numbers are tried. */
bool report_parse_code(int signal, const char *name, int *ret_code)
{
    char *end;
    long number;

    for (int code = -64; code <= 255; code++) {
        const char *known = text_signal_code(signal, code);

        if (known != NULL && strcmp(known, name) == 0) {
            *ret_code = code;
            return true;
        }
    }
    errno = 0;
    number = strtol(name, &end, 10);
    if (end == name || *end != '\0' || errno != 0 || number < INT32_MIN || number > INT32_MAX) {
        return false;
    }
    *ret_code = (int)number;
    return true;
}

struct look {
    size_t depth, values;
    bool quoted;
};

static void look_at(struct look *look, char c)
{
    switch (c) {
    case '"':
        look->quoted = true;
        break;
    case '[':
    case '{':
        look->depth++;
        look->values++;
        break;
    case ']':
    case '}':
        look->depth -= look->depth > 0 ? 1 : 0;
        break;
    case ',':
        look->values++;
        break;
    default:
        break;
    }
}

bool report_is_modest(const char *text, size_t bytes)
{
    struct look look = { 0, 0, false };

    for (size_t i = 0; i < bytes; i++) {
        if (!look.quoted) {
            look_at(&look, text[i]);
        } else if (text[i] == '\\') {
            i++; /* the escaped character is no quote */
        } else {
            look.quoted = text[i] != '"';
        }
        if (look.depth > MAX_DEPTH || look.values > MAX_VALUES) {
            return false;
        }
    }
    return true;
}
