/* SPDX-License-Identifier: Apache-2.0 */
/* Faults by kind of instruction, memory and library: what goes wrong, not when or where. */
#include "tests/crash/victims/victim.h"

#include <assert.h>
#include <dlfcn.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void crash_null(const char *unused)
{
    (void)unused;
    crash_here();
}

static void crash_abort(const char *unused)
{
    (void)unused;
    abort();
}

__attribute__((noinline)) static void divide(void)
{
    volatile int number = 7, zero = 0;

    number = number / zero;
}

static void crash_fpe(const char *unused)
{
    (void)unused;
    divide();
}

__attribute__((noinline)) static void run_ud2(void)
{
    __asm__ volatile("ud2");
}

static void crash_ill(const char *unused)
{
    (void)unused;
    run_ud2();
}

__attribute__((noinline)) static void write_behind_end(volatile char *bytes)
{
    bytes[4096] = 1;
}

static void crash_bus(const char *unused)
{
    int fd = memfd_create("short", MFD_CLOEXEC);
    char *bytes = fd < 0 || ftruncate(fd, 1) != 0
                      ? MAP_FAILED
                      : mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    (void)unused;
    if (bytes == MAP_FAILED) {
        cannot("mmap");
    }
    write_behind_end(bytes);
}

__attribute__((noinline)) static void run_int3(void)
{
    __asm__ volatile("int3");
}

static void crash_trap(const char *unused)
{
    (void)unused;
    run_int3();
    say("went on after int3\n");
}

static void crash_sys(const char *unused)
{
    struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), /* seccomp_data.nr */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpriority, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { 4, instructions };

    (void)unused;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) {
        cannot("seccomp");
    }
    syscall(SYS_getpriority, 0, 0);
    say("went on after the refused system call\n");
}

/* ---- code that is none ---- */

__attribute__((noinline)) static void call_address(void *address)
{
    void (*function)(void);

    memcpy(&function, &address, sizeof(function));
    function();
    __asm__ volatile(""); /* no tail call */
}

static void crash_jump_zero(const char *unused)
{
    (void)unused;
    call_address(NULL);
}

static void crash_jump_data(const char *unused)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)unused;
    if (page == MAP_FAILED) {
        cannot("mmap");
    }
    call_address(page);
}

/* ---- what libc finds out, with a message ---- */

static void crash_assert(const char *unused)
{
    volatile int two = 2;

    (void)unused;
    assert(two == 3 && "arithmetic");
}

/* As compiled code with _FORTIFY_SOURCE does it. */
char *__strcpy_chk(char *target, const char *source, size_t capacity);

static void crash_fortify(const char *unused)
{
    const char *volatile text = "too long for it";
    static char small[4];

    (void)unused;
    __strcpy_chk(small, text, sizeof(small));
}

void __stack_chk_fail(void);

static void crash_canary(const char *unused)
{
    (void)unused;
    __stack_chk_fail();
}

static void crash_double_free(const char *unused)
{
    char *volatile block = malloc(24);

    (void)unused;
    free(block);
    free(block);
}

/* A chunk's size field overwritten: free() notices. */
static void crash_heap(const char *unused)
{
    volatile size_t *volatile block = malloc(2000);

    (void)unused;
    block[-1] = 8;
    free((void *)block);
}

/* ---- locks held ---- */

static void *idle_thread(void *unused)
{
    pause();
    return unused;
}

/* malloc() takes no lock while there is one thread only. */
static void add_thread(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, idle_thread, NULL) != 0) {
        cannot("pthread_create");
    }
}

/* A free chunk's links lead nowhere: malloc() faults while it holds the arena's lock. */
static void crash_in_malloc(const char *unused)
{
    volatile uint64_t *volatile block = malloc(4000);
    void *volatile guard = malloc(4000);

    (void)unused;
    add_thread();
    free((void *)block);
    block[1] = 16; /* what the chunk before it in the list is supposed to be */
    guard = malloc(5000);
    say(guard == NULL ? "no memory\n" : "went on after malloc\n");
}

static ssize_t write_and_crash(void *cookie, const char *text, size_t bytes)
{
    (void)cookie;
    (void)text;
    crash_here();
    return (ssize_t)bytes;
}

/* The stream's lock is held while its function writes. */
static void crash_in_stdio(const char *unused)
{
    const cookie_io_functions_t functions = { .write = write_and_crash };
    FILE *stream = fopencookie(NULL, "w", functions);

    (void)unused;
    add_thread();
    if (stream == NULL) {
        cannot("fopencookie");
    }
    fputs("text\n", stream);
    fflush(stream);
}

/* ---- an exception without a C++ compiler: what libstdc++ throws for itself ---- */

static void crash_exception(const char *unused)
{
    void *library = dlopen("libstdc++.so.6", RTLD_NOW);
    void (*throw_runtime_error)(const char *) = NULL;

    (void)unused;
    if (library != NULL) {
        *(void **)&throw_runtime_error = dlsym(library, "_ZSt21__throw_runtime_errorPKc");
    }
    if (throw_runtime_error == NULL) {
        cannot("libstdc++");
    }
    throw_runtime_error("nobody catches me");
}

static void survive(const char *unused)
{
    (void)unused;
}

/* For the matrix's negative controls: not the thread, not the function that it claims. */
static void crash_elsewhere(void)
{
    divide();
}

static void crash_wrong_thread(const char *unused)
{
    (void)unused;
    crash_in_thread(crash_elsewhere);
}

const struct kind fault_kinds[] = {
    { "null", crash_null },
    { "abort", crash_abort },
    { "fpe", crash_fpe },
    { "ill", crash_ill },
    { "bus", crash_bus },
    { "trap", crash_trap },
    { "sys", crash_sys },
    { "jump-zero", crash_jump_zero },
    { "jump-data", crash_jump_data },
    { "assert", crash_assert },
    { "fortify", crash_fortify },
    { "canary", crash_canary },
    { "double-free", crash_double_free },
    { "heap", crash_heap },
    { "in-malloc", crash_in_malloc },
    { "in-stdio", crash_in_stdio },
    { "exception", crash_exception },
    { "survive", survive },
    { "wrong-thread", crash_wrong_thread },
    { NULL, NULL },
};
