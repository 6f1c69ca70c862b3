/* SPDX-License-Identifier: Apache-2.0 */
/*
 * annotator/process: facts of the crashed process from the files of /proc that were captured while
 * it was held: age, threads, memory, limits, control group; working directory, command line and
 * chosen environment variables only when asked for. Those files are the process's own and hostile.
 * Runs in a step of the engine.
 */
#include "plugins/common/proc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TEXT 4096 /* of one attribute made from a process file */

enum include {
    INCLUDE_AGE,
    INCLUDE_THREADS,
    INCLUDE_MEMORY,
    INCLUDE_LIMITS,
    INCLUDE_CGROUP,
    INCLUDE_CWD
};

#define INCLUDE_DEFAULT                                                                            \
    (1u << INCLUDE_AGE | 1u << INCLUDE_THREADS | 1u << INCLUDE_MEMORY | 1u << INCLUDE_LIMITS |     \
     1u << INCLUDE_CGROUP)

struct config {
    struct cairn_list include; /* of int32_t, enum include */
    int32_t command_line;
    struct cairn_list environment; /* of const char * */
};

static const char *const includes[] = {
    "age", "threads", "memory", "limits", "cgroup", "cwd", NULL
};

static const struct cairn_option options[] = {
    { .name = "include",
      .type = CAIRN_OPTION_ENUM,
      .flags = CAIRN_OPTION_LIST,
      .offset = offsetof(struct config, include),
      .choices = includes,
      .help = "What to add; without it all but cwd, which may hold a user's name." },
    { .name = "command_line",
      .type = CAIRN_OPTION_BOOL,
      .offset = offsetof(struct config, command_line),
      .default_text = "false",
      .capture = "command-line",
      .help = "Add the command line, which may hold secrets." },
    { .name = "environment",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_LIST,
      .offset = offsetof(struct config, environment),
      .capture = "environment",
      .help = "Add these environment variables, each as environment.NAME." },
    { .name = NULL },
};

static int check(const struct cairn_host *host, const void *options_)
{
    const struct config *config = options_;
    const char *const *names = config->environment.items;
    int status = CAIRN_PLUGIN_OK;

    for (size_t i = 0; i < config->environment.count; i++) {
        size_t length = strlen(names[i]);

        if (length == 0 || length > 100 ||
            strspn(names[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") !=
                length) {
            status =
                host->problem(host, "environment",
                              "\"%.120s\" is not a variable's name of A-Z a-z 0-9 _", names[i]);
        }
    }
    return status;
}

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

/* Copies up to a line's end, at most MAX_TEXT - 1 bytes. */
static void copy_line(char target[MAX_TEXT], const char *source)
{
    size_t length = strcspn(source, "\n");

    length = length < MAX_TEXT ? length : MAX_TEXT - 1;
    memcpy(target, source, length);
    target[length] = '\0';
}

static int add_age(const struct cairn_annotator_args *args)
{
    int64_t age;

    return proc_age(args->host, args->report, &age) == 0
               ? args->host->set_integer(args->host, "process.age", age / 1000000)
               : 0;
}

static int add_status(const struct cairn_annotator_args *args, const char *key, uint64_t factor,
                      const char *attribute)
{
    const char *value = proc_line(proc_file(args->host, args->report, "status"), key);
    uint64_t number;

    if (value == NULL || sscanf(value, "%" SCNu64, &number) != 1 || number > INT64_MAX / factor) {
        return 0;
    }
    return args->host->set_integer(args->host, attribute, (int64_t)(number * factor));
}

static int add_memory(const struct cairn_annotator_args *args)
{
    return add_status(args, "VmRSS:", 1024, "vm.rss.size") |
           add_status(args, "VmHWM:", 1024, "vm.rss.peak") |
           add_status(args, "VmSize:", 1024, "vm.vma.size") |
           add_status(args, "VmPeak:", 1024, "vm.vma.peak") |
           add_status(args, "VmSwap:", 1024, "vm.swap.size");
}

/* The soft limits that explain crashes, as the kernel prints them: a number or "unlimited". */
static int add_limits(const struct cairn_annotator_args *args)
{
    static const struct {
        const char *line, *attribute;
    } limits[] = {
        { "Max stack size ", "process.limit.stack" },
        { "Max address space ", "process.limit.address_space" },
        { "Max data size ", "process.limit.data" },
        { "Max locked memory ", "process.limit.locked_memory" },
        { "Max open files ", "process.limit.open_files" },
        { "Max processes ", "process.limit.processes" },
        { "Max cpu time ", "process.limit.cpu_time" },
        { "Max file size ", "process.limit.file_size" },
    };
    const char *text = proc_file(args->host, args->report, "limits");
    char soft[32];
    int status = 0;

    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        const char *value = proc_line(text, limits[i].line);

        if (value != NULL && sscanf(value, "%31[a-z0-9]", soft) == 1) {
            status |= args->host->set_string(args->host, limits[i].attribute, soft);
        }
    }
    return status;
}

/* The path in the unified hierarchy ("0::/…"); with only old hierarchies the file's first line. */
static int add_cgroup(const struct cairn_annotator_args *args)
{
    const char *text = proc_file(args->host, args->report, "cgroup");
    const char *path = proc_line(text, "0::");
    char line[MAX_TEXT];

    if (text == NULL || text[0] == '\0') {
        return 0;
    }
    copy_line(line, path != NULL ? path : text);
    return args->host->set_string(args->host, "process.cgroup", line);
}

static int add_cwd(const struct cairn_annotator_args *args)
{
    const char *cwd = proc_file(args->host, args->report, "cwd");

    return cwd != NULL ? args->host->set_string(args->host, "process.cwd", cwd) : 0;
}

/* Arguments joined by blanks. The file separates them by NUL. */
static int add_command_line(const struct cairn_annotator_args *args)
{
    const char *text;
    size_t bytes;
    char line[MAX_TEXT];

    if (!args->host->process_file(args->host, args->report, "cmdline", &text, &bytes)) {
        return 0;
    }
    while (bytes > 0 && text[bytes - 1] == '\0') {
        bytes--;
    }
    bytes = bytes < sizeof(line) ? bytes : sizeof(line) - 1;
    for (size_t i = 0; i < bytes; i++) {
        line[i] = text[i] != '\0' ? text[i] : ' ';
    }
    line[bytes] = '\0';
    return args->host->set_string(args->host, "process.command_line", line);
}

static int add_variable(const struct cairn_annotator_args *args, const char *environ_, size_t bytes,
                        const char *name)
{
    size_t length = strlen(name), entry;
    char attribute[128];

    for (size_t place = 0; place < bytes; place += entry + 1) {
        entry = strnlen(environ_ + place, bytes - place);
        if (entry > length && memcmp(environ_ + place, name, length) == 0 &&
            environ_[place + length] == '=') {
            char *value = strndup(environ_ + place + length + 1, entry - length - 1);
            int status;

            snprintf(attribute, sizeof(attribute), "environment.%s", name);
            status = value != NULL ? args->host->set_string(args->host, attribute, value)
                                   : CAIRN_PLUGIN_FAILED;
            free(value);
            return status;
        }
    }
    return 0;
}

static int add_environment(const struct cairn_annotator_args *args, const struct config *config)
{
    const char *const *names = config->environment.items;
    const char *environ_;
    size_t bytes;
    int status = 0;

    if (config->environment.count == 0 ||
        !args->host->process_file(args->host, args->report, "environ", &environ_, &bytes)) {
        return 0;
    }
    for (size_t i = 0; i < config->environment.count; i++) {
        status |= add_variable(args, environ_, bytes, names[i]);
    }
    return status;
}

static unsigned included(const struct config *config)
{
    const int32_t *items = config->include.items;
    unsigned set = config->include.count == 0 ? INCLUDE_DEFAULT : 0;

    for (size_t i = 0; i < config->include.count; i++) {
        set |= 1u << items[i];
    }
    return set;
}

static int annotate(void *context, struct cairn_annotator_args *args)
{
    const struct config *config = context;
    unsigned set = included(config);
    int status = 0;

    status |= set & 1u << INCLUDE_AGE ? add_age(args) : 0;
    status |=
        set & 1u << INCLUDE_THREADS ? add_status(args, "Threads:", 1, "process.thread.count") : 0;
    status |= set & 1u << INCLUDE_MEMORY ? add_memory(args) : 0;
    status |= set & 1u << INCLUDE_LIMITS ? add_limits(args) : 0;
    status |= set & 1u << INCLUDE_CGROUP ? add_cgroup(args) : 0;
    status |= set & 1u << INCLUDE_CWD ? add_cwd(args) : 0;
    status |= config->command_line ? add_command_line(args) : 0;
    status |= add_environment(args, config);
    if (status != 0) {
        return args->host->fail(args->host, "Not every attribute of the process could be set.");
    }
    return CAIRN_PLUGIN_OK;
}

static const struct cairn_annotator_ops ops = {
    .size = sizeof(ops),
    .check = check,
    .create = create,
    .annotate = annotate,
};

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_ANNOTATOR),
    .capabilities = CAIRN_CAP_PERSONAL_DATA,
    .name = "process",
    .version = "1.0.0",
    .summary = "Adds facts of the crashed process: age, threads, memory, limits, control group.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_ANNOTATOR, "process");
