/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes what a hostile process shows of itself: maps, auxv, status, stat, limits, ELF headers,
 * notes, dynamic sections and the dynamic linker's list in its memory. What the capture makes of
 * them is written as a minidump, which must be one, and becomes a report.
 */
#include "core/minidump/reader.h"
#include "core/minidump/writer.h"
#include "core/report/report.h"
#include "tests/fuzz/process.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PID 4242

static void check_modules(const struct capture *capture)
{
    for (size_t i = 0; i < capture->module_count; i++) {
        const struct capture_module *module = &capture->modules[i];

        fuzz_require(module->path != NULL && module->soname != NULL);
        fuzz_require(module->build_id_bytes <= sizeof(module->build_id));
        fuzz_require(!module->is_main || i == 0);
    }
    for (size_t i = 0; i < capture->linkage.link_count; i++) {
        fuzz_require(strlen(capture->linkage.links[i].name) < 256);
    }
}

/* Two threads; the second has crashed and its stack is the start of the memory. */
static void add_threads(struct capture *capture, struct fuzz_input memory)
{
    static struct capture_thread threads[2];
    static struct capture_block block;

    memset(threads, 0, sizeof(threads));
    threads[0] = (struct capture_thread){ .tid = PID, .state = THREAD_REFUSED, .name = "main" };
    threads[1] = (struct capture_thread){ .tid = PID + 1,
                                          .state = THREAD_STOPPED,
                                          .has_registers = 1,
                                          .stack_start = PROCESS_MEMORY,
                                          .stack_bytes = memory.left };
    block = (struct capture_block){ PROCESS_MEMORY, memory.left, memory.at };
    capture->threads = threads;
    capture->thread_count = 2;
    capture->crashed = 1;
    capture->blocks = &block;
    capture->block_count = memory.left > 0;
    capture->request.pid = PID;
    capture->request.tid = PID + 1;
    capture->request.signal = 11;
}

static void read_back(int fd)
{
    struct report *report = report_create();
    struct minidump *dump = NULL;
    struct error error;

    fuzz_require(minidump_open(fd, "fuzz", &dump, &error) == 0);
    fuzz_require(report != NULL && report_from_minidump(report, dump) == 0);
    report_destroy(report);
    minidump_close(dump);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const char *const names[] = { "maps", "auxv", "status", "stat", "limits" };
    struct fuzz_input input = { data, bytes }, parts[5];
    struct minidump_extra extra = { .records = NULL };
    uint8_t fail_at = fuzz_byte(&input);
    struct capture capture;
    int fd = fuzz_file(NULL, 0);

    for (size_t i = 0; i < 5; i++) {
        parts[i] = fuzz_part(&input);
    }
    process_begin(&capture, fail_at, input);
    for (size_t i = 0; i < 5; i++) {
        process_add_file(&capture, names[i], parts[i]);
    }
    mappings_parse(&capture);
    modules_find(&capture);
    modules_read(&capture);
    linkage_read(&capture);
    check_modules(&capture);
    add_threads(&capture, input);
    if (minidump_write(&capture, &extra, fd) == 0) {
        read_back(fd);
    } else {
        fuzz_require(capture.arena.failed);
    }
    process_finish(&capture);
    close(fd);
    return 0;
}
