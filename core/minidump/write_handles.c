/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream of open descriptors, MINIDUMP_HANDLE_DATA_STREAM. Runs in the monitor; imports
 * nothing.
 */
#include "core/minidump/write_parts.h"

#include "core/capture/sys.h"
#include "core/capture/text.h"

/* "socket" of "socket:[1234]"; what is a path is a "file". */
static size_t kind_of(const char *target, const char **ret_kind)
{
    size_t bytes = 0;

    while (target[bytes] >= 'a' && target[bytes] <= 'z') {
        bytes++;
    }
    if (bytes == 0 || (target[bytes] != ':' && target[bytes] != '_')) {
        *ret_kind = "file";
        return sizeof("file") - 1;
    }
    while (target[bytes] != ':' && target[bytes] != '\0') {
        bytes++; /* anon_inode */
    }
    *ret_kind = target;
    return bytes;
}

void minidump_write_handles(struct write *write)
{
    const struct capture *capture = write->capture;
    struct layout_handles header = { sizeof(header), sizeof(struct layout_handle),
                                     (uint32_t)capture->descriptor_count, 0 };
    size_t bytes = sizeof(header) + capture->descriptor_count * sizeof(struct layout_handle);
    uint32_t at;

    if (capture->descriptor_count == 0) {
        return;
    }
    at = write_room(write, bytes);
    write_over(write, at, &header, sizeof(header));
    for (size_t i = 0; i < capture->descriptor_count; i++) {
        const struct capture_descriptor *descriptor = &capture->descriptors[i];
        struct layout_handle handle = { .handle = (uint64_t)descriptor->fd,
                                        .access = descriptor->access };
        const char *kind = NULL, *target = descriptor->target != NULL ? descriptor->target : "";
        size_t kind_bytes = kind_of(target, &kind);

        handle.type_rva = write_string(write, kind, kind_bytes);
        handle.name_rva = write_string(write, target, capture_length(target));
        write_over(write, at + (uint32_t)(sizeof(header) + i * sizeof(handle)), &handle,
                   sizeof(handle));
    }
    write_stream(write, MINIDUMP_STREAM_HANDLE_DATA, at, bytes);
    write_go_on(write, "the open descriptors");
}
