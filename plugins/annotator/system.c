/* SPDX-License-Identifier: Apache-2.0 */
/*
 * annotator/system: the machine and the system that the program crashed on, under the names that
 * Backtrace's index knows. Reads uname(2), os-release, /proc/cpuinfo and /proc/meminfo at report
 * time, so it keeps silent about minidumps that came from elsewhere. Runs in a step of the engine.
 */
#include <cairn/plugin.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

struct config {
    int32_t hostname;
};

static const struct cairn_option options[] = {
    { .name = "hostname",
      .type = CAIRN_OPTION_BOOL,
      .offset = offsetof(struct config, hostname),
      .default_text = "false",
      .help = "Add the machine's name, which may tell who owns it." },
    { .name = NULL },
};

/* A key of a small text file and the attribute that its value becomes. */
struct source {
    const char *key, *attribute;
};

static int set_text(const struct cairn_host *host, const char *name, const char *value)
{
    if (value[0] == '\0') {
        return 0;
    }
    return host->set_string(host, name, value);
}

static int add_uname(const struct cairn_host *host, int with_hostname)
{
    struct utsname name;
    int status = 0;

    if (uname(&name) != 0) {
        host->note(host, "The system's name could not be read: %s.", strerror(errno));
        return 0;
    }
    status |= set_text(host, "uname.sysname", name.sysname);
    status |= set_text(host, "uname.release", name.release);
    status |= set_text(host, "uname.version", name.version);
    status |= set_text(host, "uname.machine", name.machine);
    if (with_hostname) {
        status |= set_text(host, "hostname", name.nodename);
    }
    return status;
}

/* The value of NAME=value or NAME="value" in place: os-release(5) is shell syntax, but quotes and
 * backslashes are all of it that is used. */
static void unquote(char *text)
{
    char quote = text[0] == '"' || text[0] == '\'' ? text[0] : '\0';
    const char *from = quote != '\0' ? text + 1 : text;
    char *to = text;

    while (*from != '\0' && *from != '\n' && *from != quote) {
        if (*from == '\\' && from[1] != '\0') {
            from++;
        }
        *to++ = *from++;
    }
    *to = '\0';
}

static int add_os_release(const struct cairn_host *host)
{
    static const struct source sources[] = { { "ID=", "os.id" },
                                             { "VERSION_ID=", "os.version" },
                                             { "PRETTY_NAME=", "os.name" } };
    char line[512];
    FILE *file = fopen("/etc/os-release", "re");
    int status = 0;

    if (file == NULL) {
        file = fopen("/usr/lib/os-release", "re");
    }
    if (file == NULL) {
        return 0; /* optional by its own manual page */
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
            size_t key = strlen(sources[i].key);

            if (strncmp(line, sources[i].key, key) == 0) {
                unquote(line + key);
                status |= set_text(host, sources[i].attribute, line + key);
            }
        }
    }
    fclose(file);
    return status;
}

static int add_cpu(const struct cairn_host *host)
{
    static const char key[] = "model name";
    char line[512];
    FILE *file = fopen("/proc/cpuinfo", "re");
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    int status = count > 0 ? host->set_integer(host, "cpu.count", count) : 0;

    if (file == NULL) {
        host->note(host, "/proc/cpuinfo could not be opened: %s.", strerror(errno));
        return status;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        const char *colon = strchr(line, ':');

        if (strncmp(line, key, sizeof(key) - 1) == 0 && colon != NULL) {
            line[strcspn(line, "\n")] = '\0';
            status |= set_text(host, "cpu.brand", colon + 1 + strspn(colon + 1, " "));
            break;
        }
    }
    fclose(file);
    return status;
}

static int add_memory(const struct cairn_host *host)
{
    static const struct source sources[] = { { "MemTotal: %" SCNu64, "system.memory.total" },
                                             { "MemFree: %" SCNu64, "system.memory.free" },
                                             { "MemAvailable: %" SCNu64,
                                               "system.memory.available" } };
    char line[256];
    uint64_t kilobytes;
    FILE *file = fopen("/proc/meminfo", "re");
    int status = 0;

    if (file == NULL) {
        host->note(host, "/proc/meminfo could not be opened: %s.", strerror(errno));
        return 0;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
            if (sscanf(line, sources[i].key, &kilobytes) == 1 && kilobytes <= INT64_MAX / 1024) {
                status |= host->set_integer(host, sources[i].attribute, (int64_t)kilobytes * 1024);
            }
        }
    }
    fclose(file);
    return status;
}

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    (void)host;
    *ret_context = (void *)config; /* the options are all the state there is */
    return CAIRN_PLUGIN_OK;
}

static int annotate(void *context, struct cairn_annotator_args *args)
{
    const struct config *config = context;
    const struct cairn_host *host = args->host;
    struct cairn_value tier;

    if (host->get(host, args->report, "tier", &tier) && tier.type == CAIRN_VALUE_INTEGER &&
        tier.integer == 0) {
        return CAIRN_PLUGIN_UNSUPPORTED; /* not captured by Cairn: this may be another machine */
    }
    if ((add_uname(host, config->hostname) | add_os_release(host) | add_cpu(host) |
         add_memory(host)) != 0) {
        return host->fail(host, "Not every attribute of the system could be set.");
    }
    return CAIRN_PLUGIN_OK;
}

static const struct cairn_annotator_ops ops = {
    .size = sizeof(ops),
    .create = create,
    .annotate = annotate,
};

const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_ANNOTATOR),
    .capabilities = CAIRN_CAP_PERSONAL_DATA, /* the host's name, when asked for */
    .name = "system",
    .version = "1.0.0",
    .summary = "Adds facts of the machine: system, distribution, processor, memory.",
    .options = options,
    .option_size = sizeof(struct cairn_option),
    .config_size = sizeof(struct config),
    .ops = &ops,
};

CAIRN_PLUGIN_NOTE(CAIRN_KIND_ANNOTATOR, "system");
