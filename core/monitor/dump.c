/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a minidump: capture, folder, file, name, engine. Who waits for which of these steps is not
 * decided here. Runs in the monitor.
 */
#include "core/monitor/dump.h"

#include "core/crash/records.h"
#include "core/minidump/format.h"
#include "core/minidump/writer.h"
#include "core/monitor/check.h"
#include "core/monitor/clock.h"
#include "core/monitor/death.h"
#include "core/monitor/identity.h"
#include "core/monitor/place.h"
#include "core/monitor/report.h"
#include "core/util/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STOP_TIMEOUT_MS  1500u         /* for all threads to stop; no more than half of `hold` */
#define FUSE_GRACE_MS    500u          /* a capture that keeps to `hold` is done by then */
#define ROOM_BYTES       (1024 * 1024) /* on the disk, besides memory and threads */
#define PROCESSORS_BYTES (512 * 1024)
#define ROOM_PER_THREAD  2048

/* While the threads are held, nobody in the program looks at a clock. Should this process be frozen
 * meanwhile (SIGSTOP, a debugger, a cgroup), the kernel's timer still ends it, and with it the
 * hold. */
static void light_fuse(struct dump *dump, uint32_t ms)
{
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
    const struct itimerspec time = { .it_value = { ms / 1000, (long)(ms % 1000) * 1000000 } };

    dump->burning = timer_create(CLOCK_MONOTONIC, &event, &dump->fuse) == 0;
    if (dump->burning) {
        timer_settime(dump->fuse, 0, &time, NULL);
    }
}

static void put_out_fuse(struct dump *dump)
{
    if (dump->burning) {
        timer_delete(dump->fuse);
        dump->burning = false;
    }
}

/* Lets the process go on, if it is held. */
static void release(struct dump *dump)
{
    if (dump->captor != NULL && dump->captor->holds) {
        captor_let_go(dump->captor);
        put_out_fuse(dump);
    }
}

/* The kernel takes long to say it, a millisecond where there are many processors. */
static void read_processors(struct dump *dump)
{
    int fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? 1 : 0;
    size_t used = 0;

    dump->processors = malloc(PROCESSORS_BYTES);
    while (dump->processors != NULL && got > 0 && used < PROCESSORS_BYTES) {
        got = read(fd, dump->processors + used, PROCESSORS_BYTES - used);
        used += got > 0 ? (size_t)got : 0;
    }
    dump->processors_bytes = used;
    if (fd >= 0) {
        close(fd);
    }
}

/* While the process is being captured, if that does not hold it up: the folder is made, and read
 * what is not the process's. What is not done here is done, and what failed is told, when it is
 * needed. */
static void prepare(struct dump *dump, struct monitor *monitor)
{
    if (dump->event.kind == MINIDUMP_KIND_CRASH) {
        reserve_begin(&monitor->reserve, dump->event.pid, dump->id.text);
    }
    if (captor_is_aside(dump->captor)) {
        incoming_create(monitor->log.folder, dump->id.text, &dump->incoming);
    }
    if (captor_is_aside(dump->captor)) {
        page_make_present(monitor->page);
        read_processors(dump);
    }
}

static void discard_folder(struct dump *dump)
{
    if (dump->incoming.folder >= 0) {
        incoming_discard(&dump->incoming);
    }
    incoming_close(&dump->incoming);
}

/* The process may have been killed, and its id be another's, before it was stopped. */
static bool is_the_process(const struct capture *capture, const struct dump_event *event)
{
    const struct capture_file *stat = capture_file(capture, "stat");
    uint64_t born = stat != NULL ? identity_parse(stat->content, stat->bytes) : 0;

    return born == 0 || event->born == 0 || born == event->born;
}

bool dump_is_held(const struct dump *dump)
{
    return dump->captor != NULL && dump->captor->holds;
}

void dump_begin(struct dump *dump, const struct dump_event *event)
{
    dump->event = *event;
    dump->death = NULL;
    dump->incoming = (struct incoming){ .parent = -1, .folder = -1, .file = -1 };
    dump->path[0] = '\0';
    dump->captor = NULL;
    dump->burning = false;
    dump->image.data = NULL;
    dump->processors = NULL;
    dump->processors_bytes = 0;
    uuid_make(&dump->id);
}

uint64_t dump_bytes(const struct dump *dump)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < dump->capture.block_count; i++) {
        bytes += dump->capture.blocks[i].bytes;
    }
    return bytes;
}

int dump_take(struct dump *dump, struct monitor *monitor, const struct dump_event *event)
{
    const struct plan *plan = &monitor->plan;
    struct capture_region regions[PAGE_REGIONS];
    uint32_t stop_ms = plan->hold_ms / 2 < STOP_TIMEOUT_MS ? plan->hold_ms / 2 : STOP_TIMEOUT_MS;

    dump_begin(dump, event);
    const struct capture_request request = {
        .pid = event->pid,
        .tid = event->tid,
        .signal = event->signal,
        .context_address = event->context_address,
        .siginfo = event->siginfo,
        .memory = plan->memory,
        .classes = plan->classes,
        .max_bytes = plan->max_bytes,
        .stop_timeout_ns = stop_ms * CLOCK_MILLISECOND,
        .hold_ns =
            plan->hold_ms * CLOCK_MILLISECOND / 5 * 4, /* the handler's own clock is stricter */
        .regions = regions,
        .region_count = event->foreign ? 0 : crash_copy_regions(monitor->page, regions),
        .more = capture_read_descriptors,
    };
    if (monitor->program >= 0) {
        light_fuse(dump, plan->hold_ms + FUSE_GRACE_MS);
    }
    dump->captor = &monitor->captor;
    captor_begin(dump->captor, &dump->capture, &request);
    prepare(dump, monitor);
    int result = captor_await(dump->captor);
    if (result == 0 && !is_the_process(&dump->capture, event)) {
        release(dump);
        capture_finish(&dump->capture);
        result = -ESRCH;
    }
    if (result != 0) {
        discard_folder(dump);
        free(dump->processors);
    }
    if (!dump_is_held(dump)) {
        put_out_fuse(dump);
    }
    return result;
}

/* The folder may have been deleted since the start: the check makes it anew. */
static int make_folder(struct dump *dump, struct monitor *monitor)
{
    struct plan plan;
    char problem[1024];

    if (dump->incoming.file >= 0) {
        return 0;
    }
    int result = incoming_create(monitor->log.folder, dump->id.text, &dump->incoming);
    if (result != -ENOENT ||
        check_run(&monitor->settings, NULL, &plan, problem, sizeof(problem)) != 0 ||
        strcmp(plan.application_folder, monitor->plan.application_folder) != 0 ||
        monitor_open_folder(monitor) != 0) {
        return result;
    }
    return incoming_create(monitor->log.folder, dump->id.text, &dump->incoming);
}

bool dump_has_room(struct dump *dump, struct monitor *monitor)
{
    uint64_t bytes = dump_bytes(dump) + dump->capture.thread_count * ROOM_PER_THREAD + ROOM_BYTES;

    return make_folder(dump, monitor) == 0 && incoming_reserve(&dump->incoming, bytes) == 0;
}

void dump_describe(struct dump *dump, const struct monitor *monitor, uint32_t max_bytes,
                   struct crash_records *ret_records, struct minidump_extra *ret_extra)
{
    const struct crash_event event = {
        .tier = 1,
        .kind = dump->event.kind,
        .pid = (uint32_t)dump->event.pid,
        .child = dump->event.child,
        .foreign = dump->event.foreign,
        .parent = (uint32_t)dump->event.parent,
        .wall_ns = dump->event.wall_ns,
        .id = dump->id.text,
        .message = dump->event.message[0] != '\0' ? dump->event.message : dump->capture.message,
        .tier_reason = NULL,
        .max_bytes = max_bytes,
    };

    crash_records_build(monitor->page, &event, &dump->capture.arena, ret_records);
    if (dump->death != NULL) {
        death_add_records(dump->death, ret_records);
    }
    *ret_extra = (struct minidump_extra){
        .records = &ret_records->records,
        .annotations = ret_records->annotations,
        .annotation_count = ret_records->annotation_count,
        .processors = dump->processors,
        .processors_bytes = dump->processors_bytes,
        .more = minidump_write_handles,
    };
    memcpy(ret_extra->report_id, dump->id.bytes, sizeof(ret_extra->report_id));
}

static int compose(struct dump *dump, const struct monitor *monitor)
{
    struct crash_records records;
    struct minidump_extra extra;

    if (dump->image.data != NULL) {
        return 0;
    }
    dump_describe(dump, monitor, 0, &records, &extra);
    return minidump_compose(&dump->capture, &extra, &dump->image);
}

int dump_keep(struct dump *dump, struct monitor *monitor)
{
    int result = compose(dump, monitor);

    return result < 0 ? result : reserve_keep(&monitor->reserve, &dump->image);
}

static int write_file(struct dump *dump, const struct monitor *monitor)
{
    int result = compose(dump, monitor);

    return result < 0 ? result : minidump_write_image(&dump->image, dump->incoming.file, 0);
}

int dump_write(struct dump *dump, struct monitor *monitor)
{
    const char *folder = monitor->plan.application_folder;

    int result = make_folder(dump, monitor);
    if (result != 0) {
        release(dump);
        log_error(&monitor->log, "No folder for the report %s could be made in %s/%s: %s.",
                  dump->id.text, folder, INCOMING_FOLDER, strerror(-result));
        return result;
    }
    result = write_file(dump, monitor);
    release(dump);
    if (result != 0) {
        /* Deleted first: on a full disk that makes room for the sentence. */
        discard_folder(dump);
        log_error(&monitor->log, "The minidump of process %d could not be written to %s: %s.",
                  (int)dump->event.pid, folder, strerror(-result));
    }
    return result;
}

int dump_name(struct dump *dump, struct monitor *monitor)
{
    const char *folder = monitor->plan.application_folder;

    int result = incoming_commit(&dump->incoming);
    if (result != 0) {
        log_error(&monitor->log, "The minidump of the report %s could not get its name in %s: %s.",
                  dump->id.text, folder, strerror(-result));
        return result;
    }
    snprintf(dump->path, sizeof(dump->path), "%s/%s/%s/%s", folder, INCOMING_FOLDER, dump->id.text,
             INCOMING_CAPTURE);
    return 0;
}

/* The engine has the lock now, or, without one, whoever finds the minidump next. */
static void let_go(struct incoming *incoming, const struct monitor *monitor)
{
    int result = incoming_unlock(incoming);

    if (result != 0) {
        log_error(&monitor->log, "The folder of the report %s could not be opened again: %s.",
                  incoming->id, strerror(-result));
    }
}

struct job *dump_report(struct incoming *incoming, struct monitor *monitor, bool at_once)
{
    struct job *job = NULL;

    /* A program that asks for more reports than engines can make must not get more engines. */
    if (!jobs_have_room(&monitor->jobs)) {
        monitor->postponed = true;
        let_go(incoming, monitor);
        return NULL;
    }
    int place = place_take(monitor->log.folder, monitor->plan.engines);
    if (place != -EAGAIN || at_once) {
        job = report_start(monitor, incoming->id, incoming->folder, place);
    } else if (!queue_add(monitor, incoming->id, incoming->folder)) {
        monitor->postponed = true;
    }
    let_go(incoming, monitor);
    return job;
}

void dump_finish(struct dump *dump, bool keep)
{
    release(dump); /* first: it is held where it has given up while it was being captured */
    if (keep) {
        incoming_close(&dump->incoming);
    } else {
        discard_folder(dump);
    }
    capture_finish(&dump->capture);
    free(dump->processors);
}
