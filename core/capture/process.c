/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files and links of /proc/PID, each read once and whole. Runs in the monitor and in the clone
 * of a crashed program; imports nothing.
 *
 * Everything is opened below /proc/PID/task/TID of a living thread: once the main thread has ended,
 * /proc/PID itself shows an empty process.
 */
#include "core/capture/parts.h"

#include "core/capture/sys.h"
#include "core/capture/text.h"

#define MAX_FILE_BYTES ((size_t)64 << 20) /* a process may have 65530 mappings, or even more */
#define FIRST_BYTES    ((size_t)8 << 10)
#define GROWTH         4 /* a file that goes on here is most likely a long one */
#define LINK_BYTES     4096
#define MAX_FILES      16

/* "stat" is the exception: its times are a thread's own below task, and the process's do not need a
 * living main thread. A copy says of its original what only that one knows. */
static void name_path(const struct capture *capture, const char *name, char *path, size_t size)
{
    int32_t pid =
        capture->request.copied_pid != 0 ? capture->request.copied_pid : capture->request.pid;

    if (capture_equal(name, "stat")) {
        capture_format(path, size, "/proc/%d/stat", pid);
        return;
    }
    if (capture->request.copied_pid != 0 && capture_equal(name, "status")) {
        capture_format(path, size, "/proc/%d/task/%d/status", pid, capture->request.tid);
        return;
    }
    capture_format(path, size, "/proc/%d/task/%d/%s", capture->request.pid, capture->through, name);
}

int process_open(const struct capture *capture, const char *name)
{
    char path[64];

    if (capture->request.care != CAPTURE_FREELY) {
        return -EPERM;
    }
    name_path(capture, name, path, sizeof(path));
    return sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
}

static void add_file(struct capture *capture, const char *name, const char *content, size_t bytes)
{
    if (capture->file_count < MAX_FILES) {
        capture->files[capture->file_count++] = (struct capture_file){ name, content, bytes };
    }
}

/* More room, or NULL when there is none. */
static char *enlarge(struct arena *arena, char *content, size_t *size)
{
    char *larger =
        *size < MAX_FILE_BYTES ? arena_resize(arena, content, *size, *size * GROWTH) : NULL;

    *size *= larger != NULL ? GROWTH : 1;
    return larger;
}

/* All of an open file into the arena, with a NUL behind it. A negative errno if nothing was read.
 */
static long read_whole(struct arena *arena, int fd, char **ret_content)
{
    size_t size = FIRST_BYTES, used = 0;
    char *content = arena_alloc(arena, size);
    long bytes = 1;

    while (content != NULL && bytes > 0) {
        if (used + 1 >= size) {
            char *larger = enlarge(arena, content, &size);

            if (larger == NULL) {
                break;
            }
            content = larger;
        }
        bytes = sys_read(fd, content + used, size - 1 - used);
        used += bytes > 0 ? (size_t)bytes : 0;
        bytes = bytes == -EINTR ? 1 : bytes;
    }
    if (content == NULL) {
        return -ENOMEM;
    }
    if (used == 0 && bytes < 0) {
        return bytes;
    }
    *ret_content = arena_resize(arena, content, size, used + 1);
    return (long)used;
}

static void read_file(struct capture *capture, const char *name)
{
    char *content = NULL;
    int fd = process_open(capture, name);
    long bytes = fd < 0 ? fd : read_whole(&capture->arena, fd, &content);

    if (fd >= 0) {
        sys_close(fd);
    }
    if (bytes < 0) {
        capture_note(capture, "/proc/%d/%s could not be read (error %d).", capture->request.pid,
                     name, (int)-bytes);
        return;
    }
    add_file(capture, name, content, (size_t)bytes);
}

static void read_link(struct capture *capture, const char *name)
{
    char path[64], *target = arena_alloc(&capture->arena, LINK_BYTES);
    long bytes;

    if (target == NULL) {
        return;
    }
    name_path(capture, name, path, sizeof(path));
    bytes = sys_readlinkat(AT_FDCWD, path, target, LINK_BYTES - 1);
    if (bytes < 0) {
        capture_note(capture, "The link /proc/%d/%s could not be read (error %d).",
                     capture->request.pid, name, (int)-bytes);
        return;
    }
    add_file(capture, name, arena_resize(&capture->arena, target, LINK_BYTES, (size_t)bytes + 1),
             (size_t)bytes);
}

/* What the caller knows from before, where it could not be read now. */
static void use_known(struct capture *capture, const char *name, const char *content, size_t bytes)
{
    if (content != NULL && capture_file(capture, name) == NULL) {
        const char *copy = arena_text(&capture->arena, content, bytes);

        if (copy != NULL) {
            add_file(capture, name, copy, bytes);
        }
    }
}

static void read_files(struct capture *capture)
{
    static const char names[][16] = { "maps",   "auxv",   "status",    "stat",
                                      "limits", "cgroup", "oom_score", "oom_score_adj" };
    static const char links[][8] = { "cwd", "exe", "root" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        read_file(capture, names[i]);
    }
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        read_link(capture, links[i]);
    }
    if (capture->request.classes & CAPTURE_COMMAND_LINE) {
        read_file(capture, "cmdline");
    }
    if (capture->request.classes & CAPTURE_ENVIRONMENT) {
        read_file(capture, "environ");
    }
}

void process_read_files(struct capture *capture)
{
    const struct capture_request *request = &capture->request;

    capture->files = arena_array(&capture->arena, MAX_FILES, sizeof(*capture->files));
    if (capture->files == NULL) {
        return;
    }
    if (request->care == CAPTURE_FREELY) {
        read_files(capture);
    }
    use_known(capture, "auxv", request->auxv, request->auxv_bytes);
    if (request->exe != NULL) {
        use_known(capture, "exe", request->exe, capture_length(request->exe));
    }
}
