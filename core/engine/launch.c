/* SPDX-License-Identifier: Apache-2.0 */
/* Starts Cairn's other programs, detached or waited for. [engine] */
#include "core/engine/engine.h"

#include "core/util/paths.h"
#include "core/util/time.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS 20
#define KILL_US 2000000u /* for a killed one to be gone */

void engine_argument(struct engine_arguments *arguments, const char *text)
{
    /* One place stays NULL: the end. */
    if (arguments->count + 1 < sizeof(arguments->items) / sizeof(arguments->items[0])) {
        arguments->items[arguments->count++] = (char *)text;
    }
}

void engine_argument_config(struct engine_arguments *arguments,
                            const struct engine_options *options)
{
    if (options->config_path != NULL) {
        engine_argument(arguments, "--config");
        engine_argument(arguments, options->config_path);
    } else if (options->config_fd >= 0) {
        snprintf(arguments->number, sizeof(arguments->number), "%d", options->config_fd);
        engine_argument(arguments, "--config-fd");
        engine_argument(arguments, arguments->number);
    }
}

/* What the engine ignores must not stay ignored in another program. */
static void restore_signals(void)
{
    static const int ignored[] = { SIGPIPE, SIGXFSZ, SIGTERM, SIGINT, SIGHUP };

    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
        signal(ignored[i], SIG_DFL);
    }
}

/* Says why there will be no program. */
__attribute__((noreturn)) static void fail(int failure_fd)
{
    int number = errno;

    if (write(failure_fd, &number, sizeof(number)) < 0) {
        _exit(127); /* nobody is left to be told */
    }
    _exit(127);
}

static void become(const char *path, char *const *arguments, int failure_fd)
{
    restore_signals();
    execv(path, arguments);
    fail(failure_fd);
}

/* In the child: a session of its own, an orphan at once, /dev/null for standard files. */
static void detach(const char *path, char *const *arguments, int failure_fd)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    pid_t pid;

    setsid();
    pid = fork();
    if (pid < 0) {
        fail(failure_fd);
    }
    if (pid > 0) {
        _exit(0);
    }
    for (int fd = 0; null >= 0 && fd < 3; fd++) {
        dup2(null, fd);
    }
    become(path, arguments, failure_fd);
}

static int program_path(const char *program, char path[PATH_MAX], struct error *error)
{
    int length = snprintf(path, PATH_MAX, "%s/%s", paths_libexec(), program);

    if (length < 0 || length >= PATH_MAX) {
        return error_set(error, CAIRN_ETOOLONG, "The path of %s is too long.", program);
    }
    return 0;
}

/* 0 when the exec succeeded, which closes the pipe's other end. */
static int exec_result(int fd, const char *path, struct error *error)
{
    int number;

    if (read(fd, &number, sizeof(number)) == (ssize_t)sizeof(number)) {
        return error_errno(error, CAIRN_ESYSTEM, number, "%s cannot be started", path);
    }
    return 0;
}

static int launch(const char *program, char *const *arguments, bool detached, pid_t *ret_pid,
                  struct error *error)
{
    char path[PATH_MAX];
    int ends[2], result = program_path(program, path, error);
    pid_t pid;

    if (result != 0) {
        return result;
    }
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return error_errno(error, CAIRN_ESYSTEM, errno, "%s cannot be started", path);
    }
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        if (detached) {
            detach(path, arguments, ends[1]);
        }
        become(path, arguments, ends[1]);
    }
    close(ends[1]);
    result = pid < 0 ? error_errno(error, CAIRN_ESYSTEM, errno, "%s cannot be started", path)
                     : exec_result(ends[0], path, error);
    close(ends[0]);
    if (pid > 0 && (detached || result != 0)) {
        waitpid(pid, NULL, 0); /* it has ended or is about to */
    }
    *ret_pid = pid;
    return result;
}

int engine_start(const char *program, char *const *arguments, struct error *error)
{
    pid_t pid;

    return launch(program, arguments, true, &pid, error);
}

/* What a descriptor would tell, where none is to be had. */
static bool has_ended(pid_t pid)
{
    siginfo_t information = { .si_pid = 0 };

    return waitid(P_PID, (id_t)pid, &information, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           information.si_pid == pid;
}

bool engine_wait_for_end(pid_t pid, uint64_t deadline_us)
{
    struct pollfd entry = { (int)syscall(SYS_pidfd_open, pid, 0), POLLIN, 0 };
    uint64_t slice_ms = entry.fd >= 0 ? 60000 : LOOK_MS;
    bool ended = false;

    for (uint64_t now = time_monotonic_us(); !ended && now < deadline_us;
         now = time_monotonic_us()) {
        uint64_t left_ms = (deadline_us - now) / 1000 + 1;

        ended = poll(&entry, 1, (int)(left_ms < slice_ms ? left_ms : slice_ms)) > 0 ||
                (entry.fd < 0 && has_ended(pid));
    }
    if (entry.fd >= 0) {
        close(entry.fd);
    }
    return ended;
}

bool engine_take_end(pid_t pid, uint64_t deadline_us, int *ret_status)
{
    bool in_time = engine_wait_for_end(pid, deadline_us);

    if (!in_time) {
        kill(pid, SIGKILL);
        engine_wait_for_end(pid, time_monotonic_us() + KILL_US);
    }
    waitpid(pid, ret_status, WNOHANG);
    return in_time;
}

int engine_start_wait(const char *program, char *const *arguments, uint64_t deadline_us,
                      struct error *error)
{
    int status = -1, result;
    pid_t pid;

    result = launch(program, arguments, false, &pid, error);
    if (result != 0) {
        return result;
    }
    if (!engine_take_end(pid, deadline_us, &status)) {
        return error_set(error, CAIRN_ETIMEOUT, "%s did not end in time and was ended.", program);
    }
    if (!WIFEXITED(status)) {
        return error_set(error, CAIRN_ESYSTEM, "%s was ended by a signal.", program);
    }
    return WEXITSTATUS(status);
}

int engine_start_sender(const char *spool, const char *application,
                        const struct engine_options *options, struct error *error)
{
    struct engine_arguments arguments = { .count = 0 };

    engine_argument(&arguments, "cairn-sender");
    if (options != NULL) {
        engine_argument_config(&arguments, options);
    }
    engine_argument(&arguments, "--spool");
    engine_argument(&arguments, spool);
    engine_argument(&arguments, "--application");
    engine_argument(&arguments, application);
    engine_argument(&arguments, "--quiet");
    return engine_start("cairn-sender", arguments.items, error);
}
