/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer with a cap; see buf.h. Every process but the crashed one. */
#include "core/util/buf.h"

#include <cairn/cairn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *buf, size_t limit)
{
    memset(buf, 0, sizeof(*buf));
    buf->limit = limit;
}

void buf_finish(struct buf *buf)
{
    free(buf->data);
    buf_init(buf, buf->limit);
}

/* Makes room for `bytes` more and a NUL. */
static int reserve(struct buf *buf, size_t bytes)
{
    size_t capacity = buf->capacity != 0 ? buf->capacity : 256;
    char *data;

    if (buf->failed != 0) {
        return buf->failed;
    }
    if (bytes > buf->limit - buf->bytes) {
        return buf->failed = CAIRN_ETOOLONG;
    }
    if (buf->data != NULL && buf->bytes + bytes < buf->capacity) {
        return 0;
    }
    while (capacity <= buf->bytes + bytes) {
        capacity *= 2;
    }
    data = realloc(buf->data, capacity);
    if (data == NULL) {
        return buf->failed = CAIRN_ENOMEM;
    }
    buf->data = data;
    buf->capacity = capacity;
    return 0;
}

int buf_add(struct buf *buf, const void *data, size_t bytes)
{
    int result = reserve(buf, bytes);

    if (result != 0) {
        return result;
    }
    if (bytes != 0) {
        memcpy(buf->data + buf->bytes, data, bytes);
    }
    buf->bytes += bytes;
    buf->data[buf->bytes] = '\0';
    return 0;
}

int buf_text(struct buf *buf, const char *text)
{
    return buf_add(buf, text, strlen(text));
}

int buf_vprintf(struct buf *buf, const char *format, va_list arguments)
{
    va_list again;
    int length, result;

    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0) {
        return buf->failed = CAIRN_EINVAL;
    }
    result = reserve(buf, (size_t)length);
    if (result == 0) {
        vsnprintf(buf->data + buf->bytes, (size_t)length + 1, format, arguments);
        buf->bytes += (size_t)length;
    }
    return result;
}

int buf_printf(struct buf *buf, const char *format, ...)
{
    va_list arguments;
    int result;

    va_start(arguments, format);
    result = buf_vprintf(buf, format, arguments);
    va_end(arguments);
    return result;
}

char *buf_take(struct buf *buf)
{
    char *data;

    if (buf_add(buf, "", 0) != 0) {
        buf_finish(buf);
        return NULL;
    }
    data = buf->data;
    buf_init(buf, buf->limit);
    return data;
}
