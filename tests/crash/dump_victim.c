/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Captures a child of its own with capture_begin() and minidump_write(): no shared page, no
 * monitor, no engine, so that what goes wrong here is capture's or the writer's fault.
 *
 *     dump_victim SCENE FILE [THREADS [MEMORY]]
 *
 * SCENE: live (a dump is requested), crash, overflow, badstack (a wild stack pointer), vfork (one
 * thread sleeps in vfork), mainexit (the main thread has ended), stopped (by SIGSTOP).
 * MEMORY: stacks, referenced, full. Prints what it saw as "key value" lines; exit 0 if a dump was
 * made and the child went on to die of the right signal.
 */
#include "core/capture/capture.h"
#include "core/minidump/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_THREADS 2000

/* What parent and child share. */
struct shared {
    volatile int ready; /* threads that are where they should be */
    volatile int crashed;
    volatile int go; /* set when the process was released */
    int tid;
    uint64_t context_address;
    unsigned char siginfo[128];
};

static struct shared *shared;
static const char *scene;
static volatile int sink;
static int *volatile nowhere = (int *)16;

static bool is_scene(const char *name)
{
    return strcmp(scene, name) == 0;
}

static void nap(long milliseconds)
{
    struct timespec time = { milliseconds / 1000, milliseconds % 1000 * 1000000 };

    nanosleep(&time, NULL);
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    memcpy(shared->siginfo, info, sizeof(shared->siginfo));
    shared->context_address = (uint64_t)(uintptr_t)context;
    shared->tid = (int)syscall(SYS_gettid);
    shared->crashed = 1;
    while (!shared->go) {
        nap(1);
    }
    signal(number, SIG_DFL);
}

__attribute__((noinline)) static int innermost(int depth)
{
    char deep[256];

    memset(deep, depth, sizeof(deep));
    shared->ready++;
    while (!shared->go) {
        nap(is_scene("live") ? 5 : 1000);
    }
    return deep[depth & 255] + 1;
}

__attribute__((noinline)) static int level_two(int depth)
{
    return innermost(depth + 1) + 1;
}

static void *worker(void *argument)
{
    int number = *(const int *)argument;
    char name[16];

    snprintf(name, sizeof(name), "worker-%d", number);
    prctl(PR_SET_NAME, name);
    if (is_scene("vfork") && number == 0) {
        shared->ready++;
        if (vfork() == 0) {
            nap(1500);
            _exit(0);
        }
        return NULL;
    }
    sink = level_two(number & 127);
    return NULL;
}

__attribute__((noinline)) static int endless(int depth)
{
    volatile char frame[512];

    frame[depth & 511] = (char)depth;
    return sink == -1 ? 0 : endless(depth + 1) + frame[depth & 511];
}

__attribute__((noinline)) static void crash_now(void)
{
    *nowhere = 1;
}

__attribute__((noinline)) static void wild_stack(void)
{
    __asm__ volatile("movq $0x123456789000, %rsp\n\tmovl $0, 0");
}

static void *crasher(void *argument)
{
    (void)argument;
    nap(50);
    crash_now();
    return NULL;
}

static _Noreturn void end_main(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, crasher, NULL);
    pthread_exit(NULL);
}

static _Noreturn void run_victim(int threads)
{
    static char alternate[65536];
    static int numbers[MAX_THREADS];
    stack_t stack = { .ss_sp = alternate, .ss_size = sizeof(alternate) };
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK };

    sigaltstack(&stack, NULL);
    sigaction(SIGSEGV, &action, NULL);
    for (int i = 0; i < threads; i++) {
        pthread_t thread;

        numbers[i] = i;
        if (pthread_create(&thread, NULL, worker, &numbers[i]) != 0) {
            _exit(99);
        }
        while (shared->ready <= i) {
            nap(0);
        }
    }
    if (is_scene("live") || is_scene("stopped")) {
        shared->tid = (int)getpid();
        shared->crashed = 1;
        if (is_scene("stopped")) {
            raise(SIGSTOP);
        }
        sink = level_two(1);
        raise(SIGSEGV);
    } else if (is_scene("overflow")) {
        sink = endless(0);
    } else if (is_scene("badstack")) {
        wild_stack();
    } else if (is_scene("mainexit")) {
        end_main();
    }
    crash_now();
    _exit(98);
}

static int write_dump(struct capture *capture, const char *path)
{
    static const struct minidump_annotation annotations[] = { { "color", "blue" },
                                                              { "path", "/a \"b\"" } };
    struct minidump_record_info info = { .version = 1, .tier = 1, .kind = 1 };
    struct minidump_records records;
    struct minidump_extra extra = { .records = &records,
                                    .annotations = annotations,
                                    .annotation_count = 2,
                                    .report_id = { 0x01, 0x98, 0x01, 0x02, 0x03, 0x04, 0x75, 0x06,
                                                   0x87, 0x08, 9, 10, 11, 12, 13, 14 } };
    int result, fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    info.pid = (uint32_t)capture->request.pid;
    minidump_records_init(&records, &capture->arena);
    minidump_records_add(&records, MINIDUMP_RECORD_INFO, &info, sizeof(info), NULL, 0, NULL, 0);
    minidump_records_text(&records, MINIDUMP_RECORD_APPLICATION, "victim");
    result = fd < 0 ? -errno : minidump_write(capture, &extra, fd);
    close(fd);
    return result;
}

static double since(uint64_t from, uint64_t to)
{
    return (double)(to - from) / 1e6;
}

static void print_capture(const struct capture *capture)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < capture->block_count; i++) {
        bytes += capture->blocks[i].bytes;
    }
    printf("threads %zu\nmodules %zu\nmappings %zu\nblocks %zu\nbytes %llu\n",
           capture->thread_count, capture->module_count, capture->mapping_count,
           capture->block_count, (unsigned long long)bytes);
    printf("arena-mapped %zu\n", capture->arena.mapped);
    if (capture->crashed != SIZE_MAX) {
        printf("crashed-tid %d\nip 0x%llx\n", capture->threads[capture->crashed].tid,
               (unsigned long long)arch_instruction_pointer(
                   &capture->threads[capture->crashed].registers));
    }
    printf("stop-ms %.3f\nread-ms %.3f\n", since(capture->began_ns, capture->stopped_ns),
           since(capture->stopped_ns, capture->read_ns));
    for (size_t i = 0; i < capture->note_count; i++) {
        printf("note %s\n", capture->notes[i]);
    }
}

static uint32_t memory_mode(const char *name)
{
    return strcmp(name, "full") == 0         ? CAPTURE_FULL
           : strcmp(name, "referenced") == 0 ? CAPTURE_REFERENCED
                                             : CAPTURE_STACKS;
}

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int capture_child(pid_t child, const char *path, const char *memory)
{
    static struct capture capture;
    bool requested = is_scene("live") || is_scene("stopped");
    struct capture_request request = {
        .pid = child,
        .tid = shared->tid,
        .signal = requested ? 0 : SIGSEGV,
        .context_address = shared->context_address,
        .siginfo = shared->siginfo,
        .memory = memory_mode(memory),
        .classes = CAPTURE_COMMAND_LINE,
        .max_bytes = 64 << 20,
        .stop_timeout_ns = 500000000,
    };
    uint64_t before;
    int result = capture_begin(&capture, &request);

    if (result < 0) {
        fprintf(stderr, "capture_begin: %s\n", strerror(-result));
        return 1;
    }
    if (capture.left_bytes == 0) {
        capture_release(&capture);
    }
    print_capture(&capture);
    before = now();
    result = write_dump(&capture, path);
    capture_release(&capture);
    printf("held-ms %.3f\nwrite-ms %.3f\n", since(capture.began_ns, capture.released_ns),
           since(before, now()));
    if (result < 0) {
        fprintf(stderr, "minidump_write: %s\n", strerror(-result));
        return 1;
    }
    shared->go = 1;
    capture_finish(&capture);
    return 0;
}

/* The child's end must come, and be a SIGSEGV. */
static int wait_for_end(pid_t child)
{
    int status;

    for (int i = 0; i < 500; i++) {
        pid_t ended = waitpid(child, &status, WNOHANG | WUNTRACED);

        if (ended == child && WIFSTOPPED(status)) {
            kill(child, SIGCONT);
        } else if (ended == child) {
            printf("status %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
            return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV ? 0 : 1;
        }
        nap(10);
    }
    kill(child, SIGKILL);
    fprintf(stderr, "the child did not end\n");
    return 1;
}

int main(int count, char **arguments)
{
    int threads = count > 3 ? (int)strtol(arguments[3], NULL, 10) : 3;
    int result;
    pid_t child;

    if (count < 3 || threads < 0 || threads > MAX_THREADS) {
        fprintf(stderr, "usage: dump_victim SCENE FILE [THREADS [MEMORY]]\n");
        return 64;
    }
    scene = arguments[1];
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        return 71;
    }
    child = fork();
    if (child == 0) {
        run_victim(threads);
    }
    for (int i = 0; i < 1000 && !shared->crashed; i++) {
        nap(10);
    }
    nap(20);
    result = capture_child(child, arguments[2], count > 4 ? arguments[4] : "stacks");
    shared->go = 1;
    return wait_for_end(child) | result;
}
