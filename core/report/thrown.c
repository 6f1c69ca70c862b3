/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The message about a C++ exception, made readable: its type arrives as the compiler wrote it (the
 * Itanium C++ ABI, section 5.1: mangling). Names of types only, without the shorthand for parts
 * that occurred before; a name that holds such stays as it is. Hostile: recursion and output are
 * bounded. Engine, tools.
 */
#include "core/report/report_inner.h"

#include "core/util/buf.h"
#include "core/util/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX     "C++ exception " /* CAPTURE_THROWN of core/capture */
#define MOST_DEPTH 16
#define TYPE_BYTES 1024

struct reader {
    const char *at, *end;
    char text[TYPE_BYTES];
    size_t used;
    unsigned depth;
};

static bool read_type(struct reader *reader);

static bool put(struct reader *reader, const char *text, size_t bytes)
{
    if (bytes >= sizeof(reader->text) - reader->used) {
        return false;
    }
    memcpy(reader->text + reader->used, text, bytes);
    reader->used += bytes;
    reader->text[reader->used] = '\0';
    return true;
}

static bool put_text(struct reader *reader, const char *text)
{
    return put(reader, text, strlen(text));
}

static bool skip(struct reader *reader, char character)
{
    if (reader->at == reader->end || *reader->at != character) {
        return false;
    }
    reader->at++;
    return true;
}

static bool at_digit(const struct reader *reader)
{
    return reader->at < reader->end && isdigit((unsigned char)*reader->at);
}

/* A length and so many characters. */
static bool read_name(struct reader *reader)
{
    static const char anonymous[] = "_GLOBAL__N_";
    size_t bytes = 0, most = (size_t)(reader->end - reader->at);
    const char *name;

    while (at_digit(reader) && bytes < most) {
        bytes = bytes * 10 + (size_t)(*reader->at++ - '0');
    }
    if (bytes == 0 || bytes > (size_t)(reader->end - reader->at)) {
        return false;
    }
    name = reader->at;
    reader->at += bytes;
    return bytes >= sizeof(anonymous) - 1 && memcmp(name, anonymous, sizeof(anonymous) - 1) == 0
               ? put_text(reader, "(anonymous namespace)")
               : put(reader, name, bytes);
}

/* A number as a template's argument: L, its type, the digits, E. */
static bool read_number(struct reader *reader)
{
    const char *first;

    if (reader->at == reader->end || !islower((unsigned char)*reader->at)) {
        return false;
    }
    reader->at++;
    if (skip(reader, 'n') && !put_text(reader, "-")) {
        return false;
    }
    first = reader->at;
    while (at_digit(reader)) {
        reader->at++;
    }
    return reader->at > first && put(reader, first, (size_t)(reader->at - first)) &&
           skip(reader, 'E');
}

/* Behind the I. */
static bool read_arguments(struct reader *reader)
{
    bool first = true;

    if (!put_text(reader, "<")) {
        return false;
    }
    while (!skip(reader, 'E')) {
        if ((!first && !put_text(reader, ", ")) ||
            !(skip(reader, 'L') ? read_number(reader) : read_type(reader))) {
            return false;
        }
        first = false;
    }
    return put_text(reader, ">");
}

/* One name with its template arguments. */
static bool read_part(struct reader *reader)
{
    return read_name(reader) && (!skip(reader, 'I') || read_arguments(reader));
}

/* Behind the N, up to its E. */
static bool read_nested(struct reader *reader)
{
    if (skip(reader, 'S') && (!skip(reader, 't') || !put_text(reader, "std::"))) {
        return false;
    }
    while (read_part(reader)) {
        if (skip(reader, 'E')) {
            return true;
        }
        if (!put_text(reader, "::")) {
            return false;
        }
    }
    return false;
}

/* Behind an S. */
static bool read_standard(struct reader *reader)
{
    if (skip(reader, 't')) {
        return put_text(reader, "std::") && read_part(reader);
    }
    if (skip(reader, 's')) {
        return put_text(reader, "std::string");
    }
    return skip(reader, 'a') && put_text(reader, "std::allocator") && skip(reader, 'I') &&
           read_arguments(reader);
}

static bool read_builtin(struct reader *reader)
{
    static const char *const names['z' - 'a' + 1] = {
        ['a' - 'a'] = "signed char",
        ['b' - 'a'] = "bool",
        ['c' - 'a'] = "char",
        ['d' - 'a'] = "double",
        ['e' - 'a'] = "long double",
        ['f' - 'a'] = "float",
        ['h' - 'a'] = "unsigned char",
        ['i' - 'a'] = "int",
        ['j' - 'a'] = "unsigned int",
        ['l' - 'a'] = "long",
        ['m' - 'a'] = "unsigned long",
        ['s' - 'a'] = "short",
        ['t' - 'a'] = "unsigned short",
        ['v' - 'a'] = "void",
        ['w' - 'a'] = "wchar_t",
        ['x' - 'a'] = "long long",
        ['y' - 'a'] = "unsigned long long",
    };
    char letter = reader->at < reader->end ? *reader->at : '\0';

    if (letter < 'a' || letter > 'z' || names[letter - 'a'] == NULL) {
        return false;
    }
    reader->at++;
    return put_text(reader, names[letter - 'a']);
}

static bool read_plain(struct reader *reader)
{
    if (skip(reader, 'P')) {
        return read_type(reader) && put_text(reader, "*");
    }
    if (skip(reader, 'K')) {
        return read_type(reader) && put_text(reader, " const");
    }
    if (skip(reader, 'N')) {
        return read_nested(reader);
    }
    if (skip(reader, 'S')) {
        return read_standard(reader);
    }
    return at_digit(reader) ? read_part(reader) : read_builtin(reader);
}

static bool read_type(struct reader *reader)
{
    bool good = reader->depth < MOST_DEPTH;

    reader->depth++;
    good = good && read_plain(reader);
    reader->depth--;
    return good;
}

/* The name as it is where it cannot be understood. */
static void name_type(const char *name, size_t bytes, char *ret_text, size_t size)
{
    static const char string[] = "NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE";
    struct reader reader = { .at = name, .end = name + bytes };

    skip(&reader, '*'); /* it is not the only one of its kind */
    if (bytes == sizeof(string) - 1 && memcmp(name, string, bytes) == 0) {
        text_copy(ret_text, size, "std::string");
    } else if (read_type(&reader) && reader.at == reader.end) {
        text_copy(ret_text, size, reader.text);
    } else {
        bytes = bytes < size - 1 ? bytes : size - 1;
        memcpy(ret_text, name, bytes);
        ret_text[bytes] = '\0';
    }
}

int report_name_thrown(char **message)
{
    char type[TYPE_BYTES];
    const char *name, *rest;
    struct buf text;
    char *whole;

    if (*message == NULL || strncmp(*message, PREFIX, sizeof(PREFIX) - 1) != 0) {
        return 0;
    }
    name = *message + sizeof(PREFIX) - 1;
    rest = name + strcspn(name, ": ");
    name_type(name, (size_t)(rest - name), type, sizeof(type));
    buf_init(&text, TYPE_BYTES + strlen(*message));
    buf_printf(&text, PREFIX "%s%s", type, strcmp(rest, ": ") == 0 ? "" : rest);
    whole = buf_take(&text);
    if (whole == NULL) {
        return CAIRN_ENOMEM;
    }
    free(*message);
    *message = whole;
    return 0;
}
