/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parses the plan. The engine is our own program, but a wrong version of it, or another program in
 * its place, must end in a sentence and not in a monitor that captures the wrong thing.
 * Runs in the monitor.
 */
#include "core/monitor/plan.h"

#include "core/capture/capture.h"
#include "core/crash/page.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PLAN_HEADER  "cairn-plan 1"
#define MAX_CLOCK_MS (10u * 60u * 1000u)
#define MAX_ENGINES  1024u

/* Digits only, without sign, space or leading zeros' tricks; false when it does not fit. */
static bool parse_number(const char *text, unsigned base, uint64_t max, uint64_t *ret_value)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t value = 0;

    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        const char *digit = memchr(digits, *text, base);
        if (digit == NULL) {
            return false;
        }
        if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)(digit - digits), &value) || value > max) {
            return false;
        }
    }
    *ret_value = value;
    return true;
}

static bool take_signals(const char *value, struct plan *plan)
{
    const uint64_t never = 1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1);

    return strncmp(value, "0x", 2) == 0 &&
           parse_number(value + 2, 16, UINT64_MAX, &plan->signals) && (plan->signals & never) == 0;
}

static bool take_clock(const char *value, uint32_t *ret_ms)
{
    uint64_t ms;

    if (!parse_number(value, 10, MAX_CLOCK_MS, &ms) || ms == 0) {
        return false;
    }
    *ret_ms = (uint32_t)ms;
    return true;
}

static bool take_claim(const char *value, struct plan *plan)
{
    return take_clock(value, &plan->claim_ms);
}

static bool take_hold(const char *value, struct plan *plan)
{
    return take_clock(value, &plan->hold_ms);
}

static bool take_pipeline(const char *value, struct plan *plan)
{
    return take_clock(value, &plan->pipeline_ms);
}

static bool take_children(const char *value, struct plan *plan)
{
    static const struct {
        const char *name;
        uint32_t bits;
    } names[] = {
        { "ignore", 0 },
        { "fork", PAGE_CHILDREN_OF_FORK },
        { "all", PAGE_CHILDREN_OF_FORK | PAGE_CHILDREN_OF_EXEC },
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(value, names[i].name) == 0) {
            plan->children = names[i].bits;
            return true;
        }
    }
    return false;
}

static bool take_memory(const char *value, struct plan *plan)
{
    static const char *const names[] = {
        [CAPTURE_STACKS] = "stacks", [CAPTURE_REFERENCED] = "referenced", [CAPTURE_FULL] = "full"
    };

    for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(value, names[i]) == 0) {
            plan->memory = i;
            return true;
        }
    }
    return false;
}

struct word {
    const char *name;
    uint32_t bit;
};

static bool take_word(const char *name, size_t bytes, const struct word *words, uint32_t *bits)
{
    for (; words->name != NULL; words++) {
        if (strlen(words->name) == bytes && memcmp(name, words->name, bytes) == 0) {
            *bits |= words->bit;
            return true;
        }
    }
    return false;
}

/* Words with commas between them, or none at all. */
static bool take_words(const char *value, const struct word *words, uint32_t *bits)
{
    while (*value != '\0') {
        size_t bytes = strcspn(value, ",");
        if (!take_word(value, bytes, words, bits)) {
            return false;
        }
        value += bytes;
        if (*value == ',') {
            value++;
            if (*value == '\0') {
                return false;
            }
        }
    }
    return true;
}

static bool take_classes(const char *value, struct plan *plan)
{
    static const struct word classes[] = {
        { "command-line", CAPTURE_COMMAND_LINE },
        { "environment", CAPTURE_ENVIRONMENT },
        { "descriptors", CAPTURE_DESCRIPTORS },
        { NULL, 0 },
    };

    return take_words(value, classes, &plan->classes);
}

static bool take_deaths(const char *value, struct plan *plan)
{
    static const struct word deaths[] = {
        { "killed", PLAN_KILLED },
        { "signalled", PLAN_SIGNALLED },
        { "exit", PLAN_EXIT },
        { "unknown", PLAN_UNKNOWN },
        { NULL, 0 },
    };

    return take_words(value, deaths, &plan->deaths);
}

static bool take_max_bytes(const char *value, struct plan *plan)
{
    return parse_number(value, 10, UINT64_MAX, &plan->max_bytes);
}

static bool take_engines(const char *value, struct plan *plan)
{
    uint64_t number;

    if (!parse_number(value, 10, MAX_ENGINES, &number) || number == 0) {
        return false;
    }
    plan->engines = (uint32_t)number;
    return true;
}

static bool take_folder(const char *value, struct plan *plan)
{
    size_t bytes = strlen(value);

    if (value[0] != '/' || bytes >= sizeof(plan->application_folder)) {
        return false;
    }
    memcpy(plan->application_folder, value, bytes + 1);
    return true;
}

static const struct {
    const char *key;
    bool (*take)(const char *value, struct plan *plan);
} keys[] = {
    { "signals", take_signals },
    { "claim-ms", take_claim },
    { "hold-ms", take_hold },
    { "pipeline-ms", take_pipeline },
    { "children", take_children },
    { "memory", take_memory },
    { "classes", take_classes },
    { "max-bytes", take_max_bytes },
    { "deaths", take_deaths },
    { "engines", take_engines },
    { "application-folder", take_folder },
};

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

/* Takes "key value" or "key" alone (an empty value); marks the key in *seen. */
static bool take_line(char *line, struct plan *plan, unsigned *seen)
{
    char *value = strchr(line, ' ');

    if (value != NULL) {
        *value++ = '\0';
    } else {
        value = line + strlen(line);
    }
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strcmp(line, keys[i].key) == 0) {
            bool fresh = (*seen & 1u << i) == 0;
            *seen |= 1u << i;
            return fresh && keys[i].take(value, plan);
        }
    }
    return false;
}

__attribute__((format(printf, 3, 4))) static int refuse(char *problem, size_t capacity,
                                                        const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(problem, capacity, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

/* Lines of `copy`, which is NUL-terminated and holds no other NUL. */
static int parse_lines(char *copy, struct plan *plan, char *problem, size_t capacity)
{
    unsigned seen = 0;
    unsigned number = 0;

    for (char *line = copy, *end; *line != '\0'; line = end + 1) {
        end = strchr(line, '\n');
        if (end == NULL) {
            return refuse(problem, capacity, "cairn-engine's plan ends within line %u.",
                          number + 1);
        }
        *end = '\0';
        number++;
        bool good = number == 1 ? strcmp(line, PLAN_HEADER) == 0 : take_line(line, plan, &seen);
        if (!good) {
            return refuse(
                problem, capacity,
                "Line %u of cairn-engine's plan is not understood (\"%.200s\"); engine and "
                "monitor may be of different versions.",
                number, line);
        }
    }
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if ((seen & 1u << i) == 0) {
            return refuse(problem, capacity, "cairn-engine's plan has no line \"%s\".",
                          keys[i].key);
        }
    }
    return 0;
}

int plan_parse(const char *text, size_t bytes, struct plan *ret_plan, char *ret_problem,
               size_t problem_capacity)
{
    char copy[PLAN_TEXT_BYTES + 1];
    struct plan plan = { 0 };

    if (bytes == 0) {
        return refuse(ret_problem, problem_capacity, "cairn-engine printed no plan.");
    }
    if (bytes > PLAN_TEXT_BYTES || memchr(text, '\0', bytes) != NULL) {
        return refuse(ret_problem, problem_capacity,
                      "cairn-engine printed no plan but something else of %zu or more bytes.",
                      bytes);
    }
    memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    int result = parse_lines(copy, &plan, ret_problem, problem_capacity);
    if (result == 0) {
        *ret_plan = plan;
    }
    return result;
}
