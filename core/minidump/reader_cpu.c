/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers in the CONTEXT structures of the CPUs that minidumps come from: one table per CPU,
 * names in the order in which debuggers show them. Layouts: Microsoft's CONTEXT for x86 and x64,
 * Breakpad's for ARM and ARM64, whose general registers lie where Microsoft's do. Engine, sender,
 * tools.
 */
#include "core/minidump/reader_inner.h"

struct reader_register {
    const char *name;
    uint16_t offset;
    uint16_t bytes; /* 4 or 8 */
};

struct reader_cpu {
    const char *name;
    size_t least; /* bytes of a context up to its last general register */
    const struct reader_register *registers;
    size_t register_count;
    size_t ip, sp, fp; /* indexes in `registers` */
};

/* clang-format off */
static const struct reader_register x86_64_registers[] = {
    { "rax", 120, 8 }, { "rbx", 144, 8 }, { "rcx", 128, 8 }, { "rdx", 136, 8 },
    { "rsi", 168, 8 }, { "rdi", 176, 8 }, { "rbp", 160, 8 }, { "rsp", 152, 8 },
    { "r8", 184, 8 },  { "r9", 192, 8 },  { "r10", 200, 8 }, { "r11", 208, 8 },
    { "r12", 216, 8 }, { "r13", 224, 8 }, { "r14", 232, 8 }, { "r15", 240, 8 },
    { "rip", 248, 8 }, { "eflags", 68, 4 },
};

static const struct reader_register x86_registers[] = {
    { "eax", 176, 4 }, { "ebx", 164, 4 }, { "ecx", 172, 4 }, { "edx", 168, 4 },
    { "esi", 160, 4 }, { "edi", 156, 4 }, { "ebp", 180, 4 }, { "esp", 196, 4 },
    { "eip", 184, 4 }, { "eflags", 192, 4 },
};

static const struct reader_register arm_registers[] = {
    { "r0", 4, 4 },   { "r1", 8, 4 },   { "r2", 12, 4 },  { "r3", 16, 4 },  { "r4", 20, 4 },
    { "r5", 24, 4 },  { "r6", 28, 4 },  { "r7", 32, 4 },  { "r8", 36, 4 },  { "r9", 40, 4 },
    { "r10", 44, 4 }, { "r11", 48, 4 }, { "r12", 52, 4 }, { "sp", 56, 4 },  { "lr", 60, 4 },
    { "pc", 64, 4 },  { "cpsr", 68, 4 },
};

#define ARM64_X(number_, offset_) { "x" #number_, offset_, 8 }
#define ARM64_REGISTERS(cpsr_)                                                                   \
    ARM64_X(0, 8), ARM64_X(1, 16), ARM64_X(2, 24), ARM64_X(3, 32), ARM64_X(4, 40),               \
    ARM64_X(5, 48), ARM64_X(6, 56), ARM64_X(7, 64), ARM64_X(8, 72), ARM64_X(9, 80),              \
    ARM64_X(10, 88), ARM64_X(11, 96), ARM64_X(12, 104), ARM64_X(13, 112), ARM64_X(14, 120),      \
    ARM64_X(15, 128), ARM64_X(16, 136), ARM64_X(17, 144), ARM64_X(18, 152), ARM64_X(19, 160),    \
    ARM64_X(20, 168), ARM64_X(21, 176), ARM64_X(22, 184), ARM64_X(23, 192), ARM64_X(24, 200),    \
    ARM64_X(25, 208), ARM64_X(26, 216), ARM64_X(27, 224), ARM64_X(28, 232), ARM64_X(29, 240),    \
    ARM64_X(30, 248), { "sp", 256, 8 }, { "pc", 264, 8 }, { "cpsr", cpsr_, 4 }

static const struct reader_register arm64_registers[] = { ARM64_REGISTERS(4) };
static const struct reader_register arm64_old_registers[] = { ARM64_REGISTERS(272) };
/* clang-format on */

#define CPU(name_, least_, table_, ip_, sp_, fp_)                                                  \
    {                                                                                              \
        (name_), (least_), (table_), sizeof(table_) / sizeof((table_)[0]), (ip_), (sp_), (fp_)     \
    }

static const struct reader_cpu x86_64 = CPU("x86_64", 256, x86_64_registers, 16, 7, 6);
static const struct reader_cpu x86 = CPU("x86", 200, x86_registers, 8, 7, 6);
static const struct reader_cpu arm = CPU("arm", 72, arm_registers, 15, 13, 11);
static const struct reader_cpu arm64 = CPU("arm64", 272, arm64_registers, 32, 31, 29);
static const struct reader_cpu arm64_old = CPU("arm64", 276, arm64_old_registers, 32, 31, 29);

const struct reader_cpu *reader_find_cpu(uint16_t architecture)
{
    switch (architecture) {
    case 0:
    case 10: /* a 32-bit program on 64-bit Windows */
        return &x86;
    case 5:
        return &arm;
    case 9:
        return &x86_64;
    case 12:
        return &arm64;
    case 0x8003: /* ARM64 as Breakpad numbered it before Microsoft did */
        return &arm64_old;
    default:
        return NULL;
    }
}

static uint64_t value_of(const struct reader_register *entry, const void *context)
{
    const unsigned char *data = context;

    return entry->bytes == 8 ? reader_u64(data + entry->offset) : reader_u32(data + entry->offset);
}

const void *reader_context(const struct minidump *dump, const unsigned char *descriptor,
                           size_t *ret_bytes)
{
    return reader_located(dump, descriptor, dump->cpu != NULL ? dump->cpu->least : 1, ret_bytes);
}

void reader_key_registers(const struct minidump *dump, const void *context, uint64_t *ret_ip,
                          uint64_t *ret_sp, uint64_t *ret_fp)
{
    const struct reader_cpu *cpu = dump->cpu;

    if (cpu != NULL && context != NULL) {
        *ret_ip = value_of(&cpu->registers[cpu->ip], context);
        *ret_sp = value_of(&cpu->registers[cpu->sp], context);
        *ret_fp = value_of(&cpu->registers[cpu->fp], context);
    }
}

bool minidump_register_at(const struct minidump *dump, const void *context, size_t context_bytes,
                          size_t index, struct minidump_register *ret_register)
{
    const struct reader_cpu *cpu = dump->cpu;

    if (cpu == NULL || context == NULL || context_bytes < cpu->least ||
        index >= cpu->register_count) {
        return false;
    }
    ret_register->name = cpu->registers[index].name;
    ret_register->value = value_of(&cpu->registers[index], context);
    return true;
}

const char *minidump_register_name(const char *name)
{
    static const struct reader_cpu *const cpus[] = { &x86_64, &x86, &arm, &arm64 };

    for (size_t i = 0; i < sizeof(cpus) / sizeof(cpus[0]); i++) {
        for (size_t j = 0; j < cpus[i]->register_count; j++) {
            if (strcmp(cpus[i]->registers[j].name, name) == 0) {
                return cpus[i]->registers[j].name;
            }
        }
    }
    return NULL;
}
