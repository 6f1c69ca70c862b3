/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A crash that no monitor takes. Tier 2: a copy of this process captures it, by ptrace where that
 * is allowed, else by reading itself, and writes the minidump into the reserve. Tier 3: where no
 * copy can be made, or none comes back, the crashed thread does it, guarded against faults. Runs in
 * the crashed process; imports nothing.
 *
 * A copy may die of whatever this system does not allow: it dies alone. It traces us, so that while
 * it hangs nobody here could look at a clock: it has a timer of its own that kills it.
 */
#include "core/capture/text.h"
#include "core/crash/parts.h"
#include "core/crash/records.h"
#include "core/minidump/format.h"
#include "core/minidump/writer.h"

#include <linux/signal.h>

#define COPY_NS         (2500 * 1000000ull) /* for one copy to finish */
#define COPY_TIMER_US   2000000             /* after which it ends itself */
#define KILL_NS         (200 * 1000000ull)  /* for a killed one to be gone */
#define LOOK_NS         (5 * 1000000ull)
#define STOP_NS         SYS_NANOSECONDS /* for all threads to stop */
#define MEMORY_BYTES    (224u * 1024u)  /* of the reserve, for stacks and regions */
#define RECORD_BYTES    (64u * 1024u)
#define STACK_BYTES     (128u * 1024u) /* of the scratch memory */
#define GUARDED_BYTES   (40u * 1024u)  /* of the signal stack, that writing takes at most */
#define CLOSED_FDS      16             /* a copy lets go of so many descriptors, to have some */
#define STATUS_CAPTURED 0
#define STATUS_FAILED   1

/* What makes one minidump. */
struct work {
    const struct crash_handler *handler;
    const struct page *page;
    const struct crash_signal *signal;
    struct minidump_reserve *reserve;
    const char *reason;
    uint32_t tier;
    uint32_t live;        /* try ptrace first */
    int32_t captured_pid; /* of the crashed process as a copy sees it */
    int32_t parent;       /* of the crashed process */
    int32_t result;       /* 0: complete */
};

static struct minidump_reserve *about(const struct crash_handler *handler)
{
    return (struct minidump_reserve *)((unsigned char *)handler->reserve + MINIDUMP_RESERVE_BYTES);
}

static uint32_t state_of(const struct minidump_reserve *reserve)
{
    return __atomic_load_n(&reserve->state, __ATOMIC_ACQUIRE);
}

/* The 16 bytes of a UUID's text; zeros for another text. */
static void parse_id(const char *text, unsigned char ret_bytes[16])
{
    unsigned count = 0;

    capture_fill(ret_bytes, 0, 16);
    for (const char *at = text; *at != '\0' && count < 32; at++) {
        const char *from = at;
        uint64_t digit;

        if (*at != '-' && capture_parse_hex(&from, at + 1, &digit)) {
            ret_bytes[count / 2] |= (unsigned char)(digit << (count % 2 == 0 ? 4 : 0));
            count++;
        }
    }
}

/* ---- One minidump, by whoever runs this ---- */

static int write_dump(const struct work *work, struct capture *capture)
{
    struct minidump_extra extra = { .annotation_count = 0 };
    struct crash_records records;
    struct crash_event event = {
        .tier = work->tier,
        .kind = MINIDUMP_KIND_CRASH,
        .pid = (uint32_t)work->signal->pid,
        .child = crash_state.child,
        .parent = (uint32_t)work->parent,
        .wall_ns = sys_now(CLOCK_REALTIME),
        .message = capture->message,
        .tier_reason = work->reason,
        .max_bytes = RECORD_BYTES,
    };
    char id[sizeof(work->reserve->id)];
    size_t bytes;
    int result;

    capture_copy_text(id, sizeof(id), work->reserve->id);
    event.id = id;
    parse_id(id, extra.report_id);
    crash_records_build(work->page, &event, &capture->arena, &records);
    extra.records = &records.records;
    extra.annotations = records.annotations;
    extra.annotation_count = records.annotation_count;
    result = minidump_write_memory(capture, &extra, work->handler->reserve, MINIDUMP_RESERVE_BYTES,
                                   &bytes);
    if (result == 0) {
        work->reserve->bytes = bytes;
    }
    return result;
}

static int capture_process(const struct work *work, int32_t pid, struct capture *ret_capture)
{
    struct capture_region regions[PAGE_REGIONS];
    struct capture_request request = {
        .pid = pid,
        .tid = work->signal->tid,
        .signal = work->signal->number,
        .context_address = (uint64_t)(uintptr_t)work->signal->context,
        .siginfo = (const unsigned char *)work->signal->info,
        .memory = CAPTURE_STACKS,
        .max_bytes = MEMORY_BYTES,
        .stop_timeout_ns = STOP_NS,
        .regions = regions,
        .region_count = crash_copy_regions(work->page, regions),
        .scratch = work->handler->scratch,
        .scratch_bytes = CRASH_SCRATCH_BYTES / 2 - STACK_BYTES,
    };

    if (pid != work->captured_pid) {
        request.copied_pid = work->captured_pid;
    }
    /* One half may be used already, and it has to be clean. */
    if (request.scratch != NULL && pid == sys_getpid()) {
        request.scratch = (unsigned char *)request.scratch + CRASH_SCRATCH_BYTES / 2;
    }
    return capture_begin(ret_capture, &request);
}

static void make_dump(void *argument)
{
    struct work *work = argument;
    struct capture capture;
    int result = -EPERM;

    if (work->live) {
        result = capture_process(work, work->captured_pid, &capture);
    }
    if (result < 0) {
        result = capture_process(work, sys_getpid(), &capture);
    }
    if (result == 0) {
        capture_release(&capture);
        result = write_dump(work, &capture);
    }
    work->result = result;
    if (result == 0) {
        __atomic_store_n(&work->reserve->state, MINIDUMP_RESERVE_COMPLETE, __ATOMIC_RELEASE);
        sys_futex_wake(&work->reserve->state, 1);
    }
}

static void *scratch_stack(const struct crash_handler *handler)
{
    return handler->scratch != NULL ? (unsigned char *)handler->scratch + CRASH_SCRATCH_BYTES
                                    : NULL;
}

/* ---- Tier 2 ---- */

/* Ends this copy after a while, whatever it does then. */
static void start_timer(void)
{
    const struct sigaction none = { .sa_flags = SA_RESTORER, .sa_restorer = sys_restore_rt };
    const uint64_t alarm = CRASH_BIT(SIGALRM);
    const struct itimerval time = { { 0, 0 },
                                    { COPY_TIMER_US / 1000000, COPY_TIMER_US % 1000000 } };

    sys_rt_sigaction(SIGALRM, &none, NULL);
    sys_rt_sigprocmask(SIG_UNBLOCK, &alarm, NULL);
    sys_call(__NR_setitimer, ITIMER_REAL, &time, NULL);
}

static _Noreturn void be_the_copy(struct work *work)
{
    void *stack = scratch_stack(work->handler);

    start_timer();
    /* The program may have used up all that it may have. */
    for (int fd = 3; fd < 3 + CLOSED_FDS; fd++) {
        sys_close(fd);
    }
    if (stack != NULL) {
        crash_call_on_stack(make_dump, work, stack);
    } else {
        make_dump(work);
    }
    sys_exit_group(work->result == 0 ? STATUS_CAPTURED : STATUS_FAILED);
}

/* Waits for the copy's end; kills it when it is late. False: not even that ended it. */
static int await_copy(const struct work *work, int pid)
{
    uint64_t deadline = crash_now() + COPY_NS;
    int killed = 0, status;

    for (;;) {
        int result = sys_wait4(pid, &status, WNOHANG | __WALL, NULL);

        if (result != 0 && result != -EINTR) {
            return 1; /* somebody else may have waited for it */
        }
        if (crash_now() >= deadline) {
            if (killed) {
                return 0;
            }
            sys_kill(pid, SIGKILL);
            killed = 1;
            deadline = crash_now() + KILL_NS;
        }
        if (state_of(work->reserve) == MINIDUMP_RESERVE_WRITING) {
            sys_futex_wait(&work->reserve->state, MINIDUMP_RESERVE_WRITING, LOOK_NS);
        } else {
            sys_nanosleep(LOOK_NS / 20); /* it only has to end */
        }
    }
}

/* 0 complete; -ECHILD: another way may do; -EBUSY: nothing more can be done; else what clone()
 * said.
 */
static int try_copy(struct work *work, uint32_t live)
{
    int pid, gone;

    work->live = live;
    work->captured_pid = work->signal->pid;
    /* No signal at its end, and no debugger of ours gets it. */
    pid = sys_clone(CLONE_UNTRACED, NULL, NULL, NULL, NULL);
    if (pid == 0) {
        be_the_copy(work);
    }
    if (pid < 0) {
        return pid;
    }
    gone = await_copy(work, pid);
    if (state_of(work->reserve) == MINIDUMP_RESERVE_COMPLETE) {
        return 0;
    }
    return gone ? -ECHILD : -EBUSY;
}

static int make_copies(struct work *work)
{
    int result = -ECHILD;

    work->tier = 2;
    /* Where Yama guards ptrace, a child has no right to trace its parent. */
    sys_prctl(PR_SET_PTRACER, ~0ul, 0, 0, 0);
    if (crash_state.test_tier != CRASH_TEST_COPY_ONLY) {
        result = try_copy(work, 1);
    }
    return result == -ECHILD ? try_copy(work, 0) : result;
}

/* ---- Tier 3 ---- */

/* A fault on another stack than the signal stack would be delivered on top of our own frames. */
static int has_room(void)
{
    uint64_t here = (uint64_t)(uintptr_t)__builtin_frame_address(0);
    stack_t stack;

    return sys_sigaltstack(NULL, &stack) < 0 || (stack.ss_flags & SS_ONSTACK) == 0 ||
           here - (uint64_t)(uintptr_t)stack.ss_sp >= GUARDED_BYTES;
}

static void make_alone(struct work *work, const char *reason, int error)
{
    char whole[CRASH_REASON_BYTES + 96];
    void *stack = scratch_stack(work->handler);

    if (crash_state.test_tier == CRASH_TEST_HANDLER) {
        capture_copy_text(whole, sizeof(whole), reason);
    } else if (error == -ECHILD) {
        capture_format(whole, sizeof(whole), "%s A copy of the process did not report it either.",
                       reason);
    } else {
        capture_format(whole, sizeof(whole),
                       "%s A copy of the process could not be made (error %d).", reason, -error);
    }
    work->reason = whole;
    work->tier = 3;
    work->live = 0;
    work->captured_pid = work->signal->pid;
    work->result = -EFAULT;
    if (has_room() || stack == NULL) {
        crash_call_guarded(make_dump, work, work->signal);
    } else {
        crash_call_on_stack(make_dump, work, stack);
    }
}

/* ---- Both ---- */

static int move(struct minidump_reserve *reserve, uint32_t from, uint32_t to)
{
    return __atomic_compare_exchange_n(&reserve->state, &from, to, 0, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

/* True for whoever may write it. */
static int claim(struct minidump_reserve *reserve)
{
    return reserve->magic == MINIDUMP_RESERVE_MAGIC &&
           reserve->version == MINIDUMP_RESERVE_VERSION &&
           move(reserve, MINIDUMP_RESERVE_EMPTY, MINIDUMP_RESERVE_WRITING);
}

void crash_settle_reserve(struct crash_handler *handler, uint32_t outcome)
{
    if (handler->reserve != NULL) {
        move(about(handler), MINIDUMP_RESERVE_OPEN,
             outcome == OUTCOME_RECOVERED ? MINIDUMP_RESERVE_EMPTY : MINIDUMP_RESERVE_COMPLETE);
    }
}

int crash_write_reserve(struct crash_handler *handler, struct page *page, struct page_slot *slot,
                        const struct crash_signal *signal, const char *reason)
{
    struct work work = { .handler = handler, .page = page, .signal = signal, .reason = reason,
                         .parent = slot->parent };
    int result = -ENOSYS;

    if (handler->reserve == NULL) {
        crash_map_reserve(handler, page);
    }
    if (handler->reserve == NULL || !claim(about(handler))) {
        return 0;
    }
    work.reserve = about(handler);
    if (handler->words != NULL) {
        work.page = handler->words;
    }
    __atomic_store_n(&work.reserve->writer, signal->pid, __ATOMIC_RELEASE);
    if (crash_state.test_tier != CRASH_TEST_HANDLER) {
        result = make_copies(&work);
    }
    if (result != 0 && result != -EBUSY) {
        make_alone(&work, reason, result);
    }
    handler->scratch = NULL; /* not clean any more, should the program live on */
    if (state_of(work.reserve) != MINIDUMP_RESERVE_COMPLETE) {
        return 0;
    }
    capture_copy_text(slot->id, sizeof(slot->id), work.reserve->id);
    capture_copy_text(slot->path, sizeof(slot->path), page->plan.reserve);
    slot->success = 1;
    if (signal->outcome == OUTCOME_OPEN) {
        move(work.reserve, MINIDUMP_RESERVE_COMPLETE, MINIDUMP_RESERVE_OPEN);
    }
    crash_announce(page); /* a monitor that lives makes it a report at once */
    return 1;
}
