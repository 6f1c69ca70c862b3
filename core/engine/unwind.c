/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk: as far as call frame information leads, then a step without it, and so on; see
 * unwind.h. All input is hostile: the walk is bounded by frames and must move up the stack.
 * [engine]
 */
#include "core/engine/unwind.h"

#include "core/engine/code.h"
#include "core/engine/stackwalk.h"

#include <string.h>
#include <ucontext.h>

#define SCAN_WORDS  512        /* how far a return address is looked for */
#define CALL_BYTES  7          /* the longest call instruction that is recognised */
#define GAP_WORDS   8192       /* the same where a kept part of the stack begins */
#define GAP_TRIES   256        /* of what may be a frame there */
#define FRAME_BYTES (1u << 20) /* a larger distance from stack to frame pointer is not believed */
#define ENTRY_BYTES 64         /* of _start, which nobody called */

#define AT_ENTRY          9
#define USER_CODE_SEGMENT 0x33

struct walk {
    const struct minidump *dump;
    struct stackwalk *files;
    struct code_map code;
    struct unwind_registers registers;
    uint64_t entry; /* where the program began; 0 if unknown */
    bool exact;     /* the address is that of an instruction, not one behind a call */
    enum unwind_trust trust;
    unsigned count;   /* of frames so far */
    uint64_t missing; /* bytes of the stack, before the frame at hand */
    bool cut, over;
    unwind_emit_fn *emit;
    void *user;
};

static bool read_word(const struct walk *walk, uint64_t address, uint64_t *ret_word)
{
    return minidump_read(walk->dump, address, ret_word, sizeof(*ret_word)) == sizeof(*ret_word);
}

static bool knows(const struct walk *walk, unsigned number)
{
    return (walk->registers.known & (1u << number)) != 0;
}

static bool read_code(const struct walk *walk, uint64_t address, unsigned char *code, size_t bytes)
{
    return minidump_read(walk->dump, address, code, bytes) == bytes ||
           stackwalk_code(walk->files, address, code, bytes);
}

static bool is_signal_return(const struct walk *walk, uint64_t address)
{
    unsigned char code[CODE_SIGNAL_RETURN_BYTES];

    return code_map_contains(&walk->code, address) &&
           read_code(walk, address, code, sizeof(code)) && code_is_signal_return(code);
}

/* What a signal interrupted, as the kernel saved it; `rsp` is the trampoline's. */
static bool read_interrupted(const struct walk *walk, uint64_t rsp, gregset_t saved)
{
    uint64_t address = rsp + offsetof(ucontext_t, uc_mcontext.gregs);

    return minidump_read(walk->dump, address, saved, sizeof(gregset_t)) == sizeof(gregset_t) &&
           (saved[REG_CSGSFS] & 0xffff) == USER_CODE_SEGMENT;
}

/* Code, and behind a call as far as the bytes before it can be had; or a signal trampoline, whose
 * address is found as data, too: then no context lies at `rsp`, the caller's stack pointer. */
static bool is_return_address(const struct walk *walk, uint64_t address, uint64_t rsp)
{
    unsigned char code[CALL_BYTES];
    gregset_t saved;

    if (address < CALL_BYTES || !code_map_contains(&walk->code, address - 1)) {
        return false;
    }
    if (is_signal_return(walk, address)) {
        return read_interrupted(walk, rsp, saved);
    }
    return !read_code(walk, address - CALL_BYTES, code, sizeof(code)) ||
           code_ends_in_call(code, sizeof(code));
}

/* Only what survives a call by convention is still known in a caller that was found by guessing. */
static void set_caller(struct walk *walk, uint64_t rip, uint64_t rsp, uint64_t rbp)
{
    walk->registers.value[UNWIND_RIP] = rip;
    walk->registers.value[UNWIND_RSP] = rsp;
    walk->registers.value[UNWIND_RBP] = rbp;
    walk->registers.known = 1u << UNWIND_RIP | 1u << UNWIND_RSP | 1u << UNWIND_RBP;
    walk->exact = is_signal_return(walk, rip);
}

/* Not every signal trampoline has call frame information, musl's has none; but all have the
 * interrupted registers on top of the stack. */
static bool step_signal_return(struct walk *walk)
{
    static const int numbers[UNWIND_REGISTERS] = {
        REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
        REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP,
    };
    gregset_t saved;

    if (!is_signal_return(walk, walk->registers.value[UNWIND_RIP]) ||
        !read_interrupted(walk, walk->registers.value[UNWIND_RSP], saved)) {
        return false;
    }
    for (unsigned i = 0; i < UNWIND_REGISTERS; i++) {
        walk->registers.value[i] = (uint64_t)saved[numbers[i]];
    }
    walk->registers.known = (1u << UNWIND_REGISTERS) - 1;
    walk->exact = true;
    return true;
}

/* A call through a bad pointer: the return address lies on top of the stack. */
static bool step_bad_call(struct walk *walk)
{
    uint64_t rsp = walk->registers.value[UNWIND_RSP], address;
    uint32_t known = walk->registers.known;

    if (!walk->exact || code_map_contains(&walk->code, walk->registers.value[UNWIND_RIP]) ||
        !read_word(walk, rsp, &address) || !is_return_address(walk, address, rsp + 8)) {
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
        !is_return_address(walk, address, rbp + 16)) {
        return false;
    }
    set_caller(walk, address, rbp + 16, saved);
    return true;
}

static bool scan(struct walk *walk, uint64_t rsp, unsigned words)
{
    uint64_t address;

    for (unsigned i = 0; i < words && read_word(walk, rsp, &address); i++, rsp += 8) {
        if (is_return_address(walk, address, rsp + 8)) {
            set_caller(walk, address, rsp + 8, walk->registers.value[UNWIND_RBP]);
            return true;
        }
    }
    return false;
}

static bool step_scan(struct walk *walk)
{
    return scan(walk, (walk->registers.value[UNWIND_RSP] + 7) & ~7ull, SCAN_WORDS);
}

/* Without call frame information nothing else tells that the stack ends here, at the arguments. */
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

static uint64_t lookup_of(const struct walk *walk)
{
    return walk->registers.value[UNWIND_RIP] - (walk->exact ? 0 : 1);
}

/* A walk that is only tried. */
struct trial {
    const struct walk *walk;
    uint64_t rsp;
    unsigned count;
};

static bool try_caller(const struct unwind_registers *caller, bool exact, void *user)
{
    struct trial *trial = user;
    bool up = caller->value[UNWIND_RSP] > trial->rsp;

    trial->rsp = caller->value[UNWIND_RSP];
    trial->count++;
    return (up || exact) &&
           code_map_contains(&trial->walk->code, caller->value[UNWIND_RIP] - (exact ? 0 : 1));
}

/* How many callers call frame information knows of what was just found, if it leads to the end of
 * the stack; else 0. */
static unsigned way_out(const struct walk *walk)
{
    struct trial trial = { walk, walk->registers.value[UNWIND_RSP], 0 };

    return stackwalk_callers(walk->files, &walk->registers, lookup_of(walk), try_caller, &trial) ==
                   STACKWALK_OUTERMOST
               ? trial.count
               : 0;
}

/* Nothing is known of the registers behind a gap. A function that has a frame pointer saves its
 * caller's right below the return address. */
static void find_frame_pointer(struct walk *walk)
{
    uint64_t rsp = walk->registers.value[UNWIND_RSP], saved;

    if (read_word(walk, rsp - 16, &saved) && saved > rsp && saved - rsp < FRAME_BYTES &&
        saved % 8 == 0) {
        walk->registers.value[UNWIND_RBP] = saved;
    } else {
        walk->registers.known &= ~(1u << UNWIND_RBP);
    }
}

/* The frame of a kept part of the stack from which the longest way leads to the stack's end;
 * without such the first that may be one. What functions left there that have returned looks the
 * same. */
static bool find_frame(struct walk *walk, uint64_t start)
{
    struct walk best = *walk;
    unsigned tries = 0, most = 0;

    while (tries < GAP_TRIES && scan(walk, start, GAP_WORDS)) {
        unsigned count;

        find_frame_pointer(walk);
        count = way_out(walk);
        if (tries++ == 0 || count > most) {
            best = *walk;
            most = count;
        }
        start = walk->registers.value[UNWIND_RSP];
    }
    *walk = best;
    return tries > 0;
}

/* Of a deep stack both ends are kept: behind the inner one the walk goes on in the outer one. */
static bool step_gap(struct walk *walk)
{
    uint64_t rsp = walk->registers.value[UNWIND_RSP], end = rsp;
    struct code_range stack;

    if (!code_find_mapping(walk->dump, rsp, &stack)) {
        return false;
    }
    for (size_t i = 0; i < minidump_block_count(walk->dump); i++) { /* sorted by address */
        const struct minidump_block *block = minidump_block_at(walk->dump, i);

        if (block->start > end && block->start < stack.end) {
            walk->missing = block->start - end;
            return find_frame(walk, (block->start + 7) & ~7ull);
        }
        if (block->start <= end && block->start + block->bytes > end) {
            end = block->start + block->bytes;
        }
    }
    return false;
}

/* Tells the receiver of the frame that the walk has come to; false when the walk is over. */
static bool emit_frame(struct walk *walk)
{
    struct unwind_frame frame = {
        .address = walk->registers.value[UNWIND_RIP],
        .lookup = lookup_of(walk),
        .trust = walk->trust,
        .missing = walk->missing,
    };

    walk->missing = 0;
    walk->cut = walk->count == UNWIND_MAX_FRAMES;
    walk->over = walk->cut || !walk->emit(&frame, walk->user);
    walk->count++;
    return !walk->over;
}

/* A caller is believed if it is code and lies further up the stack; if the frame before it was only
 * guessed, it must be one that called. A signal may have come on another stack, and anywhere. */
static bool is_plausible(const struct walk *walk, const struct unwind_registers *caller, bool exact)
{
    uint64_t rip = caller->value[UNWIND_RIP], rsp = caller->value[UNWIND_RSP];

    if (exact) {
        return true;
    }
    if (rsp <= walk->registers.value[UNWIND_RSP]) {
        return false;
    }
    return walk->trust == UNWIND_SCAN ? is_return_address(walk, rip, rsp)
                                      : code_map_contains(&walk->code, rip - 1);
}

static bool take_caller(const struct unwind_registers *caller, bool exact, void *user)
{
    struct walk *walk = user;

    if (!is_plausible(walk, caller, exact)) {
        return false;
    }
    walk->registers = *caller;
    walk->exact = exact || is_signal_return(walk, caller->value[UNWIND_RIP]);
    walk->trust = UNWIND_CFI;
    /* A trampoline that its call frame information does not make known is for us to pass. */
    return emit_frame(walk) && walk->exact == exact;
}

/* One step where call frame information led no further. */
static bool step_without(struct walk *walk, enum stackwalk_end end)
{
    if (step_signal_return(walk)) {
        walk->trust = UNWIND_CONTEXT;
        return true;
    }
    if (end != STACKWALK_UNKNOWN || is_entry(walk, lookup_of(walk))) {
        return false;
    }
    walk->trust = UNWIND_SCAN;
    if (step_bad_call(walk)) {
        return true;
    }
    if (step_frame_pointer(walk)) {
        walk->trust = UNWIND_FRAME_POINTER;
        return true;
    }
    return step_scan(walk) || step_gap(walk);
}

static void walk_frames(struct walk *walk)
{
    while (emit_frame(walk)) {
        enum stackwalk_end end;

        end = stackwalk_callers(walk->files, &walk->registers, lookup_of(walk), take_caller, walk);
        if (walk->over || !step_without(walk, end)) {
            return;
        }
    }
}

bool unwind_run(const struct minidump *dump, struct stackwalk *files,
                const struct unwind_registers *start, unwind_emit_fn *emit, void *user)
{
    struct walk walk = {
        .dump = dump,
        .files = files,
        .registers = *start,
        .entry = entry_of(dump),
        .exact = true,
        .trust = UNWIND_CONTEXT,
        .emit = emit,
        .user = user,
    };

    code_map_init(&walk.code, dump);
    walk_frames(&walk);
    code_map_finish(&walk.code);
    return walk.cut;
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
