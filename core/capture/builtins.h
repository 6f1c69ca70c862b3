/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory functions that compilers call on their own, even when freestanding. Their names are
 * redirected, in the assembler, to functions of ours: an object that includes this header neither
 * imports libc's memcpy nor defines a second one. Every import-free file includes it (through
 * sys.h, text.h or directly); sections 1 and 2 of tests/wall/imports.sh would notice one that does
 * not.
 */
#ifndef CAIRN_CORE_CAPTURE_BUILTINS_H
#define CAIRN_CORE_CAPTURE_BUILTINS_H

#include <stddef.h>

void *capture_copy(void *to, const void *from, size_t bytes) __attribute__((visibility("hidden")));
void *capture_move(void *to, const void *from, size_t bytes) __attribute__((visibility("hidden")));
void *capture_fill(void *to, int byte, size_t bytes) __attribute__((visibility("hidden")));
int capture_compare(const void *a, const void *b, size_t bytes)
    __attribute__((visibility("hidden")));

__asm__("memcpy = capture_copy\n"
        "memmove = capture_move\n"
        "memset = capture_fill\n"
        "memcmp = capture_compare\n");

#endif
