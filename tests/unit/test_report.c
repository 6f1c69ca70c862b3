/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report: its caps and hostile texts, its fields, report.json there and back, what it takes
 * from minidumps of Cairn and of others, and the stability of the signature.
 */
#include "core/minidump/reader.h"
#include "core/report/report.h"
#include "core/report/report_inner.h"
#include "tests/unit/dump_maker.h"
#include "tests/unit/tap.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ID "0193c1de-0000-7000-8000-000000000001"

static struct maker maker; /* large */

static struct cairn_value text_value(const char *text)
{
    return (struct cairn_value){ .type = CAIRN_VALUE_STRING, .string = text };
}

static struct cairn_value integer_value(int64_t number)
{
    return (struct cairn_value){ .type = CAIRN_VALUE_INTEGER, .integer = number };
}

static struct report *made(void)
{
    struct report *report = report_create();

    CU_ASSERT_PTR_NOT_NULL_FATAL(report);
    return report;
}

static void test_caps(void)
{
    struct report *report = made();
    struct report_frame frame = { .address = 1, .trust = "made up" };
    struct cairn_value value = integer_value(1);
    char name[200];

    for (int i = 0; i < REPORT_MAX_ATTRIBUTES; i++) {
        snprintf(name, sizeof(name), "name.%d", i);
        CU_ASSERT_EQUAL(report_set(report, name, &value), 0);
    }
    CU_ASSERT_EQUAL(report_set(report, "more", &value), CAIRN_EFULL);
    CU_ASSERT_EQUAL(report_set(report, "name.0", &value), 0);
    memset(name, 'n', sizeof(name));
    name[129] = '\0';
    CU_ASSERT_EQUAL(report_set(report, name, &value), CAIRN_EINVAL);
    CU_ASSERT_EQUAL(report_set(report, "a b", &value), CAIRN_EINVAL);
    CU_ASSERT_EQUAL(report_set(report, "", &value), CAIRN_EINVAL);
    value.type = 77;
    CU_ASSERT_EQUAL(report_set(report, "name.0", &value), CAIRN_EINVAL);
    for (int i = 0; i < REPORT_MAX_NOTES - 1; i++) {
        CU_ASSERT_EQUAL(report_note(report, "Note %d.", i), 0);
    }
    CU_ASSERT_EQUAL(report_note(report, "Note 3."), 0); /* known: no second one */
    CU_ASSERT_EQUAL(report->note_count, REPORT_MAX_NOTES - 1);
    CU_ASSERT_EQUAL(report_note(report, "One too many."), CAIRN_EFULL);
    CU_ASSERT_EQUAL(report_note(report, "Two too many."), CAIRN_EFULL);
    CU_ASSERT_EQUAL(report->note_count, REPORT_MAX_NOTES);
    CU_ASSERT_PTR_NOT_NULL(strstr(report->notes[REPORT_MAX_NOTES - 1], "left out"));
    for (int i = 0; i < REPORT_MAX_FRAMES; i++) {
        CU_ASSERT_EQUAL(report_add_frame(report, &frame), 0);
    }
    CU_ASSERT_EQUAL(report_add_frame(report, &frame), CAIRN_EFULL);
    CU_ASSERT_STRING_EQUAL(report->frames[0].trust, "unknown");
    report_destroy(report);
}

static void test_text_caps(void)
{
    struct report *report = made();
    char *large = malloc(REPORT_MAX_ATTRIBUTE_BYTES + 2);
    struct cairn_value value = text_value(large);
    char name[16];
    int result = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(large);
    memset(large, 1, REPORT_MAX_ATTRIBUTE_BYTES + 1); /* each becomes four bytes, \x01 */
    large[REPORT_MAX_ATTRIBUTE_BYTES + 1] = '\0';
    CU_ASSERT_EQUAL(report_set(report, "large", &value), CAIRN_EINVAL);
    large[REPORT_MAX_ATTRIBUTE_BYTES] = '\0';
    for (int i = 0; result == 0; i++) {
        snprintf(name, sizeof(name), "large%d", i);
        result = report_set(report, name, &value);
    }
    CU_ASSERT_EQUAL(result, CAIRN_EFULL);
    CU_ASSERT_EQUAL(report->attribute_count, 24);
    CU_ASSERT_EQUAL(report_text(&report->message, large), 0);
    CU_ASSERT_EQUAL(strlen(report->message), REPORT_MAX_TEXT_BYTES);
    CU_ASSERT_EQUAL(report_text(&report->message, NULL), 0);
    CU_ASSERT_PTR_NULL(report->message);
    free(large);
    report_destroy(report);
}

static void test_hostile_text(void)
{
    struct report *report = made();
    struct cairn_value value = text_value("bell \a, half \xe2\x82, \"quoted\"\\\n");
    const char *expected = "bell \\x07, half \xef\xbf\xbd\xef\xbf\xbd, \"quoted\"\\\n";

    CU_ASSERT_EQUAL(report_set(report, "t", &value), 0);
    CU_ASSERT_STRING_EQUAL(report_attribute(report, "t")->string, expected);
    CU_ASSERT_EQUAL(report_add_artifact(report, "../escape", "text/plain", 1, "00"), CAIRN_EINVAL);
    CU_ASSERT_EQUAL(report_add_artifact(report, ".hidden", "text/plain", 1, "00"), CAIRN_EINVAL);
    CU_ASSERT_EQUAL(report_add_artifact(report, "\xcd.dmp", "text/plain", 1, "00"), CAIRN_EINVAL);
    CU_ASSERT_EQUAL(report_add_artifact(report, "\x01.dmp", "text/plain", 1, "00"), CAIRN_EINVAL);
    CU_ASSERT_EQUAL(report_add_artifact(report, "dump.dmp", "a/b", 1, "00"), 0);
    CU_ASSERT_EQUAL(report_add_artifact(report, "dump.dmp", "a/b", 2, "11"), 0);
    CU_ASSERT_EQUAL(report->artifact_count, 1);
    CU_ASSERT_EQUAL(report->artifacts[0].bytes, 2);
    CU_ASSERT_EQUAL(report_add_attachment(report, "relative"), CAIRN_EINVAL);
    CU_ASSERT_EQUAL(report_add_register(report, "nonsense", 1), CAIRN_EINVAL);
    CU_ASSERT_EQUAL(report_timing(report, "", 1), CAIRN_EINVAL);
    CU_ASSERT_EQUAL(report_timing(report, "walk", 1), 0);
    CU_ASSERT_EQUAL(report_timing(report, "walk_us", 2), 0);
    CU_ASSERT_EQUAL(report->timing_count, 1);
    CU_ASSERT_EQUAL(report->timings[0].microseconds, 2);
    CU_ASSERT_PTR_EQUAL(report_add_delivery(report, "up"), report_add_delivery(report, "up"));
    CU_ASSERT_EQUAL(report->delivery_count, 1);
    report_destroy(report);
}

static void fill_crash(struct report *report)
{
    strcpy(report->id, ID);
    report_text(&report->application, "shop");
    report->time_ns = 1764100000123456000u;
    report->tier = 2;
    report_text(&report->tier_reason, "The monitor was late.");
    report->signal = SIGSEGV;
    report->si_code = SEGV_MAPERR;
    report->address = 0xffffffffdeadbeefu;
    report->has_address = true;
    report->pid = 100;
    report->tid = 101;
    report_text(&report->thread, "worker");
    report_text(&report->reason, "access to an address that is not mapped");
    report_text(&report->executable, "/opt/shop/bin");
    report_text(&report->user, "nobody");
    report_text(&report->pipeline, "default");
}

static void test_forget(void)
{
    const struct cairn_value text = { .type = CAIRN_VALUE_STRING, .string = "secret" };
    const struct cairn_value number = { .type = CAIRN_VALUE_UINT64, .uint64 = 7 };
    struct report *report = report_create();
    const struct cairn_value *value;

    CU_ASSERT_PTR_NOT_NULL_FATAL(report);
    CU_ASSERT_EQUAL(report_set(report, "text", &text), 0);
    CU_ASSERT_EQUAL(report_set(report, "number", &number), 0);
    CU_ASSERT_EQUAL(report_set(report, "kept", &text), 0);
    report_forget(report, "text");
    report_forget(report, "number");
    report_forget(report, "absent");
    for (size_t i = 0; i < 2; i++) {
        value = report_attribute(report, i == 0 ? "text" : "number");
        CU_ASSERT_EQUAL(value->type, CAIRN_VALUE_STRING);
        CU_ASSERT_STRING_EQUAL(value->string, "");
    }
    CU_ASSERT_TRUE(report_is_replaced(report, "attributes.text"));
    CU_ASSERT_TRUE(report_is_replaced(report, "attributes.number"));
    CU_ASSERT_STRING_EQUAL(report_attribute(report, "kept")->string, "secret");
    CU_ASSERT_FALSE(report_is_replaced(report, "attributes.kept"));
    CU_ASSERT_PTR_NULL(report_attribute(report, "absent"));
    report_destroy(report);
}

static void test_get(void)
{
    struct report *report = made();
    struct cairn_value value;

    CU_ASSERT_FALSE(report_get(report, "id", &value));
    CU_ASSERT_FALSE(report_get(report, "crash.signal", &value));
    fill_crash(report);
    value = text_value("payments");
    CU_ASSERT_EQUAL(report_set(report, "v.0", &value), 0);
    CU_ASSERT_TRUE(report_get(report, "id", &value));
    CU_ASSERT_STRING_EQUAL(value.string, ID);
    CU_ASSERT_TRUE(report_get(report, "time", &value));
    CU_ASSERT_STRING_EQUAL(value.string, "2025-11-25T19:46:40.123456Z");
    CU_ASSERT_TRUE(report_get(report, "crash.signal", &value));
    CU_ASSERT_STRING_EQUAL(value.string, "SIGSEGV");
    CU_ASSERT_TRUE(report_get(report, "crash.code", &value));
    CU_ASSERT_STRING_EQUAL(value.string, "SEGV_MAPERR");
    CU_ASSERT_TRUE(report_get(report, "crash.address", &value));
    CU_ASSERT_EQUAL(value.type, CAIRN_VALUE_UINT64);
    CU_ASSERT_EQUAL(value.uint64, 0xffffffffdeadbeefu);
    CU_ASSERT_TRUE(report_get(report, "crash.pid", &value));
    CU_ASSERT_EQUAL(value.integer, 100);
    CU_ASSERT_TRUE(report_get(report, "tier", &value));
    CU_ASSERT_EQUAL(value.integer, 2);
    CU_ASSERT_TRUE(report_get(report, "process.executable", &value));
    CU_ASSERT_STRING_EQUAL(value.string, "/opt/shop/bin");
    CU_ASSERT_TRUE(report_get(report, "attributes.v.0", &value));
    CU_ASSERT_STRING_EQUAL(value.string, "payments");
    CU_ASSERT_FALSE(report_get(report, "attributes.v.9", &value));
    CU_ASSERT_FALSE(report_get(report, "attributes", &value));
    CU_ASSERT_FALSE(report_get(report, "application.version", &value));
    CU_ASSERT_FALSE(report_get(report, "nonsense", &value));
    report_destroy(report);
}

static struct report *read_made(void)
{
    struct report *report = made();
    struct minidump *dump = NULL;
    int fd = maker_file(&maker, maker.bytes);

    CU_ASSERT_EQUAL_FATAL(minidump_open(fd, "test.dmp", &dump, NULL), 0);
    CU_ASSERT_EQUAL(report_from_minidump(report, dump), 0);
    minidump_close(dump);
    close(fd);
    return report;
}

static void test_from_cairn(void)
{
    struct report *report;

    maker_cairn_dump(&maker);
    report = read_made();
    CU_ASSERT_STRING_EQUAL(report->id, ID);
    CU_ASSERT_STRING_EQUAL(report->application, "shop");
    CU_ASSERT_STRING_EQUAL(report->version, "1.2.3");
    CU_ASSERT_STRING_EQUAL(report->kind, "crash");
    CU_ASSERT_EQUAL(report->tier, 1);
    CU_ASSERT_EQUAL(report->time_ns, 1764100000123456789u);
    CU_ASSERT_EQUAL(report->signal, SIGSEGV);
    CU_ASSERT_TRUE(report->has_address);
    CU_ASSERT_EQUAL(report->address, 0x10);
    CU_ASSERT_EQUAL(report->pid, 100);
    CU_ASSERT_EQUAL(report->tid, 101);
    CU_ASSERT_STRING_EQUAL(report->thread, "worker");
    CU_ASSERT_STRING_EQUAL(report->executable, "/opt/shop/bin");
    CU_ASSERT_STRING_EQUAL(report->user, "4000000001"); /* a number that has no name */
    CU_ASSERT_STRING_EQUAL(report_attribute(report, "team")->string, "payments");
    CU_ASSERT_EQUAL(report_attribute(report, "level")->integer, -7);
    CU_ASSERT_EQUAL(report->breadcrumb_count, 1);
    CU_ASSERT_STRING_EQUAL(report->breadcrumbs[0].message, "hello");
    CU_ASSERT_EQUAL(report->attachment_count, 1);
    CU_ASSERT_EQUAL(report->note_count, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(report->notes[1], "Thread 102 crashed too, by SIGFPE"));
    CU_ASSERT_STRING_EQUAL(report->timings[0].name, "stopped_us");
    CU_ASSERT_EQUAL(report->register_count, 18);
    report_destroy(report);
}

/* A dump with an exception and nothing else. */
static struct report *foreign(uint32_t platform, uint32_t code, uint32_t flags, uint64_t address)
{
    maker_begin(&maker, 1764100000);
    maker_system(&maker, 9, platform, "");
    maker_exception(&maker, 7, code, flags, address, 0, 0);
    maker_end(&maker);
    return read_made();
}

static void test_from_others(void)
{
    struct report *report = foreign(0x8201, SIGSEGV, SEGV_MAPERR, 0);

    CU_ASSERT_STRING_EQUAL(report->kind, "crash");
    CU_ASSERT_EQUAL(report->tier, 0);
    CU_ASSERT_EQUAL(report->time_ns, 1764100000000000000u);
    CU_ASSERT_STRING_EQUAL(report->application, "unknown");
    CU_ASSERT_TRUE(report->has_address); /* the null pointer is an address */
    report_destroy(report);
    report = foreign(0x8201, SIGSEGV, (uint32_t)SI_TKILL, 0x1234);
    CU_ASSERT_FALSE(report->has_address); /* somebody sent it */
    CU_ASSERT_EQUAL(report->si_code, SI_TKILL);
    report_destroy(report);
    report = foreign(0x8201, SIGSEGV, SI_KERNEL, 0);
    CU_ASSERT_FALSE(report->has_address);
    report_destroy(report);
    report = foreign(0x8203, SIGABRT, 1, 0x1234);
    CU_ASSERT_FALSE(report->has_address);
    report_destroy(report);
    report = foreign(0x8201, MINIDUMP_EXCEPTION_DUMP_REQUESTED, 0, 0x1234);
    CU_ASSERT_STRING_EQUAL(report->kind, "request");
    CU_ASSERT_EQUAL(report->signal, 0);
    CU_ASSERT_EQUAL(report->tid, 7);
    CU_ASSERT_FALSE(report->has_address);
    CU_ASSERT_PTR_NULL(report->reason);
    report_destroy(report);
    report = foreign(2, 0xc0000005, 0, 0x140001000);
    CU_ASSERT_EQUAL(report->signal, 0);
    CU_ASSERT_STRING_EQUAL(report->reason, "exception 0xc0000005");
    report_destroy(report);
}

static void test_reasons(void)
{
    struct report *report = foreign(0x8201, SIGSEGV, 0, 0);

    CU_ASSERT_STRING_EQUAL(report->reason, "Segmentation fault"); /* sent, or by an old Breakpad */
    report_destroy(report);
    report = foreign(0x8201, SIGFPE, FPE_INTDIV, 0x400000);
    CU_ASSERT_STRING_EQUAL(report->reason, "integer division by zero");
    report_destroy(report);
    report = foreign(0x8201, 77, 0, 0);
    CU_ASSERT_STRING_EQUAL(report->reason, "exception 0x0000004d"); /* no signal on Linux either */
    report_destroy(report);
}

static void test_from_crashpad(void)
{
    unsigned char info[64] = { 0 }, simple[4 + 16], list[4 + 108], misc[12] = { 0 };
    struct report *report;

    maker_begin(&maker, 1764100000);
    maker_system(&maker, 9, 2, "");
    put32(list, 1);
    maker_module(list + 4, 0x140000000, 0x1000, maker_utf16(&maker, "C:\\app\\shop.exe"), 0, 0);
    maker_stream(&maker, MINIDUMP_STREAM_MODULE_LIST, list, sizeof(list));
    put32(misc, sizeof(misc));
    put32(misc + 4, 1);
    put32(misc + 8, 4242);
    maker_stream(&maker, MINIDUMP_STREAM_MISC_INFO, misc, sizeof(misc));
    put32(simple, 2);
    put32(simple + 4, maker_utf8(&maker, "ver"));
    put32(simple + 8, maker_utf8(&maker, "37.1"));
    put32(simple + 12, maker_utf8(&maker, "plat form"));
    put32(simple + 16, maker_utf8(&maker, "Win"));
    put32(info + 36, sizeof(simple));
    put32(info + 40, maker_add(&maker, simple, sizeof(simple)));
    maker_stream(&maker, MINIDUMP_STREAM_CRASHPAD_INFO, info, sizeof(info));
    maker_end(&maker);
    report = read_made();
    CU_ASSERT_STRING_EQUAL(report->kind, "request"); /* no exception */
    CU_ASSERT_STRING_EQUAL(report->application, "shop.exe");
    CU_ASSERT_STRING_EQUAL(report->version, "37.1");
    CU_ASSERT_EQUAL(report->pid, 4242);
    CU_ASSERT_STRING_EQUAL(report_attribute(report, "plat_form")->string, "Win");
    report_destroy(report);
}

struct made_frame {
    const char *module, *symbol;
    uint64_t offset;
};

/* The signature of a stack; `slide` moves every module. The caller frees it. */
static char *sign(int signal_number, const struct made_frame *frames, size_t count, uint64_t slide)
{
    struct report *report = made();
    char *signature;

    report->signal = signal_number;
    for (size_t i = 0; i < count; i++) {
        struct report_frame frame = { .address = slide + frames[i].offset,
                                      .module_offset = frames[i].offset,
                                      .module = (char *)frames[i].module,
                                      .build_id = (char *)"b1d",
                                      .symbol = (char *)frames[i].symbol,
                                      .trust = "cfi" };

        CU_ASSERT_EQUAL(report_add_frame(report, &frame), 0);
    }
    CU_ASSERT_EQUAL(report_sign(report), 0);
    signature = report->signature != NULL ? strdup(report->signature) : NULL;
    report_destroy(report);
    return signature;
}

static bool same(int first_signal, const struct made_frame *first, size_t first_count,
                 int second_signal, const struct made_frame *second, size_t second_count)
{
    char *a = sign(first_signal, first, first_count, 0x555500000000);
    char *b = sign(second_signal, second, second_count, 0x7f0000000000);
    bool equal = a != NULL && b != NULL && strlen(a) == 32 && strcmp(a, b) == 0;

    free(a);
    free(b);
    return equal;
}

static void test_signature(void)
{
    static const struct made_frame stack[] = { { "shop", "pay", 0x10 }, { "shop", NULL, 0x99 } };
    static const struct made_frame rebuilt[] = { { "shop", "pay", 0x30 }, { "shop", NULL, 0x99 } };
    static const struct made_frame other[] = { { "shop", "pay", 0x10 }, { "shop", NULL, 0x98 } };
    static const struct made_frame unknown[] = { { NULL, NULL, 0x10 }, { NULL, NULL, 0x20 } };
    static const struct made_frame jit[] = { { NULL, NULL, 1 },
                                             { NULL, NULL, 2 },
                                             { "js", "run", 3 } };
    static const struct made_frame jit2[] = { { NULL, NULL, 9 }, { "js", "run", 3 } };

    CU_ASSERT_TRUE(same(SIGSEGV, stack, 2, SIGSEGV, stack, 2)); /* at two addresses */
    CU_ASSERT_TRUE(same(SIGSEGV, stack, 2, SIGSEGV, rebuilt, 2));
    CU_ASSERT_FALSE(same(SIGSEGV, stack, 2, SIGSEGV, other, 2));
    CU_ASSERT_FALSE(same(SIGSEGV, stack, 2, SIGBUS, stack, 2));
    CU_ASSERT_TRUE(same(SIGSEGV, jit, 3, SIGSEGV, jit2, 2));
    CU_ASSERT_PTR_NULL(sign(SIGSEGV, unknown, 2, 0));
    CU_ASSERT_PTR_NULL(sign(SIGSEGV, stack, 0, 0));
}

static void test_signature_death(void)
{
    static const struct made_frame symbols[] = { { "libc.so.6", "__pthread_kill_implementation",
                                                   1 },
                                                 { "libc.so.6", "raise", 2 },
                                                 { "libc.so.6", "abort", 3 },
                                                 { "libstdc++.so.6", "_ZSt9terminatev", 4 },
                                                 { "libstdc++.so.6", "__cxa_throw", 5 },
                                                 { "shop", "pay", 6 } };
    static const struct made_frame stripped[] = { { "libc.so.6", NULL, 11 },
                                                  { "libc.so.6", "abort", 3 },
                                                  { "shop", "pay", 6 } };
    static const struct made_frame plain[] = { { "shop", "pay", 6 } };
    static const struct made_frame only[] = { { "libc.so.6", "abort", 3 } };
    static const struct made_frame copy[] = { { "libc.so.6", NULL, 11 }, { "shop", "pay", 6 } };

    CU_ASSERT_TRUE(same(SIGABRT, symbols, 6, SIGABRT, plain, 1));
    CU_ASSERT_TRUE(same(SIGABRT, stripped, 3, SIGABRT, plain, 1));
    CU_ASSERT_TRUE(same(SIGABRT, only, 1, SIGABRT, only, 1));   /* nothing else: then this */
    CU_ASSERT_FALSE(same(SIGSEGV, copy, 2, SIGSEGV, plain, 1)); /* a fault in libc is not a death */
}

static void test_signature_recursion(void)
{
    struct made_frame deep[200], shallow[100];

    for (size_t i = 0; i < 200; i++) {
        deep[i] = (struct made_frame){ "shop", i % 2 == 0 ? "eval" : "apply", i };
    }
    memcpy(shallow, deep, sizeof(shallow));
    deep[199] = shallow[99] = (struct made_frame){ "shop", "main", 7 };
    CU_ASSERT_TRUE(same(SIGSEGV, deep, 200, SIGSEGV, shallow, 100));
}

/* ---- The message about a C++ exception ---- */

static void test_thrown(void)
{
    static const char *const cases[][2] = {
        { "St13runtime_error: text: more", "std::runtime_error: text: more" },
        { "i: ", "int" },
        { "PKc: a", "char const*: a" },
        { "N4shop3OwnE: ", "shop::Own" },
        { "*N12_GLOBAL__N_13OwnE: x", "(anonymous namespace)::Own: x" },
        { "3BoxIiLj5EPKcE: ", "Box<int, 5, char const*>" },
        { "NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE: s", "std::string: s" },
        { "St6vectorIiSaIiEE: ", "std::vector<int, std::allocator<int>>" },
        /* As it is: shorthand, nonsense, lengths that lie, and depth. */
        { "N3foo3BarINS_3BazEEE: ", "N3foo3BarINS_3BazEEE" },
        { "99999999999999999999x: ", "99999999999999999999x" },
        { "4Own: ", "4Own" },
        { "PPPPPPPPPPPPPPPPPPPPPPPPPPPPi: ", "PPPPPPPPPPPPPPPPPPPPPPPPPPPPi" },
        { "", "" },
    };
    char text[256], *message;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(text, sizeof(text), "C++ exception %s", cases[i][0]);
        message = strdup(text);
        snprintf(text, sizeof(text), "C++ exception %s", cases[i][1]);
        CU_ASSERT_EQUAL(report_name_thrown(&message), 0);
        CU_ASSERT_STRING_EQUAL(message, text);
        free(message);
    }
    message = strdup("what the program said: i");
    CU_ASSERT_EQUAL(report_name_thrown(&message), 0);
    CU_ASSERT_STRING_EQUAL(message, "what the program said: i");
    free(message);
}

int main(void)
{
    static const struct tap_test tests[] = {
        { "C++ exceptions by name", test_thrown },
        { "caps of the lists", test_caps },
        { "caps of the texts", test_text_caps },
        { "hostile texts and duplicates", test_hostile_text },
        { "attributes that must not stay", test_forget },
        { "fields by path", test_get },
        { "from Cairn's minidump", test_from_cairn },
        { "from other minidumps", test_from_others },
        { "reasons in words", test_reasons },
        { "from Crashpad's on Windows", test_from_crashpad },
        { "signature: addresses do not matter", test_signature },
        { "signature: the way of dying does not matter", test_signature_death },
        { "signature: depth of recursion does not matter", test_signature_recursion },
        { NULL, NULL },
    };

    return tap_run("report", tests);
}
