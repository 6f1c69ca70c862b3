/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evaluates the DWARF expressions that call frame information is made of (DWARF 5, section 2.5),
 * bounded, over the registers and the memory of a dump. Knows no libdw. [engine]
 */
#ifndef CAIRN_CORE_ENGINE_EXPRESSION_H
#define CAIRN_CORE_ENGINE_EXPRESSION_H

#include "core/engine/unwind.h"

/* One decoded operation; `offset` is its place in the expression, for branches. */
struct expression_operation {
    uint8_t code;
    uint64_t first, second;
    uint64_t offset;
};

struct expression_frame {
    const struct minidump *dump;
    const struct unwind_registers *registers;
    uint64_t cfa;
    bool has_cfa;
};

struct expression_result {
    uint64_t value;
    bool is_value; /* else it is the address at which the value lies */
};

/* False for an expression that is invalid, too long, or needs what the dump does not have. */
bool expression_run(const struct expression_frame *frame,
                    const struct expression_operation *operations, size_t count,
                    struct expression_result *ret_result);

#endif
