/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of victim.h that are about calls of the API: what they answer, before, after and in a
 * child; starts and stops of several handlers. */
#include "tests/crash/victim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void do_dump(void)
{
    char id[37] = "", line[96];
    int result = cairn_dump(NULL, "asked for", id);

    snprintf(line, sizeof(line), "dump: %s id \"%s\"\n", cairn_strerror(result), id);
    victim_say(line);
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
    victim_fault();
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
    victim_say("described\n");
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
    victim_say(stopped == 0 && again == CAIRN_ENOTSTARTED && now.sa_handler == SIG_DFL
                   ? "stopped\n"
                   : "stop failed\n");
}

/* The program waits for any child at all and gets what it knows. */
static void do_wait(void)
{
    int status;

    victim_say(waitpid(-1, &status, __WALL) < 0 && errno == ECHILD ? "no child\n" : "a child\n");
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
    victim_say(count_descriptors() == descriptors_before ? "no new descriptor\n"
                                                         : "a new descriptor\n");
}

/* A start that does not wait, where there is no monitor: what it did before it knew is undone. */
static void before_absent(void)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    char error[256] = "", folder[4096] = "";
    const char *libexec = getenv("CAIRN_LIBEXEC");
    struct sigaction action;
    sigset_t mask;
    stack_t stack;
    int status, result, clean;

    snprintf(folder, sizeof(folder), "%s", libexec != NULL ? libexec : "");
    setenv("CAIRN_LIBEXEC", "/nonexistent", 1);
    descriptors_before = count_descriptors();
    options.flags = CAIRN_START_NO_WAIT;
    result = cairn_start(&options, NULL, error, sizeof(error));
    sigaction(SIGSEGV, NULL, &action);
    sigprocmask(SIG_SETMASK, NULL, &mask);
    sigaltstack(NULL, &stack);
    clean = result == CAIRN_EMONITOR && action.sa_handler == SIG_DFL &&
            stack.ss_flags == SS_DISABLE && !sigismember(&mask, SIGSEGV) &&
            !sigismember(&mask, SIGTERM) && count_descriptors() == descriptors_before &&
            waitpid(-1, &status, __WALL) < 0 &&
            cairn_set_string(NULL, "name", "value") == CAIRN_ENOTSTARTED;
    victim_say(clean ? "nothing is left\n" : "something is left\n");
    victim_say(error);
    victim_say("\n");
    setenv("CAIRN_LIBEXEC", folder, 1);
}

static void say_end_of(pid_t child)
{
    int status = 0;

    waitpid(child, &status, 0);
    victim_say(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV ? "child: SIGSEGV\n"
                                                                  : "child: wrong\n");
}

static void crash_fork(void)
{
    pid_t child = fork();

    if (child == 0) {
        victim_say(cairn_set_string(NULL, "child", "was here") == CAIRN_ENOTSTARTED
                       ? "child: not started\n"
                       : "child: wrote into its parent's page\n");
        victim_fault();
        _exit(1);
    }
    say_end_of(child);
}

/* Again and again, and the table does not fill. */
static void crash_restarted(void)
{
    for (int i = 0; i < 20; i++) {
        struct cairn_options options = CAIRN_OPTIONS_INIT;
        struct cairn *cairn;

        if (cairn_start(&options, &cairn, NULL, 0) != 0 || cairn_stop(cairn) != 0) {
            victim_say("start or stop failed\n");
        }
    }
    victim_fault();
}

static void *start_and_stop(void *unused)
{
    (void)unused;
    for (int i = 0; i < 10; i++) {
        struct cairn_options options = CAIRN_OPTIONS_INIT;
        struct cairn *cairn;

        if (cairn_start(&options, &cairn, NULL, 0) != 0) {
            victim_say("start failed\n");
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
    victim_fault();
}

static void do_fill(void)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    char error[128] = "";

    for (int i = 1; i < 8; i++) {
        if (cairn_start(&options, NULL, NULL, 0) != 0) {
            victim_say("another handler does not start\n");
        }
    }
    victim_say(cairn_start(&options, NULL, error, sizeof(error)) == CAIRN_EFULL ? error
                                                                                : "not full");
    victim_say("\n");
}

/* A fork child may start Cairn for itself. */
static void crash_fork_start(void)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    pid_t child = fork();

    if (child == 0) {
        if (cairn_start(&options, NULL, NULL, 0) != 0) {
            victim_say("child: start failed\n");
        }
        victim_fault();
        _exit(1);
    }
    say_end_of(child);
    victim_say(cairn_set_string(NULL, "parent", "goes on") == 0 ? "parent: started\n"
                                                                : "parent: wrong\n");
}

const struct victim_kind victim_calls[] = {
    { "describe", .run = do_describe },
    { "dump", .run = do_dump },
    { "describe-strictly", .run = do_describe_strictly },
    { "dump-elsewhere", .run = do_dump_elsewhere },
    { "none", .run = do_nothing },
    { "stop", .run = do_stop },
    { "wait", .run = do_wait },
    { "descriptors", .before = before_descriptors, .run = do_descriptors },
    { "restarted", .run = crash_restarted },
    { "stressed", .run = crash_stressed },
    { "fill", .run = do_fill },
    { "fork", .run = crash_fork },
    { "fork-start", .run = crash_fork_start },
    { "no-wait", .run = victim_fault, .flags = CAIRN_START_NO_WAIT },
    { "no-wait-wait", .run = do_wait, .flags = CAIRN_START_NO_WAIT },
    { "no-wait-descriptors", .before = before_descriptors, .run = do_descriptors,
      .flags = CAIRN_START_NO_WAIT },
    { "no-wait-absent", .before = before_absent, .run = victim_fault,
      .flags = CAIRN_START_NO_WAIT },
    { .name = NULL },
};
