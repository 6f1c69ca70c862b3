/* SPDX-License-Identifier: Apache-2.0 */
/* The optional services of the host, in real steps: an instance's state file, and texts. */
#include "core/plugin/step.h"
#include "core/util/fs.h"
#include "tests/unit/plugins.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[4096], state_file[4200];

/* A step of the test annotator "keeper" for a report in top/incoming/id. */
static struct report *report;
static struct step_result result;

static enum step_status run_in(const char *folder)
{
    struct config_instance instance = { .kind = CAIRN_KIND_ANNOTATOR,
                                        .id = "it",
                                        .plugin = (char *)"keeper",
                                        .timeout_us = 10000000,
                                        .memory_bytes = 64u << 20,
                                        .output_bytes = 8u << 20 };
    struct error error = { 0, "" };
    int fd = -1;
    struct plugin_facts *facts = plugins_describe(CAIRN_KIND_ANNOTATOR, "keeper", &fd, &error);
    struct step_request request = { .instance = &instance,
                                    .facts = facts,
                                    .plugin_fd = fd,
                                    .report = report,
                                    .dump_fd = -1,
                                    .folder = folder,
                                    .out_fd = -1 };

    CU_ASSERT_PTR_NOT_NULL_FATAL(facts);
    step_run(&request, &result);
    plugin_facts_destroy(facts);
    close(fd);
    return result.status;
}

static enum step_status run(void)
{
    char folder[4200];

    snprintf(folder, sizeof(folder), "%s/incoming/id", top);
    return run_in(folder);
}

static const struct cairn_value *attribute(const char *name)
{
    static const struct cairn_value none;

    for (size_t i = 0; i < result.attribute_count; i++) {
        if (strcmp(result.attributes[i].name, name) == 0) {
            return &result.attributes[i].value;
        }
    }
    return &none;
}

static void begin(void)
{
    report = report_create();
    CU_ASSERT_PTR_NOT_NULL_FATAL(report);
    report_text(&report->message, "a secret message");
    report_add_breadcrumb(report, 1, "x", "plain");
    report_add_breadcrumb(report, 2, "x", "a secret breadcrumb");
}

static void end(void)
{
    step_result_finish(&result);
    report_destroy(report);
}

static void check_refused(const char *note)
{
    begin();
    CU_ASSERT_EQUAL(run(), STEP_FAILED);
    CU_ASSERT_STRING_EQUAL(result.error, "annotator \"it\" failed: There is no state.");
    CU_ASSERT_EQUAL_FATAL(result.note_count, 1);
    if (strstr(result.notes[0], note) == NULL) {
        printf("# %s\n", result.notes[0]);
        CU_FAIL("the note is another");
    }
    CU_ASSERT_EQUAL(result.attribute_count, 0);
    CU_ASSERT_EQUAL(result.text_count, 0); /* a failure replaces nothing */
    end();
}

static void test_state(void)
{
    struct stat status;

    for (int i = 1; i <= 3; i++) {
        begin();
        CU_ASSERT_EQUAL(run(), STEP_OK);
        CU_ASSERT_EQUAL(attribute("calls")->integer, i);
        CU_ASSERT_EQUAL(attribute("inherited")->boolean, 0);
        end();
    }
    CU_ASSERT_EQUAL(stat(state_file, &status), 0);
    CU_ASSERT_EQUAL(status.st_mode, S_IFREG | 0600);
}

static void test_locked(void)
{
    int fd = open(state_file, O_RDWR);

    CU_ASSERT_FATAL(fd >= 0 && flock(fd, LOCK_EX) == 0);
    check_refused("The state file annotator-it is in use by another step.");
    close(fd);
    begin();
    CU_ASSERT_EQUAL(run(), STEP_OK);
    CU_ASSERT_EQUAL(attribute("calls")->integer, 4);
    end();
}

static void test_too_large(void)
{
    CU_ASSERT_EQUAL(truncate(state_file, CAIRN_STATE_MAX_BYTES + 1), 0);
    begin();
    CU_ASSERT_EQUAL(run(), STEP_OK);
    CU_ASSERT_EQUAL(attribute("calls")->integer, 1);
    end();
}

static void test_unsuitable(void)
{
    char other[4200];

    snprintf(other, sizeof(other), "%s/other", top);
    unlink(state_file);
    CU_ASSERT_EQUAL(symlink("/etc/hostname", state_file), 0);
    check_refused("The state file annotator-it cannot be opened: ");
    unlink(state_file);
    CU_ASSERT_EQUAL(mkfifo(state_file, 0600), 0);
    check_refused("is not a regular file of its own");
    unlink(state_file);
    CU_ASSERT_EQUAL(creat(other, 0600) >= 0 && link(other, state_file) == 0, 1);
    check_refused("is not a regular file of its own");
    unlink(other);
    unlink(state_file);
    CU_ASSERT_EQUAL(chmod(top, 0777), 0);
    check_refused("");
    CU_ASSERT_EQUAL(chmod(top, 0700), 0);
}

static void test_no_folder(void)
{
    static const char *const folders[] = { NULL, "", "x", "/", "/x", "/no/such/folder" };

    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        begin();
        CU_ASSERT_EQUAL(run_in(folders[i]), STEP_FAILED);
        end();
    }
}

static void test_texts(void)
{
    begin();
    CU_ASSERT_EQUAL(run(), STEP_OK);
    CU_ASSERT_EQUAL(attribute("refused")->boolean, 1);
    CU_ASSERT_EQUAL_FATAL(result.text_count, 2);
    CU_ASSERT_EQUAL(result.texts[0].index, STEP_TEXT_MESSAGE);
    CU_ASSERT_STRING_EQUAL(result.texts[0].text, "a \\x01 message");
    CU_ASSERT_EQUAL(result.texts[1].index, 1);
    CU_ASSERT_STRING_EQUAL(result.texts[1].text, "a breadcrumb");
    end();
}

int main(void)
{
    static const struct tap_test tests[] = {
        { "a state file outlives steps", test_state },
        { "it is locked", test_locked },
        { "it is emptied when it is too large", test_too_large },
        { "what is no state file is refused", test_unsuitable },
        { "there may be no folder for it", test_no_folder },
        { "texts are replaced", test_texts },
        { NULL, NULL },
    };
    const char *temporary = getenv("TMPDIR");
    struct error error;
    int outcome;

    plugins_use();
    snprintf(top, sizeof(top), "%s/cairn-services-XXXXXX", temporary != NULL ? temporary : "/tmp");
    if (mkdtemp(top) == NULL) {
        return 1;
    }
    snprintf(state_file, sizeof(state_file), "%s/state/annotator-it", top);
    outcome = tap_run("services", tests);
    fs_remove_tree(AT_FDCWD, top, &error);
    return outcome;
}
