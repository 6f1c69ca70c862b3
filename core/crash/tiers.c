/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A crash that no monitor takes. Tier 2: a copy of this process captures it, by ptrace where that
 * is allowed, else by reading itself, and writes the minidump into the reserve. Tier 3: where no
 * copy can be made, or none comes back, the crashed thread does it, guarded against faults. Runs in
 * the crashed process; imports nothing.
 *
 * A sandbox may kill for what all this needs. Where there is one, the crashed thread first writes
 * what it can have by reading its own memory: a sparse minidump, which is what is left if nothing
 * better follows. A copy may die of whatever this system does not allow: it dies alone. It traces
 * us, so that while it hangs nobody here could look at a clock: it has a timer of its own that
 * kills it.
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
#define SPARSE_BYTES    (64u * 1024u)   /* the same of the first, sparse one */
#define RECORD_BYTES    (64u * 1024u)
#define PART_BYTES      (2u * 1024u * 1024u) /* of the scratch memory; behind three is the stack */
#define GUARDED_BYTES   (40u * 1024u)        /* of the signal stack, that writing takes at most */
#define CLOSED_FDS      16 /* a copy lets go of so many descriptors, to have some */
#define STATUS_CAPTURED 0
#define STATUS_FAILED   1

/* By which way; each works in memory of its own, which has to be clean. */
enum way {
    WAY_SPARSE = 0, /* this thread, by reading memory only */
    WAY_LIVE = 1,   /* a copy, which traces the crashed process */
    WAY_OWN = 2,    /* a copy, or this thread, captures itself */
    WAY_BLIND = 3,  /* the same, without opening anything */
};

_Static_assert(CRASH_SCRATCH_BYTES >= 3 * PART_BYTES + 128u * 1024u,
               "three parts and a stack fit the scratch memory");

/* What makes one minidump. */
struct work {
    const struct crash_handler *handler;
    const struct page *page;
    const struct crash_signal *signal;
    struct minidump_reserve *reserve; /* the handler's may become another's meanwhile */
    uint32_t complete;                /* its state then: COMPLETE or OPEN */
    const char *reason;
    uint32_t tier;
    enum way way;
    int32_t captured_pid; /* of the crashed process as a copy sees it */
    int32_t parent;       /* of the crashed process */
    int32_t result;       /* 0: complete */
    int32_t status;       /* how the last copy ended */
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

_Static_assert(CRASH_SCRATCH_BYTES > 3 * (size_t)PART_BYTES, "three parts and a stack");
_Static_assert(MINIDUMP_RESERVE_WRITING == 1, "what minidump_extra.begun makes of the state");

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
    extra.begun = &work->reserve->state;
    extra.annotations = records.annotations;
    extra.annotation_count = records.annotation_count;
    result = minidump_write_memory(capture, &extra,
                                   (unsigned char *)work->reserve - MINIDUMP_RESERVE_BYTES,
                                   MINIDUMP_RESERVE_BYTES, &bytes);
    if (result == 0) {
        work->reserve->bytes = bytes;
    }
    return result;
}

static int capture_process(const struct work *work, int32_t pid, struct capture *ret_capture)
{
    static const unsigned char care[] = { CAPTURE_BY_READING, CAPTURE_FREELY, CAPTURE_FREELY,
                                          CAPTURE_WITHOUT_FILES };
    const struct minidump_reserve *reserve = work->reserve;
    struct capture_region regions[PAGE_REGIONS];
    struct capture_request request = {
        .pid = pid,
        .tid = work->signal->tid,
        .signal = work->signal->number,
        .context_address = (uint64_t)(uintptr_t)work->signal->context,
        .siginfo = (const unsigned char *)work->signal->info,
        .memory = CAPTURE_STACKS,
        .max_bytes = work->way == WAY_SPARSE ? SPARSE_BYTES : MEMORY_BYTES,
        .stop_timeout_ns = STOP_NS,
        .regions = regions,
        .region_count = crash_copy_regions(work->page, regions),
        .scratch = work->handler->scratch,
        .scratch_bytes = PART_BYTES,
        .care = care[work->way],
    };

    if (reserve->auxv_bytes <= sizeof(reserve->auxv)) {
        request.auxv = reserve->auxv;
        request.auxv_bytes = reserve->auxv_bytes;
    }
    if (capture_length_within(reserve->exe, sizeof(reserve->exe)) < sizeof(reserve->exe)) {
        request.exe = reserve->exe;
    }
    if (pid != work->captured_pid) {
        request.copied_pid = work->captured_pid;
    }
    if (request.scratch != NULL) {
        /* Clean are: all but the first in a copy, until it has traced in vain; all but the first
         * here, where the copies have worked in theirs. */
        size_t part = work->way == WAY_SPARSE ? 0 : pid == work->captured_pid ? 1 : 2;

        request.scratch = (unsigned char *)request.scratch + part * PART_BYTES;
    }
    return capture_begin(ret_capture, &request);
}

static void set_state(struct minidump_reserve *reserve, uint32_t state)
{
    __atomic_store_n(&reserve->state, state, __ATOMIC_RELEASE);
    sys_futex_wake(&reserve->state, 1);
}

static void make_dump(void *argument)
{
    struct work *work = argument;
    struct capture capture;
    int result = -EPERM;

    if (work->way == WAY_LIVE) {
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
        set_state(work->reserve,
                  work->way == WAY_SPARSE ? MINIDUMP_RESERVE_SPARSE : work->complete);
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
static int await_copy(struct work *work, int pid)
{
    uint64_t deadline = crash_now() + COPY_NS;
    int killed = 0;

    work->status = 0;
    for (;;) {
        uint32_t state = state_of(work->reserve);
        int result = sys_wait4(pid, &work->status, WNOHANG | __WALL, NULL);

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
        if (state != work->complete) {
            sys_futex_wait(&work->reserve->state, state, LOOK_NS);
        } else {
            sys_nanosleep(LOOK_NS / 20); /* it only has to end */
        }
    }
}

/* 0 complete; -ECHILD: another way may do; -EBUSY: nothing more can be done; else what clone()
 * said.
 */
static int try_copy(struct work *work, enum way way)
{
    int pid, gone;

    work->way = way;
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
    if (state_of(work->reserve) == work->complete) {
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
        result = try_copy(work, WAY_LIVE);
    }
    if (result == -ECHILD) {
        result = try_copy(work, WAY_OWN);
    }
    return result == -ECHILD && (work->status & 0x7f) == SIGSYS ? try_copy(work, WAY_BLIND)
                                                                : result;
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

int crash_is_filtered(void)
{
    return sys_prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 0;
}

/* By the crashed thread, on the signal stack or, where that is too small, on one of our own: there
 * nothing guards it. */
static void make_here(struct work *work, enum way way)
{
    void *stack = scratch_stack(work->handler);

    work->tier = 3;
    work->way = way;
    work->captured_pid = work->signal->pid;
    if (has_room() || stack == NULL) {
        crash_call_guarded(make_dump, work, work->signal, way != WAY_SPARSE);
    } else if (way != WAY_SPARSE) {
        crash_call_on_stack(make_dump, work, stack);
    }
}

static void make_alone(struct work *work, const char *reason, int error)
{
    char whole[CRASH_REASON_BYTES + 96];

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
    /* A filter for system calls would end all, not a copy. */
    make_here(work, crash_is_filtered() ? WAY_BLIND : WAY_OWN);
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
    if (handler->reserve != NULL && outcome > OUTCOME_CALLED) {
        move(about(handler), MINIDUMP_RESERVE_OPEN,
             outcome == OUTCOME_DIED ? MINIDUMP_RESERVE_COMPLETE : MINIDUMP_RESERVE_EMPTY);
    }
}

/* The copies' work, and this thread's where they cannot be had. False: no minidump came of it. */
static int make_report(struct work *work)
{
    int result = -ENOSYS;

    if (crash_is_filtered()) {
        make_here(work, WAY_SPARSE);
    }
    if (crash_state.test_tier != CRASH_TEST_HANDLER) {
        result = make_copies(work);
    }
    if (result != 0 && result != -EBUSY) {
        make_alone(work, work->reason, result);
    }
    if (state_of(work->reserve) == MINIDUMP_RESERVE_SPARSE) {
        set_state(work->reserve, work->complete);
    }
    return state_of(work->reserve) == work->complete;
}

int crash_write_reserve(struct crash_handler *handler, struct page *page, struct page_slot *slot,
                        const struct crash_signal *signal, const char *reason)
{
    struct work work = {
        .handler = handler, .page = page, .signal = signal, .reason = reason, .parent = slot->parent
    };
    int made;

    if (handler->reserve == NULL) {
        crash_map_reserve(handler, page);
    }
    if (handler->reserve == NULL) {
        return 0;
    }
    work.reserve = about(handler);
    if (!claim(work.reserve)) {
        return 0;
    }
    work.complete =
        slot->outcome == OUTCOME_OPEN ? MINIDUMP_RESERVE_OPEN : MINIDUMP_RESERVE_COMPLETE;
    __atomic_store_n(&work.reserve->writer, signal->pid, __ATOMIC_RELEASE);
    made = make_report(&work);
    handler->scratch = NULL; /* not clean any more, should the program live on */
    if (!made) {
        return 0;
    }
    capture_copy_text(slot->id, sizeof(slot->id), work.reserve->id);
    capture_copy_text(page_path(page, slot), PAGE_PATH_BYTES, page->plan.reserve);
    slot->success = 1;
    crash_announce(page); /* a monitor that lives makes it a report at once */
    return 1;
}
