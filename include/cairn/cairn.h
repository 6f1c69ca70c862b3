/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cairn's embedding API: start crash reporting in a program, describe the program, ask for a report.
 * libcairn links libc only, adds no thread, and holds no descriptor once cairn_start() returned.
 * Compiles as C11 and as C++17.
 *
 * Unless a function says otherwise: it may be called from any thread at any time, NULL for `cairn`
 * means the first handler that this copy of the library has started, and it returns 0 or a negative CAIRN_E… code that
 * cairn_strerror() puts into words.
 *
 * [any thread]   from any thread, not from a signal handler.
 * [signal-safe]  also from a signal handler; no system call, no lock, no allocation.
 * [crash]        callbacks only: runs in the crashed program on its alternate stack, see below.
 */
#ifndef CAIRN_CAIRN_H
#define CAIRN_CAIRN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CAIRN_API __attribute__((visibility("default")))
#else
#define CAIRN_API
#endif

/* Every error: X(name, number, text). Numbers never change. */
#define CAIRN_ERRORS(X)                                                             \
    X(CAIRN_EINVAL, -1, "an argument is not valid")                                 \
    X(CAIRN_ENOMEM, -2, "memory could not be had")                                  \
    X(CAIRN_ESYSTEM, -3, "a system call failed")                                    \
    X(CAIRN_ECONFIG, -4, "the configuration has problems")                          \
    X(CAIRN_EMONITOR, -5, "the monitor could not be started or has died")           \
    X(CAIRN_ETIMEOUT, -6, "a deadline passed")                                      \
    X(CAIRN_ENOTSTARTED, -7, "Cairn is not started")                                \
    X(CAIRN_EFULL, -8, "a table of fixed size is full")                             \
    X(CAIRN_ETOOLONG, -9, "a text is longer than its limit")                        \
    X(CAIRN_EBUSY, -10, "another call holds what is needed; try again")             \
    X(CAIRN_ENOENT, -11, "there is nothing of that name")                           \
    X(CAIRN_EFORMAT, -12, "the data does not have the expected format")             \
    X(CAIRN_EPLUGIN, -13, "a plugin cannot be used")                                \
    X(CAIRN_EPERM, -14, "the owner or the permissions are not safe, or access is denied") \
    X(CAIRN_ENOSPACE, -15, "there is no room on the disk or a limit is reached")    \
    X(CAIRN_EUNSUPPORTED, -16, "this system cannot do it")

enum cairn_error {
    CAIRN_OK = 0,
#define CAIRN_ERROR_MEMBER(name, number, text) name = number,
    CAIRN_ERRORS(CAIRN_ERROR_MEMBER)
#undef CAIRN_ERROR_MEMBER
};

/* One started handler; opaque. */
struct cairn;

/* What a callback learns of a crash. Valid during the call only. */
struct cairn_crash {
    uint32_t size;
    int32_t signal;          /* SIGSEGV and so on */
    const void *info;        /* siginfo_t, as the kernel delivered it */
    void *context;           /* ucontext_t of the crashed thread */
    int32_t pid, tid;
};

/* What the post-dump callback learns. */
struct cairn_result {
    uint32_t size;
    int32_t success;  /* 1: a complete minidump is on disk */
    const char *id;   /* the report's id, 36 characters; "" without success */
    const char *path; /* the minidump's absolute path; "" without success */
};

/* Callbacks run in the crashed thread, on its alternate stack (64 KiB), while the program's state is
 * unknown: no locks, no allocation, no stdio; raw system calls and static memory only. A callback
 * that faults or exceeds one second loses its say and the report goes on.
 *
 * Filter [crash]: 0 = not for this handler: the next handler, then the earlier one of the program is
 * asked. Anything else = report it. */
typedef int cairn_filter_fn(const struct cairn_crash *crash, void *user);

/* Post-dump [crash]: the dump is written. Non-zero = handled: the program ends without asking other
 * handlers. 0 = not handled: other handlers, then the default action follow. Where the program has a
 * signal handler of its own and that recovers, the dump is deleted again. */
typedef int cairn_post_dump_fn(const struct cairn_crash *crash, const struct cairn_result *result,
                               void *user);

/* First chance [crash]: asked before anything else, the newest handler first, of every signal that
 * Cairn handles: for programs that live on some of their faults (JIT compilers, garbage collectors,
 * WebAssembly). Non-zero = dealt with: nothing is reported, nobody else is asked, the program goes on
 * where `crash->context` says, changed or not. 0 = what was changed there is put back, and it is a
 * crash. Runs in several threads at once, also in fork children, possibly on the thread's own stack;
 * a call costs about two microseconds more than a signal handler of the program's own would. */
typedef int cairn_first_chance_fn(const struct cairn_crash *crash, void *user);

/* Flags of cairn_options. */
#define CAIRN_START_NO_WAIT (1u << 0) /* return before the configuration was checked; a problem is
                                         logged, and answered by the next call that can fail */

struct cairn_options {
    uint32_t size;  /* sizeof(struct cairn_options) */
    uint32_t flags; /* CAIRN_START_… */
    const char *config_file; /* path of the YAML; relative to the current directory */
    const char *config_text; /* or the YAML itself, at most 64 KiB; both NULL: the installed default */
    const char *application; /* overrides application.name; NULL: the configuration decides */
    const char *version;     /* overrides application.version; NULL: the same */
    cairn_filter_fn *filter;        /* or NULL */
    cairn_post_dump_fn *post_dump;  /* or NULL */
    void *user;                     /* handed to the callbacks */
    cairn_first_chance_fn *first_chance; /* or NULL */
};

#define CAIRN_OPTIONS_INIT \
    { sizeof(struct cairn_options), 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL }

/* Starts crash reporting: maps the shared page, starts the monitor, installs the signal handlers.
 * On failure the program is as before, and `error` (of `error_size` bytes, may be NULL) holds whole
 * sentences, for a bad configuration with file:line:column. `ret_cairn` may be NULL. [any thread] */
CAIRN_API int cairn_start(const struct cairn_options *options, struct cairn **ret_cairn, char *error,
                          size_t error_size);

/* Ends this handler's crash reporting, restores the signal handlers if it was the last one, ends the
 * monitor, which still serves fork children that are left. In a fork child: the reporting of that
 * child only. The handler must not be used afterwards. NULL: the first one. [any thread] */
CAIRN_API int cairn_stop(struct cairn *cairn);

/* Annotations: named values that a report carries as attributes. `name` matches [A-Za-z0-9._-]{1,63};
 * a string has at most 2047 bytes; 128 names. Setting a name again replaces its value, whatever its
 * type. CAIRN_ETOOLONG, CAIRN_EFULL, CAIRN_EBUSY (interrupted the same name's update). [signal-safe] */
CAIRN_API int cairn_set_string(struct cairn *cairn, const char *name, const char *value);
CAIRN_API int cairn_set_integer(struct cairn *cairn, const char *name, int64_t value);
CAIRN_API int cairn_set_double(struct cairn *cairn, const char *name, double value);
CAIRN_API int cairn_set_bool(struct cairn *cairn, const char *name, int value);
CAIRN_API int cairn_unset(struct cairn *cairn, const char *name);

/* Adds a breadcrumb to a ring of 256; `category` is cut at 31, `message` at 207 bytes. The time is
 * taken by the vDSO clock. [signal-safe] */
CAIRN_API int cairn_breadcrumb(struct cairn *cairn, const char *category, const char *message);

/* Attaches a file to every later report: read at report time by the engine, with this program's
 * rights, if it then is a regular file. `path` is absolute, at most 1023 bytes; 16 files.
 * [any thread] */
CAIRN_API int cairn_attach_file(struct cairn *cairn, const char *path);
CAIRN_API int cairn_detach_file(struct cairn *cairn, const char *path);

/* Registers memory that every later minidump contains; 64 regions, at most 1 MiB each. `name` is cut
 * at 31 bytes and may be NULL; the report's attribute region.NAME says where the memory was. With a
 * name "text:NAME" its first 2047 bytes, up to a NUL, are the text of the attribute NAME instead, as
 * the crashed process has them at that moment: a fork child, which cannot call the setters, writes
 * there. [any thread] */
CAIRN_API int cairn_add_memory(struct cairn *cairn, const void *start, size_t bytes, const char *name);
CAIRN_API int cairn_remove_memory(struct cairn *cairn, const void *start);

/* Makes a report of the program as it is now; the program goes on. `message` (or NULL) becomes
 * crash.message. Waits until the minidump is on disk, bounded by the `hold` clock. `ret_id` receives
 * the report's id. [any thread] */
CAIRN_API int cairn_dump(struct cairn *cairn, const char *message, char ret_id[37]);

/* Makes a report of another process as it is now, a child for example; it goes on. `tid` is the thread
 * that the report is about, 0: none in particular (then it is the main thread's). The report belongs
 * to this program's application, carries its annotations, and its kind is "request".
 * CAIRN_ENOENT: there is no such process or thread. CAIRN_EPERM: this program may not trace it, by
 * ptrace(2)'s rules (another user's process, one that is not dumpable or is traced already, Yama).
 * CAIRN_ETIMEOUT. Otherwise as cairn_dump(). [any thread] */
CAIRN_API int cairn_dump_process(struct cairn *cairn, int pid, int tid, const char *message,
                                 char ret_id[37]);

/* Gives the calling thread an alternate signal stack with guard pages, so that its stack overflows
 * are reported too; idempotent, and a stack that the program has set itself is left alone. The thread that calls
 * cairn_start() has one already. Call cairn_thread_stop() before the thread ends. A program that is
 * linked with libcairn-threads (`pkg-config --libs cairn-threads`) need not call either: there every
 * thread that pthread_create() or thrd_create() makes has one until it ends. [any thread] */
CAIRN_API int cairn_thread_start(void);
CAIRN_API int cairn_thread_stop(void);

/* The text of an error code, a static string. [signal-safe] */
CAIRN_API const char *cairn_strerror(int error);

/* The library's version, "1.0.0". [signal-safe] */
CAIRN_API const char *cairn_version(void);

#ifdef __cplusplus
}
#endif

#endif
