/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of core/report share and nobody else needs. Engine, sender, tools.
 */
#ifndef CAIRN_CORE_REPORT_REPORT_INNER_H
#define CAIRN_CORE_REPORT_REPORT_INNER_H

#include "core/report/report.h"

/* Integers up to here are exact in a JSON number, which readers take for a double. */
#define REPORT_EXACT_INTEGER 9007199254740992 /* 2^53 */

/* Texts that are made on demand: report_get() hands out pointers into them. */
struct report_scratch {
    char time[32];
    char signal[16];
    char code[16];
};

/* A process that was looked at when it had ended: there are no threads, and no signal's code. */
bool report_is_death(const struct report *report);

/* "SEGV_MAPERR" of the report's signal and code, or the code's number, in `buffer`; NULL for a
 * death. */
const char *report_code_text(const struct report *report, char buffer[16]);
/* The static text of a kind, NULL if it is none. */
const char *report_kind_text(const char *kind);
/* "pending", "delivered", "rejected". */
const char *report_delivery_text(enum report_delivery_state state);

/* The reverse of what is written. Hexadecimal only in the form that we write, so that a text which
 * comes back as a number is written alike again. */
bool report_parse_hex(const char *text, uint64_t *ret_value);
bool report_parse_signal(const char *name, int *ret_signal);
bool report_parse_code(int signal, const char *name, int *ret_code);

/* False for JSON that would make a parser recurse deep or take many times the text's size of
 * memory: counts brackets and values outside of strings. */
bool report_is_modest(const char *text, size_t bytes);

/* Room for one more element of a list of `count`: the list, perhaps moved, or NULL. Capacity
 * follows from the count alone: a power of two from 8 on. */
void *report_grow(void *list, size_t count, size_t element_bytes);

#define REPORT_NAME_BYTES 256

/* A printable copy of at most `limit` bytes, cut between characters; NULL: no memory. The caller
 * frees it. */
char *report_clean(const char *value, size_t limit);

/* The first `bytes` bytes of `data` up to a NUL as a text; NULL: no memory. The caller frees it. */
char *report_bytes_text(const void *data, size_t bytes);

/* Cairn's own records in a minidump; *ret_known tells whether it has any. */
struct minidump;
struct report_known {
    bool info, application, annotations;
};
int report_from_records(struct report *report, const struct minidump *dump,
                        struct report_known *ret_known);

/* If a message is about a C++ exception, its type as a programmer knows it. 0 or CAIRN_ENOMEM. */
int report_name_thrown(char **message);

/* drops.json: the same counters with one more added to `key`; text that is not such an object
 * counts as empty. The caller frees the result; NULL: no memory. */
char *report_json_count(const char *text, size_t bytes, const char *key, uint64_t more);

#endif
