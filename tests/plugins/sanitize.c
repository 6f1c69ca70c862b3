/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program with secrets on its stacks, for tests/plugins/sanitize.sh: a text and a number in the
 * frames of two threads, and memory that it registers. usage: sanitize CONFIG
 */
#include <cairn/cairn.h>

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static char registered[256];
static pthread_barrier_t barrier;
static volatile char sink;

__attribute__((noinline)) static void crash_here(volatile int *where)
{
    *where = 1;
}

__attribute__((noinline)) static void hold_secrets(void (*then)(void))
{
    volatile char text[64];
    volatile uint64_t half = 0x5ec4e700u,
                      number = half << 32 | half << 8; /* no code has all of it */

    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = "STACK-SECRET-"[i % 13];
    }
    /* Registers stay as they are: none may hold the number by chance. */
    __asm__ volatile("xor %%eax, %%eax\n xor %%ecx, %%ecx\n xor %%edx, %%edx\n xor %%esi, %%esi\n"
                     "xor %%edi, %%edi" ::
                         : "rax", "rcx", "rdx", "rsi", "rdi", "cc");
    then();
    sink = text[number % 7];
}

static void crash(void)
{
    crash_here(NULL);
    sink = 1;
}

static void rest(void)
{
    pthread_barrier_wait(&barrier);
    for (;;) {
        sink = 2;
    }
}

static void *run(void *unused)
{
    (void)unused;
    hold_secrets(rest);
    return NULL;
}

int main(int argc, char **argv)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    char error[1024];
    pthread_t thread;

    options.config_file = argc > 1 ? argv[1] : NULL;
    if (cairn_start(&options, NULL, error, sizeof(error)) != 0) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    strcpy(registered, "REGISTERED-TEXT");
    cairn_add_memory(NULL, registered, sizeof(registered), "notes");
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&thread, NULL, run, NULL);
    pthread_barrier_wait(&barrier);
    hold_secrets(crash);
    return 0;
}
