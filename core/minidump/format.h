/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The minidump format as Cairn writes and reads it: headers, streams, contexts, and Cairn's own
 * stream of records. Shared by the writer (imports nothing) and the reader; freestanding.
 *
 * Sources of the layout: Microsoft's minidumpapiset.h as documented at learn.microsoft.com
 * (MINIDUMP_HEADER and what it leads to); Breakpad's minidump_format.h for 0x4767…; Crashpad's
 * minidump_extensions.h for 0x4350…; rust-minidump's format.rs for 0x4d7a….
 * All integers little endian; structures packed to 4 bytes as there.
 */
#ifndef CAIRN_CORE_MINIDUMP_FORMAT_H
#define CAIRN_CORE_MINIDUMP_FORMAT_H

#include <stdint.h>

#define MINIDUMP_SIGNATURE 0x504d444du /* "MDMP" */
#define MINIDUMP_VERSION 0x0000a793u

enum minidump_stream {
    MINIDUMP_STREAM_UNUSED = 0,
    MINIDUMP_STREAM_THREAD_LIST = 3,
    MINIDUMP_STREAM_MODULE_LIST = 4,
    MINIDUMP_STREAM_MEMORY_LIST = 5,
    MINIDUMP_STREAM_EXCEPTION = 6,
    MINIDUMP_STREAM_SYSTEM_INFO = 7,
    MINIDUMP_STREAM_MEMORY64_LIST = 9,
    MINIDUMP_STREAM_HANDLE_DATA = 12,
    MINIDUMP_STREAM_MISC_INFO = 15,
    MINIDUMP_STREAM_MEMORY_INFO_LIST = 16,
    MINIDUMP_STREAM_THREAD_NAMES = 24,
    MINIDUMP_STREAM_LINUX_CPU_INFO = 0x47670003,
    MINIDUMP_STREAM_LINUX_PROC_STATUS = 0x47670004,
    MINIDUMP_STREAM_LINUX_LSB_RELEASE = 0x47670005,
    MINIDUMP_STREAM_LINUX_CMD_LINE = 0x47670006,
    MINIDUMP_STREAM_LINUX_ENVIRON = 0x47670007,
    MINIDUMP_STREAM_LINUX_AUXV = 0x47670008,
    MINIDUMP_STREAM_LINUX_MAPS = 0x47670009,
    MINIDUMP_STREAM_LINUX_DSO_DEBUG = 0x4767000a,
    MINIDUMP_STREAM_CRASHPAD_INFO = 0x43500001,
    MINIDUMP_STREAM_MOZ_LINUX_LIMITS = 0x4d7a0003,
    MINIDUMP_STREAM_MOZ_SOFT_ERRORS = 0x4d7a0004,
    MINIDUMP_STREAM_CAIRN = 0x43524e01,
};

/* The exception code of a dump that nobody crashed for (Breakpad's MD_EXCEPTION_CODE_LIN_DUMP_REQUESTED). */
#define MINIDUMP_EXCEPTION_DUMP_REQUESTED 0xffffffffu

/* ---- Cairn's own stream: records one after the other, each padded to 4 bytes. ---- */

enum minidump_record_type {
    MINIDUMP_RECORD_NONE = 0,        /* room that was not needed */
    MINIDUMP_RECORD_INFO = 1,        /* struct minidump_record_info */
    MINIDUMP_RECORD_ID = 2,          /* text: the report's id */
    MINIDUMP_RECORD_APPLICATION = 3, /* text */
    MINIDUMP_RECORD_VERSION = 4,     /* text */
    MINIDUMP_RECORD_ANNOTATION = 5,  /* struct minidump_record_annotation, name, value text */
    MINIDUMP_RECORD_BREADCRUMB = 6,  /* struct minidump_record_breadcrumb, category, message */
    MINIDUMP_RECORD_ATTACHMENT = 7,  /* text: absolute path */
    MINIDUMP_RECORD_NOTE = 8,        /* text: what is missing, and why */
    MINIDUMP_RECORD_MESSAGE = 9,     /* text: what the program said of the event */
    MINIDUMP_RECORD_PARKED = 10,     /* struct minidump_record_parked */
    MINIDUMP_RECORD_TIMING = 11,     /* struct minidump_record_timing, name */
    MINIDUMP_RECORD_PROCESS_FILE = 12, /* struct minidump_record_file, name, content */
    MINIDUMP_RECORD_TIER_REASON = 13,  /* text: why it is not tier 1 */
    MINIDUMP_RECORD_REGION = 14,       /* struct minidump_record_region, name */
    MINIDUMP_RECORD_REASON = 15,       /* text: what ended a process that nobody could capture */
    MINIDUMP_RECORD_DESCENT = 16,      /* struct minidump_record_descent, of a fork child only */
};

/* What kind of event the dump is about. */
enum minidump_kind { MINIDUMP_KIND_CRASH = 1, MINIDUMP_KIND_REQUEST = 2, MINIDUMP_KIND_DEATH = 3 };

struct minidump_record {
    uint32_t type;  /* enum minidump_record_type */
    uint32_t bytes; /* of what follows, without padding */
};

struct minidump_record_info {
    uint32_t version; /* 1 */
    uint32_t tier;    /* 1, 2, 3 */
    uint32_t kind;    /* enum minidump_kind */
    uint32_t pid;
    uint64_t time; /* CLOCK_REALTIME of the event, nanoseconds */
};

struct minidump_record_annotation {
    uint32_t type; /* enum cairn_value_type of plugin.h */
    uint32_t name_bytes;
    uint64_t bits;
    uint32_t value_bytes;
    uint32_t reserved;
};

struct minidump_record_breadcrumb {
    uint64_t time;
    uint32_t category_bytes;
    uint32_t message_bytes;
};

struct minidump_record_parked {
    uint32_t tid;
    uint32_t signal;
};

struct minidump_record_timing {
    uint64_t microseconds;
    uint32_t name_bytes;
    uint32_t reserved;
};

struct minidump_record_descent {
    uint32_t parent; /* process: its parent at that time */
    uint32_t main;   /* process: where Cairn was started */
};

/* Memory that the program registered; what of it was captured is in the list of memory. */
struct minidump_record_region {
    uint64_t start, bytes;
    uint32_t name_bytes;
    uint32_t reserved;
};

struct minidump_record_file {
    uint32_t name_bytes;
    uint32_t content_bytes;
};

/* ---- The reserve: a file that is made before any crash, for the tiers without a monitor. The
 * minidump is written to its start, what it is about to its last page; so it is a minidump that
 * every reader takes, with something behind its end. ---- */

#define MINIDUMP_RESERVE_MAGIC      0x45565253455243ull
#define MINIDUMP_RESERVE_VERSION    1u
#define MINIDUMP_RESERVE_BYTES      (512u * 1024u) /* for the minidump */
#define MINIDUMP_RESERVE_FILE_BYTES (MINIDUMP_RESERVE_BYTES + 4096u)
#define MINIDUMP_RESERVE_KEPT_AT    MINIDUMP_RESERVE_FILE_BYTES /* behind all that is the program's */
#define MINIDUMP_RESERVE_SUFFIX     ".reserve" /* incoming/<id>.reserve */

/* EMPTY → WRITING → SPARSE → WRITING → COMPLETE, with or without SPARSE, which a program that dies
 * leaves behind for good. Every change is a compare-and-swap: whoever leaves EMPTY makes the crash's
 * one report. The monitor does so only when a minidump cannot be lost with it any more. */
enum minidump_reserve_state {
    MINIDUMP_RESERVE_EMPTY = 0,
    MINIDUMP_RESERVE_WRITING = 1,  /* by the crashed program */
    MINIDUMP_RESERVE_COMPLETE = 2, /* the minidump is whole */
    MINIDUMP_RESERVE_CLOSED = 3,   /* the monitor makes the report */
    MINIDUMP_RESERVE_OPEN = 4,     /* as COMPLETE, while the program lives and its handler may mend it */
    MINIDUMP_RESERVE_SPARSE = 5,   /* a whole minidump, of little: the program tries to do better */
};

/* In the last page. The monitor fills it in; the program changes `state`, `bytes`
 * and `writer`. */
struct minidump_reserve {
    uint64_t magic;
    uint32_t version;
    uint32_t state;         /* enum minidump_reserve_state, a futex word */
    uint64_t bytes;         /* of the minidump, once COMPLETE or SPARSE */
    uint64_t start_time;    /* of the program: field 22 of /proc/PID/stat */
    uint64_t pid_namespace; /* in which `pid` is its number: inode of /proc/self/ns/pid */
    int32_t pid;
    uint32_t whole;  /* the monitor's minidump is, if perhaps under its temporary name */
    char id[40];     /* the report's */
    char other[40];  /* the id of the monitor's report of the same crash, or "" */
    int32_t writer;    /* who left EMPTY: the program or a fork child; 0 for a moment */
    int32_t other_pid; /* whose crash `other` is about */
    /* For a program that cannot read its own /proc any more when it crashes. */
    uint32_t auxv_bytes;
    char auxv[1024];
    char exe[2040]; /* "": unknown */
    /* Of the monitor's minidump, at MINIDUMP_RESERVE_KEPT_AT, as long as it is whole nowhere else; 0:
     * there is none. It counts when the program has not made one. */
    uint64_t kept_bytes;
};

#endif
