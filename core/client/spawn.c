/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts the monitor so that the program notices nothing: two clones, the first of which ends at
 * once, so that the monitor is no child of the program, no SIGCHLD is sent, and no wait() of the
 * program returns a process it does not know.
 *
 * [app] Until its exec the second child runs in the program's memory, beside the program's thread,
 * which meanwhile does what there is to do and then waits. Every signal is blocked in all of them.
 */
#include "core/client/client.h"
#include "core/client/spawn.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GUARD_BYTES         4096
#define MONITOR_STACK_BYTES (32 * 1024)
#define FIRST_STACK_BYTES   4096

/* To be woken takes a processor that sleeps up to 0.06 ms, and the child's exec is near when the
 * program comes to wait for it. */
#define SPIN_NS 100000

/* The exec may have to wait for a disk. */
#define EXEC_NS 10000000000ull
#define LOOK_NS 20000000

int client_clone(int (*run)(void *), char *stack, unsigned flags, struct client_spawn *spawn,
                 int *ret_pidfd)
{
    pid_t pid = clone(run, stack, (int)flags, spawn, ret_pidfd, NULL, spawn->in_use);

    return pid < 0 ? -errno : pid;
}

/* The first child shares the program's descriptors: the pidfd of the second one lands there. */
static int start_second(void *argument)
{
    struct client_spawn *spawn = argument;
    const unsigned awaited = spawn->awaited ? CLONE_VFORK | CLONE_PIDFD : 0;
    int pidfd = -1;
    int pid = client_clone(client_become_monitor, spawn->monitor_stack,
                           CLONE_VM | CLONE_CHILD_CLEARTID | awaited, spawn, &pidfd);

    if (pid < 0) {
        return client_fail_child(spawn, pid, "The monitor's process cannot be made");
    }
    spawn->pidfd = pidfd;
    spawn->pid = pid;
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

static void run(struct client_spawn *spawn)
{
    int pid = client_clone(start_second, spawn->monitor_stack + FIRST_STACK_BYTES,
                           CLONE_VM | CLONE_VFORK | CLONE_FILES, spawn, NULL);

    if (pid < 0) {
        client_fail_child(spawn, pid, "A process for the monitor cannot be made");
    } else {
        reap(pid);
    }
    if (spawn->pid == 0) {
        *spawn->in_use = 0;
        if (spawn->failed == NULL) { /* the first child was killed, by a sandbox's filter */
            client_fail_child(spawn, -ECHILD, "The monitor's process cannot be made");
        }
    }
    close(spawn->process_fd); /* the second child has its own */
}

/* Until its exec, or its end, the second child needs the program's memory: the kernel clears the
 * word then. Where an emulated kernel does not, the monitor says that it runs. */
static int is_in_use(const struct client_spawn *spawn)
{
    return __atomic_load_n(spawn->in_use, __ATOMIC_ACQUIRE) != 0 &&
           __atomic_load_n(&spawn->page->monitor_pid, __ATOMIC_ACQUIRE) == 0;
}

/* False: it took so long that it was killed, and may still be about to end. */
static int await_exec(const struct client_spawn *spawn)
{
    const struct timespec look = { 0, LOOK_NS };
    const uint64_t began = crash_now();
    uint64_t passed = 0;

    while (is_in_use(spawn)) {
        passed = crash_now() - began;
        if (passed >= EXEC_NS) {
            syscall(SYS_kill, spawn->pid, SIGKILL);
            return 0;
        }
        if (passed < SPIN_NS && !spawn->awaited) {
            syscall(SYS_sched_yield);
        } else {
            syscall(SYS_futex, spawn->in_use, FUTEX_WAIT, 1, &look, NULL, 0);
        }
    }
    return 1;
}

const char *client_find_variable(char *const *environment, const char *name)
{
    size_t bytes = strlen(name);

    for (; environment != NULL && *environment != NULL; environment++) {
        if (strncmp(*environment, name, bytes) == 0 && (*environment)[bytes] == '=') {
            return *environment + bytes + 1;
        }
    }
    return NULL;
}

static const char *find_folder(char *const *environment)
{
    const char *folder = client_find_variable(environment, "CAIRN_LIBEXEC");

    return folder != NULL && folder[0] != '\0' ? folder : CAIRN_LIBEXECDIR;
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

/* A stack above a guard page, the first child's above that, the environment above both: what is
 * touched of them lies together. Not from malloc(), which the program may not have initialised yet,
 * or never need. */
static int map_memory(struct client_spawn *spawn, char *const *environment)
{
    const size_t below = GUARD_BYTES + MONITOR_STACK_BYTES + FIRST_STACK_BYTES;
    const size_t count = count_variables(environment);
    char *memory;

    spawn->bytes = below + sizeof(*spawn->in_use) * 2 + (count + 1) * sizeof(*environment);
    memory = mmap(NULL, spawn->bytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        return 0;
    }
    if (mprotect(memory, GUARD_BYTES, PROT_NONE) != 0) {
        munmap(memory, spawn->bytes);
        return 0;
    }
    spawn->memory = memory;
    spawn->monitor_stack = memory + GUARD_BYTES + MONITOR_STACK_BYTES;
    spawn->in_use = (uint32_t *)(memory + below);
    *spawn->in_use = 1;
    spawn->environment = (char **)(spawn->in_use + 2);
    filter_environment(environment, count, spawn->environment);
    return 1;
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

/* Before the exec, because the engine is told who is started. */
static void ask_for_check(struct client_spawn *spawn)
{
    /* An empty text stands for what is not given. */
    char *const arguments[] = { (char *)"cairn-engine",
                                (char *)"start",
                                spawn->page->config_file,
                                spawn->page->application,
                                spawn->page->application_version,
                                spawn->executable,
                                NULL };

    if ((spawn->page->client_flags & PAGE_CONFIG_IS_TEXT) == 0 &&
        read_executable(spawn->executable)) {
        memcpy(spawn->arguments, arguments, sizeof(arguments));
        spawn->check = spawn->arguments;
    }
}

int client_begin_spawn(struct page *page, int page_fd, int await, char *const *environment,
                       const struct client_error *error, struct client_spawn *ret_spawn)
{
    const uint64_t all = ~0ull;
    struct client_spawn *spawn = ret_spawn;

    /* In a program with raised rights the environment is somebody else's. */
    if (crash_state.secure) {
        environment = NULL;
    }
    spawn->process_fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (spawn->process_fd < 0) {
        return client_fail(error, CAIRN_ESYSTEM, "A descriptor of this process cannot be had: %s.",
                           strerror(errno));
    }
    if (!map_memory(spawn, environment)) {
        close(spawn->process_fd);
        return client_fail(error, CAIRN_ENOMEM, "There is no memory to start the monitor with.");
    }
    spawn->folder = find_folder(environment);
    spawn->page = page;
    spawn->page_fd = page_fd;
    spawn->awaited = await;
    spawn->check = NULL;
    spawn->pid = 0;
    spawn->pidfd = -1;
    spawn->failed = NULL;
    if (await) {
        ask_for_check(spawn);
    }
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &spawn->mask, sizeof(spawn->mask));
    run(spawn);
    return 0;
}

int client_finish_spawn(struct client_spawn *spawn, const struct client_error *error)
{
    if (await_exec(spawn)) {
        munmap(spawn->memory, spawn->bytes);
    } else {
        client_fail_child(spawn, -ETIME, "The monitor cannot be started");
    }
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &spawn->mask, NULL, sizeof(spawn->mask));
    if (spawn->failed == NULL) {
        return 0;
    }
    return client_fail(error, CAIRN_EMONITOR, "%s: %s (%s/cairn-monitor).", spawn->failed,
                       strerror(spawn->error), spawn->folder);
}
