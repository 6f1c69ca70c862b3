/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `cairn doctor`: what the kernel is and lets this user do. Things are tried, not looked up, where
 * that is possible: a security module's answer is known only then.
 */
#include "tools/doctor.h"

#include "core/util/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define FLOOR_MAJOR 5u
#define FLOOR_MINOR 10u

/* Of linux/pidfd.h, 6.13. */
struct pidfd_facts {
    uint64_t mask, cgroup;
    uint32_t ids[11];
    int32_t exit_code;
};
#define PIDFD_FACT_EXIT (1u << 3) /* 6.15 */
#define GET_PIDFD_FACTS _IOWR(0xff, 11, struct pidfd_facts)

/* The first line of a small file, "" if there is none. */
static void read_line(const char *path, char *line, size_t capacity)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t bytes = fd >= 0 ? read(fd, line, capacity - 1) : 0;

    line[bytes > 0 ? bytes : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    if (fd >= 0) {
        close(fd);
    }
}

static void look_at_version(struct doctor *doctor)
{
    unsigned major = 0, minor = 0;
    struct utsname name;

    if (uname(&name) != 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2) {
        doctor_say(doctor, DOCTOR_NOTE, "kernel", "The kernel does not say its version.");
    } else if (major < FLOOR_MAJOR || (major == FLOOR_MAJOR && minor < FLOOR_MINOR)) {
        doctor_say(doctor, DOCTOR_BAD, "kernel", "Linux %s is older than %u.%u.", name.release,
                   FLOOR_MAJOR, FLOOR_MINOR);
    } else {
        doctor_say(doctor, DOCTOR_OK, "kernel", "Linux %s on %s.", name.release, name.machine);
    }
}

/* ---- Reading another process ---- */

static volatile uint64_t pattern = UINT64_C(0x636169726e);

/* In a process that is the victim's sibling, as the monitor is a stranger: 0, or errno and which
 * step it was. */
static int attach_and_read(pid_t victim)
{
    uint64_t copy = 0;
    struct iovec local = { &copy, sizeof(copy) }, remote = { (void *)&pattern, sizeof(copy) };
    int status;

    if (ptrace(PTRACE_SEIZE, victim, NULL, NULL) != 0) {
        return errno;
    }
    if (ptrace(PTRACE_INTERRUPT, victim, NULL, NULL) != 0 ||
        waitpid(victim, &status, __WALL) != victim || !WIFSTOPPED(status)) {
        return ESRCH;
    }
    if (process_vm_readv(victim, &local, 1, &remote, 1, 0) != (ssize_t)sizeof(copy) ||
        copy != pattern) {
        return 128 + (errno & 63);
    }
    return 0;
}

/* A child that waits to be looked at; with `open` anybody of this user may, as for a crash. */
static pid_t start_victim(bool open)
{
    int ends[2];
    pid_t victim;
    char byte;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        return -1;
    }
    victim = fork();
    if (victim == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (open) {
            prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
        }
        close(ends[0]);
        close(ends[1]); /* the other side sees the end: we are ready */
        for (;;) {
            pause();
        }
    }
    close(ends[1]);
    while (read(ends[0], &byte, 1) < 0 && errno == EINTR) {
    }
    close(ends[0]);
    return victim;
}

static void end_child(pid_t child)
{
    if (child > 0) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
}

/* attach_and_read() in a child of ours, with a deadline by alarm(2); its answer, or -1. */
static int try_attach(pid_t victim)
{
    int status = -1;
    pid_t prober = fork();

    if (prober == 0) {
        alarm(5);
        _exit(attach_and_read(victim));
    }
    if (prober < 0 || waitpid(prober, &status, 0) != prober || !WIFEXITED(status)) {
        return -1;
    }
    return WEXITSTATUS(status);
}

static void look_at_ptrace(struct doctor *doctor)
{
    pid_t victim = start_victim(true);
    int result = victim > 0 ? try_attach(victim) : -1;

    end_child(victim);
    if (result == 0) {
        doctor_say(doctor, DOCTOR_OK, "ptrace",
                   "A process that is no ancestor can stop and read a program that lets it: the "
                   "monitor works (tier 1).");
    } else if (result > 128) {
        doctor_say(doctor, DOCTOR_NOTE, "ptrace",
                   "process_vm_readv is refused (%s): memory is read from /proc/PID/mem instead.",
                   strerror(result - 128));
    } else if (result > 0) {
        doctor_say(doctor, DOCTOR_BAD, "ptrace",
                   "A process cannot be stopped by another one of this user (%s): crashes are "
                   "captured by the program itself (tiers 2 and 3) and other threads' registers "
                   "are missing.",
                   strerror(result));
    } else {
        doctor_say(doctor, DOCTOR_BAD, "ptrace", "Stopping a process did not come to an end.");
    }
}

/* `cairn dump PID` attaches to processes that did not ask for it. */
static void look_at_foreign(struct doctor *doctor)
{
    pid_t victim = start_victim(false);
    int result = victim > 0 ? try_attach(victim) : -1;

    end_child(victim);
    if (result == 0 || result > 128) {
        doctor_say(doctor, DOCTOR_OK, "cairn-dump", "`cairn dump` can read this user's processes.");
    } else {
        doctor_say(doctor, DOCTOR_NOTE, "cairn-dump",
                   "`cairn dump` cannot read a process that did not start Cairn (%s).",
                   result > 0 ? strerror(result) : "no answer");
    }
}

static void look_at_yama(struct doctor *doctor)
{
    static const char *const meanings[] = {
        "every process of this user may be traced",
        "only children and programs that agree may be traced, which programs with Cairn do",
        "only CAP_SYS_PTRACE may trace",
        "nobody may trace",
    };
    char line[16];

    read_line("/proc/sys/kernel/yama/ptrace_scope", line, sizeof(line));
    if (line[0] < '0' || line[0] > '3') {
        doctor_say(doctor, DOCTOR_OK, "yama", "The security module Yama is not in this kernel.");
        return;
    }
    bool may_trace = line[0] <= '1' || (line[0] == '2' && geteuid() == 0);
    doctor_say(doctor, may_trace ? DOCTOR_OK : DOCTOR_NOTE, "yama",
               "kernel.yama.ptrace_scope is %c: %s.", line[0], meanings[line[0] - '0']);
}

/* ---- Descriptors ---- */

static void look_at_memfd(struct doctor *doctor)
{
    int fd = memfd_create("cairn-doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd >= 0 && ftruncate(fd, 4096) == 0 &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
        doctor_say(doctor, DOCTOR_OK, "memfd", "Sealed memory can be shared with the monitor.");
    } else {
        doctor_say(doctor, DOCTOR_BAD, "memfd",
                   "Sealed memory cannot be made (%s): Cairn cannot start in a program.",
                   strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
}

static void look_at_pidfd(struct doctor *doctor)
{
    struct pidfd_facts facts = { .mask = 1 };
    int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

    if (fd < 0) {
        doctor_say(doctor, DOCTOR_BAD, "pidfd",
                   "A process cannot be held by descriptor (%s): Cairn cannot start in a program.",
                   strerror(errno));
        return;
    }
    if (ioctl(fd, GET_PIDFD_FACTS, &facts) == 0) {
        doctor_say(doctor, DOCTOR_OK, "pidfd",
                   "Processes are held by descriptor, and the kernel tells their facts.");
    } else {
        doctor_say(doctor, DOCTOR_OK, "pidfd",
                   "Processes are held by descriptor; PIDFD_GET_INFO (Linux 6.13) is not here and "
                   "not needed.");
    }
    close(fd);
}

/* How a child ended that has been collected, as a monitor would have to ask. */
static void look_at_ends(struct doctor *doctor)
{
    struct pidfd_facts facts = { .mask = PIDFD_FACT_EXIT };
    pid_t child = fork();
    int fd, result;

    if (child == 0) {
        pause();
        _exit(0);
    }
    if (child < 0) {
        return; /* what cannot be tried is not told */
    }
    fd = (int)syscall(SYS_pidfd_open, child, 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    result = fd >= 0 ? ioctl(fd, GET_PIDFD_FACTS, &facts) : -1;
    if (result == 0 && (facts.mask & PIDFD_FACT_EXIT) != 0 && facts.exit_code == SIGKILL) {
        doctor_say(doctor, DOCTOR_OK, "deaths",
                   "The kernel tells how a program ended, by the OOM killer for example.");
    } else {
        doctor_say(doctor, DOCTOR_NOTE, "deaths",
                   "Before Linux 6.15 nobody tells how a program ended that its parent collects at "
                   "once; see engine.deaths in cairn.yaml(5), \"unknown\".");
    }
    if (fd >= 0) {
        close(fd);
    }
}

/* ---- Confinement and limits ---- */

static bool status_number(const char *text, const char *name, unsigned base, uint64_t *ret_number)
{
    const char *line = text != NULL ? strstr(text, name) : NULL;

    if (line == NULL) {
        return false;
    }
    *ret_number = strtoull(line + strlen(name), NULL, (int)base);
    return true;
}

static void look_at_confinement(struct doctor *doctor)
{
    uint64_t filter = 0, capabilities = 0;
    size_t bytes;
    char *text = NULL;

    if (fs_read_file(AT_FDCWD, "/proc/self/status", 65536, &text, &bytes, NULL) != 0) {
        doctor_say(doctor, DOCTOR_BAD, "proc",
                   "/proc is not mounted: neither threads nor modules of a program can be listed.");
        return;
    }
    status_number(text, "\nSeccomp:\t", 10, &filter);
    status_number(text, "\nCapEff:\t", 16, &capabilities);
    doctor_say(doctor, filter == 0 ? DOCTOR_OK : DOCTOR_NOTE, "seccomp",
               filter == 0 ? "No system calls are filtered."
                           : "System calls are filtered here; the trial below tells whether those "
                             "that Cairn needs pass.");
    doctor_say(doctor, DOCTOR_OK, "capabilities", "CAP_SYS_PTRACE is %s.",
               (capabilities >> 19 & 1) != 0
                   ? "held: other users' processes can be captured"
                   : "not held: only this user's processes can be captured");
    free(text);
}

static void look_at_namespaces(struct doctor *doctor)
{
    unsigned long inside, outside, count;
    char line[128];

    read_line("/proc/self/uid_map", line, sizeof(line));
    if (sscanf(line, "%lu %lu %lu", &inside, &outside, &count) == 3 &&
        (outside != 0 || count != UINT32_MAX)) {
        doctor_say(doctor, DOCTOR_NOTE, "namespaces",
                   "This is a user namespace (%lu ids from %lu): only processes in it can be "
                   "captured.",
                   count, outside);
    } else if (getppid() == 0 || getpid() == 1) {
        doctor_say(doctor, DOCTOR_NOTE, "namespaces",
                   "This is the first process of a namespace: its crash is held until its report "
                   "is on disk.");
    } else {
        doctor_say(doctor, DOCTOR_OK, "namespaces", "No user namespace confines this process.");
    }
}

static void look_at_core_pattern(struct doctor *doctor)
{
    char line[256];

    read_line("/proc/sys/kernel/core_pattern", line, sizeof(line));
    doctor_say(doctor, DOCTOR_OK, "core_pattern",
               line[0] == '|' ? "Core dumps go to a program (%s), which sees the crash after Cairn."
                              : "Core dumps go to the file \"%s\", beside Cairn's reports.",
               line);
}

static void look_at_limit(struct doctor *doctor, int resource, const char *name, uint64_t least,
                          const char *why)
{
    struct rlimit limit;

    if (getrlimit((__rlimit_resource_t)resource, &limit) != 0) {
        return;
    }
    if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < least) {
        doctor_say(doctor, DOCTOR_BAD, "limits", "%s is %" PRIu64 ", less than %" PRIu64 ": %s.",
                   name, (uint64_t)limit.rlim_cur, least, why);
    }
}

static void look_at_limits(struct doctor *doctor)
{
    size_t bad = doctor->bad;

    look_at_limit(doctor, RLIMIT_FSIZE, "RLIMIT_FSIZE", 64u << 20,
                  "a minidump may not fit into a file");
    look_at_limit(doctor, RLIMIT_AS, "RLIMIT_AS", UINT64_C(1) << 30,
                  "the monitor and the engine may run out of address space");
    look_at_limit(doctor, RLIMIT_NOFILE, "RLIMIT_NOFILE", 64,
                  "the monitor and the engine may run out of descriptors");
    look_at_limit(doctor, RLIMIT_NPROC, "RLIMIT_NPROC", 16,
                  "the monitor and the engine may not be started");
    if (doctor->bad == bad) {
        doctor_say(doctor, DOCTOR_OK, "limits",
                   "No resource limit is in the way of capturing and writing.");
    }
}

void doctor_look_at_kernel(struct doctor *doctor)
{
    look_at_version(doctor);
    look_at_yama(doctor);
    look_at_ptrace(doctor);
    look_at_foreign(doctor);
    look_at_memfd(doctor);
    look_at_pidfd(doctor);
    look_at_ends(doctor);
    look_at_confinement(doctor);
    look_at_namespaces(doctor);
    look_at_core_pattern(doctor);
    look_at_limits(doctor);
}
