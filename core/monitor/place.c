/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A place is a byte of a file in the spool, locked through its open file (F_OFD_SETLK): the lock
 * follows the descriptor into the engine, and a killed engine gives it back. Runs in the monitor.
 */
#include "core/monitor/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_own(int folder, const char *name)
{
    struct stat status;
    int file = openat(folder, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

    if (file < 0) {
        return -errno;
    }
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || status.st_uid != geteuid()) {
        close(file);
        return -EPERM; /* whose it is could keep all places for ever */
    }
    return file;
}

/* Of the whole spool; of the application alone where the spool belongs to somebody else. */
static int open_places(int application_folder)
{
    int file = open_own(application_folder, "../engines.lock");

    return file >= 0 ? file : open_own(application_folder, "engines.lock");
}

int place_take(int application_folder, unsigned count)
{
    int file = open_places(application_folder);
    int result = -EAGAIN;

    if (file < 0) {
        return file;
    }
    for (unsigned i = 0; i < count && result == -EAGAIN; i++) {
        struct flock place = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = i, .l_len = 1 };
        if (fcntl(file, F_OFD_SETLK, &place) == 0) {
            return file;
        }
        result = errno == EACCES ? -EAGAIN : -errno;
    }
    close(file);
    return result;
}
