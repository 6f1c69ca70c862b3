/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ELF files behind a dump's modules, and libdwfl's unwinder over them and the dump's memory; see
 * stackwalk.h. The one home of libdw's headers. Runs in the walk's child process [engine]: files
 * may be hostile.
 */
#include "config.h"

#include "core/engine/stackwalk.h"

#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_MODULES    4096
#define MAX_VDSO_BYTES 65536
#define THREAD         1 /* the one thread that libdwfl is told of; any number does */

struct stackwalk {
    const struct minidump *dump;
    Dwfl *dwfl;
    struct run *run; /* within stackwalk_callers() */
};

/* Never called for modules that were reported with their file, as all of ours are. */
static int find_no_elf(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
                       char **ret_path, Elf **ret_elf)
{
    (void)module, (void)data, (void)name, (void)base, (void)ret_path, (void)ret_elf;
    return -1;
}

static const Dwfl_Callbacks callbacks = {
    .find_elf = find_no_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
};

static bool is_for_this_cpu(Elf *elf)
{
    GElf_Ehdr header;

    return gelf_getehdr(elf, &header) != NULL && header.e_machine == EM_X86_64 &&
           gelf_getclass(elf) == ELFCLASS64;
}

static bool same_build_id(int fd, const char *expected)
{
    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    const void *bits = NULL;
    ssize_t bytes = elf != NULL ? dwelf_elf_gnu_build_id(elf, &bits) : -1;
    bool same = bytes >= 0 && is_for_this_cpu(elf) && strlen(expected) == (size_t)bytes * 2;

    for (ssize_t i = 0; same && i < bytes; i++) {
        static const char digits[] = "0123456789abcdef";
        unsigned char byte = ((const unsigned char *)bits)[i];

        same = expected[i * 2] == digits[byte >> 4] && expected[i * 2 + 1] == digits[byte & 15];
    }
    elf_end(elf);
    return same;
}

/* Paths come from the crashed process: only a regular file is looked into. */
static int open_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat status;

    if (fd >= 0 && (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* This process's own vDSO is the crashed one's if they run on the same kernel. */
static int copy_vdso(void)
{
    const void *image = (const void *)(uintptr_t)getauxval(AT_SYSINFO_EHDR);
    int fd = image != NULL ? memfd_create("vdso", MFD_CLOEXEC) : -1;

    /* Ends where the vDSO does: what is not mapped is not written. */
    if (fd >= 0 && write(fd, image, MAX_VDSO_BYTES) <= 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static int open_module(const struct minidump_module *module)
{
    int fd = module->path[0] == '/' ? open_file(module->path) : copy_vdso();

    if (fd >= 0 && !same_build_id(fd, module->build_id)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void report_modules(struct stackwalk *files)
{
    size_t count = minidump_module_count(files->dump);

    dwfl_report_begin(files->dwfl);
    for (size_t i = 0; i < count && i < MAX_MODULES; i++) {
        const struct minidump_module *module = minidump_module_at(files->dump, i);
        int fd = open_module(module);

        if (fd >= 0 && dwfl_report_elf(files->dwfl, module->path, module->path, fd, module->base,
                                       false) == NULL) {
            close(fd);
        }
    }
    dwfl_report_end(files->dwfl, NULL, NULL);
}

/* ---- Callers by call frame information ---- */

/* One call of stackwalk_callers(), which libdwfl calls back. */
struct run {
    struct unwind_registers registers; /* of the frame to start from */
    uint64_t lookup;
    stackwalk_caller_fn *found;
    void *user;
    bool begun; /* the frame to start from has been passed */
    bool read;  /* the last read of memory since the latest frame succeeded */
    enum stackwalk_end end;
};

static pid_t next_thread(Dwfl *dwfl, void *user, void **thread)
{
    (void)dwfl;
    if (*thread != NULL) {
        return 0;
    }
    *thread = user;
    return THREAD;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *ret_word, void *user)
{
    struct stackwalk *files = user;
    Dwarf_Word word;

    (void)dwfl;
    files->run->read = minidump_read(files->dump, address, &word, sizeof(word)) == sizeof(word);
    if (files->run->read) {
        *ret_word = word;
    }
    return files->run->read;
}

static bool set_registers(Dwfl_Thread *thread, void *user)
{
    const struct run *run = ((struct stackwalk *)user)->run;

    for (int i = 0; i < UNWIND_REGISTERS; i++) {
        if ((run->registers.known & (1u << i)) != 0 &&
            !dwfl_thread_state_registers(thread, i, 1, &run->registers.value[i])) {
            return false;
        }
    }
    dwfl_thread_state_register_pc(thread, run->lookup);
    return true;
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
    .next_thread = next_thread,
    .memory_read = read_memory,
    .set_initial_registers = set_registers,
};

enum rule { RULE_NONE, RULE_CALLER, RULE_OUTERMOST };

static enum rule rule_in(Dwarf_CFI *cfi, Dwarf_Addr address)
{
    Dwarf_Op memory[3], *operations;
    Dwarf_Frame *frame;
    size_t count;
    int number;
    bool undefined;

    if (cfi == NULL || dwarf_cfi_addrframe(cfi, address, &frame) != 0) {
        return RULE_NONE;
    }
    number = dwarf_frame_info(frame, NULL, NULL, NULL); /* of the return address's register */
    undefined = dwarf_frame_register(frame, number, memory, &operations, &count) == 0 &&
                count == 0 && operations == memory;
    free(frame);
    return undefined ? RULE_OUTERMOST : RULE_CALLER;
}

/* What libdwfl is about to use for a frame. Where it has nothing, it would follow the frame pointer
 * without looking at what that leads to. */
static enum rule rule_for(const struct stackwalk *files, uint64_t lookup)
{
    Dwfl_Module *module = dwfl_addrmodule(files->dwfl, lookup);
    Dwarf_Addr bias = 0;
    Dwarf_CFI *cfi;
    enum rule rule;

    if (module == NULL) {
        return RULE_NONE;
    }
    cfi = dwfl_module_eh_cfi(module, &bias);
    rule = rule_in(cfi, lookup - bias);
    if (rule == RULE_NONE) {
        cfi = dwfl_module_dwarf_cfi(module, &bias);
        rule = rule_in(cfi, lookup - bias);
    }
    return rule;
}

static bool tell_caller(struct run *run, Dwfl_Frame *frame, Dwarf_Addr address, bool exact)
{
    struct unwind_registers caller = { .known = 0 };

    for (unsigned i = 0; i < UNWIND_REGISTERS; i++) {
        if (dwfl_frame_reg(frame, i, &caller.value[i]) == 0) {
            caller.known |= 1u << i;
        }
    }
    caller.value[UNWIND_RIP] = address;
    caller.known |= 1u << UNWIND_RIP;
    return (caller.known & (1u << UNWIND_RSP)) != 0 && run->found(&caller, exact, run->user);
}

/* libdwfl has a frame; answers whether it shall go on to the caller. */
static int take_frame(Dwfl_Frame *frame, void *user)
{
    struct stackwalk *files = user;
    struct run *run = files->run;
    Dwarf_Addr address;
    enum rule rule;
    bool exact;

    run->read = false; /* before dwfl_frame_pc(), which may unwind the frame already */
    if (!dwfl_frame_pc(frame, &address, &exact) ||
        (run->begun && !tell_caller(run, frame, address, exact))) {
        return DWARF_CB_ABORT;
    }
    run->begun = true;
    rule = rule_for(files, exact ? address : address - 1);
    if (rule == RULE_OUTERMOST) {
        run->end = STACKWALK_OUTERMOST;
    }
    return rule == RULE_CALLER ? DWARF_CB_OK : DWARF_CB_ABORT;
}

enum stackwalk_end stackwalk_callers(struct stackwalk *files,
                                     const struct unwind_registers *registers, uint64_t lookup,
                                     stackwalk_caller_fn *found, void *user)
{
    struct run run = {
        .registers = *registers,
        .lookup = lookup,
        .found = found,
        .user = user,
        .end = STACKWALK_UNKNOWN,
    };

    files->run = &run;
    /* 0 is also the answer when the return address could not be read. */
    if (dwfl_getthread_frames(files->dwfl, THREAD, take_frame, files) == 0 && run.read &&
        run.end == STACKWALK_UNKNOWN) {
        run.end = STACKWALK_ZERO;
    }
    files->run = NULL;
    return run.end;
}

/* ---- Open and close ---- */

struct stackwalk *stackwalk_open(const struct minidump *dump)
{
    struct stackwalk *files = calloc(1, sizeof(*files));

    if (files == NULL) {
        return NULL;
    }
    unsetenv("DEBUGINFOD_URLS"); /* a crash must not wait for a server */
    elf_version(EV_CURRENT);
    files->dump = dump;
    files->dwfl = dwfl_begin(&callbacks);
    if (files->dwfl == NULL) {
        free(files);
        return NULL;
    }
    report_modules(files);
    /* Fails without a module that has a file: there is no call frame information then. */
    dwfl_attach_state(files->dwfl, NULL, THREAD, &thread_callbacks, files);
    return files;
}

void stackwalk_close(struct stackwalk *files)
{
    if (files != NULL) {
        dwfl_end(files->dwfl);
        free(files);
    }
}

/* ---- Symbols and code ---- */

bool stackwalk_symbol(struct stackwalk *files, uint64_t address, const char **ret_name,
                      uint64_t *ret_offset)
{
    Dwfl_Module *module = dwfl_addrmodule(files->dwfl, address);
    GElf_Off offset;
    GElf_Sym symbol;
    const char *name;

    if (module == NULL) {
        return false;
    }
    name = dwfl_module_addrinfo(module, address, &offset, &symbol, NULL, NULL, NULL);
    if (name == NULL || name[0] == '\0') {
        return false;
    }
    *ret_name = name;
    *ret_offset = offset;
    return true;
}

/* Whether the range of addresses is one that this segment has in the file. */
static bool holds(const GElf_Phdr *segment, GElf_Addr address, size_t bytes)
{
    return segment->p_type == PT_LOAD && address >= segment->p_vaddr &&
           address - segment->p_vaddr <= segment->p_filesz &&
           bytes <= segment->p_filesz - (address - segment->p_vaddr);
}

bool stackwalk_code(struct stackwalk *files, uint64_t address, void *buffer, size_t bytes)
{
    Dwfl_Module *module = dwfl_addrmodule(files->dwfl, address);
    GElf_Addr bias;
    Elf *elf = module != NULL ? dwfl_module_getelf(module, &bias) : NULL;
    size_t count;

    if (elf == NULL || elf_getphdrnum(elf, &count) != 0) {
        return false;
    }
    address -= bias;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr segment;
        Elf_Data *data;

        if (gelf_getphdr(elf, (int)i, &segment) == NULL || !holds(&segment, address, bytes)) {
            continue;
        }
        data = elf_getdata_rawchunk(elf, (int64_t)(segment.p_offset + (address - segment.p_vaddr)),
                                    bytes, ELF_T_BYTE);
        if (data == NULL || data->d_size < bytes) {
            return false;
        }
        memcpy(buffer, data->d_buf, bytes);
        return true;
    }
    return false;
}

/* ---- The module ---- */

extern const struct stackwalk_module cairn_stackwalk;

__attribute__((visibility("default"))) const struct stackwalk_module cairn_stackwalk = {
    .version = PACKAGE_VERSION,
    .open = stackwalk_open,
    .close = stackwalk_close,
    .callers = stackwalk_callers,
    .symbol = stackwalk_symbol,
    .code = stackwalk_code,
};
