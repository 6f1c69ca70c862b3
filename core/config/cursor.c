/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Positions in a text, lines and columns counted as libyaml counts them. Every process but the
 * crashed one; the bytes are hostile.
 */
#include "core/config/internal.h"

#include "core/util/text.h"

#include <string.h>

void config_cursor_init(struct config_cursor *cursor, const char *data, size_t bytes)
{
    cursor->data = data;
    cursor->bytes = bytes;
    cursor->offset = bytes >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    cursor->line = cursor->column = 1;
}

bool config_cursor_next(struct config_cursor *cursor)
{
    const char *at = cursor->data + cursor->offset;
    size_t left = cursor->bytes - cursor->offset;
    uint32_t code;
    size_t length;

    if (left == 0) {
        return false;
    }
    if (*at == '\n' || *at == '\r') {
        cursor->offset += *at == '\r' && left > 1 && at[1] == '\n' ? 2 : 1;
        cursor->line++;
        cursor->column = 1;
        return true;
    }
    length = text_utf8(at, left, &code);
    cursor->offset += length != 0 ? length : 1;
    cursor->column++;
    return true;
}

bool config_cursor_before(const struct config_cursor *cursor, struct config_position position)
{
    return cursor->line < position.line ||
           (cursor->line == position.line && cursor->column < position.column);
}

bool config_cursor_seek(struct config_cursor *cursor, struct config_position position)
{
    while (config_cursor_before(cursor, position)) {
        if (!config_cursor_next(cursor)) {
            return false;
        }
    }
    return true;
}
