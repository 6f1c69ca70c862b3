/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts cairn-engine by posix_spawn(), which copies no memory and reports a failing exec. All of
 * the monitor's descriptors close on exec; what the engine gets is given by number. Runs in the
 * monitor.
 */
#include "core/monitor/engine.h"

#include "core/monitor/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The engine's descriptors besides the standard ones. */
#define CONFIG_FD      4
#define CONFIG_FD_TEXT "4"
#define LOCK_FD        5
#define LOCK_FD_TEXT   "5"
#define PLACE_FD       6
#define PLACE_FD_TEXT  "6"
#define FIRST_FREE_FD  10 /* sources are moved above it, so that no target overwrites one */

#define MAX_ARGUMENTS 20

#define REPORT_NICENESS 10
#define KILL_NS         (2 * CLOCK_SECOND) /* for a killed engine to end */

struct command {
    const char *arguments[MAX_ARGUMENTS + 1]; /* NULL-terminated */
    size_t count;
};

/* Sources of the engine's descriptors; -1: not given, standard ones are inherited then. */
struct descriptors {
    int output, errors, config, lock, place;
};

void engine_locate(struct engine_settings *settings)
{
    const char *folder = secure_getenv("CAIRN_LIBEXEC");

    if (folder == NULL || folder[0] == '\0') {
        folder = CAIRN_LIBEXECDIR;
    }
    int bytes = snprintf(settings->program, sizeof(settings->program), "%s/cairn-engine", folder);
    if (bytes < 0 || (size_t)bytes >= sizeof(settings->program)) {
        settings->program[0] = '\0'; /* cannot be executed, and the sentence will say so */
    }
}

void engine_clean_environment(void)
{
    char **kept = environ;

    if (environ == NULL) {
        return;
    }
    for (char **entry = environ; *entry != NULL; entry++) {
        if (strncmp(*entry, "LD_", 3) != 0) {
            *kept++ = *entry;
        }
    }
    *kept = NULL;
}

int engine_keep_text(const char *text, size_t bytes)
{
    int fd = memfd_create("cairn-configuration", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0) {
        return -errno;
    }
    /* To memory: all at once or not at all, but for a lack of it. */
    if (write(fd, text, bytes) != (ssize_t)bytes ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
        close(fd);
        return -ENOMEM;
    }
    return fd;
}

static void add(struct command *command, const char *option, const char *value)
{
    if (value[0] != '\0' && command->count + 2 <= MAX_ARGUMENTS) {
        command->arguments[command->count++] = option;
        command->arguments[command->count++] = value;
    }
}

static void begin(struct command *command, const struct engine_settings *settings, const char *mode)
{
    *command = (struct command){ .arguments = { settings->program, mode }, .count = 2 };
}

static void add_configuration(struct command *command, const struct engine_settings *settings)
{
    if (settings->config_text >= 0) {
        add(command, "--config-fd", CONFIG_FD_TEXT);
    } else {
        add(command, "--config", settings->config_file);
    }
}

static void add_program(struct command *command, const struct engine_settings *settings)
{
    add(command, "--application", settings->application);
    add(command, "--version", settings->version);
    add(command, "--executable", settings->executable);
}

static void close_if_open(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

/* The configuration's memfd with a read offset of its own, because engines may overlap. */
static int reopen(int fd)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* Adds "source becomes `target`" to the actions. The lifted copy is the caller's to close. */
static int give(posix_spawn_file_actions_t *actions, int source, int target, int *ret_lifted)
{
    if (source < 0) {
        return 0;
    }
    *ret_lifted = fcntl(source, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    if (*ret_lifted < 0) {
        return -errno;
    }
    return -posix_spawn_file_actions_adddup2(actions, *ret_lifted, target);
}

/* A fresh start for the child: session, signal mask and dispositions. */
static int prepare_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawnattr_setsigmask(attributes, &none);
    if (error == 0) {
        error = posix_spawnattr_setsigdefault(attributes, &all);
    }
    if (error == 0) {
        error = posix_spawnattr_setflags(
            attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    }
    return -error;
}

static int spawn_with(const struct command *command, const struct descriptors *descriptors,
                      posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes,
                      pid_t *ret_pid)
{
    const int sources[] = { descriptors->output, descriptors->errors, descriptors->config,
                            descriptors->lock, descriptors->place };
    const int targets[] = { STDOUT_FILENO, STDERR_FILENO, CONFIG_FD, LOCK_FD, PLACE_FD };
    int lifted[] = { -1, -1, -1, -1, -1 };
    const size_t count = sizeof(lifted) / sizeof(lifted[0]);

    int result = prepare_attributes(attributes);
    for (size_t i = 0; i < count && result == 0; i++) {
        result = give(actions, sources[i], targets[i], &lifted[i]);
    }
    if (result == 0) {
        result = -posix_spawn(ret_pid, command->arguments[0], actions, attributes,
                              (char *const *)(uintptr_t)command->arguments, environ);
    }
    for (size_t i = 0; i < count; i++) {
        close_if_open(&lifted[i]);
    }
    return result;
}

static int spawn(const struct command *command, const struct descriptors *descriptors,
                 pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;

    if (posix_spawn_file_actions_init(&actions) != 0) {
        return -ENOMEM;
    }
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return -ENOMEM;
    }
    int result = spawn_with(command, descriptors, &actions, &attributes, ret_pid);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return result;
}

/* A pipe of which our end does not block. */
static int make_pipe(int *ret_read, int *ret_write)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0) {
        return -errno;
    }
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
        int result = -errno;
        close(ends[0]);
        close(ends[1]);
        return result;
    }
    *ret_read = ends[0];
    *ret_write = ends[1];
    return 0;
}

/* Work on a report gives way to whoever is still dying, is being captured, or has been restarted.
 */
static void give_way(pid_t pid)
{
    errno = 0;
    int niceness = getpriority(PRIO_PROCESS, 0);

    if (errno == 0) {
        setpriority(PRIO_PROCESS, (id_t)pid, niceness + REPORT_NICENESS);
    }
}

/* Spawns with the pipes and descriptors that `given` and `engine` already hold. */
static int start_with_pipes(const struct command *command, struct descriptors *given,
                            struct engine *engine)
{
    int result = spawn(command, given, &engine->pid);

    if (result != 0) {
        return result;
    }
    engine->pidfd = (int)syscall(SYS_pidfd_open, engine->pid, 0);
    if (engine->pidfd < 0) {
        result = -errno;
        engine_kill(engine);
        waitpid(engine->pid, NULL, 0);
    }
    return result;
}

/* `given` holds lock, place and standard error if they are given; `own_errors` makes the latter a
 * pipe. */
static int start(const struct engine_settings *settings, const struct command *command,
                 struct descriptors given, bool own_errors, struct engine *ret_engine)
{
    struct engine engine = { .pidfd = -1, .output = -1, .errors = -1 };
    int written_errors = -1;

    int result = make_pipe(&engine.output, &given.output);
    if (result == 0 && own_errors) {
        result = make_pipe(&engine.errors, &written_errors);
        given.errors = written_errors;
    }
    if (result == 0 && settings->config_text >= 0) {
        given.config = reopen(settings->config_text);
        result = given.config < 0 ? -errno : 0;
    }
    if (result == 0) {
        result = start_with_pipes(command, &given, &engine);
    }
    close_if_open(&given.output);
    close_if_open(&given.config);
    close_if_open(&written_errors);
    if (result != 0) {
        close_if_open(&engine.output);
        close_if_open(&engine.errors);
        return result;
    }
    *ret_engine = engine;
    return 0;
}

int engine_start_check(const struct engine_settings *settings, struct engine *ret_engine)
{
    struct command command;

    begin(&command, settings, "check");
    command.arguments[command.count++] = "--plan";
    add_configuration(&command, settings);
    add_program(&command, settings);
    return start(settings, &command, (struct descriptors){ -1, -1, -1, -1, -1 }, true, ret_engine);
}

/* As make_pipe() makes them. */
static bool adopt_pipe(int fd)
{
    return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

bool engine_adopt_check(pid_t pid, int output, int errors, struct engine *ret_engine)
{
    struct engine engine = { .pid = pid, .pidfd = -1, .output = output, .errors = errors };
    siginfo_t information;

    if (pid > 0 && waitid(P_PID, (id_t)pid, &information, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        adopt_pipe(output) && adopt_pipe(errors)) {
        engine.pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    }
    if (engine.pidfd < 0) {
        close_if_open(&engine.output);
        close_if_open(&engine.errors);
        return false;
    }
    *ret_engine = engine;
    return true;
}

int engine_start_report(const struct engine_settings *settings, const char *folder, int lock,
                        int place, int errors, struct engine *ret_engine)
{
    const struct descriptors given = { -1, errors, -1, lock, place };
    struct command command;

    begin(&command, settings, "report");
    add(&command, "--folder", folder);
    add(&command, "--lock-fd", LOCK_FD_TEXT);
    add(&command, "--place-fd", place >= 0 ? PLACE_FD_TEXT : "");
    add_configuration(&command, settings);
    add_program(&command, settings);
    int result = start(settings, &command, given, false, ret_engine);
    if (result == 0) {
        give_way(ret_engine->pid);
    }
    return result;
}

int engine_start_recover(const struct engine_settings *settings, const char *application_folder,
                         int errors, struct engine *ret_engine)
{
    struct command command;

    begin(&command, settings, "recover");
    add(&command, "--application-folder", application_folder);
    add_configuration(&command, settings);
    return start(settings, &command, (struct descriptors){ -1, errors, -1, -1, -1 }, false,
                 ret_engine);
}

void engine_kill(const struct engine *engine)
{
    kill(-engine->pid, SIGKILL);
}

static bool wait_for_end(const struct engine *engine, uint64_t deadline)
{
    struct pollfd ended = { .fd = engine->pidfd, .events = POLLIN };
    int ready;

    do {
        ready = poll(&ended, 1, clock_poll_timeout(deadline));
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

int engine_collect(struct engine *engine, uint64_t deadline)
{
    int status = -ETIMEDOUT;
    bool ended = wait_for_end(engine, deadline);

    if (!ended) {
        engine_kill(engine);
        /* A process in the middle of a hanging disk's call dies when that returns, if ever. */
        ended = wait_for_end(engine, clock_now() + KILL_NS);
    }
    if (ended && waitpid(engine->pid, &status, 0) < 0) {
        status = -errno;
    }
    close_if_open(&engine->pidfd);
    close_if_open(&engine->output);
    close_if_open(&engine->errors);
    return status;
}
