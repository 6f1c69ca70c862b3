/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps a step to what its plugin declares: no network without CAIRN_CAP_NETWORK, no other programs
 * without CAIRN_CAP_PROCESSES. A seccomp filter answers EACCES, so that a plugin that forgot to
 * declare something learns of it by an ordinary error. In a step's process, before the plugin's
 * code is loaded.
 */
#include "core/plugin/host.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
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

/* io_uring opens sockets, too, out of a filter's sight; libraries do without it where it is absent.
 */
#define NO_NETWORK                                                                                 \
    IF(SYS_io_uring_setup, 0, 1), ANSWER(REFUSE(ENOSYS)), IF(SYS_socket, 0, 4), FIELD(args[0]),    \
        IF(AF_UNIX, 2, 0), IF(AF_NETLINK, 1, 0), ANSWER(REFUSE(EACCES)), FIELD(nr)

#define NO_PROCESSES IF(SYS_execve, 1, 0), IF(SYS_execveat, 0, 1), ANSWER(REFUSE(EACCES))

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
    static const struct sock_filter neither[] = { OWN_MACHINE, NO_NETWORK, NO_PROCESSES,
                                                  ANSWER(ALLOW) };
    static const struct sock_filter no_network[] = { OWN_MACHINE, NO_NETWORK, ANSWER(ALLOW) };
    static const struct sock_filter no_processes[] = { OWN_MACHINE, NO_PROCESSES, ANSWER(ALLOW) };

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
