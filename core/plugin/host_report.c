/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host functions by which a plugin reads the report and the minidump. What they hand out is
 * borrowed from the step process' copy of both, which lives until that process ends. In a step's
 * process.
 */
#include "core/plugin/host.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Copies as much of a structure as the plugin was compiled with; its first member says how much. */
static int give(void *target, const void *source, size_t bytes)
{
    uint32_t size;

    memcpy(&size, target, sizeof(size));
    if (size < sizeof(size)) {
        return 0;
    }
    size = size < bytes ? size : (uint32_t)bytes;
    memcpy(target, source, size);
    memcpy(target, &size, sizeof(size));
    return 1;
}

static int get(const struct cairn_host *host, const struct cairn_report *report, const char *path,
               struct cairn_value *ret_value)
{
    (void)host;
    return report_get(report->report, path, ret_value);
}

static int attribute_at(const struct cairn_host *host, const struct cairn_report *report,
                        size_t index, const char **ret_name, struct cairn_value *ret_value)
{
    (void)host;
    if (index >= report->report->attribute_count) {
        return 0;
    }
    *ret_name = report->report->attributes[index].name;
    *ret_value = report->report->attributes[index].value;
    return 1;
}

static int note_at(const struct cairn_host *host, const struct cairn_report *report, size_t index,
                   const char **ret_text)
{
    (void)host;
    if (index >= report->report->note_count) {
        return 0;
    }
    *ret_text = report->report->notes[index];
    return 1;
}

static int frame_at(const struct cairn_host *host, const struct cairn_report *report, size_t index,
                    struct cairn_frame *ret_frame)
{
    (void)host;
    if (index >= report->report->frame_count) {
        return 0;
    }
    const struct report_frame *frame = &report->report->frames[index];
    struct cairn_frame view = { .index = (uint32_t)index,
                                .address = frame->address,
                                .module_offset = frame->module_offset,
                                .symbol_offset = frame->symbol_offset,
                                .module = frame->module,
                                .module_path = frame->module_path,
                                .build_id = frame->build_id,
                                .symbol = frame->symbol,
                                .trust = frame->trust };
    return give(ret_frame, &view, sizeof(view));
}

static int register_at(const struct cairn_host *host, const struct cairn_report *report,
                       size_t index, struct cairn_register *ret_register)
{
    (void)host;
    if (index >= report->report->register_count) {
        return 0;
    }
    struct cairn_register view = { .value = report->report->registers[index].value,
                                   .name = report->report->registers[index].name };
    return give(ret_register, &view, sizeof(view));
}

static int thread_at(const struct cairn_host *host, const struct cairn_report *report, size_t index,
                     struct cairn_thread *ret_thread)
{
    (void)host;
    if (report->dump == NULL || index >= minidump_thread_count(report->dump)) {
        return 0;
    }
    const struct minidump_thread *thread = minidump_thread_at(report->dump, index);
    struct cairn_thread view = { .id = thread->id,
                                 .instruction_pointer = thread->instruction_pointer,
                                 .stack_pointer = thread->stack_pointer,
                                 .stack_start = thread->stack_start,
                                 .stack_size = thread->stack_bytes,
                                 .name = thread->name,
                                 .crashed = thread->id == report->report->tid };
    return give(ret_thread, &view, sizeof(view));
}

static int module_at(const struct cairn_host *host, const struct cairn_report *report, size_t index,
                     struct cairn_module *ret_module)
{
    (void)host;
    if (report->dump == NULL || index >= minidump_module_count(report->dump)) {
        return 0;
    }
    const struct minidump_module *module = minidump_module_at(report->dump, index);
    struct cairn_module view = { .base = module->base,
                                 .length = module->bytes,
                                 .path = module->path,
                                 .build_id = module->build_id,
                                 .version = module->version };
    return give(ret_module, &view, sizeof(view));
}

static int breadcrumb_at(const struct cairn_host *host, const struct cairn_report *report,
                         size_t index, struct cairn_breadcrumb *ret_breadcrumb)
{
    (void)host;
    if (index >= report->report->breadcrumb_count) {
        return 0;
    }
    const struct report_breadcrumb *breadcrumb = &report->report->breadcrumbs[index];
    struct cairn_breadcrumb view = { .time = breadcrumb->time_ns,
                                     .category = breadcrumb->category,
                                     .message = breadcrumb->message };
    return give(ret_breadcrumb, &view, sizeof(view));
}

/* The artifact at `index` among those that a plugin is told of: what stays on the machine is no
 * business of those that may take it elsewhere. */
static const struct report_artifact *shown_artifact(const struct cairn_host *host,
                                                    const struct report *report, size_t index)
{
    const struct host *mine = host->private_data;
    enum cairn_kind kind = mine->request->instance->kind;
    bool all = kind != CAIRN_KIND_HOOK && kind != CAIRN_KIND_TRANSPORT;

    for (size_t i = 0; i < report->artifact_count; i++) {
        const struct report_artifact *artifact = &report->artifacts[i];

        if ((all || !report_artifact_stays(artifact)) && index-- == 0) {
            return artifact;
        }
    }
    return NULL;
}

/* Before the commit an artifact has no place yet that its path could name. */
static int artifact_at(const struct cairn_host *host, const struct cairn_report *report,
                       size_t index, struct cairn_artifact *ret_artifact)
{
    const struct report_artifact *artifact = shown_artifact(host, report->report, index);

    if (artifact == NULL) {
        return 0;
    }
    char *path = NULL;
    if (report->folder != NULL && asprintf(&path, "%s/%s", report->folder, artifact->name) < 0) {
        path = NULL;
    }
    struct cairn_artifact view = {
        .is_minidump =
            artifact->media_type != NULL && strcmp(artifact->media_type, "application/x-dmp") == 0,
        .bytes = artifact->bytes,
        .name = artifact->name,
        .media_type = artifact->media_type,
        .sha256 = artifact->sha256,
        .path = path,
    };
    return give(ret_artifact, &view, sizeof(view));
}

static size_t read_memory(const struct cairn_host *host, const struct cairn_report *report,
                          uint64_t address, void *buffer, size_t bytes)
{
    (void)host;
    return report->dump != NULL ? minidump_read(report->dump, address, buffer, bytes) : 0;
}

static int stream(const struct cairn_host *host, const struct cairn_report *report, uint32_t type,
                  const void **ret_data, size_t *ret_bytes)
{
    (void)host;
    return report->dump != NULL && minidump_stream(report->dump, type, ret_data, ret_bytes);
}

static int process_file(const struct cairn_host *host, const struct cairn_report *report,
                        const char *name, const char **ret_text, size_t *ret_bytes)
{
    (void)host;
    return report->dump != NULL && minidump_process_file(report->dump, name, ret_text, ret_bytes);
}

/* Opened anew through /proc, so that reading it moves nobody else's position. */
static int minidump_fd(const struct cairn_host *host, const struct cairn_report *report)
{
    char path[64];
    int fd;

    (void)host;
    if (report->dump_fd < 0) {
        return -1;
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", report->dump_fd);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && lseek(report->dump_fd, 0, SEEK_SET) == 0) {
        fd = report->dump_fd;
    }
    return fd;
}

void host_init_report(struct cairn_host *table)
{
    table->get = get;
    table->attribute_at = attribute_at;
    table->note_at = note_at;
    table->frame_at = frame_at;
    table->register_at = register_at;
    table->thread_at = thread_at;
    table->module_at = module_at;
    table->breadcrumb_at = breadcrumb_at;
    table->artifact_at = artifact_at;
    table->read_memory = read_memory;
    table->stream = stream;
    table->process_file = process_file;
    table->minidump_fd = minidump_fd;
}
