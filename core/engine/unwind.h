/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the callers of the crashed thread: call frame information first, then the frame pointer,
 * then a bounded scan for return addresses; each frame says which. x86-64. Runs in the walk's own
 * child process [engine], on the dump alone.
 */
#ifndef CAIRN_CORE_ENGINE_UNWIND_H
#define CAIRN_CORE_ENGINE_UNWIND_H

#include "core/minidump/reader.h"

#include <stdbool.h>
#include <stdint.h>

#define UNWIND_MAX_FRAMES 262144 /* a recursion with small frames that filled a usual stack */

/* DWARF's numbers of the x86-64 registers; 16 is the return address, that is, the caller's RIP. */
enum unwind_register {
    UNWIND_RBP = 6,
    UNWIND_RSP = 7,
    UNWIND_RIP = 16,
    UNWIND_REGISTERS = 17,
};

struct unwind_registers {
    uint64_t value[UNWIND_REGISTERS];
    uint32_t known; /* bit n: value[n] is known */
};

enum unwind_trust {
    UNWIND_CONTEXT = 0,
    UNWIND_CFI = 1,
    UNWIND_FRAME_POINTER = 2,
    UNWIND_SCAN = 3,
    UNWIND_TRUSTS = 4,
};

struct unwind_frame {
    uint64_t address; /* for callers the return address */
    uint64_t lookup;  /* an address within the instruction that was being executed */
    enum unwind_trust trust;
    uint64_t missing; /* bytes of the stack before it that the dump lacks, with their frames */
};

/* What the walk asks of the modules' files; see stackwalk.h. */
struct stackwalk;

/* Calls `emit` for every frame, innermost first, until it answers false. True when the walk stopped
 * at UNWIND_MAX_FRAMES. */
typedef bool unwind_emit_fn(const struct unwind_frame *frame, void *user);
bool unwind_run(const struct minidump *dump, struct stackwalk *files,
                const struct unwind_registers *start, unwind_emit_fn *emit, void *user);

/* The registers of a context in the dump; false when it is not one of x86-64. */
bool unwind_registers_of(const struct minidump *dump, const void *context, size_t context_bytes,
                         struct unwind_registers *ret_registers);

#endif
