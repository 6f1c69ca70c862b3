/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What depends on the CPU: the registers of a thread, and where they come from. One folder per CPU
 * defines struct arch_registers and the functions below. Runs anywhere, also in a crashed process.
 */
#ifndef CAIRN_CORE_CAPTURE_ARCH_ARCH_H
#define CAIRN_CORE_CAPTURE_ARCH_ARCH_H

#if defined(__x86_64__)
#include "core/capture/arch/x86_64/registers.h"
#else
#error "Cairn runs on x86-64 only so far"
#endif

#include <stddef.h>
#include <stdint.h>

/* How much of a ucontext_t is needed, and how much of the state its pointer leads to. */
#define ARCH_CONTEXT_BYTES ARCH_CONTEXT_BYTES_OF_THIS_CPU
#define ARCH_VECTOR_BYTES  ARCH_VECTOR_BYTES_OF_THIS_CPU

/* The registers of a stopped thread that the caller traces. 0 or a negative errno; without the
 * vector state it still succeeds. */
int arch_read_registers(int32_t tid, struct arch_registers *ret_registers);

/* The general registers of a signal's ucontext_t (ARCH_CONTEXT_BYTES of it); what it does not hold
 * stays as it is. Returns the address of the vector state in that process, 0 if there is none. */
uint64_t arch_use_context(struct arch_registers *registers, const void *context);

/* The vector state found there: `bytes` of it could be read. Too few leave it without. */
void arch_use_vectors(struct arch_registers *registers, const void *state, size_t bytes);

/* Whether the ARCH_CONTEXT_BYTES at `context`, which lie at `address` in the process, are the
 * ucontext_t of a signal that came in on an alternate stack; then the stack pointer of what it
 * interrupted on another stack. */
int arch_interrupted_elsewhere(const void *context, uint64_t address, uint64_t *ret_pointer);

/* The general registers as 64-bit words, for whoever looks for pointers in them. */
const uint64_t *arch_general_words(const struct arch_registers *registers, size_t *ret_count);

/* CPU type of minidumps' system information: its processor_architecture, level, revision and the
 * 24 bytes that follow from the CPU. */
struct arch_cpu {
    uint16_t architecture, level, revision;
    uint32_t information[6];
};
void arch_describe_cpu(struct arch_cpu *ret_cpu);

#endif
