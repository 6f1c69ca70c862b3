/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records that a step's process sends to its host over a pipe. The writing side runs in the
 * step, the reading side in the engine and the sender; since a plugin can write to any descriptor
 * of its process, what is read is hostile.
 */
#ifndef CAIRN_CORE_PLUGIN_WIRE_H
#define CAIRN_CORE_PLUGIN_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WIRE_MAX_NAME 128
#define WIRE_MAX_TEXT 65536

enum wire_type {
    WIRE_LOG = 1,       /* text; bits: enum cairn_log_level */
    WIRE_FAIL = 2,      /* text: why the call fails */
    WIRE_PROBLEM = 3,   /* name: the option; text */
    WIRE_NOTE = 4,      /* text */
    WIRE_ATTRIBUTE = 5, /* name; value and bits, or text */
    WIRE_END = 6,       /* text: struct wire_end; the last record */
    WIRE_TEXT = 7,      /* bits: STEP_TEXT_MESSAGE or a breadcrumb's index; text */
    WIRE_ARTIFACT = 8,  /* name: a writer's extension; text: media type */
    WIRE_TAKE = 9,      /* text: struct cairn_hole, any number of them */
};

struct wire_record {
    uint32_t type;  /* enum wire_type */
    uint32_t value; /* enum cairn_value_type */
    uint64_t bits;  /* integer, double's bits, bool, index */
    uint32_t name_bytes, text_bytes;
};

enum wire_state {
    WIRE_DONE = 0,
    WIRE_UNSUPPORTED = 1,
    WIRE_FAILED = 2,   /* one of the plugin's functions returned an error */
    WIRE_REFUSED = 3,  /* check() found problems */
    WIRE_UNUSABLE = 4, /* the plugin could not be loaded, or its process not be prepared */
};

/* How the step ended and what the plugin answered. */
struct wire_end {
    int32_t state;   /* enum wire_state */
    int32_t limited; /* 1: the host refused some of the output because of a limit */
    int32_t action, outcome, response_code;
    int32_t reserved;
    uint64_t retry_after_us;
    char reason[512];    /* a filter's, or a transport's error */
    char server_id[256]; /* a transport's */
    char instead_of[40]; /* a filter's */
    uint64_t defer_us;   /* a filter's */
};

/* Writes one record; `name` and `text` are cut at their limits. Returns the bytes it takes. */
size_t wire_send(int fd, struct wire_record record, const char *name, const void *text,
                 size_t text_bytes);

struct wire_view {
    struct wire_record record;
    const char *name, *text; /* not NUL-terminated */
};

struct wire_reader {
    size_t start, end;
    char buffer[sizeof(struct wire_record) + WIRE_MAX_NAME + WIRE_MAX_TEXT];
};

/* Reads what there is, without waiting if `fd` is non-blocking: as read(2). */
ssize_t wire_fill(struct wire_reader *reader, int fd);
/* 1 and the next record, valid until the next call; 0: not yet there; -1: not a record. */
int wire_next(struct wire_reader *reader, struct wire_view *ret_view);

#endif
