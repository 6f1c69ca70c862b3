/* SPDX-License-Identifier: Apache-2.0 */
/* A run's beginning and end: folders, descriptors, names. [engine] */
#include "core/engine/engine.h"

#include "core/util/fs.h"
#include "core/util/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

char *engine_parent(const char *path)
{
    size_t length = strlen(path);

    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    while (length > 0 && path[length - 1] != '/') {
        length--;
    }
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    return length > 0 ? strndup(path, length) : strdup(".");
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789ABCDEFabcdef";
    const char *found = c != '\0' ? strchr(digits, c) : NULL;
    int value = found != NULL ? (int)(found - digits) : -1;

    return value < 16 ? value : value - 6;
}

char *engine_application_name(const char *application_folder)
{
    char *name = strdup(text_base_name(application_folder)), *to = name;

    for (const char *from = name; from != NULL && *from != '\0'; from++) {
        int high = from[0] == '%' ? hex_digit(from[1]) : -1;
        int low = high >= 0 ? hex_digit(from[2]) : -1;

        if (low >= 0) {
            *to++ = (char)(high * 16 + low);
            from += 2;
        } else {
            *to++ = *from;
        }
    }
    if (to != NULL) {
        *to = '\0';
    }
    return name;
}

static int open_folders(struct engine_run *run, int lock_fd, struct error *error)
{
    run->application_fd = fs_open_directory(AT_FDCWD, run->application_folder, error);
    if (run->application_fd < 0) {
        return run->application_fd;
    }
    if (!fs_is_trusted(run->application_fd, NULL, error)) {
        return CAIRN_EPERM;
    }
    if (lock_fd < 0) {
        lock_fd = spool_lock(run->application_fd, SPOOL_INCOMING, run->id, error);
        if (lock_fd < 0) {
            return lock_fd;
        }
    }
    run->folder_fd = lock_fd;
    return 0;
}

int engine_run_init(struct engine_run *run, const struct engine_options *options,
                    const char *application_folder, const char *id, int lock_fd,
                    struct error *error)
{
    int result;

    memset(run, 0, sizeof(*run));
    run->options = options;
    run->dump_fd = run->application_fd = run->folder_fd = -1;
    if (!text_is_uuid(id)) {
        return error_set(error, CAIRN_EINVAL, "%s is not the id of a report.", id);
    }
    text_copy(run->id, sizeof(run->id), id);
    run->application_folder = strdup(application_folder);
    if (run->application_folder == NULL || asprintf(&run->folder, "%s/%s/%s", application_folder,
                                                    spool_state_name(SPOOL_INCOMING), id) < 0) {
        run->folder = NULL;
        engine_run_finish(run);
        return error_set(error, CAIRN_ENOMEM, "There is not enough memory to process %s.", id);
    }
    result = open_folders(run, lock_fd, error);
    if (result != 0) {
        engine_run_finish(run);
        return result;
    }
    fcntl(run->folder_fd, F_SETFD, FD_CLOEXEC);
    return 0;
}

void engine_unlock(struct engine_run *run)
{
    /* Explicitly: whoever handed the lock over may still have the descriptor open. */
    flock(run->folder_fd, LOCK_UN);
    close(run->folder_fd);
    run->folder_fd = -1;
}

static void close_if_open(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

void engine_run_finish(struct engine_run *run)
{
    minidump_close(run->dump);
    report_destroy(run->report);
    plugin_setup_finish(&run->setup);
    close_if_open(&run->dump_fd);
    close_if_open(&run->folder_fd);
    close_if_open(&run->application_fd);
    free(run->application_folder);
    free(run->folder);
    free(run->taken.holes);
    run->dump = NULL;
    run->report = NULL;
    run->application_folder = run->folder = NULL;
    run->taken = (struct engine_taken){ .is_set = false };
}
