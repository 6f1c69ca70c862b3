/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that embeds Cairn, says something of itself, and ends in a way that no handler sees:
 *
 *     death_victim KIND CONFIG [FILE]
 *
 * KIND: wait (to be killed), _exit, exit, exit-3, blocked (a fault whose signal is blocked), stop
 * (cairn_stop(), then wait), crash, exec (becomes sleep(1)), again (starts itself anew, with
 * "wait"), memory (takes what there is), drop (becomes nobody, then waits). FILE is attached.
 * Prints "ready" once all is said.
 */
#include <cairn/cairn.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE (1u << 20)

static void *volatile nowhere = (void *)16;

static void fault(void)
{
    *(volatile int *)nowhere = 1;
}

static void block_all(void)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
}

static void take_memory(void)
{
    for (size_t bytes = 0; bytes < 4096; bytes++) {
        char *piece = malloc(PIECE);
        if (piece != NULL) {
            memset(piece, 1, PIECE);
        }
    }
}

static void wait_for_ever(void)
{
    puts("ready");
    fflush(stdout);
    for (;;) {
        pause();
    }
}

static int start(const char *config, const char *file)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    static char error[8192];

    options.config_file = config;
    options.application = "shop";
    if (cairn_start(&options, NULL, error, sizeof(error)) != 0) {
        fprintf(stderr, "%s\n", error);
        return -1;
    }
    cairn_set_string(NULL, "shop.region", "eu-1");
    cairn_breadcrumb(NULL, "order", "taken");
    cairn_breadcrumb(NULL, "order", "paid");
    if (file != NULL) {
        cairn_attach_file(NULL, file);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *kind = argc >= 3 ? argv[1] : "";

    if (argc < 3 || start(argv[2], argc > 3 ? argv[3] : NULL) != 0) {
        return 2;
    }
    if (strcmp(kind, "_exit") == 0) {
        _exit(3);
    } else if (strcmp(kind, "exit") == 0) {
        exit(0);
    } else if (strcmp(kind, "exit-3") == 0) {
        exit(3);
    } else if (strcmp(kind, "blocked") == 0) {
        block_all();
        fault();
    } else if (strcmp(kind, "stop") == 0) {
        cairn_stop(NULL);
    } else if (strcmp(kind, "crash") == 0) {
        fault();
    } else if (strcmp(kind, "exec") == 0) {
        puts("ready");
        fflush(stdout);
        execl("/bin/sleep", "sleep", "60", (char *)NULL);
    } else if (strcmp(kind, "again") == 0) {
        execl(argv[0], argv[0], "wait", argv[2], (char *)NULL);
    } else if (strcmp(kind, "memory") == 0) {
        take_memory();
    } else if (strcmp(kind, "drop") == 0 &&
               (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0)) {
        return 2;
    }
    wait_for_ever();
}
