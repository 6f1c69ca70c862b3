/* SPDX-License-Identifier: Apache-2.0 */
/* How an end is judged and told: the monitor's readers of the kernel's texts, and its words. */
#include "core/monitor/cgroup.h"
#include "core/monitor/death.h"
#include "core/monitor/end.h"
#include "tests/unit/tap.h"

#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STAT_FIELDS                                                                                \
    " 1 7 7 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 54321 0 0 18446744073709551615 0 0 0 0 0 0 0 " \
    "0 1260 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 "

static bool parse_stat(const char *text, uint64_t born, int *ret_status)
{
    return end_parse_stat(text, strlen(text), born, ret_status);
}

static void test_stat(void)
{
    int status = -1;

    CU_ASSERT_TRUE(parse_stat("7 (a) Z 1 9) Z" STAT_FIELDS "9\n", 54321, &status));
    CU_ASSERT_EQUAL(status, SIGKILL);
    CU_ASSERT_TRUE(parse_stat("7 (a) X" STAT_FIELDS "768\n", 0, &status));
    CU_ASSERT_EQUAL(status, 768);
    CU_ASSERT_FALSE(parse_stat("7 (a) Z" STAT_FIELDS "9\n", 54322, &status)); /* another's number */
    CU_ASSERT_FALSE(parse_stat("7 (a) S" STAT_FIELDS "0\n", 54321, &status)); /* it still runs */
    CU_ASSERT_FALSE(parse_stat("7 (a) Z" STAT_FIELDS "9", 54321, &status));   /* cut */
    CU_ASSERT_FALSE(parse_stat("7 (a) Z" STAT_FIELDS "\n", 54321, &status));
    CU_ASSERT_FALSE(parse_stat("7 (a) Z" STAT_FIELDS "99999999999\n", 54321, &status));
    CU_ASSERT_FALSE(parse_stat("7 (a) Z 1 2 3", 54321, &status));
    CU_ASSERT_FALSE(parse_stat("7 (a)", 0, &status));
    CU_ASSERT_FALSE(parse_stat("", 0, &status));
    CU_ASSERT_EQUAL(status, 768); /* untouched on failure */
}

/* The end of a child that ends in `how`: by the kernel if it can tell, else as the test allows. */
static struct end end_of_child(int how, bool collect, const char *allowed, uint32_t mark)
{
    pid_t child = fork();

    if (child == 0) {
        if (how < 0) {
            kill(getpid(), -how);
        }
        _exit(how);
    }
    int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    struct pollfd ended = { .fd = pidfd, .events = POLLIN };

    CU_ASSERT_FATAL(pidfd >= 0);
    CU_ASSERT_EQUAL(poll(&ended, 1, 10000), 1);
    if (collect) {
        waitpid(child, NULL, 0);
    }
    setenv("CAIRN_TEST_END", allowed, 1);
    struct end end = end_read(pidfd, child, 0, mark);
    unsetenv("CAIRN_TEST_END");
    waitpid(child, NULL, 0);
    close(pidfd);
    return end;
}

static void test_end(void)
{
    struct end end = end_of_child(-SIGKILL, false, "stat", 0);

    CU_ASSERT_EQUAL(end.how, END_SIGNALLED);
    CU_ASSERT_EQUAL(end.signal, SIGKILL);
    end = end_of_child(3, false, "stat", 0);
    CU_ASSERT_EQUAL(end.how, END_EXITED);
    CU_ASSERT_EQUAL(end.status, 3);
    end = end_of_child(3, true, "stat", 0); /* collected: only the kernel would know */
    CU_ASSERT_EQUAL(end.how, END_UNKNOWN);
    end = end_of_child(3, true, "mark", PAGE_EXITED | 3);
    CU_ASSERT_EQUAL(end.how, END_EXITED);
    CU_ASSERT_EQUAL(end.status, 3);
    end = end_of_child(-SIGTERM, true, "kernel", 0);
    if (end.how != END_UNKNOWN) { /* Linux 6.15 */
        CU_ASSERT_EQUAL(end.how, END_SIGNALLED);
        CU_ASSERT_EQUAL(end.signal, SIGTERM);
    }
    end = end_of_status(SIGSEGV | 0x80);
    CU_ASSERT_TRUE(end.how == END_SIGNALLED && end.signal == SIGSEGV && end.dumped);
    end = end_of_status(0x7f); /* stopped, which is no end */
    CU_ASSERT_EQUAL(end.how, END_UNKNOWN);
}

static void test_cgroup_path(void)
{
    static const struct {
        const char *text, *path;
        uint32_t version;
    } rows[] = {
        { "0::/user.slice/shop.service\n", "/user.slice/shop.service", 2 },
        { "5:cpu,memory:/docker/7\n0::/\n", "/docker/7", 1 },
        { "5:memory,cpu:/a b:c\n", "/a b:c", 1 },
        { "0::/last-without-end", "/last-without-end", 2 },
        { "5:cpu,memory.x,xmemory:/no\n", "", 0 },
        { "0::/../outside\n", "", 0 },
        { "0::relative\n", "", 0 },
        { "1::/not-unified\n", "", 0 },
        { "0:\n:\n::\n", "", 0 },
        { "", "", 0 },
    };
    char path[CGROUP_PATH_BYTES], text[CGROUP_PATH_BYTES + 8];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        path[0] = '\0';
        CU_ASSERT_EQUAL(cgroup_parse_path(rows[i].text, path), rows[i].version);
        CU_ASSERT_STRING_EQUAL(path, rows[i].path);
    }
    memset(text, 'x', sizeof(text));
    memcpy(text, "0::/", 4);
    text[sizeof(text) - 1] = '\0';
    CU_ASSERT_EQUAL(cgroup_parse_path(text, path), 0); /* too long */
}

static void test_cgroup_number(void)
{
    uint64_t number = 7;

    CU_ASSERT_TRUE(cgroup_parse_number("low 0\noom 3\noom_kill 2\n", "oom_kill", &number));
    CU_ASSERT_EQUAL(number, 2);
    CU_ASSERT_TRUE(cgroup_parse_number("18446744073709551615\n", "", &number));
    CU_ASSERT_EQUAL(number, UINT64_MAX);
    CU_ASSERT_FALSE(cgroup_parse_number("18446744073709551616\n", "", &number));
    CU_ASSERT_FALSE(cgroup_parse_number("max\n", "", &number));
    CU_ASSERT_FALSE(cgroup_parse_number("", "", &number));
    CU_ASSERT_FALSE(cgroup_parse_number("oom_kill", "oom_kill", &number));
    CU_ASSERT_FALSE(cgroup_parse_number("oom_kill \n", "oom_kill", &number));
    CU_ASSERT_FALSE(cgroup_parse_number("oom_kill 2x\n", "oom_kill", &number));
    CU_ASSERT_FALSE(cgroup_parse_number("oom_kills 2\n", "oom_kill", &number));
    CU_ASSERT_EQUAL(number, UINT64_MAX); /* untouched on failure */
}

static void test_words(void)
{
    static const struct {
        struct death death;
        const char *text;
    } rows[] = {
        { { .end = { .how = END_SIGNALLED, .signal = SIGKILL } }, "killed by SIGKILL" },
        { { .end = { .how = END_SIGNALLED, .signal = SIGKILL }, .out_of_memory = true },
          "killed by the kernel, which ran out of memory" },
        { { .end = { .how = END_SIGNALLED, .signal = SIGSEGV } },
          "ended by SIGSEGV, which no handler saw" },
        { { .end = { .how = END_SIGNALLED, .signal = 40 } },
          "ended by signal 40, which no handler saw" },
        { { .end = { .how = END_EXITED, .status = 3 } }, "exit status 3, without exit()" },
        { { .end = { .how = END_EXITED, .status = 3 }, .left_by_exit = true }, "exit status 3" },
        { { .end = { .how = END_UNKNOWN } }, "ended without a sign of why" },
    };
    char text[128];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        death_explain(&rows[i].death, text, sizeof(text));
        CU_ASSERT_STRING_EQUAL(text, rows[i].text);
    }
}

static const struct tap_test tests[] = {
    { "the status of a process that was not collected", test_stat },
    { "the end of a child, by each source", test_end },
    { "the control group of a process", test_cgroup_path },
    { "what a control group counts", test_cgroup_number },
    { "an end in words", test_words },
    { NULL, NULL },
};

int main(void)
{
    return tap_run("death", tests);
}
