/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds who holds a lock, by what /proc says of every process's open files: the number in
 * /proc/locks is that of who took the lock, who may have handed it on and be gone. [engine, sender]
 */
#include "core/util/holder.h"

#include "core/util/log.h"
#include "core/util/text.h"
#include "core/util/time.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define END_MS    2000
#define NANO      UINT64_C(1000000000)
#define INFO_SIZE 1024

void holder_promise(int fd, uint64_t microseconds)
{
    uint64_t until = time_wall_ns() + microseconds * 1000;
    const struct timespec times[2] = { { 0, UTIME_OMIT },
                                       { (time_t)(until / NANO), (long)(until % NANO) } };

    futimens(fd, times);
}

static bool is_overdue(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 &&
           (uint64_t)status.st_mtim.tv_sec * NANO + (uint64_t)status.st_mtim.tv_nsec <
               time_wall_ns();
}

void holder_let_speak(void)
{
    struct timespec left = { 1, 0 };

    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

static bool try_lock(int fd)
{
    return flock(fd, LOCK_EX | LOCK_NB) == 0;
}

bool holder_try_lock(int fd)
{
    if (try_lock(fd)) {
        return true;
    }
    if (!is_overdue(fd)) {
        return false;
    }
    holder_let_speak();
    return try_lock(fd) || (is_overdue(fd) && holder_end(fd) > 0 && try_lock(fd));
}

/* A process of this user that runs one of Cairn's programs, even one that was replaced since. */
static bool is_ours(const char *process)
{
    static const char *const programs[] = { "cairn-monitor", "cairn-engine", "cairn-sender" };
    char path[64], target[PATH_MAX];
    struct stat status;

    snprintf(path, sizeof(path), "%s/exe", process);
    ssize_t bytes = readlink(path, target, sizeof(target) - 1);
    if (bytes < 0 || stat(process, &status) != 0 || status.st_uid != geteuid()) {
        return false;
    }
    target[bytes] = '\0';
    target[text_living_length(target)] = '\0';
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        if (strcmp(text_base_name(target), programs[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* A line "lock: 1: FLOCK …" in the description of an open file. */
static bool is_locked(const char *process, const char *number)
{
    char path[PATH_MAX], text[INFO_SIZE];

    snprintf(path, sizeof(path), "%s/fdinfo/%s", process, number);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return false;
    }
    ssize_t bytes = read(file, text, sizeof(text) - 1);
    close(file);
    text[bytes > 0 ? bytes : 0] = '\0';
    return strstr(text, "FLOCK") != NULL;
}

static bool has_lock(const char *process, const struct stat *wanted)
{
    char path[64];
    struct stat status;
    bool found = false;

    snprintf(path, sizeof(path), "%s/fd", process);
    DIR *files = opendir(path);
    if (files == NULL) {
        return false;
    }
    for (struct dirent *entry; !found && (entry = readdir(files)) != NULL;) {
        found = fstatat(dirfd(files), entry->d_name, &status, 0) == 0 &&
                status.st_dev == wanted->st_dev && status.st_ino == wanted->st_ino &&
                is_locked(process, entry->d_name);
    }
    closedir(files);
    return found;
}

/* Its number may become another process's at any time, its descriptor does not. */
static bool end_one(const char *process, int32_t pid, const struct stat *wanted)
{
    struct pollfd ended = { (int)syscall(SYS_pidfd_open, pid, 0), POLLIN, 0 };
    bool done = ended.fd >= 0 && is_ours(process) && has_lock(process, wanted) &&
                poll(&ended, 1, 0) == 0 &&
                syscall(SYS_pidfd_send_signal, ended.fd, SIGKILL, NULL, 0) == 0;

    if (done) {
        poll(&ended, 1, END_MS);
        log_line(LOG_LEVEL_WARNING, "Process %d held a lock for longer than it may, and was ended.",
                 (int)pid);
    }
    if (ended.fd >= 0) {
        close(ended.fd);
    }
    return done;
}

unsigned holder_end(int fd)
{
    struct stat wanted;
    unsigned count = 0;
    DIR *processes = opendir("/proc");

    if (processes == NULL || fstat(fd, &wanted) != 0) {
        if (processes != NULL) {
            closedir(processes);
        }
        return 0;
    }
    for (struct dirent *entry; (entry = readdir(processes)) != NULL;) {
        char process[32], *end;
        long pid = strtol(entry->d_name, &end, 10);

        if (pid <= 0 || pid > INT32_MAX || *end != '\0' || pid == getpid()) {
            continue;
        }
        snprintf(process, sizeof(process), "/proc/%ld", pid);
        count += end_one(process, (int32_t)pid, &wanted);
    }
    closedir(processes);
    return count;
}
