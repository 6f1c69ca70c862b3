/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The minidump reader on dumps made byte by byte: what it reads, what it refuses, and that no
 * prefix and no mutation of a dump makes it read beyond its bytes (run with sanitizers for the
 * proof).
 */
#include "core/minidump/reader.h"
#include "tests/unit/dump_maker.h"
#include "tests/unit/tap.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct maker maker; /* large */

static int open_bytes(size_t bytes, struct minidump **ret_dump, struct error *error)
{
    int fd = maker_file(&maker, bytes);
    int result = minidump_open(fd, "test.dmp", ret_dump, error);

    close(fd);
    return result;
}

static struct minidump *open_made(void)
{
    struct minidump *dump = NULL;
    struct error error = { 0 };

    CU_ASSERT_EQUAL_FATAL(open_bytes(maker.bytes, &dump, &error), 0);
    return dump;
}

static void refuse(size_t bytes, const char *words)
{
    struct minidump *dump = NULL;
    struct error error = { 0 };

    CU_ASSERT_EQUAL(open_bytes(bytes, &dump, &error), CAIRN_EFORMAT);
    CU_ASSERT_PTR_NULL(dump);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, words));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "test.dmp"));
}

static void test_header(void)
{
    struct minidump *dump = NULL;
    struct error error = { 0 };
    int pipes[2];

    maker_begin(&maker, 7);
    maker_end(&maker);
    refuse(0, "too few");
    refuse(31, "too few");
    dump = open_made();
    CU_ASSERT_EQUAL(minidump_time(dump), 7);
    CU_ASSERT_EQUAL(minidump_thread_count(dump), 0);
    CU_ASSERT_STRING_EQUAL(minidump_cpu(dump), "unknown");
    CU_ASSERT_FALSE(minidump_exception(dump)->present);
    minidump_close(dump);
    memcpy(maker.data, "PMDM", 4);
    refuse(maker.bytes, "big-endian");
    memcpy(maker.data,
           "\x7f"
           "ELF",
           4);
    refuse(maker.bytes, "not a minidump");
    memcpy(maker.data, "MDMP", 4);
    put32(maker.data + 4, 0x1234a794);
    refuse(maker.bytes, "0xa794");
    put32(maker.data + 4, 0x1234a793); /* the upper half is free */
    put32(maker.data + 8, 5000);
    refuse(maker.bytes, "5000");
    put32(maker.data + 8, 3);
    refuse(maker.bytes, "cut off");
    CU_ASSERT_EQUAL_FATAL(pipe(pipes), 0);
    CU_ASSERT_EQUAL(minidump_open(pipes[0], "pipe", &dump, &error), CAIRN_EFORMAT);
    close(pipes[0]);
    close(pipes[1]);
    CU_ASSERT_EQUAL(minidump_open(-1, "nothing", &dump, &error), CAIRN_ESYSTEM);
}

static void test_threads(void)
{
    const struct minidump_thread *thread;
    struct minidump_register entry;
    struct minidump *dump;

    maker_cairn_dump(&maker);
    dump = open_made();
    CU_ASSERT_STRING_EQUAL(minidump_cpu(dump), "x86_64");
    CU_ASSERT_STRING_EQUAL(minidump_system(dump), "Linux");
    CU_ASSERT_STRING_EQUAL(minidump_system_version(dump), "Linux 6.1.0");
    CU_ASSERT_EQUAL_FATAL(minidump_thread_count(dump), 2);
    thread = minidump_thread_by_id(dump, 101);
    CU_ASSERT_PTR_EQUAL_FATAL(thread, minidump_thread_at(dump, 1));
    CU_ASSERT_STRING_EQUAL(thread->name, "worker");
    CU_ASSERT_EQUAL(thread->instruction_pointer, 0x401234);
    CU_ASSERT_EQUAL(thread->stack_pointer, 0x7ff000);
    CU_ASSERT_EQUAL(thread->frame_pointer, 0x7ff020);
    CU_ASSERT_EQUAL(thread->stack_start, 0x7ff000);
    CU_ASSERT_EQUAL(thread->stack_bytes, 256);
    CU_ASSERT_TRUE(minidump_register_at(dump, thread->context, thread->context_bytes, 0, &entry));
    CU_ASSERT_STRING_EQUAL(entry.name, "rax");
    CU_ASSERT_EQUAL(entry.value, 0x1111);
    CU_ASSERT_TRUE(minidump_register_at(dump, thread->context, thread->context_bytes, 17, &entry));
    CU_ASSERT_FALSE(minidump_register_at(dump, thread->context, thread->context_bytes, 18, &entry));
    CU_ASSERT_FALSE(minidump_register_at(dump, thread->context, 255, 0, &entry));
    CU_ASSERT_PTR_NULL(minidump_thread_by_id(dump, 99));
    CU_ASSERT_PTR_NULL(minidump_thread_at(dump, 2));
    CU_ASSERT_TRUE(minidump_exception(dump)->present);
    CU_ASSERT_EQUAL(minidump_exception(dump)->code, 11);
    CU_ASSERT_EQUAL(minidump_exception(dump)->flags, 1);
    CU_ASSERT_EQUAL(minidump_exception(dump)->address, 0x10);
    CU_ASSERT_EQUAL(minidump_exception(dump)->instruction_pointer, 0x401234);
    minidump_close(dump);
    CU_ASSERT_STRING_EQUAL(minidump_register_name("x29"), "x29");
    CU_ASSERT_PTR_NULL(minidump_register_name("x31"));
}

static void test_modules(void)
{
    struct minidump *dump;

    maker_cairn_dump(&maker);
    dump = open_made();
    CU_ASSERT_EQUAL_FATAL(minidump_module_count(dump), 3);
    CU_ASSERT_STRING_EQUAL(minidump_module_at(dump, 0)->path, "/opt/shop/bin");
    CU_ASSERT_STRING_EQUAL(minidump_module_at(dump, 0)->build_id,
                           "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3");
    CU_ASSERT_STRING_EQUAL(minidump_module_at(dump, 0)->version, "");
    CU_ASSERT_STRING_EQUAL(minidump_module_at(dump, 1)->build_id, "0302010005040706"
                                                                  "08090a0b0c0d0e0f");
    CU_ASSERT_STRING_EQUAL(minidump_module_at(dump, 2)->build_id, "");
    CU_ASSERT_STRING_EQUAL(minidump_module_at(dump, 2)->version, "1.2.13.0");
    CU_ASSERT_PTR_EQUAL(minidump_module_of(dump, 0x400000), minidump_module_at(dump, 0));
    CU_ASSERT_PTR_EQUAL(minidump_module_of(dump, 0x500fff), minidump_module_at(dump, 1));
    CU_ASSERT_PTR_NULL(minidump_module_of(dump, 0x501000));
    CU_ASSERT_PTR_NULL(minidump_module_of(dump, 0));
    CU_ASSERT_PTR_NULL(minidump_module_of(dump, UINT64_MAX));
    minidump_close(dump);
}

static void test_memory(void)
{
    unsigned char buffer[512];
    struct minidump *dump;

    maker_cairn_dump(&maker);
    dump = open_made();
    CU_ASSERT_EQUAL_FATAL(minidump_block_count(dump), 3); /* the stack of 101 is there once */
    CU_ASSERT_EQUAL(minidump_block_at(dump, 0)->start, 0x7000);
    CU_ASSERT_EQUAL(minidump_block_at(dump, 0)->bytes, 64);
    CU_ASSERT_EQUAL(minidump_read(dump, 0x7ff0fe, buffer, sizeof(buffer)), 10);
    CU_ASSERT_EQUAL(buffer[0], 0xfe);
    CU_ASSERT_EQUAL(memcmp(buffer + 2, "adjacent", 8), 0);
    CU_ASSERT_EQUAL(minidump_read(dump, 0x7ff108, buffer, 1), 0);
    CU_ASSERT_EQUAL(minidump_read(dump, 0x703f, buffer, 8), 1);
    CU_ASSERT_EQUAL(minidump_read(dump, 0x6fff, buffer, 8), 0);
    CU_ASSERT_EQUAL(minidump_read(dump, UINT64_MAX, buffer, 8), 0);
    minidump_close(dump);
}

static void add_block(unsigned char *at, uint64_t start, uint32_t bytes, uint32_t offset)
{
    put64(at, start);
    put32(at + 8, bytes);
    put32(at + 12, offset);
}

static void test_overlap(void)
{
    unsigned char list[8 + 6 * 16] = { 0 }, buffer[32];
    struct minidump *dump;
    uint32_t a, b;

    maker_begin(&maker, 0);
    a = maker_add(&maker, "aaaaaaaaaaaaaaaa", 16);
    b = maker_add(&maker, "bbbbbbbbbbbbbbbb", 16);
    put32(list, 6);
    add_block(list + 8, 0x1008, 16, b);
    add_block(list + 24, 0x1000, 16, a);
    add_block(list + 40, 0x1000, 16, b);          /* a duplicate: the first wins */
    add_block(list + 56, 0x1004, 4, b);           /* within */
    add_block(list + 72, UINT64_MAX - 8, 16, a);  /* wraps around */
    add_block(list + 88, 0x9000, 16, 0x7fffffff); /* beyond the file */
    maker_stream(&maker, MINIDUMP_STREAM_MEMORY_LIST, list, sizeof(list)); /* padded to 8 */
    maker_end(&maker);
    dump = open_made();
    CU_ASSERT_EQUAL(minidump_block_count(dump), 2);
    CU_ASSERT_EQUAL(minidump_read(dump, 0x1000, buffer, 32), 24);
    CU_ASSERT_EQUAL(memcmp(buffer, "aaaaaaaaaaaaaaaabbbbbbbb", 24), 0);
    minidump_close(dump);
}

static void test_memory64(void)
{
    unsigned char list[16 + 3 * 16] = { 0 }, buffer[8];
    struct minidump *dump;
    uint32_t base;

    maker_begin(&maker, 0);
    put64(list, 3);
    put64(list + 16, 0x2000);
    put64(list + 24, 4);
    put64(list + 32, 0x3000);
    put64(list + 40, 4);
    put64(list + 48, 0x4000);
    put64(list + 56, 1u << 30); /* cut off: as much as there is */
    base = maker_add(&maker, "onlytwo!rest", 12);
    put64(list + 8, base);
    maker_stream(&maker, MINIDUMP_STREAM_MEMORY64_LIST, list, sizeof(list));
    maker_end(&maker);
    dump = open_made();
    CU_ASSERT_EQUAL(minidump_block_count(dump), 3);
    CU_ASSERT_EQUAL(minidump_read(dump, 0x3000, buffer, 8), 4);
    CU_ASSERT_EQUAL(memcmp(buffer, "two!", 4), 0);
    CU_ASSERT_EQUAL(minidump_read(dump, 0x4000, buffer, 4), 4);
    CU_ASSERT_EQUAL(memcmp(buffer, "rest", 4), 0);
    CU_ASSERT_EQUAL(minidump_block_at(dump, 2)->bytes, maker.bytes - base - 8);
    minidump_close(dump);
}

/* One thread with a context of that CPU whose pc, sp and fp are 0x11, 0x22 and 0x33. */
static void check_cpu(uint16_t number, const char *name, size_t bytes, size_t pc, size_t sp,
                      size_t fp)
{
    unsigned char context[1024] = { 0 }, list[4 + 48];
    const struct minidump_thread *thread;
    struct minidump *dump;

    maker_begin(&maker, 0);
    maker_system(&maker, number, 0x8203, "");
    context[pc] = 0x11;
    context[sp] = 0x22;
    context[fp] = 0x33;
    put32(list, 1);
    maker_thread(list + 4, 1, 0, 0, 0, (uint32_t)bytes, maker_add(&maker, context, bytes));
    maker_stream(&maker, MINIDUMP_STREAM_THREAD_LIST, list, sizeof(list));
    maker_end(&maker);
    dump = open_made();
    thread = minidump_thread_at(dump, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(thread);
    CU_ASSERT_STRING_EQUAL(minidump_cpu(dump), name);
    CU_ASSERT_EQUAL(thread->instruction_pointer, 0x11);
    CU_ASSERT_EQUAL(thread->stack_pointer, 0x22);
    CU_ASSERT_EQUAL(thread->frame_pointer, 0x33);
    minidump_close(dump);
}

static void test_cpus(void)
{
    check_cpu(0, "x86", 716, 184, 196, 180);
    check_cpu(5, "arm", 368, 64, 56, 48);
    check_cpu(12, "arm64", 912, 264, 256, 240);
    check_cpu(0x8003, "arm64", 796, 264, 256, 240);
}

static void test_records(void)
{
    struct minidump_record_view record;
    const char *text;
    size_t cursor = 0, count = 0, bytes;
    struct minidump *dump;

    maker_cairn_dump(&maker);
    dump = open_made();
    while (minidump_record_next(dump, &cursor, &record)) {
        count++;
    }
    CU_ASSERT_EQUAL(count, 13);
    CU_ASSERT_FALSE(minidump_record_next(dump, &cursor, &record));
    CU_ASSERT_TRUE_FATAL(minidump_process_file(dump, "exe", &text, &bytes));
    CU_ASSERT_EQUAL(bytes, 13);
    CU_ASSERT_STRING_EQUAL(text, "/opt/shop/bin");
    CU_ASSERT_FALSE(minidump_process_file(dump, "maps", &text, &bytes));
    minidump_close(dump);
    maker_begin(&maker, 0);
    maker_stream(&maker, MINIDUMP_STREAM_LINUX_MAPS, "00400000-", 9);
    maker_end(&maker);
    dump = open_made();
    CU_ASSERT_TRUE_FATAL(minidump_process_file(dump, "maps", &text, &bytes));
    CU_ASSERT_STRING_EQUAL(text, "00400000-");
    minidump_close(dump);
}

static void test_annotations(void)
{
    unsigned char info[64] = { 0 }, simple[4 + 8], links[4 + 12] = { 0 };
    unsigned char module[28] = { 0 }, objects[4 + 24] = { 0 };
    const char *name, *value;
    struct minidump *dump;

    maker_begin(&maker, 0);
    put32(simple, 1);
    put32(simple + 4, maker_utf8(&maker, "prod"));
    put32(simple + 8, maker_utf8(&maker, "Electron"));
    put32(info + 36, sizeof(simple));
    put32(info + 40, maker_add(&maker, simple, sizeof(simple)));
    put32(objects, 2);
    put32(objects + 4, maker_utf8(&maker, "ptype"));
    put16(objects + 8, 1);
    put32(objects + 12, maker_utf8(&maker, "renderer"));
    put32(objects + 16, maker_utf8(&maker, "bits"));
    put16(objects + 20, 0x8000); /* not a text */
    put32(objects + 24, maker_utf8(&maker, "xxxx"));
    put32(module + 20, sizeof(objects));
    put32(module + 24, maker_add(&maker, objects, sizeof(objects)));
    put32(links, 1);
    put32(links + 8, sizeof(module));
    put32(links + 12, maker_add(&maker, module, sizeof(module)));
    put32(info + 44, sizeof(links));
    put32(info + 48, maker_add(&maker, links, sizeof(links)));
    maker_stream(&maker, MINIDUMP_STREAM_CRASHPAD_INFO, info, sizeof(info));
    maker_end(&maker);
    dump = open_made();
    CU_ASSERT_TRUE_FATAL(minidump_annotation_at(dump, 0, &name, &value));
    CU_ASSERT_STRING_EQUAL(name, "prod");
    CU_ASSERT_STRING_EQUAL(value, "Electron");
    CU_ASSERT_TRUE_FATAL(minidump_annotation_at(dump, 1, &name, &value));
    CU_ASSERT_STRING_EQUAL(name, "ptype");
    CU_ASSERT_STRING_EQUAL(value, "renderer");
    CU_ASSERT_FALSE(minidump_annotation_at(dump, 2, &name, &value));
    minidump_close(dump);
}

static void test_utf16(void)
{
    /* "é", a pair for U+1F480, a half pair, and the end in the middle of a pair */
    static const unsigned char string[] = { 10,   0,    0,    0,    0xe9, 0,    0x3d,
                                            0xd8, 0x80, 0xdc, 0x41, 0xdc, 0x3d, 0xd8 };
    unsigned char list[4 + 108];
    struct minidump *dump;

    maker_begin(&maker, 0);
    put32(list, 1);
    maker_module(list + 4, 0, 0, maker_add(&maker, string, sizeof(string)), 0, 0);
    maker_stream(&maker, MINIDUMP_STREAM_MODULE_LIST, list, sizeof(list));
    maker_end(&maker);
    dump = open_made();
    CU_ASSERT_STRING_EQUAL(minidump_module_at(dump, 0)->path,
                           "\xc3\xa9\xf0\x9f\x92\x80\xef\xbf\xbd\xef\xbf\xbd");
    minidump_close(dump);
}

/* Four numbers of 32 bits, as minidump-writer puts them on Linux; or of 16, as Crashpad does. */
static void check_version(uint32_t high, uint32_t low, uint32_t third, const char *expected)
{
    unsigned char list[4 + 108];
    struct minidump *dump;

    maker_begin(&maker, 0);
    maker_system(&maker, 9, 0x8201, "");
    put32(list, 1);
    maker_module(list + 4, 0, 0, 0, 0, 0);
    put32(list + 4 + 24, 0xfeef04bdu);
    put32(list + 4 + 32, high);
    put32(list + 4 + 36, low);
    put32(list + 4 + 40, third);
    maker_stream(&maker, MINIDUMP_STREAM_MODULE_LIST, list, sizeof(list));
    maker_end(&maker);
    dump = open_made();
    CU_ASSERT_STRING_EQUAL(minidump_module_at(dump, 0)->version, expected);
    minidump_close(dump);
}

static void test_versions(void)
{
    check_version(1, 2, 13, "1.2.13.0");
    check_version(1u << 16 | 2, 3, 0, "1.2.0.3");
    check_version(0, 0, 0, "");
}

/* A list that claims more than it holds has what is there; the first of two streams counts. */
static void test_claims(void)
{
    unsigned char list[4 + 48], many[4 + 2 * 48] = { 0 };
    struct minidump *dump;

    maker_begin(&maker, 0);
    put32(list, 0xffffffffu);
    maker_thread(list + 4, 5, 0, 0, 0, 0, 0);
    maker_stream(&maker, MINIDUMP_STREAM_THREAD_LIST, list, sizeof(list));
    put32(many, 2);
    maker_stream(&maker, MINIDUMP_STREAM_THREAD_LIST, many, sizeof(many));
    maker_stream(&maker, MINIDUMP_STREAM_MODULE_LIST, "\xff\xff", 2);
    maker_end(&maker);
    dump = open_made();
    CU_ASSERT_EQUAL(minidump_thread_count(dump), 1);
    CU_ASSERT_PTR_NOT_NULL(minidump_thread_by_id(dump, 5));
    CU_ASSERT_EQUAL(minidump_module_count(dump), 0);
    minidump_close(dump);
}

/* Touches everything that the reader hands out; the sum keeps the compiler from dropping it. */
static uint64_t walk_lists(const struct minidump *dump)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < minidump_thread_count(dump); i++) {
        const struct minidump_thread *thread = minidump_thread_at(dump, i);
        struct minidump_register entry;

        sum += strlen(thread->name) + thread->stack_bytes;
        for (size_t j = 0;
             minidump_register_at(dump, thread->context, thread->context_bytes, j, &entry); j++) {
            sum += entry.value;
        }
        sum += minidump_thread_by_id(dump, thread->id) != NULL;
    }
    for (size_t i = 0; i < minidump_module_count(dump); i++) {
        const struct minidump_module *module = minidump_module_at(dump, i);

        sum += strlen(module->path) + strlen(module->build_id) + strlen(module->version);
        sum += minidump_module_of(dump, module->base) != NULL;
    }
    for (size_t i = 0; i < minidump_block_count(dump); i++) {
        const struct minidump_block *block = minidump_block_at(dump, i);

        sum += block->data[0] + block->data[block->bytes - 1];
    }
    return sum;
}

static uint64_t walk(const struct minidump *dump)
{
    static const char *const files[] = { "status", "maps", "exe", "limits" };
    uint64_t sum = walk_lists(dump);
    struct minidump_record_view record;
    struct minidump_register entry;
    const struct minidump_exception *exception = minidump_exception(dump);
    unsigned char buffer[64];
    const char *name, *value;
    size_t cursor = 0, bytes;

    for (size_t i = 0;
         minidump_register_at(dump, exception->context, exception->context_bytes, i, &entry); i++) {
        sum += entry.value;
    }
    while (minidump_record_next(dump, &cursor, &record)) {
        sum += record.bytes > 0 ? record.data[record.bytes - 1] : 0;
    }
    for (size_t i = 0; minidump_annotation_at(dump, i, &name, &value); i++) {
        sum += strlen(name) + strlen(value);
    }
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (minidump_process_file(dump, files[i], &value, &bytes)) {
            sum += (unsigned char)value[bytes] + strlen(value);
        }
    }
    sum += minidump_read(dump, exception->address, buffer, sizeof(buffer));
    return sum + strlen(minidump_system_version(dump));
}

static void test_prefixes(void)
{
    volatile uint64_t sum = 0;
    size_t opened = 0;

    maker_cairn_dump(&maker);
    for (size_t bytes = 0; bytes <= maker.bytes; bytes++) {
        struct minidump *dump;

        if (open_bytes(bytes, &dump, NULL) == 0) {
            sum += walk(dump);
            minidump_close(dump);
            opened++;
        }
    }
    CU_ASSERT_EQUAL(opened, 1); /* the directory is last: only the whole has it */
    /* With the directory kept, each stream loses its bytes in turn. */
    for (size_t cut = 0; cut < maker.stream_count; cut++) {
        struct minidump *dump;

        put32(maker.data + maker.bytes - 12 * (cut + 1) + 4, 3);
        CU_ASSERT_EQUAL_FATAL(open_bytes(maker.bytes, &dump, NULL), 0);
        sum += walk(dump);
        minidump_close(dump);
    }
    (void)sum;
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void mutate(uint32_t *state)
{
    static const uint32_t values[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffc, 12 };
    uint32_t changes = 1 + next_random(state) % 6;

    for (uint32_t i = 0; i < changes; i++) {
        size_t at = 8 + next_random(state) % (maker.bytes - 12);
        uint32_t how = next_random(state);

        if (how % 2 == 0) {
            put32(maker.data + (at & ~(size_t)3), values[how / 2 % 7]);
        } else if (how % 4 == 1) {
            maker.data[at] = (unsigned char)(how >> 8);
        } else {
            put32(maker.data + (at & ~(size_t)3), (how >> 8) % (uint32_t)maker.bytes);
        }
    }
}

static void test_mutations(void)
{
    static struct maker whole;
    uint32_t state = 20251125;
    volatile uint64_t sum = 0;
    size_t opened = 0;

    maker_cairn_dump(&whole);
    memcpy(&maker, &whole, sizeof(maker));
    for (int i = 0; i < 20000; i++) {
        struct minidump *dump;

        memcpy(maker.data, whole.data, whole.bytes);
        mutate(&state);
        if (open_bytes(maker.bytes, &dump, NULL) == 0) {
            sum += walk(dump);
            minidump_close(dump);
            opened++;
        }
    }
    CU_ASSERT(opened > 10000);
    (void)sum;
}

int main(void)
{
    static const struct tap_test tests[] = {
        { "header and directory", test_header },
        { "threads, registers, exception", test_threads },
        { "modules and their identity", test_modules },
        { "memory over adjacent blocks", test_memory },
        { "overlapping, duplicate, wrapping blocks", test_overlap },
        { "Memory64List, cut off", test_memory64 },
        { "contexts of other CPUs", test_cpus },
        { "records and process files", test_records },
        { "Crashpad's annotations", test_annotations },
        { "UTF-16 with broken surrogates", test_utf16 },
        { "versions in both forms", test_versions },
        { "lists that claim too much", test_claims },
        { "every prefix", test_prefixes },
        { "20000 mutations", test_mutations },
        { NULL, NULL },
    };

    return tap_run("minidump", tests);
}
