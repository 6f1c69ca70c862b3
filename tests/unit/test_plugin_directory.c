/* SPDX-License-Identifier: Apache-2.0 */
/* The bundled transport directory: complete or absent, once, and patient with full or absent disks.
 */
#include "tests/unit/plugin_harness.h"
#include "tests/unit/tap.h"

#include "core/util/error.h"
#include "core/util/fs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID "0193a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"

static struct harness harness;
static struct cairn_transport_args result;
static char folder[4096]; /* of this program's run */
static char spool[4200];  /* the report's folder */

static void write_file(const char *name, const char *text)
{
    char path[8500];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", spool, name);
    file = fopen(path, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        abort();
    }
}

static bool holds(const char *name, const char *content)
{
    char path[8500], *text = NULL;
    size_t bytes;
    bool equal;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    equal = fs_read_file(AT_FDCWD, path, 1 << 20, &text, &bytes, NULL) == 0 &&
            strcmp(text, content) == 0;
    free(text);
    return equal;
}

static void open_transport(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "transport", "directory"));
    harness.artifacts[0] = (struct cairn_artifact){ .is_minidump = 1, .name = "dump.dmp" };
    harness.artifacts[1] = (struct cairn_artifact){ .name = "summary.txt" };
    harness.artifact_count = 2;
}

static int send_it(void)
{
    CU_ASSERT_EQUAL(harness_send(&harness, spool, &result), CAIRN_PLUGIN_OK);
    return result.outcome;
}

static void says(const char *text)
{
    if (strstr(result.error, text) == NULL) {
        printf("# \"%s\" is not in \"%s\"\n", text, result.error);
        CU_FAIL("the error says something else");
    }
}

static void directory_copies(void)
{
    char path[8500];
    struct stat facts;

    open_transport();
    snprintf(path, sizeof(path), "%s/out/deep", folder);
    harness_option(&harness, "path", path);
    CU_ASSERT_EQUAL(send_it(), CAIRN_DELIVERED);
    CU_ASSERT_STRING_EQUAL(result.server_id, ID);
    CU_ASSERT_TRUE(holds("out/deep/" ID "/report.json", "{}"));
    CU_ASSERT_TRUE(holds("out/deep/" ID "/dump.dmp", "MDMP of the test"));
    CU_ASSERT_TRUE(holds("out/deep/" ID "/summary.txt", "summary"));
    CU_ASSERT_FALSE(holds("out/deep/" ID "/configuration.yaml", "secret"));
    snprintf(path, sizeof(path), "%s/out/deep/" ID, folder);
    CU_ASSERT_FATAL(stat(path, &facts) == 0);
    CU_ASSERT_EQUAL(facts.st_mode & 07777, 0700);
    CU_ASSERT_EQUAL(send_it(), CAIRN_DELIVERED); /* again: it is there */
    harness_close(&harness);
}

static void directory_cleans_up(void)
{
    char path[8500], left[8700];
    FILE *file;

    open_transport();
    snprintf(path, sizeof(path), "%s/group", folder);
    snprintf(left, sizeof(left), "%s/." ID ".tmp", path);
    CU_ASSERT_FATAL(mkdir(path, 0700) == 0 && mkdir(left, 0700) == 0);
    snprintf(left, sizeof(left), "%s/." ID ".tmp/dump.dmp", path);
    file = fopen(left, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fclose(file);
    harness_option(&harness, "path", path);
    harness_option(&harness, "group_readable", "true");
    CU_ASSERT_EQUAL(send_it(), CAIRN_DELIVERED);
    CU_ASSERT_TRUE(holds("group/" ID "/dump.dmp", "MDMP of the test"));
    harness_close(&harness);
}

static void directory_retries(void)
{
    char path[8500];
    struct stat facts;

    open_transport();
    harness_option(&harness, "path", "/proc/cairn");
    CU_ASSERT_EQUAL(send_it(), CAIRN_RETRY);
    says("The folder /proc/cairn cannot be made: ");
    snprintf(path, sizeof(path), "%s/incomplete", folder);
    harness_option(&harness, "path", path);
    harness.artifacts[2] = (struct cairn_artifact){ .name = "absent.bin", .path = "/x" };
    harness.artifact_count = 3;
    CU_ASSERT_EQUAL(send_it(), CAIRN_RETRY);
    says("The report's file absent.bin cannot be read: No such file or directory.");
    snprintf(path, sizeof(path), "%s/incomplete/" ID, folder);
    CU_ASSERT_NOT_EQUAL(stat(path, &facts), 0);
    snprintf(path, sizeof(path), "%s/incomplete/." ID ".tmp", folder);
    CU_ASSERT_NOT_EQUAL(stat(path, &facts), 0);
    harness.artifacts[2].name = "../escape";
    CU_ASSERT_EQUAL(send_it(), CAIRN_RETRY);
    says("is not one of a plain file");
    harness_close(&harness);
}

int main(void)
{
    static const struct tap_test tests[] = {
        { "directory copies, once", directory_copies },
        { "directory removes what an attempt left", directory_cleans_up },
        { "directory retries, and never half", directory_retries },
        { NULL, NULL },
    };
    int status;

    snprintf(folder, sizeof(folder), "%s/cairn-directory-XXXXXX",
             getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
    if (mkdtemp(folder) == NULL) {
        printf("Bail out! no temporary folder\n");
        return 99;
    }
    snprintf(spool, sizeof(spool), "%s/spool", folder);
    mkdir(spool, 0700);
    write_file("report.json", "{}");
    write_file("dump.dmp", "MDMP of the test");
    write_file("summary.txt", "summary");
    write_file("configuration.yaml", "secret");
    status = tap_run("plugin directory", tests);
    fs_remove_tree(AT_FDCWD, folder, NULL);
    return status;
}
