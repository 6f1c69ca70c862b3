/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether two looks at a process id saw the same process: an id is given to another one as soon as
 * its process has ended, the time at which a process started is its own. Runs in the monitor.
 */
#ifndef CAIRN_CORE_MONITOR_IDENTITY_H
#define CAIRN_CORE_MONITOR_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

/* The start time, in clock ticks since boot, out of the text of /proc/PID/stat; 0 if it is not
 * there. The name in it may hold anything, also ") S 1". */
uint64_t identity_parse(const char *stat, size_t bytes);

/* The text of /proc/PID/stat of a process that exists now; "" if it cannot be read. */
#define IDENTITY_BYTES 1024
void identity_text(int32_t pid, char ret_text[IDENTITY_BYTES]);

/* The same of a process that exists now; 0 if it cannot be read. */
uint64_t identity_read(int32_t pid);

/* Where its first stack begins, elsewhere after each exec(): out of the same text, or of a process
 * that exists now. 0 if it may not be read. */
uint64_t identity_parse_stack(const char *stat, size_t bytes);
uint64_t identity_read_stack(int32_t pid);

#endif
