/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cairn-engine recover: finishes what lies in an application's incoming folder and nobody works on:
 * after a power cut, a killed engine, a crash that no engine could be started for. Every report is
 * done in a process of its own, so that one which ends the engine is set aside instead of ending
 * every start. [engine]
 */
#include "core/engine/engine.h"

#include "core/util/fs.h"
#include "core/util/holder.h"
#include "core/util/log.h"
#include "core/util/time.h"
#include "core/util/turn.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define KILLED_TRIES    3
#define KILLED_PAUSE_NS 500000000
#define TURN_MARGIN_US  30000000u /* for what lies between two reports */

struct recovery {
    const struct engine_options *options;
    const char *folder;
    const char *application;
    int application_fd;
    int turn_fd;  /* what says that it is our turn */
    bool pending; /* something is to be delivered */
};

static void set_aside(const struct recovery *recovery, const char *id, const char *why)
{
    engine_set_aside(recovery->application_fd, recovery->application, id, why);
}

static bool exists(int folder_fd, const char *name)
{
    return faccessat(folder_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Its report.json was written; only the move was not made. */
static void finish_commit(struct recovery *recovery, const char *id, int folder_fd)
{
    struct report *report;
    struct error error;
    enum spool_state to;
    int result = spool_load(folder_fd, &report, &error);

    if (result == CAIRN_EFORMAT) {
        set_aside(recovery, id, error.text);
        return;
    }
    if (result != 0) { /* it may be readable the next time */
        log_line(LOG_LEVEL_ERROR, "%s", error.text);
        return;
    }
    to = report->delivery_count > 0 ? SPOOL_PENDING : SPOOL_DELIVERED;
    report_destroy(report);
    if (spool_move(recovery->application_fd, SPOOL_INCOMING, to, id, &error) != 0) {
        log_line(LOG_LEVEL_ERROR, "%s", error.text);
        return;
    }
    recovery->pending = recovery->pending || to == SPOOL_PENDING;
    printf("recovered %s %s\n", id, spool_state_name(to));
}

/* In the child: exit codes 0 delivered or dropped, EX_TEMPFAIL pending. */
static int process(const struct recovery *recovery, const char *id, int folder_fd)
{
    struct engine_run run;
    struct error error;
    int result = engine_run_init(&run, recovery->options, recovery->folder, id, folder_fd, &error);

    if (result == 0) {
        result = engine_pipeline(&run, -1, &error);
    }
    if (result != 0) {
        log_line(LOG_LEVEL_ERROR, "%s", error.text);
        return EX_SOFTWARE;
    }
    printf("recovered %s %s\n", id,
           run.state == ENGINE_PENDING     ? "pending"
           : run.state == ENGINE_DELIVERED ? "delivered"
                                           : "dropped");
    fflush(stdout);
    result = run.state == ENGINE_PENDING ? EX_TEMPFAIL : EX_OK;
    engine_run_finish(&run);
    return result;
}

/* Its status, or -1. */
static int run_apart(struct recovery *recovery, const char *id, int folder_fd)
{
    uint64_t most_us = engine_hold_us(folder_fd, engine_pipeline_us(recovery->options, folder_fd));
    int status = -1;
    pid_t pid;

    holder_promise(recovery->turn_fd, most_us + TURN_MARGIN_US);
    holder_promise(folder_fd, 0); /* it counts from now on */
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        close(recovery->turn_fd); /* whoever ends our parent has ended its turn */
        _exit(process(recovery, id, folder_fd));
    }
    /* Every wait in there has a deadline: one that takes longer than all of them is frozen. */
    return pid > 0 && engine_take_end(pid, time_monotonic_us() + most_us, &status) ? status : -1;
}

static bool ended_by(int status, int number)
{
    return WIFSIGNALED(status) && WTERMSIG(status) == number;
}

/* At the end of the machine, say: that tells nothing of the report. */
static bool ended_from_outside(int status)
{
    return ended_by(status, SIGKILL) || ended_by(status, SIGTERM) || ended_by(status, SIGINT) ||
           ended_by(status, SIGHUP);
}

/* Its status, or -1. A kernel that had no memory, while what crashed still held it, may have some
 * a moment later. */
static int run_patiently(struct recovery *recovery, const char *id, int folder_fd)
{
    const struct timespec pause = { 0, KILLED_PAUSE_NS };
    int status = run_apart(recovery, id, folder_fd);

    for (int i = 1; i < KILLED_TRIES && status >= 0 && ended_by(status, SIGKILL) &&
                    !exists(folder_fd, SPOOL_REPORT);
         i++) {
        nanosleep(&pause, NULL);
        status = run_apart(recovery, id, folder_fd);
    }
    return status;
}

static void process_apart(struct recovery *recovery, const char *id, int folder_fd)
{
    int status = run_patiently(recovery, id, folder_fd);

    if (status < 0 || ended_from_outside(status)) {
        log_line(LOG_LEVEL_ERROR, "The report %s cannot be processed now.", id);
    } else if (WIFSIGNALED(status)) {
        set_aside(recovery, id, "The engine crashed on it.");
    } else if (WEXITSTATUS(status) == EX_TEMPFAIL) {
        recovery->pending = true;
    }
}

static void remove_empty(const struct recovery *recovery, const char *id)
{
    int incoming =
        fs_open_directory(recovery->application_fd, spool_state_name(SPOOL_INCOMING), NULL);

    if (incoming >= 0) {
        unlinkat(incoming, id, AT_REMOVEDIR); /* refused if there is anything in it */
        close(incoming);
    }
}

enum leftover { LEFT_NOTHING, LEFT_COMMIT, LEFT_CAPTURE, LEFT_UNFINISHED, LEFT_EMPTY };

static enum leftover look(int folder_fd)
{
    return exists(folder_fd, SPOOL_REPORT)              ? LEFT_COMMIT
           : exists(folder_fd, SPOOL_CAPTURE)           ? LEFT_CAPTURE
           : engine_is_old(folder_fd, SPOOL_UNFINISHED) ? LEFT_UNFINISHED
           : exists(folder_fd, SPOOL_UNFINISHED)        ? LEFT_NOTHING
           : engine_is_old(folder_fd, ".")              ? LEFT_EMPTY
                                                        : LEFT_NOTHING;
}

static void recover_locked(struct recovery *recovery, const char *id, int folder_fd)
{
    switch (look(folder_fd)) {
    case LEFT_COMMIT:
        finish_commit(recovery, id, folder_fd);
        break;
    case LEFT_CAPTURE:
        process_apart(recovery, id, folder_fd);
        break;
    case LEFT_UNFINISHED:
        set_aside(recovery, id, "Its minidump was never completed.");
        break;
    case LEFT_EMPTY:
        remove_empty(recovery, id);
        break;
    case LEFT_NOTHING:
        break;
    }
}

/* Somebody is at work in this folder, and may be frozen. */
static int take_over(const struct recovery *recovery, const char *id, int folder_fd)
{
    uint64_t pipeline_us = engine_pipeline_us(recovery->options, folder_fd);

    if (!engine_is_overdue(folder_fd, pipeline_us)) {
        return CAIRN_EBUSY;
    }
    holder_let_speak();
    if (engine_is_overdue(folder_fd, pipeline_us)) {
        holder_end(folder_fd);
    }
    return spool_lock(recovery->application_fd, SPOOL_INCOMING, id, NULL);
}

static void recover_one(struct recovery *recovery, const struct spool_entry *entry)
{
    int folder_fd = fs_open_directory(AT_FDCWD, entry->path, NULL), lock = CAIRN_ENOENT;

    if (folder_fd < 0) {
        return;
    }
    if (look(folder_fd) != LEFT_NOTHING) { /* a monitor that has just made one must get the lock */
        lock = spool_lock(recovery->application_fd, SPOOL_INCOMING, entry->id, NULL);
        lock = lock == CAIRN_EBUSY ? take_over(recovery, entry->id, folder_fd) : lock;
    }
    close(folder_fd);
    if (lock >= 0) { /* else somebody is at it, or it is done */
        recover_locked(recovery, entry->id, lock);
        close(lock);
    }
}

static int recover_all(struct recovery *recovery, const char *spool, const char *application,
                       struct error *error)
{
    struct spool_list list;
    int result = spool_scan(spool, application, &list, error);

    if (result != 0) {
        return result;
    }
    for (size_t i = 0; i < list.count; i++) {
        if (list.entries[i].state == SPOOL_INCOMING) {
            recover_one(recovery, &list.entries[i]);
        }
    }
    spool_list_finish(&list);
    if (recovery->pending &&
        engine_start_sender(spool, application, recovery->options, error) != 0) {
        log_line(LOG_LEVEL_ERROR, "%s", error->text);
    }
    return 0;
}

/* However many programs start at once, one process works on what an application has left behind.
 * One that comes while another is at it might know of something newer. */
static int recover_in_turn(struct recovery *recovery, const char *spool, const char *application,
                           struct error *error)
{
    static const struct turn turn = { "recover.lock", "recover.again", TURN_MARGIN_US, 0 };
    int result = 0;

    do {
        int lock = turn_take(recovery->application_fd, &turn, false, NULL);

        if (lock < 0) {
            return 0;
        }
        recovery->turn_fd = lock;
        engine_take_reserves(recovery->application_fd, application);
        result = recover_all(recovery, spool, application, error);
        close(lock);
    } while (result == 0 && turn_is_wanted(recovery->application_fd, &turn));
    return result;
}

int engine_recover(const struct engine_options *options)
{
    struct recovery recovery = { .options = options, .folder = options->application_folder };
    char *spool = engine_parent(recovery.folder);
    char *application = engine_application_name(recovery.folder);
    struct error error;
    int result = CAIRN_ENOMEM;

    error_set(&error, result, "There is not enough memory to recover.");
    if (spool != NULL && application != NULL) {
        result = recovery.application_fd = spool_open(spool, application, &error);
    }
    if (result >= 0) {
        recovery.application = application;
        result = recover_in_turn(&recovery, spool, application, &error);
        close(recovery.application_fd);
    }
    if (result < 0) {
        log_line(LOG_LEVEL_ERROR, "%s", error.text);
    }
    free(spool);
    free(application);
    return error_exit_code(result);
}
