/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of a configuration's problems. Collecting never fails: where memory is short, a problem
 * is counted without its words. Every process but the crashed one.
 */
#include "core/config/problem.h"

#include "core/util/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TEXT_BYTES 1024
#define MAX_HIDDEN     1000

void config_problems_init(struct config_problems *problems)
{
    memset(problems, 0, sizeof(*problems));
}

static void finish_item(struct config_problem *item)
{
    free((char *)item->position.file);
    free(item->path);
    free(item->text);
}

void config_problems_finish(struct config_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        finish_item(&problems->items[i]);
    }
    free(problems->hidden);
    config_problems_init(problems);
}

/* One printable line. */
static char *line_of(const char *text)
{
    char *line = text_printable(text, strlen(text));

    for (char *c = line; c != NULL && *c != '\0'; c++) {
        if (*c == '\n' || *c == '\t') {
            *c = ' ';
        }
    }
    return line;
}

/* A sentence from elsewhere ends with a full stop; a problem does not. */
static void drop_stop(char *text)
{
    size_t length = strlen(text);

    if (length > 0 && text[length - 1] == '.') {
        text[length - 1] = '\0';
    }
}

/* A free place for a problem; an error takes the place of a warning when there is none. */
static struct config_problem *place(struct config_problems *problems, bool warning)
{
    if (problems->count < CONFIG_MAX_PROBLEMS) {
        return &problems->items[problems->count++];
    }
    problems->omitted++;
    for (size_t i = CONFIG_MAX_PROBLEMS; i-- > 0 && !warning;) {
        if (problems->items[i].warning) {
            finish_item(&problems->items[i]);
            return &problems->items[i];
        }
    }
    return NULL;
}

static void add(struct config_problems *problems, bool warning, struct config_position position,
                const char *path, const char *format, va_list arguments)
{
    struct config_problem *item = place(problems, warning);
    char text[MAX_TEXT_BYTES];

    problems->errors += warning ? 0 : 1;
    if (item == NULL) {
        return;
    }
    vsnprintf(text, sizeof(text), format, arguments);
    drop_stop(text);
    item->position = position;
    item->position.file = position.file != NULL ? strdup(position.file) : NULL;
    item->path = line_of(path);
    item->text = line_of(text);
    item->warning = warning;
}

void config_problem_add(struct config_problems *problems, struct config_position position,
                        const char *path, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(problems, false, position, path, format, arguments);
    va_end(arguments);
}

void config_warning_add(struct config_problems *problems, struct config_position position,
                        const char *path, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(problems, true, position, path, format, arguments);
    va_end(arguments);
}

void config_problems_hide(struct config_problems *problems, struct config_span span)
{
    size_t count = problems->hidden_count;
    struct config_span *hidden;

    if (count >= MAX_HIDDEN) {
        problems->hide_all = true;
        return;
    }
    hidden = realloc(problems->hidden, (count + 1) * sizeof(*hidden));
    if (hidden == NULL) {
        problems->hide_all = true;
        return;
    }
    hidden[count] = span;
    problems->hidden = hidden;
    problems->hidden_count = count + 1;
}

void config_problems_unhide(struct config_problems *problems)
{
    size_t kept = 0;

    for (size_t i = 0; i < problems->hidden_count; i++) {
        if (!problems->hidden[i].tentative) {
            problems->hidden[kept++] = problems->hidden[i];
        }
    }
    problems->hidden_count = kept;
}

size_t config_problems_warnings(const struct config_problems *problems)
{
    return problems->count + problems->omitted - problems->errors;
}
