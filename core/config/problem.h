/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Problems found in a configuration: up to 20 at once, each with its position and path, printed as
 * "file:line:column: path: what is wrong (did you mean …?)", then the line and a caret. Warnings
 * are printed alike and do not make a configuration bad.
 */
#ifndef CAIRN_CORE_CONFIG_PROBLEM_H
#define CAIRN_CORE_CONFIG_PROBLEM_H

#include "core/util/buf.h"

#include <stdbool.h>
#include <stddef.h>

#define CONFIG_MAX_PROBLEMS 20

struct config_position {
    const char *file;
    unsigned line, column; /* from 1, columns in characters; 0: the file as a whole */
};

struct config_problem {
    struct config_position position; /* its file is an own copy */
    char *path;                      /* "filters.storm.max", or "" */
    char *text;                      /* without position; ends without a full stop */
    bool warning;
};

/* A part of the source that is not shown: from `start` to before `end`. */
struct config_span {
    struct config_position start, end;
    bool tentative; /* until a plugin's table says that it is no secret */
};

struct config_problems {
    struct config_problem items[CONFIG_MAX_PROBLEMS];
    size_t count;
    size_t omitted; /* found beyond the 20 */
    size_t errors;  /* what is not a warning, among both */
    struct config_span *hidden;
    size_t hidden_count;
    bool hide_all; /* no memory to remember what is hidden */
};

void config_problems_init(struct config_problems *problems);
void config_problems_finish(struct config_problems *problems);
void config_problem_add(struct config_problems *problems, struct config_position position,
                        const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void config_warning_add(struct config_problems *problems, struct config_position position,
                        const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Source lines are printed with "(hidden)" in the place of this part: a token, say. */
void config_problems_hide(struct config_problems *problems, struct config_span span);
/* Ends what is hidden tentatively. */
void config_problems_unhide(struct config_problems *problems);

/* How many of them are warnings. */
size_t config_problems_warnings(const struct config_problems *problems);

/* Sorted by position, with source lines and carets taken from `source` (the text of the
 * only file, or NULL). What a configuration was loaded from is printed by config_print_problems().
 */
void config_problems_print(const struct config_problems *problems, const char *source,
                           struct buf *out);

#endif
