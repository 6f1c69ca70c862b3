/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instruction pair a signal handler returns to. Runs in the crashed process.
 *
 * Written in assembly without call frame information, byte for byte as unwinders expect it: gdb,
 * libgcc and LLDB know a signal frame by these nine bytes when no other information covers them.
 */
#include "core/capture/sys.h"

__asm__(".pushsection .text\n"
        ".balign 16\n"
        "nop\n" /* an unwinder that looks up the address before the return address stays in here */
        ".globl sys_restore_rt\n"
        ".hidden sys_restore_rt\n"
        ".type sys_restore_rt, @function\n"
        "sys_restore_rt:\n"
        "movq $15, %rax\n"
        "syscall\n"
        ".size sys_restore_rt, .-sys_restore_rt\n"
        ".popsection\n");

_Static_assert(__NR_rt_sigreturn == 15, "the restorer has the number in its text");
