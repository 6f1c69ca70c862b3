/* SPDX-License-Identifier: Apache-2.0 */
/* Start times of processes; see identity.h. Runs in the monitor. */
#include "core/monitor/identity.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FIELDS_BEFORE_START 20 /* from the state, the third of all, to the 22nd */

uint64_t identity_parse(const char *stat, size_t bytes)
{
    const char *end = stat + bytes, *at = memrchr(stat, ')', bytes);
    uint64_t value = 0;

    for (unsigned i = 0; at != NULL && i < FIELDS_BEFORE_START; i++) {
        at = memchr(at, ' ', (size_t)(end - at));
        at = at != NULL ? at + 1 : NULL;
    }
    for (; at != NULL && at < end && *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value)) {
            return 0;
        }
    }
    return value;
}

void identity_text(int32_t pid, char ret_text[IDENTITY_BYTES])
{
    char path[64];
    ssize_t bytes = 0;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        bytes = read(fd, ret_text, IDENTITY_BYTES - 1);
        close(fd);
    }
    ret_text[bytes > 0 ? bytes : 0] = '\0';
}

uint64_t identity_read(int32_t pid)
{
    char text[IDENTITY_BYTES];

    identity_text(pid, text);
    return identity_parse(text, strlen(text));
}
