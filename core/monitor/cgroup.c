/* SPDX-License-Identifier: Apache-2.0 */
/* Memory control groups; see cgroup.h. Runs in the monitor. */
#include "core/monitor/cgroup.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES 8192

/* Version 1 says "no limit" as the largest number of whole pages. */
#define NO_LIMIT (UINT64_MAX >> 2)

/* The file's text, cut at `capacity` - 1 bytes; "" when it cannot be read. */
static bool read_text(int folder, const char *name, char *ret_text, size_t capacity)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    ssize_t bytes = fd >= 0 ? 1 : 0;
    size_t used = 0;

    while (bytes > 0 && used < capacity - 1) {
        bytes = read(fd, ret_text + used, capacity - 1 - used);
        used += bytes > 0 ? (size_t)bytes : 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    ret_text[used] = '\0';
    return used > 0;
}

/* All of a line must be the number. */
static bool parse_digits(const char *text, uint64_t *ret_number)
{
    uint64_t number = 0;

    if (*text < '0' || *text > '9') {
        return false;
    }
    for (; *text >= '0' && *text <= '9'; text++) {
        if (__builtin_mul_overflow(number, 10u, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*text - '0'), &number)) {
            return false;
        }
    }
    if (*text != '\n' && *text != '\0') {
        return false;
    }
    *ret_number = number;
    return true;
}

bool cgroup_parse_number(const char *text, const char *key, uint64_t *ret_number)
{
    size_t length = strlen(key);

    if (length == 0) {
        return parse_digits(text, ret_number);
    }
    while (strncmp(text, key, length) != 0 || text[length] != ' ') {
        text = strchr(text, '\n');
        if (text == NULL) {
            return false;
        }
        text++;
    }
    return parse_digits(text + length + 1, ret_number);
}

/* "memory" among the names with commas between them that end at `end`. */
static bool has_memory(const char *names, const char *end)
{
    while (names < end) {
        size_t bytes = strcspn(names, ",:");
        if (bytes == strlen("memory") && memcmp(names, "memory", bytes) == 0) {
            return true;
        }
        names += bytes + 1;
    }
    return false;
}

static bool copy_path(const char *path, char ret_path[CGROUP_PATH_BYTES])
{
    size_t bytes = strcspn(path, "\n");

    /* What leads out of our view of the hierarchy is not ours. */
    if (path[0] != '/' || bytes >= CGROUP_PATH_BYTES || memmem(path, bytes, "/..", 3) != NULL) {
        return false;
    }
    memcpy(ret_path, path, bytes);
    ret_path[bytes] = '\0';
    return true;
}

/* NULL behind the last one. */
static const char *next_line(const char *text)
{
    const char *end = strchr(text, '\n');

    return end != NULL ? end + 1 : NULL;
}

/* Lines like "4:memory:/path", and "0::/path" for version 2. */
uint32_t cgroup_parse_path(const char *text, char ret_path[CGROUP_PATH_BYTES])
{
    uint32_t version = 0;

    for (; text != NULL && *text != '\0'; text = next_line(text)) {
        const char *end = text + strcspn(text, "\n");
        const char *names = memchr(text, ':', (size_t)(end - text));
        const char *path = names != NULL ? memchr(names + 1, ':', (size_t)(end - names - 1)) : NULL;
        if (path == NULL) {
            continue;
        }
        if (has_memory(names + 1, path)) {
            return copy_path(path + 1, ret_path) ? 1 : 0;
        }
        if (path == names + 1 && text[0] == '0' && copy_path(path + 1, ret_path)) {
            version = 2;
        }
    }
    return version;
}

/* Where distributions mount the hierarchies. In a container that sees the whole hierarchy's paths
 * but only its own part mounted, that part is the mount's root. */
static int open_folder(uint32_t version, const char *path)
{
    static const char *const mounts[2][2] = {
        { "/sys/fs/cgroup/memory", NULL },
        { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" },
    };
    static const char *const proofs[2] = { "memory.oom_control", "memory.events" };
    char whole[CGROUP_PATH_BYTES + 32];
    int folder = -1;

    for (unsigned i = 0; i < 4 && folder < 0; i++) {
        const char *mount = mounts[version - 1][i / 2];
        if (mount == NULL) {
            break;
        }
        snprintf(whole, sizeof(whole), "%s%s", mount, i % 2 == 0 ? path : "");
        folder = open(whole, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (folder >= 0 && faccessat(folder, proofs[version - 1], R_OK, 0) != 0) {
            close(folder);
            folder = -1;
        }
    }
    return folder;
}

static uint64_t number_in(int folder, const char *name, const char *key)
{
    char text[FILE_BYTES];
    uint64_t number;

    return read_text(folder, name, text, sizeof(text)) && cgroup_parse_number(text, key, &number)
               ? number
               : CGROUP_NONE;
}

static uint64_t oom_kills(const struct cgroup *cgroup)
{
    return number_in(cgroup->folder, cgroup->version == 1 ? "memory.oom_control" : "memory.events",
                     "oom_kill");
}

static uint64_t machine_oom_kills(void)
{
    return number_in(AT_FDCWD, "/proc/vmstat", "oom_kill");
}

void cgroup_open(int32_t pid, struct cgroup *ret_cgroup)
{
    char name[64], text[FILE_BYTES], path[CGROUP_PATH_BYTES];
    struct cgroup cgroup = { .folder = -1, .oom_kills = CGROUP_NONE };

    snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)pid);
    if (read_text(AT_FDCWD, name, text, sizeof(text))) {
        cgroup.version = cgroup_parse_path(text, path);
    }
    if (cgroup.version != 0) {
        cgroup.folder = open_folder(cgroup.version, path);
    }
    if (cgroup.folder >= 0) {
        cgroup.oom_kills = oom_kills(&cgroup);
    }
    cgroup.machine_oom_kills = machine_oom_kills();
    *ret_cgroup = cgroup;
}

static uint64_t since(uint64_t start, uint64_t now)
{
    return start != CGROUP_NONE && now != CGROUP_NONE && now >= start ? now - start : CGROUP_NONE;
}

void cgroup_read(const struct cgroup *cgroup, struct cgroup_facts *ret_facts)
{
    static const char *const files[2][3] = {
        { "memory.usage_in_bytes", "memory.max_usage_in_bytes", "memory.limit_in_bytes" },
        { "memory.current", "memory.peak", "memory.max" },
    };
    struct cgroup_facts facts = { CGROUP_NONE, CGROUP_NONE, CGROUP_NONE, CGROUP_NONE, CGROUP_NONE };

    if (cgroup->folder >= 0) {
        const char *const *names = files[cgroup->version - 1];
        facts.current = number_in(cgroup->folder, names[0], "");
        facts.peak = number_in(cgroup->folder, names[1], "");
        facts.limit = number_in(cgroup->folder, names[2], "");
        facts.limit = facts.limit < NO_LIMIT ? facts.limit : CGROUP_NONE;
        facts.oom_kills = since(cgroup->oom_kills, oom_kills(cgroup));
    }
    facts.machine_oom_kills = since(cgroup->machine_oom_kills, machine_oom_kills());
    *ret_facts = facts;
}
