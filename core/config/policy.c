/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The administrator's policy: policy.yaml, which only root can change, read and checked, and the
 * two questions that are asked of other layers: does this one set what is locked, is this plugin
 * allowed. What the policy puts on top is in enforce.c. Every process but the crashed one.
 */
#include "core/config/internal.h"

#include "core/util/fs.h"
#include "core/util/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- Reading ------------------------------------------------------------------------------- */

struct settings {
    int32_t user_config, program_config;
    struct cairn_list allow_plugins, lock;
    struct cairn_map max;
};

static const char *const user_rules[] = { "merge", "none", "only", NULL };
static const char *const program_rules[] = { "own", "merge", NULL };

static const struct cairn_option options[] = {
    { .name = "user_config",
      .type = CAIRN_OPTION_ENUM,
      .offset = offsetof(struct settings, user_config),
      .choices = user_rules },
    { .name = "program_config",
      .type = CAIRN_OPTION_ENUM,
      .offset = offsetof(struct settings, program_config),
      .choices = program_rules },
    { .name = "allow_plugins",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_LIST,
      .offset = offsetof(struct settings, allow_plugins) },
    { .name = "lock",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_LIST,
      .offset = offsetof(struct settings, lock) },
    { .name = "max",
      .type = CAIRN_OPTION_STRING,
      .flags = CAIRN_OPTION_MAP,
      .offset = offsetof(struct settings, max) },
    { .name = NULL },
};

static void check_required(struct config_check *check, const struct config_node *required)
{
    static const char *const keys[] = { "filters", "annotators", "writers",
                                        "hooks",   "transports", NULL };
    static const struct config_table table = { .others = keys };

    if (required == NULL || !config_expect(check, required, CONFIG_MAP)) {
        return;
    }
    config_keys_check(check, required, &table);
    for (const struct config_node *list = required->first; list != NULL; list = list->next) {
        if (!config_expect(check, list, CONFIG_LIST)) {
            continue;
        }
        for (const struct config_node *id = list->first; id != NULL; id = id->next) {
            config_expect(check, id, CONFIG_SCALAR);
        }
    }
}

/* A slip in it would be a rule that keeps nobody from anything. */
static void check_pattern(struct config_check *check, const struct config_node *node,
                          const char *pattern)
{
    char quoted[CONFIG_QUOTED_BYTES], hint[CONFIG_QUOTED_BYTES];

    if (!config_own_fits(pattern)) {
        config_complain_key(check, node, "no key of a configuration fits %s%s",
                            config_quote(pattern, quoted),
                            config_did_you_mean(pattern, config_top_keys, hint));
    }
}

static void check_patterns(struct config_check *check, const struct config_policy *policy)
{
    const struct config_node *locks = config_get(policy->root, "lock");
    const struct config_node *maxima = config_get(policy->root, "max");

    for (const struct config_node *n = locks != NULL ? locks->first : NULL; n != NULL;
         n = n->next) {
        if (n->kind == CONFIG_SCALAR && locks->kind == CONFIG_LIST) {
            check_pattern(check, n, n->text);
        }
    }
    for (const struct config_node *n = maxima != NULL ? maxima->first : NULL; n != NULL;
         n = n->next) {
        if (n->key != NULL) {
            check_pattern(check, n, n->key);
        }
    }
}

static void check_policy(struct config_check *check, struct config_policy *policy)
{
    static const char *const others[] = { "version", "require", NULL };
    static const struct config_table table = { .options = options, .others = others };
    struct settings settings = { .user_config = CONFIG_USER_MERGE };
    size_t errors = check->problems->errors;
    uint64_t set;

    if (policy->root->kind != CONFIG_MAP) {
        config_problem_add(check->problems, policy->root->position, "",
                           "the policy must be a map, as in \"lock: [engine.spool]\"");
        return;
    }
    config_check_version(check, policy->root, true);
    config_table_read(check, policy->root, &table, &settings, &set);
    check_required(check, config_get(policy->root, "require"));
    check_patterns(check, policy);
    policy->user_config = settings.user_config;
    policy->program_config = settings.program_config;
    policy->sound = check->problems->errors == errors;
}

/* Opens the policy if it exists and nobody but root can have changed it; -1. A policy that cannot
 * be trusted or read is a problem: nobody knows what it would have forbidden. */
static int open_policy(struct config_check *check, const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct error error = { 0, "" };

    if (fd < 0) {
        if (errno != ENOENT && errno != ENOTDIR) {
            config_refuse(check->problems, path, CAIRN_ESYSTEM, "the policy cannot be opened: %s",
                          strerror(errno));
        }
        return -1;
    }
    if (!fs_is_trusted(fd, path, &error)) {
        error.text[strcspn(error.text, "\n")] = '\0';
        config_refuse(check->problems, path, CAIRN_EPERM, "the policy cannot be trusted: %s",
                      error.text);
        close(fd);
        return -1;
    }
    return fd;
}

void config_policy_read(struct config_check *check, struct config_policy *ret_policy)
{
    const struct config_source *source;
    char path[PATH_MAX];
    struct buf text;
    int fd;

    memset(ret_policy, 0, sizeof(*ret_policy));
    if (paths_policy(path, sizeof(path)) == NULL || (fd = open_policy(check, path)) < 0) {
        return;
    }
    if (config_source_read(NULL, fd, path, &text, check->problems) == 0) {
        source = config_source_keep(check->arena, path, true, &text);
        check->no_memory = check->no_memory || source == NULL;
        if (source != NULL) {
            ret_policy->root =
                config_parse_layer(source->name, source->text, source->bytes, check->problems);
        }
    }
    buf_finish(&text);
    close(fd);
    if (ret_policy->root != NULL) {
        check_policy(check, ret_policy);
    }
}

void config_policy_finish(struct config_policy *policy)
{
    config_node_destroy(policy->root);
    policy->root = NULL;
}

bool config_policy_needs_system(const struct config_policy *policy)
{
    return policy->program_config == 1 || config_get(policy->root, "lock") != NULL ||
           config_get(policy->root, "require") != NULL;
}

/* ---- Locks --------------------------------------------------------------------------------- */

static size_t depth_of(const struct config_node *node)
{
    return node->parent == NULL ? 0 : 1 + depth_of(node->parent);
}

/* The ancestor of a node, or itself, that lies `depth` below the top. */
static const struct config_node *ancestor(const struct config_node *node, size_t depth)
{
    size_t own = depth_of(node);

    while (node != NULL && own > depth) {
        node = node->parent;
        own--;
    }
    return own == depth ? node : NULL;
}

bool config_pattern_fits(const char *pattern, const struct config_node *node)
{
    size_t depth = depth_of(node);
    char part[256];

    for (size_t i = 1; i <= depth; i++) {
        size_t length = strcspn(pattern, ".");
        const struct config_node *at = ancestor(node, i);

        if (length == 0 || length >= sizeof(part) || at->key == NULL) {
            return false;
        }
        memcpy(part, pattern, length);
        part[length] = '\0';
        if (fnmatch(part, at->key, 0) != 0) {
            return false;
        }
        pattern += length;
        if (i < depth && *pattern++ != '.') {
            return false;
        }
    }
    return depth > 0 && *pattern == '\0';
}

const struct config_node *config_policy_lock(const struct config_policy *policy,
                                             const struct config_node *node)
{
    const struct config_node *locks = config_get(policy->root, "lock");

    if (locks == NULL || locks->kind != CONFIG_LIST) {
        return NULL;
    }
    for (const struct config_node *lock = locks->first; lock != NULL; lock = lock->next) {
        if (lock->kind == CONFIG_SCALAR && config_pattern_fits(lock->text, node)) {
            return lock;
        }
    }
    return NULL;
}

/* Whether a node is an instance that the policy requires: then nobody else may define it. */
static const struct config_node *requirement(const struct config_policy *policy,
                                             const struct config_node *node)
{
    const struct config_node *list;

    if (depth_of(node) != 2) {
        return NULL;
    }
    list = config_get(config_get(policy->root, "require"), node->parent->key);
    if (list == NULL || list->kind != CONFIG_LIST) {
        return NULL;
    }
    for (const struct config_node *id = list->first; id != NULL; id = id->next) {
        if (id->kind == CONFIG_SCALAR && node->key != NULL && strcmp(id->text, node->key) == 0) {
            return id;
        }
    }
    return NULL;
}

static void check_locks_below(struct config_check *check, const struct config_policy *policy,
                              const struct config_node *node)
{
    for (const struct config_node *n = node->first; n != NULL; n = n->next) {
        const struct config_node *lock = config_policy_lock(policy, n);
        const struct config_node *required = requirement(policy, n);
        const struct config_node *rule = lock != NULL ? lock : required;

        if (rule != NULL) {
            config_hide(check->problems, n, true);
            config_complain_key(check, n, "the policy %s (%s:%u:%u)",
                                lock != NULL ? "locks this key; only the system's configuration "
                                               "may set it"
                                             : "requires this instance; only the system's "
                                               "configuration may define it",
                                rule->position.file, rule->position.line, rule->position.column);
        } else if (n->kind == CONFIG_MAP) {
            check_locks_below(check, policy, n);
        }
    }
}

void config_policy_check_locks(struct config_check *check, const struct config_policy *policy,
                               const struct config_node *layer)
{
    if (policy->root != NULL) {
        check_locks_below(check, policy, layer);
    }
}

/* ---- Plugins ------------------------------------------------------------------------------- */

static bool is_allowed(const struct config_node *allowed, const struct config_instance *instance)
{
    char full[160];

    snprintf(full, sizeof(full), "%s/%s", config_kind(instance->kind), instance->plugin);
    for (const struct config_node *n = allowed->first; n != NULL; n = n->next) {
        if (n->kind == CONFIG_SCALAR &&
            fnmatch(n->text, strchr(n->text, '/') != NULL ? full : instance->plugin, 0) == 0) {
            return true;
        }
    }
    return false;
}

void config_policy_check_plugins(struct config_check *check, const struct config_policy *policy)
{
    const struct config_node *allowed = config_get(policy->root, "allow_plugins");

    if (allowed == NULL || allowed->kind != CONFIG_LIST) {
        return;
    }
    for (size_t i = 0; i < check->config->instance_count; i++) {
        const struct config_instance *instance = &check->config->instances[i];

        if (instance->plugin[0] != '\0' && !is_allowed(allowed, instance)) {
            config_complain(check, config_get(instance->node, "plugin"),
                            "the policy does not allow the %s plugin \"%s\" (%s:%u:%u)",
                            config_kind(instance->kind), instance->plugin, allowed->position.file,
                            allowed->key_position.line, allowed->key_position.column);
        }
    }
}
