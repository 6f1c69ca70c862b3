/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shared page at its start: made, sealed, filled in, and the wait for the monitor's answer.
 * [app]: runs in the program when it starts Cairn; libc only.
 */
#include "config.h"

#include "core/client/client.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define START_SECONDS 10

/* The futex cannot tell that the monitor died: how often to look. */
#define LOOK_NS 20000000

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif

/* A system may insist on the flag (sysctl vm.memfd_noexec), an older kernel does not know it. */
static int make_memfd(void)
{
    int fd = memfd_create("cairn", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

    if (fd < 0 && errno == EINVAL) {
        fd = memfd_create("cairn", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    }
    return fd;
}

static int map_page(const struct client_error *error, struct page **ret_page, int *ret_fd)
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    struct page *page;
    int fd = make_memfd();

    if (fd < 0) {
        return client_fail(error, CAIRN_ESYSTEM, "A memfd cannot be made: %s.", strerror(errno));
    }
    if (ftruncate(fd, sizeof(*page)) != 0 || fcntl(fd, F_ADD_SEALS, seals) != 0) {
        client_fail(error, CAIRN_ESYSTEM, "The shared page cannot be sized and sealed: %s.",
                    strerror(errno));
        close(fd);
        return CAIRN_ESYSTEM;
    }
    page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) {
        client_fail(error, CAIRN_ENOMEM, "The shared page cannot be mapped: %s.", strerror(errno));
        close(fd);
        return CAIRN_ENOMEM;
    }
    *ret_page = page;
    *ret_fd = fd;
    return 0;
}

void client_unmap(struct page *page)
{
    if (page != NULL) {
        munmap(page, sizeof(*page));
    }
}

static int put_text(char *to, size_t capacity, const char *from, const char *name,
                    const struct client_error *error)
{
    size_t bytes = from != NULL ? strnlen(from, capacity) : 0;

    if (bytes == capacity) {
        return client_fail(error, CAIRN_ETOOLONG, "%s is longer than %zu bytes: \"%.64s…\".", name,
                           capacity - 1, from);
    }
    if (bytes != 0) {
        memcpy(to, from, bytes);
    }
    return 0;
}

/* The monitor works in "/": a relative path is resolved here. */
static int put_config_file(struct page *page, const char *path, const struct client_error *error)
{
    char *whole = page->config_file;
    size_t used = 0;

    if (path[0] == '\0') {
        return client_fail(error, CAIRN_EINVAL, "The path of the configuration file is empty.");
    }
    if (path[0] != '/') {
        if (getcwd(whole, sizeof(page->config_file) - 1) == NULL) {
            return client_fail(error, CAIRN_ESYSTEM,
                               "The current directory, to which \"%s\" is relative, is not known: "
                               "%s.",
                               path, strerror(errno));
        }
        used = strlen(whole);
        if (used > 1) { /* "/" ends in one already */
            whole[used++] = '/';
        }
    }
    return put_text(whole + used, sizeof(page->config_file) - used, path,
                    "The path of the configuration file", error);
}

/* Page faults are for before the crash, not for during it. */
static void touch_crash_path(struct page *page)
{
    volatile char *byte = (volatile char *)page;

    for (size_t offset = 0; offset < PAGE_PRESENT_BYTES; offset += 4096) {
        byte[offset] = byte[offset];
    }
}

static int fill_page(struct page *page, const struct cairn_options *options,
                     const struct client_error *error)
{
    int result = 0;

    page->magic = PAGE_MAGIC;
    page->version = PAGE_VERSION;
    page->size = sizeof(*page);
    page->pid = getpid();
    page->client_flags = (options->post_dump != NULL ? PAGE_HAS_POST_DUMP : 0) |
                         (page->pid == 1 ? PAGE_IS_INIT : 0) |
                         (options->config_text != NULL ? PAGE_CONFIG_IS_TEXT : 0);
    client_copy_text(page->libcairn_version, sizeof(page->libcairn_version), PACKAGE_VERSION);
    if (options->config_file != NULL) {
        result = put_config_file(page, options->config_file, error);
    }
    if (result == 0) {
        result = put_text(page->config_text, sizeof(page->config_text), options->config_text,
                          "The configuration's text", error);
    }
    if (result == 0) {
        result = put_text(page->application, sizeof(page->application), options->application,
                          "The application's name", error);
    }
    if (result == 0) {
        result = put_text(page->application_version, sizeof(page->application_version),
                          options->version, "The application's version", error);
    }
    touch_crash_path(page);
    return result;
}

int client_make_page(const struct cairn_options *options, const struct client_error *error,
                     struct page **ret_page, int *ret_fd)
{
    struct page *page = NULL;
    int fd = -1;
    int result = map_page(error, &page, &fd);

    if (result != 0) {
        return result;
    }
    result = fill_page(page, options, error);
    if (result != 0) {
        client_unmap(page);
        close(fd);
        return result;
    }
    *ret_page = page;
    *ret_fd = fd;
    return 0;
}

static int has_ended(int pidfd)
{
    struct pollfd poll_one = { pidfd, POLLIN, 0 };

    return pidfd >= 0 && poll(&poll_one, 1, 0) > 0;
}

static int take_answer(const struct page *page, const struct client_error *error)
{
    if (__atomic_load_n(&page->start, __ATOMIC_ACQUIRE) == PAGE_READY) {
        return 0;
    }
    return client_fail(error, CAIRN_ECONFIG, "%.*s", (int)sizeof(page->problem), page->problem);
}

int client_await_plan(struct page *page, int monitor_pidfd, const struct client_error *error)
{
    const struct timespec look = { 0, LOOK_NS };
    const uint64_t end = crash_now() + START_SECONDS * 1000000000ull;

    for (;;) {
        int ended = has_ended(monitor_pidfd);

        if (__atomic_load_n(&page->start, __ATOMIC_ACQUIRE) != PAGE_STARTING) {
            return take_answer(page, error);
        }
        if (ended) {
            return client_fail(error, CAIRN_EMONITOR,
                               "The monitor ended before it had checked the configuration.");
        }
        if (crash_now() >= end) {
            syscall(SYS_pidfd_send_signal, monitor_pidfd, SIGKILL, NULL, 0);
            return client_fail(error, CAIRN_ETIMEOUT,
                               "The monitor did not answer within %d seconds.", START_SECONDS);
        }
        syscall(SYS_futex, &page->start, FUTEX_WAIT, PAGE_STARTING, &look, NULL, 0);
    }
}

void client_dismiss(struct page *page)
{
    __atomic_store_n(&page->stopping, 1, __ATOMIC_SEQ_CST);
    crash_announce(page);
}
