/* SPDX-License-Identifier: Apache-2.0 */
/* Writing of JSON; see emit.h. Runs in a step of the engine. */
#include "plugins/writer/json/emit.h"

#include "plugins/common/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* The largest integer up to which all are doubles. */
#define EXACT (INT64_C(1) << 53)

static void put_character(FILE *stream, unsigned char c)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *found = strchr(from, c);

    if (found != NULL) {
        fputc('\\', stream);
        fputc(to[found - from], stream);
    } else if (c < 0x20 || c == 0x7f) {
        fprintf(stream, "\\u%04x", c);
    } else {
        fputc(c, stream);
    }
}

static void put_quoted(FILE *stream, const char *text)
{
    const char *place = text;
    uint32_t code;

    fputc('"', stream);
    while (*place != '\0') {
        size_t length = utf8_sequence(place, SIZE_MAX, &code);

        if (length == 0) {
            fputs("\\ufffd", stream);
            length = 1;
        } else if (length == 1) {
            put_character(stream, (unsigned char)*place);
        } else {
            fwrite(place, 1, length, stream);
        }
        place += length;
    }
    fputc('"', stream);
}

/* What comes before a value. */
static void begin(struct emit *emit, const char *key)
{
    if (!emit->first) {
        fputc(',', emit->stream);
    }
    emit->first = 0;
    if (key != NULL) {
        put_quoted(emit->stream, key);
        fputc(':', emit->stream);
    }
}

void emit_object(struct emit *emit, const char *key)
{
    begin(emit, key);
    fputc('{', emit->stream);
    emit->first = 1;
}

void emit_array(struct emit *emit, const char *key)
{
    begin(emit, key);
    fputc('[', emit->stream);
    emit->first = 1;
}

void emit_end(struct emit *emit, char bracket)
{
    fputc(bracket, emit->stream);
    emit->first = 0;
}

void emit_string(struct emit *emit, const char *key, const char *text)
{
    if (text != NULL) {
        begin(emit, key);
        put_quoted(emit->stream, text);
    }
}

void emit_integer(struct emit *emit, const char *key, int64_t value)
{
    begin(emit, key);
    fprintf(emit->stream, value >= -EXACT && value <= EXACT ? "%" PRId64 : "\"%" PRId64 "\"",
            value);
}

/* JSON has no infinities and no NaN. The decimal point is the C locale's: nobody sets another. */
void emit_double(struct emit *emit, const char *key, double value)
{
    begin(emit, key);
    if (isfinite(value)) {
        fprintf(emit->stream, "%.17g", value);
    } else {
        fputs("null", emit->stream);
    }
}

void emit_bool(struct emit *emit, const char *key, int value)
{
    begin(emit, key);
    fputs(value ? "true" : "false", emit->stream);
}

void emit_uint64(struct emit *emit, const char *key, uint64_t value)
{
    begin(emit, key);
    fprintf(emit->stream, "\"%" PRIu64 "\"", value);
}
