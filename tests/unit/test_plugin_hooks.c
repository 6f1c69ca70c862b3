/* SPDX-License-Identifier: Apache-2.0 */
/* The bundled hook exec: what a command gets, and how its end is judged. */
#include "tests/unit/plugin_harness.h"
#include "tests/unit/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct harness harness;

static void open_shell(const char *script)
{
    CU_ASSERT_FATAL(harness_open(&harness, "hook", "exec"));
    harness_option(&harness, "command", "sh");
    harness_option(&harness, "command", "-c");
    harness_option(&harness, "command", script);
}

static bool logged(const char *text)
{
    if (strstr(harness.log, text) == NULL) {
        printf("# not logged: %s\n# log: %s\n", text, harness.log);
        return false;
    }
    return true;
}

static void environment(void)
{
    setenv("HOME", "/home/of-test", 1);
    setenv("PASSED", "yes", 1);
    setenv("PRIVATE", "no", 1);
    setenv("PATH", "/nowhere", 1);
    open_shell("env | sort; cat; pwd >/dev/null; echo end of input: $?");
    harness_option(&harness, "environment", "PASSED");
    harness_option(&harness, "environment", "NOT_THERE");
    harness.artifacts[0] = (struct cairn_artifact){ .is_minidump = 1, .path = "/spool/x/dump.dmp" };
    harness.artifact_count = 1;
    CU_ASSERT_EQUAL(harness_run(&harness, "/spool/x"), CAIRN_PLUGIN_OK);
    CU_ASSERT_TRUE(logged("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"));
    CU_ASSERT_TRUE(logged("HOME=/home/of-test\n"));
    CU_ASSERT_TRUE(logged("PASSED=yes\n"));
    CU_ASSERT_TRUE(logged("CAIRN_REPORT_ID=0193a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b\n"));
    CU_ASSERT_TRUE(logged("CAIRN_REPORT_FOLDER=/spool/x\n"));
    CU_ASSERT_TRUE(logged("CAIRN_REPORT_SIGNAL=SIGSEGV\n"));
    CU_ASSERT_TRUE(logged("CAIRN_APPLICATION=shop\n"));
    CU_ASSERT_TRUE(logged("CAIRN_REPORT_MINIDUMP=/spool/x/dump.dmp\n"));
    CU_ASSERT_TRUE(logged("end of input: 0\n"));
    CU_ASSERT_PTR_NULL(strstr(harness.log, "PRIVATE"));
    CU_ASSERT_PTR_NULL(strstr(harness.log, "NOT_THERE"));
    harness_close(&harness);
}

static void no_descriptor_leaks(void)
{
    int fds[2];

    CU_ASSERT_FATAL(pipe(fds) == 0); /* without close-on-exec, on purpose */
    open_shell("ls /proc/self/fd | tr '\\n' ' '");
    CU_ASSERT_EQUAL(harness_run(&harness, "/x"), CAIRN_PLUGIN_OK);
    CU_ASSERT_TRUE(logged("0 1 2 3 \n")); /* 3 is the folder that ls itself reads */
    close(fds[0]);
    close(fds[1]);
    harness_close(&harness);
}

static void exit_codes(void)
{
    open_shell("echo bad; exit 3");
    CU_ASSERT_EQUAL(harness_run(&harness, "/x"), CAIRN_PLUGIN_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(harness.failure, "ended with the exit code 3."));
    CU_ASSERT_TRUE(logged("bad\n"));
    harness_close(&harness);
    open_shell("kill -SEGV $$");
    CU_ASSERT_EQUAL(harness_run(&harness, "/x"), CAIRN_PLUGIN_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(harness.failure, "was ended by signal 11."));
    harness_close(&harness);
}

static void missing_program(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "hook", "exec"));
    harness_option(&harness, "command", "no-such-program-of-cairn");
    CU_ASSERT_EQUAL(harness_run(&harness, "/x"), CAIRN_PLUGIN_FAILED);
    CU_ASSERT_STRING_EQUAL(harness.failure,
                           "The program \"no-such-program-of-cairn\" cannot be run: "
                           "No such file or directory.");
    harness_close(&harness);
}

static void options_are_judged(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "hook", "exec"));
    harness_option(&harness, "command", "bin/x");
    CU_ASSERT_EQUAL(harness_check(&harness), CAIRN_PLUGIN_FAILED);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(harness.problems, "command: \"bin/x\" is neither an absolute path"));
    harness_close(&harness);
}

/* Gone, or dead and only waiting for whoever reaps orphans here. */
static bool is_dead(pid_t pid)
{
    char path[64], state = 'Z';
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    file = fopen(path, "r");
    if (file == NULL) {
        return true;
    }
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1) {
        state = 'Z';
    }
    fclose(file);
    return state == 'Z' || state == 'X';
}

static void deadline_kills_the_group(void)
{
    uint64_t began = harness_now_us();
    char *place;
    pid_t grandchild;

    open_shell("sleep 30 & echo pid $!; wait");
    harness.deadline_us = began + 1500000;
    CU_ASSERT_EQUAL(harness_run(&harness, "/x"), CAIRN_PLUGIN_FAILED);
    CU_ASSERT_TRUE(harness_now_us() - began < 15000000);
    CU_ASSERT_PTR_NOT_NULL(strstr(harness.failure, "did not end in time and was killed."));
    place = strstr(harness.log, "pid ");
    CU_ASSERT_PTR_NOT_NULL_FATAL(place);
    grandchild = (pid_t)strtol(place + 4, NULL, 10);
    for (int i = 0; i < 1000 && !is_dead(grandchild); i++) {
        usleep(10000);
    }
    CU_ASSERT_TRUE(is_dead(grandchild));
    harness_close(&harness);
}

static void background_child_does_not_delay(void)
{
    uint64_t began = harness_now_us();

    open_shell("sleep 20 & echo done");
    CU_ASSERT_EQUAL(harness_run(&harness, "/x"), CAIRN_PLUGIN_OK);
    CU_ASSERT_TRUE(harness_now_us() - began < 15000000);
    CU_ASSERT_TRUE(logged("done\n"));
    harness_close(&harness);
}

static void output_is_bounded(void)
{
    open_shell("printf 'red\\033[31m\\n'; head -c 300000 /dev/zero | tr '\\0' x; echo; exit 0");
    CU_ASSERT_EQUAL(harness_run(&harness, "/x"), CAIRN_PLUGIN_OK);
    CU_ASSERT_TRUE(logged("red [31m\n"));
    CU_ASSERT_TRUE(logged("warning: The output after its first 8192 bytes is not logged.\n"));
    CU_ASSERT_TRUE(strlen(harness.log) < 9000);
    harness_close(&harness);
}

int main(void)
{
    static const struct tap_test tests[] = {
        { "exec: environment and standard input", environment },
        { "exec: no descriptor leaks", no_descriptor_leaks },
        { "exec: exit codes and signals", exit_codes },
        { "exec: a program that is not there", missing_program },
        { "exec: options are judged", options_are_judged },
        { "exec: the deadline kills the group", deadline_kills_the_group },
        { "exec: a background child does not delay", background_child_does_not_delay },
        { "exec: output is bounded", output_is_bounded },
        { NULL, NULL },
    };

    return tap_run("plugin hooks", tests);
}
