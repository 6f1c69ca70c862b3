/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Captures a process: stop, read, release. Runs in the monitor and in the clone of a crashed
 * program; imports nothing. The steps are in files of their own, see parts.h.
 */
#include "core/capture/capture.h"

#include "core/capture/parts.h"
#include "core/capture/sys.h"
#include "core/capture/text.h"

#define ROOM_BESIDES_MEMORY  ((size_t)512 << 20) /* virtual; what is needed is far less */
#define DEFAULT_MEMORY_BYTES ((size_t)1 << 30)
#define MAX_NOTES            256u
#define MAX_REGIONS          1024u
#define NOTE_BYTES           512
#define RELEASE_TRIES        50
#define RELEASE_PAUSE_NS     1000000ull

void capture_note(struct capture *capture, const char *format, ...)
{
    char text[NOTE_BYTES];
    va_list arguments;
    size_t length;
    const char *note;

    va_start(arguments, format);
    length = capture_format_list(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (capture->notes == NULL) {
        capture->notes = arena_array(&capture->arena, MAX_NOTES, sizeof(*capture->notes));
    }
    if (capture->notes == NULL || capture->note_count == MAX_NOTES) {
        return;
    }
    if (capture->note_count == MAX_NOTES - 1) {
        length = capture_format(text, sizeof(text), "There were more notes than these.");
    }
    note = arena_text(&capture->arena, text, length);
    if (note != NULL) {
        capture->notes[capture->note_count++] = note;
    }
}

const struct capture_file *capture_file(const struct capture *capture, const char *name)
{
    for (size_t i = 0; i < capture->file_count; i++) {
        if (capture_equal(capture->files[i].name, name)) {
            return &capture->files[i];
        }
    }
    return NULL;
}

/* The request, with what it points to: the caller's memory may be the crashed program's. */
static void copy_request(struct capture *capture, const struct capture_request *request)
{
    struct capture_region *regions;
    size_t count = request->region_count < MAX_REGIONS ? request->region_count : MAX_REGIONS;

    capture->request = *request;
    if (request->tid == 0) {
        capture->request.tid = request->pid;
    }
    if (request->siginfo != NULL) {
        capture_copy(capture->siginfo, request->siginfo, sizeof(capture->siginfo));
    }
    capture->request.siginfo = capture->siginfo;
    regions = arena_array(&capture->arena, count, sizeof(*regions));
    if (regions == NULL || request->regions == NULL) {
        count = 0;
    } else {
        capture_copy(regions, request->regions, count * sizeof(*regions));
    }
    capture->request.regions = regions;
    capture->request.region_count = count;
}

/* The crashed thread if it can be read, else any that can. */
static int32_t choose_through(const struct capture *capture)
{
    /* Of one's own process the caller's thread: the main thread may have ended. */
    if (capture->own) {
        return sys_gettid();
    }
    if (capture->crashed != SIZE_MAX && capture->threads[capture->crashed].has_registers) {
        return capture->request.tid;
    }
    for (size_t i = 0; i < capture->thread_count; i++) {
        if (capture->threads[i].has_registers) {
            return capture->threads[i].tid;
        }
    }
    return capture->request.pid;
}

static void read_all(struct capture *capture)
{
    threads_use_context(capture);
    process_read_files(capture);
    if (capture->request.more != NULL) {
        capture->request.more(capture);
    }
    mappings_parse(capture);
    if (capture->mapping_count == 0) {
        capture->guessed = 1;
        mappings_guess(capture);
    }
    choose_memory(capture);
    modules_find(capture);
    modules_trim(capture);
    modules_read(capture);
    linkage_read(capture);
    message_read(capture);
    if (capture->arena.failed) {
        capture_note(capture,
                     "Memory ran out while the process was captured: something is missing.");
    }
}

int capture_begin(struct capture *capture, const struct capture_request *request)
{
    uint64_t memory = request->max_bytes != 0 ? request->max_bytes : DEFAULT_MEMORY_BYTES;
    int result;

    capture_fill(capture, 0, sizeof(*capture));
    capture->began_ns = sys_now(CLOCK_MONOTONIC);
    capture->crashed = SIZE_MAX;
    capture->memory_fd = -1;
    arena_init(&capture->arena,
               memory > SIZE_MAX / 2 ? SIZE_MAX : (size_t)memory + ROOM_BESIDES_MEMORY);
    if (request->scratch != NULL) {
        arena_lend(&capture->arena, request->scratch, request->scratch_bytes);
    }
    copy_request(capture, request);
    capture->own = request->pid == sys_getpid();
    result = threads_stop(capture);
    capture->stopped_ns = sys_now(CLOCK_MONOTONIC);
    if (result == 0) {
        capture->through = choose_through(capture);
        read_all(capture);
        capture->read_ns = sys_now(CLOCK_MONOTONIC);
        if (capture->block_count == 0 && capture->mapping_count == 0) {
            result = -EFAULT;
        }
    }
    if (result < 0) {
        capture_finish(capture);
    }
    return result;
}

void capture_release(struct capture *capture)
{
    threads_release(capture);
    if (capture->memory_fd >= 0) {
        sys_close(capture->memory_fd);
        capture->memory_fd = -1;
    }
    if (capture->released_ns == 0) {
        capture->released_ns = sys_now(CLOCK_MONOTONIC);
    }
}

void capture_finish(struct capture *capture)
{
    for (int i = 0; i < RELEASE_TRIES; i++) {
        capture_release(capture);
        if (capture->attached == 0) {
            break;
        }
        sys_nanosleep(RELEASE_PAUSE_NS);
    }
    arena_finish(&capture->arena);
    capture_fill(capture, 0, sizeof(*capture));
}
