/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stops the threads of a process by ptrace, reads their registers, and lets them go. Runs in the
 * monitor and in the clone of a crashed program; imports nothing.
 *
 * All threads are seized and interrupted in one pass before the first one is waited for, so that
 * they stop at the same time. Threads that were born meanwhile are found by listing again until
 * nothing is new. There is no wait for "a tracee, but at most so long"; the wait is for SIGCHLD,
 * which the kernel sends at each stop, with a timeout that also covers a caller whose SIGCHLD goes
 * elsewhere.
 */
#include "core/capture/parts.h"

#include "core/capture/sys.h"
#include "core/capture/text.h"

#define MAX_THREADS      32768u
#define LEAST_ROOM       32u
#define MAX_PASSES       16
#define LIST_BYTES       ((size_t)32 << 10)
#define FIRST_PAUSE_NS   50000ull
#define LONGEST_PAUSE_NS 2000000ull
#define LOOK_AFTER_NS    10000000ull /* not stopped by then: is there a reason that will last? */

/* Whose threads these are: a copy has but one of its own. */
static int32_t owner(const struct capture *capture)
{
    return capture->request.copied_pid != 0 ? capture->request.copied_pid : capture->request.pid;
}

/* What is known while the threads are listed. */
struct listing {
    unsigned char *buffer; /* of LIST_BYTES */
    size_t capacity;       /* of capture->threads */
    size_t position;       /* in this pass */
    int32_t highest;       /* of the ids so far */
};

/* Ids mostly ascend, and come in the same order again: it is rare that all have to be looked at. */
static bool is_known(const struct capture *capture, const struct listing *listing, int32_t tid)
{
    size_t hint = listing->position;

    if (tid > listing->highest) {
        return false;
    }
    if (hint < capture->thread_count && capture->threads[hint].tid == tid) {
        return true;
    }
    for (size_t i = 0; i < capture->thread_count; i++) {
        if (capture->threads[i].tid == tid) {
            return true;
        }
    }
    return false;
}

/* Makes room for more threads; false without memory. */
static bool make_room(struct capture *capture, struct listing *listing, size_t wanted)
{
    struct capture_thread *threads =
        arena_resize(&capture->arena, capture->threads, listing->capacity * sizeof(*threads),
                     wanted * sizeof(*threads));

    if (threads == NULL) {
        return false;
    }
    capture->threads = threads;
    listing->capacity = wanted;
    return true;
}

static struct capture_thread *add_thread(struct capture *capture, struct listing *listing,
                                         int32_t tid)
{
    size_t capacity = listing->capacity;
    struct capture_thread *thread;

    if (capture->thread_count == MAX_THREADS ||
        (capture->thread_count == capacity &&
         !make_room(capture, listing, capacity < LEAST_ROOM ? LEAST_ROOM : capacity * 2))) {
        return NULL;
    }
    thread = &capture->threads[capture->thread_count++];
    thread->tid = tid;
    listing->highest = tid > listing->highest ? tid : listing->highest;
    return thread;
}

/* The folder has a link per thread besides its own two: so much room is enough, mostly. */
static void expect_threads(struct capture *capture, struct listing *listing)
{
    struct stat status = { 0 };

    if (sys_fstat(capture->task_folder, &status) == 0 && status.st_nlink > LEAST_ROOM) {
        make_room(capture, listing, status.st_nlink < MAX_THREADS ? status.st_nlink : MAX_THREADS);
    }
}

static void seize(struct capture *capture, struct capture_thread *thread)
{
    long result;

    if (capture->own) {
        thread->state = THREAD_REFUSED;
        return;
    }
    result = sys_ptrace(PTRACE_SEIZE, thread->tid, 0, NULL);

    if (result == 0) {
        thread->state = THREAD_SEIZED;
        capture->attached++;
        sys_ptrace(PTRACE_INTERRUPT, thread->tid, 0, NULL);
    } else {
        thread->state = result == -ESRCH ? THREAD_GONE : THREAD_REFUSED;
    }
}

/* Seizes the threads in the buffer of directory entries; how many were new. */
static size_t seize_listed(struct capture *capture, struct listing *listing, size_t bytes)
{
    size_t found = 0;

    for (size_t at = 0; at + sizeof(struct sys_dirent) < bytes;) {
        const struct sys_dirent *entry = (const struct sys_dirent *)(listing->buffer + at);
        const char *name = entry->name;
        uint64_t tid;

        at += entry->bytes;
        if (entry->bytes <= sizeof(*entry) ||
            !capture_parse_decimal(&name, name + capture_length_within(name, 10), &tid)) {
            continue;
        }
        if (!is_known(capture, listing, (int32_t)tid)) {
            struct capture_thread *thread = add_thread(capture, listing, (int32_t)tid);

            if (thread == NULL) {
                return found;
            }
            seize(capture, thread);
            found++;
        }
        listing->position++;
    }
    return found;
}

/* One pass over /proc/PID/task; how many threads were new, or a negative errno. */
static long seize_new(struct capture *capture, struct listing *listing)
{
    size_t found = 0;
    long bytes;

    listing->position = 0;
    if (sys_lseek(capture->task_folder, 0, SEEK_SET) < 0) {
        return -EIO;
    }
    while ((bytes = sys_getdents64(capture->task_folder, listing->buffer, LIST_BYTES)) > 0) {
        found += seize_listed(capture, listing, (size_t)bytes);
    }
    return bytes < 0 ? bytes : (long)found;
}

/* A thread's small file, "comm" say, by the shortest path: a long one costs more than to read it.
 * How many bytes, 0 on failure. */
static size_t read_thread_file(const struct capture *capture, int32_t tid, const char *name,
                               char *buffer, size_t size)
{
    char path[32];
    long bytes = 0;
    int fd;

    capture_format(path, sizeof(path), "%d/%s", tid, name);
    fd = sys_openat(capture->task_folder, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd >= 0) {
        bytes = sys_read(fd, buffer, size - 1);
        sys_close(fd);
    }
    bytes = bytes > 0 ? bytes : 0;
    buffer[bytes] = '\0';
    return (size_t)bytes;
}

static void read_name(const struct capture *capture, struct capture_thread *thread)
{
    size_t length =
        read_thread_file(capture, thread->tid, "comm", thread->name, sizeof(thread->name));

    if (length > 0 && thread->name[length - 1] == '\n') {
        thread->name[length - 1] = '\0';
    }
}

/* The state letter of /proc/PID/task/TID/stat; 0 when there is no such thread any more. */
static char state_letter(const struct capture *capture, int32_t tid)
{
    char text[128];
    size_t length = read_thread_file(capture, tid, "stat", text, sizeof(text));

    /* "TID (any name, perhaps with brackets) S …" with a name of at most 15 bytes */
    while (length > 2 && text[length - 1] != ')') {
        length--;
    }
    return length > 2 && text[length] == ' ' ? text[length + 1] : '\0';
}

/* A thread that sleeps in vfork() until its child execs or ends cannot stop before. */
static bool sleeps_in_vfork(const struct capture *capture, int32_t tid)
{
    char text[32];
    const char *at = text;
    uint64_t number;
    size_t length;

    length = read_thread_file(capture, tid, "syscall", text, sizeof(text));
    return capture_parse_decimal(&at, text + length, &number) &&
           (number == __NR_vfork || number == __NR_clone || number == __NR_clone3);
}

/* Whether it has stopped or ended by now. */
static bool has_settled(struct capture *capture, struct capture_thread *thread)
{
    int status = 0;
    int result = sys_wait4(thread->tid, &status, __WALL | WNOHANG, NULL);

    if (result == 0 || result == -EINTR) {
        return false;
    }
    if (result != thread->tid || (status & 0xff) != 0x7f) {
        thread->state = THREAD_GONE;
        capture->attached--;
        return true;
    }
    thread->state = THREAD_STOPPED;
    /* Without an event in the upper half, the thread was about to take a signal. */
    thread->pending_signal = (status >> 16) == 0 ? (status >> 8) & 0xff : 0;
    return true;
}

/* Sleeps until some tracee changes its state, at most `nanoseconds`. SIGCHLD is blocked. */
static void pause_for_change(uint64_t nanoseconds)
{
    const uint64_t children = 1ull << (SIGCHLD - 1);
    struct timespec limit = { 0, (long)nanoseconds };

    sys_call6(__NR_rt_sigtimedwait, &children, NULL, &limit, SYS_SIGSET_BYTES, 0, 0);
}

/* Whether waiting for a thread that does not stop is in vain; the reason becomes a note. */
static bool will_not_stop(struct capture *capture, int32_t tid)
{
    char letter = state_letter(capture, tid);

    if (letter == 'Z' || letter == 'X' || letter == '\0') {
        return true; /* an ended main thread stays a zombie until the others have ended */
    }
    if (letter == 'D' && sleeps_in_vfork(capture, tid)) {
        capture_note(capture,
                     "Thread %d waits in vfork() and cannot be stopped: its registers are missing.",
                     tid);
        return true;
    }
    return false;
}

/* On a machine that is short of processors, one that only waits for its turn gets twice the time.
 */
static bool will_stop_yet(const struct capture *capture, int32_t tid, uint64_t now,
                          uint64_t deadline)
{
    return now < deadline + capture->request.stop_timeout_ns && state_letter(capture, tid) == 'R';
}

/* Waits for one thread; it stays SEIZED if it does not stop. */
static void wait_for_thread(struct capture *capture, struct capture_thread *thread,
                            uint64_t deadline)
{
    uint64_t pause = FIRST_PAUSE_NS, now = sys_now(CLOCK_MONOTONIC), look_at = now + LOOK_AFTER_NS;

    while (!has_settled(capture, thread)) {
        if (now >= deadline && !will_stop_yet(capture, thread->tid, now, deadline)) {
            capture_note(capture, "Thread %d did not stop in time: its registers are missing.",
                         thread->tid);
            return;
        }
        if (now >= look_at) {
            if (will_not_stop(capture, thread->tid)) {
                return;
            }
            look_at = UINT64_MAX;
        }
        pause_for_change(pause);
        pause = pause * 2 < LONGEST_PAUSE_NS ? pause * 2 : LONGEST_PAUSE_NS;
        now = sys_now(CLOCK_MONOTONIC);
    }
}

static void wait_for_threads(struct capture *capture, size_t first, uint64_t deadline)
{
    for (size_t i = first; i < capture->thread_count; i++) {
        struct capture_thread *thread = &capture->threads[i];
        int result;

        if (thread->state == THREAD_SEIZED) {
            wait_for_thread(capture, thread, deadline);
        }
        if (thread->state != THREAD_STOPPED) {
            continue;
        }
        result = arch_read_registers(thread->tid, &thread->registers);
        thread->has_registers = result == 0;
        if (result < 0) {
            capture_note(capture, "The registers of thread %d could not be read (error %d).",
                         thread->tid, -result);
        }
    }
}

/* Stops everything in passes, until a pass finds nothing new. */
static int stop_all(struct capture *capture, unsigned char *buffer)
{
    uint64_t deadline = capture->began_ns + capture->request.stop_timeout_ns;
    struct listing listing = { .buffer = buffer };

    expect_threads(capture, &listing);
    for (int pass = 0; pass < MAX_PASSES; pass++) {
        size_t first = capture->thread_count;
        long found = seize_new(capture, &listing);

        if (found < 0 && first == 0) {
            return (int)found;
        }
        if (found <= 0) {
            return 0;
        }
        for (size_t i = first; i < capture->thread_count; i++) {
            read_name(capture, &capture->threads[i]);
        }
        wait_for_threads(capture, first, deadline);
    }
    capture_note(capture, "The process made new threads as fast as they were stopped.");
    return 0;
}

/* Drops threads that have ended, and tells what the refused ones are. */
static void tidy(struct capture *capture)
{
    size_t kept = 0, refused = 0;

    for (size_t i = 0; i < capture->thread_count; i++) {
        struct capture_thread *thread = &capture->threads[i];
        bool untraced = thread->state == THREAD_REFUSED || thread->state == THREAD_SEIZED;

        if (untraced && state_letter(capture, thread->tid) == 'Z') {
            if (thread->tid == capture->request.pid) {
                capture_note(capture, "The main thread had ended before.");
            }
            if (thread->state == THREAD_SEIZED) {
                capture->ending_main = thread->tid;
            }
            thread->state = THREAD_GONE;
        }
        refused += thread->state == THREAD_REFUSED;
        if (thread->state != THREAD_GONE) {
            if (kept != i) {
                capture->threads[kept] = *thread;
            }
            kept++;
        }
    }
    capture->thread_count = kept;
    if (refused > 0) {
        capture_note(capture, "%u of %u threads could not be traced: their registers are missing.",
                     (unsigned)refused, (unsigned)kept);
    }
}

static int find_crashed(struct capture *capture)
{
    size_t live = 0, late = 0;

    for (size_t i = 0; i < capture->thread_count; i++) {
        live += capture->threads[i].has_registers;
        late += capture->threads[i].state == THREAD_SEIZED;
        if (capture->threads[i].tid == capture->request.tid) {
            capture->crashed = i;
        }
    }
    if (live == 0) {
        return late > 0 ? -ETIMEDOUT : capture->thread_count > 0 ? -EPERM : -ESRCH;
    }
    if (capture->crashed == SIZE_MAX) {
        capture_note(capture, "Thread %d, which the report is about, was not found.",
                     capture->request.tid);
    }
    return 0;
}

/* The crashed thread first, whose registers its context holds; of the others only the names. */
static int list_own(struct capture *capture)
{
    struct listing listing = { .buffer = arena_alloc(&capture->arena, LIST_BYTES) };
    struct capture_thread *thread = add_thread(capture, &listing, capture->request.tid);

    if (thread == NULL) {
        return -ENOMEM;
    }
    thread->state = THREAD_REFUSED;
    capture->crashed = 0;
    if (capture->task_folder >= 0 && listing.buffer != NULL) {
        seize_new(capture, &listing);
    }
    for (size_t i = 0; i < capture->thread_count && capture->task_folder >= 0; i++) {
        read_name(capture, &capture->threads[i]);
    }
    if (capture->threads[0].name[0] == '\0' && capture->request.care != CAPTURE_BY_READING) {
        sys_prctl(PR_GET_NAME, (unsigned long)capture->threads[0].name, 0, 0, 0);
    }
    capture_note(capture, "The process was captured by itself or its own copy: the registers and "
                          "stacks of other threads are missing.");
    return 0;
}

static int stop_threads(struct capture *capture)
{
    const uint64_t children = 1ull << (SIGCHLD - 1);
    unsigned char *buffer = arena_alloc(&capture->arena, LIST_BYTES);
    uint64_t old_mask = 0;
    int result;

    if (buffer == NULL) {
        return -ENOMEM;
    }
    sys_rt_sigprocmask(SIG_BLOCK, &children, &old_mask);
    result = stop_all(capture, buffer);
    pause_for_change(0); /* takes the last notice, which would reach the caller otherwise */
    sys_rt_sigprocmask(SIG_SETMASK, &old_mask, NULL);
    if (result < 0) {
        return result;
    }
    tidy(capture);
    return find_crashed(capture);
}

int threads_stop(struct capture *capture)
{
    char path[32];
    int result;

    capture_format(path, sizeof(path), "/proc/%d/task", owner(capture));
    capture->task_folder = capture->request.care == CAPTURE_FREELY
                               ? sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
                               : -EPERM;
    if (capture->own) {
        result = list_own(capture);
    } else {
        result = capture->task_folder < 0 ? capture->task_folder : stop_threads(capture);
    }
    if (capture->task_folder >= 0) {
        sys_close(capture->task_folder);
    }
    capture->task_folder = -1;
    return result;
}

/* Nobody else is told of the main thread's end until its tracer has taken notice of it. */
static void reap_main(struct capture *capture)
{
    int status;

    if (capture->ending_main != 0 &&
        sys_wait4(capture->ending_main, &status, __WALL | WNOHANG, NULL) != 0) {
        capture->ending_main = 0;
        capture->attached--;
    }
}

static void leave(struct capture *capture, struct capture_thread *thread)
{
    long signal = thread->pending_signal;

    if (sys_ptrace(PTRACE_DETACH, thread->tid, 0, (void *)signal) == 0) {
        thread->state = THREAD_NEW;
        capture->attached--;
    } else {
        /* Killed meanwhile: its end is to be waited for, or it stays a zombie that holds up all. */
        thread->state = THREAD_SEIZED;
        has_settled(capture, thread);
    }
}

void threads_release(struct capture *capture)
{
    for (size_t i = 0; i < capture->thread_count && capture->attached > 0; i++) {
        struct capture_thread *thread = &capture->threads[i];

        if (thread->state == THREAD_SEIZED) {
            has_settled(capture, thread);
        }
        if (thread->state == THREAD_STOPPED) {
            leave(capture, thread);
        }
    }
    reap_main(capture);
}

void threads_use_context(struct capture *capture)
{
    unsigned char context[ARCH_CONTEXT_BYTES] __attribute__((aligned(16)));
    unsigned char vectors[ARCH_VECTOR_BYTES] __attribute__((aligned(16)));
    struct capture_thread *thread;
    uint64_t address;

    if (capture->crashed == SIZE_MAX || capture->request.context_address == 0) {
        return;
    }
    if (capture_read(capture, capture->request.context_address, context, sizeof(context)) !=
        sizeof(context)) {
        capture_note(capture,
                     "The crash's context at 0x%llx could not be read: the registers are "
                     "those of the signal handler.",
                     capture->request.context_address);
        return;
    }
    thread = &capture->threads[capture->crashed];
    address = arch_use_context(&thread->registers, context);
    thread->has_registers = 1;
    if (address != 0) {
        arch_use_vectors(&thread->registers, vectors,
                         capture_read(capture, address, vectors, sizeof(vectors)));
    }
}
