/* SPDX-License-Identifier: Apache-2.0 */
/* Checks and keeps the records of a step; see intake.h. Engine and sender. */
#include "core/plugin/intake.h"

#include "core/plugin/internal.h"
#include "core/util/log.h"
#include "core/util/text.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void intake_text(char *target, size_t capacity, const char *text, size_t bytes)
{
    char *printable = text_printable(text, bytes);

    text_copy(target, capacity, printable != NULL ? printable : "");
    free(printable);
}

__attribute__((format(printf, 3, 4))) static bool
refuse(struct intake *intake, enum step_status status, const char *format, ...)
{
    va_list arguments;

    intake->status = status;
    va_start(arguments, format);
    vsnprintf(intake->why, sizeof(intake->why), format, arguments);
    va_end(arguments);
    return false;
}

static bool refuse_record(struct intake *intake, const char *what)
{
    return refuse(intake, STEP_BROKEN, "sent %s", what);
}

/* Whether the record still fits into the instance's output limit. */
static bool count(struct intake *intake, const struct wire_view *view)
{
    uint64_t limit = intake->request->instance->output_bytes;

    intake->bytes += (uint64_t)view->record.name_bytes + view->record.text_bytes;
    if (limit != 0 && intake->bytes > limit) {
        return refuse(intake, STEP_OVERFLOW, "sent more than its output limit of %llu bytes",
                      (unsigned long long)limit);
    }
    return true;
}

/* ---- Lines ---- */

static bool take_log(struct intake *intake, const struct wire_view *view)
{
    static const enum log_level levels[] = { LOG_LEVEL_INFO, LOG_LEVEL_ERROR, LOG_LEVEL_WARNING,
                                             LOG_LEVEL_INFO };
    uint64_t level = view->record.bits <= CAIRN_LOG_INFO ? view->record.bits : CAIRN_LOG_INFO;
    char line[HOST_MAX_LINE];

    if (intake->lines++ < HOST_MAX_LINES) {
        intake_text(line, sizeof(line), view->text, view->record.text_bytes);
        log_line(levels[level], INTAKE_LABEL ": %s", INTAKE_LABEL_OF(intake->request->instance),
                 line);
    }
    return true;
}

static bool take_failure(struct intake *intake, const struct wire_view *view)
{
    intake_text(intake->failure, sizeof(intake->failure), view->text, view->record.text_bytes);
    return true;
}

static bool take_problem(struct intake *intake, const struct wire_view *view)
{
    const struct config_instance *instance = intake->request->instance;
    char option[PLUGIN_MAX_NAME + 1], text[HOST_MAX_LINE - 128], path[256];

    intake_text(option, sizeof(option), view->name, view->record.name_bytes);
    intake_text(text, sizeof(text), view->text, view->record.text_bytes);
    size_t bytes = strlen(text);
    if (bytes > 0 && text[bytes - 1] == '.') {
        text[bytes - 1] = '\0';
    }
    if (intake->problem[0] == '\0') {
        snprintf(intake->problem, sizeof(intake->problem), "%s: %s", option, text);
    }
    if (intake->request->check_only && intake->request->problems != NULL) {
        snprintf(path, sizeof(path), "%s.%s.%s", config_section(instance->kind), instance->id,
                 option);
        config_problem_add(intake->request->problems, config_option_position(instance, option),
                           path, "%s", text);
    }
    return true;
}

/* ---- What goes into the report ---- */

static bool take_note(struct intake *intake, const struct wire_view *view)
{
    struct step_result *result = intake->result;
    char **notes;
    char *note;

    if (result->note_count == HOST_MAX_NOTES || view->record.text_bytes > HOST_MAX_NOTE) {
        return refuse_record(intake, "more or longer notes than are possible");
    }
    if (!count(intake, view)) {
        return false;
    }
    notes = realloc(result->notes, (result->note_count + 1) * sizeof(*notes));
    if (notes != NULL) {
        result->notes = notes;
    }
    note = text_printable(view->text, view->record.text_bytes);
    if (notes == NULL || note == NULL) {
        free(note);
        return refuse_record(intake, "a note that there was no memory for");
    }
    result->notes[result->note_count++] = note;
    return true;
}

static bool is_attribute_name(const char *name, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (!text_is_plain(name[i])) {
            return false;
        }
    }
    return bytes > 0;
}

/* False for a type that no attribute has, and for what is no value of its type. */
static bool read_value(const struct wire_view *view, struct cairn_value *ret_value)
{
    struct cairn_value value = { .type = view->record.value };

    switch (value.type) {
    case CAIRN_VALUE_STRING:
        value.string = text_printable(view->text, view->record.text_bytes);
        *ret_value = value;
        return value.string != NULL;
    case CAIRN_VALUE_INTEGER:
        value.integer = (int64_t)view->record.bits;
        break;
    case CAIRN_VALUE_DOUBLE:
        memcpy(&value.number, &view->record.bits, sizeof(value.number));
        if (!isfinite(value.number)) {
            return false;
        }
        break;
    case CAIRN_VALUE_BOOL:
        value.boolean = view->record.bits != 0;
        break;
    default:
        return false;
    }
    *ret_value = value;
    return view->record.text_bytes == 0;
}

static struct report_attribute *find_attribute(struct step_result *result, const char *name,
                                               size_t bytes)
{
    for (size_t i = 0; i < result->attribute_count; i++) {
        if (strlen(result->attributes[i].name) == bytes &&
            memcmp(result->attributes[i].name, name, bytes) == 0) {
            return &result->attributes[i];
        }
    }
    return NULL;
}

/* A place with that name; NULL: no memory. */
static struct report_attribute *add_attribute(struct step_result *result, const char *name,
                                              size_t bytes)
{
    struct report_attribute *attributes =
        realloc(result->attributes, (result->attribute_count + 1) * sizeof(*attributes));

    if (attributes == NULL) {
        return NULL;
    }
    result->attributes = attributes;
    attributes += result->attribute_count;
    *attributes = (struct report_attribute){ .name = strndup(name, bytes) };
    if (attributes->name == NULL) {
        return NULL;
    }
    result->attribute_count++;
    return attributes;
}

static bool take_attribute(struct intake *intake, const struct wire_view *view)
{
    struct step_result *result = intake->result;
    enum cairn_kind kind = intake->request->instance->kind;
    struct report_attribute *attribute;
    struct cairn_value value;

    if ((kind != CAIRN_KIND_ANNOTATOR && kind != CAIRN_KIND_HOOK) ||
        !is_attribute_name(view->name, view->record.name_bytes)) {
        return refuse_record(intake, "an attribute that it cannot set");
    }
    if (!count(intake, view)) {
        return false;
    }
    attribute = find_attribute(result, view->name, view->record.name_bytes);
    if (attribute == NULL && result->attribute_count == HOST_MAX_ATTRIBUTES) {
        return refuse_record(intake, "more attributes than are possible");
    }
    if (!read_value(view, &value)) {
        return refuse_record(intake, "an attribute whose value cannot be used");
    }
    if (attribute == NULL) {
        attribute = add_attribute(result, view->name, view->record.name_bytes);
    }
    if (attribute == NULL) {
        free((char *)value.string);
        return refuse_record(intake, "an attribute that there was no memory for");
    }
    free((char *)attribute->value.string);
    attribute->value = value;
    return true;
}

/* A place for that index, known or new; NULL: no memory. */
static struct step_text *text_place(struct step_result *result, uint64_t index)
{
    struct step_text *texts;

    for (size_t i = 0; i < result->text_count; i++) {
        if (result->texts[i].index == index) {
            return &result->texts[i];
        }
    }
    texts = realloc(result->texts, (result->text_count + 1) * sizeof(*texts));
    if (texts == NULL) {
        return NULL;
    }
    result->texts = texts;
    texts[result->text_count] = (struct step_text){ .index = index };
    return &texts[result->text_count++];
}

static bool take_text(struct intake *intake, const struct wire_view *view)
{
    const struct step_request *request = intake->request;
    uint64_t index = view->record.bits;
    struct step_text *place;
    char *text;

    if (request->instance->kind != CAIRN_KIND_ANNOTATOR || request->report == NULL ||
        (index != STEP_TEXT_MESSAGE && index >= request->report->breadcrumb_count) ||
        view->record.text_bytes > HOST_MAX_TEXT) {
        return refuse_record(intake, "a text that it cannot set");
    }
    if (!count(intake, view)) {
        return false;
    }
    place = text_place(intake->result, index);
    text = text_printable(view->text, view->record.text_bytes);
    if (place == NULL || text == NULL) {
        free(text);
        return refuse_record(intake, "a text that there was no memory for");
    }
    free(place->text);
    place->text = text;
    return true;
}

static bool take_type(struct intake *intake, const struct wire_view *view)
{
    struct step_result *result = intake->result;

    if (intake->request->instance->kind != CAIRN_KIND_WRITER ||
        !host_is_extension(view->name, view->record.name_bytes) ||
        !host_is_media_type(view->text, view->record.text_bytes)) {
        return refuse_record(intake, "a type of artifact that it cannot set");
    }
    intake_text(result->extension, sizeof(result->extension), view->name, view->record.name_bytes);
    intake_text(result->media_type, sizeof(result->media_type), view->text,
                view->record.text_bytes);
    return true;
}

static bool take_minidump(struct intake *intake, const struct wire_view *view)
{
    struct step_result *result = intake->result;
    size_t bytes = view->record.text_bytes, count = bytes / sizeof(*result->holes);
    struct stat status;

    if (!intake->request->may_take || result->takes_minidump ||
        bytes % sizeof(*result->holes) != 0 || fstat(intake->request->dump_fd, &status) != 0) {
        return refuse_record(intake, "a minidump that it cannot take");
    }
    result->holes = malloc(bytes + 1);
    if (result->holes == NULL) {
        return refuse_record(intake, "holes that there was no memory for");
    }
    memcpy(result->holes, view->text, bytes);
    result->hole_count = count;
    result->takes_minidump = true;
    return host_are_holes(result->holes, count, (uint64_t)status.st_size) ||
           refuse_record(intake, "holes that are not within the minidump");
}

static bool take_end(struct intake *intake, const struct wire_view *view)
{
    struct wire_end *end = &intake->end;

    if (view->record.text_bytes != sizeof(*end)) {
        return refuse_record(intake, "an end record of another size");
    }
    memcpy(end, view->text, sizeof(*end));
    end->reason[sizeof(end->reason) - 1] = '\0';
    end->server_id[sizeof(end->server_id) - 1] = '\0';
    end->instead_of[sizeof(end->instead_of) - 1] = '\0';
    intake->ended = true;
    return true;
}

static bool take(struct intake *intake, const struct wire_view *view)
{
    if (intake->ended) {
        return refuse_record(intake, "more after its end record");
    }
    switch ((enum wire_type)view->record.type) {
    case WIRE_LOG:
        return take_log(intake, view);
    case WIRE_FAIL:
        return take_failure(intake, view);
    case WIRE_PROBLEM:
        return take_problem(intake, view);
    case WIRE_NOTE:
        return take_note(intake, view);
    case WIRE_ATTRIBUTE:
        return take_attribute(intake, view);
    case WIRE_TEXT:
        return take_text(intake, view);
    case WIRE_ARTIFACT:
        return take_type(intake, view);
    case WIRE_TAKE:
        return take_minidump(intake, view);
    case WIRE_END:
        return take_end(intake, view);
    }
    return false;
}

bool intake_read(struct intake *intake, int fd)
{
    struct wire_view view;
    ssize_t got = wire_fill(&intake->reader, fd);
    int there;

    if (got < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    while ((there = wire_next(&intake->reader, &view)) > 0) {
        if (!take(intake, &view)) {
            return false;
        }
    }
    if (there < 0) {
        return refuse_record(intake, "bytes that are no record");
    }
    return got > 0;
}
