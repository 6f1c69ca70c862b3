/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the preload library of `cairn run`, among themselves. [app] */
#ifndef CAIRN_CORE_CLIENT_PRELOAD_H
#define CAIRN_CORE_CLIENT_PRELOAD_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What `cairn run` put into the environment; NULL where it is absent. Pointers into the strings of
 * the environment, which stay. */
struct preload_options {
    const char *config, *application, *version;
    const char *children; /* set: what the program starts by exec() runs with Cairn, too */
    const char *process;  /* set: only the process of this number does, whatever it becomes */
};

void preload_read_environment(char *const *environment, struct preload_options *ret_options);
/* Takes the options and this library out of the environment, in place: the program and what it
 * starts see their own. */
void preload_clean_environment(char **environment);
/* False: they were left for another process, of which this one is a child. */
bool preload_is_for_us(const struct preload_options *options);

/* What an exec() hands over instead of the program's own environment. */
struct preload_carried {
    void *start;
    size_t bytes; /* 0: nothing */
};

/* Remembers what is in the environment, for what this process becomes by exec(): the same process,
 * and so still the program that `cairn run` was to run. With `children`, so do its children.
 * Before preload_clean_environment(). */
void preload_keep_environment(char *const *environment, int children);
/* The environment for an exec(); the same one in other processes, in children of vfork() for
 * example, where Cairn is in it already, and without memory. [async-signal-safe] */
char *const *preload_carry_environment(char *const *environment,
                                       struct preload_carried *ret_carried);
void preload_drop_carried(const struct preload_carried *carried);

/* Opens the signals that Cairn handles in the calling thread, which goes on believing that it
 * blocks what it blocked before, and `inherited` besides. */
void preload_mask_start(uint64_t inherited);
/* What a thread that is created now inherits of that belief. */
uint64_t preload_mask_inherit(void);

/* Before the program's first exec(). */
void preload_exec_start(void);

/* For a wait with a mask of its own: opens our signals in `mask`, and believes it meanwhile. What
 * the thread believed before; it does so again from preload_mask_waited() on. */
uint64_t preload_mask_wait(sigset_t *mask);
void preload_mask_waited(uint64_t believed);
/* Before any of the functions that wait is called. */
void preload_waits_start(void);

/* From now on new threads get an alternate signal stack. */
void preload_threads_start(void);

#endif
