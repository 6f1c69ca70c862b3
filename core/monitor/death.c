/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judges an end and makes its report: the capture of a process that is not there any more, with
 * one thread without registers, because readers want one. Runs in the monitor.
 */
#include "core/monitor/death.h"

#include "core/minidump/format.h"
#include "core/monitor/clock.h"
#include "core/monitor/dump.h"
#include "core/monitor/proc.h"
#include "core/monitor/sync.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SHIELD_NS     (5 * CLOCK_SECOND)
#define CAPTURE_BYTES ((size_t)64 << 20)
#define FILE_BYTES    8192
#define MAX_FILES     8

/* enum cairn_value_type of plugin.h, of which the monitor knows nothing else. */
enum value_type { VALUE_STRING = 1, VALUE_INTEGER = 2, VALUE_BOOL = 4 };

/* ---- Judging ---- */

/* Which of the configuration's words the end falls under; 0: it is an orderly one. */
static uint32_t classify(const struct monitor *monitor, const struct death *death, bool stopping)
{
    const struct end *end = &death->end;

    switch (end->how) {
    case END_EXITED:
        return end->status != 0 ? PLAN_EXIT : 0;
    case END_SIGNALLED:
        return end->signal == SIGKILL || (monitor->plan.signals & 1ull << (end->signal - 1)) != 0
                   ? PLAN_KILLED
                   : PLAN_SIGNALLED;
    default:
        if (death->out_of_memory) {
            return PLAN_KILLED | PLAN_UNKNOWN;
        }
        /* Whoever stops the monitor, a service manager say, has stopped the program too. */
        return stopping ? 0 : PLAN_UNKNOWN;
    }
}

/* A crash that became a report, or that the program itself did not want to be one. */
static bool is_settled(struct monitor *monitor, const struct end *end)
{
    const struct page_slot *slot = &monitor->page->slots[SLOT_CRASH];
    enum slot_state state = page_state(slot);

    if (state == SLOT_CANCELLED && end->how == END_SIGNALLED && end->signal == slot->signal) {
        return true;
    }
    if (state == SLOT_RELEASED && *(const volatile char *)slot->id != '\0') {
        return true;
    }
    return monitor->reserve.about != NULL && reserve_has_crash(&monitor->reserve, monitor->pid);
}

/* The count tells of the group, or of the machine, not of the process; but it was killed. */
static bool ran_out_of_memory(const struct death *death)
{
    const struct cgroup_facts *facts = &death->cgroup;
    uint64_t kills = facts->oom_kills != CGROUP_NONE ? facts->oom_kills : facts->machine_oom_kills;
    bool killed = death->end.how == END_UNKNOWN ||
                  (death->end.how == END_SIGNALLED && death->end.signal == SIGKILL);

    return killed && kills != CGROUP_NONE && kills > 0;
}

static uint64_t uptime(uint64_t born)
{
    long ticks = sysconf(_SC_CLK_TCK);
    uint64_t now = clock_read(CLOCK_BOOTTIME), start;

    if (born == 0 || ticks <= 0 ||
        __builtin_mul_overflow(born, CLOCK_SECOND / (uint64_t)ticks, &start) || start > now) {
        return 0;
    }
    return now - start;
}

void death_find_out(const struct monitor *monitor, struct death *ret_death)
{
    uint32_t mark = __atomic_load_n(&monitor->page->exited, __ATOMIC_ACQUIRE);
    struct death death = {
        .end = end_read(monitor->program, monitor->pid, monitor->born, mark),
        .uptime_ns = uptime(monitor->born),
        .left_by_exit = (mark & (PAGE_EXITED | PAGE_EXITED_AT_ONCE)) == PAGE_EXITED,
    };

    cgroup_read(&monitor->cgroup, &death.cgroup);
    death.out_of_memory = ran_out_of_memory(&death);
    *ret_death = death;
}

/* ---- What the report says ---- */

static const char *cause_of(const struct death *death)
{
    static const char *const causes[] = {
        [END_UNKNOWN] = "unknown", [END_EXITED] = "exit", [END_SIGNALLED] = "signal"
    };

    return death->out_of_memory ? "oom-killer" : causes[death->end.how];
}

void death_explain(const struct death *death, char *ret_text, size_t capacity)
{
    const struct end *end = &death->end;
    const char *name = end->how == END_SIGNALLED ? sigabbrev_np(end->signal) : NULL;

    if (death->out_of_memory) {
        snprintf(ret_text, capacity, "killed by the kernel, which ran out of memory");
    } else if (end->how == END_SIGNALLED && end->signal == SIGKILL) {
        snprintf(ret_text, capacity, "killed by SIGKILL");
    } else if (name != NULL) {
        snprintf(ret_text, capacity, "ended by SIG%s, which no handler saw", name);
    } else if (end->how == END_SIGNALLED) {
        snprintf(ret_text, capacity, "ended by signal %d, which no handler saw", end->signal);
    } else if (end->how == END_EXITED) {
        snprintf(ret_text, capacity, "exit status %d%s", end->status,
                 death->left_by_exit ? "" : ", without exit()");
    } else {
        snprintf(ret_text, capacity, "ended without a sign of why");
    }
}

static void add_fact(struct crash_records *records, const char *name, uint32_t type, uint64_t bits,
                     const char *text)
{
    const struct minidump_record_annotation head = {
        .type = type,
        .name_bytes = (uint32_t)strlen(name),
        .bits = bits,
        .value_bytes = (uint32_t)strlen(text),
    };

    minidump_records_add(&records->records, MINIDUMP_RECORD_ANNOTATION, &head, sizeof(head), name,
                         head.name_bytes, text, head.value_bytes);
}

/* A size or a count; what is not known is left out. */
static void add_number(struct crash_records *records, const char *name, uint64_t number)
{
    if (number <= INT64_MAX) {
        add_fact(records, name, VALUE_INTEGER, number, "");
    }
}

void death_add_records(const struct death *death, struct crash_records *records)
{
    char reason[128];

    death_explain(death, reason, sizeof(reason));
    minidump_records_text(&records->records, MINIDUMP_RECORD_REASON, reason);
    add_fact(records, "death.cause", VALUE_STRING, 0, cause_of(death));
    if (death->end.how == END_EXITED) {
        add_number(records, "death.exit_status", (uint64_t)death->end.status);
    }
    if (death->end.how != END_UNKNOWN) {
        add_fact(records, "death.exit_called", VALUE_BOOL, death->left_by_exit, "");
    }
    if (death->end.how == END_SIGNALLED) {
        add_fact(records, "death.core_dumped", VALUE_BOOL, death->end.dumped, "");
    }
    if (death->uptime_ns != 0) {
        add_number(records, "death.uptime_ms", death->uptime_ns / CLOCK_MILLISECOND);
    }
    add_number(records, "death.cgroup.memory.current", death->cgroup.current);
    add_number(records, "death.cgroup.memory.peak", death->cgroup.peak);
    add_number(records, "death.cgroup.memory.limit", death->cgroup.limit);
    add_number(records, "death.cgroup.oom_kills", death->cgroup.oom_kills);
    add_number(records, "death.system.oom_kills", death->cgroup.machine_oom_kills);
}

/* ---- The capture of what is gone ---- */

static void add_file(struct capture *capture, const char *name, const char *text, size_t bytes)
{
    char *copy = arena_text(&capture->arena, text, bytes);

    if (copy != NULL && capture->file_count < MAX_FILES) {
        capture->files[capture->file_count++] = (struct capture_file){ name, copy, bytes };
    }
}

/* Of a process that has ended and was not collected yet. */
static void add_process_file(struct capture *capture, const char *name)
{
    char text[FILE_BYTES];
    ssize_t bytes = proc_read(capture->request.pid, name, text, sizeof(text));

    if (bytes > 0) {
        add_file(capture, name, text, (size_t)bytes);
    }
}

/* Whose process it was is needed by match: user, and for attachments. Root may have become somebody
 * else since, and must not have files opened with rights that it had given up: so of a program that
 * root started, and that is gone, no group is told, and nothing is attached. */
static void add_status(struct capture *capture)
{
    char text[512];
    unsigned user = getuid(), group = getgid();
    int bytes =
        snprintf(text, sizeof(text), "Name:\t%.16s\nTgid:\t%d\nUid:\t%u\t%u\t%u\t%u\n",
                 capture->threads[0].name, (int)capture->request.pid, user, user, user, user);

    if (user != 0 && geteuid() == user) {
        bytes += snprintf(text + bytes, sizeof(text) - (size_t)bytes, "Gid:\t%u\t%u\t%u\t%u\n",
                          group, group, group, group);
    }
    add_file(capture, "status", text, (size_t)bytes);
}

static bool is_same(const struct monitor *monitor)
{
    return end_may_look() && monitor->born != 0 && identity_read(monitor->pid) == monitor->born;
}

static void add_files(struct capture *capture, const struct monitor *monitor)
{
    static const char names[][16] = { "stat", "status", "cgroup", "limits", "oom_score_adj" };

    if (is_same(monitor)) {
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            add_process_file(capture, names[i]);
        }
    }
    if (!is_same(monitor)) { /* collected meanwhile: what was read may be another's */
        capture->file_count = 0;
        add_file(capture, "stat", monitor->first_stat, strlen(monitor->first_stat));
        add_status(capture);
    }
    add_file(capture, "exe", monitor->settings.executable, strlen(monitor->settings.executable));
}

static void name_thread(struct capture_thread *thread, const char *executable)
{
    const char *slash = strrchr(executable, '/');

    snprintf(thread->name, sizeof(thread->name), "%.15s", slash != NULL ? slash + 1 : executable);
}

static bool capture_remains(struct capture *capture, const struct monitor *monitor,
                            const struct end *end)
{
    memset(capture, 0, sizeof(*capture));
    capture->request.pid = capture->request.tid = monitor->pid;
    capture->request.signal = end->signal;
    capture->request.siginfo = capture->siginfo;
    capture->through = monitor->pid;
    capture->task_folder = capture->memory_fd = -1;
    arena_init(&capture->arena, CAPTURE_BYTES);
    capture->threads = arena_array(&capture->arena, 1, sizeof(*capture->threads));
    capture->files = arena_array(&capture->arena, MAX_FILES, sizeof(*capture->files));
    if (capture->threads == NULL || capture->files == NULL) {
        arena_finish(&capture->arena);
        return false;
    }
    capture->threads[0].tid = monitor->pid;
    capture->thread_count = 1;
    name_thread(&capture->threads[0], monitor->settings.executable);
    add_files(capture, monitor);
    capture_note(capture, "The process had ended when it was looked at: there are no registers, no "
                          "stacks and no modules.");
    return true;
}

/* ---- The report ---- */

/* A crash that nobody could finish to report, because the program was ended meanwhile. */
static void note_crash(struct capture *capture, const struct monitor *monitor)
{
    struct page_slot copy;

    crash_copy_slot(&monitor->page->slots[SLOT_CRASH], &copy);
    if ((copy.state != SLOT_IDLE && copy.state != SLOT_CANCELLED) ||
        reserve_is_begun(&monitor->reserve, monitor->pid)) {
        capture_note(capture,
                     "It was ended while its crash by signal %d in thread %d was being "
                     "reported.",
                     (int)copy.signal, (int)copy.tid);
    }
}

static void report(struct monitor *monitor, const struct death *death)
{
    const struct dump_event event = {
        .kind = MINIDUMP_KIND_DEATH,
        .pid = monitor->pid,
        .tid = monitor->pid,
        .signal = death->end.signal,
        .message = "",
        .wall_ns = clock_read(CLOCK_REALTIME),
    };
    struct dump dump;

    dump_begin(&dump, &event);
    dump.death = death;
    if (!capture_remains(&dump.capture, monitor, &death->end)) {
        log_error(&monitor->log, "There was no memory to report the end of process %d.",
                  (int)monitor->pid);
        return;
    }
    note_crash(&dump.capture, monitor);
    bool named = dump_write(&dump, monitor) == 0 && dump_name(&dump, monitor) == 0;
    if (named) {
        dump_report(&dump.incoming, monitor, false);
        sync_start(monitor, &dump.incoming);
    }
    dump_finish(&dump, named);
}

void death_look(struct monitor *monitor, bool stopping)
{
    struct death death;

    uint32_t mark = __atomic_load_n(&monitor->page->exited, __ATOMIC_ACQUIRE);

    if (monitor->plan.deaths == 0 || (mark & PAGE_BECOMES) != 0) {
        return;
    }
    death_find_out(monitor, &death);
    if ((classify(monitor, &death, stopping) & monitor->plan.deaths) == 0 ||
        is_settled(monitor, &death.end)) {
        return;
    }
    monitor->shield_until = clock_now() + SHIELD_NS;
    report(monitor, &death);
}
