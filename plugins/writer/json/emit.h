/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A writer of JSON (RFC 8259) onto a stream: commas and nesting are its own business, strings are
 * always valid UTF-8. Runs in a step of the engine.
 */
#ifndef CAIRN_PLUGINS_WRITER_JSON_EMIT_H
#define CAIRN_PLUGINS_WRITER_JSON_EMIT_H

#include <stdint.h>
#include <stdio.h>

struct emit {
    FILE *stream;
    int first; /* the next member is the first of its object or array */
};

/* `key` is NULL in arrays and for the document itself. */
void emit_object(struct emit *emit, const char *key);
void emit_array(struct emit *emit, const char *key);
void emit_end(struct emit *emit, char bracket); /* '}' or ']' */

/* A text, of which what is not UTF-8 becomes U+FFFD; NULL leaves the member out. */
void emit_string(struct emit *emit, const char *key, const char *text);
void emit_integer(struct emit *emit, const char *key, int64_t value);
void emit_double(struct emit *emit, const char *key, double value);
void emit_bool(struct emit *emit, const char *key, int value);
/* As decimal text: a JSON number is a double, which cannot hold it. */
void emit_uint64(struct emit *emit, const char *key, uint64_t value);

#endif
