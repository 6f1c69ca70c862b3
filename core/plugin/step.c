/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs one step: forks, takes its records until it ends or its deadline is over, ends what is left
 * of it, and says in one sentence what became of it. Engine and sender, which are single-threaded.
 *
 * A step that did not return keeps nothing of what it sent: half a contribution cannot be told from
 * a whole one. One that returned an error loses its attributes and keeps its notes.
 */
#include "core/plugin/step.h"

#include "core/plugin/intake.h"
#include "core/util/log.h"
#include "core/util/text.h"
#include "core/util/time.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_US 5000000u
#define CHATTER_BYTES      16384 /* of standard output and error that reach the log */
#define DRAIN_READS        64

/* How long a killed process may take to be gone. */
#define REAP_US 2000000u

struct step {
    const struct step_request *request;
    struct intake intake;
    pid_t pid;
    int pidfd;         /* or -1 on a kernel that refuses it: then the child is asked every 10 ms */
    int wire, chatter; /* read ends, non-blocking; -1 at their end */
    uint64_t start_us, deadline_us;
    bool timed_out;
    siginfo_t info;           /* how it ended */
    char line[HOST_MAX_LINE]; /* of chatter */
    size_t line_bytes, chatter_left;
};

/* ---- In the child ---- */

static _Noreturn void child(const struct step *step, const int fds[STEP_FDS], pid_t parent)
{
    const struct step_request *request = step->request;
    struct host host;
    struct error error = { 0, "" };
    uint64_t time_us = step->deadline_us - step->start_us;

    if (host_confine(request, fds, parent, time_us, &error) < 0) {
        struct wire_end end = { .state = WIRE_UNUSABLE };
        text_copy(end.reason, sizeof(end.reason), error.text);
        wire_send(fds[STEP_FD_WIRE], (struct wire_record){ .type = WIRE_END }, NULL, &end,
                  sizeof(end));
        _exit(0);
    }
    host_init(&host, request, STEP_FD_WIRE, request->dump_fd >= 0 ? STEP_FD_DUMP : -1,
              step->deadline_us);
    host_call(&host, STEP_FD_PLUGIN, request->out_fd >= 0 ? STEP_FD_OUT : -1);
    _exit(0);
}

/* ---- Starting ---- */

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

static int make_pipe(int *ret_read, int *ret_write)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0) {
        return -1;
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *ret_read = ends[0];
    *ret_write = ends[1];
    return 0;
}

/* Signals stay blocked in the child until it has let go of the host's handlers. */
static pid_t fork_child(const struct step *step, const int fds[STEP_FDS])
{
    sigset_t all, before;
    pid_t parent = getpid(), pid;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = fork();
    if (pid == 0) {
        child(step, fds, parent);
    }
    int number = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = number;
    return pid;
}

static int start(struct step *step)
{
    const struct step_request *request = step->request;
    int fds[STEP_FDS] = { -1,
                          -1,
                          -1,
                          -1,
                          request->plugin_fd,
                          request->dump_fd,
                          request->out_fd,
                          request->attachment != NULL ? request->in_fd : -1 };
    int number;

    if (make_pipe(&step->wire, &fds[STEP_FD_WIRE]) != 0) {
        return -1;
    }
    if (make_pipe(&step->chatter, &fds[STEP_FD_OUTPUT]) == 0) {
        fds[STEP_FD_ERROR] = fds[STEP_FD_OUTPUT];
        step->pid = fork_child(step, fds);
    }
    number = errno;
    close_fd(&fds[STEP_FD_WIRE]);
    close_fd(&fds[STEP_FD_OUTPUT]);
    if (step->pid < 0) {
        errno = number;
        return -1;
    }
    step->pidfd = (int)syscall(SYS_pidfd_open, step->pid, 0);
    return 0;
}

/* ---- Standard output and error go to the log ---- */

static void log_chatter(struct step *step)
{
    char line[HOST_MAX_LINE];

    if (step->line_bytes > 0) {
        intake_text(line, sizeof(line), step->line, step->line_bytes);
        log_line(LOG_LEVEL_INFO, INTAKE_LABEL " printed: %s",
                 INTAKE_LABEL_OF(step->request->instance), line);
        step->line_bytes = 0;
    }
}

static bool read_chatter(struct step *step)
{
    char bytes[4096];
    ssize_t got = read(step->chatter, bytes, sizeof(bytes));

    if (got < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    for (ssize_t i = 0; i < got && step->chatter_left > 0; i++, step->chatter_left--) {
        if (bytes[i] != '\n') {
            step->line[step->line_bytes++] = bytes[i];
        }
        if (bytes[i] == '\n' || step->line_bytes == sizeof(step->line)) {
            log_chatter(step);
        }
    }
    return got > 0;
}

/* ---- Waiting and ending ---- */

/* Without reaping it: until then no other process can have its number, nor its group's. */
static bool has_exited(struct step *step)
{
    step->info = (siginfo_t){ 0 };
    if (waitid(P_PID, (id_t)step->pid, &step->info, WEXITED | WNOHANG | WNOWAIT) != 0) {
        return errno == ECHILD;
    }
    return step->info.si_pid == step->pid;
}

static void wait_some(struct step *step)
{
    struct pollfd fds[] = { { step->wire, POLLIN, 0 },
                            { step->chatter, POLLIN, 0 },
                            { step->pidfd, POLLIN, 0 } };
    uint64_t now = time_monotonic_us();
    uint64_t left = now < step->deadline_us ? (step->deadline_us - now) / 1000 + 1 : 0;
    uint64_t most = step->pidfd >= 0 ? 60000 : 10;

    if (poll(fds, 3, (int)(left < most ? left : most)) <= 0) {
        return;
    }
    if (fds[0].revents != 0 && !intake_read(&step->intake, step->wire)) {
        close_fd(&step->wire);
    }
    if (fds[1].revents != 0 && !read_chatter(step)) {
        close_fd(&step->chatter);
    }
}

static void watch(struct step *step)
{
    while (!has_exited(step) && step->intake.status == STEP_OK) {
        if (time_monotonic_us() >= step->deadline_us) {
            step->timed_out = true;
            return;
        }
        wait_some(step);
    }
}

static bool is_readable(int fd)
{
    struct pollfd ready = { fd, POLLIN, 0 };

    return fd >= 0 && poll(&ready, 1, 0) > 0;
}

/* What was sent before the end is still in the pipes. A process that has left the session may go on
 * writing: that is not waited for. */
static void drain(struct step *step)
{
    for (int i = 0; i < DRAIN_READS && step->intake.status == STEP_OK; i++) {
        if (!is_readable(step->wire) || !intake_read(&step->intake, step->wire)) {
            break;
        }
    }
    for (int i = 0; i < DRAIN_READS; i++) {
        if (!is_readable(step->chatter) || !read_chatter(step)) {
            break;
        }
    }
    log_chatter(step);
}

static void end_group(const struct step *step)
{
    kill(-step->pid, SIGKILL);
    kill(step->pid, SIGKILL); /* it may not have come to its session yet */
}

/* A process that sleeps where no signal reaches it (a dead network file system) is left behind. */
static void reap(struct step *step)
{
    siginfo_t info = { 0 };
    uint64_t until = time_monotonic_us() + REAP_US;

    while (waitid(P_PID, (id_t)step->pid, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0 &&
           time_monotonic_us() < until) {
        struct pollfd ended = { step->pidfd, POLLIN, 0 };
        poll(&ended, 1, step->pidfd >= 0 ? REAP_US / 1000 : 10);
    }
}

/* ---- What became of it ---- */

__attribute__((format(printf, 3, 4))) static enum step_status
conclude(const struct step *step, enum step_status status, const char *format, ...)
{
    struct step_result *result = step->intake.result;
    va_list arguments;
    int bytes = snprintf(result->error, sizeof(result->error), INTAKE_LABEL " ",
                         INTAKE_LABEL_OF(step->request->instance));

    if (bytes > 0 && (size_t)bytes < sizeof(result->error)) {
        va_start(arguments, format);
        vsnprintf(result->error + bytes, sizeof(result->error) - (size_t)bytes, format, arguments);
        va_end(arguments);
    }
    return status;
}

static enum step_status judge_timeout(const struct step *step)
{
    double seconds = (double)(step->deadline_us - step->start_us) / 1e6;

    return seconds < 1
               ? conclude(step, STEP_TIMEOUT, "did not finish within %.0f ms.", seconds * 1000)
               : conclude(step, STEP_TIMEOUT, "did not finish within %.3g s.", seconds);
}

static enum step_status judge_death(const struct step *step)
{
    char name[16];
    int number = step->info.si_status;

    if (step->info.si_code == CLD_EXITED) {
        return conclude(step, STEP_EXITED, "ended its process with exit code %d.", number);
    }
    if (step->info.si_code != CLD_KILLED && step->info.si_code != CLD_DUMPED) {
        return conclude(step, STEP_BROKEN, "ended in a way that could not be learnt.");
    }
    if (number == SIGXFSZ) {
        return conclude(step, STEP_OVERFLOW, "wrote more than its output limit of %llu bytes.",
                        (unsigned long long)step->request->instance->output_bytes);
    }
    return conclude(step, STEP_CRASHED, "was ended by %s.", text_signal_name(number, name));
}

static enum step_status judge_refusal(const struct step *step)
{
    const struct intake *intake = &step->intake;

    return conclude(step, STEP_FAILED, "refuses its options: %s%s",
                    intake->problem[0] != '\0'   ? intake->problem
                    : intake->failure[0] != '\0' ? intake->failure
                                                 : "it does not say why",
                    intake->problem[0] == '\0' && intake->failure[0] != '\0' ? "" : ".");
}

static enum step_status judge_end(const struct step *step)
{
    const struct intake *intake = &step->intake;

    switch ((enum wire_state)intake->end.state) {
    case WIRE_DONE:
        return STEP_OK;
    case WIRE_UNSUPPORTED:
        return STEP_UNSUPPORTED;
    case WIRE_FAILED:
        return intake->failure[0] != '\0'
                   ? conclude(step, STEP_FAILED, "failed: %s", intake->failure)
                   : conclude(step, STEP_FAILED, "failed without saying why.");
    case WIRE_REFUSED:
        return judge_refusal(step);
    case WIRE_UNUSABLE:
        return conclude(step, STEP_BROKEN, "could not be started: %s", intake->end.reason);
    }
    return conclude(step, STEP_BROKEN, "sent an end record of state %d, which does not exist.",
                    intake->end.state);
}

static enum step_status judge(const struct step *step)
{
    const struct intake *intake = &step->intake;

    if (step->timed_out) {
        return judge_timeout(step);
    }
    if (intake->status != STEP_OK) {
        return conclude(step, intake->status, "%s.", intake->why);
    }
    if (!intake->ended || step->info.si_code != CLD_EXITED || step->info.si_status != 0) {
        return judge_death(step);
    }
    return judge_end(step);
}

/* ---- What it answered ---- */

static enum step_status answer_filter(const struct step *step)
{
    const struct wire_end *end = &step->intake.end;
    struct step_result *result = step->intake.result;

    if (end->action != CAIRN_KEEP && end->action != CAIRN_DROP) {
        return conclude(step, STEP_BROKEN, "answered %d, which is neither keep nor drop.",
                        end->action);
    }
    if (end->instead_of[0] != '\0' && !text_is_uuid(end->instead_of)) {
        return conclude(step, STEP_BROKEN, "named an earlier report by what is no id.");
    }
    result->action = end->action;
    text_copy(result->instead_of, sizeof(result->instead_of), end->instead_of);
    result->defer_us = end->defer_us;
    intake_text(result->reason, sizeof(result->reason), end->reason, strlen(end->reason));
    return STEP_OK;
}

static enum step_status answer_transport(const struct step *step)
{
    const struct wire_end *end = &step->intake.end;
    struct step_result *result = step->intake.result;

    if (end->outcome < CAIRN_DELIVERED || end->outcome > CAIRN_REJECTED) {
        return conclude(step, STEP_BROKEN, "answered %d, which is no outcome.", end->outcome);
    }
    result->outcome = end->outcome;
    result->response_code = end->response_code;
    result->retry_after_us = end->retry_after_us;
    intake_text(result->server_id, sizeof(result->server_id), end->server_id,
                strlen(end->server_id));
    if (end->outcome != CAIRN_DELIVERED && end->reason[0] != '\0') {
        intake_text(result->error, sizeof(result->error), end->reason, strlen(end->reason));
    } else if (end->outcome != CAIRN_DELIVERED) {
        conclude(step, STEP_OK, "did not deliver the report and does not say why.");
    }
    return STEP_OK;
}

static enum step_status answer(const struct step *step)
{
    enum cairn_kind kind = step->request->instance->kind;

    if (step->request->check_only || step->request->rehearsal != STEP_NO_REHEARSAL) {
        return STEP_OK;
    }
    return kind == CAIRN_KIND_FILTER      ? answer_filter(step)
           : kind == CAIRN_KIND_TRANSPORT ? answer_transport(step)
                                          : STEP_OK;
}

static void drop_attributes(struct step_result *result)
{
    for (size_t i = 0; i < result->attribute_count; i++) {
        free(result->attributes[i].name);
        free((char *)result->attributes[i].value.string);
    }
    free(result->attributes);
    result->attributes = NULL;
    result->attribute_count = 0;
}

static void drop_texts(struct step_result *result)
{
    for (size_t i = 0; i < result->text_count; i++) {
        free(result->texts[i].text);
    }
    free(result->texts);
    result->texts = NULL;
    result->text_count = 0;
}

static void drop_notes(struct step_result *result)
{
    for (size_t i = 0; i < result->note_count; i++) {
        free(result->notes[i]);
    }
    free(result->notes);
    result->notes = NULL;
    result->note_count = 0;
}

/* A plugin that went on although its output was refused: the report says that there was more. */
static void note_limit(const struct step *step)
{
    struct step_result *result = step->intake.result;
    char **notes = realloc(result->notes, (result->note_count + 1) * sizeof(*notes));

    if (notes == NULL) {
        return;
    }
    result->notes = notes;
    if (asprintf(&notes[result->note_count],
                 INTAKE_LABEL " reached a limit; some of what it had to add is missing.",
                 INTAKE_LABEL_OF(step->request->instance)) >= 0) {
        result->note_count++;
    }
}

static void keep_contribution(const struct step *step)
{
    struct step_result *result = step->intake.result;

    if (result->status != STEP_OK) {
        drop_attributes(result);
        drop_texts(result);
    }
    if (result->status != STEP_OK && result->status != STEP_UNSUPPORTED &&
        result->status != STEP_FAILED) {
        drop_notes(result);
    } else if (step->intake.end.limited != 0) {
        note_limit(step);
    }
}

/* A check that fails without naming an option, or does not end, is a problem of the instance. */
static void report_check(const struct step *step)
{
    const struct step_request *request = step->request;
    const struct step_result *result = step->intake.result;
    char path[256];
    size_t bytes = strlen(result->error);

    if (!request->check_only || request->problems == NULL || result->status == STEP_OK ||
        step->intake.problem[0] != '\0') {
        return;
    }
    snprintf(path, sizeof(path), "%s.%s", config_section(request->instance->kind),
             request->instance->id);
    config_problem_add(request->problems, config_option_position(request->instance, "plugin"), path,
                       "%.*s", (int)(bytes > 0 ? bytes - 1 : 0), result->error);
}

/* ---- The step ---- */

/* Inherited from a program that ignores SIGCHLD: nobody would learn how a child ended. */
static void want_children(void)
{
    struct sigaction now;

    if (sigaction(SIGCHLD, NULL, &now) == 0 &&
        (now.sa_handler == SIG_IGN || (now.sa_flags & SA_NOCLDWAIT) != 0)) {
        signal(SIGCHLD, SIG_DFL);
    }
}

static void run(struct step *step)
{
    struct step_result *result = step->intake.result;

    want_children();
    if (start(step) != 0) {
        result->status =
            conclude(step, STEP_BROKEN, "could not be started: %s.", strerrordesc_np(errno));
    } else {
        watch(step);
        end_group(step);
        drain(step);
        reap(step);
        result->status = judge(step);
        if (result->status == STEP_OK) {
            result->status = answer(step);
        }
        keep_contribution(step);
    }
    report_check(step);
    close_fd(&step->pidfd);
    close_fd(&step->wire);
    close_fd(&step->chatter);
}

enum step_status step_run(const struct step_request *request, struct step_result *ret_result)
{
    uint64_t timeout =
        request->instance->timeout_us != 0 ? request->instance->timeout_us : DEFAULT_TIMEOUT_US;
    struct step *step = calloc(1, sizeof(*step));

    *ret_result = (struct step_result){ .action = CAIRN_KEEP, .outcome = CAIRN_RETRY };
    if (step == NULL) {
        ret_result->status = STEP_BROKEN;
        snprintf(ret_result->error, sizeof(ret_result->error),
                 "There is no memory to run " INTAKE_LABEL ".", INTAKE_LABEL_OF(request->instance));
        return ret_result->status;
    }
    step->request = request;
    step->intake.request = request;
    step->intake.result = ret_result;
    step->pid = step->pidfd = step->wire = step->chatter = -1;
    step->chatter_left = CHATTER_BYTES;
    step->start_us = time_monotonic_us();
    step->deadline_us = step->start_us + timeout;
    if (request->deadline_us != 0 && request->deadline_us < step->deadline_us) {
        step->deadline_us = request->deadline_us;
    }
    if (step->deadline_us <= step->start_us) {
        ret_result->status =
            conclude(step, STEP_TIMEOUT, "was not started: there was no time left for it.");
    } else {
        run(step);
    }
    ret_result->elapsed_us = time_monotonic_us() - step->start_us;
    free(step);
    return ret_result->status;
}

void step_result_finish(struct step_result *result)
{
    drop_attributes(result);
    drop_texts(result);
    drop_notes(result);
    free(result->holes);
    result->holes = NULL;
}
