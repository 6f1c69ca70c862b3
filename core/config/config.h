/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration: parsed, substituted, checked, and its plugin options typed. Used by the engine,
 * the sender and the tools. The keys are those of doc/configuration.md.
 */
#ifndef CAIRN_CORE_CONFIG_CONFIG_H
#define CAIRN_CORE_CONFIG_CONFIG_H

#include "core/config/problem.h"
#include "core/config/tree.h"
#include "core/util/error.h"

#include <cairn/plugin.h>
#include <stdbool.h>
#include <stdint.h>

/* What the configuration must know of a plugin to check its options. Filled by core/plugin. */
struct config_plugin_facts {
    const struct cairn_option *options; /* ended by a NULL name */
    size_t config_size;
};

/* One entry of filters:, annotators:, writers:, hooks:, transports:. */
struct config_instance {
    enum cairn_kind kind;
    char *id;
    char *plugin;                   /* the plugin's name */
    const struct config_node *node; /* its map */
    uint64_t timeout_us;
    uint64_t memory_bytes; /* limit of the step */
    uint64_t output_bytes; /* what it may add to the report or write */
    bool drop_on_error;    /* on_error: drop */
    bool no_network;       /* network: false */
    void *options;         /* the plugin's configuration structure; NULL before config_bind() */
    size_t options_bytes;
    uint64_t options_set;             /* bit i: option i of the table stands in the file */
    const struct cairn_option *table; /* borrowed from the facts */
};

/* A pipeline: indexes into config.instances, in order, per kind. */
struct config_stage {
    size_t *instances;
    size_t count;
};

struct config_match {
    char **executables; /* glob patterns; an empty list matches all */
    size_t executable_count;
    char **users;
    size_t user_count;
    char **applications;
    size_t application_count;
};

struct config_pipeline {
    char *id;
    struct config_match match;
    struct config_stage stages[6]; /* by enum cairn_kind */
    struct config_position position;
};

/* The ways to end that no handler sees, see doc/configuration.md. */
enum config_death {
    CONFIG_DEATH_KILLED = 1u << 0,
    CONFIG_DEATH_SIGNALLED = 1u << 1,
    CONFIG_DEATH_EXIT = 1u << 2,
    CONFIG_DEATH_UNKNOWN = 1u << 3,
};

struct config_limits {
    uint64_t reports, total_bytes, report_bytes, free_bytes;
    uint64_t engines; /* 0: two for each processor */
};

/* engine.children, in the order of its choices. */
enum config_children { CONFIG_CHILDREN_IGNORE, CONFIG_CHILDREN_FORK, CONFIG_CHILDREN_ALL };

/* What it means that nobody has answered, see core/report/consent.h. */
enum config_consent { CONFIG_CONSENT_IMPLIED = 0, CONFIG_CONSENT_REQUIRED = 1 };

struct config {
    char *name;         /* the file as messages call it */
    const char *source; /* the text of that file */
    size_t source_bytes;
    bool layered;      /* more than that file counts: what config_text() prints is another text */
    char *application; /* NULL: base name of the executable */
    char *version;     /* NULL: none given */
    char *spool;       /* absolute */
    uint64_t signals;  /* bit n-1 = signal n */
    unsigned deaths;   /* bits of enum config_death */
    uint64_t claim_us, hold_us, pipeline_us;
    enum config_children children;
    struct config_limits limits;
    int32_t disk_consent, network_consent; /* enum config_consent */
    struct config_instance *instances;
    size_t instance_count;
    struct config_pipeline *pipelines;
    size_t pipeline_count;
    struct config_node *root;
    void *arena; /* private: what typed options point to */
};

/* Reads and checks all but the plugins' options. `path` NULL: read `fd` and call it `name`.
 * Relative paths in it start at the folder of `path`, or of `name` where that is absolute.
 * 0; CAIRN_ECONFIG with problems; or CAIRN_ENOENT, ESYSTEM, ENOMEM, also as a problem. Warnings
 * (problems that are no errors) leave it 0. `ret_config` is set whenever the text could be read, so
 * that its source can be shown with the problems; the caller destroys it in either case. */
int config_load(const char *path, int fd, const char *name, struct config **ret_config,
                struct config_problems *problems);

/* What a configuration is asked for with. */
struct config_request {
    const char *path; /* the program's file; NULL: `fd` */
    int fd;           /* the program's text; -1: neither, so the installed configuration is meant */
    const char *name; /* what messages call the text */
    bool is_copy; /* the text stands by itself, as what config_text() made of all layers: none is
                     added, and of the policy only allow_plugins counts */
};

/* The same as config_load() with all layers and the policy, see doc/configuration.md. Naming the
 * installed file means the installed configuration with all that belongs to it. */
int config_load_layers(const struct config_request *request, struct config **ret_config,
                       struct config_problems *problems);

/* Types every instance's options by its plugin's table. `find` answers the plugin's facts, or NULL
 * after having added its own problem (unknown plugin, wrong kind or ABI, unsafe file). It may
 * follow a load that found problems, so that all of them come at once; an instance without a usable
 * plugin name ("") is not asked for. */
typedef const struct config_plugin_facts *config_find_fn(const struct config_instance *instance,
                                                         struct config_problems *problems,
                                                         void *user);
int config_bind(struct config *config, config_find_fn *find, void *user,
                struct config_problems *problems);

/* The whole configuration as one text without layers, substitutions as they were written, relative
 * paths made absolute: the copy beside a report. After config_bind(). */
void config_text(const struct config *config, struct buf *out);
/* For people: what may be secret is hidden; with `origin`, file and line of every value. */
void config_show(const struct config *config, bool origin, struct buf *out);
/* A copy of `text` in which values of the instance's options that may be secret are hidden; cut
 * where it does not fit. After config_bind(). */
void config_scrub(const struct config_instance *instance, const char *text, char *ret_text,
                  size_t capacity);
/* The files it was made of, from the lowest layer to the highest; NULL past the last. */
const char *config_layer(const struct config *config, size_t index);

void config_destroy(struct config *config);

/* The problems of a load and what followed, as config_problems_print() has them, with lines from
 * all files of the configuration; NULL: without lines. Then the same as a JSON object. */
void config_print_problems(const struct config *config, const struct config_problems *problems,
                           struct buf *out);
void config_print_problems_json(const struct config *config, const struct config_problems *problems,
                                struct buf *out);

/* The first pipeline whose match fits, in the order of the file; NULL if none does. */
const struct config_pipeline *config_choose(const struct config *config, const char *executable,
                                            const char *user, const char *application);

/* The node and position of an option by name, for a plugin's own complaint; the instance's when the
 * option is not in the file. */
struct config_position config_option_position(const struct config_instance *instance,
                                              const char *option);

/* The keys that Cairn keeps for itself in every plugin's map, ended by NULL. */
extern const char *const config_common_keys[];

/* The section's name of a kind: "filters", …; and the kind's: "filter", …. */
const char *config_section(enum cairn_kind kind);
const char *config_kind(enum cairn_kind kind);

#endif
