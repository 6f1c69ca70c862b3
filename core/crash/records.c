/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Out of the shared page and into the minidump. The page is another process's memory and may change
 * or lie at any moment: what is judged is a copy, every length is clamped, every retry is counted.
 * Runs in the monitor and in the clone of a crashed program; imports nothing.
 */
#include "core/crash/records.h"

#include "core/capture/builtins.h"

/* A writer that a crash has stopped half-way never ends; one that runs needs microseconds. */
#define ATTEMPTS 1000

/* enum cairn_value_type of plugin.h, which import-free code cannot include. */
enum value_type { VALUE_NONE = 0, VALUE_STRING = 1, VALUE_LAST = 5 };

#define load(pointer)   __atomic_load_n((pointer), __ATOMIC_ACQUIRE)
#define reload(pointer) __atomic_load_n((pointer), __ATOMIC_RELAXED)

/* Bytes before the NUL, at most `limit`. */
static size_t length(const char *text, size_t limit)
{
    size_t bytes = 0;

    while (bytes < limit && text[bytes] != '\0') {
        bytes++;
    }
    return bytes;
}

static void copy(void *to, const void *from, size_t bytes)
{
    __builtin_memcpy(to, from, bytes);
}

/* A text of the page, ended within `capacity`. */
static const char *copy_text(char *to, const char *from, size_t capacity)
{
    copy(to, from, capacity);
    to[capacity - 1] = '\0';
    return to;
}

static void add_text(struct minidump_records *records, uint32_t type, const char *text)
{
    if (text != NULL && text[0] != '\0') {
        minidump_records_text(records, type, text);
    }
}

void crash_copy_slot(const struct page_slot *slot, struct page_slot *ret_slot)
{
    uint32_t state = load(&slot->state);

    copy(ret_slot, slot, sizeof(*ret_slot));
    ret_slot->state = state;
    ret_slot->id[sizeof(ret_slot->id) - 1] = '\0';
}

size_t crash_copy_regions(const struct page *page, struct capture_region ret_regions[PAGE_REGIONS])
{
    size_t count = 0;

    for (size_t i = 0; i < PAGE_REGIONS; i++) {
        uint64_t start = load(&page->regions[i].start);
        uint64_t bytes = reload(&page->regions[i].bytes);

        if (start == 0 || bytes == 0 || start + bytes < start) {
            continue;
        }
        ret_regions[count].start = start;
        ret_regions[count].bytes = bytes < PAGE_REGION_BYTES ? bytes : PAGE_REGION_BYTES;
        count++;
    }
    return count;
}

/* A copy of an annotation and its value that did not change meanwhile; 0 when there was none. */
static int read_annotation(const struct page *page, size_t index, struct page_annotation *ret_entry,
                           char *ret_value)
{
    const struct page_annotation *entry = &page->annotations[index];

    for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
        uint32_t sequence = load(&entry->sequence);

        if ((sequence & 1) != 0) {
            continue;
        }
        copy(ret_entry, entry, sizeof(*ret_entry));
        if (ret_entry->type == VALUE_STRING) {
            copy(ret_value, page->values[index], PAGE_VALUE_BYTES);
        }
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (sequence == reload(&entry->sequence)) {
            return 1;
        }
    }
    return 0;
}

static void note_changing(struct minidump_records *records, const char *page_name)
{
    static const char before[] = "The annotation \"";
    static const char after[] = "\" was being changed at the moment of the report; it is left out.";
    char name[PAGE_NAME_BYTES];

    copy_text(name, page_name, sizeof(name));
    minidump_records_add(records, MINIDUMP_RECORD_NOTE, before, sizeof(before) - 1, name,
                         length(name, sizeof(name)), after, sizeof(after) - 1);
}

/* String annotations once more, as Crashpad's tools expect them. */
static void add_simple(struct crash_records *records, struct arena *arena, const char *name,
                       size_t name_bytes, const char *value, size_t value_bytes)
{
    struct minidump_annotation *simple = &records->annotations[records->annotation_count];

    simple->name = arena_text(arena, name, name_bytes);
    simple->value = arena_text(arena, value, value_bytes);
    if (simple->name != NULL && simple->value != NULL) {
        records->annotation_count++;
    }
}

static void add_annotation(struct crash_records *records, struct arena *arena,
                           const struct page *page, size_t index, char *value)
{
    struct minidump_record_annotation head = { 0, 0, 0, 0, 0 };
    struct page_annotation entry;

    if (!read_annotation(page, index, &entry, value)) {
        note_changing(&records->records, page->annotations[index].name);
        return;
    }
    if (entry.type == VALUE_NONE || entry.type > VALUE_LAST) {
        return;
    }
    head.type = entry.type;
    head.name_bytes = (uint32_t)length(entry.name, sizeof(entry.name));
    head.bits = entry.bits;
    if (entry.type == VALUE_STRING) {
        head.value_bytes = entry.bytes < PAGE_VALUE_BYTES ? entry.bytes : PAGE_VALUE_BYTES;
        head.value_bytes = (uint32_t)length(value, head.value_bytes);
        add_simple(records, arena, entry.name, head.name_bytes, value, head.value_bytes);
    }
    minidump_records_add(&records->records, MINIDUMP_RECORD_ANNOTATION, &head, sizeof(head),
                         entry.name, head.name_bytes, value, head.value_bytes);
}

static int is_full(const struct minidump_records *records, size_t max_bytes)
{
    return max_bytes != 0 && records->bytes > max_bytes;
}

static void add_annotations(struct crash_records *records, struct arena *arena,
                            const struct page *page, size_t max_bytes)
{
    char *value = arena_alloc(arena, PAGE_VALUE_BYTES);

    if (value == NULL) {
        records->records.failed = 1;
        return;
    }
    for (size_t i = 0; i < PAGE_ANNOTATIONS; i++) {
        if (is_full(&records->records, max_bytes)) {
            minidump_records_text(&records->records, MINIDUMP_RECORD_NOTE,
                                  "Not all annotations did fit the report.");
            return;
        }
        if (load(&page->annotations[i].sequence) != 0) {
            add_annotation(records, arena, page, i, value);
        }
    }
}

/* 0 when the crumb is not whole: a new one is being written over it. */
static int read_breadcrumb(const struct page_breadcrumb *entry, struct page_breadcrumb *ret_entry)
{
    uint64_t sequence = load(&entry->sequence);

    if (sequence == 0 || (sequence & 1) != 0) {
        return 0;
    }
    copy(ret_entry, entry, sizeof(*ret_entry));
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    ret_entry->sequence = sequence;
    return sequence == reload(&entry->sequence);
}

/* Indices of the crumbs by age; by their own numbers, because the page's counter may lie. */
static size_t sort_breadcrumbs(const struct page *page, uint16_t *ret_indices)
{
    size_t count = 0;

    /* A zero is believed: else 17 pages that nobody has written would come into being here. */
    if (__atomic_load_n(&page->breadcrumb_next, __ATOMIC_RELAXED) == 0) {
        return 0;
    }
    for (size_t i = 0; i < PAGE_BREADCRUMBS; i++) {
        uint64_t sequence = load(&page->breadcrumbs[i].sequence);
        size_t place = count;

        if (sequence == 0) {
            continue;
        }
        while (place > 0 &&
               reload(&page->breadcrumbs[ret_indices[place - 1]].sequence) > sequence) {
            ret_indices[place] = ret_indices[place - 1];
            place--;
        }
        ret_indices[place] = (uint16_t)i;
        count++;
    }
    return count;
}

/* Where there is a cap, the newest quarter. */
static void add_breadcrumbs(struct minidump_records *records, const struct page *page,
                            size_t max_bytes)
{
    uint16_t indices[PAGE_BREADCRUMBS];
    size_t count = sort_breadcrumbs(page, indices);
    size_t most = max_bytes != 0 ? PAGE_BREADCRUMBS / 4 : PAGE_BREADCRUMBS;

    for (size_t i = count > most ? count - most : 0; i < count; i++) {
        struct minidump_record_breadcrumb head;
        struct page_breadcrumb entry;

        if (!read_breadcrumb(&page->breadcrumbs[indices[i]], &entry)) {
            continue;
        }
        head.time = entry.time;
        head.category_bytes = (uint32_t)length(entry.category, sizeof(entry.category));
        head.message_bytes = (uint32_t)length(entry.message, sizeof(entry.message));
        minidump_records_add(records, MINIDUMP_RECORD_BREADCRUMB, &head, sizeof(head),
                             entry.category, head.category_bytes, entry.message,
                             head.message_bytes);
    }
}

static void add_attachments(struct minidump_records *records, const struct page *page)
{
    char path[PAGE_PATH_BYTES];

    for (size_t i = 0; i < PAGE_ATTACHMENTS; i++) {
        if (load(&page->attachments[i].used) != 0) {
            add_text(records, MINIDUMP_RECORD_ATTACHMENT,
                     copy_text(path, page->attachments[i].path, sizeof(path)));
        }
    }
}

static void add_regions(struct minidump_records *records, const struct page *page)
{
    char name[sizeof(page->regions[0].name)];

    for (size_t i = 0; i < PAGE_REGIONS; i++) {
        struct minidump_record_region head = { load(&page->regions[i].start), 0, 0, 0 };

        if (head.start != 0) {
            head.bytes = reload(&page->regions[i].bytes);
            copy_text(name, page->regions[i].name, sizeof(name));
            head.name_bytes = (uint32_t)length(name, sizeof(name));
            minidump_records_add(records, MINIDUMP_RECORD_REGION, &head, sizeof(head), name,
                                 head.name_bytes, NULL, 0);
        }
    }
}

static void add_parked(struct minidump_records *records, const struct page *page)
{
    uint32_t count = load(&page->parked_count);

    for (size_t i = 0; i < count && i < PAGE_PARKED; i++) {
        struct minidump_record_parked parked;

        parked.tid = (uint32_t)load(&page->parked[i].tid);
        parked.signal = (uint32_t)reload(&page->parked[i].signal);
        if (parked.tid != 0) {
            minidump_records_add(records, MINIDUMP_RECORD_PARKED, &parked, sizeof(parked), NULL, 0,
                                 NULL, 0);
        }
    }
}

void crash_records_build(const struct page *page, const struct crash_event *event,
                         struct arena *arena, struct crash_records *ret_records)
{
    struct minidump_records *records = &ret_records->records;
    struct minidump_record_info info = { 1, event->tier, event->kind, event->pid, event->wall_ns };
    struct minidump_record_descent descent = { event->parent, (uint32_t)load(&page->pid) };
    char text[sizeof(page->application)];

    _Static_assert(sizeof(text) >= sizeof(page->application_version), "one buffer for both");
    minidump_records_init(records, arena);
    ret_records->annotation_count = 0;
    minidump_records_add(records, MINIDUMP_RECORD_INFO, &info, sizeof(info), NULL, 0, NULL, 0);
    add_text(records, MINIDUMP_RECORD_ID, event->id);
    add_text(records, MINIDUMP_RECORD_TIER_REASON, event->tier_reason);
    add_text(records, MINIDUMP_RECORD_APPLICATION,
             copy_text(text, page->application, sizeof(page->application)));
    add_text(records, MINIDUMP_RECORD_VERSION,
             copy_text(text, page->application_version, sizeof(page->application_version)));
    add_text(records, MINIDUMP_RECORD_MESSAGE, event->message);
    if (event->child != 0) {
        minidump_records_add(records, MINIDUMP_RECORD_DESCENT, &descent, sizeof(descent), NULL, 0,
                             NULL, 0);
    } else {
        add_parked(records, page);
    }
    add_attachments(records, page);
    if (event->foreign == 0) {
        add_regions(records, page);
    }
    add_annotations(ret_records, arena, page, event->max_bytes);
    add_breadcrumbs(records, page, event->max_bytes);
}
