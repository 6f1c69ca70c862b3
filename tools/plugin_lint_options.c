/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every kind of value for every option of a plugin's table, as YAML: those that the table allows
 * reach check, create and destroy, which must come to an end by themselves; those that it does not
 * allow must be refused before. Runs in a user's shell; the plugin's code in steps.
 */
#include "tools/plugin_lint.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_LIMIT  (512u * 1024)
#define LONG_TEXT   4000
#define MAX_VALUES  80
#define VALUE_BYTES (LONG_TEXT + 16)
#define MANY        100

/* Values of one option, as YAML. */
struct values {
    char *items[MAX_VALUES];
    size_t count;
};

__attribute__((format(printf, 2, 3))) static void add(struct values *values, const char *format,
                                                      ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    if (values->count < MAX_VALUES && vasprintf(&text, format, arguments) >= 0) {
        values->items[values->count++] = text;
    }
    va_end(arguments);
}

static void values_finish(struct values *values)
{
    for (size_t i = 0; i < values->count; i++) {
        free(values->items[i]);
    }
}

/* ---- Scalars ---- */

static bool is_ranged(const struct cairn_option *option)
{
    return option->min != 0 || option->max != 0;
}

static const char *unit(const struct cairn_option *option)
{
    return option->type == CAIRN_OPTION_SIZE       ? "B"
           : option->type == CAIRN_OPTION_DURATION ? "us"
                                                   : "";
}

static void add_numbers(const struct cairn_option *option, struct values *good, struct values *bad)
{
    const char *u = unit(option);
    bool integer = option->type == CAIRN_OPTION_INTEGER;

    if (!is_ranged(option)) {
        add(good, "%" PRId64 "%s", integer ? INT64_MIN : 0, u);
        add(good, "1%s", u);
        add(good, "%" PRId64 "%s", INT64_MAX, u);
    } else {
        add(good, "%" PRId64 "%s", option->min, u);
        add(good, "%" PRId64 "%s", option->max, u);
        if (option->min > 0 || (integer && option->min > INT64_MIN)) {
            add(bad, "%" PRId64 "%s", option->min - 1, u);
        }
        if (option->max < INT64_MAX) {
            add(bad, "%" PRId64 "%s", option->max + 1, u);
        }
    }
    add(bad, "many");
    add(bad, "99999999999999999999999%s", u);
    if (!integer) {
        add(bad, "-1%s", u);
        add(bad, "7");
    }
}

static bool is_required(const struct cairn_option *option)
{
    return (option->flags & CAIRN_OPTION_REQUIRED) != 0;
}

/* What must be given must not be empty. */
static void add_texts(const struct cairn_option *option, struct values *good, struct values *bad)
{
    char text[LONG_TEXT + 1];

    memset(text, 'x', LONG_TEXT);
    text[LONG_TEXT] = '\0';
    add(is_required(option) ? bad : good, "\"\"");
    add(good, "\"%%s%%n %%1000000d\"");
    add(good, "\"\\u00fc\\u20ac\\U0001F980 \\n\\t\\\\ ../../etc\"");
    add(good, "\"%s\"", text);
}

static void add_choices(const struct cairn_option *option, struct values *good, struct values *bad)
{
    for (size_t i = 0; option->choices != NULL && option->choices[i] != NULL; i++) {
        add(good, "\"%s\"", option->choices[i]);
    }
    add(bad, "\"no-such-choice\"");
    add(bad, "\"\"");
}

/* A value that fits the type comes first. */
static void add_scalars(const struct cairn_option *option, struct values *good, struct values *bad)
{
    if (option->default_text != NULL) {
        add(good, "\"%s\"", option->default_text);
    }
    switch ((enum cairn_option_type)option->type) {
    case CAIRN_OPTION_STRING:
    case CAIRN_OPTION_SECRET:
        add(good, "\"text\"");
        add_texts(option, good, bad);
        break;
    case CAIRN_OPTION_BOOL:
        add(good, "true");
        add(good, "false");
        add(bad, "perhaps");
        break;
    case CAIRN_OPTION_INTEGER:
    case CAIRN_OPTION_SIZE:
    case CAIRN_OPTION_DURATION:
        add_numbers(option, good, bad);
        break;
    case CAIRN_OPTION_DOUBLE:
        add(good, "0.5");
        add(good, "-1e300");
        add(bad, "much");
        break;
    case CAIRN_OPTION_ENUM:
        add_choices(option, good, bad);
        break;
    case CAIRN_OPTION_PATH:
        add(good, "/nowhere/cairn-plugin-lint");
        add(good, "/");
        break;
    case CAIRN_OPTION_SIGNAL:
        add(good, "SEGV");
        add(good, "SIGTERM");
        add(bad, "SIGNOTHING");
        break;
    case CAIRN_OPTION_URL:
        add(good, "\"https://localhost/lint?x=%%41\"");
        add(bad, "\"ftp://localhost/\"");
        break;
    }
}

/* ---- Lists and maps of them ---- */

static bool is_plural(const struct cairn_option *option)
{
    return (option->flags & (CAIRN_OPTION_LIST | CAIRN_OPTION_MAP)) != 0;
}

static void add_many(const struct cairn_option *option, const char *item, struct values *good)
{
    bool map = (option->flags & CAIRN_OPTION_MAP) != 0;
    struct buf text;

    buf_init(&text, TEXT_LIMIT);
    buf_text(&text, map ? "{ " : "[ ");
    for (int i = 0; i < MANY; i++) {
        buf_text(&text, i == 0 ? "" : ", ");
        if (map) {
            buf_printf(&text, "k%d: ", i);
        }
        buf_text(&text, item);
    }
    buf_text(&text, map ? " }" : " ]");
    if (text.failed == 0) {
        add(good, "%s", text.data);
    }
    buf_finish(&text);
}

static void make_plural(const struct cairn_option *option, const struct values *scalars,
                        const struct values *bad_scalars, struct values *good, struct values *bad)
{
    bool map = (option->flags & CAIRN_OPTION_MAP) != 0;

    for (size_t i = 0; i < scalars->count; i++) {
        add(good, map ? "{ key: %s }" : "[ %s ]", scalars->items[i]);
    }
    add(is_required(option) ? bad : good, map ? "{}" : "[]");
    if (scalars->count > 0) {
        add_many(option, scalars->items[0], good);
    }
    for (size_t i = 0; i < bad_scalars->count; i++) {
        add(bad, map ? "{ key: %s }" : "[ %s ]", bad_scalars->items[i]);
    }
    add(bad, map ? "[ text ]" : "{ key: text }");
}

static void values_of(const struct cairn_option *option, struct values *ret_good,
                      struct values *ret_bad)
{
    struct values good = { .count = 0 }, bad = { .count = 0 };

    *ret_good = *ret_bad = (struct values){ .count = 0 };
    add_scalars(option, &good, &bad);
    if (is_plural(option)) {
        make_plural(option, &good, &bad, ret_good, ret_bad);
        values_finish(&good);
        values_finish(&bad);
        return;
    }
    add(&bad, "[ 1, 2 ]");
    add(&bad, "{ key: 1 }");
    *ret_good = good;
    *ret_bad = bad;
}

/* ---- Configurations ---- */

/* A value for each required option but `skipped`. */
static void add_required(const struct lint *lint, const struct cairn_option *skipped,
                         struct buf *text)
{
    for (const struct cairn_option *option = lint->facts->options; option->name != NULL; option++) {
        struct values good, bad;

        if (option == skipped || !is_required(option)) {
            continue;
        }
        values_of(option, &good, &bad);
        if (good.count > 0) {
            buf_printf(text, "%s%s: %s", text->bytes > 0 ? ", " : "", option->name, good.items[0]);
        }
        values_finish(&good);
        values_finish(&bad);
    }
}

void lint_sample(const struct lint *lint, struct buf *text)
{
    if (lint->options != NULL) {
        buf_text(text, lint->options);
    } else {
        add_required(lint, NULL, text);
    }
}

static bool setup_with(const struct lint *lint, const struct cairn_option *option,
                       const char *value, struct lint_setup *ret_setup)
{
    struct buf text;
    bool made;

    buf_init(&text, TEXT_LIMIT);
    add_required(lint, option, &text);
    if (value != NULL) {
        buf_printf(&text, "%s%s: %s", text.bytes > 0 ? ", " : "", option->name, value);
    }
    made = text.failed == 0 && lint_setup_init(lint, text.data != NULL ? text.data : "", ret_setup);
    buf_finish(&text);
    return made;
}

/* A value that the table allows: accepted by the host, and the plugin gets through its life. */
static bool try_good(const struct lint *lint, const struct cairn_option *option, const char *value,
                     char reason[1024])
{
    struct step_request request = { .out_fd = -1, .rehearsal = STEP_LIFE };
    struct step_result result = { .status = STEP_OK };
    struct lint_setup setup;
    bool good;

    if (!setup_with(lint, option, value, &setup)) {
        return true;
    }
    good = setup.accepted && lint_is_orderly(lint_step(lint, &setup, &request, &result));
    if (!good) {
        snprintf(reason, 1024, "%s: %.80s: %s", option->name, value,
                 setup.accepted ? result.error : lint_setup_problem(&setup));
    }
    step_result_finish(&result);
    lint_setup_finish(&setup);
    return good;
}

static bool try_bad(const struct lint *lint, const struct cairn_option *option, const char *value,
                    char reason[1024])
{
    struct lint_setup setup;
    bool refused;

    if (!setup_with(lint, option, value, &setup)) {
        return true;
    }
    refused = !setup.accepted;
    if (!refused) {
        snprintf(reason, 1024, "%s%s%.80s is accepted.", option->name,
                 value != NULL ? ": " : " is absent, which", value != NULL ? value : "");
    }
    lint_setup_finish(&setup);
    return refused;
}

static void lint_option(struct lint *lint, const struct cairn_option *option)
{
    struct values good, bad;
    char reason[1024] = "";
    bool passed = true;

    values_of(option, &good, &bad);
    for (size_t i = 0; passed && i < good.count; i++) {
        passed = try_good(lint, option, good.items[i], reason);
    }
    lint_result(lint, passed, reason, "option %s: %zu possible values, each ends orderly",
                option->name, good.count);
    passed = true;
    for (size_t i = 0; passed && i < bad.count; i++) {
        passed = try_bad(lint, option, bad.items[i], reason);
    }
    lint_result(lint, passed, reason, "option %s: %zu impossible values, each is refused",
                option->name, bad.count);
    if (is_required(option)) {
        passed = try_bad(lint, option, NULL, reason);
        lint_result(lint, passed, reason, "option %s: it must be given", option->name);
    }
    lint_result(lint, option->help != NULL && option->help[0] != '\0',
                "The option table says nothing in `help`.", "option %s: is documented",
                option->name);
    values_finish(&good);
    values_finish(&bad);
}

void lint_options(struct lint *lint)
{
    for (size_t i = 0; i < lint->facts->option_count; i++) {
        lint_option(lint, &lint->facts->options[i]);
    }
}
