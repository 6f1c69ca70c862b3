/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raw system calls: every one returns 0 or a value, or a negative errno. Runs anywhere, also in a
 * crashed process: it imports nothing. Only for files that include no libc header, because types
 * and constants are the kernel's own.
 */
#ifndef CAIRN_CORE_CAPTURE_SYS_H
#define CAIRN_CORE_CAPTURE_SYS_H

#include "core/capture/arch/x86_64/syscall.h"
#include "core/capture/builtins.h"

#include <stddef.h>
#include <stdint.h>

#include <asm/unistd.h>
#include <asm/sigcontext.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <asm/stat.h>
#include <asm/ucontext.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/ptrace.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <linux/time.h>
#include <linux/uio.h>
#include <linux/utsname.h>
#include <linux/wait.h>

/* Not exported by the kernel's headers under a usable name. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif
#ifndef PTRACE_O_EXITKILL
#define PTRACE_O_EXITKILL (1 << 20)
#endif
#ifndef SEEK_SET
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#endif

#define SYS_SIGSET_BYTES 8 /* of the kernel's signal set */
#define SYS_NANOSECONDS  1000000000ull

/* A record of sys_getdents64(). */
struct sys_dirent {
    uint64_t inode;
    int64_t offset;
    uint16_t bytes;
    uint8_t type;
    char name[];
} __attribute__((packed));

/* Where a handler returns to: sigaction's sa_restorer with SA_RESTORER. */
void sys_restore_rt(void) __attribute__((visibility("hidden")));

#define sys_call(number, a, b, c) arch_syscall3((number), (long)(a), (long)(b), (long)(c))
#define sys_call6(number, a, b, c, d, e, f)                                                        \
    arch_syscall6((number), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* ---- files ---- */

static inline int sys_openat(int folder, const char *path, int flags, unsigned mode)
{
    return (int)sys_call6(__NR_openat, folder, path, flags, mode, 0, 0);
}

static inline int sys_close(int fd)
{
    return (int)sys_call(__NR_close, fd, 0, 0);
}

static inline long sys_read(int fd, void *buffer, size_t bytes)
{
    return sys_call(__NR_read, fd, buffer, bytes);
}

static inline long sys_pread64(int fd, void *buffer, size_t bytes, uint64_t offset)
{
    return sys_call6(__NR_pread64, fd, buffer, bytes, offset, 0, 0);
}

static inline long sys_write(int fd, const void *data, size_t bytes)
{
    return sys_call(__NR_write, fd, data, bytes);
}

static inline long sys_pwrite64(int fd, const void *data, size_t bytes, uint64_t offset)
{
    return sys_call6(__NR_pwrite64, fd, data, bytes, offset, 0, 0);
}

static inline long sys_writev(int fd, const struct iovec *parts, size_t count)
{
    return sys_call(__NR_writev, fd, parts, count);
}

static inline long sys_pwritev(int fd, const struct iovec *parts, size_t count, uint64_t offset)
{
    /* The kernel takes the offset in two halves; on a 64-bit CPU the first holds all of it. */
    return sys_call6(__NR_pwritev, fd, parts, count, offset, 0, 0);
}

static inline int64_t sys_lseek(int fd, int64_t offset, int whence)
{
    return sys_call(__NR_lseek, fd, offset, whence);
}

static inline int sys_fstat(int fd, struct stat *ret_stat)
{
    return (int)sys_call(__NR_fstat, fd, ret_stat, 0);
}

static inline int sys_fstatat(int folder, const char *path, struct stat *ret_stat, int flags)
{
    return (int)sys_call6(__NR_newfstatat, folder, path, ret_stat, flags, 0, 0);
}

static inline int sys_ftruncate(int fd, uint64_t bytes)
{
    return (int)sys_call(__NR_ftruncate, fd, bytes, 0);
}

static inline long sys_readlinkat(int folder, const char *path, char *buffer, size_t bytes)
{
    return sys_call6(__NR_readlinkat, folder, path, buffer, bytes, 0, 0);
}

static inline long sys_getdents64(int fd, void *buffer, size_t bytes)
{
    return sys_call(__NR_getdents64, fd, buffer, bytes);
}

static inline int sys_dup3(int from, int to, int flags)
{
    return (int)sys_call(__NR_dup3, from, to, flags);
}

static inline int sys_fcntl(int fd, int command, long argument)
{
    return (int)sys_call(__NR_fcntl, fd, command, argument);
}

static inline int sys_memfd_create(const char *name, unsigned flags)
{
    return (int)sys_call(__NR_memfd_create, name, flags, 0);
}

static inline int sys_fsync(int fd)
{
    return (int)sys_call(__NR_fsync, fd, 0, 0);
}

static inline int sys_renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    return (int)sys_call6(__NR_renameat, from_folder, from, to_folder, to, 0, 0);
}

static inline int sys_unlinkat(int folder, const char *path, int flags)
{
    return (int)sys_call(__NR_unlinkat, folder, path, flags);
}

/* ---- memory: mmap's result is an address, or a negative errno in the last page ---- */

static inline int sys_is_error(long result)
{
    return (unsigned long)result >= (unsigned long)-4095L;
}

static inline long sys_mmap(void *address, size_t bytes, int protection, int flags, int fd,
                            uint64_t offset)
{
    return sys_call6(__NR_mmap, address, bytes, protection, flags, fd, offset);
}

static inline int sys_munmap(void *address, size_t bytes)
{
    return (int)sys_call(__NR_munmap, address, bytes, 0);
}

static inline int sys_mprotect(void *address, size_t bytes, int protection)
{
    return (int)sys_call(__NR_mprotect, address, bytes, protection);
}

static inline int sys_madvise(void *address, size_t bytes, int advice)
{
    return (int)sys_call(__NR_madvise, address, bytes, advice);
}

/* ---- processes and threads ---- */

static inline int sys_getpid(void)
{
    return (int)sys_call(__NR_getpid, 0, 0, 0);
}

static inline int sys_getppid(void)
{
    return (int)sys_call(__NR_getppid, 0, 0, 0);
}

static inline int sys_gettid(void)
{
    return (int)sys_call(__NR_gettid, 0, 0, 0);
}

static inline int sys_getresuid(uint32_t *ret_real, uint32_t *ret_effective, uint32_t *ret_saved)
{
    return (int)sys_call(__NR_getresuid, ret_real, ret_effective, ret_saved);
}

static inline int sys_getresgid(uint32_t *ret_real, uint32_t *ret_effective, uint32_t *ret_saved)
{
    return (int)sys_call(__NR_getresgid, ret_real, ret_effective, ret_saved);
}

static inline int sys_prctl(int option, unsigned long a, unsigned long b, unsigned long c,
                            unsigned long d)
{
    return (int)sys_call6(__NR_prctl, option, a, b, c, d, 0);
}

/* With `stack` 0 and without CLONE_VM this is fork without libc: the child returns 0 on a copy of
 * the caller's stack. */
static inline int sys_clone(unsigned long flags, void *stack, int32_t *parent_tid,
                            int32_t *child_tid, void *thread_pointer)
{
    return (int)sys_call6(__NR_clone, flags, stack, parent_tid, child_tid, thread_pointer, 0);
}

static inline int sys_execve(const char *path, char *const *arguments, char *const *environment)
{
    return (int)sys_call(__NR_execve, path, arguments, environment);
}

static inline _Noreturn void sys_exit(int status)
{
    for (;;) {
        sys_call(__NR_exit, status, 0, 0);
    }
}

static inline _Noreturn void sys_exit_group(int status)
{
    for (;;) {
        sys_call(__NR_exit_group, status, 0, 0);
    }
}

static inline int sys_wait4(int pid, int *ret_status, int options, void *usage)
{
    return (int)sys_call6(__NR_wait4, pid, ret_status, options, usage, 0, 0);
}

static inline int sys_waitid(int which, int id, void *ret_info, int options)
{
    return (int)sys_call6(__NR_waitid, which, id, ret_info, options, 0, 0);
}

static inline int sys_pidfd_open(int pid, unsigned flags)
{
    return (int)sys_call(__NR_pidfd_open, pid, flags, 0);
}

static inline long sys_ptrace(long request, int tid, unsigned long address, void *data)
{
    return sys_call6(__NR_ptrace, request, tid, address, data, 0, 0);
}

static inline long sys_process_vm_readv(int pid, const struct iovec *local, size_t local_count,
                                        const struct iovec *remote, size_t remote_count)
{
    return sys_call6(__NR_process_vm_readv, pid, local, local_count, remote, remote_count, 0);
}

static inline int sys_uname(struct new_utsname *ret_name)
{
    return (int)sys_call(__NR_uname, ret_name, 0, 0);
}

/* ---- signals ---- */

static inline int sys_kill(int pid, int signal)
{
    return (int)sys_call(__NR_kill, pid, signal, 0);
}

static inline int sys_tgkill(int pid, int tid, int signal)
{
    return (int)sys_call(__NR_tgkill, pid, tid, signal);
}

static inline int sys_rt_tgsigqueueinfo(int pid, int tid, int signal, const void *info)
{
    return (int)sys_call6(__NR_rt_tgsigqueueinfo, pid, tid, signal, info, 0, 0);
}

static inline int sys_rt_sigaction(int signal, const struct sigaction *action,
                                   struct sigaction *ret_old)
{
    return (int)sys_call6(__NR_rt_sigaction, signal, action, ret_old, SYS_SIGSET_BYTES, 0, 0);
}

/* `set` and `ret_old` have 64 bits: bit n-1 = signal n. */
static inline int sys_rt_sigprocmask(int how, const uint64_t *set, uint64_t *ret_old)
{
    return (int)sys_call6(__NR_rt_sigprocmask, how, set, ret_old, SYS_SIGSET_BYTES, 0, 0);
}

static inline int sys_sigaltstack(const stack_t *stack, stack_t *ret_old)
{
    return (int)sys_call(__NR_sigaltstack, stack, ret_old, 0);
}

/* ---- time and waiting ---- */

static inline int sys_clock_gettime(int clock, struct timespec *ret_time)
{
    return (int)sys_call(__NR_clock_gettime, clock, ret_time, 0);
}

static inline uint64_t sys_now(int clock)
{
    struct timespec time = { 0, 0 };

    sys_clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * SYS_NANOSECONDS + (uint64_t)time.tv_nsec;
}

static inline int sys_nanosleep(uint64_t nanoseconds)
{
    struct timespec time;

    time.tv_sec = (__kernel_old_time_t)(nanoseconds / SYS_NANOSECONDS);
    time.tv_nsec = (long)(nanoseconds % SYS_NANOSECONDS);
    return (int)sys_call(__NR_nanosleep, &time, 0, 0);
}

/* Waits until somebody wakes `word`, at most `nanoseconds` (0: no limit). 0 woken, -EAGAIN when
 * *word differs from `expected`, -ETIMEDOUT, -EINTR. The word may be shared between processes. */
static inline int sys_futex_wait(const uint32_t *word, uint32_t expected, uint64_t nanoseconds)
{
    struct timespec time;

    time.tv_sec = (__kernel_old_time_t)(nanoseconds / SYS_NANOSECONDS);
    time.tv_nsec = (long)(nanoseconds % SYS_NANOSECONDS);
    return (int)sys_call6(__NR_futex, word, FUTEX_WAIT, expected, nanoseconds != 0 ? &time : NULL,
                          0, 0);
}

/* Wakes up to `count` waiters; how many were woken. */
static inline int sys_futex_wake(const uint32_t *word, int count)
{
    return (int)sys_call(__NR_futex, word, FUTEX_WAKE, count);
}

#endif
