/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of the engine that compute: the plan's classes, what a call looks like, how the stack walk
 * takes turns with call frame information. Modules' files are played by the stubs below.
 */
#include "core/engine/code.h"
#include "core/engine/plan.h"
#include "core/engine/stackwalk.h"
#include "core/engine/unwind.h"
#include "tests/unit/dump_maker.h"
#include "tests/unit/tap.h"

#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

/* What the modules' files say: callers by call frame information, and one piece of code. */
struct caller {
    uint64_t lookup; /* of the frame whose caller it is */
    uint64_t rip, rsp, rbp;
    bool exact, outermost; /* outermost: there is none */
};

static const struct caller *callers; /* up to one without lookup */
static uint64_t code_address;        /* 0: there is no code */
static unsigned char code_bytes[CODE_SIGNAL_RETURN_BYTES];

enum stackwalk_end stackwalk_callers(struct stackwalk *files,
                                     const struct unwind_registers *registers, uint64_t lookup,
                                     stackwalk_caller_fn *found, void *user)
{
    (void)files, (void)registers;
    for (const struct caller *caller = callers; caller != NULL && caller->lookup != 0; caller++) {
        struct unwind_registers values = {
            .value = { [UNWIND_RIP] = caller->rip,
                       [UNWIND_RSP] = caller->rsp,
                       [UNWIND_RBP] = caller->rbp },
            .known = 1u << UNWIND_RIP | 1u << UNWIND_RSP | 1u << UNWIND_RBP,
        };

        if (caller->lookup != lookup) {
            continue;
        }
        if (caller->outermost) {
            return STACKWALK_OUTERMOST;
        }
        if (!found(&values, caller->exact, user)) {
            return STACKWALK_UNKNOWN;
        }
        lookup = caller->exact ? caller->rip : caller->rip - 1;
    }
    return STACKWALK_UNKNOWN;
}

bool stackwalk_code(struct stackwalk *files, uint64_t address, void *buffer, size_t bytes)
{
    (void)files;
    if (address != code_address || bytes > sizeof(code_bytes)) {
        return false;
    }
    memcpy(buffer, code_bytes, bytes);
    return true;
}

/* ---- Plan ---- */

static const char *const memories[] = { "stacks", "referenced", "full", NULL };
static const char *const classes[] = { "nothing", "environment", "command-line", NULL };

struct options {
    int32_t memory;
    struct cairn_list include;
    int32_t arguments;
    const char *variable;
};

static const struct cairn_option table[] = {
    { .name = "memory",
      .type = CAIRN_OPTION_ENUM,
      .offset = offsetof(struct options, memory),
      .choices = memories,
      .capture = "=" },
    { .name = "include",
      .type = CAIRN_OPTION_ENUM,
      .flags = CAIRN_OPTION_LIST,
      .offset = offsetof(struct options, include),
      .choices = classes,
      .capture = "=" },
    { .name = "arguments",
      .type = CAIRN_OPTION_BOOL,
      .offset = offsetof(struct options, arguments),
      .capture = "command-line" },
    { .name = "variable",
      .type = CAIRN_OPTION_STRING,
      .offset = offsetof(struct options, variable),
      .capture = "environment" },
    { .name = NULL },
};

/* Two pipelines: the first with the first instance as a writer, the second with the second as an
 * annotator. */
struct two {
    struct options options[2];
    struct config_instance instances[2];
    struct config_pipeline pipelines[2];
    struct config config;
    size_t indexes[2];
};

static void make_two(struct two *two)
{
    memset(two, 0, sizeof(*two));
    for (size_t i = 0; i < 2; i++) {
        two->instances[i].options = &two->options[i];
        two->instances[i].table = table;
        two->indexes[i] = i;
    }
    two->pipelines[0].stages[CAIRN_KIND_WRITER] = (struct config_stage){ &two->indexes[0], 1 };
    two->pipelines[1].stages[CAIRN_KIND_ANNOTATOR] = (struct config_stage){ &two->indexes[1], 1 };
    two->config.instances = two->instances;
    two->config.instance_count = 2;
    two->config.pipelines = two->pipelines;
    two->config.pipeline_count = 2;
}

static void test_plan_capture(void)
{
    static const int32_t environment[] = { 1 };
    struct plan_capture capture;
    struct two two;

    make_two(&two);
    plan_capture(&two.config, NULL, &capture);
    CU_ASSERT_EQUAL(capture.memory, PLAN_STACKS);
    CU_ASSERT_EQUAL(capture.classes, 0);

    two.options[0].include = (struct cairn_list){ 1, environment };
    two.options[1].memory = 2;
    two.options[1].arguments = 1;
    plan_capture(&two.config, &two.pipelines[0], &capture);
    CU_ASSERT_EQUAL(capture.memory, PLAN_STACKS);
    CU_ASSERT_EQUAL(capture.classes, PLAN_ENVIRONMENT);
    plan_capture(&two.config, &two.pipelines[1], &capture);
    CU_ASSERT_EQUAL(capture.memory, PLAN_FULL);
    CU_ASSERT_EQUAL(capture.classes, PLAN_COMMAND_LINE);
    plan_capture(&two.config, NULL, &capture);
    CU_ASSERT_EQUAL(capture.memory, PLAN_FULL);
    CU_ASSERT_EQUAL(capture.classes, PLAN_COMMAND_LINE | PLAN_ENVIRONMENT);
}

static void test_plan_empty_values(void)
{
    struct plan_capture capture;
    struct two two;

    make_two(&two);
    two.options[0].variable = "";
    two.options[1].memory = 99; /* no such choice */
    plan_capture(&two.config, NULL, &capture);
    CU_ASSERT_EQUAL(capture.classes, 0);
    CU_ASSERT_EQUAL(capture.memory, PLAN_STACKS);
    two.options[0].variable = "HOME";
    plan_capture(&two.config, NULL, &capture);
    CU_ASSERT_EQUAL(capture.classes, PLAN_ENVIRONMENT);
}

/* ---- Calls ---- */

static void test_calls(void)
{
    static const struct {
        unsigned char code[7];
        bool is_call;
    } cases[] = {
        { { 0x90, 0x90, 0xe8, 1, 2, 3, 4 }, true },              /* call rel32 */
        { { 0x90, 0x90, 0x90, 0x90, 0x90, 0xff, 0xd0 }, true },  /* call *rax */
        { { 0x90, 0xff, 0x15, 1, 2, 3, 4 }, true },              /* call *disp(rip) */
        { { 0x90, 0x90, 0x90, 0x90, 0xff, 0x50, 0x18 }, true },  /* call *24(rax) */
        { { 0xff, 0x94, 0x24, 1, 2, 3, 4 }, true },              /* call *disp32(rsp) */
        { { 0x90, 0x90, 0x90, 0x90, 0x90, 0xff, 0xe0 }, false }, /* jmp *rax */
        { { 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90 }, false },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CU_ASSERT_EQUAL(code_ends_in_call(cases[i].code, 7), cases[i].is_call);
    }
}

/* ---- Walking ---- */

#define STACK 0x7ff000u
#define WORDS 64

struct found {
    struct unwind_frame frames[8];
    size_t count;
};

static bool collect(const struct unwind_frame *found_frame, void *user)
{
    struct found *found = user;

    found->frames[found->count++] = *found_frame;
    return found->count < sizeof(found->frames) / sizeof(found->frames[0]);
}

/* The second half of the words lies `gap` bytes farther up, and what is between is not in the dump.
 */
static struct minidump *make_dump(const uint64_t words[WORDS], uint32_t gap)
{
    const uint32_t half = WORDS / 2 * 8;
    static const char maps[] = "00400000-00401000 r--p 00000000 fe:01 12 /opt/shop\n"
                               "00401000-00402000 r-xp 00001000 fe:01 12 /opt/shop\n"
                               "007ff000-00800000 rw-p 00000000 00:00 0  [stack]\n";
    static struct maker maker;
    unsigned char list[36] = { 0 };
    struct minidump *dump = NULL;
    int fd;

    maker_begin(&maker, 1700000000);
    maker_system(&maker, 9, 0x8201, "");
    put32(list, 2);
    for (uint32_t i = 0; i < 2; i++) {
        put64(list + 4 + i * 16, STACK + i * (half + gap));
        put32(list + 12 + i * 16, half);
        put32(list + 16 + i * 16, maker_add(&maker, words + i * WORDS / 2, half));
    }
    maker_stream(&maker, MINIDUMP_STREAM_MEMORY_LIST, list, sizeof(list));
    maker_stream(&maker, MINIDUMP_STREAM_LINUX_MAPS, maps, sizeof(maps) - 1);
    maker_end(&maker);
    fd = maker_file(&maker, maker.bytes);
    CU_ASSERT_EQUAL(minidump_open(fd, "made", &dump, NULL), 0);
    close(fd);
    return dump;
}

static void walk_over(const uint64_t words[WORDS], uint32_t gap, uint64_t rip, uint64_t rbp,
                      struct found *found)
{
    struct unwind_registers start = {
        .value = { [UNWIND_RSP] = STACK, [UNWIND_RBP] = rbp, [UNWIND_RIP] = rip },
        .known = 1u << UNWIND_RSP | 1u << UNWIND_RBP | 1u << UNWIND_RIP
    };
    struct minidump *dump = make_dump(words, gap);

    found->count = 0;
    if (dump != NULL) {
        unwind_run(dump, NULL, &start, collect, found);
        minidump_close(dump);
    }
}

static void walk(const uint64_t words[WORDS], uint64_t rip, uint64_t rbp, struct found *found)
{
    walk_over(words, 0, rip, rbp, found);
}

static void test_frame_pointers(void)
{
    uint64_t words[WORDS] = { 0 };
    struct found found;

    words[4] = STACK + 10 * 8; /* the caller's rbp */
    words[5] = 0x401123;
    words[10] = 0; /* the end of the chain */
    words[11] = 0x401456;
    walk(words, 0x401010, STACK + 4 * 8, &found);
    CU_ASSERT_EQUAL_FATAL(found.count, 3);
    CU_ASSERT_EQUAL(found.frames[0].trust, UNWIND_CONTEXT);
    CU_ASSERT_EQUAL(found.frames[0].lookup, 0x401010);
    CU_ASSERT_EQUAL(found.frames[1].address, 0x401123);
    CU_ASSERT_EQUAL(found.frames[1].lookup, 0x401122);
    CU_ASSERT_EQUAL(found.frames[1].trust, UNWIND_FRAME_POINTER);
    CU_ASSERT_EQUAL(found.frames[2].address, 0x401456);
    CU_ASSERT_EQUAL(found.frames[2].trust, UNWIND_FRAME_POINTER);
}

static void test_scan(void)
{
    uint64_t words[WORDS] = { 0 };
    struct found found;

    words[1] = 0x400800; /* data of the module, not code */
    words[3] = 0x401789;
    walk(words, 0x401010, 1, &found); /* no frame pointer */
    CU_ASSERT_EQUAL_FATAL(found.count, 2);
    CU_ASSERT_EQUAL(found.frames[1].address, 0x401789);
    CU_ASSERT_EQUAL(found.frames[1].trust, UNWIND_SCAN);
}

/* A call through a null pointer: the return address lies on top of the stack, and the caller's
 * frame pointer is still good. */
static void test_bad_call(void)
{
    uint64_t words[WORDS] = { 0 };
    struct found found;

    words[0] = 0x401222;
    words[6] = 0;
    words[7] = 0x401333;
    walk(words, 0, STACK + 6 * 8, &found);
    CU_ASSERT_EQUAL_FATAL(found.count, 3);
    CU_ASSERT_EQUAL(found.frames[0].address, 0);
    CU_ASSERT_EQUAL(found.frames[1].address, 0x401222);
    CU_ASSERT_EQUAL(found.frames[2].address, 0x401333);
    CU_ASSERT_EQUAL(found.frames[2].trust, UNWIND_FRAME_POINTER);
}

/* A chain that leads back to itself must not be followed for ever. */
static void test_cycle(void)
{
    uint64_t words[WORDS] = { 0 };
    struct found found;

    words[2] = STACK + 2 * 8;
    words[3] = 0x401123;
    walk(words, 0x401010, STACK + 2 * 8, &found);
    CU_ASSERT_EQUAL(found.count, 2);
}

/* Call frame information for the second frame and the fourth; the rest is by frame pointer. */
static void test_turns(void)
{
    static const struct caller script[] = {
        { .lookup = 0x401122, .rip = 0x401234, .rsp = STACK + 8 * 8, .rbp = STACK + 10 * 8 },
        { .lookup = 0x401455, .outermost = true },
        { .lookup = 0 },
    };
    uint64_t words[WORDS] = { 0 };
    struct found found;

    words[4] = 1; /* no frame pointer */
    words[5] = 0x401123;
    words[10] = STACK + 20 * 8;
    words[11] = 0x401456;
    words[21] = 0x401777; /* the outermost frame has no caller */
    callers = script;
    walk(words, 0x401010, STACK + 4 * 8, &found);
    callers = NULL;
    CU_ASSERT_EQUAL_FATAL(found.count, 4);
    CU_ASSERT_EQUAL(found.frames[1].address, 0x401123);
    CU_ASSERT_EQUAL(found.frames[1].trust, UNWIND_FRAME_POINTER);
    CU_ASSERT_EQUAL(found.frames[2].address, 0x401234);
    CU_ASSERT_EQUAL(found.frames[2].trust, UNWIND_CFI);
    CU_ASSERT_EQUAL(found.frames[3].address, 0x401456);
    CU_ASSERT_EQUAL(found.frames[3].trust, UNWIND_FRAME_POINTER);
}

/* What a function left there that has returned is passed by; the frame whose callers are known up
 * to the outermost one is where the walk goes on. */
static void test_gap(void)
{
    static const struct caller script[] = {
        { .lookup = 0x401500, .rip = 0x401601, .rsp = STACK + 0x400 + 62 * 8 },
        { .lookup = 0x401600, .outermost = true },
        { .lookup = 0 },
    };
    uint64_t words[WORDS] = { 0 };
    struct found found;

    words[33] = 0x401301;
    words[40] = 0x401501;
    callers = script;
    walk_over(words, 0x400, 0x401010, 1, &found);
    CU_ASSERT_EQUAL_FATAL(found.count, 3);
    CU_ASSERT_EQUAL(found.frames[0].missing, 0);
    CU_ASSERT_EQUAL(found.frames[1].address, 0x401501);
    CU_ASSERT_EQUAL(found.frames[1].trust, UNWIND_SCAN);
    CU_ASSERT_EQUAL(found.frames[1].missing, 0x400);
    CU_ASSERT_EQUAL(found.frames[2].address, 0x401601);
    CU_ASSERT_EQUAL(found.frames[2].missing, 0);
    callers = NULL;
    walk_over(words, 0x1000, 0x401010, 1, &found); /* another mapping: not the same stack */
    CU_ASSERT_EQUAL(found.count, 1);
}

/* Call frame information that leads down the stack, or out of the code, is not believed. */
static void test_implausible(void)
{
    static const struct caller scripts[][2] = {
        { { .lookup = 0x401010, .rip = 0x401111, .rsp = STACK }, { .lookup = 0 } },
        { { .lookup = 0x401010, .rip = 0x400111, .rsp = STACK + 8 }, { .lookup = 0 } },
    };
    uint64_t words[WORDS] = { 0 };
    struct found found;

    words[3] = 0x401789;
    for (size_t i = 0; i < 2; i++) {
        callers = scripts[i];
        walk(words, 0x401010, 1, &found);
        callers = NULL;
        CU_ASSERT_EQUAL_FATAL(found.count, 2);
        CU_ASSERT_EQUAL(found.frames[1].address, 0x401789);
        CU_ASSERT_EQUAL(found.frames[1].trust, UNWIND_SCAN);
    }
}

/* A handler returns to a trampoline without call frame information; the signal came upon a call
 * through a bad pointer. */
static void test_signal_return(void)
{
    static const unsigned char trampoline[] = { 0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05 };
    static const struct caller script[] = {
        { .lookup = 0x401010, .rip = 0x401800, .rsp = STACK + 8 },
        { .lookup = 0x4017ff, .rip = 0x401999, .rsp = STACK + 16 }, /* of what lies before it */
        { .lookup = 0 },
    };
    uint64_t words[WORDS] = { 0 };
    ucontext_t context = { .uc_flags = 0 };
    struct found found;

    context.uc_mcontext.gregs[REG_CSGSFS] = 0x33;
    context.uc_mcontext.gregs[REG_RIP] = 0;
    context.uc_mcontext.gregs[REG_RSP] = STACK + 50 * 8;
    memcpy(&words[1], &context, 49 * sizeof(words[0]));
    words[50] = 0x401222;
    memcpy(code_bytes, trampoline, sizeof(code_bytes));
    code_address = 0x401800;
    callers = script;
    walk(words, 0x401010, 1, &found);
    callers = NULL;
    CU_ASSERT_EQUAL_FATAL(found.count, 4);
    CU_ASSERT_EQUAL(found.frames[1].lookup, 0x401800);
    CU_ASSERT_EQUAL(found.frames[1].trust, UNWIND_CFI);
    CU_ASSERT_EQUAL(found.frames[2].address, 0);
    CU_ASSERT_EQUAL(found.frames[2].trust, UNWIND_CONTEXT);
    CU_ASSERT_EQUAL(found.frames[3].address, 0x401222);

    words[0] = 0x401800; /* found by scanning, too, */
    walk(words, 0x401010, 1, &found);
    CU_ASSERT_EQUAL_FATAL(found.count, 4);
    CU_ASSERT_EQUAL(found.frames[1].address, 0x401800);
    CU_ASSERT_EQUAL(found.frames[1].trust, UNWIND_SCAN);
    words[1 + 5 + REG_CSGSFS] = 0; /* but not where no registers were saved */
    walk(words, 0x401010, 1, &found);
    CU_ASSERT_EQUAL_FATAL(found.count, 2);
    CU_ASSERT_EQUAL(found.frames[1].address, 0x401222);
    code_address = 0;
}

static const struct tap_test tests[] = {
    { "what a pipeline wants captured", test_plan_capture },
    { "empty values want nothing", test_plan_empty_values },
    { "calls of x86-64", test_calls },
    { "callers by frame pointer", test_frame_pointers },
    { "callers by scanning", test_scan },
    { "a call through a bad pointer", test_bad_call },
    { "a chain that goes round", test_cycle },
    { "call frame information and frame pointers by turns", test_turns },
    { "walk: over a gap", test_gap },
    { "call frame information that is not believed", test_implausible },
    { "a signal that came upon a call through a bad pointer", test_signal_return },
    { NULL, NULL },
};

int main(void)
{
    return tap_run("engine", tests);
}
