/* SPDX-License-Identifier: Apache-2.0 */
/* Steps: every way in which one can end, what is kept of it, and that nothing of it is left behind.
 */
#include "core/plugin/step.h"
#include "core/plugin/wire.h"
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
    check_wrong("quit", STEP_EXITED, "annotator \"it\" ended its process with exit code 0.");
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
    check_clock(10 * SECOND, 1100000, "annotator \"it\" did not finish within 1.1 s.");
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

/* ---- What is right ---- */

static const struct report_attribute *attribute(const struct step_result *result, const char *name)
{
    static const struct report_attribute none = { "", { .string = "" } };

    for (size_t i = 0; i < result->attribute_count; i++) {
        if (strcmp(result->attributes[i].name, name) == 0) {
            return &result->attributes[i];
        }
    }
    return &none;
}

/* Runs the only instance of a configuration. */
static void run_bound(const struct plugins_config *bound, struct report *report,
                      const struct step_request *more, struct step_result *ret_result)
{
    struct step_request request = *more;

    if (bound->result != 0) {
        printf("# %s\n", bound->text);
    }
    CU_ASSERT_EQUAL_FATAL(bound->result, 0);
    request.instance = &bound->config->instances[0];
    request.facts = bound->set.facts[0];
    request.plugin_fd = bound->set.fds[0];
    request.report = report;
    step_run(&request, ret_result);
}

static const struct step_request plain = { .dump_fd = -1, .out_fd = -1 };

static void test_annotator(void)
{
    struct plugins_config bound;
    struct step_result result;
    struct report *report = report_create();

    CU_ASSERT_EQUAL(report_text(&report->application, "shop"), 0);
    CU_ASSERT_EQUAL(report_add_breadcrumb(report, 1, "ui", "clicked"), 0);
    plugins_config_init(&bound, "version: 1\n"
                                "annotators:\n"
                                "  it: { plugin: good, text: hello, flag: true, size: 3MiB, ratio: "
                                "0.5, list: [a, b], map: { good.mapped: 7 } }\n"
                                "pipelines:\n"
                                "  default: { annotators: [it] }\n");
    run_bound(&bound, report, &plain, &result);
    CU_ASSERT_EQUAL(result.status, STEP_OK);
    CU_ASSERT_STRING_EQUAL(result.error, "");
    CU_ASSERT_STRING_EQUAL(attribute(&result, "good.text")->value.string, "hello");
    CU_ASSERT_EQUAL(attribute(&result, "good.flag")->value.boolean, 1);
    CU_ASSERT_EQUAL(attribute(&result, "good.number")->value.integer, 3);
    CU_ASSERT_EQUAL(attribute(&result, "good.ratio")->value.number, 0.5);
    CU_ASSERT_EQUAL(attribute(&result, "good.size")->value.integer, 3 << 20);
    CU_ASSERT_EQUAL(attribute(&result, "good.list")->value.integer, 2);
    CU_ASSERT_EQUAL(attribute(&result, "good.mapped")->value.integer, 7);
    CU_ASSERT_STRING_EQUAL(attribute(&result, "seen.application")->value.string, "shop");
    CU_ASSERT_STRING_EQUAL(attribute(&result, "seen.breadcrumb")->value.string, "clicked");
    CU_ASSERT_STRING_EQUAL(attribute(&result, "seen.instance")->value.string, "it");
    CU_ASSERT_STRING_EQUAL(attribute(&result, "twice")->value.string,
                           "second\tand \\x01 \xef\xbf\xbd");
    CU_ASSERT_EQUAL(attribute(&result, "process.descriptors")->value.integer, 5);
    CU_ASSERT_STRING_EQUAL(attribute(&result, "process.folder")->value.string, "/");
    CU_ASSERT_EQUAL(attribute(&result, "process.leader")->value.boolean, 1);
    CU_ASSERT_EQUAL(attribute(&result, "process.time")->value.boolean, 1);
    CU_ASSERT_EQUAL_FATAL(result.note_count, 1);
    CU_ASSERT_STRING_EQUAL(result.notes[0], "The size is 3145728.");
    step_result_finish(&result);
    report_destroy(report);
    plugins_config_finish(&bound);
}

static void test_filter(void)
{
    struct plugins_config bound;
    struct step_result result;
    struct report *report = report_create();

    plugins_config_init(&bound, "version: 1\n"
                                "filters:\n"
                                "  it: { plugin: good, thread: worker }\n"
                                "pipelines:\n"
                                "  default: { filters: [it] }\n");
    run_bound(&bound, report, &plain, &result);
    CU_ASSERT_EQUAL(result.status, STEP_OK);
    CU_ASSERT_EQUAL(result.action, CAIRN_KEEP);
    CU_ASSERT_EQUAL(report_text(&report->thread, "worker"), 0);
    run_bound(&bound, report, &plain, &result);
    CU_ASSERT_EQUAL(result.action, CAIRN_DROP);
    CU_ASSERT_STRING_EQUAL(result.reason, "thread worker does not count");
    plugins_config_finish(&bound);
    plugins_config_init(&bound, "version: 1\n"
                                "filters:\n"
                                "  it: { plugin: good, thread: nonsense }\n"
                                "pipelines:\n"
                                "  default: { filters: [it] }\n");
    run_bound(&bound, report, &plain, &result);
    CU_ASSERT_EQUAL(result.status, STEP_BROKEN);
    CU_ASSERT_EQUAL(result.action, CAIRN_KEEP);
    CU_ASSERT_STRING_EQUAL(result.error,
                           "filter \"it\" answered 17, which is neither keep nor drop.");
    report_destroy(report);
    plugins_config_finish(&bound);
}

/* A filter that keeps a report may put it in an earlier one's place. */
static void test_filter_replaces(void)
{
    struct plugins_config bound;
    struct step_result result;
    struct report *report = report_create();

    plugins_config_init(&bound, "version: 1\n"
                                "filters:\n"
                                "  it: { plugin: good, thread: newest }\n"
                                "pipelines:\n"
                                "  default: { filters: [it] }\n");
    run_bound(&bound, report, &plain, &result);
    CU_ASSERT_EQUAL(result.status, STEP_OK);
    CU_ASSERT_EQUAL(result.action, CAIRN_KEEP);
    CU_ASSERT_STRING_EQUAL(result.instead_of, "0193a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b");
    CU_ASSERT_EQUAL(result.defer_us, 5000000);
    plugins_config_finish(&bound);
    plugins_config_init(&bound, "version: 1\n"
                                "filters:\n"
                                "  it: { plugin: good, thread: misnamed }\n"
                                "pipelines:\n"
                                "  default: { filters: [it] }\n");
    run_bound(&bound, report, &plain, &result);
    CU_ASSERT_EQUAL(result.status, STEP_BROKEN);
    CU_ASSERT_STRING_EQUAL(result.error,
                           "filter \"it\" named an earlier report by what is no id.");
    CU_ASSERT_STRING_EQUAL(result.instead_of, "");
    report_destroy(report);
    plugins_config_finish(&bound);
}

static void check_writer(const char *settings, enum step_status status, const char *error,
                         off_t bytes)
{
    struct plugins_config bound;
    struct step_result result;
    struct step_request request = plain;
    struct report *report = report_create();
    struct stat file;
    char yaml[512], path[] = "/tmp/cairn-test-XXXXXX";

    snprintf(yaml, sizeof(yaml),
             "version: 1\nwriters:\n  it: { %s }\npipelines:\n  default: { writers: [it] }\n",
             settings);
    plugins_config_init(&bound, yaml);
    request.out_fd = mkstemp(path);
    run_bound(&bound, report, &request, &result);
    CU_ASSERT_EQUAL(result.status, status);
    CU_ASSERT_STRING_EQUAL(result.error, error);
    CU_ASSERT_EQUAL(fstat(request.out_fd, &file), 0);
    CU_ASSERT_EQUAL(file.st_size, bytes);
    close(request.out_fd);
    unlink(path);
    step_result_finish(&result);
    report_destroy(report);
    plugins_config_finish(&bound);
}

static void test_writer(void)
{
    check_writer("plugin: good", STEP_OK, "", 21);
    check_writer("plugin: older, text: from another time", STEP_OK, "", 17);
    check_writer("plugin: good, lines: 1000, output_limit: 1KiB", STEP_OVERFLOW,
                 "writer \"it\" wrote more than its output limit of 1024 bytes.", 1024);
}

static void test_hook(void)
{
    struct plugins_config bound;
    struct step_result result;
    struct step_request request = plain;
    struct report *report = report_create();
    static const char sha256[65] =
        "0000000000000000000000000000000000000000000000000000000000000000";

    CU_ASSERT_EQUAL(report_add_artifact(report, "a.txt", "text/plain", 1, sha256), 0);
    request.folder = "/some/folder";
    plugins_config_init(&bound, "version: 1\n"
                                "hooks:\n"
                                "  it: { plugin: good }\n"
                                "pipelines:\n"
                                "  default: { hooks: [it] }\n");
    run_bound(&bound, report, &request, &result);
    CU_ASSERT_EQUAL(result.status, STEP_OK);
    CU_ASSERT_STRING_EQUAL(attribute(&result, "hook.folder")->value.string, "/some/folder");
    CU_ASSERT_STRING_EQUAL(attribute(&result, "hook.artifact")->value.string, "/some/folder/a.txt");
    step_result_finish(&result);
    plugins_config_finish(&bound);
    plugins_config_init(&bound, "version: 1\n"
                                "hooks:\n"
                                "  it: { plugin: newer, first: true }\n"
                                "pipelines:\n"
                                "  default: { hooks: [it] }\n");
    run_bound(&bound, report, &request, &result);
    CU_ASSERT_EQUAL(result.status, STEP_OK);
    CU_ASSERT_EQUAL(attribute(&result, "newer.first")->value.boolean, 1);
    CU_ASSERT_EQUAL(attribute(&result, "newer.second")->value.boolean, 1);
    step_result_finish(&result);
    report_destroy(report);
    plugins_config_finish(&bound);
}

static void test_transport(void)
{
    struct plugins_config bound;
    struct step_result result;
    struct step_request request = plain;
    struct report *report = report_create();

    request.folder = "/some/folder";
    request.attempt = 1;
    plugins_config_init(&bound, "version: 1\n"
                                "transports:\n"
                                "  it: { plugin: good, failures: 1 }\n"
                                "pipelines:\n"
                                "  default: { transports: [it] }\n");
    run_bound(&bound, report, &request, &result);
    CU_ASSERT_EQUAL(result.status, STEP_OK);
    CU_ASSERT_EQUAL(result.outcome, CAIRN_RETRY);
    CU_ASSERT_EQUAL(result.response_code, 503);
    CU_ASSERT_EQUAL(result.retry_after_us, 1500000);
    CU_ASSERT_STRING_EQUAL(result.error, "The server is busy.");
    request.attempt = 2;
    run_bound(&bound, report, &request, &result);
    CU_ASSERT_EQUAL(result.outcome, CAIRN_DELIVERED);
    CU_ASSERT_EQUAL(result.response_code, 200);
    CU_ASSERT_STRING_EQUAL(result.server_id, "attempt-2");
    plugins_config_finish(&bound);
    plugins_config_init(&bound, "version: 1\n"
                                "transports:\n"
                                "  it: { plugin: good, reject: true }\n"
                                "pipelines:\n"
                                "  default: { transports: [it] }\n");
    run_bound(&bound, report, &request, &result);
    CU_ASSERT_EQUAL(result.outcome, CAIRN_REJECTED);
    CU_ASSERT_STRING_EQUAL(result.error, "transport \"it\" did not deliver the report and does not "
                                         "say why.");
    report_destroy(report);
    plugins_config_finish(&bound);
}

static void check_check(const char *text, enum step_status status, const char *problem)
{
    struct plugins_config bound;
    struct config_problems problems;
    struct step_result result;
    struct step_request request = plain;
    struct report *report = report_create();
    struct buf printed;
    char yaml[512];

    snprintf(yaml, sizeof(yaml),
             "version: 1\nannotators:\n  it: { plugin: good, text: %s }\n"
             "pipelines:\n  default: { annotators: [it] }\n",
             text);
    plugins_config_init(&bound, yaml);
    config_problems_init(&problems);
    buf_init(&printed, 4096);
    request.check_only = true;
    request.problems = &problems;
    run_bound(&bound, report, &request, &result);
    CU_ASSERT_EQUAL(result.status, status);
    CU_ASSERT_EQUAL(result.attribute_count, 0);
    config_problems_print(&problems, NULL, &printed);
    CU_ASSERT_STRING_EQUAL(printed.data != NULL ? printed.data : "", problem);
    buf_finish(&printed);
    config_problems_finish(&problems);
    step_result_finish(&result);
    report_destroy(report);
    plugins_config_finish(&bound);
}

static void test_check(void)
{
    check_check("fine", STEP_OK, "");
    check_check("refused", STEP_FAILED,
                "test.yaml:3:29: annotators.it.text: \"refused\" is not wanted here\n");
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

/* Records cut anywhere and changed anywhere are records, not yet there, or refused. */
static void test_wire(void)
{
    struct wire_reader *reader = calloc(1, sizeof(*reader));
    struct wire_view view;
    int ends[2];

    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    size_t bytes =
        wire_send(ends[1], (struct wire_record){ .type = WIRE_ATTRIBUTE, .value = 1, .bits = 7 },
                  "name", "text", 4);
    CU_ASSERT_EQUAL(bytes, sizeof(struct wire_record) + 8);
    CU_ASSERT_EQUAL(wire_fill(reader, ends[0]), (ssize_t)bytes);
    for (size_t cut = 0; cut < bytes; cut++) {
        reader->end = cut;
        CU_ASSERT_EQUAL(wire_next(reader, &view), 0);
    }
    reader->end = bytes;
    CU_ASSERT_EQUAL_FATAL(wire_next(reader, &view), 1);
    CU_ASSERT_EQUAL(view.record.bits, 7);
    CU_ASSERT_EQUAL(memcmp(view.name, "name", view.record.name_bytes), 0);
    CU_ASSERT_EQUAL(memcmp(view.text, "text", view.record.text_bytes), 0);
    CU_ASSERT_EQUAL(wire_next(reader, &view), 0);
    reader->start = 0;
    ((struct wire_record *)(void *)reader->buffer)->text_bytes = WIRE_MAX_TEXT + 1;
    CU_ASSERT_EQUAL(wire_next(reader, &view), -1);
    ((struct wire_record *)(void *)reader->buffer)->text_bytes = 4;
    ((struct wire_record *)(void *)reader->buffer)->type = 99;
    CU_ASSERT_EQUAL(wire_next(reader, &view), -1);
    close(ends[0]);
    close(ends[1]);
    free(reader);
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
        { "takes attributes and notes", test_annotator },
        { "takes a filter's answer", test_filter },
        { "takes what a filter puts in another's place", test_filter_replaces },
        { "lets a writer write, within its limit", test_writer },
        { "lets a hook look and annotate", test_hook },
        { "takes a transport's outcome", test_transport },
        { "lets a plugin check its options", test_check },
        { "works where SIGCHLD was ignored", test_ignored_children },
        { "works among many descriptors", test_many_descriptors },
        { "reads records", test_wire },
        { NULL, NULL },
    };

    return tap_run("step", tests);
}
