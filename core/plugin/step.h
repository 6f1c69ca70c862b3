/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A step: one call into one plugin, in a child process of its own, with a deadline and limits. What
 * the plugin contributes comes back over a pipe as bounded, validated records; a step that crashes,
 * hangs, exits or floods costs that contribution only. Used by the engine and the sender; the
 * plugin's process is a fork without exec, so the host must be single-threaded.
 */
#ifndef CAIRN_CORE_PLUGIN_STEP_H
#define CAIRN_CORE_PLUGIN_STEP_H

#include "core/minidump/reader.h"
#include "core/plugin/plugin.h"
#include "core/report/report.h"

enum step_status {
    STEP_OK = 0,
    STEP_UNSUPPORTED, /* the plugin has nothing for this report */
    STEP_FAILED,      /* it returned an error; the text says which */
    STEP_CRASHED,     /* by a signal */
    STEP_EXITED,      /* it ended its process */
    STEP_TIMEOUT,
    STEP_OVERFLOW, /* it wrote more than its output limit */
    STEP_BROKEN,   /* it sent records that are not valid, or could not be started */
};

/* Instead of the kind's call, for `cairn plugin lint`: what is found is the sentence of a step that
 * failed. */
enum step_rehearsal {
    STEP_NO_REHEARSAL = 0,
    STEP_LIFE,      /* create and destroy */
    STEP_LEAKS,     /* the same many times: memory and descriptors must not become more */
    STEP_SHARING,   /* two instances: neither context nor global variables may be shared */
    STEP_NO_MEMORY, /* create where malloc() answers NULL must not crash */
    STEP_SYMBOLS,   /* every symbol must be in a library that the plugin links to */
};

struct step_request {
    const struct config_instance *instance; /* bound; limits of 0 are none, a timeout of 0 is 5 s */
    const struct plugin_facts *facts;
    int plugin_fd;
    const struct report *report;
    const struct minidump *dump; /* or NULL */
    int dump_fd;                 /* the captured minidump, or -1 */
    const char *folder;          /* hooks and transports: the report's folder; else NULL */
    int out_fd;                  /* writers and previews: where to; else -1 */
    bool may_take;               /* writers: the captured minidump may become the artifact */
    uint64_t room;               /* writers: bytes that the report may still have; 0: any */
    const char *attachment;      /* annotators: the name of a file to be changed, else NULL */
    int in_fd;                   /* that file; it goes to out_fd */
    unsigned attempt;            /* transports */
    bool preview;                /* transports: show what would be sent, see preview.h */
    uint64_t deadline_us;        /* monotonic; the instance's timeout counts within it; 0: none */
    bool check_only;             /* only check(): problems go to `problems` */
    struct config_problems *problems;
    enum step_rehearsal rehearsal;
};

/* A text of the report that an annotator replaced. */
#define STEP_TEXT_MESSAGE UINT64_MAX
struct step_text {
    uint64_t index; /* of a breadcrumb, or STEP_TEXT_MESSAGE */
    char *text;
};

struct step_result {
    enum step_status status;
    /* A whole sentence unless OK or UNSUPPORTED; of a transport also why it did not deliver. */
    char error[512];
    /* filters */
    int action;
    char reason[256];
    char instead_of[37]; /* an id, or "" */
    uint64_t defer_us;
    /* transports */
    int outcome, response_code;
    uint64_t retry_after_us;
    char server_id[256];
    /* annotators and hooks: attributes only when OK; notes also when UNSUPPORTED or FAILED */
    struct report_attribute *attributes;
    size_t attribute_count;
    struct step_text *texts; /* annotators, when OK; each index at most once */
    size_t text_count;
    /* writers, when OK; "" and false unless it said something of its artifact */
    char extension[20], media_type[68];
    bool takes_minidump;
    struct cairn_hole *holes; /* within the minidump, sorted */
    size_t hole_count;
    char **notes;
    size_t note_count;
    uint64_t elapsed_us;
};

/* Runs one step to its end or its deadline; the child and its process group are gone afterwards.
 * Always fills the result; returns ret_result->status. */
enum step_status step_run(const struct step_request *request, struct step_result *ret_result);
void step_result_finish(struct step_result *result);

#endif
