/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The minidump's streams that hold files of /proc/PID as they are, and the dynamic linker's list.
 * Runs in the monitor and in the clone of a crashed program; imports nothing.
 */
#include "core/minidump/write_parts.h"

#include "core/capture/sys.h"
#include "core/capture/text.h"

static void write_files(struct write *write)
{
    static const struct {
        const char *name;
        uint32_t type;
    } streams[] = {
        { "status", MINIDUMP_STREAM_LINUX_PROC_STATUS },
        { "cmdline", MINIDUMP_STREAM_LINUX_CMD_LINE },
        { "environ", MINIDUMP_STREAM_LINUX_ENVIRON },
        { "auxv", MINIDUMP_STREAM_LINUX_AUXV },
        { "maps", MINIDUMP_STREAM_LINUX_MAPS },
        { "limits", MINIDUMP_STREAM_MOZ_LINUX_LIMITS },
    };

    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        const struct capture_file *file = capture_file(write->capture, streams[i].name);

        if (file != NULL) {
            write_stream(write, streams[i].type, write_copy(write, file->content, file->bytes),
                         file->bytes);
            write_go_on(write, streams[i].name);
        }
    }
}

static uint32_t write_links(struct write *write, const struct capture_linkage *linkage)
{
    uint32_t list = write_room(write, linkage->link_count * sizeof(struct layout_link));

    for (size_t i = 0; i < linkage->link_count; i++) {
        const struct capture_link *link = &linkage->links[i];
        struct layout_link entry = { .load_address = link->load_address };

        entry.dynamic_address = link->dynamic_address;
        entry.name_rva = write_string(write, link->name, capture_length(link->name));
        write_over(write, list + (uint32_t)(i * sizeof(entry)), &entry, sizeof(entry));
    }
    return list;
}

/* The structure is followed by the program's dynamic section, within the same stream. */
static void write_linkage(struct write *write)
{
    const struct capture_linkage *linkage = &write->capture->linkage;
    struct layout_linkage entry = { .version = linkage->version };
    size_t bytes = sizeof(entry) + linkage->dynamic_bytes;
    uint32_t at;

    if (linkage->version == 0) {
        return;
    }
    entry.link_count = (uint32_t)linkage->link_count;
    entry.breakpoint = linkage->breakpoint;
    entry.linker_base = linkage->linker_base;
    entry.dynamic_address = linkage->dynamic_address;
    entry.links_rva = write_links(write, linkage);
    at = write_room(write, bytes);
    write_over(write, at, &entry, sizeof(entry));
    write_over(write, at + (uint32_t)sizeof(entry), linkage->dynamic, linkage->dynamic_bytes);
    write_stream(write, MINIDUMP_STREAM_LINUX_DSO_DEBUG, at, bytes);
}

void write_linux(struct write *write)
{
    write_files(write);
    write_linkage(write);
}
