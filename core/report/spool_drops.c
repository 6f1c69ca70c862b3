/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drops.json: how many reports an application's spool gave up, by reason: {"limit": 3, "storm":
 * 41}. So the true number of crashes can be told even when their reports are gone. Engine, sender.
 */
#include "core/report/report_inner.h"
#include "core/report/spool_inner.h"

#include "core/util/fs.h"
#include "core/util/time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define DROPS_FILE      "drops.json"
#define DROPS_LIMIT     (64u * 1024)
#define LOCK_TIMEOUT_US 2000000u

/* The application's folder, locked by an opening of its own; waits LOCK_TIMEOUT_US at most. */
static int lock_application(int application_fd, struct error *error)
{
    const struct timespec pause = { 0, 5000000 };
    uint64_t deadline = time_monotonic_us() + LOCK_TIMEOUT_US;
    int fd = openat(application_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) {
        return error_errno(error, CAIRN_ESYSTEM, errno,
                           "The application's folder cannot be opened");
    }
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || time_monotonic_us() >= deadline) {
            int number = errno;

            close(fd);
            return error_errno(error, number == EWOULDBLOCK ? CAIRN_EBUSY : CAIRN_ESYSTEM, number,
                               "The application's folder cannot be locked to count a drop");
        }
        nanosleep(&pause, NULL);
    }
    return fd;
}

static int add_to_file(int application_fd, const char *reason, uint64_t more, struct error *error)
{
    char *data = NULL, *counted;
    size_t bytes = 0;
    int result = fs_read_file(application_fd, DROPS_FILE, DROPS_LIMIT, &data, &bytes, error);

    /* None yet, or not what it should be: counting starts again. Lack of memory is not that. */
    if (result == CAIRN_ENOMEM) {
        return result;
    }
    counted = report_json_count(data != NULL ? data : "", bytes, reason, more);
    free(data);
    if (counted == NULL) {
        return error_set(error, CAIRN_ENOMEM, "There is not enough memory to count a drop.");
    }
    result = fs_replace_file(application_fd, DROPS_FILE, counted, strlen(counted), error);
    free(counted);
    return result;
}

int spool_count_drops(int application_fd, const char *reason, uint64_t more, struct error *error)
{
    size_t length = strspn(reason, "abcdefghijklmnopqrstuvwxyz0123456789-_");
    int lock, result;

    if (length == 0 || length > 32 || reason[length] != '\0') {
        return error_set(error, CAIRN_EINVAL, "\"%.64s\" is not a reason to drop a report.",
                         reason);
    }
    lock = lock_application(application_fd, error);
    if (lock < 0) {
        return lock;
    }
    result = add_to_file(application_fd, reason, more, error);
    close(lock);
    return result;
}

int spool_count_drop(int application_fd, const char *reason, struct error *error)
{
    return spool_count_drops(application_fd, reason, 1, error);
}
