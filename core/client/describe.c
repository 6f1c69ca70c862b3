/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the program says of itself, as the C API hands it on: annotations and breadcrumbs
 * [signal-safe], attachments and memory [any thread]. [app]
 */
#include "core/client/client.h"

#include <string.h>
#include <time.h>

int client_set(struct cairn *cairn, const char *name, uint32_t type, uint64_t bits,
               const char *string, const void *owner)
{
    const struct client_value value = { type, bits, string };
    struct page *page;
    int result;

    cairn = client_pick(cairn, owner);
    page = client_enter(cairn);
    if (page == NULL) {
        return CAIRN_ENOTSTARTED;
    }
    result = client_set_annotation(page, name, &value);
    client_leave(cairn);
    return result;
}

int client_breadcrumb(struct cairn *cairn, const char *category, const char *message,
                      const void *owner)
{
    struct timespec now = { 0, 0 };
    struct page *page;
    int result;

    cairn = client_pick(cairn, owner);
    page = client_enter(cairn);
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
static int begin_change(struct cairn **cairn, const void *owner, struct page **ret_page)
{
    int result = client_lock();

    if (result != 0) {
        return result;
    }
    result = client_enter_settled(cairn, owner, ret_page);
    if (result != 0) {
        client_unlock();
    }
    return result;
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

int client_attach(struct cairn *cairn, const char *path, int attach, const void *owner)
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
    result = begin_change(&cairn, owner, &page);
    if (result != 0) {
        return result;
    }
    attachment = find_attachment(page, path);
    if (attachment != NULL) {
        __atomic_store_n(&attachment->used, (uint32_t)attach, __ATOMIC_RELEASE);
        return end_change(cairn, 0);
    }
    if (!attach) {
        return end_change(cairn, CAIRN_ENOENT);
    }
    attachment = find_attachment(page, NULL);
    if (attachment == NULL) {
        return end_change(cairn, CAIRN_EFULL);
    }
    memcpy(attachment->path, path, strlen(path) + 1);
    __atomic_store_n(&attachment->used, 1, __ATOMIC_RELEASE);
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

/* 0 or CAIRN_E…. */
static int put_region(struct page *page, uint64_t address, size_t bytes, const char *name)
{
    struct page_region *region = find_region(page, address);

    if (region == NULL && bytes == 0) {
        return CAIRN_ENOENT;
    }
    if (region == NULL) {
        region = find_region(page, 0);
    }
    if (region == NULL) {
        return CAIRN_EFULL;
    }
    /* While it is changed it is not there. */
    __atomic_store_n(&region->start, 0, __ATOMIC_RELEASE);
    if (bytes != 0) {
        region->bytes = bytes;
        client_copy_text(region->name, sizeof(region->name), name != NULL ? name : "");
        __atomic_store_n(&region->start, address, __ATOMIC_RELEASE);
    }
    return 0;
}

int client_memory(struct cairn *cairn, const void *start, size_t bytes, const char *name,
                  const void *owner)
{
    uint64_t address = (uint64_t)(uintptr_t)start;
    struct page *page;
    int result;

    if (start == NULL || bytes > PAGE_REGION_BYTES || address + bytes < address) {
        return CAIRN_EINVAL;
    }
    result = begin_change(&cairn, owner, &page);
    if (result != 0) {
        return result;
    }
    return end_change(cairn, put_region(page, address, bytes, name));
}
