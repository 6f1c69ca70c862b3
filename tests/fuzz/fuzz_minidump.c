/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes minidumps: the reader with every accessor, the report that is made of one and its way
 * through report.json, the map of code, the unwinder without call frame information, and what the
 * minidump writer cuts out.
 */
#include "core/engine/code.h"
#include "core/engine/stackwalk.h"
#include "core/engine/unwind.h"
#include "core/minidump/reader.h"
#include "core/report/report.h"
#include "plugins/writer/minidump/reduce.h"
#include "plugins/writer/minidump/said.h"
#include "plugins/writer/minidump/sanitize.h"
#include "plugins/writer/minidump/shrink.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* No file of a module is there. */
enum stackwalk_end stackwalk_callers(struct stackwalk *files,
                                     const struct unwind_registers *registers, uint64_t lookup,
                                     stackwalk_caller_fn *found, void *user)
{
    (void)files, (void)registers, (void)lookup, (void)found, (void)user;
    return STACKWALK_UNKNOWN;
}

bool stackwalk_code(struct stackwalk *files, uint64_t address, void *buffer, size_t bytes)
{
    (void)files, (void)address, (void)buffer, (void)bytes;
    return false;
}

/* Touches every byte, so that a pointer beyond the image is found. */
static void touch(const void *data, size_t bytes)
{
    const volatile unsigned char *at = data;

    for (size_t i = 0; i < bytes; i++) {
        (void)at[i];
    }
}

static void touch_text(const char *text)
{
    fuzz_require(text != NULL);
    touch(text, strlen(text));
}

static void read_lists(const struct minidump *dump)
{
    for (size_t i = 0; i < minidump_thread_count(dump); i++) {
        const struct minidump_thread *thread = minidump_thread_at(dump, i);

        touch_text(thread->name);
        touch(thread->context, thread->context != NULL ? thread->context_bytes : 0);
        fuzz_require(minidump_thread_by_id(dump, thread->id) != NULL);
    }
    for (size_t i = 0; i < minidump_module_count(dump); i++) {
        const struct minidump_module *module = minidump_module_at(dump, i);

        touch_text(module->path);
        touch_text(module->build_id);
        touch_text(module->version);
        (void)minidump_module_of(dump, module->base);
    }
    for (size_t i = 0; i < minidump_block_count(dump); i++) {
        const struct minidump_block *block = minidump_block_at(dump, i);
        unsigned char copy[64];

        touch(block->data, (size_t)block->bytes);
        (void)minidump_read(dump, block->start + block->bytes - 8, copy, sizeof(copy));
    }
}

static void read_streams(const struct minidump *dump)
{
    static const char *const files[] = { "status", "maps", "auxv", "cmdline", "environ", "stat" };
    struct minidump_record_view record;
    const char *name, *value;
    size_t cursor = 0, bytes;

    while (minidump_record_next(dump, &cursor, &record)) {
        touch(record.data, record.bytes);
    }
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (minidump_process_file(dump, files[i], &value, &bytes)) {
            touch(value, bytes + 1);
            fuzz_require(value[bytes] == '\0');
        }
    }
    for (size_t i = 0; minidump_annotation_at(dump, i, &name, &value); i++) {
        touch_text(name);
        touch_text(value);
    }
    touch_text(minidump_cpu(dump));
    touch_text(minidump_system(dump));
    touch_text(minidump_system_version(dump));
}

static bool emit(const struct unwind_frame *frame, void *user)
{
    (void)frame;
    return ++*(size_t *)user < UNWIND_MAX_FRAMES;
}

static void walk(const struct minidump *dump)
{
    const struct minidump_exception *exception = minidump_exception(dump);
    struct unwind_registers registers;
    struct minidump_register value;
    struct code_map map;
    size_t frames = 0;

    code_map_init(&map, dump);
    for (size_t i = 1; i < map.count; i++) {
        fuzz_require(map.ranges[i].start >= map.ranges[i - 1].end);
    }
    code_map_finish(&map);
    if (!exception->present || exception->context == NULL) {
        return;
    }
    for (size_t i = 0;
         minidump_register_at(dump, exception->context, exception->context_bytes, i, &value); i++) {
        fuzz_require(minidump_register_name(value.name) != NULL);
    }
    if (unwind_registers_of(dump, exception->context, exception->context_bytes, &registers)) {
        (void)unwind_run(dump, NULL, &registers, emit, &frames);
    }
}

static void make_report(const struct minidump *dump)
{
    struct report *report = report_create(), *again = NULL;
    struct error error;
    char *text;

    fuzz_require(report != NULL && report_from_minidump(report, dump) == 0);
    fuzz_require(report_sign(report) == 0);
    /* as the engine does */
    if (report->id[0] == '\0') {
        memcpy(report->id, "0193c1de-0000-7000-8000-00000000000a", sizeof(report->id));
    }
    if (report->application == NULL) {
        fuzz_require(report_text(&report->application, "fuzz") == 0);
    }
    text = report_to_json(report);
    fuzz_require(text != NULL);
    if (strlen(text) <= REPORT_JSON_LIMIT) {
        fuzz_require_accepted(report_from_json(text, strlen(text), &again, &error), error.text);
    }
    free(text);
    report_destroy(again);
    report_destroy(report);
}

/* Every piece lies in the file, behind the one before. */
static void sanitize(const uint8_t *data, size_t bytes)
{
    const struct sanitize_piece *piece;
    struct sanitizer sanitizer;
    unsigned char word[16];
    uint64_t end = 0;

    if (sanitize_init(&sanitizer, data, bytes) == 0) {
        while ((piece = sanitize_next(&sanitizer, end)) != NULL) {
            size_t some = piece->bytes < sizeof(word) ? (size_t)piece->bytes : sizeof(word);

            fuzz_require(piece->offset >= end && piece->bytes > 0 && piece->offset <= bytes &&
                         piece->bytes <= bytes - piece->offset);
            end = piece->offset + piece->bytes;
            sanitize_copy(&sanitizer, piece, piece->offset, some, word);
            sanitize_copy(&sanitizer, piece, end - some, some, word);
        }
    }
    sanitize_finish(&sanitizer);
}

/* What is kept fits the room and lies in the file, in order. */
static void shrink(const uint8_t *data, size_t bytes, uint64_t room)
{
    struct shrink plan;
    uint64_t end;

    if (shrink_init(&plan, data, bytes, room) != SHRINK_DONE) {
        return;
    }
    end = plan.head_bytes;
    touch(plan.head, plan.head_bytes);
    for (size_t i = 0; i < plan.count; i++) {
        const struct shrink_piece *piece = &plan.pieces[i];

        fuzz_require(piece->from <= piece->to && piece->to <= piece->bytes &&
                     piece->offset <= bytes && piece->bytes <= bytes - piece->offset &&
                     piece->place == end);
        end += piece->to - piece->from;
    }
    fuzz_require(end == plan.bytes && end <= room);
    shrink_finish(&plan);
}

/* A host for which annotators have replaced everything. */
static int replaced(const struct cairn_host *host, const struct cairn_report *report,
                    const char *path)
{
    (void)host, (void)report;
    return path[0] != '\0';
}

static const void *service(const struct cairn_host *host, const char *name)
{
    static const struct cairn_artifact_service artifact = { .size = sizeof(artifact),
                                                            .replaced = replaced };

    (void)host, (void)name;
    return &artifact;
}

static int breadcrumb_at(const struct cairn_host *host, const struct cairn_report *report,
                         size_t index, struct cairn_breadcrumb *ret_breadcrumb)
{
    (void)host, (void)report;
    ret_breadcrumb->time = index;
    return index < 2;
}

static void reduce(const uint8_t *data, size_t bytes, const char *stat)
{
    static const struct cairn_host host = { .size = sizeof(host),
                                            .service = service,
                                            .breadcrumb_at = breadcrumb_at };
    struct holes holes = { 0 };
    uint64_t last = 0;

    if (reduce_find(data, bytes, REDUCE_ALL, stat, &holes) == 0) {
        (void)said_find(&host, NULL, data, bytes, &holes);
        for (size_t i = 0; i < holes.count; i++) {
            fuzz_require(holes.items[i].offset >= last && holes.items[i].bytes <= bytes &&
                         holes.items[i].offset <= bytes - holes.items[i].bytes);
            last = holes.items[i].offset + holes.items[i].bytes;
        }
        free(holes.items);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct minidump *dump = NULL;
    const char *stat = NULL;
    struct error error;
    int fd = fuzz_file(data, bytes);
    size_t stat_bytes;

    if (minidump_open(fd, "fuzz", &dump, &error) == 0) {
        read_lists(dump);
        read_streams(dump);
        walk(dump);
        make_report(dump);
        (void)minidump_process_file(dump, "stat", &stat, &stat_bytes);
        reduce(data, bytes, stat);
        sanitize(data, bytes);
        shrink(data, bytes, bytes);
        shrink(data, bytes, bytes - bytes / 4);
        shrink(data, bytes, bytes / 2);
        minidump_close(dump);
    } else {
        fuzz_require(dump == NULL && error.text[0] != '\0');
    }
    close(fd);
    return 0;
}
