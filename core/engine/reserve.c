/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reserves that programs left in incoming/: a complete one becomes a report's folder with a
 * minidump, which is then like any other; one that was begun and never completed is set aside; an
 * unused one goes when its program has ended. It also tells whose report of a crash counts when the
 * monitor was ended at it. The file was written by a crashed process: nothing in it is believed
 * before it was checked. [engine]
 */
#include "core/engine/engine.h"

#include "core/minidump/format.h"
#include "core/report/spool.h"
#include "core/util/fs.h"
#include "core/util/holder.h"
#include "core/util/log.h"
#include "core/util/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TEMPORARY_SUFFIX MINIDUMP_RESERVE_SUFFIX ".tmp"
#define KEPT_SECONDS     60              /* a monitor names what it keeps far sooner */
#define FOREIGN_SECONDS  (7 * 24 * 3600) /* for a program that cannot be seen from here */
#define ID_BYTES         36
#define FIELD_START_TIME 22 /* of /proc/PID/stat */

enum reserve_kind {
    RESERVE_KEPT = 0, /* its program lives */
    RESERVE_UNUSED,
    RESERVE_COMPLETE,
    RESERVE_BROKEN, /* begun only, or no reserve at all */
};

/* ---- Judging one file ---- */

static unsigned long long start_time(int32_t pid)
{
    char path[64], text[1024], *at;
    ssize_t bytes;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    bytes = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    if (fd >= 0) {
        close(fd);
    }
    if (bytes <= 0) {
        return 0;
    }
    text[bytes] = '\0';
    at = strrchr(text, ')'); /* behind the name, which may hold anything */
    for (unsigned field = 2; at != NULL && field < FIELD_START_TIME; field++) {
        at = strchr(at + 1, ' ');
    }
    return at != NULL ? strtoull(at + 1, NULL, 10) : 0;
}

/* Whether the program is one that can be seen from here. */
static bool is_near(const struct minidump_reserve *about)
{
    struct stat own;

    return stat("/proc/self/ns/pid", &own) == 0 && own.st_ino == about->pid_namespace;
}

static bool program_lives(const struct minidump_reserve *about)
{
    if (about->pid <= 0 || (kill(about->pid, 0) != 0 && errno == ESRCH)) {
        return false;
    }
    return about->start_time == 0 || start_time(about->pid) == about->start_time;
}

/* The lock tells of program and monitor; where a file system does not keep it with the mapping
 * (overlayfs), the program's number and start time do. */
static bool is_alive(int fd, const struct minidump_reserve *about, const struct stat *status)
{
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK;
    }
    return is_near(about) ? program_lives(about) : time(NULL) - status->st_mtime < FOREIGN_SECONDS;
}

/* The program is gone, and its monitor was frozen for good before it named the minidump that it
 * keeps here. Ends it: nothing is lost that way. */
static bool end_frozen(int fd, const struct minidump_reserve *about, const struct stat *status)
{
    return about->state == MINIDUMP_RESERVE_CLOSED && about->kept_bytes > 0 && is_near(about) &&
           !program_lives(about) && time(NULL) - status->st_mtime > KEPT_SECONDS &&
           holder_end(fd) > 0;
}

static bool begins_as_minidump(int fd, off_t at)
{
    uint32_t signature = 0;

    return pread(fd, &signature, sizeof(signature), at) == (ssize_t)sizeof(signature) &&
           signature == MINIDUMP_SIGNATURE;
}

static bool has_minidump(int fd, const struct minidump_reserve *about)
{
    return about->bytes > 0 && about->bytes <= MINIDUMP_RESERVE_BYTES && begins_as_minidump(fd, 0);
}

static bool is_held(int fd, const struct minidump_reserve *about, const struct stat *status)
{
    return is_alive(fd, about, status) &&
           (!end_frozen(fd, about, status) || is_alive(fd, about, status));
}

/* What the file says of itself: nothing but zeros when it is no reserve. */
static bool read_about(int fd, struct stat *ret_status, struct minidump_reserve *ret_about)
{
    bool is_reserve;

    memset(ret_about, 0, sizeof(*ret_about));
    is_reserve = fstat(fd, ret_status) == 0 &&
                 ret_status->st_size >= (off_t)MINIDUMP_RESERVE_FILE_BYTES &&
                 pread(fd, ret_about, sizeof(*ret_about), MINIDUMP_RESERVE_BYTES) ==
                     (ssize_t)sizeof(*ret_about) &&
                 ret_about->magic == MINIDUMP_RESERVE_MAGIC &&
                 ret_about->version == MINIDUMP_RESERVE_VERSION;
    if (!is_reserve) {
        memset(ret_about, 0, sizeof(*ret_about));
    }
    ret_about->other[sizeof(ret_about->other) - 1] = '\0';
    return is_reserve;
}

/* A complete one is a report at once, whoever may still hold it; of all others only what a program
 * that is gone has left. */
static enum reserve_kind judge(int fd, struct minidump_reserve *ret_about)
{
    struct stat status;

    if (!read_about(fd, &status, ret_about)) {
        return RESERVE_BROKEN;
    }
    if (ret_about->state != MINIDUMP_RESERVE_COMPLETE && is_held(fd, ret_about, &status)) {
        return RESERVE_KEPT;
    }
    switch (ret_about->state) {
    case MINIDUMP_RESERVE_COMPLETE:
    case MINIDUMP_RESERVE_OPEN:
    case MINIDUMP_RESERVE_SPARSE:
        return has_minidump(fd, ret_about) ? RESERVE_COMPLETE : RESERVE_BROKEN;
    case MINIDUMP_RESERVE_WRITING:
        return RESERVE_BROKEN;
    default:
        return RESERVE_UNUSED;
    }
}

/* ---- What becomes of it ---- */

/* The report's folder, made or left by somebody who did not come further; locked. */
static int open_report(int application_fd, const char *id, struct error *error)
{
    int folder = spool_create(application_fd, id, error);

    return folder >= 0 ? folder : spool_lock(application_fd, SPOOL_INCOMING, id, error);
}

/* Where reserves lie, and whose they are. */
struct place {
    const char *application;
    int application_fd, incoming;
};

/* One rename: at no moment is there no minidump, or are there two. The file keeps its size, which
 * disturbs no reader: its program may still have it mapped. */
static bool adopt(const struct place *place, const char *name, int fd, const char *id,
                  const char *why_broken)
{
    struct error error;
    int folder;

    folder = open_report(place->application_fd, id, &error);
    if (folder < 0) {
        return false; /* somebody else is at it */
    }
    if (renameat(place->incoming, name, folder, SPOOL_CAPTURE) != 0) {
        unlinkat(place->incoming, id, AT_REMOVEDIR);
        close(folder);
        return false;
    }
    if (fsync(fd) != 0) {
        log_line(LOG_LEVEL_WARNING, "The minidump of the report %s could not be synced: %s.", id,
                 strerror(errno));
    }
    if (why_broken != NULL) {
        engine_set_aside(place->application_fd, place->application, id, why_broken);
    }
    close(folder);
    return true;
}

/* The monitor was ended when its minidump was whole and had no name yet. */
static bool finish_other(int application_fd, const struct minidump_reserve *about)
{
    int folder = -1;
    bool named;

    if (about->whole != 0 && text_is_uuid(about->other)) {
        folder = spool_lock(application_fd, SPOOL_INCOMING, about->other, NULL);
    }
    if (folder < 0) {
        return false; /* there is none, or somebody works on it */
    }
    named = renameat2(folder, SPOOL_UNFINISHED, folder, SPOOL_CAPTURE, RENAME_NOREPLACE) == 0 ||
            faccessat(folder, SPOOL_CAPTURE, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    close(folder);
    return named;
}

/* Copies what the monitor has kept behind all else to the file's front; until it has its name it
 * stays what it was. The disk has the room. */
static bool move_kept(int fd, uint64_t bytes)
{
    char buffer[16 * 1024];
    uint64_t done = 0;

    while (done < bytes) {
        size_t part = bytes - done < sizeof(buffer) ? (size_t)(bytes - done) : sizeof(buffer);

        if (pread(fd, buffer, part, (off_t)(MINIDUMP_RESERVE_KEPT_AT + done)) != (ssize_t)part ||
            pwrite(fd, buffer, part, (off_t)done) != (ssize_t)part) {
            return false;
        }
        done += part;
    }
    return true;
}

static bool has_kept(int fd, const struct minidump_reserve *about)
{
    struct stat status;

    return about->kept_bytes > 0 && about->kept_bytes <= MINIDUMP_RESERVE_BYTES &&
           fstat(fd, &status) == 0 &&
           (uint64_t)status.st_size >= MINIDUMP_RESERVE_KEPT_AT + about->kept_bytes &&
           begins_as_minidump(fd, MINIDUMP_RESERVE_KEPT_AT);
}

/* The monitor was ended when the program had been let go and its minidump had no folder yet; both
 * are gone. The report has the id that the program was told. False when nothing was kept. */
static bool adopt_kept(const struct place *place, const char *name, int fd,
                       const struct minidump_reserve *about)
{
    int folder;

    if (!has_kept(fd, about) || !text_is_uuid(about->other)) {
        return false;
    }
    if (!move_kept(fd, about->kept_bytes)) {
        return true; /* the next one tries again */
    }
    folder = fs_open_directory(place->incoming, about->other, NULL);
    if (folder >= 0) {
        unlinkat(folder, SPOOL_UNFINISHED, 0); /* as far as it came */
        close(folder);
    }
    if (adopt(place, name, fd, about->other, NULL) &&
        ftruncate(fd, (off_t)about->kept_bytes) != 0) {
        log_line(LOG_LEVEL_WARNING, "The minidump of the report %s could not be cut: %s.",
                 about->other, strerror(errno));
    }
    return true;
}

/* The process has made the report: what the monitor has come to is not another, and it would delete
 * it itself if it could. No lock is asked for, because a frozen one has it. */
static void discard_other(int incoming, const struct minidump_reserve *about)
{
    bool same = about->other_pid == about->writer && text_is_uuid(about->other);
    int folder = same ? fs_open_directory(incoming, about->other, NULL) : -1;

    if (folder >= 0) {
        unlinkat(folder, SPOOL_UNFINISHED, 0);
        unlinkat(incoming, about->other, AT_REMOVEDIR);
        close(folder);
    }
}

static int open_file(int incoming, const char *name)
{
    int fd = openat(incoming, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    struct stat status;

    if (fd >= 0 && (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink != 1 ||
                    status.st_uid != geteuid())) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool has_suffix(const char *name, const char *suffix)
{
    char id[ID_BYTES + 1];

    snprintf(id, sizeof(id), "%s", name);
    return strlen(name) > ID_BYTES && strcmp(name + ID_BYTES, suffix) == 0 && text_is_uuid(id);
}

static void take_one(const struct place *place, const char *name)
{
    struct minidump_reserve about;
    char id[ID_BYTES + 1];
    int fd = open_file(place->incoming, name);

    if (fd < 0) {
        return;
    }
    snprintf(id, sizeof(id), "%.*s", ID_BYTES, name);
    switch (judge(fd, &about)) {
    case RESERVE_KEPT:
        if (about.state == MINIDUMP_RESERVE_CLOSED) {
            finish_other(place->application_fd, &about);
        }
        break;
    case RESERVE_UNUSED:
        if (finish_other(place->application_fd, &about) || !adopt_kept(place, name, fd, &about)) {
            unlinkat(place->incoming, name, 0);
        }
        break;
    case RESERVE_COMPLETE:
        discard_other(place->incoming, &about);
        adopt(place, name, fd, id, NULL);
        break;
    case RESERVE_BROKEN:
        if (finish_other(place->application_fd, &about)) {
            unlinkat(place->incoming, name, 0);
        } else if (!adopt_kept(place, name, fd, &about)) {
            adopt(place, name, fd, id, "The program died before it had completed its minidump.");
        }
        break;
    }
    close(fd);
}

/* Calls for every file of the folder "incoming" that may be a reserve. */
static void for_each(int application_fd,
                     void (*each)(int application_fd, int incoming, const char *name, void *user),
                     void *user)
{
    int incoming = fs_open_directory(application_fd, spool_state_name(SPOOL_INCOMING), NULL);
    DIR *stream = incoming >= 0 ? fdopendir(dup(incoming)) : NULL;
    const struct dirent *entry;

    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        if (has_suffix(entry->d_name, MINIDUMP_RESERVE_SUFFIX) ||
            has_suffix(entry->d_name, TEMPORARY_SUFFIX)) {
            each(application_fd, incoming, entry->d_name, user);
        }
    }
    if (stream != NULL) {
        closedir(stream);
    }
    if (incoming >= 0) {
        close(incoming);
    }
}

static void take(int application_fd, int incoming, const char *name, void *user)
{
    const struct place place = { user, application_fd, incoming };

    if (has_suffix(name, MINIDUMP_RESERVE_SUFFIX)) {
        take_one(&place, name);
    } else if (engine_is_old(incoming, name)) {
        unlinkat(incoming, name, 0); /* its monitor was killed while it made the file */
    }
}

void engine_take_reserves(int application_fd, const char *application)
{
    for_each(application_fd, take, (void *)application);
}

static void look(int application_fd, int incoming, const char *name, void *user)
{
    bool *left = user;
    struct minidump_reserve about;
    int fd;

    (void)application_fd;
    if (*left || !has_suffix(name, MINIDUMP_RESERVE_SUFFIX)) {
        return;
    }
    fd = open_file(incoming, name);
    if (fd >= 0) {
        *left = judge(fd, &about) != RESERVE_KEPT;
        close(fd);
    }
}

bool engine_has_reserves(int application_fd)
{
    bool left = false;

    for_each(application_fd, look, &left);
    return left;
}
