/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A crashed thread and a cairn_stop() in another one: what the crash path still uses stays mapped.
 * The page is made inaccessible, so that its first use arrives in a signal handler of the test, at
 * the very moment at which another thread would ask whether it may be unmapped.
 */
#include "core/crash/handler.h"
#include "tests/unit/crash_thread.h"
#include "tests/unit/tap.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define THREAD 4711
#define OTHER  4712

static struct page *page;
static volatile sig_atomic_t uses, quiet_in_use, opens_gate;

static void on_use(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    if ((char *)info->si_addr < (char *)page || (char *)info->si_addr >= (char *)(page + 1)) {
        abort();
    }
    uses++;
    quiet_in_use = crash_is_quiet();
    mprotect(page, sizeof(*page), PROT_READ | PROT_WRITE);
    if (opens_gate) {
        crash_state.gate = 0;
    }
}

/* A started handler whose page is as a crash of `tid` has left it; its next use is seen. */
static void begin(int tid)
{
    struct sigaction action = { .sa_sigaction = on_use, .sa_flags = SA_SIGINFO };

    page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        abort();
    }
    page->slots[SLOT_CRASH].tid = tid;
    page->slots[SLOT_CRASH].outcome = OUTCOME_OPEN;
    crash_state.handlers[0].number = 1;
    crash_state.handlers[0].page = page;
    sigaction(SIGSEGV, &action, NULL);
    uses = 0;
    quiet_in_use = -1;
    mprotect(page, sizeof(*page), PROT_NONE);
}

static void end(void)
{
    crash_state.handlers[0].page = NULL;
    signal(SIGSEGV, SIG_DFL);
    munmap(page, sizeof(*page));
}

static void test_settled(void)
{
    begin(THREAD);
    CU_ASSERT_EQUAL(crash_thread_die(THREAD), 1);
    CU_ASSERT_EQUAL(uses, 1);
    CU_ASSERT_EQUAL(quiet_in_use, 0);
    CU_ASSERT_EQUAL(page->slots[SLOT_CRASH].outcome, OUTCOME_DIED);
    CU_ASSERT_TRUE(crash_is_quiet());
    end();
}

static void test_parked(void)
{
    begin(OTHER);
    crash_thread_close_gate(OTHER);
    opens_gate = 1;
    CU_ASSERT_EQUAL(crash_thread_enter_gate(THREAD), 1);
    opens_gate = 0;
    CU_ASSERT_EQUAL(uses, 1);
    CU_ASSERT_EQUAL(quiet_in_use, 0);
    CU_ASSERT_EQUAL(page->parked_count, 1);
    CU_ASSERT_EQUAL(page->parked[0].tid, THREAD);
    CU_ASSERT_FALSE(crash_is_quiet()); /* it reports */
    crash_thread_leave_gate(THREAD);
    CU_ASSERT_TRUE(crash_is_quiet());
    end();
}

/* The control: the other thread's crash is over, and nobody uses the page. */
static void test_ended(void)
{
    begin(OTHER);
    crash_thread_close_gate(OTHER);
    CU_ASSERT_TRUE(crash_is_quiet());
    CU_ASSERT_EQUAL(uses, 0);
    crash_thread_leave_gate(OTHER);
    end();
}

int main(void)
{
    static const struct tap_test tests[] = {
        { "the outcome of a crash is told in a page that stays mapped", test_settled },
        { "a thread that crashes meanwhile is named in a page that stays mapped", test_parked },
        { "a crash whose report is made keeps no page", test_ended },
        { NULL, NULL },
    };

    return tap_run("crash", tests);
}
