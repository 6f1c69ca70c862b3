/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Consent: what a user or the administrator has answered to two questions, kept apart: may reports
 * be kept on the disk, may they leave over the network. The answers lie in two small text files,
 * one of the user whose rights Cairn has, one of the machine, and are read whenever they matter:
 * they can be given and withdrawn at any time. Engine, sender, tools.
 *
 * The order in which answers count, for all programs or (first, in the same file) for one:
 *   the machine's "refused" > the user's "refused" > a "given" of either > none: the
 * configuration's `consent:` says what that means. A file that is not what it should be may hide a
 * refusal: as long as there is one, nothing is allowed.
 */
#ifndef CAIRN_CORE_REPORT_CONSENT_H
#define CAIRN_CORE_REPORT_CONSENT_H

#include "core/util/error.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define CONSENT_MAX_ENTRIES 256

enum consent_class { CONSENT_DISK = 0, CONSENT_NETWORK = 1, CONSENT_CLASSES = 2 };
enum consent_answer { CONSENT_NONE = 0, CONSENT_GIVEN = 1, CONSENT_REFUSED = 2 };

struct consent_entry {
    enum consent_class class;
    enum consent_answer answer; /* never CONSENT_NONE */
    char when[32];              /* as time_format() */
    char who[64];               /* the name of the user who answered; %-escaped */
    char application[256];      /* "": for all */
};

struct consent_file {
    char path[PATH_MAX]; /* "": there is no place for one */
    bool machine;
    int state;          /* 0, also where there is no file; or the error's code */
    struct error error; /* why it cannot be used */
    struct consent_entry entries[CONSENT_MAX_ENTRIES];
    size_t count;
};

struct consent {
    struct consent_file machine, user;
};

/* Reads both files; what is wrong with one is in its `state`. CAIRN_ENOMEM; consent_destroy(). */
int consent_load(struct consent **ret_consent, struct error *error);
void consent_destroy(struct consent *consent);

enum consent_verdict {
    CONSENT_ALLOWED = 0,
    CONSENT_MISSING, /* nobody has answered, or nobody knows what: it may come */
    CONSENT_DENIED,  /* refused */
};

/* The verdict for one application (NULL: for one without an answer of its own); `required`: what no
 * answer means. Why, as a whole sentence, goes to `ret_why`. An error (CAIRN_ESYSTEM, CAIRN_ENOMEM)
 * when a file could not be read at this moment: then there is no verdict, and the caller waits. */
int consent_judge(const struct consent *consent, enum consent_class class, const char *application,
                  bool required, enum consent_verdict *ret_verdict, struct error *ret_why);

/* The same from the files as they are now. */
int consent_ask(enum consent_class class, const char *application, bool required,
                enum consent_verdict *ret_verdict, struct error *ret_why);

/* The entry of a file that counts for an application, or NULL. */
const struct consent_entry *consent_find(const struct consent_file *file, enum consent_class class,
                                         const char *application);

/* "disk", "network"; "none", "given", "refused". */
const char *consent_class_name(enum consent_class class);
const char *consent_answer_name(enum consent_answer answer);

/* Writes an answer into the user's or the machine's file, in place of the one to the same question;
 * CONSENT_NONE takes it out. `application` NULL: for all. The file is made with its folder if need
 * be, is complete at any time, and two writers wait for each other. CAIRN_EFORMAT or CAIRN_EPERM
 * when what is there is not such a file; CAIRN_EPERM, CAIRN_ESYSTEM, CAIRN_ETOOLONG, CAIRN_ENOMEM.
 */
int consent_record(bool machine, enum consent_class class, enum consent_answer answer,
                   const char *application, struct error *error);

/* Reads one file; tests and consent_load(). The result's `state` is also returned. */
int consent_read(const char *path, bool machine, struct consent_file *ret_file);

#endif
