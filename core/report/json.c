/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.json read back, and drops.json. The text is hostile: bounded in bytes, depth and number of
 * values before cJSON parses it, every type checked, every text and list bounded by the report's
 * own adders. Engine, sender, tools.
 */
#include "core/report/report_inner.h"

#include "core/util/buf.h"
#include "core/util/text.h"
#include "core/util/time.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_COUNTERS 64

/* The report being filled and where in the text we are, for the error's sentence. */
struct input {
    struct report *report;
    struct error *error;
    char where[40]; /* "crash.", "frames[3]." */
};

static int wrong(struct input *in, const char *key, const char *expected)
{
    return error_set(in->error, CAIRN_EFORMAT, "The report is not valid: %s%s is not %s.",
                     in->where, key, expected);
}

/* What an adder answered, as the parser answers it. */
static int added(struct input *in, int result, const char *key, const char *expected)
{
    if (result == CAIRN_ENOMEM) {
        return error_set(in->error, CAIRN_ENOMEM, "There is not enough memory for the report.");
    }
    return result != 0 ? wrong(in, key, expected) : 0;
}

/* A member; null is the same as absent. */
static const cJSON *member(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    return cJSON_IsNull(item) ? NULL : item;
}

static int read_text(struct input *in, const cJSON *object, const char *key, char **ret_text)
{
    const cJSON *item = member(object, key);

    if (item != NULL && !cJSON_IsString(item)) {
        return wrong(in, key, "a string");
    }
    return added(in, report_text(ret_text, item != NULL ? item->valuestring : NULL), key, "");
}

/* A string that must be there; it is borrowed. */
static int need_text(struct input *in, const cJSON *object, const char *key, const char **ret_text)
{
    const cJSON *item = member(object, key);

    if (!cJSON_IsString(item)) {
        return wrong(in, key, "a string");
    }
    *ret_text = item->valuestring;
    return 0;
}

/* *ret_value stays what it is when the member is absent. */
static int read_hex(struct input *in, const cJSON *object, const char *key, uint64_t *ret_value)
{
    const cJSON *item = member(object, key);

    if (item != NULL &&
        (!cJSON_IsString(item) || !report_parse_hex(item->valuestring, ret_value))) {
        return wrong(in, key, "a string \"0x…\" of at most 16 digits");
    }
    return 0;
}

static int read_integer(struct input *in, const cJSON *object, const char *key, int64_t most,
                        int64_t *ret_value)
{
    const cJSON *item = member(object, key);
    char expected[80];

    if (item == NULL) {
        return 0;
    }
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= (double)most) ||
        item->valuedouble != floor(item->valuedouble)) {
        snprintf(expected, sizeof(expected), "an integer from 0 to %" PRId64, most);
        return wrong(in, key, expected);
    }
    *ret_value = (int64_t)item->valuedouble;
    return 0;
}

static int read_time(struct input *in, const cJSON *object, const char *key, uint64_t *ret_wall_ns)
{
    const cJSON *item = member(object, key);

    if (item != NULL &&
        (!cJSON_IsString(item) || time_parse(item->valuestring, ret_wall_ns) != 0)) {
        return wrong(in, key, "a time like \"2026-11-25T19:42:47.123456Z\"");
    }
    return 0;
}

static int read_identity(struct input *in, const cJSON *root)
{
    const char *text = "";
    int result = need_text(in, root, "id", &text);

    if (result == 0 && !text_is_uuid(text)) {
        result = wrong(in, "id", "a UUID in lower case");
    }
    if (result != 0) {
        return result;
    }
    text_copy(in->report->id, sizeof(in->report->id), text);
    if ((result = need_text(in, root, "kind", &text)) != 0) {
        return result;
    }
    in->report->kind = report_kind_text(text);
    if (in->report->kind == NULL) {
        return wrong(in, "kind", "crash, request or death");
    }
    if ((result = need_text(in, root, "time", &text)) != 0) {
        return result;
    }
    return read_time(in, root, "time", &in->report->time_ns);
}

static int read_verdicts(struct input *in, const cJSON *root)
{
    struct report *report = in->report;
    int64_t tier = 0;
    int result;

    if ((result = read_integer(in, root, "tier", 3, &tier)) != 0 ||
        (result = read_text(in, root, "tier_reason", &report->tier_reason)) != 0 ||
        (result = read_text(in, root, "signature", &report->signature)) != 0 ||
        (result = read_text(in, root, "configuration", &report->configuration)) != 0) {
        return result;
    }
    report->tier = (int)tier;
    return read_text(in, root, "pipeline", &report->pipeline);
}

/* A member that is an object; *ret_object is NULL when it is absent. Sets where we are. */
static int enter(struct input *in, const cJSON *root, const char *key, const cJSON **ret_object)
{
    const cJSON *item = member(root, key);

    in->where[0] = '\0';
    if (item != NULL && !cJSON_IsObject(item)) {
        return wrong(in, key, "an object");
    }
    snprintf(in->where, sizeof(in->where), "%s.", key);
    *ret_object = item;
    return 0;
}

static int read_application(struct input *in, const cJSON *root)
{
    struct report *report = in->report;
    const cJSON *object;
    int result = enter(in, root, "application", &object);

    if (result == 0 && (result = read_text(in, object, "name", &report->application)) == 0 &&
        (result = read_text(in, object, "version", &report->version)) == 0 &&
        report->application == NULL) {
        result = added(in, report_text(&report->application, "unknown"), "name", "");
    }
    if (result == 0 && (result = enter(in, root, "process", &object)) == 0 &&
        (result = read_text(in, object, "executable", &report->executable)) == 0) {
        result = read_text(in, object, "user", &report->user);
    }
    return result;
}

static int read_signal(struct input *in, const cJSON *crash)
{
    struct report *report = in->report;
    const cJSON *signal = member(crash, "signal"), *code = member(crash, "code");

    if (signal == NULL) {
        return 0;
    }
    if (!cJSON_IsString(signal) || !report_parse_signal(signal->valuestring, &report->signal)) {
        return wrong(in, "signal", "a signal's name");
    }
    if (code != NULL && (!cJSON_IsString(code) ||
                         !report_parse_code(report->signal, code->valuestring, &report->si_code))) {
        return wrong(in, "code", "the name or number of a signal's code");
    }
    return 0;
}

static int read_crash(struct input *in, const cJSON *root)
{
    struct report *report = in->report;
    const cJSON *crash;
    int64_t pid = 0, tid = 0;
    int result = enter(in, root, "crash", &crash);

    if (result != 0 || (result = read_signal(in, crash)) != 0 ||
        (result = read_hex(in, crash, "address", &report->address)) != 0 ||
        (result = read_integer(in, crash, "pid", UINT32_MAX, &pid)) != 0 ||
        (result = read_integer(in, crash, "tid", UINT32_MAX, &tid)) != 0 ||
        (result = read_text(in, crash, "thread", &report->thread)) != 0 ||
        (result = read_text(in, crash, "reason", &report->reason)) != 0) {
        return result;
    }
    report->has_address = member(crash, "address") != NULL;
    report->pid = (uint32_t)pid;
    report->tid = (uint32_t)tid;
    return read_text(in, crash, "message", &report->message);
}

static void convert_number(double number, struct cairn_value *value)
{
    bool exact = number == floor(number) && fabs(number) <= (double)REPORT_EXACT_INTEGER;

    value->type = exact ? CAIRN_VALUE_INTEGER : CAIRN_VALUE_DOUBLE;
    value->integer = exact ? (int64_t)number : 0;
    value->number = exact ? 0 : number;
}

static bool convert_value(const cJSON *item, struct cairn_value *ret_value)
{
    memset(ret_value, 0, sizeof(*ret_value));
    if (cJSON_IsBool(item)) {
        ret_value->type = CAIRN_VALUE_BOOL;
        ret_value->boolean = cJSON_IsTrue(item);
    } else if (cJSON_IsNumber(item)) {
        convert_number(item->valuedouble, ret_value);
    } else if (cJSON_IsString(item)) {
        bool hex = report_parse_hex(item->valuestring, &ret_value->uint64);

        ret_value->type = hex ? CAIRN_VALUE_UINT64 : CAIRN_VALUE_STRING;
        ret_value->string = hex ? NULL : item->valuestring;
    } else {
        return false;
    }
    return true;
}

static int read_attribute(struct input *in, const cJSON *item)
{
    struct cairn_value value;

    if (!convert_value(item, &value)) {
        return wrong(in, "*", "a string, a number, true or false");
    }
    return added(in, report_set(in->report, item->string, &value), "*",
                 "of a valid name, size and number");
}

static int read_register(struct input *in, const cJSON *item)
{
    uint64_t value;
    int result;

    if (!cJSON_IsString(item) || !report_parse_hex(item->valuestring, &value)) {
        return wrong(in, "*", "a string \"0x…\" of at most 16 digits");
    }
    result = report_add_register(in->report, item->string, value);
    return result == CAIRN_EINVAL ? 0 : added(in, result, "*", "one of at most 64 registers");
}

static int read_timing(struct input *in, const cJSON *item)
{
    int64_t value = 0;

    if (!cJSON_IsNumber(item) ||
        !(item->valuedouble >= 0 && item->valuedouble <= (double)REPORT_EXACT_INTEGER)) {
        return wrong(in, "*", "a number of microseconds");
    }
    value = (int64_t)item->valuedouble;
    return added(in, report_timing(in->report, item->string, (uint64_t)value), "*",
                 "of a valid name and number");
}

static int read_note(struct input *in, const cJSON *item)
{
    int result;

    if (!cJSON_IsString(item)) {
        return wrong(in, "text", "a string");
    }
    /* A full list ends in a note that says so, here as when the report was made. */
    result = report_note(in->report, "%s", item->valuestring);
    return result == CAIRN_EFULL ? 0 : added(in, result, "text", "a note");
}

static int read_frame(struct input *in, const cJSON *item)
{
    struct report_frame frame = { 0 };
    const cJSON *trust = member(item, "trust");
    char *texts[3] = { NULL, NULL, NULL };
    int result;

    if ((result = read_hex(in, item, "address", &frame.address)) == 0 &&
        (result = read_hex(in, item, "module_offset", &frame.module_offset)) == 0 &&
        (result = read_hex(in, item, "symbol_offset", &frame.symbol_offset)) == 0 &&
        (result = read_text(in, item, "module", &texts[0])) == 0 &&
        (result = read_text(in, item, "build_id", &texts[1])) == 0 &&
        (result = read_text(in, item, "symbol", &texts[2])) == 0) {
        frame.module = texts[0];
        frame.build_id = texts[1];
        frame.symbol = texts[2];
        frame.trust = cJSON_IsString(trust) ? trust->valuestring : NULL;
        result = added(in, report_add_frame(in->report, &frame), "index", "below 512");
    }
    for (size_t i = 0; i < 3; i++) {
        free(texts[i]);
    }
    return result;
}

static int read_breadcrumb(struct input *in, const cJSON *item)
{
    const char *category = "", *message = "";
    uint64_t time_ns = 0;
    int result;

    if ((result = read_time(in, item, "time", &time_ns)) != 0 ||
        (result = need_text(in, item, "category", &category)) != 0 ||
        (result = need_text(in, item, "message", &message)) != 0) {
        return result;
    }
    return added(in, report_add_breadcrumb(in->report, time_ns, category, message), "message",
                 "one of at most 512");
}

static int read_artifact(struct input *in, const cJSON *item)
{
    const char *name = "", *media_type = "", *sha256 = "";
    int64_t bytes = 0;
    int result;

    if ((result = need_text(in, item, "name", &name)) != 0 ||
        (result = need_text(in, item, "media_type", &media_type)) != 0 ||
        (result = read_integer(in, item, "size", REPORT_EXACT_INTEGER, &bytes)) != 0 ||
        (result = need_text(in, item, "sha256", &sha256)) != 0) {
        return result;
    }
    if (strlen(sha256) > 64 || sha256[strspn(sha256, "0123456789abcdef")] != '\0') {
        return wrong(in, "sha256", "64 hexadecimal digits");
    }
    return added(in, report_add_artifact(in->report, name, media_type, (uint64_t)bytes, sha256),
                 "name", "the name of a file, one of at most 64");
}

static int read_delivery_state(struct input *in, const cJSON *item,
                               enum report_delivery_state *ret_state)
{
    const char *text = "";
    int result = need_text(in, item, "state", &text);

    for (int state = REPORT_PENDING; result == 0 && state <= REPORT_REJECTED; state++) {
        if (strcmp(report_delivery_text((enum report_delivery_state)state), text) == 0) {
            *ret_state = (enum report_delivery_state)state;
            return 0;
        }
    }
    return result != 0 ? result : wrong(in, "state", "pending, delivered or rejected");
}

static int read_attempts(struct input *in, const cJSON *item, struct report_delivery *delivery)
{
    int64_t attempts = 0, response_code = 0;
    int result;

    if ((result = read_integer(in, item, "attempts", INT32_MAX, &attempts)) != 0 ||
        (result = read_time(in, item, "next", &delivery->next_ns)) != 0 ||
        (result = read_time(in, item, "last", &delivery->last_ns)) != 0 ||
        (result = read_integer(in, item, "response_code", INT32_MAX, &response_code)) != 0) {
        return result;
    }
    delivery->attempts = (unsigned)attempts;
    delivery->response_code = (int)response_code;
    return 0;
}

static int read_delivery(struct input *in, const cJSON *item)
{
    struct report_delivery *delivery;
    const char *transport = "";
    int result = need_text(in, item, "transport", &transport);

    if (result != 0) {
        return result;
    }
    if (in->report->delivery_count >= REPORT_MAX_DELIVERIES) {
        return wrong(in, "transport", "one of at most 64");
    }
    delivery = report_add_delivery(in->report, transport);
    if (delivery == NULL) {
        return added(in, CAIRN_ENOMEM, "transport", "");
    }
    if ((result = read_delivery_state(in, item, &delivery->state)) != 0 ||
        (result = read_attempts(in, item, delivery)) != 0 ||
        (result = read_text(in, item, "server_id", &delivery->server_id)) != 0) {
        return result;
    }
    return read_text(in, item, "error", &delivery->error);
}

/* The members that are lists, and how each of their elements is read. */
struct list {
    const char *key;
    bool named;    /* an object of values by name, else an array */
    bool composed; /* the elements are objects */
    int (*read)(struct input *in, const cJSON *item);
};

static const struct list lists[] = {
    { "attributes", true, false, read_attribute },   { "notes", false, false, read_note },
    { "frames", false, true, read_frame },           { "registers", true, false, read_register },
    { "breadcrumbs", false, true, read_breadcrumb }, { "artifacts", false, true, read_artifact },
    { "deliveries", false, true, read_delivery },    { "timings", true, false, read_timing },
};

static int read_list(struct input *in, const struct list *list, const cJSON *root)
{
    const cJSON *items = member(root, list->key), *item;
    size_t index = 0;
    int result = 0;

    in->where[0] = '\0';
    if (items != NULL && !(list->named ? cJSON_IsObject(items) : cJSON_IsArray(items))) {
        return wrong(in, list->key, list->named ? "an object" : "an array");
    }
    cJSON_ArrayForEach(item, items)
    {
        snprintf(in->where, sizeof(in->where), list->named ? "%s." : "%s[%zu].", list->key,
                 index++);
        if (list->composed && !cJSON_IsObject(item)) {
            return wrong(in, "*", "an object");
        }
        if ((result = list->read(in, item)) != 0) {
            return result;
        }
    }
    return 0;
}

static int read_report(struct input *in, const cJSON *root)
{
    int result;

    if (!cJSON_IsObject(root)) {
        return wrong(in, "it", "an object");
    }
    if ((result = read_identity(in, root)) != 0 || (result = read_verdicts(in, root)) != 0 ||
        (result = read_application(in, root)) != 0 || (result = read_crash(in, root)) != 0) {
        return result;
    }
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        if ((result = read_list(in, &lists[i], root)) != 0) {
            return result;
        }
    }
    return 0;
}

/* The tree of a text that holds one value and nothing more; else, or without memory, NULL. */
static cJSON *parse(const char *text, size_t bytes)
{
    const char *end = text;
    cJSON *root = cJSON_ParseWithLengthOpts(text, bytes, &end, false);

    while (root != NULL && end < text + bytes) {
        if (strchr(" \t\r\n", *end++) == NULL) {
            cJSON_Delete(root);
            root = NULL;
        }
    }
    return root;
}

int report_from_json(const char *text, size_t bytes, struct report **ret_report,
                     struct error *error)
{
    struct input in = { .report = NULL, .error = error };
    cJSON *root;
    int result;

    if (bytes > REPORT_JSON_LIMIT || !report_is_modest(text, bytes)) {
        return error_set(
            error, CAIRN_EFORMAT,
            "The report is not valid: %zu bytes of JSON are too many, too deep or hold "
            "too many values.",
            bytes);
    }
    errno = 0;
    root = parse(text, bytes);
    if (root == NULL && errno == ENOMEM) { /* not the text's fault, though cJSON cannot say so */
        return error_set(error, CAIRN_ENOMEM, "There is not enough memory for the report.");
    }
    if (root == NULL) {
        return error_set(error, CAIRN_EFORMAT,
                         "The report is not valid: its %zu bytes are not JSON.", bytes);
    }
    in.report = report_create();
    result = in.report != NULL
                 ? read_report(&in, root)
                 : error_set(error, CAIRN_ENOMEM, "There is not enough memory for the report.");
    cJSON_Delete(root);
    if (result != 0) {
        report_destroy(in.report);
        return result;
    }
    *ret_report = in.report;
    return 0;
}

/* The counters of drops.json as "name": number, each with a comma before it but the first. */
static void copy_counters(const cJSON *root, const char *key, struct buf *out, uint64_t *ret_count)
{
    const cJSON *item;
    size_t count = 0;

    cJSON_ArrayForEach(item, root)
    {
        if (!cJSON_IsNumber(item) || item->string == NULL || count == MAX_COUNTERS ||
            item->string[strspn(item->string, "abcdefghijklmnopqrstuvwxyz0123456789-_")] != '\0' ||
            !(item->valuedouble >= 0 && item->valuedouble < (double)REPORT_EXACT_INTEGER)) {
            continue;
        }
        if (strcmp(item->string, key) == 0) {
            *ret_count = (uint64_t)item->valuedouble;
            continue;
        }
        buf_printf(out, "\"%s\": %" PRIu64 ", ", item->string, (uint64_t)item->valuedouble);
        count++;
    }
}

char *report_json_count(const char *text, size_t bytes, const char *key, uint64_t more)
{
    cJSON *root = report_is_modest(text, bytes) ? parse(text, bytes) : NULL;
    struct buf out;
    uint64_t count = 0;

    buf_init(&out, REPORT_JSON_LIMIT);
    buf_text(&out, "{");
    if (cJSON_IsObject(root)) {
        copy_counters(root, key, &out, &count);
    }
    cJSON_Delete(root);
    buf_printf(&out, "\"%s\": %" PRIu64 "}\n", key, count + more);
    return buf_take(&out);
}
