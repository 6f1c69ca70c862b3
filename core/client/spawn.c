/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts the monitor so that the program notices nothing: two vfork-like clones, the first of which
 * ends at once, so that the monitor is no child of the program, no SIGCHLD is sent, and no wait()
 * of the program returns a process it does not know.
 *
 * [app] Between clone and exec the children run in the program's memory, with every signal blocked:
 * they make system calls and write what the struct below holds, nothing else.
 */
#include "core/client/client.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STACK_BYTES  (32 * 1024)
#define GUARD_BYTES  4096
#define STACKS_BYTES (2 * (GUARD_BYTES + STACK_BYTES)) /* one for each child */

/* The descriptors' numbers until they get their places: out of the way of 0 to 4. */
#define FIRST_FREE_FD 10

#define PAGE_FD    3
#define PROCESS_FD 4

/* Where the pipes of a check land, as nothing else is open: the monitor keeps the first two. */
#define OUTPUT_FD         5
#define OUTPUT_WRITING_FD 6
#define ERRORS_FD         6
#define ERRORS_READING_FD 7
#define ERRORS_WRITING_FD 8

/* What the program and its children share. */
struct spawn {
    const char *folder; /* of Cairn's programs */
    char **environment;
    struct page *page;
    char *const *check; /* the engine's arguments, or NULL */
    int page_fd, process_fd;
    char *second_stack; /* its top */
    volatile pid_t pid;
    volatile int pidfd;
    volatile int error;          /* errno of what failed, in the children too */
    const char *volatile failed; /* ... and what that was */
};

/* The kernel's structure, for what libc would keep from it. */
struct kernel_action {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

static void close_from(unsigned first)
{
    struct rlimit limit = { 1024, 1024 };

    if (syscall(SYS_close_range, first, ~0u, 0) == 0) {
        return;
    }
    getrlimit(RLIMIT_NOFILE, &limit);
    for (unsigned fd = first; fd < limit.rlim_cur && fd < 1u << 20; fd++) {
        close((int)fd);
    }
}

static int place_descriptors(const struct spawn *spawn)
{
    int null;

    if (dup2(spawn->page_fd, PAGE_FD) < 0 || dup2(spawn->process_fd, PROCESS_FD) < 0) {
        return -1;
    }
    null = open("/dev/null", O_RDWR);
    if (null < 0) {
        /* Without a /dev, as in some chroots: what neither reads nor writes, but has its number. */
        null = open("/", O_PATH);
    }
    for (int fd = 0; fd < PAGE_FD; fd++) {
        if (null >= 0) {
            dup2(null, fd);
        } else {
            close(fd);
        }
    }
    close_from(PROCESS_FD + 1);
    return 0;
}

static int fail_child(struct spawn *spawn, const char *what)
{
    spawn->error = errno;
    spawn->failed = what;
    return 127;
}

static int become_engine(void *argument)
{
    const struct spawn *spawn = argument;

    setsid();
    dup2(OUTPUT_WRITING_FD, STDOUT_FILENO);
    dup2(ERRORS_WRITING_FD, STDERR_FILENO);
    close_from(STDERR_FILENO + 1);
    execve("cairn-engine", spawn->check, spawn->environment);
    return 127; /* the monitor tries it, too, and says why it fails */
}

/* In the process that is about to be the monitor, so that the engine is its child. The stack is
 * free below this frame until the engine's exec. */
static void start_check(const struct spawn *spawn)
{
    const struct kernel_action collect = { SIG_DFL, 0, NULL, 0 };
    char stack[2048] __attribute__((aligned(16)));
    int output[2], errors[2];

    /* Ignored by the program, it would keep the engine's end from the monitor. */
    syscall(SYS_rt_sigaction, SIGCHLD, &collect, NULL, sizeof(collect.mask));
    if (pipe2(output, 0) == 0 && pipe2(errors, 0) == 0) {
        spawn->page->check_pid = clone(become_engine, stack + sizeof(stack),
                                       CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)spawn);
    }
    dup2(ERRORS_READING_FD, ERRORS_FD);
    close_from(ERRORS_FD + 1);
}

/* The second child: becomes the monitor. Its result is an exit status. */
static int become_monitor(void *argument)
{
    struct spawn *spawn = argument;
    char *arguments[] = { (char *)"cairn-monitor", NULL };

    setsid();
    umask(077);
    if (place_descriptors(spawn) != 0) {
        return fail_child(spawn, "The monitor's descriptors cannot be placed");
    }
    /* Every signal is blocked and stays so, until who is started has undone what it inherits. */
    if (chdir(spawn->folder) == 0) {
        if (spawn->check != NULL) {
            start_check(spawn);
        }
        execve(arguments[0], arguments, spawn->environment);
    }
    return fail_child(spawn, "The monitor cannot be started");
}

/* The first child shares the program's descriptors: the pidfd of the second one lands there. */
static int start_second(void *argument)
{
    struct spawn *spawn = argument;
    int pidfd = -1;
    pid_t pid = clone(become_monitor, spawn->second_stack, CLONE_VM | CLONE_VFORK | CLONE_PIDFD,
                      spawn, &pidfd);

    if (pid < 0) {
        return fail_child(spawn, "The monitor's process cannot be made");
    }
    spawn->pid = pid;
    spawn->pidfd = pidfd;
    return 0;
}

/* The first child is at its end when clone() returns; somebody else may have waited for it. */
static void reap(pid_t pid)
{
    const struct timespec pause = { 0, 1000000 };

    for (unsigned milliseconds = 0; milliseconds < 1000; milliseconds++) {
        pid_t result = waitpid(pid, NULL, __WALL | WNOHANG);

        if (result == pid || (result < 0 && errno != EINTR)) {
            return;
        }
        nanosleep(&pause, NULL);
    }
}

static void run(struct spawn *spawn, char *first_stack)
{
    const uint64_t all = ~0ull;
    uint64_t mask = 0;
    pid_t pid;

    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &mask, sizeof(mask));
    pid = clone(start_second, first_stack, CLONE_VM | CLONE_VFORK | CLONE_FILES, spawn);
    if (pid < 0) {
        fail_child(spawn, "A process for the monitor cannot be made");
    } else {
        reap(pid);
    }
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask));
}

/* The dynamic linker's variables are the program's business, not the monitor's. */
static int is_passed_on(const char *variable)
{
    return strncmp(variable, "LD_", 3) != 0 && strncmp(variable, "CAIRN_RUN_", 10) != 0;
}

static size_t count_variables(char *const *environment)
{
    size_t count = 0;

    while (environment != NULL && environment[count] != NULL) {
        count++;
    }
    return count;
}

static void filter_environment(char *const *environment, size_t count, char **ret_filtered)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (is_passed_on(environment[i])) {
            ret_filtered[kept++] = environment[i];
        }
    }
    ret_filtered[kept] = NULL;
}

/* Two stacks, each above a guard page, and `more` bytes above them. Not from malloc(), which the
 * program may not have initialised yet, or never need. */
static char *map_stacks(size_t more)
{
    const size_t bytes = STACKS_BYTES + more;
    char *stacks = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);

    if (stacks == MAP_FAILED) {
        return NULL;
    }
    if (mprotect(stacks, GUARD_BYTES, PROT_NONE) != 0 ||
        mprotect(stacks + STACKS_BYTES / 2, GUARD_BYTES, PROT_NONE) != 0) {
        munmap(stacks, bytes);
        return NULL;
    }
    return stacks;
}

static int run_on_stacks(struct spawn *spawn, char *const *environment,
                         const struct client_error *error)
{
    const size_t count = count_variables(environment);
    const size_t more = (count + 1) * sizeof(*spawn->environment);
    char *stacks = map_stacks(more);

    if (stacks == NULL) {
        return client_fail(error, CAIRN_ENOMEM, "There is no memory to start the monitor with.");
    }
    spawn->second_stack = stacks + STACKS_BYTES;
    spawn->environment = (char **)spawn->second_stack;
    filter_environment(environment, count, spawn->environment);
    run(spawn, stacks + STACKS_BYTES / 2);
    munmap(stacks, STACKS_BYTES + more);
    if (spawn->failed != NULL) {
        return client_fail(error, CAIRN_EMONITOR, "%s: %s (%s/cairn-monitor).", spawn->failed,
                           strerror(spawn->error), spawn->folder);
    }
    return 0;
}

static int read_executable(char ret_path[PAGE_PATH_BYTES])
{
    ssize_t bytes = readlink("/proc/self/exe", ret_path, PAGE_PATH_BYTES);

    if (bytes <= 0 || bytes >= PAGE_PATH_BYTES) {
        return 0;
    }
    ret_path[bytes] = '\0';
    return 1;
}

static void close_if_open(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

int client_spawn(const char *folder, struct page *page, int page_fd, int check,
                 char *const *environment, const struct client_error *error,
                 struct client_monitor *ret_monitor)
{
    char executable[PAGE_PATH_BYTES];
    /* An empty text stands for what is not given. */
    char *const arguments[] = { (char *)"cairn-engine",
                                (char *)"start",
                                page->config_file,
                                page->application,
                                page->application_version,
                                executable,
                                NULL };
    struct spawn spawn = { .folder = folder, .page = page, .pidfd = -1 };
    int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    int result;

    if (check && (page->client_flags & PAGE_CONFIG_IS_TEXT) == 0 && read_executable(executable)) {
        spawn.check = arguments;
    }
    spawn.page_fd = fcntl(page_fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    spawn.process_fd = self >= 0 ? fcntl(self, F_DUPFD_CLOEXEC, FIRST_FREE_FD) : -1;
    if (spawn.page_fd < 0 || spawn.process_fd < 0) {
        result = client_fail(error, CAIRN_ESYSTEM,
                             "A descriptor for the monitor cannot be had: %s.", strerror(errno));
    } else {
        result = run_on_stacks(&spawn, environment, error);
    }
    close_if_open(self);
    close_if_open(spawn.page_fd);
    close_if_open(spawn.process_fd);
    if (result != 0) {
        close_if_open(spawn.pidfd);
        return result;
    }
    ret_monitor->pid = spawn.pid;
    ret_monitor->pidfd = spawn.pidfd;
    return 0;
}
