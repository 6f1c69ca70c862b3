/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a report may be kept at all. Asked when the crash has happened, before any plugin sees
 * it: an answer that was given after the program's start counts. [engine]
 */
#include "core/engine/engine.h"

#include "core/report/consent.h"

#include <string.h>

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
