/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One short-lived thread per minidump. Runs in the monitor.
 */
#include "core/monitor/sync.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SYNC_STACK_BYTES (64 * 1024)

struct sync {
    struct monitor *monitor;
    struct incoming incoming;
};

static void bring_to_disk(const struct log *log, struct incoming *incoming)
{
    int result = incoming_sync(incoming);

    if (result != 0) {
        log_error(log, "The minidump of the report %s could not be brought to the disk: %s.",
                  incoming->id, strerror(-result));
    }
    incoming_close(incoming);
}

static void *run(void *argument)
{
    struct sync *sync = argument;
    struct monitor *monitor = sync->monitor;

    bring_to_disk(&monitor->log, &sync->incoming);
    free(sync);
    __atomic_sub_fetch(&monitor->syncing, 1, __ATOMIC_RELEASE);
    announce_wake(&monitor->announce);
    return NULL;
}

static int start_thread(struct sync *sync)
{
    pthread_attr_t attributes;
    pthread_t thread;

    int error = pthread_attr_init(&attributes);
    if (error != 0) {
        return -error;
    }
    pthread_attr_setstacksize(&attributes, SYNC_STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    error = pthread_create(&thread, &attributes, run, sync);
    pthread_attr_destroy(&attributes);
    return -error;
}

void sync_start(struct monitor *monitor, struct incoming *incoming)
{
    struct sync *sync = malloc(sizeof(*sync));

    if (sync != NULL) {
        *sync = (struct sync){ monitor, *incoming };
        __atomic_add_fetch(&monitor->syncing, 1, __ATOMIC_RELEASE);
        if (start_thread(sync) == 0) {
            *incoming = (struct incoming){ .parent = -1, .folder = -1, .file = -1 };
            return;
        }
        __atomic_sub_fetch(&monitor->syncing, 1, __ATOMIC_RELEASE);
        free(sync);
    }
    bring_to_disk(&monitor->log, incoming);
}
