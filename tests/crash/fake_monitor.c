/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for cairn-monitor in the tests of the crash handler: no ptrace, no dump, but every way
 * to behave. The environment says which, and where to write what it saw, one line each:
 *
 *     FAKE_MODE   capture | deaf | stuck | slow | fail | die | silent
 *     FAKE_LOG    an absolute path
 */
#include "core/crash/page.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FAKE_ID "0190163d-8694-739b-aea5-966c26f8ad90"

static int log_fd = -1;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
    char line[512];
    va_list arguments;
    ssize_t ignored;

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    ignored = write(log_fd, line, strlen(line));
    (void)ignored;
}

/* What a monitor must find at its start. */
static void check_surroundings(void)
{
    extern char **environ;
    char folder[64] = "";
    sigset_t mask;
    int descriptors = 0;

    for (char **variable = environ; *variable != NULL; variable++) {
        if (strncmp(*variable, "LD_", 3) == 0 || strncmp(*variable, "CAIRN_RUN_", 10) == 0) {
            say("environment: %s\n", *variable);
        }
    }
    for (int fd = 0; fd < 1024; fd++) {
        descriptors += fd != log_fd && fcntl(fd, F_GETFD) >= 0;
    }
    sigprocmask(SIG_SETMASK, NULL, &mask);
    say("surroundings: descriptors %d mask %s sigchld %s session %s folder %s umask %03o\n",
        descriptors, sigismember(&mask, SIGTERM) && sigismember(&mask, SIGUSR1) ? "full" : "open",
        signal(SIGCHLD, SIG_DFL) == SIG_DFL ? "default" : "changed",
        getsid(0) == getpid() ? "own" : "inherited", getcwd(folder, sizeof(folder)), umask(077));
    sigemptyset(&mask); /* as the monitor does, too */
    sigprocmask(SIG_SETMASK, &mask, NULL);
}

static int swap(struct page_slot *slot, uint32_t from, uint32_t to)
{
    int done =
        __atomic_compare_exchange_n(&slot->state, &from, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);

    if (done) {
        syscall(SYS_futex, &slot->state, FUTEX_WAKE, 64, NULL, NULL, 0);
    }
    return done;
}

static void say_slot(const struct page *page, const struct page_slot *slot)
{
    const siginfo_t *info = (const siginfo_t *)(const void *)slot->siginfo;

    say("%s: signal %d code %d thread %s context %s message \"%s\"\n",
        slot == &page->slots[SLOT_CRASH] ? "crash" : "request", slot->signal, info->si_code,
        slot->tid == slot->pid ? "main" : "other", slot->context_address != 0 ? "yes" : "no",
        slot == &page->slots[SLOT_REQUEST] ? page->message : "");
}

static void serve(struct page *page, struct page_slot *slot, const char *mode)
{
    if (strcmp(mode, "deaf") == 0 || !swap(slot, SLOT_CLAIMED, SLOT_TAKEN)) {
        return;
    }
    say_slot(page, slot);
    if (strcmp(mode, "stuck") == 0) {
        return;
    }
    if (strcmp(mode, "slow") == 0) {
        usleep(300000);
    }
    if (!swap(slot, SLOT_TAKEN, SLOT_CAPTURED)) {
        say("lost: state %u\n", slot->state);
        return;
    }
    /* The program's filter may say no until then. */
    for (unsigned i = 0; i < 3000 && slot->verdict == 0 && slot->state == SLOT_CAPTURED; i++) {
        usleep(1000);
    }
    slot->success = 1;
    snprintf(slot->id, sizeof(slot->id), "%s", FAKE_ID);
    snprintf(page_path(page, slot), PAGE_PATH_BYTES, "/fake/%s.dmp", FAKE_ID);
    if (swap(slot, SLOT_CAPTURED, SLOT_RELEASED)) {
        say("released\n");
    } else {
        say("lost: state %u\n", slot->state);
    }
}

static void make_idle(struct page_slot *slot)
{
    if (slot->outcome == OUTCOME_RECOVERED && swap(slot, SLOT_RELEASED, SLOT_IDLE)) {
        say("recovered\n");
    }
}

static void answer_start(struct page *page, const char *mode)
{
    const int signals[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS };

    page->monitor_pid = getpid();
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        page->plan.signals |= 1ull << (signals[i] - 1);
    }
    page->plan.claim_ms = 300;
    page->plan.hold_ms =
        strcmp(mode, "deaf") == 0 ? 20000 : 1000; /* not to be taken for the other */
    if (strcmp(mode, "fail") == 0) {
        snprintf(page->problem, sizeof(page->problem), "cairn.yaml:1:1: nothing is right here.");
    }
    __atomic_store_n(&page->start, strcmp(mode, "fail") == 0 ? PAGE_FAILED : PAGE_READY,
                     __ATOMIC_RELEASE);
    syscall(SYS_futex, &page->start, FUTEX_WAKE, 64, NULL, NULL, 0);
}

static int program_ended(void)
{
    struct pollfd program = { 4, POLLIN, 0 };

    return poll(&program, 1, 0) != 0;
}

/* Until the program has ended or dismisses its monitor. */
static void serve_all(struct page *page, const char *mode)
{
    const struct timespec look = { 0, 10000000 };
    uint32_t seen = 0;

    while (!program_ended() && __atomic_load_n(&page->stopping, __ATOMIC_ACQUIRE) == 0) {
        uint32_t announced = __atomic_load_n(&page->announce, __ATOMIC_ACQUIRE);

        if (announced == seen) {
            syscall(SYS_futex, &page->announce, FUTEX_WAIT, seen, &look, NULL, 0);
            continue;
        }
        seen = announced;
        for (size_t i = 0; i < SLOT_COUNT; i++) {
            make_idle(&page->slots[i]);
            if (__atomic_load_n(&page->slots[i].state, __ATOMIC_ACQUIRE) == SLOT_CLAIMED) {
                serve(page, &page->slots[i], mode);
            }
        }
    }
}

int main(void)
{
    const char *mode = getenv("FAKE_MODE"), *log = getenv("FAKE_LOG");
    struct page *page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, 3, 0);

    mode = mode != NULL ? mode : "capture";
    log_fd = open(log != NULL ? log : "/dev/null", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (page == MAP_FAILED || log_fd < 0 || strcmp(mode, "die") == 0) {
        return 1;
    }
    check_surroundings();
    if (strcmp(mode, "silent") != 0) {
        answer_start(page, mode);
    }
    serve_all(page, mode);
    make_idle(&page->slots[SLOT_CRASH]);
    say("parked: %u\n", page->parked_count);
    say("%s, slot state %u\n", page->stopping ? "dismissed" : "program ended",
        page->slots[SLOT_CRASH].state);
    return 0;
}
