/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registers of an x86-64 thread. Runs anywhere, also in a crashed process.
 */
#ifndef CAIRN_CORE_CAPTURE_ARCH_X86_64_REGISTERS_H
#define CAIRN_CORE_CAPTURE_ARCH_X86_64_REGISTERS_H

#include <stdint.h>

#define ARCH_FXSAVE_BYTES 512 /* x87, MMX, SSE: what a minidump holds */
#define ARCH_XSAVE_BYTES  832 /* besides the header of XSAVE and the upper halves of YMM */

#define ARCH_CONTEXT_BYTES_OF_THIS_CPU 304
#define ARCH_VECTOR_BYTES_OF_THIS_CPU  ARCH_XSAVE_BYTES

#define ARCH_RED_ZONE 128 /* bytes below the stack pointer that belong to the running function */

/* In the kernel's order of NT_PRSTATUS. */
struct arch_general {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, orig_rax, rip,
        cs, eflags, rsp, ss, fs_base, gs_base, ds, es, fs, gs;
};

struct arch_registers {
    struct arch_general general;
    uint32_t vector_bytes; /* of `vectors`: 0, ARCH_FXSAVE_BYTES or ARCH_XSAVE_BYTES */
    unsigned char vectors[ARCH_XSAVE_BYTES] __attribute__((aligned(16)));
};

static inline uint64_t arch_instruction_pointer(const struct arch_registers *registers)
{
    return registers->general.rip;
}

static inline uint64_t arch_stack_pointer(const struct arch_registers *registers)
{
    return registers->general.rsp;
}

static inline uint64_t arch_frame_pointer(const struct arch_registers *registers)
{
    return registers->general.rbp;
}

static inline uint64_t arch_thread_pointer(const struct arch_registers *registers)
{
    return registers->general.fs_base;
}

#endif
