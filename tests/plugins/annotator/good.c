/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An annotator that is right: options of every type, every setter, what it sees of the report and
 * of its process. In a step's process.
 */
#define NAME        "good"
#define OPTIONS     options
#define CONFIG_SIZE sizeof(struct config)
#define CHECK       check
#define CREATE      create
#define DESTROY     destroy
#include <cairn/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct config {
    const char *text;
    int32_t flag, level, signal;
    int64_t number;
    double ratio;
    uint64_t size, pause;
    const char *path, *secret, *url;
    struct cairn_list list;
    struct cairn_map map;
};

static const char *const levels[] = { "low", "high", NULL };

#define AT(member) offsetof(struct config, member)

static const struct cairn_option options[] = {
    { .name = "text",
      .type = CAIRN_OPTION_STRING,
      .offset = AT(text),
      .default_text = "plain",
      .help = "A text." },
    { .name = "flag", .type = CAIRN_OPTION_BOOL, .offset = AT(flag), .help = "A switch." },
    { .name = "level",
      .type = CAIRN_OPTION_ENUM,
      .offset = AT(level),
      .choices = levels,
      .help = "One of two." },
    { .name = "signal", .type = CAIRN_OPTION_SIGNAL, .offset = AT(signal), .help = "A signal." },
    { .name = "number",
      .type = CAIRN_OPTION_INTEGER,
      .offset = AT(number),
      .min = -5,
      .max = 5,
      .default_text = "3",
      .help = "A number." },
    { .name = "ratio", .type = CAIRN_OPTION_DOUBLE, .offset = AT(ratio), .help = "A ratio." },
    { .name = "size", .type = CAIRN_OPTION_SIZE, .offset = AT(size), .help = "A size." },
    { .name = "pause", .type = CAIRN_OPTION_DURATION, .offset = AT(pause), .help = "A pause." },
    { .name = "path", .type = CAIRN_OPTION_PATH, .offset = AT(path), .help = "A path." },
    { .name = "secret", .type = CAIRN_OPTION_SECRET, .offset = AT(secret), .help = "A secret." },
    { .name = "url", .type = CAIRN_OPTION_URL, .offset = AT(url), .help = "A place." },
    { .name = "list",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_LIST,
      .offset = AT(list),
      .help = "Some texts." },
    { .name = "map",
      .type = CAIRN_OPTION_INTEGER,
      .flags = CAIRN_OPTION_MAP,
      .offset = AT(map),
      .help = "Some numbers by name." },
    { .name = NULL },
};

struct good {
    const struct config *config;
};

static int check(const struct cairn_host *host, const void *config);
static int create(const struct cairn_host *host, const void *config, void **ret_context);
static void destroy(void *context);

#include "tests/plugins/annotator.h"

CAIRN_PLUGIN_NOTE(CAIRN_KIND_ANNOTATOR, "good");

static int check(const struct cairn_host *host, const void *config)
{
    const struct config *c = config;

    return strcmp(c->text, "refused") == 0
               ? host->problem(host, "text", "\"%s\" is not wanted here.", c->text)
               : CAIRN_PLUGIN_OK;
}

static int create(const struct cairn_host *host, const void *config, void **ret_context)
{
    struct good *good = malloc(sizeof(*good));

    if (good == NULL) {
        return host->fail(host, "There is no memory.");
    }
    good->config = config;
    *ret_context = good;
    return CAIRN_PLUGIN_OK;
}

static void destroy(void *context)
{
    free(context);
}

static void annotate_options(const struct cairn_host *host, const struct config *config)
{
    host->set_string(host, "good.text", config->text);
    host->set_bool(host, "good.flag", config->flag);
    host->set_integer(host, "good.number", config->number);
    host->set_double(host, "good.ratio", config->ratio);
    host->set_integer(host, "good.size", (int64_t)config->size);
    host->set_integer(host, "good.list", (int64_t)config->list.count);
    if (config->map.count > 0) {
        host->set_integer(host, config->map.keys[0], ((const int64_t *)config->map.values)[0]);
    }
}

/* What the process may hold: its three standard descriptors, the records, the plugin. */
static void annotate_process(const struct cairn_host *host)
{
    int open_fds = 0;
    char folder[64];

    for (int fd = 0; fd < 256; fd++) {
        open_fds += lseek(fd, 0, SEEK_CUR) >= 0 || isatty(fd) != 0 || dup2(fd, fd) == fd;
    }
    host->set_integer(host, "process.descriptors", open_fds);
    host->set_string(host, "process.folder", getcwd(folder, sizeof(folder)) != NULL ? folder : "?");
    host->set_bool(host, "process.leader", getsid(0) == getpid());
    host->set_bool(host, "process.time", host->time_left(host) > 0);
}

static int annotate(void *context, struct cairn_annotator_args *args)
{
    const struct good *good = context;
    const struct cairn_host *host = args->host;
    struct cairn_value value;
    struct cairn_breadcrumb crumb = { .size = sizeof(crumb) };

    annotate_options(host, good->config);
    annotate_process(host);
    if (host->get(host, args->report, "application.name", &value)) {
        host->set_string(host, "seen.application", value.string);
    }
    if (host->breadcrumb_at(host, args->report, 0, &crumb)) {
        host->set_string(host, "seen.breadcrumb", crumb.message);
    }
    host->set_string(host, "seen.instance", host->instance(host));
    host->set_string(host, "twice", "first");
    host->set_string(host, "twice", "second\tand \x01 \xff");
    if (host->set_string(host, "not a name", "x") != CAIRN_PLUGIN_FAILED ||
        host->set_double(host, "nan", __builtin_nan("")) != CAIRN_PLUGIN_FAILED) {
        return host->fail(host, "The host took what it must not take.");
    }
    host->note(host, "The size is %llu.", (unsigned long long)good->config->size);
    return CAIRN_PLUGIN_OK;
}
