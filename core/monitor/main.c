/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cairn-monitor: watches one program, captures it when it crashes. libcairn starts it with the
 * shared page as descriptor 3 and a pidfd of the program as 4; a person starts it with --dump PID.
 */
#include "config.h"

#include "core/monitor/monitor.h"
#include "core/monitor/oneshot.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE_FD    3
#define PROGRAM_FD 4
/* of a check that libcairn has begun */
#define OUTPUT_FD 5
#define ERRORS_FD 6

static const char usage_text[] =
    "Usage: cairn-monitor --dump PID [--config FILE] [--application NAME] [--version VERSION]\n";

static const char help_text[] =
    "\n"
    "Makes a report of process PID as it is now, and prints the report's id. The process goes on.\n"
    "\n"
    "      --dump PID           the process\n"
    "      --config FILE        the configuration; the installed default without it\n"
    "      --application NAME   what the report calls the application\n"
    "      --version VERSION    of the application; without a value: of this program\n"
    "      --help               this text\n"
    "\n"
    "Without --dump it is the process that libcairn starts to watch a program.\n";

/* libcairn starts us with every signal blocked, so that none meets a handler of the program before
 * exec() has done away with it; and what the program ignores is ignored here, too. */
static void reset_signals(void)
{
    sigset_t none;

    for (int number = 1; number < NSIG; number++) {
        signal(number, SIG_DFL);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* What was inherited from the program must not limit us: its signals, its limits. */
static void prepare_process(void)
{
    static const int limits[] = { RLIMIT_FSIZE, RLIMIT_NOFILE, RLIMIT_AS, RLIMIT_DATA, RLIMIT_CPU };

    umask(077);
    signal(SIGCHLD, SIG_DFL); /* ignored, it would keep the exit status of engines from us */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a write then fails with EFBIG, and that is told */
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct rlimit limit;
        if (getrlimit(limits[i], &limit) == 0 && limit.rlim_cur != limit.rlim_max) {
            limit.rlim_cur = limit.rlim_max;
            setrlimit(limits[i], &limit);
        }
    }
}

/* Nothing that we open may become a standard descriptor. */
static void fill_standard_descriptors(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) {
        close(fd);
    }
}

/* Descriptors that somebody leaked to us would leak on, and keep pipes and sockets of others open.
 */
static void close_from(unsigned first)
{
#ifdef SYS_close_range
    syscall(SYS_close_range, first, UINT_MAX, 0);
#else
    (void)first;
#endif
}

/* The check of the configuration may have begun before this program. */
static void take_check(struct monitor *monitor)
{
    int32_t pid = 0;
    ssize_t bytes = pread(PAGE_FD, &pid, sizeof(pid), offsetof(struct page, check_pid));
    bool begun = bytes == (ssize_t)sizeof(pid) && pid > 0;

    close_from(begun ? ERRORS_FD + 1 : PROGRAM_FD + 1);
    if (begun) {
        engine_adopt_check(pid, OUTPUT_FD, ERRORS_FD, &monitor->check);
    }
}

static enum monitor_exit serve(struct monitor *monitor)
{
    if (fcntl(PAGE_FD, F_GETFD) < 0 || fcntl(PROGRAM_FD, F_GETFD) < 0) {
        fprintf(stderr, "cairn-monitor is started by libcairn, or with --dump PID; see --help.\n");
        return MONITOR_USAGE;
    }
    setsid(); /* fails where libcairn has done it */
    prctl(PR_SET_NAME, "cairn-monitor");
    take_check(monitor);
    if (chdir("/") != 0) {
        return MONITOR_SYSTEM;
    }
    int page_fd = PAGE_FD;
    family_begin(&monitor->family, &page_fd);
    int result = page_map(page_fd, &monitor->page);
    if (result != 0) {
        fprintf(stderr,
                "cairn-monitor: descriptor %d is not a page of this version of Cairn: %s.\n",
                PAGE_FD, strerror(-result));
        return MONITOR_FORMAT;
    }
    monitor->program = PROGRAM_FD;
    fcntl(PROGRAM_FD, F_SETFD, FD_CLOEXEC);
    return monitor_run(monitor);
}

static enum monitor_exit refuse_usage(const char *sentence)
{
    fprintf(stderr, "cairn-monitor: %s\n%s", sentence, usage_text);
    return MONITOR_USAGE;
}

static bool parse_pid(const char *text, int32_t *ret_pid)
{
    char *end;

    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value <= 0 || value > INT_MAX) {
        return false;
    }
    *ret_pid = (int32_t)value;
    return true;
}

enum option_key { OPTION_DUMP = 1, OPTION_CONFIG, OPTION_APPLICATION, OPTION_VERSION };

static const struct option long_options[] = {
    { "dump", required_argument, NULL, OPTION_DUMP },
    { "config", required_argument, NULL, OPTION_CONFIG },
    { "application", required_argument, NULL, OPTION_APPLICATION },
    { "version", required_argument, NULL, OPTION_VERSION },
    { NULL, 0, NULL, 0 },
};

/* NULL, or a sentence about what is wrong. */
static const char *parse_options(int count, char **arguments, struct oneshot_options *options)
{
    int key;

    while ((key = getopt_long(count, arguments, "", long_options, NULL)) != -1) {
        switch (key) {
        case OPTION_DUMP:
            if (!parse_pid(optarg, &options->pid)) {
                return "The argument of --dump must be the number of a process.";
            }
            break;
        case OPTION_CONFIG:
            options->config_file = optarg;
            break;
        case OPTION_APPLICATION:
            options->application = optarg;
            break;
        case OPTION_VERSION:
            options->version = optarg;
            break;
        default:
            return "The arguments are not understood.";
        }
    }
    if (optind != count) {
        return "There is an argument that belongs to no option.";
    }
    return options->pid == 0 ? "--dump PID is missing." : NULL;
}

static bool is_alone(int count, char **arguments, const char *option)
{
    return count == 2 && strcmp(arguments[1], option) == 0;
}

static enum monitor_exit dump(struct monitor *monitor, int count, char **arguments)
{
    struct oneshot_options options = { 0 };

    if (is_alone(count, arguments, "--help")) {
        printf("%s%s", usage_text, help_text);
        return MONITOR_DONE;
    }
    if (is_alone(count, arguments, "--version")) {
        printf("cairn-monitor %s\n", PACKAGE_VERSION);
        return MONITOR_DONE;
    }
    const char *reason = parse_options(count, arguments, &options);
    if (reason != NULL) {
        return refuse_usage(reason);
    }
    if (options.pid == getpid()) {
        return refuse_usage("This process cannot capture itself.");
    }
    close_from(STDERR_FILENO + 1);
    return oneshot_run(monitor, &options);
}

int main(int argc, char **argv)
{
    struct monitor monitor = {
        .program = -1,
        .settings.config_text = -1,
        .log.folder = -1,
        .reserve.file = -1,
        .cgroup.folder = -1,
        .family.page = -1,
    };

    monitor.jobs.log = &monitor.log;
    if (argc == 1) {
        reset_signals();
    }
    prepare_process();
    fill_standard_descriptors();
    engine_clean_environment();
    engine_locate(&monitor.settings);
    /* Not by returning: the parked thread uses `monitor` to the end. */
    exit(argc == 1 ? serve(&monitor) : dump(&monitor, argc, argv));
}
