/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program with children, for tests/crash/children.sh: children_victim KIND [ARGUMENT]. It starts
 * Cairn itself, unless the environment has PRELOADED, and says on standard output who ended how.
 */
#include "core/crash/page.h"

#include <cairn/cairn.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NANOSECONDS 1000000000ull

static pid_t program;

__attribute__((noinline)) static void crash_child(volatile int *where)
{
    *where = 1;
    __asm__ volatile("" ::: "memory");
}

__attribute__((noinline)) static void crash_parent(volatile int *where)
{
    *where = 2;
    __asm__ volatile("" ::: "memory");
}

static volatile int *nowhere(void)
{
    static volatile uintptr_t address = 16;

    return (volatile int *)address;
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    char line[256];
    va_list arguments;

    va_start(arguments, format);
    int bytes = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (bytes < 0 || write(STDOUT_FILENO, line, (size_t)bytes) != bytes) {
        _exit(3);
    }
}

/* "child 123: signal 11" or "child 123: exit 0". */
static void await(const char *who, pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(status)) {
        say("%s %d: signal %d\n", who, (int)pid, WTERMSIG(status));
    } else {
        say("%s %d: exit %d\n", who, (int)pid, WEXITSTATUS(status));
    }
}

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * NANOSECONDS + (uint64_t)time.tv_nsec;
}

/* ---- kinds ---- */

static int fork_and_crash(const char *argument)
{
    pid_t child = fork();

    (void)argument;
    if (child == 0) {
        crash_child(nowhere());
    }
    await("child", child);
    return 0;
}

/* Texts in memory, of which each process has its own. */
static int fork_workers(const char *argument)
{
    static char request[64], unwritten[16], endless[4096];
    char id[37];

    (void)argument;
    memset(endless, 'e', sizeof(endless));
    if (cairn_set_string(NULL, "shop.request", "of the annotation") != 0 ||
        cairn_add_memory(NULL, request, sizeof(request), "text:shop.request") != 0 ||
        cairn_add_memory(NULL, unwritten, sizeof(unwritten), "text:shop.unwritten") != 0 ||
        cairn_add_memory(NULL, endless, sizeof(endless), "text:shop.endless") != 0) {
        return 1;
    }
    for (int i = 1; i <= 2; i++) {
        pid_t child = fork();

        if (child == 0) {
            snprintf(request, sizeof(request), "order %d\x01", i);
            say("set %d\n", cairn_set_string(NULL, "shop.request", "of a child"));
            crash_child(nowhere());
        }
        await("child", child);
    }
    snprintf(request, sizeof(request), "none");
    return cairn_dump(NULL, NULL, id);
}

/* The program is gone before its grandchild crashes, which has nobody to wait for it. */
static int daemonize(const char *file)
{
    pid_t child = fork();

    if (child == 0) {
        if (fork() == 0) {
            while (kill(program, 0) == 0) {
                nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
            }
            FILE *out = fopen(file, "w");
            fprintf(out, "%d\n", (int)getpid());
            fclose(out);
            crash_child(nowhere());
        }
        _exit(0);
    }
    await("child", child);
    return 0;
}

static void wait_for_start(const uint32_t *start)
{
    while (__atomic_load_n(start, __ATOMIC_ACQUIRE) == 0) {
        nanosleep(&(struct timespec){ 0, 100000 }, NULL);
    }
}

/* A child that waits until `file` is there, while the program is long gone. */
static int linger(const char *file)
{
    if (fork() == 0) {
        while (access(file, F_OK) != 0) {
            nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
        }
        crash_child(nowhere());
    }
    return 0;
}

/* So many children at once, and their parent a moment later, while they are being reported. */
static int crash_at_once(const char *number)
{
    long count = strtol(number, NULL, 10);
    uint32_t *start = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t children[256];

    for (long i = 0; i < count && i < 256; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            wait_for_start(start);
            crash_child(nowhere());
        }
    }
    __atomic_store_n(start, 1, __ATOMIC_RELEASE);
    if (strchr(number, '+') != NULL) {
        crash_parent(nowhere());
    }
    for (long i = 0; i < count && i < 256; i++) {
        await("child", children[i]);
    }
    return 0;
}

static int count_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 1024; fd++) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    return count;
}

/* Children that do nothing, one after the other; then how long one took, then a crash. */
static int serve(const char *number)
{
    long count = strtol(number, NULL, 10);
    int before = count_descriptors();
    uint64_t began = now();

    for (long i = 0; i < count; i++) {
        pid_t child = fork();

        if (child == 0) {
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
    say("a fork took %llu ns\n", (unsigned long long)((now() - began) / (uint64_t)count));
    say("descriptors %+d\n", count_descriptors() - before);
    return fork_and_crash(NULL);
}

static int stop_in_child(const char *argument)
{
    pid_t child = fork();

    (void)argument;
    if (child == 0) {
        if (cairn_stop(NULL) != 0) {
            _exit(4);
        }
        crash_child(nowhere());
    }
    await("child", child);
    crash_parent(nowhere());
    return 0;
}

/* The child lives on when its parent wants no reports any more. */
static int stop_in_parent(const char *argument)
{
    int ends[2];
    char byte = 0;

    (void)argument;
    if (pipe(ends) != 0) {
        return 3;
    }
    pid_t child = fork();
    if (child == 0) {
        close(ends[1]);
        if (read(ends[0], &byte, 1) != 0) {
            _exit(3);
        }
        crash_child(nowhere());
    }
    cairn_stop(NULL);
    close(ends[1]);
    await("child", child);
    return 0;
}

static int crash_in_vfork(const char *argument)
{
    pid_t child = vfork();

    (void)argument;
    if (child == 0) {
        crash_child(nowhere());
        _exit(1);
    }
    await("child", child);
    crash_parent(nowhere());
    return 0;
}

/* A fork child has its own memory, which a child of vfork() shares with it. */
static int crash_in_vfork_of_child(const char *argument)
{
    pid_t child = fork();

    if (child == 0) {
        crash_in_vfork(argument);
    }
    await("child", child);
    return 0;
}

/* Past libc, so that nothing runs in the child but what follows here. */
static int crash_in_clone(const char *argument)
{
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

    (void)argument;
    if (child == 0) {
        crash_child(nowhere());
    }
    await("child", child);
    return 0;
}

static uint32_t in_filter, child_is_over;

/* Holds the program in its crash handler until its child has crashed, too. */
static int filter_slowly(const struct cairn_crash *crash, void *user)
{
    (void)user;
    if (crash->pid == program) {
        __atomic_store_n(&in_filter, 1, __ATOMIC_RELEASE);
        for (unsigned i = 0; i < 900 && __atomic_load_n(&child_is_over, __ATOMIC_ACQUIRE) == 0;
             i++) {
            nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
        }
    }
    return 1;
}

static void *crash_in_thread(void *argument)
{
    (void)argument;
    crash_parent(nowhere());
    return NULL;
}

/* The child has a copy of the handler with a thread in its midst that it does not have. */
static int fork_during_crash(const char *argument)
{
    pthread_t thread;

    (void)argument;
    pthread_create(&thread, NULL, crash_in_thread, NULL);
    wait_for_start(&in_filter);
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        crash_child(nowhere());
    }
    await("child", child);
    __atomic_store_n(&child_is_over, 1, __ATOMIC_RELEASE);
    pause();
    return 0;
}

/* ---- lies ---- */

static struct page *find_page(void)
{
    char line[512];
    unsigned long start = 0;
    FILE *maps = fopen("/proc/self/maps", "r");

    while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
        if (strstr(line, "/memfd:cairn") != NULL) {
            start = strtoul(line, NULL, 16);
            break;
        }
    }
    fclose(maps);
    return (struct page *)start;
}

/* Claims a child's slot in the name of somebody else's process. */
static int lie(const char *pid)
{
    struct page *page = find_page();
    struct page_slot *slot = &page->slots[SLOT_CHILD];

    slot->owner = slot->pid = slot->tid = (int32_t)strtol(pid, NULL, 10);
    slot->signal = SIGSEGV;
    slot->verdict = 1;
    __atomic_store_n(&slot->state, SLOT_CLAIMED, __ATOMIC_RELEASE);
    __atomic_add_fetch(&page->announce, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &page->announce, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    for (unsigned i = 0;
         i < 500 && __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) != SLOT_RELEASED; i++) {
        nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
    }
    say("state %u error %d id \"%s\"\n", slot->state, slot->error, slot->id);
    return 0;
}

/* ---- what the monitor makes ---- */

/* Processes that the monitor made for itself and never waited for. */
static unsigned count_zombies(int32_t monitor)
{
    DIR *folder = opendir("/proc");
    unsigned count = 0;

    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        char path[300], name[32], state;
        int parent;

        snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
        FILE *stat = fopen(path, "re");
        if (stat != NULL) {
            count += fscanf(stat, "%*d (%31[^)]) %c %d", name, &state, &parent) == 3 &&
                     parent == monitor && state == 'Z' && strcmp(name, "cairn-engine") != 0;
            fclose(stat);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return count;
}

/* Children with so much memory that the monitor makes a spare of itself for each. */
static int crash_large(const char *unused)
{
    static char memory[512 * 1024];
    int32_t monitor = find_page()->monitor_pid;
    unsigned zombies = 1;

    (void)unused;
    memset(memory, 'm', sizeof(memory));
    if (cairn_add_memory(NULL, memory, sizeof(memory), "large") != 0) {
        return 1;
    }
    for (unsigned i = 0; i < 3; i++) {
        fork_and_crash(NULL);
    }
    for (unsigned i = 0; i < 500 && zombies != 0; i++) {
        zombies = count_zombies(monitor);
        nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
    }
    say("zombies %u\n", zombies);
    return 0;
}

/* ---- a request is under way ---- */

static int start(void);

static void *ask_for_dump(void *unused)
{
    cairn_dump(NULL, NULL, NULL);
    return unused;
}

/* While another thread waits for its report, which nobody makes, a child is made, and starts Cairn
 * for itself. */
static int fork_during_dump(const char *unused)
{
    struct page *page = find_page();
    pthread_t thread;

    (void)unused;
    kill(page->monitor_pid, SIGSTOP);
    if (pthread_create(&thread, NULL, ask_for_dump, NULL) != 0) {
        return 1;
    }
    for (unsigned i = 0; i < 5000 && __atomic_load_n(&page->slots[SLOT_REQUEST].state,
                                                     __ATOMIC_ACQUIRE) != SLOT_CLAIMED;
         i++) {
        nanosleep(&(struct timespec){ 0, 100000 }, NULL);
    }
    pid_t child = fork();
    if (child == 0) {
        int result = start();
        say("child's own dump %d\n", result == 0 ? cairn_dump(NULL, NULL, NULL) : result);
        _exit(0);
    }
    kill(page->monitor_pid, SIGCONT);
    pthread_join(thread, NULL);
    await("child", child);
    return 0;
}

/* ---- start ---- */

static int post_dump(const struct cairn_crash *crash, const struct cairn_result *result, void *user)
{
    (void)user;
    say("post-dump %d: success %d id %s\n", (int)crash->pid, result->success, result->id);
    return 0;
}

static int filter_no(const struct cairn_crash *crash, void *user)
{
    (void)crash;
    (void)user;
    return 0;
}

static int start(void)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    static char error[4096];
    const char *filter = getenv("FILTER");

    program = getpid();
    if (getenv("PRELOADED") != NULL) {
        return 0;
    }
    options.post_dump = getenv("POST_DUMP") != NULL ? post_dump : NULL;
    options.filter = filter != NULL ? strcmp(filter, "no") == 0 ? filter_no : filter_slowly : NULL;
    options.config_file = getenv("CONFIG");
    int result = cairn_start(&options, NULL, error, sizeof(error));
    if (result != 0) {
        say("%s\n", error);
        return result;
    }
    cairn_set_string(NULL, "shop.region", "eu-1");
    return 0;
}

static const struct {
    const char *name;
    int (*run)(const char *argument);
} kinds[] = {
    { "fork", fork_and_crash },
    { "daemon", daemonize },
    { "linger", linger },
    { "at-once", crash_at_once },
    { "server", serve },
    { "stop-in-child", stop_in_child },
    { "stop-in-parent", stop_in_parent },
    { "vfork", crash_in_vfork },
    { "vfork-of-child", crash_in_vfork_of_child },
    { "clone", crash_in_clone },
    { "during-crash", fork_during_crash },
    { "lie", lie },
    { "large", crash_large },
    { "workers", fork_workers },
    { "during-dump", fork_during_dump },
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, argv[1]) == 0) {
            return start() == 0 ? kinds[i].run(argc > 2 ? argv[2] : NULL) : 2;
        }
    }
    return 64;
}
