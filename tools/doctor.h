/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of `cairn doctor` share: each looks at something, says in one sentence what it
 * found, and judges whether Cairn can work with it. Runs in a user's shell, for that user.
 */
#ifndef CAIRN_TOOLS_DOCTOR_H
#define CAIRN_TOOLS_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

enum doctor_verdict {
    DOCTOR_OK = 0,
    DOCTOR_NOTE = 1, /* worth knowing; nothing is lost */
    DOCTOR_BAD = 2,  /* reports are lost or poorer until it is mended */
};

struct doctor {
    bool json;
    size_t found, bad;
};

/* Prints one finding: `name` is a short word, the rest a whole sentence. */
void doctor_say(struct doctor *doctor, enum doctor_verdict verdict, const char *name,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Runs a program with a deadline, its output and errors in `output`, cut at its end. The status as
 * of waitpid(2); -1 when it could not be started or had to be ended. */
int doctor_run(char *const *arguments, unsigned deadline_ms, char *output, size_t capacity);

/* doctor_kernel.c: the kernel, what it allows this user, and limits. */
void doctor_look_at_kernel(struct doctor *doctor);

/* doctor_setup.c: configuration, plugins, spool; the program, if one is named. */
void doctor_look_at_setup(struct doctor *doctor, const char *config);
void doctor_look_at_program(struct doctor *doctor, const char *program);

/* doctor_crash.c: a program of our own crashes, and its report is looked at. */
void doctor_try(struct doctor *doctor);
/* That program: it ends by SIGSEGV. */
int doctor_crash(void);

#endif
