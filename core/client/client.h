/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of libcairn outside the crash path, among themselves. [app]: ordinary code in the
 * program that embeds Cairn; libc only, no thread, no descriptor kept.
 */
#ifndef CAIRN_CORE_CLIENT_CLIENT_H
#define CAIRN_CORE_CLIENT_CLIENT_H

#include "core/crash/handler.h"

#include <cairn/cairn.h>
#include <signal.h>
#include <sys/types.h>

/* One started handler, of the program's side. Entry i belongs to crash_state.handlers[i]. */
struct cairn {
    struct page *page;   /* atomic; NULL: not started */
    uint32_t users;      /* calls that use the page right now */
    uint32_t settled;    /* the plan is in effect */
    uint32_t complained; /* its problems were logged */
    uint32_t moves;      /* atomic; odd: `page` is NULL for a moment only */
    uint64_t revived_ns; /* when its monitor was replaced last, or was tried to be */
    const void *owner;   /* the copy of the library that started it; see api.c */
};

/* An error text under construction: sentences in the caller's buffer, which may be NULL. */
struct client_error {
    char *text;
    size_t size;
};

/* Replaces the text and returns `code`. */
int client_fail(const struct client_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

struct client_spawn; /* spawn.h */

/* ---- api.c: the public functions, and which copy of the library does the work ---- */

#define CLIENT_COPY_MAGIC 0x4e524943u

/* What one copy of the library offers the others in its process: cairn.h in few functions. Grows by
 * appended members; what cannot be had that way gets another symbol than `cairn_copy`. `owner` is
 * the caller's own table, and NULL for `cairn` the first handler that this caller started. */
struct client_copy {
    uint32_t magic;
    uint32_t size;
    int (*start)(const struct cairn_options *options, char *const *environment,
                 struct cairn **ret_cairn, char *error, size_t error_size, const void *owner);
    int (*stop)(struct cairn *cairn, const void *owner);
    int (*set)(struct cairn *cairn, const char *name, uint32_t type, uint64_t bits,
               const char *string, const void *owner);
    int (*breadcrumb)(struct cairn *cairn, const char *category, const char *message,
                      const void *owner);
    int (*attach)(struct cairn *cairn, const char *path, int attach, const void *owner);
    /* 0 bytes: the region is removed. */
    int (*memory)(struct cairn *cairn, const void *start, size_t bytes, const char *name,
                  const void *owner);
    /* Of process `pid`, or 0: of this one, as cairn_dump() does it. */
    int (*dump)(struct cairn *cairn, const char *message, int pid, int tid, char *ret_id,
                const void *owner);
};
extern const struct client_copy client_copy __attribute__((visibility("hidden")));

/* From now on all copies come to this one, which must not be unloaded. */
void client_take_charge(void);

/* The table's functions of this copy; in client.c, describe.c, dump.c. `start` gets the environment
 * because the preload library runs before libc has one. */
int client_start(const struct cairn_options *options, char *const *environment,
                 struct cairn **ret_cairn, char *error, size_t error_size, const void *owner);
int client_stop(struct cairn *cairn, const void *owner);
int client_set(struct cairn *cairn, const char *name, uint32_t type, uint64_t bits,
               const char *string, const void *owner);
int client_breadcrumb(struct cairn *cairn, const char *category, const char *message,
                      const void *owner);
int client_attach(struct cairn *cairn, const char *path, int attach, const void *owner);
int client_memory(struct cairn *cairn, const void *start, size_t bytes, const char *name,
                  const void *owner);
int client_dump(struct cairn *cairn, const char *message, int pid, int tid, char *ret_id,
                const void *owner);

/* ---- client.c: the table ---- */

/* A handler of the table (NULL: the oldest one that `owner` started), or NULL. [signal-safe] */
struct cairn *client_pick(struct cairn *cairn, const void *owner);
/* The page of a started handler, which stays mapped until client_leave(); NULL when it is not
 * started, or NULL itself, or this is a fork child. [signal-safe] */
struct page *client_enter(struct cairn *cairn);
void client_leave(struct cairn *cairn);
/* The same for calls that may make system calls: picks the handler, replaces a dead monitor, puts
 * its plan into effect. 0 or CAIRN_E…. Under the lock. */
int client_enter_settled(struct cairn **cairn, const void *owner, struct page **ret_page);
struct crash_handler *client_handler(const struct cairn *cairn);
/* The oldest started handler of that owner (NULL: of any), or NULL. */
struct cairn *client_first(const void *owner);
/* False in a fork child of the process that started Cairn. [signal-safe] */
int client_is_here(void);
/* Says in all pages how this process is about to end: PAGE_EXITED, …; 0 takes it back. Children,
 * even of vfork(), say nothing in their parent's pages. [signal-safe] */
void client_mark_end(uint32_t mark);
/* One lock for everything that changes the table, the signals, attachments and regions. CAIRN_EBUSY
 * after a deadline. */
int client_lock(void);
void client_unlock(void);
/* A lock of that kind, which is a zero to begin with: 0, or CAIRN_EBUSY after so long. */
int client_take(uint32_t *word, uint64_t nanoseconds);
void client_give(uint32_t *word);

/* ---- dump.c ---- */

/* In a fork child: those of its parent's threads are not its own. [signal-safe] */
void client_forget_requests(void);

/* ---- setup.c: the page ---- */

/* A sealed memfd, mapped and filled in from the options. 0 or CAIRN_E…. */
int client_make_page(const struct cairn_options *options, const struct client_error *error,
                     struct page **ret_page, int *ret_fd);
void client_unmap(struct page *page);
/* Waits for the monitor's answer: READY, FAILED, its death or the deadline. 0 or CAIRN_E…. */
int client_await_plan(struct page *page, int monitor_pidfd, const struct client_error *error);
/* Tells the monitor to end. */
void client_dismiss(struct page *page);

/* ---- revive.c: a new monitor ---- */

/* Replaces the monitor of the handler (or NULL), if it is dead; does not wait for the new one.
 * Under the lock, outside of client_enter(). */
void client_revive(struct cairn *cairn);

/* ---- spawn.c: the monitor ---- */

/* The value of an environment's variable, or NULL. */
const char *client_find_variable(char *const *environment, const char *name);
/* Starts the installed monitor, or that of CAIRN_LIBEXEC, with the page as descriptor 3 and a pidfd
 * of this process as 4, as nobody's child. `await`: somebody waits for the plan, so the engine that
 * makes it begins at the same time, as the monitor's child, with its output and errors in the
 * monitor's descriptors 5 and 6; else, and where that cannot be done, the monitor starts one.
 * Between the two calls the caller does what need not come first, with every signal blocked;
 * `ret_spawn->pid` is known, and the page's descriptor may be closed. When the first one fails
 * nothing is to be finished; when the second one does, there is no monitor. 0 or CAIRN_E…. */
int client_begin_spawn(struct page *page, int page_fd, int await, char *const *environment,
                       const struct client_error *error, struct client_spawn *ret_spawn);
int client_finish_spawn(struct client_spawn *spawn, const struct client_error *error);

/* ---- stack.c: alternate signal stacks ---- */

/* Remembers that cairn_start() made the calling thread's stack, for cairn_stop() to take back. */
int client_stack_start(void);
void client_stack_stop(void);
/* The thread's stack is one that we made. */
int client_stack_is_own(const stack_t *stack);
/* sigaltstack(2), but a thread that has a stack of ours gets that one instead of none, or of one on
 * which the crash handler has no room. */
int client_stack_exchange(const stack_t *stack, stack_t *ret_old);

/* ---- page_write.c: what the program says of itself; all [signal-safe] ---- */

/* The same numbers as enum cairn_value_type of plugin.h, which libcairn does not need otherwise. */
enum client_value_type {
    CLIENT_UNSET = 0,
    CLIENT_STRING = 1,
    CLIENT_INTEGER = 2,
    CLIENT_DOUBLE = 3,
    CLIENT_BOOL = 4,
};

struct client_value {
    uint32_t type; /* enum client_value_type */
    uint64_t bits;
    const char *string;
};

int client_set_annotation(struct page *page, const char *name, const struct client_value *value);
int client_add_breadcrumb(struct page *page, uint64_t wall_ns, const char *category,
                          const char *message);
/* Copies what fits, at a character's boundary, with a NUL; the bytes copied. */
size_t client_copy_text(char *to, size_t capacity, const char *from);

#endif
