/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the program shares with the processes that become its monitor, while they run in its memory:
 * between core/client/spawn.c [app] and spawn_child.c, which imports nothing of libc's.
 */
#ifndef CAIRN_CORE_CLIENT_SPAWN_H
#define CAIRN_CORE_CLIENT_SPAWN_H

#include "core/crash/page.h"

#include <stdint.h>

struct client_spawn {
    const char *folder; /* of Cairn's programs */
    char **environment;
    struct page *page;
    int awaited;        /* somebody is going to wait for the plan */
    char *const *check; /* the engine's arguments, or NULL */
    char *arguments[7]; /* these, if so */
    char executable[PAGE_PATH_BYTES];
    int page_fd, process_fd;
    char *memory; /* the mapping that holds the rest: stacks, environment */
    size_t bytes;
    char *monitor_stack; /* its top */
    uint32_t *in_use;    /* in the mapping, a futex word: 1 as long as the second child needs it */
    uint64_t mask;       /* of the program's thread */
    /* the children's answers */
    int32_t pid;        /* of the monitor, in the program's own namespace */
    int pidfd;          /* readable once it has ended; -1 if nobody waits */
    int error;          /* errno of what failed */
    const char *failed; /* ... and what that was */
};

/* Says what failed, with a negative errno; what the child is to return. */
int client_fail_child(struct client_spawn *spawn, int error, const char *what);

/* The second child: becomes the monitor. Its result is an exit status. */
int client_become_monitor(void *spawn);

/* libc's clone(2), for its way to put a child on a stack. The child's number or a negative errno.
 */
int client_clone(int (*run)(void *), char *stack, unsigned flags, struct client_spawn *spawn,
                 int *ret_pidfd);

#endif
