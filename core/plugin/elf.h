/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shared object's memory image, made from the file's bytes alone: segments laid out and relocated
 * as the dynamic linker would for load address 0, but nothing mapped executable and nothing run. So
 * a plugin's tables can be followed pointer by pointer before its code is trusted. x86-64. Runs in
 * the engine, the sender and the tools. Every byte of the file is hostile.
 */
#ifndef CAIRN_CORE_PLUGIN_ELF_H
#define CAIRN_CORE_PLUGIN_ELF_H

#include "core/util/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_MAX_NOTES 8

/* What a pointer to another object's symbol holds in the image: not NULL, and no address in it. */
#define ELF_ELSEWHERE UINT64_C(0xffffffffffff0000)

struct elf_range {
    uint64_t address, bytes;
    uint64_t alignment;
};

struct elf_image {
    unsigned char *memory; /* addresses 0 to `size` of the object */
    uint64_t size;
    const char *path; /* borrowed; for sentences */
    struct elf_range notes[ELF_MAX_NOTES];
    size_t note_count;
    struct elf_range dynamic;
    uint64_t symbols, strings, hash, gnu_hash; /* addresses; 0: absent */
};

/* Refuses what no plugin may be: not a shared object, text relocations, an executable stack, a
 * search path that is not absolute. 0, CAIRN_EFORMAT, CAIRN_EPLUGIN, CAIRN_ESYSTEM or CAIRN_ENOMEM.
 */
int elf_read(int fd, const char *path, struct elf_image *ret_image, struct error *error);
void elf_finish(struct elf_image *image);

/* Copies bytes of the image; false when they are not all in it. */
bool elf_copy(const struct elf_image *image, uint64_t address, void *target, size_t bytes);
/* The text at `address` if it ends within `limit` bytes and the image; else NULL. */
const char *elf_text(const struct elf_image *image, uint64_t address, size_t limit);
/* A defined, exported data symbol, found as dlsym() would. */
bool elf_object(const struct elf_image *image, const char *name, uint64_t *ret_address,
                uint64_t *ret_bytes);
/* The description of the first note of that owner and type. */
bool elf_note(const struct elf_image *image, const char *owner, uint32_t type,
              const unsigned char **ret_description, size_t *ret_bytes);

/* ---- elf_link.c: what it links to, for `cairn plugin lint` ---- */

struct elf_symbol {
    const char *name;
    bool defined, weak, exported;
};

/* How many there are; the first one is none. */
uint64_t elf_symbols(const struct elf_image *image);
/* False where the image has none. */
bool elf_symbol_at(const struct elf_image *image, uint64_t index, struct elf_symbol *ret_symbol);
/* The next library that it names; `position` is 0 at first. NULL past the last. */
const char *elf_needed(const struct elf_image *image, uint64_t *position);
/* Whether all symbols are resolved when it is loaded. */
bool elf_binds_now(const struct elf_image *image);

#endif
