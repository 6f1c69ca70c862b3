/* SPDX-License-Identifier: Apache-2.0 */
/* What a command would execute; see executable.h. Runs in a user's shell. */
#include "tools/executable.h"

#include "core/util/text.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define MAX_SCRIPTS         4 /* interpreters that are scripts themselves, as the kernel allows */
#define MAX_PROGRAM_HEADERS 256

static int examine(const char *path, struct error *error)
{
    struct stat status;

    if (stat(path, &status) != 0) {
        return error_errno(error, errno == EACCES ? CAIRN_EPERM : CAIRN_ENOENT, errno,
                           "The program %s cannot be found", path);
    }
    if (!S_ISREG(status.st_mode) || access(path, X_OK) != 0) {
        return error_set(error, CAIRN_EPERM, "%s is not an executable file.", path);
    }
    return 0;
}

static int search(const char *name, char ret_path[PATH_MAX], struct error *error)
{
    const char *path = getenv("PATH");
    bool denied = false;

    for (path = path != NULL ? path : "/usr/local/bin:/usr/bin:/bin"; *path != '\0';) {
        size_t length = strcspn(path, ":");
        char candidate[PATH_MAX];
        int used = snprintf(candidate, sizeof(candidate), "%.*s/%s", (int)length,
                            length > 0 ? path : ".", name);
        int result = used < PATH_MAX ? examine(candidate, error) : CAIRN_ENOENT;

        if (result == 0) {
            memcpy(ret_path, candidate, (size_t)used + 1);
            return 0;
        }
        denied = denied || result == CAIRN_EPERM;
        path += length + (path[length] == ':');
    }
    if (denied) {
        return error_set(error, CAIRN_EPERM, "%s was found in PATH, but it is not executable.",
                         name);
    }
    return error_set(error, CAIRN_ENOENT, "The program %s was not found in PATH.", name);
}

int executable_find(const char *name, char ret_path[PATH_MAX], struct error *error)
{
    int result;

    if (strchr(name, '/') == NULL) {
        return search(name, ret_path, error);
    }
    result = examine(name, error);
    if (result == 0 && !text_copy(ret_path, PATH_MAX, name)) {
        result = error_set(error, CAIRN_ETOOLONG, "The path %s is too long.", name);
    }
    return result;
}

/* The loader ignores LD_PRELOAD where execution changes the rights. */
static int check_rights(int fd, const char *path, struct error *error)
{
    struct stat status;

    if (fstat(fd, &status) != 0) {
        return error_errno(error, CAIRN_ESYSTEM, errno, "%s cannot be examined", path);
    }
    if (((status.st_mode & S_ISUID) != 0 && status.st_uid != getuid()) ||
        ((status.st_mode & S_ISGID) != 0 && status.st_gid != getgid())) {
        return error_set(error, CAIRN_EUNSUPPORTED,
                         "%s is a set-id program, into which no library can be preloaded.", path);
    }
    if (geteuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0) {
        return error_set(error, CAIRN_EUNSUPPORTED,
                         "%s has file capabilities; no library can be preloaded into it.", path);
    }
    return 0;
}

static bool has_interpreter(int fd, const Elf64_Ehdr *header)
{
    for (unsigned i = 0; i < header->e_phnum && i < MAX_PROGRAM_HEADERS; i++) {
        Elf64_Phdr segment;
        off_t offset = (off_t)(header->e_phoff + (uint64_t)i * sizeof(segment));

        if (pread(fd, &segment, sizeof(segment), offset) != (ssize_t)sizeof(segment)) {
            return false;
        }
        if (segment.p_type == PT_INTERP) {
            return true;
        }
    }
    return false;
}

static int check_elf(int fd, const char *path, struct error *error)
{
    Elf64_Ehdr header;

    if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
        return error_set(error, CAIRN_EUNSUPPORTED, "%s is neither an ELF program nor a script.",
                         path);
    }
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
        header.e_machine != EM_X86_64 || header.e_phentsize != sizeof(Elf64_Phdr)) {
        return error_set(error, CAIRN_EUNSUPPORTED,
                         "%s is not a 64-bit x86 program; Cairn's library does not fit it.", path);
    }
    if (!has_interpreter(fd, &header)) {
        return error_set(error, CAIRN_EUNSUPPORTED,
                         "%s is linked statically, so no library can be preloaded into it; embed "
                         "libcairn instead.",
                         path);
    }
    return check_rights(fd, path, error);
}

/* The interpreter of a script in `ret_interpreter`; false when the file is no script. */
static bool is_script(int fd, char ret_interpreter[PATH_MAX])
{
    char line[256];
    ssize_t got = pread(fd, line, sizeof(line) - 1, 0);
    char *start;

    if (got < 3 || line[0] != '#' || line[1] != '!') {
        return false;
    }
    line[got] = '\0';
    start = line + 2 + strspn(line + 2, " \t");
    start[strcspn(start, " \t\r\n")] = '\0';
    return text_copy(ret_interpreter, PATH_MAX, start);
}

bool executable_is_script(const char *path)
{
    char interpreter[PATH_MAX];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool script = fd >= 0 && is_script(fd, interpreter);

    if (fd >= 0) {
        close(fd);
    }
    return script;
}

int executable_can_preload(const char *path, struct error *error)
{
    char current[PATH_MAX];
    int result = CAIRN_EUNSUPPORTED;

    if (!text_copy(current, sizeof(current), path)) {
        return error_set(error, CAIRN_ETOOLONG, "The path %s is too long.", path);
    }
    for (int depth = 0; depth <= MAX_SCRIPTS; depth++) {
        int fd = open(current, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        bool script;

        if (fd < 0 && errno == EACCES) {
            return 0; /* executable, but not readable: the loader will see */
        }
        if (fd < 0) {
            return error_errno(error, CAIRN_EUNSUPPORTED, errno, "%s cannot be opened", current);
        }
        script = is_script(fd, current);
        result = script ? 0 : check_elf(fd, current, error);
        close(fd);
        if (!script) {
            return result;
        }
    }
    return error_set(error, CAIRN_EUNSUPPORTED, "%s is a script of a script, too deep.", path);
}
