/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting cairn-engine: its command lines, its descriptors, its environment, its end. Every engine
 * is the leader of a session of its own, so that it can be ended with all that it started. Runs in
 * the monitor.
 */
#ifndef CAIRN_CORE_MONITOR_ENGINE_H
#define CAIRN_CORE_MONITOR_ENGINE_H

#include "core/crash/page.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define ENGINE_VALUE_BYTES 256

/* What all command lines of one monitor have in common. */
struct engine_settings {
    char program[PATH_MAX];               /* of cairn-engine */
    char config_file[PAGE_PATH_BYTES];    /* "": the text, or the installed default */
    int config_text;                      /* a sealed memfd with the configuration, or -1 */
    char application[ENGINE_VALUE_BYTES]; /* "": not given */
    char version[ENGINE_VALUE_BYTES];     /* "": not given */
    char executable[PATH_MAX];            /* of the program */
};

/* A running engine. */
struct engine {
    pid_t pid;
    int pidfd;
    int output; /* the reading end of its standard output, non-blocking */
    int errors; /* the same of its standard error, or -1 */
};

/* Fills `program` from CAIRN_LIBEXEC, unless this process is set-id, else from the installation. */
void engine_locate(struct engine_settings *settings);

/* Takes LD_* out of this process's environment: what was meant for the program is not for us. */
void engine_clean_environment(void);

/* A sealed memfd holding the text; or a negative errno. */
int engine_keep_text(const char *text, size_t bytes);

/* `check --plan`: output and errors are pipes. 0 or a negative errno. */
int engine_start_check(const struct engine_settings *settings, struct engine *ret_engine);

/* Takes over a check that libcairn has begun as process `pid`, with its pipes. False, and the pipes
 * are closed, when that is no child of ours. */
bool engine_adopt_check(pid_t pid, int output, int errors, struct engine *ret_engine);

/* `report` on a folder whose locked descriptor is `lock`, holding `place` (or -1) while it lives.
 * `errors` becomes its standard error; -1: ours. */
int engine_start_report(const struct engine_settings *settings, const char *folder, int lock,
                        int place, int errors, struct engine *ret_engine);

/* `recover`: finishes what lies unlocked in the application's folder. */
int engine_start_recover(const struct engine_settings *settings, const char *application_folder,
                         int errors, struct engine *ret_engine);

/* Ends it and all that is left of its session's process group. */
void engine_kill(const struct engine *engine);

/* Collects an engine that has ended, or waits until `deadline` for it and then kills it; closes its
 * descriptors. Its wait status, or a negative errno: -ETIMEDOUT when not even that ended it. */
int engine_collect(struct engine *engine, uint64_t deadline);

#endif
