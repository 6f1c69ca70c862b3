/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cairn's own keys: the names of the kinds and of their sections, and the tables of the sections
 * application, engine and consent, and of every instance. Those are read like a plugin's, and the
 * schema for editors is printed from them. Every process but the crashed one.
 */
#include "core/config/internal.h"

#include <stddef.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#define SECOND 1000000ull

static const char *const kinds[] = { "", "filter", "annotator", "writer", "hook", "transport" };
static const char *const sections[] = { "",        "filters", "annotators",
                                        "writers", "hooks",   "transports" };

const char *config_kind(enum cairn_kind kind)
{
    return (size_t)kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[kind] : "";
}

const char *config_section(enum cairn_kind kind)
{
    return (size_t)kind < sizeof(sections) / sizeof(sections[0]) ? sections[kind] : "";
}

const char *const config_common_keys[] = { "plugin",       "timeout", "on_error", "memory_limit",
                                           "output_limit", "network", NULL };

bool config_is_common_key(const char *key)
{
    for (const char *const *common = config_common_keys; *common != NULL; common++) {
        if (key != NULL && strcmp(*common, key) == 0) {
            return true;
        }
    }
    return false;
}

const struct cairn_option config_application_options[] = {
    { .name = "name",
      .help = "The program's name in reports; default: base name of the executable.",
      .type = CAIRN_OPTION_STRING,
      .offset = offsetof(struct config, application) },
    { .name = "version",
      .help = "The program's version in reports.",
      .type = CAIRN_OPTION_STRING,
      .offset = offsetof(struct config, version) },
    { .name = NULL },
};

/* By the bits of enum config_death. */
static const char *const deaths[] = { "killed", "signalled", "exit", "unknown", NULL };
static const char *const children[] = { "ignore", "fork", "all", NULL };

const struct cairn_option config_engine_options[] = {
    { .name = "spool",
      .help = "Where reports lie, in a folder per application.",
      .type = CAIRN_OPTION_PATH,
      .offset = offsetof(struct config_engine_keys, spool) },
    { .name = "signals",
      .help = "The signals that are reported.",
      .type = CAIRN_OPTION_SIGNAL,
      .flags = CAIRN_OPTION_LIST,
      .offset = offsetof(struct config_engine_keys, signals) },
    { .name = "deaths",
      .help = "The ends without a crash that are reported; default: killed and unknown.",
      .type = CAIRN_OPTION_ENUM,
      .flags = CAIRN_OPTION_LIST,
      .offset = offsetof(struct config_engine_keys, deaths),
      .choices = deaths },
    { .name = "children",
      .help = "Which children of the program are reported, too: none, those of fork(), or also "
              "what it starts under cairn run.",
      .type = CAIRN_OPTION_ENUM,
      .offset = offsetof(struct config_engine_keys, children),
      .default_text = "fork",
      .choices = children },
    { .name = NULL },
};

const struct cairn_option config_limits_options[] = {
    { .name = "reports",
      .help = "The number of reports that one application keeps.",
      .type = CAIRN_OPTION_INTEGER,
      .offset = offsetof(struct config_limits, reports),
      .default_text = "50",
      .min = 1,
      .max = 100000 },
    { .name = "total",
      .help = "The size of all reports of one application.",
      .type = CAIRN_OPTION_SIZE,
      .offset = offsetof(struct config_limits, total_bytes),
      .default_text = "512MiB",
      .min = 1 << 20,
      .max = 1ll << 50 },
    { .name = "report",
      .help = "The size of one report.",
      .type = CAIRN_OPTION_SIZE,
      .offset = offsetof(struct config_limits, report_bytes),
      .default_text = "64MiB",
      .min = 1 << 18,
      .max = 1ll << 50 },
    { .name = "free",
      .help = "Free space that must stay on the disk.",
      .type = CAIRN_OPTION_SIZE,
      .offset = offsetof(struct config_limits, free_bytes),
      .default_text = "1GiB" },
    { .name = "engines",
      .help = "Reports of one spool that are worked on at the same time; default two for each "
              "processor.",
      .type = CAIRN_OPTION_INTEGER,
      .offset = offsetof(struct config_limits, engines),
      .min = 1,
      .max = 1024 },
    { .name = NULL },
};

const struct cairn_option config_clocks_options[] = {
    { .name = "claim",
      .help = "Within this time the monitor must have taken the crash.",
      .type = CAIRN_OPTION_DURATION,
      .offset = offsetof(struct config, claim_us),
      .default_text = "1s",
      .min = SECOND / 100,
      .max = 60 * SECOND },
    { .name = "hold",
      .help = "The crashed program is held no longer than this.",
      .type = CAIRN_OPTION_DURATION,
      .offset = offsetof(struct config, hold_us),
      .default_text = "5s",
      .min = SECOND / 100,
      .max = 600 * SECOND },
    { .name = "pipeline",
      .help = "Filters, annotators, writers and hooks together take no longer than this.",
      .type = CAIRN_OPTION_DURATION,
      .offset = offsetof(struct config, pipeline_us),
      .default_text = "20s",
      .min = SECOND / 10,
      .max = 3600 * SECOND },
    { .name = NULL },
};

static const char *const consents[] = { "implied", "required", NULL };

const struct cairn_option config_consent_options[] = {
    { .name = "disk",
      .help = "Whether reports are kept before somebody has answered: implied, or required.",
      .type = CAIRN_OPTION_ENUM,
      .offset = offsetof(struct config, disk_consent),
      .default_text = "implied",
      .choices = consents },
    { .name = "network",
      .help = "Whether transports use the network before somebody has answered.",
      .type = CAIRN_OPTION_ENUM,
      .offset = offsetof(struct config, network_consent),
      .default_text = "implied",
      .choices = consents },
    { .name = NULL },
};

static const char *const reactions[] = { "note", "drop", NULL };

const struct cairn_option config_common_options[] = {
    { .name = "plugin",
      .help = "The plugin's name.",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_REQUIRED,
      .offset = offsetof(struct config_common_keys, plugin) },
    { .name = "timeout",
      .help = "Of one call of the plugin; default 5s, for transports 60s.",
      .type = CAIRN_OPTION_DURATION,
      .offset = offsetof(struct config_common_keys, timeout),
      .min = SECOND / 100,
      .max = 3600 * SECOND },
    { .name = "memory_limit",
      .help = "Memory that the process that runs the plugin may use.",
      .type = CAIRN_OPTION_SIZE,
      .offset = offsetof(struct config_common_keys, memory_limit),
      .default_text = "512MiB",
      .min = 1 << 24,
      .max = 1ll << 50 },
    { .name = "output_limit",
      .help = "What the plugin may write, or add to the report.",
      .type = CAIRN_OPTION_SIZE,
      .offset = offsetof(struct config_common_keys, output_limit),
      .default_text = "64MiB",
      .min = 1 << 10,
      .max = 1ll << 50 },
    { .name = "on_error",
      .help = "What a failure of the plugin does: note it in the report, or drop the report.",
      .type = CAIRN_OPTION_ENUM,
      .offset = offsetof(struct config_common_keys, on_error),
      .default_text = "note",
      .choices = reactions },
    { .name = "network",
      .help = "Whether the plugin gets the network that it declares.",
      .type = CAIRN_OPTION_BOOL,
      .offset = offsetof(struct config_common_keys, network),
      .default_text = "true" },
    { .name = NULL },
};

const struct cairn_option *config_own_option(const char *path, const char **ret_map)
{
    static const struct {
        const char *prefix, *map;
        const struct cairn_option *options;
    } maps[] = {
        { "engine.limits.", "limits", config_limits_options },
        { "engine.clocks.", "clocks", config_clocks_options },
    };

    for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
        size_t length = strlen(maps[i].prefix);

        if (strncmp(path, maps[i].prefix, length) != 0) {
            continue;
        }
        for (const struct cairn_option *o = maps[i].options; o->name != NULL; o++) {
            if (strcmp(o->name, path + length) == 0) {
                *ret_map = maps[i].map;
                return o;
            }
        }
    }
    return NULL;
}

/* As in config_pattern_fits(), a "*" stays within its part: that is what fnmatch() does with paths.
 */
static bool fits(const char *pattern, const char *prefix, const char *name)
{
    char paths[2][256];

    if (strlen(pattern) >= sizeof(paths[0])) {
        return false;
    }
    snprintf(paths[0], sizeof(paths[0]), "%s", pattern);
    snprintf(paths[1], sizeof(paths[1]), "%s%s", prefix, name);
    for (size_t i = 0; i < 2; i++) {
        for (char *dot = strchr(paths[i], '.'); dot != NULL; dot = strchr(dot, '.')) {
            *dot = '/';
        }
    }
    return fnmatch(paths[0], paths[1], FNM_PATHNAME) == 0;
}

static bool fits_option(const char *pattern)
{
    static const struct {
        const char *prefix;
        const struct cairn_option *options;
    } tables[] = {
        { "application.", config_application_options }, { "engine.", config_engine_options },
        { "engine.limits.", config_limits_options },    { "engine.clocks.", config_clocks_options },
        { "consent.", config_consent_options },
    };

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        for (const struct cairn_option *o = tables[i].options; o->name != NULL; o++) {
            if (fits(pattern, tables[i].prefix, o->name)) {
                return true;
            }
        }
    }
    return fits(pattern, "engine.", "limits") || fits(pattern, "engine.", "clocks");
}

/* Sections in which instances and pipelines have any names, and options of the plugins. */
static bool has_names(const char *section)
{
    for (enum cairn_kind kind = CAIRN_KIND_FILTER; kind <= CAIRN_KIND_TRANSPORT; kind++) {
        if (strcmp(section, config_section(kind)) == 0) {
            return true;
        }
    }
    return strcmp(section, "pipelines") == 0;
}

bool config_own_fits(const char *pattern)
{
    const char *rest = strchr(pattern, '.');
    char first[64];

    snprintf(first, sizeof(first), "%.*s",
             (int)(rest != NULL ? (size_t)(rest - pattern) : strlen(pattern)), pattern);
    for (const char *const *key = config_top_keys; *key != NULL; key++) {
        if ((rest == NULL || has_names(*key)) && fits(first, "", *key)) {
            return true;
        }
    }
    return fits_option(pattern);
}
