/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes announced events, and decides when the program may go on. The slot's state word is the only
 * agreement with the program: whoever loses a compare-and-swap produces nothing. Once CAPTURED is
 * ours, a program that gave up waiting (ABANDONED) still gets its report, unless it began to write
 * its reserve; one that cancelled does not. Runs in the monitor.
 */
#include "core/monitor/crash.h"

#include "core/crash/records.h"
#include "core/minidump/format.h"
#include "core/monitor/clock.h"
#include "core/monitor/dump.h"
#include "core/monitor/end.h"
#include "core/monitor/foreign.h"
#include "core/monitor/proc.h"
#include "core/monitor/spare.h"
#include "core/monitor/sync.h"
#include "core/util/fault.h"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SHIELD_NS      (5 * CLOCK_SECOND) /* between announcement and commit, for systemd's SIGTERM */
#define LOOK_NS        (CLOCK_SECOND / 10) /* the futex does not tell when the program dies */
#define END_MS         2                   /* in which a program ends that was let go, … */
#define THREADS_PER_MS 50                  /* … and longer when it has many threads */
#define EARLY_BYTES    (256 * 1024) /* of memory: less is written as fast as a spare is made */
#define VERDICT_NS     (2 * CLOCK_SECOND) /* for a filter, which the program gives one second */

/* What has to be done before the program may go on. */
enum release_point {
    RELEASE_CAPTURED = 0,  /* all that is needed has been read */
    RELEASE_WRITTEN = 1,   /* the minidump has its final name */
    RELEASE_COMMITTED = 2, /* the report is in the spool */
};

static enum release_point choose_release(const struct monitor *monitor,
                                         const struct dump_event *event)
{
    uint32_t flags = monitor->page->client_flags;

    if (event->kind != MINIDUMP_KIND_CRASH) {
        return RELEASE_WRITTEN;
    }
    if ((flags & PAGE_IS_INIT) && !event->child) {
        return event->open ? RELEASE_WRITTEN : RELEASE_COMMITTED;
    }
    return flags & PAGE_HAS_POST_DUMP ? RELEASE_WRITTEN : RELEASE_CAPTURED;
}

static bool is_cancelled(const struct page_slot *slot)
{
    return page_state(slot) == SLOT_CANCELLED;
}

/* The wall clock's time of the announcement; a claim that is not of the last minute is not
 * believed. */
static uint64_t wall_time(uint64_t claimed_at)
{
    uint64_t now = clock_now();
    uint64_t wall = clock_read(CLOCK_REALTIME);

    return claimed_at <= now && now - claimed_at < 60 * CLOCK_SECOND ? wall - (now - claimed_at)
                                                                     : wall;
}

/* `copy` and `message` are private, and have to outlive the event. */
static struct dump_event describe(const struct page_slot *copy, enum slot_index index,
                                  const struct relative *who, const char *message)
{
    bool child = index >= SLOT_CHILD;
    bool crash = index == SLOT_CRASH || (child && copy->signal != 0);

    return (struct dump_event){
        .kind = crash ? MINIDUMP_KIND_CRASH : MINIDUMP_KIND_REQUEST,
        .pid = copy->pid,
        .tid = copy->tid,
        .process = who->process,
        .born = who->born,
        .child = child,
        .parent = child ? copy->parent : 0,
        .open = index == SLOT_CRASH && copy->outcome != OUTCOME_CERTAIN,
        .signal = crash ? copy->signal : 0,
        .context_address = copy->context_address,
        .siginfo = crash ? copy->siginfo : NULL,
        .message = index == SLOT_REQUEST ? message : "",
        .wall_ns = wall_time(copy->claimed_at),
    };
}

/* The filter's answer, or a clock's. False when the program does not want the report. A program
 * that dies while it is asked gets its report, as does one whose filter never answers. */
static bool await_verdict(int process, const struct page_slot *slot)
{
    const struct timespec look = { 0, LOOK_NS };
    const uint64_t deadline = clock_now() + VERDICT_NS;

    while (!is_cancelled(slot) && __atomic_load_n(&slot->verdict, __ATOMIC_ACQUIRE) == 0 &&
           clock_now() < deadline && !end_has_come(process)) {
        syscall(SYS_futex, &slot->verdict, FUTEX_WAIT, 0, &look, NULL, 0);
    }
    return !is_cancelled(slot);
}

static const char *explain_refusal(int result)
{
    switch (result) {
    case -ESRCH:
        return "it has ended before, or has no such thread";
    case -EINVAL:
        return "it is not the program that the monitor was started for, nor a fork child of it";
    case -EPERM:
    case -EACCES:
        return "the system does not permit it (another user's process, one that is not dumpable, "
               "one that "
               "is traced already, or Yama's ptrace_scope)";
    default:
        return strerror(-result);
    }
}

/* Starts the engine, waits for its commit if the program is held for that, has it brought to the
 * disk. */
static void hand_over(struct monitor *monitor, struct page_slot *slot, struct dump *dump,
                      pid_t spare)
{
    bool held = page_state(slot) == SLOT_CAPTURED;
    struct job *job = dump_report(&dump->incoming, monitor, held);

    fault_point("monitor.handed");
    spare_dismiss(spare);
    if (held) {
        if (job != NULL) {
            jobs_wait(&monitor->jobs, job, false);
        }
        /* Held so long is PID 1, whose end is ours, too: what is to be tidied up is so now. */
        reserve_finish(&monitor->reserve, monitor->log.folder);
        page_release(monitor->page, slot, SLOT_CAPTURED, dump->id.text, dump->path);
    }
    sync_start(monitor, &dump->incoming);
}

/* The minidump is whole under its temporary name. Whether this report is the one that is made: a
 * program that gave up waiting may be at it, or have made it, by itself. */
static bool settle(struct monitor *monitor, enum slot_index index, const struct dump_event *event)
{
    bool crash = event->kind == MINIDUMP_KIND_CRASH;

    if (crash) {
        reserve_tell_whole(&monitor->reserve);
        fault_point("monitor.written");
    }
    if (is_cancelled(&monitor->page->slots[index]) ||
        (crash && !reserve_excludes(&monitor->reserve, event->pid))) {
        return false;
    }
    fault_point("monitor.settled");
    return true;
}

/* A program that has been let go cannot make its report by itself any more, should the disk fail.
 */
static bool write_dump(struct monitor *monitor, enum slot_index index, struct dump *dump)
{
    bool written = dump_write(dump, monitor) == 0;

    if (!written && page_state(&monitor->page->slots[index]) == SLOT_RELEASED) {
        dump_rescue(dump, monitor);
    }
    return written;
}

/* The report of a child that waits no longer: the program may still need the reserve. */
static void reopen(struct monitor *monitor, enum slot_index index, const struct dump *dump)
{
    if (dump->event.child && page_state(&monitor->page->slots[index]) == SLOT_RELEASED) {
        reserve_reopen(&monitor->reserve);
    }
}

static void let_reserve_go(struct monitor *monitor, enum slot_index index, const struct dump *dump)
{
    if (dump->event.child) {
        reopen(monitor, index, dump);
    } else {
        reserve_finish(&monitor->reserve, monitor->log.folder);
    }
}

/* In the spare: the monitor is gone, and left the minidump as it is on disk. */
_Noreturn static void take_over(struct monitor *monitor, enum slot_index index, struct dump *dump)
{
    bool unnamed = incoming_is_unnamed(&dump->incoming);
    bool wanted =
        !unnamed || (write_dump(monitor, index, dump) && settle(monitor, index, &dump->event));

    log_error(&monitor->log, "The monitor ended before it was done with the report %s.",
              dump->id.text);
    if (wanted && (!unnamed || dump_name(dump, monitor) == 0)) {
        let_reserve_go(monitor, index, dump);
    }
    dump_finish(dump, wanted);
    spare_recover(monitor);
}

/* Only the program's own crash, and only what it certainly dies of: its reserve is not needed any
 * more. */
static bool keep(struct monitor *monitor, struct dump *dump)
{
    return !dump->event.child && !dump->event.open && dump_bytes(dump) < EARLY_BYTES &&
           dump_keep(dump, monitor) == 0;
}

/* Mostly the program ends now, and has to do so on processors that we want, too: a kernel in a
 * virtual machine puts its threads behind us even where others are idle, because it takes those
 * that sleep for taken away. Nobody waits for us, so it goes first. */
static void give_way(const struct dump *dump)
{
    struct pollfd program = { .fd = dump->event.process, .events = POLLIN };

    poll(&program, 1, END_MS + (int)(dump->capture.thread_count / THREADS_PER_MS));
}

/* The capture is not lost with this process any more: unless the program makes the report itself,
 * it goes on. */
static void let_go_early(struct monitor *monitor, enum slot_index index, const struct dump *dump)
{
    bool released = false;

    if (reserve_excludes(&monitor->reserve, dump->event.pid)) {
        released = page_release(monitor->page, &monitor->page->slots[index], SLOT_CAPTURED,
                                dump->id.text, "");
    }
    fault_point("monitor.released");
    if (released && !dump->event.open) {
        give_way(dump);
    }
}

/* Lets the program go before the minidump is written, if then nothing can go wrong with it: either
 * it is kept in the reserve, or there is room on the disk, and a spare that writes it if this
 * process cannot. The spare's id, or 0. */
static pid_t release_early(struct monitor *monitor, enum slot_index index, struct dump *dump)
{
    if (keep(monitor, dump)) {
        fault_point("monitor.kept");
        let_go_early(monitor, index, dump);
        return 0;
    }
    if (dump_bytes(dump) < EARLY_BYTES || !dump_has_room(dump, monitor)) {
        return 0;
    }
    pid_t spare = spare_fork(dump->incoming.file);
    if (spare < 0) {
        return 0;
    }
    if (spare == 0) {
        take_over(monitor, index, dump);
    }
    fault_point("monitor.spared");
    let_go_early(monitor, index, dump);
    return spare;
}

/* The minidump has its name. Where the program's own handler may mend the crash, it waits. */
static void pass_on(struct monitor *monitor, struct page_slot *slot, struct dump *dump, pid_t spare)
{
    if (dump->event.open) {
        provisional_begin(monitor, &dump->incoming);
        fault_point("monitor.provisional");
        spare_dismiss(spare);
    } else {
        hand_over(monitor, slot, dump, spare);
    }
}

static void answer(struct page *page, struct page_slot *slot, const struct dump *dump, bool wanted)
{
    if (page_state(slot) == SLOT_CAPTURED) {
        page_release(page, slot, SLOT_CAPTURED, wanted ? dump->id.text : "", dump->path);
        fault_point("monitor.answered");
    }
}

/* The minidump is written, or could not be: what becomes of it, of the program if it still waits,
 * and of the spare. */
static void conclude(struct monitor *monitor, enum slot_index index, struct dump *dump,
                     bool written, pid_t spare)
{
    struct page_slot *slot = &monitor->page->slots[index];
    enum release_point point = choose_release(monitor, &dump->event);
    bool wanted = written && settle(monitor, index, &dump->event);

    if (wanted && point == RELEASE_CAPTURED && reserve_exists(&monitor->reserve)) {
        answer(monitor->page, slot, dump, true); /* by the reserve `recover` could name it, too */
    }
    bool named = wanted && dump_name(dump, monitor) == 0;
    fault_point("monitor.named");
    if (point != RELEASE_COMMITTED || !named) {
        answer(monitor->page, slot, dump, wanted);
    }
    if (named) {
        pass_on(monitor, slot, dump, spare);
    } else {
        monitor->postponed = wanted || monitor->postponed; /* `recover` names it */
        spare_dismiss(spare);
    }
    reopen(monitor, index, dump);
    dump_finish(dump, wanted);
}

/* The slot is CAPTURED and `dump` holds the capture. */
static void produce(struct monitor *monitor, enum slot_index index, struct dump *dump)
{
    bool held = dump_is_held(dump); /* the program cannot answer before it goes on */
    bool written = held && dump_write(dump, monitor) == 0;
    pid_t spare = 0;

    if (dump->event.kind == MINIDUMP_KIND_CRASH &&
        !await_verdict(dump->event.process, &monitor->page->slots[index])) {
        dump_finish(dump, false);
        return;
    }
    if (!held) {
        if (choose_release(monitor, &dump->event) == RELEASE_CAPTURED) {
            spare = release_early(monitor, index, dump);
        }
        written = write_dump(monitor, index, dump);
    }
    conclude(monitor, index, dump, written, spare);
}

static void refuse(struct monitor *monitor, struct page_slot *slot, int32_t pid, int error,
                   const char *reason)
{
    if (is_cancelled(slot)) {
        return; /* nobody wants the report, so nobody misses it */
    }
    slot->error = error;
    log_error(&monitor->log, "Process %d could not be captured: %s.", (int)pid, reason);
    page_release(monitor->page, slot, SLOT_TAKEN, "", "");
}

static bool is_foreign(const struct monitor *monitor, enum slot_index index, int32_t pid)
{
    return index == SLOT_REQUEST && pid != monitor->pid;
}

/* A program with fewer rights than its monitor must not have it look into somebody else. */
static int identify(const struct monitor *monitor, enum slot_index index,
                    const struct page_slot *copy, struct relative *ret_who)
{
    bool is_program = copy->pid == monitor->pid;

    if (is_foreign(monitor, index, copy->pid)) {
        return foreign_open(monitor->pid, copy->pid, copy->tid, ret_who);
    }
    if (index < SLOT_CHILD && is_program) {
        *ret_who = (struct relative){ monitor->program, monitor->born };
        return index == SLOT_CRASH || proc_has_thread(copy->pid, copy->tid) ? 0 : -ESRCH;
    }
    if (index < SLOT_CHILD || is_program || (monitor->plan.children & PAGE_CHILDREN_OF_FORK) == 0) {
        return -EINVAL;
    }
    return family_find(&monitor->family, copy->pid, ret_who);
}

static void capture_and_produce(struct monitor *monitor, enum slot_index index,
                                const struct dump_event *event)
{
    struct page_slot *slot = &monitor->page->slots[index];
    struct dump dump;

    int result = dump_take(&dump, monitor, event);
    if (result != 0) {
        refuse(monitor, slot, event->pid, result, explain_refusal(result));
    } else if (!page_move(slot, SLOT_TAKEN, SLOT_CAPTURED)) {
        dump_finish(&dump, false);
    } else {
        fault_point("monitor.captured");
        produce(monitor, index, &dump);
    }
}

static void take(struct monitor *monitor, enum slot_index index)
{
    struct page_slot *slot = &monitor->page->slots[index];
    struct page_slot copy;
    struct relative who;
    char message[PAGE_CRASH_MESSAGE_BYTES];

    crash_copy_slot(slot, &copy);
    page_copy_text(message, sizeof(message), monitor->page->message,
                   sizeof(monitor->page->message));
    int result = identify(monitor, index, &copy, &who);
    if (result != 0) {
        refuse(monitor, slot, copy.pid, result, explain_refusal(result));
        return;
    }
    struct dump_event event = describe(&copy, index, &who, message);
    event.foreign = is_foreign(monitor, index, copy.pid);
    capture_and_produce(monitor, index, &event);
    if (who.process != monitor->program) {
        close(who.process);
    }
}

/* The first slot that is claimed: the program comes before its children. SLOT_COUNT: none is. */
static enum slot_index take_next(struct monitor *monitor)
{
    for (enum slot_index index = SLOT_CRASH; index < SLOT_COUNT; index++) {
        struct page_slot *slot = &monitor->page->slots[index];

        if (page_state(slot) == SLOT_CLAIMED) {
            fault_point("monitor.woken");
        }
        if (page_move(slot, SLOT_CLAIMED, SLOT_TAKEN)) {
            return index;
        }
    }
    return SLOT_COUNT;
}

void crash_look(struct monitor *monitor)
{
    enum slot_index index;

    /* Who claims again meanwhile announces that again. */
    for (unsigned i = 0; i < SLOT_COUNT && (index = take_next(monitor)) < SLOT_COUNT; i++) {
        fault_point("monitor.taken");
        monitor->shield_until = clock_now() + SHIELD_NS;
        take(monitor, index);
    }
}
