/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Captures a foreign process, has the engine make the report, waits for it. Runs in a monitor of
 * its own, which a person or `cairn dump` has started.
 */
#include "core/monitor/oneshot.h"

#include "core/minidump/format.h"
#include "core/monitor/check.h"
#include "core/monitor/clock.h"
#include "core/monitor/dump.h"
#include "core/monitor/identity.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PROBLEM_BYTES (16 * 1024)

__attribute__((format(printf, 2, 3))) static enum monitor_exit say(enum monitor_exit status,
                                                                   const char *format, ...)
{
    va_list arguments;

    fputs("cairn-monitor: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return status;
}

static enum monitor_exit say_not_permitted(int32_t pid)
{
    return say(MONITOR_NOT_PERMITTED,
               "Process %d may not be captured: it must belong to the same user and be neither "
               "undumpable nor traced already, or the capability CAP_SYS_PTRACE is needed; Yama "
               "(/proc/sys/kernel/yama/ptrace_scope other than 0) asks for that capability too.",
               (int)pid);
}

static enum monitor_exit find_process(struct monitor *monitor, int32_t pid)
{
    monitor->pid = pid;
    monitor->program = (int)syscall(SYS_pidfd_open, pid, 0);
    if (monitor->program < 0 && errno != ESRCH && errno != EINVAL && errno != ENOENT) {
        return say(MONITOR_SYSTEM, "Process %d could not be opened: %s.", (int)pid,
                   strerror(errno));
    }
    /* EINVAL, ENOENT: the id of a thread that is not its process's first. */
    if (monitor->program < 0) {
        return say(MONITOR_NO_INPUT, "There is no process %d.", (int)pid);
    }
    monitor->born = identity_read(pid);
    switch (monitor_read_executable(pid, monitor->settings.executable,
                                    sizeof(monitor->settings.executable))) {
    case 0:
        return MONITOR_DONE;
    case -EACCES:
    case -EPERM:
        return say_not_permitted(pid);
    default:
        return say(MONITOR_NO_INPUT,
                   "Process %d runs no program: it has ended or belongs to the kernel.", (int)pid);
    }
}

/* False when the text is too long. */
static bool take_text(char *target, size_t capacity, const char *text)
{
    size_t bytes = text != NULL ? strlen(text) : 0;

    if (bytes >= capacity) {
        return false;
    }
    page_copy_text(target, capacity, text, bytes);
    return true;
}

/* The page of a program that says nothing of itself. */
static enum monitor_exit prepare(struct monitor *monitor, const struct oneshot_options *options)
{
    struct engine_settings *settings = &monitor->settings;
    struct page *page = page_make();

    monitor->page = page;
    if (page == NULL) {
        return say(MONITOR_SYSTEM, "There is no memory for a page.");
    }
    page->pid = options->pid;
    if (!take_text(settings->config_file, sizeof(settings->config_file), options->config_file) ||
        !take_text(settings->application, sizeof(settings->application), options->application) ||
        !take_text(settings->version, sizeof(settings->version), options->version)) {
        return say(MONITOR_USAGE,
                   "The path of the configuration is longer than %zu bytes, or the "
                   "application's name or version longer than %zu.",
                   sizeof(settings->config_file) - 1, sizeof(settings->version) - 1);
    }
    _Static_assert(sizeof(page->application) == ENGINE_VALUE_BYTES, "copied as a whole");
    _Static_assert(sizeof(page->application_version) == ENGINE_VALUE_BYTES, "copied as a whole");
    memcpy(page->application, settings->application, sizeof(page->application));
    memcpy(page->application_version, settings->version, sizeof(page->application_version));
    return MONITOR_DONE;
}

static enum monitor_exit check(struct monitor *monitor)
{
    char problem[PROBLEM_BYTES];

    int result = check_run(&monitor->settings, NULL, &monitor->plan, problem, sizeof(problem));
    if (result == CHECK_PROBLEMS) {
        fputs(problem, stderr);
        return MONITOR_PROBLEMS;
    }
    if (result != 0) {
        return say(MONITOR_FAILED, "%s", problem);
    }
    result = monitor_open_folder(monitor);
    if (result != 0) {
        return say(MONITOR_NO_OUTPUT, "The folder %s cannot be opened: %s.",
                   monitor->plan.application_folder, strerror(-result));
    }
    return MONITOR_DONE;
}

static enum monitor_exit take(struct monitor *monitor, struct dump *dump)
{
    const struct dump_event event = {
        .kind = MINIDUMP_KIND_REQUEST,
        .pid = monitor->pid,
        .tid = monitor->pid,
        .process = monitor->program,
        .born = monitor->born,
        .message = "",
        .wall_ns = clock_read(CLOCK_REALTIME),
    };

    int result = dump_take(dump, monitor, &event);
    switch (result) {
    case 0:
        return MONITOR_DONE;
    case -EPERM:
    case -EACCES:
        return say_not_permitted(monitor->pid);
    case -ESRCH:
        return say(MONITOR_NO_INPUT, "Process %d ended before it could be captured.",
                   (int)monitor->pid);
    default:
        return say(MONITOR_SYSTEM, "Process %d could not be captured: %s.", (int)monitor->pid,
                   strerror(-result));
    }
}

/* The minidump is written: the engine's turn. */
static enum monitor_exit report(struct monitor *monitor, struct dump *dump)
{
    struct job *job = dump_report(&dump->incoming, monitor, true);

    /* Why an engine could not be started or did not finish, has been told. */
    if (job == NULL) {
        return MONITOR_FAILED;
    }
    switch (jobs_wait(&monitor->jobs, job, true)) {
    case JOB_COMMITTED:
        printf("%s\n", dump->id.text);
        return fflush(stdout) == 0 ? MONITOR_DONE : MONITOR_NO_OUTPUT;
    case JOB_DROPPED:
        return say(MONITOR_DONE, "A filter of the configuration dropped the report.");
    default:
        return MONITOR_FAILED;
    }
}

enum monitor_exit oneshot_run(struct monitor *monitor, const struct oneshot_options *options)
{
    struct dump dump;

    monitor->log.standard_error = true;
    enum monitor_exit status = find_process(monitor, options->pid);
    if (status == MONITOR_DONE) {
        status = prepare(monitor, options);
    }
    if (status == MONITOR_DONE) {
        status = check(monitor);
    }
    if (status == MONITOR_DONE) {
        status = take(monitor, &dump);
    }
    if (status != MONITOR_DONE) {
        return status;
    }
    if (dump_write(&dump, monitor) != 0 || dump_name(&dump, monitor) != 0) {
        status = MONITOR_NO_OUTPUT;
    } else {
        status = report(monitor, &dump);
        incoming_sync(&dump.incoming);
    }
    dump_finish(&dump, true);
    return status;
}
