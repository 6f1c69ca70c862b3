/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program that crashes: N threads that sleep with 32 KiB of used stack each, M modules, H MiB of
 * touched heap. Built twice: bare, and with BENCH_CAIRN, which embeds libcairn.
 *
 *     victim THREADS MODULES HEAP-MIB
 *
 * Environment: BENCH_MODULES is the prefix of the modules' paths ("/tmp/m-" for /tmp/m-0.so, …);
 * BENCH_HANDLER=1 makes the crash known to the bare capture program; BENCH_CONFIG is the
 * configuration for cairn_start().
 */
#include "bench/shared.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#ifdef BENCH_CAIRN
#include <cairn/cairn.h>
#endif

#define STACK_USED     (32 * 1024)
#define ALTERNATE_BYTES (64 * 1024)

static struct bench *bench;
static uint32_t never;
static pthread_barrier_t arrived;

static unsigned long number(const char *text)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (end == text || *end != '\0' || value > 1000000) {
        fprintf(stderr, "victim: \"%s\" is not a number that makes sense here\n", text);
        exit(64);
    }
    return value;
}

/* Bytes that no compressor and no kernel can merge. */
static void fill(void *memory, size_t bytes, uint64_t seed)
{
    uint64_t *words = memory;

    for (size_t i = 0; i < bytes / sizeof(*words); i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        words[i] = seed;
    }
}

static void *sleep_with_stack(void *argument)
{
    uint64_t used[STACK_USED / sizeof(uint64_t)];

    fill(used, sizeof(used), (uint64_t)(uintptr_t)argument + 1);
    __asm__ volatile("" : : "r"(used) : "memory");
    pthread_barrier_wait(&arrived);
    for (;;) {
        syscall(SYS_futex, &never, FUTEX_WAIT, 0, NULL, NULL, 0);
    }
    return NULL;
}

static void start_threads(unsigned long count)
{
    pthread_barrier_init(&arrived, NULL, (unsigned)count);
    for (unsigned long i = 1; i < count; i++) {
        pthread_t thread;
        int error = pthread_create(&thread, NULL, sleep_with_stack, (void *)i);

        if (error != 0) {
            fprintf(stderr, "victim: thread %lu cannot be made: %s\n", i, strerror(error));
            exit(71);
        }
    }
    pthread_barrier_wait(&arrived);
}

static void load_modules(unsigned long count)
{
    const char *prefix = getenv("BENCH_MODULES");
    char path[4096];

    for (unsigned long i = 0; i < count && prefix != NULL; i++) {
        snprintf(path, sizeof(path), "%s%lu.so", prefix, i);
        if (dlopen(path, RTLD_NOW | RTLD_LOCAL) == NULL) {
            fprintf(stderr, "victim: %s\n", dlerror());
            exit(66);
        }
    }
}

static void take_heap(unsigned long mebibytes)
{
    size_t bytes = (size_t)mebibytes << 20;
    void *heap = bytes > 0 ? malloc(bytes) : NULL;

    if (bytes > 0 && heap == NULL) {
        perror("victim: heap");
        exit(71);
    }
    fill(heap, bytes, 88172645463325252u);
}

/* The shortest way in which a crash can be announced, and the program held. */
static void announce(int signal_number)
{
    bench->tid = (int32_t)syscall(SYS_gettid);
    bench_set(&bench->announced);
    bench_wait(&bench->released, 60);
    signal(signal_number, SIG_DFL); /* the instruction faults once more on the return */
}

static void install_bare_handler(void)
{
    static char memory[ALTERNATE_BYTES];
    const stack_t stack = { .ss_sp = memory, .ss_size = sizeof(memory) };
    struct sigaction action = { .sa_handler = announce, .sa_flags = SA_ONSTACK };

    if (getenv("BENCH_HANDLER") == NULL) {
        return;
    }
    memset(memory, 1, sizeof(memory));
    if (sigaltstack(&stack, NULL) != 0 || sigaction(SIGSEGV, &action, NULL) != 0) {
        perror("victim: handler");
        exit(71);
    }
}

#ifdef BENCH_CAIRN
static void start_cairn(void)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    char error[1024] = "";
    uint64_t began = bench_now();

    options.config_file = getenv("BENCH_CONFIG");
    if (cairn_start(&options, NULL, error, sizeof(error)) != 0) {
        fprintf(stderr, "victim: %s\n", error);
        exit(78);
    }
    bench->start_ns = bench_now() - began;
}
#else
static void start_cairn(void)
{
}
#endif

int main(int argc, char **argv)
{
    uint64_t used[STACK_USED / sizeof(uint64_t)];

    if (argc != 4) {
        fprintf(stderr, "usage: victim THREADS MODULES HEAP-MIB, started by the driver\n");
        return 64;
    }
    bench = bench_map();
    bench->pid = getpid();
    fill(used, sizeof(used), 1);
    start_cairn();
    install_bare_handler();
    load_modules(number(argv[2]));
    take_heap(number(argv[3]));
    start_threads(number(argv[1]));
    bench_set(&bench->victim_ready);
    if (!bench_wait(&bench->go, 300)) {
        return 75;
    }
    __asm__ volatile("" : : "r"(used) : "memory");
    bench->fault_ns = bench_now();
    *(volatile int *)0 = 1;
    return 70;
}
