/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host functions by which a plugin says something: log, failure, problems, notes, attributes. Each
 * becomes a record for the host's process, which checks it once more. In a step's process.
 */
#include "core/plugin/host.h"
#include "core/util/time.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct host *host_of(const struct cairn_host *table)
{
    return table->private_data;
}

/* ---- Lines ---- */

static void send_line(struct host *host, struct wire_record record, const char *name,
                      const char *format, va_list arguments)
{
    char line[HOST_MAX_LINE];

    vsnprintf(line, sizeof(line), format, arguments);
    wire_send(host->wire, record, name, line, strlen(line));
}

CAIRN_PRINTF(3, 4)
static void put_log(const struct cairn_host *table, int level, const char *format, ...)
{
    struct host *host = host_of(table);
    va_list arguments;

    if (host->lines == HOST_MAX_LINES) {
        return;
    }
    host->lines++;
    va_start(arguments, format);
    send_line(host, (struct wire_record){ .type = WIRE_LOG, .bits = (uint64_t)level }, NULL, format,
              arguments);
    va_end(arguments);
}

CAIRN_PRINTF(2, 3)
static int put_failure(const struct cairn_host *table, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    send_line(host_of(table), (struct wire_record){ .type = WIRE_FAIL }, NULL, format, arguments);
    va_end(arguments);
    return CAIRN_PLUGIN_FAILED;
}

CAIRN_PRINTF(3, 4)
static int put_problem(const struct cairn_host *table, const char *option, const char *format, ...)
{
    struct host *host = host_of(table);
    va_list arguments;

    if (host->problems++ < CONFIG_MAX_PROBLEMS) {
        va_start(arguments, format);
        send_line(host, (struct wire_record){ .type = WIRE_PROBLEM }, option, format, arguments);
        va_end(arguments);
    }
    return CAIRN_PLUGIN_FAILED;
}

/* ---- What goes into the report ---- */

/* Whether a record of that size may still be sent. */
static bool spend(struct host *host, size_t bytes)
{
    if (bytes > host->output_left) {
        host->limited = true;
        return false;
    }
    host->output_left -= bytes;
    return true;
}

CAIRN_PRINTF(2, 3)
static void put_note(const struct cairn_host *table, const char *format, ...)
{
    struct host *host = host_of(table);
    char text[HOST_MAX_NOTE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (host->notes == HOST_MAX_NOTES) {
        host->limited = true;
    } else if (spend(host, strlen(text))) {
        host->notes++;
        wire_send(host->wire, (struct wire_record){ .type = WIRE_NOTE }, NULL, text, strlen(text));
    }
}

static bool is_attribute_name(const char *name)
{
    size_t bytes = name != NULL
                       ? strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789._-")
                       : 0;
    return bytes > 0 && bytes <= WIRE_MAX_NAME && name[bytes] == '\0';
}

/* Setting a name again replaces its value and takes no further place. */
static bool take_place(struct host *host, const char *name)
{
    for (size_t i = 0; i < host->attributes; i++) {
        if (strcmp(host->names[i], name) == 0) {
            return true;
        }
    }
    const char *copy = host->attributes < HOST_MAX_ATTRIBUTES ? strdup(name) : NULL;
    if (copy == NULL) {
        host->limited = true;
        return false;
    }
    host->names[host->attributes++] = copy;
    return true;
}

static int put_attribute(const struct cairn_host *table, const char *name,
                         enum cairn_value_type type, uint64_t bits, const char *text)
{
    struct host *host = host_of(table);
    enum cairn_kind kind = host->request->instance->kind;
    size_t bytes = text != NULL ? strnlen(text, WIRE_MAX_TEXT + 1) : 0;

    if ((kind != CAIRN_KIND_ANNOTATOR && kind != CAIRN_KIND_HOOK) || !is_attribute_name(name) ||
        bytes > WIRE_MAX_TEXT || !spend(host, strlen(name) + bytes) || !take_place(host, name)) {
        return CAIRN_PLUGIN_FAILED;
    }
    wire_send(host->wire,
              (struct wire_record){ .type = WIRE_ATTRIBUTE, .value = type, .bits = bits }, name,
              text, bytes);
    return CAIRN_PLUGIN_OK;
}

static int set_string(const struct cairn_host *table, const char *name, const char *value)
{
    return value != NULL ? put_attribute(table, name, CAIRN_VALUE_STRING, 0, value)
                         : CAIRN_PLUGIN_FAILED;
}

static int set_integer(const struct cairn_host *table, const char *name, int64_t value)
{
    return put_attribute(table, name, CAIRN_VALUE_INTEGER, (uint64_t)value, NULL);
}

static int set_double(const struct cairn_host *table, const char *name, double value)
{
    uint64_t bits;

    /* JSON has no infinities and no NaN. */
    if (!isfinite(value)) {
        return CAIRN_PLUGIN_FAILED;
    }
    memcpy(&bits, &value, sizeof(bits));
    return put_attribute(table, name, CAIRN_VALUE_DOUBLE, bits, NULL);
}

static int set_bool(const struct cairn_host *table, const char *name, int value)
{
    return put_attribute(table, name, CAIRN_VALUE_BOOL, value != 0, NULL);
}

/* ---- The step itself ---- */

static uint64_t time_left(const struct cairn_host *table)
{
    uint64_t now = time_monotonic_us(), deadline = host_of(table)->deadline_us;

    return now < deadline ? deadline - now : 0;
}

static const char *instance_name(const struct cairn_host *table)
{
    return host_of(table)->request->instance->id;
}

static int put_text(const struct cairn_host *table, uint64_t index, const char *text)
{
    struct host *host = host_of(table);
    const struct report *report = host->request->report;
    size_t bytes = text != NULL ? strnlen(text, HOST_MAX_TEXT + 1) : HOST_MAX_TEXT + 1;

    if (host->request->instance->kind != CAIRN_KIND_ANNOTATOR || report == NULL ||
        (index != STEP_TEXT_MESSAGE && index >= report->breadcrumb_count) ||
        bytes > HOST_MAX_TEXT || !spend(host, bytes)) {
        return CAIRN_PLUGIN_FAILED;
    }
    wire_send(host->wire, (struct wire_record){ .type = WIRE_TEXT, .bits = index }, NULL, text,
              bytes);
    return CAIRN_PLUGIN_OK;
}

static int set_message(const struct cairn_host *table, const char *text)
{
    return put_text(table, STEP_TEXT_MESSAGE, text);
}

static int set_breadcrumb(const struct cairn_host *table, size_t index, const char *message)
{
    return put_text(table, index, message);
}

const struct cairn_texts_service *host_texts_service(void)
{
    static const struct cairn_texts_service texts = { .size = sizeof(texts),
                                                      .set_message = set_message,
                                                      .set_breadcrumb = set_breadcrumb };

    return &texts;
}

static const void *service(const struct cairn_host *table, const char *name)
{
    if (name == NULL) {
        return NULL;
    }
    if (strcmp(name, CAIRN_SERVICE_PREVIEW) == 0) {
        return host_of(table)->request->preview ? host_preview_service() : NULL;
    }
    return strcmp(name, CAIRN_SERVICE_STATE) == 0      ? (const void *)host_state_service()
           : strcmp(name, CAIRN_SERVICE_TEXTS) == 0    ? (const void *)host_texts_service()
           : strcmp(name, CAIRN_SERVICE_ARTIFACT) == 0 ? (const void *)host_artifact_service()
                                                       : NULL;
}

void host_init(struct host *host, const struct step_request *request, int wire, int dump_fd,
               uint64_t deadline_us)
{
    *host = (struct host){
        .table = { .size = sizeof(struct cairn_host),
                   .abi_major = CAIRN_ABI_MAJOR,
                   .abi_minor = CAIRN_ABI_MINOR,
                   .log = put_log,
                   .fail = put_failure,
                   .problem = put_problem,
                   .note = put_note,
                   .time_left = time_left,
                   .instance = instance_name,
                   .set_string = set_string,
                   .set_integer = set_integer,
                   .set_double = set_double,
                   .set_bool = set_bool,
                   .service = service,
                   .private_data = host },
        .report = { request->report, request->dump, request->folder, dump_fd },
        .request = request,
        .wire = wire,
        .deadline_us = deadline_us,
        .output_left =
            request->instance->output_bytes != 0 ? request->instance->output_bytes : UINT64_MAX,
    };
    host_init_report(&host->table);
}
