/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a stopped process from outside: threads, registers, memory, maps, modules, /proc files.
 * Runs in the monitor, and in the clone of a crashed program (tiers 2 and 3): it imports nothing,
 * not even libc; memory comes from mmap in arenas; every loop and every wait is bounded.
 *
 * The order is: capture_begin() seizes and interrupts all threads, waits for all, reads everything
 * that needs the process; capture_release() lets it go; then whoever called works on the copy. Only
 * with CAPTURE_FULL most of the memory is left where it is (`left_bytes`): it would take as much
 * room once more, so it is read when it is written, and the process held until then. What cannot be
 * read becomes a note; only "no thread at all could be stopped or read" is a failure.
 */
#ifndef CAIRN_CORE_CAPTURE_CAPTURE_H
#define CAIRN_CORE_CAPTURE_CAPTURE_H

#include "core/capture/arena.h"
#include "core/capture/arch/arch.h"

#include <stddef.h>
#include <stdint.h>

enum capture_memory { CAPTURE_STACKS = 0, CAPTURE_REFERENCED = 1, CAPTURE_FULL = 2 };

/* What may be done: a sandbox may kill for it. Beyond the first only for the caller's own process.
 */
enum capture_care { CAPTURE_FREELY = 0, CAPTURE_WITHOUT_FILES = 1, CAPTURE_BY_READING = 2 };

#define CAPTURE_COMMAND_LINE (1u << 0)
#define CAPTURE_ENVIRONMENT  (1u << 1)
#define CAPTURE_DESCRIPTORS  (1u << 2) /* only where the request's `more` reads them */

struct capture;

/* How a message begins that names a C++ exception: the type follows as the compiler names it, and
 * ": " with its text if that could be read. */
#define CAPTURE_THROWN "C++ exception "

struct capture_region {
    uint64_t start, bytes;
};

struct capture_request {
    int32_t pid;                  /* of the thread group */
    int32_t tid;                  /* the thread that the report is about; 0: the main thread */
    int32_t signal;               /* 0: no crash, a dump was requested */
    uint64_t context_address;     /* its ucontext_t in the process, 0 if there is none */
    const unsigned char *siginfo; /* 128 bytes, or NULL */
    uint32_t memory;              /* enum capture_memory */
    uint32_t classes;             /* CAPTURE_COMMAND_LINE, … */
    uint64_t max_bytes;           /* of memory contents; filled by priority; 0 = no cap */
    uint64_t stop_timeout_ns; /* threads that do not stop by then are reported without registers */
    uint64_t hold_ns;         /* memory that was left in the process is read for so long after the
                               * beginning;         0: no limit */
    const struct capture_region *regions; /* registered by the program */
    size_t region_count;
    uint32_t care;    /* enum capture_care */
    const char *auxv; /* of the process, and its executable's path, where /proc cannot tell them: */
    size_t auxv_bytes; /* as they were before, or NULL */
    const char *exe;
    int32_t copied_pid; /* of a caller that captures itself: whose copy it is, or 0 */
    void *scratch;      /* zeroed memory to work in before more is mapped, or NULL */
    size_t scratch_bytes;
    void (*more)(struct capture *capture); /* reads what is not for every caller's size, or NULL */
};

struct capture_thread {
    int32_t tid;
    uint32_t state;         /* enum capture_thread_state of parts.h */
    int32_t pending_signal; /* to hand back to it when it goes on */
    uint32_t has_registers; /* 0: it did not stop or could not be read */
    struct arch_registers registers;
    char name[16];
    uint64_t stack_start, stack_bytes; /* what was captured of its stack; 0 bytes: none */
};

struct capture_mapping {
    uint64_t start, end, offset, inode;
    uint32_t device_major, device_minor;
    uint32_t protection; /* PROT_READ, … */
    uint32_t shared;
    const char *path; /* without " (deleted)"; "" for anonymous */
    uint32_t deleted;
};

struct capture_module {
    uint64_t base, bytes; /* first to last mapping of the file */
    const char *path;
    const char *soname; /* or "" */
    unsigned char build_id[64];
    uint32_t build_id_bytes; /* 0: none found */
    uint32_t version[4];     /* from the SONAME's numbers, zero-filled */
    uint32_t is_main;
    uint64_t dynamic_address; /* of PT_DYNAMIC in memory, 0 if none */
};

/* What the dynamic linker says of itself: struct r_debug, its list, the program's PT_DYNAMIC. */
struct capture_link {
    uint64_t load_address, dynamic_address;
    const char *name;
};

struct capture_linkage {
    uint32_t version; /* 0: nothing known, a static program perhaps */
    uint64_t breakpoint, linker_base, dynamic_address;
    const unsigned char *dynamic;
    size_t dynamic_bytes;
    struct capture_link *links;
    size_t link_count;
};

/* An open descriptor. */
struct capture_descriptor {
    int32_t fd;
    uint32_t access;    /* O_RDONLY, O_WRONLY or O_RDWR */
    const char *target; /* what /proc/PID/fd/N leads to: a path, "socket:[1234]", … */
};

/* A captured piece of memory: `bytes` bytes of the process at `start` are at `data`; without data
 * they are still in the process. */
struct capture_block {
    uint64_t start, bytes;
    const unsigned char *data;
};

/* A small file of /proc/PID ("status", "stat", "limits", "cgroup", "auxv", "maps", "cmdline",
 * "environ") or the target of a link ("cwd", "exe", "root"). */
struct capture_file {
    const char *name;
    const char *content; /* NUL after the last byte */
    size_t bytes;
};

struct capture {
    struct capture_request request;
    struct arena arena;
    unsigned char siginfo[128]; /* zero without one */
    uint32_t own;               /* the caller captures itself */
    uint32_t attached;          /* threads that are still traced; see capture_release() */
    int32_t ending_main;        /* the main thread, if it ended while it was being stopped */
    int32_t through;            /* the living thread by whose id memory and /proc are reached */
    int32_t task_folder;        /* /proc/PID/task while the threads are being stopped, else -1 */
    uint32_t guessed;           /* the mappings are those of modules only */
    int32_t memory_fd;          /* /proc/PID/mem once it had to be used, else -1 */
    struct capture_thread *threads;
    size_t thread_count;
    size_t crashed; /* index; SIZE_MAX if the crashed thread was not found */
    struct capture_mapping *mappings;
    size_t mapping_count;
    struct capture_module *modules; /* the main executable first */
    size_t module_count;
    struct capture_linkage linkage;
    const char *message;          /* what libc said before abort(), or what was thrown, or NULL */
    struct capture_block *blocks; /* sorted by start, not overlapping */
    size_t block_count;
    uint64_t
        left_bytes; /* of blocks without data: the process is to be held until they are written */
    struct capture_file *files;
    size_t file_count;
    struct capture_descriptor *descriptors;
    size_t descriptor_count;
    const char **notes; /* sentences */
    size_t note_count;
    uint64_t began_ns, stopped_ns, read_ns, released_ns; /* CLOCK_MONOTONIC */
};

/* 0, or a negative errno when nothing at all could be captured; then nothing is left to finish.
 * What the request points to is copied. A request for the caller's own process (a crashed one, or
 * its clone where tracing the parent is refused) captures the caller's memory, with the crashed
 * thread's registers from its context as the only ones; of the other threads there are names.
 * [crash, monitor] */
int capture_begin(struct capture *capture, const struct capture_request *request);

/* Detaches from all threads; the process goes on. Idempotent. A thread that did not stop in time
 * can only be left once it stops, or by the end of the calling thread: while `attached` is not 0, a
 * caller that lives on calls again, every second or so. [crash, monitor] */
void capture_release(struct capture *capture);

/* Frees all memory; releases first. [crash, monitor] */
void capture_finish(struct capture *capture);

/* For request.more: the open descriptors, if the request's classes have them. Not part of what
 * every program carries with it. [monitor] */
void capture_read_descriptors(struct capture *capture);

/* Adds a note in the capture's arena. The only conversions are %s, %d (int), %u (unsigned),
 * %llx and %llu (64 bit). [crash, monitor] */
void capture_note(struct capture *capture, const char *format, ...);

/* Bytes of the process, while it is held: how many from `address` on could be read into `buffer`.
 * [crash, monitor] */
size_t capture_read(struct capture *capture, uint64_t address, void *buffer, size_t bytes);

/* The content of a captured file by name, or NULL. [crash, monitor] */
const struct capture_file *capture_file(const struct capture *capture, const char *name);

#endif
