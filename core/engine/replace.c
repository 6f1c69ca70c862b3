/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a filter may say of a report besides keep or drop: that it is not delivered before some
 * time, and that it takes the place of an earlier one. The earlier one is deleted once the later is
 * committed, and only if nobody has seen it yet: it waits for its first delivery, or it was never
 * to be delivered. [engine]
 */
#include "core/engine/engine.h"

#include "core/util/fs.h"
#include "core/util/log.h"
#include "core/util/text.h"

#include <string.h>
#include <unistd.h>

void engine_take_place(struct engine_run *run, const char *key, const struct step_result *result)
{
    uint64_t defer_us =
        result->defer_us < ENGINE_MAX_DEFER_US ? result->defer_us : ENGINE_MAX_DEFER_US;

    if (defer_us > run->defer_us) {
        run->defer_us = defer_us;
    }
    if (result->instead_of[0] != '\0' && strcmp(result->instead_of, run->id) != 0 &&
        run->replaced_count < ENGINE_MAX_REPLACED) {
        struct engine_replaced *replaced = &run->replaced[run->replaced_count++];

        text_copy(replaced->id, sizeof(replaced->id), result->instead_of);
        engine_drop_key(replaced->key, key);
    }
}

static bool is_unseen(const struct report *report, enum spool_state state)
{
    for (size_t i = 0; i < report->delivery_count; i++) {
        if (report->deliveries[i].state != REPORT_PENDING || report->deliveries[i].attempts > 0) {
            return false;
        }
    }
    return state == SPOOL_PENDING || report->delivery_count == 0;
}

static int remove_report(struct engine_run *run, enum spool_state state, const char *id,
                         struct error *error)
{
    int parent = fs_open_directory(run->application_fd, spool_state_name(state), error);
    int result = parent;

    if (parent >= 0) {
        result = fs_remove_tree(parent, id, error);
        close(parent);
    }
    return result;
}

/* Deletes the report if it is there, idle and unseen; 0 when it is gone. */
static int replace_in(struct engine_run *run, enum spool_state state, const char *id,
                      struct error *error)
{
    struct report *report = NULL;
    int folder = spool_lock(run->application_fd, state, id, error);
    int result = folder;

    if (folder < 0) {
        return result;
    }
    result = spool_load(folder, &report, error);
    if (result == 0 && !is_unseen(report, state)) {
        result = error_set(error, CAIRN_EBUSY, "The report %s was delivered already.", id);
    }
    if (result == 0) {
        result = remove_report(run, state, id, error);
    }
    report_destroy(report);
    close(folder);
    return result;
}

void engine_replace(struct engine_run *run)
{
    for (size_t i = 0; i < run->replaced_count; i++) {
        const struct engine_replaced *replaced = &run->replaced[i];
        struct error error;

        if (replace_in(run, SPOOL_PENDING, replaced->id, &error) != 0 &&
            replace_in(run, SPOOL_DELIVERED, replaced->id, &error) != 0) {
            log_line(LOG_LEVEL_INFO, "The report %s stays beside %s. %s", replaced->id, run->id,
                     error.text);
            continue;
        }
        log_line(LOG_LEVEL_INFO, "The report %s takes the place of %s.", run->id, replaced->id);
        if (spool_count_drop(run->application_fd, replaced->key, &error) != 0) {
            log_line(LOG_LEVEL_WARNING, "The drop of %s was not counted. %s", replaced->id,
                     error.text);
        }
    }
}
