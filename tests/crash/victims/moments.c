/* SPDX-License-Identifier: Apache-2.0 */
/* Moments in the life of a process: before main, at exit, in children, after exec. */
#include "tests/crash/victims/victim.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* glibc hands main's arguments to constructors. */
__attribute__((constructor)) static void before_main(int argc, char **argv, char **environment)
{
    (void)environment;
    if (argc > 1 && strcmp(argv[1], "before-main") == 0) {
        be_crasher();
        crash_here();
    }
}

static void was_before_main(const char *unused)
{
    (void)unused;
    say("went on into main\n");
}

static void crash_at_exit(const char *unused)
{
    (void)unused;
    atexit(crash_here);
    exit(0);
}

static pthread_key_t key;

static void destroy_value(void *value)
{
    (void)value;
    crash_here();
}

static void leave_value(void)
{
    pthread_setspecific(key, &key);
}

static void crash_in_destructor(const char *unused)
{
    (void)unused;
    pthread_key_create(&key, destroy_value);
    crash_in_thread(leave_value);
}

extern void *__dso_handle;
int __cxa_thread_atexit_impl(void (*destroy)(void *), void *object, void *library);

/* As a C++ compiler registers the destructor of a thread_local object. */
static void leave_object(void)
{
    static _Thread_local int object;

    __cxa_thread_atexit_impl(destroy_value, &object, &__dso_handle);
}

static void crash_in_thread_local(const char *unused)
{
    (void)unused;
    crash_in_thread(leave_object);
}

/* How the child ended, so that it shows in ours. */
static void end_like(pid_t child)
{
    int status = 0;

    if (child < 0 || waitpid(child, &status, 0) != child) {
        cannot("fork");
    }
    _exit(WIFSIGNALED(status) ? 100 + WTERMSIG(status) : WEXITSTATUS(status));
}

static void crash_in_fork(const char *unused)
{
    pid_t child = fork();

    (void)unused;
    if (child == 0) {
        crash_here();
    }
    end_like(child);
}

static void crash_in_vfork(const char *unused)
{
    pid_t child = vfork();

    (void)unused;
    if (child == 0) {
        crash_here();
        _exit(1);
    }
    end_like(child);
}

static void crash_after_exec(const char *unused)
{
    char path[4096];
    ssize_t bytes = readlink("/proc/self/exe", path, sizeof(path) - 1);

    (void)unused;
    path[bytes > 0 ? bytes : 0] = '\0';
    execl(path, path, "null", (char *)NULL);
    cannot("exec");
}

/* ---- for the matrix's negative controls ---- */

static void leave_process(const char *unused)
{
    (void)unused;
    if (fork() == 0) {
        sleep(60);
        _exit(0);
    }
    crash_here();
}

static void hang(const char *unused)
{
    (void)unused;
    sleep(60);
}

const struct kind moment_kinds[] = {
    { "before-main", was_before_main },
    { "at-exit", crash_at_exit },
    { "in-destructor", crash_in_destructor },
    { "in-thread-local", crash_in_thread_local },
    { "in-fork", crash_in_fork },
    { "in-vfork", crash_in_vfork },
    { "after-exec", crash_after_exec },
    { "leaves-process", leave_process },
    { "hang", hang },
    { NULL, NULL },
};
