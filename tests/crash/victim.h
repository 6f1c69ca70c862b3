/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that embeds Cairn and then crashes in the way that its first argument names, for
 * handler.sh: a table of kinds per theme, each in a file of its own.
 */
#ifndef CAIRN_TESTS_CRASH_VICTIM_H
#define CAIRN_TESTS_CRASH_VICTIM_H

#include <cairn/cairn.h>

struct victim_kind {
    const char *name;
    void (*before)(void); /* before Cairn starts; may be NULL */
    void (*run)(void);
    cairn_filter_fn *filter;
    cairn_post_dump_fn *post_dump;
    unsigned flags; /* of cairn_options */
};

/* The themes; each ends with a NULL name. */
extern const struct victim_kind victim_faults[], victim_handlers[], victim_callbacks[];
extern const struct victim_kind victim_calls[];

/* What the callbacks get as `user`. */
extern int victim_user;

/* With write(2), whole lines. */
void victim_say(const char *text);
/* A fault at the address 16. */
void victim_fault(void);
/* int3; returns where somebody has dealt with it. */
void victim_trap(void);
/* SIGSEGV, sent to itself; returns where somebody has dealt with it. */
void victim_send(void);
/* Says every signal, and nothing more: an earlier handler. */
void victim_handle_and_say(void);

#endif
