/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The start of a monitor: takes over the page, asks the engine for the plan, answers cairn_start().
 * Runs in the monitor.
 */
#include "core/monitor/monitor.h"

#include "core/monitor/check.h"
#include "core/monitor/clock.h"
#include "core/monitor/identity.h"
#include "core/monitor/incoming.h"
#include "core/monitor/life.h"
#include "core/monitor/proc.h"
#include "core/monitor/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int monitor_open_folder(struct monitor *monitor)
{
    int fd =
        open(monitor->plan.application_folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0) {
        return -errno;
    }
    if (monitor->log.folder >= 0) {
        close(monitor->log.folder);
    }
    monitor->log.folder = fd;
    return 0;
}

int monitor_recover(struct monitor *monitor, struct engine *ret_engine, uint64_t *ret_deadline)
{
    int errors = log_open(&monitor->log);
    int result = engine_start_recover(&monitor->settings, monitor->plan.application_folder, errors,
                                      ret_engine);

    if (errors >= 0) {
        close(errors);
    }
    if (result != 0) {
        log_error(&monitor->log, "%s could not be started to recover: %s.",
                  monitor->settings.program, strerror(-result));
        return result;
    }
    uint64_t clock_ms = (uint64_t)monitor->plan.pipeline_ms * 10; /* for several reports */
    *ret_deadline = clock_now() + clock_ms * CLOCK_MILLISECOND;
    return 0;
}

/* Of a process whose executable's path may not be read: its short name may. */
static int read_short_name(int32_t pid, char *ret_name, size_t capacity)
{
    ssize_t bytes = proc_read(pid, "comm", ret_name, capacity);

    if (bytes <= 1) {
        return bytes < 0 ? (int)bytes : -ENOENT;
    }
    ret_name[bytes - 1] = '\0'; /* its line's end */
    return 0;
}

int monitor_read_executable(int32_t pid, char *ret_path, size_t capacity)
{
    static const char deleted[] = " (deleted)";
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
    ssize_t bytes = readlink(path, ret_path, capacity - 1);
    if (bytes < 0) {
        return -errno;
    }
    ret_path[bytes] = '\0';
    /* Replaced by an update while it runs: it still is that program. */
    if ((size_t)bytes >= sizeof(deleted) &&
        strcmp(ret_path + bytes - (sizeof(deleted) - 1), deleted) == 0) {
        ret_path[(size_t)bytes - (sizeof(deleted) - 1)] = '\0';
    }
    return 0;
}

__attribute__((format(printf, 2, 3))) static enum monitor_exit fail(struct monitor *monitor,
                                                                    const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(monitor->page->problem, sizeof(monitor->page->problem), format, arguments);
    va_end(arguments);
    page_answer_failed(monitor->page);
    return MONITOR_FAILED;
}

/* Copies what the page says of the configuration: later it might say something else. */
static int read_settings(struct monitor *monitor)
{
    struct page *page = monitor->page;
    struct engine_settings *settings = &monitor->settings;

    page_copy_text(settings->config_file, sizeof(settings->config_file), page->config_file,
                   sizeof(page->config_file));
    page_copy_text(settings->application, sizeof(settings->application), page->application,
                   sizeof(page->application));
    page_copy_text(settings->version, sizeof(settings->version), page->application_version,
                   sizeof(page->application_version));
    if ((page->client_flags & PAGE_CONFIG_IS_TEXT) != 0) {
        settings->config_text = engine_keep_text(
            page->config_text, strnlen(page->config_text, sizeof(page->config_text)));
        return settings->config_text < 0 ? settings->config_text : 0;
    }
    return 0;
}

static enum monitor_exit verify_program(struct monitor *monitor)
{
    monitor->pid = monitor->page->pid;
    int pid = page_pidfd_process(monitor->program);
    if (pid < 0 || pid != monitor->pid) {
        return fail(monitor,
                    "The monitor was given a descriptor that is not of process %d, but of %d.",
                    (int)monitor->pid, pid);
    }
    identity_text(monitor->pid, monitor->first_stat);
    monitor->born = identity_parse(monitor->first_stat, strlen(monitor->first_stat));
    char *executable = monitor->settings.executable;
    size_t capacity = sizeof(monitor->settings.executable);
    int result = monitor_read_executable(monitor->pid, executable, capacity);
    if (result != 0) {
        result = read_short_name(monitor->pid, executable, capacity);
    }
    if (result != 0) {
        return fail(monitor, "The monitor cannot read which program process %d runs: %s.",
                    (int)monitor->pid, strerror(-result));
    }
    return MONITOR_DONE;
}

static enum monitor_exit make_plan(struct monitor *monitor)
{
    struct page *page = monitor->page;

    int result = read_settings(monitor);
    if (result != 0) {
        return fail(monitor, "The monitor could not keep the configuration's text: %s.",
                    strerror(-result));
    }
    result = monitor->check.pid != 0
                 ? check_take(&monitor->settings, &monitor->check, &monitor->jobs, &monitor->plan,
                              page->problem, sizeof(page->problem))
                 : check_run(&monitor->settings, &monitor->jobs, &monitor->plan, page->problem,
                             sizeof(page->problem));
    if (result != 0) {
        page_answer_failed(page);
        return result == CHECK_PROBLEMS ? MONITOR_PROBLEMS : MONITOR_FAILED;
    }
    result = monitor_open_folder(monitor);
    if (result != 0) {
        return fail(monitor, "The monitor cannot open the folder %s: %s.",
                    monitor->plan.application_folder, strerror(-result));
    }
    return MONITOR_DONE;
}

/* Without a reserve only crashes that the monitor takes are reported. */
static void make_reserve(struct monitor *monitor)
{
    struct page_plan *plan = &monitor->page->plan;
    int result = reserve_make(monitor->log.folder, monitor->pid, &monitor->reserve);

    if (result != 0) {
        log_error(&monitor->log, "No reserve could be made in %s/%s: %s.",
                  monitor->plan.application_folder, INCOMING_FOLDER, strerror(-result));
        return;
    }
    snprintf(plan->reserve, sizeof(plan->reserve), "%s/%s", monitor->plan.application_folder,
             monitor->reserve.name);
}

/* Without it the monitor lives as long as whatever the program becomes by exec(), and no longer. */
static void watch_family(struct monitor *monitor)
{
    int result = family_watch(&monitor->family, monitor->pid, &monitor->announce);

    if (result != 0) {
        log_error(&monitor->log,
                  "It will not be seen when process %d runs another program, and its fork children "
                  "are served no longer than it lives: %s.",
                  (int)monitor->pid, strerror(-result));
    }
}

static enum monitor_exit start(struct monitor *monitor)
{
    enum monitor_exit status = verify_program(monitor);
    if (status != MONITOR_DONE) {
        return status;
    }
    /* While the engine checks, if it has begun already: the program waits for what comes after. */
    monitor->signals = watch_block_signals();
    int result = monitor->signals;
    if (result >= 0) {
        result = announce_start(&monitor->announce, monitor->page);
    }
    if (result < 0) {
        return fail(monitor, "The monitor could not begin to wait for the program: %s.",
                    strerror(-result));
    }
    cgroup_open(monitor->pid, &monitor->cgroup); /* one that is ending is in none any more */
    status = make_plan(monitor);
    if (status != MONITOR_DONE) {
        return status;
    }
    make_reserve(monitor);
    page_answer_ready(monitor->page, &monitor->plan);
    captor_park(&monitor->captor);
    watch_family(monitor);
    return MONITOR_DONE;
}

enum monitor_exit monitor_run(struct monitor *monitor)
{
    monitor->page->monitor_pid = getpid();
    life_begin(monitor->page);
    enum monitor_exit status = start(monitor);
    if (status != MONITOR_DONE) {
        page_answer_gone(monitor->page);
        return status;
    }
    watch_run(monitor);
    return MONITOR_DONE;
}
