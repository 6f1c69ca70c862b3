/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ELF files behind a dump's modules: call frame information, symbols, code; see stackwalk.h. The
 * one home of libdw's headers. Runs in the walk's child process [engine]: files may be hostile.
 */
#include "core/engine/stackwalk.h"

#include "core/engine/expression.h"

#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_MODULES    4096
#define MAX_OPERATIONS 64

struct stackwalk {
    const struct minidump *dump;
    Dwfl *dwfl;
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

static bool same_build_id(int fd, const char *expected)
{
    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    const void *bits = NULL;
    ssize_t bytes = elf != NULL ? dwelf_elf_gnu_build_id(elf, &bits) : -1;
    bool same = elf != NULL && elf_kind(elf) == ELF_K_ELF && bytes >= 0 &&
                strlen(expected) == (size_t)bytes * 2;

    for (ssize_t i = 0; same && i < bytes; i++) {
        static const char digits[] = "0123456789abcdef";
        unsigned char byte = ((const unsigned char *)bits)[i];

        same = expected[i * 2] == digits[byte >> 4] && expected[i * 2 + 1] == digits[byte & 15];
    }
    elf_end(elf);
    return same;
}

/* Paths come from the crashed process: only a regular file with the right build id is looked into.
 */
static int open_file(const struct minidump_module *module)
{
    struct stat status;
    int fd;

    if (module->path == NULL || module->path[0] != '/') {
        return -1; /* the vDSO, a name without a path */
    }
    fd = open(module->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) ||
        !same_build_id(fd, module->build_id != NULL ? module->build_id : "")) {
        close(fd);
        return -1;
    }
    return fd;
}

static void report_modules(struct stackwalk *files)
{
    size_t count = minidump_module_count(files->dump);

    dwfl_report_begin(files->dwfl);
    for (size_t i = 0; i < count && i < MAX_MODULES; i++) {
        const struct minidump_module *module = minidump_module_at(files->dump, i);
        int fd = open_file(module);

        if (fd >= 0 && dwfl_report_elf(files->dwfl, module->path, module->path, fd, module->base,
                                       false) == NULL) {
            close(fd);
        }
    }
    dwfl_report_end(files->dwfl, NULL, NULL);
}

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
    return files;
}

void stackwalk_close(struct stackwalk *files)
{
    if (files != NULL) {
        dwfl_end(files->dwfl);
        free(files);
    }
}

/* ---- One frame by call frame information ---- */

static bool translate(const Dwarf_Op *operations, size_t count,
                      struct expression_operation *ret_operations)
{
    if (count > MAX_OPERATIONS) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        ret_operations[i] = (struct expression_operation){
            .code = operations[i].atom,
            .first = operations[i].number,
            .second = operations[i].number2,
            .offset = operations[i].offset,
        };
    }
    return true;
}

static bool evaluate(const struct expression_frame *frame, const Dwarf_Op *operations, size_t count,
                     struct expression_result *ret_result)
{
    struct expression_operation translated[MAX_OPERATIONS];

    return translate(operations, count, translated) &&
           expression_run(frame, translated, count, ret_result);
}

enum rule { RULE_VALUE, RULE_UNDEFINED, RULE_BROKEN };

static enum rule caller_value(Dwarf_Frame *frame, const struct expression_frame *state,
                              unsigned number, uint64_t *ret_value)
{
    Dwarf_Op memory[3], *operations;
    struct expression_result result;
    size_t count;

    if (dwarf_frame_register(frame, (int)number, memory, &operations, &count) != 0) {
        return RULE_BROKEN;
    }
    if (count == 0 && operations == memory) {
        return RULE_UNDEFINED;
    }
    if (count == 0) { /* the frame did not change it */
        if ((state->registers->known & (1u << number)) == 0) {
            return RULE_UNDEFINED;
        }
        *ret_value = state->registers->value[number];
        return RULE_VALUE;
    }
    if (!evaluate(state, operations, count, &result)) {
        return RULE_BROKEN;
    }
    if (result.is_value) {
        *ret_value = result.value;
        return RULE_VALUE;
    }
    return minidump_read(state->dump, result.value, ret_value, sizeof(*ret_value)) ==
                   sizeof(*ret_value)
               ? RULE_VALUE
               : RULE_BROKEN;
}

static enum stackwalk_step apply_frame(const struct minidump *dump, Dwarf_Frame *frame,
                                       struct unwind_registers *registers)
{
    struct expression_frame state = { .dump = dump, .registers = registers };
    struct unwind_registers caller = { .known = 0 };
    struct expression_result cfa;
    Dwarf_Op *operations;
    size_t count;

    if (dwarf_frame_cfa(frame, &operations, &count) != 0 || count == 0 ||
        !evaluate(&state, operations, count, &cfa)) {
        return STACKWALK_UNKNOWN;
    }
    state.cfa = cfa.value;
    state.has_cfa = true;
    for (unsigned i = 0; i < UNWIND_REGISTERS; i++) {
        if (i == UNWIND_RSP) { /* the CFA unless a rule says otherwise, as a signal frame's does */
            caller.value[i] = cfa.value;
            caller.known |= 1u << i;
        }
        switch (caller_value(frame, &state, i, &caller.value[i])) {
        case RULE_VALUE:
            caller.known |= 1u << i;
            break;
        case RULE_UNDEFINED:
            if (i == UNWIND_RIP) {
                return STACKWALK_OUTERMOST;
            }
            break;
        case RULE_BROKEN:
            if (i == UNWIND_RIP || i == UNWIND_RSP) {
                return STACKWALK_UNKNOWN;
            }
        }
    }
    *registers = caller;
    return STACKWALK_STEPPED;
}

static enum stackwalk_step step_with(const struct minidump *dump, Dwarf_CFI *cfi,
                                     Dwarf_Addr address, struct unwind_registers *registers,
                                     bool *ret_signal)
{
    Dwarf_Frame *frame;
    enum stackwalk_step step;

    if (cfi == NULL || dwarf_cfi_addrframe(cfi, address, &frame) != 0) {
        return STACKWALK_UNKNOWN;
    }
    if (dwarf_frame_info(frame, NULL, NULL, ret_signal) < 0) {
        *ret_signal = false;
    }
    step = apply_frame(dump, frame, registers);
    free(frame);
    return step;
}

enum stackwalk_step stackwalk_step(struct stackwalk *files, uint64_t lookup,
                                   struct unwind_registers *registers, bool *ret_signal)
{
    Dwfl_Module *module = dwfl_addrmodule(files->dwfl, lookup);
    enum stackwalk_step step;
    Dwarf_Addr bias = 0;
    Dwarf_CFI *cfi;

    *ret_signal = false;
    if (module == NULL) {
        return STACKWALK_UNKNOWN;
    }
    cfi = dwfl_module_eh_cfi(module, &bias);
    step = step_with(files->dump, cfi, lookup - bias, registers, ret_signal);
    if (step == STACKWALK_UNKNOWN) {
        cfi = dwfl_module_dwarf_cfi(module, &bias);
        step = step_with(files->dump, cfi, lookup - bias, registers, ret_signal);
    }
    return step;
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
        GElf_Phdr header;
        Elf_Data *data;

        if (gelf_getphdr(elf, (int)i, &header) == NULL || header.p_type != PT_LOAD ||
            address < header.p_vaddr || address - header.p_vaddr > header.p_filesz ||
            bytes > header.p_filesz - (address - header.p_vaddr)) {
            continue;
        }
        data = elf_getdata_rawchunk(elf, (int64_t)(header.p_offset + (address - header.p_vaddr)),
                                    bytes, ELF_T_BYTE);
        if (data == NULL || data->d_size < bytes) {
            return false;
        }
        memcpy(buffer, data->d_buf, bytes);
        return true;
    }
    return false;
}
