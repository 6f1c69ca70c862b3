/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shared page: the one mapping between a program, its crash handler and its monitor. A sealed
 * memfd of sizeof(struct page) bytes; the program maps it, closes the descriptor and hands it to
 * the monitor as descriptor 3. Written by the program [app, crash] and by the monitor; each reads
 * the other's part as hostile input. Untouched parts cost no memory.
 *
 * Included by core/crash, core/client, core/monitor; kernel and freestanding headers only.
 */
#ifndef CAIRN_CORE_CRASH_PAGE_H
#define CAIRN_CORE_CRASH_PAGE_H

#include <stddef.h>
#include <stdint.h>

#define PAGE_MAGIC   0x4547415043525243ull
#define PAGE_VERSION 1u

#define PAGE_ANNOTATIONS         128
#define PAGE_NAME_BYTES          64
#define PAGE_VALUE_BYTES         2048
#define PAGE_BREADCRUMBS         256
#define PAGE_CATEGORY_BYTES      32
#define PAGE_MESSAGE_BYTES       208
#define PAGE_ATTACHMENTS         16
#define PAGE_PATH_BYTES          1024
#define PAGE_REGIONS             64
#define PAGE_REGION_BYTES        (1024 * 1024) /* of one registered region, at most */
#define PAGE_PARKED              64
#define PAGE_CHILDREN            8 /* fork children that report at the same time */
#define PAGE_CONFIG_BYTES        (64 * 1024)
#define PAGE_PROBLEM_BYTES       (16 * 1024)
#define PAGE_CRASH_MESSAGE_BYTES 1024

/* How far the monitor's start has come; a futex word. */
enum page_start {
    PAGE_STARTING = 0,
    PAGE_READY = 1,  /* the plan is in the page */
    PAGE_FAILED = 2, /* page.problem says why */
};

/* The life of one crash. Every change is a compare-and-swap; who loses it produces nothing. */
enum slot_state {
    SLOT_IDLE = 0,
    SLOT_CLAIMED = 1,   /* handler: the crash is described in the slot and announced */
    SLOT_TAKEN = 2,     /* monitor: capture has begun */
    SLOT_CAPTURED = 3,  /* monitor: all that is needed has been read */
    SLOT_RELEASED = 4,  /* monitor: the program may go on; `success`, `id`, `path` are valid */
    SLOT_CANCELLED = 5, /* handler: the program's filter said no; it may be claimed again */
    SLOT_ABANDONED = 6, /* handler: a clock ran out */
};

/* Whether a crash is one: the program's own handler may mend it. Every change of OPEN and of CALLED
 * is a compare-and-swap. */
enum slot_outcome {
    OUTCOME_CERTAIN = 0,   /* the program has no handler of its own that could */
    OUTCOME_OPEN = 1,      /* its handler has been, or is going to be, asked */
    OUTCOME_CALLED = 2,    /* it has made the thread call somebody who looks into it */
    OUTCOME_RECOVERED = 3, /* the program goes on: no report; IDLE follows */
    OUTCOME_DIED = 4,      /* it ends, or its handler took too long */
    OUTCOME_REPORTED = 5,  /* monitor, to a program whose end would be the monitor's: committed */
};

/* The program has one slot per kind of event; its fork children share the others, which are taken
 * by writing one's pid into `owner`. */
enum slot_index {
    SLOT_CRASH = 0,
    SLOT_REQUEST = 1,
    SLOT_CHILD = 2,
    SLOT_COUNT = SLOT_CHILD + PAGE_CHILDREN
};

/* One event: a crash, or a dump that the program asked for. */
struct page_slot {
    uint32_t state; /* enum slot_state, a futex word */
    int32_t tid;    /* the thread; 0 while IDLE */
    int32_t pid;    /* differs from page.pid in a fork child */
    int32_t signal; /* 0: a request */
    /* of a child's slot */
    int32_t owner;            /* whose it is, 0: nobody's; a process that is gone owns nothing */
    int32_t parent;           /* its parent process */
    uint64_t claimed_at;      /* CLOCK_MONOTONIC, nanoseconds */
    uint64_t context_address; /* ucontext_t in the program */
    unsigned char siginfo[128];
    /* the monitor's answer, with page.paths */
    int32_t error; /* negative errno: why it could not capture; then `id` is "" */
    uint32_t success;
    uint32_t verdict; /* handler: 0 = the program's filter is still being asked, 1 = report it */
    char id[40];
    /* handler: where on the stack the program's own handler runs */
    uint32_t outcome; /* enum slot_outcome, a futex word */
    uint64_t handler_low, handler_top;
    /* CALLED: as long as this word of the stack has this value, the call may be under way */
    uint64_t call_at, call_word;
} __attribute__((aligned(256))); /* cache lines of its own */

struct page_annotation {
    uint32_t sequence; /* odd while being written */
    uint32_t type;     /* enum cairn_value_type; 0 = free or unset */
    uint32_t bytes;    /* of a string value */
    uint32_t reserved;
    uint64_t bits; /* integer, double's bits, bool */
    char name[PAGE_NAME_BYTES];
};

struct page_breadcrumb {
    uint64_t sequence; /* 0 free; 2n+1 while crumb n is written, 2n+2 when it is whole */
    uint64_t time;     /* CLOCK_REALTIME, nanoseconds */
    char category[PAGE_CATEGORY_BYTES];
    char message[PAGE_MESSAGE_BYTES];
};

struct page_attachment {
    uint32_t used;
    uint32_t reserved;
    char path[PAGE_PATH_BYTES];
};

struct page_region {
    uint64_t start; /* 0 = free */
    uint64_t bytes;
    char name[32];
};

/* Threads that crashed while another crash was being handled. */
struct page_parked {
    int32_t tid;
    int32_t signal;
};

/* Page.client_flags: what the program wants. */
#define PAGE_HAS_POST_DUMP  (1u << 0) /* release after the dump has its final name */
#define PAGE_IS_INIT        (1u << 1) /* PID 1: release after commit */
#define PAGE_CONFIG_IS_TEXT (1u << 2)

/* Page.exited: what the program is about to do by itself. */
#define PAGE_EXIT_STATUS    0xffu
#define PAGE_EXITED         (1u << 8)  /* exit(), with that status */
#define PAGE_EXITED_AT_ONCE (1u << 9)  /* _exit() */
#define PAGE_BECOMES        (1u << 10) /* another program, by exec() */

/* page_plan.children: engine.children of the configuration. */
#define PAGE_CHILDREN_OF_FORK (1u << 0) /* fork children are reported */
#define PAGE_CHILDREN_OF_EXEC (1u << 1) /* what the program starts runs with Cairn, too */

/* What cairn_start() must know of the configuration. Written by the monitor before PAGE_READY. */
struct page_plan {
    uint64_t signals;  /* bit n-1 = signal n */
    uint32_t claim_ms; /* the monitor must take a crash within */
    uint32_t hold_ms;  /* the program is held at most */
    uint32_t pipeline_ms;
    uint32_t children;
    char reserve[PAGE_PATH_BYTES]; /* absolute path of a file of MINIDUMP_RESERVE_FILE_BYTES, or ""
                                    */
};

struct page {
    uint64_t magic;
    uint32_t version;
    uint32_t size;

    /* program → monitor, constant after the start */
    int32_t pid;
    uint32_t client_flags;
    char config_file[PAGE_PATH_BYTES]; /* absolute; "" = the installed default, or the text below */
    char application[256];             /* "" = not given */
    char application_version[256];
    char libcairn_version[32];

    /* monitor → program */
    uint32_t start; /* enum page_start, a futex word */
    int32_t monitor_pid;
    int32_t check_pid; /* program: the engine that checks already, the monitor's child; 0: none */
    uint32_t monitor_gone; /* set when the monitor ends on its own */
    uint32_t monitor_life; /* a robust futex's word: the kernel marks it when the monitor dies */
    struct page_plan plan;

    /* the crash path: cache lines of their own */
    uint32_t announce __attribute__((aligned(64))); /* futex word, counts announcements */
    uint32_t stopping;                              /* program: cairn_stop() was called */
    uint32_t exited;                                /* program: PAGE_EXITED, …, before it ends */
    uint32_t parked_count;
    struct page_parked parked[PAGE_PARKED];
    struct page_slot slots[SLOT_COUNT];
    char message[PAGE_CRASH_MESSAGE_BYTES];  /* of the request: cairn_dump()'s text */
    char paths[SLOT_COUNT][PAGE_PATH_BYTES]; /* the monitor's answers: of the minidumps */

    /* what the program says of itself */
    uint64_t breadcrumb_next; /* number of the next crumb */
    struct page_region regions[PAGE_REGIONS];
    struct page_annotation annotations[PAGE_ANNOTATIONS];
    char values[PAGE_ANNOTATIONS][PAGE_VALUE_BYTES] __attribute__((aligned(4096)));
    struct page_breadcrumb breadcrumbs[PAGE_BREADCRUMBS] __attribute__((aligned(4096)));
    struct page_attachment attachments[PAGE_ATTACHMENTS] __attribute__((aligned(4096)));
    char config_text[PAGE_CONFIG_BYTES] __attribute__((aligned(4096)));
    char problem[PAGE_PROBLEM_BYTES] __attribute__((aligned(4096)));
};

/* What the program's own crash needs of the page lies in front of this: two pages of memory, which
 * are present from the start on. The rest is when it is used. */
#define PAGE_PRESENT_BYTES (offsetof(struct page, paths) + PAGE_PATH_BYTES)
_Static_assert(sizeof(struct page_slot) == 256 && PAGE_PRESENT_BYTES <= (size_t)2 * 4096,
               "a crash needs two pages");

/* The path that answers this slot of the page. */
static inline char *page_path(struct page *page, const struct page_slot *slot)
{
    return page->paths[slot - page->slots];
}

#endif
