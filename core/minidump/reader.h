/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one bounded reader of minidumps: for dumps of Cairn, Breakpad, Crashpad and others. Runs in
 * the engine, the sender and the tools. Every offset and count of the file is hostile: checked
 * against the file's size, lists capped; a bad stream is treated as absent, a list that promises
 * more than its stream holds has what is there. All pointers borrow from the image or the reader
 * and live until minidump_close().
 */
#ifndef CAIRN_CORE_MINIDUMP_READER_H
#define CAIRN_CORE_MINIDUMP_READER_H

#include "core/minidump/format.h"
#include "core/util/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct minidump;

struct minidump_thread {
    uint32_t id;
    const char *name;    /* "" if unknown */
    const void *context; /* CONTEXT of the dump's CPU; NULL if absent */
    size_t context_bytes;
    uint64_t instruction_pointer, stack_pointer, frame_pointer; /* from the context; else 0 */
    uint64_t stack_start, stack_bytes;
};

struct minidump_module {
    uint64_t base, bytes;
    const char *path;
    const char *build_id; /* lowercase hexadecimal, "" if none */
    const char *version;  /* "1.2.3.4", "" if none */
};

struct minidump_block {
    uint64_t start, bytes;
    const unsigned char *data;
};

#define MINIDUMP_EXCEPTION_PARAMETERS 15

struct minidump_exception {
    bool present;
    uint32_t thread_id;
    uint32_t code;  /* the signal's number on Linux */
    uint32_t flags; /* si_code on Linux */
    uint64_t address;
    const void *context;
    size_t context_bytes;
    uint64_t instruction_pointer, stack_pointer, frame_pointer; /* from the context; else 0 */
    uint32_t parameter_count;
    uint64_t parameters[MINIDUMP_EXCEPTION_PARAMETERS];
};

struct minidump_register {
    const char *name;
    uint64_t value;
};

/* 0, CAIRN_EFORMAT, CAIRN_ESYSTEM or CAIRN_ENOMEM; the error text names the file and the reason.
 * The descriptor stays the caller's, and its offset is not used. */
int minidump_open(int fd, const char *name, struct minidump **ret_dump, struct error *error);
void minidump_close(struct minidump *dump);

uint64_t minidump_time(const struct minidump *dump);       /* header's, seconds since 1970 */
uint32_t minidump_process_id(const struct minidump *dump); /* of MiscInfo; 0 if unknown */
size_t minidump_thread_count(const struct minidump *dump);
const struct minidump_thread *minidump_thread_at(const struct minidump *dump, size_t index);
const struct minidump_thread *minidump_thread_by_id(const struct minidump *dump, uint32_t id);
size_t minidump_module_count(const struct minidump *dump);
const struct minidump_module *minidump_module_at(const struct minidump *dump, size_t index);
const struct minidump_module *minidump_module_of(const struct minidump *dump, uint64_t address);
size_t minidump_block_count(const struct minidump *dump);
const struct minidump_block *minidump_block_at(const struct minidump *dump, size_t index);
const struct minidump_exception *minidump_exception(const struct minidump *dump);

/* The CPU and system of the dump: "x86_64", "arm64", "x86", …; "Linux", "Windows", "macOS", … */
const char *minidump_cpu(const struct minidump *dump);
const char *minidump_system(const struct minidump *dump);
const char *minidump_system_version(const struct minidump *dump); /* the CSD string */

/* A raw stream; false if absent. */
bool minidump_stream(const struct minidump *dump, uint32_t type, const void **ret_data,
                     size_t *ret_bytes);

/* Bytes copied from `address` on, over adjacent blocks. */
size_t minidump_read(const struct minidump *dump, uint64_t address, void *buffer, size_t bytes);

/* The general registers in a context, in the CPU's customary order; false past the last. */
bool minidump_register_at(const struct minidump *dump, const void *context, size_t context_bytes,
                          size_t index, struct minidump_register *ret_register);

/* The static text of a register's name of any CPU, NULL if there is none of that name. */
const char *minidump_register_name(const char *name);

/* Cairn's records: iterate with *cursor = 0 first; false at the end. */
struct minidump_record_view {
    uint32_t type;
    uint32_t bytes;
    const unsigned char *data;
};
bool minidump_record_next(const struct minidump *dump, size_t *cursor,
                          struct minidump_record_view *ret_record);

/* A process file of Cairn's records, or the matching standard stream of another reporter: "status",
 * "maps", "auxv", "cmdline", "environ", "cpuinfo", "os-release", "limits". A NUL follows the text.
 */
bool minidump_process_file(const struct minidump *dump, const char *name, const char **ret_text,
                           size_t *ret_bytes);

/* Crashpad's string annotations, those of the process first, then its modules'; false past the
 * last. */
bool minidump_annotation_at(const struct minidump *dump, size_t index, const char **ret_name,
                            const char **ret_value);

#endif
