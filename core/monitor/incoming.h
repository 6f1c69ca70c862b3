/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new report's folder: <application folder>/incoming/<id>/, locked by flock while somebody works
 * on it, with the minidump under a temporary name until it is complete. All below the descriptor of
 * the application folder, never following a link. Runs in the monitor.
 */
#ifndef CAIRN_CORE_MONITOR_INCOMING_H
#define CAIRN_CORE_MONITOR_INCOMING_H

#include "core/monitor/uuid.h"

#include <stdbool.h>
#include <stdint.h>

#define INCOMING_FOLDER    "incoming"
#define INCOMING_CAPTURE   "capture.dmp"
#define INCOMING_TEMPORARY "capture.dmp.tmp"
#define INCOMING_END       "capture.end"

struct incoming {
    int parent; /* the folder "incoming" */
    int folder; /* locked until incoming_unlock() */
    int file;   /* the minidump, open for writing */
    char id[UUID_TEXT_BYTES];
};

/* Makes folder and empty file. 0 or a negative errno, then nothing is left behind. */
int incoming_create(int application_folder, const char *id, struct incoming *ret_incoming);

/* Sees to it that the disk has room for so many bytes. 0 or a negative errno; where that cannot be
 * told beforehand, 0. */
int incoming_reserve(const struct incoming *incoming, uint64_t bytes);

/* Gives the minidump its final name. 0 or a negative errno. */
int incoming_commit(struct incoming *incoming);

/* Leaves beside the minidump how the program ended, for the engine. 0 or a negative errno, then
 * nothing is there. */
int incoming_tell_end(const struct incoming *incoming, const char *text);

/* It has not got it yet, and has not been deleted. */
bool incoming_is_unnamed(const struct incoming *incoming);

/* Deletes file and folder. */
void incoming_discard(struct incoming *incoming);

/* Lets go of the lock: it lives on in the engine that was given a copy of `folder`. 0 or a negative
 * errno, then `folder` is closed too. */
int incoming_unlock(struct incoming *incoming);

/* Brings file and folders to the disk; they may have moved on meanwhile. 0 or a negative errno. */
int incoming_sync(const struct incoming *incoming);

/* Closes all descriptors; with the last copy of `folder` goes the lock. */
void incoming_close(struct incoming *incoming);

#endif
