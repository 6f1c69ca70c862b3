/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the sender share: the command line, a configuration with its plugins, one pass
 * over the reports of an application. Every attempt is in report.json before it is made, its
 * outcome after: whenever the sender is killed, the next one knows what there is to do. [sender]
 */
#ifndef CAIRN_CORE_SENDER_SENDER_H
#define CAIRN_CORE_SENDER_SENDER_H

#include "core/config/config.h"
#include "core/plugin/setup.h"
#include "core/plugin/step.h"
#include "core/report/report.h"
#include "core/report/spool.h"
#include "core/util/error.h"

#include <stdbool.h>
#include <stddef.h>

#define SENDER_MAX_IDS 1024

struct sender_options {
    const char *config_path; /* NULL: config_fd; that -1: what each report was made with */
    int config_fd;
    const char *spool;       /* NULL: the configuration's */
    const char *application; /* NULL: all */
    const char **ids;        /* only these reports; none: all */
    size_t id_count;
    bool now;      /* whatever their next time */
    bool quiet;    /* no log */
    bool progress; /* a line per attempt on standard output */
};

/* ---- A configuration with its plugins ---- */

/* What the options name; else the report's own, which lies in `folder_fd`; without a report the
 * installed one. */
int sender_setup_load(struct plugin_setup *setup, const struct sender_options *options,
                      const struct report *report, int folder_fd);

/* ---- One pass ---- */

#define SENDER_MAX_OFFLINE 16

#define SENDER_MARGIN_US 60000000u /* for what lies between two attempts */

struct sender {
    const struct sender_options *options;
    struct plugin_setup *setup; /* the one that the options name, else NULL */
    int application_fd;
    int lock; /* of the application: its holder promises to be done in time */
    char *offline[SENDER_MAX_OFFLINE]; /* transports that did not reach their server in this pass */
    size_t offline_count;
    bool waiting;  /* something could not be delivered, and waits */
    bool problems; /* a configuration has problems */
};

/* All reports of the list that the options mean. An exit code. */
int sender_batch(const struct sender_options *options, const char *spool,
                 struct plugin_setup *setup);

/* Waits for a place among the senders of the spool, while the application's lock stays ours: a
 * descriptor that holds it, or -1 where there are none. */
int sender_take_place(int application_fd, int lock);

/* One report in pending/: every delivery that is due, then the move if none is pending any more. */
void sender_deliver(struct sender *sender, const struct spool_entry *entry);

#endif
