/* SPDX-License-Identifier: Apache-2.0 */
/* What the answers of user and machine come to; see consent.h. Engine, sender, tools. */
#include "core/report/consent.h"

#include "core/util/paths.h"

#include <stdlib.h>
#include <string.h>

/* ---- Both files ---------------------------------------------------------------------------- */

int consent_load(struct consent **ret_consent, struct error *error)
{
    struct consent *consent = calloc(1, sizeof(*consent));
    char path[PATH_MAX];

    if (consent == NULL) {
        return error_set(error, CAIRN_ENOMEM, "There is not enough memory to see what is allowed.");
    }
    consent->machine.machine = true;
    if (paths_machine_consent(path, sizeof(path)) != NULL) {
        consent_read(path, true, &consent->machine);
    }
    if (paths_user_consent(path, sizeof(path)) != NULL) {
        consent_read(path, false, &consent->user);
    }
    *ret_consent = consent;
    return 0;
}

void consent_destroy(struct consent *consent)
{
    free(consent);
}

/* ---- One question -------------------------------------------------------------------------- */

const struct consent_entry *consent_find(const struct consent_file *file, enum consent_class class,
                                         const char *application)
{
    const struct consent_entry *general = NULL;

    for (size_t i = 0; i < file->count; i++) {
        const struct consent_entry *entry = &file->entries[i];

        if (entry->class != class) {
            continue;
        }
        if (entry->application[0] == '\0') {
            general = entry;
        } else if (application != NULL && strcmp(entry->application, application) == 0) {
            return entry;
        }
    }
    return general;
}

/* "The user" or "The administrator" with what he said. */
static void quote(const struct consent_file *file, const struct consent_entry *entry,
                  struct error *ret_why)
{
    bool disk = entry->class == CONSENT_DISK;

    error_set(ret_why, 0, "%s %s on %s %s (%s).", file->machine ? "The administrator" : "The user",
              entry->answer == CONSENT_GIVEN ? "allowed" : "refused", entry->when,
              disk ? "that reports are kept" : "that reports are sent over the network",
              file->path);
}

static const struct consent_file *unusable(const struct consent *consent)
{
    return consent->machine.state != 0 ? &consent->machine
           : consent->user.state != 0  ? &consent->user
                                       : NULL;
}

/* Not a matter of what the file holds: it may be readable the next time. */
static bool is_passing(const struct consent_file *file)
{
    return file->state == CAIRN_ESYSTEM || file->state == CAIRN_ENOMEM;
}

static void answer_by_default(enum consent_class class, bool required,
                              enum consent_verdict *ret_verdict, struct error *ret_why)
{
    const char *name = consent_class_name(class);

    *ret_verdict = required ? CONSENT_MISSING : CONSENT_ALLOWED;
    if (required) {
        error_set(ret_why, 0,
                  "Nobody has given the consent that the configuration requires; \"cairn consent "
                  "give %s\" does.",
                  name);
    } else {
        error_set(ret_why, 0, "Nobody has refused it, and the configuration takes that for a yes.");
    }
}

int consent_judge(const struct consent *consent, enum consent_class class, const char *application,
                  bool required, enum consent_verdict *ret_verdict, struct error *ret_why)
{
    const struct consent_file *bad = unusable(consent);
    const struct consent_entry *machine = consent_find(&consent->machine, class, application);
    const struct consent_entry *user = consent_find(&consent->user, class, application);

    if (machine != NULL && machine->answer == CONSENT_REFUSED) {
        *ret_verdict = CONSENT_DENIED;
        quote(&consent->machine, machine, ret_why);
    } else if (bad != NULL && is_passing(bad)) {
        return error_set(ret_why, bad->state, "%s", bad->error.text);
    } else if (bad != NULL) {
        *ret_verdict = CONSENT_MISSING;
        error_set(ret_why, 0, "%s", bad->error.text);
    } else if (user != NULL) {
        *ret_verdict = user->answer == CONSENT_GIVEN ? CONSENT_ALLOWED : CONSENT_DENIED;
        quote(&consent->user, user, ret_why);
    } else if (machine != NULL) {
        *ret_verdict = CONSENT_ALLOWED;
        quote(&consent->machine, machine, ret_why);
    } else {
        answer_by_default(class, required, ret_verdict, ret_why);
    }
    return 0;
}

int consent_ask(enum consent_class class, const char *application, bool required,
                enum consent_verdict *ret_verdict, struct error *ret_why)
{
    struct consent *consent;
    int result = consent_load(&consent, ret_why);

    if (result == 0) {
        result = consent_judge(consent, class, application, required, ret_verdict, ret_why);
        consent_destroy(consent);
    }
    return result;
}
