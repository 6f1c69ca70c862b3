/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the program itself might look into another process: asked of the kernel by a child that
 * has taken on the program's user, group and capabilities, so that every rule of ptrace(2) counts,
 * those of security modules too. Runs in the monitor; between fork() and _exit() system calls only.
 */
#include "core/monitor/foreign.h"

#include "core/monitor/clock.h"
#include "core/monitor/identity.h"
#include "core/monitor/proc.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_NS (2 * CLOCK_SECOND)
#define LOOK_NS   (CLOCK_SECOND / 2000)

/* What the kernel goes by. */
struct rights {
    unsigned user, group; /* the real ones */
    uint64_t permitted, effective;
};

/* The child's exit status. */
enum answer { ANSWER_YES = 0, ANSWER_NO = 1, ANSWER_GONE = 2 };

/* Capabilities count in their user namespace only. */
static bool shares_user_namespace(int32_t pid)
{
    struct stat ours, theirs;
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
    return stat(path, &theirs) == 0 && stat("/proc/self/ns/user", &ours) == 0 &&
           ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

static bool scan(const char *text, const char *name, const char *format, void *value)
{
    const char *line = strstr(text, name);

    return line != NULL && sscanf(line + strlen(name), format, value) == 1;
}

static int read_rights(int32_t pid, struct rights *ret_rights)
{
    struct rights rights;
    char text[4096];

    ssize_t bytes = proc_read(pid, "status", text, sizeof(text));
    if (bytes <= 0) {
        return bytes < 0 ? (int)bytes : -ESRCH;
    }
    if (!scan(text, "\nUid:", "%u", &rights.user) || !scan(text, "\nGid:", "%u", &rights.group) ||
        !scan(text, "\nCapPrm:", "%" SCNx64, &rights.permitted) ||
        !scan(text, "\nCapEff:", "%" SCNx64, &rights.effective)) {
        return -EPERM;
    }
    if (!shares_user_namespace(pid)) {
        rights.permitted = rights.effective = 0;
    }
    *ret_rights = rights;
    return 0;
}

/* Takes on the rights, as far as this process has them. Raw calls: libc's would change the user in
 * all threads. */
static bool take_on(const struct rights *rights)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2];

    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 ||
        syscall(SYS_setresgid, rights->group, rights->group, rights->group) != 0 ||
        syscall(SYS_setresuid, rights->user, rights->user, rights->user) != 0 ||
        syscall(SYS_capget, &header, data) != 0) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        data[i].permitted &= (uint32_t)(rights->permitted >> (32 * i));
        data[i].effective = data[i].permitted & (uint32_t)(rights->effective >> (32 * i));
        data[i].inheritable = 0;
    }
    return syscall(SYS_capset, &header, data) == 0;
}

/* Nothing is mapped at 0: who may read gets EFAULT. */
static enum answer ask_kernel(int32_t pid)
{
    char byte;
    const struct iovec here = { &byte, 1 }, there = { NULL, 1 };

    if (process_vm_readv(pid, &here, 1, &there, 1, 0) >= 0 || errno == EFAULT) {
        return ANSWER_YES;
    }
    return errno == ESRCH ? ANSWER_GONE : ANSWER_NO;
}

/* The child's exit status, or -ETIMEDOUT. */
static int await(pid_t child)
{
    const struct timespec look = { 0, LOOK_NS };
    const uint64_t deadline = clock_now() + ANSWER_NS;
    int status = 0;

    while (clock_now() < deadline) {
        pid_t ended = waitpid(child, &status, WNOHANG);
        if (ended == child) {
            return WIFEXITED(status) ? WEXITSTATUS(status) : -ETIMEDOUT;
        }
        if (ended < 0 && errno != EINTR) {
            return -errno;
        }
        nanosleep(&look, NULL);
    }
    return -ETIMEDOUT;
}

/* The same; no child is left, unless it hangs in a call of the kernel's. */
static int collect(pid_t child)
{
    int answer = await(child);

    if (answer == -ETIMEDOUT) {
        kill(child, SIGKILL);
        await(child);
    }
    return answer;
}

static int ask(const struct rights *rights, int32_t pid)
{
    pid_t child = fork();

    if (child < 0) {
        return -errno;
    }
    if (child == 0) {
        _exit(take_on(rights) ? ask_kernel(pid) : ANSWER_NO);
    }
    int answer = collect(child);
    if (answer == ANSWER_GONE) {
        return -ESRCH;
    }
    return answer == ANSWER_NO ? -EPERM : answer;
}

/* Whoever has its number now is still it. */
static bool lives(int process)
{
    struct pollfd ended = { .fd = process, .events = POLLIN };

    return poll(&ended, 1, 0) == 0;
}

/* 0 or a negative errno. */
static int judge(int32_t program, int32_t pid, int32_t tid)
{
    struct rights rights;

    if (!proc_has_thread(pid, tid)) {
        return -ESRCH;
    }
    int result = read_rights(program, &rights);
    return result == 0 ? ask(&rights, tid != 0 ? tid : pid) : result;
}

int foreign_open(int32_t program, int32_t pid, int32_t tid, struct relative *ret_who)
{
    struct relative who;

    if (pid == getpid()) {
        return -EPERM; /* nobody can trace himself */
    }
    who.process = (int)syscall(SYS_pidfd_open, pid, 0);
    if (who.process < 0) {
        /* EINVAL, ENOENT: the id of a thread that is not its process's first. */
        return errno == EINVAL || errno == ENOENT ? -ESRCH : -errno;
    }
    who.born = identity_read(pid);
    int result = judge(program, pid, tid);
    if (result == 0 && !lives(who.process)) {
        result = -ESRCH;
    }
    if (result != 0) {
        close(who.process);
        return result;
    }
    *ret_who = who;
    return 0;
}
