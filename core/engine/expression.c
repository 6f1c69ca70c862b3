/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded stack machine for DWARF expressions; see expression.h. Operations come in families,
 * each with its own function, which answers DONE, FAILED, or OTHER for what is not its own.
 * [engine]
 */
#include "core/engine/expression.h"

#define STACK_SLOTS 32
#define MAX_STEPS   512

/* The operations' numbers, of DWARF 5, table 7.9. */
enum operation {
    OP_ADDR = 0x03,
    OP_DEREF = 0x06,
    OP_CONST1U = 0x08,
    OP_CONST1S = 0x09,
    OP_CONST2U = 0x0a,
    OP_CONST2S = 0x0b,
    OP_CONST4U = 0x0c,
    OP_CONST4S = 0x0d,
    OP_CONST8U = 0x0e,
    OP_CONST8S = 0x0f,
    OP_CONSTU = 0x10,
    OP_CONSTS = 0x11,
    OP_DUP = 0x12,
    OP_DROP = 0x13,
    OP_OVER = 0x14,
    OP_PICK = 0x15,
    OP_SWAP = 0x16,
    OP_ROT = 0x17,
    OP_AND = 0x1a,
    OP_MINUS = 0x1c,
    OP_MUL = 0x1e,
    OP_NEG = 0x1f,
    OP_NOT = 0x20,
    OP_OR = 0x21,
    OP_PLUS = 0x22,
    OP_PLUS_UCONST = 0x23,
    OP_SHL = 0x24,
    OP_SHR = 0x25,
    OP_SHRA = 0x26,
    OP_XOR = 0x27,
    OP_BRA = 0x28,
    OP_EQ = 0x29,
    OP_GE = 0x2a,
    OP_GT = 0x2b,
    OP_LE = 0x2c,
    OP_LT = 0x2d,
    OP_NE = 0x2e,
    OP_SKIP = 0x2f,
    OP_LIT0 = 0x30,
    OP_LIT31 = 0x4f,
    OP_REG0 = 0x50,
    OP_REG31 = 0x6f,
    OP_BREG0 = 0x70,
    OP_BREG31 = 0x8f,
    OP_REGX = 0x90,
    OP_BREGX = 0x92,
    OP_DEREF_SIZE = 0x94,
    OP_NOP = 0x96,
    OP_CALL_FRAME_CFA = 0x9c,
    OP_STACK_VALUE = 0x9f,
};

struct machine {
    const struct expression_frame *frame;
    uint64_t stack[STACK_SLOTS];
    size_t depth;
    bool is_value; /* the top is the value itself, not its address */
};

enum outcome { DONE, FAILED, OTHER };

static enum outcome push(struct machine *machine, uint64_t value)
{
    if (machine->depth == STACK_SLOTS) {
        return FAILED;
    }
    machine->stack[machine->depth++] = value;
    return DONE;
}

static bool pop(struct machine *machine, uint64_t *ret_value)
{
    if (machine->depth == 0) {
        return false;
    }
    *ret_value = machine->stack[--machine->depth];
    return true;
}

static enum outcome push_register(struct machine *machine, uint64_t number, uint64_t addend)
{
    const struct unwind_registers *registers = machine->frame->registers;

    if (number >= UNWIND_REGISTERS || (registers->known & (1u << number)) == 0) {
        return FAILED;
    }
    return push(machine, registers->value[number] + addend);
}

static enum outcome constant(struct machine *machine, const struct expression_operation *operation)
{
    if (operation->code >= OP_LIT0 && operation->code <= OP_LIT31) {
        return push(machine, (uint64_t)operation->code - OP_LIT0);
    }
    switch (operation->code) {
    case OP_ADDR: /* would have to be relocated, and call frame information has no use for it */
        return FAILED;
    case OP_CONST1U:
    case OP_CONST1S: /* signed ones come sign-extended from the decoder */
    case OP_CONST2U:
    case OP_CONST2S:
    case OP_CONST4U:
    case OP_CONST4S:
    case OP_CONST8U:
    case OP_CONST8S:
    case OP_CONSTU:
    case OP_CONSTS:
        return push(machine, operation->first);
    default:
        return OTHER;
    }
}

static enum outcome reg(struct machine *machine, const struct expression_operation *operation)
{
    if (operation->code >= OP_BREG0 && operation->code <= OP_BREG31) {
        return push_register(machine, (uint64_t)operation->code - OP_BREG0, operation->first);
    }
    if (operation->code >= OP_REG0 && operation->code <= OP_REG31) {
        machine->is_value = true;
        return push_register(machine, (uint64_t)operation->code - OP_REG0, 0);
    }
    switch (operation->code) {
    case OP_BREGX:
        return push_register(machine, operation->first, operation->second);
    case OP_REGX:
        machine->is_value = true;
        return push_register(machine, operation->first, 0);
    case OP_CALL_FRAME_CFA:
        return machine->frame->has_cfa ? push(machine, machine->frame->cfa) : FAILED;
    default:
        return OTHER;
    }
}

static enum outcome fetch(struct machine *machine, size_t bytes)
{
    uint64_t address, value = 0;

    if (bytes == 0 || bytes > sizeof(value) || !pop(machine, &address) ||
        minidump_read(machine->frame->dump, address, &value, bytes) != bytes) {
        return FAILED;
    }
    return push(machine, value); /* little endian: the low bytes are the value */
}

static enum outcome copy_slot(struct machine *machine, uint64_t from_top)
{
    if (from_top >= machine->depth) {
        return FAILED;
    }
    return push(machine, machine->stack[machine->depth - 1 - from_top]);
}

/* Moves the top slot below the next `others`. */
static enum outcome rotate(struct machine *machine, size_t others)
{
    uint64_t top;

    if (machine->depth <= others) {
        return FAILED;
    }
    top = machine->stack[machine->depth - 1];
    for (size_t i = 0; i < others; i++) {
        machine->stack[machine->depth - 1 - i] = machine->stack[machine->depth - 2 - i];
    }
    machine->stack[machine->depth - 1 - others] = top;
    return DONE;
}

static enum outcome shuffle(struct machine *machine, const struct expression_operation *operation)
{
    uint64_t ignored;

    switch (operation->code) {
    case OP_DUP:
        return copy_slot(machine, 0);
    case OP_OVER:
        return copy_slot(machine, 1);
    case OP_PICK:
        return copy_slot(machine, operation->first);
    case OP_DROP:
        return pop(machine, &ignored) ? DONE : FAILED;
    case OP_SWAP:
        return rotate(machine, 1);
    case OP_ROT:
        return rotate(machine, 2);
    case OP_DEREF:
        return fetch(machine, sizeof(uint64_t));
    case OP_DEREF_SIZE:
        return fetch(machine, operation->first);
    default:
        return OTHER;
    }
}

static enum outcome unary(struct machine *machine, const struct expression_operation *operation)
{
    uint64_t value;

    switch (operation->code) {
    case OP_PLUS_UCONST:
        return pop(machine, &value) ? push(machine, value + operation->first) : FAILED;
    case OP_NEG:
        return pop(machine, &value) ? push(machine, 0 - value) : FAILED;
    case OP_NOT:
        return pop(machine, &value) ? push(machine, ~value) : FAILED;
    default:
        return OTHER;
    }
}

static bool arithmetic(uint8_t code, uint64_t a, uint64_t b, uint64_t *ret_value)
{
    switch (code) {
    case OP_PLUS:
        *ret_value = a + b;
        return true;
    case OP_MINUS:
        *ret_value = a - b;
        return true;
    case OP_MUL:
        *ret_value = a * b;
        return true;
    case OP_AND:
        *ret_value = a & b;
        return true;
    case OP_OR:
        *ret_value = a | b;
        return true;
    case OP_XOR:
        *ret_value = a ^ b;
        return true;
    case OP_SHL:
        *ret_value = b < 64 ? a << b : 0;
        return true;
    case OP_SHR:
        *ret_value = b < 64 ? a >> b : 0;
        return true;
    case OP_SHRA:
        *ret_value = (uint64_t)((int64_t)a >> (b < 64 ? b : 63));
        return true;
    default:
        return false;
    }
}

static bool comparison(uint8_t code, int64_t a, int64_t b, uint64_t *ret_value)
{
    switch (code) {
    case OP_EQ:
        *ret_value = a == b;
        return true;
    case OP_NE:
        *ret_value = a != b;
        return true;
    case OP_LT:
        *ret_value = a < b;
        return true;
    case OP_LE:
        *ret_value = a <= b;
        return true;
    case OP_GT:
        *ret_value = a > b;
        return true;
    case OP_GE:
        *ret_value = a >= b;
        return true;
    default:
        return false;
    }
}

static enum outcome binary(struct machine *machine, const struct expression_operation *operation)
{
    uint64_t a, b, value;

    if (machine->depth < 2) {
        return OTHER;
    }
    a = machine->stack[machine->depth - 2];
    b = machine->stack[machine->depth - 1];
    if (!arithmetic(operation->code, a, b, &value) &&
        !comparison(operation->code, (int64_t)a, (int64_t)b, &value)) {
        return OTHER;
    }
    machine->depth -= 2;
    return push(machine, value);
}

static enum outcome apply(struct machine *machine, const struct expression_operation *operation)
{
    static enum outcome (*const families[])(
        struct machine *, const struct expression_operation *) = { constant, reg, shuffle, unary,
                                                                   binary };

    if (operation->code == OP_NOP) {
        return DONE;
    }
    if (operation->code == OP_STACK_VALUE) {
        machine->is_value = true;
        return DONE;
    }
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        enum outcome outcome = families[i](machine, operation);

        if (outcome != OTHER) {
            return outcome;
        }
    }
    return FAILED;
}

/* The index of the operation that a branch leads to; `count` ends the expression; false: nowhere.
 */
static bool branch(const struct expression_operation *operations, size_t count, size_t from,
                   size_t *ret_index)
{
    /* Both branch operations are one byte and a two-byte distance, counted from the byte behind. */
    uint64_t target = operations[from].offset + 3 + (uint64_t)(int16_t)operations[from].first;

    for (size_t i = 0; i < count; i++) {
        if (operations[i].offset == target) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

bool expression_run(const struct expression_frame *frame,
                    const struct expression_operation *operations, size_t count,
                    struct expression_result *ret_result)
{
    struct machine machine = { .frame = frame };
    size_t next = 0;

    for (unsigned steps = 0; next < count; steps++) {
        const struct expression_operation *operation = &operations[next];
        uint64_t condition = 1;

        if (steps == MAX_STEPS) {
            return false;
        }
        if (operation->code != OP_BRA && operation->code != OP_SKIP) {
            if (apply(&machine, operation) != DONE) {
                return false;
            }
            next++;
            continue;
        }
        if (operation->code == OP_BRA && !pop(&machine, &condition)) {
            return false;
        }
        if (condition == 0) {
            next++;
        } else if (!branch(operations, count, next, &next)) {
            return false;
        }
    }
    if (machine.depth == 0) {
        return false;
    }
    *ret_result = (struct expression_result){ machine.stack[machine.depth - 1], machine.is_value };
    return true;
}
