/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the shared page as a broken program leaves it: the monitor's snapshot of a slot, regions,
 * records, and the texts that it copies; and the descriptor that is said to be a page. The input is
 * a list of changes to an empty page: offset, length, bytes.
 */
#include "core/capture/arena.h"
#include "core/crash/records.h"
#include "core/minidump/reader.h"
#include "core/monitor/page.h"
#include "core/report/report.h"
#include "tests/fuzz/process.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void change(struct page *page, struct fuzz_input *input)
{
    size_t offset = fuzz_number(input, 3) % sizeof(*page);
    size_t bytes = fuzz_byte(input);
    size_t room = sizeof(*page) - offset;

    bytes = bytes < input->left ? bytes : input->left;
    bytes = bytes < room ? bytes : room;
    memcpy((char *)page + offset, input->at, bytes);
    input->at += bytes;
    input->left -= bytes;
}

static void check_copies(const struct page *page)
{
    struct capture_region regions[PAGE_REGIONS];
    struct page_slot slot;
    char text[PAGE_PATH_BYTES];
    size_t count = crash_copy_regions(page, regions);

    fuzz_require(count <= PAGE_REGIONS);
    for (size_t i = 0; i < count; i++) {
        fuzz_require(regions[i].bytes <= PAGE_REGION_BYTES);
        fuzz_require(regions[i].start + regions[i].bytes > regions[i].start);
    }
    crash_copy_slot(&page->slots[SLOT_CRASH], &slot);
    fuzz_require(memchr(slot.id, '\0', sizeof(slot.id)) != NULL);
    page_copy_text(text, sizeof(text), page->message, sizeof(page->message));
    fuzz_require(memchr(text, '\0', sizeof(text)) != NULL);
    page_copy_text(text, sizeof(text), page->config_file, sizeof(page->config_file));
    fuzz_require(memchr(text, '\0', sizeof(text)) != NULL);
    page_copy_text(text, 16, page->application, sizeof(page->application));
    fuzz_require(memchr(text, '\0', 16) != NULL);
}

/* The records must survive the way through a minidump into a report. */
static void check_records(const struct page *page, unsigned fail_at)
{
    const struct crash_event event = { .tier = 1,
                                       .kind = MINIDUMP_KIND_CRASH,
                                       .pid = 7,
                                       .wall_ns = 1,
                                       .id = "0193c1de-0000-7000-8000-00000000000a" };
    struct report *report = report_create();
    struct crash_records records;
    struct minidump_extra extra = { .records = &records.records };
    struct capture capture;
    struct minidump *dump;
    struct error error;
    int fd = fuzz_file(NULL, 0);

    process_begin(&capture, fail_at, (struct fuzz_input){ NULL, 0 });
    crash_records_build(page, &event, &capture.arena, &records);
    fuzz_require(records.annotation_count <= PAGE_ANNOTATIONS);
    extra.annotations = records.annotations;
    extra.annotation_count = records.annotation_count;
    if (minidump_write(&capture, &extra, fd) == 0) {
        fuzz_require(minidump_open(fd, "fuzz", &dump, &error) == 0);
        fuzz_require(report != NULL && report_from_minidump(report, dump) == 0);
        minidump_close(dump);
    } else {
        fuzz_require(capture.arena.failed);
    }
    report_destroy(report);
    process_finish(&capture);
    close(fd);
}

/* A page is mapped only if it has our size and layout and cannot shrink. */
static void check_map(struct fuzz_input *input)
{
    size_t size = sizeof(struct page) - (fuzz_byte(input) & 1);
    int seals = fuzz_byte(input) & (F_SEAL_SHRINK | F_SEAL_GROW);
    struct page *page = NULL;
    int fd = memfd_create("fuzz", MFD_ALLOW_SEALING | MFD_CLOEXEC);
    int result;

    fuzz_require(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
    fuzz_require(pwrite(fd, input->at, input->left < 64 ? input->left : 64, 0) >= 0);
    fuzz_require(fcntl(fd, F_ADD_SEALS, seals) == 0);
    result = page_map(fd, &page);
    fuzz_require((result == 0) == (page != NULL));
    fuzz_require(page == NULL || ((seals & F_SEAL_SHRINK) != 0 && size == sizeof(*page)));
    if (page != NULL) {
        munmap(page, sizeof(*page)); /* the descriptor is closed */
    } else {
        close(fd);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct page *page;
    struct fuzz_input input = { data, bytes };
    uint8_t fail_at = fuzz_byte(&input);

    check_map(&input);
    if (page == NULL) {
        page = page_make();
        fuzz_require(page != NULL);
    }
    memset(page, 0, sizeof(*page));
    while (input.left > 0) {
        change(page, &input);
    }
    check_copies(page);
    check_records(page, fail_at);
    return 0;
}
