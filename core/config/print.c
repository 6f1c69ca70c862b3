/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Problems as text for people: the message, the line of the file, a caret below the place. What is
 * hidden stays hidden, long lines are shown in part. Every process but the crashed one.
 */
#include "core/config/internal.h"
#include "core/util/text.h"

#include <stdlib.h>
#include <string.h>

#define INDENT "    "
#define HIDDEN "(hidden)"
#define WINDOW 100 /* characters of a line that are shown */

/* Lines as they are printed: the source's, and the white space that puts the caret in place. */
struct excerpt {
    struct buf line, pad;
    bool at_caret; /* the pad is complete */
};

/* A problem and the rank of its file: lower layers come first, unknown files last. */
struct ranked {
    const struct config_problem *item;
    size_t rank;
};

static int compare(const void *a, const void *b)
{
    const struct ranked *one = a, *other = b;
    const struct config_problem *left = one->item, *right = other->item;
    const struct config_position *p = &left->position, *q = &right->position;

    if (one->rank != other->rank) {
        return one->rank < other->rank ? -1 : 1;
    }
    if (p->line != q->line) {
        return p->line < q->line ? -1 : 1;
    }
    if (p->column != q->column) {
        return p->column < q->column ? -1 : 1;
    }
    return left < right ? -1 : left > right; /* items of one array: the order of finding */
}

/* The columns of a terminal that a character takes; the usual East Asian and emoji blocks are
 * enough to put a caret. */
static unsigned width(uint32_t code)
{
    static const struct {
        uint32_t first, last;
        unsigned width;
    } ranges[] = {
        { 0x0300, 0x036f, 0 },   { 0x200b, 0x200f, 0 }, { 0x20d0, 0x20ff, 0 },
        { 0xfe00, 0xfe0f, 0 },   { 0x1100, 0x115f, 2 }, { 0x2e80, 0xa4cf, 2 },
        { 0xac00, 0xd7a3, 2 },   { 0xf900, 0xfaff, 2 }, { 0xfe30, 0xfe6f, 2 },
        { 0xff00, 0xff60, 2 },   { 0xffe0, 0xffe6, 2 }, { 0x1f300, 0x1faff, 2 },
        { 0x20000, 0x3fffd, 2 },
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (code >= ranges[i].first && code <= ranges[i].last) {
            return ranges[i].width;
        }
    }
    return 1;
}

/* Shows a text of `columns` columns; before the caret it also moves the caret on. */
static void show(struct excerpt *excerpt, const char *text, size_t bytes, unsigned columns)
{
    buf_add(&excerpt->line, text, bytes);
    for (unsigned i = 0; i < columns && !excerpt->at_caret; i++) {
        buf_text(&excerpt->pad, " ");
    }
}

static void show_character(struct excerpt *excerpt, const struct config_cursor *cursor)
{
    const char *at = cursor->data + cursor->offset;
    uint32_t code = 0;
    size_t length = text_utf8(at, cursor->bytes - cursor->offset, &code);

    if (*at == '\t') {
        buf_text(&excerpt->line, "\t");
        if (!excerpt->at_caret) {
            buf_text(&excerpt->pad, "\t");
        }
    } else if (length == 0 || !config_is_text(at, length)) {
        show(excerpt, "\xef\xbf\xbd", 3, 1);
    } else {
        show(excerpt, at, length, width(code));
    }
}

static bool is_of(const struct config_span *span, const char *file)
{
    return span->start.file == NULL || file == NULL || strcmp(span->start.file, file) == 0;
}

static const struct config_span *hidden_at(const struct config_problems *problems,
                                           const struct config_cursor *cursor, const char *file)
{
    for (size_t i = 0; i < problems->hidden_count; i++) {
        const struct config_span *span = &problems->hidden[i];

        if (is_of(span, file) && !config_cursor_before(cursor, span->start) &&
            config_cursor_before(cursor, span->end)) {
            return span;
        }
    }
    return NULL;
}

static bool at_line_end(const struct config_cursor *cursor)
{
    char c = cursor->offset < cursor->bytes ? cursor->data[cursor->offset] : '\n';

    return c == '\n' || c == '\r';
}

/* Whether the caret belongs here: at its column, or at the start of the hidden part around it. */
static bool is_caret(const struct config_cursor *cursor, const struct config_span *span,
                     struct config_position caret)
{
    struct config_cursor at = { .line = caret.line, .column = caret.column };

    return !config_cursor_before(cursor, caret) ||
           (span != NULL && config_cursor_before(&at, span->end));
}

static void show_cut(struct excerpt *excerpt, bool is_cut)
{
    if (is_cut) {
        show(excerpt, "…", sizeof("…") - 1, 1);
    }
}

/* Fills the excerpt from the columns `from` to before `to` of the line at the cursor. */
static void fill(struct excerpt *excerpt, const struct config_problems *problems,
                 struct config_cursor cursor, struct config_position caret, unsigned from,
                 unsigned to)
{
    const struct config_span *last = NULL;

    show_cut(excerpt, from > 1);
    for (; !at_line_end(&cursor) && cursor.column < to; config_cursor_next(&cursor)) {
        const struct config_span *span;

        if (cursor.column < from) {
            continue;
        }
        span = hidden_at(problems, &cursor, caret.file);
        excerpt->at_caret = excerpt->at_caret || is_caret(&cursor, span, caret);
        if (span == NULL) {
            show_character(excerpt, &cursor);
        } else if (span != last) {
            show(excerpt, HIDDEN, sizeof(HIDDEN) - 1, sizeof(HIDDEN) - 1);
        }
        last = span;
    }
    show_cut(excerpt, !at_line_end(&cursor));
}

static void print_excerpt(const struct config_problems *problems, const char *source,
                          const struct config_position *position, struct buf *out)
{
    struct config_cursor cursor;
    struct excerpt excerpt = { .at_caret = false };
    unsigned from = 1;

    config_cursor_init(&cursor, source, strlen(source));
    if (!config_cursor_seek(&cursor, (struct config_position){ NULL, position->line, 1 }) ||
        cursor.line != position->line || at_line_end(&cursor)) {
        return;
    }
    if (position->column > WINDOW - 20) {
        from = position->column - WINDOW / 2;
    }
    buf_init(&excerpt.line, 8 * WINDOW + 64);
    buf_init(&excerpt.pad, 8 * WINDOW + 64);
    fill(&excerpt, problems, cursor, *position, from, from + WINDOW);
    if (excerpt.line.failed == 0 && excerpt.pad.failed == 0) {
        buf_printf(out, INDENT "%s\n" INDENT "%s^\n", excerpt.line.data,
                   excerpt.pad.data != NULL ? excerpt.pad.data : "");
    }
    buf_finish(&excerpt.line);
    buf_finish(&excerpt.pad);
}

static void print_problem(const struct config_problems *problems, const struct config_problem *item,
                          const char *source, struct buf *out)
{
    const struct config_position *position = &item->position;

    buf_text(out, position->file != NULL ? position->file : "configuration");
    if (position->line != 0) {
        buf_printf(out, ":%u:%u", position->line, position->column);
    }
    buf_text(out, item->warning ? ": warning: " : ": ");
    if (item->path != NULL && item->path[0] != '\0') {
        buf_printf(out, "%s: ", item->path);
    }
    buf_printf(out, "%s\n",
               item->text != NULL ? item->text : "no memory is left to say what is wrong");
    if (source != NULL && position->line != 0 && !problems->hide_all) {
        print_excerpt(problems, source, position, out);
    }
}

/* The source of a problem's file; one without a name stands for every file. */
static const struct config_source *source_of(const struct config_source *sources, const char *file,
                                             size_t *ret_rank)
{
    *ret_rank = 0;
    for (const struct config_source *s = sources; s != NULL; s = s->next) {
        if (s->name == NULL || (file != NULL && strcmp(s->name, file) == 0)) {
            return s;
        }
        ++*ret_rank;
    }
    return NULL;
}

static size_t sort(const struct config_problems *problems, const struct config_source *sources,
                   struct ranked sorted[CONFIG_MAX_PROBLEMS])
{
    for (size_t i = 0; i < problems->count; i++) {
        sorted[i].item = &problems->items[i];
        source_of(sources, sorted[i].item->position.file, &sorted[i].rank);
    }
    qsort(sorted, problems->count, sizeof(sorted[0]), compare);
    return problems->count;
}

static void print_all(const struct config_problems *problems, const struct config_source *sources,
                      struct buf *out)
{
    struct ranked sorted[CONFIG_MAX_PROBLEMS];
    size_t count = sort(problems, sources, sorted), rank;

    for (size_t i = 0; i < count; i++) {
        const struct config_source *source =
            source_of(sources, sorted[i].item->position.file, &rank);

        print_problem(problems, sorted[i].item, source != NULL ? source->text : NULL, out);
    }
    if (problems->omitted != 0) {
        buf_printf(out, "… and %zu more problems\n", problems->omitted);
    }
}

void config_problems_print(const struct config_problems *problems, const char *source,
                           struct buf *out)
{
    struct config_source only = { .text = (char *)source };

    print_all(problems, source != NULL ? &only : NULL, out);
}

static const struct config_source *sources_of(const struct config *config)
{
    return config != NULL ? ((const struct config_arena *)config->arena)->sources : NULL;
}

void config_print_problems(const struct config *config, const struct config_problems *problems,
                           struct buf *out)
{
    print_all(problems, sources_of(config), out);
}

static void print_json(const struct config_problem *item, struct buf *out)
{
    const struct config_position *position = &item->position;

    buf_text(out, "{\"severity\": ");
    config_json_text(out, item->warning ? "warning" : "error");
    buf_text(out, ", \"file\": ");
    config_json_text(out, position->file != NULL ? position->file : "");
    buf_printf(out, ", \"line\": %u, \"column\": %u, \"path\": ", position->line, position->column);
    config_json_text(out, item->path != NULL ? item->path : "");
    buf_text(out, ", \"message\": ");
    config_json_text(out,
                     item->text != NULL ? item->text : "no memory is left to say what is wrong");
    buf_text(out, "}");
}

void config_print_problems_json(const struct config *config, const struct config_problems *problems,
                                struct buf *out)
{
    struct ranked sorted[CONFIG_MAX_PROBLEMS];
    size_t count = sort(problems, sources_of(config), sorted);

    buf_text(out, "{\n  \"problems\": [");
    for (size_t i = 0; i < count; i++) {
        buf_text(out, i == 0 ? "\n    " : ",\n    ");
        print_json(sorted[i].item, out);
    }
    buf_printf(out, "%s],\n  \"errors\": %zu,\n  \"warnings\": %zu,\n  \"omitted\": %zu\n}\n",
               count > 0 ? "\n  " : "", problems->errors, config_problems_warnings(problems),
               problems->omitted);
}
