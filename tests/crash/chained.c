/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program whose handler was there before Cairn, and a library in it that came after: its handler
 * saves Cairn's, calls it back, and is itself found when Cairn is started again. For
 * tests/crash/own_handlers.sh.
 *
 *     chained THREADS
 *
 * One fault first, which the program's handler mends, so that the handlers are asked first from
 * then on; then THREADS at once, which are all in the library's handler before the first of them
 * calls back. Prints how often each handler was called.
 */
#include <cairn/cairn.h>

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static struct sigaction saved;
static unsigned threads, library_calls, program_calls;
static pthread_barrier_t begin;

/* The program's: goes on behind the fault. */
static void on_program(int number, siginfo_t *info, void *context)
{
    ucontext_t *registers = context;

    (void)number;
    (void)info;
    __atomic_fetch_add(&program_calls, 1, __ATOMIC_SEQ_CST);
    registers->uc_mcontext.gregs[REG_RIP] = registers->uc_mcontext.gregs[REG_R12];
}

static void await_others(void)
{
    const struct timespec pause = { 0, 1000000 };

    for (unsigned i = 0;
         i < 5000 && __atomic_load_n(&library_calls, __ATOMIC_SEQ_CST) < 1 + threads; i++) {
        nanosleep(&pause, NULL);
    }
}

static void on_library(int number, siginfo_t *info, void *context)
{
    if (__atomic_fetch_add(&library_calls, 1, __ATOMIC_SEQ_CST) > 0) {
        await_others();
    }
    saved.sa_sigaction(number, info, context);
}

static void install(void (*handler)(int, siginfo_t *, void *), struct sigaction *ret_old)
{
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };

    if (sigaction(SIGSEGV, &action, ret_old) != 0) {
        exit(2);
    }
}

static void start(void)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    char error[1024] = "";

    options.config_file = getenv("OWN_CONFIG");
    if (cairn_start(&options, NULL, error, sizeof(error)) != 0) {
        fprintf(stderr, "%s\n", error);
        exit(2);
    }
}

static void fault(void)
{
    __asm__ volatile("leaq 1f(%%rip), %%r12\n"
                     "movl $1, (%0)\n"
                     "1:\n"
                     :
                     : "r"((uintptr_t)16)
                     : "r12", "memory");
}

static void *fault_with_others(void *unused)
{
    cairn_thread_start();
    pthread_barrier_wait(&begin);
    fault();
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t all[64];

    threads = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1;
    if (threads > 64 || pthread_barrier_init(&begin, NULL, threads) != 0) {
        return 2;
    }
    install(on_program, NULL);
    start();
    install(on_library, &saved);
    start();
    fault();
    for (unsigned i = 0; i < threads; i++) {
        pthread_create(&all[i], NULL, fault_with_others, NULL);
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(all[i], NULL);
    }
    printf("library %u program %u\n", library_calls, program_calls);
    return 0;
}
