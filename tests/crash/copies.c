/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program with up to three copies of Cairn in it, for tests/crash/copies.sh: its own (unless it
 * is built with WITHOUT_CAIRN), the preload library's, and those of plug-ins that it loads.
 *
 *     copies STEP...
 *
 * start CONFIG, stop: its own handler. load FILE CONFIG, unstart, unload: a plug-in's, the last one
 * that was loaded. kernel: whether the handler of SIGSEGV is still the one of the last time. dump
 * PID TID, drop UID, fork, crash, raise SIGNAL, abort.
 */
#define _GNU_SOURCE
#include <cairn/cairn.h>

#include <dlfcn.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int plugin_start_fn(const char *config);
typedef int plugin_stop_fn(void);

static void *plugin;

static void say(const char *what, int result)
{
    printf("%s: %s\n", what, cairn_strerror(result));
    fflush(stdout);
}

#ifdef WITHOUT_CAIRN
const char *cairn_strerror(int error)
{
    return error == 0 ? "no error" : "an error";
}
#else
static void do_start(char **arguments)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    char error[1024] = "";
    int result;

    options.config_file = arguments[0];
    result = cairn_start(&options, NULL, error, sizeof(error));
    say("start", result);
    if (result == 0) {
        say("set", cairn_set_string(NULL, "who", "program"));
    } else {
        printf("%s\n", error);
    }
}

static void do_stop(char **arguments)
{
    (void)arguments;
    say("stop", cairn_stop(NULL));
}

static void do_dump(char **arguments)
{
    int pid = strcmp(arguments[0], "self") == 0 ? getpid() : (int)strtol(arguments[0], NULL, 10);
    char id[37] = "";
    int result =
        cairn_dump_process(NULL, pid, (int)strtol(arguments[1], NULL, 10), "asked for", id);

    say("dump", result);
    printf("id: %s\n", id);
}

static void do_drop(char **arguments)
{
    unsigned id = (unsigned)strtoul(arguments[0], NULL, 10);

    if (setgroups(0, NULL) != 0 || setresgid(id, id, id) != 0 || setresuid(id, id, id) != 0) {
        exit(3);
    }
}
#endif

static void *find(const char *name)
{
    void *symbol = dlsym(plugin, name);

    if (symbol == NULL) {
        printf("%s is missing: %s\n", name, dlerror());
        exit(3);
    }
    return symbol;
}

static void load(const char *file, const char *config)
{
    plugin_start_fn *begin;
    void *symbol;

    plugin = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (plugin == NULL) {
        printf("%s\n", dlerror());
        exit(3);
    }
    symbol = find("plugin_start");
    memcpy(&begin, &symbol, sizeof(begin));
    say("load", begin(config));
}

static void unstart(void)
{
    plugin_stop_fn *end;
    void *symbol = find("plugin_stop");

    memcpy(&end, &symbol, sizeof(end));
    say("unstart", end());
}

/* What the kernel says, whoever stands in for libc. */
static void show_kernel(void)
{
    static uint64_t last;
    uint64_t action[4] = { 0 };

    syscall(SYS_rt_sigaction, SIGSEGV, NULL, action, 8);
    printf("kernel: %s\n", action[0] < 2 ? "default" : action[0] == last ? "the same" : "new");
    fflush(stdout);
    last = action[0];
}

__attribute__((noinline)) static void crash_here(volatile int *where)
{
    *where = 1;
}

static void do_load(char **arguments)
{
    load(arguments[0], arguments[1]);
}

static void do_unstart(char **arguments)
{
    (void)arguments;
    unstart();
}

static void do_unload(char **arguments)
{
    (void)arguments;
    dlclose(plugin);
}

static void do_kernel(char **arguments)
{
    (void)arguments;
    show_kernel();
}

static void do_crash(char **arguments)
{
    (void)arguments;
    crash_here(NULL);
}

static void do_raise(char **arguments)
{
    raise((int)strtol(arguments[0], NULL, 10));
    printf("went on\n");
}

static void do_abort(char **arguments)
{
    (void)arguments;
    abort();
}

/* The steps that follow are the child's; the parent ends as it does. */
static void do_fork(char **arguments)
{
    pid_t child = fork();
    int status = 0;

    (void)arguments;
    if (child == 0) {
        return;
    }
    waitpid(child, &status, 0);
    _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

static const struct step {
    const char *name;
    int arguments;
    void (*run)(char **arguments);
} steps[] = {
#ifndef WITHOUT_CAIRN
    { "start", 1, do_start },   { "stop", 0, do_stop },       { "dump", 2, do_dump },
    { "drop", 1, do_drop },
#endif
    { "load", 2, do_load },     { "unstart", 0, do_unstart }, { "unload", 0, do_unload },
    { "kernel", 0, do_kernel }, { "crash", 0, do_crash },     { "raise", 1, do_raise },
    { "abort", 0, do_abort },   { "fork", 0, do_fork },

};

static const struct step *find_step(const char *name, int left)
{
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (strcmp(name, steps[i].name) == 0 && steps[i].arguments < left) {
            return &steps[i];
        }
    }
    exit(64);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc;) {
        const struct step *step = find_step(argv[i], argc - i);

        step->run(argv + i + 1);
        i += 1 + step->arguments;
    }
    return 0;
}
