/* SPDX-License-Identifier: Apache-2.0 */
/* The bundled filters ratelimit, module and uptime. */
#include "tests/unit/plugin_harness.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct harness harness;
static struct cairn_filter_args verdict;
static char state_path[4096];

static int decide(void)
{
    harness.failure[0] = harness.notes[0] = '\0';
    CU_ASSERT_EQUAL(harness_decide(&harness, &verdict), CAIRN_PLUGIN_OK);
    return verdict.action;
}

/* ---- ratelimit ---- */

static void open_ratelimit(const char *max, const char *per)
{
    CU_ASSERT_FATAL(harness_open(&harness, "filter", "ratelimit"));
    harness.state_path = state_path;
    harness_option(&harness, "max", max);
    harness_option(&harness, "per", per);
    harness_option(&harness, "newest", "false");
}

/* Seconds after a fixed moment. */
static int decide_at(double seconds)
{
    time_t whole = 1700000000 + (time_t)seconds;
    struct tm parts;
    char text[80];

    gmtime_r(&whole, &parts);
    strftime(text, 40, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text + strlen(text), 16, ".%06dZ", (int)((seconds - (double)(time_t)seconds) * 1e6));
    harness_field(&harness, "time", text);
    return decide();
}

static void ratelimit_over_restarts(void)
{
    unlink(state_path);
    for (int i = 0; i < 3; i++) { /* every crash has a step of its own */
        open_ratelimit("3", "60s");
        CU_ASSERT_EQUAL(decide_at(i), CAIRN_KEEP);
        harness_close(&harness);
    }
    for (int i = 3; i < 50; i++) {
        open_ratelimit("3", "60s");
        CU_ASSERT_EQUAL(decide_at(i), CAIRN_DROP);
        harness_close(&harness);
    }
    CU_ASSERT_STRING_EQUAL(
        verdict.reason,
        "3 reports of its signature were kept within 60 s, and 47 are dropped since");
}

/* Goes on where the test before it ended: the period slides. */
static void ratelimit_slides(void)
{
    open_ratelimit("3", "60s");
    CU_ASSERT_EQUAL(decide_at(59.999), CAIRN_DROP);
    CU_ASSERT_EQUAL(decide_at(60), CAIRN_KEEP);
    CU_ASSERT_STRING_EQUAL(harness.notes,
                           "Before this report 48 of the same signature were dropped.\n");
    CU_ASSERT_EQUAL(decide_at(60.5), CAIRN_DROP);
    CU_ASSERT_EQUAL(decide_at(61.5), CAIRN_KEEP);
    CU_ASSERT_STRING_EQUAL(harness.notes,
                           "Before this report 1 of the same signature were dropped.\n");
    CU_ASSERT_EQUAL(decide_at(1000), CAIRN_KEEP);
    CU_ASSERT_STRING_EQUAL(harness.notes, "");
    harness_close(&harness);
}

static void ratelimit_by_kind(void)
{
    unlink(state_path);
    open_ratelimit("1", "1h");
    CU_ASSERT_EQUAL(decide_at(0), CAIRN_KEEP);
    CU_ASSERT_EQUAL(decide_at(1), CAIRN_DROP);
    harness_field(&harness, "signature", "another");
    CU_ASSERT_EQUAL(decide_at(2), CAIRN_KEEP);
    harness_no_field(&harness, "signature");
    CU_ASSERT_EQUAL(decide_at(3), CAIRN_KEEP);
    CU_ASSERT_EQUAL(decide_at(4), CAIRN_DROP);
    harness_option(&harness, "by", "user");
    CU_ASSERT_EQUAL(decide_at(5), CAIRN_KEEP);
    harness_field(&harness, "signature", "a third");
    CU_ASSERT_EQUAL(decide_at(6), CAIRN_DROP);
    harness_option(&harness, "by", "application");
    CU_ASSERT_EQUAL(decide_at(7), CAIRN_KEEP);
    CU_ASSERT_EQUAL(decide_at(8), CAIRN_DROP);
    harness_close(&harness);
}

static void name_report(unsigned number)
{
    char id[64];

    snprintf(id, sizeof(id), "0193a1b2-c3d4-7e5f-8a6b-%012x", number);
    harness_field(&harness, "id", id);
}

/* The first two, then always the newest, which waits until the first leaves the period. */
static void ratelimit_newest(void)
{
    unlink(state_path);
    for (unsigned i = 0; i < 6; i++) {
        open_ratelimit("2", "60s");
        harness_option(&harness, "newest", "true");
        name_report(i);
        CU_ASSERT_EQUAL(decide_at(i), CAIRN_KEEP);
        CU_ASSERT_EQUAL(verdict.defer, i < 2 ? 0 : (60 - i) * 1000000);
        if (i < 3) {
            CU_ASSERT_STRING_EQUAL(verdict.instead_of, "");
        } else {
            CU_ASSERT_EQUAL(strtol(verdict.instead_of + 24, NULL, 16), i - 1);
        }
        harness_close(&harness);
    }
    CU_ASSERT_STRING_EQUAL(harness.notes,
                           "It is the newest beyond 2 of the same signature within 60 s, so its "
                           "delivery waits; 3 before it were dropped.\n");
    open_ratelimit("2", "60s");
    harness_option(&harness, "newest", "true");
    name_report(6);
    CU_ASSERT_EQUAL(decide_at(60.5), CAIRN_KEEP); /* the one that waited has taken its place */
    CU_ASSERT_STRING_EQUAL(verdict.instead_of, "");
    CU_ASSERT_EQUAL(verdict.defer, 500000);
    name_report(7);
    CU_ASSERT_EQUAL(decide_at(300), CAIRN_KEEP);
    CU_ASSERT_EQUAL(verdict.defer, 0);
    CU_ASSERT_STRING_EQUAL(harness.notes, "");
    harness_close(&harness);
}

/* A clock that was set back, or far ahead for a while, must not stop reports for good. */
static void ratelimit_clock_jumps(void)
{
    unlink(state_path);
    open_ratelimit("1", "1h");
    CU_ASSERT_EQUAL(decide_at(1e8), CAIRN_KEEP);
    CU_ASSERT_EQUAL(decide_at(0), CAIRN_KEEP);
    CU_ASSERT_EQUAL(decide_at(1), CAIRN_DROP);
    harness_close(&harness);
}

static void ratelimit_many_kinds(void)
{
    struct stat status;
    char signature[32];

    unlink(state_path);
    open_ratelimit("1", "1h");
    for (int i = 0; i < 1000; i++) {
        snprintf(signature, sizeof(signature), "signature %d", i);
        harness_field(&harness, "signature", signature);
        CU_ASSERT_EQUAL(decide_at(i), CAIRN_KEEP);
    }
    CU_ASSERT_EQUAL(decide_at(1000), CAIRN_DROP);
    CU_ASSERT_EQUAL(stat(state_path, &status), 0);
    CU_ASSERT_TRUE(status.st_size < 32768);
    harness_close(&harness);
}

#define LARGEST_ENTRY                                                                              \
    "cairn-ratelimit 1\nffffffffffffffff 18446744073709551615 9223372036854775807 "                \
    "9223372036854775807 - 9223372036854775807"

static void ratelimit_hostile_state(void)
{
    static const char *const states[] = {
        "garbage\n",
        "cairn-ratelimit 1\n\n\n",
        "cairn-ratelimit 1\nzzz\n-1 2 3\n",
        "cairn-ratelimit 1\n0 0 99999999999999999999999999 1\n",
        "cairn-ratelimit 2\n0 0 1 1\n",
        LARGEST_ENTRY,
        "cairn-ratelimit 1\n0 0 1 1 not-an-id 1\n0 0 1 1 ------------------------------------",
    };

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        FILE *file = fopen(state_path, "w");

        CU_ASSERT_PTR_NOT_NULL_FATAL(file);
        fputs(states[i], file);
        fclose(file);
        open_ratelimit("1", "1h");
        CU_ASSERT_EQUAL(decide_at(0), CAIRN_KEEP);
        CU_ASSERT_EQUAL(decide_at(1), CAIRN_DROP);
        harness_close(&harness);
    }
}

static void ratelimit_without_state(void)
{
    open_ratelimit("1", "1h");
    harness.state_path = NULL;
    CU_ASSERT_EQUAL(harness_decide(&harness, &verdict), CAIRN_PLUGIN_FAILED);
    CU_ASSERT_EQUAL(verdict.action, CAIRN_KEEP);
    CU_ASSERT_STRING_EQUAL(harness.failure, "Without its state file it cannot limit anything.");
    harness_close(&harness);
}

/* ---- module ---- */

static void add_frame(const char *path)
{
    harness.frames[harness.frame_count] =
        (struct cairn_frame){ .index = (uint32_t)harness.frame_count, .module_path = path };
    if (path != NULL) {
        harness.frames[harness.frame_count].module = strrchr(path, '/') + 1;
    }
    harness.frame_count++;
}

static void open_module(const char *pattern)
{
    CU_ASSERT_FATAL(harness_open(&harness, "filter", "module"));
    harness_option(&harness, "modules", pattern);
    add_frame("/lib/libc.so.6");
    add_frame(NULL);
    add_frame("/opt/plug/libmine.so.2");
    add_frame("/usr/bin/host");
}

static void module_keeps(void)
{
    open_module("libmine.so*");
    CU_ASSERT_EQUAL(decide(), CAIRN_KEEP);
    harness_option(&harness, "frames", "2");
    CU_ASSERT_EQUAL(decide(), CAIRN_DROP);
    CU_ASSERT_STRING_EQUAL(verdict.reason,
                           "none of the modules to keep is among its first 2 frames");
    harness_option(&harness, "modules", "/lib/*");
    CU_ASSERT_EQUAL(decide(), CAIRN_KEEP);
    harness_close(&harness);
    open_module("libmine");
    CU_ASSERT_EQUAL(decide(), CAIRN_DROP);
    harness_close(&harness);
}

static void module_drops(void)
{
    open_module("libmine*");
    harness_option(&harness, "action", "drop");
    CU_ASSERT_EQUAL(decide(), CAIRN_DROP);
    CU_ASSERT_STRING_EQUAL(verdict.reason, "its frame 2 lies in one of the modules to drop");
    harness_option(&harness, "frames", "1");
    CU_ASSERT_EQUAL(decide(), CAIRN_KEEP);
    harness_close(&harness);
}

static void module_without_stack(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "filter", "module"));
    harness_option(&harness, "modules", "x");
    add_frame(NULL);
    CU_ASSERT_EQUAL(harness_decide(&harness, &verdict), CAIRN_PLUGIN_UNSUPPORTED);
    CU_ASSERT_EQUAL(verdict.action, CAIRN_KEEP);
    harness_close(&harness);
}

/* ---- uptime ---- */

/* /proc/PID/stat of a process that started `age` seconds ago, which is when it crashed. */
static void add_process(double age)
{
    static char stat_text[256], now_text[64];
    struct timespec up, later, now;
    struct tm parts;

    do { /* at the same moment */
        clock_gettime(CLOCK_BOOTTIME, &up);
        clock_gettime(CLOCK_REALTIME, &now);
        clock_gettime(CLOCK_BOOTTIME, &later);
    } while (later.tv_sec != up.tv_sec || later.tv_nsec - up.tv_nsec > 10000000);
    gmtime_r(&now.tv_sec, &parts);
    strftime(now_text, 32, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(now_text + strlen(now_text), 32, ".%06uZ", (unsigned)now.tv_nsec / 1000);
    snprintf(stat_text, sizeof(stat_text),
             "4241 (a ) b 7 ) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0 %lld 0 0",
             (long long)(((double)up.tv_sec + (double)up.tv_nsec / 1e9 - age) *
                         (double)sysconf(_SC_CLK_TCK)));
    harness_field(&harness, "time", now_text);
    harness.files[0] = (struct harness_file){ "stat", stat_text, strlen(stat_text) };
    harness.file_count = 1;
}

static void uptime_bounds(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "filter", "uptime"));
    harness_option(&harness, "min", "2s");
    harness_option(&harness, "max", "20s");
    add_process(1.5);
    CU_ASSERT_EQUAL(decide(), CAIRN_DROP);
    CU_ASSERT_PTR_NOT_NULL(strstr(verdict.reason, "its process lived for 1.5"));
    CU_ASSERT_PTR_NOT_NULL(strstr(verdict.reason, " s, less than 2.000 s"));
    add_process(2.5);
    CU_ASSERT_EQUAL(decide(), CAIRN_KEEP);
    add_process(19.5);
    CU_ASSERT_EQUAL(decide(), CAIRN_KEEP);
    add_process(20.5);
    CU_ASSERT_EQUAL(decide(), CAIRN_DROP);
    CU_ASSERT_PTR_NOT_NULL(strstr(verdict.reason, " s, longer than 20.000 s"));
    harness_close(&harness);
}

static void uptime_unknown(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "filter", "uptime"));
    CU_ASSERT_EQUAL(harness_check(&harness), CAIRN_PLUGIN_FAILED);
    harness_option(&harness, "min", "1h");
    CU_ASSERT_EQUAL(harness_decide(&harness, &verdict), CAIRN_PLUGIN_UNSUPPORTED);
    add_process(-100000); /* it started after now: the machine was restarted since */
    CU_ASSERT_EQUAL(harness_decide(&harness, &verdict), CAIRN_PLUGIN_UNSUPPORTED);
    CU_ASSERT_EQUAL(verdict.action, CAIRN_KEEP);
    harness_option(&harness, "max", "1s");
    CU_ASSERT_EQUAL(harness_check(&harness), CAIRN_PLUGIN_FAILED);
    harness_close(&harness);
}

int main(void)
{
    static const struct tap_test tests[] = {
        { "ratelimit: the first ones, over restarts", ratelimit_over_restarts },
        { "ratelimit: the period slides", ratelimit_slides },
        { "ratelimit: the newest waits", ratelimit_newest },
        { "ratelimit: by signature, user, application", ratelimit_by_kind },
        { "ratelimit: a clock that jumps", ratelimit_clock_jumps },
        { "ratelimit: its state is bounded", ratelimit_many_kinds },
        { "ratelimit: a hostile state file", ratelimit_hostile_state },
        { "ratelimit: without a state file", ratelimit_without_state },
        { "module: keeps", module_keeps },
        { "module: drops", module_drops },
        { "module: a stack that is not known", module_without_stack },
        { "uptime: bounds", uptime_bounds },
        { "uptime: unknown ages", uptime_unknown },
        { NULL, NULL },
    };
    const char *temporary = getenv("TMPDIR");
    int result;

    snprintf(state_path, sizeof(state_path), "%s/cairn-ratelimit-%d",
             temporary != NULL ? temporary : "/tmp", (int)getpid());
    result = tap_run("plugin filters with state", tests);
    unlink(state_path);
    return result;
}
