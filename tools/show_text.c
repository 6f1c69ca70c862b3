/* SPDX-License-Identifier: Apache-2.0 */
/* A report as text for a terminal; see show_text.h. Texts of a report are printable already. */
#include "tools/show_text.h"

#include "core/util/text.h"
#include "core/util/time.h"
#include "tools/tool.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void print_known(const char *label, const char *text)
{
    if (text != NULL) {
        printf("%-12s %s\n", label, text);
    }
}

static void print_signal(const struct report *report)
{
    const char *code = text_signal_code(report->signal, report->si_code);
    char name[16];

    if (report->signal == 0) {
        return;
    }
    printf("Signal       %s", text_signal_name(report->signal, name));
    if (strcmp(report->kind, "death") != 0) {
        printf(" (%s)", code != NULL ? code : "unknown code");
    }
    if (report->has_address) {
        printf(" at 0x%" PRIx64, report->address);
    }
    putchar('\n');
}

static void print_process(const struct report *report)
{
    printf("Process      %u, thread %u", report->pid, report->tid);
    if (report->thread != NULL) {
        printf(" \"%s\"", report->thread);
    }
    putchar('\n');
    print_known("Executable", report->executable);
}

static void print_head(const struct report *report)
{
    char when[32];

    time_format(report->time_ns, when);
    print_known("Report", report->id);
    print_known("Application", report->application);
    print_known("Version", report->version);
    print_known("Time", when);
    if (strcmp(report->kind, "death") == 0) {
        print_known("Kind", "death: the process had ended before it could be captured");
    } else {
        printf("Kind         %s, captured in tier %d\n", report->kind, report->tier);
    }
    print_known("Because", report->tier_reason);
    print_signal(report);
    print_known("Reason", report->reason);
    print_known("Message", report->message);
    print_process(report);
    print_known("Signature", report->signature);
}

static void print_frames(const struct report *report)
{
    for (size_t i = 0; i < report->frame_count; i++) {
        const struct report_frame *frame = &report->frames[i];

        printf("%s  %3zu  0x%016" PRIx64 "  ", i == 0 ? "\nStack of the crashed thread\n" : "", i,
               frame->address);
        if (frame->symbol != NULL) {
            printf("%s+0x%" PRIx64 "  ", frame->symbol, frame->symbol_offset);
        }
        if (frame->module != NULL) {
            printf("%s+0x%" PRIx64, frame->module, frame->module_offset);
        } else {
            fputs("(no module)", stdout);
        }
        printf("  [%s]\n", frame->trust);
    }
}

static void print_facts(const struct report *report)
{
    char when[32];

    for (size_t i = 0; i < report->attribute_count; i++) {
        printf("%s  %-28s ", i == 0 ? "\nAttributes\n" : "", report->attributes[i].name);
        tool_print_value(&report->attributes[i].value);
    }
    for (size_t i = 0; i < report->breadcrumb_count; i++) {
        time_format(report->breadcrumbs[i].time_ns, when);
        printf("%s  %s  %s: %s\n", i == 0 ? "\nBreadcrumbs\n" : "", when,
               report->breadcrumbs[i].category, report->breadcrumbs[i].message);
    }
    for (size_t i = 0; i < report->note_count; i++) {
        printf("%s  %s\n", i == 0 ? "\nNotes\n" : "", report->notes[i]);
    }
}

static void print_delivery(const struct report_delivery *delivery)
{
    static const char *const states[] = { "pending", "delivered", "rejected" };
    char when[32];

    printf("  %-16s %s after %u attempt%s", delivery->transport, states[delivery->state],
           delivery->attempts, delivery->attempts == 1 ? "" : "s");
    if (delivery->response_code != 0) {
        printf(", response %d", delivery->response_code);
    }
    if (delivery->server_id != NULL) {
        printf(", server id %s", delivery->server_id);
    }
    if (delivery->state == REPORT_PENDING && delivery->next_ns != 0) {
        time_format(delivery->next_ns, when);
        printf(", next attempt %s", when);
    }
    putchar('\n');
    if (delivery->error != NULL) {
        printf("    %s\n", delivery->error);
    }
}

static void print_files(const struct report *report, const struct spool_entry *entry)
{
    printf("\nFiles in %s (%s)\n", entry->path, spool_state_name(entry->state));
    for (size_t i = 0; i < report->artifact_count; i++) {
        const struct report_artifact *artifact = &report->artifacts[i];

        printf("  %-24s %10" PRIu64 " bytes  %s%s\n", artifact->name, artifact->bytes,
               artifact->media_type, report_artifact_stays(artifact) ? ", stays here" : "");
    }
    for (size_t i = 0; i < report->delivery_count; i++) {
        fputs(i == 0 ? "\nDeliveries\n" : "", stdout);
        print_delivery(&report->deliveries[i]);
    }
}

void show_text(const struct report *report, const struct spool_entry *entry)
{
    print_head(report);
    print_frames(report);
    print_facts(report);
    print_files(report, entry);
}
