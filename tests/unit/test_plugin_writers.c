/* SPDX-License-Identifier: Apache-2.0 */
/* The bundled writers: what the minidump keeps and leaves out, and the page for people. */
#include "tests/unit/plugin_harness.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define STACK_ADDRESS 0x7ffc00001000ull
#define ARGUMENTS     (STACK_ADDRESS + 100) /* 20 bytes */
#define VARIABLES     (STACK_ADDRESS + 120) /* 30 bytes */

static struct harness harness;

/* ---- a minidump made by hand ---- */

struct dump {
    unsigned char data[8192];
    uint32_t bytes, streams;
};

static void put32(struct dump *dump, uint32_t offset, uint32_t value)
{
    memcpy(dump->data + offset, &value, sizeof(value));
}

static void put64(struct dump *dump, uint32_t offset, uint64_t value)
{
    memcpy(dump->data + offset, &value, sizeof(value));
}

static uint32_t get32(const unsigned char *data, uint32_t offset)
{
    uint32_t value;

    memcpy(&value, data + offset, sizeof(value));
    return value;
}

static void begin_dump(struct dump *dump)
{
    memset(dump, 0, sizeof(*dump));
    put32(dump, 0, 0x504d444d);
    put32(dump, 4, 0xa793);
    put32(dump, 12, 32);
    dump->bytes = 32 + 16 * 12; /* room for 16 directory entries */
}

/* Reserves a stream; returns its offset. */
static uint32_t add_stream(struct dump *dump, uint32_t type, uint32_t bytes)
{
    uint32_t entry = 32 + dump->streams++ * 12, offset = dump->bytes;

    put32(dump, 8, dump->streams);
    put32(dump, entry, type);
    put32(dump, entry + 4, bytes);
    put32(dump, entry + 8, offset);
    dump->bytes += (bytes + 3) & ~3u;
    return offset;
}

static void add_text_stream(struct dump *dump, uint32_t type, const char *text)
{
    uint32_t offset = add_stream(dump, type, (uint32_t)strlen(text));

    memcpy(dump->data + offset, text, strlen(text));
}

static uint32_t put_record(struct dump *dump, uint32_t offset, const char *name,
                           const char *content)
{
    uint32_t name_bytes = (uint32_t)strlen(name), content_bytes = (uint32_t)strlen(content);

    put32(dump, offset, 12);
    put32(dump, offset + 4, 8 + name_bytes + content_bytes);
    put32(dump, offset + 8, name_bytes);
    put32(dump, offset + 12, content_bytes);
    memcpy(dump->data + offset + 16, name, name_bytes);
    memcpy(dump->data + offset + 16 + name_bytes, content, content_bytes);
    return offset + 16 + ((name_bytes + content_bytes + 3) & ~3u);
}

/* Memory contents with the command line and the environment where the kernel puts them. */
static uint32_t add_memory(struct dump *dump)
{
    uint32_t offset = dump->bytes;

    memset(dump->data + offset, 'm', 256);
    memcpy(dump->data + offset + 100, "SECRET-ARGUMENT-HERE", 20);
    memcpy(dump->data + offset + 120, "VARIABLE=SECRET-ENVIRONMENT-X=", 30);
    dump->bytes += 256;
    return offset;
}

static void make_dump(struct dump *dump)
{
    uint32_t memory, offset;

    begin_dump(dump);
    add_text_stream(dump, 0x47670006, "SECRET-ARGUMENT-STREAM");
    add_text_stream(dump, 0x47670007, "SECRET-ENVIRONMENT-STREAM");
    add_text_stream(dump, 0x47670009, "the maps stay");
    offset = add_stream(dump, 0x43524e01, 200);
    offset = put_record(dump, offset, "status", "the status stays");
    offset = put_record(dump, offset, "cmdline", "SECRET-ARGUMENT-RECORD");
    offset = put_record(dump, offset, "environ", "SECRET-ENVIRONMENT-RECORD");
    put_record(dump, offset, "limits", "the limits stay");
    memory = add_memory(dump);
    offset = add_stream(dump, 5, 4 + 16);
    put32(dump, offset, 1);
    put64(dump, offset + 4, STACK_ADDRESS);
    put32(dump, offset + 12, 256);
    put32(dump, offset + 16, memory);
    memory = add_memory(dump);
    offset = add_stream(dump, 3, 8 + 48); /* with the padding that some writers put */
    put32(dump, offset, 1);
    put64(dump, offset + 8 + 24, STACK_ADDRESS);
    put32(dump, offset + 8 + 32, 256);
    put32(dump, offset + 8 + 36, memory);
    memory = add_memory(dump);
    offset = add_stream(dump, 9, 16 + 16);
    put64(dump, offset, 1);
    put64(dump, offset + 8, memory);
    put64(dump, offset + 16, STACK_ADDRESS);
    put64(dump, offset + 24, 256);
}

static int file_of(const void *data, size_t bytes)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    CU_ASSERT_FATAL(fd >= 0 && write(fd, data, bytes) == (ssize_t)bytes);
    CU_ASSERT_FATAL(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static size_t count_of(const unsigned char *data, size_t bytes, const char *text)
{
    const unsigned char *place = data;
    size_t count = 0;

    while ((place = memmem(place, bytes - (size_t)(place - data), text, strlen(text))) != NULL) {
        place++;
        count++;
    }
    return count;
}

/* What the writer makes of `dump`, for the options set; ret_data as large as the dump. */
static int keep(const struct dump *dump, unsigned char *ret_data)
{
    static char stat[256];
    int out = memfd_create("out", MFD_CLOEXEC), status, length;
    struct stat facts;

    length = snprintf(stat, sizeof(stat), "1 (x ) y) S"); /* fields 1 to 3 */
    for (int field = 4; field < 48; field++) {
        length += snprintf(stat + length, sizeof(stat) - (size_t)length, " 7");
    }
    snprintf(stat + length, sizeof(stat) - (size_t)length, " %llu %llu %llu %llu 0", ARGUMENTS,
             ARGUMENTS + 20, VARIABLES, VARIABLES + 30);
    harness.files[0] = (struct harness_file){ "stat", stat, strlen(stat) };
    harness.file_count = 1;
    harness.dump_fd = file_of(dump->data, dump->bytes);
    status = harness_write(&harness, out);
    CU_ASSERT_FATAL(fstat(out, &facts) == 0);
    if (status == CAIRN_PLUGIN_OK) {
        CU_ASSERT_EQUAL(facts.st_size, dump->bytes);
        CU_ASSERT_EQUAL(pread(out, ret_data, dump->bytes, 0), (ssize_t)dump->bytes);
    }
    close(out);
    close(harness.dump_fd);
    return status;
}

static struct dump made;
static unsigned char kept[sizeof(made.data)];

static void check_rest(void)
{
    CU_ASSERT_EQUAL(count_of(kept, made.bytes, "the maps stay"), 1);
    CU_ASSERT_EQUAL(count_of(kept, made.bytes, "statusthe status stays"), 1);
    CU_ASSERT_EQUAL(count_of(kept, made.bytes, "limitsthe limits stay"), 1);
    CU_ASSERT_EQUAL(memcmp(kept, made.data, 32), 0);
}

static void minidump_keeps_nothing_personal(void)
{
    make_dump(&made);
    CU_ASSERT_FATAL(harness_open(&harness, "writer", "minidump"));
    CU_ASSERT_EQUAL(count_of(made.data, made.bytes, "SECRET"), 10);
    CU_ASSERT_EQUAL(keep(&made, kept), CAIRN_PLUGIN_OK);
    CU_ASSERT_EQUAL(count_of(kept, made.bytes, "SECRET"), 0);
    CU_ASSERT_EQUAL(count_of(kept, made.bytes, "VARIABLE"), 0);
    CU_ASSERT_EQUAL(count_of(kept, made.bytes, "mmmm"), count_of(made.data, made.bytes, "mmmm"));
    CU_ASSERT_EQUAL(get32(kept, 32), 0);
    CU_ASSERT_EQUAL(get32(kept, 44), 0);
    CU_ASSERT_EQUAL(get32(kept, 56), 0x47670009);
    check_rest();
    harness_close(&harness);
}

static void minidump_keeps_what_is_included(void)
{
    make_dump(&made);
    CU_ASSERT_FATAL(harness_open(&harness, "writer", "minidump"));
    harness_option(&harness, "include", "command-line");
    CU_ASSERT_EQUAL(keep(&made, kept), CAIRN_PLUGIN_OK);
    CU_ASSERT_EQUAL(count_of(kept, made.bytes, "SECRET-ARGUMENT"), 5);
    CU_ASSERT_EQUAL(count_of(kept, made.bytes, "SECRET-ENVIRONMENT"), 0);
    check_rest();
    harness_option(&harness, "include", "environment");
    CU_ASSERT_EQUAL(keep(&made, kept), CAIRN_PLUGIN_OK);
    CU_ASSERT_EQUAL(memcmp(kept, made.data, made.bytes), 0);
    harness_close(&harness);
}

static void minidump_without_a_dump(void)
{
    int out = memfd_create("out", MFD_CLOEXEC);

    CU_ASSERT_FATAL(harness_open(&harness, "writer", "minidump"));
    CU_ASSERT_EQUAL(harness_write(&harness, out), CAIRN_PLUGIN_UNSUPPORTED);
    close(out);
    harness_close(&harness);
}

static void minidump_refuses_other_files(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "writer", "minidump"));
    begin_dump(&made);
    made.data[0] = 'X';
    CU_ASSERT_EQUAL(keep(&made, kept), CAIRN_PLUGIN_FAILED);
    CU_ASSERT_STRING_EQUAL(harness.failure, "The captured file of 224 bytes is not a minidump.");
    begin_dump(&made);
    put32(&made, 8, 0x7fffffff);
    CU_ASSERT_EQUAL(keep(&made, kept), CAIRN_PLUGIN_FAILED);
    begin_dump(&made);
    put32(&made, 12, 0xfffffff0);
    CU_ASSERT_EQUAL(keep(&made, kept), CAIRN_PLUGIN_FAILED);
    made.bytes = 7;
    CU_ASSERT_EQUAL(keep(&made, kept), CAIRN_PLUGIN_FAILED);
    made.bytes = 0;
    CU_ASSERT_EQUAL(keep(&made, kept), CAIRN_PLUGIN_FAILED);
    CU_ASSERT_STRING_EQUAL(harness.failure, "The captured minidump is empty.");
    harness_close(&harness);
}

/* Every byte of a good dump once made extreme: nothing may be read or written outside. */
static void survive_damage(void)
{
    static const unsigned char values[] = { 0x00, 0x7f, 0xff };
    struct dump damaged;

    make_dump(&made);
    for (uint32_t i = 0; i < made.bytes; i++) {
        for (size_t v = 0; v < sizeof(values); v++) {
            int status;

            damaged = made;
            damaged.data[i] = values[v];
            status = keep(&damaged, kept);
            CU_ASSERT_TRUE(status == CAIRN_PLUGIN_OK || (status == CAIRN_PLUGIN_FAILED && i < 16));
        }
    }
}

static void minidump_survives_damage(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "writer", "minidump"));
    survive_damage();
    harness_option(&harness, "sanitize", "true");
    survive_damage();
    harness_close(&harness);
}

/* The memory in the dump is text: none of its words is a number or a pointer. */
static void minidump_sanitizes_memory(void)
{
    make_dump(&made);
    CU_ASSERT_FATAL(harness_open(&harness, "writer", "minidump"));
    harness_option(&harness, "sanitize", "true");
    CU_ASSERT_EQUAL(keep(&made, kept), CAIRN_PLUGIN_OK);
    CU_ASSERT(count_of(made.data, made.bytes, "mmmm") > 0);
    CU_ASSERT_EQUAL(count_of(kept, made.bytes, "mmmm"), 0);
    CU_ASSERT_EQUAL(count_of(kept, made.bytes, "\xed\xac\xef\x0d\xed\xac\xef\x0d") > 0, 1);
    check_rest();
    harness_close(&harness);
}

/* ---- text ---- */

static char page[65536];

static void write_page(void)
{
    int fd = memfd_create("page", MFD_CLOEXEC);
    ssize_t bytes;

    CU_ASSERT_EQUAL(harness_write(&harness, fd), CAIRN_PLUGIN_OK);
    bytes = pread(fd, page, sizeof(page) - 1, 0);
    page[bytes > 0 ? bytes : 0] = '\0';
    close(fd);
}

static void has(const char *text)
{
    if (strstr(page, text) == NULL) {
        printf("# missing: %s\n%s", text, page);
        CU_FAIL("text is missing");
    }
}

static void add_stack(void)
{
    harness.frames[0] = (struct cairn_frame){ .address = 0x401234,
                                              .module = "shop",
                                              .module_offset = 0x1234,
                                              .symbol = "pay",
                                              .symbol_offset = 0x14,
                                              .trust = "context" };
    harness.frames[1] = (struct cairn_frame){
        .address = 0x7f0000001000, .module = "libc.so.6", .module_offset = 0x29d90, .trust = "cfi"
    };
    harness.frames[2] = (struct cairn_frame){ .address = 0x10, .trust = "scan" };
    harness.frame_count = 3;
    for (size_t i = 0; i < 4; i++) {
        static const char *const names[] = { "rax", "rbx", "rcx", "rip" };

        harness.registers[i] = (struct cairn_register){ .name = names[i], .value = i };
    }
    harness.register_count = 4;
}

static void add_state(void)
{
    harness.threads[0] =
        (struct cairn_thread){ .id = 4241, .name = "main", .instruction_pointer = 0x500000 };
    harness.threads[1] = (struct cairn_thread){
        .id = 4242, .name = "worker", .instruction_pointer = 0x401234, .crashed = 1
    };
    harness.thread_count = 2;
    harness.modules[0] = (struct cairn_module){
        .base = 0x400000, .length = 0x10000, .path = "/opt/shop/bin/shop", .build_id = "abcd"
    };
    harness.module_count = 1;
    harness.breadcrumbs[0] =
        (struct cairn_breadcrumb){ .time = 1000000000, .category = "ui", .message = "pay clicked" };
    harness.breadcrumbs[1] =
        (struct cairn_breadcrumb){ .time = 2500000000, .category = "net", .message = "POST /pay" };
    harness.breadcrumb_count = 2;
    harness.report_notes[0] = "Thread 4243 did not stop in time.";
    harness.note_count = 1;
}

static void text_of_a_crash(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "writer", "text"));
    add_stack();
    add_state();
    harness_attribute(&harness, "team", "payments");
    harness_attribute(&harness, "a.longer.name", "x");
    write_page();
    has("shop 2.1 crashed with SIGSEGV (SEGV_MAPERR) at 0x0000000000000010\n"
        "read or write at an address that is not mapped\n");
    has("Executable   /opt/shop/bin/shop\n");
    has("Thread name  worker\n");
    has("  #0   0x0000000000401234  shop       pay+0x14  [context]\n"
        "  #1   0x00007f0000001000  libc.so.6  +0x29d90  [cfi]\n"
        "  #2   0x0000000000000010  ?          in no module  [scan]\n");
    has("   rax 0x0000000000000000     rbx 0x0000000000000001     rcx 0x0000000000000002\n"
        "   rip 0x0000000000000003\n");
    has("  team           payments\n  a.longer.name  x\n");
    has("      -1.500  ui: pay clicked\n      +0.000  net: POST /pay\n");
    has("* 4242    0x0000000000401234  worker  in shop\n");
    has("Modules      1; the minidump names them\n");
    has("  - Thread 4243 did not stop in time.\n");
    has("  cairn show 0193a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b\n");
    harness_close(&harness);
}

static void text_of_a_request(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "writer", "text"));
    harness_field(&harness, "kind", "request");
    harness_no_field(&harness, "crash.signal");
    harness_no_field(&harness, "crash.code");
    harness_no_field(&harness, "crash.reason");
    write_page();
    has("shop 2.1: a report that was asked for\n");
    CU_ASSERT_PTR_NULL(strstr(page, "Stack of"));
    CU_ASSERT_PTR_NULL(strstr(page, "Signal"));
    harness_close(&harness);
}

static void text_lists_modules(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "writer", "text"));
    add_state();
    harness_option(&harness, "modules", "true");
    harness_option(&harness, "threads", "1");
    write_page();
    has("  0x0000000000400000-0x0000000000410000  /opt/shop/bin/shop  abcd\n");
    has("* 4242 ");
    has("  2 threads in all\n");
    harness_close(&harness);
}

static void text_cannot_be_faked(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "writer", "text"));
    harness_field(&harness, "application.name",
                  "a\x1b[2Jb\nNotes c\xc2\x9b"
                  "d\xff"
                  "e\xc0\x80\xed\xa0\x80");
    harness_field(&harness, "crash.message", "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x92\xa5");
    write_page();
    has("a\\x1b[2Jb\\x0aNotes c\\xc2\\x9bd\\xffe\\xc0\\x80\\xed\\xa0\\x80 2.1 crashed");
    has("Message      na\xc3\xafve \xe2\x82\xac \xf0\x9f\x92\xa5\n");
    harness_close(&harness);
}

static void text_reports_a_full_disk(void)
{
    int full;

    CU_ASSERT_FATAL(harness_open(&harness, "writer", "text"));
    full = memfd_create("full", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    CU_ASSERT_FATAL(full >= 0 && fcntl(full, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_WRITE) == 0);
    CU_ASSERT_EQUAL(harness_write(&harness, full), CAIRN_PLUGIN_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(harness.failure, "The page could not be written: "));
    close(full);
    harness_close(&harness);
}

int main(void)
{
    static const struct tap_test tests[] = {
        { "minidump keeps nothing personal by default", minidump_keeps_nothing_personal },
        { "minidump keeps what is included", minidump_keeps_what_is_included },
        { "minidump without a dump", minidump_without_a_dump },
        { "minidump refuses other files", minidump_refuses_other_files },
        { "minidump survives damage", minidump_survives_damage },
        { "minidump sanitizes memory", minidump_sanitizes_memory },
        { "text of a crash", text_of_a_crash },
        { "text of a request", text_of_a_request },
        { "text lists modules and few threads", text_lists_modules },
        { "text cannot be faked", text_cannot_be_faked },
        { "text reports a full disk", text_reports_a_full_disk },
        { NULL, NULL },
    };

    return tap_run("plugin writers", tests);
}
