/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sigprocmask() and its kin, as the preload library offers them to the program: a fault whose
 * signal is blocked ends the process at once, so the signals that Cairn handles stay open, and what
 * the program believes to block is only remembered. One that is sent meanwhile is put back by the
 * crash path and really blocked then, so that sigwait() and signalfd() work. [app]:
 * async-signal-safe.
 *
 * Not replaced: setcontext() and a bare system call. preload_waits.c has the functions that wait
 * with another mask.
 */
#include "core/client/preload.h"

#include "core/client/client.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* NPTL's own two, which libc does not let programs block. */
#define RESERVED (CRASH_BIT(32) | CRASH_BIT(33))

/* Those of our signals that this thread believes to block. */
static __thread uint64_t blocked __attribute__((tls_model("initial-exec")));

static uint64_t ours(void)
{
    return __atomic_load_n(&crash_state.installed, __ATOMIC_ACQUIRE);
}

static uint64_t program_mask(void)
{
    return blocked;
}

/* 0 or an error number; errno stays. */
static int change_kernel(int how, const uint64_t *set, uint64_t *ret_old)
{
    int before = errno, error = 0;

    if (syscall(SYS_rt_sigprocmask, how, set, ret_old, sizeof(*set)) != 0) {
        error = errno;
        errno = before;
    }
    return error;
}

static void remember(int how, uint64_t set)
{
    switch (how) {
    case SIG_BLOCK:
        blocked |= set & ours();
        break;
    case SIG_UNBLOCK:
        blocked &= ~set;
        break;
    default:
        blocked = set & ours();
        break;
    }
}

uint64_t preload_mask_inherit(void)
{
    return blocked;
}

void preload_mask_start(uint64_t inherited)
{
    uint64_t open = ours(), before;

    if (change_kernel(SIG_UNBLOCK, &open, &before) == 0) {
        blocked = (before & open) | inherited;
    }
    __atomic_store_n(&crash_state.program_mask, program_mask, __ATOMIC_RELEASE);
}

uint64_t preload_mask_wait(sigset_t *mask)
{
    uint64_t believed = blocked, wanted;

    memcpy(&wanted, mask, sizeof(wanted));
    blocked = wanted & ours();
    wanted &= ~ours();
    memcpy(mask, &wanted, sizeof(wanted));
    return believed;
}

void preload_mask_waited(uint64_t believed)
{
    blocked = believed;
}

EXPORT int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
    uint64_t wanted = 0, kernel = 0, before = 0, believed = blocked;
    int error;

    if (set != NULL) {
        memcpy(&wanted, set, sizeof(wanted));
        /* What was really blocked, because it was sent, is opened by the program alone. */
        kernel = how == SIG_UNBLOCK ? wanted : wanted & ~(ours() | RESERVED);
    }
    /* First, because what is opened strikes at once. */
    if (set != NULL) {
        remember(how, wanted);
        if (how != SIG_BLOCK) {
            crash_opened(how == SIG_UNBLOCK ? wanted : ~wanted);
        }
    }
    error = change_kernel(how, set != NULL ? &kernel : NULL, &before);
    if (error != 0) {
        blocked = believed;
        return error;
    }
    if (old != NULL) {
        before = (before & ~ours()) | believed;
        memcpy(old, &before, sizeof(before));
    }
    return 0;
}

EXPORT int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
    int error = pthread_sigmask(how, set, old);

    if (error != 0) {
        errno = error;
        return -1;
    }
    return 0;
}

static int change_one(int how, int signal)
{
    sigset_t one;

    return sigemptyset(&one) != 0 || sigaddset(&one, signal) != 0 ? -1
                                                                  : sigprocmask(how, &one, NULL);
}

EXPORT int sighold(int signal)
{
    return change_one(SIG_BLOCK, signal);
}

EXPORT int sigrelse(int signal)
{
    return change_one(SIG_UNBLOCK, signal);
}
