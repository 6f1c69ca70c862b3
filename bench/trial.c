/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver of one measured crash: starts a victim, lets it crash, and takes the time when the
 * dump has its final name, when the process is gone, and when the report is committed. Sleeps in
 * poll(2) on inotify and a pidfd, looks at nothing in intervals. Prints "name microseconds" lines.
 *
 *     trial [--limit PROGRAM] [--tool 'COMMAND'] [--folder DIR] [--dump PATTERN] [--last]
 *           [--commits NAME]... [--peak NAME] [--copies N] [--core] -- VICTIM ARGUMENTS...
 *
 * --limit    starts the bare capture program beside the victim.
 * --tool     a command for a live process, run instead of the crash; {pid} and {folder} are
 * replaced.
 * --folder   watched with all below it; a file that matches --dump and gets its name by rename, or
 *            is closed after writing, is the dump: the first one, with --last the last one.
 * --commits  a folder of this name holds a report when something is moved into it.
 * --peak     prints the peak memory in KiB of the process of this name once the dump is complete.
 * --copies   so many victims crash at once; the time is taken when all that they left has ended.
 * --core     lets the kernel write a core file.
 */
#include "bench/shared.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <getopt.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define START_SECONDS 120
#define TRIAL_NS      (120 * 1000000000ull)
#define QUIET_NS      (300 * 1000000ull) /* after the end: what comes later is not this crash's */
#define SETTLE_NS     (50 * 1000000ull)
#define MOST_WATCHES  4096
#define PATH_BYTES    4096
#define EVENTS        (IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE)

struct watch {
    char *path;
    int commits; /* what is moved in here is a report */
};

struct trial {
    struct bench *bench;
    const char *limit, *tool, *folder, *dump, *peak, *commits[4];
    size_t commit_count;
    unsigned long copies;
    int last, core;
    int inotify;
    struct watch watches[MOST_WATCHES]; /* by watch descriptor */
    char dump_path[PATH_BYTES];
    uint64_t dump_ns, gone_ns, commit_ns, settled_ns;
    unsigned long peak_kib;
};

static struct trial trial = { .dump = "*.dmp", .copies = 1 };

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "trial: %s: %s\n", what, strerror(errno));
    exit(71);
}

static void watch_folder(const char *path)
{
    const char *name = strrchr(path, '/');
    int descriptor = inotify_add_watch(trial.inotify, path, EVENTS);

    if (descriptor < 0 || descriptor >= MOST_WATCHES) {
        return; /* gone again, or more than any subject makes */
    }
    free(trial.watches[descriptor].path);
    trial.watches[descriptor] = (struct watch){ strdup(path), 0 };
    for (size_t i = 0; name != NULL && i < trial.commit_count; i++) {
        trial.watches[descriptor].commits |= strcmp(name + 1, trial.commits[i]) == 0;
    }
}

static int visit(const char *path, const struct stat *status, int type, struct FTW *position)
{
    (void)status;
    (void)position;
    if (type == FTW_D) {
        watch_folder(path);
    }
    return 0;
}

/* VmHWM of a process, 0 if it is not of that name. */
static unsigned long peak_of(pid_t pid)
{
    unsigned long kib = 0;
    char path[64], line[256];
    FILE *file;
    int named = 0;

    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        named |= strncmp(line, "Name:\t", 6) == 0 && strcmp(line + 6, trial.peak) == 0;
        sscanf(line, "VmHWM: %lu", &kib);
    }
    if (file != NULL) {
        fclose(file);
    }
    return named ? kib : 0;
}

/* As a subreaper the driver is the parent of what the victim's reporter has started. */
static void take_peak(void)
{
    char path[64];
    FILE *children;
    int pid;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
    children = trial.peak != NULL ? fopen(path, "re") : NULL;
    while (children != NULL && fscanf(children, "%d", &pid) == 1) {
        unsigned long kib = peak_of(pid);

        trial.peak_kib = kib > trial.peak_kib ? kib : trial.peak_kib;
    }
    if (children != NULL) {
        fclose(children);
    }
}

static void take_dump(const char *folder, const char *name)
{
    if (fnmatch(trial.dump, name, 0) == 0 && (trial.dump_ns == 0 || trial.last)) {
        trial.dump_ns = bench_now();
        snprintf(trial.dump_path, sizeof(trial.dump_path), "%s/%s", folder, name);
        take_peak();
    }
}

/* A new folder may be filled before it is watched: what has its final name there is complete. */
static void take_folder(const char *path)
{
    const struct dirent *entry;
    DIR *folder;

    watch_folder(path);
    folder = opendir(path);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (entry->d_type == DT_REG) {
            take_dump(path, entry->d_name);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
}

static void take_event(const struct inotify_event *event)
{
    const struct watch *watch;
    char path[PATH_BYTES];

    if (event->wd < 0 || event->wd >= MOST_WATCHES || event->len == 0) {
        return;
    }
    watch = &trial.watches[event->wd];
    if (watch->commits && (event->mask & IN_MOVED_TO) != 0 && trial.commit_ns == 0) {
        trial.commit_ns = bench_now();
    }
    if ((event->mask & IN_ISDIR) != 0) {
        snprintf(path, sizeof(path), "%s/%s", watch->path, event->name);
        take_folder(path);
    } else if ((event->mask & (IN_MOVED_TO | IN_CLOSE_WRITE)) != 0) {
        take_dump(watch->path, event->name);
    }
}

static void take_events(void)
{
    char buffer[16384] __attribute__((aligned(8)));
    ssize_t bytes;

    while ((bytes = read(trial.inotify, buffer, sizeof(buffer))) > 0) {
        for (ssize_t at = 0; at < bytes;) {
            const struct inotify_event *event = (const struct inotify_event *)(buffer + at);

            take_event(event);
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    }
}

static pid_t start(char *const *arguments)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct rlimit core = { trial.core ? RLIM_INFINITY : 0, RLIM_INFINITY };

        setrlimit(RLIMIT_CORE, &core);
        if (trial.folder != NULL && chdir(trial.folder) != 0) {
            fail(trial.folder);
        }
        execvp(arguments[0], arguments);
        fail(arguments[0]);
    }
    if (pid < 0) {
        fail("fork");
    }
    return pid;
}

static int open_process(pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);

    if (fd < 0) {
        fail("pidfd_open");
    }
    return fd;
}

/* Before anything is measured, so looking again each second does no harm. */
static void wait_until_ready(const uint32_t *word, uint32_t count, pid_t pid, const char *who)
{
    for (unsigned second = 0; !bench_wait_for(word, count, 1); second++) {
        siginfo_t end = { .si_pid = 0 };

        waitid(P_PID, (id_t)pid, &end, WEXITED | WNOHANG | WNOWAIT);
        if (end.si_pid != 0 || second == START_SECONDS) {
            fprintf(stderr, "trial: %s ended, or was not ready within %d seconds\n", who,
                    START_SECONDS);
            kill(pid, SIGKILL);
            exit(75);
        }
    }
}

static void settle(void)
{
    const struct timespec time = { .tv_nsec = SETTLE_NS };

    nanosleep(&time, NULL);
}

/* {pid} and {folder} in the tool's command. */
static void expand(char *command, size_t size)
{
    size_t used = 0;

    for (const char *at = trial.tool; *at != '\0' && used + PATH_BYTES < size;) {
        if (strncmp(at, "{pid}", 5) == 0) {
            used += (size_t)snprintf(command + used, size - used, "%d", trial.bench->pid);
            at += 5;
        } else if (strncmp(at, "{folder}", 8) == 0) {
            used += (size_t)snprintf(command + used, size - used, "%s", trial.folder);
            at += 8;
        } else {
            command[used++] = *at++;
        }
    }
    command[used] = '\0';
}

/* Nothing is waited for any more; with --last there may always come another one. */
static int is_complete(void)
{
    return trial.gone_ns != 0 && trial.dump_ns != 0 && !trial.last &&
           (trial.commit_count == 0 || trial.commit_ns != 0);
}

/* The process of interest is `process`: the victim, or a tool at whose end the dump is complete. */
static void measure(int process)
{
    const uint64_t end = bench_now() + TRIAL_NS;
    uint64_t quiet = end;

    for (;;) {
        struct pollfd polled[2] = { { trial.inotify, POLLIN, 0 },
                                    { trial.gone_ns == 0 ? process : -1, POLLIN, 0 } };
        uint64_t now = bench_now();

        if (is_complete() || now >= quiet) {
            return;
        }
        poll(polled, 2, (int)((quiet - now) / 1000000 + 1));
        if (polled[1].revents != 0) {
            trial.gone_ns = bench_now();
            quiet = trial.commit_count > 0 ? end : trial.gone_ns + QUIET_NS;
        }
        take_events();
    }
}

static void crash(pid_t victim)
{
    int process = open_process(victim);

    bench_set(&trial.bench->go);
    measure(process);
    if (trial.gone_ns == 0) {
        fprintf(stderr, "trial: the victim is still there\n");
        kill(victim, SIGKILL);
        exit(75);
    }
    close(process);
}

static void run_tool(pid_t victim)
{
    static char command[4 * PATH_BYTES];
    char *arguments[] = { (char *)"/bin/sh", (char *)"-c", command, NULL };
    pid_t tool;
    int status;

    expand(command, sizeof(command));
    trial.bench->fault_ns = bench_now();
    tool = start(arguments);
    measure(open_process(tool));
    trial.dump_ns = trial.gone_ns;
    trial.gone_ns = 0;
    if (waitpid(tool, &status, 0) != tool || status != 0) {
        fprintf(stderr, "trial: \"%s\" failed\n", command);
        exit(70);
    }
    kill(victim, SIGKILL);
}

/* Until all that the victims have left behind has ended too, which the deadline of the trial
 * bounds. */
static void wait_for_all(void)
{
    alarm(TRIAL_NS / 1000000000u);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {
    }
    trial.settled_ns = bench_now();
}

static void print(const char *name, uint64_t time)
{
    if (time != 0) {
        printf("%s %.1f\n", name, ((double)time - (double)trial.bench->fault_ns) / 1000);
    }
}

static void print_all(void)
{
    const struct bench *bench = trial.bench;
    struct stat status;

    print("dump", trial.dump_ns);
    print("gone", trial.gone_ns);
    print("commit", trial.commit_ns);
    print("settled", trial.settled_ns);
    print("limit-woken", bench->woken_ns);
    print("limit-seized", bench->seized_ns);
    print("limit-stopped", bench->stopped_ns);
    print("limit-registers", bench->registers_ns);
    print("limit-files", bench->files_ns);
    print("limit-room", bench->room_ns);
    print("limit-read", bench->read_ns);
    print("limit-released", bench->released_ns);
    print("limit-written", bench->written_ns);
    if (bench->start_ns != 0) {
        printf("start %.1f\n", (double)bench->start_ns / 1000);
    }
    if (trial.peak_kib != 0) {
        printf("peak %lu\n", trial.peak_kib);
    }
    if (trial.dump_path[0] != '\0' && stat(trial.dump_path, &status) == 0) {
        printf("bytes %lld\n", (long long)status.st_blocks * 512);
    }
}

static void share_memory(void)
{
    int fd = memfd_create("bench", 0);

    if (fd < 0 || ftruncate(fd, sizeof(struct bench)) != 0 || dup2(fd, BENCH_FD) != BENCH_FD) {
        fail("shared memory");
    }
    close(fd);
    trial.bench = bench_map();
}

/* The driver is to be on time although the others keep all processors busy. */
static void take_precedence(void)
{
    const struct sched_param parameters = { .sched_priority = 1 };

    sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameters);
}

enum option_key { LIMIT = 1, TOOL, FOLDER, DUMP, LAST, COMMITS, PEAK, COPIES, CORE };

static const struct option long_options[] = {
    { "limit", required_argument, NULL, LIMIT },   { "tool", required_argument, NULL, TOOL },
    { "folder", required_argument, NULL, FOLDER }, { "dump", required_argument, NULL, DUMP },
    { "last", no_argument, NULL, LAST },           { "commits", required_argument, NULL, COMMITS },
    { "peak", required_argument, NULL, PEAK },     { "copies", required_argument, NULL, COPIES },
    { "core", no_argument, NULL, CORE },           { NULL, 0, NULL, 0 },
};

static int parse_options(int count, char **arguments)
{
    int key;

    while ((key = getopt_long(count, arguments, "+", long_options, NULL)) != -1) {
        switch (key) {
        case LIMIT:
            trial.limit = optarg;
            break;
        case TOOL:
            trial.tool = optarg;
            break;
        case FOLDER:
            trial.folder = optarg;
            break;
        case DUMP:
            trial.dump = optarg;
            break;
        case LAST:
            trial.last = 1;
            break;
        case COMMITS:
            if (trial.commit_count < sizeof(trial.commits) / sizeof(trial.commits[0])) {
                trial.commits[trial.commit_count++] = optarg;
            }
            break;
        case PEAK:
            trial.peak = optarg;
            break;
        case COPIES:
            trial.copies = strtoul(optarg, NULL, 10);
            break;
        case CORE:
            trial.core = 1;
            break;
        default:
            return 0;
        }
    }
    return optind < count;
}

static pid_t start_victims(char *const *arguments)
{
    pid_t victim = 0;

    for (unsigned long i = 0; i < trial.copies; i++) {
        victim = start(arguments);
        wait_until_ready(&trial.bench->victim_ready, (uint32_t)i + 1, victim, "the victim");
    }
    return victim;
}

static pid_t start_limit(void)
{
    char *arguments[] = { (char *)trial.limit, (char *)trial.folder, NULL };
    pid_t limit = start(arguments);

    wait_until_ready(&trial.bench->limit_ready, 1, limit, "the bare capture program");
    return limit;
}

static void start_watching(void)
{
    trial.inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (trial.inotify < 0) {
        fail("inotify_init1");
    }
    if (trial.folder != NULL) {
        nftw(trial.folder, visit, 16, FTW_PHYS);
    }
}

int main(int argc, char **argv)
{
    pid_t victim;

    if (!parse_options(argc, argv)) {
        fprintf(stderr, "usage: trial [OPTION]... -- VICTIM ARGUMENTS..., see bench/trial.c\n");
        return 64;
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    share_memory();
    victim = start_victims(argv + optind);
    if (trial.limit != NULL) {
        start_limit();
    }
    start_watching();
    take_precedence();
    settle();
    if (trial.tool != NULL) {
        run_tool(victim);
    } else if (trial.copies > 1) {
        bench_set(&trial.bench->go);
    } else {
        crash(victim);
    }
    if (trial.commit_count > 0 || trial.limit != NULL || trial.copies > 1) {
        wait_for_all();
    }
    print_all();
    return 0;
}
