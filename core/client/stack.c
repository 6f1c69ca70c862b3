/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alternate signal stacks with guard pages, so that a thread whose stack overflowed can still
 * report. [app]: runs in the thread itself; the crash path only stands on what is made here.
 */
#include "core/client/client.h"

#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What callbacks may use, besides the frame that the kernel puts there for this CPU. */
#define STACK_BYTES (64 * 1024)

/* Made present at once, for when memory has run out: a frame (with AVX-512 3.5 KiB), and what the
 * handler needs, which is 2 KiB with a monitor, 7 without (tier 3). */
#define TOUCHED_BYTES ((size_t)12 * 1024)

/* What the crash handler needs itself, besides that frame. */
#define LEAST_BYTES 3072

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

/* Never read by the crash path. The model needs no helper function of the dynamic linker. */
static __thread struct {
    char *base;     /* lower guard page; NULL: this thread has no stack of ours */
    size_t bytes;   /* with both guard pages */
    int from_start; /* cairn_start() made it */
} own __attribute__((tls_model("initial-exec")));

/* Raw, because in the preload library sigaltstack() is what the program sees. */
static int exchange(const stack_t *stack, stack_t *ret_old)
{
    return (int)syscall(SYS_sigaltstack, stack, ret_old);
}

static size_t page_bytes(void)
{
    unsigned long bytes = getauxval(AT_PAGESZ); /* sysconf() has big tables */

    return bytes > 0 ? bytes : 4096;
}

/* Without guard pages, whole pages. */
static size_t usable_bytes(size_t page)
{
    size_t bytes = STACK_BYTES + getauxval(AT_MINSIGSTKSZ);

    return (bytes + page - 1) / page * page;
}

/* The lower guard page is part of what the kernel takes for the stack: else it would begin anew at
 * the top when a callback overflows it, and overwrite the crash's own frame. */
static int make_stack(void)
{
    size_t page = page_bytes(), usable = usable_bytes(page), bytes = usable + 2 * page;
    stack_t stack = { .ss_flags = 0 };
    char *base = mmap(NULL, bytes, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);

    if (base == MAP_FAILED) {
        return CAIRN_ENOMEM;
    }
    stack.ss_sp = base;
    stack.ss_size = page + usable;
    if (mprotect(base + page, usable, PROT_READ | PROT_WRITE) != 0 || exchange(&stack, NULL) != 0) {
        munmap(base, bytes);
        return CAIRN_ESYSTEM;
    }
    for (size_t offset = usable - TOUCHED_BYTES; offset < usable; offset += page) {
        ((volatile char *)base)[page + offset] = 0;
    }
    own.base = base;
    own.bytes = bytes;
    return 0;
}

int cairn_thread_start(void)
{
    stack_t now;

    if (exchange(NULL, &now) != 0) {
        return CAIRN_ESYSTEM;
    }
    if ((now.ss_flags & SS_DISABLE) == 0) {
        return 0; /* ours already, or the program's own */
    }
    if (own.base != NULL) {
        /* The program took ours away and left nothing in its place. */
        munmap(own.base, own.bytes);
        own.base = NULL;
    }
    return make_stack();
}

int cairn_thread_stop(void)
{
    stack_t now, none = { .ss_flags = SS_DISABLE };

    if (own.base == NULL) {
        return 0;
    }
    if (exchange(NULL, &now) != 0 || (now.ss_sp == own.base && exchange(&none, NULL) != 0)) {
        return CAIRN_ESYSTEM; /* EPERM: a signal handler runs on it right now */
    }
    munmap(own.base, own.bytes);
    own.base = NULL;
    own.from_start = 0;
    return 0;
}

int client_stack_start(void)
{
    int had = own.base != NULL;
    int result = cairn_thread_start();

    if (result == 0 && !had && own.base != NULL) {
        own.from_start = 1;
    }
    return result;
}

int client_stack_is_own(const stack_t *stack)
{
    return own.base != NULL && (stack->ss_flags & SS_DISABLE) == 0 && stack->ss_sp == own.base;
}

int client_stack_exchange(const stack_t *stack, stack_t *ret_old)
{
    size_t page = page_bytes();
    stack_t mine = { .ss_sp = own.base, .ss_size = own.bytes - page };

    if (stack != NULL && own.base != NULL &&
        ((stack->ss_flags & SS_DISABLE) != 0 ||
         stack->ss_size < getauxval(AT_MINSIGSTKSZ) + LEAST_BYTES)) {
        stack = &mine;
    }
    return exchange(stack, ret_old);
}

void client_stack_stop(void)
{
    if (own.from_start) {
        cairn_thread_stop();
    }
}
