/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The preload library of `cairn run`: starts Cairn in a program that knows nothing of it. [app]:
 * its constructor runs before every other object's (DF_1_INITFIRST), libc's among them: environ,
 * getenv() and stdio are not to be relied on, the constructor's arguments are.
 */
#include "core/client/preload.h"

#include "core/client/client.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void complain(const char *problem)
{
    char line[1200];
    int bytes = snprintf(line, sizeof(line),
                         "cairn run: this program runs without Cairn: %.1024s\n", problem);
    ssize_t written = write(STDERR_FILENO, line, bytes > 0 ? (size_t)bytes : 0);

    (void)written; /* there is nowhere else to complain to */
}

/* Whether what the program starts by exec() is to have Cairn, too; false where it is not started.
 */
static int wants_exec_children(const struct preload_options *run, const struct cairn *cairn)
{
    return cairn != NULL &&
           (run->children != NULL || (cairn->page->plan.children & PAGE_CHILDREN_OF_EXEC) != 0);
}

/* What the program sees of it, and what it will see of it. */
static void settle_environment(char **environment, const struct preload_options *run,
                               const struct cairn *cairn)
{
    int children = wants_exec_children(run, cairn);

    if (cairn != NULL) {
        preload_keep_environment(environment, children);
    }
    if (!children) {
        preload_clean_environment(environment);
    }
}

__attribute__((constructor)) static void preload_start(int argc, char **argv, char **environment)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    struct preload_options run = { NULL, NULL, NULL, NULL, NULL };
    struct cairn *cairn = NULL;
    char error[1024] = "";
    int result;

    (void)argc;
    (void)argv;
    preload_waits_start(); /* also where Cairn cannot be started */
    preload_read_environment(environment, &run);
    if (!preload_is_for_us(&run)) {
        preload_clean_environment(environment);
        return;
    }
    options.config_file = run.config;
    options.application = run.application;
    options.version = run.version;
    result = client_start(&options, environment, &cairn, error, sizeof(error), &client_copy);
    settle_environment(environment, &run, cairn);
    if (result != 0) {
        complain(error[0] != '\0' ? error : cairn_strerror(result));
        return;
    }
    client_take_charge();
    preload_exec_start();
    preload_mask_start(0);
    preload_threads_start();
}
