/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters, annotators and hooks, one step per instance. A step that fails, and one for which no
 * time is left, costs its contribution and becomes a note, or the report, if its on_error says
 * drop. [engine]
 */
#include "core/engine/engine.h"

#include "core/plugin/faults.h"
#include "core/util/fs.h"
#include "core/util/log.h"
#include "core/util/time.h"

#include <stdio.h>
#include <string.h>

static void skip(const struct engine_run *run, const struct config_instance *instance,
                 struct step_result *result)
{
    memset(result, 0, sizeof(*result));
    result->status = STEP_TIMEOUT;
    snprintf(result->error, sizeof(result->error),
             "%s \"%s\" was skipped, because the pipeline's time of %.3g s was over.",
             config_kind(instance->kind), instance->id,
             (double)run->setup.config->pipeline_us / 1e6);
}

static void refuse(const struct config_instance *instance, const struct error *why,
                   struct step_result *result)
{
    *result = (struct step_result){ .status = STEP_BROKEN };
    snprintf(result->error, sizeof(result->error),
             "%s \"%s\" was not run, because it can use the network (network: false would withhold "
             "it). %.320s",
             config_kind(instance->kind), instance->id, why->text);
}

static void note_result(struct engine_run *run, const struct config_instance *instance,
                        const struct step_result *result)
{
    for (size_t i = 0; i < result->note_count; i++) {
        report_note(run->report, "%s: %s", instance->id, result->notes[i]);
    }
    if (result->status == STEP_OK || result->status == STEP_UNSUPPORTED) {
        return;
    }
    report_note(run->report, "%s", result->error);
    log_line(LOG_LEVEL_WARNING, "%s: %s", run->id, result->error);
    if (instance->drop_on_error && run->state == ENGINE_UNDECIDED) {
        engine_drop_as(run, instance->id, "%s (on_error: drop)", result->error);
    }
}

enum step_status engine_step(struct engine_run *run, size_t index, struct step_request *request,
                             struct step_result *ret_result)
{
    const struct config_instance *instance = &run->setup.config->instances[index];
    uint64_t end_us = instance->kind == CAIRN_KIND_HOOK ? run->hooks_end_us : run->stages_end_us;
    struct error why;

    request->instance = instance;
    request->facts = run->setup.plugins.facts[index];
    request->plugin_fd = run->setup.plugins.fds[index];
    request->report = run->report;
    request->dump = run->dump;
    request->dump_fd = run->dump_fd;
    request->folder = run->folder;
    request->deadline_us = end_us;
    if (time_monotonic_us() >= end_us) {
        skip(run, instance, ret_result);
    } else if (!engine_may_use_network(run, index, &why)) {
        refuse(instance, &why, ret_result);
    } else if (!faults_set_aside(run->application_fd, request, ret_result)) {
        step_run(request, ret_result);
        faults_count(run->application_fd, request, ret_result);
    }
    note_result(run, instance, ret_result);
    return ret_result->status;
}

/* ---- Filters ---- */

/* The earliest moment at which a filter can decide, raised by options that need more. */
static uint32_t stage_of(const struct config_instance *instance, const struct plugin_facts *facts)
{
    uint32_t stage = facts->stage;

    for (size_t i = 0; i < facts->option_count && i < 64; i++) {
        if ((instance->options_set & (1ull << i)) == 0) {
            continue;
        }
        if ((facts->options[i].flags & CAIRN_OPTION_NEEDS_REPORT) != 0) {
            stage = CAIRN_STAGE_REPORT;
        } else if ((facts->options[i].flags & CAIRN_OPTION_NEEDS_STACK) != 0 &&
                   stage < CAIRN_STAGE_STACK) {
            stage = CAIRN_STAGE_STACK;
        }
    }
    return stage < CAIRN_STAGE_REPORT ? stage : CAIRN_STAGE_REPORT;
}

static void ask_filter(struct engine_run *run, size_t index)
{
    struct step_request request = { .out_fd = -1 };
    struct step_result result;
    const char *id = run->setup.config->instances[index].id;

    if (engine_step(run, index, &request, &result) != STEP_OK) {
        step_result_finish(&result);
        return;
    }
    if (result.action == CAIRN_KEEP) {
        engine_take_place(run, id, &result);
    } else {
        engine_drop_as(run, id, "%s: %s", id,
                       result.reason[0] != '\0' ? result.reason : "no reason given");
    }
    step_result_finish(&result);
}

bool engine_filters(struct engine_run *run, uint32_t stage)
{
    const struct config_stage *filters = &run->pipeline->stages[CAIRN_KIND_FILTER];
    bool any = false;

    for (size_t i = 0; i < filters->count && run->state != ENGINE_DROPPED; i++) {
        size_t index = filters->instances[i];

        if (stage_of(&run->setup.config->instances[index], run->setup.plugins.facts[index]) ==
            stage) {
            ask_filter(run, index);
            any = true;
        }
    }
    return any;
}

/* ---- Annotators and hooks ---- */

static void add_attributes(struct engine_run *run, const struct config_instance *instance,
                           const struct step_result *result)
{
    for (size_t i = 0; i < result->attribute_count; i++) {
        const struct report_attribute *attribute = &result->attributes[i];

        if (report_replace(run->report, attribute->name, &attribute->value) != 0) {
            report_note(run->report, "%s: the attribute %s does not fit into the report.",
                        instance->id, attribute->name);
            report_forget(run->report, attribute->name); /* it must not stay as it was either */
        }
    }
}

static void replace_texts(struct engine_run *run, const struct config_instance *instance,
                          const struct step_result *result)
{
    struct report *report = run->report;

    for (size_t i = 0; i < result->text_count; i++) {
        const struct step_text *text = &result->texts[i];
        char **member = text->index == STEP_TEXT_MESSAGE
                            ? &report->message
                            : &report->breadcrumbs[text->index].message;

        if (report_text(member, text->text) != 0) {
            report_note(report, "%s: there was no memory to replace a text.", instance->id);
            if (*member != NULL) {
                (*member)[0] = '\0';
            }
        }
        if (text->index == STEP_TEXT_MESSAGE) {
            report->message_replaced = true;
        } else {
            report->breadcrumbs[text->index].replaced = true;
        }
    }
}

/* It was to take out what must not be kept, and has not: everything that it would have looked at
 * goes. */
static void go_without(struct engine_run *run, const struct config_instance *instance)
{
    struct report *report = run->report;

    for (size_t i = 0; i < report->attribute_count; i++) {
        if (report->attributes[i].value.type == CAIRN_VALUE_STRING) {
            report_forget(report, report->attributes[i].name);
        }
    }
    for (size_t i = 0; i < report->breadcrumb_count; i++) {
        report->breadcrumbs[i].message[0] = '\0';
        report->breadcrumbs[i].replaced = true;
    }
    report_text(&report->message, NULL);
    report->message_replaced = true;
    report_note(report,
                "The texts of attributes, breadcrumbs and the message were left out, because "
                "annotator \"%s\" has not seen them.",
                instance->id);
}

/* Returns whether the report has changed. */
static bool contribute(struct engine_run *run, size_t index)
{
    struct step_request request = { .out_fd = -1 };
    struct step_result result;
    bool changed;

    if (engine_step(run, index, &request, &result) == STEP_OK) {
        add_attributes(run, &run->setup.config->instances[index], &result);
        replace_texts(run, &run->setup.config->instances[index], &result);
    } else if (result.status != STEP_UNSUPPORTED &&
               (run->setup.plugins.facts[index]->capabilities & CAIRN_CAP_REDACTS) != 0 &&
               run->setup.config->instances[index].kind == CAIRN_KIND_ANNOTATOR) {
        go_without(run, &run->setup.config->instances[index]);
    }
    changed = result.attribute_count != 0 || result.note_count != 0 ||
              (result.status != STEP_OK && result.status != STEP_UNSUPPORTED);
    step_result_finish(&result);
    return changed;
}

bool engine_annotators(struct engine_run *run)
{
    const struct config_stage *annotators = &run->pipeline->stages[CAIRN_KIND_ANNOTATOR];

    for (size_t i = 0; i < annotators->count && run->state != ENGINE_DROPPED; i++) {
        contribute(run, annotators->instances[i]);
    }
    return annotators->count != 0;
}

void engine_hooks(struct engine_run *run)
{
    const struct config_stage *hooks = &run->pipeline->stages[CAIRN_KIND_HOOK];
    bool changed = false;
    struct error error;

    for (size_t i = 0; i < hooks->count; i++) {
        changed = contribute(run, hooks->instances[i]) || changed;
    }
    if (changed && spool_save(run->folder_fd, run->report, &error) != 0) {
        log_line(LOG_LEVEL_ERROR, "%s", error.text);
    }
}
