/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that holds tokens, or other people's memory, leaves no core file of itself. Engine and
 * sender.
 */
#ifndef CAIRN_CORE_UTIL_NOCORE_H
#define CAIRN_CORE_UTIL_NOCORE_H

/* As far as it can be had; a limit of 1 is how Linux is told to start no core_pattern helper
 * either. What this process starts inherits it. */
void nocore(void);

#endif
