/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service "cairn.artifact/1": what a writer says of its artifact. The engine checks it once
 * more. In a step's process.
 */
#include "core/plugin/host.h"

#include <string.h>
#include <sys/stat.h>

static struct host *host_of(const struct cairn_host *table)
{
    return table->private_data;
}

bool host_is_extension(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        char c = text[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '.' && i > 0))) {
            return false;
        }
    }
    return bytes > 0 && bytes <= HOST_MAX_EXTENSION && text[bytes - 1] != '.';
}

bool host_is_media_type(const char *text, size_t bytes)
{
    size_t slashes = 0;

    for (size_t i = 0; i < bytes; i++) {
        char c = text[i];
        slashes += c == '/';
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr("/.+-", c) != NULL)) {
            return false;
        }
    }
    return slashes == 1 && bytes <= HOST_MAX_MEDIA_TYPE;
}

bool host_are_holes(const struct cairn_hole *holes, size_t count, uint64_t file_bytes)
{
    uint64_t end = 0;

    for (size_t i = 0; i < count; i++) {
        if (holes[i].offset < end || holes[i].offset > file_bytes ||
            holes[i].bytes > file_bytes - holes[i].offset) {
            return false;
        }
        end = holes[i].offset + holes[i].bytes;
    }
    return count <= HOST_MAX_HOLES;
}

static int set_type(const struct cairn_host *table, const char *extension, const char *media_type)
{
    struct host *host = host_of(table);

    if (host->request->instance->kind != CAIRN_KIND_WRITER || extension == NULL ||
        media_type == NULL || !host_is_extension(extension, strlen(extension)) ||
        !host_is_media_type(media_type, strlen(media_type))) {
        return CAIRN_PLUGIN_FAILED;
    }
    wire_send(host->wire, (struct wire_record){ .type = WIRE_ARTIFACT }, extension, media_type,
              strlen(media_type));
    return CAIRN_PLUGIN_OK;
}

/* Nothing is put out: of the limits, that of a whole report counts, which the engine keeps. */
static int take_minidump(const struct cairn_host *table, const struct cairn_hole *holes,
                         size_t count)
{
    struct host *host = host_of(table);
    struct stat status;

    if (!host->request->may_take || fstat(host->report.dump_fd, &status) != 0 ||
        (host->request->room != 0 && (uint64_t)status.st_size > host->request->room) ||
        !host_are_holes(holes, count, (uint64_t)status.st_size)) {
        return CAIRN_PLUGIN_FAILED;
    }
    wire_send(host->wire, (struct wire_record){ .type = WIRE_TAKE }, NULL, holes,
              count * sizeof(*holes));
    return CAIRN_PLUGIN_OK;
}

static uint64_t room(const struct cairn_host *table)
{
    const struct step_request *request = host_of(table)->request;
    uint64_t report = request->room != 0 ? request->room : UINT64_MAX;
    uint64_t output =
        request->instance->output_bytes != 0 ? request->instance->output_bytes : UINT64_MAX;

    return report < output ? report : output;
}

static int replaced(const struct cairn_host *table, const struct cairn_report *report,
                    const char *path)
{
    (void)table;
    return report_is_replaced(report->report, path);
}

const struct cairn_artifact_service *host_artifact_service(void)
{
    static const struct cairn_artifact_service service = { .size = sizeof(service),
                                                           .set_type = set_type,
                                                           .take_minidump = take_minidump,
                                                           .room = room,
                                                           .replaced = replaced };

    return &service;
}
