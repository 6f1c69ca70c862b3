/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The modules of a dump as ELF files on disk: call frame information, symbols, code. A file counts
 * only if its build id is the dump's. stackwalk.c is the one home of libdw's headers. A hostile
 * file may crash libdw: everything here runs in the walk's own child process. [engine]
 */
#ifndef CAIRN_CORE_ENGINE_STACKWALK_H
#define CAIRN_CORE_ENGINE_STACKWALK_H

#include "core/engine/unwind.h"
#include "core/minidump/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stackwalk;

/* NULL: no memory. A dump none of whose files can be used is not an error. */
struct stackwalk *stackwalk_open(const struct minidump *dump);
void stackwalk_close(struct stackwalk *files);

enum stackwalk_step {
    STACKWALK_STEPPED = 0,
    STACKWALK_OUTERMOST = 1, /* the frame has no caller */
    STACKWALK_UNKNOWN = 2,   /* no usable information for this address */
};

/* Replaces a frame's registers by its caller's. `lookup` is an address within the instruction that
 * was being executed. `ret_signal`: the frame is a signal trampoline, its caller was interrupted.
 */
enum stackwalk_step stackwalk_step(struct stackwalk *files, uint64_t lookup,
                                   struct unwind_registers *registers, bool *ret_signal);

/* The nearest function symbol; the name lives until stackwalk_close(). */
bool stackwalk_symbol(struct stackwalk *files, uint64_t address, const char **ret_name,
                      uint64_t *ret_offset);

/* Copies `bytes` bytes of code at `address` from the module's file; false if they are not there. */
bool stackwalk_code(struct stackwalk *files, uint64_t address, void *buffer, size_t bytes);

#endif
