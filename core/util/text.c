/* SPDX-License-Identifier: Apache-2.0 */
/* Names, escapes, suggestions, identifiers; see text.h. Every process but the crashed one. */
#include "core/util/text.h"

#include "core/util/error.h"
#include "core/util/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

bool text_copy(char *target, size_t capacity, const char *source)
{
    size_t length = strlen(source);
    bool fits = length < capacity;

    if (!fits) {
        length = capacity - 1;
    }
    memcpy(target, source, length);
    target[length] = '\0';
    return fits;
}

const char *text_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

size_t text_living_length(const char *path)
{
    static const char deleted[] = " (deleted)";
    size_t length = strlen(path), cut = sizeof(deleted) - 1;

    return length > cut && strcmp(path + length - cut, deleted) == 0 ? length - cut : length;
}

bool text_is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

char *text_escape_name(const char *name)
{
    static const char digits[] = "0123456789ABCDEF";
    char *escaped = malloc(strlen(name) * 3 + 2);
    char *out = escaped;

    if (escaped == NULL) {
        return NULL;
    }
    for (const char *c = name; *c != '\0'; c++) {
        /* A leading dot would make the folder hidden, or "." and "..". */
        if (text_is_plain(*c) && !(c == name && *c == '.')) {
            *out++ = *c;
        } else {
            *out++ = '%';
            *out++ = digits[(unsigned char)*c >> 4];
            *out++ = digits[(unsigned char)*c & 15];
        }
    }
    if (out == escaped) {
        *out++ = '_';
    }
    *out = '\0';
    return escaped;
}

/* The length of the sequence that a byte begins, by its high four bits; 0: it begins none. */
static const unsigned char lengths[16] = { 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 3, 4 };

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int text_unescape_name(const char *name, char **ret_text)
{
    char *text = malloc(strlen(name) + 1), *out = text, *again = NULL;
    bool valid;

    for (const char *c = name; text != NULL && *c != '\0'; c++) {
        if (*c == '%' && hex_digit(c[1]) >= 0 && hex_digit(c[2]) >= 0) {
            *out++ = (char)(hex_digit(c[1]) * 16 + hex_digit(c[2]));
            c += 2;
        } else {
            *out++ = *c;
        }
    }
    if (text != NULL) {
        *out = '\0';
        again = text_escape_name(text);
    }
    if (again == NULL) {
        free(text);
        return CAIRN_ENOMEM;
    }
    valid = strcmp(again, name) == 0;
    free(again);
    if (!valid) {
        free(text);
        text = NULL;
    }
    *ret_text = text;
    return 0;
}

/* A character, in the fewest bytes that it could have. */
static bool is_character(uint32_t code, size_t length)
{
    static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };

    return code >= smallest[length] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

size_t text_utf8(const char *data, size_t bytes, uint32_t *ret_code)
{
    const unsigned char *at = (const unsigned char *)data;
    size_t length = lengths[at[0] >> 4];
    uint32_t code = length == 1 ? at[0] : at[0] & (0x7fu >> length);

    if (length == 0 || length > bytes || at[0] > 0xf4) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (at[i] & 0x3f);
    }
    if (!is_character(code, length)) {
        return 0;
    }
    *ret_code = code;
    return length;
}

char *text_printable(const char *bytes, size_t count)
{
    char *text = malloc(count * 4 + 1);
    char *out = text;
    uint32_t code;

    if (text == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < count;) {
        unsigned char c = (unsigned char)bytes[i];
        size_t length = text_utf8(bytes + i, count - i, &code);

        if (length == 0) {
            memcpy(out, "\xef\xbf\xbd", 3);
            out += 3;
            i++;
        } else if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) {
            out += snprintf(out, 5, "\\x%02x", c);
            i++;
        } else {
            memcpy(out, bytes + i, length);
            out += length;
            i += length;
        }
    }
    *out = '\0';
    return text;
}

#define NEAR_LENGTH 48

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edit distance with transpositions (optimal string alignment), for words up to NEAR_LENGTH. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][NEAR_LENGTH + 1];
    size_t a_length = strlen(a), b_length = strlen(b);

    if (a_length > NEAR_LENGTH || b_length > NEAR_LENGTH) {
        return NEAR_LENGTH;
    }
    for (size_t j = 0; j <= b_length; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *higher = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);

            best = smaller(best, smaller(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                best = smaller(best, higher[j - 2] + 1);
            }
            row[j] = best;
        }
    }
    return rows[a_length % 3][b_length];
}

const char *text_nearest(const char *word, const char *const *candidates)
{
    size_t allowed = strlen(word) / 3 + 1;
    const char *nearest = NULL;

    for (; *candidates != NULL; candidates++) {
        size_t away = distance(word, *candidates);

        if (away <= allowed && away < strlen(*candidates)) {
            nearest = *candidates;
            if (away == 0) {
                break;
            }
            allowed = away - 1;
        }
    }
    return nearest;
}

void text_uuid7(char ret_id[37])
{
    unsigned char id[16];
    uint64_t milliseconds = time_wall_ns() / 1000000u;

    if (getrandom(id, sizeof(id), GRND_NONBLOCK) != (ssize_t)sizeof(id)) {
        /* Before the kernel's pool is ready: unique on this machine is what an id must be. */
        uint64_t ticks = time_monotonic_us() * 0x9e3779b97f4a7c15ull;
        uint64_t place = (uint64_t)(uintptr_t)&id * 0xbf58476d1ce4e5b9ull ^ time_wall_ns();

        memcpy(id, &ticks, 8);
        memcpy(id + 8, &place, 8);
    }
    for (int i = 0; i < 6; i++) {
        id[i] = (unsigned char)(milliseconds >> (40 - 8 * i));
    }
    id[6] = (unsigned char)(0x70 | (id[6] & 0x0f));
    id[8] = (unsigned char)(0x80 | (id[8] & 0x3f));
    snprintf(ret_id, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             id[0], id[1], id[2], id[3], id[4], id[5], id[6], id[7], id[8], id[9], id[10], id[11],
             id[12], id[13], id[14], id[15]);
}

bool text_is_uuid(const char *text)
{
    for (int i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char c = text[i];

        if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return text[36] == '\0';
}
