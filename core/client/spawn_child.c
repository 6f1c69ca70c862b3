/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that becomes the monitor, from its clone to its exec. It runs in the program's memory
 * and beside the program's own thread, whose thread-local storage it has: so it makes raw system
 * calls, and neither touches errno nor passes through anything else of libc's. Every signal is
 * blocked, and stays so until the monitor has undone what it inherits.
 */
#include "core/client/spawn.h"

#include "core/capture/sys.h"
#include "core/crash/page.h"

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

static void close_from(unsigned first)
{
    struct rlimit64 limit = { 1024, 1024 };

    if (sys_call(__NR_close_range, first, ~0u, 0) == 0) {
        return;
    }
    sys_call6(__NR_prlimit64, 0, RLIMIT_NOFILE, 0, &limit, 0, 0);
    for (unsigned fd = first; fd < limit.rlim_cur && fd < 1u << 20; fd++) {
        sys_close((int)fd);
    }
}

/* `from` may be the errno of who was to make it. */
static int place(int from, int to)
{
    return from < 0 ? from : sys_dup3(from, to, 0);
}

static int place_descriptors(const struct client_spawn *spawn)
{
    /* Neither may take the other's place before that one has moved. */
    int page = sys_fcntl(spawn->page_fd, F_DUPFD, FIRST_FREE_FD);
    int process = sys_fcntl(spawn->process_fd, F_DUPFD, FIRST_FREE_FD);
    int result = place(page, PAGE_FD), null;

    if (result >= 0) {
        result = place(process, PROCESS_FD);
    }
    if (result < 0) {
        return result;
    }
    null = sys_openat(AT_FDCWD, "/dev/null", O_RDWR, 0);
    if (null < 0) {
        /* Without a /dev, as in some chroots: what neither reads nor writes, but has its number. */
        null = sys_openat(AT_FDCWD, "/", O_PATH, 0);
    }
    for (int fd = 0; fd < PAGE_FD; fd++) {
        if (null >= 0) {
            sys_dup3(null, fd, 0);
        } else {
            sys_close(fd);
        }
    }
    close_from(PROCESS_FD + 1);
    return 0;
}

int client_fail_child(struct client_spawn *spawn, int error, const char *what)
{
    spawn->error = -error;
    spawn->failed = what;
    return 127;
}

static int become_engine(void *argument)
{
    const struct client_spawn *spawn = argument;

    sys_call(__NR_setsid, 0, 0, 0);
    sys_dup3(OUTPUT_WRITING_FD, 1, 0);
    sys_dup3(ERRORS_WRITING_FD, 2, 0);
    close_from(3);
    sys_execve("cairn-engine", spawn->check, spawn->environment);
    return 127; /* the monitor tries it, too, and says why it fails */
}

/* In the process that is about to be the monitor, so that the engine is its child. The stack is
 * free below this frame until the engine's exec. */
static void start_check(struct client_spawn *spawn)
{
    const struct sigaction collect = { .sa_handler = SIG_DFL };
    char stack[2048] __attribute__((aligned(16)));
    int output[2], errors[2];

    /* Ignored by the program, it would keep the engine's end from the monitor. */
    sys_rt_sigaction(SIGCHLD, &collect, 0);
    if (sys_call(__NR_pipe2, output, 0, 0) == 0 && sys_call(__NR_pipe2, errors, 0, 0) == 0) {
        spawn->page->check_pid = client_clone(become_engine, stack + sizeof(stack),
                                              CLONE_VM | CLONE_VFORK | SIGCHLD, spawn, 0);
    }
    sys_dup3(ERRORS_READING_FD, ERRORS_FD, 0);
    close_from(ERRORS_FD + 1);
}

int client_become_monitor(void *argument)
{
    struct client_spawn *spawn = argument;
    char *arguments[] = { (char *)"cairn-monitor", 0 };
    int result;

    sys_call(__NR_setsid, 0, 0, 0);
    sys_call(__NR_umask, 077, 0, 0);
    result = place_descriptors(spawn);
    if (result < 0) {
        return client_fail_child(spawn, result, "The monitor's descriptors cannot be placed");
    }
    result = (int)sys_call(__NR_chdir, spawn->folder, 0, 0);
    if (result == 0) {
        if (spawn->check != 0) {
            start_check(spawn);
        }
        result = sys_execve(arguments[0], arguments, spawn->environment);
    }
    return client_fail_child(spawn, result, "The monitor cannot be started");
}
