/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writer and reader as a pair: a child of the test is captured and written as in the monitor, and
 * what the reader and the report make of the dump is compared with what the child is known to be.
 */
#include "core/capture/capture.h"
#include "core/minidump/reader.h"
#include "core/minidump/writer.h"
#include "core/report/report.h"
#include "tests/unit/tap.h"

#include <cairn/plugin.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ID "0193c1de-0000-7000-8000-00000000000a"

static pid_t child;
static const char *pattern_address; /* on the child's stack, and the same here: it is a fork */

/* A child that waits for its end, with a text of ours on its stack. */
static void start_child(void)
{
    char pattern[32] = "cairn-pattern-on-the-stack";
    int ends[2];
    char ready;

    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    pattern_address = pattern;
    child = fork();
    CU_ASSERT_FATAL(child >= 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, "pair-child");
        if (write(ends[1], pattern, 1) != 1) {
            _exit(1);
        }
        for (;;) {
            pause();
        }
    }
    CU_ASSERT_EQUAL_FATAL(read(ends[0], &ready, 1), 1);
    close(ends[0]);
    close(ends[1]);
}

static void end_child(void)
{
    int status;

    kill(child, SIGKILL);
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void add_annotation(struct minidump_records *records, const char *name, const char *text,
                           uint32_t type, uint64_t bits)
{
    struct minidump_record_annotation head = { .type = type,
                                               .name_bytes = (uint32_t)strlen(name),
                                               .bits = bits,
                                               .value_bytes = (uint32_t)strlen(text) };

    minidump_records_add(records, MINIDUMP_RECORD_ANNOTATION, &head, sizeof(head), name,
                         strlen(name), text, strlen(text));
}

static void fill_records(struct minidump_records *records, uint32_t kind)
{
    struct minidump_record_info info = { 1, 1, kind, (uint32_t)child, 1764100000000000001u };

    minidump_records_add(records, MINIDUMP_RECORD_INFO, &info, sizeof(info), NULL, 0, NULL, 0);
    minidump_records_text(records, MINIDUMP_RECORD_ID, ID);
    minidump_records_text(records, MINIDUMP_RECORD_APPLICATION, "pair");
    minidump_records_text(records, MINIDUMP_RECORD_MESSAGE, "on request");
    add_annotation(records, "team", "payments", CAIRN_VALUE_STRING, 0);
    add_annotation(records, "level", "", CAIRN_VALUE_INTEGER, (uint64_t)-3);
}

/* Captures the child into a file in memory. `siginfo` is NULL for a request. */
static int write_dump(uint32_t memory, const siginfo_t *siginfo)
{
    struct capture_request request = { .pid = child,
                                       .tid = child,
                                       .signal = siginfo != NULL ? siginfo->si_signo : 0,
                                       .siginfo = (const unsigned char *)siginfo,
                                       .memory = memory,
                                       .max_bytes = 64u << 20,
                                       .stop_timeout_ns = 2000000000u };
    struct minidump_annotation annotation = { "team", "payments" };
    struct minidump_records records;
    struct minidump_extra extra = { .records = &records,
                                    .annotations = &annotation,
                                    .annotation_count = 1 };
    struct capture capture;
    int fd = memfd_create("pair", MFD_CLOEXEC);

    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL_FATAL(capture_begin(&capture, &request), 0);
    capture_release(&capture);
    minidump_records_init(&records, &capture.arena);
    fill_records(&records, siginfo != NULL ? MINIDUMP_KIND_CRASH : MINIDUMP_KIND_REQUEST);
    CU_ASSERT_EQUAL(minidump_write(&capture, &extra, fd), 0);
    capture_finish(&capture);
    return fd;
}

static struct minidump *read_dump(int fd)
{
    struct minidump *dump = NULL;

    CU_ASSERT_EQUAL_FATAL(minidump_open(fd, "pair", &dump, NULL), 0);
    close(fd);
    return dump;
}

static void check_dump(const struct minidump *dump)
{
    const struct minidump_thread *thread = minidump_thread_by_id(dump, (uint32_t)child);
    const struct minidump_module *own = minidump_module_of(dump, (uintptr_t)&check_dump);
    char text[32] = "";
    const char *status;
    size_t bytes;

    CU_ASSERT_EQUAL(minidump_thread_count(dump), 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(thread);
    CU_ASSERT_STRING_EQUAL(thread->name, "pair-child");
    CU_ASSERT(thread->stack_pointer >= thread->stack_start);
    CU_ASSERT(thread->stack_pointer - thread->stack_start < thread->stack_bytes);
    CU_ASSERT_PTR_NOT_NULL(minidump_module_of(dump, thread->instruction_pointer));
    CU_ASSERT_EQUAL(minidump_read(dump, (uintptr_t)pattern_address, text, 27), 27);
    CU_ASSERT_STRING_EQUAL(text, "cairn-pattern-on-the-stack");
    CU_ASSERT_PTR_EQUAL_FATAL(own, minidump_module_at(dump, 0));
    CU_ASSERT_PTR_NOT_NULL(strstr(own->path, "test_minidump_pair"));
    CU_ASSERT(strlen(own->build_id) >= 16);
    CU_ASSERT_STRING_EQUAL(minidump_cpu(dump), "x86_64");
    CU_ASSERT_STRING_EQUAL(minidump_system(dump), "Linux");
    CU_ASSERT_TRUE(minidump_process_file(dump, "status", &status, &bytes));
    CU_ASSERT_PTR_NOT_NULL(strstr(status, "pair-child"));
    CU_ASSERT_FALSE(minidump_process_file(dump, "environ", &status, &bytes));
}

static void test_crash(void)
{
    siginfo_t siginfo;
    struct report *report = report_create();
    struct minidump *dump;

    memset(&siginfo, 0, sizeof(siginfo));
    siginfo.si_signo = SIGSEGV;
    siginfo.si_code = SEGV_ACCERR;
    siginfo.si_addr = (void *)0x1238;
    start_child();
    dump = read_dump(write_dump(CAPTURE_STACKS, &siginfo));
    end_child();
    check_dump(dump);
    CU_ASSERT_PTR_NOT_NULL_FATAL(report);
    CU_ASSERT_EQUAL_FATAL(report_from_minidump(report, dump), 0);
    CU_ASSERT_STRING_EQUAL(report->id, ID);
    CU_ASSERT_STRING_EQUAL(report->kind, "crash");
    CU_ASSERT_STRING_EQUAL(report->application, "pair");
    CU_ASSERT_EQUAL(report->signal, SIGSEGV);
    CU_ASSERT_EQUAL(report->si_code, SEGV_ACCERR);
    CU_ASSERT_TRUE(report->has_address);
    CU_ASSERT_EQUAL(report->address, 0x1238);
    CU_ASSERT_EQUAL(report->pid, (uint32_t)child);
    CU_ASSERT_STRING_EQUAL(report->thread, "pair-child");
    CU_ASSERT_PTR_NOT_NULL_FATAL(report->executable);
    CU_ASSERT_PTR_NOT_NULL(strstr(report->executable, "test_minidump_pair"));
    CU_ASSERT_PTR_NOT_NULL(report->user);
    CU_ASSERT_EQUAL(report->attribute_count, 2);
    CU_ASSERT_EQUAL(report_attribute(report, "level")->integer, -3);
    CU_ASSERT_EQUAL(report->register_count, 18);
    report_destroy(report);
    minidump_close(dump);
}

static void test_request(void)
{
    struct report *report = report_create();
    struct minidump *dump;

    start_child();
    dump = read_dump(write_dump(CAPTURE_FULL, NULL));
    end_child();
    check_dump(dump);
    CU_ASSERT_PTR_NOT_NULL_FATAL(report);
    CU_ASSERT_EQUAL_FATAL(report_from_minidump(report, dump), 0);
    CU_ASSERT_STRING_EQUAL(report->kind, "request");
    CU_ASSERT_EQUAL(report->signal, 0);
    CU_ASSERT_EQUAL(report->tid, (uint32_t)child);
    CU_ASSERT_STRING_EQUAL(report->message, "on request");
    CU_ASSERT_PTR_NULL(report->reason);
    report_destroy(report);
    minidump_close(dump);
}

static void test_refused_call(void)
{
    siginfo_t siginfo;
    struct report *report = report_create();
    struct minidump *dump;

    memset(&siginfo, 0, sizeof(siginfo));
    siginfo.si_signo = SIGSYS;
    siginfo.si_code = 1; /* SYS_SECCOMP */
    siginfo.si_syscall = 59;
    start_child();
    dump = read_dump(write_dump(CAPTURE_STACKS, &siginfo));
    end_child();
    CU_ASSERT_PTR_NOT_NULL_FATAL(report);
    CU_ASSERT_EQUAL_FATAL(report_from_minidump(report, dump), 0);
    CU_ASSERT_STRING_EQUAL(report->reason, "system call refused by a seccomp filter: number 59");
    CU_ASSERT_FALSE(report->has_address);
    report_destroy(report);
    minidump_close(dump);
}

int main(void)
{
    static const struct tap_test tests[] = {
        { "a crash, stacks only", test_crash },
        { "a request, full memory", test_request },
        { "a refused system call's number", test_refused_call },
        { NULL, NULL },
    };

    return tap_run("minidump pair", tests);
}
