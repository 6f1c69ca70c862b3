/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a step's process sends, checked record by record and kept for the result. Runs in the engine
 * and the sender, on hostile bytes.
 */
#ifndef CAIRN_CORE_PLUGIN_INTAKE_H
#define CAIRN_CORE_PLUGIN_INTAKE_H

#include "core/plugin/host.h"

struct intake {
    const struct step_request *request;
    struct step_result *result; /* receives attributes and notes */
    struct wire_reader reader;
    struct wire_end end;
    bool ended;     /* the end record has come */
    uint64_t bytes; /* of attributes and notes */
    size_t lines;
    char failure[HOST_MAX_LINE]; /* what host->fail() said last, or "" */
    char problem[HOST_MAX_LINE]; /* the first problem, with its option, or "" */
    enum step_status status;     /* OK while all records were good; else OVERFLOW or BROKEN */
    char why[128];               /* what was wrong with them */
};

/* Reads and takes what the pipe holds now. False when nothing more can come or be used. */
bool intake_read(struct intake *intake, int fd);

/* "annotator \"system\"", for sentences. */
#define INTAKE_LABEL              "%s \"%s\""
#define INTAKE_LABEL_OF(instance) config_kind((instance)->kind), (instance)->id

/* A copy of hostile text that can be printed, cut to its place. */
void intake_text(char *target, size_t capacity, const char *text, size_t bytes);

#endif
