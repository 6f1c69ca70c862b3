/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the preload library of `cairn run`, among themselves. [app] */
#ifndef CAIRN_CORE_CLIENT_PRELOAD_H
#define CAIRN_CORE_CLIENT_PRELOAD_H

#include <signal.h>
#include <stdint.h>

/* What `cairn run` put into the environment; NULL where it is absent. Pointers into the strings of
 * the environment, which stay. */
struct preload_options {
    const char *config, *application, *version;
    const char *children; /* set: what the program starts by exec() runs with Cairn, too */
};

void preload_read_environment(char *const *environment, struct preload_options *ret_options);
/* Takes the options and this library out of the environment, in place: the program and what it
 * starts see their own. */
void preload_clean_environment(char **environment);

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
