/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report: what every later stage knows of a crash, in memory and as report.json.
 * cJSON's one home is core/report/json.c. Engine, sender, tools.
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
    int signal;  /* 0: none */
    int si_code;
    uint64_t address;
    bool has_address;
    uint32_t pid, tid;
    char *thread;  /* name, NULL if unknown */
    char *reason;  /* in words */
    char *message; /* NULL if none */
    char *executable, *user; /* NULL if unknown; user: name, else the number */
    char *signature;         /* NULL if there is none */
    char *pipeline;          /* NULL before it is chosen */

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
};

struct report *report_create(void);
void report_destroy(struct report *report);

/* All adders copy; 0, CAIRN_ENOMEM, CAIRN_EINVAL or CAIRN_EFULL (caps: 1024 attributes, 256 notes). */
int report_set(struct report *report, const char *name, const struct cairn_value *value);
const struct cairn_value *report_attribute(const struct report *report, const char *name);
int report_note(struct report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int report_add_frame(struct report *report, const struct report_frame *frame);
int report_add_breadcrumb(struct report *report, uint64_t time_ns, const char *category,
                          const char *message);
int report_add_artifact(struct report *report, const char *name, const char *media_type,
                        uint64_t bytes, const char sha256[65]);
struct report_delivery *report_add_delivery(struct report *report, const char *transport);
int report_timing(struct report *report, const char *name, uint64_t microseconds);
/* Replaces a text member: report_text(&report->message, "…"). */
int report_text(char **member, const char *value);

/* A field by its path, as host->get() of plugin.h. */
bool report_get(const struct report *report, const char *path, struct cairn_value *ret_value);

/* Fills what the minidump knows: application, kind, crash, registers of the crashed thread,
 * attributes (annotations), breadcrumbs, notes, attachments. Absent parts stay absent. */
struct minidump;
int report_from_minidump(struct report *report, const struct minidump *dump);

/* The grouping key: 32 hexadecimal digits, stable across runs and address layouts: from the signal
 * and the top frames as build id or module and function or offset; NULL without frames. */
int report_sign(struct report *report);

/* report.json. The text is the caller's; NULL: no memory. */
char *report_to_json(const struct report *report);
/* Parses hostile text. 0, CAIRN_EFORMAT or CAIRN_ENOMEM. */
int report_from_json(const char *text, size_t bytes, struct report **ret_report,
                     struct error *error);

#endif
