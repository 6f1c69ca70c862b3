/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stack walk as the engine sees it: a child process finds the frames and sends them over a
 * pipe, one by one, so that those found before a hostile file ended the child, or the deadline did,
 * count. [engine]
 */
#include "core/engine/engine.h"
#include "core/engine/stackwalk.h"
#include "core/engine/unwind.h"

#include "core/util/buf.h"
#include "core/util/fs.h"
#include "core/util/text.h"
#include "core/util/time.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define WALK_TIMEOUT_US  5000000u
#define END_US           1000000u /* for a child that has said all; hostile files may have its way */
#define WALK_MEMORY      ((rlim_t)1 << 30) /* private memory: compressed sections may be bombs */
#define MAX_SYMBOL_BYTES 4096

/* What the child sends: a record per frame, followed by its symbol; then one that ends the walk. */
struct record {
    uint64_t address, lookup, symbol_offset;
    uint32_t trust; /* enum unwind_trust, or END, or CUT */
    uint32_t symbol_bytes;
};

#define WALK_END  UNWIND_TRUSTS
#define WALK_CUT  (UNWIND_TRUSTS + 1) /* there would have been more */
#define WALK_GAP  (UNWIND_TRUSTS + 2) /* so many frames, its `address`, are left out */
#define WALK_HOLE (UNWIND_TRUSTS + 3) /* so many bytes of the stack are not in the dump */

/* Of a deeper stack the report shows both ends: where it crashed, and where it came from. */
#define INNERMOST 192u
#define OUTERMOST 64u

/* ---- In the child ---- */

struct sender {
    struct stackwalk *files;
    int fd;
    uint64_t count;                      /* of frames so far */
    struct unwind_frame last[OUTERMOST]; /* behind the innermost: a ring */
};

static bool send_record(const struct sender *sender, const struct record *record,
                        const char *symbol)
{
    return fs_write_all(sender->fd, record, sizeof(*record)) == 0 &&
           fs_write_all(sender->fd, symbol, record->symbol_bytes) == 0;
}

static bool send_frame(const struct sender *sender, const struct unwind_frame *frame)
{
    struct record record = { .address = frame->address,
                             .lookup = frame->lookup,
                             .trust = frame->trust };
    const struct record hole = { .address = frame->missing, .trust = WALK_HOLE };
    const char *symbol = "";
    size_t bytes;

    if (frame->missing != 0 && !send_record(sender, &hole, "")) {
        return false;
    }
    if (stackwalk_symbol(sender->files, frame->lookup, &symbol, &record.symbol_offset)) {
        record.symbol_offset += frame->address - frame->lookup;
    }
    bytes = strcspn(symbol, "@"); /* without "@@GLIBC_2.34" */
    bytes = bytes < MAX_SYMBOL_BYTES ? bytes : MAX_SYMBOL_BYTES;
    record.symbol_bytes = (uint32_t)bytes;
    return send_record(sender, &record, symbol);
}

static bool take_frame(const struct unwind_frame *frame, void *user)
{
    struct sender *sender = user;

    if (sender->count++ < INNERMOST) {
        return send_frame(sender, frame);
    }
    sender->last[(sender->count - 1) % OUTERMOST] = *frame;
    return true;
}

static bool send_outermost(const struct sender *sender)
{
    uint64_t first = sender->count > INNERMOST + OUTERMOST ? sender->count - OUTERMOST : INNERMOST;
    struct record gap = { .trust = WALK_GAP, .address = first - INNERMOST };

    if (first > INNERMOST && !send_record(sender, &gap, "")) {
        return false;
    }
    for (uint64_t i = first; i < sender->count; i++) {
        if (!send_frame(sender, &sender->last[i % OUTERMOST])) {
            return false;
        }
    }
    return true;
}

static void limit_child(void)
{
    const struct rlimit memory = { WALK_MEMORY, WALK_MEMORY }, none = { 0, 0 };

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_DFL);
    setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__ /* whose shadow counts, too */
    setrlimit(RLIMIT_DATA, &memory);
#else
    (void)memory;
#endif
    alarm(WALK_TIMEOUT_US / 1000000 + 1); /* should the parent be stopped */
}

static void walk_in_child(const struct minidump *dump, const struct unwind_registers *registers,
                          int fd)
{
    struct sender sender = { .fd = fd };
    struct record end = { .trust = WALK_END };

    limit_child();
    sender.files = stackwalk_open(dump);
    if (sender.files == NULL) {
        _exit(1);
    }
    if (unwind_run(dump, sender.files, registers, take_frame, &sender)) {
        end.trust = WALK_CUT;
    }
    _exit(send_outermost(&sender) && send_record(&sender, &end, "") ? 0 : 1);
}

/* ---- In the engine ---- */

static void add_frame(struct engine_run *run, const struct record *record, const char *symbol)
{
    static const char *const trusts[] = { "context", "cfi", "frame-pointer", "scan" };
    const struct minidump_module *module = minidump_module_of(run->dump, record->lookup);
    struct report_frame frame = {
        .address = record->address,
        .trust = trusts[record->trust],
    };
    char name[MAX_SYMBOL_BYTES + 1];

    if (module != NULL) {
        frame.module_offset = record->address - module->base;
        frame.module_path = (char *)module->path;
        frame.module = (char *)text_base_name(module->path);
        frame.build_id = module->build_id[0] != '\0' ? (char *)module->build_id : NULL;
    }
    if (record->symbol_bytes > 0) {
        memcpy(name, symbol, record->symbol_bytes);
        name[record->symbol_bytes] = '\0';
        frame.symbol = name;
        frame.symbol_offset = record->symbol_offset;
    }
    report_add_frame(run->report, &frame);
}

/* Adds the frames that the child sent, whole ones; true when it came to its end. */
static bool add_frames(struct engine_run *run, const struct buf *sent)
{
    size_t at = 0;
    struct record record;

    while (sent->bytes - at >= sizeof(record)) {
        memcpy(&record, sent->data + at, sizeof(record));
        at += sizeof(record);
        if (record.trust == WALK_CUT) {
            report_note(run->report, "The stack has more than %d frames; the rest is not shown.",
                        UNWIND_MAX_FRAMES);
        }
        if (record.trust == WALK_GAP) {
            report_note(run->report,
                        "The %llu frames between the innermost %u and the outermost "
                        "%u are not shown.",
                        (unsigned long long)record.address, INNERMOST, OUTERMOST);
            continue;
        }
        if (record.trust == WALK_HOLE) {
            report_note(run->report,
                        "Before frame %zu some are missing: %llu bytes of the stack were not kept.",
                        run->report->frame_count, (unsigned long long)record.address);
            continue;
        }
        if (record.trust >= UNWIND_TRUSTS) {
            return record.trust == WALK_END || record.trust == WALK_CUT;
        }
        if (record.symbol_bytes > MAX_SYMBOL_BYTES || record.symbol_bytes > sent->bytes - at) {
            return false;
        }
        add_frame(run, &record, sent->data + at);
        at += record.symbol_bytes;
    }
    return false;
}

/* Until the child closes its end; false when the deadline passed first. */
static bool receive(int fd, uint64_t deadline_us, struct buf *sent)
{
    char part[16384];

    for (;;) {
        uint64_t now = time_monotonic_us();
        struct pollfd entry = { fd, POLLIN, 0 };
        ssize_t got;

        if (now >= deadline_us || poll(&entry, 1, (int)((deadline_us - now) / 1000) + 1) == 0) {
            return false;
        }
        got = read(fd, part, sizeof(part));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0 || buf_add(sent, part, (size_t)got) != 0) {
            return true;
        }
    }
}

static void note_end(struct engine_run *run, bool in_time, bool complete, int status)
{
    if (!in_time) {
        report_note(run->report, "The stack walk was ended, because it took too long.");
    } else if (WIFSIGNALED(status)) {
        report_note(run->report, "The stack walk ended early: it crashed by signal %d.",
                    WTERMSIG(status));
    } else if (!complete) {
        report_note(run->report, "The stack walk ended early.");
    }
}

static void walk(struct engine_run *run, const struct unwind_registers *registers)
{
    uint64_t deadline_us = time_monotonic_us() + WALK_TIMEOUT_US;
    bool in_time, complete;
    struct buf sent;
    int ends[2], status = 0;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        report_note(run->report, "The stack was not walked: %s.", strerror(errno));
        return;
    }
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        walk_in_child(run->dump, registers, ends[1]);
    }
    close(ends[1]);
    if (pid < 0) {
        report_note(run->report, "The stack was not walked: %s.", strerror(errno));
        close(ends[0]);
        return;
    }
    if (run->pipeline != NULL && deadline_us > run->stages_end_us) {
        deadline_us = run->stages_end_us;
    }
    buf_init(&sent, (sizeof(struct record) + MAX_SYMBOL_BYTES) * (INNERMOST + OUTERMOST + 2));
    in_time = receive(ends[0], deadline_us, &sent);
    close(ends[0]);
    engine_take_end(pid, in_time ? time_monotonic_us() + END_US : 0, &status);
    complete = add_frames(run, &sent);
    buf_finish(&sent);
    note_end(run, in_time, complete, status);
}

/* The one frame that is known without a walk. */
static void add_context_frame(struct engine_run *run, uint64_t address)
{
    struct record record = { .address = address, .lookup = address, .trust = UNWIND_CONTEXT };

    if (address != 0) {
        add_frame(run, &record, "");
    }
    report_note(run->report, "The stack was not walked: the minidump has no registers of an x86-64 "
                             "thread for it.");
}

static void walk_thread(struct engine_run *run)
{
    const struct minidump_exception *exception = minidump_exception(run->dump);
    const struct minidump_thread *thread = minidump_thread_by_id(run->dump, run->report->tid);
    struct unwind_registers registers;

    if (exception->present &&
        unwind_registers_of(run->dump, exception->context, exception->context_bytes, &registers)) {
        walk(run, &registers);
    } else if (thread != NULL &&
               unwind_registers_of(run->dump, thread->context, thread->context_bytes, &registers)) {
        walk(run, &registers);
    } else {
        add_context_frame(run, exception->present ? exception->instruction_pointer
                               : thread != NULL   ? thread->instruction_pointer
                                                  : 0);
    }
}

bool engine_walk(struct engine_run *run)
{
    if (strcmp(run->report->kind, "death") != 0) { /* then nothing is left of its threads */
        walk_thread(run);
    }
    if (report_sign(run->report) != 0) {
        report_note(run->report, "There was not enough memory for the signature.");
    }
    return true;
}
