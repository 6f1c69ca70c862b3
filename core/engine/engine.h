/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the engine share: the command line, a configuration with its plugins, one run
 * of a report through the pipeline. The engine is one process with one thread; every call into a
 * plugin happens in a step, a child process of its own. [engine]
 */
#ifndef CAIRN_CORE_ENGINE_ENGINE_H
#define CAIRN_CORE_ENGINE_ENGINE_H

#include "core/config/config.h"
#include "core/minidump/reader.h"
#include "core/plugin/setup.h"
#include "core/plugin/step.h"
#include "core/report/report.h"
#include "core/report/spool.h"
#include "core/util/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define ENGINE_MINIDUMP_TYPE "application/x-dmp"

/* ---- Command line ---- */

struct engine_options {
    const char *config_path; /* NULL: config_fd */
    int config_fd;           /* -1: the report's own configuration, else the installed one */
    const char *application, *version, *executable; /* NULL: not given */
    const char *folder;                             /* report: the report's folder */
    int lock_fd;                                    /* its locked descriptor, or -1 */
    int place_fd; /* -1, or what holds a place among engine.limits.engines as long as we live */
    const char *application_folder; /* recover */
    const char *file;               /* import */
    bool plan, wait;
    bool json, deny_warnings; /* check */
};

/* The modes: each returns an exit code. */
int engine_check(const struct engine_options *options);
/* `check --plan`, begun by libcairn: CONFIG APPLICATION VERSION EXECUTABLE, "" = not given. */
int engine_begin(int count, char **arguments);
int engine_report(const struct engine_options *options);
int engine_recover(const struct engine_options *options);
int engine_import(const struct engine_options *options);

/* ---- A configuration with its plugins ---- */

/* Loads what the options name; without them the configuration.yaml in `folder_fd` (or -1), else the
 * installed one. 0, or an error with problems in the setup, which is to be finished in any case. */
int engine_setup_load(struct plugin_setup *setup, const struct engine_options *options,
                      int folder_fd);

/* ---- One report on its way through the pipeline ---- */

enum engine_state {
    ENGINE_UNDECIDED = 0,
    ENGINE_PENDING,
    ENGINE_DELIVERED,
    ENGINE_DROPPED,
};

/* An earlier report whose place the run's takes, and under which key drops.json counts it. */
struct engine_replaced {
    char id[37];
    char key[33];
};
#define ENGINE_MAX_REPLACED 4
#define ENGINE_MAX_DEFER_US UINT64_C(86400000000) /* the sender believes in no longer pause */

/* The captured minidump, where a writer takes it as its artifact. */
struct engine_taken {
    bool is_set;
    char name[256]; /* of the artifact */
    struct cairn_hole *holes;
    size_t hole_count;
};

struct engine_run {
    const struct engine_options *options;
    struct plugin_setup setup;
    const struct config_pipeline *pipeline; /* NULL: the configuration cannot be used */
    struct report *report;
    struct minidump *dump;
    int dump_fd;
    int application_fd;                /* the application's folder */
    int folder_fd;                     /* the report's folder, locked */
    char *application_folder, *folder; /* their absolute paths; `folder` follows the commit */
    char id[37];
    uint64_t stages_end_us; /* monotonic: what is not done by then is skipped */
    uint64_t hooks_end_us;
    uint64_t artifact_bytes; /* so far, against limits.report */
    bool keep_capture;       /* the captured minidump stays as an artifact */
    struct engine_taken taken;
    enum engine_state state;
    struct engine_replaced replaced[ENGINE_MAX_REPLACED];
    size_t replaced_count;
    uint64_t defer_us;     /* how long its delivery waits */
    char drop_key[33];     /* under which drops.json counts it */
    char drop_reason[384]; /* in words */
};

/* Takes the report's folder <application_folder>/incoming/<id>, whose lock is `lock_fd`, or -1: to
 * be taken. On success the descriptor belongs to the run. 0 or an error. */
int engine_run_init(struct engine_run *run, const struct engine_options *options,
                    const char *application_folder, const char *id, int lock_fd,
                    struct error *error);
/* Lets go of the report's folder, so that a sender can have it. */
void engine_unlock(struct engine_run *run);
void engine_run_finish(struct engine_run *run);

/* From capture.dmp to a commit or a drop, hooks included; `run->state` says which. The line about
 * it goes to `answer_fd` (or -1) right after the commit. On an error nothing is lost: the folder is
 * as it was, or, with CAIRN_EFORMAT, in quarantine. */
int engine_pipeline(struct engine_run *run, int answer_fd, struct error *error);

/* Unlocks the folder and starts a sender for the report, if it is pending. */
void engine_deliver(struct engine_run *run);

/* ---- Reports that a frozen process holds ---- */

/* The pipeline's clock that a report goes by. */
uint64_t engine_pipeline_us(const struct engine_options *options, int folder_fd);
/* How long somebody may be at work in a report's folder. */
uint64_t engine_hold_us(int folder_fd, uint64_t pipeline_us);
/* Nothing has happened in it for longer. */
bool engine_is_overdue(int folder_fd, uint64_t pipeline_us);

/* ---- The stages, in files of their own; each returns whether it had anything to do ---- */

/* Runs one instance's step within the pipeline's clock: fills the request's common part, adds
 * notes, applies on_error. The result is to be finished. */
enum step_status engine_step(struct engine_run *run, size_t index, struct step_request *request,
                             struct step_result *ret_result);
/* Decides that the report is dropped, at most once. */
void engine_drop_as(struct engine_run *run, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The key of drops.json for an instance: [a-z_-] only. */
void engine_drop_key(char ret_key[33], const char *id);
/* Decides that the report is dropped when it must not be kept. An error when nobody can know at
 * this moment. */
int engine_ask_consent(struct engine_run *run, struct error *error);
/* Whether an instance may be run as far as the network is concerned; if not, `ret_why` is a whole
 * sentence. Asked before every step: an answer counts at once. */
bool engine_may_use_network(const struct engine_run *run, size_t index, struct error *ret_why);
bool engine_filters(struct engine_run *run, uint32_t stage);
/* Notes what a filter that keeps the report says of others; then, after the commit, acts on it. */
void engine_take_place(struct engine_run *run, const char *key, const struct step_result *result);
void engine_replace(struct engine_run *run);
bool engine_annotators(struct engine_run *run);
/* After the commit: what hooks add is written into report.json once more. */
void engine_hooks(struct engine_run *run);
bool engine_writers(struct engine_run *run);
bool engine_attachments(struct engine_run *run);
/* Frames and signature of the crashed thread, found in a child process. */
bool engine_walk(struct engine_run *run);

/* ---- Artifacts ---- */

/* A name for an artifact that no other one and no file of Cairn's has, made of `wanted`. */
int engine_artifact_name(const struct engine_run *run, const char *wanted, char ret_name[256],
                         struct error *error);
/* Syncs the file `part` in the report's folder, gives it its name, adds it to the report. A file
 * that does not fit limits.report, or fails, is deleted. */
int engine_artifact_keep(struct engine_run *run, int fd, const char *part, const char *name,
                         const char *media_type, struct error *error);

/* Lowercase SHA-256 of a whole file from offset 0: of a large one by the module of digest.h, if
 * that can be used. 0 or CAIRN_ESYSTEM with errno. */
int engine_digest(int fd, char ret_hex[65]);

/* Whether a writer may still have the captured minidump itself as its artifact. */
bool engine_may_take(const struct engine_run *run);
/* Puts that artifact into the report; its file follows at the commit. Takes over the holes. */
int engine_take(struct engine_run *run, const char *name, const char *media_type,
                struct step_result *result, struct error *error);
/* At the commit: fills the holes and gives the minidump the artifact's name beside its own. Where
 * that fails it is kept as it is. */
void engine_finish_taken(struct engine_run *run);

/* ---- The end of a run ---- */

/* Keeps the spool's limits; what cannot be kept is a note, and found out by whoever writes next. */
void engine_prune(struct engine_run *run);
int engine_commit(struct engine_run *run, struct error *error);
int engine_drop(struct engine_run *run, struct error *error);
/* Whether a file that somebody was writing to is that no more: the last time was a minute ago. */
bool engine_is_old(int folder_fd, const char *name);
/* Sets a folder of incoming/ aside that no report can be made of; deletes it, and counts it, where
 * the application's reports must not be kept. */
void engine_set_aside(int application_fd, const char *application, const char *id, const char *why);

/* ---- Reserves: minidumps that programs wrote without their monitor ---- */

/* Makes the complete ones folders in incoming/, sets aside broken ones, deletes what was not used
 * by programs that have ended. */
void engine_take_reserves(int application_fd, const char *application);
/* Whether engine_take_reserves() would find anything to do. */
bool engine_has_reserves(int application_fd);

/* ---- Other programs ---- */

/* Starts <libexec>/<program>, detached, with /dev/null as its standard files. */
int engine_start(const char *program, char *const *arguments, struct error *error);
/* Waits for the end of a child, which stays to be collected. False when the deadline (monotonic)
 * passed first. */
bool engine_wait_for_end(pid_t pid, uint64_t deadline_us);
/* The same, and collects it; one that has not ended by then is killed: false. Its status stays what
 * it was if that does not end it either, because it hangs in a disk's call. */
bool engine_take_end(pid_t pid, uint64_t deadline_us, int *ret_status);
/* Runs it and waits for it until `deadline_us` (monotonic). Its exit code, or an error. */
int engine_start_wait(const char *program, char *const *arguments, uint64_t deadline_us,
                      struct error *error);

/* A command line under construction; its texts must outlive it. */
struct engine_arguments {
    char *items[16];
    size_t count;
    char number[12];
};
void engine_argument(struct engine_arguments *arguments, const char *text);
/* "--config FILE" or "--config-fd N", as the options have it. */
void engine_argument_config(struct engine_arguments *arguments,
                            const struct engine_options *options);

/* Starts the sender for all that is due of an application, with the options' configuration; without
 * `options` each report is sent as its own has it. */
int engine_start_sender(const char *spool, const char *application,
                        const struct engine_options *options, struct error *error);

/* ---- Modules: what only some reports need, and whose libraries no others shall pay for ---- */

/* Loads <libexec>/<file>, for good, and finds `symbol` in it: a structure that begins with the
 * module's version in 32 bytes, which has to be the engine's. NULL with an error. */
const void *engine_load_module(const char *file, const char *symbol, struct error *error);

/* ---- Paths of the spool ---- */

/* The path without its last component; the caller frees it. */
char *engine_parent(const char *path);
/* The application's name from its folder's %-escaped one; the caller frees it. */
char *engine_application_name(const char *application_folder);

#endif
