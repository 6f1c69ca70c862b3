/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a frame to its caller: by call frame information, by the frame pointer, by scanning; see
 * unwind.h. All input is hostile: the walk is bounded by frames and must move up the stack.
 * [engine]
 */
#include "core/engine/unwind.h"

#include "core/engine/code.h"
#include "core/engine/stackwalk.h"

#include <string.h>

#define SCAN_WORDS  512        /* how far a return address is looked for */
#define CALL_BYTES  7          /* the longest call instruction that is recognised */
#define FRAME_BYTES (1u << 20) /* a larger distance from stack to frame pointer is not believed */
#define ENTRY_BYTES 64         /* of _start, which nobody called */

#define AT_ENTRY 9

struct walk {
    const struct minidump *dump;
    struct stackwalk *files;
    struct code_map code;
    struct unwind_registers registers;
    uint64_t entry; /* where the program began; 0 if unknown */
    bool exact;     /* the address is that of an instruction, not one behind a call */
};

static bool read_word(const struct walk *walk, uint64_t address, uint64_t *ret_word)
{
    return minidump_read(walk->dump, address, ret_word, sizeof(*ret_word)) == sizeof(*ret_word);
}

static bool knows(const struct walk *walk, unsigned number)
{
    return (walk->registers.known & (1u << number)) != 0;
}

/* Code, and behind a call as far as the bytes before it can be had. */
static bool is_return_address(const struct walk *walk, uint64_t address)
{
    unsigned char code[CALL_BYTES];

    if (address < CALL_BYTES || !code_map_contains(&walk->code, address - 1)) {
        return false;
    }
    if (minidump_read(walk->dump, address - CALL_BYTES, code, sizeof(code)) != sizeof(code) &&
        !stackwalk_code(walk->files, address - CALL_BYTES, code, sizeof(code))) {
        return true;
    }
    return code_ends_in_call(code, sizeof(code));
}

/* Only what survives a call by convention is still known in a caller that was found by guessing. */
static void set_caller(struct walk *walk, uint64_t rip, uint64_t rsp, uint64_t rbp)
{
    walk->registers.value[UNWIND_RIP] = rip;
    walk->registers.value[UNWIND_RSP] = rsp;
    walk->registers.value[UNWIND_RBP] = rbp;
    walk->registers.known = 1u << UNWIND_RIP | 1u << UNWIND_RSP | 1u << UNWIND_RBP;
    walk->exact = false;
}

/* A call through a bad pointer: the return address lies on top of the stack. */
static bool step_bad_call(struct walk *walk)
{
    uint64_t rsp = walk->registers.value[UNWIND_RSP], address;
    uint32_t known = walk->registers.known;

    if (!walk->exact || code_map_contains(&walk->code, walk->registers.value[UNWIND_RIP]) ||
        !read_word(walk, rsp, &address) || !is_return_address(walk, address)) {
        return false;
    }
    set_caller(walk, address, rsp + sizeof(address), walk->registers.value[UNWIND_RBP]);
    walk->registers.known = known; /* nothing of the callee ran: all registers are the caller's */
    return true;
}

static bool step_frame_pointer(struct walk *walk)
{
    uint64_t rsp = walk->registers.value[UNWIND_RSP], rbp = walk->registers.value[UNWIND_RBP];
    uint64_t saved, address;

    if (!knows(walk, UNWIND_RBP) || rbp < rsp || rbp - rsp > FRAME_BYTES || rbp % 8 != 0 ||
        !read_word(walk, rbp, &saved) || !read_word(walk, rbp + 8, &address) ||
        !is_return_address(walk, address)) {
        return false;
    }
    set_caller(walk, address, rbp + 16, saved);
    return true;
}

static bool step_scan(struct walk *walk)
{
    uint64_t rsp = (walk->registers.value[UNWIND_RSP] + 7) & ~7ull, address;

    for (unsigned i = 0; i < SCAN_WORDS && read_word(walk, rsp, &address); i++, rsp += 8) {
        if (is_return_address(walk, address)) {
            set_caller(walk, address, rsp + 8, walk->registers.value[UNWIND_RBP]);
            return true;
        }
    }
    return false;
}

/* A caller is believed if it is code and lies further up the stack; a signal may have come on
 * another stack. */
static bool is_plausible(const struct walk *walk, const struct unwind_registers *caller,
                         bool signal)
{
    uint64_t rsp = walk->registers.value[UNWIND_RSP];

    return signal || (caller->value[UNWIND_RSP] > rsp &&
                      code_map_contains(&walk->code, caller->value[UNWIND_RIP] - 1));
}

/* Without call frame information nothing else tells that the stack ends here, above the arguments.
 */
static bool is_entry(const struct walk *walk, uint64_t lookup)
{
    return walk->entry != 0 && lookup >= walk->entry && lookup - walk->entry < ENTRY_BYTES;
}

static uint64_t entry_of(const struct minidump *dump)
{
    uint64_t pair[2];
    const void *data;
    size_t bytes;

    if (!minidump_stream(dump, MINIDUMP_STREAM_LINUX_AUXV, &data, &bytes)) {
        return 0;
    }
    for (size_t at = 0; bytes - at >= sizeof(pair); at += sizeof(pair)) {
        memcpy(pair, (const unsigned char *)data + at, sizeof(pair));
        if (pair[0] == AT_ENTRY) {
            return pair[1];
        }
    }
    return 0;
}

enum step { STEP_FOUND, STEP_END };

static enum step find_caller(struct walk *walk, uint64_t lookup, enum unwind_trust *ret_trust)
{
    struct unwind_registers caller = walk->registers;
    bool signal;
    enum stackwalk_step step = stackwalk_step(walk->files, lookup, &caller, &signal);

    if (step == STACKWALK_OUTERMOST || is_entry(walk, lookup) ||
        (step == STACKWALK_STEPPED && caller.value[UNWIND_RIP] == 0)) {
        return STEP_END;
    }
    if (step == STACKWALK_STEPPED && is_plausible(walk, &caller, signal)) {
        walk->registers = caller;
        walk->exact = signal;
        *ret_trust = UNWIND_CFI;
        return STEP_FOUND;
    }
    if (step_bad_call(walk)) {
        *ret_trust = UNWIND_SCAN;
        return STEP_FOUND;
    }
    if (step_frame_pointer(walk)) {
        *ret_trust = UNWIND_FRAME_POINTER;
        return STEP_FOUND;
    }
    *ret_trust = UNWIND_SCAN;
    return step_scan(walk) ? STEP_FOUND : STEP_END;
}

static bool walk_frames(struct walk *walk, unwind_emit_fn *emit, void *user)
{
    enum unwind_trust trust = UNWIND_CONTEXT;

    for (unsigned count = 0; count < UNWIND_MAX_FRAMES; count++) {
        uint64_t address = walk->registers.value[UNWIND_RIP];
        struct unwind_frame frame = {
            .address = address,
            .lookup = walk->exact ? address : address - 1,
            .trust = trust,
        };

        if (!emit(&frame, user) || find_caller(walk, frame.lookup, &trust) == STEP_END) {
            return false;
        }
    }
    return true;
}

bool unwind_run(const struct minidump *dump, struct stackwalk *files,
                const struct unwind_registers *start, unwind_emit_fn *emit, void *user)
{
    struct walk walk = { .dump = dump, .files = files, .registers = *start, .exact = true };
    bool cut;

    walk.entry = entry_of(dump);
    code_map_init(&walk.code, dump);
    cut = walk_frames(&walk, emit, user);
    code_map_finish(&walk.code);
    return cut;
}

bool unwind_registers_of(const struct minidump *dump, const void *context, size_t context_bytes,
                         struct unwind_registers *ret_registers)
{
    static const char *const names[UNWIND_REGISTERS] = {
        "rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8",
        "r9",  "r10", "r11", "r12", "r13", "r14", "r15", "rip",
    };
    const uint32_t needed = 1u << UNWIND_RIP | 1u << UNWIND_RSP;
    struct unwind_registers registers = { .known = 0 };
    struct minidump_register entry;

    if (context == NULL || strcmp(minidump_cpu(dump), "x86_64") != 0) {
        return false;
    }
    for (size_t i = 0; minidump_register_at(dump, context, context_bytes, i, &entry); i++) {
        for (unsigned number = 0; number < UNWIND_REGISTERS; number++) {
            if (strcmp(names[number], entry.name) == 0) {
                registers.value[number] = entry.value;
                registers.known |= 1u << number;
            }
        }
    }
    if ((registers.known & needed) != needed) {
        return false;
    }
    *ret_registers = registers;
    return true;
}
