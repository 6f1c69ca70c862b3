/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a capture as a minidump. Runs in the monitor and in the clone of a crashed program:
 * imports nothing. Every stream is optional and fails on its own, with a soft error; only a failing
 * write to the descriptor, or too little room for the least, fails the whole.
 */
#ifndef CAIRN_CORE_MINIDUMP_WRITER_H
#define CAIRN_CORE_MINIDUMP_WRITER_H

#include "core/capture/capture.h"
#include "core/minidump/format.h"

/* A growing sequence of records for Cairn's own stream; memory comes from the arena. */
struct minidump_records {
    struct arena *arena;
    unsigned char *data;
    size_t bytes, capacity;
    uint32_t failed; /* an allocation failed: what came after is missing */
};

void minidump_records_init(struct minidump_records *records, struct arena *arena);

/* Appends one record made of up to three parts, each may be NULL with 0 bytes. [crash, monitor] */
void minidump_records_add(struct minidump_records *records, uint32_t type, const void *first,
                          size_t first_bytes, const void *second, size_t second_bytes,
                          const void *third, size_t third_bytes);
void minidump_records_text(struct minidump_records *records, uint32_t type, const char *text);

/* String annotations for Crashpad's stream, so that other tools show them. */
struct minidump_annotation {
    const char *name, *value;
};

struct write;

/* For minidump_extra.more: the stream of open descriptors. Not part of what every program carries
 * with it. [monitor] */
void minidump_write_handles(struct write *write);

struct minidump_extra {
    const struct minidump_records
        *records; /* from the caller; the writer adds files, notes, timings */
    const struct minidump_annotation *annotations;
    size_t annotation_count;
    unsigned char report_id[16]; /* the UUID's bytes in the order of its text */
    const char *processors; /* /proc/cpuinfo, of which a caller knew that it takes long; or NULL */
    size_t processors_bytes;
    void (*more)(struct write *write); /* writes what capture_request.more has read, or NULL */
    uint32_t *begun; /* becomes 1 when nothing is asked of the system any more and the memory that
                      * is written into is about to change; or NULL */
};

/* A minidump that is put together: all but the memory contents, which follow it in a file. It lies
 * in the capture's memory and lives as long. */
struct minidump_image {
    struct capture *capture;
    unsigned char *data;
    size_t bytes;          /* of `data` */
    uint64_t memory_bytes; /* behind it */
    uint32_t missing_at;   /* room for a record about memory that could not be read, 0: none */
};

/* 0 or -ENOMEM. [crash, monitor] */
int minidump_compose(struct capture *capture, const struct minidump_extra *extra,
                     struct minidump_image *ret_image);

/* Writes it at `offset` of `fd`; when some of its memory was left in the process, before that is
 * released, and at 0. 0 or a negative errno. [crash, monitor] */
int minidump_write_image(const struct minidump_image *image, int fd, uint64_t offset);

/* Both at once, into an empty file. */
int minidump_write(struct capture *capture, const struct minidump_extra *extra, int fd);

/* The same into `capacity` bytes of memory, of which the captured memory may take a half at most.
 * What does not fit is left out, with a note: the crashed thread, the notes and the caller's
 * records come first. 0 or a negative errno. [crash, monitor] */
int minidump_write_memory(struct capture *capture, const struct minidump_extra *extra, void *memory,
                          size_t capacity, size_t *ret_bytes);

#endif
