/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who shares the page. A lock belongs to an opening of a file, and a mapping keeps its opening: so
 * a lock that is taken on the one that the program and its children have lasts exactly as long as
 * one of them has the page mapped. exec() and cairn_stop() unmap it, too. Runs in the monitor.
 */
#include "core/monitor/family.h"

#include "core/monitor/clock.h"
#include "core/monitor/identity.h"
#include "core/monitor/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* A process with more mappings than the kernel allows by default takes no longer than this. */
#define MAPS_NS     (CLOCK_SECOND / 2)
#define STACK_BYTES (32 * 1024)

void family_begin(struct family *family, int *page_fd)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", *page_fd);
    family->page = open(path, O_RDWR | O_CLOEXEC);
    if (family->page < 0) {
        return;
    }
    int again = fcntl(family->page, F_DUPFD_CLOEXEC, 0);
    if (again < 0 || flock(*page_fd, LOCK_SH | LOCK_NB) != 0) {
        if (again >= 0) {
            close(again);
        }
        close(family->page);
        family->page = -1;
        return;
    }
    close(*page_fd);
    *page_fd = again;
}

/* A process that has begun to end has none. Without the heap, which costs each thread much. */
static bool has_memory(int32_t pid)
{
    char text[4096];

    proc_read(pid, "status", text, sizeof(text));
    return strstr(text, "\nVmSize:") != NULL;
}

/* Looks at the program before anybody else is woken: what was started by exec() may end at once.
 * The lock comes when the last process lets go of the page, in a month or never, so this waits
 * without a deadline; nobody waits for this thread. */
static void *wait_for_all(void *argument)
{
    struct family *family = argument;

    pthread_setname_np(pthread_self(), "cairn-family");
    while (flock(family->page, LOCK_EX) != 0 && errno == EINTR) {
    }
    __atomic_store_n(&family->replaced, has_memory(family->pid), __ATOMIC_RELEASE);
    __atomic_store_n(&family->gone, 1, __ATOMIC_RELEASE);
    announce_wake(family->announce);
    return NULL;
}

int family_watch(struct family *family, int32_t pid, const struct announce *announce)
{
    pthread_attr_t attributes;
    pthread_t thread;

    if (family->page < 0) {
        return 0;
    }
    family->announce = announce;
    family->pid = pid;
    int error = pthread_attr_init(&attributes);
    if (error == 0) {
        pthread_attr_setstacksize(&attributes, STACK_BYTES);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        error = pthread_create(&thread, &attributes, wait_for_all, family);
        pthread_attr_destroy(&attributes);
    }
    family->waited_for = error == 0;
    return -error;
}

bool family_lives(struct family *family)
{
    /* Without a thread nobody would tell the end. */
    if (!family->waited_for || __atomic_load_n(&family->gone, __ATOMIC_ACQUIRE) != 0) {
        return false;
    }
    return flock(family->page, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

/* 0 when one of the process's mappings is this file's; -EINVAL when none is. */
static int find_mapping(FILE *maps, const struct stat *page)
{
    const uint64_t deadline = clock_now() + MAPS_NS;
    char *line = NULL;
    size_t capacity = 0;
    int result = -EINVAL;

    while (result == -EINVAL && getline(&line, &capacity, maps) > 0) {
        unsigned major, minor;
        uint64_t inode;

        if (sscanf(line, "%*s %*s %*s %x:%x %" SCNu64, &major, &minor, &inode) == 3 &&
            makedev(major, minor) == page->st_dev && inode == page->st_ino) {
            result = 0;
        } else if (clock_now() >= deadline) {
            result = -ETIMEDOUT;
        }
    }
    free(line);
    return result;
}

static int verify(const struct family *family, int32_t pid)
{
    char path[64];
    struct stat page;

    snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(path, "re");
    if (maps == NULL) {
        return -errno;
    }
    int result = fstat(family->page, &page) == 0 ? find_mapping(maps, &page) : -errno;
    fclose(maps);
    return result;
}

int family_find(const struct family *family, int32_t pid, struct relative *ret_relative)
{
    if (family->page < 0 || pid <= 0) {
        return -EINVAL;
    }
    int process = (int)syscall(SYS_pidfd_open, pid, 0);
    if (process < 0) {
        return -errno;
    }
    uint64_t born = identity_read(pid);
    int result = verify(family, pid);
    struct pollfd ended = { .fd = process, .events = POLLIN };

    /* Its number cannot have become another's while the pidfd says that it lives. */
    if (result == 0 && poll(&ended, 1, 0) != 0) {
        result = -ESRCH;
    }
    if (result != 0) {
        close(process);
        return result;
    }
    *ret_relative = (struct relative){ process, born };
    return 0;
}

bool family_is_replaced(struct family *family)
{
    if (__atomic_load_n(&family->replaced, __ATOMIC_ACQUIRE) == 0) {
        return false;
    }
    /* Where locks are not kept by mappings, it only looks so. */
    if (verify(family, family->pid) == 0) {
        family->replaced = 0;
        return false;
    }
    return true;
}
