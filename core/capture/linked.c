/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is mapped, where /proc/PID/maps cannot be had (another root, a filter on open): the dynamic
 * linker's list leads to every module, and its program headers say where its segments are. Stacks
 * and heaps are not among them. Runs in the clone of a crashed program; imports nothing.
 */
#include "core/capture/parts.h"

#include "core/capture/sys.h"
#include "core/capture/text.h"

#include <linux/auxvec.h>
#include <linux/elf.h>

#define MOST_SEGMENTS 16u
#define MOST_MAPPINGS 4096u

/* What a file begins with, as its first segment has it. */
struct image {
    Elf64_Ehdr header;
    Elf64_Phdr segments[MOST_SEGMENTS];
};

/* Sorted by address, as the kernel lists them. */
static void insert(struct capture *capture, const struct capture_mapping *mapping)
{
    struct capture_mapping *at = capture->mappings + capture->mapping_count;

    if (capture->mapping_count == MOST_MAPPINGS || mapping->start >= mapping->end) {
        return;
    }
    capture->mapping_count++;
    while (at > capture->mappings && at[-1].start > mapping->start) {
        at[0] = at[-1];
        at--;
    }
    *at = *mapping;
}

static uint64_t page_of(uint64_t address)
{
    return address & ~(uint64_t)(PAGE_BYTES - 1);
}

/* The outer two of the three bits change places. */
static uint32_t protection_of(uint32_t flags)
{
    return (flags & PF_W) | (flags & PF_X) << 2 | (flags & PF_R) >> 2;
}

/* The segments of the file whose first bytes are at `base`. Returns the address of its dynamic
 * section, 0 if there is none. */
static uint64_t add_image(struct capture *capture, uint64_t base, const char *path)
{
    struct capture_mapping mapping = { .path = path, .inode = base };
    struct image image;
    size_t bytes = capture_read(capture, base, &image, sizeof(image));
    uint64_t dynamic = 0, bias = 0;

    if (bytes != sizeof(image) || capture_compare(image.header.e_ident, ELFMAG, SELFMAG) != 0 ||
        image.header.e_phoff != sizeof(image.header)) {
        return 0;
    }
    for (size_t i = 0; i < image.header.e_phnum && i < MOST_SEGMENTS; i++) {
        const Elf64_Phdr *segment = &image.segments[i];

        if (segment->p_type == PT_DYNAMIC) {
            dynamic = segment->p_vaddr;
        }
        if (segment->p_type != PT_LOAD) {
            continue;
        }
        if (segment->p_offset == 0) {
            bias = base - segment->p_vaddr; /* of the first one, the others are above it */
        }
        mapping.start = page_of(bias + segment->p_vaddr);
        mapping.end = page_of(bias + segment->p_vaddr + segment->p_memsz + PAGE_BYTES - 1);
        mapping.offset = page_of(segment->p_offset);
        mapping.protection = protection_of(segment->p_flags);
        insert(capture, &mapping);
    }
    return dynamic != 0 ? bias + dynamic : 0;
}

void mappings_guess(struct capture *capture)
{
    const struct capture_file *exe = capture_file(capture, "exe");
    struct capture_linkage *linkage = &capture->linkage;
    uint64_t headers, vdso = 0;

    capture->mappings = arena_array(&capture->arena, MOST_MAPPINGS, sizeof(*capture->mappings));
    if (capture->mappings == NULL || exe == NULL || !auxiliary_value(capture, AT_PHDR, &headers)) {
        return;
    }
    auxiliary_value(capture, AT_SYSINFO_EHDR, &vdso);
    linkage->dynamic_address = add_image(capture, headers - sizeof(Elf64_Ehdr), exe->content);
    linkage_follow(capture);
    /* Most were loaded below the ones before them. The first is the program. */
    for (size_t i = linkage->link_count; i-- > 1;) {
        uint64_t base = linkage->links[i].load_address;

        add_image(capture, base, base == vdso ? "[vdso]" : linkage->links[i].name);
    }
    capture_note(capture, "/proc could not be read: modules are known from the dynamic linker's "
                          "list, other mappings are not.");
}
