/* SPDX-License-Identifier: Apache-2.0 */
/* Derives and prints the plan; see plan.h. [engine] */
#include "core/engine/plan.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

static const char *const children_names[] = { "ignore", "fork", "all" };
static const char *const memory_names[] = { "stacks", "referenced", "full" };

static const struct {
    const char *name;
    unsigned bit;
} classes[] = {
    { "command-line", PLAN_COMMAND_LINE },
    { "environment", PLAN_ENVIRONMENT },
    { "descriptors", PLAN_DESCRIPTORS },
};
#define CLASS_COUNT (sizeof(classes) / sizeof(classes[0]))

/* One word of an option table: a data class, or how much memory. Others mean nothing here. */
static void ask_for(struct plan_capture *capture, const char *word)
{
    for (unsigned i = 0; i < CLASS_COUNT; i++) {
        if (strcmp(word, classes[i].name) == 0) {
            capture->classes |= classes[i].bit;
        }
    }
    for (unsigned i = PLAN_REFERENCED; i <= PLAN_FULL; i++) {
        if (strcmp(word, memory_names[i]) == 0 && capture->memory < i) {
            capture->memory = (enum plan_memory)i;
        }
    }
}

static void ask_for_choice(struct plan_capture *capture, const struct cairn_option *option,
                           int32_t choice)
{
    for (int32_t i = 0; option->choices != NULL && option->choices[i] != NULL; i++) {
        if (i == choice) {
            ask_for(capture, option->choices[i]);
        }
    }
}

/* "=": the values of an ENUM, or of a list of them, name what is wanted. */
static void ask_for_values(struct plan_capture *capture, const struct cairn_option *option,
                           const unsigned char *at)
{
    const struct cairn_list *list = (const void *)at;
    int32_t choice;

    if (option->type != CAIRN_OPTION_ENUM || (option->flags & CAIRN_OPTION_MAP) != 0) {
        return;
    }
    if ((option->flags & CAIRN_OPTION_LIST) == 0) {
        memcpy(&choice, at, sizeof(choice));
        ask_for_choice(capture, option, choice);
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        ask_for_choice(capture, option, ((const int32_t *)list->items)[i]);
    }
}

/* True when an option has a value that wants something: not false, not empty. */
static bool is_on(const struct config_instance *instance, size_t index, const unsigned char *at)
{
    const struct cairn_option *option = &instance->table[index];
    const char *text;
    int32_t flag;

    if ((option->flags & (CAIRN_OPTION_LIST | CAIRN_OPTION_MAP)) != 0) {
        return ((const struct cairn_list *)(const void *)at)->count != 0;
    }
    switch (option->type) {
    case CAIRN_OPTION_BOOL:
        memcpy(&flag, at, sizeof(flag));
        return flag != 0;
    case CAIRN_OPTION_STRING:
    case CAIRN_OPTION_PATH:
    case CAIRN_OPTION_SECRET:
    case CAIRN_OPTION_URL:
        memcpy(&text, at, sizeof(text));
        return text != NULL && text[0] != '\0';
    default:
        return index < 64 && (instance->options_set & (1ull << index)) != 0;
    }
}

static void ask_instance(struct plan_capture *capture, const struct config_instance *instance)
{
    if (instance->table == NULL || instance->options == NULL) {
        return;
    }
    for (size_t i = 0; instance->table[i].name != NULL; i++) {
        const struct cairn_option *option = &instance->table[i];
        const unsigned char *at = (const unsigned char *)instance->options + option->offset;

        if (option->capture == NULL) {
            continue;
        }
        if (strcmp(option->capture, "=") == 0) {
            ask_for_values(capture, option, at);
        } else if (is_on(instance, i, at)) {
            ask_for(capture, option->capture);
        }
    }
}

static void ask_pipeline(struct plan_capture *capture, const struct config *config,
                         const struct config_pipeline *pipeline)
{
    for (int kind = CAIRN_KIND_FILTER; kind <= CAIRN_KIND_TRANSPORT; kind++) {
        const struct config_stage *stage = &pipeline->stages[kind];

        for (size_t i = 0; i < stage->count; i++) {
            ask_instance(capture, &config->instances[stage->instances[i]]);
        }
    }
}

void plan_capture(const struct config *config, const struct config_pipeline *pipeline,
                  struct plan_capture *ret_capture)
{
    struct plan_capture capture = { PLAN_STACKS, 0 };

    if (pipeline != NULL) {
        ask_pipeline(&capture, config, pipeline);
    }
    for (size_t i = 0; pipeline == NULL && i < config->pipeline_count; i++) {
        ask_pipeline(&capture, config, &config->pipelines[i]);
    }
    *ret_capture = capture;
}

/* A report's work is one process at a time; two for each processor, because they also wait. */
static uint64_t engines_of(const struct config *config)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    return config->limits.engines != 0 ? config->limits.engines
           : processors < 1            ? 2
           : processors > 512          ? 1024
                                       : 2 * (uint64_t)processors;
}

static void print_deaths(unsigned deaths, struct buf *out)
{
    static const char *const names[] = { "killed", "signalled", "exit", "unknown" };
    const char *separator = " ";

    buf_text(out, "deaths");
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if ((deaths & 1u << i) != 0) {
            buf_printf(out, "%s%s", separator, names[i]);
            separator = ",";
        }
    }
    buf_text(out, "\n");
}

void plan_print(const struct config *config, const struct plan_capture *capture,
                const char *application_folder, struct buf *out)
{
    const char *comma = "";

    buf_printf(out, "cairn-plan 1\n");
    buf_printf(out, "signals 0x%" PRIx64 "\n", config->signals);
    buf_printf(out, "claim-ms %" PRIu64 "\n", config->claim_us / 1000);
    buf_printf(out, "hold-ms %" PRIu64 "\n", config->hold_us / 1000);
    buf_printf(out, "pipeline-ms %" PRIu64 "\n", config->pipeline_us / 1000);
    buf_printf(out, "children %s\n", children_names[config->children]);
    buf_printf(out, "memory %s\n", memory_names[capture->memory]);
    buf_printf(out, "classes ");
    for (unsigned i = 0; i < CLASS_COUNT; i++) {
        if ((capture->classes & classes[i].bit) != 0) {
            buf_printf(out, "%s%s", comma, classes[i].name);
            comma = ",";
        }
    }
    buf_printf(out, "\n");
    print_deaths(config->deaths, out);
    buf_printf(out, "max-bytes %" PRIu64 "\n", config->limits.report_bytes);
    buf_printf(out, "engines %" PRIu64 "\n", engines_of(config));
    buf_printf(out, "application-folder %s\n", application_folder);
}
