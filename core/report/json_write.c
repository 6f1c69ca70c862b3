/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.json as text. Written by hand rather than from a tree of a JSON library, so that every
 * number keeps its digits and a failing allocation shows up in one place, the buffer. Engine,
 * sender, tools.
 *
 * What is unknown is absent, but for the members that readers want to rely on: those are null.
 */
#include "core/report/report_inner.h"

#include "core/util/buf.h"
#include "core/util/text.h"
#include "core/util/time.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 4

/* The text so far and, per open bracket, whether a member was written and how members are set. */
struct writer {
    struct buf buf;
    int depth;
    bool filled[MAX_DEPTH + 1];
    bool lines[MAX_DEPTH + 1]; /* each member on a line of its own */
};

static void write_escape(struct buf *buf, char c)
{
    if (c == '"' || c == '\\') {
        buf_printf(buf, "\\%c", c);
    } else if (c == '\n') {
        buf_text(buf, "\\n");
    } else if (c == '\t') {
        buf_text(buf, "\\t");
    } else {
        buf_printf(buf, "\\u%04x", (unsigned char)c);
    }
}

static void write_quoted(struct buf *buf, const char *text)
{
    const char *plain = text; /* what was not written yet and needs no escape */

    buf_text(buf, "\"");
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == '"' || *text == '\\') {
            buf_add(buf, plain, (size_t)(text - plain));
            write_escape(buf, *text);
            plain = text + 1;
        }
    }
    buf_add(buf, plain, (size_t)(text - plain));
    buf_text(buf, "\"");
}

static void new_line(struct writer *writer)
{
    buf_printf(&writer->buf, "\n%*s", writer->depth * 2, "");
}

/* What stands before a member: comma, line, key. `key` is NULL in lists. */
static void start_member(struct writer *writer, const char *key)
{
    if (writer->filled[writer->depth]) {
        buf_text(&writer->buf, writer->lines[writer->depth] ? "," : ", ");
    }
    writer->filled[writer->depth] = true;
    if (writer->lines[writer->depth]) {
        new_line(writer);
    }
    if (key != NULL) {
        write_quoted(&writer->buf, key);
        buf_text(&writer->buf, ": ");
    }
}

static void open_bracket(struct writer *writer, const char *key, const char *bracket, bool lines)
{
    if (writer->depth > 0) {
        start_member(writer, key);
    }
    buf_text(&writer->buf, bracket);
    writer->depth++;
    writer->filled[writer->depth] = false;
    writer->lines[writer->depth] = lines;
}

static void close_bracket(struct writer *writer, const char *bracket)
{
    bool line = writer->lines[writer->depth] && writer->filled[writer->depth];

    writer->depth--;
    if (line) {
        new_line(writer);
    }
    buf_text(&writer->buf, bracket);
}

static void put_text(struct writer *writer, const char *key, const char *text)
{
    start_member(writer, key);
    write_quoted(&writer->buf, text);
}

static void put_known(struct writer *writer, const char *key, const char *text)
{
    if (text != NULL) {
        put_text(writer, key, text);
    }
}

static void put_nullable(struct writer *writer, const char *key, const char *text)
{
    if (text != NULL) {
        put_text(writer, key, text);
    } else {
        start_member(writer, key);
        buf_text(&writer->buf, "null");
    }
}

static void put_hex(struct writer *writer, const char *key, uint64_t value)
{
    start_member(writer, key);
    buf_printf(&writer->buf, "\"0x%" PRIx64 "\"", value);
}

static void put_integer(struct writer *writer, const char *key, int64_t value)
{
    bool exact = value >= -REPORT_EXACT_INTEGER && value <= REPORT_EXACT_INTEGER;

    start_member(writer, key);
    buf_printf(&writer->buf, exact ? "%" PRId64 : "\"%" PRId64 "\"", value);
}

/* Counts and durations; what no double holds exactly is cut to the largest that one does. */
static void put_count(struct writer *writer, const char *key, uint64_t value)
{
    put_integer(writer, key,
                value < REPORT_EXACT_INTEGER ? (int64_t)value : (int64_t)REPORT_EXACT_INTEGER);
}

static void put_true(struct writer *writer, const char *key)
{
    start_member(writer, key);
    buf_text(&writer->buf, "true");
}

static void put_time(struct writer *writer, const char *key, uint64_t wall_ns)
{
    char text[32];

    time_format(wall_ns, text);
    put_text(writer, key, text);
}

static void put_double(struct writer *writer, const char *key, double value)
{
    char text[40];
    double back;

    if (!isfinite(value)) {
        put_text(writer, key, isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
        return;
    }
    /* The shorter of the two when it reads back as the same number. */
    snprintf(text, sizeof(text), "%.15g", value);
    back = strtod(text, NULL);
    if (memcmp(&back, &value, sizeof(value)) != 0) {
        snprintf(text, sizeof(text), "%.17g", value);
    }
    start_member(writer, key);
    buf_printf(&writer->buf, "%s%s", text, strpbrk(text, ".e") == NULL ? ".0" : "");
}

static void put_value(struct writer *writer, const char *key, const struct cairn_value *value)
{
    switch (value->type) {
    case CAIRN_VALUE_STRING:
        put_text(writer, key, value->string);
        break;
    case CAIRN_VALUE_INTEGER:
        put_integer(writer, key, value->integer);
        break;
    case CAIRN_VALUE_DOUBLE:
        put_double(writer, key, value->number);
        break;
    case CAIRN_VALUE_BOOL:
        start_member(writer, key);
        buf_text(&writer->buf, value->boolean != 0 ? "true" : "false");
        break;
    default:
        put_hex(writer, key, value->uint64);
    }
}

static void write_crash(struct writer *writer, const struct report *report)
{
    char buffer[16];

    open_bracket(writer, "crash", "{", true);
    put_nullable(writer, "signal",
                 report->signal != 0 ? text_signal_name(report->signal, buffer) : NULL);
    if (report->signal != 0) {
        put_known(writer, "code", report_code_text(report, buffer));
    }
    if (report->has_address) {
        put_hex(writer, "address", report->address);
    } else {
        put_nullable(writer, "address", NULL);
    }
    if (report->pid != 0) {
        put_integer(writer, "pid", report->pid);
    }
    if (report->tid != 0) {
        put_integer(writer, "tid", report->tid);
    }
    put_nullable(writer, "thread", report->thread);
    put_known(writer, "reason", report->reason);
    put_nullable(writer, "message", report->message);
    close_bracket(writer, "}");
}

static void write_head(struct writer *writer, const struct report *report)
{
    put_text(writer, "id", report->id);
    open_bracket(writer, "application", "{", false);
    put_text(writer, "name", report->application != NULL ? report->application : "unknown");
    put_nullable(writer, "version", report->version);
    close_bracket(writer, "}");
    put_time(writer, "time", report->time_ns);
    put_text(writer, "kind", report->kind);
    write_crash(writer, report);
    put_nullable(writer, "signature", report->signature);
    put_integer(writer, "tier", report->tier);
    put_known(writer, "tier_reason", report->tier_reason);
    put_known(writer, "pipeline", report->pipeline);
    put_known(writer, "configuration", report->configuration);
    open_bracket(writer, "process", "{", false);
    put_known(writer, "executable", report->executable);
    put_known(writer, "user", report->user);
    close_bracket(writer, "}");
}

static void write_frames(struct writer *writer, const struct report *report)
{
    open_bracket(writer, "frames", "[", true);
    for (size_t i = 0; i < report->frame_count; i++) {
        const struct report_frame *frame = &report->frames[i];

        open_bracket(writer, NULL, "{", false);
        put_count(writer, "index", i);
        put_hex(writer, "address", frame->address);
        if (frame->module != NULL) {
            put_text(writer, "module", frame->module);
            put_known(writer, "build_id", frame->build_id);
            put_hex(writer, "module_offset", frame->module_offset);
        }
        if (frame->symbol != NULL) {
            put_text(writer, "symbol", frame->symbol);
            put_hex(writer, "symbol_offset", frame->symbol_offset);
        }
        put_text(writer, "trust", frame->trust);
        close_bracket(writer, "}");
    }
    close_bracket(writer, "]");
}

static void write_facts(struct writer *writer, const struct report *report)
{
    open_bracket(writer, "attributes", "{", true);
    for (size_t i = 0; i < report->attribute_count; i++) {
        put_value(writer, report->attributes[i].name, &report->attributes[i].value);
    }
    close_bracket(writer, "}");
    open_bracket(writer, "notes", "[", true);
    for (size_t i = 0; i < report->note_count; i++) {
        put_text(writer, NULL, report->notes[i]);
    }
    close_bracket(writer, "]");
    write_frames(writer, report);
    open_bracket(writer, "registers", "{", true);
    for (size_t i = 0; i < report->register_count; i++) {
        put_hex(writer, report->registers[i].name, report->registers[i].value);
    }
    close_bracket(writer, "}");
    open_bracket(writer, "breadcrumbs", "[", true);
    for (size_t i = 0; i < report->breadcrumb_count; i++) {
        open_bracket(writer, NULL, "{", false);
        put_time(writer, "time", report->breadcrumbs[i].time_ns);
        put_text(writer, "category", report->breadcrumbs[i].category);
        put_text(writer, "message", report->breadcrumbs[i].message);
        close_bracket(writer, "}");
    }
    close_bracket(writer, "]");
}

static void write_delivery(struct writer *writer, const struct report_delivery *delivery)
{
    open_bracket(writer, NULL, "{", false);
    put_text(writer, "transport", delivery->transport);
    put_text(writer, "state", report_delivery_text(delivery->state));
    put_integer(writer, "attempts", delivery->attempts);
    if (delivery->next_ns != 0) {
        put_time(writer, "next", delivery->next_ns);
    }
    if (delivery->last_ns != 0) {
        put_time(writer, "last", delivery->last_ns);
    }
    put_known(writer, "server_id", delivery->server_id);
    if (delivery->response_code != 0) {
        put_integer(writer, "response_code", delivery->response_code);
    }
    put_known(writer, "error", delivery->error);
    close_bracket(writer, "}");
}

static void write_tail(struct writer *writer, const struct report *report)
{
    open_bracket(writer, "artifacts", "[", true);
    for (size_t i = 0; i < report->artifact_count; i++) {
        const struct report_artifact *artifact = &report->artifacts[i];

        open_bracket(writer, NULL, "{", false);
        put_text(writer, "name", artifact->name);
        put_text(writer, "media_type", artifact->media_type);
        put_count(writer, "size", artifact->bytes);
        put_text(writer, "sha256", artifact->sha256);
        if (report_artifact_stays(artifact)) {
            put_true(writer, "stays");
        }
        close_bracket(writer, "}");
    }
    close_bracket(writer, "]");
    open_bracket(writer, "deliveries", "[", true);
    for (size_t i = 0; i < report->delivery_count; i++) {
        write_delivery(writer, &report->deliveries[i]);
    }
    close_bracket(writer, "]");
    open_bracket(writer, "timings", "{", true);
    for (size_t i = 0; i < report->timing_count; i++) {
        put_count(writer, report->timings[i].name, report->timings[i].microseconds);
    }
    close_bracket(writer, "}");
}

char *report_to_json(const struct report *report)
{
    struct writer writer = { .depth = 0 };

    buf_init(&writer.buf, REPORT_JSON_LIMIT - 1); /* a newline follows in the file */
    open_bracket(&writer, NULL, "{", true);
    write_head(&writer, report);
    write_facts(&writer, report);
    write_tail(&writer, report);
    close_bracket(&writer, "}");
    return buf_take(&writer.buf);
}
