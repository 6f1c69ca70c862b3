/* SPDX-License-Identifier: Apache-2.0 */
/* Steps: every way in which one can end, and that nothing of it is left behind. */
#include "core/plugin/step.h"
#include "core/util/log.h"
#include "core/util/time.h"
#include "tests/unit/plugins.h"
#include "tests/unit/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND 1000000u

/* A step of one test plugin, without options. */
struct run {
    struct config_instance instance;
    struct plugin_facts *facts;
    int fd;
    struct report *report;
    struct step_request request;
    struct step_result result;
};

static void run_init(struct run *run, enum cairn_kind kind, const char *name)
{
    struct error error = { 0, "" };

    memset(run, 0, sizeof(*run));
    run->facts = plugins_describe(kind, name, &run->fd, &error);
    if (run->facts == NULL) {
        printf("# %s\n", error.text);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(run->facts);
    run->report = report_create();
    CU_ASSERT_PTR_NOT_NULL_FATAL(run->report);
    run->instance = (struct config_instance){ .kind = kind,
                                              .id = "it",
                                              .plugin = (char *)name,
                                              .timeout_us = 10 * SECOND,
                                              .memory_bytes = 64u << 20,
                                              .output_bytes = 1u << 20 };
    run->request = (struct step_request){ .instance = &run->instance,
                                          .facts = run->facts,
                                          .plugin_fd = run->fd,
                                          .report = run->report,
                                          .dump_fd = -1,
                                          .out_fd = -1 };
}

static void run_finish(struct run *run)
{
    step_result_finish(&run->result);
    report_destroy(run->report);
    plugin_facts_destroy(run->facts);
    close(run->fd);
}

static size_t count_descriptors(void)
{
    size_t count = 0;

    for (int fd = 0; fd < 256; fd++) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    return count;
}

/* Runs an annotator that is wrong; nothing of its contribution may be kept, nor any child. */
static void check_wrong(const char *name, enum step_status status, const char *error)
{
    struct run run;

    run_init(&run, CAIRN_KIND_ANNOTATOR, name);
    size_t before = count_descriptors();
    CU_ASSERT_EQUAL(step_run(&run.request, &run.result), status);
    CU_ASSERT_EQUAL(run.result.status, status);
    if (strcmp(run.result.error, error) != 0) {
        printf("# %s: %s\n", name, run.result.error);
        CU_FAIL("the sentence is another");
    }
    CU_ASSERT_EQUAL(run.result.attribute_count, 0);
    CU_ASSERT_EQUAL(run.result.note_count, 0);
    CU_ASSERT_EQUAL(count_descriptors(), before);
    CU_ASSERT(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
    run_finish(&run);
}

static void test_deaths(void)
{
    check_wrong("crash", STEP_CRASHED, "annotator \"it\" was ended by SIGSEGV.");
    check_wrong("abort", STEP_CRASHED, "annotator \"it\" was ended by SIGABRT.");
    check_wrong("undone", STEP_CRASHED, "annotator \"it\" was ended by SIGILL.");
#if !defined(__SANITIZE_ADDRESS__) /* which looks for leaks at the exit in a process of its own */
    check_wrong("quit", STEP_EXITED, "annotator \"it\" ended its process with exit code 0.");
#endif
    check_wrong("leave", STEP_EXITED, "annotator \"it\" ended its process with exit code 3.");
    check_wrong("mute", STEP_FAILED, "annotator \"it\" failed without saying why.");
    check_wrong("nothing", STEP_UNSUPPORTED, "");
    check_wrong("scribble", STEP_BROKEN, "annotator \"it\" sent bytes that are no record.");
    check_wrong("overrun", STEP_OVERFLOW,
                "annotator \"it\" sent more than its output limit of 1048576 bytes.");
}

/* Not with a sanitizer: its allocator, which the plugin then gets, has rules of its own. */
static void test_memory(void)
{
#if !defined(__SANITIZE_ADDRESS__)
    check_wrong("greedy", STEP_CRASHED, "annotator \"it\" was ended by SIGSEGV.");
#endif
}

static void test_failure(void)
{
    struct run run;

    run_init(&run, CAIRN_KIND_ANNOTATOR, "fail");
    CU_ASSERT_EQUAL(step_run(&run.request, &run.result), STEP_FAILED);
    CU_ASSERT_STRING_EQUAL(run.result.error,
                           "annotator \"it\" failed: The file /nowhere cannot be opened.");
    CU_ASSERT_EQUAL(run.result.attribute_count, 0);
    CU_ASSERT_EQUAL_FATAL(run.result.note_count, 1);
    CU_ASSERT_STRING_EQUAL(run.result.notes[0], "What is missing is this.");
    run_finish(&run);
}

/* ---- Clocks ---- */

static void check_clock(uint64_t timeout_us, uint64_t left_us, const char *error)
{
    struct run run;

    run_init(&run, CAIRN_KIND_ANNOTATOR, "hang");
    run.instance.timeout_us = timeout_us;
    run.request.deadline_us = time_monotonic_us() + left_us;
    CU_ASSERT_EQUAL(step_run(&run.request, &run.result), STEP_TIMEOUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(run.result.error, error));
    CU_ASSERT(run.result.elapsed_us < 4 * SECOND);
    CU_ASSERT(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
    run_finish(&run);
}

static void test_clocks(void)
{
    struct run run;

    check_clock(200000, 20 * SECOND, "annotator \"it\" did not finish within 200 ms.");
    /* Of what is left some may be gone by the time the step begins. */
    check_clock(10 * SECOND, 1400000, "annotator \"it\" did not finish within 1.");
    run_init(&run, CAIRN_KIND_ANNOTATOR, "hang");
    run.request.deadline_us = time_monotonic_us() - 1;
    CU_ASSERT_EQUAL(step_run(&run.request, &run.result), STEP_TIMEOUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(run.result.error, "there was no time left"));
    run_finish(&run);
}

/* Whether a process ends within some seconds. Whoever inherits it may be slow to reap it: a zombie
 * has ended, too. */
static bool ends(pid_t pid)
{
    uint64_t until = time_monotonic_us() + 5 * SECOND;
    char path[64], line[512];

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    while (time_monotonic_us() < until) {
        FILE *file = fopen(path, "r");
        if (file == NULL) {
            return true;
        }
        const char *name_end = fgets(line, sizeof(line), file) != NULL ? strrchr(line, ')') : NULL;
        fclose(file);
        if (name_end == NULL || name_end[2] == 'Z') {
            return true;
        }
        usleep(1000);
    }
    return false;
}

static void test_lingerer(void)
{
    struct run run;

    run_init(&run, CAIRN_KIND_ANNOTATOR, "linger");
    CU_ASSERT_EQUAL(step_run(&run.request, &run.result), STEP_OK);
    CU_ASSERT(run.result.elapsed_us < 5 * SECOND);
    CU_ASSERT_EQUAL_FATAL(run.result.attribute_count, 1);
    pid_t pid = atoi(run.result.attributes[0].value.string);
    CU_ASSERT(pid > 1);
    CU_ASSERT(ends(pid));
    run_finish(&run);
}

/* The only child of a process, or 0 when it has none for some seconds. */
static pid_t child_of(pid_t pid)
{
    uint64_t until = time_monotonic_us() + 5 * SECOND;
    char path[64];
    int child = 0;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
    while (child == 0 && time_monotonic_us() < until) {
        FILE *file = fopen(path, "r");
        if (file == NULL || fscanf(file, "%d", &child) != 1) {
            child = 0;
        }
        if (file != NULL) {
            fclose(file);
        }
        usleep(1000);
    }
    return child;
}

static void test_host_death(void)
{
    struct run run;

    run_init(&run, CAIRN_KIND_ANNOTATOR, "hang");
    pid_t host = fork();
    if (host == 0) {
        step_run(&run.request, &run.result);
        _exit(0);
    }
    pid_t step = child_of(host);
    CU_ASSERT(step > 1);
    kill(host, SIGKILL);
    waitpid(host, NULL, 0);
    CU_ASSERT(step <= 1 || ends(step));
    run_finish(&run);
}

/* ---- Limits ---- */

static void test_limited(void)
{
    struct run run;

    run_init(&run, CAIRN_KIND_ANNOTATOR, "flood");
    CU_ASSERT_EQUAL(step_run(&run.request, &run.result), STEP_OK);
    CU_ASSERT(run.result.attribute_count > 100 && run.result.attribute_count <= 256);
    CU_ASSERT_EQUAL_FATAL(run.result.note_count, 65);
    CU_ASSERT_STRING_EQUAL(run.result.notes[64],
                           "annotator \"it\" reached a limit; some of what it "
                           "had to add is missing.");
    run_finish(&run);
}

static void test_print(void)
{
    struct run run;
    int log = memfd_create("log", MFD_CLOEXEC);

    log_init("test", log, LOG_LEVEL_INFO);
    run_init(&run, CAIRN_KIND_ANNOTATOR, "print");
    CU_ASSERT_EQUAL(step_run(&run.request, &run.result), STEP_OK);
    log_init("test", STDERR_FILENO, LOG_LEVEL_WARNING);
    struct stat status;
    CU_ASSERT_EQUAL(fstat(log, &status), 0);
    CU_ASSERT(status.st_size > 16384 && status.st_size < 1 << 20);
    char *text = mmap(NULL, (size_t)status.st_size + 1, PROT_READ, MAP_PRIVATE, log, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "info: annotator \"it\": a line for the log\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "info: annotator \"it\" printed: error 0\n"));
    munmap(text, (size_t)status.st_size + 1);
    close(log);
    run_finish(&run);
}

/* ---- The host's surroundings ---- */

/* A program that ignores SIGCHLD hands that on to the engine. */
static void test_ignored_children(void)
{
    signal(SIGCHLD, SIG_IGN);
    check_wrong("crash", STEP_CRASHED, "annotator \"it\" was ended by SIGSEGV.");
}

static void test_many_descriptors(void)
{
    struct run run;
    int taken[256];
    size_t count = 0;

    run_init(&run, CAIRN_KIND_ANNOTATOR, "nothing");
    for (int fd; count < 256 && (fd = fcntl(run.fd, F_DUPFD_CLOEXEC, 0)) >= 0;) {
        taken[count++] = fd;
    }
    step_run(&run.request, &run.result);
    while (count > 0) {
        close(taken[--count]);
    }
    CU_ASSERT_EQUAL(run.result.status, STEP_UNSUPPORTED);
    run_finish(&run);
}

int main(void)
{
    static const struct tap_test tests[] = {
        { "tells every death apart and keeps nothing", test_deaths },
        { "keeps the memory limit", test_memory },
        { "keeps the notes of a failure", test_failure },
        { "keeps its clocks", test_clocks },
        { "leaves no process behind", test_lingerer },
        { "dies with its host", test_host_death },
        { "takes what fits its limits and says so", test_limited },
        { "puts output into the log, bounded", test_print },
        { "works where SIGCHLD was ignored", test_ignored_children },
        { "works among many descriptors", test_many_descriptors },
        { NULL, NULL },
    };

    return tap_run("step", tests);
}
