/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instances that keep going wrong are set aside: after three steps in a row that crashed, hung,
 * exited, flooded or broke their rules, an instance is not run any more until its file or its
 * configuration changes. Counted in faults.json in the application's folder. Engine and sender.
 */
#ifndef CAIRN_CORE_PLUGIN_FAULTS_H
#define CAIRN_CORE_PLUGIN_FAULTS_H

#include "core/plugin/step.h"

#define FAULTS_LIMIT 3

/* True for an instance that is set aside: the result is filled as that of a step which could not be
 * started. */
bool faults_set_aside(int application_fd, const struct step_request *request,
                      struct step_result *ret_result);

/* Counts what became of a step: a fault more, or none any more. */
void faults_count(int application_fd, const struct step_request *request,
                  const struct step_result *result);

#endif
