/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that starts Cairn, says on standard output what that did to it, and then does what its
 * argument says: crash, exit, dump, stop, wait. Run by tests/crash/monitor.sh.
 */
#include <cairn/cairn.h>

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int *volatile nowhere = (volatile int *)16;

static int count_entries(const char *path)
{
    DIR *folder = opendir(path);
    int count = 0;

    if (folder == NULL) {
        return -1;
    }
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

static int say_no(const struct cairn_crash *crash, void *user)
{
    (void)crash;
    (void)user;
    return 0;
}

static int tell(const struct cairn_crash *crash, const struct cairn_result *result, void *user)
{
    static char line[2048];
    int bytes = snprintf(line, sizeof(line), "post %d %d %s %s\n", crash->signal, result->success,
                         result->id, access(result->path, R_OK) == 0 ? "on-disk" : "absent");

    (void)user;
    return write(STDOUT_FILENO, line, (size_t)bytes) < 0;
}

static int act(struct cairn *cairn, const char *what)
{
    char id[37] = "";

    if (strcmp(what, "dump") == 0) {
        int result = cairn_dump(cairn, "as it is", id);
        printf("dump %d %s\n", result, id);
        return result != 0;
    }
    if (strcmp(what, "stop") == 0) {
        printf("stop %d\n", cairn_stop(cairn));
        return 0;
    }
    if (strcmp(what, "exit") == 0) {
        return 3;
    }
    if (strcmp(what, "wait") == 0) {
        return getchar() == EOF ? 0 : 1;
    }
    *nowhere = 1;
    return 1;
}

int main(int argc, char **argv)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    struct cairn *cairn;
    char error[4096];
    const char *what = argc > 1 ? argv[1] : "crash";

    setvbuf(stdout, NULL, _IONBF, 0);
    options.config_file = getenv("CONFIG_FILE");
    options.config_text = options.config_file == NULL ? "version: 1\n" : NULL;
    options.filter = strcmp(what, "cancel") == 0 ? say_no : NULL;
    options.post_dump = strcmp(what, "post") == 0 ? tell : NULL;
    int before = count_entries("/proc/self/fd");
    int result = cairn_start(&options, &cairn, error, sizeof(error));
    if (result != 0) {
        printf("start %d\n%s\n", result, error);
        return 2;
    }
    printf("descriptors %d\n", count_entries("/proc/self/fd") - before);
    printf("children %s\n", waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD ? "none" : "some");
    printf("threads %d\n", count_entries("/proc/self/task") - 2);
    return act(cairn, what);
}
