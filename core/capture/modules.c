/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The modules of a process: files that are mapped and executable, with build id and SONAME from the
 * ELF headers in memory. Runs in the monitor and in the clone of a crashed program; imports
 * nothing.
 *
 * Memory is asked, not the files: they may be replaced, deleted, or in another mount namespace. The
 * first pages of many modules are read by one system call, then their notes and dynamic sections,
 * then their names, as far as the first pages do not hold them.
 */
#include "core/capture/parts.h"

#include "core/capture/sys.h"
#include "core/capture/text.h"

#include <linux/auxvec.h>
#include <linux/elf.h>

#define MAX_MODULES   4096u
#define BATCH         32u
#define HEADER_BYTES  4096u
#define NOTE_BYTES    512u
#define DYNAMIC_BYTES 2048u
#define NAME_BYTES    256u
#define VDSO_NAME     "linux-gate.so" /* as Breakpad and its symbol tools call it */

#define NOTE_BUILD_ID 3 /* NT_GNU_BUILD_ID */

/* What is being found out about one module. */
struct work {
    uint64_t bias; /* what is added to addresses in the file */
    uint64_t note_address, dynamic_address, name_address;
    size_t header_bytes, note_bytes, dynamic_bytes;
    unsigned char header[HEADER_BYTES], notes[NOTE_BYTES], dynamic[DYNAMIC_BYTES];
    char name[NAME_BYTES];
};

static size_t at_most(size_t bytes, size_t limit)
{
    return bytes < limit ? bytes : limit;
}

bool auxiliary_value(const struct capture *capture, uint64_t type, uint64_t *ret_value)
{
    const struct capture_file *file = capture_file(capture, "auxv");
    uint64_t entry[2];

    for (size_t at = 0; file != NULL && at + sizeof(entry) <= file->bytes; at += sizeof(entry)) {
        capture_copy(entry, file->content + at, sizeof(entry));
        if (entry[0] == type) {
            *ret_value = entry[1];
            return true;
        }
    }
    return false;
}

static bool is_vdso(const struct capture_mapping *mapping)
{
    return capture_equal(mapping->path, "[vdso]");
}

static bool may_be_module(const struct capture_mapping *mapping)
{
    return mapping->offset == 0 && (mapping->protection & PROT_READ) != 0 &&
           (is_vdso(mapping) || (mapping->inode != 0 && mapping->path[0] == '/' &&
                                 (!capture_starts(mapping->path, "/dev/") ||
                                  capture_starts(mapping->path, "/dev/shm/"))));
}

static bool same_file(const struct capture_mapping *a, const struct capture_mapping *b)
{
    return a->inode == b->inode && a->device_major == b->device_major &&
           a->device_minor == b->device_minor &&
           (a->path == b->path || capture_equal(a->path, b->path));
}

/* The mappings of one file from `first` on: where they end, and whether one is executable.
 * Anonymous ones between them belong to it: gaps, zeroed data, text that was moved to large pages.
 */
static uint64_t extent_of(const struct capture *capture, size_t first, bool *ret_executable)
{
    const struct capture_mapping *mappings = capture->mappings;
    uint64_t end = mappings[first].end, last = end;
    bool executable = (mappings[first].protection & PROT_EXEC) != 0;

    for (size_t i = first + 1; i < capture->mapping_count && mappings[first].inode != 0; i++) {
        const struct capture_mapping *next = &mappings[i];

        if (next->inode == 0 && next->path[0] == '\0' && next->start == last) {
            executable = executable || (next->protection & PROT_EXEC) != 0;
        } else if (next->offset != 0 && same_file(&mappings[first], next)) {
            executable = executable || (next->protection & PROT_EXEC) != 0;
            end = next->end;
        } else {
            break;
        }
        last = next->end;
    }
    *ret_executable = executable;
    return end;
}

static void add_candidates(struct capture *capture)
{
    bool executable;

    for (size_t i = 0; i < capture->mapping_count; i++) {
        const struct capture_mapping *mapping = &capture->mappings[i];
        struct capture_module *module = &capture->modules[capture->module_count];
        uint64_t end;

        if (!may_be_module(mapping)) {
            continue;
        }
        end = extent_of(capture, i, &executable);
        if (!executable) {
            continue;
        }
        if (capture->module_count == MAX_MODULES) {
            capture_note(capture, "There are more than %u modules: the rest is missing.",
                         MAX_MODULES);
            return;
        }
        *module = (struct capture_module){
            .base = mapping->start,
            .bytes = end - mapping->start,
            .path = is_vdso(mapping) ? VDSO_NAME : mapping->path,
            .soname = "",
        };
        capture->module_count++;
    }
}

static void put_main_first(struct capture *capture)
{
    uint64_t entry = 0;

    if (!auxiliary_value(capture, AT_PHDR, &entry) && !auxiliary_value(capture, AT_ENTRY, &entry)) {
        return;
    }
    for (size_t i = 0; i < capture->module_count; i++) {
        struct capture_module main = capture->modules[i];

        if (entry - main.base < main.bytes) {
            capture_move(capture->modules + 1, capture->modules, i * sizeof(main));
            main.is_main = 1;
            capture->modules[0] = main;
            return;
        }
    }
}

void modules_find(struct capture *capture)
{
    size_t limit = at_most(capture->mapping_count, MAX_MODULES);

    capture->modules = arena_array(&capture->arena, limit + 1, sizeof(*capture->modules));
    if (capture->modules != NULL) {
        add_candidates(capture);
        put_main_first(capture);
    }
}

static bool is_image(const Elf64_Ehdr *header, size_t bytes)
{
    return capture_compare(header->e_ident, ELFMAG, SELFMAG) == 0 &&
           header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_phentsize == sizeof(Elf64_Phdr) &&
           (header->e_type == ET_DYN || header->e_type == ET_EXEC) && header->e_phoff <= bytes;
}

/* Addresses are the file's at first: the bias may be known only after the last segment. */
static void parse_segment(const struct capture_module *module, struct work *work,
                          const Elf64_Phdr *segment)
{
    if (segment->p_type == PT_LOAD && segment->p_offset == 0) {
        work->bias = module->base - segment->p_vaddr;
    } else if (segment->p_type == PT_NOTE && work->note_bytes == 0 && segment->p_align <= 4) {
        /* The linker may make several; the one with 4-byte alignment holds the build id. */
        work->note_address = segment->p_vaddr;
        work->note_bytes = segment->p_memsz;
    } else if (segment->p_type == PT_DYNAMIC) {
        work->dynamic_address = segment->p_vaddr;
        work->dynamic_bytes = segment->p_memsz;
    }
}

/* A new module's, whose first page has arrived: so much of it. */
static void start_work(struct work *work, size_t header_bytes)
{
    work->note_address = work->dynamic_address = work->name_address = 0;
    work->note_bytes = work->dynamic_bytes = 0;
    work->header_bytes = header_bytes;
}

/* Finds notes and dynamic section by the program headers; false if this is no ELF image. */
static bool parse_header(const struct capture_module *module, struct work *work)
{
    size_t at, bytes = work->header_bytes;
    Elf64_Ehdr header;

    if (bytes < sizeof(header)) {
        return false;
    }
    capture_copy(&header, work->header, sizeof(header));
    if (!is_image(&header, bytes)) {
        return false;
    }
    work->bias = module->base;
    at = header.e_phoff;
    for (unsigned i = 0; i < header.e_phnum && bytes - at >= sizeof(Elf64_Phdr); i++) {
        Elf64_Phdr segment;

        capture_copy(&segment, work->header + at, sizeof(segment));
        at += sizeof(segment);
        parse_segment(module, work, &segment);
    }
    work->note_address += work->bias;
    work->dynamic_address += work->dynamic_bytes != 0 ? work->bias : 0;
    return true;
}

static void parse_notes(struct capture_module *module, const struct work *work, size_t bytes)
{
    Elf64_Nhdr note;
    size_t at = 0;

    while (at < bytes && bytes - at >= sizeof(note)) {
        size_t name, content;

        capture_copy(&note, work->notes + at, sizeof(note));
        at += sizeof(note);
        name = ((size_t)note.n_namesz + 3) & ~(size_t)3;
        content = ((size_t)note.n_descsz + 3) & ~(size_t)3;
        if (name > bytes - at || content > bytes - at - name) {
            return;
        }
        if (note.n_type == NOTE_BUILD_ID && note.n_namesz == 4 &&
            capture_compare(work->notes + at, "GNU", 4) == 0 &&
            note.n_descsz <= sizeof(module->build_id)) {
            capture_copy(module->build_id, work->notes + at + name, note.n_descsz);
            module->build_id_bytes = note.n_descsz;
            return;
        }
        at += name + content;
    }
}

static void parse_dynamic(const struct capture_module *module, struct work *work, size_t bytes)
{
    uint64_t strings = 0, name = 0;
    bool named = false;

    for (size_t at = 0; at + sizeof(Elf64_Dyn) <= bytes; at += sizeof(Elf64_Dyn)) {
        Elf64_Dyn entry;

        capture_copy(&entry, work->dynamic + at, sizeof(entry));
        if (entry.d_tag == DT_NULL) {
            break;
        }
        if (entry.d_tag == DT_STRTAB) {
            strings = entry.d_un.d_ptr;
        } else if (entry.d_tag == DT_SONAME) {
            name = entry.d_un.d_val;
            named = true;
        }
    }
    if (named && strings != 0) {
        /* glibc's linker has made this an address in memory, others leave the file's. */
        bool in_memory = strings - module->base < module->bytes;

        work->name_address = (in_memory ? strings : strings + work->bias) + name;
    }
}

/* The numbers behind ".so." of "libexample.so.1.2.3". */
static void parse_version(struct capture_module *module)
{
    const char *at = module->soname, *end = at + capture_length(at);

    while (*at != '\0' && !capture_starts(at, ".so.")) {
        at++;
    }
    at += *at != '\0' ? 4 : 0;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t number;

        if (!capture_parse_decimal(&at, end, &number)) {
            return;
        }
        module->version[i] = number <= 0xffff ? (uint32_t)number : 0xffff;
        if (*at++ != '.') {
            return;
        }
    }
}

/* Modules that are examined together, so many that few system calls read what they need, so few
 * that all of it stays in the CPU's cache. */
struct batch {
    struct capture_module *modules;
    size_t count;
    struct work *work;    /* of each module */
    struct piece *pieces; /* two for each */
};

/* Afterwards the batch holds those only that are ELF images. */
static void read_headers(struct capture *capture, struct batch *batch)
{
    struct capture_module *modules = batch->modules;
    struct work *work = batch->work;
    size_t kept = 0;

    for (size_t i = 0; i < batch->count; i++) {
        batch->pieces[i] = (struct piece){ modules[i].base, work[i].header,
                                           at_most(modules[i].bytes, HEADER_BYTES), 0 };
    }
    memory_read_pieces(capture, batch->pieces, batch->count);
    for (size_t i = 0; i < batch->count; i++) {
        start_work(&work[i], batch->pieces[i].done);
        if (parse_header(&modules[i], &work[i])) {
            if (kept != i) {
                modules[kept] = modules[i];
                work[kept] = work[i];
            }
            kept++;
        }
    }
    batch->count = kept;
}

/* A piece of a module that has arrived already if its first page holds it. */
static struct piece make_piece(const struct capture_module *module, const struct work *work,
                               uint64_t address, void *to, size_t bytes)
{
    struct piece piece = { address, to, bytes, 0 };
    uint64_t offset = address - module->base;

    if (offset < work->header_bytes && bytes <= work->header_bytes - offset) {
        capture_copy(to, work->header + offset, bytes);
        piece.done = bytes;
    }
    return piece;
}

static void read_details(struct capture *capture, const struct batch *batch)
{
    struct piece *pieces = batch->pieces;

    for (size_t i = 0; i < batch->count; i++) {
        struct work *work = &batch->work[i];

        pieces[2 * i] = make_piece(&batch->modules[i], work, work->note_address, work->notes,
                                   at_most(work->note_bytes, NOTE_BYTES));
        pieces[2 * i + 1] = make_piece(&batch->modules[i], work, work->dynamic_address,
                                       work->dynamic, at_most(work->dynamic_bytes, DYNAMIC_BYTES));
    }
    memory_read_pieces(capture, pieces, 2 * batch->count);
    for (size_t i = 0; i < batch->count; i++) {
        struct capture_module *module = &batch->modules[i];

        module->dynamic_address = batch->work[i].dynamic_address;
        parse_notes(module, &batch->work[i], pieces[2 * i].done);
        parse_dynamic(module, &batch->work[i], pieces[2 * i + 1].done);
    }
}

static void read_names(struct capture *capture, const struct batch *batch)
{
    struct piece *pieces = batch->pieces;

    for (size_t i = 0; i < batch->count; i++) {
        struct work *work = &batch->work[i];

        pieces[i] = make_piece(&batch->modules[i], work, work->name_address, work->name,
                               work->name_address != 0 ? NAME_BYTES - 1 : 0);
    }
    memory_read_pieces(capture, pieces, batch->count);
    for (size_t i = 0; i < batch->count; i++) {
        struct capture_module *module = &batch->modules[i];
        size_t length = capture_length_within(batch->work[i].name, pieces[i].done);
        const char *name = arena_text(&capture->arena, batch->work[i].name, length);

        module->soname = name != NULL ? name : "";
        parse_version(module);
    }
}

static void examine(struct capture *capture, struct work *work, struct piece *pieces)
{
    size_t candidates = capture->module_count, kept = 0;

    for (size_t first = 0; first < candidates; first += BATCH) {
        struct batch batch = { &capture->modules[first], at_most(candidates - first, BATCH), work,
                               pieces };

        read_headers(capture, &batch);
        read_details(capture, &batch);
        read_names(capture, &batch);
        capture_move(&capture->modules[kept], batch.modules, batch.count * sizeof(*batch.modules));
        kept += batch.count;
    }
    capture->module_count = kept;
}

void modules_read(struct capture *capture)
{
    struct work *work =
        arena_array(&capture->arena, at_most(capture->module_count, BATCH), sizeof(*work));
    struct piece *pieces =
        arena_array(&capture->arena, at_most(capture->module_count, BATCH) * 2, sizeof(*pieces));

    if (work != NULL && pieces != NULL) {
        examine(capture, work, pieces);
    }
}
