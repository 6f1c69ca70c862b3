/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lays a shared object's segments out in a buffer and applies the relocations that tables of
 * constants need. Engine, sender, tools. Every number of the file is checked before it is used;
 * memory and time are bounded by IMAGE_LIMIT.
 *
 * DT_RELR needs no work here: its places hold their address already, and the load address is 0.
 */
#include "core/plugin/elf.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IMAGE_LIMIT   (UINT64_C(64) << 20)
#define SEGMENT_LIMIT 64

/* What elf_read() needs of the dynamic section besides what the image keeps. */
struct dynamic {
    uint64_t rela, rela_bytes, rela_entry;
    uint64_t flags, flags_1;
    uint64_t search_path; /* offset in the strings */
    bool has_search_path, text_relocations;
};

static int malformed(const struct elf_image *image, struct error *error, const char *what)
{
    return error_set(error, CAIRN_EFORMAT, "%s is not a usable shared object: %s.", image->path,
                     what);
}

static int refused(const struct elf_image *image, struct error *error, const char *why)
{
    return error_set(error, CAIRN_EPLUGIN, "%s cannot be a plugin: %s.", image->path, why);
}

/* Reads exactly `bytes` at `offset`; a shorter file is malformed. */
static int read_exactly(const struct elf_image *image, int fd, void *target, uint64_t bytes,
                        uint64_t offset, struct error *error)
{
    unsigned char *next = target;

    while (bytes > 0) {
        ssize_t got = pread(fd, next, bytes, (off_t)offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return error_errno(error, CAIRN_ESYSTEM, errno, "%s cannot be read", image->path);
        }
        if (got == 0) {
            return malformed(image, error, "the file is cut short");
        }
        next += got;
        bytes -= (uint64_t)got;
        offset += (uint64_t)got;
    }
    return 0;
}

static bool in_image(const struct elf_image *image, uint64_t address, uint64_t bytes)
{
    return address <= image->size && bytes <= image->size - address;
}

bool elf_copy(const struct elf_image *image, uint64_t address, void *target, size_t bytes)
{
    if (!in_image(image, address, bytes)) {
        return false;
    }
    memcpy(target, image->memory + address, bytes);
    return true;
}

const char *elf_text(const struct elf_image *image, uint64_t address, size_t limit)
{
    if (!in_image(image, address, 1)) {
        return NULL;
    }
    const unsigned char *text = image->memory + address;
    uint64_t room = image->size - address;
    return memchr(text, 0, room < limit ? room : limit) != NULL ? (const char *)text : NULL;
}

static bool is_of_this_cpu(const Elf64_Ehdr *header)
{
    return header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == ELFDATA2LSB &&
           header->e_machine == EM_X86_64;
}

static int read_header(const struct elf_image *image, int fd, Elf64_Ehdr *ret_header,
                       struct error *error)
{
    Elf64_Ehdr header;
    int result = read_exactly(image, fd, &header, sizeof(header), 0, error);

    if (result < 0) {
        return result;
    }
    if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
        return malformed(image, error, "it is not an ELF file");
    }
    if (!is_of_this_cpu(&header)) {
        return malformed(image, error, "it is for another kind of processor");
    }
    if (header.e_type != ET_DYN) {
        return malformed(image, error, "it is an ELF file of another type");
    }
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 ||
        header.e_phnum > SEGMENT_LIMIT || header.e_phoff > INT64_MAX) {
        return malformed(image, error, "its program headers make no sense");
    }
    *ret_header = header;
    return 0;
}

/* Sets image->size. Segments ascend and do not overlap, so all reads together are bounded too. */
static int measure(struct elf_image *image, const Elf64_Phdr *segments, size_t count,
                   struct error *error)
{
    uint64_t end = 0;

    for (size_t i = 0; i < count; i++) {
        const Elf64_Phdr *segment = &segments[i];
        if (segment->p_type != PT_LOAD) {
            continue;
        }
        if (segment->p_vaddr < end || segment->p_filesz > segment->p_memsz ||
            segment->p_offset > INT64_MAX - IMAGE_LIMIT) {
            return malformed(image, error, "its segments make no sense");
        }
        if (segment->p_vaddr > IMAGE_LIMIT || segment->p_memsz > IMAGE_LIMIT - segment->p_vaddr) {
            return malformed(image, error, "it takes more than 64 MiB of addresses");
        }
        end = segment->p_vaddr + segment->p_memsz;
    }
    if (end == 0) {
        return malformed(image, error, "nothing of it is to be loaded");
    }
    image->size = end;
    return 0;
}

static int fill(struct elf_image *image, int fd, const Elf64_Phdr *segments, size_t count,
                struct error *error)
{
    image->memory = calloc(1, image->size);
    if (image->memory == NULL) {
        return error_set(error, CAIRN_ENOMEM, "There is no memory to read %s.", image->path);
    }
    for (size_t i = 0; i < count; i++) {
        const Elf64_Phdr *segment = &segments[i];
        if (segment->p_type == PT_LOAD) {
            int result = read_exactly(image, fd, image->memory + segment->p_vaddr,
                                      segment->p_filesz, segment->p_offset, error);
            if (result < 0) {
                return result;
            }
        } else if (segment->p_type == PT_NOTE && image->note_count < ELF_MAX_NOTES &&
                   in_image(image, segment->p_vaddr, segment->p_memsz)) {
            image->notes[image->note_count++] =
                (struct elf_range){ segment->p_vaddr, segment->p_memsz, segment->p_align };
        }
    }
    return 0;
}

/* Without a PT_GNU_STACK the dynamic linker would make the whole process' stack executable. */
static int check_stack(const struct elf_image *image, const Elf64_Phdr *segments, size_t count,
                       struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (segments[i].p_type == PT_GNU_STACK && (segments[i].p_flags & PF_X) == 0) {
            return 0;
        }
    }
    return refused(image, error, "it asks for an executable stack");
}

static void note_dynamic(struct elf_image *image, struct dynamic *dynamic, const Elf64_Dyn *entry)
{
    switch (entry->d_tag) {
    case DT_SYMTAB:
        image->symbols = entry->d_un.d_ptr;
        break;
    case DT_STRTAB:
        image->strings = entry->d_un.d_ptr;
        break;
    case DT_HASH:
        image->hash = entry->d_un.d_ptr;
        break;
    case DT_GNU_HASH:
        image->gnu_hash = entry->d_un.d_ptr;
        break;
    case DT_RELA:
        dynamic->rela = entry->d_un.d_ptr;
        break;
    case DT_RELASZ:
        dynamic->rela_bytes = entry->d_un.d_val;
        break;
    case DT_RELAENT:
        dynamic->rela_entry = entry->d_un.d_val;
        break;
    case DT_FLAGS:
        dynamic->flags = entry->d_un.d_val;
        break;
    case DT_FLAGS_1:
        dynamic->flags_1 = entry->d_un.d_val;
        break;
    case DT_TEXTREL:
        dynamic->text_relocations = true;
        break;
    case DT_RPATH:
    case DT_RUNPATH:
        dynamic->has_search_path = true;
        dynamic->search_path = entry->d_un.d_val;
        break;
    default:
        break;
    }
}

static int read_dynamic(struct elf_image *image, const Elf64_Phdr *segments, size_t count,
                        struct dynamic *ret_dynamic, struct error *error)
{
    const Elf64_Phdr *section = NULL;
    struct dynamic dynamic = { 0 };

    for (size_t i = 0; i < count; i++) {
        if (segments[i].p_type == PT_DYNAMIC) {
            section = &segments[i];
        }
    }
    if (section == NULL || !in_image(image, section->p_vaddr, section->p_memsz)) {
        return malformed(image, error, "it has no dynamic section");
    }
    image->dynamic = (struct elf_range){ section->p_vaddr, section->p_memsz, section->p_align };
    for (uint64_t at = 0; section->p_memsz - at >= sizeof(Elf64_Dyn); at += sizeof(Elf64_Dyn)) {
        Elf64_Dyn entry;
        memcpy(&entry, image->memory + section->p_vaddr + at, sizeof(entry));
        if (entry.d_tag == DT_NULL) {
            break;
        }
        note_dynamic(image, &dynamic, &entry);
    }
    *ret_dynamic = dynamic;
    return 0;
}

/* Plugins are loaded through /proc/self/fd, where $ORIGIN would mean that folder; and a relative or
 * empty element would be looked up in whatever directory the host is in. */
static bool is_absolute_search_path(const char *path)
{
    for (;;) {
        size_t bytes = strcspn(path, ":");
        if (path[0] != '/' || memchr(path, '$', bytes) != NULL) {
            return false;
        }
        if (path[bytes] == '\0') {
            return true;
        }
        path += bytes + 1;
    }
}

static int check_dynamic(const struct elf_image *image, const struct dynamic *dynamic,
                         struct error *error)
{
    if (image->symbols == 0 || image->strings == 0) {
        return malformed(image, error, "it has no dynamic symbols");
    }
    if ((dynamic->flags_1 & DF_1_PIE) != 0) {
        return refused(image, error, "it is a program");
    }
    if (dynamic->text_relocations || (dynamic->flags & DF_TEXTREL) != 0) {
        return refused(image, error, "its code has relocations; compile it with -fPIC");
    }
    if (dynamic->has_search_path) {
        uint64_t address = image->strings + dynamic->search_path;
        const char *path = address < image->strings ? NULL : elf_text(image, address, image->size);
        if (path == NULL || !is_absolute_search_path(path)) {
            return refused(image, error,
                           "its library search path (RUNPATH) holds $ORIGIN or a relative folder");
        }
    }
    return 0;
}

static bool symbol_at(const struct elf_image *image, uint64_t index, Elf64_Sym *ret_symbol)
{
    return index <= image->size / sizeof(*ret_symbol) && image->symbols <= image->size &&
           elf_copy(image, image->symbols + index * sizeof(*ret_symbol), ret_symbol,
                    sizeof(*ret_symbol));
}

/* The value of a pointer to `symbol`, as far as it can be known without running anything. */
static uint64_t pointer_to(const Elf64_Sym *symbol, uint64_t addend)
{
    if (symbol->st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC) {
        return ELF_ELSEWHERE;
    }
    return symbol->st_value + addend;
}

static int relocate(struct elf_image *image, const struct dynamic *dynamic, struct error *error)
{
    if (dynamic->rela_bytes == 0) {
        return 0;
    }
    if (dynamic->rela_entry != sizeof(Elf64_Rela) ||
        !in_image(image, dynamic->rela, dynamic->rela_bytes)) {
        return malformed(image, error, "its relocations make no sense");
    }
    for (uint64_t i = 0; i < dynamic->rela_bytes / sizeof(Elf64_Rela); i++) {
        Elf64_Rela entry;
        Elf64_Sym symbol;
        uint64_t value;

        memcpy(&entry, image->memory + dynamic->rela + i * sizeof(entry), sizeof(entry));
        uint32_t type = ELF64_R_TYPE(entry.r_info);
        if (type == R_X86_64_RELATIVE) {
            value = (uint64_t)entry.r_addend;
        } else if (type == R_X86_64_64 && symbol_at(image, ELF64_R_SYM(entry.r_info), &symbol)) {
            value = pointer_to(&symbol, (uint64_t)entry.r_addend);
        } else {
            continue;
        }
        if (!in_image(image, entry.r_offset, sizeof(value))) {
            return malformed(image, error, "a relocation points outside of it");
        }
        memcpy(image->memory + entry.r_offset, &value, sizeof(value));
    }
    return 0;
}

static int build(struct elf_image *image, int fd, struct error *error)
{
    Elf64_Ehdr header = { 0 };
    Elf64_Phdr segments[SEGMENT_LIMIT];
    struct dynamic dynamic = { 0 };

    int result = read_header(image, fd, &header, error);
    if (result == 0) {
        result = read_exactly(image, fd, segments, header.e_phnum * sizeof(segments[0]),
                              header.e_phoff, error);
    }
    if (result == 0) {
        result = measure(image, segments, header.e_phnum, error);
    }
    if (result == 0) {
        result = fill(image, fd, segments, header.e_phnum, error);
    }
    if (result == 0) {
        result = check_stack(image, segments, header.e_phnum, error);
    }
    if (result == 0) {
        result = read_dynamic(image, segments, header.e_phnum, &dynamic, error);
    }
    if (result == 0) {
        result = check_dynamic(image, &dynamic, error);
    }
    return result == 0 ? relocate(image, &dynamic, error) : result;
}

int elf_read(int fd, const char *path, struct elf_image *ret_image, struct error *error)
{
    struct elf_image image = { .path = path };
    int result = build(&image, fd, error);

    if (result < 0) {
        elf_finish(&image);
        return result;
    }
    *ret_image = image;
    return 0;
}

void elf_finish(struct elf_image *image)
{
    free(image->memory);
    image->memory = NULL;
    image->size = 0;
}

/* ---- Symbols ---- */

static bool is_named(const struct elf_image *image, const Elf64_Sym *symbol, const char *name)
{
    const char *text = image->strings > image->size
                           ? NULL
                           : elf_text(image, image->strings + symbol->st_name, strlen(name) + 1);
    return text != NULL && strcmp(text, name) == 0;
}

static bool is_symbol(const struct elf_image *image, uint32_t index, const char *name,
                      Elf64_Sym *ret_symbol)
{
    return symbol_at(image, index, ret_symbol) && is_named(image, ret_symbol, name);
}

static bool word_at(const struct elf_image *image, uint64_t table, uint64_t index,
                    uint32_t *ret_word)
{
    return table <= image->size && index <= image->size / sizeof(*ret_word) &&
           elf_copy(image, table + index * sizeof(*ret_word), ret_word, sizeof(*ret_word));
}

static uint32_t hash_gnu(const char *name)
{
    uint32_t hash = 5381;

    for (const unsigned char *letter = (const unsigned char *)name; *letter != 0; letter++) {
        hash = hash * 33 + *letter;
    }
    return hash;
}

/* Each step moves on to the next word of the image, so it ends there at the latest. */
static bool find_gnu(const struct elf_image *image, const char *name, Elf64_Sym *ret_symbol)
{
    uint32_t head[4]; /* buckets, first symbol, words of the bloom filter, its shift */
    uint32_t hash = hash_gnu(name), index, entry;

    if (!elf_copy(image, image->gnu_hash, head, sizeof(head)) || head[0] == 0) {
        return false;
    }
    uint64_t buckets = image->gnu_hash + sizeof(head) + (uint64_t)head[2] * 8;
    uint64_t chains = buckets + (uint64_t)head[0] * 4;
    if (!word_at(image, buckets, hash % head[0], &index) || index < head[1]) {
        return false;
    }
    for (; word_at(image, chains, index - head[1], &entry); index++) {
        if ((entry | 1) == (hash | 1) && is_symbol(image, index, name, ret_symbol)) {
            return true;
        }
        if ((entry & 1) != 0 || index == UINT32_MAX) {
            return false;
        }
    }
    return false;
}

static bool find_sysv(const struct elf_image *image, const char *name, Elf64_Sym *ret_symbol)
{
    uint32_t head[2]; /* buckets, symbols */
    uint32_t hash = 0, index;

    for (const unsigned char *letter = (const unsigned char *)name; *letter != 0; letter++) {
        hash = (hash << 4) + *letter;
        hash = (hash ^ ((hash & 0xf0000000u) >> 24)) & 0x0fffffffu;
    }
    if (!elf_copy(image, image->hash, head, sizeof(head)) || head[0] == 0) {
        return false;
    }
    uint64_t buckets = image->hash + sizeof(head);
    uint64_t chains = buckets + (uint64_t)head[0] * 4;
    if (!word_at(image, buckets, hash % head[0], &index)) {
        return false;
    }
    /* A hostile chain may be a ring: no chain is longer than the image has symbols. */
    for (uint64_t left = image->size / sizeof(*ret_symbol); index != STN_UNDEF && left > 0;
         left--) {
        if (is_symbol(image, index, name, ret_symbol)) {
            return true;
        }
        if (!word_at(image, chains, index, &index)) {
            return false;
        }
    }
    return false;
}

bool elf_object(const struct elf_image *image, const char *name, uint64_t *ret_address,
                uint64_t *ret_bytes)
{
    Elf64_Sym symbol;
    bool found = image->gnu_hash != 0 ? find_gnu(image, name, &symbol)
                                      : image->hash != 0 && find_sysv(image, name, &symbol);

    if (!found || symbol.st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbol.st_info) != STT_OBJECT ||
        ELF64_ST_BIND(symbol.st_info) == STB_LOCAL) {
        return false;
    }
    *ret_address = symbol.st_value;
    *ret_bytes = symbol.st_size;
    return true;
}

/* ---- Notes ---- */

static uint64_t padded(uint64_t bytes, uint64_t alignment)
{
    uint64_t to = alignment == 8 ? 8 : 4;
    return (bytes + to - 1) / to * to;
}

static bool note_in(const struct elf_image *image, const struct elf_range *range, const char *owner,
                    uint32_t type, const unsigned char **ret_description, size_t *ret_bytes)
{
    size_t owner_bytes = strlen(owner) + 1;
    Elf64_Nhdr note;

    for (uint64_t at = 0; range->bytes - at >= sizeof(note);) {
        const unsigned char *start = image->memory + range->address + at;
        memcpy(&note, start, sizeof(note));
        uint64_t description = padded(sizeof(note) + (uint64_t)note.n_namesz, range->alignment);
        uint64_t end = description + padded(note.n_descsz, range->alignment);
        if (end > range->bytes - at) {
            return false;
        }
        if (note.n_type == type && note.n_namesz == owner_bytes &&
            memcmp(start + sizeof(note), owner, owner_bytes) == 0) {
            *ret_description = start + description;
            *ret_bytes = note.n_descsz;
            return true;
        }
        at += end;
    }
    return false;
}

bool elf_note(const struct elf_image *image, const char *owner, uint32_t type,
              const unsigned char **ret_description, size_t *ret_bytes)
{
    for (size_t i = 0; i < image->note_count; i++) {
        if (note_in(image, &image->notes[i], owner, type, ret_description, ret_bytes)) {
            return true;
        }
    }
    return false;
}
