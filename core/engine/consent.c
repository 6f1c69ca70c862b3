/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a report may be kept at all, asked when the crash has happened, before any plugin sees
 * it; and whether a plugin that declares the network may be run. An answer that was given after the
 * program's start counts. [engine]
 */
#include "core/engine/engine.h"

#include "core/report/consent.h"
#include "core/util/fs.h"
#include "core/util/log.h"

#include <string.h>
#include <unistd.h>

int engine_ask_consent(struct engine_run *run, struct error *error)
{
    const struct config *config = run->setup.config;
    bool required = config != NULL && config->disk_consent == CONFIG_CONSENT_REQUIRED;
    enum consent_verdict verdict;
    int result = consent_ask(CONSENT_DISK, run->report->application, required, &verdict, error);

    if (result == 0 && verdict != CONSENT_ALLOWED && run->state != ENGINE_DROPPED) {
        /* Reasons have no full stop. */
        engine_drop_as(run, "consent", "%.*s", (int)strlen(error->text) - 1, error->text);
    }
    return result;
}

bool engine_may_use_network(const struct engine_run *run, size_t index, struct error *ret_why)
{
    const struct config *config = run->setup.config;
    bool required = config->network_consent == CONFIG_CONSENT_REQUIRED;
    enum consent_verdict verdict;

    return !plugin_uses_network(&config->instances[index], run->setup.plugins.facts[index]) ||
           (consent_ask(CONSENT_NETWORK, run->report->application, required, &verdict, ret_why) ==
                0 &&
            verdict == CONSENT_ALLOWED);
}

/* No configuration is known here, so only a refusal counts. */
static bool is_refused(const char *application)
{
    enum consent_verdict verdict;
    struct error why;

    return consent_ask(CONSENT_DISK, application, false, &verdict, &why) == 0 &&
           verdict == CONSENT_DENIED;
}

static int delete (int application_fd, const char *id, struct error *error)
{
    int incoming = fs_open_directory(application_fd, spool_state_name(SPOOL_INCOMING), error);
    int result = incoming >= 0 ? fs_remove_tree(incoming, id, error) : incoming;

    if (incoming >= 0) {
        close(incoming);
    }
    return result == 0 ? spool_count_drop(application_fd, "consent", error) : result;
}

void engine_set_aside(int application_fd, const char *application, const char *id, const char *why)
{
    struct error error;
    int result;

    if (is_refused(application)) {
        log_line(LOG_LEVEL_WARNING, "The report %s is deleted, since it must not be kept. %s", id,
                 why);
        result = delete (application_fd, id, &error);
    } else {
        log_line(LOG_LEVEL_WARNING, "The report %s is set aside. %s", id, why);
        result = spool_set_aside(application_fd, SPOOL_INCOMING, id, why, &error);
    }
    if (result != 0) {
        log_line(LOG_LEVEL_ERROR, "%s", error.text);
    }
}
