/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that embeds Cairn and then crashes in the way that its first argument names:
 *
 *     victim KIND [CONFIG]
 *
 * It prints what its callbacks and handlers saw, one line each, with write(2). Exit status: by the
 * crash; 0 for kinds that survive; 2 when Cairn does not start; 64 for a kind it does not know.
 */
#include <cairn/cairn.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *text)
{
    ssize_t ignored = write(STDOUT_FILENO, text, strlen(text));

    (void)ignored;
}

/* ---- ways to crash ---- */

static void *volatile nowhere = (void *)16;

__attribute__((noinline)) static void crash_null(void)
{
    *(volatile int *)nowhere = 1;
}

static void crash_abort(void)
{
    abort();
}

__attribute__((noinline)) static void crash_fpe(void)
{
    volatile int number = 7, zero = 0;

    number = number / zero;
}

static void crash_ill(void)
{
    __asm__ volatile("ud2");
}

static void crash_bus(void)
{
    int fd = memfd_create("short", MFD_CLOEXEC);
    volatile char *bytes = fd < 0 || ftruncate(fd, 1) != 0
                               ? MAP_FAILED
                               : mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (bytes != MAP_FAILED) {
        bytes[4096] = 1;
    }
}

static void crash_trap(void)
{
    __asm__ volatile("int3");
    say("went on after int3\n");
}

static void crash_sys(void)
{
    struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), /* seccomp_data.nr */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpriority, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { 4, instructions };

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
    syscall(SYS_getpriority, 0, 0);
    say("went on after the refused system call\n");
}

__attribute__((noinline)) static int crash_overflow_by(volatile char *previous)
{
    volatile char frame[4096];

    frame[0] = previous[0];
    return frame[0] == 0 ? crash_overflow_by(frame) + frame[0] : 1;
}

static void crash_overflow(void)
{
    char first = 0;

    crash_overflow_by(&first);
}

static void *overflow_thread(void *unused)
{
    (void)unused;
    cairn_thread_start();
    crash_overflow();
    return NULL;
}

static void *null_thread(void *unused)
{
    (void)unused;
    pthread_setname_np(pthread_self(), "victim-thread");
    crash_null();
    return NULL;
}

static void run_thread(void *(*body)(void *))
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, body, NULL) == 0) {
        pthread_join(thread, NULL);
    }
}

static void crash_overflow_thread(void)
{
    run_thread(overflow_thread);
}

static void crash_thread(void)
{
    run_thread(null_thread);
}

static pthread_barrier_t together;

static void *one_of_many(void *number)
{
    pthread_barrier_wait(&together);
    if (number == NULL) {
        abort();
    }
    crash_null();
    return NULL;
}

/* Several threads at the same moment: one report, one true signal. */
static void crash_many(void)
{
    pthread_t threads[4];

    pthread_barrier_init(&together, NULL, 4);
    for (size_t i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, one_of_many, i == 0 ? NULL : threads);
    }
    pthread_join(threads[0], NULL);
    pause();
}

static void crash_sent(void)
{
    kill(getpid(), SIGSEGV);
    say("went on after the signal\n");
}

/* ---- earlier handlers ---- */

static void say_signal(int number, siginfo_t *info, void *context)
{
    char line[96];

    (void)context;
    snprintf(line, sizeof(line), "earlier handler: signal %d code %d address %p\n", number,
             info->si_code, info->si_code > 0 ? info->si_addr : NULL);
    say(line);
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
    say("plain handler\n");
}

static void handle_by(void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };

    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGTRAP, &action, NULL);
}

static void before_chain(void)
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
        crash_null();
    }
    say("went on after the jump\n");
    crash_abort();
}

static void crash_mend(void)
{
    char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (int i = 0; i < 20; i++) {
        *(volatile char *)page = 1;
        mprotect(page, 4096, PROT_NONE);
    }
    say("went on with mended memory\n");
}

/* ---- callbacks ---- */

static int filter_no(const struct cairn_crash *crash, void *user)
{
    (void)crash;
    (void)user;
    say("filter: no\n");
    return 0;
}

static int filter_yes(const struct cairn_crash *crash, void *user)
{
    say(crash->signal == SIGSEGV && user == (void *)&nowhere && crash->tid > 0 ? "filter: yes\n"
                                                                               : "filter: wrong\n");
    return 1;
}

static int filter_fault(const struct cairn_crash *crash, void *user)
{
    (void)user;
    say("filter: fault\n");
    crash_null();
    return crash->signal != 0 ? 0 : 1;
}

static int filter_hang(const struct cairn_crash *crash, void *user)
{
    (void)user;
    say("filter: hang\n");
    while (crash != NULL) {
        pause();
    }
    return 0;
}

static void say_result(const struct cairn_result *result)
{
    char line[1200];

    snprintf(line, sizeof(line), "post-dump: success %d id \"%s\" path \"%s\"\n", result->success,
             result->id, result->path);
    say(line);
}

static int post_dump(const struct cairn_crash *crash, const struct cairn_result *result, void *user)
{
    (void)crash;
    (void)user;
    say_result(result);
    return 0;
}

static int post_dump_handled(const struct cairn_crash *crash, const struct cairn_result *result,
                             void *user)
{
    (void)crash;
    (void)user;
    say_result(result);
    return 1;
}

static int post_dump_fault(const struct cairn_crash *crash, const struct cairn_result *result,
                           void *user)
{
    (void)crash;
    (void)user;
    say_result(result);
    crash_abort();
    return 1;
}

/* ---- kinds that survive ---- */

static void do_dump(void)
{
    char id[37] = "", line[96];
    int result = cairn_dump(NULL, "asked for", id);

    snprintf(line, sizeof(line), "dump: %s id \"%s\"\n", cairn_strerror(result), id);
    say(line);
}

static void *dump_body(void *unused)
{
    do_dump();
    return unused;
}

static void do_dump_elsewhere(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, dump_body, NULL) == 0) {
        pthread_join(thread, NULL);
    }
}

static void do_describe(void)
{
    static char memory[128] = "registered";

    cairn_set_string(NULL, "name", "value");
    cairn_set_integer(NULL, "count", -7);
    cairn_set_double(NULL, "ratio", 0.5);
    cairn_set_bool(NULL, "flag", 1);
    cairn_breadcrumb(NULL, "test", "first");
    cairn_breadcrumb(NULL, "test", "second");
    cairn_attach_file(NULL, "/etc/hostname");
    cairn_add_memory(NULL, memory, sizeof(memory), "memory");
    crash_null();
}

/* The kernel ends the program at any other system call than write and exit. */
static void do_describe_strictly(void)
{
    struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), /* seccomp_data.nr */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = { sizeof(instructions) / sizeof(instructions[0]), instructions };

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) {
        return;
    }
    for (int i = 0; i < 1000; i++) {
        cairn_set_string(NULL, "name", "value");
        cairn_set_integer(NULL, "count", i);
        cairn_set_double(NULL, "ratio", 0.5);
        cairn_set_bool(NULL, "flag", i & 1);
        cairn_unset(NULL, "flag");
        cairn_breadcrumb(NULL, "test", "a breadcrumb");
    }
    say("described\n");
    syscall(SYS_exit, 0);
}

static void do_nothing(void)
{
}

static void do_stop(void)
{
    int stopped = cairn_stop(NULL);
    int again = cairn_stop(NULL);
    struct sigaction now;

    sigaction(SIGSEGV, NULL, &now);
    say(stopped == 0 && again == CAIRN_ENOTSTARTED && now.sa_handler == SIG_DFL ? "stopped\n"
                                                                                : "stop failed\n");
}

/* The program waits for any child at all and gets what it knows. */
static void do_wait(void)
{
    int status;

    say(waitpid(-1, &status, __WALL) < 0 && errno == ECHILD ? "no child\n" : "a child\n");
}

static int descriptors_before;

static int count_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 1024; fd++) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    return count;
}

static void before_descriptors(void)
{
    descriptors_before = count_descriptors();
}

static void do_descriptors(void)
{
    say(count_descriptors() == descriptors_before ? "no new descriptor\n" : "a new descriptor\n");
}

static void crash_fork(void)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        say(cairn_set_string(NULL, "child", "was here") == CAIRN_ENOTSTARTED
                ? "child: not started\n"
                : "child: wrote into its parent's page\n");
        crash_null();
        _exit(1);
    }
    waitpid(child, &status, 0);
    say(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV ? "child: SIGSEGV\n" : "child: wrong\n");
}

/* ---- several handlers ---- */

static void start_another(cairn_filter_fn *filter, cairn_post_dump_fn *another_post_dump)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;

    options.filter = filter;
    options.post_dump = another_post_dump;
    if (cairn_start(&options, NULL, NULL, 0) != 0) {
        say("the second handler does not start\n");
    }
}

static void crash_two(void)
{
    start_another(filter_no, NULL);
    start_another(NULL, post_dump);
    crash_null();
}

static void crash_two_handled(void)
{
    start_another(NULL, post_dump_handled);
    crash_null();
}

/* Again and again, and the table does not fill. */
static void crash_restarted(void)
{
    for (int i = 0; i < 20; i++) {
        struct cairn_options options = CAIRN_OPTIONS_INIT;
        struct cairn *cairn;

        if (cairn_start(&options, &cairn, NULL, 0) != 0 || cairn_stop(cairn) != 0) {
            say("start or stop failed\n");
        }
    }
    crash_null();
}

static void *start_and_stop(void *unused)
{
    (void)unused;
    for (int i = 0; i < 10; i++) {
        struct cairn_options options = CAIRN_OPTIONS_INIT;
        struct cairn *cairn;

        if (cairn_start(&options, &cairn, NULL, 0) != 0) {
            say("start failed\n");
            continue;
        }
        cairn_set_integer(cairn, "round", i);
        cairn_breadcrumb(NULL, "stress", "round");
        cairn_stop(cairn);
    }
    return NULL;
}

static void crash_stressed(void)
{
    pthread_t threads[4];

    for (size_t i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, start_and_stop, NULL);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    crash_null();
}

static void do_fill(void)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    char error[128] = "";

    for (int i = 1; i < 8; i++) {
        start_another(NULL, NULL);
    }
    say(cairn_start(&options, NULL, error, sizeof(error)) == CAIRN_EFULL ? error : "not full");
    say("\n");
}

/* A fork child may start Cairn for itself. */
static void crash_fork_start(void)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        if (cairn_start(&options, NULL, NULL, 0) != 0) {
            say("child: start failed\n");
        }
        crash_null();
        _exit(1);
    }
    waitpid(child, &status, 0);
    say(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV ? "child: SIGSEGV\n" : "child: wrong\n");
    say(cairn_set_string(NULL, "parent", "goes on") == 0 ? "parent: started\n" : "parent: wrong\n");
}

struct kind {
    const char *name;
    void (*before)(void);
    void (*crash)(void);
    cairn_filter_fn *filter;
    cairn_post_dump_fn *post_dump;
    unsigned flags;
};

static const struct kind kinds[] = {
    { "null", NULL, crash_null, NULL, NULL, 0 },
    { "abort", NULL, crash_abort, NULL, NULL, 0 },
    { "fpe", NULL, crash_fpe, NULL, NULL, 0 },
    { "ill", NULL, crash_ill, NULL, NULL, 0 },
    { "bus", NULL, crash_bus, NULL, NULL, 0 },
    { "trap", NULL, crash_trap, NULL, NULL, 0 },
    { "sys", NULL, crash_sys, NULL, NULL, 0 },
    { "sent", NULL, crash_sent, NULL, NULL, 0 },
    { "overflow", NULL, crash_overflow, NULL, NULL, 0 },
    { "overflow-thread", NULL, crash_overflow_thread, NULL, NULL, 0 },
    { "thread", NULL, crash_thread, NULL, NULL, 0 },
    { "many", NULL, crash_many, NULL, NULL, 0 },
    { "handler-chain", before_chain, crash_null, NULL, NULL, 0 },
    { "handler-plain", before_plain, crash_null, NULL, NULL, 0 },
    { "handler-raise", before_raise, crash_null, NULL, NULL, 0 },
    { "handler-trap", before_chain, crash_trap, NULL, NULL, 0 },
    { "handler-sent", before_chain, crash_sent, NULL, NULL, 0 },
    { "handler-jump", before_jump, crash_jump, NULL, NULL, 0 },
    { "handler-mend", before_mend, crash_mend, NULL, NULL, 0 },
    { "ignored", before_ignored, crash_sent, NULL, NULL, 0 },
    { "ignored-fault", before_ignored, crash_null, NULL, NULL, 0 },
    { "filter-no", NULL, crash_null, filter_no, NULL, 0 },
    { "filter-no-chain", before_chain, crash_null, filter_no, NULL, 0 },
    { "filter-yes", NULL, crash_null, filter_yes, NULL, 0 },
    { "filter-fault", NULL, crash_null, filter_fault, NULL, 0 },
    { "filter-hang", NULL, crash_null, filter_hang, NULL, 0 },
    { "post-dump", before_chain, crash_null, NULL, post_dump, 0 },
    { "post-dump-handled", before_chain, crash_null, NULL, post_dump_handled, 0 },
    { "post-dump-fault", before_chain, crash_null, NULL, post_dump_fault, 0 },
    { "describe", NULL, do_describe, NULL, NULL, 0 },
    { "dump", NULL, do_dump, NULL, NULL, 0 },
    { "describe-strictly", NULL, do_describe_strictly, NULL, NULL, 0 },
    { "dump-elsewhere", NULL, do_dump_elsewhere, NULL, NULL, 0 },
    { "none", NULL, do_nothing, NULL, NULL, 0 },
    { "stop", NULL, do_stop, NULL, NULL, 0 },
    { "wait", NULL, do_wait, NULL, NULL, 0 },
    { "descriptors", before_descriptors, do_descriptors, NULL, NULL, 0 },
    { "two", NULL, crash_two, NULL, NULL, 0 },
    { "two-handled", NULL, crash_two_handled, NULL, NULL, 0 },
    { "restarted", NULL, crash_restarted, NULL, NULL, 0 },
    { "stressed", NULL, crash_stressed, NULL, NULL, 0 },
    { "fill", NULL, do_fill, NULL, NULL, 0 },
    { "fork", NULL, crash_fork, NULL, NULL, 0 },
    { "fork-start", NULL, crash_fork_start, NULL, NULL, 0 },
    { "no-wait", NULL, crash_null, NULL, NULL, CAIRN_START_NO_WAIT },
};

int main(int argc, char **argv)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    const struct kind *kind = NULL;
    char error[4096] = "";
    int result;

    for (size_t i = 0; argc > 1 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, argv[1]) == 0) {
            kind = &kinds[i];
        }
    }
    if (kind == NULL) {
        fprintf(stderr, "usage: victim KIND [CONFIG]\n");
        return 64;
    }
    if (kind->before != NULL) {
        kind->before();
    }
    options.flags = kind->flags;
    options.config_file = argc > 2 ? argv[2] : NULL;
    options.filter = kind->filter;
    options.post_dump = kind->post_dump;
    options.user = (void *)&nowhere;
    result = cairn_start(&options, NULL, error, sizeof(error));
    if (result != 0) {
        fprintf(stderr, "%s: %s\n", cairn_strerror(result), error);
        return 2;
    }
    kind->crash();
    return 0;
}
