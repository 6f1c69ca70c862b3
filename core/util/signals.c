/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals and their codes by name and in words. Codes as in the kernel's
 * include/uapi/asm-generic/siginfo.h. Every process but the crashed one.
 */
#include "core/util/text.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

struct code {
    int signal; /* 0: any */
    int code;
    const char *name;
    const char *words;
};

static const struct code codes[] = {
    { SIGSEGV, SEGV_MAPERR, "SEGV_MAPERR", "access to an address that is not mapped" },
    { SIGSEGV, SEGV_ACCERR, "SEGV_ACCERR", "access that the memory's permissions do not allow" },
    { SIGSEGV, 3, "SEGV_BNDERR", "access beyond checked bounds" },
    { SIGSEGV, 4, "SEGV_PKUERR", "access that a protection key does not allow" },
    { SIGSEGV, 8, "SEGV_MTEAERR", "memory tag mismatch, noticed late" },
    { SIGSEGV, 9, "SEGV_MTESERR", "memory tag mismatch" },
    { SIGSEGV, 10, "SEGV_CPERR", "control protection fault (shadow stack)" },
    { SIGSEGV, SI_KERNEL, "SI_KERNEL", "access to an address that no program can have" },
    { SIGBUS, BUS_ADRALN, "BUS_ADRALN", "access at an address that is not aligned" },
    { SIGBUS, BUS_ADRERR, "BUS_ADRERR", "access beyond the end of a mapped file" },
    { SIGBUS, BUS_OBJERR, "BUS_OBJERR", "hardware error of the memory" },
    { SIGBUS, 4, "BUS_MCEERR_AR", "uncorrectable memory error, data needed" },
    { SIGBUS, 5, "BUS_MCEERR_AO", "uncorrectable memory error, data not needed yet" },
    { SIGFPE, FPE_INTDIV, "FPE_INTDIV", "integer division by zero" },
    { SIGFPE, FPE_INTOVF, "FPE_INTOVF", "integer overflow" },
    { SIGFPE, FPE_FLTDIV, "FPE_FLTDIV", "floating point division by zero" },
    { SIGFPE, FPE_FLTOVF, "FPE_FLTOVF", "floating point overflow" },
    { SIGFPE, FPE_FLTUND, "FPE_FLTUND", "floating point underflow" },
    { SIGFPE, FPE_FLTRES, "FPE_FLTRES", "inexact floating point result" },
    { SIGFPE, FPE_FLTINV, "FPE_FLTINV", "invalid floating point operation" },
    { SIGFPE, FPE_FLTSUB, "FPE_FLTSUB", "subscript out of range" },
    { SIGILL, ILL_ILLOPC, "ILL_ILLOPC", "illegal opcode" },
    { SIGILL, ILL_ILLOPN, "ILL_ILLOPN", "illegal operand" },
    { SIGILL, ILL_ILLADR, "ILL_ILLADR", "illegal addressing mode" },
    { SIGILL, ILL_ILLTRP, "ILL_ILLTRP", "illegal trap" },
    { SIGILL, ILL_PRVOPC, "ILL_PRVOPC", "privileged opcode" },
    { SIGILL, ILL_PRVREG, "ILL_PRVREG", "privileged register" },
    { SIGILL, ILL_COPROC, "ILL_COPROC", "coprocessor error" },
    { SIGILL, ILL_BADSTK, "ILL_BADSTK", "internal stack error" },
    { SIGTRAP, TRAP_BRKPT, "TRAP_BRKPT", "breakpoint" },
    { SIGTRAP, TRAP_TRACE, "TRAP_TRACE", "trace trap" },
    { SIGTRAP, 3, "TRAP_BRANCH", "branch trap" },
    { SIGTRAP, 4, "TRAP_HWBKPT", "hardware breakpoint or watchpoint" },
    { SIGTRAP, 5, "TRAP_UNK", "trap of unknown cause" },
    { SIGTRAP, SI_KERNEL, "SI_KERNEL", "breakpoint" },
    { SIGSYS, 1, "SYS_SECCOMP", "system call refused by a seccomp filter" },
    { SIGSYS, 2, "SYS_USER_DISPATCH", "system call caught by user dispatch" },
    { 0, SI_USER, "SI_USER", "sent by kill" },
    { 0, SI_QUEUE, "SI_QUEUE", "sent by sigqueue" },
    { 0, SI_TIMER, "SI_TIMER", "sent by a timer" },
    { 0, SI_MESGQ, "SI_MESGQ", "sent by a message queue" },
    { 0, SI_ASYNCIO, "SI_ASYNCIO", "sent by asynchronous input or output" },
    { 0, SI_SIGIO, "SI_SIGIO", "sent by queued input or output" },
    { 0, SI_TKILL, "SI_TKILL", "sent by the program itself" },
    { 0, SI_KERNEL, "SI_KERNEL", "sent by the kernel" },
};

static const struct code *find(int number, int code)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if ((codes[i].signal == number || codes[i].signal == 0) && codes[i].code == code) {
            return &codes[i];
        }
    }
    return NULL;
}

int text_signal_number(const char *name)
{
    if (strncmp(name, "SIG", 3) == 0) {
        name += 3;
    }
    for (int number = 1; number < NSIG; number++) {
        const char *abbreviation = sigabbrev_np(number);

        if (abbreviation != NULL && strcmp(abbreviation, name) == 0) {
            return number;
        }
    }
    return 0;
}

const char *text_signal_name(int number, char buffer[16])
{
    const char *abbreviation = sigabbrev_np(number);

    if (abbreviation != NULL) {
        snprintf(buffer, 16, "SIG%.12s", abbreviation);
    } else {
        snprintf(buffer, 16, "SIG%d", number);
    }
    return buffer;
}

const char *text_signal_code(int number, int code)
{
    const struct code *found = find(number, code);

    return found != NULL ? found->name : NULL;
}

const char *text_signal_words(int number, int code)
{
    const struct code *found = find(number, code);
    const char *words = sigdescr_np(number);

    if (number == SIGABRT && code == SI_TKILL) {
        return "the program called abort()";
    }
    if (found != NULL) {
        return found->words;
    }
    return words != NULL ? words : "unknown signal";
}
