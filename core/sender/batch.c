/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pass over the spool, application by application, oldest report first; one sender at a time per
 * application, held apart by a lock on a file in its folder. [sender]
 */
#include "core/sender/sender.h"

#include "core/util/holder.h"
#include "core/util/log.h"
#include "core/util/time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define LOCK_FILE    "sender.lock"
#define LOCK_WAIT_US 30000000u /* for another sender, when somebody wants something of this one */
#define LOCK_POLL_NS 50000000

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

/* The lock's descriptor; CAIRN_EBUSY when another sender has it for too long. */
static int lock_application(const struct sender *sender, struct error *error)
{
    const struct timespec pause = { 0, LOCK_POLL_NS };
    bool patient = sender->options->now || sender->options->id_count > 0;
    uint64_t end_us = time_monotonic_us() + (patient ? LOCK_WAIT_US : 0);
    int fd =
        openat(sender->application_fd, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0) {
        return error_errno(error, CAIRN_ESYSTEM, errno, "%s cannot be opened", LOCK_FILE);
    }
    while (!holder_try_lock(fd)) {
        if (time_monotonic_us() >= end_us) {
            close(fd);
            return error_set(error, CAIRN_EBUSY, "Another sender is at work.");
        }
        nanosleep(&pause, NULL);
    }
    holder_promise(fd, SENDER_MARGIN_US);
    return fd;
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

static void run_application(struct sender *sender, const char *spool, const struct spool_list *list,
                            const char *application)
{
    struct error error;
    sender->application_fd = spool_open(spool, application, &error);
    if (sender->application_fd < 0) {
        log_line(LOG_LEVEL_ERROR, "%s", error.text);
        sender->waiting = true;
        return;
    }
    sender->lock = lock_application(sender, &error);
    if (sender->lock >= 0) {
        deliver_all(sender, list, application);
        close(sender->lock);
    } else if (sender->lock != CAIRN_EBUSY || sender->options->now ||
               sender->options->id_count > 0) {
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
