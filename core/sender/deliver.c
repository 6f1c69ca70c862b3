/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One report: its deliveries that are due, each transport in a step of its own. report.json tells
 * at any moment what was tried and what came of it. [sender]
 */
#include "core/sender/sender.h"

#include "core/plugin/faults.h"
#include "core/report/consent.h"
#include "core/sender/retry.h"
#include "core/util/fault.h"
#include "core/util/holder.h"
#include "core/util/log.h"
#include "core/util/time.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define LOCK_WAIT_US   3000000u /* when this very report is wanted */
#define LOCK_GLANCE_US 300000u

/* What is needed to deliver one report. */
struct job {
    struct sender *sender;
    const struct spool_entry *entry;
    struct plugin_setup *setup;
    struct report *report;
    int folder_fd;     /* locked */
    char problem[512]; /* of the setup, if it is not usable */
};

static void say(const struct job *job, const struct report_delivery *delivery, const char *format,
                ...) __attribute__((format(printf, 3, 4)));

static void say(const struct job *job, const struct report_delivery *delivery, const char *format,
                ...)
{
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (job->sender->options->progress) {
        printf("%s %s %s\n", job->report->id, delivery->transport, text);
        fflush(stdout);
    } else if (delivery->state != REPORT_DELIVERED) {
        log_line(LOG_LEVEL_WARNING, "%s %s %s", job->report->id, delivery->transport, text);
    }
}

static void say_outcome(const struct job *job, const struct report_delivery *delivery)
{
    const char *error = delivery->error != NULL ? delivery->error : "";
    uint64_t now_ns = time_wall_ns();

    if (delivery->state == REPORT_DELIVERED && delivery->server_id != NULL) {
        say(job, delivery, "delivered (id %s)", delivery->server_id);
    } else if (delivery->state == REPORT_DELIVERED) {
        say(job, delivery, "delivered");
    } else if (delivery->state == REPORT_REJECTED) {
        say(job, delivery, "rejected: %s", error);
    } else if (delivery->next_ns > now_ns) {
        say(job, delivery, "waits, next attempt in %" PRIu64 " s: %s",
            (delivery->next_ns - now_ns) / 1000000000 + 1, error);
    } else {
        say(job, delivery, "waits: %s", error);
    }
}

static bool save(const struct job *job)
{
    struct error error;

    if (spool_save(job->folder_fd, job->report, &error) != 0) {
        log_line(LOG_LEVEL_ERROR, "%s", error.text);
        return false;
    }
    return true;
}

/* ---- Transports that do not reach their servers ---- */

static bool is_offline(const struct sender *sender, const char *transport)
{
    for (size_t i = 0; i < sender->offline_count; i++) {
        if (strcmp(sender->offline[i], transport) == 0) {
            return true;
        }
    }
    return false;
}

static void mark_offline(struct sender *sender, const char *transport)
{
    char *copy = sender->offline_count < SENDER_MAX_OFFLINE ? strdup(transport) : NULL;

    if (copy != NULL) {
        sender->offline[sender->offline_count++] = copy;
    }
}

/* ---- One attempt ---- */

static bool find_transport(const struct config *config, const char *id, size_t *ret_index)
{
    for (size_t i = 0; i < config->instance_count; i++) {
        if (config->instances[i].kind == CAIRN_KIND_TRANSPORT &&
            strcmp(config->instances[i].id, id) == 0) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

/* Nothing can be tried; the delivery stays pending and says why. */
static void leave(struct job *job, struct report_delivery *delivery, const char *error)
{
    bool known = delivery->error != NULL && strcmp(delivery->error, error) == 0;

    job->sender->waiting = true;
    if (!known && report_text(&delivery->error, error) == 0) {
        save(job);
    }
    say_outcome(job, delivery);
}

static uint64_t random_number(void)
{
    uint64_t number;

    if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number)) {
        number = time_wall_ns(); /* jitter need not be secret */
    }
    return number;
}

static struct step_request request_for(const struct job *job, size_t index)
{
    return (struct step_request){
        .instance = &job->setup->config->instances[index],
        .facts = job->setup->plugins.facts[index],
        .plugin_fd = job->setup->plugins.fds[index],
        .report = job->report,
        .dump_fd = -1,
        .folder = job->entry->path,
        .out_fd = -1,
    };
}

static void send_with(struct job *job, struct report_delivery *delivery, size_t index)
{
    const struct config_instance *instance = &job->setup->config->instances[index];
    struct step_request request = request_for(job, index);
    struct step_result result;
    char error[512];

    request.attempt = delivery->attempts;
    holder_promise(job->sender->lock, instance->timeout_us + SENDER_MARGIN_US);
    step_run(&request, &result);
    faults_count(job->sender->application_fd, &request, &result);
    config_scrub(instance, result.error, error, sizeof(error));
    retry_apply(delivery, &result, error, retry_born_ns(job->report), time_wall_ns(),
                random_number());
    if (retry_is_offline(&result)) {
        mark_offline(job->sender, delivery->transport);
    }
    step_result_finish(&result);
}

/* Whoever asks for a delivery at once gets an attempt all the same. */
static bool is_set_aside(struct job *job, struct report_delivery *delivery, size_t index)
{
    struct step_request request = request_for(job, index);
    struct step_result result;

    if (job->sender->options->now ||
        !faults_set_aside(job->sender->application_fd, &request, &result)) {
        return false;
    }
    leave(job, delivery, result.error);
    return true;
}

/* It will never be tried. */
static void give_up(struct job *job, struct report_delivery *delivery, const char *error)
{
    delivery->state = REPORT_REJECTED;
    delivery->next_ns = 0;
    if (report_text(&delivery->error, error) != 0 || !save(job)) {
        job->sender->waiting = true;
    }
    say_outcome(job, delivery);
}

/* Asked before every attempt: consent can be given and withdrawn at any time. Without an answer the
 * report waits, as long as others do; what happened under a refusal stays here for good. */
static bool has_consent(struct job *job, struct report_delivery *delivery, size_t index)
{
    bool required = job->setup->config->network_consent == CONFIG_CONSENT_REQUIRED;
    uint64_t born_ns = retry_born_ns(job->report), now_ns = time_wall_ns();
    enum consent_verdict verdict = CONSENT_MISSING;
    struct error why;
    char text[sizeof(why.text) + 64];
    int result;

    if (!plugin_uses_network(&job->setup->config->instances[index],
                             job->setup->plugins.facts[index])) {
        return true;
    }
    result = consent_ask(CONSENT_NETWORK, job->report->application, required, &verdict, &why);
    if (result == 0 && verdict == CONSENT_ALLOWED) {
        return true;
    }
    if (verdict == CONSENT_DENIED) {
        snprintf(text, sizeof(text), "Not sent. %s", why.text);
        give_up(job, delivery, text);
    } else if (result == 0 && born_ns < now_ns && now_ns - born_ns > RETRY_MAX_AGE_NS) {
        snprintf(text, sizeof(text), "Not sent, and too old by now. %s", why.text);
        give_up(job, delivery, text);
    } else {
        snprintf(text, sizeof(text), "Waits for consent. %s", why.text);
        leave(job, delivery, text);
    }
    return false;
}

static void attempt(struct job *job, struct report_delivery *delivery)
{
    char gone[512];
    size_t index;

    if (is_offline(job->sender, delivery->transport)) {
        job->sender->waiting = true;
        return;
    }
    if (!find_transport(job->setup->config, delivery->transport, &index)) {
        snprintf(gone, sizeof(gone), "The configuration has no transport %s.", delivery->transport);
        leave(job, delivery, gone);
        return;
    }
    if (!has_consent(job, delivery, index) || is_set_aside(job, delivery, index)) {
        return;
    }
    delivery->attempts++;
    delivery->last_ns = time_wall_ns();
    if (!save(job)) { /* an attempt that is not on record could be made for ever */
        job->sender->waiting = true;
        return;
    }
    fault_point("sender.recorded");
    send_with(job, delivery, index);
    fault_point("sender.sent");
    if (!save(job) || delivery->state == REPORT_PENDING) {
        job->sender->waiting = true;
    }
    say_outcome(job, delivery);
}

/* ---- All of a report's ---- */

static size_t count_pending(const struct report *report, bool due_only, uint64_t now_ns)
{
    size_t count = 0;

    for (size_t i = 0; i < report->delivery_count; i++) {
        const struct report_delivery *delivery = &report->deliveries[i];

        if (delivery->state == REPORT_PENDING && (!due_only || retry_is_due(delivery, now_ns))) {
            count++;
        }
    }
    return count;
}

static void attempt_all(struct job *job)
{
    bool now = job->sender->options->now;

    for (size_t i = 0; i < job->report->delivery_count; i++) {
        struct report_delivery *delivery = &job->report->deliveries[i];

        if (delivery->state != REPORT_PENDING ||
            (!now && !retry_is_due(delivery, time_wall_ns()))) {
            continue;
        }
        if (job->setup->usable) {
            attempt(job, delivery);
        } else {
            leave(job, delivery, job->problem);
        }
    }
}

/* The first problem, as a sentence. */
static void describe_problem(const struct config_problems *problems, char *text, size_t capacity)
{
    snprintf(text, capacity, "The configuration that the report was made with has problems.");
    for (size_t i = 0; i < problems->count; i++) {
        const struct config_problem *item = &problems->items[i];

        if (!item->warning && item->text != NULL && item->path != NULL) {
            snprintf(
                text, capacity,
                "The configuration that the report was made with has problems: line %u: %s%s%s.",
                item->position.line, item->path, item->path[0] != '\0' ? ": " : "", item->text);
            return;
        }
    }
}

static void deliver_with_own_setup(struct job *job)
{
    struct plugin_setup setup;

    if (sender_setup_load(&setup, job->sender->options, job->report, job->folder_fd) != 0) {
        job->sender->problems = true;
        describe_problem(&setup.problems, job->problem, sizeof(job->problem));
        if (!job->sender->options->quiet) {
            plugin_setup_print_problems(&setup, STDERR_FILENO);
        }
    }
    job->setup = &setup;
    attempt_all(job);
    job->setup = NULL;
    plugin_setup_finish(&setup);
}

static void deliver(struct job *job)
{
    struct error error;

    if (count_pending(job->report, !job->sender->options->now, time_wall_ns()) > 0) {
        if (job->sender->setup != NULL) {
            job->setup = job->sender->setup;
            attempt_all(job);
        } else {
            deliver_with_own_setup(job);
        }
    }
    fault_point("sender.saved");
    if (count_pending(job->report, false, 0) == 0 &&
        spool_move(job->sender->application_fd, SPOOL_PENDING, SPOOL_DELIVERED, job->report->id,
                   &error) != 0) {
        log_line(LOG_LEVEL_ERROR, "%s", error.text);
        job->sender->waiting = true;
    }
}

static void set_aside(struct sender *sender, const struct spool_entry *entry, const char *why)
{
    struct error error;

    log_line(LOG_LEVEL_ERROR, "The report %s is set aside. %s", entry->id, why);
    if (spool_set_aside(sender->application_fd, SPOOL_PENDING, entry->id, why, &error) != 0) {
        log_line(LOG_LEVEL_ERROR, "%s", error.text);
    }
}

/* Somebody who looks whether a report can be pruned has the lock for a moment; an engine has it
 * until its hooks have ended, and has it looked at then. */
static int lock_report(const struct sender *sender, const char *id, struct error *error)
{
    const struct timespec pause = { 0, 20000000 };
    bool patient = sender->options->now || sender->options->id_count > 0;
    uint64_t end_us = time_monotonic_us() + (patient ? LOCK_WAIT_US : LOCK_GLANCE_US);
    int fd = spool_lock(sender->application_fd, SPOOL_PENDING, id, error);

    while (fd == CAIRN_EBUSY && time_monotonic_us() < end_us) {
        nanosleep(&pause, NULL);
        fd = spool_lock(sender->application_fd, SPOOL_PENDING, id, error);
    }
    return fd;
}

void sender_deliver(struct sender *sender, const struct spool_entry *entry)
{
    struct job job = { .sender = sender, .entry = entry };
    struct error error;
    int result;

    job.folder_fd = lock_report(sender, entry->id, &error);
    if (job.folder_fd < 0) {
        /* Gone: somebody else delivered it. Busy: somebody is about to. */
        sender->waiting = sender->waiting || job.folder_fd != CAIRN_ENOENT;
        return;
    }
    result = spool_load(job.folder_fd, &job.report, &error);
    if (result == 0 && strcmp(job.report->id, entry->id) != 0) {
        report_destroy(job.report);
        result = error_set(&error, CAIRN_EFORMAT, "Its report.json is that of another report.");
    }
    if (result == 0) {
        deliver(&job);
        report_destroy(job.report);
    } else if (result == CAIRN_EFORMAT || result == CAIRN_ENOENT || result == CAIRN_ETOOLONG) {
        set_aside(sender, entry, error.text);
    } else {
        log_line(LOG_LEVEL_ERROR, "%s", error.text);
        sender->waiting = true;
    }
    close(job.folder_fd);
}
