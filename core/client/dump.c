/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cairn_dump() and cairn_dump_process(): a report of the living program, or of another process. The
 * request goes the way of a crash, in a slot of its own; the calling thread's registers are what
 * getcontext() says. [app]
 */
#include "core/client/client.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* Somebody else's request, which has a deadline of its own. */
#define LOCK_NS 10000000000ull

static uint32_t requests; /* see client_take() */

void client_forget_requests(void)
{
    requests = 0;
}

/* What is asked of the monitor. */
struct request {
    const char *message; /* or NULL */
    int pid, tid;
    const ucontext_t *context; /* of this very thread, or NULL */
};

/* What the monitor left unfinished is over: its next compare-and-swap fails. */
static int claim(struct page *page, const struct request *request, uint64_t now)
{
    struct page_slot *slot = &page->slots[SLOT_REQUEST];
    uint32_t state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);

    if (state == SLOT_CLAIMED || state == SLOT_TAKEN || state == SLOT_CAPTURED) {
        return CAIRN_EBUSY;
    }
    slot->tid = request->tid;
    slot->pid = request->pid;
    slot->signal = 0;
    slot->claimed_at = now;
    slot->context_address = (uint64_t)(uintptr_t)request->context;
    memset(slot->siginfo, 0, sizeof(slot->siginfo));
    client_copy_text(page->message, sizeof(page->message),
                     request->message != NULL ? request->message : "");
    slot->error = 0;
    slot->success = 0;
    slot->verdict = 1;
    memset(slot->id, 0, sizeof(slot->id));
    page_path(page, slot)[0] = '\0';
    if (!__atomic_compare_exchange_n(&slot->state, &state, SLOT_CLAIMED, 0, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        return CAIRN_EBUSY;
    }
    crash_announce(page);
    return 0;
}

static int explain(int32_t error)
{
    switch (error) {
    case -ESRCH:
        return CAIRN_ENOENT;
    case -EPERM:
    case -EACCES:
        return CAIRN_EPERM;
    case -ETIMEDOUT:
        return CAIRN_ETIMEOUT;
    default:
        return CAIRN_ESYSTEM;
    }
}

static int take_answer(struct page_slot *slot, uint32_t state, char *ret_id)
{
    int result = CAIRN_ETIMEOUT;

    if (state == SLOT_RELEASED) {
        result = slot->success != 0 ? 0 : explain(slot->error);
        if (result == 0 && ret_id != NULL) {
            memcpy(ret_id, slot->id, 36);
            ret_id[36] = '\0';
        }
        __atomic_compare_exchange_n(&slot->state, &state, SLOT_IDLE, 0, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE);
    }
    return result;
}

static int make(const struct crash_handler *handler, struct page *page,
                const struct request *request, char *ret_id)
{
    struct page_slot *slot = &page->slots[SLOT_REQUEST];
    uint64_t now = crash_now();
    int result;

    if (!crash_has_monitor(handler, page)) {
        return CAIRN_EMONITOR;
    }
    /* Where Yama guards ptrace, only a process that is named may use it. */
    prctl(PR_SET_PTRACER, (unsigned long)handler->monitor_pid, 0, 0, 0);
    result = claim(page, request, now);
    if (result == 0) {
        result = take_answer(slot, crash_wait(handler, page, slot, now), ret_id);
        if (result == CAIRN_ETIMEOUT && !crash_has_monitor(handler, page)) {
            result = CAIRN_EMONITOR;
        }
    }
    prctl(PR_SET_PTRACER, 0, 0, 0, 0);
    return result;
}

int client_dump(struct cairn *cairn, const char *message, int pid, int tid, char *ret_id,
                const void *owner)
{
    struct request request = { message, pid, tid, NULL };
    struct page *page = NULL;
    ucontext_t context;
    int result;

    if (pid == 0) {
        if (getcontext(&context) != 0) {
            return CAIRN_ESYSTEM;
        }
        request = (struct request){ message, getpid(), (int)syscall(SYS_gettid), &context };
    }
    result = client_lock();
    if (result != 0) {
        return result;
    }
    result = client_enter_settled(&cairn, owner, &page);
    client_unlock();
    if (result != 0) {
        return result;
    }
    result = client_take(&requests, LOCK_NS);
    if (result == 0) {
        result = make(client_handler(cairn), page, &request, ret_id);
        client_give(&requests);
    }
    client_leave(cairn);
    return result;
}
