/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a report, and where they went: its lists of artifacts and deliveries. Engine,
 * sender, tools.
 */
#include "core/report/report_inner.h"

#include "core/report/spool.h"
#include "core/util/text.h"

#include <stdlib.h>
#include <string.h>

/* An artifact's name is a file's name in the report's folder, and nothing else. It is printable, or
 * the report would name another file. */
static int copy_name(const char *name, char **ret_copy)
{
    char *copy;

    if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL ||
        strlen(name) >= REPORT_NAME_BYTES) {
        return CAIRN_EINVAL;
    }
    copy = report_clean(name, REPORT_NAME_BYTES);
    if (copy == NULL) {
        return CAIRN_ENOMEM;
    }
    if (strcmp(copy, name) != 0) {
        free(copy);
        return CAIRN_EINVAL;
    }
    *ret_copy = copy;
    return 0;
}

static struct report_artifact *place_of_artifact(struct report *report, const char *name)
{
    struct report_artifact *list;

    for (size_t i = 0; i < report->artifact_count; i++) {
        if (strcmp(report->artifacts[i].name, name) == 0) {
            return &report->artifacts[i];
        }
    }
    list = report_grow(report->artifacts, report->artifact_count, sizeof(*list));
    if (list == NULL) {
        return NULL;
    }
    report->artifacts = list;
    memset(&list[report->artifact_count], 0, sizeof(*list));
    return &list[report->artifact_count];
}

int report_add_artifact(struct report *report, const char *name, const char *media_type,
                        uint64_t bytes, const char *sha256)
{
    struct report_artifact artifact = { .bytes = bytes };
    struct report_artifact *place;
    int result = copy_name(name, &artifact.name);
    bool known;

    if (result != 0) {
        return result;
    }
    if ((artifact.media_type = report_clean(media_type, REPORT_NAME_BYTES)) == NULL ||
        (place = place_of_artifact(report, name)) == NULL) {
        free(artifact.name);
        free(artifact.media_type);
        return CAIRN_ENOMEM;
    }
    known = place->name != NULL;
    if (!known && report->artifact_count >= REPORT_MAX_ARTIFACTS) {
        free(artifact.name);
        free(artifact.media_type);
        return CAIRN_EFULL;
    }
    text_copy(artifact.sha256, sizeof(artifact.sha256), sha256);
    free(place->name);
    free(place->media_type);
    *place = artifact;
    report->artifact_count += known ? 0 : 1;
    return 0;
}

bool report_artifact_stays(const struct report_artifact *artifact)
{
    return strcmp(artifact->name, SPOOL_CAPTURE) == 0;
}

void report_remove_artifact(struct report *report, const char *name)
{
    for (size_t i = 0; i < report->artifact_count; i++) {
        struct report_artifact *artifact = &report->artifacts[i];

        if (strcmp(artifact->name, name) == 0) {
            free(artifact->name);
            free(artifact->media_type);
            report->artifact_count--;
            memmove(artifact, artifact + 1, (report->artifact_count - i) * sizeof(*artifact));
            return;
        }
    }
}

struct report_delivery *report_add_delivery(struct report *report, const char *transport)
{
    struct report_delivery *list;
    char *name = report_clean(transport, REPORT_NAME_BYTES);

    for (size_t i = 0; name != NULL && i < report->delivery_count; i++) {
        if (strcmp(report->deliveries[i].transport, name) == 0) {
            free(name);
            return &report->deliveries[i];
        }
    }
    list = name != NULL && report->delivery_count < REPORT_MAX_DELIVERIES
               ? report_grow(report->deliveries, report->delivery_count, sizeof(*list))
               : NULL;
    if (list == NULL) {
        free(name);
        return NULL;
    }
    report->deliveries = list;
    memset(&list[report->delivery_count], 0, sizeof(*list));
    list[report->delivery_count].transport = name;
    return &list[report->delivery_count++];
}
