/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps a step to what its plugin declares: no network without CAIRN_CAP_NETWORK, no other programs
 * and processes without CAIRN_CAP_PROCESSES, without either no hold on the processes that there
 * are. A seccomp filter answers EACCES, so that a plugin that forgot to declare something learns of
 * it by an ordinary error. In a step's process, before the plugin's code is loaded.
 */
#include "core/plugin/host.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define MACHINE AUDIT_ARCH_AARCH64
#endif

#ifdef MACHINE

#define FIELD(member_)                                                                             \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, member_))
#define IF(value_, yes_, no_) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value_), yes_, no_)
#define ANSWER(answer_)       BPF_STMT(BPF_RET | BPF_K, answer_)
#define ALLOW                 SECCOMP_RET_ALLOW
#define REFUSE(errno_)        (SECCOMP_RET_ERRNO | (errno_))

/* System calls of another machine (32-bit code, x32) have other numbers: none of them is let pass.
 * A call with x32's bit set is none of those numbers below, so it is refused by range. */
#define X32_CALLS 0x40000000u

#define OWN_MACHINE                                                                                \
    FIELD(arch), IF(MACHINE, 1, 0), ANSWER(REFUSE(EACCES)), FIELD(nr),                             \
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_CALLS, 0, 1), ANSWER(REFUSE(EACCES))

#define NEVER(call_, errno_) IF(call_, 0, 1), ANSWER(REFUSE(errno_))

/* Calls that are about this process, and about no other: by the number in the first argument. */
#define OF_MYSELF(call_, self_)                                                                    \
    IF(call_, 0, 5), FIELD(args[0]), IF(self_, 2, 0), IF(0, 1, 0), ANSWER(REFUSE(EACCES)), FIELD(nr)

/* Ways to have another process do, or hand over, what this one may not. */
#define NO_OTHERS                                                                                  \
    NEVER(SYS_ptrace, EACCES), NEVER(SYS_process_vm_readv, EACCES),                                \
        NEVER(SYS_process_vm_writev, EACCES), NEVER(SYS_pidfd_getfd, EACCES)

/* Local sockets stay: libc asks for users by them, programs write to the journal. What listens
 * there may use the network for a plugin; the plugin guide and the threat model say so. io_uring
 * opens sockets, too, out of a filter's sight; libraries do without it where it is absent. */
#define NO_NETWORK                                                                                 \
    NEVER(SYS_io_uring_setup, ENOSYS), IF(SYS_socket, 0, 4), FIELD(args[0]), IF(AF_UNIX, 1, 0),    \
        ANSWER(REFUSE(EACCES)), FIELD(nr)

#ifdef SYS_fork
#define NO_FORK NEVER(SYS_fork, EACCES), NEVER(SYS_vfork, EACCES)
#else
#define NO_FORK NEVER(SYS_execve, EACCES) /* only clone() makes processes there */
#endif

/* Neither programs nor processes, only threads: where clone3() does not exist, whose arguments no
 * filter sees, libc takes clone(). And no signals or limits for other processes. */
#define NO_PROCESSES(self_)                                                                        \
    NEVER(SYS_execve, EACCES), NEVER(SYS_execveat, EACCES), NO_FORK, NEVER(SYS_clone3, ENOSYS),    \
        IF(SYS_clone, 0, 4), FIELD(args[0]),                                                       \
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0), ANSWER(REFUSE(EACCES)),          \
        FIELD(nr), NEVER(SYS_tkill, EACCES), NEVER(SYS_pidfd_send_signal, EACCES),                 \
        OF_MYSELF(SYS_kill, self_), OF_MYSELF(SYS_tgkill, self_),                                  \
        OF_MYSELF(SYS_rt_sigqueueinfo, self_), OF_MYSELF(SYS_rt_tgsigqueueinfo, self_),            \
        OF_MYSELF(SYS_prlimit64, self_)

static int install(const struct sock_filter *code, size_t count)
{
    struct sock_fprog program = { (unsigned short)count, (struct sock_filter *)code };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) !=
            0) {
        return -errno;
    }
    return 0;
}

#define INSTALL(code_) install(code_, sizeof(code_) / sizeof((code_)[0]))

int host_restrict(uint64_t capabilities)
{
    const uint32_t self = (uint32_t)getpid();
    const struct sock_filter neither[] = { OWN_MACHINE, NO_OTHERS, NO_NETWORK, NO_PROCESSES(self),
                                           ANSWER(ALLOW) };
    const struct sock_filter no_network[] = { OWN_MACHINE, NO_OTHERS, NO_NETWORK, ANSWER(ALLOW) };
    const struct sock_filter no_processes[] = { OWN_MACHINE, NO_OTHERS, NO_PROCESSES(self),
                                                ANSWER(ALLOW) };

    switch (capabilities & (CAIRN_CAP_NETWORK | CAIRN_CAP_PROCESSES)) {
    case 0:
        return INSTALL(neither);
    case CAIRN_CAP_PROCESSES:
        return INSTALL(no_network);
    case CAIRN_CAP_NETWORK:
        return INSTALL(no_processes);
    default:
        return 0;
    }
}

#else

int host_restrict(uint64_t capabilities)
{
    (void)capabilities;
    return -ENOSYS;
}

#endif
