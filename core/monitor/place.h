/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The places for engines at work, `engine.limits.engines` of them, which all monitors of a spool
 * share: locks that the kernel releases when the engine that holds one has ended, however. Runs in
 * the monitor.
 */
#ifndef CAIRN_CORE_MONITOR_PLACE_H
#define CAIRN_CORE_MONITOR_PLACE_H

/* Takes one of `count` places. A descriptor that holds it, until its last copy is closed; -EAGAIN
 * when all are taken; another negative errno when nothing can be said about places here. */
int place_take(int application_folder, unsigned count);

#endif
