/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `cairn run`: checks the configuration, then becomes the program, with the preload library in its
 * environment. Nothing of Cairn stays between the program and its parent.
 */
#include "tools/options.h"

#include "core/util/paths.h"
#include "tools/executable.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* As env(1): told apart from what the program itself may exit with. */
#define EXIT_CANNOT         125
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND      127

/* As long as cairn_start() waits for the same. */
#define CHECK_SECONDS 10

struct request {
    const char *config, *application, *version;
    bool children;
    char **command;
};

static char *const *check_arguments(const struct request *request, const char *executable)
{
    static char *arguments[16];
    size_t count = 0;

    arguments[count++] = "cairn-engine";
    arguments[count++] = "check";
    arguments[count++] = "--config";
    arguments[count++] = (char *)request->config;
    arguments[count++] = "--executable";
    arguments[count++] = (char *)executable;
    if (request->application != NULL) {
        arguments[count++] = "--application";
        arguments[count++] = (char *)request->application;
    }
    if (request->version != NULL) {
        arguments[count++] = "--version";
        arguments[count++] = (char *)request->version;
    }
    arguments[count] = NULL;
    return arguments;
}

/* In the new process: ends whatever becomes of it after a while. */
static void start_timer(void)
{
    sigset_t alarms;

    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    signal(SIGALRM, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &alarms, NULL);
    alarm(CHECK_SECONDS);
}

/* Runs the engine's check, whose problems go to standard error. 0, 78 or 125. */
static int check_configuration(const struct tool *tool, const struct request *request,
                               const char *executable)
{
    char engine[PATH_MAX];
    int status;
    pid_t child;

    snprintf(engine, sizeof(engine), "%s/cairn-engine", paths_libexec());
    child = fork();
    if (child == 0) {
        start_timer();
        dup2(STDERR_FILENO, STDOUT_FILENO); /* the program's output is not ours to add to */
        execv(engine, check_arguments(request, executable));
        fprintf(stderr, "cairn run: %s cannot be started: %s.\n", engine, strerror(errno));
        _exit(EXIT_CANNOT);
    }
    if (child < 0) {
        return tool_fail(tool, EXIT_CANNOT, "No process can be started: %s.", strerror(errno));
    }
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return tool_fail(tool, EXIT_CANNOT, "The check was lost: %s.", strerror(errno));
        }
    }
    if (WIFEXITED(status)) {
        int code = WEXITSTATUS(status);

        return code == 0 || code == EX_CONFIG ? code : EXIT_CANNOT;
    }
    if (WTERMSIG(status) == SIGALRM) {
        return tool_fail(tool, EXIT_CANNOT,
                         "The check of the configuration did not end within %d seconds.",
                         CHECK_SECONDS);
    }
    return tool_fail(tool, EXIT_CANNOT, "The check of the configuration ended by signal %d.",
                     WTERMSIG(status));
}

/* NULL: takes it out, where a `cairn run` around this one has left it. */
static int put_variable(const char *name, const char *value)
{
    return value != NULL ? setenv(name, value, 1) : unsetenv(name);
}

static int put_variables(const struct request *request, const char *libraries)
{
    return put_variable("LD_PRELOAD", libraries) != 0 ||
                   put_variable("CAIRN_RUN_CONFIG", request->config) != 0 ||
                   put_variable("CAIRN_RUN_APPLICATION", request->application) != 0 ||
                   put_variable("CAIRN_RUN_VERSION", request->version) != 0 ||
                   put_variable("CAIRN_RUN_CHILDREN", request->children ? "1" : NULL) != 0
               ? -1
               : 0;
}

/* Puts the preload library before what the user preloads himself. */
static int prepare_environment(const struct tool *tool, const struct request *request)
{
    const char *library = paths_preload();
    const char *others = getenv("LD_PRELOAD");
    char *libraries;
    int result;

    if (strpbrk(library, ": ") != NULL) {
        return tool_fail(tool, EXIT_CANNOT,
                         "%s cannot be preloaded: its path contains a colon or a space.", library);
    }
    if (access(library, R_OK) != 0) {
        return tool_fail(tool, EXIT_CANNOT, "The preload library %s cannot be read: %s.", library,
                         strerror(errno));
    }
    if (asprintf(&libraries, "%s%s%s", library, others != NULL && *others != '\0' ? ":" : "",
                 others != NULL ? others : "") < 0) {
        return tool_fail(tool, EXIT_CANNOT, "There is not enough memory.");
    }
    result = put_variables(request, libraries);
    free(libraries);
    return result == 0 ? 0 : tool_fail(tool, EXIT_CANNOT, "There is not enough memory.");
}

static int start(const struct tool *tool, struct request *request)
{
    char executable[PATH_MAX], config[PATH_MAX];
    struct error error;
    int result = executable_find(request->command[0], executable, &error);

    if (result != 0) {
        return tool_fail(tool, result == CAIRN_ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE, "%s",
                         error.text);
    }
    if (executable_can_preload(executable, &error) != 0) {
        return tool_fail(tool, EXIT_CANNOT, "%s", error.text);
    }
    /* The program may change its directory; a missing file is the check's to complain about. */
    if (realpath(request->config, config) != NULL) {
        request->config = config;
    }
    result = check_configuration(tool, request, executable);
    if (result == 0) {
        result = prepare_environment(tool, request);
    }
    if (result != 0) {
        return result;
    }
    execv(executable, request->command);
    return tool_fail(tool, errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE,
                     "%s cannot be started: %s.", executable, strerror(errno));
}

static int run(const struct tool *tool, int argc, char **argv)
{
    struct request request;
    struct tool_options options;
    int code = tool_parse(tool, "+cavk", argc, argv, &options);

    if (code != TOOL_GO_ON) {
        return code;
    }
    if (optind == argc) {
        return tool_usage(tool, "The program to run is missing.");
    }
    request.config = options.config != NULL ? options.config : paths_config();
    request.application = options.application;
    request.version = options.version;
    request.children = options.children;
    request.command = argv + optind;
    return start(tool, &request);
}

const struct tool tool_run = {
    .name = "run",
    .synopsis = "[-c FILE] [--application NAME] [--app-version VERSION] [--children] [--] PROGRAM "
                "[ARGUMENT...]",
    .summary = "run a program and report its crashes",
    .help =
        "  -c, --config FILE      the configuration; default: the installed one\n"
        "      --application NAME overrides application.name\n"
        "      --app-version V    overrides application.version\n"
        "      --children         also what the program starts by exec(): each such program runs\n"
        "                         as if cairn run had started it\n\n"
        "Exit status: the program's own; 78 when the configuration has problems; 125 when Cairn\n"
        "cannot run in this program (static, set-id, foreign machine); 126 when it is not\n"
        "executable; 127 when it does not exist.\n",
    .run = run,
};
