/* SPDX-License-Identifier: Apache-2.0 */
/* Waits for the end of the program's mapping; see mapping.h. Runs in the monitor. */
#include "core/monitor/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define STACK_BYTES (32 * 1024)

static int open_file(int32_t pid, const char *name)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* A process that has begun to end has none. Without the heap, which costs each thread much. */
static bool has_memory(int32_t pid)
{
    char text[4096];
    int fd = open_file(pid, "status");
    ssize_t bytes = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

    if (fd >= 0) {
        close(fd);
    }
    text[bytes > 0 ? bytes : 0] = '\0';
    return strstr(text, "\nVmSize:") != NULL;
}

void mapping_begin(struct mapping *mapping, int *page_fd)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", *page_fd);
    int file = open(path, O_RDWR | O_CLOEXEC);
    int again = file >= 0 ? fcntl(file, F_DUPFD_CLOEXEC, 0) : -1;
    if (again < 0 || flock(*page_fd, LOCK_SH | LOCK_NB) != 0) {
        if (again >= 0) {
            close(again);
        }
        if (file >= 0) {
            close(file);
        }
        return;
    }
    close(*page_fd);
    *page_fd = again;
    mapping->file = file;
}

/* Looks at the process before anybody else is woken: what was started by exec() may end at once. */
static void *park(void *argument)
{
    struct mapping *mapping = argument;
    int result;

    pthread_setname_np(pthread_self(), "cairn-mapping");
    do {
        result = flock(mapping->file, LOCK_EX);
    } while (result != 0 && errno == EINTR);
    if (result == 0 && has_memory(mapping->pid)) {
        __atomic_store_n(&mapping->gone, 1, __ATOMIC_RELEASE);
        announce_wake(mapping->announce);
    }
    return NULL;
}

int mapping_watch(struct mapping *mapping, int32_t pid, const struct announce *announce)
{
    pthread_attr_t attributes;
    pthread_t thread;

    mapping->announce = announce;
    mapping->pid = pid;
    int error = pthread_attr_init(&attributes);
    if (error != 0) {
        return -error;
    }
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    error = pthread_create(&thread, &attributes, park, mapping);
    pthread_attr_destroy(&attributes);
    return -error;
}

/* By the file's inode: what it runs now may have a page of its own. */
static bool has_page(int32_t pid, int page_file)
{
    int fd = open_file(pid, "maps");
    FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
    char line[PATH_MAX + 128];
    struct stat page;
    bool found = false;

    while (file != NULL && fstat(page_file, &page) == 0 && !found &&
           fgets(line, sizeof(line), file) != NULL) {
        unsigned long inode = 0;
        found = strstr(line, " /memfd:cairn") != NULL &&
                sscanf(line, "%*s %*s %*s %*s %lu", &inode) == 1 && inode == page.st_ino;
    }
    if (file != NULL) {
        fclose(file);
    } else if (fd >= 0) {
        close(fd);
    }
    return found;
}

bool mapping_is_replaced(struct mapping *mapping)
{
    if (__atomic_load_n(&mapping->gone, __ATOMIC_ACQUIRE) == 0) {
        return false;
    }
    /* Where locks are not kept by mappings, it only looks as if it were gone. */
    if (has_page(mapping->pid, mapping->file)) {
        mapping->gone = 0;
        return false;
    }
    return true;
}
