/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks whose holder is frozen. A lock of flock(2) lasts as long as a process has the open file,
 * and a process that somebody stopped for ever keeps it for ever. So whoever takes a lock on a file
 * of Cairn's promises until when he may be believed, and renews that; one who breaks his promise is
 * ended by whoever wants the lock next. [engine, sender]
 */
#ifndef CAIRN_CORE_UTIL_HOLDER_H
#define CAIRN_CORE_UTIL_HOLDER_H

#include <stdbool.h>
#include <stdint.h>

/* From now on the holder of this file's lock may be believed for so many microseconds: the file's
 * time of modification says so. A failure leaves the last promise. */
void holder_promise(int fd, uint64_t microseconds);
/* Takes a lock of which promises are made, if need be from one who has broken his. False: somebody
 * has it. */
bool holder_try_lock(int fd);
/* Who has taken a lock a moment ago may not have promised anything yet: waits a second. */
void holder_let_speak(void);

/* Ends this user's processes of Cairn that hold the lock of the same file or folder, the caller's
 * own excepted, and waits for their end, two seconds at most each. How many there were. Processes
 * that /proc does not show, in another PID namespace, are not found. */
unsigned holder_end(int fd);

#endif
