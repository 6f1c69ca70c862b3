/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files in which answers lie: read, judged by who could have written them, and replaced. A line
 * per answer, "<class> <answer> <time> <who> [<application>]", names %-escaped, below a line with
 * the format's name and version; lines that begin with '#' are for people. Engine, sender, tools.
 */
#include "core/report/consent.h"

#include "core/util/buf.h"
#include "core/util/fs.h"
#include "core/util/paths.h"
#include "core/util/text.h"
#include "core/util/time.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HEAD         "cairn-consent 1"
#define MAX_BYTES    (256u * 1024)
#define MAX_WORDS    5
#define MAX_WORD     800 /* an application's name of 255 bytes, each of them escaped */
#define LOCK_WAIT_US 5000000u
#define LOCK_POLL_NS 10000000

const char *consent_class_name(enum consent_class class)
{
    return class == CONSENT_DISK ? "disk" : "network";
}

const char *consent_answer_name(enum consent_answer answer)
{
    static const char *const names[] = { "none", "given", "refused" };

    return names[answer];
}

/* ---- One line ------------------------------------------------------------------------------ */

/* The words of a line; how many there are, or 0 when there are too many or one is too long. */
static size_t split(const char *line, char words[MAX_WORDS][MAX_WORD])
{
    size_t count = 0, bytes;

    for (line += strspn(line, " "); *line != '\0'; line += strspn(line, " ")) {
        bytes = strcspn(line, " ");
        if (count == MAX_WORDS || bytes >= MAX_WORD) {
            return 0;
        }
        memcpy(words[count], line, bytes);
        words[count++][bytes] = '\0';
        line += bytes;
    }
    return count;
}

/* The index of `word` among the two, or -1. */
static int either(const char *word, const char *first, const char *second)
{
    return strcmp(word, first) == 0 ? 0 : strcmp(word, second) == 0 ? 1 : -1;
}

/* An application's name as it was escaped. 0, CAIRN_EFORMAT, CAIRN_ENOMEM. */
static int read_application(const char *word, char application[256])
{
    char *text = NULL;
    int result = text_unescape_name(word, &text);

    if (result == 0 && (text == NULL || !text_copy(application, 256, text))) {
        result = CAIRN_EFORMAT;
    }
    free(text);
    return result;
}

static int read_entry(const char *line, struct consent_entry *ret_entry)
{
    struct consent_entry entry = { .application = "" };
    char words[MAX_WORDS][MAX_WORD];
    size_t count = split(line, words);
    int class, refused, result = 0;
    uint64_t when_ns;

    if (count < MAX_WORDS - 1) {
        return CAIRN_EFORMAT;
    }
    class = either(words[0], "disk", "network");
    refused = either(words[1], "given", "refused");
    if (class < 0 || refused < 0 || time_parse(words[2], &when_ns) != 0) {
        return CAIRN_EFORMAT;
    }
    entry.class = class;
    entry.answer = refused ? CONSENT_REFUSED : CONSENT_GIVEN;
    if (!text_copy(entry.when, sizeof(entry.when), words[2]) ||
        !text_copy(entry.who, sizeof(entry.who), words[3])) {
        return CAIRN_EFORMAT;
    }
    if (count == MAX_WORDS) {
        result = read_application(words[4], entry.application);
    }
    *ret_entry = entry;
    return result;
}

/* ---- All lines ----------------------------------------------------------------------------- */

static struct consent_entry *find_exactly(struct consent_file *file, enum consent_class class,
                                          const char *application)
{
    for (size_t i = 0; i < file->count; i++) {
        if (file->entries[i].class == class &&
            strcmp(file->entries[i].application, application) == 0) {
            return &file->entries[i];
        }
    }
    return NULL;
}

static int refuse(struct consent_file *file, int code, const char *why, unsigned line)
{
    file->count = 0;
    file->state = error_set(&file->error, code,
                            "The file %s cannot be used, and nothing is allowed until it is mended "
                            "or deleted: line %u %s.",
                            file->path, line, why);
    return file->state;
}

static int take_line(struct consent_file *file, const char *text, unsigned line)
{
    struct consent_entry entry;
    int result;

    if (line == 1) {
        return strcmp(text, HEAD) == 0 ? 0
                                       : refuse(file, CAIRN_EFORMAT, "is not \"" HEAD "\"", line);
    }
    if (text[0] == '\0' || text[0] == '#') {
        return 0;
    }
    result = read_entry(text, &entry);
    if (result != 0) {
        return refuse(file, result, "is no answer", line);
    }
    if (find_exactly(file, entry.class, entry.application) != NULL) {
        return refuse(file, CAIRN_EFORMAT, "answers what an earlier one does", line);
    }
    if (file->count == CONSENT_MAX_ENTRIES) {
        return refuse(file, CAIRN_EFORMAT, "is one answer too many", line);
    }
    file->entries[file->count++] = entry;
    return 0;
}

static int parse(struct consent_file *file, char *text, size_t bytes)
{
    unsigned line = 0;

    if (memchr(text, '\0', bytes) != NULL || bytes == 0 || text[bytes - 1] != '\n') {
        return refuse(file, CAIRN_EFORMAT, "is cut, or no text", 1);
    }
    while (*text != '\0') {
        char *end = strchr(text, '\n');
        int result;

        *end = '\0';
        result = take_line(file, text, ++line);
        if (result != 0) {
            return result;
        }
        text = end + 1;
    }
    return 0;
}

/* ---- Reading ------------------------------------------------------------------------------- */

/* Whether a file that cannot be opened is one that the user's processes cannot even see, as in a
 * service that is kept from home folders: then nobody has answered. */
static bool is_out_of_sight(const struct consent_file *file, int number)
{
    struct stat status;

    return number == ENOENT || number == ENOTDIR ||
           (number == EACCES && !file->machine && lstat(file->path, &status) != 0);
}

static int open_failed(struct consent_file *file, int number)
{
    bool lasting = number == EACCES || number == EPERM || number == ELOOP || number == ENXIO;

    if (is_out_of_sight(file, number)) {
        return 0;
    }
    file->state =
        error_errno(&file->error, lasting ? CAIRN_EPERM : CAIRN_ESYSTEM, number,
                    "The file %s, which may hold a refusal, cannot be opened", file->path);
    return file->state;
}

/* Of the machine's file also the folders count: whoever could replace it could consent for all. */
static int examine(struct consent_file *file, int fd)
{
    struct error error = { 0, "" };
    struct stat status;

    if (fstat(fd, &status) != 0) {
        return error_errno(&file->error, CAIRN_ESYSTEM, errno, "%s cannot be examined", file->path);
    }
    if (!S_ISREG(status.st_mode) || status.st_nlink != 1) {
        return error_set(&file->error, CAIRN_EFORMAT,
                         "%s is not a regular file with one name; nothing is allowed until it is.",
                         file->path);
    }
    if (!fs_is_trusted(fd, file->machine ? file->path : NULL, &error)) {
        return error_set(&file->error, error.code,
                         "%s cannot be trusted, and nothing is allowed until it can. %s",
                         file->path, error.text);
    }
    return 0;
}

static int read_open(struct consent_file *file, int fd)
{
    char *text;
    size_t bytes;
    int result = examine(file, fd);

    if (result == 0) {
        result = fs_read_fd(fd, file->path, MAX_BYTES, &text, &bytes, &file->error);
    }
    if (result == 0) {
        result = parse(file, text, bytes);
        free(text);
    }
    file->state = result == CAIRN_ETOOLONG ? CAIRN_EFORMAT : result;
    return file->state;
}

int consent_read(const char *path, bool machine, struct consent_file *ret_file)
{
    int fd, result;

    memset(ret_file, 0, sizeof(*ret_file));
    ret_file->machine = machine;
    text_copy(ret_file->path, sizeof(ret_file->path), path);
    fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        return open_failed(ret_file, errno);
    }
    result = read_open(ret_file, fd);
    close(fd);
    return result;
}

/* ---- Writing ------------------------------------------------------------------------------- */

static void name_writer(char who[64])
{
    const struct passwd *user = getpwuid(getuid());
    char *name = user != NULL ? text_escape_name(user->pw_name) : NULL;

    if (name == NULL || !text_copy(who, 64, name)) {
        snprintf(who, 64, "%u", (unsigned)getuid());
    }
    free(name);
}

static int change(struct consent_file *file, enum consent_class class, enum consent_answer answer,
                  const char *application, struct error *error)
{
    struct consent_entry *entry = find_exactly(file, class, application);

    if (answer == CONSENT_NONE) {
        if (entry != NULL) {
            *entry = file->entries[--file->count];
        }
        return 0;
    }
    if (entry == NULL && file->count == CONSENT_MAX_ENTRIES) {
        return error_set(error, CAIRN_ETOOLONG, "%s has %d answers already, and no more fit.",
                         file->path, CONSENT_MAX_ENTRIES);
    }
    if (entry == NULL) {
        entry = &file->entries[file->count++];
    }
    *entry = (struct consent_entry){ .class = class, .answer = answer };
    time_format(time_wall_ns(), entry->when);
    name_writer(entry->who);
    text_copy(entry->application, sizeof(entry->application), application);
    return 0;
}

static void print(const struct consent_file *file, struct buf *out)
{
    buf_text(out, HEAD "\n# Written by \"cairn consent\", which explains it.\n");
    for (size_t i = 0; i < file->count; i++) {
        const struct consent_entry *entry = &file->entries[i];
        char *name = text_escape_name(entry->application);

        if (name == NULL) {
            out->failed = CAIRN_ENOMEM;
            return;
        }
        buf_printf(out, "%s %s %s %s%s%s\n", consent_class_name(entry->class),
                   consent_answer_name(entry->answer), entry->when, entry->who,
                   entry->application[0] != '\0' ? " " : "",
                   entry->application[0] != '\0' ? name : "");
        free(name);
    }
}

/* The machine's file is for all to read; its mode has to be right before it gets its name. */
static int replace(const struct consent_file *file, int folder, const char *name,
                   struct error *error)
{
    struct buf text;
    int result;

    buf_init(&text, MAX_BYTES);
    print(file, &text);
    result = text.failed != 0
                 ? error_set(error, text.failed, "There is not enough memory for %s.", file->path)
                 : fs_replace_file_mode(folder, name, file->machine ? 0644 : 0600, text.data,
                                        text.bytes, error);
    buf_finish(&text);
    return result;
}

/* The folder that holds the file, made if need be. */
static int open_folder(const struct consent_file *file, struct error *error)
{
    char folder[PATH_MAX];
    int fd;

    text_copy(folder, sizeof(folder), file->path);
    *strrchr(folder, '/') = '\0';
    if (file->machine && mkdir(folder, 0755) != 0 && errno != EEXIST) {
        return error_errno(error, errno == EACCES ? CAIRN_EPERM : CAIRN_ESYSTEM, errno,
                           "The folder %s cannot be made", folder);
    }
    fd = fs_make_directories(folder, error);
    if (fd >= 0 && faccessat(fd, ".", W_OK, AT_EACCESS) != 0) {
        close(fd);
        return error_set(error, CAIRN_EPERM, "%s may not be changed by this user.", file->path);
    }
    return fd;
}

/* The same, locked against other writers. */
static int lock_folder(const struct consent_file *file, struct error *error)
{
    const struct timespec pause = { 0, LOCK_POLL_NS };
    uint64_t end_us = time_monotonic_us() + LOCK_WAIT_US;
    int fd = open_folder(file, error);

    while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (time_monotonic_us() >= end_us) {
            close(fd);
            return error_set(error, CAIRN_EBUSY, "Somebody else is changing %s.", file->path);
        }
        nanosleep(&pause, NULL);
    }
    return fd;
}

static int record(struct consent_file *file, enum consent_class class, enum consent_answer answer,
                  const char *application, struct error *error)
{
    char path[PATH_MAX];
    int folder = lock_folder(file, error), result;

    if (folder < 0) {
        return folder;
    }
    memcpy(path, file->path, sizeof(path));
    result = consent_read(path, file->machine, file);
    if (result != 0) {
        error_set(error, result, "%s", file->error.text);
    } else {
        result = change(file, class, answer, application, error);
    }
    if (result == 0) {
        result = replace(file, folder, text_base_name(path), error);
    }
    close(folder);
    return result;
}

int consent_record(bool machine, enum consent_class class, enum consent_answer answer,
                   const char *application, struct error *error)
{
    struct consent_file *file = calloc(1, sizeof(*file));
    int result;

    if (file == NULL) {
        return error_set(error, CAIRN_ENOMEM, "There is not enough memory for an answer.");
    }
    file->machine = machine;
    if ((machine ? paths_machine_consent : paths_user_consent)(file->path, sizeof(file->path)) ==
        NULL) {
        result = error_set(error, CAIRN_ENOENT, "No home folder is known to keep the answer in.");
    } else {
        result = record(file, class, answer, application != NULL ? application : "", error);
    }
    free(file);
    return result;
}
