/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of core/config share with each other and nobody else: the arena, the state of a
 * check, complaints at a node, typed values and option tables.
 */
#ifndef CAIRN_CORE_CONFIG_INTERNAL_H
#define CAIRN_CORE_CONFIG_INTERNAL_H

#include "core/config/config.h"

/* ---- arena.c: memory that lives as long as its configuration ------------------------------- */

struct config_arena {
    struct config_block *blocks;
    struct config_source *sources; /* from the lowest layer to the highest */
    size_t substituted;            /* bytes that substitutions have brought in */
};

/* Zeroed and aligned for everything; NULL: no memory. */
void *config_arena_take(struct config_arena *arena, size_t bytes);
char *config_arena_text(struct config_arena *arena, const char *text);
void config_arena_destroy(struct config_arena *arena);

/* ---- source.c: the files and texts that it is made of --------------------------------------- */

struct config_source {
    struct config_source *next;
    char *name;   /* as messages call it; the `file` of its nodes' positions */
    char *folder; /* where relative paths in it start; NULL: nowhere */
    char *text;
    size_t bytes;
};

/* Reads a file, or `fd` if `path` is NULL, into a buffer that is to be finished in any case.
 * 0, or an error that is added as a problem. */
int config_source_read(const char *path, int fd, const char *name, struct buf *ret_text,
                       struct config_problems *problems);
/* Takes the text over, as the last source; NULL: no memory. */
struct config_source *config_source_keep(struct config_arena *arena, const char *name, bool is_file,
                                         struct buf *text);
/* Makes the source of that name the highest. */
void config_source_raise(struct config_arena *arena, const char *name);
/* The source of that name, or NULL. */
const struct config_source *config_source_find(const struct config_arena *arena, const char *file);

/* Adds a problem of a file as a whole and returns the code. */
int config_refuse(struct config_problems *problems, const char *name, int code, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));

/* ---- check.c: the state of a check, complaints --------------------------------------------- */

struct config_check {
    struct config *config;
    struct config_arena *arena;
    struct config_problems *problems;
    bool no_memory; /* reported once, at the end */
};

void config_complain(struct config_check *check, const struct config_node *node, const char *format,
                     ...) __attribute__((format(printf, 3, 4)));
/* The same at the node's key. */
void config_complain_key(struct config_check *check, const struct config_node *node,
                         const char *format, ...) __attribute__((format(printf, 3, 4)));
void config_warn_key(struct config_check *check, const struct config_node *node, const char *format,
                     ...) __attribute__((format(printf, 3, 4)));

/* Whether a node is of a kind; complains unless it is or was refused before. */
bool config_expect(struct config_check *check, const struct config_node *node,
                   enum config_node_kind kind);

/* `text` in quotes for a message: cut at 60 bytes, without control characters. */
#define CONFIG_QUOTED_BYTES 80
const char *config_quote(const char *text, char buffer[CONFIG_QUOTED_BYTES]);
/* A scalar's value for a message; nothing of it when it is secret. */
const char *config_quote_node(const struct config_node *node, char buffer[CONFIG_QUOTED_BYTES]);

/* Whether a further complaint would only be counted: then it is not worth finding words. */
bool config_is_full(const struct config_check *check);

/* The result of a check: 0, CAIRN_ECONFIG when problems came up since, CAIRN_ENOMEM. */
int config_check_end(struct config_check *check, size_t errors_before);

/* Whether a plain scalar stands for nothing in YAML: empty, "~", "null". */
bool config_is_null(const struct config_node *node);

/* ` (did you mean "x"?)`, or "" when no candidate is near. */
const char *config_did_you_mean(const char *word, const char *const *candidates,
                                char buffer[CONFIG_QUOTED_BYTES]);
bool config_is_name(const char *text, bool digit_first);
/* Complains of a map whose key is no id of an instance or a pipeline. */
void config_check_id(struct config_check *check, const struct config_node *map);

/* ---- hide.c: what must not be shown -------------------------------------------------------- */

/* Hides the scalars of a node in the lines that are printed; see config_problems_hide(). */
void config_hide(struct config_problems *problems, const struct config_node *node, bool tentative);
/* Hides what follows a key like "token:" or "url:" in a line that was never understood. */
void config_hide_suspect(struct config_problems *problems, const char *data, size_t bytes,
                         struct config_position line);
/* Hides what an instance's own options hold when nobody knows yet which of them are secret. */
void config_hide_instance(struct config_check *check, const struct config_instance *instance);
/* Hides the values of those options that its plugin declares as secret. */
void config_hide_secrets(struct config_check *check, const struct config_instance *instance,
                         const struct config_plugin_facts *facts);
/* Whether a value, as it was written, is one substitution without a default. */
bool config_is_reference(const char *text);

/* ---- cursor.c: positions in a text --------------------------------------------------------- */

/* A walk through a text that counts as libyaml does: lines end with LF, CR LF or CR, and columns
 * are code points; a byte that is not UTF-8 counts as one. */
struct config_cursor {
    const char *data;
    size_t bytes, offset;
    unsigned line, column;
};

void config_cursor_init(struct config_cursor *cursor, const char *data, size_t bytes);
/* Steps over one character; false at the end. */
bool config_cursor_next(struct config_cursor *cursor);
bool config_cursor_before(const struct config_cursor *cursor, struct config_position position);
/* Steps to a position; false when the text ends before. */
bool config_cursor_seek(struct config_cursor *cursor, struct config_position position);

/* ---- utf8.c: what is a text ---------------------------------------------------------------- */

/* Whether the text is UTF-8 without control characters; reports the first place where not. */
bool config_check_text(const char *name, const char *data, size_t bytes,
                       struct config_problems *problems);
/* The same question for a value from elsewhere, tabs and line breaks allowed. */
bool config_is_text(const char *data, size_t bytes);

/* A text in quotes as JSON has it. */
void config_json_text(struct buf *out, const char *text);

/* ---- value.c: one scalar by its type ------------------------------------------------------- */

struct config_value {
    const struct config_node *node;
    const struct cairn_option *option; /* type, min, max, choices */
    struct config_arena *arena;
    char why[512]; /* what is wrong with it */
};

/* Says what is wrong in `why`; CAIRN_ECONFIG. In check.c, with all that complains. */
int config_value_fail(struct config_value *value, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The bytes that a value of the type takes; 0: no such type. */
size_t config_value_bytes(uint32_t type);
/* Writes the value; CAIRN_ECONFIG with `why`, CAIRN_ENOMEM. */
int config_value_read(struct config_value *value, void *ret_value);

/* ---- amount.c: sizes and durations --------------------------------------------------------- */

/* "64MiB" as bytes, "30s" as microseconds; the same results. */
int config_amount_read(struct config_value *value, uint64_t *ret_amount);

/* A size in the largest unit that divides it: "64MiB". */
void config_size_text(uint64_t bytes, char text[32]);

/* ---- place.c: paths ------------------------------------------------------------------------ */

/* The home folder, or NULL. */
const char *config_home(void);
int config_path_read(struct config_value *value, const char **ret_path);

/* ---- table.c: a map by an option table ----------------------------------------------------- */

struct config_table {
    const struct cairn_option *options;
    const char *plugin;        /* whose table; NULL: Cairn's own */
    const char *const *others; /* further keys that the map may hold; NULL: any */
};

/* Fills the structure at `base` from a map (NULL: all defaults). False after complaints. */
bool config_table_read(struct config_check *check, const struct config_node *map,
                       const struct config_table *table, void *base, uint64_t *ret_set);
/* Complains of every key of the map that is neither an option nor among the others. */
bool config_keys_check(struct config_check *check, const struct config_node *map,
                       const struct config_table *table);

/* Whether a plugin's table can be used at all; everything in it is hostile. */
#define CONFIG_MAX_OPTIONS_BYTES (64u * 1024u)
bool config_table_check(struct config_check *check, const struct config_instance *instance,
                        const struct config_plugin_facts *facts);

/* ---- load.c -------------------------------------------------------------------------------- */

/* The keys of the top level, in the order of the manual, ended by NULL. */
extern const char *const config_top_keys[];

/* A configuration without sources yet. 0, or CAIRN_ENOMEM as a problem. */
int config_create(const char *name, struct config_problems *problems, struct config **ret_config);
/* Keeps and parses the text that is called as the configuration is; NULL after a problem. */
struct config_node *config_take_text(struct config_check *check, bool is_file, struct buf *text);
/* Complains of a version that this Cairn does not read; of a missing one only if `required`. */
void config_check_version(struct config_check *check, struct config_node *root, bool required);
/* Substitutes and checks all but the plugins' options. */
void config_check_all(struct config_check *check, struct config_node *root);

/* ---- merge.c ------------------------------------------------------------------------------- */

/* Takes a child out of a map, or NULL; puts one in, in the place of the one that has its key. */
struct config_node *config_node_take(struct config_node *map, const char *key);
void config_node_put(struct config_node *map, struct config_node *child);
/* Merges a layer, which is used up, onto those below it (NULL: none). Both are maps. */
void config_merge(struct config_check *check, struct config_node **base, struct config_node *over);

/* ---- policy.c, enforce.c: what the administrator has the last word on ---------------------- */

enum config_user_rule { CONFIG_USER_MERGE = 0, CONFIG_USER_NONE = 1, CONFIG_USER_ONLY = 2 };

struct config_policy {
    struct config_node *root; /* NULL: there is no policy */
    int32_t user_config;      /* enum config_user_rule */
    bool sound;               /* without problems of its own */
    int32_t program_config;   /* 1: the layers below count for every program */
};

/* Reads the policy, if there is one; to be finished in any case. */
void config_policy_read(struct config_check *check, struct config_policy *ret_policy);
void config_policy_finish(struct config_policy *policy);
/* Whether it takes values from the system's layers, even where those do not count otherwise. */
bool config_policy_needs_system(const struct config_policy *policy);
/* Complains of what a layer that is not the system's sets although it is locked or required. */
void config_policy_check_locks(struct config_check *check, const struct config_policy *policy,
                               const struct config_node *layer);
/* Puts the system's values of locked keys, and what is required, on top of the configuration, and
 * complains of what exceeds a maximum. `system` may be NULL. */
void config_policy_enforce(struct config_check *check, const struct config_policy *policy,
                           const struct config_node *system, struct config_node *root);
/* The lock that a key falls under by its own path, not by its parents'; or NULL. */
const struct config_node *config_policy_lock(const struct config_policy *policy,
                                             const struct config_node *node);
/* Whether a pattern like "transports.*.url" is the path of a node. */
bool config_pattern_fits(const char *pattern, const struct config_node *node);
/* Complains of plugins that are not allowed; after the instances are read. */
void config_policy_check_plugins(struct config_check *check, const struct config_policy *policy);

/* ---- own.c: Cairn's own keys --------------------------------------------------------------- */

struct config_engine_keys {
    const char *spool;
    struct cairn_list signals;
    struct cairn_list deaths; /* of int32_t: bit numbers of enum config_death */
    int32_t children;         /* enum config_children */
};

struct config_common_keys {
    const char *plugin;
    uint64_t timeout, memory_limit, output_limit;
    int32_t on_error; /* 1: drop */
    int32_t network;
};

extern const struct cairn_option config_application_options[], config_engine_options[],
    config_limits_options[], config_clocks_options[], config_consent_options[],
    config_common_options[];

/* Whether it is one of those that every instance may have. */
bool config_is_common_key(const char *key);

/* The option at a path like "engine.limits.total", and the name of its map; NULL: no such thing. */
const struct cairn_option *config_own_option(const char *path, const char **ret_map);

/* Whether there can be a key that a policy's pattern, "engine.limits.*", fits. */
bool config_own_fits(const char *pattern);

/* ---- subst.c, sections.c, pipelines.c ------------------------------------------------------ */

void config_substitute(struct config_check *check, struct config_node *node);

void config_read_application(struct config_check *check, const struct config_node *root);
void config_read_engine(struct config_check *check, const struct config_node *root);
void config_read_consent(struct config_check *check, const struct config_node *root);
void config_read_instances(struct config_check *check, const struct config_node *root);
void config_read_pipelines(struct config_check *check, const struct config_node *root);

#endif
