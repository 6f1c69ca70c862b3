/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook/launch_reporter: starts a reporter, a program that asks the user and sends, with the path of
 * a file that says what it needs to know (records.h). The reporter has a session of its own and
 * goes on when the step is over; the file is its to delete. Runs in a step of the engine.
 */
#include "plugins/hook/launch_reporter/records.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAFE_PATH     "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define MAX_VARIABLES 48
#define MAX_NAMES     32
#define MARGIN_US     200000u /* kept from the deadline, to say what happened */

struct config {
    const char *program, *folder;
    struct cairn_list arguments;   /* of const char * */
    struct cairn_list environment; /* of const char * */
    struct cairn_map values;       /* to const char * */
    uint64_t wait;
};

static const struct cairn_option options[] = {
    { .name = "program",
      .type = CAIRN_OPTION_PATH,
      .flags = CAIRN_OPTION_REQUIRED,
      .offset = offsetof(struct config, program),
      .help = "The reporter." },
    { .name = "arguments",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_LIST,
      .offset = offsetof(struct config, arguments),
      .help = "Its arguments in front of the file's path, which is always the last one." },
    { .name = "values",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_MAP,
      .offset = offsetof(struct config, values),
      .help = "Records of your own, such as BreakpadURL, besides those that every report has." },
    { .name = "folder",
      .type = CAIRN_OPTION_PATH,
      .offset = offsetof(struct config, folder),
      .default_text = "/tmp",
      .help = "Where the file is made, for the reporter's user only; the reporter deletes it." },
    { .name = "environment",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_LIST,
      .offset = offsetof(struct config, environment),
      .help = "Names of variables to pass on besides PATH, HOME, LANG and those of the desktop." },
    { .name = "wait",
      .type = CAIRN_OPTION_DURATION,
      .offset = offsetof(struct config, wait),
      .help =
          "How long to wait for its end, within the timeout; its exit code then counts, and the "
          "file is deleted. Without it nobody waits." },
    { .name = NULL },
};

/* A launch: strings are allocated, NULL ends both lists. */
struct launch {
    const struct cairn_host *host;
    const struct config *config;
    char **arguments;
    char *variables[MAX_VARIABLES + 1];
    size_t variable_count;
    char *file;
};

/* ---- Options ---- */

static int check(const struct cairn_host *host, const void *options_)
{
    const struct config *config = options_;
    int status = CAIRN_PLUGIN_OK;

    if (config->environment.count > MAX_NAMES) {
        status = host->problem(host, "environment", "%zu names are more than %d",
                               config->environment.count, MAX_NAMES);
    }
    for (size_t i = 0; i < config->values.count; i++) {
        if (config->values.keys[i][0] == '\0' || strchr(config->values.keys[i], '\n') != NULL) {
            status = host->problem(host, "values", "a record's key must be one line");
        }
    }
    return status;
}

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

/* ---- What the reporter gets ---- */

static int add_variable(struct launch *launch, const char *name, const char *value)
{
    char *entry;

    if (value == NULL) {
        return 0;
    }
    if (launch->variable_count == MAX_VARIABLES || asprintf(&entry, "%s=%s", name, value) < 0) {
        return -1;
    }
    launch->variables[launch->variable_count++] = entry;
    return 0;
}

/* What a program needs to show a window to the user who is logged in. */
static int make_environment(struct launch *launch)
{
    static const char *const desktop[] = { "HOME",
                                           "LANG",
                                           "LC_ALL",
                                           "DISPLAY",
                                           "XAUTHORITY",
                                           "WAYLAND_DISPLAY",
                                           "XDG_RUNTIME_DIR",
                                           "DBUS_SESSION_BUS_ADDRESS" };
    const char *const *names = launch->config->environment.items;
    int status = add_variable(launch, "PATH", SAFE_PATH);

    for (size_t i = 0; i < sizeof(desktop) / sizeof(desktop[0]); i++) {
        status |= add_variable(launch, desktop[i], getenv(desktop[i]));
    }
    for (size_t i = 0; i < launch->config->environment.count; i++) {
        status |= add_variable(launch, names[i], getenv(names[i]));
    }
    return status;
}

static int make_arguments(struct launch *launch)
{
    const struct config *config = launch->config;

    launch->arguments = calloc(config->arguments.count + 3, sizeof(*launch->arguments));
    if (launch->arguments == NULL) {
        return -1;
    }
    launch->arguments[0] = (char *)config->program;
    if (config->arguments.count > 0) {
        memcpy(launch->arguments + 1, config->arguments.items,
               config->arguments.count * sizeof(*launch->arguments));
    }
    launch->arguments[config->arguments.count + 1] = launch->file;
    return 0;
}

/* Makes the file under a new name, readable for its owner only. 0 or -1 with errno. */
static int make_file(struct launch *launch, const struct cairn_hook_args *args)
{
    FILE *stream;
    int fd, failed;

    if (asprintf(&launch->file, "%s/cairn-reporter-XXXXXX", launch->config->folder) < 0) {
        launch->file = NULL;
        return -1;
    }
    fd = mkostemp(launch->file, O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    stream = fdopen(fd, "w");
    if (stream == NULL) {
        close(fd);
        unlink(launch->file);
        return -1;
    }
    records_write(stream, args, &launch->config->values);
    failed = ferror(stream);
    if (fclose(stream) != 0 || failed) {
        unlink(launch->file);
        return -1;
    }
    return 0;
}

/* ---- The reporter's process ---- */

/* In the child: a session of its own, so that it outlives the step; nothing open but /dev/null: the
 * step's output has nobody who reads it for long. Says through `answer` why it could not begin. */
static _Noreturn void become(const struct launch *launch, int answer)
{
    sigset_t none;
    int null = open("/dev/null", O_RDWR), number;

    setsid();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (null >= 0 && dup2(null, 0) == 0 && dup2(null, 1) == 1 && dup2(null, 2) == 2 &&
        dup3(answer, 3, O_CLOEXEC) >= 0) {
        answer = 3;
        syscall(SYS_close_range, 4u, ~0u, 0u);
        execve(launch->config->program, launch->arguments, launch->variables);
    }
    number = errno;
    if (write(answer, &number, sizeof(number)) != sizeof(number)) {
        _exit(126);
    }
    _exit(127);
}

static int milliseconds(const struct launch *launch, uint64_t most_us)
{
    uint64_t left = launch->host->time_left(launch->host);

    left = left > MARGIN_US ? left - MARGIN_US : 0;
    left = left < most_us ? left : most_us;
    return (int)(left < UINT64_C(3600000000) ? left / 1000 : 3600000);
}

/* 0 once the program runs, else the errno of why it does not. */
static int await_start(const struct launch *launch, int answer)
{
    struct pollfd end = { .fd = answer, .events = POLLIN };
    int number = 0;

    if (poll(&end, 1, milliseconds(launch, UINT64_MAX)) <= 0) {
        return ETIMEDOUT;
    }
    return read(answer, &number, sizeof(number)) == sizeof(number) ? number : 0;
}

/* Starts it; its process id, or -1 with errno. */
static pid_t start(const struct launch *launch)
{
    int answer[2], number;
    pid_t pid;

    if (pipe2(answer, O_CLOEXEC) != 0) {
        return -1;
    }
    signal(SIGCHLD, SIG_DFL); /* were it ignored, there would be no exit code */
    pid = fork();
    if (pid == 0) {
        become(launch, answer[1]);
    }
    number = errno;
    close(answer[1]);
    if (pid > 0) {
        number = await_start(launch, answer[0]);
    }
    close(answer[0]);
    if (pid > 0 && number != 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        pid = -1;
    }
    errno = number;
    return pid;
}

static int await_end(const struct launch *launch, pid_t pid)
{
    const struct cairn_host *host = launch->host;
    struct pollfd end = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
    siginfo_t info = { .si_pid = 0 };

    if (end.fd >= 0) {
        poll(&end, 1, milliseconds(launch, launch->config->wait));
        close(end.fd);
    }
    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG) != 0 || info.si_pid != pid) {
        host->log(host, CAIRN_LOG_INFO, "The reporter %s goes on.", launch->config->program);
        return CAIRN_PLUGIN_OK;
    }
    unlink(launch->file);
    if (info.si_code != CLD_EXITED) {
        return host->fail(host, "The reporter %s was ended by signal %d.", launch->config->program,
                          info.si_status);
    }
    return info.si_status == 0 ? CAIRN_PLUGIN_OK
                               : host->fail(host, "The reporter %s ended with the exit code %d.",
                                            launch->config->program, info.si_status);
}

static int launch_with(struct launch *launch)
{
    pid_t pid = start(launch);

    if (pid < 0) {
        int number = errno;

        unlink(launch->file);
        return launch->host->fail(launch->host, "The reporter %s cannot be started: %s.",
                                  launch->config->program, strerror(number));
    }
    return launch->config->wait > 0 ? await_end(launch, pid) : CAIRN_PLUGIN_OK;
}

static int run(void *context, struct cairn_hook_args *args)
{
    struct launch launch = { .host = args->host, .config = context };
    int status;

    if (make_file(&launch, args) != 0) {
        status = args->host->fail(args->host, "The reporter's file cannot be made in %s: %s.",
                                  launch.config->folder, strerror(errno));
    } else if (make_arguments(&launch) != 0 || make_environment(&launch) != 0) {
        unlink(launch.file);
        status =
            args->host->fail(args->host, "No memory or room to start %s.", launch.config->program);
    } else {
        status = launch_with(&launch);
    }
    for (size_t i = 0; i < launch.variable_count; i++) {
        free(launch.variables[i]);
    }
    free(launch.arguments);
    free(launch.file);
    return status;
}

static const struct cairn_hook_ops ops = {
    .size = sizeof(ops),
    .check = check,
    .create = create,
    .run = run,
};

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_HOOK),
    .capabilities = CAIRN_CAP_PROCESSES | CAIRN_CAP_NETWORK, /* what it starts will send */
    .name = "launch_reporter",
    .version = "1.0.0",
    .summary = "Starts a reporter program with a file of what it needs to know, as Breakpad does.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_HOOK, "launch_reporter");
