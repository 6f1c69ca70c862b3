/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files of /proc/PID, read whole. A number may be another process's by the time it is read:
 * whom it belongs to, the callers find out.
 */
#ifndef CAIRN_CORE_MONITOR_PROC_H
#define CAIRN_CORE_MONITOR_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What the file `name` ("status", "task/7/syscall") begins with, up to size - 1 bytes, and a NUL.
 * How many bytes, or a negative errno; then the text is "". */
ssize_t proc_read(int32_t pid, const char *name, char *ret_text, size_t size);

/* The process has that thread; 0 counts as the main one. */
bool proc_has_thread(int32_t pid, int32_t tid);

#endif
