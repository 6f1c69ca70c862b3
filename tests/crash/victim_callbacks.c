/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of victim.h that register a filter or a post-dump callback: good ones, and bad ones. */
#include "tests/crash/victim.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int filter_no(const struct cairn_crash *crash, void *user)
{
    (void)crash;
    (void)user;
    victim_say("filter: no\n");
    return 0;
}

static int filter_yes(const struct cairn_crash *crash, void *user)
{
    victim_say(crash->signal == SIGSEGV && user == &victim_user && crash->tid > 0
                   ? "filter: yes\n"
                   : "filter: wrong\n");
    return 1;
}

static int filter_fault(const struct cairn_crash *crash, void *user)
{
    (void)user;
    victim_say("filter: fault\n");
    victim_fault();
    return crash->signal != 0 ? 0 : 1;
}

static int filter_hang(const struct cairn_crash *crash, void *user)
{
    (void)user;
    victim_say("filter: hang\n");
    while (crash != NULL) {
        pause();
    }
    return 0;
}

static void say_result(const struct cairn_result *result)
{
    char line[1200];

    snprintf(line, sizeof(line), "post-dump: success %d id \"%s\" path \"%s\"\n", result->success,
             result->id, result->path);
    victim_say(line);
}

static int post_dump(const struct cairn_crash *crash, const struct cairn_result *result, void *user)
{
    (void)crash;
    (void)user;
    say_result(result);
    return 0;
}

static int post_dump_handled(const struct cairn_crash *crash, const struct cairn_result *result,
                             void *user)
{
    (void)crash;
    (void)user;
    say_result(result);
    return 1;
}

static int post_dump_fault(const struct cairn_crash *crash, const struct cairn_result *result,
                           void *user)
{
    (void)crash;
    (void)user;
    say_result(result);
    abort();
}

/* ---- several handlers ---- */

static void start_another(cairn_filter_fn *filter, cairn_post_dump_fn *another_post_dump)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;

    options.filter = filter;
    options.post_dump = another_post_dump;
    if (cairn_start(&options, NULL, NULL, 0) != 0) {
        victim_say("the second handler does not start\n");
    }
}

static void crash_two(void)
{
    start_another(filter_no, NULL);
    start_another(NULL, post_dump);
    victim_fault();
}

static void crash_two_handled(void)
{
    start_another(NULL, post_dump_handled);
    victim_fault();
}

const struct victim_kind victim_callbacks[] = {
    { "filter-no", .run = victim_fault, .filter = filter_no },
    { "filter-no-chain", .before = victim_handle_and_say, .run = victim_fault,
      .filter = filter_no },
    { "filter-yes", .run = victim_fault, .filter = filter_yes },
    { "filter-fault", .run = victim_fault, .filter = filter_fault },
    { "filter-hang", .run = victim_fault, .filter = filter_hang },
    { "post-dump", .before = victim_handle_and_say, .run = victim_fault, .post_dump = post_dump },
    { "post-dump-handled", .before = victim_handle_and_say, .run = victim_fault,
      .post_dump = post_dump_handled },
    { "post-dump-fault", .before = victim_handle_and_say, .run = victim_fault,
      .post_dump = post_dump_fault },
    { "two", .run = crash_two },
    { "two-handled", .run = crash_two_handled },
    { .name = NULL },
};
