/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reserve's mapping. Made when the plan arrives, so that it is there whatever the program then
 * does to its descriptors, root and rights; a crash before that makes it itself. The mapping keeps
 * the file open and with it a lock: as long as the program lives, nobody takes the reserve away.
 * Imports nothing.
 */
#include "core/crash/parts.h"
#include "core/minidump/format.h"

#define LOCK_SHARED  1 /* flock(2)'s, which the kernel's headers have among fcntl's only */
#define LOCK_NO_WAIT 4
#define TYPE_MASK    0170000u
#define TYPE_REGULAR 0100000u

_Static_assert(sizeof(struct minidump_reserve) <=
                   MINIDUMP_RESERVE_FILE_BYTES - MINIDUMP_RESERVE_BYTES,
               "what the reserve is about fits behind the minidump");

/* A hostile file must neither block nor shrink to nothing. */
static int is_reserve(int fd)
{
    struct stat status;

    return sys_fstat(fd, &status) == 0 && (status.st_mode & TYPE_MASK) == TYPE_REGULAR &&
           status.st_size == (long)MINIDUMP_RESERVE_FILE_BYTES;
}

static void *map_file(const char *path)
{
    int fd = sys_openat(AT_FDCWD, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0);
    long address = -ENOENT;

    if (fd < 0) {
        return NULL;
    }
    if (is_reserve(fd)) {
        /* Without the lock the program's number and start time protect the file. */
        sys_call(__NR_flock, fd, LOCK_SHARED | LOCK_NO_WAIT, 0);
        address =
            sys_mmap(NULL, MINIDUMP_RESERVE_FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    sys_close(fd);
    return sys_is_error(address) ? NULL : (void *)address;
}

static void map_scratch(struct crash_handler *handler)
{
    long address = sys_mmap(NULL, CRASH_SCRATCH_BYTES, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    handler->scratch = sys_is_error(address) ? NULL : (void *)address;
}

void crash_map_reserve(struct crash_handler *handler, const struct page *page)
{
    const char *path = page->plan.reserve;
    void *reserve =
        path[0] == '/' && path[sizeof(page->plan.reserve) - 1] == '\0' ? map_file(path) : NULL;

    if (reserve == NULL) {
        return;
    }
    if (handler->scratch == NULL) {
        map_scratch(handler);
    }
    __atomic_store_n(&handler->reserve, reserve, __ATOMIC_RELEASE);
}

void crash_unmap_reserve(struct crash_handler *handler)
{
    if (handler->reserve != NULL) {
        sys_munmap(handler->reserve, MINIDUMP_RESERVE_FILE_BYTES);
    }
    if (handler->scratch != NULL) {
        sys_munmap(handler->scratch, CRASH_SCRATCH_BYTES);
    }
    handler->reserve = NULL;
    handler->scratch = NULL;
}
