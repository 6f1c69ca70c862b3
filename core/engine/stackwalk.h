/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The modules of a dump as ELF files on disk: callers by call frame information, symbols, code. A
 * file counts only if its build id is the dump's. A hostile file may crash libdw: everything here
 * runs in the walk's own child process. [engine]
 *
 * These functions exist twice. stackwalk.c, the one home of libdw's headers, becomes a module of
 * its own, because libdw and what it needs are half of what an engine would map: no check of a
 * configuration at a program's start, and no step, shall pay for that. stackwalk_load.c stands for
 * them in the engine, and loads the module when the walk begins.
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

enum stackwalk_end {
    STACKWALK_UNKNOWN = 0,   /* the last caller was not believed, or there is no way to its own */
    STACKWALK_OUTERMOST = 1, /* the last caller has none itself, says its call frame information */
    STACKWALK_ZERO = 2,      /* the last caller's return address is zero */
};

/* `exact`: the caller's address is that of an instruction, not one behind a call, as in a signal
 * trampoline and in what the signal interrupted. False ends the walk. */
typedef bool stackwalk_caller_fn(const struct unwind_registers *caller, bool exact, void *user);

/* The callers that call frame information leads to, without a gap, from a frame with those
 * registers on. `lookup` is an address within the instruction that the frame was executing. */
enum stackwalk_end stackwalk_callers(struct stackwalk *files,
                                     const struct unwind_registers *registers, uint64_t lookup,
                                     stackwalk_caller_fn *found, void *user);

/* The nearest function symbol; the name lives until stackwalk_close(). */
bool stackwalk_symbol(struct stackwalk *files, uint64_t address, const char **ret_name,
                      uint64_t *ret_offset);

/* Copies `bytes` bytes of code at `address` from the module's file; false if they are not there. */
bool stackwalk_code(struct stackwalk *files, uint64_t address, void *buffer, size_t bytes);

/* The module: <libexec>/cairn-stackwalk.so, and the one thing that it exports. */
#define STACKWALK_MODULE "cairn-stackwalk.so"
#define STACKWALK_SYMBOL "cairn_stackwalk"

struct stackwalk_module {
    char version[32]; /* PACKAGE_VERSION: it is good for the engine that was built with it */
    struct stackwalk *(*open)(const struct minidump *dump);
    void (*close)(struct stackwalk *files);
    enum stackwalk_end (*callers)(struct stackwalk *files, const struct unwind_registers *registers,
                                  uint64_t lookup, stackwalk_caller_fn *found, void *user);
    bool (*symbol)(struct stackwalk *files, uint64_t address, const char **ret_name,
                   uint64_t *ret_offset);
    bool (*code)(struct stackwalk *files, uint64_t address, void *buffer, size_t bytes);
};

#endif
