/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which bytes are a text at all: UTF-8 without control characters; and a text as JSON has it. Every
 * process but the crashed one; the bytes are hostile.
 */
#include "core/config/internal.h"

#include "core/util/text.h"

#include <string.h>

/* What YAML takes for a line break, or does not take at all. */
static bool is_control(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        { 0x00, 0x08 },     { 0x0b, 0x0c },     { 0x0e, 0x1f },     { 0x7f, 0x9f },
        { 0x2028, 0x2029 }, { 0xfeff, 0xfeff }, { 0xfffe, 0xffff },
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (code >= ranges[i].first && code <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

bool config_check_text(const char *name, const char *data, size_t bytes,
                       struct config_problems *problems)
{
    struct config_cursor cursor;

    if (bytes >= 2 && (memcmp(data, "\xff\xfe", 2) == 0 || memcmp(data, "\xfe\xff", 2) == 0)) {
        config_problem_add(problems, (struct config_position){ name, 0, 0 }, "",
                           "the file is UTF-16; save it as UTF-8");
        return false;
    }
    config_cursor_init(&cursor, data, bytes);
    while (cursor.offset < bytes) {
        struct config_position position = { name, cursor.line, cursor.column };
        unsigned char first = (unsigned char)data[cursor.offset];
        uint32_t code = 0;

        if (text_utf8(data + cursor.offset, bytes - cursor.offset, &code) == 0) {
            config_hide_suspect(problems, data, bytes, position);
            config_problem_add(problems, position, "", "the byte 0x%02X is not UTF-8", first);
            return false;
        }
        if (is_control(code)) {
            config_hide_suspect(problems, data, bytes, position);
            config_problem_add(problems, position, "",
                               "the character U+%04X is not allowed here; in double quotes write "
                               "an escape",
                               (unsigned)code);
            return false;
        }
        config_cursor_next(&cursor);
    }
    return true;
}

bool config_is_text(const char *data, size_t bytes)
{
    uint32_t code;

    for (size_t offset = 0; offset < bytes;) {
        size_t length = text_utf8(data + offset, bytes - offset, &code);

        if (length == 0 || is_control(code)) {
            return false;
        }
        offset += length;
    }
    return true;
}

void config_json_text(struct buf *out, const char *text)
{
    buf_text(out, "\"");
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            buf_printf(out, "\\%c", *text);
        } else if ((unsigned char)*text < ' ') {
            buf_printf(out, "\\u%04x", (unsigned)(unsigned char)*text);
        } else {
            buf_add(out, text, 1);
        }
    }
    buf_text(out, "\"");
}
