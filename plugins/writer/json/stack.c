/* SPDX-License-Identifier: Apache-2.0 */
/* Threads, frames, registers and modules of writer/json. Runs in a step of the engine. */
#include "plugins/writer/json/document.h"

#include <ctype.h>
#include <string.h>

#define ID_BYTES       12
#define DEBUG_ID_BYTES 34 /* 32 digits, the age, the NUL */

/* ---- Modules ---- */

/* Breakpad's form of a build id: its first 16 bytes as a GUID, whose three first fields are little
 * endian, in capitals, and the age 0. A build id that is too short gives none. */
static const char *debug_id(const char *build_id, char text[DEBUG_ID_BYTES])
{
    static const unsigned char order[] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

    if (build_id == NULL || strspn(build_id, "0123456789abcdef") < 32) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof(order); i++) {
        text[2 * i] = (char)toupper((unsigned char)build_id[2 * order[i]]);
        text[2 * i + 1] = (char)toupper((unsigned char)build_id[2 * order[i] + 1]);
    }
    text[32] = '0';
    text[33] = '\0';
    return text;
}

void document_modules(struct document *document)
{
    const struct cairn_host *host = document->host;
    struct emit *emit = &document->emit;
    char id[DEBUG_ID_BYTES];

    emit_array(emit, "modules");
    for (size_t i = 0; i < DOCUMENT_MAX_ITEMS; i++) {
        struct cairn_module module = { .size = sizeof(module) };

        if (!host->module_at(host, document->report, i, &module)) {
            break;
        }
        emit_object(emit, NULL);
        emit_uint64(emit, "start", module.base);
        emit_integer(emit, "size", (int64_t)(module.length & INT64_MAX));
        emit_string(emit, "code_file", module.path);
        emit_string(emit, "version", module.version);
        emit_string(emit, "debug_file", module.path);
        emit_string(emit, "debug_identifier", debug_id(module.build_id, id));
        emit_end(emit, '}');
    }
    emit_end(emit, ']');
}

/* ---- Frames ---- */

static void emit_registers(struct document *document)
{
    const struct cairn_host *host = document->host;

    emit_object(&document->emit, "registers");
    for (size_t i = 0; i < DOCUMENT_MAX_ITEMS; i++) {
        struct cairn_register item = { .size = sizeof(item) };

        if (!host->register_at(host, document->report, i, &item)) {
            break;
        }
        emit_uint64(&document->emit, item.name, item.value);
    }
    emit_end(&document->emit, '}');
}

static void emit_frame(struct document *document, const struct cairn_frame *frame)
{
    struct emit *emit = &document->emit;
    char id[DEBUG_ID_BYTES];

    emit_object(emit, NULL);
    emit_uint64(emit, "address", frame->address);
    emit_string(emit, "funcName", document->symbolicate ? NULL : frame->symbol);
    emit_string(emit, "library", frame->module_path != NULL ? frame->module_path : frame->module);
    emit_string(emit, "debug_identifier", debug_id(frame->build_id, id));
    if (frame->trust != NULL && strcmp(frame->trust, "scan") == 0) {
        emit_bool(emit, "guessed_frame", 1);
    }
    if (frame->index == 0) {
        emit_bool(emit, "faulted", 1);
        emit_registers(document);
    }
    emit_end(emit, '}');
}

static void emit_frames(struct document *document)
{
    const struct cairn_host *host = document->host;

    for (size_t i = 0; i < DOCUMENT_MAX_ITEMS; i++) {
        struct cairn_frame frame = { .size = sizeof(frame) };

        if (!host->frame_at(host, document->report, i, &frame)) {
            return;
        }
        emit_frame(document, &frame);
    }
}

/* ---- Threads ---- */

/* Only the crashed thread's stack was walked; of the others it is known where they were. */
static void emit_thread(struct document *document, const struct cairn_thread *thread)
{
    struct emit *emit = &document->emit;
    char key[ID_BYTES];

    snprintf(key, sizeof(key), "%u", thread->id);
    emit_object(emit, key);
    emit_string(emit, "name", thread->name != NULL ? thread->name : "");
    emit_bool(emit, "fault", thread->crashed);
    emit_array(emit, "stack");
    if (thread->crashed) {
        emit_frames(document);
    } else if (thread->instruction_pointer != 0) {
        emit_object(emit, NULL);
        emit_uint64(emit, "address", thread->instruction_pointer);
        emit_end(emit, '}');
    }
    emit_end(emit, ']');
    emit_end(emit, '}');
}

/* The crashed thread as the report has it, in case the dump has lost its list of threads. */
static struct cairn_thread crashed_thread(const struct document *document)
{
    const struct cairn_host *host = document->host;
    struct cairn_thread thread = { .size = sizeof(thread), .crashed = 1 };
    struct cairn_value value;

    if (host->get(host, document->report, "crash.tid", &value) &&
        value.type == CAIRN_VALUE_INTEGER && value.integer > 0) {
        thread.id = (uint32_t)value.integer;
    }
    if (host->get(host, document->report, "crash.thread", &value) &&
        value.type == CAIRN_VALUE_STRING) {
        thread.name = value.string;
    }
    return thread;
}

void document_threads(struct document *document, size_t most)
{
    const struct cairn_host *host = document->host;
    struct cairn_thread crashed = crashed_thread(document);
    char main_thread[ID_BYTES];
    size_t written = 1;

    snprintf(main_thread, sizeof(main_thread), "%u", crashed.id);
    emit_string(&document->emit, "mainThread", main_thread);
    emit_object(&document->emit, "threads");
    emit_thread(document, &crashed);
    for (size_t i = 0; i < DOCUMENT_MAX_ITEMS && written < most; i++) {
        struct cairn_thread thread = { .size = sizeof(thread) };

        if (!host->thread_at(host, document->report, i, &thread)) {
            break;
        }
        if (thread.id != crashed.id) {
            thread.crashed = 0;
            emit_thread(document, &thread);
            written++;
        }
    }
    emit_end(&document->emit, '}');
}
