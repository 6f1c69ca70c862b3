/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reserve of a program: a preallocated file in incoming/ that its crash handler writes a
 * minidump into when the monitor does not take the crash. Made by the monitor before the program's
 * start returns; locked by both of them as long as they live.
 */
#ifndef CAIRN_CORE_MONITOR_RESERVE_H
#define CAIRN_CORE_MONITOR_RESERVE_H

#include "core/minidump/format.h"
#include "core/monitor/uuid.h"

struct minidump_image;

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reserve {
    int file;                       /* locked; -1: there is no reserve */
    struct minidump_reserve *about; /* its last page */
    struct uuid id;                 /* of the report that is made of it */
    char name[56];                  /* below the application's folder */
    bool told;                      /* reserve_is_new() has said so */
};

/* 0 or a negative errno, then nothing is left behind. */
int reserve_make(int application_folder, int32_t pid, struct reserve *ret_reserve);

/* There may be none: reports are then made by the monitor alone. */
static inline bool reserve_exists(const struct reserve *reserve)
{
    return reserve->about != NULL;
}

/* The monitor begins a report of a crash of process `pid`, of this id. */
void reserve_begin(struct reserve *reserve, int32_t pid, const char *id);

/* Its minidump is kept here, whole, until it is so in its folder. 0 or a negative errno: -EFBIG
 * when it is too large for that. */
int reserve_keep(struct reserve *reserve, const struct minidump_image *image);

/* Its minidump is whole: should the monitor end before it has its name, `recover` gives it one. */
void reserve_tell_whole(struct reserve *reserve);

/* The monitor has the crash's minidump where it is not lost with this process: false when a process
 * makes one, or has made it, by itself. */
bool reserve_close(struct reserve *reserve);
/* The same, but false only when it is process `pid` that does so. Not the program's alone: its fork
 * children have the same reserve. */
bool reserve_excludes(struct reserve *reserve, int32_t pid);
/* Of a process that has ended: a crash of its own has become a report, or is about to. Waits for a
 * copy of it that is writing, some seconds at most. There must be a reserve. */
bool reserve_has_crash(const struct reserve *reserve, int32_t pid);
/* Undoes it after a child's report, or one that was given up, for the program's own crash. */
void reserve_reopen(struct reserve *reserve);

/* The program has begun to write a minidump into it. */
bool reserve_is_begun(const struct reserve *reserve, int32_t pid);

/* It holds a minidump of which the program does not know yet whether it dies of it. */
bool reserve_is_open(const struct reserve *reserve);

/* It does, unless the program has said so itself. */
void reserve_complete(struct reserve *reserve);

/* It does not: what is in the reserve is given up. */
void reserve_forget(struct reserve *reserve);

/* True once, when the program has completed a minidump, or has ended and left a sparse one. */
bool reserve_is_new(struct reserve *reserve, bool program_gone);

/* The program has ended or wants no reports any more: deletes the file unless there is, or may be,
 * something in it. */
void reserve_finish(struct reserve *reserve, int application_folder);

#endif
