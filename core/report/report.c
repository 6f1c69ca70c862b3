/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report object: its lists, their caps, and what becomes of hostile text. Engine, sender,
 * tools.
 */
#include "core/report/report_inner.h"

#include "core/minidump/reader.h"
#include "core/util/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_BYTES   1024
#define SYMBOL_BYTES 1024
#define CRUMB_BYTES  512
#define PATH_BYTES   4096
#define TIMING_BYTES 64

const char *report_kind_text(const char *kind)
{
    static const char *const kinds[] = { "crash", "request", "death" };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i], kind) == 0) {
            return kinds[i];
        }
    }
    return NULL;
}

struct report *report_create(void)
{
    struct report *report = calloc(1, sizeof(*report));

    if (report == NULL) {
        return NULL;
    }
    report->kind = report_kind_text("crash");
    report->scratch = calloc(1, sizeof(*report->scratch));
    if (report->scratch == NULL) {
        free(report);
        return NULL;
    }
    return report;
}

static void free_frame(struct report_frame *frame)
{
    free(frame->module);
    free(frame->module_path);
    free(frame->build_id);
    free(frame->symbol);
}

static void free_texts(char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(texts[i]);
    }
    free(texts);
}

static void free_lists(struct report *report)
{
    for (size_t i = 0; i < report->attribute_count; i++) {
        free(report->attributes[i].name);
        free((char *)report->attributes[i].value.string);
    }
    for (size_t i = 0; i < report->frame_count; i++) {
        free_frame(&report->frames[i]);
    }
    for (size_t i = 0; i < report->breadcrumb_count; i++) {
        free(report->breadcrumbs[i].category);
        free(report->breadcrumbs[i].message);
    }
    for (size_t i = 0; i < report->artifact_count; i++) {
        free(report->artifacts[i].name);
        free(report->artifacts[i].media_type);
    }
    for (size_t i = 0; i < report->delivery_count; i++) {
        free(report->deliveries[i].transport);
        free(report->deliveries[i].server_id);
        free(report->deliveries[i].error);
    }
    for (size_t i = 0; i < report->timing_count; i++) {
        free(report->timings[i].name);
    }
    free(report->attributes);
    free(report->frames);
    free(report->registers);
    free(report->breadcrumbs);
    free(report->artifacts);
    free(report->deliveries);
    free(report->timings);
    free_texts(report->notes, report->note_count);
    free_texts(report->attachments, report->attachment_count);
}

void report_destroy(struct report *report)
{
    if (report == NULL) {
        return;
    }
    free_lists(report);
    free(report->application);
    free(report->version);
    free(report->tier_reason);
    free(report->thread);
    free(report->reason);
    free(report->message);
    free(report->executable);
    free(report->user);
    free(report->signature);
    free(report->pipeline);
    free(report->configuration);
    free(report->scratch);
    free(report);
}

void *report_grow(void *list, size_t count, size_t element_bytes)
{
    bool full = count == 0 || (count >= 8 && (count & (count - 1)) == 0);

    if (!full) {
        return list;
    }
    return reallocarray(list, count == 0 ? 8 : count * 2, element_bytes);
}

char *report_bytes_text(const void *data, size_t bytes)
{
    return strndup(data, bytes);
}

char *report_clean(const char *value, size_t limit)
{
    char *text = text_printable(value, strnlen(value, limit)), *fitting;
    size_t end;

    if (text == NULL) {
        return NULL;
    }
    end = strlen(text);
    if (end > limit) {
        for (end = limit; end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80; end--) {
        }
        text[end] = '\0';
    }
    fitting = realloc(text, end + 1); /* text_printable() made room for the worst */
    return fitting != NULL ? fitting : text;
}

/* The same of a text that may be NULL. */
static int clean_into(char **ret_text, const char *value, size_t limit)
{
    char *text = value != NULL ? report_clean(value, limit) : NULL;

    if (value != NULL && text == NULL) {
        return CAIRN_ENOMEM;
    }
    *ret_text = text;
    return 0;
}

int report_text(char **member, const char *value)
{
    char *text;
    int result = clean_into(&text, value, REPORT_MAX_TEXT_BYTES);

    if (result == 0) {
        free(*member);
        *member = text;
    }
    return result;
}

static bool is_attribute_name(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t length = strspn(name, allowed);

    return length >= 1 && length <= 128 && name[length] == '\0';
}

static struct report_attribute *find_attribute(const struct report *report, const char *name)
{
    for (size_t i = 0; i < report->attribute_count; i++) {
        if (strcmp(report->attributes[i].name, name) == 0) {
            return &report->attributes[i];
        }
    }
    return NULL;
}

const struct cairn_value *report_attribute(const struct report *report, const char *name)
{
    const struct report_attribute *attribute = find_attribute(report, name);

    return attribute != NULL ? &attribute->value : NULL;
}

static size_t text_bytes(const struct cairn_value *value)
{
    return value->string != NULL ? strlen(value->string) : 0;
}

static size_t all_text_bytes(const struct report *report)
{
    size_t sum = 0;

    for (size_t i = 0; i < report->attribute_count; i++) {
        sum += text_bytes(&report->attributes[i].value);
    }
    return sum;
}

/* An owned copy of a value; only a string's has a string. */
static int copy_value(const struct cairn_value *value, struct cairn_value *ret_copy)
{
    struct cairn_value copy = *value;

    copy.string = NULL;
    if (value->type < CAIRN_VALUE_STRING || value->type > CAIRN_VALUE_UINT64) {
        return CAIRN_EINVAL;
    }
    if (value->type == CAIRN_VALUE_STRING) {
        if (value->string == NULL ||
            strnlen(value->string, REPORT_MAX_ATTRIBUTE_BYTES + 1) > REPORT_MAX_ATTRIBUTE_BYTES) {
            return CAIRN_EINVAL;
        }
        copy.string = report_clean(value->string, REPORT_MAX_ATTRIBUTE_BYTES);
        if (copy.string == NULL) {
            return CAIRN_ENOMEM;
        }
    }
    *ret_copy = copy;
    return 0;
}

/* A new attribute of that name, without a value; NULL: no memory. */
static struct report_attribute *append_attribute(struct report *report, const char *name)
{
    struct report_attribute *list =
        report_grow(report->attributes, report->attribute_count, sizeof(*list));
    char *copy = strdup(name);

    if (list != NULL) {
        report->attributes = list;
    }
    if (list == NULL || copy == NULL) {
        free(copy);
        return NULL;
    }
    memset(&list[report->attribute_count], 0, sizeof(*list));
    list[report->attribute_count].name = copy;
    return &list[report->attribute_count++];
}

int report_set(struct report *report, const char *name, const struct cairn_value *value)
{
    struct report_attribute *attribute = find_attribute(report, name);
    struct cairn_value copy;
    size_t given_back = attribute != NULL ? text_bytes(&attribute->value) : 0;
    int result;

    if (!is_attribute_name(name)) {
        return CAIRN_EINVAL;
    }
    if (attribute == NULL && report->attribute_count >= REPORT_MAX_ATTRIBUTES) {
        return CAIRN_EFULL;
    }
    result = copy_value(value, &copy);
    if (result != 0) {
        return result;
    }
    if (all_text_bytes(report) - given_back + text_bytes(&copy) > REPORT_MAX_ATTRIBUTES_BYTES) {
        free((char *)copy.string);
        return CAIRN_EFULL;
    }
    if (attribute == NULL && (attribute = append_attribute(report, name)) == NULL) {
        free((char *)copy.string);
        return CAIRN_ENOMEM;
    }
    free((char *)attribute->value.string);
    attribute->value = copy;
    return 0;
}

/* Appends an owned text to a list of texts; frees it on failure. */
static int append_text(char ***list, size_t *count, char *text)
{
    char **grown = text != NULL ? report_grow(*list, *count, sizeof(*grown)) : NULL;

    if (grown == NULL) {
        free(text);
        return CAIRN_ENOMEM;
    }
    *list = grown;
    grown[(*count)++] = text;
    return 0;
}

int report_note(struct report *report, const char *format, ...)
{
    char text[NOTE_BYTES];
    char *note;
    va_list arguments;
    int result;

    if (report->note_count >= REPORT_MAX_NOTES) {
        return CAIRN_EFULL;
    }
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    note = report_clean(text, sizeof(text));
    for (size_t i = 0; note != NULL && i < report->note_count; i++) {
        if (strcmp(report->notes[i], note) == 0) {
            free(note);
            return 0;
        }
    }
    if (note != NULL && report->note_count == REPORT_MAX_NOTES - 1) {
        free(note);
        note = strdup("There were more notes than a report holds; the others were left out.");
        result = append_text(&report->notes, &report->note_count, note);
        return result != 0 ? result : CAIRN_EFULL;
    }
    return append_text(&report->notes, &report->note_count, note);
}

static const char *trust_text(const char *trust)
{
    static const char *const known[] = { "context", "cfi", "frame-pointer", "scan" };

    for (size_t i = 0; trust != NULL && i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i], trust) == 0) {
            return known[i];
        }
    }
    return "unknown";
}

int report_add_frame(struct report *report, const struct report_frame *frame)
{
    struct report_frame copy = { .address = frame->address,
                                 .module_offset = frame->module_offset,
                                 .symbol_offset = frame->symbol_offset,
                                 .trust = trust_text(frame->trust) };
    struct report_frame *list;

    if (report->frame_count >= REPORT_MAX_FRAMES) {
        return CAIRN_EFULL;
    }
    list = report_grow(report->frames, report->frame_count, sizeof(*list));
    if (list == NULL) {
        return CAIRN_ENOMEM;
    }
    report->frames = list;
    if (clean_into(&copy.module, frame->module, REPORT_NAME_BYTES) != 0 ||
        clean_into(&copy.module_path, frame->module_path, PATH_BYTES) != 0 ||
        clean_into(&copy.build_id, frame->build_id, REPORT_NAME_BYTES) != 0 ||
        clean_into(&copy.symbol, frame->symbol, SYMBOL_BYTES) != 0) {
        free_frame(&copy);
        return CAIRN_ENOMEM;
    }
    list[report->frame_count++] = copy;
    return 0;
}

int report_add_register(struct report *report, const char *name, uint64_t value)
{
    const char *known = minidump_register_name(name);
    struct report_register *list;

    if (known == NULL) {
        return CAIRN_EINVAL;
    }
    for (size_t i = 0; i < report->register_count; i++) {
        if (report->registers[i].name == known) {
            report->registers[i].value = value;
            return 0;
        }
    }
    if (report->register_count >= REPORT_MAX_REGISTERS) {
        return CAIRN_EFULL;
    }
    list = report_grow(report->registers, report->register_count, sizeof(*list));
    if (list == NULL) {
        return CAIRN_ENOMEM;
    }
    report->registers = list;
    list[report->register_count++] = (struct report_register){ known, value };
    return 0;
}

int report_add_breadcrumb(struct report *report, uint64_t time_ns, const char *category,
                          const char *message)
{
    struct report_breadcrumb crumb = { .time_ns = time_ns };
    struct report_breadcrumb *list;

    if (report->breadcrumb_count >= REPORT_MAX_BREADCRUMBS) {
        return CAIRN_EFULL;
    }
    list = report_grow(report->breadcrumbs, report->breadcrumb_count, sizeof(*list));
    if (list == NULL) {
        return CAIRN_ENOMEM;
    }
    report->breadcrumbs = list;
    crumb.category = report_clean(category, REPORT_NAME_BYTES);
    crumb.message = report_clean(message, CRUMB_BYTES);
    if (crumb.category == NULL || crumb.message == NULL) {
        free(crumb.category);
        free(crumb.message);
        return CAIRN_ENOMEM;
    }
    list[report->breadcrumb_count++] = crumb;
    return 0;
}

static bool is_same(const struct cairn_value *left, const struct cairn_value *right)
{
    return left->type == right->type && left->boolean == right->boolean &&
           left->integer == right->integer && left->uint64 == right->uint64 &&
           memcmp(&left->number, &right->number, sizeof(left->number)) == 0 &&
           (left->string == right->string || (left->string != NULL && right->string != NULL &&
                                              strcmp(left->string, right->string) == 0));
}

int report_replace(struct report *report, const char *name, const struct cairn_value *value)
{
    const struct report_attribute *before = find_attribute(report, name);
    bool replaced = before != NULL && (before->replaced || !is_same(&before->value, value));
    int result = report_set(report, name, value);

    if (result == 0) {
        find_attribute(report, name)->replaced = replaced;
    }
    return result;
}

void report_forget(struct report *report, const char *name)
{
    static const struct cairn_value nothing = { .type = CAIRN_VALUE_STRING, .string = "" };
    struct report_attribute *attribute = find_attribute(report, name);

    if (attribute == NULL) {
        return;
    }
    if (attribute->value.type == CAIRN_VALUE_STRING) {
        ((char *)attribute->value.string)[0] = '\0';
    } else if (report_set(report, name, &nothing) != 0) {
        attribute->value = (struct cairn_value){ .type = attribute->value.type };
    }
    attribute->replaced = true;
}

bool report_is_replaced(const struct report *report, const char *path)
{
    static const char attributes[] = "attributes.", breadcrumbs[] = "breadcrumbs.";
    const struct report_attribute *attribute;
    size_t index;

    if (strncmp(path, attributes, strlen(attributes)) == 0) {
        attribute = find_attribute(report, path + strlen(attributes));
        return attribute != NULL && attribute->replaced;
    }
    if (strncmp(path, breadcrumbs, strlen(breadcrumbs)) == 0) {
        index = strtoul(path + strlen(breadcrumbs), NULL, 10);
        return index < report->breadcrumb_count && report->breadcrumbs[index].replaced;
    }
    return strcmp(path, "crash.message") == 0 && report->message_replaced;
}

/* A new timing of that name, which it takes over; frees it on failure. */
static int append_timing(struct report *report, char *name, uint64_t microseconds)
{
    struct report_timing *list =
        report->timing_count < REPORT_MAX_TIMINGS
            ? report_grow(report->timings, report->timing_count, sizeof(*list))
            : NULL;

    if (list == NULL) {
        free(name);
        return report->timing_count < REPORT_MAX_TIMINGS ? CAIRN_ENOMEM : CAIRN_EFULL;
    }
    report->timings = list;
    list[report->timing_count++] = (struct report_timing){ name, microseconds };
    return 0;
}

int report_timing(struct report *report, const char *name, uint64_t microseconds)
{
    size_t length = strnlen(name, TIMING_BYTES);
    bool suffixed = length >= 3 && strcmp(name + length - 3, "_us") == 0;
    char text[TIMING_BYTES + 4];
    char *copy;

    if (length == 0 || length == TIMING_BYTES) {
        return CAIRN_EINVAL;
    }
    snprintf(text, sizeof(text), "%s%s", name, suffixed ? "" : "_us");
    if ((copy = report_clean(text, sizeof(text))) == NULL) {
        return CAIRN_ENOMEM;
    }
    if (strlen(copy) >= TIMING_BYTES) { /* with its suffix, and cleaned, it must be read again */
        free(copy);
        return CAIRN_EINVAL;
    }
    for (size_t i = 0; i < report->timing_count; i++) {
        if (strcmp(report->timings[i].name, copy) == 0) {
            report->timings[i].microseconds = microseconds;
            free(copy);
            return 0;
        }
    }
    return append_timing(report, copy, microseconds);
}

int report_add_attachment(struct report *report, const char *path)
{
    if (path[0] != '/' || strnlen(path, PATH_BYTES) == PATH_BYTES) {
        return CAIRN_EINVAL;
    }
    for (size_t i = 0; i < report->attachment_count; i++) {
        if (strcmp(report->attachments[i], path) == 0) {
            return 0;
        }
    }
    if (report->attachment_count >= REPORT_MAX_ATTACHMENTS) {
        return CAIRN_EFULL;
    }
    /* Byte for byte: it is a file's name, which need not be printable. */
    return append_text(&report->attachments, &report->attachment_count, strdup(path));
}
