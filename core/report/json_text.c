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

bool report_is_modest(const char *text, size_t bytes)
{
    size_t depth = 0, values = 0;
    bool quoted = false;

    for (size_t i = 0; i < bytes; i++) {
        char c = text[i];

        if (quoted) {
            i += c == '\\' ? 1 : 0;
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '[' || c == '{') {
            depth++;
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
        values += !quoted && (c == ',' || c == '[' || c == '{') ? 1 : 0;
        if (depth > MAX_DEPTH || values > MAX_VALUES) {
            return false;
        }
    }
    return true;
}
