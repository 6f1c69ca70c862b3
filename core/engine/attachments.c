/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that the program asked to have in its reports. The paths are hostile: a file is opened with
 * the crashed process's rights, never waited for, and copied only if it is a regular one. [engine]
 */
#include "core/engine/engine.h"

#include "core/util/fs.h"
#include "core/util/text.h"
#include "core/util/time.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILE_BYTES (10u * 1024 * 1024)
#define PART           "attachment.part"

/* ---- The crashed process's rights: a program that started as root and dropped its user must not
 * ---- have files attached that it could not read itself. */

struct rights {
    uid_t user;
    gid_t group;
    bool change; /* the engine runs as somebody else */
};

/* The fourth number behind "Uid:" or "Gid:" in /proc/PID/status: the one that opens files. */
static bool status_number(const char *status, const char *key, unsigned *ret_number)
{
    const char *line = strstr(status, key);

    return line != NULL && sscanf(line + strlen(key), "%*u %*u %*u %u", ret_number) == 1;
}

static bool rights_of(const struct engine_run *run, struct rights *ret_rights)
{
    struct rights rights = { .change = false };
    unsigned user, group;
    const char *status;
    size_t bytes;

    if (!minidump_process_file(run->dump, "status", &status, &bytes) ||
        !status_number(status, "\nUid:", &user) || !status_number(status, "\nGid:", &group)) {
        return false;
    }
    rights.user = user;
    rights.group = group;
    rights.change = user != geteuid();
    *ret_rights = rights;
    return true;
}

/* Only root can take another user's rights; nobody else needs to, and gets no more than his own. */
static int open_with_rights(const struct rights *rights, const char *path)
{
    const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    gid_t groups[256];
    int count, fd, number;

    if (!rights->change || geteuid() != 0) {
        return open(path, flags);
    }
    count = getgroups((int)(sizeof(groups) / sizeof(groups[0])), groups);
    if (count < 0 || setgroups(0, NULL) != 0) {
        return -1;
    }
    setfsgid(rights->group);
    setfsuid(rights->user);
    fd = (uid_t)setfsuid((uid_t)-1) == rights->user ? open(path, flags) : -1;
    number = errno;
    setfsuid(geteuid());
    setfsgid(getegid());
    if (setgroups((size_t)count, groups) != 0) {
        number = errno;
    }
    errno = number;
    return fd;
}

/* ---- Copying ---- */

static int copy_bytes(struct engine_run *run, int from, int to, const char *path,
                      struct error *error)
{
    size_t total = 0;
    char buffer[65536];

    for (;;) {
        ssize_t got = read(from, buffer, sizeof(buffer));

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return error_errno(error, CAIRN_ESYSTEM, errno, "%s cannot be read", path);
        }
        if (got == 0) {
            return 0;
        }
        total += (size_t)got;
        if (total > MAX_FILE_BYTES) {
            return error_set(error, CAIRN_ETOOLONG, "%s has more than 10 MiB.", path);
        }
        if (time_monotonic_us() >= run->stages_end_us) {
            return error_set(error, CAIRN_ETIMEOUT, "The time was over before %s was copied.",
                             path);
        }
        if (fs_write_all(to, buffer, (size_t)got) != 0) {
            return error_errno(error, CAIRN_ESYSTEM, errno, "%s cannot be copied", path);
        }
    }
}

/* ---- Annotators that take something out ---- */

static bool redacts(const struct engine_run *run, size_t index)
{
    return (run->setup.plugins.facts[index]->capabilities & CAIRN_CAP_REDACTS) != 0;
}

static int keep_or_fail(struct engine_run *run, size_t index, enum step_status status, int *fd,
                        int clean, const char *path, struct error *error)
{
    if (status == STEP_OK && lseek(clean, 0, SEEK_SET) == 0) {
        close(*fd);
        *fd = clean;
        return 0;
    }
    close(clean);
    if (status == STEP_UNSUPPORTED && lseek(*fd, 0, SEEK_SET) == 0) {
        return 0;
    }
    return error_set(error, CAIRN_EPLUGIN, "%s could not be seen through by annotator \"%s\".",
                     path, run->setup.config->instances[index].id);
}

/* In memory: what is taken out must not reach the disk. */
static int redact_by(struct engine_run *run, size_t index, int *fd, const char *path,
                     struct error *error)
{
    struct step_request request = { .attachment = text_base_name(path), .in_fd = *fd };
    struct step_result result;
    enum step_status status;

    request.out_fd = memfd_create("cairn-attachment", MFD_CLOEXEC);
    if (request.out_fd < 0) {
        return error_errno(error, CAIRN_ESYSTEM, errno, "%s cannot be seen through", path);
    }
    status = engine_step(run, index, &request, &result);
    step_result_finish(&result);
    return keep_or_fail(run, index, status, fd, request.out_fd, path, error);
}

static int redact(struct engine_run *run, int *fd, const char *path, struct error *error)
{
    const struct config_stage *annotators = &run->pipeline->stages[CAIRN_KIND_ANNOTATOR];
    int result = 0;

    for (size_t i = 0; i < annotators->count && result == 0; i++) {
        if (redacts(run, annotators->instances[i])) {
            result = redact_by(run, annotators->instances[i], fd, path, error);
        }
    }
    return result;
}

static int open_source(const struct rights *rights, const char *path, struct error *error)
{
    int fd = open_with_rights(rights, path);
    struct stat status;

    if (fd < 0) {
        return error_errno(error, CAIRN_ESYSTEM, errno, "%s cannot be opened", path);
    }
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        return error_set(error, CAIRN_EFORMAT, "%s is not a regular file.", path);
    }
    if (status.st_size > (off_t)MAX_FILE_BYTES) {
        close(fd);
        return error_set(error, CAIRN_ETOOLONG, "%s has more than 10 MiB.", path);
    }
    return fd;
}

static int copy(struct engine_run *run, int source, const char *path, struct error *error)
{
    char wanted[300], name[256];
    int target, result;

    snprintf(wanted, sizeof(wanted), "attachment_%s", text_base_name(path));
    result = engine_artifact_name(run, wanted, name, error);
    if (result != 0) {
        return result;
    }
    unlinkat(run->folder_fd, PART, 0);
    target = openat(run->folder_fd, PART, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (target < 0) {
        return error_errno(error, CAIRN_ESYSTEM, errno, "%s cannot be copied", path);
    }
    result = copy_bytes(run, source, target, path, error);
    if (result == 0) {
        result = engine_artifact_keep(run, target, PART, name, "application/octet-stream", error);
    } else {
        unlinkat(run->folder_fd, PART, 0);
    }
    close(target);
    return result;
}

static int attach(struct engine_run *run, const struct rights *rights, const char *path,
                  struct error *error)
{
    int source, result;

    if (time_monotonic_us() >= run->stages_end_us) {
        return error_set(error, CAIRN_ETIMEOUT, "The time was over before %s was copied.", path);
    }
    source = open_source(rights, path, error);
    if (source < 0) {
        return source;
    }
    result = redact(run, &source, path, error);
    if (result == 0) {
        result = copy(run, source, path, error);
    }
    close(source);
    return result;
}

bool engine_attachments(struct engine_run *run)
{
    struct rights rights;
    struct error error;

    if (run->report->attachment_count == 0) {
        return false;
    }
    if (!rights_of(run, &rights)) {
        report_note(run->report, "No file was attached, because the minidump does not tell whose "
                                 "process it was.");
        return false;
    }
    for (size_t i = 0; i < run->report->attachment_count; i++) {
        if (attach(run, &rights, run->report->attachments[i], &error) != 0) {
            report_note(run->report, "A file was not attached. %s", error.text);
        }
    }
    return true;
}
