/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sections of a configuration: application, engine, consent, and the instances of plugins as
 * far as their keys are Cairn's own. Every process but the crashed one.
 */
#include "core/config/internal.h"

#include "core/util/paths.h"
#include "core/util/text.h"

#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#define SECOND         1000000ull
#define MAX_NAME_BYTES 255

static const char *const no_others[] = { NULL };

static void read_own(struct config_check *check, const struct config_node *map,
                     const struct cairn_option *options, const char *const *others, void *base)
{
    struct config_table table = { .options = options, .others = others };
    uint64_t set;

    if (map == NULL || config_expect(check, map, CONFIG_MAP)) {
        config_table_read(check, map, &table, base, &set);
    }
}

/* ---- application --------------------------------------------------------------------------- */

void config_read_application(struct config_check *check, const struct config_node *root)
{
    const struct config_node *map = config_get(root, "application");

    read_own(check, map, config_application_options, no_others, check->config);
    for (size_t i = 0; config_application_options[i].name != NULL; i++) {
        const struct config_node *node = config_get(map, config_application_options[i].name);
        size_t length = node != NULL && node->kind == CONFIG_SCALAR ? strlen(node->text) : 1;

        if (length == 0) {
            config_complain(check, node, "the value is empty; leave the key out");
        } else if (length > MAX_NAME_BYTES) {
            config_complain(check, node, "the value is longer than %d bytes", MAX_NAME_BYTES);
        }
    }
}

/* ---- engine -------------------------------------------------------------------------------- */

/* Why a signal cannot be among those that are reported, or NULL. */
static const char *objection(int number)
{
    switch (number) {
    case SIGKILL:
    case SIGSTOP:
        return "cannot be caught";
    case SIGCHLD:
    case SIGCONT:
    case SIGURG:
    case SIGWINCH:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
        return "does not end a program";
    default:
        return NULL;
    }
}

static void set_signals(struct config_check *check, const struct config_node *node,
                        const struct cairn_list *list)
{
    const int32_t *numbers = list->items;
    const struct config_node *entry = node->first;
    uint64_t signals = 0;

    if (list->count == 0) {
        config_complain(check, node, "needs at least one signal");
    }
    for (size_t i = 0; i < list->count; i++, entry = entry->next) {
        uint64_t bit = 1ull << (numbers[i] - 1);
        char name[16];

        text_signal_name(numbers[i], name);
        if (objection(numbers[i]) != NULL) {
            config_complain(check, entry, "the signal %s %s", name, objection(numbers[i]));
        } else if ((signals & bit) != 0) {
            config_complain(check, entry, "the signal %s stands twice in the list", name);
        }
        signals |= bit;
    }
    check->config->signals = signals;
}

static uint64_t default_signals(void)
{
    static const int numbers[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS };
    uint64_t signals = 0;

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        signals |= 1ull << (numbers[i] - 1);
    }
    return signals;
}

static void set_deaths(struct config_check *check, const struct config_node *node,
                       const struct cairn_list *list)
{
    const int32_t *bits = list->items;
    const struct config_node *entry = node->first;
    unsigned deaths = 0;

    for (size_t i = 0; i < list->count; i++, entry = entry->next) {
        if ((deaths & 1u << bits[i]) != 0) {
            config_complain(check, entry, "%s stands twice in the list", entry->text);
        }
        deaths |= 1u << bits[i];
    }
    check->config->deaths = deaths;
}

static void set_spool(struct config_check *check, const struct config_node *root, const char *spool)
{
    char buffer[PATH_MAX];

    if (spool == NULL) {
        spool = paths_default_spool(buffer, sizeof(buffer));
    }
    if (spool == NULL) {
        config_complain(check, root, "no home folder is known for reports; set engine.spool");
        return;
    }
    check->config->spool = config_arena_text(check->arena, spool);
    check->no_memory = check->no_memory || check->config->spool == NULL;
}

static void read_limits(struct config_check *check, const struct config_node *engine)
{
    const struct config_node *map = config_get(engine, "limits");
    const struct config_node *report = config_get(map, "report");
    const struct config_limits *limits = &check->config->limits;
    char one[32], all[32];

    read_own(check, map, config_limits_options, no_others, &check->config->limits);
    if (limits->total_bytes != 0 && limits->report_bytes > limits->total_bytes) {
        config_size_text(limits->report_bytes, one);
        config_size_text(limits->total_bytes, all);
        config_complain(check, report != NULL ? report : map,
                        "one report may take %s (report), more than all together: %s (total)", one,
                        all);
    }
}

static void read_clocks(struct config_check *check, const struct config_node *engine)
{

    read_own(check, config_get(engine, "clocks"), config_clocks_options, no_others, check->config);
}

void config_read_engine(struct config_check *check, const struct config_node *root)
{
    static const char *const others[] = { "limits", "clocks", NULL };
    const struct config_node *map = config_get(root, "engine");
    const struct config_node *signals = config_get(map, "signals");
    const struct config_node *deaths = config_get(map, "deaths");
    struct config_engine_keys engine = { .spool = NULL };

    read_own(check, map, config_engine_options, others, &engine);
    check->config->signals = default_signals();
    if (engine.signals.items != NULL) {
        set_signals(check, signals, &engine.signals);
    }
    check->config->deaths = CONFIG_DEATH_KILLED | CONFIG_DEATH_UNKNOWN;
    if (engine.deaths.items != NULL) {
        set_deaths(check, deaths, &engine.deaths);
    }
    check->config->children = (enum config_children)engine.children;
    set_spool(check, root, engine.spool);
    read_limits(check, map);
    read_clocks(check, map);
}

/* ---- consent ------------------------------------------------------------------------------- */

void config_read_consent(struct config_check *check, const struct config_node *root)
{
    read_own(check, config_get(root, "consent"), config_consent_options, no_others, check->config);
}

/* ---- filters, annotators, writers, hooks, transports --------------------------------------- */

/* The name of a plugin is no path: the file it leads to lies in a plugin folder. */
static bool check_plugin_name(struct config_check *check, const struct config_node *node,
                              const char *name)
{
    char quoted[CONFIG_QUOTED_BYTES];

    if (name == NULL) {
        return false;
    }
    if (strchr(name, '/') != NULL) {
        config_complain(check, node, "%s is a path; a plugin is named by its name alone",
                        config_quote_node(node, quoted));
        return false;
    }
    if (!config_is_name(name, false)) {
        config_complain(check, node,
                        "%s is no plugin's name: those have lower-case letters, "
                        "digits, \"-\" and \"_\", and begin with a letter",
                        config_quote_node(node, quoted));
        return false;
    }
    return true;
}

static void read_instance(struct config_check *check, const struct config_node *map,
                          enum cairn_kind kind, struct config_instance *instance)
{
    struct config_table table = { .options = config_common_options };
    struct config_common_keys common = { .timeout =
                                             (kind == CAIRN_KIND_TRANSPORT ? 60 : 5) * SECOND };
    const struct config_node *reaction = config_get(map, "on_error");
    uint64_t set;

    instance->kind = kind;
    instance->node = map;
    instance->id = config_arena_text(check->arena, map->key);
    instance->plugin = config_arena_text(check->arena, "");
    config_check_id(check, map);
    if (!config_expect(check, map, CONFIG_MAP)) {
        return;
    }
    config_table_read(check, map, &table, &common, &set);
    instance->timeout_us = common.timeout;
    instance->memory_bytes = common.memory_limit;
    instance->output_bytes = common.output_limit;
    instance->drop_on_error = common.on_error == 1;
    instance->no_network = common.network == 0;
    if (instance->drop_on_error && kind >= CAIRN_KIND_HOOK) {
        config_complain(check, reaction,
                        "a %s runs after the report is committed: only note is "
                        "possible",
                        config_kind(kind));
    }
    if (check_plugin_name(check, config_get(map, "plugin"), common.plugin)) {
        instance->plugin = (char *)common.plugin;
    }
    config_hide_instance(check, instance);
}

static size_t count_instances(const struct config_node *root)
{
    size_t count = 0;

    for (int kind = CAIRN_KIND_FILTER; kind <= CAIRN_KIND_TRANSPORT; kind++) {
        const struct config_node *section = config_get(root, config_section(kind));

        count += section != NULL && section->kind == CONFIG_MAP ? section->count : 0;
    }
    return count;
}

void config_read_instances(struct config_check *check, const struct config_node *root)
{
    struct config *config = check->config;

    config->instances =
        config_arena_take(check->arena, (count_instances(root) + 1) * sizeof(*config->instances));
    if (config->instances == NULL) {
        check->no_memory = true;
        return;
    }
    for (int kind = CAIRN_KIND_FILTER; kind <= CAIRN_KIND_TRANSPORT; kind++) {
        const struct config_node *section = config_get(root, config_section(kind));

        if (section == NULL || !config_expect(check, section, CONFIG_MAP)) {
            continue;
        }
        for (const struct config_node *map = section->first; map != NULL; map = map->next) {
            read_instance(check, map, kind, &config->instances[config->instance_count++]);
        }
    }
}
