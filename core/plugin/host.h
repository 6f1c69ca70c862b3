/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host functions that a plugin sees, and how a step's process calls the plugin. Runs in the
 * step's process only, which ends with the call: what is allocated here for the plugin is never
 * freed.
 */
#ifndef CAIRN_CORE_PLUGIN_HOST_H
#define CAIRN_CORE_PLUGIN_HOST_H

#include "core/plugin/step.h"
#include "core/plugin/wire.h"

#define HOST_MAX_ATTRIBUTES 256
#define HOST_MAX_NOTES      64
#define HOST_MAX_NOTE       4096
#define HOST_MAX_LINES      256 /* of log, and of problems */
#define HOST_MAX_LINE       1024
#define HOST_MAX_TEXT       CAIRN_TEXTS_MAX_BYTES /* of a message or a breadcrumb */
#define HOST_MAX_EXTENSION  16
#define HOST_MAX_MEDIA_TYPE 64
#define HOST_MAX_HOLES      CAIRN_ARTIFACT_MAX_HOLES

/* What a plugin calls a report: the report with what lies beside it. */
struct cairn_report {
    const struct report *report;
    const struct minidump *dump; /* or NULL */
    const char *folder;          /* or NULL */
    int dump_fd;                 /* or -1 */
};

struct host {
    struct cairn_host table; /* what the plugin sees; its private_data leads back here */
    struct cairn_report report;
    const struct step_request *request;
    int wire;
    uint64_t deadline_us;
    uint64_t output_left;
    const char *names[HOST_MAX_ATTRIBUTES];
    size_t attributes, notes, lines, problems;
    bool limited; /* some output was refused */
};

/* Makes the table; `wire`, `dump_fd` are the process' own descriptors. */
void host_init(struct host *host, const struct step_request *request, int wire, int dump_fd,
               uint64_t deadline_us);
/* The part of it that reads the report. */
void host_init_report(struct cairn_host *table);

/* The optional services. */
const struct cairn_state_service *host_state_service(void);
const struct cairn_texts_service *host_texts_service(void);
const struct cairn_artifact_service *host_artifact_service(void);
const struct cairn_preview_service *host_preview_service(void);

/* What a writer may say of its artifact, for both sides. */
bool host_is_extension(const char *text, size_t bytes);
bool host_is_media_type(const char *text, size_t bytes);
bool host_are_holes(const struct cairn_hole *holes, size_t count, uint64_t file_bytes);

/* Loads the plugin, calls check, create, the kind's call and destroy, and sends the end record. */
void host_call(struct host *host, int plugin_fd, int out_fd);

struct ops_head {
    CAIRN_OPS_HEAD;
};

/* Rehearses what the request says; as the kind's call. */
int host_rehearse(struct host *host, const struct cairn_plugin *plugin, const struct ops_head *ops,
                  int plugin_fd);

/* Prepares a step's process: session, death with its parent, signals, descriptors, limits. Moves
 * the descriptors in `fds`, -1 for those that are not needed, to their STEP_FD_… numbers and closes
 * all others; on failure they are where they were. */
enum step_fd {
    STEP_FD_OUTPUT = 1, /* what the plugin prints, to standard output and error */
    STEP_FD_ERROR = 2,
    STEP_FD_WIRE = 3,
    STEP_FD_PLUGIN = 4,
    STEP_FD_DUMP = 5,
    STEP_FD_OUT = 6, /* a writer's file, or where a preview or an attachment goes */
    STEP_FD_IN = 7,  /* an attachment */
    STEP_FDS = 8,
};
int host_confine(const struct step_request *request, const int fds[STEP_FDS], pid_t parent,
                 uint64_t time_us, struct error *error);

/* Takes away what a plugin of these capabilities does not need. 0, or a negative errno where the
 * system has no seccomp filters: then nothing is taken away. */
int host_restrict(uint64_t capabilities);

#endif
