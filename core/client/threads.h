/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that get an alternate signal stack when they begin and lose it when they end: what the
 * preload library and libcairn-threads, the one that a program opts in to, have in common, and what
 * each adds. [app]
 */
#ifndef CAIRN_CORE_CLIENT_THREADS_H
#define CAIRN_CORE_CLIENT_THREADS_H

#include <pthread.h>
#include <stdint.h>
#include <threads.h>

typedef int client_create_fn(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
typedef int client_create_c11_fn(thrd_t *, thrd_start_t, void *);

/* ---- threads.c ---- */

/* As pthread_create() and thrd_create(), which `next` is. A thread that cannot have a stack, for
 * want of memory, begins without: only its overflow is lost then. */
int client_thread_create(client_create_fn *next, pthread_t *thread,
                         const pthread_attr_t *attributes, void *(*routine)(void *),
                         void *argument);
int client_thread_create_c11(client_create_c11_fn *next, thrd_t *thread, thrd_start_t routine,
                             void *argument);
/* False: there is no thread-specific key left, and threads are made as they are. At the first
 * thread it is made at the latest, which may be before any constructor of ours. */
int client_thread_prepare(void);
/* Gives the calling thread a stack, until its last destructor has run. */
void client_thread_enter(void);

/* ---- preload_threads.c or threads_library.c ---- */

/* False: the thread that is about to be made is none of our business. */
int client_thread_wanted(void);
/* What a new thread inherits: asked in the one that makes it, told to the new one first of all. */
uint64_t client_thread_inherit(void);
void client_thread_begin(uint64_t inherited);

/* The preload library's: it does all this, in whatever libraries the program has. */
extern uint32_t cairn_threads __attribute__((visibility("default")));

#endif
