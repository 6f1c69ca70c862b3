/* SPDX-License-Identifier: Apache-2.0 */
/* The fields and files of one upload; see form.h. */
#include "plugins/transport/common/form.h"

#include "plugins/transport/common/scratch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_ITEMS 4096 /* attributes or artifacts of a report: a bound on every loop */

void form_finish(struct form *form)
{
    for (size_t i = 0; i < form->count; i++) {
        free(form->parts[i].name);
        free(form->parts[i].value);
        free(form->parts[i].path);
        free(form->parts[i].filename);
        free(form->parts[i].type);
    }
    free(form->parts);
    if (form->unpacked > 0) {
        close(form->unpacked);
    }
    *form = (struct form){ .parts = NULL };
}

bool form_name_is_usable(const char *name)
{
    if (*name == '\0') {
        return false;
    }
    for (; *name != '\0'; name++) {
        if (*name < ' ' || *name > '~' || *name == '"') {
            return false;
        }
    }
    return true;
}

static bool has_field(const struct form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++) {
        if (strcmp(form->parts[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* A new part with a copy of `name`, or NULL. */
static struct form_part *add_part(struct form *form, const char *name)
{
    struct form_part *part;

    if (form->count == form->capacity) {
        size_t capacity = form->capacity != 0 ? form->capacity * 2 : 64;
        struct form_part *parts = reallocarray(form->parts, capacity, sizeof(*parts));

        if (parts == NULL) {
            form->failed = true;
            return NULL;
        }
        form->parts = parts;
        form->capacity = capacity;
    }
    part = &form->parts[form->count];
    *part = (struct form_part){ .name = strdup(name) };
    if (part->name == NULL) {
        form->failed = true;
        return NULL;
    }
    form->count++;
    return part;
}

static char *copy(struct form *form, const char *text)
{
    char *result = strdup(text);

    form->failed |= result == NULL;
    return result;
}

void form_field(struct form *form, const char *name, const char *value)
{
    struct form_part *part;

    if (value == NULL || *value == '\0' || !form_name_is_usable(name) || has_field(form, name)) {
        return;
    }
    part = add_part(form, name);
    if (part != NULL) {
        part->value = copy(form, value);
    }
}

void form_value(struct form *form, const char *name, const struct cairn_value *value)
{
    char text[40] = "";

    switch (value->type) {
    case CAIRN_VALUE_STRING:
        form_field(form, name, value->string);
        return;
    case CAIRN_VALUE_INTEGER:
        snprintf(text, sizeof(text), "%" PRId64, value->integer);
        break;
    case CAIRN_VALUE_DOUBLE:
        snprintf(text, sizeof(text), "%.15g", value->number);
        break;
    case CAIRN_VALUE_BOOL:
        snprintf(text, sizeof(text), "%s", value->boolean ? "true" : "false");
        break;
    case CAIRN_VALUE_UINT64:
        snprintf(text, sizeof(text), "0x%" PRIx64, value->uint64);
        break;
    default:
        break;
    }
    form_field(form, name, text);
}

void form_report_field(struct form *form, const struct cairn_transport_args *args, const char *name,
                       const char *path)
{
    struct cairn_value value;

    if (args->host->get(args->host, args->report, path, &value)) {
        form_value(form, name, &value);
    }
}

void form_report(struct form *form, const struct cairn_transport_args *args)
{
    static const char *const fields[][2] = {
        { "report.id", "id" },
        { "report.kind", "kind" },
        { "report.time", "time" },
        { "report.tier", "tier" },
        { "report.signature", "signature" },
        { "crash.signal", "crash.signal" },
        { "crash.code", "crash.code" },
        { "crash.address", "crash.address" },
        { "crash.reason", "crash.reason" },
        { "crash.message", "crash.message" },
        { "crash.thread", "crash.thread" },
        { "process.executable", "process.executable" },
    };
    struct cairn_value value;
    const char *name;

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        form_report_field(form, args, fields[i][0], fields[i][1]);
    }
    for (size_t i = 0;
         i < MAX_ITEMS && args->host->attribute_at(args->host, args->report, i, &name, &value);
         i++) {
        form_value(form, name, &value);
    }
}

static bool artifact_at(const struct cairn_transport_args *args, size_t index,
                        struct cairn_artifact *ret_artifact)
{
    *ret_artifact = (struct cairn_artifact){ .size = sizeof(*ret_artifact) };
    return index < MAX_ITEMS &&
           args->host->artifact_at(args->host, args->report, index, ret_artifact) != 0;
}

static bool is_packed(const struct cairn_artifact *artifact)
{
    size_t length = artifact->name != NULL ? strlen(artifact->name) : 0;

    return length > 8 && strcmp(artifact->name + length - 8, ".dmp.zst") == 0;
}

/* The index of the minidump to upload, a plain one before a compressed one, or MAX_ITEMS. */
static size_t minidump_index(const struct cairn_transport_args *args)
{
    struct cairn_artifact artifact;
    size_t packed = MAX_ITEMS;

    for (size_t i = 0; artifact_at(args, i, &artifact); i++) {
        if (artifact.is_minidump) {
            return i;
        }
        if (packed == MAX_ITEMS && is_packed(&artifact)) {
            packed = i;
        }
    }
    return packed;
}

static void add_file(struct form *form, const char *name, const struct cairn_artifact *artifact,
                     const char *filename, const char *type)
{
    struct form_part *part;

    if (!form_name_is_usable(name)) {
        return;
    }
    part = add_part(form, name);
    if (part != NULL) {
        part->path = copy(form, artifact->path);
        part->filename = copy(form, filename);
        part->type = copy(form, type);
    }
}

/* Lets `artifact` lead to its content; `path` lives as long as it. */
static bool unpack(struct form *form, const struct cairn_transport_args *args,
                   struct cairn_artifact *artifact, char path[64])
{
    int fd = scratch_unpack(args->host, args->folder, artifact->path);

    if (fd < 0) {
        return false;
    }
    form->unpacked = fd;
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    artifact->path = path;
    return true;
}

enum form_found form_minidump(struct form *form, const struct cairn_transport_args *args,
                              const char *part)
{
    struct cairn_artifact artifact;
    struct cairn_value id;
    char filename[64] = "minidump.dmp", path[64];

    form->folder = args->folder;
    if (!artifact_at(args, minidump_index(args), &artifact)) {
        return FORM_HAS_NONE;
    }
    if (is_packed(&artifact) && !unpack(form, args, &artifact, path)) {
        return FORM_FAILED;
    }
    if (args->host->get(args->host, args->report, "id", &id) && id.type == CAIRN_VALUE_STRING) {
        snprintf(filename, sizeof(filename), "%.40s.dmp", id.string);
    }
    add_file(form, part, &artifact, filename, "application/octet-stream");
    return FORM_FOUND;
}

void form_attachments(struct form *form, const struct cairn_transport_args *args,
                      const char *prefix)
{
    size_t minidump = minidump_index(args);
    struct cairn_artifact artifact;

    for (size_t i = 0; artifact_at(args, i, &artifact); i++) {
        char name[512];

        if (i != minidump && artifact.name != NULL &&
            snprintf(name, sizeof(name), "%s%s", prefix, artifact.name) < (int)sizeof(name)) {
            add_file(form, name, &artifact, artifact.name,
                     artifact.media_type != NULL ? artifact.media_type
                                                 : "application/octet-stream");
        }
    }
}
