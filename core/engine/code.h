/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which addresses of the crashed process could hold code: its executable mappings as the dump tells
 * them, else its modules. Keeps a scan for return addresses from taking data for code. [engine]
 */
#ifndef CAIRN_CORE_ENGINE_CODE_H
#define CAIRN_CORE_ENGINE_CODE_H

#include "core/minidump/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct code_range {
    uint64_t start, end;
};

struct code_map {
    struct code_range *ranges; /* sorted, not overlapping */
    size_t count;
};

/* Without memory the map is empty: nothing is code then. */
void code_map_init(struct code_map *map, const struct minidump *dump);
void code_map_finish(struct code_map *map);
bool code_map_contains(const struct code_map *map, uint64_t address);

/* The mapping that holds an address, as the dump's maps say; false if none does. */
bool code_find_mapping(const struct minidump *dump, uint64_t address, struct code_range *ret_range);

/* True when the `bytes` bytes before a return address can end in a call instruction of x86-64. */
bool code_ends_in_call(const unsigned char *code, size_t bytes);

#define CODE_SIGNAL_RETURN_BYTES 9

/* True for what the kernel makes a signal's handler return to, rt_sigreturn(2), in every libc. */
bool code_is_signal_return(const unsigned char code[CODE_SIGNAL_RETURN_BYTES]);

#endif
