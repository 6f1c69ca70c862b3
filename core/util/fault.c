/* SPDX-License-Identifier: Apache-2.0 */
/* Obeys CAIRN_TEST_FAULT; see fault.h. Every process but the crashed one. */
#include "core/util/fault.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The entry's next part, which ends at a colon, is `text`: what follows, or NULL. */
static const char *after(const char *entry, const char *text)
{
    size_t bytes = strlen(text);

    return strncmp(entry, text, bytes) == 0 && entry[bytes] == ':' ? entry + bytes + 1 : NULL;
}

/* True for the first to come: the file is made with this process's number. */
static bool is_first(const char *path)
{
    char text[16];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0) {
        return false;
    }
    int bytes = snprintf(text, sizeof(text), "%d\n", (int)getpid());
    bool told = write(fd, text, (size_t)bytes) == bytes;
    close(fd);
    return told;
}

/* By thread: the kernel then acts on the return from this very call, not a moment later. */
static void strike(const char *file, int signal)
{
    char path[PATH_MAX];

    if (file == NULL) {
        return;
    }
    int bytes = snprintf(path, sizeof(path), "%.*s", (int)strcspn(file, ";"), file);
    if (bytes > 0 && (size_t)bytes < sizeof(path) && is_first(path)) {
        syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), signal);
    }
}

void fault_point(const char *name)
{
    const char *entry = secure_getenv("CAIRN_TEST_FAULT");

    while (entry != NULL) {
        const char *action = after(entry, name), *end = strchr(entry, ';');
        if (action != NULL) {
            strike(after(action, "kill"), SIGKILL);
            strike(after(action, "stop"), SIGSTOP);
        }
        entry = end != NULL ? end + 1 : NULL;
    }
}
