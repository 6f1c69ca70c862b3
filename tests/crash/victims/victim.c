/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the kind and runs it: matrix_victim KIND [ARGUMENT]. Exit status: by the crash; 0 for kinds
 * that survive; 64 for a kind that it does not know; 77 where this system cannot show it.
 */
#include "tests/crash/victims/victim.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static void *volatile nowhere = (void *)16;

__attribute__((noinline)) void crash_here(void)
{
    *(volatile int *)nowhere = 1;
}

void be_crasher(void)
{
    prctl(PR_SET_NAME, "crasher", 0, 0, 0);
}

void say(const char *text)
{
    ssize_t ignored = write(STDOUT_FILENO, text, strlen(text));

    (void)ignored;
}

void cannot(const char *what)
{
    perror(what);
    _exit(CANNOT_STATUS);
}

static void (*thread_crash)(void);

__attribute__((noinline)) static void *thread_body(void *unused)
{
    if (prepare_thread != NULL) {
        prepare_thread();
    }
    be_crasher();
    thread_crash();
    return unused;
}

void crash_in_thread(void (*crash)(void))
{
    pthread_t thread;
    int result;

    thread_crash = crash;
    result = pthread_create(&thread, NULL, thread_body, NULL);
    if (result != 0) {
        cannot("pthread_create");
    }
    pthread_join(thread, NULL);
}

static const struct kind *find(const char *name)
{
    static const struct kind *const themes[] = { fault_kinds,   limit_kinds,  moment_kinds,
                                                 sandbox_kinds, signal_kinds, stack_kinds,
                                                 thread_kinds };

    for (size_t i = 0; i < sizeof(themes) / sizeof(themes[0]); i++) {
        for (const struct kind *kind = themes[i]; kind->name != NULL; kind++) {
            if (strcmp(kind->name, name) == 0) {
                return kind;
            }
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    const struct kind *kind = argc > 1 ? find(argv[1]) : NULL;
    const char *config = getenv("MATRIX_CONFIG");

    if (kind == NULL) {
        fprintf(stderr, "usage: %s KIND [ARGUMENT]\n", argc > 0 ? argv[0] : "matrix_victim");
        return 64;
    }
    if (start_cairn != NULL && config != NULL && start_cairn(config) != 0) {
        return 2;
    }
    be_crasher();
    kind->run(argc > 2 ? argv[2] : "");
    return 0;
}
