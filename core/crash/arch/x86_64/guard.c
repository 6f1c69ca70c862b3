/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guarded call: like setjmp around one function, without libc. What the ABI says a callee keeps
 * is saved on the stack, so that the stack pointer alone is enough to come back. Runs in the
 * crashed process.
 */
#include "core/crash/arch/x86_64/context.h"

__asm__(".pushsection .text\n"
        ".balign 16\n"
        ".globl crash_guarded_call\n"
        ".hidden crash_guarded_call\n"
        ".type crash_guarded_call, @function\n"
        "crash_guarded_call:\n"
        "pushq %rbp\n"
        "movq %rsp, %rbp\n"
        "pushq %rbx\n"
        "pushq %r12\n"
        "pushq %r13\n"
        "pushq %r14\n"
        "pushq %r15\n"
        "subq $8, %rsp\n"
        "movq %rsp, (%rdx)\n"
        "movq %rdi, %rax\n"
        "movq %rsi, %rdi\n"
        "callq *%rax\n"
        "xorl %eax, %eax\n"
        ".globl crash_guarded_landing\n"
        ".hidden crash_guarded_landing\n"
        "crash_guarded_landing:\n"
        "addq $8, %rsp\n"
        "popq %r15\n"
        "popq %r14\n"
        "popq %r13\n"
        "popq %r12\n"
        "popq %rbx\n"
        "popq %rbp\n"
        "ret\n"
        ".size crash_guarded_call, .-crash_guarded_call\n"
        ".popsection\n");
