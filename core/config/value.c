/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One scalar by its type. Strict, because a value that is guessed is a surprise on the day of the
 * crash: no "yes", no octal, no number without its unit. Every process but the crashed one.
 */
#include "core/config/internal.h"

#include "core/util/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SIGNALS 31 /* those with names of their own */

static int read_text(struct config_value *value, void *ret_value)
{
    char *text;

    if ((value->option->flags & CAIRN_OPTION_REQUIRED) != 0 && value->node->text[0] == '\0') {
        return config_value_fail(value, "the value is empty");
    }
    text = config_arena_text(value->arena, value->node->text);
    if (text == NULL) {
        return CAIRN_ENOMEM;
    }
    *(const char **)ret_value = text;
    return 0;
}

static int read_bool(struct config_value *value, void *ret_value)
{
    bool is_true = strcmp(value->node->text, "true") == 0;
    char quoted[CONFIG_QUOTED_BYTES];

    if (!is_true && strcmp(value->node->text, "false") != 0) {
        return config_value_fail(value, "neither true nor false: %s",
                                 config_quote_node(value->node, quoted));
    }
    *(int32_t *)ret_value = is_true ? 1 : 0;
    return 0;
}

/* Digits without a leading zero, a "-" allowed before them. */
static bool is_decimal(const char *text)
{
    size_t digits;

    text += text[0] == '-' ? 1 : 0;
    digits = strspn(text, "0123456789");
    return digits > 0 && text[digits] == '\0' && (text[0] != '0' || digits == 1);
}

static int read_integer(struct config_value *value, void *ret_value)
{
    const struct cairn_option *option = value->option;
    const char *shown;
    char quoted[CONFIG_QUOTED_BYTES];
    long long number;

    shown = config_quote_node(value->node, quoted);
    if (!is_decimal(value->node->text)) {
        return config_value_fail(value, "not a whole decimal number: %s", shown);
    }
    errno = 0;
    number = strtoll(value->node->text, NULL, 10);
    if (errno != 0) {
        return config_value_fail(value, "%s does not fit into 64 bits", shown);
    }
    if ((option->min != 0 || option->max != 0) && number < option->min) {
        return config_value_fail(value, "%s is too small: at least %lld", shown,
                                 (long long)option->min);
    }
    if ((option->min != 0 || option->max != 0) && number > option->max) {
        return config_value_fail(value, "%s is too large: at most %lld", shown,
                                 (long long)option->max);
    }
    *(int64_t *)ret_value = number;
    return 0;
}

static int read_double(struct config_value *value, void *ret_value)
{
    const char *text = value->node->text;
    char quoted[CONFIG_QUOTED_BYTES], *end;
    double number = strtod(text, &end);

    /* strtod also takes "inf", "nan", "0x1p3" and leading white space. */
    if (strspn(text, "+-.0123456789eE") != strlen(text) || end == text || *end != '\0') {
        return config_value_fail(value, "not a number: %s", config_quote_node(value->node, quoted));
    }
    if (!isfinite(number)) {
        return config_value_fail(value, "%s is too large", config_quote_node(value->node, quoted));
    }
    *(double *)ret_value = number;
    return 0;
}

static int read_amount(struct config_value *value, void *ret_value)
{
    return config_amount_read(value, ret_value);
}

static int read_enum(struct config_value *value, void *ret_value)
{
    const char *const *choices = value->option->choices;
    char quoted[CONFIG_QUOTED_BYTES], hint[CONFIG_QUOTED_BYTES], all[256] = "";
    size_t used = 0;

    for (int32_t i = 0; choices[i] != NULL; i++) {
        if (strcmp(choices[i], value->node->text) == 0) {
            *(int32_t *)ret_value = i;
            return 0;
        }
        if (used < sizeof(all)) {
            used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s", i > 0 ? ", " : "",
                                     choices[i]);
        }
    }
    config_did_you_mean(value->node->text, choices, hint);
    if (hint[0] != '\0' && !value->node->secret) {
        return config_value_fail(value, "unknown value %s%s",
                                 config_quote_node(value->node, quoted), hint);
    }
    return config_value_fail(value, "unknown value %s (one of %s)",
                             config_quote_node(value->node, quoted), all);
}

static int read_path(struct config_value *value, void *ret_value)
{
    return config_path_read(value, ret_value);
}

static int unknown_signal(struct config_value *value)
{
    char names[SIGNALS][16], quoted[CONFIG_QUOTED_BYTES], hint[CONFIG_QUOTED_BYTES] = "";
    char word[32];
    const char *candidates[SIGNALS + 1];
    size_t skip;

    text_copy(word, sizeof(word), value->node->text);
    for (char *c = word; *c != '\0'; c++) {
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    }
    /* A name without SIG is compared with names without SIG, and so suggested. */
    skip = strncmp(word, "SIG", 3) == 0 ? 0 : 3;

    for (int i = 0; i < SIGNALS; i++) {
        candidates[i] = text_signal_name(i + 1, names[i]) + skip;
    }
    candidates[SIGNALS] = NULL;
    if (!value->node->secret) {
        config_did_you_mean(word, candidates, hint);
    }
    return config_value_fail(value, "unknown signal %s%s", config_quote_node(value->node, quoted),
                             hint);
}

static int read_signal(struct config_value *value, void *ret_value)
{
    int number = text_signal_number(value->node->text);

    if (number == 0) {
        return unknown_signal(value);
    }
    *(int32_t *)ret_value = number;
    return 0;
}

static int read_url(struct config_value *value, void *ret_value)
{
    const char *text = value->node->text, *host = NULL;

    if (strncasecmp(text, "https://", 8) == 0) {
        host = text + 8;
    } else if (strncasecmp(text, "http://", 7) == 0) {
        host = text + 7;
    }
    /* The URL may hold a token: it is never part of the message. */
    if (host == NULL) {
        return config_value_fail(value, "the URL does not begin with https:// or http://");
    }
    if (host[0] == '\0' || strchr("/?#:", host[0]) != NULL) {
        return config_value_fail(value, "the URL names no host");
    }
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c <= ' ' || strchr("<>\"\\^`{|}\x7f", *c) != NULL) {
            return config_value_fail(value, "the URL holds a space or another character that must "
                                            "be %%-escaped");
        }
    }
    return read_text(value, ret_value);
}

static const struct type {
    size_t bytes;
    int (*read)(struct config_value *value, void *ret_value);
} types[] = {
    [CAIRN_OPTION_STRING] = { sizeof(const char *), read_text },
    [CAIRN_OPTION_BOOL] = { sizeof(int32_t), read_bool },
    [CAIRN_OPTION_INTEGER] = { sizeof(int64_t), read_integer },
    [CAIRN_OPTION_DOUBLE] = { sizeof(double), read_double },
    [CAIRN_OPTION_SIZE] = { sizeof(uint64_t), read_amount },
    [CAIRN_OPTION_DURATION] = { sizeof(uint64_t), read_amount },
    [CAIRN_OPTION_ENUM] = { sizeof(int32_t), read_enum },
    [CAIRN_OPTION_PATH] = { sizeof(const char *), read_path },
    [CAIRN_OPTION_SECRET] = { sizeof(const char *), read_text },
    [CAIRN_OPTION_SIGNAL] = { sizeof(int32_t), read_signal },
    [CAIRN_OPTION_URL] = { sizeof(const char *), read_url },
};

size_t config_value_bytes(uint32_t type)
{
    return type < sizeof(types) / sizeof(types[0]) ? types[type].bytes : 0;
}

int config_value_read(struct config_value *value, void *ret_value)
{
    return types[value->option->type].read(value, ret_value);
}
