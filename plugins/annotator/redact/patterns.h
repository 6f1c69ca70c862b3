/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The patterns that annotator/redact knows by name, as functions that answer whether one begins at
 * a place of a text. Each looks at a run of characters once, so a hostile text costs no more than
 * its length. Runs in a step of the engine.
 */
#ifndef CAIRN_PLUGINS_ANNOTATOR_REDACT_PATTERNS_H
#define CAIRN_PLUGINS_ANNOTATOR_REDACT_PATTERNS_H

#include <stddef.h>

enum pattern { PATTERN_EMAIL, PATTERN_BEARER_TOKEN, PATTERN_CREDIT_CARD, PATTERN_IPV4, PATTERNS };

/* Their names, in that order, ended by NULL. */
extern const char *const pattern_names[PATTERNS + 1];

/* The bytes of what matches at text[at], 0 for none; *ret_keep of them are a keyword that stays, as
 * "Bearer ". Text before `at` counts for word boundaries. */
size_t pattern_match(enum pattern pattern, const char *text, size_t at, size_t *ret_keep);

#endif
