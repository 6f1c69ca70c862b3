/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer with a mandatory cap. Failure is sticky: after it nothing is appended and
 * `failed` is CAIRN_ENOMEM or CAIRN_ETOOLONG, so a caller may append many times and ask once.
 */
#ifndef CAIRN_CORE_UTIL_BUF_H
#define CAIRN_CORE_UTIL_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
    char *data; /* NUL-terminated whenever it is not NULL */
    size_t bytes, capacity, limit;
    int failed;
};

void buf_init(struct buf *buf, size_t limit);
void buf_finish(struct buf *buf);
int buf_add(struct buf *buf, const void *data, size_t bytes);
int buf_text(struct buf *buf, const char *text);
int buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
int buf_vprintf(struct buf *buf, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
/* Hands the data to the caller, who frees it; "" is allocated when empty; NULL when it failed. */
char *buf_take(struct buf *buf);

#endif
