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

static void say_ready(void)
{
    puts("ready");
    fflush(stdout);
}

static void leave(char **argv)
{
    (void)argv;
    _exit(3);
}

static void exit_0(char **argv)
{
    (void)argv;
    exit(0);
}

static void exit_3(char **argv)
{
    (void)argv;
    exit(3);
}

static void crash(char **argv)
{
    (void)argv;
    *(volatile int *)nowhere = 1;
}

static void crash_blocked(char **argv)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    crash(argv);
}

static void stop(char **argv)
{
    (void)argv;
    cairn_stop(NULL);
}

static void become_sleep(char **argv)
{
    (void)argv;
    say_ready();
    execl("/bin/sleep", "sleep", "60", (char *)NULL);
}

static void become_waiting(char **argv)
{
    execl(argv[0], argv[0], "wait", argv[2], (char *)NULL);
}

static void take_memory(char **argv)
{
    (void)argv;
    for (size_t bytes = 0; bytes < 4096; bytes++) {
        char *piece = malloc(PIECE);
        if (piece != NULL) {
            memset(piece, 1, PIECE);
        }
    }
}

static void become_nobody(char **argv)
{
    (void)argv;
    if (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0) {
        exit(2);
    }
}

/* What comes before the waiting, and mostly instead of it. */
static const struct {
    const char *name;
    void (*run)(char **argv);
} kinds[] = {
    { "_exit", leave },        { "exit", exit_0 },           { "exit-3", exit_3 },
    { "crash", crash },        { "blocked", crash_blocked }, { "stop", stop },
    { "exec", become_sleep },  { "again", become_waiting },  { "memory", take_memory },
    { "drop", become_nobody },
};

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
    if (argc < 3 || start(argv[2], argc > 3 ? argv[3] : NULL) != 0) {
        return 2;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, argv[1]) == 0) {
            kinds[i].run(argv);
        }
    }
    say_ready();
    for (;;) {
        pause();
    }
}
