/* SPDX-License-Identifier: Apache-2.0 */
/* Where a thread of the program stands at this moment. */
#ifndef CAIRN_CORE_MONITOR_LOOK_H
#define CAIRN_CORE_MONITOR_LOOK_H

#include <stdint.h>

/* Its stack pointer; 0 when it cannot be told. A thread that waits in the kernel is not disturbed,
 * one that runs is stopped for some microseconds. */
uint64_t look_at_stack_pointer(int32_t pid, int32_t tid);

#endif
