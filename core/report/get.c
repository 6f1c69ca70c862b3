/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields of a report by their path in report.json; also the texts of its numbers. Engine, sender,
 * tools.
 */
#include "core/report/report_inner.h"

#include "core/util/text.h"
#include "core/util/time.h"

#include <stdio.h>
#include <string.h>

const char *report_delivery_text(enum report_delivery_state state)
{
    switch (state) {
    case REPORT_DELIVERED:
        return "delivered";
    case REPORT_REJECTED:
        return "rejected";
    default:
        return "pending";
    }
}

bool report_is_death(const struct report *report)
{
    return strcmp(report->kind, "death") == 0;
}

const char *report_code_text(const struct report *report, char buffer[16])
{
    const char *name = text_signal_code(report->signal, report->si_code);

    if (report_is_death(report)) {
        return NULL;
    }
    if (name != NULL) {
        return name;
    }
    snprintf(buffer, 16, "%d", report->si_code);
    return buffer;
}

static bool string_value(const char *text, struct cairn_value *ret_value)
{
    if (text == NULL) {
        return false;
    }
    *ret_value = (struct cairn_value){ .type = CAIRN_VALUE_STRING, .string = text };
    return true;
}

static bool integer_value(int64_t number, struct cairn_value *ret_value)
{
    *ret_value = (struct cairn_value){ .type = CAIRN_VALUE_INTEGER, .integer = number };
    return true;
}

static bool get_id(const struct report *report, struct cairn_value *ret_value)
{
    return string_value(report->id[0] != '\0' ? report->id : NULL, ret_value);
}

static bool get_time(const struct report *report, struct cairn_value *ret_value)
{
    time_format(report->time_ns, report->scratch->time);
    return string_value(report->scratch->time, ret_value);
}

static bool get_kind(const struct report *report, struct cairn_value *ret_value)
{
    return string_value(report->kind, ret_value);
}

static bool get_tier(const struct report *report, struct cairn_value *ret_value)
{
    return integer_value(report->tier, ret_value);
}

static bool get_signal(const struct report *report, struct cairn_value *ret_value)
{
    return report->signal != 0 &&
           string_value(text_signal_name(report->signal, report->scratch->signal), ret_value);
}

static bool get_code(const struct report *report, struct cairn_value *ret_value)
{
    return report->signal != 0 &&
           string_value(report_code_text(report, report->scratch->code), ret_value);
}

static bool get_address(const struct report *report, struct cairn_value *ret_value)
{
    if (!report->has_address) {
        return false;
    }
    *ret_value = (struct cairn_value){ .type = CAIRN_VALUE_UINT64, .uint64 = report->address };
    return true;
}

static bool get_pid(const struct report *report, struct cairn_value *ret_value)
{
    return report->pid != 0 && integer_value(report->pid, ret_value);
}

static bool get_tid(const struct report *report, struct cairn_value *ret_value)
{
    return report->tid != 0 && integer_value(report->tid, ret_value);
}

/* A field is either a text member of the report or has a function. */
struct field {
    const char *path;
    size_t member;
    bool (*get)(const struct report *report, struct cairn_value *ret_value);
};

#define TEXT(path_, member_)                                                                       \
    {                                                                                              \
        (path_), offsetof(struct report, member_), NULL                                            \
    }
#define CALL(path_, function_)                                                                     \
    {                                                                                              \
        (path_), 0, (function_)                                                                    \
    }

static const struct field fields[] = {
    CALL("id", get_id),
    CALL("kind", get_kind),
    CALL("time", get_time),
    CALL("tier", get_tier),
    TEXT("tier_reason", tier_reason),
    TEXT("signature", signature),
    TEXT("pipeline", pipeline),
    TEXT("application.name", application),
    TEXT("application.version", version),
    CALL("crash.signal", get_signal),
    CALL("crash.code", get_code),
    CALL("crash.address", get_address),
    CALL("crash.pid", get_pid),
    CALL("crash.tid", get_tid),
    TEXT("crash.thread", thread),
    TEXT("crash.reason", reason),
    TEXT("crash.message", message),
    TEXT("process.executable", executable),
    TEXT("process.user", user),
};

bool report_get(const struct report *report, const char *path, struct cairn_value *ret_value)
{
    static const char prefix[] = "attributes.";
    const struct cairn_value *value;

    if (strncmp(path, prefix, sizeof(prefix) - 1) == 0) {
        value = report_attribute(report, path + sizeof(prefix) - 1);
        if (value != NULL) {
            *ret_value = *value;
        }
        return value != NULL;
    }
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (strcmp(fields[i].path, path) == 0) {
            const char *member = (const char *)report + fields[i].member;

            return fields[i].get != NULL
                       ? fields[i].get(report, ret_value)
                       : string_value(*(char *const *)(const void *)member, ret_value);
        }
    }
    return false;
}
