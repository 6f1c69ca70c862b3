/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report from a minidump: Cairn's records where there are some, the standard streams and
 * Crashpad's annotations for the rest and for the dumps of other reporters and systems. Engine,
 * tools.
 */
#include "core/report/report_inner.h"

#include "core/minidump/reader.h"
#include "core/util/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIGNALS                  64
#define WINDOWS_ACCESS_VIOLATION 0xc0000005u

/* Whether the exception's code is the number of a signal. */
static bool is_signal(const struct minidump *dump, const struct report_known *known)
{
    const char *system = minidump_system(dump);

    return minidump_exception(dump)->code <= SIGNALS &&
           (known->info || strcmp(system, "Linux") == 0 || strcmp(system, "Android") == 0 ||
            strcmp(system, "unknown") == 0);
}

/* The number after "Name:\t" in /proc's status; false if there is none. */
static bool status_number(const struct minidump *dump, const char *name, unsigned long *ret_number)
{
    size_t length = strlen(name), bytes;
    const char *line;
    char *end;

    if (!minidump_process_file(dump, "status", &line, &bytes)) {
        return false;
    }
    while (line != NULL) {
        if (strncmp(line, name, length) == 0 && line[length] == ':') {
            line += length + 1;
            line += strspn(line, " \t");
            errno = 0;
            *ret_number = strtoul(line, &end, 10);
            return end != line && errno == 0 && *ret_number <= UINT32_MAX;
        }
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
    return false;
}

/* The user's name as this machine knows it, else the number. */
static int fill_user(struct report *report, const struct minidump *dump)
{
    unsigned long uid;
    struct passwd entry, *found = NULL;
    char buffer[4096], number[24];

    if (!status_number(dump, "Uid", &uid)) {
        return 0;
    }
    if (getpwuid_r((uid_t)uid, &entry, buffer, sizeof(buffer), &found) == 0 && found != NULL) {
        return report_text(&report->user, entry.pw_name);
    }
    snprintf(number, sizeof(number), "%lu", uid);
    return report_text(&report->user, number);
}

static int fill_executable(struct report *report, const struct minidump *dump)
{
    const struct minidump_module *module = minidump_module_at(dump, 0);
    const char *path = NULL;
    size_t bytes;
    char *copy;
    int result;

    if (!minidump_process_file(dump, "exe", &path, &bytes) || path[0] == '\0') {
        path = module != NULL && module->path[0] != '\0' ? module->path : NULL;
    }
    if (path == NULL) {
        return 0;
    }
    copy = report_bytes_text(path, text_living_length(path));
    result = copy != NULL ? report_text(&report->executable, copy) : CAIRN_ENOMEM;
    free(copy);
    return result;
}

static const char *annotation(const struct minidump *dump, const char *name)
{
    const char *key, *value;

    for (size_t i = 0; minidump_annotation_at(dump, i, &key, &value); i++) {
        if (strcmp(key, name) == 0 && value[0] != '\0') {
            return value;
        }
    }
    return NULL;
}

/* The base name of a path of any system. */
static const char *base_name(const char *path)
{
    const char *backslash = strrchr(path, '\\');

    return backslash != NULL && path[0] != '/' ? backslash + 1 : text_base_name(path);
}

/* Those who do not use Cairn name product and version as Breakpad's servers want them. */
static int fill_application(struct report *report, const struct minidump *dump,
                            const struct report_known *known)
{
    const char *name = !known->info ? annotation(dump, "prod") : NULL;
    int result = 0;

    if (!known->info) {
        result = report_text(&report->version, annotation(dump, "ver"));
    }
    if (result != 0 || report->application != NULL) {
        return result;
    }
    if (name == NULL && report->executable != NULL) {
        name = base_name(report->executable);
    }
    return report_text(&report->application, name != NULL && name[0] != '\0' ? name : "unknown");
}

/* Only a fault has an address, a signal that somebody sent has none; nor does the kernel know one
 * when it says SI_KERNEL and 0, as for a non-canonical address. */
static bool has_address(int signal_number, int code, uint64_t address)
{
    static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };

    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        if (faults[i] == signal_number) {
            return code > 0 && !(code == SI_KERNEL && address == 0);
        }
    }
    return false;
}

/* Breakpad wrote 0, which is also SI_USER, for every si_code in its first years. */
static const char *words_of(const struct minidump_exception *exception,
                            const struct report_known *known)
{
    bool unsure = !known->info && exception->flags == 0;

    return text_signal_words((int)exception->code, unsure ? INT_MIN : (int)exception->flags);
}

static int fill_signal(struct report *report, const struct minidump_exception *exception,
                       const struct report_known *known)
{
    const char *words = words_of(exception, known);
    char reason[128];

    report->signal = (int)exception->code;
    report->si_code = (int)exception->flags;
    report->has_address = has_address(report->signal, report->si_code, exception->address);
    report->address = report->has_address ? exception->address : 0;
    if (report->signal == SIGSYS && known->info && exception->parameter_count > 0) {
        snprintf(reason, sizeof(reason), "%s: number %" PRIu64, words, exception->parameters[0]);
        words = reason;
    }
    return report_text(&report->reason, words);
}

/* Another system's exception, or a number that is no signal. Windows names the instruction as the
 * address, and of an access violation the data's address as second parameter. */
static int fill_foreign(struct report *report, const struct minidump_exception *exception)
{
    bool access = exception->code == WINDOWS_ACCESS_VIOLATION && exception->parameter_count >= 2;
    char reason[48];

    snprintf(reason, sizeof(reason), "exception 0x%08" PRIx32, exception->code);
    report->has_address = access || exception->address != 0;
    report->address = access ? exception->parameters[1] : exception->address;
    return report_text(&report->reason, reason);
}

static int fill_registers(struct report *report, const struct minidump *dump)
{
    const struct minidump_exception *exception = minidump_exception(dump);
    const struct minidump_thread *thread = minidump_thread_by_id(dump, report->tid);
    const void *context = exception->context;
    size_t bytes = exception->context_bytes;
    struct minidump_register entry;

    if (context == NULL && thread != NULL) {
        context = thread->context;
        bytes = thread->context_bytes;
    }
    for (size_t i = 0; minidump_register_at(dump, context, bytes, i, &entry); i++) {
        if (report_add_register(report, entry.name, entry.value) == CAIRN_ENOMEM) {
            return CAIRN_ENOMEM;
        }
    }
    return 0;
}

static int fill_thread(struct report *report, const struct minidump *dump)
{
    const struct minidump_exception *exception = minidump_exception(dump);
    const struct minidump_thread *thread;

    report->tid = exception->present ? exception->thread_id : 0;
    thread = minidump_thread_by_id(dump, report->tid);
    return report_text(&report->thread,
                       thread != NULL && thread->name[0] != '\0' ? thread->name : NULL);
}

static int fill_crash(struct report *report, const struct minidump *dump,
                      const struct report_known *known)
{
    const struct minidump_exception *exception = minidump_exception(dump);
    bool requested = !exception->present || exception->code == MINIDUMP_EXCEPTION_DUMP_REQUESTED;

    if (!known->info) {
        report->kind = report_kind_text(requested ? "request" : "crash");
    }
    if (requested || exception->code == 0 || strcmp(report->kind, "request") == 0) {
        return 0;
    }
    if (report_is_death(report)) {
        report->signal = exception->code <= SIGNALS ? (int)exception->code : 0;
        return 0; /* the records have the reason */
    }
    if (is_signal(dump, known)) {
        return fill_signal(report, exception, known);
    }
    return fill_foreign(report, exception);
}

static int fill_process(struct report *report, const struct minidump *dump)
{
    unsigned long pid;
    int result;

    if (report->pid == 0) {
        report->pid = status_number(dump, "Tgid", &pid) ? (uint32_t)pid : minidump_process_id(dump);
    }
    if (report->time_ns == 0) {
        report->time_ns = minidump_time(dump) * 1000000000u;
    }
    result = fill_user(report, dump);
    return result != 0 ? result : fill_executable(report, dump);
}

/* Crashpad's annotations as attributes; their names may hold what ours may not. */
static int fill_annotations(struct report *report, const struct minidump *dump)
{
    const char *key, *text;
    char name[128 + 1];

    for (size_t i = 0; minidump_annotation_at(dump, i, &key, &text); i++) {
        struct cairn_value value = { .type = CAIRN_VALUE_STRING, .string = text };

        text_copy(name, sizeof(name), key);
        for (char *c = name; *c != '\0'; c++) {
            if (!isascii(*c) || (!isalnum(*c) && strchr("._-", *c) == NULL)) {
                *c = '_';
            }
        }
        if (report_attribute(report, name) == NULL &&
            report_set(report, name, &value) == CAIRN_ENOMEM) {
            return CAIRN_ENOMEM;
        }
    }
    return 0;
}

int report_from_minidump(struct report *report, const struct minidump *dump)
{
    struct report_known known;
    int result = report_from_records(report, dump, &known);

    if (result == 0) {
        result = fill_process(report, dump);
    }
    if (result == 0) {
        result = fill_application(report, dump, &known);
    }
    if (result == 0) {
        result = fill_thread(report, dump);
    }
    if (result == 0) {
        result = fill_crash(report, dump, &known);
    }
    if (result == 0 && !report_is_death(report)) {
        result = fill_registers(report, dump);
    }
    /* Cairn writes its string annotations to Crashpad's stream too, for other tools. */
    if (result == 0 && !known.annotations) {
        result = fill_annotations(report, dump);
    }
    return result;
}
