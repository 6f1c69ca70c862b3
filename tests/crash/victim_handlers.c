/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of victim.h whose program has a handler of its own, installed before Cairn starts. */
#include "tests/crash/victim.h"

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static void say_signal(int number, siginfo_t *info, void *context)
{
    char line[96];

    (void)context;
    snprintf(line, sizeof(line), "earlier handler: signal %d code %d address %p\n", number,
             info->si_code, info->si_code > 0 ? info->si_addr : NULL);
    victim_say(line);
}

static void say_and_raise(int number, siginfo_t *info, void *context)
{
    struct sigaction none = { .sa_handler = SIG_DFL };

    say_signal(number, info, context);
    sigaction(number, &none, NULL);
    raise(number);
}

static sigjmp_buf jump;

static void jump_out(int number, siginfo_t *info, void *context)
{
    say_signal(number, info, context);
    siglongjmp(jump, 1);
}

static void mend_memory(int number, siginfo_t *info, void *context)
{
    uintptr_t page = (uintptr_t)info->si_addr & ~(uintptr_t)4095;

    say_signal(number, info, context);
    mprotect((void *)page, 4096, PROT_READ | PROT_WRITE);
}

static void plain_handler(int number)
{
    (void)number;
    victim_say("plain handler\n");
}

static void handle_by(void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };

    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGTRAP, &action, NULL);
}

void victim_handle_and_say(void)
{
    handle_by(say_signal, 0);
}

static void before_raise(void)
{
    handle_by(say_and_raise, (int)SA_RESETHAND | SA_NODEFER);
}

static void before_jump(void)
{
    handle_by(jump_out, 0);
}

static void before_mend(void)
{
    handle_by(mend_memory, 0);
}

static void before_plain(void)
{
    signal(SIGSEGV, plain_handler);
}

static void before_ignored(void)
{
    signal(SIGSEGV, SIG_IGN);
}

static void crash_jump(void)
{
    if (sigsetjmp(jump, 1) == 0) {
        victim_fault();
    }
    victim_say("went on after the jump\n");
    abort();
}

static void crash_mend(void)
{
    char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (int i = 0; i < 20; i++) {
        *(volatile char *)page = 1;
        mprotect(page, 4096, PROT_NONE);
    }
    victim_say("went on with mended memory\n");
}

const struct victim_kind victim_handlers[] = {
    { "handler-chain", .before = victim_handle_and_say, .run = victim_fault },
    { "handler-plain", .before = before_plain, .run = victim_fault },
    { "handler-raise", .before = before_raise, .run = victim_fault },
    { "handler-trap", .before = victim_handle_and_say, .run = victim_trap },
    { "handler-sent", .before = victim_handle_and_say, .run = victim_send },
    { "handler-jump", .before = before_jump, .run = crash_jump },
    { "handler-mend", .before = before_mend, .run = crash_mend },
    { "ignored", .before = before_ignored, .run = victim_send },
    { "ignored-fault", .before = before_ignored, .run = victim_fault },
    { .name = NULL },
};
