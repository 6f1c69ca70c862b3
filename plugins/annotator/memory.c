/* SPDX-License-Identifier: Apache-2.0 */
/*
 * annotator/memory: how scarce memory was: the process's own use as it was captured, the limits of
 * its control group, the machine's swap, commitment and pressure, and how likely the kernel would
 * have chosen the process when memory ran out. The captured files are the process's own and
 * hostile; control group and machine are read after the crash, by the engine. Runs in a step of the
 * engine.
 */
#include "plugins/common/fd.h"
#include "plugins/common/proc.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES 16384
#define PATH_BYTES 4096

enum include { INCLUDE_PROCESS, INCLUDE_CGROUP, INCLUDE_SYSTEM, INCLUDE_PRESSURE, INCLUDE_OOM };

struct config {
    struct cairn_list include; /* of int32_t, enum include */
};

static const char *const includes[] = { "process", "cgroup", "system", "pressure", "oom", NULL };

static const struct cairn_option options[] = {
    { .name = "include",
      .type = CAIRN_OPTION_ENUM,
      .flags = CAIRN_OPTION_LIST,
      .offset = offsetof(struct config, include),
      .choices = includes,
      .help = "What to add; without it all of it." },
    { .name = NULL },
};

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

/* ---- Numbers in lines ---- */

struct line {
    const char *key, *attribute;
};

/* Adds "<key> <number>" of a text as an attribute, times `factor`. What is absent, or no number, is
 * left out. */
static int add_number(const struct cairn_host *host, const char *text, const char *key,
                      uint64_t factor, const char *attribute)
{
    const char *value = proc_line(text, key);
    uint64_t number;

    if (value == NULL || *value < '0' || *value > '9' || sscanf(value, "%" SCNu64, &number) != 1 ||
        number > INT64_MAX / factor) {
        return 0;
    }
    return host->set_integer(host, attribute, (int64_t)(number * factor));
}

static int add_lines(const struct cairn_host *host, const char *text, const struct line *lines,
                     size_t count, uint64_t factor)
{
    int status = 0;

    for (size_t i = 0; text != NULL && i < count; i++) {
        status |= add_number(host, text, lines[i].key, factor, lines[i].attribute);
    }
    return status;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int add_process(const struct cairn_annotator_args *args)
{
    static const struct line lines[] = {
        { "VmSize:", "vm.vma.size" },        { "VmPeak:", "vm.vma.peak" },
        { "VmRSS:", "vm.rss.size" },         { "VmHWM:", "vm.rss.peak" },
        { "RssAnon:", "vm.rss.anonymous" },  { "RssFile:", "vm.rss.file" },
        { "RssShmem:", "vm.rss.shared" },    { "VmData:", "vm.data.size" },
        { "VmStk:", "vm.stack.size" },       { "VmSwap:", "vm.swap.size" },
        { "VmLck:", "vm.locked.size" },      { "VmPTE:", "vm.pte.size" },
        { "HugetlbPages:", "vm.huge.size" },
    };

    return add_lines(args->host, proc_file(args->host, args->report, "status"), lines, COUNT(lines),
                     1024);
}

/* ---- Files of the machine ---- */

/* The file's text, or NULL. */
static const char *read_file(int folder, const char *name, char text[FILE_BYTES])
{
    return fd_read_text(folder, name, O_NOFOLLOW, text, FILE_BYTES) == 0 ? text : NULL;
}

static int add_system(const struct cairn_host *host)
{
    static const struct line lines[] = {
        { "MemTotal:", "system.memory.total" },
        { "MemFree:", "system.memory.free" },
        { "MemAvailable:", "system.memory.available" },
        { "SwapTotal:", "system.memory.swap.total" },
        { "SwapFree:", "system.memory.swap.free" },
        { "CommitLimit:", "system.memory.commit.limit" },
        { "Committed_AS:", "system.memory.commit.size" },
        { "Slab:", "system.memory.slab" },
        { "Dirty:", "system.memory.dirty" },
    };
    char text[FILE_BYTES];

    return add_lines(host, read_file(AT_FDCWD, "/proc/meminfo", text), lines, COUNT(lines), 1024);
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0": the share of time in percent during which some,
 * or all, tasks waited for memory. */
static int add_pressure_line(const struct cairn_host *host, const char *text, const char *key,
                             const char *prefix)
{
    static const char *const spans[] = { "avg10=", "avg60=", "avg300=" };
    const char *line = proc_line(text, key);
    char name[64];
    double share;
    int status = 0;

    for (size_t i = 0; line != NULL && i < COUNT(spans); i++) {
        size_t length = strlen(spans[i]);
        const char *place = memmem(line, strcspn(line, "\n"), spans[i], length);

        if (place != NULL && sscanf(place + length, "%lf", &share) == 1) {
            snprintf(name, sizeof(name), "%s.%.*s", prefix, (int)length - 1, spans[i]);
            status |= host->set_double(host, name, share);
        }
    }
    return status;
}

/* A kernel without pressure information, or one in which it is switched off, has no such file. */
static int add_pressure(const struct cairn_host *host)
{
    char text[FILE_BYTES];
    const char *lines = read_file(AT_FDCWD, "/proc/pressure/memory", text);

    return lines == NULL ? 0
                         : add_pressure_line(host, lines, "some", "memory.pressure.some") |
                               add_pressure_line(host, lines, "full", "memory.pressure.full");
}

/* ---- The control group ---- */

/* Opens <root><path>, component by component without following links: the path comes from a report.
 * -1 when it is not there. */
static int open_group(const char *root, const char *path, size_t bytes)
{
    char copy[PATH_BYTES], *rest = copy, *part;
    int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (bytes >= sizeof(copy)) {
        bytes = 0; /* the root alone */
    }
    memcpy(copy, path, bytes);
    copy[bytes] = '\0';
    while (folder >= 0 && (part = strsep(&rest, "/")) != NULL) {
        int next = -1;

        if (part[0] == '\0') {
            continue;
        }
        if (strcmp(part, "..") != 0) {
            next = openat(folder, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        }
        close(folder);
        folder = next;
    }
    return folder;
}

/* A file with one number; "max" and what version 1 writes for it, about 2^63, are no limit. */
static int add_group_file(const struct cairn_host *host, int folder, const char *file,
                          const char *attribute)
{
    char text[FILE_BYTES];
    const char *value = read_file(folder, file, text);
    uint64_t number;

    if (value == NULL || *value < '0' || *value > '9' || sscanf(value, "%" SCNu64, &number) != 1 ||
        number >= (uint64_t)INT64_MAX / 4096 * 4096) {
        return 0;
    }
    return host->set_integer(host, attribute, (int64_t)number);
}

static int add_group_2(const struct cairn_host *host, int folder)
{
    static const struct line files[] = {
        { "memory.max", "cgroup.memory.limit" },    { "memory.high", "cgroup.memory.high" },
        { "memory.current", "cgroup.memory.size" }, { "memory.peak", "cgroup.memory.peak" },
        { "memory.swap.max", "cgroup.swap.limit" }, { "memory.swap.current", "cgroup.swap.size" },
    };
    static const struct line events[] = {
        { "max ", "cgroup.memory.events.max" },
        { "oom ", "cgroup.memory.events.oom" },
        { "oom_kill ", "cgroup.memory.events.oom_kill" },
    };
    char text[FILE_BYTES];
    int status = 0;

    for (size_t i = 0; i < COUNT(files); i++) {
        status |= add_group_file(host, folder, files[i].key, files[i].attribute);
    }
    return status |
           add_lines(host, read_file(folder, "memory.events", text), events, COUNT(events), 1);
}

static int add_group_1(const struct cairn_host *host, int folder)
{
    static const struct line files[] = {
        { "memory.limit_in_bytes", "cgroup.memory.limit" },
        { "memory.usage_in_bytes", "cgroup.memory.size" },
        { "memory.max_usage_in_bytes", "cgroup.memory.peak" },
    };
    int status = 0;

    for (size_t i = 0; i < COUNT(files); i++) {
        status |= add_group_file(host, folder, files[i].key, files[i].attribute);
    }
    return status;
}

/* The path of version 1's memory controller: "4:memory:/x", or "5:cpu,memory:/x". */
static const char *memory_path(const char *text)
{
    while (text != NULL && *text != '\0') {
        size_t bytes = strcspn(text, "\n");
        const char *names = memchr(text, ':', bytes);
        const char *path =
            names != NULL ? memchr(names + 1, ':', bytes - (size_t)(names + 1 - text)) : NULL;
        const char *found =
            path != NULL ? memmem(names, (size_t)(path + 1 - names), "memory", 6) : NULL;

        if (found != NULL && (found[-1] == ':' || found[-1] == ',') &&
            (found[6] == ':' || found[6] == ',')) {
            return path + 1;
        }
        text += bytes + (text[bytes] == '\n');
    }
    return NULL;
}

static int add_group(const struct cairn_annotator_args *args)
{
    const char *text = proc_file(args->host, args->report, "cgroup");
    const char *path = memory_path(text);
    int old = path != NULL, folder, status = 0;

    path = old ? path : proc_line(text, "0::");
    if (path == NULL) {
        return 0;
    }
    folder =
        open_group(old ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup", path, strcspn(path, "\n"));
    if (folder >= 0) {
        status = old ? add_group_1(args->host, folder) : add_group_2(args->host, folder);
        close(folder);
    }
    return status;
}

/* ---- The kernel's choice when memory runs out ---- */

static int add_oom(const struct cairn_annotator_args *args)
{
    static const struct line files[] = {
        { "oom_score", "process.oom.score" },
        { "oom_score_adj", "process.oom.adjustment" },
    };
    int status = 0;

    for (size_t i = 0; i < COUNT(files); i++) {
        const char *text = proc_file(args->host, args->report, files[i].key);
        int number;

        if (text != NULL && sscanf(text, "%5d", &number) == 1) {
            status |= args->host->set_integer(args->host, files[i].attribute, number);
        }
    }
    return status;
}

/* The engine of a dump that was imported runs anywhere. */
static int is_from_here(const struct cairn_annotator_args *args)
{
    struct cairn_value tier;

    return args->host->get(args->host, args->report, "tier", &tier) &&
           tier.type == CAIRN_VALUE_INTEGER && tier.integer > 0;
}

static unsigned included(const struct config *config)
{
    const int32_t *items = config->include.items;
    unsigned set = config->include.count == 0 ? ~0u : 0;

    for (size_t i = 0; i < config->include.count; i++) {
        set |= 1u << items[i];
    }
    return set;
}

static int annotate(void *context, struct cairn_annotator_args *args)
{
    unsigned set = included(context);
    int status = 0;

    status |= set & 1u << INCLUDE_PROCESS ? add_process(args) : 0;
    status |= set & 1u << INCLUDE_OOM ? add_oom(args) : 0;
    if (is_from_here(args)) {
        status |= set & 1u << INCLUDE_CGROUP ? add_group(args) : 0;
        status |= set & 1u << INCLUDE_SYSTEM ? add_system(args->host) : 0;
        status |= set & 1u << INCLUDE_PRESSURE ? add_pressure(args->host) : 0;
    }
    return status == 0
               ? CAIRN_PLUGIN_OK
               : args->host->fail(args->host, "Not every attribute of memory could be set.");
}

static const struct cairn_annotator_ops ops = {
    .size = sizeof(ops),
    .create = create,
    .annotate = annotate,
};

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_ANNOTATOR),
    .name = "memory",
    .version = "1.0.0",
    .summary = "Adds how scarce memory was for the process, its control group and the machine.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_ANNOTATOR, "memory");
