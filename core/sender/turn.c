/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose turn it is: one sender at a time per application, a few per spool, whatever storm of
 * crashes there is. Whoever comes while another sender is at work leaves a mark and goes, unless
 * somebody waits for him; that sender looks for it once it has let go of the lock, so that no
 * report is missed: either the mark was there by then, or the lock was free for who made it.
 * [sender]
 */
#include "core/sender/sender.h"

#include "core/util/holder.h"
#include "core/util/time.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK         "sender.lock"
#define MARK         "sender.again"
#define LOCK_WAIT_US 30000000u /* for another sender, when somebody wants something of this one */
#define POLL_NS      50000000

#define PLACES        4 /* senders at work in one spool */
#define PLACE_WAIT_US UINT64_C(600000000)

static void pause_shortly(void)
{
    const struct timespec pause = { 0, POLL_NS };

    nanosleep(&pause, NULL);
}

static int open_lock(int folder_fd, const char *name, struct error *error)
{
    int fd = openat(folder_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

    return fd >= 0 ? fd : error_errno(error, CAIRN_ESYSTEM, errno, "%s cannot be opened", name);
}

static bool leave_mark(int application_fd)
{
    int fd = open_lock(application_fd, MARK, NULL);

    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

static bool lock_until(int fd, uint64_t end_us)
{
    while (!holder_try_lock(fd)) {
        if (time_monotonic_us() >= end_us) {
            return false;
        }
        pause_shortly();
    }
    return true;
}

int turn_take(int application_fd, bool patient, struct error *error)
{
    int fd = open_lock(application_fd, LOCK, error);
    bool locked;

    if (fd < 0) {
        return fd;
    }
    locked = lock_until(fd, patient ? time_monotonic_us() + LOCK_WAIT_US : 0);
    if (!locked && !patient) {
        /* Where no mark can be left, nobody would look: then it is waited for. */
        locked =
            lock_until(fd, leave_mark(application_fd) ? 0 : time_monotonic_us() + LOCK_WAIT_US);
    }
    if (!locked) {
        close(fd);
        return error_set(error, CAIRN_EBUSY, "Another sender is at work.");
    }
    holder_promise(fd, SENDER_MARGIN_US);
    if (!patient) {
        unlinkat(application_fd, MARK, 0); /* whoever has the lock so looks from here on */
    }
    return fd;
}

bool turn_is_wanted(int application_fd)
{
    return faccessat(application_fd, MARK, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Of the spool, where it is ours: whose it is could keep all places for ever. */
static int open_places(int application_fd)
{
    int fd = open_lock(application_fd, "../senders.lock", NULL);
    struct stat status;

    if (fd >= 0 &&
        (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_uid != geteuid())) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool take_place(int fd)
{
    for (int i = 0; i < PLACES; i++) {
        struct flock place = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = i, .l_len = 1 };

        if (fcntl(fd, F_OFD_SETLK, &place) == 0 || (errno != EAGAIN && errno != EACCES)) {
            return true; /* or it is not to be had here at all */
        }
    }
    return false;
}

int turn_place(int application_fd, int lock)
{
    uint64_t end_us = time_monotonic_us() + PLACE_WAIT_US;
    int fd = open_places(application_fd);

    holder_promise(lock, PLACE_WAIT_US + SENDER_MARGIN_US);
    while (fd >= 0 && !take_place(fd) && time_monotonic_us() < end_us) {
        pause_shortly();
    }
    return fd;
}
