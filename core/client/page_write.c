/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Annotations and breadcrumbs in the shared page. Lock-free and signal-safe: no system call, no
 * allocation, no lock. A writer makes an entry's sequence odd, so that the monitor leaves a
 * half-written one out, and a second writer of the same entry gives up after a while.
 */
#include "core/client/client.h"

#include <stdbool.h>
#include <string.h>

/* Another thread's update takes a microsecond at most; one that our caller interrupted, for ever.
 */
#define ATTEMPTS 2000

#define load(pointer) __atomic_load_n((pointer), __ATOMIC_ACQUIRE)

static bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

/* The length of a valid name, or 0. `ret_hash` is where to start looking for it. */
static size_t measure_name(const char *name, uint32_t *ret_hash)
{
    uint32_t hash = 2166136261u;
    size_t bytes = 0;

    for (; name[bytes] != '\0'; bytes++) {
        if (bytes == PAGE_NAME_BYTES - 1 || !is_name_character(name[bytes])) {
            return 0;
        }
        hash = (hash ^ (unsigned char)name[bytes]) * 16777619u;
    }
    *ret_hash = hash;
    return bytes;
}

static bool begin(uint32_t *sequence)
{
    for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
        uint32_t even = __atomic_load_n(sequence, __ATOMIC_RELAXED) & ~1u;

        if (__atomic_compare_exchange_n(sequence, &even, even + 1, 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED)) {
            __atomic_thread_fence(__ATOMIC_SEQ_CST);
            return true;
        }
        __builtin_ia32_pause();
    }
    return false;
}

/* 0 means that the entry was never used: not even four billion updates come back to it. */
static void end(uint32_t *sequence)
{
    uint32_t next = __atomic_load_n(sequence, __ATOMIC_RELAXED) + 1;

    __atomic_store_n(sequence, next != 0 ? next : 2, __ATOMIC_RELEASE);
}

/* Waits until nobody is writing the entry. */
static bool is_stable(const uint32_t *sequence)
{
    for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
        if ((load(sequence) & 1) == 0) {
            return true;
        }
        __builtin_ia32_pause();
    }
    return false;
}

static void write_value(struct page *page, size_t index, const struct client_value *value,
                        size_t string_bytes)
{
    struct page_annotation *entry = &page->annotations[index];

    entry->type = value->type;
    entry->bits = value->bits;
    entry->bytes = (uint32_t)string_bytes;
    if (value->type == CLIENT_STRING) {
        memcpy(page->values[index], value->string, string_bytes);
        page->values[index][string_bytes] = '\0';
    }
}

/* What an entry is to a writer of this name. */
enum match { MATCH_NO, MATCH_SAME, MATCH_FREE, MATCH_BUSY };

static enum match match_entry(const struct page_annotation *entry, const char *name, size_t bytes)
{
    bool same;

    if (load(&entry->sequence) == 0) {
        return MATCH_FREE;
    }
    if (!is_stable(&entry->sequence)) {
        /* Its name is written before all else and stays: if it is another's, it is none of ours. */
        return entry->name[0] == '\0' || memcmp(entry->name, name, bytes + 1) == 0 ? MATCH_BUSY
                                                                                   : MATCH_NO;
    }
    same = memcmp(entry->name, name, bytes + 1) == 0;
    return same ? MATCH_SAME : MATCH_NO;
}

/* The entry of this name, or the one to take for it: the first free one behind its hash, so that
 * two threads that bring the same name meet at the same entry; when all are taken, an unset one. */
static int find_entry(const struct page *page, const char *name, size_t bytes, uint32_t hash,
                      size_t *ret_index)
{
    size_t unset = PAGE_ANNOTATIONS;

    for (size_t i = 0; i < PAGE_ANNOTATIONS; i++) {
        size_t index = (hash + i) % PAGE_ANNOTATIONS;
        const struct page_annotation *entry = &page->annotations[index];

        switch (match_entry(entry, name, bytes)) {
        case MATCH_SAME:
        case MATCH_FREE:
            *ret_index = index;
            return 0;
        case MATCH_BUSY:
            return CAIRN_EBUSY;
        case MATCH_NO:
            break;
        }
        if (unset == PAGE_ANNOTATIONS && load(&entry->type) == CLIENT_UNSET) {
            unset = index;
        }
    }
    if (unset == PAGE_ANNOTATIONS) {
        return CAIRN_EFULL;
    }
    *ret_index = unset;
    return 0;
}

/* Under the entry's sequence: it still is what find_entry() saw, or another thread was faster. */
static bool may_take(const struct page_annotation *entry, const char *name, size_t bytes)
{
    return entry->name[0] == '\0' || entry->type == CLIENT_UNSET ||
           memcmp(entry->name, name, bytes + 1) == 0;
}

/* 0, an error, or 1: the entry went to another name meanwhile, look again. */
static int try_set(struct page *page, const char *name, size_t bytes, uint32_t hash,
                   const struct client_value *value, size_t string_bytes)
{
    struct page_annotation *entry;
    size_t index;
    int result = find_entry(page, name, bytes, hash, &index);

    if (result != 0) {
        return result;
    }
    entry = &page->annotations[index];
    if (value->type == CLIENT_UNSET && load(&entry->sequence) == 0) {
        return CAIRN_ENOENT;
    }
    if (!begin(&entry->sequence)) {
        return CAIRN_EBUSY;
    }
    if (!may_take(entry, name, bytes)) {
        end(&entry->sequence);
        return 1;
    }
    if (value->type == CLIENT_UNSET &&
        (entry->type == CLIENT_UNSET || memcmp(entry->name, name, bytes + 1) != 0)) {
        end(&entry->sequence);
        return CAIRN_ENOENT;
    }
    memcpy(entry->name, name, bytes + 1);
    write_value(page, index, value, string_bytes);
    end(&entry->sequence);
    return 0;
}

int client_set_annotation(struct page *page, const char *name, const struct client_value *value)
{
    size_t bytes, string_bytes = 0;
    uint32_t hash = 0;

    if (name == NULL || (value->type == CLIENT_STRING && value->string == NULL)) {
        return CAIRN_EINVAL;
    }
    bytes = measure_name(name, &hash);
    if (bytes == 0) {
        return CAIRN_EINVAL;
    }
    if (value->type == CLIENT_STRING) {
        string_bytes = strnlen(value->string, PAGE_VALUE_BYTES);
        if (string_bytes == PAGE_VALUE_BYTES) {
            return CAIRN_ETOOLONG;
        }
    }
    for (unsigned attempt = 0; attempt < PAGE_ANNOTATIONS; attempt++) {
        int result = try_set(page, name, bytes, hash, value, string_bytes);

        if (result != 1) {
            return result;
        }
    }
    return CAIRN_EBUSY;
}

size_t client_copy_text(char *to, size_t capacity, const char *from)
{
    size_t bytes = strnlen(from, capacity);

    if (bytes == capacity) {
        /* Not in the middle of a UTF-8 sequence, if it is one. */
        bytes = capacity - 1;
        for (unsigned back = 0;
             back < 3 && bytes > 0 && ((unsigned char)from[bytes] & 0xc0) == 0x80; back++) {
            bytes--;
        }
    }
    memcpy(to, from, bytes);
    memset(to + bytes, 0, capacity - bytes);
    return bytes;
}

int client_add_breadcrumb(struct page *page, uint64_t wall_ns, const char *category,
                          const char *message)
{
    uint64_t number, seen;
    struct page_breadcrumb *entry;

    if (message == NULL) {
        return CAIRN_EINVAL;
    }
    number = __atomic_fetch_add(&page->breadcrumb_next, 1, __ATOMIC_RELAXED);
    entry = &page->breadcrumbs[number % PAGE_BREADCRUMBS];
    seen = load(&entry->sequence);
    /* A writer that is a whole ring behind is still at it, or one that is ahead was faster. */
    if ((seen & 1) != 0 || seen > 2 * number ||
        !__atomic_compare_exchange_n(&entry->sequence, &seen, 2 * number + 1, 0, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED)) {
        return CAIRN_EBUSY;
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    entry->time = wall_ns;
    client_copy_text(entry->category, sizeof(entry->category), category != NULL ? category : "");
    client_copy_text(entry->message, sizeof(entry->message), message);
    __atomic_store_n(&entry->sequence, 2 * number + 2, __ATOMIC_RELEASE);
    return 0;
}
