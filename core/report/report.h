/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report: what every later stage knows of a crash, in memory and as report.json.
 * Only json*.c see cJSON. Engine, sender, tools.
 *
 * Everything in a report may come from a crashed process or a foreign file: the adders make every
 * text printable UTF-8, cut it at its limit and cap every list: report.json stays below 8 MiB.
 */
#ifndef CAIRN_CORE_REPORT_REPORT_H
#define CAIRN_CORE_REPORT_REPORT_H

#include "core/util/error.h"

#include <cairn/plugin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct report_attribute {
    char *name;
    struct cairn_value value; /* value.string is owned */
    bool replaced;            /* the minidump has another one; not in report.json */
};

struct report_frame {
    uint64_t address, module_offset, symbol_offset;
    char *module, *module_path, *build_id, *symbol; /* NULL if unknown */
    const char *trust;                              /* static text */
};

struct report_artifact {
    char *name, *media_type;
    uint64_t bytes;
    char sha256[65];
};

enum report_delivery_state {
    REPORT_PENDING = 0,
    REPORT_DELIVERED = 1,
    REPORT_REJECTED = 2, /* for good, or given up after the last attempt */
};

struct report_delivery {
    char *transport; /* instance id */
    enum report_delivery_state state;
    unsigned attempts;
    uint64_t next_ns; /* not before, wall clock; 0: at once */
    uint64_t last_ns;
    char *server_id, *error; /* NULL if none */
    int response_code;       /* 0: none */
};

struct report_timing {
    char *name;
    uint64_t microseconds;
};

struct report_breadcrumb {
    uint64_t time_ns;
    char *category, *message;
    bool replaced; /* as an attribute's */
};

struct report_register {
    const char *name; /* static text */
    uint64_t value;
};

struct report {
    char id[37];
    char *application, *version; /* version may be NULL */
    uint64_t time_ns;            /* of the crash */
    const char *kind;            /* "crash", "request", "death" */
    int tier;                    /* 0: not captured by Cairn */
    char *tier_reason;           /* NULL for tier 1 */
    /* crash */
    int signal; /* 0: none */
    int si_code;
    uint64_t address;
    bool has_address;
    uint32_t pid, tid;
    char *thread;            /* name, NULL if unknown */
    char *reason;            /* in words */
    char *message;           /* NULL if none */
    bool message_replaced;   /* as an attribute's */
    char *executable, *user; /* NULL if unknown; user: name, else the number */
    char *signature;         /* NULL if there is none */
    char *pipeline;          /* NULL before it is chosen */
    char *configuration;     /* the file that it was made with, absolute; NULL if it was a text */

    struct report_attribute *attributes;
    size_t attribute_count;
    char **notes;
    size_t note_count;
    struct report_frame *frames;
    size_t frame_count;
    struct report_register *registers;
    size_t register_count;
    struct report_breadcrumb *breadcrumbs;
    size_t breadcrumb_count;
    struct report_artifact *artifacts;
    size_t artifact_count;
    struct report_delivery *deliveries;
    size_t delivery_count;
    struct report_timing *timings;
    size_t timing_count;
    char **attachments; /* paths asked for by the program; internal, not in report.json */
    size_t attachment_count;
    struct report_scratch *scratch; /* private: texts that report_get() makes */
};

struct report *report_create(void);
void report_destroy(struct report *report);

/* All adders copy. 0, CAIRN_ENOMEM, CAIRN_EINVAL (a name or value that no report can have) or
 * CAIRN_EFULL (the list has REPORT_MAX_… entries). What has a name replaces what has it already. */
#define REPORT_MAX_ATTRIBUTES       1024
#define REPORT_MAX_ATTRIBUTE_BYTES  (64u * 1024)   /* of one text */
#define REPORT_MAX_ATTRIBUTES_BYTES (1536u * 1024) /* of all texts */
#define REPORT_MAX_NOTES            256
#define REPORT_MAX_FRAMES           512
#define REPORT_MAX_REGISTERS        64
#define REPORT_MAX_BREADCRUMBS      512
#define REPORT_MAX_ARTIFACTS        64
#define REPORT_MAX_DELIVERIES       64
#define REPORT_MAX_TIMINGS          128
#define REPORT_MAX_ATTACHMENTS      64
#define REPORT_MAX_TEXT_BYTES       4096 /* of a text member */

/* `name` is [A-Za-z0-9._-]{1,128}; a text longer than its limit is CAIRN_EINVAL. */
int report_set(struct report *report, const char *name, const struct cairn_value *value);
/* The same of an annotator: where there is such an attribute with another value, it is replaced. */
int report_replace(struct report *report, const char *name, const struct cairn_value *value);
/* Replaces an attribute that there is by the empty text. Its text is gone even if memory is. */
void report_forget(struct report *report, const char *name);
/* Whether it is replaced; paths are "attributes.<name>", "crash.message", "breadcrumbs.<index>". */
bool report_is_replaced(const struct report *report, const char *path);
const struct cairn_value *report_attribute(const struct report *report, const char *name);
/* A whole sentence. The same note is kept once; the last place says that more were left out. */
int report_note(struct report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* `trust` may be any text; the copy points to one of the four static ones, or "unknown". */
int report_add_frame(struct report *report, const struct report_frame *frame);
/* `name` as minidump_register_name() knows it, else CAIRN_EINVAL. */
int report_add_register(struct report *report, const char *name, uint64_t value);
int report_add_breadcrumb(struct report *report, uint64_t time_ns, const char *category,
                          const char *message);
int report_add_artifact(struct report *report, const char *name, const char *media_type,
                        uint64_t bytes, const char *sha256);
/* Whether an artifact is for this machine only: the minidump as it was captured, from which nobody
 * has taken what the configuration leaves out. No hook and no transport is told of it. */
bool report_artifact_stays(const struct report_artifact *artifact);
/* Takes one out again; nothing happens when there is none of that name. */
void report_remove_artifact(struct report *report, const char *name);
/* The delivery of that transport, new or known; NULL without memory or room. */
struct report_delivery *report_add_delivery(struct report *report, const char *transport);
/* `name` gets the suffix "_us" unless it has it. */
int report_timing(struct report *report, const char *name, uint64_t microseconds);
/* An absolute path. */
int report_add_attachment(struct report *report, const char *path);
/* Replaces a text member: report_text(&report->message, "…"); NULL clears it. 0 or CAIRN_ENOMEM. */
int report_text(char **member, const char *value);

/* A field by its path, as host->get() of plugin.h. Texts live until the report changes or the next
 * call. */
bool report_get(const struct report *report, const char *path, struct cairn_value *ret_value);

/* Fills what the minidump knows: id, application, kind, crash, registers of the crashed thread,
 * attributes (annotations), breadcrumbs, notes, timings, attachments. Absent parts stay absent.
 * 0 or CAIRN_ENOMEM. */
struct minidump;
int report_from_minidump(struct report *report, const struct minidump *dump);

/* The grouping key: 32 hexadecimal digits, stable across runs and address layouts: from the signal
 * and the top frames as build id or module and function or offset; NULL when no frame lies in a
 * module. 0 or CAIRN_ENOMEM. */
int report_sign(struct report *report);

/* report.json. The text is the caller's; NULL: no memory. */
char *report_to_json(const struct report *report);
#define REPORT_JSON_LIMIT (8u * 1024 * 1024)
/* Parses hostile text. 0, CAIRN_EFORMAT (the sentence names the key) or CAIRN_ENOMEM. Keys that
 * this version does not know are ignored. JSON has one type of number: an integral double attribute
 * comes back as an integer, an integer beyond 2^53 as its decimal text. */
int report_from_json(const char *text, size_t bytes, struct report **ret_report,
                     struct error *error);

#endif
