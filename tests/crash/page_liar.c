/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that lies to its monitor, for tests/tools/security.sh: page_liar MONITOR CONFIG
 * pid|slot. "pid": the page names another process than the descriptor. "slot": an honest start,
 * then a crash is announced for another process. That process is its parent, the test. Prints what
 * the monitor answers.
 */
#include "core/crash/page.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 500 /* of 20 ms */

static struct page *make_page(int *ret_fd)
{
    int fd = memfd_create("page", MFD_ALLOW_SEALING);
    struct page *page;

    if (fd < 0 || ftruncate(fd, sizeof(*page)) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        return NULL;
    }
    page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) {
        return NULL;
    }
    page->magic = PAGE_MAGIC;
    page->version = PAGE_VERSION;
    page->size = sizeof(*page);
    *ret_fd = fd;
    return page;
}

static pid_t start_monitor(const char *path, int page_fd, int program_fd)
{
    pid_t pid = fork();

    if (pid == 0) {
        int high = fcntl(page_fd, F_DUPFD, 10), higher = fcntl(program_fd, F_DUPFD, 10);

        dup2(high, 3);
        dup2(higher, 4);
        close(high);
        close(higher);
        execl(path, "cairn-monitor", (char *)NULL);
        _exit(127);
    }
    return pid;
}

/* Until *word is none of the two values, 10 s at most. */
static uint32_t wait_for(const uint32_t *word, uint32_t first, uint32_t second)
{
    const struct timespec pause = { 0, 20000000 };
    uint32_t value = __atomic_load_n(word, __ATOMIC_ACQUIRE);

    for (int i = 0; i < ROUNDS && (value == first || value == second); i++) {
        nanosleep(&pause, NULL);
        value = __atomic_load_n(word, __ATOMIC_ACQUIRE);
    }
    return value;
}

static void announce(struct page *page, pid_t whom)
{
    struct page_slot *slot = &page->slots[SLOT_CRASH];

    slot->pid = whom;
    slot->tid = whom;
    slot->signal = SIGSEGV;
    slot->verdict = 1;
    __atomic_store_n(&slot->state, SLOT_CLAIMED, __ATOMIC_RELEASE);
    __atomic_add_fetch(&page->announce, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &page->announce, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

int main(int argc, char **argv)
{
    bool lies_early = argc == 4 && strcmp(argv[3], "pid") == 0;
    int page_fd, program_fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    struct page *page = make_page(&page_fd);
    pid_t monitor;

    if (argc != 4 || page == NULL || program_fd < 0) {
        return 64;
    }
    snprintf(page->config_file, sizeof(page->config_file), "%s", argv[2]);
    page->pid = lies_early ? getppid() : getpid();
    monitor = start_monitor(argv[1], page_fd, program_fd);
    if (wait_for(&page->start, PAGE_STARTING, PAGE_STARTING) != PAGE_READY) {
        printf("refused: %s\n", page->problem);
    } else {
        announce(page, getppid());
        printf("state %u", wait_for(&page->slots[SLOT_CRASH].state, SLOT_CLAIMED, SLOT_TAKEN));
        printf(" error %d id \"%s\"\n", page->slots[SLOT_CRASH].error, page->slots[SLOT_CRASH].id);
    }
    kill(monitor, SIGKILL);
    waitpid(monitor, NULL, 0);
    return 0;
}
