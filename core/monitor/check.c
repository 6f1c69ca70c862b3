/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the check and reads both of its outputs, bounded in bytes and time. Runs in the monitor.
 */
#include "core/monitor/check.h"

#include "core/monitor/clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK_SECONDS      9 /* a little less than cairn_start() waits, so that it hears why */
#define EXIT_CONFIGURATION 78

/* What comes out of one pipe: the first `capacity` bytes are kept, `bytes` counts up to one more.
 */
struct sink {
    int fd;
    char *data;
    size_t bytes, capacity;
    bool ended;
};

/* Reads what is there, without waiting, and only so often that the deadline is looked at again. */
static void drain(struct sink *sink)
{
    char excess[512];

    for (unsigned i = 0; i < 64; i++) {
        bool full = sink->bytes >= sink->capacity;
        ssize_t got = full ? read(sink->fd, excess, sizeof(excess))
                           : read(sink->fd, sink->data + sink->bytes, sink->capacity - sink->bytes);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            sink->ended = got == 0 || errno != EAGAIN;
            return;
        }
        sink->bytes = full ? sink->capacity + 1 : sink->bytes + (size_t)got;
    }
}

/* Waits for the engine's end or more of its output. False when the deadline passed. */
static bool wait_for_more(const struct engine *engine, const struct sink *output,
                          const struct sink *errors, uint64_t deadline, bool *ret_ended)
{
    struct pollfd polled[3] = {
        { .fd = engine->pidfd, .events = POLLIN },
        { .fd = output->ended ? -1 : output->fd, .events = POLLIN },
        { .fd = errors->ended ? -1 : errors->fd, .events = POLLIN },
    };
    int timeout = clock_poll_timeout(deadline);
    int ready = poll(polled, 3, timeout);

    if ((ready < 0 && errno != EINTR) || (ready == 0 && timeout == 0)) {
        return false;
    }
    *ret_ended = ready > 0 && polled[0].revents != 0;
    return true;
}

/* Until the engine has ended, because what it has started may hold the pipes for longer; or, with
 * `early`, until it has closed its output. False when the deadline passed. */
static bool read_until(const struct engine *engine, struct sink *output, struct sink *errors,
                       uint64_t deadline, bool early)
{
    bool ended = false;

    while (wait_for_more(engine, output, errors, deadline, &ended)) {
        drain(output);
        drain(errors);
        if (ended || (early && output->ended)) {
            return true;
        }
    }
    return false;
}

/* Puts a sentence before the text that is in `problem` already, as far as both fit. */
__attribute__((format(printf, 4, 5))) static void explain(char *problem, size_t capacity,
                                                          size_t bytes, const char *format, ...)
{
    char sentence[PATH_MAX + 256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    size_t first = strlen(sentence);
    if (first > capacity - 2) {
        first = capacity - 2;
    }
    if (bytes > capacity - 2 - first) {
        bytes = capacity - 2 - first;
    }
    memmove(problem + first + 1, problem, bytes);
    memcpy(problem, sentence, first);
    problem[first] = bytes > 0 ? '\n' : '\0';
    problem[first + 1 + bytes] = '\0';
}

/* What to say when the engine ended otherwise than with a plan. */
static int judge(int status, const char *program, char *problem, size_t capacity, size_t bytes)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CONFIGURATION && bytes > 0) {
        return CHECK_PROBLEMS;
    }
    if (WIFSIGNALED(status)) {
        explain(problem, capacity, bytes,
                "%s was ended by signal %d while it checked the configuration.", program,
                WTERMSIG(status));
    } else {
        explain(problem, capacity, bytes, "%s could not check the configuration (exit status %d).",
                program, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    }
    return -EIO;
}

/* The engine closes its output behind a plan, and behind nothing else. True when that was taken,
 * and the engine left to `jobs`. */
static bool take_early(struct jobs *jobs, const struct engine *engine, const struct sink *output,
                       struct plan *ret_plan, char *problem, size_t capacity, uint64_t deadline)
{
    struct engine rest = *engine;

    if (jobs == NULL || !jobs_have_room(jobs) || output->bytes == 0 ||
        output->bytes > output->capacity ||
        plan_parse(output->data, output->bytes, ret_plan, problem, capacity) != 0) {
        return false;
    }
    problem[0] = '\0';
    close(rest.errors);
    rest.errors = -1;
    jobs_add(jobs, &rest, "", deadline);
    return true;
}

/* Reads what the engine says, until `deadline`. */
static int await(const char *program, struct engine *engine, struct jobs *jobs, uint64_t deadline,
                 struct plan *ret_plan, char *ret_problem, size_t problem_capacity)
{
    char text[PLAN_TEXT_BYTES];
    struct sink output = { .fd = engine->output, .data = text, .capacity = sizeof(text) };
    struct sink errors = { .fd = engine->errors,
                           .data = ret_problem,
                           .capacity = problem_capacity - 1 };

    read_until(engine, &output, &errors, deadline, jobs != NULL);
    if (output.ended &&
        take_early(jobs, engine, &output, ret_plan, ret_problem, problem_capacity, deadline)) {
        return 0;
    }
    bool ended = read_until(engine, &output, &errors, deadline, false);
    int status = engine_collect(engine, ended ? deadline : 0);
    if (errors.bytes > errors.capacity) {
        errors.bytes = errors.capacity;
    }
    ret_problem[errors.bytes] = '\0';
    if (!ended) {
        explain(ret_problem, problem_capacity, errors.bytes,
                "%s did not answer within %d seconds and was ended.", program, CHECK_SECONDS);
        return -ETIMEDOUT;
    }
    if (status != 0) {
        return judge(status, program, ret_problem, problem_capacity, errors.bytes);
    }
    return plan_parse(text, output.bytes, ret_plan, ret_problem, problem_capacity);
}

static int run(const struct engine_settings *settings, struct jobs *jobs, uint64_t deadline,
               struct plan *ret_plan, char *ret_problem, size_t problem_capacity)
{
    struct engine engine;

    int result = engine_start_check(settings, &engine);
    if (result != 0) {
        explain(ret_problem, problem_capacity, 0, "%s could not be started: %s.", settings->program,
                strerror(-result));
        return result;
    }
    return await(settings->program, &engine, jobs, deadline, ret_plan, ret_problem,
                 problem_capacity);
}

int check_run(const struct engine_settings *settings, struct jobs *jobs, struct plan *ret_plan,
              char *ret_problem, size_t problem_capacity)
{
    return run(settings, jobs, clock_now() + CHECK_SECONDS * CLOCK_SECOND, ret_plan, ret_problem,
               problem_capacity);
}

int check_take(const struct engine_settings *settings, struct engine *engine, struct jobs *jobs,
               struct plan *ret_plan, char *ret_problem, size_t problem_capacity)
{
    const uint64_t deadline = clock_now() + CHECK_SECONDS * CLOCK_SECOND;
    int result =
        await(settings->program, engine, jobs, deadline, ret_plan, ret_problem, problem_capacity);

    /* It had the program's limits, and what else the monitor frees itself of. */
    return result < 0 && result != -ETIMEDOUT
               ? run(settings, jobs, deadline, ret_plan, ret_problem, problem_capacity)
               : result;
}
