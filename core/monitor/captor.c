/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that captures; see captor.h. Runs in the monitor; one event at a time.
 */
#include "core/monitor/captor.h"

#include "core/capture/capture.h"
#include "core/util/fault.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#define STACK_BYTES (256 * 1024)

/* Between the two threads, of which each does what has an end: the capture has deadlines of its
 * own, and a process that is frozen while it holds the program is ended by a kernel timer. */
static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0 && errno == EINTR) {
    }
}

/* The kernel's word for it, whatever was or was not noticed before. */
static bool is_attached(void)
{
    siginfo_t change;

    return waitid(P_ALL, 0, &change,
                  WEXITED | WSTOPPED | WNOHANG | WNOWAIT | __WALL | __WNOTHREAD) == 0 ||
           errno != ECHILD;
}

static void capture(struct captor *captor)
{
    int result = capture_begin(captor->capture, captor->request);
    bool held = result == 0 && captor->capture->left_bytes > 0;

    fault_point("monitor.held");
    if (result == 0 && !held) {
        capture_release(captor->capture);
    }
    captor->result = result;
    captor->holds = held;
    captor->stays = held || !is_attached();
}

static void release(struct captor *captor)
{
    capture_release(captor->capture);
    captor->holds = false;
    captor->stays = !is_attached();
}

/* What is read after a semaphore was raised is what it was before: the next call may be under way.
 */
static void *serve(void *argument)
{
    struct captor *captor = argument;
    bool stays, held;

    pthread_setname_np(pthread_self(), "cairn-captor");
    do {
        wait_for(&captor->called);
        __atomic_store_n(&captor->processor, sched_getcpu(), __ATOMIC_RELAXED);
        capture(captor);
        held = captor->holds;
        stays = captor->stays;
        sem_post(&captor->captured);
        if (held) {
            wait_for(&captor->let_go);
            release(captor);
            stays = captor->stays;
            sem_post(&captor->captured);
        }
    } while (stays);
    return NULL;
}

void captor_park(struct captor *captor)
{
    pthread_attr_t attributes;

    if (captor->exists || pthread_attr_init(&attributes) != 0) {
        return;
    }
    sem_init(&captor->called, 0, 0);
    sem_init(&captor->captured, 0, 0);
    sem_init(&captor->let_go, 0, 0);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    captor->exists = pthread_create(&captor->thread, &attributes, serve, captor) == 0;
    pthread_attr_destroy(&attributes);
}

void captor_begin(struct captor *captor, struct capture *target,
                  const struct capture_request *request)
{
    captor->capture = target;
    captor->request = request;
    captor->processor = -1;
    captor_park(captor);
    if (captor->exists) {
        sem_post(&captor->called);
    } else {
        capture(captor);
    }
}

bool captor_is_aside(struct captor *captor)
{
    int done = 0, where = -1;

    if (!captor->exists || sem_getvalue(&captor->captured, &done) != 0 || done != 0) {
        return false;
    }
    where = __atomic_load_n(&captor->processor, __ATOMIC_RELAXED);
    if (where < 0) {
        sched_yield(); /* it begins now, or elsewhere */
        where = __atomic_load_n(&captor->processor, __ATOMIC_RELAXED);
    }
    return where < 0 || where != sched_getcpu();
}

/* A thread that ends takes everything along that it is still attached to. */
static void settle(struct captor *captor)
{
    if (captor->exists) {
        wait_for(&captor->captured);
    }
    if (captor->exists && !captor->stays) {
        pthread_join(captor->thread, NULL);
        captor->exists = false;
        captor->capture->attached = 0;
    }
}

int captor_await(struct captor *captor)
{
    settle(captor);
    return captor->result;
}

void captor_let_go(struct captor *captor)
{
    if (captor->exists) {
        sem_post(&captor->let_go);
    } else {
        release(captor);
    }
    settle(captor);
}
