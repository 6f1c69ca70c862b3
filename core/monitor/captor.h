/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that captures. Only who has stopped a process can let it go, and a thread's end lets
 * go even of threads that did not stop in time (one in vfork(), say), which nobody could detach
 * from otherwise, and which would stop later and never go on. It is made ahead of the crash and
 * parked: to make one takes a third of a millisecond, and the process would wait for it.
 */
#ifndef CAIRN_CORE_MONITOR_CAPTOR_H
#define CAIRN_CORE_MONITOR_CAPTOR_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>

struct capture;
struct capture_request;

struct captor {
    bool exists; /* the thread; all zeros: not yet */
    bool stays;  /* it does not end after this call */
    bool holds;  /* the process is stopped until captor_let_go() */
    int result;
    int processor; /* on which it began; atomic; -1: it has not yet */
    pthread_t thread;
    sem_t called, captured, let_go;
    struct capture *capture;
    const struct capture_request *request;
};

/* Makes the thread if there is none. Should that fail, the next call tries again. */
void captor_park(struct captor *captor);

/* Begins to capture; without a thread, by the caller itself, and then it is done on return. Both
 * arguments have to live until captor_await(), the capture until captor_let_go(). */
void captor_begin(struct captor *captor, struct capture *capture,
                  const struct capture_request *request);

/* Between the two: whether it goes on, on another processor than the caller's, who then has time
 * for something else; on the same one he would take it from the capture. */
bool captor_is_aside(struct captor *captor);

/* Waits for the capture: 0 or a negative errno. Afterwards the process goes on, unless so much of
 * it was left that it is read when the minidump is written: then `holds` is set. */
int captor_await(struct captor *captor);

/* Lets a process that is still held go on. */
void captor_let_go(struct captor *captor);

#endif
