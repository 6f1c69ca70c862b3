/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin tables of the tests of core/config; see check_config.h. */
#include "tests/engine/check_config.h"

#include <stddef.h>
#include <string.h>

#define END                                                                                        \
    {                                                                                              \
        .name = NULL                                                                               \
    }
#define HOUR       3600000000ll
#define AT(member) offsetof(struct everything, member)

static const char *const modes[] = { "stacks", "referenced", "full", NULL };
static const char *const keys[] = { "signature", "application", NULL };
static const char *const no_choices[] = { NULL };

static const struct cairn_option everything[] = {
    { .name = "string", .type = CAIRN_OPTION_STRING, .offset = AT(string) },
    { .name = "flag", .type = CAIRN_OPTION_BOOL, .offset = AT(flag), .default_text = "true" },
    { .name = "mode",
      .type = CAIRN_OPTION_ENUM,
      .offset = AT(mode),
      .choices = modes,
      .default_text = "referenced" },
    { .name = "integer", .type = CAIRN_OPTION_INTEGER, .offset = AT(integer) },
    { .name = "number", .type = CAIRN_OPTION_DOUBLE, .offset = AT(number) },
    { .name = "size", .type = CAIRN_OPTION_SIZE, .offset = AT(size), .default_text = "4KiB" },
    { .name = "duration", .type = CAIRN_OPTION_DURATION, .offset = AT(duration) },
    { .name = "path", .type = CAIRN_OPTION_PATH, .offset = AT(path) },
    { .name = "secret", .type = CAIRN_OPTION_SECRET, .offset = AT(secret) },
    { .name = "url", .type = CAIRN_OPTION_URL, .offset = AT(url) },
    { .name = "signal", .type = CAIRN_OPTION_SIGNAL, .offset = AT(signal) },
    { .name = "strings",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_LIST,
      .offset = AT(strings) },
    { .name = "flags", .type = CAIRN_OPTION_BOOL, .flags = CAIRN_OPTION_LIST, .offset = AT(flags) },
    { .name = "integers",
      .type = CAIRN_OPTION_INTEGER,
      .flags = CAIRN_OPTION_LIST,
      .offset = AT(integers) },
    { .name = "numbers",
      .type = CAIRN_OPTION_DOUBLE,
      .flags = CAIRN_OPTION_LIST,
      .offset = AT(numbers) },
    { .name = "sizes", .type = CAIRN_OPTION_SIZE, .flags = CAIRN_OPTION_LIST, .offset = AT(sizes) },
    { .name = "durations",
      .type = CAIRN_OPTION_DURATION,
      .flags = CAIRN_OPTION_LIST,
      .offset = AT(durations) },
    { .name = "modes",
      .type = CAIRN_OPTION_ENUM,
      .flags = CAIRN_OPTION_LIST,
      .offset = AT(modes),
      .choices = modes },
    { .name = "paths", .type = CAIRN_OPTION_PATH, .flags = CAIRN_OPTION_LIST, .offset = AT(paths) },
    { .name = "signals",
      .type = CAIRN_OPTION_SIGNAL,
      .flags = CAIRN_OPTION_LIST,
      .offset = AT(signals) },
    { .name = "values",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_MAP,
      .offset = AT(values) },
    { .name = "counts",
      .type = CAIRN_OPTION_INTEGER,
      .flags = CAIRN_OPTION_MAP,
      .offset = AT(counts) },
    END,
};

static const struct cairn_option signals[] = {
    { .name = "signals",
      .type = CAIRN_OPTION_SIGNAL,
      .flags = CAIRN_OPTION_LIST | CAIRN_OPTION_REQUIRED },
    END,
};

static const struct cairn_option ratelimit[] = {
    { .name = "max",
      .type = CAIRN_OPTION_INTEGER,
      .flags = CAIRN_OPTION_REQUIRED,
      .offset = 0,
      .min = 1,
      .max = 1000 },
    { .name = "per",
      .type = CAIRN_OPTION_DURATION,
      .offset = 8,
      .default_text = "1h",
      .min = 1000000,
      .max = 24 * HOUR },
    { .name = "by", .type = CAIRN_OPTION_ENUM, .offset = 16, .choices = keys },
    END,
};

static const struct cairn_option values[] = {
    { .name = "values",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_MAP | CAIRN_OPTION_REQUIRED },
    END,
};

static const struct cairn_option sampler[] = {
    { .name = "ratio", .type = CAIRN_OPTION_DOUBLE, .offset = 0 },
    { .name = "enabled", .type = CAIRN_OPTION_BOOL, .offset = 8 },
    { .name = "title", .type = CAIRN_OPTION_STRING, .offset = 16, .flags = CAIRN_OPTION_REQUIRED },
    END,
};

static const struct cairn_option minidump[] = {
    { .name = "memory", .type = CAIRN_OPTION_ENUM, .offset = 0, .choices = modes },
    { .name = "max_size", .type = CAIRN_OPTION_SIZE, .offset = 8, .min = 65536, .max = 1ll << 34 },
    END,
};

static const struct cairn_option command[] = {
    { .name = "command",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_LIST | CAIRN_OPTION_REQUIRED },
    { .name = "directory", .type = CAIRN_OPTION_PATH, .offset = 16 },
    END,
};

static const struct cairn_option http[] = {
    { .name = "url", .type = CAIRN_OPTION_URL, .flags = CAIRN_OPTION_REQUIRED, .offset = 0 },
    { .name = "token", .type = CAIRN_OPTION_SECRET, .offset = 8 },
    { .name = "retries", .type = CAIRN_OPTION_INTEGER, .offset = 16, .max = 10 },
    END,
};

/* ---- Tables that no host should trust ------------------------------------------------------ */

static const struct cairn_option outside[] = {
    { .name = "far", .type = CAIRN_OPTION_INTEGER, .offset = 0xfffffffc },
    END,
};
static const struct cairn_option edge[] = {
    { .name = "edge", .type = CAIRN_OPTION_STRING, .flags = CAIRN_OPTION_LIST, .offset = 32 },
    END,
};
static const struct cairn_option reserved[] = {
    { .name = "timeout", .type = CAIRN_OPTION_DURATION },
    END,
};
static const struct cairn_option shouting[] = {
    { .name = "Max Size", .type = CAIRN_OPTION_SIZE },
    END,
};
static const struct cairn_option untyped[] = { { .name = "x", .type = 99 }, END };
static const struct cairn_option unshaped[] = {
    { .name = "x", .type = CAIRN_OPTION_STRING, .flags = CAIRN_OPTION_LIST | CAIRN_OPTION_MAP },
    END,
};
static const struct cairn_option choiceless[] = {
    { .name = "x", .type = CAIRN_OPTION_ENUM, .choices = no_choices },
    END,
};
static const struct cairn_option twice[] = {
    { .name = "x", .type = CAIRN_OPTION_STRING },
    { .name = "x", .type = CAIRN_OPTION_STRING },
    END,
};
static const struct cairn_option list_default[] = {
    { .name = "x", .type = CAIRN_OPTION_STRING, .flags = CAIRN_OPTION_LIST, .default_text = "[a]" },
    END,
};
static const struct cairn_option upside_down[] = {
    { .name = "x", .type = CAIRN_OPTION_INTEGER, .min = 10, .max = 1 },
    END,
};
static const struct cairn_option bad_default[] = {
    { .name = "x", .type = CAIRN_OPTION_SIZE, .default_text = "12" },
    END,
};
#define X(n)                                                                                       \
    {                                                                                              \
        .name = "x" #n, .type = CAIRN_OPTION_BOOL                                                  \
    }
#define X8(n) X(n##0), X(n##1), X(n##2), X(n##3), X(n##4), X(n##5), X(n##6), X(n##7)
static const struct cairn_option crowded[] = {
    X8(0), X8(1), X8(2), X8(3), X8(4), X8(5), X8(6), X8(7), X(80), END,
};

static const struct {
    enum cairn_kind kind;
    const char *name;
    struct config_plugin_facts facts;
} plugins[] = {
    { CAIRN_KIND_FILTER, "everything", { everything, sizeof(struct everything) } },
    { CAIRN_KIND_FILTER, "signal", { signals, sizeof(struct cairn_list) } },
    { CAIRN_KIND_FILTER, "ratelimit", { ratelimit, 24 } },
    { CAIRN_KIND_ANNOTATOR, "static", { values, sizeof(struct cairn_map) } },
    { CAIRN_KIND_ANNOTATOR, "sampler", { sampler, 24 } },
    { CAIRN_KIND_ANNOTATOR, "plain", { NULL, 0 } },
    { CAIRN_KIND_WRITER, "minidump", { minidump, 16 } },
    { CAIRN_KIND_WRITER, "text", { NULL, 0 } },
    { CAIRN_KIND_HOOK, "exec", { command, 24 } },
    { CAIRN_KIND_TRANSPORT, "http", { http, 24 } },
    { CAIRN_KIND_FILTER, "outside", { outside, 24 } },
    { CAIRN_KIND_FILTER, "edge", { edge, 47 } },
    { CAIRN_KIND_FILTER, "reserved", { reserved, 24 } },
    { CAIRN_KIND_FILTER, "shouting", { shouting, 24 } },
    { CAIRN_KIND_FILTER, "untyped", { untyped, 24 } },
    { CAIRN_KIND_FILTER, "unshaped", { unshaped, 24 } },
    { CAIRN_KIND_FILTER, "choiceless", { choiceless, 24 } },
    { CAIRN_KIND_FILTER, "twice", { twice, 24 } },
    { CAIRN_KIND_FILTER, "list-default", { list_default, 24 } },
    { CAIRN_KIND_FILTER, "upside-down", { upside_down, 24 } },
    { CAIRN_KIND_FILTER, "bad-default", { bad_default, 24 } },
    { CAIRN_KIND_FILTER, "crowded", { crowded, 24 } },
    { CAIRN_KIND_FILTER, "huge", { NULL, 65537 } },
};

const struct config_plugin_facts *test_find_plugin(const struct config_instance *instance,
                                                   struct config_problems *problems, void *user)
{
    (void)user;
    for (size_t i = 0; i < sizeof(plugins) / sizeof(plugins[0]); i++) {
        if (plugins[i].kind == instance->kind && strcmp(plugins[i].name, instance->plugin) == 0) {
            return &plugins[i].facts;
        }
    }
    config_problem_add(problems, config_option_position(instance, "plugin"), "",
                       "there is no %s plugin \"%s\"", config_kind(instance->kind),
                       instance->plugin);
    return NULL;
}
