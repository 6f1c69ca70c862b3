/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a shared object links to and exports, for `cairn plugin lint`; see elf.h. Tools, and a
 * step's process. Every byte of the file is hostile.
 */
#include "core/plugin/elf.h"

#include <elf.h>

static uint32_t word_at(const struct elf_image *image, uint64_t address)
{
    uint32_t word = 0;

    (void)elf_copy(image, address, &word, sizeof(word));
    return word;
}

/* The last symbol that a bucket begins with, and what follows it up to the end of its chain. */
static uint64_t count_gnu(const struct elf_image *image)
{
    uint32_t buckets = word_at(image, image->gnu_hash), first = word_at(image, image->gnu_hash + 4);
    uint64_t table = image->gnu_hash + 16 + (uint64_t)word_at(image, image->gnu_hash + 8) * 8;
    uint64_t chains = table + (uint64_t)buckets * 4, last = 0;

    if (table > image->size || buckets > image->size / 4) {
        return 0;
    }
    for (uint32_t i = 0; i < buckets; i++) {
        uint32_t index = word_at(image, table + (uint64_t)i * 4);
        last = index > last ? index : last;
    }
    if (last < first) {
        return first;
    }
    while (chains + (last - first) * 4 < image->size &&
           (word_at(image, chains + (last - first) * 4) & 1) == 0) {
        last++;
    }
    return last + 1;
}

/* Nothing but the hash tables tells. */
uint64_t elf_symbols(const struct elf_image *image)
{
    return image->gnu_hash != 0 ? count_gnu(image)
           : image->hash != 0   ? word_at(image, image->hash + 4)
                                : 0;
}

bool elf_symbol_at(const struct elf_image *image, uint64_t index, struct elf_symbol *ret_symbol)
{
    Elf64_Sym symbol;
    const char *name;

    if (index > image->size / sizeof(symbol) || image->symbols > image->size ||
        image->strings > image->size ||
        !elf_copy(image, image->symbols + index * sizeof(symbol), &symbol, sizeof(symbol))) {
        return false;
    }
    name = elf_text(image, image->strings + symbol.st_name, image->size);
    if (name == NULL) {
        return false;
    }
    *ret_symbol = (struct elf_symbol){
        .name = name, /* "" for a section's */
        .defined = symbol.st_shndx != SHN_UNDEF,
        .weak = ELF64_ST_BIND(symbol.st_info) == STB_WEAK,
        .exported = symbol.st_shndx != SHN_UNDEF && ELF64_ST_BIND(symbol.st_info) != STB_LOCAL &&
                    ELF64_ST_VISIBILITY(symbol.st_other) == STV_DEFAULT,
    };
    return true;
}

static bool entry_at(const struct elf_image *image, uint64_t index, Elf64_Dyn *ret_entry)
{
    return index < image->dynamic.bytes / sizeof(*ret_entry) &&
           elf_copy(image, image->dynamic.address + index * sizeof(*ret_entry), ret_entry,
                    sizeof(*ret_entry)) &&
           ret_entry->d_tag != DT_NULL;
}

const char *elf_needed(const struct elf_image *image, uint64_t *position)
{
    Elf64_Dyn entry;

    while (entry_at(image, *position, &entry)) {
        ++*position;
        if (entry.d_tag == DT_NEEDED) {
            return image->strings <= image->size && entry.d_un.d_val <= image->size
                       ? elf_text(image, image->strings + entry.d_un.d_val, image->size)
                       : NULL;
        }
    }
    return NULL;
}

bool elf_binds_now(const struct elf_image *image)
{
    Elf64_Dyn entry;

    for (uint64_t i = 0; entry_at(image, i, &entry); i++) {
        if (entry.d_tag == DT_BIND_NOW ||
            (entry.d_tag == DT_FLAGS && (entry.d_un.d_val & DF_BIND_NOW) != 0) ||
            (entry.d_tag == DT_FLAGS_1 && (entry.d_un.d_val & DF_1_NOW) != 0)) {
            return true;
        }
    }
    return false;
}
