/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes and watches the reserve. The file gets its name when it is whole and locked, so that nobody
 * who cleans up takes it for a leftover. Runs in the monitor.
 */
#include "core/monitor/reserve.h"

#include "core/minidump/writer.h"
#include "core/monitor/clock.h"
#include "core/monitor/identity.h"
#include "core/monitor/incoming.h"
#include "core/monitor/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TEMPORARY_SUFFIX ".tmp"
#define COPY_NS          (3 * CLOCK_SECOND) /* it has a timer of 2 s */
#define LOOK_NS          20000000           /* nobody wakes us when it is killed */
#define WRITER_WAITS     20                 /* of a millisecond */

static uint64_t own_namespace(void)
{
    struct stat status;

    return stat("/proc/self/ns/pid", &status) == 0 ? (uint64_t)status.st_ino : 0;
}

/* What the program may not be able to read of itself when it crashes. */
static void describe(struct minidump_reserve *about, int32_t pid)
{
    char path[64];

    ssize_t bytes = proc_read(pid, "auxv", about->auxv, sizeof(about->auxv));
    about->auxv_bytes = bytes > 0 ? (uint32_t)bytes : 0;
    snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
    bytes = readlink(path, about->exe, sizeof(about->exe) - 1);
    about->exe[bytes > 0 ? bytes : 0] = '\0';
}

static int fill(struct reserve *reserve, int32_t pid)
{
    int error = posix_fallocate(reserve->file, 0, MINIDUMP_RESERVE_FILE_BYTES);

    if (error != 0) {
        return -error;
    }
    if (flock(reserve->file, LOCK_SH | LOCK_NB) != 0) {
        return -errno;
    }
    /* By write(2): the first write to a mapped page of a file costs ten times as much. */
    struct minidump_reserve about = {
        .magic = MINIDUMP_RESERVE_MAGIC,
        .version = MINIDUMP_RESERVE_VERSION,
        .pid = pid,
        .start_time = identity_read(pid),
        .pid_namespace = own_namespace(),
    };
    describe(&about, pid);
    snprintf(about.id, sizeof(about.id), "%s", reserve->id.text);
    ssize_t written = pwrite(reserve->file, &about, sizeof(about), MINIDUMP_RESERVE_BYTES);
    if (written != (ssize_t)sizeof(about)) {
        return written < 0 ? -errno : -ENOSPC;
    }
    void *mapped = mmap(NULL, MINIDUMP_RESERVE_FILE_BYTES - MINIDUMP_RESERVE_BYTES,
                        PROT_READ | PROT_WRITE, MAP_SHARED, reserve->file, MINIDUMP_RESERVE_BYTES);
    if (mapped == MAP_FAILED) {
        return -errno;
    }
    reserve->about = mapped;
    return 0;
}

static void let_go(struct reserve *reserve)
{
    if (reserve->about != NULL) {
        munmap(reserve->about, MINIDUMP_RESERVE_FILE_BYTES - MINIDUMP_RESERVE_BYTES);
    }
    if (reserve->file >= 0) {
        close(reserve->file);
    }
    *reserve = (struct reserve){ .file = -1 };
}

int reserve_make(int application_folder, int32_t pid, struct reserve *ret_reserve)
{
    struct reserve reserve = { .file = -1 };
    char temporary[sizeof(reserve.name) + sizeof(TEMPORARY_SUFFIX)];

    uuid_make(&reserve.id);
    snprintf(reserve.name, sizeof(reserve.name), "%s/%s%s", INCOMING_FOLDER, reserve.id.text,
             MINIDUMP_RESERVE_SUFFIX);
    snprintf(temporary, sizeof(temporary), "%s%s", reserve.name, TEMPORARY_SUFFIX);
    reserve.file = openat(application_folder, temporary,
                          O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (reserve.file < 0) {
        return -errno;
    }
    int result = fill(&reserve, pid);
    if (result == 0 &&
        renameat(application_folder, temporary, application_folder, reserve.name) != 0) {
        result = -errno;
    }
    if (result != 0) {
        unlinkat(application_folder, temporary, 0);
        let_go(&reserve);
        return result;
    }
    *ret_reserve = reserve;
    return 0;
}

static bool is_written(const struct reserve *reserve)
{
    uint32_t state = __atomic_load_n(&reserve->about->state, __ATOMIC_ACQUIRE);

    return state != MINIDUMP_RESERVE_EMPTY && state != MINIDUMP_RESERVE_CLOSED;
}

void reserve_begin(struct reserve *reserve, int32_t pid, const char *id)
{
    if (reserve->about != NULL && !is_written(reserve)) {
        reserve->about->whole = 0;
        reserve->about->kept_bytes = 0;
        reserve->about->other_pid = pid;
        snprintf(reserve->about->other, sizeof(reserve->about->other), "%s", id);
    }
}

int reserve_keep(struct reserve *reserve, const struct minidump_image *image)
{
    uint64_t bytes = image->bytes + image->memory_bytes;

    if (reserve->about == NULL || bytes > MINIDUMP_RESERVE_BYTES) {
        return reserve->about == NULL ? -ENOENT : -EFBIG;
    }
    int result = minidump_write_image(image, reserve->file, MINIDUMP_RESERVE_KEPT_AT);
    if (result == 0) {
        __atomic_store_n(&reserve->about->kept_bytes, bytes, __ATOMIC_RELEASE);
    }
    return result;
}

void reserve_tell_whole(struct reserve *reserve)
{
    if (reserve->about != NULL && !is_written(reserve)) {
        __atomic_store_n(&reserve->about->whole, 1, __ATOMIC_RELEASE);
        __atomic_store_n(&reserve->about->kept_bytes, 0, __ATOMIC_RELEASE);
    }
}

bool reserve_close(struct reserve *reserve)
{
    uint32_t empty = MINIDUMP_RESERVE_EMPTY;

    return reserve->about == NULL ||
           __atomic_compare_exchange_n(&reserve->about->state, &empty, MINIDUMP_RESERVE_CLOSED,
                                       false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) ||
           empty == MINIDUMP_RESERVE_CLOSED;
}

bool reserve_has_crash(const struct reserve *reserve, int32_t pid)
{
    const struct timespec look = { 0, LOOK_NS };
    const uint64_t deadline = clock_now() + COPY_NS;

    for (;;) {
        uint32_t state = __atomic_load_n(&reserve->about->state, __ATOMIC_ACQUIRE);
        int32_t writer = __atomic_load_n(&reserve->about->writer, __ATOMIC_ACQUIRE);

        if (state == MINIDUMP_RESERVE_CLOSED) {
            return reserve->about->other_pid == pid;
        }
        if (state == MINIDUMP_RESERVE_EMPTY || (writer != 0 && writer != pid)) {
            return false;
        }
        if (state != MINIDUMP_RESERVE_WRITING || clock_now() >= deadline) {
            return state != MINIDUMP_RESERVE_WRITING;
        }
        syscall(SYS_futex, &reserve->about->state, FUTEX_WAIT, state, &look, NULL, 0);
    }
}

bool reserve_is_begun(const struct reserve *reserve, int32_t pid)
{
    return reserve->about != NULL && is_written(reserve) &&
           __atomic_load_n(&reserve->about->writer, __ATOMIC_ACQUIRE) == pid;
}

bool reserve_is_open(const struct reserve *reserve)
{
    return reserve->about != NULL &&
           __atomic_load_n(&reserve->about->state, __ATOMIC_ACQUIRE) == MINIDUMP_RESERVE_OPEN;
}

static void move(struct reserve *reserve, uint32_t from, uint32_t to)
{
    __atomic_compare_exchange_n(&reserve->about->state, &from, to, false, __ATOMIC_ACQ_REL,
                                __ATOMIC_ACQUIRE);
}

void reserve_complete(struct reserve *reserve)
{
    if (reserve->about != NULL) {
        move(reserve, MINIDUMP_RESERVE_OPEN, MINIDUMP_RESERVE_COMPLETE);
    }
}

void reserve_forget(struct reserve *reserve)
{
    if (reserve->about != NULL) {
        move(reserve, MINIDUMP_RESERVE_OPEN, MINIDUMP_RESERVE_EMPTY);
    }
}

bool reserve_excludes(struct reserve *reserve, int32_t pid)
{
    const struct timespec pause = { 0, 1000000 };
    int32_t writer = 0;

    if (reserve_close(reserve)) {
        return true;
    }
    /* Its name follows at once, unless it died in between. */
    for (unsigned i = 0; i < WRITER_WAITS && writer == 0; i++) {
        writer = __atomic_load_n(&reserve->about->writer, __ATOMIC_ACQUIRE);
        if (writer == 0) {
            nanosleep(&pause, NULL);
        }
    }
    return writer != 0 && writer != pid;
}

void reserve_reopen(struct reserve *reserve)
{
    if (reserve->about != NULL && !is_written(reserve)) {
        reserve->about->whole = 0;
        reserve->about->other[0] = '\0';
        move(reserve, MINIDUMP_RESERVE_CLOSED, MINIDUMP_RESERVE_EMPTY);
    }
}

bool reserve_is_new(struct reserve *reserve, bool program_gone)
{
    if (reserve->about == NULL || reserve->told) {
        return false;
    }
    /* A fork child that has begun to write may go on after its parent. */
    if (program_gone && reserve->about->writer == reserve->about->pid) {
        move(reserve, MINIDUMP_RESERVE_SPARSE, MINIDUMP_RESERVE_COMPLETE);
    }
    if (__atomic_load_n(&reserve->about->state, __ATOMIC_ACQUIRE) != MINIDUMP_RESERVE_COMPLETE) {
        return false;
    }
    reserve->told = true;
    return true;
}

void reserve_finish(struct reserve *reserve, int application_folder)
{
    if (reserve->about != NULL && reserve_close(reserve) && reserve->about->kept_bytes == 0) {
        unlinkat(application_folder, reserve->name, 0);
    }
    let_go(reserve);
}
