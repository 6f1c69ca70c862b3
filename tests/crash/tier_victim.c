/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that embeds Cairn and crashes where its monitor, ptrace or clone cannot be had:
 *
 *     tier_victim KIND CONFIG [MODE...]
 *
 * KIND: null abort overflow thread threads dump post revived. MODE, each a simulation by a seccomp
 * filter set after the start: no-ptrace, no-clone, no-open, no-readv (answered EPERM or EAGAIN);
 * kill-ptrace, kill-readv (the caller is killed); or: own (a handler of the program's own, that
 * dies of the signal), held (a post-dump callback), traced (by a debugger), chroot, fds (none is
 * left), memory (no address space is left), wait=FIFO (crash when the FIFO was written to). Exit
 * status: by the crash; 2 when something else fails.
 */
#include <cairn/cairn.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 100

/* ---- ways to crash ---- */

static void *volatile nowhere = (void *)16;

__attribute__((noinline)) static void crash_null(void)
{
    *(volatile int *)nowhere = 1;
}

__attribute__((noinline)) static int crash_overflow(volatile char *previous)
{
    volatile char frame[1024];

    frame[0] = previous[0];
    return frame[0] == 0 ? crash_overflow(frame) + frame[0] : 1;
}

static void *crash_thread(void *unused)
{
    (void)unused;
    pthread_setname_np(pthread_self(), "the-crashed-one");
    crash_null();
    return NULL;
}

static void *wait_thread(void *unused)
{
    pause();
    return unused;
}

static void crash_threads(unsigned count)
{
    pthread_t thread;

    for (unsigned i = 1; i < count; i++) {
        pthread_create(&thread, NULL, wait_thread, NULL);
    }
    pthread_create(&thread, NULL, crash_thread, NULL);
    pthread_join(thread, NULL);
}

static void say_dump(void)
{
    char id[37] = "";
    int result = cairn_dump(NULL, NULL, id);

    printf("dump %d %s\n", result, id);
}

static volatile int counting = 1;

/* Says something all the time, while another thread has the monitor replaced. */
static void *count(void *ret_lost)
{
    int64_t number = 0;

    while (counting) {
        number++;
        if (cairn_set_integer(NULL, "number", number) != 0) {
            ++*(int *)ret_lost;
        }
    }
    cairn_set_integer(NULL, "difference", number);
    return NULL;
}

/* Calls that replace a dead monitor; what was said before is said in the new page, too. */
static void crash_revived(void)
{
    pthread_t thread;
    int lost = 0;

    pthread_create(&thread, NULL, count, &lost);
    say_dump();
    counting = 0;
    pthread_join(thread, NULL);
    printf("lost %d\n", lost);
    crash_null();
}

static void crash(const char *kind)
{
    char first = 0;

    if (strcmp(kind, "abort") == 0) {
        abort();
    } else if (strcmp(kind, "overflow") == 0) {
        crash_overflow(&first);
    } else if (strcmp(kind, "thread") == 0) {
        crash_threads(1);
    } else if (strcmp(kind, "threads") == 0) {
        crash_threads(THREADS);
    } else if (strcmp(kind, "dump") == 0) {
        say_dump();
    } else if (strcmp(kind, "revived") == 0) {
        crash_revived();
    } else {
        crash_null();
    }
}

/* ---- what cannot be had ---- */

static int refuse(long number, unsigned answer)
{
    struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), /* seccomp_data.nr */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, answer),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { 4, instructions };

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0;
}

static int refuse_by_name(const char *mode)
{
    static const struct {
        const char *mode;
        long number;
        unsigned answer;
    } rows[] = {
        { "no-ptrace", SYS_ptrace, SECCOMP_RET_ERRNO | EPERM },
        { "no-clone", SYS_clone, SECCOMP_RET_ERRNO | EAGAIN },
        { "no-open", SYS_openat, SECCOMP_RET_ERRNO | EPERM },
        { "no-readv", SYS_process_vm_readv, SECCOMP_RET_ERRNO | EPERM },
        { "kill-ptrace", SYS_ptrace, SECCOMP_RET_KILL_PROCESS },
        { "kill-readv", SYS_process_vm_readv, SECCOMP_RET_KILL_PROCESS },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].mode, mode) == 0) {
            return refuse(rows[i].number, rows[i].answer);
        }
    }
    return 1;
}

static int use_up_descriptors(void)
{
    while (open("/dev/null", O_RDONLY) >= 0) {
    }
    return 0;
}

static int use_up_memory(void)
{
    const struct rlimit limit = { 16 << 20, 16 << 20 }; /* less than is mapped */

    return setrlimit(RLIMIT_AS, &limit);
}

static int wait_for(const char *fifo)
{
    char byte;
    int fd = open(fifo, O_RDONLY);

    return fd < 0 || read(fd, &byte, 1) < 0;
}

/* One that main() has done before Cairn started. */
static int is_applied(const char *mode)
{
    return strcmp(mode, "traced") == 0 || strcmp(mode, "held") == 0 || strcmp(mode, "own") == 0;
}

static int apply(const char *mode)
{
    if (is_applied(mode)) {
        return 0;
    }
    if (strcmp(mode, "nobody") == 0) {
        return setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0;
    }
    if (strcmp(mode, "chroot") == 0) {
        return chroot("/var/empty") != 0 && chroot("/dev/shm") != 0;
    }
    if (strcmp(mode, "fds") == 0) {
        return use_up_descriptors();
    }
    if (strcmp(mode, "memory") == 0) {
        return use_up_memory();
    }
    if (strncmp(mode, "wait=", 5) == 0) {
        return wait_for(mode + 5);
    }
    return refuse_by_name(mode);
}

/* A debugger: lets every signal through. Returns in the child only. */
static void be_traced(void)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        return;
    }
    while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
        ptrace(PTRACE_CONT, child, NULL, (void *)(long)WSTOPSIG(status));
    }
    exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

/* As many a program does: says something and dies of the signal. */
static void on_fault(int number)
{
    static const char text[] = "a fault\n";

    if (write(STDOUT_FILENO, text, sizeof(text) - 1) > 0) {
        signal(number, SIG_DFL);
    }
}

static int post_dump(const struct cairn_crash *what, const struct cairn_result *result, void *user)
{
    char line[1200];
    int bytes = snprintf(line, sizeof(line), "post-dump: success %d id \"%s\" path \"%s\"\n",
                         result->success, result->id, result->path);

    (void)what;
    (void)user;
    return write(STDOUT_FILENO, line, (size_t)bytes) < 0;
}

int main(int argc, char **argv)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    char error[4096] = "";

    if (argc < 3) {
        fputs("usage: tier_victim KIND CONFIG [MODE...]\n", stderr);
        return 64;
    }
    setvbuf(stdout, NULL, _IONBF, 0);
    for (int i = 3; i < argc; i++) {
        if (strcmp(argv[i], "traced") == 0) {
            be_traced();
        }
        if (strcmp(argv[i], "own") == 0) {
            signal(SIGSEGV, on_fault);
        }
        if (strcmp(argv[i], "held") == 0) { /* until the minidump has its name */
            options.post_dump = post_dump;
        }
    }
    options.config_file = argv[2];
    if (strcmp(argv[1], "post") == 0) {
        options.post_dump = post_dump;
    }
    if (cairn_start(&options, NULL, error, sizeof(error)) != 0) {
        fprintf(stderr, "%s\n", error);
        return 2;
    }
    cairn_set_string(NULL, "before", "the crash");
    for (int i = 3; i < argc; i++) {
        if (apply(argv[i]) != 0) {
            perror(argv[i]);
            return 2;
        }
    }
    crash(argv[1]);
    return 0;
}
