/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the crash handler must know of an interrupted x86-64 thread, and its special calls: runs in
 * the crashed process, imports nothing.
 */
#ifndef CAIRN_CORE_CRASH_ARCH_X86_64_CONTEXT_H
#define CAIRN_CORE_CRASH_ARCH_X86_64_CONTEXT_H

#include "core/capture/sys.h"

/* The registers that a handler may change to go on elsewhere: r8 to eflags. */
#define CONTEXT_REGISTER_BYTES offsetof(struct sigcontext, cs)

#define CONTEXT_TRAP_FLAG 0x100ull

#define CONTEXT_PROTECTION_FAULT 13 /* the CPU's number of it: a bad address that has no page */

/* Calls function(argument). Returns 0 after it returned, 1 when context_leave_call() cut it short
 * by *stack, which the call sets. */
int crash_guarded_call(void (*function)(void *), void *argument, uint64_t *stack)
    __attribute__((visibility("hidden")));
/* Calls function(argument) on the stack whose top is `stack`. */
void crash_call_on_stack(void (*function)(void *), void *argument, void *stack)
    __attribute__((visibility("hidden")));
void crash_guarded_landing(void) __attribute__((visibility("hidden")));

static inline uint64_t context_pc(const struct ucontext *context)
{
    return context->uc_mcontext.rip;
}

static inline uint64_t context_sp(const struct ucontext *context)
{
    return context->uc_mcontext.rsp;
}

/* Whether a handler makes the thread go on elsewhere, or otherwise. A step is no move: the handler
 * may be another copy of Cairn, which wants to know whether its own program's handler mended it. */
static inline int context_has_moved(const struct ucontext *now, const struct ucontext *before)
{
    return __builtin_memcmp(&now->uc_mcontext, &before->uc_mcontext,
                            offsetof(struct sigcontext, eflags)) != 0 ||
           ((now->uc_mcontext.eflags ^ before->uc_mcontext.eflags) & ~CONTEXT_TRAP_FLAG) != 0;
}

/* What the kernel notes of a fault and no handler changes: the same in two contexts, they are one.
 */
static inline int context_is_same(const struct ucontext *one, const struct ucontext *other)
{
    return __builtin_memcmp(&one->uc_mcontext.err, &other->uc_mcontext.err,
                            sizeof(struct sigcontext) - offsetof(struct sigcontext, err)) == 0;
}

/* Of a SIGSEGV of the kernel's that names no address: whether an instruction is at fault. If not,
 * there was no room for another signal's frame, or none to return to. */
static inline int context_has_faulted(const struct ucontext *context)
{
    return context->uc_mcontext.trapno == CONTEXT_PROTECTION_FAULT;
}

/* Whether one instruction runs, and then a SIGTRAP comes. */
static inline void context_set_step(struct ucontext *context, int step)
{
    context->uc_mcontext.eflags =
        (context->uc_mcontext.eflags & ~CONTEXT_TRAP_FLAG) | (step ? CONTEXT_TRAP_FLAG : 0);
}

/* Makes the return from the signal handler a return of 1 from the guarded call. */
static inline void context_leave_call(struct ucontext *context, uint64_t stack)
{
    context->uc_mcontext.rip = (uint64_t)(uintptr_t)crash_guarded_landing;
    context->uc_mcontext.rsp = stack;
    context->uc_mcontext.rax = 1;
    context->uc_mcontext.eflags &= ~0x500ull; /* direction and trap flag, as the ABI wants them */
}

#endif
