/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cairn in a program of one's own: start, describe the program, ask for a report, crash.
 *
 *     ./embed cairn.yaml
 *
 * The program ends by SIGSEGV, as it would without Cairn; `cairn list` shows two reports.
 */
#include <cairn/cairn.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Runs in the crashed thread, on its alternate stack: system calls and static memory only, no
 * stdio. Returns 0: not handled, so the program dies of its signal. */
static int after_dump(const struct cairn_crash *crash, const struct cairn_result *result,
                      void *user)
{
    static const char good[] = "embed: the crash is on disk: ",
                      bad[] = "embed: nothing was written";
    const char *text = result->success ? good : bad;

    (void)crash;
    (void)user;
    if (write(STDERR_FILENO, text, strlen(text)) < 0 ||
        write(STDERR_FILENO, result->id, strlen(result->id)) < 0 ||
        write(STDERR_FILENO, "\n", 1) < 0) {
        return 0;
    }
    return 0;
}

/* Every call of Cairn's may fail, and no program should end because of it. */
static void complain(const char *what, int result)
{
    if (result < 0) {
        fprintf(stderr, "embed: %s: %s\n", what, cairn_strerror(result));
    }
}

static void work(int orders)
{
    volatile int *nowhere = NULL;
    char message[64];

    for (int i = 1; i <= orders; i++) {
        snprintf(message, sizeof(message), "order %d taken", i);
        complain("breadcrumb", cairn_breadcrumb(NULL, "orders", message));
        complain("annotation", cairn_set_integer(NULL, "orders", i));
    }
    *nowhere = orders;
}

int main(int argc, char **argv)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    char error[1024], id[37];

    options.config_file = argc > 1 ? argv[1] : NULL; /* NULL: the installed default */
    options.version = "1.2.3";
    options.post_dump = after_dump;
    int result = cairn_start(&options, NULL, error, sizeof(error));
    if (result < 0) {
        fprintf(stderr, "embed: crashes will not be reported: %s\n", error);
        return 1;
    }
    complain("annotation", cairn_set_string(NULL, "shop.region", "north"));
    result = cairn_dump(NULL, "A report without a crash: the program goes on.", id);
    complain("dump", result);
    if (result == 0) {
        fprintf(stderr, "embed: reported %s\n", id);
    }
    work(3);
    return 0;
}
