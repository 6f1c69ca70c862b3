/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that embeds Cairn and uses all of its API, for tests/crash/embed.sh. Built against the
 * installed header and library only. usage: embed CONFIG KIND [FILE]
 */
#include <cairn/cairn.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char registered[4096];

__attribute__((noinline)) static void crash_here(volatile int *where)
{
    *where = 1;
}

static int filter_no(const struct cairn_crash *crash, void *user)
{
    (void)crash, (void)user;
    return 0;
}

static int post_dump(const struct cairn_crash *crash, const struct cairn_result *result, void *user)
{
    char line[256];
    int length = snprintf(line, sizeof(line), "post-dump %d %d %s %s\n", crash->signal,
                          result->success, result->id, (const char *)user);

    return write(STDOUT_FILENO, line, (size_t)length) == length;
}

static void say_it_all(const char *file)
{
    strcpy(registered, "the memory that was registered");
    cairn_set_string(NULL, "shop.region", "eu-1");
    cairn_set_string(NULL, "shop.note", "replaced");
    cairn_set_string(NULL, "shop.note", "an \"é\" and a\nnew line");
    cairn_set_integer(NULL, "shop.orders", -42);
    cairn_set_double(NULL, "shop.load", 0.25);
    cairn_set_bool(NULL, "shop.open", 1);
    cairn_set_string(NULL, "shop.gone", "x");
    cairn_unset(NULL, "shop.gone");
    cairn_breadcrumb(NULL, "order", "taken");
    cairn_breadcrumb(NULL, "order", "paid");
    cairn_add_memory(NULL, registered, sizeof(registered), "registered");
    if (file != NULL) {
        cairn_attach_file(NULL, file);
        cairn_attach_file(NULL, "/nonexistent/file");
    }
}

static int request_and_go_on(void)
{
    char id[37];
    int result = cairn_dump(NULL, "the program asked", id);

    printf("%d %s\n", result, id);
    return result == 0 ? 0 : 1;
}

static int start(const char *config, const char *kind)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    static char error[8192];
    int result;

    options.config_file = config;
    options.application = "shop";
    options.version = "1.2.3";
    if (strcmp(kind, "filter") == 0) {
        options.filter = filter_no;
    }
    if (strcmp(kind, "post-dump") == 0) {
        options.post_dump = post_dump;
        options.user = (void *)"user";
    }
    result = cairn_start(&options, NULL, error, sizeof(error));
    if (result != 0) {
        struct sigaction action;

        sigaction(SIGSEGV, NULL, &action);
        printf("%d %s\n%s\n%s\n", result, cairn_strerror(result), error,
               action.sa_handler == SIG_DFL ? "untouched" : "touched");
    }
    return result;
}

int main(int argc, char **argv)
{
    if (argc < 3 || start(argv[1], argv[2]) != 0) {
        return 2;
    }
    say_it_all(argc > 3 ? argv[3] : NULL);
    if (strcmp(argv[2], "request") == 0) {
        return request_and_go_on();
    }
    if (strcmp(argv[2], "stopped") == 0) {
        cairn_stop(NULL);
    }
    crash_here((volatile int *)16);
    return 0;
}
