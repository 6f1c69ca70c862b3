/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unit tests of core/capture and the minidump writer: the arena, text, /proc/PID/maps, blocks, and
 * a capture of the test's own memory, as the clone of a crashed process makes it - also where
 * memory is short, or where system calls are refused.
 */
#include "core/capture/parts.h"
#include "core/capture/text.h"
#include "core/minidump/writer.h"
#include "tests/unit/tap.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static void test_text(void)
{
    char buffer[24];
    const char *number = "12fg", *large = "18446744073709551616";
    uint64_t value = 7;

    CU_ASSERT_EQUAL(capture_format(buffer, sizeof(buffer), "%s %d %u %llx%%", "a", -12, 7u, 255ull),
                    11);
    CU_ASSERT_STRING_EQUAL(buffer, "a -12 7 ff%");
    CU_ASSERT_EQUAL(capture_format(buffer, 4, "%s", "longer"), 3);
    CU_ASSERT_STRING_EQUAL(buffer, "lon");
    CU_ASSERT_EQUAL(capture_format(buffer, sizeof(buffer), "%d", INT32_MIN), 11);
    CU_ASSERT_STRING_EQUAL(buffer, "-2147483648");
    CU_ASSERT(capture_parse_hex(&number, number + 4, &value));
    CU_ASSERT_EQUAL(value, 0x12f);
    CU_ASSERT_EQUAL(*number, 'g');
    CU_ASSERT_FALSE(capture_parse_decimal(&number, number + 1, &value));
    CU_ASSERT_FALSE(capture_parse_decimal(&large, large + 20, &value));
    CU_ASSERT_EQUAL(value, 0x12f);
    CU_ASSERT_EQUAL(capture_copy_text(buffer, 3, "abcd"), 2);
    CU_ASSERT_STRING_EQUAL(buffer, "ab");
}

static void test_memory_functions(void)
{
    unsigned char a[100], b[100];

    for (int i = 0; i < 100; i++) {
        a[i] = b[i] = (unsigned char)i;
    }
    capture_move(a + 10, a, 50);
    memmove(b + 10, b, 50);
    CU_ASSERT_EQUAL(memcmp(a, b, 100), 0);
    capture_move(a, a + 5, 50);
    memmove(b, b + 5, 50);
    CU_ASSERT_EQUAL(capture_compare(a, b, 100), 0);
    capture_fill(a, 7, 100);
    CU_ASSERT_EQUAL(a[99], 7);
    CU_ASSERT(capture_compare(a, b, 100) != 0);
}

static void test_arena(void)
{
    struct arena arena;
    char *first, *second, *grown;

    arena_init(&arena, 4 << 20);
    first = arena_text(&arena, "hello!", 5);
    CU_ASSERT_STRING_EQUAL(first, "hello");
    CU_ASSERT_EQUAL((uintptr_t)first % 16, 0);
    grown = arena_resize(&arena, first, 6, 1000);
    CU_ASSERT_PTR_EQUAL(grown, first);
    second = arena_alloc(&arena, 16);
    CU_ASSERT_PTR_EQUAL(second, first + 1008);
    grown = arena_resize(&arena, first, 1000, 300000);
    CU_ASSERT_PTR_NOT_EQUAL(grown, first);
    CU_ASSERT_STRING_EQUAL(grown, "hello");
    CU_ASSERT_EQUAL(arena.failed, 0);
    CU_ASSERT_PTR_NULL(arena_alloc(&arena, 5 << 20));
    CU_ASSERT_PTR_NULL(arena_alloc(&arena, SIZE_MAX));
    CU_ASSERT_PTR_NULL(arena_array(&arena, SIZE_MAX / 2, 3));
    CU_ASSERT_EQUAL(arena.failed, 1);
    CU_ASSERT_PTR_NOT_NULL(arena_alloc(&arena, 100));
    arena_finish(&arena);
    CU_ASSERT_EQUAL(arena.mapped, 0);
}

static void init_with_maps(struct capture *capture, struct capture_file *file, const char *maps)
{
    memset(capture, 0, sizeof(*capture));
    arena_init(&capture->arena, 16 << 20);
    *file = (struct capture_file){ "maps", maps, strlen(maps) };
    capture->files = file;
    capture->file_count = 1;
    mappings_parse(capture);
}

static void test_mappings(void)
{
    struct capture capture;
    struct capture_file file;

    init_with_maps(&capture, &file,
                   "1000-3000 r-xp 00000000 fd:01 77   /usr/bin/a b\\012c (deleted)\n"
                   "3000-4000 rw-s 00002000 00:00 0 \n"
                   "nonsense\n"
                   "5000-5000 rw-p 0 0:0 0\n"
                   "2000-9000 rw-p 00000000 00:00 0\n" /* backwards */
                   "ffffffffffffffff0-1 rw-p 0 0:0 0\n"
                   "7ff000000000-7ff000001000 ---p 00000000 00:00 0    [stack]");
    CU_ASSERT_EQUAL_FATAL(capture.mapping_count, 3);
    CU_ASSERT_STRING_EQUAL(capture.mappings[0].path, "/usr/bin/a b\nc");
    CU_ASSERT_EQUAL(capture.mappings[0].deleted, 1);
    CU_ASSERT_EQUAL(capture.mappings[0].protection, PROT_READ | PROT_EXEC);
    CU_ASSERT_EQUAL(capture.mappings[0].device_major, 0xfd);
    CU_ASSERT_EQUAL(capture.mappings[1].shared, 1);
    CU_ASSERT_STRING_EQUAL(capture.mappings[1].path, "");
    CU_ASSERT_STRING_EQUAL(capture.mappings[2].path, "[stack]");
    CU_ASSERT_PTR_EQUAL(mapping_at_or_above(&capture, 0x2fff), &capture.mappings[0]);
    CU_ASSERT_PTR_EQUAL(mapping_at_or_above(&capture, 0x4000), &capture.mappings[2]);
    CU_ASSERT_PTR_NULL(mapping_at_or_above(&capture, UINT64_MAX));
    arena_finish(&capture.arena);
}

static void test_blocks(void)
{
    unsigned char *memory =
        mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t base = (uintptr_t)memory;
    struct range first[] = { { base + 300, base + 400 },
                             { base + 100, base + 200 },
                             { base + 150, base + 250 },
                             { base + 5, base + 5 } };
    struct range second[] = { { base, base + 16384 } };
    struct capture capture = { .through = getpid(), .memory_fd = -1 };
    uint64_t total = 0;

    for (int i = 0; i < 16384; i++) {
        memory[i] = (unsigned char)(i * 7);
    }
    arena_init(&capture.arena, 16 << 20);
    memory_add_ranges(&capture, first, 4);
    CU_ASSERT_EQUAL_FATAL(capture.block_count, 2);
    CU_ASSERT_EQUAL(capture.blocks[0].start, base + 100);
    CU_ASSERT_EQUAL(capture.blocks[0].bytes, 150);
    CU_ASSERT_EQUAL(capture.blocks[1].start, base + 300);
    CU_ASSERT(memory_is_captured(&capture, base + 249));
    CU_ASSERT_FALSE(memory_is_captured(&capture, base + 250));
    mprotect(memory + 4096, 4096, PROT_NONE);
    memory_add_ranges(&capture, second, 1);
    for (size_t i = 0; i < capture.block_count; i++) {
        const struct capture_block *block = &capture.blocks[i];

        total += block->bytes;
        CU_ASSERT(i == 0 || block->start >= block[-1].start + block[-1].bytes);
        CU_ASSERT_EQUAL(memcmp((const void *)(uintptr_t)block->start, block->data, block->bytes),
                        0);
    }
    CU_ASSERT_EQUAL(total, 16384 - 4096);
    arena_finish(&capture.arena);
    munmap(memory, 16384);
}

/* The whole path over the test's own memory. 0, or the negative errno of what failed. */
static int capture_myself(uint32_t memory, uint64_t max_bytes, struct capture *ret_capture)
{
    static unsigned char region[5000];
    static ucontext_t context;
    struct capture_region regions[] = { { (uintptr_t)region, sizeof(region) },
                                        { UINT64_MAX - 5, 10 }, /* beyond the end */
                                        { 4096, 4096 } };       /* not there */
    unsigned char siginfo[128] = { 11, 0, 0, 0, 0, 0, 0, 0, 1 };
    struct capture_request request = { .pid = getpid(),
                                       .tid = 1,
                                       .signal = 11,
                                       .context_address = (uintptr_t)&context,
                                       .siginfo = siginfo,
                                       .memory = memory,
                                       .max_bytes = max_bytes,
                                       .stop_timeout_ns = 100000000,
                                       .regions = regions,
                                       .region_count = 3 };

    getcontext(&context);
    return capture_begin(ret_capture, &request);
}

static void test_own_copy(void)
{
    struct capture capture;
    struct minidump_extra extra = { .records = NULL };
    int fd = memfd_create("dump", MFD_CLOEXEC);
    uint32_t header[4];

    CU_ASSERT_EQUAL_FATAL(capture_myself(CAPTURE_REFERENCED, 0, &capture), 0);
    CU_ASSERT_EQUAL(capture.thread_count, 2); /* thread 1, which the request blames, and this one */
    CU_ASSERT_EQUAL(capture.crashed, 0);
    CU_ASSERT_EQUAL(capture.threads[0].has_registers, 1);
    CU_ASSERT(capture.threads[0].stack_bytes > 0);
    CU_ASSERT(capture.module_count >= 2);
    CU_ASSERT_EQUAL(capture.modules[0].is_main, 1);
    CU_ASSERT(strstr(capture.modules[0].path, "test_capture") != NULL);
    CU_ASSERT(capture.modules[0].build_id_bytes == 20 || capture.modules[0].build_id_bytes == 0);
    CU_ASSERT(capture.linkage.link_count >= 2);
    CU_ASSERT_EQUAL(minidump_write(&capture, &extra, fd), 0);
    CU_ASSERT_EQUAL(pread(fd, header, sizeof(header), 0), sizeof(header));
    CU_ASSERT_EQUAL(header[0], MINIDUMP_SIGNATURE);
    CU_ASSERT(header[2] >= 14);
    close(fd);
    capture_finish(&capture);
    capture_finish(&capture);
}

static const struct minidump_records *make_records(struct arena *arena, size_t notes)
{
    static struct minidump_records records;

    minidump_records_init(&records, arena);
    for (size_t i = 0; i < notes; i++) {
        minidump_records_text(&records, MINIDUMP_RECORD_NOTE, "A note of thirty-two bytes' size.");
    }
    return &records;
}

/* Of the streams' directory in a minidump: how many have this type, all within the file. */
static int count_streams(const unsigned char *dump, size_t bytes, uint32_t type)
{
    uint32_t header[8], entry[3];
    int count = 0;

    memcpy(header, dump, sizeof(header));
    for (uint32_t i = 0; i < header[2]; i++) {
        memcpy(entry, dump + header[3] + i * sizeof(entry), sizeof(entry));
        CU_ASSERT(entry[2] <= bytes && entry[1] <= bytes - entry[2]);
        count += entry[0] == type;
    }
    return count;
}

/* Into memory of every size: never more than there is, and what matters most comes first. */
static void test_bounded(void)
{
    static unsigned char memory[1 << 20];
    struct capture capture;
    size_t bytes = 0;

    for (size_t capacity = 100; capacity < sizeof(memory) / 2; capacity = capacity * 3 / 2) {
        struct minidump_extra extra = { .records = NULL };
        int result;

        CU_ASSERT_EQUAL_FATAL(capture_myself(CAPTURE_STACKS, capacity / 3, &capture), 0);
        extra.records = make_records(&capture.arena, 20);
        memset(memory, 0xa5, sizeof(memory));
        result = minidump_write_memory(&capture, &extra, memory, capacity, &bytes);
        CU_ASSERT(result == 0 || capacity < 5000);
        CU_ASSERT(result != 0 || bytes <= capacity);
        CU_ASSERT_EQUAL(memory[capacity], 0xa5);
        if (result == 0 && capacity > 20000) {
            CU_ASSERT_EQUAL(count_streams(memory, bytes, MINIDUMP_STREAM_THREAD_LIST), 1);
            CU_ASSERT_EQUAL(count_streams(memory, bytes, MINIDUMP_STREAM_EXCEPTION), 1);
            CU_ASSERT_EQUAL(count_streams(memory, bytes, MINIDUMP_STREAM_CAIRN), 1);
        }
        capture_finish(&capture);
    }
    CU_ASSERT_EQUAL(count_streams(memory, bytes, MINIDUMP_STREAM_LINUX_MAPS), 1);
}

/* Registers go first, then threads; the crashed thread never. */
static void test_many_threads(void)
{
    static unsigned char memory[1 << 19];
    struct minidump_extra extra = { .records = NULL };
    struct capture capture;
    struct capture_thread *threads;
    size_t bytes = 0, with_registers = 0;

    CU_ASSERT_EQUAL_FATAL(capture_myself(CAPTURE_STACKS, 100000, &capture), 0);
    threads = arena_array(&capture.arena, 30000, sizeof(*threads));
    CU_ASSERT_PTR_NOT_NULL_FATAL(threads);
    for (int i = 0; i < 30000; i++) {
        threads[i] = (struct capture_thread){ .tid = i + 10, .has_registers = 1 };
    }
    threads[29999] = capture.threads[0];
    capture.threads = threads;
    capture.thread_count = 30000;
    capture.crashed = 29999;
    CU_ASSERT_EQUAL(minidump_write_memory(&capture, &extra, memory, sizeof(memory), &bytes), 0);
    CU_ASSERT(capture.thread_count > 1000 && capture.thread_count < 3000);
    CU_ASSERT_EQUAL(capture.threads[capture.crashed].tid, 1);
    CU_ASSERT_EQUAL(capture.threads[capture.crashed].has_registers, 1);
    for (size_t i = 0; i < capture.thread_count; i++) {
        with_registers += capture.threads[i].has_registers;
    }
    CU_ASSERT(with_registers >= 1);
    CU_ASSERT_EQUAL(count_streams(memory, bytes, MINIDUMP_STREAM_THREAD_LIST), 1);
    CU_ASSERT_EQUAL(count_streams(memory, bytes, MINIDUMP_STREAM_THREAD_NAMES), 1);
    capture_finish(&capture);
}

/* Where in the dump the byte at `address` is; blocks lie one after the other at the file's end. */
static off_t place_in_dump(const struct capture *capture, int fd, uint64_t address)
{
    off_t place = lseek(fd, 0, SEEK_END);

    for (size_t i = capture->block_count; i > 0; i--) {
        const struct capture_block *block = &capture->blocks[i - 1];

        place -= (off_t)block->bytes;
        if (address >= block->start && address - block->start < block->bytes) {
            return place + (off_t)(address - block->start);
        }
    }
    return -1;
}

static int holds_text(int fd, const char *text)
{
    off_t bytes = lseek(fd, 0, SEEK_END);
    char *content = mmap(NULL, (size_t)bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    int found = content != MAP_FAILED && memmem(content, (size_t)bytes, text, strlen(text)) != NULL;

    if (content != MAP_FAILED) {
        munmap(content, (size_t)bytes);
    }
    return found;
}

/* Memory that is left in the process comes into the file by itself; what there is no time for is
 * told. */
static void test_left_memory(void)
{
    static const char note[] = "bytes of the process's memory could not be read in time";
    const size_t bytes = 3 << 20;
    unsigned char *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned char *copy = malloc(bytes);

    CU_ASSERT_FATAL(memory != MAP_FAILED && copy != NULL);
    for (size_t i = 0; i < bytes; i++) {
        memory[i] = (unsigned char)(i * 7 + i / 4096);
    }
    for (int late = 0; late < 2; late++) {
        struct minidump_extra extra = { .records = NULL };
        int fd = memfd_create("dump", MFD_CLOEXEC);
        struct capture capture;
        off_t place;

        CU_ASSERT_EQUAL_FATAL(capture_myself(CAPTURE_FULL, 0, &capture), 0);
        CU_ASSERT(capture.left_bytes >= bytes);
        capture.request.hold_ns = late ? 1 : 0;
        CU_ASSERT_EQUAL_FATAL(minidump_write(&capture, &extra, fd), 0);
        place = place_in_dump(&capture, fd, (uintptr_t)memory);
        CU_ASSERT_EQUAL_FATAL(pread(fd, copy, bytes, place), (ssize_t)bytes);
        CU_ASSERT_EQUAL(memcmp(copy, memory, bytes) == 0, !late);
        CU_ASSERT_EQUAL(holds_text(fd, note), late);
        close(fd);
        capture_finish(&capture);
    }
    free(copy);
    munmap(memory, bytes);
}

static void test_size_limit(void)
{
    static const uint32_t modes[] = { CAPTURE_STACKS, CAPTURE_REFERENCED, CAPTURE_FULL };

    for (size_t mode = 0; mode < 3; mode++) {
        for (uint64_t limit = 1; limit < 3000000; limit = limit * 5 + 3) {
            struct capture capture;
            uint64_t total = 0;

            CU_ASSERT_EQUAL_FATAL(capture_myself(modes[mode], limit, &capture), 0);
            for (size_t i = 0; i < capture.block_count; i++) {
                total += capture.blocks[i].bytes;
            }
            CU_ASSERT(total <= limit);
            capture_finish(&capture);
        }
    }
}

static unsigned long mapped_bytes(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    CU_ASSERT_FATAL(file != NULL && fscanf(file, "%lu", &pages) == 1);
    fclose(file);
    return pages * 4096;
}

/* In a child, with ever more address space: at some point it works, before it fails and says so. */
static void test_short_of_memory(void)
{
    unsigned long mapped = mapped_bytes();
    int successes = 0;

    for (unsigned long extra = 0; extra < 80; extra++) {
        pid_t child = fork();
        int status = 0;

        if (child == 0) {
            struct rlimit limit = { mapped + extra * 131072, RLIM_INFINITY };
            struct capture capture;
            int fd = memfd_create("dump", MFD_CLOEXEC);
            int result;

            setrlimit(RLIMIT_AS, &limit);
            result = capture_myself(CAPTURE_REFERENCED, 1 << 20, &capture);
            if (result == 0) {
                result = minidump_write(&capture, NULL, fd);
                capture_finish(&capture);
            }
            _exit(result == 0 ? 0 : result == -ENOMEM || result == -EFAULT ? 1 : 2);
        }
        CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
        CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        successes += WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    CU_ASSERT(successes > 0);
    CU_ASSERT(successes < 80);
}

/* Refuses one system call with EPERM from now on. */
static int refuse(unsigned number)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0;
}

/* Whatever system call is refused: no hang, no crash, and mostly still a dump. */
static void test_refused_calls(void)
{
    static const struct {
        unsigned number;
        int wanted; /* whether a dump must come all the same */
    } rows[] = { { SYS_process_vm_readv, 1 },
                 { SYS_openat, 0 },
                 { SYS_read, 0 },
                 { SYS_readlinkat, 1 },
                 { SYS_pread64, 1 },
                 { SYS_clock_gettime, 1 },
                 { SYS_uname, 1 },
                 { SYS_pwritev, 0 },
                 { SYS_mmap, 0 },
                 { SYS_munmap, 1 },
                 { SYS_rt_sigprocmask, 1 } };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        pid_t child = fork();
        int status = 0;

        if (child == 0) {
            static struct capture capture;
            int fd = memfd_create("dump", MFD_CLOEXEC);
            int result = refuse(rows[i].number) ? -1 : capture_myself(CAPTURE_STACKS, 0, &capture);

            if (result == 0) {
                result = minidump_write(&capture, NULL, fd);
                result = result == 0 && capture.threads[0].stack_bytes == 0 ? -1 : result;
                capture_finish(&capture);
            }
            _exit(result == 0 ? 0 : 1);
        }
        CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
        CU_ASSERT(WIFEXITED(status));
        CU_ASSERT(!rows[i].wanted || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
    }
}

/* Where ptrace is refused, the caller is told, so that the next tier takes over. */
static void test_refused_ptrace(void)
{
    pid_t victim = fork(), tracer;
    int status = 0;

    if (victim == 0) {
        pause();
        _exit(0);
    }
    tracer = fork();
    if (tracer == 0) {
        struct capture capture;
        struct capture_request request = { .pid = victim, .stop_timeout_ns = 100000000 };
        int result = refuse(SYS_ptrace) ? 0 : capture_begin(&capture, &request);

        _exit(result == -EPERM && capture.arena.mapped == 0 ? 0 : 1);
    }
    CU_ASSERT_EQUAL(waitpid(tracer, &status, 0), tracer);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    kill(victim, SIGKILL);
    CU_ASSERT_EQUAL(waitpid(victim, &status, 0), victim);
}

/* The tracer: says when it holds the victim, and when it has let it go; each time it goes on when
 * it is told. */
__attribute__((noreturn)) static void hold(pid_t victim, int in, int out)
{
    struct capture capture;
    struct capture_request request = { .pid = victim, .stop_timeout_ns = 1000000000 };
    int result = capture_begin(&capture, &request);
    char byte = 0;

    (void)!write(out, &byte, 1);
    (void)!read(in, &byte, 1);
    if (result == 0) {
        capture_finish(&capture);
    }
    (void)!write(out, &byte, 1);
    (void)!read(in, &byte, 1);
    _exit(result == 0 ? 0 : 1);
}

/* Killed while it is held: its parent learns of that at its release, though the tracer lives. */
static void test_killed_while_held(void)
{
    pid_t victim = fork(), tracer;
    int status = 0, reaped = 0, to_tracer[2], from_tracer[2];
    char byte = 0;

    if (victim == 0) {
        pause();
        _exit(0);
    }
    CU_ASSERT_FATAL(pipe(to_tracer) == 0 && pipe(from_tracer) == 0);
    tracer = fork();
    if (tracer == 0) {
        hold(victim, to_tracer[0], from_tracer[1]);
    }
    CU_ASSERT_EQUAL(read(from_tracer[0], &byte, 1), 1);
    kill(victim, SIGKILL);
    (void)!write(to_tracer[1], &byte, 1);
    CU_ASSERT_EQUAL(read(from_tracer[0], &byte, 1), 1);
    for (int i = 0; i < 1000 && !reaped; i++) {
        reaped = waitpid(victim, &status, WNOHANG) == victim;
        usleep(10000);
    }
    CU_ASSERT(reaped && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    (void)!write(to_tracer[1], &byte, 1);
    CU_ASSERT_EQUAL(waitpid(tracer, &status, 0), tracer);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(to_tracer[0]);
    close(to_tracer[1]);
    close(from_tracer[0]);
    close(from_tracer[1]);
}

static const struct tap_test tests[] = {
    { "text", test_text },
    { "memory functions", test_memory_functions },
    { "arena", test_arena },
    { "mappings", test_mappings },
    { "blocks", test_blocks },
    { "own copy", test_own_copy },
    { "bounded minidump", test_bounded },
    { "more threads than fit", test_many_threads },
    { "left memory", test_left_memory },
    { "size limit", test_size_limit },
    { "short of memory", test_short_of_memory },
    { "refused system calls", test_refused_calls },
    { "refused ptrace", test_refused_ptrace },
    { "killed while held", test_killed_while_held },
    { NULL, NULL },
};

int main(void)
{
    return tap_run("capture", tests);
}
