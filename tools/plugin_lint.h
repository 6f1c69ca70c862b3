/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of `cairn plugin lint` share: TAP lines, and steps of the plugin under given
 * options. Runs in a user's shell; the plugin's code in steps.
 */
#ifndef CAIRN_TOOLS_PLUGIN_LINT_H
#define CAIRN_TOOLS_PLUGIN_LINT_H

#include "core/plugin/plugin.h"
#include "core/plugin/step.h"
#include "core/util/buf.h"

struct lint {
    const struct plugin_facts *facts;
    int fd;
    const char *options; /* given by the user, as inside of YAML's braces, or NULL */
    unsigned count, failed;
};

/* One line of TAP; the reason becomes a comment under a line that is not ok. */
void lint_result(struct lint *lint, bool passed, const char *reason, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void lint_skip(struct lint *lint, const char *reason, const char *what);

/* A configuration with one instance of the plugin, whose options are `text`. */
struct lint_setup {
    struct config *config;
    struct config_problems problems;
    bool accepted; /* by the host; the plugin was not asked */
};
bool lint_setup_init(const struct lint *lint, const char *text, struct lint_setup *ret_setup);
void lint_setup_finish(struct lint_setup *setup);
/* The first problem, or "". */
const char *lint_setup_problem(const struct lint_setup *setup);

/* One step with these options; `request` says which. */
enum step_status lint_step(const struct lint *lint, const struct lint_setup *setup,
                           struct step_request *request, struct step_result *ret_result);
/* Whether the plugin came to an end by itself, however it answered. */
bool lint_is_orderly(enum step_status status);

/* The options that a test starts from: the user's, else a value for each that is required. */
void lint_sample(const struct lint *lint, struct buf *text);

/* The tests. */
void lint_file(struct lint *lint);
void lint_options(struct lint *lint);
void lint_behaviour(struct lint *lint);

#endif
