/* SPDX-License-Identifier: Apache-2.0 */
/* How processes ended; see end.h. Runs in the monitor. */
#include "core/monitor/end.h"

#include "core/crash/page.h"
#include "core/monitor/identity.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Of the kernel's interface (include/uapi/linux/pidfd.h, Linux 6.15), which libc's headers may not
 * know yet: the first version of the structure, 64 bytes. The kernel fills in what `mask` asks for
 * and answers in it what it did fill in. */
#define INFO_EXIT (1ull << 3)

struct pidfd_information {
    uint64_t mask;
    uint64_t cgroup_id;
    uint32_t pid, thread_group, parent;
    uint32_t ids[8]; /* real, effective, saved, file system: each user and group */
    int32_t exit_code;
};

_Static_assert(sizeof(struct pidfd_information) == 64, "the kernel knows it by this size");
#define GET_INFORMATION _IOWR(0xFF, 11, struct pidfd_information)

/* Where the last fields of stat stand, counted as proc(5) does. */
#define FIELD_STATE     3
#define FIELD_EXIT_CODE 52

/* In which who started a process mostly collects it. */
#define COLLECTION_NS 500000000
#define LOOK_NS       10000000

bool end_has_come(int pidfd)
{
    struct pollfd process = { .fd = pidfd, .events = POLLIN };

    return poll(&process, 1, 0) > 0;
}

struct end end_of_status(int status)
{
    if (WIFEXITED(status)) {
        return (struct end){ .how = END_EXITED, .status = WEXITSTATUS(status) };
    }
    if (WIFSIGNALED(status) && WTERMSIG(status) < NSIG) {
        return (struct end){ .how = END_SIGNALLED,
                             .signal = WTERMSIG(status),
                             .dumped = WCOREDUMP(status) };
    }
    return (struct end){ .how = END_UNKNOWN };
}

/* For the tests: "stat" or "mark" stands for a kernel that does not tell otherwise. */
static bool may_ask(const char *source)
{
    static const char *const sources[] = { "kernel", "stat", "mark" };
    const char *first = secure_getenv("CAIRN_TEST_END");

    for (size_t i = 0; first != NULL && i < sizeof(sources) / sizeof(sources[0]); i++) {
        if (strcmp(sources[i], first) == 0) {
            return true;
        }
        if (strcmp(sources[i], source) == 0) {
            return false;
        }
    }
    return true;
}

bool end_may_look(void)
{
    return may_ask("stat");
}

/* False with ENOTTY: the kernel never tells. */
static bool ask_kernel(int pidfd, int *ret_status)
{
    struct pidfd_information information = { .mask = INFO_EXIT };

    errno = ENOTTY;
    if (!may_ask("kernel") || ioctl(pidfd, GET_INFORMATION, &information) != 0) {
        return false;
    }
    errno = EAGAIN;
    if ((information.mask & INFO_EXIT) == 0) {
        return false;
    }
    *ret_status = information.exit_code;
    return true;
}

static bool await_kernel(int pidfd, int *ret_status)
{
    const struct timespec look = { 0, LOOK_NS };

    for (unsigned i = 0; i < COLLECTION_NS / LOOK_NS; i++) {
        if (ask_kernel(pidfd, ret_status)) {
            return true;
        }
        if (errno == ENOTTY) {
            return false;
        }
        nanosleep(&look, NULL);
    }
    return false;
}

/* The start of a field behind the name, which may hold anything, also ")" and blanks. */
static const char *find_field(const char *text, const char *end, unsigned field)
{
    const char *at = memrchr(text, ')', (size_t)(end - text));

    for (unsigned i = FIELD_STATE; at != NULL && i <= field; i++) {
        at = memchr(at, ' ', (size_t)(end - at));
        at = at != NULL ? at + 1 : NULL;
    }
    return at != NULL && at < end ? at : NULL;
}

/* The last number of the line, a wait status. */
static bool parse_status(const char *text, const char *end, int *ret_status)
{
    const char *start = text;
    int status = 0;

    for (; text < end && *text >= '0' && *text <= '9'; text++) {
        if (status > 0xffff) {
            return false;
        }
        status = status * 10 + (*text - '0');
    }
    if (text == start || text == end || *text != '\n') {
        return false;
    }
    *ret_status = status;
    return true;
}

bool end_parse_stat(const char *text, size_t bytes, uint64_t born, int *ret_status)
{
    const char *end = text + bytes;
    const char *state = find_field(text, end, FIELD_STATE);
    const char *code = find_field(text, end, FIELD_EXIT_CODE);

    return state != NULL && code != NULL && (*state == 'Z' || *state == 'X') &&
           (born == 0 || identity_parse(text, bytes) == born) &&
           parse_status(code, end, ret_status);
}

/* To who may not trace the process its status is shown as 0: the same permission as for the link,
 * which in a process that has ended leads nowhere. */
static bool is_shown(int32_t pid)
{
    char path[32], target[8];

    snprintf(path, sizeof(path), "/proc/%ld/exe", (long)pid);
    return readlink(path, target, sizeof(target)) >= 0 || errno != EACCES;
}

static bool ask_stat(int32_t pid, uint64_t born, int *ret_status)
{
    char text[IDENTITY_BYTES];

    /* Asked first: of one that has been collected meanwhile there is no text. */
    if (!end_may_look() || !is_shown(pid)) {
        return false;
    }
    identity_text(pid, text);
    return end_parse_stat(text, strlen(text), born, ret_status);
}

struct end end_read(int pidfd, int32_t pid, uint64_t born, uint32_t mark)
{
    int status;

    /* It may be collected between the two. */
    if (ask_kernel(pidfd, &status) || ask_stat(pid, born, &status)) {
        return end_of_status(status);
    }
    if ((mark & PAGE_EXITED) != 0) {
        return (struct end){ .how = END_EXITED, .status = (int)(mark & PAGE_EXIT_STATUS) };
    }
    return await_kernel(pidfd, &status) ? end_of_status(status)
                                        : (struct end){ .how = END_UNKNOWN };
}
