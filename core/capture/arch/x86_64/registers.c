/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads x86-64 registers: from a thread that is traced, and from the ucontext_t that the kernel
 * made for a signal handler. Runs in the monitor and in the clone of a crashed process.
 */
#include "core/capture/arch/arch.h"

#include "core/capture/sys.h"
#include "core/capture/text.h"

#include <linux/elf.h>

#define USER_CODE 0x33 /* the segment */

#define MINIDUMP_CPU_AMD64 9

_Static_assert(sizeof(struct arch_general) == 27 * 8, "what PTRACE_GETREGSET fills");
_Static_assert(sizeof(struct ucontext) == ARCH_CONTEXT_BYTES, "what the kernel puts on the stack");

static long read_set(int32_t tid, unsigned long set, void *to, size_t bytes)
{
    struct iovec part = { to, bytes };
    long result = sys_ptrace(PTRACE_GETREGSET, tid, set, &part);

    return result < 0 ? result : (long)part.iov_len;
}

int arch_read_registers(int32_t tid, struct arch_registers *ret_registers)
{
    struct arch_general general = { 0 };
    long bytes = read_set(tid, NT_PRSTATUS, &general, sizeof(general));

    if (bytes < 0) {
        return (int)bytes;
    }
    if ((size_t)bytes != sizeof(general)) {
        return -EINVAL; /* a 32-bit thread has fewer */
    }
    ret_registers->general = general;
    bytes = read_set(tid, NT_X86_XSTATE, ret_registers->vectors, ARCH_XSAVE_BYTES);
    if (bytes < ARCH_FXSAVE_BYTES) {
        bytes = read_set(tid, NT_PRFPREG, ret_registers->vectors, ARCH_FXSAVE_BYTES);
    }
    ret_registers->vector_bytes = bytes >= ARCH_XSAVE_BYTES    ? ARCH_XSAVE_BYTES
                                  : bytes >= ARCH_FXSAVE_BYTES ? ARCH_FXSAVE_BYTES
                                                               : 0;
    return 0;
}

uint64_t arch_use_context(struct arch_registers *registers, const void *context)
{
    struct arch_general *general = &registers->general;
    struct ucontext copy;
    const struct sigcontext_64 *from;

    capture_copy(&copy, context, sizeof(copy));
    from = (const struct sigcontext_64 *)&copy.uc_mcontext;
    general->r8 = from->r8;
    general->r9 = from->r9;
    general->r10 = from->r10;
    general->r11 = from->r11;
    general->r12 = from->r12;
    general->r13 = from->r13;
    general->r14 = from->r14;
    general->r15 = from->r15;
    general->rdi = from->di;
    general->rsi = from->si;
    general->rbp = from->bp;
    general->rbx = from->bx;
    general->rdx = from->dx;
    general->rax = from->ax;
    general->orig_rax = UINT64_MAX;
    general->rcx = from->cx;
    general->rsp = from->sp;
    general->rip = from->ip;
    general->eflags = from->flags;
    general->cs = from->cs;
    general->ss = from->ss;
    registers->vector_bytes = 0;
    return from->fpstate;
}

void arch_use_vectors(struct arch_registers *registers, const void *state, size_t bytes)
{
    const size_t software = offsetof(struct _fpstate_64, sw_reserved);
    struct _fpx_sw_bytes extended;

    if (bytes < ARCH_FXSAVE_BYTES) {
        return;
    }
    capture_copy(&extended, (const unsigned char *)state + software, sizeof(extended));
    registers->vector_bytes = bytes >= ARCH_XSAVE_BYTES && extended.magic1 == FP_XSTATE_MAGIC1 &&
                                      extended.xstate_size >= ARCH_XSAVE_BYTES
                                  ? ARCH_XSAVE_BYTES
                                  : ARCH_FXSAVE_BYTES;
    capture_copy(registers->vectors, state, registers->vector_bytes);
}

/* The kernel notes there which alternate stack it used. */
int arch_interrupted_elsewhere(const void *context, uint64_t address, uint64_t *ret_pointer)
{
    const struct ucontext *at = context;
    uint64_t start = (uint64_t)(uintptr_t)at->uc_stack.ss_sp, bytes = at->uc_stack.ss_size;

    *ret_pointer = at->uc_mcontext.rsp;
    return at->uc_link == NULL && at->uc_mcontext.cs == USER_CODE && address - start < bytes &&
           *ret_pointer - start >= bytes;
}

const uint64_t *arch_general_words(const struct arch_registers *registers, size_t *ret_count)
{
    *ret_count = sizeof(registers->general) / sizeof(uint64_t);
    return &registers->general.r15;
}

static void cpuid(uint32_t leaf, uint32_t *ret_registers)
{
    __asm__ volatile("cpuid"
                     : "=a"(ret_registers[0]), "=b"(ret_registers[1]), "=c"(ret_registers[2]),
                       "=d"(ret_registers[3])
                     : "0"(leaf), "2"(0));
}

void arch_describe_cpu(struct arch_cpu *ret_cpu)
{
    uint32_t base[4], features[4], extended[4];
    uint32_t family, model;

    cpuid(0, base);
    cpuid(1, features);
    cpuid(0x80000001u, extended);
    family = (features[0] >> 8) & 0xf;
    model = (features[0] >> 4) & 0xf;
    if (family == 0x6 || family == 0xf) {
        model += ((features[0] >> 16) & 0xf) << 4;
    }
    if (family == 0xf) {
        family += (features[0] >> 20) & 0xff;
    }
    ret_cpu->architecture = MINIDUMP_CPU_AMD64;
    ret_cpu->level = (uint16_t)family;
    ret_cpu->revision = (uint16_t)(model << 8 | (features[0] & 0xf));
    ret_cpu->information[0] = base[1];
    ret_cpu->information[1] = base[3];
    ret_cpu->information[2] = base[2];
    ret_cpu->information[3] = features[0];
    ret_cpu->information[4] = features[3];
    ret_cpu->information[5] = extended[3];
}
