/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that embeds Cairn, as of version 1.0 of cairn.h: compiled against a frozen header and
 * run with today's library. `embed layout` prints where every member lies; `embed crash` starts
 * Cairn with options that garbage follows, and crashes.
 */
#include <cairn/cairn.h>

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define MEMBER(structure, member)                                                                  \
    printf("%s.%s at %zu, %zu bytes\n", #structure, #member, offsetof(struct structure, member),   \
           sizeof(((struct structure *)0)->member))
#define SIZE(structure) printf("sizeof %s %zu\n", #structure, sizeof(struct structure))

static void print_layout(void)
{
    MEMBER(cairn_options, size), MEMBER(cairn_options, flags), MEMBER(cairn_options, config_file),
        MEMBER(cairn_options, config_text), MEMBER(cairn_options, application),
        MEMBER(cairn_options, version), MEMBER(cairn_options, filter),
        MEMBER(cairn_options, post_dump), MEMBER(cairn_options, user), SIZE(cairn_options);
    MEMBER(cairn_crash, size), MEMBER(cairn_crash, signal), MEMBER(cairn_crash, info),
        MEMBER(cairn_crash, context), MEMBER(cairn_crash, pid), MEMBER(cairn_crash, tid),
        SIZE(cairn_crash);
    MEMBER(cairn_result, size), MEMBER(cairn_result, success), MEMBER(cairn_result, id),
        MEMBER(cairn_result, path), SIZE(cairn_result);
    printf("CAIRN_START_NO_WAIT is %u\n", CAIRN_START_NO_WAIT);
#define PRINT(name, number, text) printf("%s is %d\n", #name, name);
    CAIRN_ERRORS(PRINT)
#undef PRINT
}

static int filter(const struct cairn_crash *crash, void *user)
{
    printf("filter: signal %d, %s\n", crash->signal, (const char *)user);
    fflush(stdout);
    return 1;
}

static int post_dump(const struct cairn_crash *crash, const struct cairn_result *result, void *user)
{
    (void)crash;
    printf("post-dump: success %d, %s\n", result->success, (const char *)user);
    fflush(stdout);
    return 1;
}

static int start(void)
{
    /* What a newer library must not take for options. */
    struct {
        struct cairn_options options;
        unsigned char garbage[256];
    } given = { .options = CAIRN_OPTIONS_INIT };

    memset(given.garbage, 0xa5, sizeof(given.garbage));
    given.options.filter = filter;
    given.options.post_dump = post_dump;
    given.options.user = (void *)"mine";
    return cairn_start(&given.options, NULL, NULL, 0);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "layout") == 0) {
        print_layout();
        return 0;
    }
    if (start() != 0) {
        return 2;
    }
    *(volatile int *)(volatile void *)(size_t)(argc > 1 ? 16 : 32) = 1;
    return 0;
}
