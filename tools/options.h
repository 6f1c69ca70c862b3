/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of the subcommands. They mean the same everywhere; each subcommand accepts some of
 * them.
 */
#ifndef CAIRN_TOOLS_OPTIONS_H
#define CAIRN_TOOLS_OPTIONS_H

#include "tools/tool.h"

struct tool_options {
    const char *config, *spool, *application, *version, *report; /* NULL: not given */
    const char *as_sent, *output;
    bool json, due, options, man, machine, send_now, children, wait;
};

#define TOOL_GO_ON (-1)

/* Parses the options of `accepted`: letters out of c(onfig), s(pool), a(pplication), v
 * (app-version), j(son), d(ue), o(ptions), m(an), r(eport), M(achine), S(end-now), A(s-sent),
 * O(utput), k (children), w(ait); a "+" in front ends the options at the
 * first operand.
 * TOOL_GO_ON with `optind` at the first operand, or an exit code after help or a complaint. */
int tool_parse(const struct tool *tool, const char *accepted, int argc, char **argv,
               struct tool_options *ret_options);

#endif
