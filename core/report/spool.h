/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spool: <spool>/<application>/{incoming,pending,delivered,quarantine}/<id>/. A folder moves
 * from state to state by rename; while somebody works on it, he holds its flock. Folders 0700,
 * files 0600. A report's folder holds report.json, its artifacts, and configuration.yaml (what it
 * was made with).
 */
#ifndef CAIRN_CORE_REPORT_SPOOL_H
#define CAIRN_CORE_REPORT_SPOOL_H

#include "core/report/report.h"

#include <stdbool.h>

enum spool_state {
    SPOOL_INCOMING = 0,
    SPOOL_PENDING,
    SPOOL_DELIVERED,
    SPOOL_QUARANTINE,
    SPOOL_STATES
};

#define SPOOL_CAPTURE       "capture.dmp"        /* in incoming: the monitor's minidump */
#define SPOOL_UNFINISHED    SPOOL_CAPTURE ".tmp" /* the same before it is complete */
#define SPOOL_END           "capture.end"        /* beside it, of some: how the program ended */
#define SPOOL_CONFIGURATION "configuration.yaml"
#define SPOOL_REPORT        "report.json"

struct spool_entry {
    char *application; /* as text, not escaped */
    char id[37];
    enum spool_state state;
    char *path; /* absolute */
};

struct spool_list {
    struct spool_entry *entries; /* newest first */
    size_t count;
};

const char *spool_state_name(enum spool_state state);

/* All reports below `spool` (of one application, or NULL for all). A spool that does not exist is
 * an empty list. */
int spool_scan(const char *spool, const char *application, struct spool_list *ret_list,
               struct error *error);
void spool_list_finish(struct spool_list *list);

/* One report by its id, a prefix of it that is unique, or "latest", which is never one that is set
 * aside or still being made.
 * CAIRN_ENOENT, or CAIRN_EINVAL when several begin so. */
int spool_find(const char *spool, const char *application, const char *id,
               struct spool_entry *ret_entry, struct error *error);
void spool_entry_finish(struct spool_entry *entry);

/* <spool>/<application>/ with its four folders, made if need be: a descriptor. CAIRN_EPERM unless
 * it belongs to the current user and nobody else may write it. */
int spool_open(const char *spool, const char *application, struct error *error);

/* A new folder incoming/<id>, locked: its descriptor. */
int spool_create(int application_fd, const char *id, struct error *error);

/* Opens and locks <state>/<id>. CAIRN_EBUSY when somebody else works on it, CAIRN_ENOENT when it is
 * not (or no longer) there. Closing the descriptor unlocks. */
int spool_lock(int application_fd, enum spool_state state, const char *id, struct error *error);

/* Renames <from>/<id> to <to>/<id> and fsyncs both parents: this is the commit. */
int spool_move(int application_fd, enum spool_state from, enum spool_state to, const char *id,
               struct error *error);

/* Sets a report aside whose files are not what they should be: notes `why` in it as a text file and
 * moves it to quarantine. Nothing is deleted. */
int spool_set_aside(int application_fd, enum spool_state from, const char *id, const char *why,
                    struct error *error);

/* Writes and reads report.json in a report's folder; complete or absent. */
int spool_save(int folder_fd, const struct report *report, struct error *error);
int spool_load(int folder_fd, struct report **ret_report, struct error *error);

/* Keeps the quotas of one application; what is given up is counted in drops.json. Oldest go first,
 * in this order: duplicates of a signature that were delivered, duplicates that wait, then the
 * first of each signature, delivered before waiting. The newest always stays, and what is locked.
 * For the sake of the disk's free space alone the waiting first of a signature stay too. A limit of
 * 0 is none. */
struct spool_limits {
    uint64_t reports, total_bytes, free_bytes;
};
int spool_prune(int application_fd, const struct spool_limits *limits, struct error *error);
/* Adds one to drops.json[reason]; `reason` is [a-z0-9_-]{1,32}. */
int spool_count_drop(int application_fd, const char *reason, struct error *error);

#endif
