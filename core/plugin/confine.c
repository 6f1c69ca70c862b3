/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prepares the process in which a plugin runs: a session of its own, death with its parent, default
 * signals, only the descriptors it needs, and limits. Limits guard against mistakes of a plugin,
 * which is trusted code; they are no sandbox. In a step's process.
 */
#include "core/plugin/host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LAST_SIGNAL 64

static void reset_signals(void)
{
    struct sigaction action;
    sigset_t none;

    memset(&action, 0, sizeof(action));
    action.sa_handler = SIG_DFL;
    for (int number = 1; number <= LAST_SIGNAL; number++) {
        sigaction(number, &action, NULL); /* fails for KILL, STOP and libc's own, as it should */
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Old container runtimes refuse close_range(). */
static void close_from(int first)
{
    if (syscall(SYS_close_range, first, ~0u, 0) == 0) {
        return;
    }
    for (int fd = first; fd < 4096; fd++) {
        close(fd);
    }
}

/* By way of numbers above all targets, so that no move overwrites what another still needs. What
 * follows standard error is not handed on to programs that the plugin starts. */
static int place_descriptors(const int fds[STEP_FDS], struct error *error)
{
    int high[STEP_FDS];

    for (int i = 0; i < STEP_FDS; i++) {
        high[i] = fds[i] >= 0 ? fcntl(fds[i], F_DUPFD_CLOEXEC, STEP_FDS) : -1;
        if (fds[i] >= 0 && high[i] < 0) {
            return error_errno(error, CAIRN_ESYSTEM, errno, "A descriptor cannot be copied");
        }
    }
    for (int i = 0; i < STEP_FDS; i++) {
        if (high[i] < 0) {
            close(i);
        } else {
            dup3(high[i], i,
                 i > STEP_FD_ERROR ? O_CLOEXEC : 0); /* cannot fail with valid numbers */
        }
    }
    close_from(STEP_FDS);
    return 0;
}

/* As far as the process may, in both directions. */
static void limit(__rlimit_resource_t resource, uint64_t value)
{
    struct rlimit now;

    if (getrlimit(resource, &now) != 0) {
        return;
    }
    if (now.rlim_max != RLIM_INFINITY && value > now.rlim_max) {
        value = now.rlim_max;
    }
    setrlimit(resource, &(struct rlimit){ value, value });
}

/* Bytes of private writable memory that the process has already: its copy of the host's. */
static uint64_t data_bytes(void)
{
    char text[256];
    unsigned long long pages = 0;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

    if (fd >= 0) {
        close(fd);
    }
    if (got > 0) {
        text[got] = '\0';
        sscanf(text, "%*s %*s %*s %*s %*s %llu", &pages);
    }
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* A hook or a transport may copy the whole report besides what it makes of its own. */
static uint64_t file_bytes(const struct step_request *request)
{
    enum cairn_kind kind = request->instance->kind;
    uint64_t bytes = request->instance->output_bytes;

    if (request->report != NULL && (kind == CAIRN_KIND_HOOK || kind == CAIRN_KIND_TRANSPORT)) {
        for (size_t i = 0; i < request->report->artifact_count; i++) {
            if (__builtin_add_overflow(bytes, request->report->artifacts[i].bytes, &bytes)) {
                return RLIM_INFINITY;
            }
        }
    }
    return bytes;
}

/*
 * RLIMIT_DATA, not RLIMIT_AS: a mapped dump of some gigabytes is no use of memory.
 * RLIMIT_CPU is what all processors together can give until the deadline: it meets nobody but what
 * has outlived the step in a session of its own. RLIMIT_CORE of 1 is how Linux is told to start no
 * core_pattern helper either.
 */
static void set_limits(const struct step_request *request, uint64_t time_us)
{
    const struct config_instance *instance = request->instance;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t seconds = time_us / 1000000 + 1;

    limit(RLIMIT_CORE, 1);
    limit(RLIMIT_CPU, seconds * (uint64_t)(processors > 0 ? processors : 1));
    if (instance->output_bytes != 0) {
        limit(RLIMIT_FSIZE, file_bytes(request));
    }
    if (instance->memory_bytes != 0) {
        limit(RLIMIT_DATA, data_bytes() + instance->memory_bytes);
    }
}

int host_confine(const struct step_request *request, const int fds[STEP_FDS], pid_t parent,
                 uint64_t time_us, struct error *error)
{
    int placed[STEP_FDS];

    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(1); /* the parent ended before prctl(): nobody waits for this step */
    }
    reset_signals();
    umask(077);
    if (chdir("/") != 0) {
        return error_errno(error, CAIRN_ESYSTEM, errno, "The root folder cannot be entered");
    }
    memcpy(placed, fds, sizeof(placed));
    placed[STDIN_FILENO] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (placed[STDIN_FILENO] < 0) {
        return error_errno(error, CAIRN_ESYSTEM, errno, "/dev/null cannot be opened");
    }
    if (place_descriptors(placed, error) < 0) {
        return CAIRN_ESYSTEM;
    }
    set_limits(request, time_us);
    return 0;
}
