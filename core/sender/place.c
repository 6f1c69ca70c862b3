/* SPDX-License-Identifier: Apache-2.0 */
/* A few senders at a time per spool, whatever storm of crashes there is. [sender] */
#include "core/sender/sender.h"

#include "core/util/holder.h"
#include "core/util/time.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_NAME     "../senders.lock"
#define POLL_NS       50000000
#define PLACES        4 /* senders at work in one spool */
#define PLACE_WAIT_US UINT64_C(600000000)

/* Of the spool, where it is ours: whose it is could keep all places for ever. */
static int open_places(int application_fd)
{
    int fd = openat(application_fd, FILE_NAME,
                    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
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

int sender_take_place(int application_fd, int lock)
{
    const struct timespec pause = { 0, POLL_NS };
    uint64_t end_us = time_monotonic_us() + PLACE_WAIT_US;
    int fd = open_places(application_fd);

    holder_promise(lock, PLACE_WAIT_US + SENDER_MARGIN_US);
    while (fd >= 0 && !take_place(fd) && time_monotonic_us() < end_us) {
        nanosleep(&pause, NULL);
    }
    return fd;
}
