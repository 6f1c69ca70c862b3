/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unit tests of the shared page: annotations and breadcrumbs as the program writes them, and the
 * records that the monitor makes of them, of an honest page and of one that lies.
 */
#include "core/client/client.h"
#include "core/crash/records.h"
#include "tests/unit/tap.h"

#include <cairn/plugin.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)CLIENT_UNSET == (int)CAIRN_VALUE_NONE &&
                   (int)CLIENT_STRING == (int)CAIRN_VALUE_STRING &&
                   (int)CLIENT_INTEGER == (int)CAIRN_VALUE_INTEGER &&
                   (int)CLIENT_DOUBLE == (int)CAIRN_VALUE_DOUBLE &&
                   (int)CLIENT_BOOL == (int)CAIRN_VALUE_BOOL,
               "page and plugins number the types of values alike");

static struct page *page;

static void begin(void)
{
    free(page);
    page = aligned_alloc(4096, (sizeof(*page) + 4095) / 4096 * 4096);
    if (page == NULL) {
        abort();
    }
    memset(page, 0, sizeof(*page));
}

static int set_string(const char *name, const char *text)
{
    struct client_value value = { CAIRN_VALUE_STRING, 0, text };

    return client_set_annotation(page, name, &value);
}

static int set_integer(const char *name, int64_t number)
{
    struct client_value value = { CAIRN_VALUE_INTEGER, (uint64_t)number, NULL };

    return client_set_annotation(page, name, &value);
}

static int unset(const char *name)
{
    struct client_value value = { CAIRN_VALUE_NONE, 0, NULL };

    return client_set_annotation(page, name, &value);
}

static int find(const char *name)
{
    for (int i = 0; i < PAGE_ANNOTATIONS; i++) {
        if (page->annotations[i].type != 0 && strcmp(page->annotations[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

static int count(void)
{
    int used = 0;

    for (size_t i = 0; i < PAGE_ANNOTATIONS; i++) {
        used += page->annotations[i].type != 0;
    }
    return used;
}

static void names_are_checked(void)
{
    char longest[65];

    begin();
    memset(longest, 'n', sizeof(longest));
    longest[64] = '\0';
    CU_ASSERT_EQUAL(set_string(NULL, "v"), CAIRN_EINVAL);
    CU_ASSERT_EQUAL(set_string("", "v"), CAIRN_EINVAL);
    CU_ASSERT_EQUAL(set_string("a b", "v"), CAIRN_EINVAL);
    CU_ASSERT_EQUAL(set_string("a/b", "v"), CAIRN_EINVAL);
    CU_ASSERT_EQUAL(set_string("\xc3\xa9", "v"), CAIRN_EINVAL);
    CU_ASSERT_EQUAL(set_string(longest, "v"), CAIRN_EINVAL);
    longest[63] = '\0';
    CU_ASSERT_EQUAL(set_string(longest, "v"), 0);
    CU_ASSERT_EQUAL(set_string("A-z_0.9", "v"), 0);
    CU_ASSERT_EQUAL(set_string("name", NULL), CAIRN_EINVAL);
    CU_ASSERT_EQUAL(count(), 2);
}

static void values_are_replaced(void)
{
    int index;

    begin();
    CU_ASSERT_EQUAL(set_string("name", "first"), 0);
    CU_ASSERT_EQUAL(set_string("name", "2nd"), 0);
    index = find("name");
    CU_ASSERT_EQUAL_FATAL(index >= 0, 1);
    CU_ASSERT_EQUAL(page->annotations[index].bytes, 3);
    CU_ASSERT_STRING_EQUAL(page->values[index], "2nd");
    CU_ASSERT_EQUAL(set_integer("name", -5), 0);
    CU_ASSERT_EQUAL(find("name"), index);
    CU_ASSERT_EQUAL(page->annotations[index].type, CAIRN_VALUE_INTEGER);
    CU_ASSERT_EQUAL((int64_t)page->annotations[index].bits, -5);
    CU_ASSERT_EQUAL(page->annotations[index].sequence % 2, 0);
    CU_ASSERT_EQUAL(count(), 1);
}

static void long_strings_are_refused(void)
{
    static char text[PAGE_VALUE_BYTES + 1];

    begin();
    memset(text, 'x', PAGE_VALUE_BYTES);
    CU_ASSERT_EQUAL(set_string("name", text), CAIRN_ETOOLONG);
    CU_ASSERT_EQUAL(count(), 0);
    text[PAGE_VALUE_BYTES - 1] = '\0';
    CU_ASSERT_EQUAL(set_string("name", text), 0);
    CU_ASSERT_EQUAL(page->annotations[find("name")].bytes, PAGE_VALUE_BYTES - 1);
}

static void the_table_fills_and_is_reused(void)
{
    char name[24];

    begin();
    for (int i = 0; i < PAGE_ANNOTATIONS; i++) {
        snprintf(name, sizeof(name), "name-%d", i);
        CU_ASSERT_EQUAL(set_integer(name, i), 0);
    }
    CU_ASSERT_EQUAL(count(), PAGE_ANNOTATIONS);
    CU_ASSERT_EQUAL(set_integer("one-more", 1), CAIRN_EFULL);
    CU_ASSERT_EQUAL(set_integer("name-77", 1), 0);
    CU_ASSERT_EQUAL(unset("name-77"), 0);
    CU_ASSERT_EQUAL(unset("name-77"), CAIRN_ENOENT);
    CU_ASSERT_EQUAL(find("name-77"), -1);
    CU_ASSERT_EQUAL(set_integer("one-more", 1), 0);
    CU_ASSERT_EQUAL(set_integer("name-77", 1), CAIRN_EFULL);
    CU_ASSERT_EQUAL(count(), PAGE_ANNOTATIONS);
}

static void an_interrupted_update_is_busy(void)
{
    int index;

    begin();
    CU_ASSERT_EQUAL(unset("name"), CAIRN_ENOENT);
    CU_ASSERT_EQUAL(set_string("name", "value"), 0);
    index = find("name");
    page->annotations[index].sequence++;
    CU_ASSERT_EQUAL(set_string("name", "other"), CAIRN_EBUSY);
    CU_ASSERT_STRING_EQUAL(page->values[index], "value");
    page->annotations[index].sequence++;
    CU_ASSERT_EQUAL(set_string("name", "other"), 0);
    page->annotations[index].sequence = UINT32_MAX - 1;
    CU_ASSERT_EQUAL(set_string("name", "after"), 0);
    CU_ASSERT_NOT_EQUAL(page->annotations[index].sequence, 0);
}

static void *bring_names(void *unused)
{
    char name[24];

    (void)unused;
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 100; i++) {
            snprintf(name, sizeof(name), "shared-%d", i);
            while (set_integer(name, round) == CAIRN_EBUSY) {
            }
        }
    }
    return NULL;
}

static void threads_meet_at_one_entry(void)
{
    pthread_t threads[4];

    begin();
    for (size_t i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(pthread_create(&threads[i], NULL, bring_names, NULL), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    CU_ASSERT_EQUAL(count(), 100);
}

static void texts_are_cut_at_characters(void)
{
    char text[6];

    CU_ASSERT_EQUAL(client_copy_text(text, sizeof(text), "abc"), 3);
    CU_ASSERT_EQUAL(client_copy_text(text, sizeof(text), "abcdef"), 5);
    CU_ASSERT_STRING_EQUAL(text, "abcde");
    CU_ASSERT_EQUAL(client_copy_text(text, sizeof(text), "abc\xe2\x82\xac"), 3);
    CU_ASSERT_STRING_EQUAL(text, "abc");
    CU_ASSERT_EQUAL(client_copy_text(text, sizeof(text), "ab\xe2\x82\xac"), 5);
    CU_ASSERT_EQUAL(client_copy_text(text, sizeof(text), "\x80\x80\x80\x80\x80\x80\x80"), 2);
}

static void breadcrumbs_go_around(void)
{
    char message[16];

    begin();
    CU_ASSERT_EQUAL(client_add_breadcrumb(page, 1, "c", NULL), CAIRN_EINVAL);
    for (uint64_t i = 0; i < 300; i++) {
        snprintf(message, sizeof(message), "crumb %d", (int)i);
        CU_ASSERT_EQUAL(client_add_breadcrumb(page, i, NULL, message), 0);
    }
    CU_ASSERT_EQUAL(page->breadcrumbs[43].sequence, 2 * 299 + 2);
    CU_ASSERT_STRING_EQUAL(page->breadcrumbs[43].message, "crumb 299");
    CU_ASSERT_STRING_EQUAL(page->breadcrumbs[44].message, "crumb 44");
    page->breadcrumbs[44].sequence++;
    CU_ASSERT_EQUAL(client_add_breadcrumb(page, 0, NULL, "busy"), CAIRN_EBUSY);
    CU_ASSERT_EQUAL(client_add_breadcrumb(page, 0, NULL, "goes on"), 0);
}

/* ---- the monitor's side ---- */

static struct arena arena;
static struct crash_records records;

static void build(void)
{
    const struct crash_event event = { .tier = 1,
                                       .kind = MINIDUMP_KIND_CRASH,
                                       .pid = 42,
                                       .wall_ns = 77,
                                       .id = "0190163d-8694-739b-aea5-966c26f8ad90",
                                       .message = "why" };

    arena_init(&arena, 16u << 20);
    crash_records_build(page, &event, &arena, &records);
    CU_ASSERT_EQUAL(records.records.failed, 0);
}

/* The number-th record of that type, or NULL. */
static const unsigned char *record(uint32_t type, size_t number, size_t *ret_bytes)
{
    size_t at = 0;

    while (at + sizeof(struct minidump_record) <= records.records.bytes) {
        struct minidump_record head;

        memcpy(&head, records.records.data + at, sizeof(head));
        at += sizeof(head);
        if (head.type == type && number-- == 0) {
            *ret_bytes = head.bytes;
            return records.records.data + at;
        }
        at += (head.bytes + 3) / 4 * 4;
    }
    return NULL;
}

static int has_text(uint32_t type, size_t number, const char *text)
{
    size_t bytes = 0;
    const unsigned char *data = record(type, number, &bytes);

    return data != NULL && bytes >= strlen(text) && memcmp(data, text, strlen(text)) == 0;
}

static void a_page_becomes_records(void)
{
    struct minidump_record_info info;
    struct minidump_record_breadcrumb crumb;
    struct minidump_record_annotation annotation;
    const unsigned char *data;
    size_t bytes = 0;

    begin();
    client_copy_text(page->application, sizeof(page->application), "shop");
    client_copy_text(page->application_version, sizeof(page->application_version), "1.2");
    set_string("team", "payments");
    set_integer("count", -7);
    for (uint64_t i = 0; i < 300; i++) {
        client_add_breadcrumb(page, i, "cat", "message");
    }
    page->attachments[3].used = 1;
    client_copy_text(page->attachments[3].path, PAGE_PATH_BYTES, "/var/log/shop");
    page->parked_count = 1;
    page->parked[0].tid = 9;
    page->parked[0].signal = 6;
    build();
    data = record(MINIDUMP_RECORD_INFO, 0, &bytes);
    CU_ASSERT_PTR_NOT_NULL_FATAL(data);
    memcpy(&info, data, sizeof(info));
    CU_ASSERT_EQUAL(info.pid, 42);
    CU_ASSERT_EQUAL(info.time, 77);
    CU_ASSERT_TRUE(has_text(MINIDUMP_RECORD_APPLICATION, 0, "shop"));
    CU_ASSERT_TRUE(has_text(MINIDUMP_RECORD_VERSION, 0, "1.2"));
    CU_ASSERT_TRUE(has_text(MINIDUMP_RECORD_MESSAGE, 0, "why"));
    CU_ASSERT_TRUE(has_text(MINIDUMP_RECORD_ATTACHMENT, 0, "/var/log/shop"));
    CU_ASSERT_PTR_NOT_NULL(record(MINIDUMP_RECORD_PARKED, 0, &bytes));
    CU_ASSERT_PTR_NULL(record(MINIDUMP_RECORD_PARKED, 1, &bytes));
    CU_ASSERT_EQUAL(records.annotation_count, 1);
    CU_ASSERT_STRING_EQUAL(records.annotations[0].name, "team");
    CU_ASSERT_STRING_EQUAL(records.annotations[0].value, "payments");
    for (size_t i = 0; i < 2; i++) {
        data = record(MINIDUMP_RECORD_ANNOTATION, i, &bytes);
        CU_ASSERT_PTR_NOT_NULL_FATAL(data);
        memcpy(&annotation, data, sizeof(annotation));
        CU_ASSERT_EQUAL(bytes, sizeof(annotation) + annotation.name_bytes + annotation.value_bytes);
    }
    for (size_t i = 0; i < PAGE_BREADCRUMBS; i++) {
        data = record(MINIDUMP_RECORD_BREADCRUMB, i, &bytes);
        CU_ASSERT_PTR_NOT_NULL_FATAL(data);
        memcpy(&crumb, data, sizeof(crumb));
        CU_ASSERT_EQUAL(crumb.time, 300 - PAGE_BREADCRUMBS + i);
    }
    arena_finish(&arena);
}

static void a_half_written_entry_becomes_a_note(void)
{
    size_t bytes;

    begin();
    set_string("whole", "value");
    set_string("half", "value");
    page->annotations[find("half")].sequence++;
    build();
    CU_ASSERT_TRUE(has_text(MINIDUMP_RECORD_NOTE, 0, "The annotation \"half\" was being changed"));
    CU_ASSERT_PTR_NOT_NULL(record(MINIDUMP_RECORD_ANNOTATION, 0, &bytes));
    CU_ASSERT_PTR_NULL(record(MINIDUMP_RECORD_ANNOTATION, 1, &bytes));
    arena_finish(&arena);
}

/* Everything that can be a length, a count or a text without an end is as bad as it gets. */
static void a_page_that_lies_is_bounded(void)
{
    struct capture_region regions[PAGE_REGIONS];
    struct page_slot slot;

    begin();
    memset(page, 0xfe, sizeof(*page));
    build();
    arena_finish(&arena);
    CU_ASSERT_TRUE(crash_copy_regions(page, regions) <= PAGE_REGIONS);
    crash_copy_slot(&page->slots[0], &slot);
    CU_ASSERT_EQUAL(slot.id[sizeof(slot.id) - 1], '\0');
    for (size_t i = 0; i < PAGE_ANNOTATIONS; i++) {
        page->annotations[i].type = CAIRN_VALUE_STRING;
    }
    build();
    CU_ASSERT_EQUAL(records.annotation_count, PAGE_ANNOTATIONS);
    for (size_t i = 0; i < records.annotation_count; i++) { /* no end within the page's fields */
        CU_ASSERT_EQUAL(strlen(records.annotations[i].name), PAGE_NAME_BYTES);
        CU_ASSERT_EQUAL(strlen(records.annotations[i].value), PAGE_VALUE_BYTES);
    }
    arena_finish(&arena);
}

static void regions_are_clamped(void)
{
    struct capture_region regions[PAGE_REGIONS];

    begin();
    page->regions[1] = (struct page_region){ .start = 4096, .bytes = 1ull << 40 };
    page->regions[2] = (struct page_region){ .start = UINT64_MAX - 1, .bytes = 4096 };
    page->regions[5] = (struct page_region){ .start = 8192, .bytes = 16 };
    CU_ASSERT_EQUAL_FATAL(crash_copy_regions(page, regions), 2);
    CU_ASSERT_EQUAL(regions[0].bytes, PAGE_REGION_BYTES);
    CU_ASSERT_EQUAL(regions[1].start, 8192);
    CU_ASSERT_EQUAL(regions[1].bytes, 16);
}

int main(void)
{
    static const struct tap_test tests[] = {
        { "names are checked", names_are_checked },
        { "values are replaced", values_are_replaced },
        { "long strings are refused", long_strings_are_refused },
        { "the table fills and is reused", the_table_fills_and_is_reused },
        { "an interrupted update is busy", an_interrupted_update_is_busy },
        { "threads meet at one entry", threads_meet_at_one_entry },
        { "texts are cut at characters", texts_are_cut_at_characters },
        { "breadcrumbs go around", breadcrumbs_go_around },
        { "a page becomes records", a_page_becomes_records },
        { "a half-written entry becomes a note", a_half_written_entry_becomes_a_note },
        { "a page that lies is bounded", a_page_that_lies_is_bounded },
        { "regions are clamped", regions_are_clamped },
        { NULL, NULL },
    };
    int result = tap_run("annotations", tests);

    free(page);
    return result;
}
