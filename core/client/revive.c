/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new monitor in place of a dead one. No descriptor of the old page is left to hand over, so the
 * program gets a new page, too, with all that it said of itself. Calls that are made meanwhile wait
 * for some microseconds; nothing that they say is lost. [app]
 */
#include "core/client/client.h"
#include "core/client/spawn.h"

#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define AGAIN_NS      (10 * 1000000000ull) /* a monitor that keeps dying is not started all the time */
#define USERS_WAITS   100                  /* of a millisecond, for calls that use the page */
#define NOT_TRIED_YET 0

static int is_due(const struct cairn *cairn, const struct page *page, uint64_t now)
{
    return __atomic_load_n(&page->start, __ATOMIC_ACQUIRE) != PAGE_FAILED &&
           !crash_has_monitor(client_handler(cairn), page) && crash_is_quiet() &&
           (cairn->revived_ns == NOT_TRIED_YET || now - cairn->revived_ns >= AGAIN_NS);
}

/* As the options were that made the old page. */
static struct cairn_options options_of(const struct page *page, const struct crash_handler *handler)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;

    if ((page->client_flags & PAGE_CONFIG_IS_TEXT) != 0) {
        options.config_text = page->config_text;
    } else if (page->config_file[0] != '\0') {
        options.config_file = page->config_file;
    }
    options.application = page->application[0] != '\0' ? page->application : NULL;
    options.version = page->application_version[0] != '\0' ? page->application_version : NULL;
    options.post_dump = (cairn_post_dump_fn *)handler->post_dump;
    return options;
}

/* A signal's handler that wants to say something would wait for the very thread that it
 * interrupted. Crashes go through. */
static void block_signals(sigset_t *ret_old)
{
    static const int crashes[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS };
    sigset_t signals;

    sigfillset(&signals);
    for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++) {
        sigdelset(&signals, crashes[i]);
    }
    pthread_sigmask(SIG_SETMASK, &signals, ret_old);
}

static int wait_for_users(const struct cairn *cairn)
{
    const struct timespec pause = { 0, 1000000 };

    for (unsigned i = 0; i < USERS_WAITS; i++) {
        if (__atomic_load_n(&cairn->users, __ATOMIC_SEQ_CST) == 0) {
            return 1;
        }
        nanosleep(&pause, NULL);
    }
    return 0;
}

/* What the program said of itself lies in one piece. */
static void copy_description(struct page *to, const struct page *from)
{
    const size_t first = offsetof(struct page, breadcrumb_next);

    memcpy((char *)to + first, (const char *)from + first,
           offsetof(struct page, config_text) - first);
}

/* Puts the new page into the old one's place; false when the old one is in use for too long. */
static int move_over(struct cairn *cairn, struct page *old, struct page *page, pid_t monitor)
{
    struct crash_handler *handler = client_handler(cairn);
    sigset_t signals;
    int alone;

    block_signals(&signals);
    __atomic_fetch_add(&cairn->moves, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&cairn->page, NULL, __ATOMIC_SEQ_CST);
    alone = wait_for_users(cairn);
    if (alone) {
        copy_description(page, old);
        handler->monitor_pid = monitor;
        __atomic_store_n(&handler->page, page, __ATOMIC_SEQ_CST);
        cairn->settled = 0;
    }
    __atomic_store_n(&cairn->page, alone ? page : old, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&cairn->moves, 1, __ATOMIC_SEQ_CST);
    pthread_sigmask(SIG_SETMASK, &signals, NULL);
    return alone;
}

static void replace(struct cairn *cairn, struct page *old)
{
    const struct client_error nobody = { NULL, 0 };
    const struct cairn_options options = options_of(old, client_handler(cairn));
    struct client_spawn spawn;
    struct page *page = NULL;
    int fd = -1, moved;

    if (client_make_page(&options, &nobody, &page, &fd) != 0) {
        return;
    }
    moved = client_begin_spawn(page, fd, 0, environ, &nobody, &spawn) == 0 &&
            client_finish_spawn(&spawn, &nobody) == 0 && move_over(cairn, old, page, spawn.pid);
    close(fd);
    if (!moved) {
        client_dismiss(page);
        client_unmap(page);
    } else if (crash_is_quiet()) {
        client_unmap(old); /* else a crash is being reported in it */
    }
}

void client_revive(struct cairn *cairn)
{
    struct page *page;
    uint64_t now = crash_now();

    page =
        cairn != NULL && client_is_here() ? __atomic_load_n(&cairn->page, __ATOMIC_SEQ_CST) : NULL;
    if (page != NULL && is_due(cairn, page, now)) {
        cairn->revived_ns = now;
        replace(cairn, page);
    }
}
