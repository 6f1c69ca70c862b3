/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps and verifies the shared page, and answers in it. What makes the mapping safe is verified
 * here: the file cannot shrink below it any more (no SIGBUS), and it is of our layout. Runs in the
 * monitor.
 */
#include "core/monitor/page.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int verify_file(int fd)
{
    struct stat status;

    if (fstat(fd, &status) != 0) {
        return -errno;
    }
    int seals = fcntl(fd, F_GET_SEALS);
    if (!S_ISREG(status.st_mode) || status.st_size != (off_t)sizeof(struct page) || seals < 0 ||
        (seals & F_SEAL_SHRINK) == 0) {
        return -EINVAL;
    }
    return 0;
}

int page_map(int fd, struct page **ret_page)
{
    int result = verify_file(fd);

    if (result != 0) {
        return result;
    }
    struct page *page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) {
        return -errno;
    }
    if (page->magic != PAGE_MAGIC || page->version != PAGE_VERSION || page->size != sizeof(*page)) {
        munmap(page, sizeof(*page));
        return -EINVAL;
    }
    close(fd);
    *ret_page = page;
    return 0;
}

struct page *page_make(void)
{
    struct page *page =
        mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED) {
        return NULL;
    }
    page->magic = PAGE_MAGIC;
    page->version = PAGE_VERSION;
    page->size = sizeof(*page);
    return page;
}

int page_pidfd_process(int pidfd)
{
    char path[64];
    char text[512];

    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    ssize_t bytes = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (bytes < 0) {
        return -EIO;
    }
    text[bytes] = '\0';
    const char *line = strstr(text, "\nPid:\t");
    if (line == NULL) {
        return -EINVAL;
    }
    long pid = strtol(line + strlen("\nPid:\t"), NULL, 10);
    return pid > 0 && pid <= INT_MAX ? (int)pid : -ESRCH;
}

void page_copy_text(char *target, size_t capacity, const char *text, size_t text_capacity)
{
    size_t limit = capacity - 1 < text_capacity ? capacity - 1 : text_capacity;
    size_t i = 0;

    /* Not strnlen and memcpy: the program may change the text in between. */
    for (; i < limit; i++) {
        target[i] = *(const volatile char *)&text[i];
        if (target[i] == '\0') {
            break;
        }
    }
    target[i] = '\0';
}

/* A wish: a kernel before 5.14 does not know it. */
static void make_present(const void *start, size_t bytes)
{
    const uintptr_t page_bytes = 4096, first = (uintptr_t)start & ~(page_bytes - 1);

    madvise((void *)first, (uintptr_t)start + bytes - first, MADV_POPULATE_READ);
}

void page_make_present(struct page *page)
{
    make_present(page->slots, (size_t)((char *)page->values - (char *)page->slots));
    if (__atomic_load_n(&page->breadcrumb_next, __ATOMIC_RELAXED) != 0) {
        make_present(page->breadcrumbs, sizeof(page->breadcrumbs));
    }
    make_present(page->attachments, sizeof(page->attachments));
}

static void wake_all(uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* To whom we have woken. A kernel in a virtual machine often has him wait for our processor though
 * others are idle: it takes those that sleep for taken away. */
static void give_way(void)
{
    sched_yield();
}

static void answer_start(struct page *page, enum page_start start)
{
    __atomic_store_n(&page->start, (uint32_t)start, __ATOMIC_RELEASE);
    wake_all(&page->start);
    give_way();
}

void page_answer_ready(struct page *page, const struct plan *plan)
{
    page->plan.signals = plan->signals;
    page->plan.claim_ms = plan->claim_ms;
    page->plan.hold_ms = plan->hold_ms;
    page->plan.pipeline_ms = plan->pipeline_ms;
    page->plan.children = plan->children;
    answer_start(page, PAGE_READY);
}

void page_answer_failed(struct page *page)
{
    page->problem[sizeof(page->problem) - 1] = '\0';
    answer_start(page, PAGE_FAILED);
}

void page_answer_gone(struct page *page)
{
    __atomic_store_n(&page->monitor_gone, 1, __ATOMIC_SEQ_CST);
    for (size_t i = 0; i < SLOT_COUNT; i++) {
        wake_all(&page->slots[i].state);
    }
}

bool page_move(struct page_slot *slot, enum slot_state from, enum slot_state to)
{
    uint32_t expected = (uint32_t)from;

    return __atomic_compare_exchange_n(&slot->state, &expected, (uint32_t)to, false,
                                       __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

enum slot_state page_state(const struct page_slot *slot)
{
    return (enum slot_state)__atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);
}

bool page_release(struct page *page, struct page_slot *slot, enum slot_state from, const char *id,
                  const char *path)
{
    snprintf(slot->id, sizeof(slot->id), "%s", id);
    snprintf(page_path(page, slot), PAGE_PATH_BYTES, "%s", path);
    slot->success = path[0] != '\0';
    bool released = page_move(slot, from, SLOT_RELEASED);
    wake_all(&slot->state);
    give_way();
    return released;
}

void page_make_idle(struct page_slot *slot)
{
    if (page_move(slot, SLOT_RELEASED, SLOT_IDLE) || page_move(slot, SLOT_ABANDONED, SLOT_IDLE)) {
        wake_all(&slot->state);
    }
}

void page_settle(struct page_slot *slot)
{
    uint32_t died = OUTCOME_DIED;

    __atomic_compare_exchange_n(&slot->outcome, &died, OUTCOME_REPORTED, false, __ATOMIC_ACQ_REL,
                                __ATOMIC_ACQUIRE);
    wake_all(&slot->outcome);
}
