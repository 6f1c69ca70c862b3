/* SPDX-License-Identifier: Apache-2.0 */
/* The bundled annotators container, file, memory and redact. */
#include "tests/unit/plugin_harness.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ID  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define POD "6f1d2c3b-4a59-4687-9abc-def012345678"

static struct harness harness;
static char folder[4096];

static const char *set(const char *name)
{
    const char *text = harness_set_text(&harness, name);

    return text != NULL ? text : "(absent)";
}

static void add_file(const char *name, const char *data)
{
    harness.files[harness.file_count++] = (struct harness_file){ name, data, strlen(data) };
}

/* ---- container ---- */

static void container_paths(void)
{
    static const struct {
        const char *cgroup, *runtime, *pod;
    } cases[] = {
        { "0::/system.slice/docker-" ID ".scope\n", "docker", NULL },
        { "12:pids:/docker/" ID "\n4:memory:/docker/" ID "\n", "docker", NULL },
        { "0::/kubepods.slice/kubepods-burstable.slice/"
          "kubepods-burstable-pod6f1d2c3b_4a59_4687_9abc_def012345678.slice/cri-containerd-" ID
          ".scope\n",
          "containerd", POD },
        { "3:cpu:/kubepods/besteffort/pod" POD "/" ID "\n", NULL, POD },
        { "0::/kubepods.slice/kubepods-pod6f1d2c3b_4a59_4687_9abc_def012345678.slice/crio-" ID
          ".scope/container\n",
          "cri-o", POD },
        { "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID
          ".scope/container\n",
          "podman", NULL },
        { "2:memory:/ecs/0f0f0f0f-task/" ID "\n", "ecs", NULL },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CU_ASSERT_FATAL(harness_open(&harness, "annotator", "container"));
        harness_field_integer(&harness, "tier", 0); /* so that this machine does not matter */
        add_file("cgroup", cases[i].cgroup);
        CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
        CU_ASSERT_STRING_EQUAL(set("container.id"), ID);
        CU_ASSERT_STRING_EQUAL(set("container.runtime"),
                               cases[i].runtime != NULL ? cases[i].runtime : "(absent)");
        CU_ASSERT_STRING_EQUAL(set("k8s.pod.uid"),
                               cases[i].pod != NULL ? cases[i].pod : "(absent)");
        harness_close(&harness);
    }
}

static void container_names(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "annotator", "container"));
    harness_field_integer(&harness, "tier", 0);
    add_file("cgroup", "0::/lxc.payload.web-1/system.slice/x.service\n");
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(set("container.name"), "web-1");
    CU_ASSERT_STRING_EQUAL(set("container.runtime"), "lxc");
    CU_ASSERT_STRING_EQUAL(set("container.id"), "(absent)");
    harness_close(&harness);
    CU_ASSERT_FATAL(harness_open(&harness, "annotator", "container"));
    harness_field_integer(&harness, "tier", 0);
    add_file("cgroup", "0::/machine.slice/machine-build.scope/payload\n");
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(set("container.name"), "build");
    CU_ASSERT_STRING_EQUAL(set("container.runtime"), "nspawn");
    harness_close(&harness);
}

static void container_none(void)
{
    static const char *const cgroups[] = {
        "",        "0::/\n", "0::/system.slice/shop.service\n", "pod",
        "podpod-", ID "0",   "0::/kubepods/pod6f1d2c3b-4a59",   "\n\n:::\n0::/lxc/\n",
    };

    for (size_t i = 0; i < sizeof(cgroups) / sizeof(cgroups[0]); i++) {
        CU_ASSERT_FATAL(harness_open(&harness, "annotator", "container"));
        harness_field_integer(&harness, "tier", 0);
        add_file("cgroup", cgroups[i]);
        CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_UNSUPPORTED);
        CU_ASSERT_EQUAL(harness.set.count, 0);
        harness_close(&harness);
    }
}

/* ---- file ---- */

static const char *write_file(const char *name, const char *text)
{
    static char paths[8][4200];
    static size_t next;
    char *path = paths[next++ % 8];
    FILE *file;

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    fclose(file);
    return path;
}

static void remove_file(const char *name)
{
    char path[4200];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    unlink(path);
}

static void open_file(const char *path, const char *lines)
{
    CU_ASSERT_FATAL(harness_open(&harness, "annotator", "file"));
    harness_option(&harness, "path", path);
    harness_option(&harness, "lines", lines);
}

static void file_tail(void)
{
    open_file(write_file("log", "one\ntwo\nthree\n"), "2");
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(set("file.instance"), "two\nthree\n");
    harness_option(&harness, "attribute", "shop.log");
    harness_option(&harness, "lines", "50");
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(set("shop.log"), "one\ntwo\nthree\n");
    harness_option(&harness, "bytes", "8"); /* "o\nthree\n": "two" is cut, so it is left out */
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(set("shop.log"), "three\n");
    harness_option(&harness, "attribute", "not a name");
    CU_ASSERT_EQUAL(harness_check(&harness), CAIRN_PLUGIN_FAILED);
    harness_close(&harness);
    open_file(write_file("log", "whole\nno break at the end"), "1");
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(set("file.instance"), "no break at the end");
    harness_close(&harness);
}

static void file_rotated(void)
{
    const char *path = write_file("log", "four\nfive\n");
    const char *rotated = write_file("log.1", "one\ntwo\nthree\n");

    open_file(path, "4");
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(set("file.instance"), "two\nthree\nfour\nfive\n");
    harness_option(&harness, "bytes", "17"); /* seven left: "\nthree\n", whose "two" is cut */
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(set("file.instance"), "three\nfour\nfive\n");
    harness_option(&harness, "rotated", "false");
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(set("file.instance"), "four\nfive\n");
    harness_option(&harness, "rotated", "true");
    unlink(path); /* just rotated, and not yet written again */
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(set("file.instance"), "one\ntwo\nthree\n");
    unlink(rotated);
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_FAILED);
    harness_close(&harness);
}

static void file_unsuitable(void)
{
    char path[4200];

    snprintf(path, sizeof(path), "%s/none", folder);
    open_file(path, "5");
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(harness.failure, "none cannot be read: No such file"));
    harness_option(&harness, "path", folder);
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(harness.failure, "it is not a regular file"));
    snprintf(path, sizeof(path), "%s/fifo", folder);
    CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
    harness_option(&harness, "path", path);
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_FAILED); /* and does not wait */
    unlink(path);
    CU_ASSERT_EQUAL(symlink("/etc/passwd", path), 0);
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_FAILED);
    unlink(path);
    harness_option(&harness, "path", write_file("empty", ""));
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_UNSUPPORTED);
    harness_close(&harness);
}

static void file_is_cleaned(void)
{
    open_file(write_file("log", "gr\xc3\xbc\xc3\x9f"
                                "e \x1b[31m \xff \xc3\n"),
              "5");
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(set("file.instance"), "gr\xc3\xbc\xc3\x9f"
                                                 "e ?[31m ? ?\n");
    harness_close(&harness);
}

/* ---- memory ---- */

static void memory_of_process(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "annotator", "memory"));
    harness_field_integer(&harness, "tier", 0);
    add_file("status", "Name:\tx\nVmPeak:\t  2048 kB\nVmRSS:\t      32 kB\nRssAnon:\t 8 kB\n"
                       "VmSwap:\t-1 kB\nVmData:\t99999999999999999999 kB\n");
    add_file("oom_score", "667\n");
    add_file("oom_score_adj", "-500\n");
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(set("vm.vma.peak"), "2097152");
    CU_ASSERT_STRING_EQUAL(set("vm.rss.size"), "32768");
    CU_ASSERT_STRING_EQUAL(set("vm.rss.anonymous"), "8192");
    CU_ASSERT_STRING_EQUAL(set("process.oom.score"), "667");
    CU_ASSERT_STRING_EQUAL(set("process.oom.adjustment"), "-500");
    CU_ASSERT_EQUAL(harness.set.count, 5);
    harness_close(&harness);
}

static void memory_of_machine(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "annotator", "memory"));
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
    CU_ASSERT_TRUE(strtoll(set("system.memory.total"), NULL, 10) > 1 << 20);
    CU_ASSERT_TRUE(strtoll(set("system.memory.commit.size"), NULL, 10) > 0);
    if (access("/proc/pressure/memory", R_OK) == 0) {
        CU_ASSERT_TRUE(strtod(set("memory.pressure.some.avg10"), NULL) >= 0);
    }
    harness_option(&harness, "include", "process");
    harness.set.count = 0;
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
    CU_ASSERT_EQUAL(harness.set.count, 0);
    harness_close(&harness);
}

/* Paths in the captured file that lead elsewhere find nothing. */
static void memory_hostile_cgroup(void)
{
    static const char *const cgroups[] = { "0::/../../../etc\n",  "4:memory:\n",  "0::", ":memory",
                                           "0::/no/such/group\n", "1:xmemory:/\n" };

    for (size_t i = 0; i < sizeof(cgroups) / sizeof(cgroups[0]); i++) {
        CU_ASSERT_FATAL(harness_open(&harness, "annotator", "memory"));
        harness_option(&harness, "include", "cgroup");
        add_file("cgroup", cgroups[i]);
        CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
        harness_close(&harness);
    }
}

/* ---- redact ---- */

static void open_redact(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "annotator", "redact"));
    harness_option(&harness, "patterns", "email");
    harness_option(&harness, "patterns", "bearer-token");
    harness_option(&harness, "patterns", "credit-card");
    harness_option(&harness, "patterns", "ipv4");
}

static void redact_patterns(void)
{
    static const struct {
        const char *text, *wanted; /* NULL: stays */
    } cases[] = {
        { "mail jo.doe+x@mail.example.com now", "mail [email] now" },
        { "<jo@example.org>, ann@example.co.uk.", "<[email]>, [email]." },
        { "user@localhost and @example.com", NULL },
        { "Authorization: Bearer abc.DEF-123_456~7/8+9==", "Authorization: Bearer [bearer-token]" },
        { "bearer of bad news", NULL },
        { "t=eyJhbGciOi.eyJzdWIi.c2ln;", "t=[bearer-token];" },
        { "BASIC dXNlcjpwYXNz", "BASIC [bearer-token]" },
        { "card 4111 1111 1111 1111, ok", "card [credit-card], ok" },
        { "5500-0000-0000-0004", "[credit-card]" },
        { "4111 1111 1111 1112", NULL },
        { "0x4111111111111111", NULL },
        { "41111111111111111111111", NULL },
        { "from 192.168.0.17:8080.", "from [ipv4]:8080." },
        { "version 1.2.3.4.5 or 256.1.1.1 or v1.2.3.4", NULL },
        { "10.0.0.1", "[ipv4]" },
        { "", NULL },
        { "@@@...---   ", NULL },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *wanted = cases[i].wanted != NULL ? cases[i].wanted : "(absent)";

        open_redact();
        harness_attribute(&harness, "text", cases[i].text);
        CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
        if (strcmp(set("text"), wanted) != 0) {
            printf("# \"%s\" became \"%s\"\n", cases[i].text, set("text"));
        }
        CU_ASSERT_STRING_EQUAL(set("text"), wanted);
        harness_close(&harness);
    }
}

static void redact_regex(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "annotator", "redact"));
    harness_option(&harness, "regex", "^user=[a-z]+");
    harness_option(&harness, "regex", "order-[0-9]{3}");
    harness_option(&harness, "with", "***");
    harness_attribute(&harness, "text", "user=jo user=jo\nuser=ann order-1234 order-567");
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(set("text"), "*** user=jo\n*** ***4 ***");
    CU_ASSERT_STRING_EQUAL(harness.log, "4 places in 1 texts were replaced.\n");
    harness_close(&harness);
}

static void redact_places(void)
{
    open_redact();
    harness_option(&harness, "attributes", "shop.*");
    harness_attribute(&harness, "shop.user", "jo@example.com");
    harness_attribute(&harness, "other", "jo@example.com");
    harness_field(&harness, "crash.message", "cannot serve ann@example.com");
    harness.breadcrumbs[0] = (struct cairn_breadcrumb){ .category = "x", .message = "plain" };
    harness.breadcrumbs[1] = (struct cairn_breadcrumb){ .category = "x", .message = "to 10.1.2.3" };
    harness.breadcrumb_count = 2;
    CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(set("shop.user"), "[email]");
    CU_ASSERT_STRING_EQUAL(set("other"), "(absent)");
    CU_ASSERT_STRING_EQUAL(set("crash.message"), "cannot serve [email]");
    CU_ASSERT_STRING_EQUAL(set("breadcrumb.0"), "(absent)");
    CU_ASSERT_STRING_EQUAL(set("breadcrumb.1"), "to [ipv4]");
    harness_close(&harness);
}

static void redact_options(void)
{
    CU_ASSERT_FATAL(harness_open(&harness, "annotator", "redact"));
    CU_ASSERT_EQUAL(harness_check(&harness), CAIRN_PLUGIN_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(harness.problems, "nothing to look for"));
    harness_option(&harness, "regex", "a(");
    harness_option(&harness, "regex", "x*");
    CU_ASSERT_EQUAL(harness_check(&harness), CAIRN_PLUGIN_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(harness.problems, "\"a(\" is no regular expression: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(harness.problems, "\"x*\" matches the empty text"));
    harness_close(&harness);
}

static double processor_seconds(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* Texts made to be slow: they must take time in proportion to their length. */
static void redact_is_linear(void)
{
    static const char *const units[] = { "a", "a@", "a.", "eyJ.", "1 ", "1", "1.", "Bearer " };
    char text[8192];

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        double began = processor_seconds();

        text[0] = '\0';
        for (size_t used = 0; used + 16 < sizeof(text); used += strlen(units[i])) {
            memcpy(text + used, units[i], strlen(units[i]) + 1);
        }
        open_redact();
        harness_attribute(&harness, "text", text);
        CU_ASSERT_EQUAL(harness_annotate(&harness), CAIRN_PLUGIN_OK);
        CU_ASSERT_TRUE(processor_seconds() - began < 0.5);
        harness_close(&harness);
    }
}

int main(void)
{
    static const struct tap_test tests[] = {
        { "container: ids in control groups", container_paths },
        { "container: those with names", container_names },
        { "container: none", container_none },
        { "file: the last lines", file_tail },
        { "file: a rotated log", file_rotated },
        { "file: what is no file", file_unsuitable },
        { "file: text is cleaned", file_is_cleaned },
        { "memory: of the process", memory_of_process },
        { "memory: of the machine", memory_of_machine },
        { "memory: hostile control groups", memory_hostile_cgroup },
        { "redact: patterns", redact_patterns },
        { "redact: regular expressions", redact_regex },
        { "redact: attributes, message, breadcrumbs", redact_places },
        { "redact: options are judged", redact_options },
        { "redact: hostile texts", redact_is_linear },
        { NULL, NULL },
    };
    const char *temporary = getenv("TMPDIR");
    int result;

    snprintf(folder, sizeof(folder), "%s/cairn-pack-XXXXXX",
             temporary != NULL ? temporary : "/tmp");
    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    result = tap_run("plugin annotators of the second pack", tests);
    remove_file("log");
    remove_file("empty");
    rmdir(folder);
    return result;
}
