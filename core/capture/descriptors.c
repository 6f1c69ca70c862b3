/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The open descriptors of the process: numbers, access and what they lead to, from /proc/PID/fd,
 * see proc_pid_fd(5). Personal data, read only on request. Runs in the monitor; imports nothing.
 */
#include "core/capture/parts.h"

#include "core/capture/sys.h"
#include "core/capture/text.h"

#define MAX_DESCRIPTORS   4096u
#define LEAST_DESCRIPTORS 64u
#define LIST_BYTES        ((size_t)32 << 10)
#define TARGET_BYTES      4096u

/* The link's own permissions tell how the descriptor was opened. */
static uint32_t access_of(int folder, const char *name)
{
    struct stat status = { 0 };

    sys_fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW);
    if ((status.st_mode & S_IWUSR) == 0) {
        return O_RDONLY;
    }
    return (status.st_mode & S_IRUSR) == 0 ? O_WRONLY : O_RDWR;
}

static struct capture_descriptor *add(struct capture *capture, size_t *capacity)
{
    if (capture->descriptor_count == *capacity) {
        size_t wanted = *capacity == 0 ? LEAST_DESCRIPTORS : *capacity * 2;
        struct capture_descriptor *more =
            arena_resize(&capture->arena, capture->descriptors, *capacity * sizeof(*more),
                         wanted * sizeof(*more));

        if (more == NULL) {
            return NULL;
        }
        capture->descriptors = more;
        *capacity = wanted;
    }
    return &capture->descriptors[capture->descriptor_count++];
}

/* One that is gone meanwhile, or cannot be looked at, is left out. */
static void read_one(struct capture *capture, size_t *capacity, int folder, const char *name)
{
    const char *at = name;
    char target[TARGET_BYTES];
    struct capture_descriptor *descriptor;
    uint64_t number;
    long bytes;

    if (!capture_parse_decimal(&at, name + capture_length_within(name, 10), &number)) {
        return; /* "." and ".." */
    }
    bytes = sys_readlinkat(folder, name, target, sizeof(target));
    descriptor = bytes > 0 ? add(capture, capacity) : NULL;
    if (descriptor != NULL) {
        descriptor->fd = (int32_t)number;
        descriptor->access = access_of(folder, name);
        descriptor->target = arena_text(&capture->arena, target, (size_t)bytes);
    }
}

static void read_entries(struct capture *capture, size_t *capacity, int folder,
                         const unsigned char *buffer, size_t bytes)
{
    for (size_t at = 0; at + sizeof(struct sys_dirent) < bytes;) {
        const struct sys_dirent *entry = (const struct sys_dirent *)(buffer + at);

        if (entry->bytes <= sizeof(*entry) || capture->descriptor_count == MAX_DESCRIPTORS) {
            return;
        }
        read_one(capture, capacity, folder, entry->name);
        at += entry->bytes;
    }
}

void capture_read_descriptors(struct capture *capture)
{
    unsigned char *buffer;
    size_t capacity = 0;
    char path[64];
    long bytes;
    int folder;

    if ((capture->request.classes & CAPTURE_DESCRIPTORS) == 0) {
        return;
    }
    buffer = arena_alloc(&capture->arena, LIST_BYTES);
    capture_format(path, sizeof(path), "/proc/%d/task/%d/fd", capture->request.pid,
                   capture->through);
    folder = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (buffer == NULL || folder < 0) {
        capture_note(capture, "The open descriptors could not be read (error %d).",
                     folder < 0 ? -folder : ENOMEM);
        if (folder >= 0) {
            sys_close(folder);
        }
        return;
    }
    while (capture->descriptor_count < MAX_DESCRIPTORS &&
           (bytes = sys_getdents64(folder, buffer, LIST_BYTES)) > 0) {
        read_entries(capture, &capacity, folder, buffer, (size_t)bytes);
    }
    sys_close(folder);
    if (capture->descriptor_count == MAX_DESCRIPTORS) {
        capture_note(capture, "Only the first %u open descriptors are listed.", MAX_DESCRIPTORS);
    }
}
