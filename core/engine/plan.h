/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: what a program's start, its crash handler and its monitor must know of a configuration,
 * derived from it without running plugin code. Text as in doc/architecture.md. [engine]
 */
#ifndef CAIRN_CORE_ENGINE_PLAN_H
#define CAIRN_CORE_ENGINE_PLAN_H

#include "core/config/config.h"
#include "core/util/buf.h"

enum plan_memory { PLAN_STACKS = 0, PLAN_REFERENCED = 1, PLAN_FULL = 2 };

#define PLAN_COMMAND_LINE (1u << 0)
#define PLAN_ENVIRONMENT  (1u << 1)
#define PLAN_DESCRIPTORS  (1u << 2)

/* What the instances of a pipeline ask to be captured; NULL: of all pipelines. */
struct plan_capture {
    enum plan_memory memory;
    unsigned classes; /* PLAN_COMMAND_LINE, … */
};
void plan_capture(const struct config *config, const struct config_pipeline *pipeline,
                  struct plan_capture *ret_capture);

void plan_print(const struct config *config, const struct plan_capture *capture,
                const char *application_folder, struct buf *out);

#endif
