/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The crash handler as core/client sees it: the table of started handlers, the signals, the clocks.
 * What is called from a signal handler imports nothing; only kernel and freestanding headers here,
 * because one side of this interface cannot include libc's.
 */
#ifndef CAIRN_CORE_CRASH_HANDLER_H
#define CAIRN_CORE_CRASH_HANDLER_H

#include "core/crash/page.h"

#include <stddef.h>
#include <stdint.h>

#define CRASH_HANDLERS 8
#define CRASH_SIGNALS  65 /* signal numbers are 1 to 64 */

/* Until a plan arrives: SEGV ABRT BUS FPE ILL TRAP SYS, one second and five. */
#define CRASH_BIT(signal) (1ull << ((signal)-1))
#define CRASH_DEFAULT_SIGNALS                                                                      \
    (CRASH_BIT(11) | CRASH_BIT(6) | CRASH_BIT(7) | CRASH_BIT(8) | CRASH_BIT(4) | CRASH_BIT(5) |    \
     CRASH_BIT(31))
#define CRASH_DEFAULT_CLAIM_MS 1000
#define CRASH_DEFAULT_HOLD_MS  5000

/* Callbacks get the structures of cairn.h, whose header brings libc's along. These are the same;
 * core/client asserts it. */
struct crash_facts {
    uint32_t size;
    int32_t signal;
    const void *info;
    void *context;
    int32_t pid, tid;
};

struct crash_result {
    uint32_t size;
    int32_t success;
    const char *id;
    const char *path;
};

typedef int crash_filter_fn(const struct crash_facts *facts, void *user);
typedef int crash_first_chance_fn(const struct crash_facts *facts, void *user);
typedef int crash_post_dump_fn(const struct crash_facts *facts, const struct crash_result *result,
                               void *user);

/* One started handler. Everything else is written before `page` and stays until `page` is NULL and
 * crash_is_quiet() said yes. */
struct crash_handler {
    struct page *page;   /* atomic; NULL: not in use */
    uint64_t number;     /* counts starts: the newest handler has the greatest */
    int32_t monitor_pid; /* in the program's own namespace; 0: unknown */
    crash_filter_fn *filter;
    crash_post_dump_fn *post_dump;
    crash_first_chance_fn *first_chance;
    void *user;
    void *reserve; /* the mapped reserve, or NULL */
    void *scratch; /* CRASH_SCRATCH_BYTES of zeros, or NULL */
};

/* CAIRN_TEST_TIER: how every crash is captured, for tests. */
enum crash_test_tier {
    CRASH_TEST_NONE = 0,
    CRASH_TEST_COPY = 1,      /* tier 2 */
    CRASH_TEST_COPY_ONLY = 2, /* tier 2 without ptrace */
    CRASH_TEST_HANDLER = 3,   /* tier 3 */
};

#define CRASH_SCRATCH_BYTES (((size_t)6 << 20) + (128 << 10))

/* What sigaction(2) says of a signal, in the kernel's terms. */
struct crash_action {
    uint64_t handler; /* 0 = SIG_DFL, 1 = SIG_IGN */
    uint64_t flags;
    uint64_t mask;
};

/* The only mutable state of the crash path besides the pages. */
struct crash_state {
    struct crash_handler handlers[CRASH_HANDLERS];
    uint64_t last_number;
    uint32_t *here;     /* whose memory this is; the kernel zeroes it in fork children */
    uint32_t child;     /* this is a fork child of the process that started Cairn */
    uint32_t secure;    /* AT_SECURE at the start */
    uint32_t test_tier; /* enum crash_test_tier */
    uint32_t gate;      /* core/crash/gate.c */
    uint32_t users;     /* threads that use pages and do not hold the gate */
    uint64_t installed; /* bit n-1: our handler was installed for signal n */
    uint64_t (*program_mask)(void); /* of the preload library: what the thread believes to block
                                       and does not, so that faults are seen; NULL: nothing */
};
extern struct crash_state crash_state __attribute__((visibility("hidden")));

/* The newest handler with a number below *number, which is updated; NULL: there is no more. Start
 * with UINT64_MAX. [crash] */
struct crash_handler *crash_next_handler(uint64_t *number);

/* Installs our handler for these signals, in front of whatever is there, which is remembered. 0 or
 * a negative errno. Serialised by the caller. [app] */
int crash_install(uint64_t signals);
/* Puts it back where somebody has set the default action, or to ignore, or our handler without its
 * flags. Returns the signals for which there is a function in its place: they are left to it.
 * Serialised by the caller. [app] */
uint64_t crash_repair(void);
/* Puts back what was there, where our handler is still the installed one. [app] */
void crash_uninstall(void);
/* Forgets what a parent process left in this fork child, which starts Cairn for itself. [app] */
void crash_reset(void);
/* Makes a copy of a program's memory a fork child's, which may be reported, too. [app, crash] */
void crash_begin_child(int32_t pid);
/* No crash is being reported: what was taken out of the table is not used any more. [app] */
int crash_is_quiet(void);

/* The handler that the program had, or would have without us. `action` and `ret_old` may be NULL.
 * No lock that a signal could deadlock on. [app, crash] */
void crash_swap_previous(int signal, const struct crash_action *action,
                         struct crash_action *ret_old);
/* rt_sigaction for a signal that is not ours. 0 or a negative errno. [app] */
int crash_kernel_action(int signal, const struct crash_action *action,
                        struct crash_action *ret_old);

/* The calling thread is about to end the process in an orderly way. From within the program's own
 * handler of a crash, that is how the crash ends. [app] */
void crash_on_exit(void);
/* The program has opened these signals; its handler of a crash may be doing so. [app] */
void crash_opened(uint64_t signals);

/* Counts the announcement up and wakes the monitor. [app, crash] */
void crash_announce(struct page *page);
/* Waits until the monitor releases the slot; the clocks run from `began_ns` (CLOCK_MONOTONIC) and
 * come from the plan. Returns SLOT_RELEASED, SLOT_CANCELLED or SLOT_ABANDONED. [app, crash] */
uint32_t crash_wait(const struct crash_handler *handler, struct page *page, struct page_slot *slot,
                    uint64_t began_ns);
/* The signals that this page's handler wants. [app, crash] */
uint64_t crash_wanted_signals(const struct page *page);
/* Maps the reserve that the plan names, and memory to work in; without them there is no report of a
 * crash that the monitor does not take. An earlier plan's reserve stays mapped: a crash may be
 * using it. [app, crash] */
void crash_map_reserve(struct crash_handler *handler, const struct page *page);
void crash_unmap_reserve(struct crash_handler *handler);
/* The monitor can be expected to answer: it neither failed nor ended. [app, crash] */
int crash_has_monitor(const struct crash_handler *handler, const struct page *page);
/* CLOCK_MONOTONIC in nanoseconds. [app, crash] */
uint64_t crash_now(void);

#endif
