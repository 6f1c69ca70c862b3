/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pass over the spool, application by application, oldest report first, each in its turn: one
 * sender at a time works at an application's reports. [sender]
 */
#include "core/sender/sender.h"

#include "core/util/fault.h"
#include "core/util/holder.h"
#include "core/util/log.h"
#include "core/util/turn.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const struct turn turn = {
    .lock = "sender.lock",
    .mark = "sender.again",
    .promise_us = SENDER_MARGIN_US,
    .wait_us = 30000000u,
};

/* Somebody wants something of this sender in particular. */
static bool is_patient(const struct sender_options *options)
{
    return options->now || options->id_count > 0;
}

static bool is_wanted(const struct sender_options *options, const char *id)
{
    for (size_t i = 0; i < options->id_count; i++) {
        if (strcmp(options->ids[i], id) == 0) {
            return true;
        }
    }
    return options->id_count == 0;
}

static bool is_meant(const struct sender_options *options, const struct spool_entry *entry)
{
    return entry->state == SPOOL_PENDING && is_wanted(options, entry->id);
}

static void deliver_all(struct sender *sender, const struct spool_list *list,
                        const char *application)
{
    for (size_t i = list->count; i-- > 0;) {
        const struct spool_entry *entry = &list->entries[i];

        if (is_meant(sender->options, entry) && strcmp(entry->application, application) == 0) {
            holder_promise(sender->lock, SENDER_MARGIN_US);
            sender_deliver(sender, entry);
        }
    }
    while (sender->offline_count > 0) {
        free(sender->offline[--sender->offline_count]);
    }
}

/* What there is now that it is our turn: a list from before lacks what others left to us. */
static void deliver_fresh(struct sender *sender, const char *spool, const char *application)
{
    struct spool_list list;
    struct error error;

    if (spool_scan(spool, application, &list, &error) != 0) {
        log_line(LOG_LEVEL_ERROR, "%s", error.text);
        sender->waiting = true;
        return;
    }
    deliver_all(sender, &list, application);
    spool_list_finish(&list);
}

/* Somebody left a mark while we were at it: all that is due, each as it was made. */
static void look_again(int application_fd, int lock, const char *spool, const char *application)
{
    const struct sender_options options = { .config_fd = -1, .quiet = true };
    struct sender sender = { .options = &options, .application_fd = application_fd, .lock = lock };

    deliver_fresh(&sender, spool, application);
}

static void run_in_turn(struct sender *sender, const char *spool, const struct spool_list *list,
                        const char *application)
{
    struct error error;
    int lock = sender->lock;

    if (is_patient(sender->options)) {
        deliver_all(sender, list, application);
    } else {
        deliver_fresh(sender, spool, application);
    }
    while (lock >= 0) {
        fault_point("sender.looked");
        close(lock);
        fault_point("sender.unlocked");
        lock = turn_is_wanted(sender->application_fd, &turn)
                   ? turn_take(sender->application_fd, &turn, false, &error)
                   : -1;
        if (lock >= 0) {
            look_again(sender->application_fd, lock, spool, application);
        }
    }
}

static void run_application(struct sender *sender, const char *spool, const struct spool_list *list,
                            const char *application)
{
    bool patient = is_patient(sender->options);
    struct error error;
    int place;

    sender->application_fd = spool_open(spool, application, &error);
    if (sender->application_fd < 0) {
        log_line(LOG_LEVEL_ERROR, "%s", error.text);
        sender->waiting = true;
        return;
    }
    sender->lock = turn_take(sender->application_fd, &turn, patient, &error);
    if (sender->lock >= 0) {
        place = patient ? -1 : sender_take_place(sender->application_fd, sender->lock);
        run_in_turn(sender, spool, list, application);
        if (place >= 0) {
            close(place);
        }
    } else if (sender->lock != CAIRN_EBUSY || patient) {
        log_line(LOG_LEVEL_WARNING, "%s: %s", application, error.text);
        sender->waiting = true;
    }
    close(sender->application_fd);
}

/* True for the first entry of its application that is meant. */
static bool is_first(const struct sender_options *options, const struct spool_list *list,
                     size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (is_meant(options, &list->entries[i]) &&
            strcmp(list->entries[i].application, list->entries[index].application) == 0) {
            return false;
        }
    }
    return is_meant(options, &list->entries[index]);
}

int sender_batch(const struct sender_options *options, const char *spool,
                 struct plugin_setup *setup)
{
    struct sender sender = { .options = options, .setup = setup, .application_fd = -1, .lock = -1 };
    struct spool_list list;
    struct error error;

    if (spool_scan(spool, options->application, &list, &error) != 0) {
        log_line(LOG_LEVEL_ERROR, "%s", error.text);
        return EX_OSERR;
    }
    for (size_t i = 0; i < list.count; i++) {
        if (is_first(options, &list, i)) {
            run_application(&sender, spool, &list, list.entries[i].application);
        }
    }
    spool_list_finish(&list);
    return sender.problems ? EX_CONFIG : sender.waiting ? EX_TEMPFAIL : EX_OK;
}
