/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start and stop: the table of started handlers, who may use their pages, and what a fork child
 * finds. [app]: runs in the program, before any crash; libc only.
 */
#include "core/client/client.h"
#include "core/client/spawn.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Somebody else's start, which has a deadline of its own. */
#define LOCK_NS 15000000000ull

/* How often to look whether a page has moved, which takes microseconds. */
#define MOVING_PATIENCE 10000000u

/* What callbacks get is declared twice, see core/crash/handler.h. */
#define SAME(public, private, member)                                                              \
    _Static_assert(offsetof(struct public, member) == offsetof(struct private, member) &&          \
                       sizeof(((struct public *)0)->member) ==                                     \
                           sizeof(((struct private *)0)->member),                                  \
                   "cairn.h and core/crash/handler.h describe the same " #member)
SAME(cairn_crash, crash_facts, size);
SAME(cairn_crash, crash_facts, signal);
SAME(cairn_crash, crash_facts, info);
SAME(cairn_crash, crash_facts, context);
SAME(cairn_crash, crash_facts, pid);
SAME(cairn_crash, crash_facts, tid);
SAME(cairn_result, crash_result, size);
SAME(cairn_result, crash_result, success);
SAME(cairn_result, crash_result, id);
SAME(cairn_result, crash_result, path);
_Static_assert(sizeof(struct cairn_crash) == sizeof(struct crash_facts), "no member is missing");
_Static_assert(sizeof(struct cairn_result) == sizeof(struct crash_result), "no member is missing");

static struct cairn table[CRASH_HANDLERS];
static uint32_t lock;    /* enum lock_state, a futex word */
static int cancel_state; /* of the thread that holds the lock */

/* Not a mutex of libc's, whose timed lock brings 64 KiB of its tables into the program's memory. */
enum lock_state { LOCK_FREE = 0, LOCK_HELD = 1, LOCK_AWAITED = 2 };

/* Its address is what libc knows an object by that wants to hear of fork(). libcairn.so is linked
 * without the start files that have it otherwise; where they are, theirs counts. */
extern void *__dso_handle __attribute__((weak, visibility("hidden")));
void *__dso_handle;

int client_fail(const struct client_error *error, int code, const char *format, ...)
{
    va_list arguments;

    if (error->text != NULL && error->size != 0) {
        va_start(arguments, format);
        vsnprintf(error->text, error->size, format, arguments);
        va_end(arguments);
    }
    return code;
}

int client_take(uint32_t *word, uint64_t nanoseconds)
{
    const struct timespec look = { 1, 0 };
    uint32_t seen = LOCK_FREE;
    uint64_t end;

    if (__atomic_compare_exchange_n(word, &seen, LOCK_HELD, 0, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED)) {
        return 0;
    }
    end = crash_now() + nanoseconds;
    while (__atomic_exchange_n(word, LOCK_AWAITED, __ATOMIC_ACQUIRE) != LOCK_FREE) {
        if (crash_now() >= end) {
            return CAIRN_EBUSY;
        }
        syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, LOCK_AWAITED, &look, NULL, 0);
    }
    return 0;
}

void client_give(uint32_t *word)
{
    if (__atomic_exchange_n(word, LOCK_FREE, __ATOMIC_RELEASE) == LOCK_AWAITED) {
        syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    }
}

int client_lock(void)
{
    if (client_take(&lock, LOCK_NS) != 0) {
        return CAIRN_EBUSY;
    }
    /* A thread that is cancelled half-way would take the lock with it. */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    return 0;
}

void client_unlock(void)
{
    int state = cancel_state;

    client_give(&lock);
    pthread_setcancelstate(state, NULL);
}

struct crash_handler *client_handler(const struct cairn *cairn)
{
    return &crash_state.handlers[cairn - table];
}

int client_is_here(void)
{
    const uint32_t *here = __atomic_load_n(&crash_state.here, __ATOMIC_ACQUIRE);

    return here != NULL && __atomic_load_n(here, __ATOMIC_RELAXED) != 0 && crash_state.child == 0;
}

struct cairn *client_first(const void *owner)
{
    struct cairn *first = NULL;

    for (size_t i = 0; i < CRASH_HANDLERS; i++) {
        int started = (__atomic_load_n(&table[i].moves, __ATOMIC_SEQ_CST) & 1) != 0 ||
                      __atomic_load_n(&table[i].page, __ATOMIC_SEQ_CST) != NULL;

        if (started && (owner == NULL || table[i].owner == owner) &&
            (first == NULL || crash_state.handlers[i].number < client_handler(first)->number)) {
            first = &table[i];
        }
    }
    return first;
}

struct cairn *client_pick(struct cairn *cairn, const void *owner)
{
    if (cairn == NULL) {
        return client_first(owner);
    }
    /* Another copy's handle, of before this one was in charge. */
    return cairn >= table && cairn < table + CRASH_HANDLERS ? cairn : NULL;
}

/* The page that stays mapped while `users` is counted up; NULL: not started, or being moved. */
static struct page *hold(struct cairn *cairn)
{
    struct page *page;

    __atomic_fetch_add(&cairn->users, 1, __ATOMIC_SEQ_CST);
    page = __atomic_load_n(&cairn->page, __ATOMIC_SEQ_CST);
    if (page == NULL) {
        client_leave(cairn);
    }
    return page;
}

struct page *client_enter(struct cairn *cairn)
{
    struct page *page;
    uint32_t patience = MOVING_PATIENCE, moves;

    if (cairn == NULL || !client_is_here()) {
        return NULL;
    }
    do {
        moves = __atomic_load_n(&cairn->moves, __ATOMIC_SEQ_CST);
        page = hold(cairn);
    } while (page == NULL && patience-- > 0 &&
             ((moves & 1) != 0 || moves != __atomic_load_n(&cairn->moves, __ATOMIC_SEQ_CST)));
    return page;
}

void client_leave(struct cairn *cairn)
{
    __atomic_fetch_sub(&cairn->users, 1, __ATOMIC_SEQ_CST);
}

/* A problem that nobody waited for. */
static void complain(const char *problem)
{
    char line[1024];
    int bytes = snprintf(line, sizeof(line), "cairn: %.*s\n", (int)sizeof(line) - 16, problem);
    ssize_t written = write(STDERR_FILENO, line, bytes > 0 ? (size_t)bytes : 0);

    (void)written; /* there is nowhere else to complain to */
}

/* Puts a plan that arrived into effect. 0, or CAIRN_ECONFIG when it never will. */
static int settle(struct cairn *cairn, struct page *page)
{
    switch (__atomic_load_n(&page->start, __ATOMIC_ACQUIRE)) {
    case PAGE_FAILED:
        if (!cairn->complained) {
            cairn->complained = 1;
            complain(page->problem);
        }
        return CAIRN_ECONFIG;
    case PAGE_READY:
        if (!cairn->settled && crash_install(page->plan.signals) < 0) {
            return CAIRN_ESYSTEM;
        }
        if (!cairn->settled) {
            crash_map_reserve(client_handler(cairn), page);
        }
        cairn->settled = 1;
        return 0;
    default:
        return 0;
    }
}

/* Handlers of the program's own that came after ours stay, but not in silence. */
static void check_signals(void)
{
    static int told;

    if (crash_repair() != 0 && !told) {
        told = 1;
        complain("A handler was installed over Cairn's: what it does not pass on is not reported.");
    }
}

int client_enter_settled(struct cairn **cairn, const void *owner, struct page **ret_page)
{
    struct page *page;
    int result;

    *cairn = client_pick(*cairn, owner);
    client_revive(*cairn);
    page = client_enter(*cairn);
    if (page == NULL) {
        return CAIRN_ENOTSTARTED;
    }
    result = settle(*cairn, page);
    if (result != 0) {
        client_leave(*cairn);
        return result;
    }
    check_signals();
    *ret_page = page;
    return 0;
}

void client_mark_end(uint32_t mark)
{
    for (size_t i = 0; client_is_here() && i < CRASH_HANDLERS; i++) {
        struct page *page = hold(&table[i]);

        if (page != NULL) {
            if (page->pid == getpid()) {
                __atomic_store_n(&page->exited, mark, __ATOMIC_RELEASE);
            }
            client_leave(&table[i]);
        }
    }
}

static void mark_exit(int status, void *unused)
{
    (void)unused;
    client_mark_end(PAGE_EXITED | ((uint32_t)status & PAGE_EXIT_STATUS));
}

/* In the new process, before fork() returns. The locks' owners may be threads that it does not
 * have. [signal-safe] */
static void begin_child(void)
{
    lock = LOCK_FREE;
    client_forget_requests();
    crash_begin_child(getpid());
}

/* A page that the kernel empties in every fork child, libc's fork() or not: there it reads 0. */
static int make_here(const struct client_error *error)
{
    uint32_t *word =
        mmap(NULL, sizeof(*word), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (word == MAP_FAILED) {
        return client_fail(error, CAIRN_ENOMEM, "A page of memory cannot be mapped: %s.",
                           strerror(errno));
    }
    /* Where the kernel cannot do it (before 4.14, gVisor), libc's fork() still tells. */
    madvise(word, sizeof(*word), MADV_WIPEONFORK);
    __atomic_store_n(&crash_state.here, word, __ATOMIC_RELEASE);
    pthread_atfork(NULL, NULL, begin_child);
    on_exit(mark_exit, NULL); /* without memory for it, there is no mark */
    return 0;
}

static int mark_here(const struct client_error *error)
{
    int result = crash_state.here == NULL ? make_here(error) : 0;

    if (result == 0) {
        __atomic_store_n(crash_state.here, (uint32_t)getpid(), __ATOMIC_RELEASE);
    }
    return result;
}

/* A fork child that starts Cairn for itself begins with an empty table. */
static void prepare_process(void)
{
    if (client_is_here()) {
        return;
    }
    crash_reset(); /* first: another thread may crash meanwhile */
    for (size_t i = 0; i < CRASH_HANDLERS; i++) {
        client_unmap(__atomic_exchange_n(&table[i].page, NULL, __ATOMIC_SEQ_CST));
        crash_unmap_reserve(client_handler(&table[i]));
        memset(&table[i], 0, sizeof(table[i]));
    }
    crash_state.secure = getauxval(AT_SECURE) != 0;
}

static int is_awaited(const struct cairn_options *options)
{
    return (options->flags & CAIRN_START_NO_WAIT) == 0;
}

static int check_options(const struct cairn_options *options, const struct client_error *error)
{
    if ((options->flags & ~CAIRN_START_NO_WAIT) != 0) {
        return client_fail(error, CAIRN_EINVAL, "The flags 0x%x of cairn_options are not known.",
                           options->flags);
    }
    if (options->config_file != NULL && options->config_text != NULL) {
        return client_fail(error, CAIRN_EINVAL,
                           "cairn_options has both config_file (\"%s\") and config_text.",
                           options->config_file);
    }
    return 0;
}

/* Options of the size that the caller was compiled with: what it does not know stays at its
 * default. */
static int copy_options(const struct cairn_options *options, const struct client_error *error,
                        struct cairn_options *ret_options)
{
    struct cairn_options copy = CAIRN_OPTIONS_INIT;

    if (options != NULL) {
        size_t size = options->size < sizeof(copy) ? options->size : sizeof(copy);

        if (options->size < offsetof(struct cairn_options, config_file)) {
            return client_fail(error, CAIRN_EINVAL,
                               "The size of cairn_options is %u: CAIRN_OPTIONS_INIT sets it.",
                               options->size);
        }
        memcpy(&copy, options, size);
        copy.size = sizeof(copy);
    }
    *ret_options = copy;
    return check_options(ret_options, error);
}

/* For the tests: see doc/architecture.md. */
static void read_test_tier(char *const *environment)
{
    static const char *const names[] = {
        [CRASH_TEST_COPY] = "2", [CRASH_TEST_COPY_ONLY] = "2-copy", [CRASH_TEST_HANDLER] = "3"
    };
    const char *name =
        crash_state.secure ? NULL : client_find_variable(environment, "CAIRN_TEST_TIER");

    crash_state.test_tier = CRASH_TEST_NONE;
    for (uint32_t i = CRASH_TEST_COPY; name != NULL && i <= CRASH_TEST_HANDLER; i++) {
        if (strcmp(name, names[i]) == 0) {
            crash_state.test_tier = i;
        }
    }
}

/* Waits until no call and no crash uses the page any more. False: it must stay mapped. */
static int wait_for_users(const struct cairn *cairn)
{
    const struct timespec pause = { 0, 1000000 };

    for (unsigned milliseconds = 0; milliseconds < 1000; milliseconds++) {
        if (__atomic_load_n(&cairn->users, __ATOMIC_SEQ_CST) == 0 && crash_is_quiet()) {
            return 1;
        }
        nanosleep(&pause, NULL);
    }
    return 0;
}

static int take_down(struct cairn *cairn)
{
    struct page *page = __atomic_exchange_n(&cairn->page, NULL, __ATOMIC_SEQ_CST);

    if (page == NULL) {
        return CAIRN_ENOTSTARTED;
    }
    __atomic_store_n(&client_handler(cairn)->page, NULL, __ATOMIC_SEQ_CST);
    if (client_first(NULL) == NULL) {
        crash_uninstall();
        client_stack_stop();
    }
    if (client_is_here()) {
        client_dismiss(page); /* in a fork child it is the parent's monitor */
    }
    if (wait_for_users(cairn)) {
        crash_unmap_reserve(client_handler(cairn));
        client_unmap(page);
    }
    return 0;
}

/* From here on crashes are reported. */
static int publish(struct cairn *cairn, struct page *page, const struct cairn_options *options,
                   pid_t monitor, const struct client_error *error)
{
    struct crash_handler *handler = client_handler(cairn);
    int result;

    handler->number = ++crash_state.last_number;
    handler->monitor_pid = monitor;
    handler->filter = (crash_filter_fn *)options->filter;
    handler->post_dump = (crash_post_dump_fn *)options->post_dump;
    handler->first_chance = (crash_first_chance_fn *)options->first_chance;
    handler->user = options->user;
    cairn->settled = __atomic_load_n(&page->start, __ATOMIC_ACQUIRE) == PAGE_READY;
    cairn->complained = 0;
    cairn->revived_ns = 0;
    if (cairn->settled) {
        crash_map_reserve(handler, page);
    }
    __atomic_store_n(&handler->page, page, __ATOMIC_SEQ_CST);
    result = crash_install(crash_wanted_signals(page));
    if (result < 0) {
        __atomic_store_n(&handler->page, NULL, __ATOMIC_SEQ_CST);
        crash_unmap_reserve(handler);
        if (client_first(NULL) == NULL) {
            crash_uninstall();
        }
        return client_fail(error, CAIRN_ESYSTEM, "A signal handler cannot be installed: %s.",
                           strerror(-result));
    }
    __atomic_store_n(&cairn->page, page, __ATOMIC_SEQ_CST);
    return 0;
}

/* What takes its time, but needs no monitor yet. */
static int work_beside(struct cairn *cairn, struct page *page, const struct cairn_options *options,
                       pid_t monitor, const struct client_error *error)
{
    int result = mark_here(error);

    if (result != 0) {
        return result;
    }
    result = client_stack_start();
    if (result != 0) {
        return client_fail(error, result, "The thread's alternate signal stack cannot be made.");
    }
    return is_awaited(options) ? 0 : publish(cairn, page, options, monitor, error);
}

/* The plan says which signals. */
static int await_and_publish(struct cairn *cairn, struct page *page,
                             const struct cairn_options *options, const struct client_spawn *spawn,
                             const struct client_error *error)
{
    int result = client_await_plan(page, spawn->pidfd, error);

    return result == 0 ? publish(cairn, page, options, spawn->pid, error) : result;
}

/* Closes the page's descriptor. */
static int start_monitor(struct cairn *cairn, struct page *page, int page_fd,
                         const struct cairn_options *options, char *const *environment,
                         const struct client_error *error)
{
    const struct client_error nobody = { NULL, 0 };
    struct client_spawn spawn;
    int result = client_begin_spawn(page, page_fd, is_awaited(options), environment, error, &spawn);
    int finished;

    close(page_fd);
    if (result != 0) {
        return result;
    }
    result = work_beside(cairn, page, options, spawn.pid, error);
    finished = client_finish_spawn(&spawn, result == 0 ? error : &nobody);
    if (result == 0) {
        result = finished;
    }
    if (result == 0 && is_awaited(options)) {
        result = await_and_publish(cairn, page, options, &spawn, error);
    }
    if (spawn.pidfd >= 0) {
        close(spawn.pidfd);
    }
    return result;
}

static int bring_up(struct cairn *cairn, const struct cairn_options *options,
                    char *const *environment, const struct client_error *error)
{
    struct page *page = NULL;
    int fd = -1;
    int result = client_make_page(options, error, &page, &fd);

    if (result != 0) {
        return result;
    }
    result = start_monitor(cairn, page, fd, options, environment, error);
    if (result != 0 && take_down(cairn) != 0) { /* it was not published */
        if (client_first(NULL) == NULL) {
            client_stack_stop();
        }
        client_dismiss(page);
        client_unmap(page);
    }
    return result;
}

static struct cairn *find_free(void)
{
    for (size_t i = 0; i < CRASH_HANDLERS; i++) {
        if (table[i].page == NULL && crash_state.handlers[i].page == NULL) {
            return &table[i];
        }
    }
    return NULL;
}

/* Under the lock. */
static int start_one(const struct cairn_options *options, char *const *environment,
                     const void *owner, const struct client_error *error, struct cairn **ret_cairn)
{
    struct cairn *cairn;
    int result;

    prepare_process();
    read_test_tier(environment);
    cairn = find_free();
    if (cairn == NULL) {
        return client_fail(error, CAIRN_EFULL,
                           "%d handlers are started already, which is the most.", CRASH_HANDLERS);
    }
    cairn->owner = owner;
    result = bring_up(cairn, options, environment, error);
    if (result == 0 && ret_cairn != NULL) {
        *ret_cairn = cairn;
    }
    return result;
}

int client_start(const struct cairn_options *options, char *const *environment,
                 struct cairn **ret_cairn, char *error_text, size_t error_size, const void *owner)
{
    struct client_error error = { error_text, error_size };
    struct cairn_options copy;
    int result = copy_options(options, &error, &copy);

    if (result != 0) {
        return result;
    }
    result = client_lock();
    if (result != 0) {
        return client_fail(&error, result, "Another thread is starting or stopping Cairn.");
    }
    result = start_one(&copy, environment, owner, &error, ret_cairn);
    client_unlock();
    return result;
}

/* exit(), be it called by the program's own handler of a crash. */
__attribute__((destructor)) static void notice_exit(void)
{
    crash_on_exit();
}

int client_stop(struct cairn *cairn, const void *owner)
{
    int result = client_lock();

    if (result != 0) {
        return result;
    }
    cairn = client_pick(cairn, owner);
    result = cairn != NULL ? take_down(cairn) : CAIRN_ENOTSTARTED;
    client_unlock();
    return result;
}
