/* SPDX-License-Identifier: Apache-2.0 */
/* The bundled writer json, read back by another parser, and the hook launch_reporter. */
#include "tests/unit/plugin_harness.h"
#include "tests/unit/tap.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct harness harness;

/* ---- json ---- */

static char text[65536];

static cJSON *write_json(void)
{
    int fd = memfd_create("document", MFD_CLOEXEC);
    ssize_t bytes;
    cJSON *document;

    CU_ASSERT_EQUAL(harness_write(&harness, fd), CAIRN_PLUGIN_OK);
    bytes = pread(fd, text, sizeof(text) - 1, 0);
    text[bytes > 0 ? bytes : 0] = '\0';
    close(fd);
    document = cJSON_ParseWithOpts(text, NULL, 1);
    if (document == NULL) {
        printf("# %s\n", text);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(document);
    return document;
}

/* A value by its path, dots between keys, as text. */
static const char *at(const cJSON *item, const char *path)
{
    static char number[32];
    char copy[256], *rest = copy, *key;

    snprintf(copy, sizeof(copy), "%s", path);
    while (item != NULL && (key = strsep(&rest, "/")) != NULL) {
        item = cJSON_IsArray(item) ? cJSON_GetArrayItem(item, (int)strtol(key, NULL, 10))
                                   : cJSON_GetObjectItemCaseSensitive(item, key);
    }
    if (cJSON_IsNumber(item)) {
        snprintf(number, sizeof(number), "%.15g", item->valuedouble);
        return number;
    }
    return cJSON_IsString(item)  ? item->valuestring
           : cJSON_IsTrue(item)  ? "true"
           : cJSON_IsFalse(item) ? "false"
           : item != NULL        ? "(other)"
                                 : "(absent)";
}

static void add_crash(void)
{
    harness.frames[0] =
        (struct cairn_frame){ .index = 0,
                              .address = UINT64_C(0xfffffffffffff234),
                              .module = "shop",
                              .module_path = "/opt/shop/bin/shop",
                              .build_id = "f1c3bcc0279865fe3058404b2831d9e6aabbccdd",
                              .symbol = "pay",
                              .trust = "context" };
    harness.frames[1] = (struct cairn_frame){ .index = 1, .address = 16, .trust = "scan" };
    harness.frame_count = 2;
    harness.registers[0] = (struct cairn_register){ .name = "rip", .value = UINT64_MAX };
    harness.register_count = 1;
    harness.threads[0] =
        (struct cairn_thread){ .id = 4241, .name = "main", .instruction_pointer = 0x500000 };
    harness.threads[1] = (struct cairn_thread){ .id = 4242, .name = "worker", .crashed = 1 };
    harness.thread_count = 2;
    harness.modules[0] = (struct cairn_module){ .base = 0x400000,
                                                .length = 0x10000,
                                                .path = "/opt/shop/bin/shop",
                                                .build_id = harness.frames[0].build_id };
    harness.module_count = 1;
    harness.breadcrumbs[0] = (struct cairn_breadcrumb){ .time = UINT64_C(1700000000123000000),
                                                        .category = "ui",
                                                        .message = "pay \"clicked\"" };
    harness.breadcrumb_count = 1;
    harness.report_notes[0] = "Thread 4243 did not stop in time.";
    harness.note_count = 1;
}

static void check_values(const cJSON *document)
{
    static const char *const values[][2] = {
        { "uuid", "0193a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b" },
        { "timestamp", "1795635767" },
        { "lang", "c" },
        { "langVersion", "11" },
        { "agent", "cairn" },
        { "symbolication", "(absent)" },
        { "mainThread", "4242" },
        { "threads/4242/name", "worker" },
        { "threads/4242/fault", "true" },
        { "threads/4242/stack/0/address", "18446744073709548084" },
        { "threads/4242/stack/0/funcName", "pay" },
        { "threads/4242/stack/0/library", "/opt/shop/bin/shop" },
        { "threads/4242/stack/0/debug_identifier", "C0BCC3F19827FE653058404B2831D9E60" },
        { "threads/4242/stack/0/faulted", "true" },
        { "threads/4242/stack/0/registers/rip", "18446744073709551615" },
        { "threads/4242/stack/1/guessed_frame", "true" },
        { "threads/4242/stack/1/funcName", "(absent)" },
        { "threads/4241/fault", "false" },
        { "threads/4241/stack/0/address", "5242880" },
        { "arch/name", "x86_64" },
        { "arch/registers/rip", "u64" },
        { "classifiers/0", "SIGSEGV" },
        { "classifiers/1", "SEGV_MAPERR" },
        { "attributes/error.type", "Crash" },
        { "attributes/error.message", "read or write at an address that is not mapped" },
        { "attributes/application", "shop" },
        { "attributes/fault.address", "16" },
        { "attributes/team", "payments" },
        { "attributes/process.id", "4241" },
        { "annotations/Breadcrumbs/0/message", "pay \"clicked\"" },
        { "annotations/Breadcrumbs/0/timestamp", "1700000000123" },
        { "annotations/Notes/0", "Thread 4243 did not stop in time." },
        { "modules/0/start", "4194304" },
        { "modules/0/size", "65536" },
        { "modules/0/debug_identifier", "C0BCC3F19827FE653058404B2831D9E60" },
    };

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (strcmp(at(document, values[i][0]), values[i][1]) != 0) {
            printf("# %s is %s\n", values[i][0], at(document, values[i][0]));
        }
        CU_ASSERT_STRING_EQUAL(at(document, values[i][0]), values[i][1]);
    }
}

static void json_of_a_crash(void)
{
    cJSON *document;

    CU_ASSERT_FATAL(harness_open(&harness, "writer", "json"));
    add_crash();
    harness_attribute(&harness, "team", "payments");
    harness_attribute(&harness, "process.id", "a key must not come twice");
    document = write_json();
    check_values(document);
    cJSON_Delete(document);
    harness_option(&harness, "symbolication", "minidump");
    harness_option(&harness, "threads", "1");
    document = write_json();
    CU_ASSERT_STRING_EQUAL(at(document, "symbolication"), "minidump");
    CU_ASSERT_STRING_EQUAL(at(document, "threads/4242/stack/0/funcName"), "(absent)");
    CU_ASSERT_STRING_EQUAL(at(document, "threads/4241"), "(absent)");
    cJSON_Delete(document);
    harness_option(&harness, "modules", "false");
    CU_ASSERT_EQUAL(harness_check(&harness), CAIRN_PLUGIN_FAILED);
    harness_close(&harness);
}

/* Nothing but the crash is known. */
static void json_of_little(void)
{
    cJSON *document;

    CU_ASSERT_FATAL(harness_open(&harness, "writer", "json"));
    harness_field(&harness, "kind", "request");
    harness_no_field(&harness, "crash.signal");
    harness_no_field(&harness, "crash.tid");
    document = write_json();
    CU_ASSERT_STRING_EQUAL(at(document, "mainThread"), "0");
    CU_ASSERT_STRING_EQUAL(at(document, "threads/0/fault"), "true");
    CU_ASSERT_STRING_EQUAL(at(document, "attributes/error.type"), "Message");
    cJSON_Delete(document);
    harness_close(&harness);
}

static void json_escapes(void)
{
    cJSON *document;

    CU_ASSERT_FATAL(harness_open(&harness, "writer", "json"));
    harness_attribute(&harness, "a", "\"\\/\b\f\n\r\t\x01\x1f\x7f");
    harness_attribute(&harness, "b", "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x92\xa5");
    harness_attribute(&harness, "c", "\xff \xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82");
    document = write_json();
    CU_ASSERT_STRING_EQUAL(at(document, "attributes/a"), "\"\\/\b\f\n\r\t\x01\x1f\x7f");
    CU_ASSERT_STRING_EQUAL(at(document, "attributes/b"),
                           "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x92\xa5");
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"c\":\"\\ufffd \\ufffd\\ufffd \\ufffd\\ufffd\\ufffd "
                                        "\\ufffd\\ufffd\\ufffd\\ufffd \\ufffd\\ufffd\""));
    for (const char *c = text; *c != '\0' && c[1] != '\0'; c++) {
        CU_ASSERT_TRUE((unsigned char)*c >= 0x20);
    }
    cJSON_Delete(document);
    harness_close(&harness);
}

static void json_reports_a_full_disk(void)
{
    int full = memfd_create("full", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    CU_ASSERT_FATAL(full >= 0 && fcntl(full, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_WRITE) == 0);
    CU_ASSERT_FATAL(harness_open(&harness, "writer", "json"));
    CU_ASSERT_EQUAL(harness_write(&harness, full), CAIRN_PLUGIN_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(harness.failure, "The document could not be written: "));
    close(full);
    harness_close(&harness);
}

/* ---- launch_reporter ---- */

static char folder[4096];

/* A reporter that keeps its last argument's file, its environment and its descriptors. */
static const char *make_reporter(const char *script)
{
    static char path[4200];
    FILE *file;

    snprintf(path, sizeof(path), "%s/reporter", folder);
    file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fprintf(file, "#!/bin/sh\ncd '%s' || exit 9\n%s\n", folder, script);
    fclose(file);
    CU_ASSERT_EQUAL(chmod(path, 0700), 0);
    return path;
}

static void open_reporter(const char *script)
{
    CU_ASSERT_FATAL(harness_open(&harness, "hook", "launch_reporter"));
    harness_option(&harness, "program", make_reporter(script));
    harness_option(&harness, "folder", folder);
}

static void read_back(const char *name)
{
    char path[4200];
    FILE *file;
    size_t bytes = 0;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    for (int i = 0; i < 1000 && access(path, R_OK) != 0; i++) {
        usleep(20000);
    }
    file = fopen(path, "r");
    if (file != NULL) {
        bytes = fread(text, 1, sizeof(text) - 1, file);
        fclose(file);
    }
    text[bytes] = '\0';
    unlink(path);
}

static void has(const char *record)
{
    if (strstr(text, record) == NULL) {
        printf("# missing: %s\n# in:\n%s", record, text);
        CU_FAIL("a record is missing");
    }
}

static void reporter_records(void)
{
    open_reporter("[ \"$1\" = --ask ] && mv \"$2\" kept");
    harness_option(&harness, "arguments", "--ask");
    harness_option(&harness, "values", "BreakpadURL=https://crash.example.com/submit");
    harness_option(&harness, "wait", "5s");
    harness_attribute(&harness, "log", "two\nlines");
    harness.artifacts[0] =
        (struct cairn_artifact){ .name = "report.txt", .path = "/spool/x/report.txt" };
    harness.artifacts[1] = (struct cairn_artifact){ .is_minidump = 1,
                                                    .name = "dump.dmp",
                                                    .path = "/spool/x/dump.dmp" };
    harness.artifact_count = 2;
    CU_ASSERT_EQUAL(harness_run(&harness, "/spool/x"), CAIRN_PLUGIN_OK);
    read_back("kept");
    has("MinidumpDir\n8\n/spool/x\nMinidumpID\n4\ndump\n");
    has("CairnMinidump\n17\n/spool/x/dump.dmp\n");
    has("BreakpadProduct\n4\nshop\n");
    has("BreakpadVersion\n3\n2.1\n");
    has("BreakpadProcessCrashTime\n10\n1795635767\n");
    has("CairnId\n36\n0193a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b\n");
    has("CairnAddress\n4\n0x10\n");
    has("BREAKPAD_SERVER_PARAMETER_log\n9\ntwo\nlines\n");
    has("BreakpadURL\n32\nhttps://crash.example.com/submit\n");
    harness_close(&harness);
}

/* The reporter goes on only when the hook has returned; it gives up after some seconds. */
static void reporter_outlives(void)
{
    char go[4200];

    snprintf(go, sizeof(go), "%s/go", folder);
    setenv("DISPLAY", ":7", 1);
    setenv("PRIVATE", "no", 1);
    open_reporter(
        "for i in $(seq 200); do [ ! -e go ] || break; sleep 0.05; done; rm go \"$1\" || exit 1\n"
        "{ env; ls /proc/self/fd | tr '\\n' ' '; } >all; mv all seen");
    CU_ASSERT_EQUAL(harness_run(&harness, "/spool/x"), CAIRN_PLUGIN_OK);
    CU_ASSERT_EQUAL(close(open(go, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
    read_back("seen");
    has("DISPLAY=:7\n");
    has("0 1 2 3 ");
    CU_ASSERT_PTR_NULL(strstr(text, "PRIVATE"));
    harness_close(&harness);
}

static bool folder_is_clean(void)
{
    char path[4300];

    snprintf(path, sizeof(path), "%s/reporter", folder);
    unlink(path);
    return rmdir(folder) == 0 && mkdir(folder, 0700) == 0;
}

static void reporter_failures(void)
{
    open_reporter("exit 3");
    harness_option(&harness, "wait", "5s");
    CU_ASSERT_EQUAL(harness_run(&harness, "/x"), CAIRN_PLUGIN_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(harness.failure, "ended with the exit code 3."));
    CU_ASSERT_TRUE(folder_is_clean());
    harness_option(&harness, "program", "/no/such/reporter");
    CU_ASSERT_EQUAL(harness_run(&harness, "/x"), CAIRN_PLUGIN_FAILED);
    CU_ASSERT_STRING_EQUAL(
        harness.failure,
        "The reporter /no/such/reporter cannot be started: No such file or directory.");
    CU_ASSERT_TRUE(folder_is_clean());
    harness_option(&harness, "folder", "/no/such/folder");
    CU_ASSERT_EQUAL(harness_run(&harness, "/x"), CAIRN_PLUGIN_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(harness.failure, "cannot be made in /no/such/folder: "));
    harness_option(&harness, "values", "two\nlines=x");
    CU_ASSERT_EQUAL(harness_check(&harness), CAIRN_PLUGIN_FAILED);
    harness_close(&harness);
}

int main(void)
{
    static const struct tap_test tests[] = {
        { "json: a crash", json_of_a_crash },
        { "json: when little is known", json_of_little },
        { "json: strings", json_escapes },
        { "json: a full disk", json_reports_a_full_disk },
        { "launch_reporter: the records", reporter_records },
        { "launch_reporter: it outlives the step", reporter_outlives },
        { "launch_reporter: failures", reporter_failures },
        { NULL, NULL },
    };
    const char *temporary = getenv("TMPDIR");
    int result;

    snprintf(folder, sizeof(folder), "%s/cairn-pack-XXXXXX",
             temporary != NULL ? temporary : "/tmp");
    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    result = tap_run("plugin writer json and hook launch_reporter", tests);
    rmdir(folder);
    return result;
}
