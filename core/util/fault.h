/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named points at which a test has a process of Cairn killed or frozen. Every process but the
 * crashed one; libc only, so that the monitor can have it, too.
 *
 * CAIRN_TEST_FAULT=POINT:ACTION:FILE, with the action "kill" or "stop", is obeyed once, by the
 * first process that comes to the point: it makes FILE, which must not exist, with its number in
 * it. Several may be given, with a semicolon between them. Not looked at with raised rights. It
 * gives nobody a power that he has not: whoever chooses the environment of a process of his can
 * also end it.
 */
#ifndef CAIRN_CORE_UTIL_FAULT_H
#define CAIRN_CORE_UTIL_FAULT_H

/* Returns, unless a test wants otherwise. Async-signal-safe but for getenv(). */
void fault_point(const char *name);

#endif
