/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cairn-engine start: the check that a starting program waits for. libcairn begins it at the same
 * time as the monitor, in whose place it would only begin when that one has. So what the monitor
 * frees itself of is undone here, too: the program's signals, limits, folder. [engine]
 */
#include "core/engine/engine.h"

#include "core/util/text.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

enum start_argument {
    START_CONFIG = 0,
    START_APPLICATION = 1,
    START_VERSION = 2,
    START_EXECUTABLE = 3,
    START_COUNT = 4
};

static void reset_process(void)
{
    static const int limits[] = { RLIMIT_FSIZE, RLIMIT_NOFILE, RLIMIT_AS, RLIMIT_DATA, RLIMIT_CPU };
    sigset_t none;

    for (int number = 1; number < NSIG; number++) {
        signal(number, number == SIGPIPE || number == SIGXFSZ ? SIG_IGN : SIG_DFL);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct rlimit limit;

        if (getrlimit(limits[i], &limit) == 0 && limit.rlim_cur != limit.rlim_max) {
            limit.rlim_cur = limit.rlim_max;
            setrlimit(limits[i], &limit);
        }
    }
}

static const char *given(const char *argument)
{
    return argument[0] != '\0' ? argument : NULL;
}

int engine_begin(int count, char **arguments)
{
    if (count != START_COUNT) {
        fputs("cairn-engine: the mode start is libcairn's own; see check.\n", stderr);
        return EX_USAGE;
    }
    reset_process();
    if (chdir("/") != 0) {
        return EX_OSERR;
    }
    arguments[START_EXECUTABLE][text_living_length(arguments[START_EXECUTABLE])] = '\0';

    const struct engine_options options = {
        .config_fd = -1,
        .lock_fd = -1,
        .place_fd = -1,
        .plan = true,
        .config_path = given(arguments[START_CONFIG]),
        .application = given(arguments[START_APPLICATION]),
        .version = given(arguments[START_VERSION]),
        .executable = given(arguments[START_EXECUTABLE]),
    };
    return engine_check(&options);
}
