/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process other than the program, which the program wants a report of (cairn_dump_process()). The
 * monitor may have more rights than the program has by now; they are not lent to it.
 */
#ifndef CAIRN_CORE_MONITOR_FOREIGN_H
#define CAIRN_CORE_MONITOR_FOREIGN_H

#include "core/monitor/family.h"

#include <stdbool.h>
#include <stdint.h>

/* Opens process `pid`, if it has the thread `tid` (0: any) and `program` may trace it. 0, and then
 * the caller closes `ret_who->process`; -ESRCH, -EPERM, -ETIMEDOUT or another negative errno. */
int foreign_open(int32_t program, int32_t pid, int32_t tid, struct relative *ret_who);

#endif
