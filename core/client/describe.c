/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the program says of itself, through the C API: annotations and breadcrumbs [signal-safe],
 * attachments and memory [any thread]. [app]
 */
#include "core/client/client.h"

#include <string.h>
#include <time.h>

static int set(struct cairn *cairn, const char *name, const struct client_value *value)
{
    struct page *page = client_enter(cairn, &cairn);
    int result;

    if (page == NULL) {
        return CAIRN_ENOTSTARTED;
    }
    result = client_set_annotation(page, name, value);
    client_leave(cairn);
    return result;
}

int cairn_set_string(struct cairn *cairn, const char *name, const char *value)
{
    struct client_value string = { CLIENT_STRING, 0, value };

    return set(cairn, name, &string);
}

int cairn_set_integer(struct cairn *cairn, const char *name, int64_t value)
{
    struct client_value integer = { CLIENT_INTEGER, (uint64_t)value, NULL };

    return set(cairn, name, &integer);
}

int cairn_set_double(struct cairn *cairn, const char *name, double value)
{
    struct client_value number = { CLIENT_DOUBLE, 0, NULL };

    memcpy(&number.bits, &value, sizeof(number.bits));
    return set(cairn, name, &number);
}

int cairn_set_bool(struct cairn *cairn, const char *name, int value)
{
    struct client_value boolean = { CLIENT_BOOL, value != 0, NULL };

    return set(cairn, name, &boolean);
}

int cairn_unset(struct cairn *cairn, const char *name)
{
    struct client_value nothing = { CLIENT_UNSET, 0, NULL };

    return set(cairn, name, &nothing);
}

int cairn_breadcrumb(struct cairn *cairn, const char *category, const char *message)
{
    struct page *page = client_enter(cairn, &cairn);
    struct timespec now = { 0, 0 };
    int result;

    if (page == NULL) {
        return CAIRN_ENOTSTARTED;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    result = client_add_breadcrumb(page, (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec,
                                   category, message);
    client_leave(cairn);
    return result;
}

/* Lock, page and a plan in effect, for the calls below. 0 or CAIRN_E…; then end_change() follows.
 */
static int begin_change(struct cairn **cairn, struct page **ret_page)
{
    struct page *page;
    int result = client_lock();

    if (result != 0) {
        return result;
    }
    client_revive(*cairn);
    page = client_enter(*cairn, cairn);
    if (page == NULL) {
        client_unlock();
        return CAIRN_ENOTSTARTED;
    }
    result = client_settle(*cairn, page);
    if (result != 0) {
        client_leave(*cairn);
        client_unlock();
        return result;
    }
    *ret_page = page;
    return 0;
}

static int end_change(struct cairn *cairn, int result)
{
    client_leave(cairn);
    client_unlock();
    return result;
}

/* The attachment of that path; with NULL a free one; or NULL. */
static struct page_attachment *find_attachment(struct page *page, const char *path)
{
    for (size_t i = 0; i < PAGE_ATTACHMENTS; i++) {
        struct page_attachment *attachment = &page->attachments[i];

        if (path == NULL ? !attachment->used
                         : attachment->used && strcmp(attachment->path, path) == 0) {
            return attachment;
        }
    }
    return NULL;
}

int cairn_attach_file(struct cairn *cairn, const char *path)
{
    struct page_attachment *attachment;
    struct page *page;
    int result;

    if (path == NULL || path[0] != '/') {
        return CAIRN_EINVAL;
    }
    if (strnlen(path, PAGE_PATH_BYTES) == PAGE_PATH_BYTES) {
        return CAIRN_ETOOLONG;
    }
    result = begin_change(&cairn, &page);
    if (result != 0) {
        return result;
    }
    if (find_attachment(page, path) != NULL) {
        return end_change(cairn, 0);
    }
    attachment = find_attachment(page, NULL);
    if (attachment == NULL) {
        return end_change(cairn, CAIRN_EFULL);
    }
    memcpy(attachment->path, path, strlen(path) + 1);
    __atomic_store_n(&attachment->used, 1, __ATOMIC_RELEASE);
    return end_change(cairn, 0);
}

int cairn_detach_file(struct cairn *cairn, const char *path)
{
    struct page_attachment *attachment;
    struct page *page;
    int result;

    if (path == NULL) {
        return CAIRN_EINVAL;
    }
    result = begin_change(&cairn, &page);
    if (result != 0) {
        return result;
    }
    attachment = find_attachment(page, path);
    if (attachment == NULL) {
        return end_change(cairn, CAIRN_ENOENT);
    }
    __atomic_store_n(&attachment->used, 0, __ATOMIC_RELEASE);
    return end_change(cairn, 0);
}

/* The region that starts there (0: a free one), or NULL. */
static struct page_region *find_region(struct page *page, uint64_t start)
{
    for (size_t i = 0; i < PAGE_REGIONS; i++) {
        if (page->regions[i].start == start) {
            return &page->regions[i];
        }
    }
    return NULL;
}

int cairn_add_memory(struct cairn *cairn, const void *start, size_t bytes, const char *name)
{
    uint64_t address = (uint64_t)(uintptr_t)start;
    struct page_region *region;
    struct page *page;
    int result;

    if (start == NULL || bytes == 0 || bytes > PAGE_REGION_BYTES || address + bytes < address) {
        return CAIRN_EINVAL;
    }
    result = begin_change(&cairn, &page);
    if (result != 0) {
        return result;
    }
    region = find_region(page, address);
    if (region == NULL) {
        region = find_region(page, 0);
    }
    if (region == NULL) {
        return end_change(cairn, CAIRN_EFULL);
    }
    /* While it is changed it is not there. */
    __atomic_store_n(&region->start, 0, __ATOMIC_RELEASE);
    region->bytes = bytes;
    client_copy_text(region->name, sizeof(region->name), name != NULL ? name : "");
    __atomic_store_n(&region->start, address, __ATOMIC_RELEASE);
    return end_change(cairn, 0);
}

int cairn_remove_memory(struct cairn *cairn, const void *start)
{
    struct page_region *region;
    struct page *page;
    int result;

    if (start == NULL) {
        return CAIRN_EINVAL;
    }
    result = begin_change(&cairn, &page);
    if (result != 0) {
        return result;
    }
    region = find_region(page, (uint64_t)(uintptr_t)start);
    if (region == NULL) {
        return end_change(cairn, CAIRN_ENOENT);
    }
    __atomic_store_n(&region->start, 0, __ATOMIC_RELEASE);
    return end_change(cairn, 0);
}
