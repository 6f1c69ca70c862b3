/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sizes and durations: a whole number and a unit, never one without the other. Every process but
 * the crashed one.
 */
#include "core/config/internal.h"

#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
};

struct measure {
    const char *noun, *example, *names;
    const struct unit *units; /* the largest first */
    size_t count;
};

static const struct unit sizes[] = {
    { "GiB", 1ull << 30 }, { "GB", 1000000000ull }, { "MiB", 1ull << 20 }, { "MB", 1000000ull },
    { "KiB", 1ull << 10 }, { "kB", 1000ull },       { "B", 1ull },
};

static const struct unit durations[] = {
    { "d", 86400000000ull }, { "h", 3600000000ull }, { "m", 60000000ull },
    { "s", 1000000ull },     { "ms", 1000ull },      { "us", 1ull },
};

static const struct measure size = { "size", "64MiB", "B, kB, KiB, MB, MiB, GB or GiB", sizes,
                                     sizeof(sizes) / sizeof(sizes[0]) };
static const struct measure duration = { "duration", "30s", "us, ms, s, m, h or d", durations,
                                         sizeof(durations) / sizeof(durations[0]) };

static void format(const struct measure *measure, uint64_t amount, char text[32])
{
    size_t i = 0;

    while (i + 1 < measure->count && (amount == 0 || amount % measure->units[i].factor != 0)) {
        i++;
    }
    snprintf(text, 32, "%llu%s", (unsigned long long)(amount / measure->units[i].factor),
             measure->units[i].name);
}

void config_size_text(uint64_t bytes, char text[32])
{
    format(&size, bytes, text);
}

static int check_range(struct config_value *value, const struct measure *measure, uint64_t amount)
{
    const struct cairn_option *option = value->option;
    char shown[CONFIG_QUOTED_BYTES], bound[32];

    if (option->min == 0 && option->max == 0) {
        return 0;
    }
    if (option->min > 0 && amount < (uint64_t)option->min) {
        format(measure, (uint64_t)option->min, bound);
        return config_value_fail(value, "%s is too small: at least %s",
                                 config_quote_node(value->node, shown), bound);
    }
    if (option->max < 0 || amount > (uint64_t)option->max) {
        format(measure, option->max < 0 ? 0 : (uint64_t)option->max, bound);
        return config_value_fail(value, "%s is too large: at most %s",
                                 config_quote_node(value->node, shown), bound);
    }
    return 0;
}

static const struct unit *find_unit(const struct measure *measure, const char *name)
{
    for (size_t i = 0; i < measure->count; i++) {
        if (strcmp(measure->units[i].name, name) == 0) {
            return &measure->units[i];
        }
    }
    return NULL;
}

/* The number before the unit times the unit's factor; false when 64 bits do not hold it. */
static bool multiply(const char *text, size_t digits, uint64_t factor, uint64_t *ret_amount)
{
    uint64_t amount = 0;

    for (size_t i = 0; i < digits; i++) {
        if (__builtin_mul_overflow(amount, 10u, &amount) ||
            __builtin_add_overflow(amount, (uint64_t)(text[i] - '0'), &amount)) {
            return false;
        }
    }
    return !__builtin_mul_overflow(amount, factor, ret_amount);
}

int config_amount_read(struct config_value *value, uint64_t *ret_amount)
{
    const struct measure *measure = value->option->type == CAIRN_OPTION_SIZE ? &size : &duration;
    const char *text = value->node->text;
    size_t digits = strspn(text, "0123456789");
    char quoted[CONFIG_QUOTED_BYTES];
    const char *shown = config_quote_node(value->node, quoted);
    const struct unit *unit = find_unit(measure, text + digits);
    uint64_t amount = 0;
    int result;

    if (digits == 0 || text[digits] == '.') {
        return config_value_fail(value, "not a %s: %s (a whole number and a unit, as in %s)",
                                 measure->noun, shown, measure->example);
    }
    if (text[digits] == '\0') {
        return config_value_fail(value, "a %s needs a unit: %s (%s)", measure->noun, shown,
                                 measure->names);
    }
    if (unit == NULL) {
        return config_value_fail(value, "unknown unit in %s (%s, without a space)", shown,
                                 measure->names);
    }
    if (!multiply(text, digits, unit->factor, &amount)) {
        return config_value_fail(value, "%s is larger than 64 bits can hold", shown);
    }
    result = check_range(value, measure, amount);
    if (result == 0) {
        *ret_amount = amount;
    }
    return result;
}
