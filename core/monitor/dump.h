/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One event on its way from a living process to a minidump that the engine works on.
 */
#ifndef CAIRN_CORE_MONITOR_DUMP_H
#define CAIRN_CORE_MONITOR_DUMP_H

#include "core/capture/capture.h"
#include "core/minidump/writer.h"
#include "core/monitor/incoming.h"
#include "core/monitor/monitor.h"
#include "core/monitor/uuid.h"

struct crash_records;

#include <time.h>

/* What the dump is about; constant while it is made. */
struct dump_event {
    uint32_t kind; /* enum minidump_kind */
    int32_t pid, tid;
    int process;                  /* its pidfd */
    uint64_t born;                /* see identity.h; 0: unknown */
    bool child;                   /* a fork child of the program, not itself */
    bool foreign;                 /* a process that has nothing to do with it */
    int32_t parent;               /* of a child */
    bool open;                    /* the program's own handler may mend it */
    int32_t signal;               /* 0: none */
    uint64_t context_address;     /* 0: none */
    const unsigned char *siginfo; /* 128 bytes, or NULL */
    const char *message;          /* "": none */
    uint64_t wall_ns;
};

struct death;

struct dump {
    struct dump_event event;
    const struct death *death; /* NULL: the process is, or was, captured */
    struct uuid id;
    struct capture capture;
    struct captor *captor; /* NULL: there was nothing to be stopped */
    bool burning;          /* `fuse`: ends the monitor if it is frozen while it holds the process */
    timer_t fuse;
    char *processors; /* /proc/cpuinfo, read meanwhile; or NULL, then the writer reads it */
    size_t processors_bytes;
    struct minidump_image image; /* its `data` NULL: not put together yet */
    struct incoming incoming;    /* made while the process is being read, if it could be */
    char path[PAGE_PATH_BYTES];  /* of the minidump once it has its name, else "" */
};

/* A dump with an id of its own and nothing in it. */
void dump_begin(struct dump *dump, const struct dump_event *event);

/* Stops the process, reads it, and lets it go on; or holds it until dump_write(), where so much
 * memory is wanted that it is read when it is written. 0 or a negative errno, then nothing has to
 * be freed. */
int dump_take(struct dump *dump, struct monitor *monitor, const struct dump_event *event);

bool dump_is_held(const struct dump *dump);

/* How much memory has been captured. */
uint64_t dump_bytes(const struct dump *dump);

/* Puts the minidump where it is not lost with this process, in less time than it takes to make it a
 * folder: into the reserve. 0, or a negative errno when it cannot be kept there. */
int dump_keep(struct dump *dump, struct monitor *monitor);

/* The minidump has a folder, and room on the disk: writing it will not fail for that. */
bool dump_has_room(struct dump *dump, struct monitor *monitor);

/* Writes the minidump under a temporary name, and lets go of the process. 0, or a negative errno
 * after having logged why not. */
int dump_write(struct dump *dump, struct monitor *monitor);

/* Of a program that was let go, and a minidump that could not be written: keeps what fits in the
 * reserve. 0, or a negative errno. */
int dump_rescue(struct dump *dump, struct monitor *monitor);

/* What the minidump says besides the capture, in the capture's memory; `max_bytes` of records, 0:
 * no limit. */
void dump_describe(struct dump *dump, const struct monitor *monitor, uint32_t max_bytes,
                   struct crash_records *ret_records, struct minidump_extra *ret_extra);

/* Gives it its final name. 0, or a negative errno after having logged why not. */
int dump_name(struct dump *dump, struct monitor *monitor);

/* Hands the written minidump to an engine; where there is no place for one, to the queue, unless
 * somebody waits for the report (`at_once`). NULL when none has been started: it stays in incoming
 * until then. */
struct job *dump_report(struct incoming *incoming, struct monitor *monitor, bool at_once);

/* Frees all; `keep` 0 also deletes what has been written. */
void dump_finish(struct dump *dump, bool keep);

#endif
