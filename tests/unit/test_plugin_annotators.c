/* SPDX-License-Identifier: Apache-2.0 */
/* The bundled annotators. */
#include "tests/unit/plugin_harness.h"
#include "tests/unit/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static struct harness harness;

static const char *set(const char *name)
{
    const char *text = harness_set_text(&harness, name);

    return text != NULL ? text : "(absent)";
}

static void add_file(const char *name, const char *data, size_t bytes)
{
    harness.files[harness.file_count++] = (struct harness_file){ name, data, bytes };
}

static void static_values(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "annotator", "static"));
    harness_option(&harness, "values", "team=payments");
    harness_option(&harness, "values", "data.centre=fra-1");
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(set("team"), "payments");
    CU_ASSERT_STRING_EQUAL(set("data.centre"), "fra-1");
    harness_option(&harness, "values", "two words=x");
    harness_option(&harness, "values", "=y");
    CU_ASSERT_EQUAL(harness_check(&harness), CAIRN_PLUGIN_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(harness.problems, "\"two words\" cannot name an attribute"));
    CU_ASSERT_PTR_NOT_NULL(strstr(harness.problems, "\"\" cannot name an attribute"));
    harness_close(&harness);
}

static void system_facts(void)
{
    struct utsname name;
    char count[32];

    CU_ASSERT_FATAL(harness_open(&harness, "annotator", "system"));
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
    CU_ASSERT_FATAL(uname(&name) == 0);
    CU_ASSERT_STRING_EQUAL(set("uname.sysname"), name.sysname);
    CU_ASSERT_STRING_EQUAL(set("uname.release"), name.release);
    CU_ASSERT_STRING_EQUAL(set("uname.machine"), name.machine);
    snprintf(count, sizeof(count), "%ld", sysconf(_SC_NPROCESSORS_ONLN));
    CU_ASSERT_STRING_EQUAL(set("cpu.count"), count);
    CU_ASSERT_TRUE(strtoll(set("system.memory.total"), NULL, 10) > 16 << 20);
    CU_ASSERT_TRUE(strtoll(set("system.memory.available"), NULL, 10) > 0);
    CU_ASSERT_PTR_NULL(harness_set_text(&harness, "hostname"));
    harness_option(&harness, "hostname", "true");
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(set("hostname"), name.nodename);
    harness_close(&harness);
}

static void system_keeps_silent_about_imports(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "annotator", "system"));
    harness_field_integer(&harness, "tier", 0);
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_UNSUPPORTED);
    CU_ASSERT_EQUAL(harness.set.count, 0);
    harness_close(&harness);
}

/* /proc/PID/stat of a process with a nasty name, started `age` seconds before the report's time. */
static const char *make_stat(long long age)
{
    static char stat[512];
    char line[4096];
    long long boot = 0;
    FILE *file = fopen("/proc/stat", "r");

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "btime %lld", &boot) == 1) {
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    snprintf(stat, sizeof(stat),
             "4241 (a ) b 7 ) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0 %lld 0 0 0 1 2 3 4",
             ((long long)time(NULL) - boot - age) * sysconf(_SC_CLK_TCK));
    return stat;
}

static void add_process(long long age)
{
    static const char status[] = "Name:\tshop\nVmPeak:\t  2048 kB\nVmSize:\t    1024 kB\n"
                                 "VmHWM:\t      64 kB\nVmRSS:\t      32 kB\nThreads:\t3\n";
    static const char limits[] =
        "Limit                     Soft Limit           Hard Limit           Units     \n"
        "Max cpu time              unlimited            unlimited            seconds   \n"
        "Max stack size            8388608              unlimited            bytes     \n"
        "Max open files            1024                 524288               files     \n";
    static const char cgroup[] = "1:name=systemd:/x\n0::/system.slice/shop.service\n";
    static char now[64];
    time_t seconds = time(NULL);
    struct tm parts;
    const char *stat = make_stat(age);

    gmtime_r(&seconds, &parts);
    strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%S.000000Z", &parts);
    harness_field(&harness, "time", now);
    add_file("stat", stat, strlen(stat));
    add_file("status", status, sizeof(status) - 1);
    add_file("limits", limits, sizeof(limits) - 1);
    add_file("cgroup", cgroup, sizeof(cgroup) - 1);
    add_file("cwd", "/home/jo/work", 13);
}

static void process_default(void)
{
    int age;

    CU_ASSERT_FATAL(harness_open(&harness, "annotator", "process"));
    add_process(60);
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
    age = atoi(set("process.age"));
    CU_ASSERT_TRUE(age >= 58 && age <= 62);
    CU_ASSERT_STRING_EQUAL(set("process.thread.count"), "3");
    CU_ASSERT_STRING_EQUAL(set("vm.rss.size"), "32768");
    CU_ASSERT_STRING_EQUAL(set("vm.rss.peak"), "65536");
    CU_ASSERT_STRING_EQUAL(set("vm.vma.size"), "1048576");
    CU_ASSERT_STRING_EQUAL(set("process.limit.stack"), "8388608");
    CU_ASSERT_STRING_EQUAL(set("process.limit.open_files"), "1024");
    CU_ASSERT_STRING_EQUAL(set("process.limit.cpu_time"), "unlimited");
    CU_ASSERT_STRING_EQUAL(set("process.cgroup"), "/system.slice/shop.service");
    CU_ASSERT_PTR_NULL(harness_set_text(&harness, "process.cwd"));
    CU_ASSERT_PTR_NULL(harness_set_text(&harness, "process.command_line"));
    harness_close(&harness);
}

static void process_includes(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "annotator", "process"));
    add_process(10);
    harness_option(&harness, "include", "cwd");
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(set("process.cwd"), "/home/jo/work");
    CU_ASSERT_EQUAL(harness.set.count, 1);
    harness_close(&harness);
}

static void process_personal_data(void)
{
    static const char arguments[] = "shop\0--port\0"
                                    "80\0";
    static const char variables[] = "PATH=/bin\0LANGUAGE=x\0LANG=C.UTF-8\0SECRET=1\0LAST=end";

    CU_ASSERT_FATAL(harness_open(&harness, "annotator", "process"));
    add_file("cmdline", arguments, sizeof(arguments) - 1);
    add_file("environ", variables, sizeof(variables) - 1);
    harness_option(&harness, "command_line", "true");
    harness_option(&harness, "environment", "LANG");
    harness_option(&harness, "environment", "LAST");
    harness_option(&harness, "environment", "ABSENT");
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(set("process.command_line"), "shop --port 80");
    CU_ASSERT_STRING_EQUAL(set("environment.LANG"), "C.UTF-8");
    CU_ASSERT_STRING_EQUAL(set("environment.LAST"), "end");
    CU_ASSERT_EQUAL(harness.set.count, 3);
    harness_option(&harness, "environment", "A=B");
    CU_ASSERT_EQUAL(harness_check(&harness), CAIRN_PLUGIN_FAILED);
    harness_close(&harness);
}

static void process_hostile_files(void)
{
    static const char *const stats[] = {
        "",
        ")",
        "1 (x",
        "1 (x) S",
        "1 (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0 99999999999999999999999999 0",
        "1 (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0 -5 0",
    };
    static const char status[] = "Threads:\t-\nVmRSS:\t99999999999999999999999 kB\nVmSize:";
    static const char limits[] = "Max open files \nMax stack size  \x1b[31m\n";

    for (size_t i = 0; i < sizeof(stats) / sizeof(stats[0]); i++) {
        CU_ASSERT_FATAL(harness_open(&harness, "annotator", "process"));
        add_file("stat", stats[i], strlen(stats[i]));
        add_file("status", status, sizeof(status) - 1);
        add_file("limits", limits, sizeof(limits) - 1);
        add_file("cgroup", "", 0);
        CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
        CU_ASSERT_EQUAL(harness.set.count, 0);
        harness_close(&harness);
    }
}

static void add_breadcrumb(uint64_t milliseconds, const char *category, const char *message)
{
    harness.breadcrumbs[harness.breadcrumb_count++] = (struct cairn_breadcrumb){
        .time = 1700000000000000000ull + milliseconds * 1000000,
        .category = category,
        .message = message,
    };
}

static void breadcrumbs(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "annotator", "breadcrumbs"));
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_UNSUPPORTED);
    add_breadcrumb(0, "ui", "first");
    add_breadcrumb(1500, "net", "second");
    add_breadcrumb(2000, "db", "third");
    harness_option(&harness, "max", "2");
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(set("breadcrumbs.count"), "3");
    CU_ASSERT_STRING_EQUAL(set("breadcrumbs.last"), "db: third");
    CU_ASSERT_STRING_EQUAL(set("breadcrumbs.text"), "-0.500 s  net: second\n+0.000 s  db: third");
    harness_close(&harness);
}

int main(void)
{
    static const struct tap_test tests[] = {
        { "static: values and bad names", static_values },
        { "system: facts, the host's name only when asked for", system_facts },
        { "system: silent about imported minidumps", system_keeps_silent_about_imports },
        { "process: what it adds by default", process_default },
        { "process: only what is included", process_includes },
        { "process: command line and chosen variables", process_personal_data },
        { "process: hostile files", process_hostile_files },
        { "breadcrumbs", breadcrumbs },
        { NULL, NULL },
    };

    return tap_run("plugin annotators", tests);
}
