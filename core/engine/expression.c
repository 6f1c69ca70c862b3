/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded stack machine for DWARF expressions; see expression.h. Operations come in families, each
 * with its own function, which answers DONE, FAILED, or OTHER for what is not its own. [engine]
 */
#include "core/engine/expression.h"

#include <dwarf.h>

#define STACK_SLOTS 32
#define MAX_STEPS   512

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
    if (operation->code >= DW_OP_lit0 && operation->code <= DW_OP_lit31) {
        return push(machine, (uint64_t)operation->code - DW_OP_lit0);
    }
    switch (operation->code) {
    case DW_OP_addr: /* would have to be relocated, and call frame information has no use for it */
        return FAILED;
    case DW_OP_const1u:
    case DW_OP_const1s: /* signed ones come sign-extended from the decoder */
    case DW_OP_const2u:
    case DW_OP_const2s:
    case DW_OP_const4u:
    case DW_OP_const4s:
    case DW_OP_const8u:
    case DW_OP_const8s:
    case DW_OP_constu:
    case DW_OP_consts:
        return push(machine, operation->first);
    default:
        return OTHER;
    }
}

static enum outcome reg(struct machine *machine, const struct expression_operation *operation)
{
    if (operation->code >= DW_OP_breg0 && operation->code <= DW_OP_breg31) {
        return push_register(machine, (uint64_t)operation->code - DW_OP_breg0, operation->first);
    }
    if (operation->code >= DW_OP_reg0 && operation->code <= DW_OP_reg31) {
        machine->is_value = true;
        return push_register(machine, (uint64_t)operation->code - DW_OP_reg0, 0);
    }
    switch (operation->code) {
    case DW_OP_bregx:
        return push_register(machine, operation->first, operation->second);
    case DW_OP_regx:
        machine->is_value = true;
        return push_register(machine, operation->first, 0);
    case DW_OP_call_frame_cfa:
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
    case DW_OP_dup:
        return copy_slot(machine, 0);
    case DW_OP_over:
        return copy_slot(machine, 1);
    case DW_OP_pick:
        return copy_slot(machine, operation->first);
    case DW_OP_drop:
        return pop(machine, &ignored) ? DONE : FAILED;
    case DW_OP_swap:
        return rotate(machine, 1);
    case DW_OP_rot:
        return rotate(machine, 2);
    case DW_OP_deref:
        return fetch(machine, sizeof(uint64_t));
    case DW_OP_deref_size:
        return fetch(machine, operation->first);
    default:
        return OTHER;
    }
}

static enum outcome unary(struct machine *machine, const struct expression_operation *operation)
{
    uint64_t value;

    switch (operation->code) {
    case DW_OP_plus_uconst:
        return pop(machine, &value) ? push(machine, value + operation->first) : FAILED;
    case DW_OP_neg:
        return pop(machine, &value) ? push(machine, 0 - value) : FAILED;
    case DW_OP_not:
        return pop(machine, &value) ? push(machine, ~value) : FAILED;
    default:
        return OTHER;
    }
}

static bool arithmetic(uint8_t code, uint64_t a, uint64_t b, uint64_t *ret_value)
{
    switch (code) {
    case DW_OP_plus:
        *ret_value = a + b;
        return true;
    case DW_OP_minus:
        *ret_value = a - b;
        return true;
    case DW_OP_mul:
        *ret_value = a * b;
        return true;
    case DW_OP_and:
        *ret_value = a & b;
        return true;
    case DW_OP_or:
        *ret_value = a | b;
        return true;
    case DW_OP_xor:
        *ret_value = a ^ b;
        return true;
    case DW_OP_shl:
        *ret_value = b < 64 ? a << b : 0;
        return true;
    case DW_OP_shr:
        *ret_value = b < 64 ? a >> b : 0;
        return true;
    case DW_OP_shra:
        *ret_value = (uint64_t)((int64_t)a >> (b < 64 ? b : 63));
        return true;
    default:
        return false;
    }
}

static bool comparison(uint8_t code, int64_t a, int64_t b, uint64_t *ret_value)
{
    switch (code) {
    case DW_OP_eq:
        *ret_value = a == b;
        return true;
    case DW_OP_ne:
        *ret_value = a != b;
        return true;
    case DW_OP_lt:
        *ret_value = a < b;
        return true;
    case DW_OP_le:
        *ret_value = a <= b;
        return true;
    case DW_OP_gt:
        *ret_value = a > b;
        return true;
    case DW_OP_ge:
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
    static enum outcome (*const families[])(struct machine *, const struct expression_operation *) =
        {constant, reg, shuffle, unary, binary};

    if (operation->code == DW_OP_nop) {
        return DONE;
    }
    if (operation->code == DW_OP_stack_value) {
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

/* The index of the operation that a branch leads to; `count` ends the expression; false: nowhere. */
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
    struct machine machine = {.frame = frame};
    size_t next = 0;

    for (unsigned steps = 0; next < count; steps++) {
        const struct expression_operation *operation = &operations[next];
        uint64_t condition = 1;

        if (steps == MAX_STEPS) {
            return false;
        }
        if (operation->code != DW_OP_bra && operation->code != DW_OP_skip) {
            if (apply(&machine, operation) != DONE) {
                return false;
            }
            next++;
            continue;
        }
        if (operation->code == DW_OP_bra && !pop(&machine, &condition)) {
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
    *ret_result = (struct expression_result){machine.stack[machine.depth - 1], machine.is_value};
    return true;
}
