/* SPDX-License-Identifier: Apache-2.0 */
/* Small functions on text: bounded copies, escapes, names, patterns, suggestions, identifiers. */
#ifndef CAIRN_CORE_UTIL_TEXT_H
#define CAIRN_CORE_UTIL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies what fits with a NUL; false when it was cut. */
bool text_copy(char *target, size_t capacity, const char *source);
/* The base name of a path, pointing into it. */
const char *text_base_name(const char *path);
/* The length of a program's path, without what /proc adds to one that was deleted: replaced by an
 * update while it runs, it still is that program. */
size_t text_living_length(const char *path);
/* [A-Za-z0-9._-] */
bool text_is_plain(char c);
/* %-escapes outside [A-Za-z0-9._-] (also a leading dot); the caller frees it; NULL: no memory. */
char *text_escape_name(const char *name);
/* The name that escapes to this one, for the caller to free, or NULL. 0 or CAIRN_ENOMEM. */
int text_unescape_name(const char *name, char **ret_text);
/* The length of the UTF-8 sequence at `data`, 0 if it is not valid (overlong, a surrogate, beyond
 * U+10FFFF, cut: RFC 3629); its code point. `bytes` is not 0. */
size_t text_utf8(const char *data, size_t bytes, uint32_t *ret_code);
/* Replaces what is not printable UTF-8 by U+FFFD or \xNN; the caller frees it; NULL: no memory. */
char *text_printable(const char *bytes, size_t count);
/* The candidate nearest to `word` if it is near enough for "did you mean", or NULL. */
const char *text_nearest(const char *word, const char *const *candidates);
/* A UUID of version 7 (RFC 9562) as text; from getrandom and the wall clock. */
void text_uuid7(char ret_id[37]);
bool text_is_uuid(const char *text);
/* Lowercase SHA-256 of a whole file from offset 0. 0 or CAIRN_ESYSTEM. */
int text_sha256_fd(int fd, char ret_hex[65]);
/* The same of bytes in memory. */
void text_sha256(const void *data, size_t bytes, char ret_hex[65]);

/* Signals and their codes by name: "SIGSEGV" ↔ 11; "SEGV" is accepted too; 0 if unknown. */
int text_signal_number(const char *name);
/* "SIGSEGV"; "SIG77" style text for others, in a static table or `buffer`. */
const char *text_signal_name(int number, char buffer[16]);
/* "SEGV_MAPERR" of (signal, si_code), "SI_USER" and so on; NULL if unknown. */
const char *text_signal_code(int number, int code);
/* What happened, in words: "read or write at an address that is not mapped". Never NULL. */
const char *text_signal_words(int number, int code);

#endif
