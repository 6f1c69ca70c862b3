/* SPDX-License-Identifier: Apache-2.0 */
/* Turns: a lock, and a mark for who has it; see turn.h. [engine, sender] */
#include "core/util/turn.h"

#include "core/util/holder.h"
#include "core/util/time.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#define POLL_NS 50000000

static int open_file(int folder_fd, const char *name, struct error *error)
{
    int fd = openat(folder_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

    return fd >= 0 ? fd : error_errno(error, CAIRN_ESYSTEM, errno, "%s cannot be opened", name);
}

static bool leave_mark(int folder_fd, const char *name)
{
    int fd = open_file(folder_fd, name, NULL);

    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

static bool lock_within(int fd, uint64_t wait_us)
{
    const struct timespec pause = { 0, POLL_NS };
    uint64_t end_us = time_monotonic_us() + wait_us;

    while (!holder_try_lock(fd)) {
        if (time_monotonic_us() >= end_us) {
            return false;
        }
        nanosleep(&pause, NULL);
    }
    return true;
}

int turn_take(int folder_fd, const struct turn *turn, bool patient, struct error *error)
{
    int fd = open_file(folder_fd, turn->lock, error);
    bool locked;

    if (fd < 0) {
        return fd;
    }
    locked = lock_within(fd, patient ? turn->wait_us : 0);
    if (!locked && !patient) {
        /* Where no mark can be left, nobody would look: then it is waited for. */
        locked = lock_within(fd, leave_mark(folder_fd, turn->mark) ? 0 : turn->wait_us);
    }
    if (!locked) {
        close(fd);
        return error_set(error, CAIRN_EBUSY, "Another process is at work (%s).", turn->lock);
    }
    holder_promise(fd, turn->promise_us);
    if (!patient) {
        unlinkat(folder_fd, turn->mark, 0); /* whoever has the lock so looks from here on */
    }
    return fd;
}

bool turn_is_wanted(int folder_fd, const struct turn *turn)
{
    return faccessat(folder_fd, turn->mark, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}
