/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of the engine that compute: the plan's classes, DWARF expressions, what a call looks like,
 * callers without call frame information. Modules' files are played by the stubs below.
 */
#include "core/engine/code.h"
#include "core/engine/expression.h"
#include "core/engine/plan.h"
#include "core/engine/stackwalk.h"
#include "core/engine/unwind.h"
#include "tests/unit/dump_maker.h"
#include "tests/unit/tap.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* No file of a module is there: neither call frame information nor code. */
enum stackwalk_step stackwalk_step(struct stackwalk *files, uint64_t lookup,
                                   struct unwind_registers *registers, bool *ret_signal)
{
    (void)files, (void)lookup, (void)registers;
    *ret_signal = false;
    return STACKWALK_UNKNOWN;
}

bool stackwalk_code(struct stackwalk *files, uint64_t address, void *buffer, size_t bytes)
{
    (void)files, (void)address, (void)buffer, (void)bytes;
    return false;
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

/* ---- Expressions ---- */

#define OP(code_, first_, second_, offset_)                                                        \
    {                                                                                              \
        .code = (code_), .first = (first_), .second = (second_), .offset = (offset_)               \
    }
#define RUN(operations_, result_)                                                                  \
    expression_run(&frame, operations_, sizeof(operations_) / sizeof((operations_)[0]), result_)

static const struct unwind_registers registers = { .value = { [7] = 0x1000, [16] = 0x401b },
                                                   .known = 1u << 7 | 1u << 16 };
static const struct expression_frame frame = { .registers = &registers,
                                               .cfa = 0x2000,
                                               .has_cfa = true };

static void test_expression_cfa(void)
{
    const struct expression_operation plus8[] = { OP(0x77, 8, 0, 0) }; /* breg7 8 */
    const struct expression_operation below[] = { OP(0x9c, 0, 0, 0),   /* call_frame_cfa, */
                                                  OP(0x23, (uint64_t)-16, 0, 1) };
    struct expression_result result;

    CU_ASSERT_TRUE(RUN(plus8, &result));
    CU_ASSERT_EQUAL(result.value, 0x1008);
    CU_ASSERT_TRUE(RUN(below, &result));
    CU_ASSERT_EQUAL(result.value, 0x1ff0);
    CU_ASSERT_FALSE(result.is_value);
}

/* What a procedure linkage table has: rsp + 8 + ((rip & 15) >= 11) * 8. */
static void test_expression_plt(void)
{
    const struct expression_operation plt[] = {
        OP(0x77, 8, 0, 0), OP(0x80, 0, 0, 2), OP(0x3f, 0, 0, 4),
        OP(0x1a, 0, 0, 5), OP(0x3b, 0, 0, 6), OP(0x2a, 0, 0, 7),
        OP(0x33, 0, 0, 8), OP(0x24, 0, 0, 9), OP(0x22, 0, 0, 10),
    };
    struct expression_result result;

    CU_ASSERT_TRUE(RUN(plt, &result));
    CU_ASSERT_EQUAL(result.value, 0x1010); /* rip & 15 is 11 */
}

static void test_expression_hostile(void)
{
    const struct expression_operation unknown_register[] = { OP(0x76, 0, 0, 0) };
    const struct expression_operation underflow[] = { OP(0x22, 0, 0, 0) };
    const struct expression_operation forever[] = { OP(0x2f, (uint64_t)-3, 0, 0) }; /* skip -3 */
    const struct expression_operation nowhere[] = { OP(0x2f, 100, 0, 0) };
    const struct expression_operation strange[] = { OP(0xff, 0, 0, 0) };
    struct expression_operation deep[40];
    struct expression_result result;

    CU_ASSERT_FALSE(RUN(unknown_register, &result));
    CU_ASSERT_FALSE(RUN(underflow, &result));
    CU_ASSERT_FALSE(RUN(forever, &result));
    CU_ASSERT_FALSE(RUN(nowhere, &result));
    CU_ASSERT_FALSE(RUN(strange, &result));
    for (size_t i = 0; i < sizeof(deep) / sizeof(deep[0]); i++) {
        deep[i] = (struct expression_operation)OP(0x31, 0, 0, i);
    }
    CU_ASSERT_FALSE(RUN(deep, &result));
    CU_ASSERT_FALSE(expression_run(&frame, deep, 0, &result));
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

/* ---- Walking by guessing ---- */

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

static struct minidump *make_dump(const uint64_t words[WORDS])
{
    static const char maps[] = "00400000-00401000 r--p 00000000 fe:01 12 /opt/shop\n"
                               "00401000-00402000 r-xp 00001000 fe:01 12 /opt/shop\n"
                               "007ff000-00800000 rw-p 00000000 00:00 0  [stack]\n";
    static struct maker maker;
    unsigned char list[20] = { 0 };
    struct minidump *dump = NULL;
    int fd;

    maker_begin(&maker, 1700000000);
    maker_system(&maker, 9, 0x8201, "");
    put32(list, 1);
    put64(list + 4, STACK);
    put32(list + 12, WORDS * 8);
    put32(list + 16, maker_add(&maker, words, WORDS * 8));
    maker_stream(&maker, MINIDUMP_STREAM_MEMORY_LIST, list, sizeof(list));
    maker_stream(&maker, MINIDUMP_STREAM_LINUX_MAPS, maps, sizeof(maps) - 1);
    maker_end(&maker);
    fd = maker_file(&maker, maker.bytes);
    CU_ASSERT_EQUAL(minidump_open(fd, "made", &dump, NULL), 0);
    close(fd);
    return dump;
}

static void walk(const uint64_t words[WORDS], uint64_t rip, uint64_t rbp, struct found *found)
{
    struct unwind_registers start = {
        .value = { [UNWIND_RSP] = STACK, [UNWIND_RBP] = rbp, [UNWIND_RIP] = rip },
        .known = 1u << UNWIND_RSP | 1u << UNWIND_RBP | 1u << UNWIND_RIP
    };
    struct minidump *dump = make_dump(words);

    found->count = 0;
    if (dump != NULL) {
        unwind_run(dump, NULL, &start, collect, found);
        minidump_close(dump);
    }
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

static const struct tap_test tests[] = {
    { "what a pipeline wants captured", test_plan_capture },
    { "empty values want nothing", test_plan_empty_values },
    { "expressions of frames", test_expression_cfa },
    { "the expression of a PLT", test_expression_plt },
    { "hostile expressions", test_expression_hostile },
    { "calls of x86-64", test_calls },
    { "callers by frame pointer", test_frame_pointers },
    { "callers by scanning", test_scan },
    { "a call through a bad pointer", test_bad_call },
    { "a chain that goes round", test_cycle },
    { NULL, NULL },
};

int main(void)
{
    return tap_run("engine", tests);
}
