/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program with up to three copies of Cairn in it, for tests/crash/copies.sh: its own (unless it
 * is built with WITHOUT_CAIRN), the preload library's, and those of plug-ins that it loads.
 *
 *     copies STEP...
 *
 * start CONFIG, stop: its own handler. load FILE CONFIG, unstart, unload: a plug-in's, the last one
 * that was loaded. kernel: whether the handler of SIGSEGV is still the one of the last time. dump
 * PID TID, drop UID, crash.
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
static void start(const char *config)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    char error[1024] = "";
    int result;

    options.config_file = config;
    result = cairn_start(&options, NULL, error, sizeof(error));
    say("start", result);
    if (result == 0) {
        say("set", cairn_set_string(NULL, "who", "program"));
    } else {
        printf("%s\n", error);
    }
}

static void dump(int pid, int tid)
{
    char id[37] = "";
    int result = cairn_dump_process(NULL, pid, tid, "asked for", id);

    say("dump", result);
    printf("id: %s\n", id);
}

static void drop(const char *user)
{
    unsigned id = (unsigned)strtoul(user, NULL, 10);

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

/* How many arguments the step took. */
static int take(char **step, int left)
{
#ifndef WITHOUT_CAIRN
    if (strcmp(step[0], "start") == 0 && left > 1) {
        start(step[1]);
        return 2;
    } else if (strcmp(step[0], "stop") == 0) {
        say("stop", cairn_stop(NULL));
        return 1;
    } else if (strcmp(step[0], "dump") == 0 && left > 2) {
        dump((int)strtol(step[1], NULL, 10), (int)strtol(step[2], NULL, 10));
        return 3;
    } else if (strcmp(step[0], "drop") == 0 && left > 1) {
        drop(step[1]);
        return 2;
    }
#endif
    if (strcmp(step[0], "load") == 0 && left > 2) {
        load(step[1], step[2]);
        return 3;
    } else if (strcmp(step[0], "unstart") == 0) {
        unstart();
    } else if (strcmp(step[0], "unload") == 0) {
        dlclose(plugin);
    } else if (strcmp(step[0], "kernel") == 0) {
        show_kernel();
    } else if (strcmp(step[0], "crash") == 0) {
        crash_here(NULL);
    } else {
        exit(64);
    }
    return 1;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc;) {
        i += take(argv + i, argc - i);
    }
    return 0;
}
