/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cairn's own records of a minidump, taken into the report. They come from a crashed process: every
 * length is checked against its record, and what does not fit its type is left out. Engine, tools.
 */
#include "core/report/report_inner.h"

#include "core/minidump/reader.h"
#include "core/util/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A region of such a name is the text of an attribute, as the process had it in its memory. */
#define TEXT_PREFIX "text:"
#define TEXT_BYTES  2047

struct input {
    struct report *report;
    const struct minidump *dump;
    struct report_known *known;
};

/* Caps and invalid contributions cost themselves only. */
static int forgive(int result)
{
    return result == CAIRN_ENOMEM ? result : 0;
}

/* The fixed head of a record; false when the record is too short for it. */
static bool head_of(const struct minidump_record_view *record, void *ret_head, size_t bytes)
{
    if (record->bytes < bytes) {
        return false;
    }
    memcpy(ret_head, record->data, bytes);
    return true;
}

/* `bytes` bytes at `offset` of the record as a text; *ret_text is NULL when they are not there. */
static int text_at(const struct minidump_record_view *record, size_t offset, size_t bytes,
                   char **ret_text)
{
    char *text = NULL;

    if (offset <= record->bytes && bytes <= record->bytes - offset) {
        text = report_bytes_text(record->data + offset, bytes);
        if (text == NULL) {
            return CAIRN_ENOMEM;
        }
    }
    *ret_text = text;
    return 0;
}

static int take_text(const struct minidump_record_view *record, char **member)
{
    char *text = NULL;
    int result = text_at(record, 0, record->bytes, &text);

    if (result == 0 && text[0] != '\0') {
        result = report_text(member, text);
    }
    free(text);
    return result;
}

static int take_info(struct input *in, const struct minidump_record_view *record)
{
    static const char *const kinds[] = { "crash", "crash", "request", "death" };
    struct minidump_record_info info;

    if (!head_of(record, &info, sizeof(info))) {
        return 0;
    }
    in->known->info = true;
    in->report->tier = info.tier <= 3 ? (int)info.tier : 0;
    in->report->kind = report_kind_text(kinds[info.kind <= MINIDUMP_KIND_DEATH ? info.kind : 0]);
    in->report->pid = info.pid;
    in->report->time_ns = info.time;
    return 0;
}

static int take_id(struct input *in, const struct minidump_record_view *record)
{
    char *text = NULL;
    int result = text_at(record, 0, record->bytes, &text);

    if (result == 0 && text_is_uuid(text)) {
        text_copy(in->report->id, sizeof(in->report->id), text);
    }
    free(text);
    return result;
}

static int take_application(struct input *in, const struct minidump_record_view *record)
{
    in->known->application = true;
    return take_text(record, &in->report->application);
}

static int take_version(struct input *in, const struct minidump_record_view *record)
{
    return take_text(record, &in->report->version);
}

static int take_message(struct input *in, const struct minidump_record_view *record)
{
    int result = take_text(record, &in->report->message);

    return result == 0 ? report_name_thrown(&in->report->message) : result;
}

static int take_tier_reason(struct input *in, const struct minidump_record_view *record)
{
    return take_text(record, &in->report->tier_reason);
}

static int take_reason(struct input *in, const struct minidump_record_view *record)
{
    return take_text(record, &in->report->reason);
}

static struct cairn_value value_of(const struct minidump_record_annotation *head, const char *text)
{
    struct cairn_value value = { .type = head->type };

    value.boolean = head->type == CAIRN_VALUE_BOOL && head->bits != 0;
    if (head->type == CAIRN_VALUE_STRING) {
        value.string = text;
    } else if (head->type == CAIRN_VALUE_INTEGER) {
        value.integer = (int64_t)head->bits;
    } else if (head->type == CAIRN_VALUE_DOUBLE) {
        memcpy(&value.number, &head->bits, sizeof(value.number));
    } else if (head->type == CAIRN_VALUE_UINT64) {
        value.uint64 = head->bits;
    }
    return value;
}

static int take_annotation(struct input *in, const struct minidump_record_view *record)
{
    struct minidump_record_annotation head;
    char *name = NULL, *text = NULL;
    int result;

    if (!head_of(record, &head, sizeof(head))) {
        return 0;
    }
    in->known->annotations = true;
    result = text_at(record, sizeof(head), head.name_bytes, &name);
    if (result == 0 && name != NULL) {
        result = text_at(record, sizeof(head) + head.name_bytes, head.value_bytes, &text);
    }
    if (result == 0 && text != NULL) {
        struct cairn_value value = value_of(&head, text);

        result = forgive(report_set(in->report, name, &value));
    }
    free(name);
    free(text);
    return result;
}

static int take_breadcrumb(struct input *in, const struct minidump_record_view *record)
{
    struct minidump_record_breadcrumb head;
    char *category = NULL, *message = NULL;
    int result;

    if (!head_of(record, &head, sizeof(head))) {
        return 0;
    }
    result = text_at(record, sizeof(head), head.category_bytes, &category);
    if (result == 0 && category != NULL) {
        result = text_at(record, sizeof(head) + head.category_bytes, head.message_bytes, &message);
    }
    if (result == 0 && message != NULL) {
        result = forgive(report_add_breadcrumb(in->report, head.time, category, message));
    }
    free(category);
    free(message);
    return result;
}

static int take_attachment(struct input *in, const struct minidump_record_view *record)
{
    char *path = NULL;
    int result = text_at(record, 0, record->bytes, &path);

    if (result == 0) {
        result = forgive(report_add_attachment(in->report, path));
        free(path);
    }
    return result;
}

static int take_note(struct input *in, const struct minidump_record_view *record)
{
    char *text = NULL;
    int result = text_at(record, 0, record->bytes, &text);

    if (result == 0) {
        result = text[0] != '\0' ? forgive(report_note(in->report, "%s", text)) : 0;
        free(text);
    }
    return result;
}

static int take_parked(struct input *in, const struct minidump_record_view *record)
{
    struct minidump_record_parked parked;
    char buffer[16];

    if (!head_of(record, &parked, sizeof(parked))) {
        return 0;
    }
    return forgive(report_note(in->report,
                               "Thread %u crashed too, by %s, while the first crash was handled.",
                               parked.tid, text_signal_name((int)parked.signal, buffer)));
}

static int set_integer(struct report *report, const char *name, uint32_t number)
{
    struct cairn_value value = { .type = CAIRN_VALUE_INTEGER, .integer = number };

    return forgive(report_set(report, name, &value));
}

static int take_descent(struct input *in, const struct minidump_record_view *record)
{
    struct minidump_record_descent descent;
    int result;

    if (!head_of(record, &descent, sizeof(descent))) {
        return 0;
    }
    result = set_integer(in->report, "process.parent", descent.parent);
    return result != 0 ? result : set_integer(in->report, "process.main", descent.main);
}

/* Up to its first NUL; without any of it in the minidump there is no such attribute. */
static int set_region_text(struct input *in, const struct minidump_record_region *region,
                           const char *name)
{
    struct cairn_value value = { .type = CAIRN_VALUE_STRING };
    char text[TEXT_BYTES + 1];
    size_t bytes = region->bytes < TEXT_BYTES ? (size_t)region->bytes : TEXT_BYTES;

    bytes = minidump_read(in->dump, region->start, text, bytes);
    text[bytes] = '\0';
    value.string = text;
    return bytes != 0 ? forgive(report_set(in->report, name, &value)) : 0;
}

/* An attribute per named region says where it lies: its contents are in the minidump. */
static int set_region(struct input *in, const struct minidump_record_region *region,
                      const char *name)
{
    struct cairn_value value = { .type = CAIRN_VALUE_STRING };
    char attribute[64], text[64];

    snprintf(attribute, sizeof(attribute), "region.%s", name);
    snprintf(text, sizeof(text), "0x%" PRIx64 ", %" PRIu64 " bytes", region->start, region->bytes);
    value.string = text;
    return forgive(report_set(in->report, attribute, &value));
}

static int take_region(struct input *in, const struct minidump_record_view *record)
{
    const size_t prefix = sizeof(TEXT_PREFIX) - 1;
    struct minidump_record_region region;
    char *name = NULL;
    int result;

    if (!head_of(record, &region, sizeof(region))) {
        return 0;
    }
    result = text_at(record, sizeof(region), region.name_bytes, &name);
    if (result == 0 && name != NULL && name[0] != '\0') {
        result = strncmp(name, TEXT_PREFIX, prefix) == 0
                     ? set_region_text(in, &region, name + prefix)
                     : set_region(in, &region, name);
    }
    free(name);
    return result;
}

static int take_timing(struct input *in, const struct minidump_record_view *record)
{
    struct minidump_record_timing head;
    char *name = NULL;
    int result;

    if (!head_of(record, &head, sizeof(head))) {
        return 0;
    }
    result = text_at(record, sizeof(head), head.name_bytes, &name);
    if (result == 0 && name != NULL) {
        result = forgive(report_timing(in->report, name, head.microseconds));
    }
    free(name);
    return result;
}

static int (*const takers[])(struct input *in, const struct minidump_record_view *record) = {
    [MINIDUMP_RECORD_INFO] = take_info,
    [MINIDUMP_RECORD_ID] = take_id,
    [MINIDUMP_RECORD_APPLICATION] = take_application,
    [MINIDUMP_RECORD_VERSION] = take_version,
    [MINIDUMP_RECORD_ANNOTATION] = take_annotation,
    [MINIDUMP_RECORD_BREADCRUMB] = take_breadcrumb,
    [MINIDUMP_RECORD_ATTACHMENT] = take_attachment,
    [MINIDUMP_RECORD_NOTE] = take_note,
    [MINIDUMP_RECORD_MESSAGE] = take_message,
    [MINIDUMP_RECORD_PARKED] = take_parked,
    [MINIDUMP_RECORD_TIMING] = take_timing,
    [MINIDUMP_RECORD_TIER_REASON] = take_tier_reason,
    [MINIDUMP_RECORD_REASON] = take_reason,
    [MINIDUMP_RECORD_REGION] = take_region,
    [MINIDUMP_RECORD_DESCENT] = take_descent,
};

/* The regions, or all others. */
static int take_records(struct input *in, bool regions)
{
    struct minidump_record_view record;
    size_t cursor = 0;
    int result = 0;

    while (result == 0 && minidump_record_next(in->dump, &cursor, &record)) {
        if (record.type < sizeof(takers) / sizeof(takers[0]) && takers[record.type] != NULL &&
            (record.type == MINIDUMP_RECORD_REGION) == regions) {
            result = takers[record.type](in, &record);
        }
    }
    return result;
}

int report_from_records(struct report *report, const struct minidump *dump,
                        struct report_known *ret_known)
{
    struct report_known known = { false, false, false };
    struct input in = { report, dump, &known };
    int result = take_records(&in, false);

    if (result == 0) {
        result = take_records(&in, true); /* their texts come before annotations of the same name */
    }
    if (result == 0) {
        *ret_known = known;
    }
    return result;
}
