/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that embeds Cairn and whose crash would not come again by itself:
 *
 *     ending_victim no-frame | remapped
 *
 * It ends by the crash all the same. Exit status: by the crash; 0 when it went on; 2 when Cairn
 * does not start; 64 for a kind it does not know.
 */
#include <cairn/cairn.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static void ignore(int number)
{
    (void)number;
}

static volatile int stackless;

static void *interrupt_stackless(void *main_thread)
{
    while (!stackless) {
    }
    pthread_kill(*(pthread_t *)main_thread, SIGUSR1);
    return NULL;
}

/* The kernel finds no room for the frame of a signal that has a handler. No instruction is at
 * fault: the next one would run. */
static void crash_no_frame(void)
{
    pthread_t self = pthread_self(), other;

    signal(SIGUSR1, ignore);
    if (pthread_create(&other, NULL, interrupt_stackless, &self) != 0) {
        return;
    }
    __asm__ volatile("movq $16, %%rsp\n"
                     "movl $1, %0\n"
                     "1: pause\n"
                     "jmp 1b\n"
                     : "=m"(stackless));
}

static volatile char *freed;

static void crash_remapped(void)
{
    freed = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    freed[16] = 1;
}

/* Stands for another thread, whose new memory comes to lie where the crashed one's old was. */
static int map_again(const struct cairn_crash *crash, const struct cairn_result *result, void *user)
{
    (void)crash;
    (void)result;
    (void)user;
    if (freed != NULL) {
        mprotect((void *)(uintptr_t)freed, 4096, PROT_READ | PROT_WRITE);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    int no_frame = argc > 1 && strcmp(argv[1], "no-frame") == 0;

    if (!no_frame && (argc < 2 || strcmp(argv[1], "remapped") != 0)) {
        fprintf(stderr, "usage: ending_victim no-frame | remapped\n");
        return 64;
    }
    options.post_dump = map_again;
    if (cairn_start(&options, NULL, NULL, 0) != 0) {
        return 2;
    }
    if (no_frame) {
        crash_no_frame();
    } else {
        crash_remapped();
    }
    return 0;
}
