/* SPDX-License-Identifier: Apache-2.0 */
/* Named patterns; see patterns.h. Runs in a step of the engine. */
#include "plugins/annotator/redact/patterns.h"

#include <string.h>
#include <strings.h>

#define LETTERS  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS   "0123456789"
#define LOCAL    LETTERS DIGITS ".!#$&'*+/=?^_`{|}~%-" /* of an address, before the "@" */
#define LABEL    LETTERS DIGITS "-"
#define TOKEN    LETTERS DIGITS "-._~+/=" /* RFC 6750, with "=" anywhere */
#define BASE_URL LETTERS DIGITS "-_"

#define LEAST_TOKEN 8
#define LEAST_CARD  13
#define MOST_CARD   19

const char *const pattern_names[PATTERNS + 1] = {
    [PATTERN_EMAIL] = "email",
    [PATTERN_BEARER_TOKEN] = "bearer-token",
    [PATTERN_CREDIT_CARD] = "credit-card",
    [PATTERN_IPV4] = "ipv4",
};

static int is_in(const char *set, char c)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* Labels with a dot in between; the last has letters only, two at least. */
static size_t match_domain(const char *text)
{
    size_t length = 0, end = 0;

    for (;;) {
        size_t label = strspn(text + length, LABEL);

        if (label == 0) {
            return end;
        }
        if (length > 0 && label >= 2 && strspn(text + length, LETTERS) >= label) {
            end = length + label;
        }
        length += label;
        if (text[length] != '.') {
            return end;
        }
        length++;
    }
}

static size_t match_email(const char *text, size_t at)
{
    size_t local, domain;

    if (at > 0 && is_in(LOCAL, text[at - 1])) {
        return 0;
    }
    local = strspn(text + at, LOCAL);
    if (local == 0 || text[at + local] != '@') {
        return 0;
    }
    domain = match_domain(text + at + local + 1);
    return domain > 0 ? local + 1 + domain : 0;
}

/* A JSON web token: three parts of base64url, of which the first is an object: it begins so. */
static size_t match_web_token(const char *text)
{
    size_t length = 0;

    if (strncmp(text, "eyJ", 3) != 0) {
        return 0;
    }
    for (int part = 0; part < 3; part++) {
        size_t bytes = strspn(text + length, BASE_URL);

        if (bytes == 0 || (part < 2 && text[length + bytes] != '.')) {
            return 0;
        }
        length += bytes + (part < 2);
    }
    return length;
}

static size_t match_token(const char *text, size_t at, size_t *ret_keep)
{
    static const char *const schemes[] = { "bearer ", "basic ", "token " };

    if (at > 0 && is_in(BASE_URL, text[at - 1])) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t scheme = strlen(schemes[i]);

        if (strncasecmp(text + at, schemes[i], scheme) == 0) {
            size_t token = strspn(text + at + scheme, TOKEN);

            *ret_keep = scheme;
            return token >= LEAST_TOKEN ? scheme + token : 0;
        }
    }
    return match_web_token(text + at);
}

/* The check digit of ISO/IEC 7812. */
static int is_luhn(const char *digits, size_t count)
{
    unsigned sum = 0;

    for (size_t i = 0; i < count; i++) {
        unsigned digit = (unsigned)(digits[count - 1 - i] - '0');

        digit = i % 2 == 1 ? digit * 2 : digit;
        sum += digit > 9 ? digit - 9 : digit;
    }
    return sum % 10 == 0;
}

/* Whether what begins at `at` only goes on there. */
static int is_in_number(const char *text, size_t at)
{
    return at > 0 && (is_in(DIGITS LETTERS, text[at - 1]) ||
                      (at > 1 && is_in(" -", text[at - 1]) && is_in(DIGITS, text[at - 2])));
}

/* Digits, single blanks or dashes between them. More digits than a card has are something else. */
static size_t match_card(const char *text, size_t at)
{
    char digits[MOST_CARD];
    size_t count = 0, length = 0;

    if (is_in_number(text, at)) {
        return 0;
    }
    while (is_in(DIGITS, text[at + length])) {
        if (count == MOST_CARD) {
            return 0;
        }
        digits[count++] = text[at + length++];
        length += is_in(" -", text[at + length]) && is_in(DIGITS, text[at + length + 1]);
    }
    return count >= LEAST_CARD && digits[0] != '0' && !is_in(LETTERS, text[at + length]) &&
                   is_luhn(digits, count)
               ? length
               : 0;
}

/* A number of at most 255: its length, else 0. */
static size_t match_octet(const char *text)
{
    size_t digits = strspn(text, DIGITS);
    unsigned value = 0;

    for (size_t i = 0; i < digits && i < 3; i++) {
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    return digits <= 3 && value <= 255 ? digits : 0;
}

static size_t match_ipv4(const char *text, size_t at)
{
    size_t length = 0;

    if (at > 0 && is_in(LETTERS DIGITS ".", text[at - 1])) {
        return 0;
    }
    for (int part = 0; part < 4; part++) {
        size_t digits = match_octet(text + at + length);

        if (digits == 0 || (part < 3 && text[at + length + digits] != '.')) {
            return 0;
        }
        length += digits + (part < 3);
    }
    /* A full stop may end the sentence; another number behind it makes it no address. */
    return is_in(LETTERS, text[at + length]) ||
                   (text[at + length] == '.' && is_in(DIGITS, text[at + length + 1]))
               ? 0
               : length;
}

size_t pattern_match(enum pattern pattern, const char *text, size_t at, size_t *ret_keep)
{
    *ret_keep = 0;
    switch (pattern) {
    case PATTERN_EMAIL:
        return match_email(text, at);
    case PATTERN_BEARER_TOKEN:
        return match_token(text, at, ret_keep);
    case PATTERN_CREDIT_CARD:
        return match_card(text, at);
    case PATTERN_IPV4:
        return match_ipv4(text, at);
    case PATTERNS:
        break;
    }
    return 0;
}
