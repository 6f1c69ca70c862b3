/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What filter/ratelimit remembers from crash to crash: per key when reports were kept, and how many
 * were dropped since. Bounded; its file is read as hostile bytes, and what is no entry is left out.
 * Runs in a step of the engine.
 */
#ifndef CAIRN_PLUGINS_FILTER_RATELIMIT_LEDGER_H
#define CAIRN_PLUGINS_FILTER_RATELIMIT_LEDGER_H

#include <stddef.h>
#include <stdint.h>

#define LEDGER_MAX_ENTRIES 256
#define LEDGER_MAX_KEPT    100
#define LEDGER_ID_BYTES    36 /* of a report's UUID */

struct ledger_entry {
    uint64_t key;
    uint64_t dropped; /* since the last one that was kept */
    int64_t latest;   /* the last one of all, kept or not; all times in microseconds since 1970 */
    int64_t due;      /* when the one that waits takes its place among those kept */
    char waiting[LEDGER_ID_BYTES + 1]; /* its id; "": none waits */
    size_t count;
    int64_t kept[LEDGER_MAX_KEPT]; /* as they came */
};

struct ledger {
    size_t count;
    struct ledger_entry entries[LEDGER_MAX_ENTRIES];
};

/* Reads the whole file from its start. 0 or -1 with errno. An empty file is an empty ledger. */
int ledger_read(struct ledger *ledger, int fd);
/* Replaces the file's content. 0 or -1 with errno. */
int ledger_write(const struct ledger *ledger, int fd);

/* The entry of that key, new if need be: then it takes the place of the one that was idle longest
 * when there are too many. */
struct ledger_entry *ledger_find(struct ledger *ledger, uint64_t key);

/* Lets the one that waits take its place, when it is due. */
void ledger_admit(struct ledger_entry *entry, int64_t now);

/* Forgets what was kept farther than `period` from `now`, also in the future: a clock that was set
 * back must not block a key for good. */
void ledger_forget(struct ledger_entry *entry, int64_t now, int64_t period);

#endif
