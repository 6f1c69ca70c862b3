/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook/exec: runs a command once a report is committed. No shell, an environment made anew, its own
 * process group, which ends with the step's clock at the latest; its output goes to Cairn's log,
 * bounded. Runs in a step of the engine.
 */
#include <cairn/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAFE_PATH     "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define MAX_OUTPUT    8192
#define MAX_VARIABLES 48
#define MARGIN_US     100000 /* kept from the deadline, to say what happened */

struct config {
    struct cairn_list command;     /* of const char * */
    struct cairn_list environment; /* of const char * */
};

static const struct cairn_option options[] = {
    { .name = "command",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_REQUIRED | CAIRN_OPTION_LIST,
      .offset = offsetof(struct config, command),
      .help =
          "The program, absolute or in " SAFE_PATH ", and its arguments; no shell is involved." },
    { .name = "environment",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_LIST,
      .offset = offsetof(struct config, environment),
      .help = "Names of variables to pass on besides PATH, HOME, LANG and CAIRN_*." },
    { .name = NULL },
};

/* What a run of the command needs; strings are allocated, NULL ends both lists. */
struct run {
    const struct cairn_host *host;
    char **arguments;
    char *variables[MAX_VARIABLES + 1];
    size_t variable_count;
    char program[4096];
};

static int check(const struct cairn_host *host, const void *options_)
{
    const struct config *config = options_;
    const char *const *command = config->command.items;

    if (command[0][0] != '/' && strchr(command[0], '/') != NULL) {
        return host->problem(host, "command",
                             "\"%s\" is neither an absolute path nor a name to be found in %s",
                             command[0], SAFE_PATH);
    }
    if (config->environment.count > 32) {
        return host->problem(host, "environment", "%zu names are more than 32",
                             config->environment.count);
    }
    return CAIRN_PLUGIN_OK;
}

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

/* Finds the program in SAFE_PATH unless it is absolute: whoever started the engine may have any
 * PATH. */
static int resolve(const char *name, char *ret_path, size_t capacity)
{
    const char *folder = SAFE_PATH;

    if (name[0] == '/') {
        snprintf(ret_path, capacity, "%s", name);
        return access(ret_path, X_OK);
    }
    while (*folder != '\0') {
        int length = (int)strcspn(folder, ":");

        snprintf(ret_path, capacity, "%.*s/%s", length, folder, name);
        if (access(ret_path, X_OK) == 0) {
            return 0;
        }
        folder += length + (folder[length] == ':');
    }
    errno = ENOENT;
    return -1;
}

static int add_variable(struct run *run, const char *name, const char *value)
{
    char *entry;

    if (value == NULL) {
        return 0;
    }
    if (run->variable_count == MAX_VARIABLES || asprintf(&entry, "%s=%s", name, value) < 0) {
        return -1;
    }
    run->variables[run->variable_count++] = entry;
    return 0;
}

static int add_field(struct run *run, const struct cairn_hook_args *args, const char *name,
                     const char *path)
{
    struct cairn_value value;

    if (!args->host->get(args->host, args->report, path, &value) ||
        value.type != CAIRN_VALUE_STRING) {
        return 0;
    }
    return add_variable(run, name, value.string);
}

/* The path of the first minidump among the artifacts. */
static int add_minidump(struct run *run, const struct cairn_hook_args *args)
{
    struct cairn_artifact artifact = { .size = sizeof(artifact) };

    for (size_t i = 0; args->host->artifact_at(args->host, args->report, i, &artifact); i++) {
        if (artifact.is_minidump) {
            return add_variable(run, "CAIRN_REPORT_MINIDUMP", artifact.path);
        }
        artifact = (struct cairn_artifact){ .size = sizeof(artifact) };
    }
    return 0;
}

static int make_environment(struct run *run, const struct config *config,
                            const struct cairn_hook_args *args)
{
    const char *const *names = config->environment.items;
    int status = 0;

    status |= add_variable(run, "PATH", SAFE_PATH);
    status |= add_variable(run, "HOME", getenv("HOME"));
    status |= add_variable(run, "LANG", getenv("LANG"));
    status |= add_variable(run, "CAIRN_REPORT_FOLDER", args->folder);
    status |= add_field(run, args, "CAIRN_REPORT_ID", "id");
    status |= add_field(run, args, "CAIRN_REPORT_KIND", "kind");
    status |= add_field(run, args, "CAIRN_REPORT_TIME", "time");
    status |= add_field(run, args, "CAIRN_REPORT_SIGNAL", "crash.signal");
    status |= add_field(run, args, "CAIRN_REPORT_REASON", "crash.reason");
    status |= add_field(run, args, "CAIRN_REPORT_SIGNATURE", "signature");
    status |= add_field(run, args, "CAIRN_APPLICATION", "application.name");
    status |= add_field(run, args, "CAIRN_VERSION", "application.version");
    status |= add_field(run, args, "CAIRN_EXECUTABLE", "process.executable");
    status |= add_minidump(run, args);
    for (size_t i = 0; i < config->environment.count; i++) {
        status |= add_variable(run, names[i], getenv(names[i]));
    }
    return status;
}

/* In the child: standard input from /dev/null, output into the pipe, nothing else open, signals as
 * a fresh program expects them; dies with the step. */
static _Noreturn void become(const struct run *run, int output)
{
    sigset_t none;
    int null = open("/dev/null", O_RDONLY);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (null >= 0 && dup2(null, 0) == 0 && dup2(output, 1) == 1 && dup2(output, 2) == 2) {
        syscall(SYS_close_range, 3u, ~0u, 0u);
        execve(run->program, run->arguments, run->variables);
    }
    dprintf(2, "%s: %s\n", run->program, strerror(errno));
    _exit(127);
}

/* Logs what the command wrote as lines; other control characters become blanks. */
static void log_output(const struct cairn_host *host, char *output, size_t bytes, int cut)
{
    char *line = output, *next;

    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)output[i];

        output[i] = c == '\n' || (c >= ' ' && c != 0x7f) ? (char)c : ' ';
    }
    output[bytes] = '\0';
    for (; *line != '\0'; line = next) {
        size_t length = strcspn(line, "\n");

        next = line + length + (line[length] == '\n');
        if (length > 0) {
            host->log(host, CAIRN_LOG_INFO, "%.*s", (int)length, line);
        }
    }
    if (cut) {
        host->log(host, CAIRN_LOG_WARNING, "The output after its first %d bytes is not logged.",
                  MAX_OUTPUT);
    }
}

struct output {
    char data[MAX_OUTPUT + 1];
    size_t bytes;
    int cut;
};

/* Takes what is in the pipe; -1 at its end. */
static int drain(int fd, struct output *output)
{
    char rest[1024];
    size_t room = MAX_OUTPUT - output->bytes;
    ssize_t count =
        room > 0 ? read(fd, output->data + output->bytes, room) : read(fd, rest, sizeof(rest));

    if (count < 0) {
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    }
    if (room > 0) {
        output->bytes += (size_t)count;
    } else {
        output->cut |= count > 0;
    }
    return count == 0 ? -1 : 0;
}

/* Takes what is still in the pipe, without waiting for more. */
static void drain_rest(struct pollfd *pipe_end, struct output *output)
{
    while (!output->cut && pipe_end->fd >= 0 && poll(pipe_end, 1, 0) > 0) {
        if (drain(pipe_end->fd, output) != 0) {
            return;
        }
    }
}

/* Milliseconds until the deadline, at most `most`; 0 when the time is up. */
static int pause_ms(const struct run *run, uint64_t most)
{
    uint64_t left = run->host->time_left(run->host);
    uint64_t pause = left > MARGIN_US ? (left - MARGIN_US + 999) / 1000 : 0;

    return (int)(pause < most ? pause : most);
}

static int has_ended(pid_t pid, siginfo_t *ret_info)
{
    *ret_info = (siginfo_t){ .si_pid = 0 };
    return waitid(P_PID, (id_t)pid, ret_info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ret_info->si_pid == pid;
}

/* Waits for the command's end, reading its output meanwhile; -1 when the time is up. A grandchild
 * that keeps the pipe open does not prolong this. */
static int await_end(const struct run *run, pid_t pid, int output_fd, struct output *output,
                     siginfo_t *ret_info)
{
    struct pollfd fds[2] = { { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN },
                             { .fd = output_fd, .events = POLLIN } };
    uint64_t longest = fds[0].fd >= 0 ? 60000 : 50; /* without a pidfd: look now and then */
    int pause = pause_ms(run, longest), ended = has_ended(pid, ret_info);

    while (!ended && pause > 0) {
        poll(fds, 2, pause);
        if (fds[1].revents != 0 && drain(output_fd, output) != 0) {
            fds[1].fd = -1;
        }
        ended = has_ended(pid, ret_info);
        pause = pause_ms(run, longest);
    }
    drain_rest(&fds[1], output);
    if (fds[0].fd >= 0) {
        close(fds[0].fd);
    }
    return ended ? 0 : -1;
}

static int judge(const struct run *run, const siginfo_t *info)
{
    const struct cairn_host *host = run->host;

    if (info->si_code != CLD_EXITED) {
        return host->fail(host, "The command %s was ended by signal %d.", run->program,
                          info->si_status);
    }
    if (info->si_status != 0) {
        return host->fail(host, "The command %s ended with the exit code %d.", run->program,
                          info->si_status);
    }
    return CAIRN_PLUGIN_OK;
}

static int execute(const struct run *run)
{
    const struct cairn_host *host = run->host;
    struct output output = { .bytes = 0 };
    siginfo_t info;
    int fds[2], ended;
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) {
        return host->fail(host, "No pipe for the output of %s: %s.", run->program, strerror(errno));
    }
    fcntl(fds[1], F_SETFL, 0); /* the command expects a blocking standard output */
    signal(SIGCHLD, SIG_DFL);  /* were it ignored, there would be no exit code */
    pid = fork();
    if (pid == 0) {
        become(run, fds[1]);
    }
    close(fds[1]);
    if (pid < 0) {
        close(fds[0]);
        return host->fail(host, "No process for the command %s: %s.", run->program,
                          strerror(errno));
    }
    setpgid(pid, pid); /* also here: whichever of the two comes first */
    ended = await_end(run, pid, fds[0], &output, &info);
    kill(-pid, SIGKILL); /* what the command left running ends with it */
    waitpid(pid, NULL, 0);
    close(fds[0]);
    log_output(host, output.data, output.bytes, output.cut);
    if (ended != 0) {
        return host->fail(host, "The command %s did not end in time and was killed.", run->program);
    }
    return judge(run, &info);
}

static int run_command(void *context, struct cairn_hook_args *args)
{
    const struct config *config = context;
    const char *const *command = config->command.items;
    struct run run = { .host = args->host };
    int status;

    if (resolve(command[0], run.program, sizeof(run.program)) != 0) {
        return args->host->fail(args->host, "The program \"%s\" cannot be run: %s.", command[0],
                                strerror(errno));
    }
    run.arguments = calloc(config->command.count + 1, sizeof(*run.arguments));
    if (run.arguments != NULL && make_environment(&run, config, args) == 0) {
        memcpy(run.arguments, command, config->command.count * sizeof(*run.arguments));
        status = execute(&run);
    } else {
        status = args->host->fail(args->host, "No memory or room to run %s.", run.program);
    }
    for (size_t i = 0; i < run.variable_count; i++) {
        free(run.variables[i]);
    }
    free(run.arguments);
    return status;
}

static const struct cairn_hook_ops ops = {
    .size = sizeof(ops),
    .check = check,
    .create = create,
    .run = run_command,
};

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_HOOK),
    .capabilities = CAIRN_CAP_PROCESSES | CAIRN_CAP_NETWORK, /* the programs may need it */
    .name = "exec",
    .version = "1.0.0",
    .summary = "Runs a command once a report is committed.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_HOOK, "exec");
