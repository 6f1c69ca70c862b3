/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cairn_dump(): a report of the living program. The request goes the way of a crash, in a slot of
 * its own; the calling thread's registers are what getcontext() says. [app]
 */
#include "core/client/client.h"

#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define LOCK_SECONDS 10

static pthread_mutex_t requests = PTHREAD_MUTEX_INITIALIZER;

static int lock_requests(void)
{
    struct timespec end;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += LOCK_SECONDS;
    return pthread_mutex_timedlock(&requests, &end) == 0 ? 0 : CAIRN_EBUSY;
}

/* What the monitor left unfinished is over: its next compare-and-swap fails. */
static int claim(struct page *page, const char *message, const ucontext_t *context, uint64_t now)
{
    struct page_slot *slot = &page->slots[SLOT_REQUEST];
    uint32_t state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);

    if (state == SLOT_CLAIMED || state == SLOT_TAKEN || state == SLOT_CAPTURED) {
        return CAIRN_EBUSY;
    }
    slot->tid = (int32_t)syscall(SYS_gettid);
    slot->pid = getpid();
    slot->signal = 0;
    slot->claimed_at = now;
    slot->context_address = (uint64_t)(uintptr_t)context;
    memset(slot->siginfo, 0, sizeof(slot->siginfo));
    client_copy_text(slot->message, sizeof(slot->message), message != NULL ? message : "");
    slot->success = 0;
    slot->verdict = 1;
    memset(slot->id, 0, sizeof(slot->id));
    memset(slot->path, 0, sizeof(slot->path));
    if (!__atomic_compare_exchange_n(&slot->state, &state, SLOT_CLAIMED, 0, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        return CAIRN_EBUSY;
    }
    crash_announce(page);
    return 0;
}

static int take_answer(struct page_slot *slot, uint32_t state, char *ret_id)
{
    int result = CAIRN_ETIMEOUT;

    if (state == SLOT_RELEASED) {
        result = slot->success != 0 ? 0 : CAIRN_ESYSTEM;
        if (result == 0 && ret_id != NULL) {
            memcpy(ret_id, slot->id, 36);
            ret_id[36] = '\0';
        }
        __atomic_compare_exchange_n(&slot->state, &state, SLOT_IDLE, 0, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE);
    }
    return result;
}

static int request(const struct crash_handler *handler, struct page *page, const char *message,
                   const ucontext_t *context, char *ret_id)
{
    struct page_slot *slot = &page->slots[SLOT_REQUEST];
    uint64_t now = crash_now();
    int result;

    if (!crash_has_monitor(handler, page)) {
        return CAIRN_EMONITOR;
    }
    /* Where Yama guards ptrace, only a process that is named may use it. */
    prctl(PR_SET_PTRACER, (unsigned long)handler->monitor_pid, 0, 0, 0);
    result = claim(page, message, context, now);
    if (result == 0) {
        result = take_answer(slot, crash_wait(handler, page, slot, now), ret_id);
        if (result == CAIRN_ETIMEOUT && !crash_has_monitor(handler, page)) {
            result = CAIRN_EMONITOR;
        }
    }
    prctl(PR_SET_PTRACER, 0, 0, 0, 0);
    return result;
}

/* The page of a handler whose plan is in effect and whose monitor lives, if it can. */
static int enter(struct cairn **cairn, struct page **ret_page)
{
    struct page *page;
    int result = client_lock();

    if (result != 0) {
        return result;
    }
    client_revive(*cairn);
    page = client_enter(*cairn, cairn);
    result = page != NULL ? client_settle(*cairn, page) : CAIRN_ENOTSTARTED;
    client_unlock();
    if (result != 0 && page != NULL) {
        client_leave(*cairn);
    }
    *ret_page = page;
    return result;
}

int cairn_dump(struct cairn *cairn, const char *message, char ret_id[37])
{
    struct page *page = NULL;
    ucontext_t context;
    int result;

    if (getcontext(&context) != 0) {
        return CAIRN_ESYSTEM;
    }
    result = enter(&cairn, &page);
    if (result != 0) {
        return result;
    }
    result = lock_requests();
    if (result == 0) {
        result = request(client_handler(cairn), page, message, &context, ret_id);
        pthread_mutex_unlock(&requests);
    }
    client_leave(cairn);
    return result;
}
