/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that embeds Cairn and lives on its faults, or lets others put their handlers over
 * Cairn's, in the way that its first argument names. It prints what happened, one line each. Exit
 * status: by the crash, 0 for kinds that survive, 2 when Cairn does not start, 64 for an unknown
 * kind.
 */
#include <cairn/cairn.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define THREADS 8
#define FAULTS  200
#define ROUNDS  200
#define BATCHES 50

static void say(const char *text)
{
    ssize_t ignored = write(STDOUT_FILENO, text, strlen(text));

    (void)ignored;
}

static void start(cairn_filter_fn *filter, cairn_first_chance_fn *first_chance)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    char error[1024] = "";

    options.filter = filter;
    options.first_chance = first_chance;
    if (cairn_start(&options, NULL, error, sizeof(error)) != 0) {
        fprintf(stderr, "%s\n", error);
        exit(2);
    }
}

/* One instruction of three bytes. */
__attribute__((noinline)) static void store(volatile char *to)
{
    __asm__ volatile("movb $1, (%0)" ::"r"(to) : "memory");
}

static void crash(void)
{
    store((volatile char *)16);
    say("went on after the fault\n");
}

/* ---- first chance ---- */

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static char *make_page(void)
{
    char *page = mmap(NULL, page_bytes(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return page != MAP_FAILED ? page : NULL;
}

static int mend(const struct cairn_crash *crash, void *user)
{
    const siginfo_t *info = crash->info;
    char *page = (char *)((size_t)info->si_addr & ~(page_bytes() - 1));

    (void)user;
    return page != NULL && mprotect(page, page_bytes(), PROT_READ | PROT_WRITE) == 0;
}

static int skip(const struct cairn_crash *crash, void *user)
{
    ucontext_t *context = crash->context;

    (void)user;
    context->uc_mcontext.gregs[REG_RIP] += 3;
    return 1;
}

static int spoil_and_refuse(const struct cairn_crash *crash, void *user)
{
    (void)user;
    say("asked\n");
    ((ucontext_t *)crash->context)->uc_mcontext.gregs[REG_RIP] = 0;
    return 0;
}

static int fault(const struct cairn_crash *crash, void *user)
{
    (void)crash, (void)user;
    say("asked\n");
    store((volatile char *)32);
    return 1;
}

static int hang(const struct cairn_crash *crash, void *user)
{
    (void)crash, (void)user;
    say("asked\n");
    while (pause() != 0) {
    }
    return 1;
}

static int older(const struct cairn_crash *crash, void *user)
{
    say("older\n");
    return mend(crash, user);
}

static int newer(const struct cairn_crash *crash, void *user)
{
    (void)crash, (void)user;
    say("newer\n");
    return 0;
}

static void *touch_pages(void *unused)
{
    uintptr_t good = 0;

    (void)unused;
    for (unsigned i = 0; i < FAULTS; i++) {
        char *page = make_page();

        if (page != NULL) {
            store(page);
            good += page[0] == 1;
            munmap(page, page_bytes());
        }
    }
    return (void *)good;
}

static void chance_mend(void)
{
    start(NULL, mend);
    printf("%u mended\n", (unsigned)(uintptr_t)touch_pages(NULL));
}

static void chance_threads(void)
{
    pthread_t threads[THREADS];
    unsigned good = 0;

    start(NULL, mend);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, touch_pages, NULL);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *result = NULL;

        pthread_join(threads[i], &result);
        good += (unsigned)(uintptr_t)result;
    }
    printf("%u mended\n", good);
}

static void chance_fork(void)
{
    int status = 0;
    pid_t child;

    start(NULL, mend);
    touch_pages(NULL);
    child = fork();
    if (child == 0) {
        _exit((uintptr_t)touch_pages(NULL) == FAULTS ? 7 : 1);
    }
    waitpid(child, &status, 0);
    printf("child: %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
}

static void chance_skip(void)
{
    start(NULL, skip);
    crash();
}

static void chance_order(void)
{
    char *page = make_page();

    start(NULL, older);
    start(NULL, newer);
    store(page);
    say("went on\n");
}

static void chance_spoil(void)
{
    start(NULL, spoil_and_refuse);
    crash();
}

static void chance_fault(void)
{
    start(NULL, fault);
    crash();
}

static void chance_hang(void)
{
    start(NULL, hang);
    crash();
}

/* A mended fault, and then a real one: the timer of the first is no second one's. */
static void chance_then_crash(void)
{
    start(NULL, mend);
    touch_pages(NULL);
    crash();
}

static void plain(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 3;
}

/* The least of many batches: what others do meanwhile is not ours. */
static long nanoseconds(void)
{
    long least = 1000000000;

    for (unsigned i = 0; i < BATCHES; i++) {
        struct timespec begin, end;
        long each;

        clock_gettime(CLOCK_MONOTONIC, &begin);
        for (unsigned j = 0; j < ROUNDS; j++) {
            store((volatile char *)16);
        }
        clock_gettime(CLOCK_MONOTONIC, &end);
        each = ((end.tv_sec - begin.tv_sec) * 1000000000 + end.tv_nsec - begin.tv_nsec) / ROUNDS;
        least = each < least ? each : least;
    }
    return least;
}

static void chance_cost(void)
{
    struct sigaction action = { .sa_sigaction = plain, .sa_flags = SA_SIGINFO };
    long bare;

    sigaction(SIGSEGV, &action, NULL);
    bare = nanoseconds();
    start(NULL, skip);
    printf("nanoseconds: %ld bare, %ld first chance\n", bare, nanoseconds());
}

/* ---- handlers over ours ---- */

static struct sigaction replaced;

static void set_handler(int number, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };

    sigaction(number, &action, &replaced);
}

static void keep(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info, (void)context;
    say("handler\n");
    signal(number, SIG_DFL);
}

static void pass_on(int number, siginfo_t *info, void *context)
{
    say("handler\n");
    replaced.sa_sigaction(number, info, context);
}

static void pass_on_number(int number, siginfo_t *info, void *context)
{
    (void)info, (void)context;
    say("handler\n");
    ((void (*)(int))(uintptr_t)replaced.sa_sigaction)(number);
}

static void earlier(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info, (void)context;
    say("earlier\n");
}

/* A call that may make system calls, and so looks after the signals. */
static void call(void)
{
    cairn_attach_file(NULL, "/nonexistent");
}

static void over_default(void)
{
    start(NULL, NULL);
    signal(SIGSEGV, SIG_DFL);
    call();
    crash();
}

static void over_ignore(void)
{
    start(NULL, NULL);
    signal(SIGSEGV, SIG_IGN);
    call();
    raise(SIGSEGV);
    say("ignored\n");
    crash();
}

static void over_keep(void)
{
    start(NULL, NULL);
    set_handler(SIGSEGV, keep);
    call();
    call();
    crash();
}

static void over_pass_on(void)
{
    set_handler(SIGSEGV, earlier);
    start(NULL, NULL);
    set_handler(SIGSEGV, pass_on);
    call();
    crash();
}

static void over_pass_on_number(void)
{
    start(NULL, NULL);
    set_handler(SIGSEGV, pass_on_number);
    crash();
}

/* The second start goes in front of it, and asks it. */
static void over_start(void)
{
    set_handler(SIGSEGV, earlier);
    start(NULL, NULL);
    set_handler(SIGSEGV, pass_on);
    start(NULL, NULL);
    crash();
}

static void restore_by_signal(int number)
{
    void (*ours)(int) = NULL;

    start(NULL, NULL);
    ours = signal(number, SIG_DFL);
    signal(number, ours);
}

static void restored_fault(void)
{
    restore_by_signal(SIGSEGV);
    crash();
}

static void restored_abort(void)
{
    restore_by_signal(SIGABRT);
    abort();
}

static const struct kind {
    const char *name;
    void (*run)(void);
} kinds[] = {
    { "mend", chance_mend },
    { "threads", chance_threads },
    { "fork", chance_fork },
    { "skip", chance_skip },
    { "order", chance_order },
    { "spoil", chance_spoil },
    { "fault", chance_fault },
    { "hang", chance_hang },
    { "then-crash", chance_then_crash },
    { "cost", chance_cost },
    { "default", over_default },
    { "ignore", over_ignore },
    { "keep", over_keep },
    { "pass-on", over_pass_on },
    { "pass-on-number", over_pass_on_number },
    { "start", over_start },
    { "restored-fault", restored_fault },
    { "restored-abort", restored_abort },
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(argv[1], kinds[i].name) == 0) {
            kinds[i].run();
            return 0;
        }
    }
    return 64;
}
