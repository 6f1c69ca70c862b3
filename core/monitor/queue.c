/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who finds no place asks again, at odd times. Of several hundred monitors that wait somebody asks
 * every fraction of a millisecond, so that no place stays free for long; one alone loses less than
 * a tenth of a second. Nothing can be missed, whoever is killed in between. Runs in the monitor.
 */
#include "core/monitor/queue.h"

#include "core/monitor/clock.h"
#include "core/monitor/monitor.h"
#include "core/monitor/place.h"
#include "core/monitor/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#define PAUSE_MIN_NS   (30 * CLOCK_MILLISECOND)
#define PAUSE_SPREAD   256 /* steps of PAUSE_STEP_NS, any number of them, on top */
#define PAUSE_STEP_NS  (CLOCK_MILLISECOND / 4)
#define WAIT_MIN_NS    (60 * CLOCK_SECOND)
#define WAIT_PIPELINES 10 /* so many reports may be ahead, each as slow as it may be */

static uint64_t next_time(void)
{
    unsigned char steps = 0;

    if (getrandom(&steps, sizeof(steps), GRND_NONBLOCK) != (ssize_t)sizeof(steps)) {
        steps = (unsigned char)(clock_now() / 1000 % PAUSE_SPREAD);
    }
    return clock_now() + PAUSE_MIN_NS + steps * PAUSE_STEP_NS;
}

bool queue_add(struct monitor *monitor, const char *id, int lock)
{
    struct queue *queue = &monitor->queue;
    uint64_t wait_ns = monitor->plan.pipeline_ms * CLOCK_MILLISECOND * WAIT_PIPELINES;

    for (size_t i = 0; i < QUEUE_MAX; i++) {
        struct queue_item *item = &queue->items[i];
        if (item->id[0] != '\0') {
            continue;
        }
        item->lock = fcntl(lock, F_DUPFD_CLOEXEC, 0);
        if (item->lock < 0) {
            return false;
        }
        snprintf(item->id, sizeof(item->id), "%s", id);
        item->deadline = clock_now() + (wait_ns > WAIT_MIN_NS ? wait_ns : WAIT_MIN_NS);
        queue->next = next_time();
        return true;
    }
    return false;
}

bool queue_is_empty(const struct queue *queue)
{
    for (size_t i = 0; i < QUEUE_MAX; i++) {
        if (queue->items[i].id[0] != '\0') {
            return false;
        }
    }
    return true;
}

uint64_t queue_deadline(const struct queue *queue)
{
    return queue_is_empty(queue) ? CLOCK_NEVER : queue->next;
}

static void take_out(struct queue_item *item)
{
    close(item->lock);
    item->id[0] = '\0';
}

/* False when there is no place for anybody. */
static bool try_item(struct monitor *monitor, struct queue_item *item)
{
    int place = place_take(monitor->log.folder, monitor->plan.engines);

    if (place == -EAGAIN && clock_now() < item->deadline) {
        return false;
    }
    if (place == -EAGAIN) {
        log_error(&monitor->log,
                  "All engine.limits.engines (%u) were busy for too long. The minidump of the "
                  "report %s stays in incoming for the next Cairn process.",
                  (unsigned)monitor->plan.engines, item->id);
    } else {
        report_start(monitor, item->id, item->lock, place);
    }
    take_out(item);
    return true;
}

void queue_work(struct monitor *monitor)
{
    struct queue *queue = &monitor->queue;
    bool asking = !queue_is_empty(queue) && clock_now() >= queue->next, asked = asking;

    for (size_t i = 0; i < QUEUE_MAX && asking; i++) {
        if (queue->items[i].id[0] != '\0' && jobs_have_room(&monitor->jobs)) {
            asking = try_item(monitor, &queue->items[i]);
        }
    }
    if (asked) {
        queue->next = next_time();
    }
}
