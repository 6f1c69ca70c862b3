/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a system call is made on x86-64: number in rax, arguments in rdi, rsi, rdx, r10, r8, r9; the
 * kernel overwrites rcx and r11. The result is a negative errno on failure; there is no errno here.
 * Runs anywhere, also in a crashed process.
 */
#ifndef CAIRN_CORE_CAPTURE_ARCH_X86_64_SYSCALL_H
#define CAIRN_CORE_CAPTURE_ARCH_X86_64_SYSCALL_H

static inline long arch_syscall6(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static inline long arch_syscall3(long number, long a, long b, long c)
{
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}

#endif
