/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks the engine to check the configuration, and takes its plan or its problems.
 */
#ifndef CAIRN_CORE_MONITOR_CHECK_H
#define CAIRN_CORE_MONITOR_CHECK_H

#include "core/monitor/engine.h"
#include "core/monitor/jobs.h"
#include "core/monitor/plan.h"

/* The check was made and found problems: as opposed to an engine that could not do its work. */
#define CHECK_PROBLEMS 1

/* Runs `cairn-engine check --plan`, within 9 seconds. 0 with the plan; CHECK_PROBLEMS or a negative
 * errno with whole sentences in `ret_problem`, which may lie in the shared page. With `jobs` the
 * answer does not wait for the engine, which goes on to look for leftovers: it becomes one of them.
 */
int check_run(const struct engine_settings *settings, struct jobs *jobs, struct plan *ret_plan,
              char *ret_problem, size_t problem_capacity);

/* The same with an engine that is at it already; should it not be able to, with another one. */
int check_take(const struct engine_settings *settings, struct engine *engine, struct jobs *jobs,
               struct plan *ret_plan, char *ret_problem, size_t problem_capacity);

#endif
